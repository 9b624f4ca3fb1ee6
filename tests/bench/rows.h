// SPDX-License-Identifier: GPL-2.0-only
// rows.h - rows of a benchmark: as the VM prints them, and as JSON.
#ifndef KCORO_BENCH_ROWS_H
#define KCORO_BENCH_ROWS_H

#include <charconv>
#include <cmath>
#include <fstream>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

// Header only: the tests are not linked with it.
#define FMT_HEADER_ONLY
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace bench {

struct row {
	std::string kernel, subject, operation, level, pattern, unit;
	unsigned size = 0, cpus = 0;
	double min = 0, median = 0; // of one operation
};

// What could not be measured, and why.
struct gap {
	std::string subject, operation, level, pattern, size, reason;
};

struct rows {
	std::vector<row> good;
	std::vector<gap> none;
};

struct error {
	std::string message;
};
template <typename T> using result = std::variant<T, error>;

inline std::vector<std::string_view> split(std::string_view line, char at)
{
	std::vector<std::string_view> fields;
	for (;;) {
		const auto end = line.find(at);
		fields.push_back(line.substr(0, end));
		if (end == std::string_view::npos)
			return fields;
		line.remove_prefix(end + 1);
	}
}

inline bool number(std::string_view text, auto &out)
{
	const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), out);
	return code == std::errc() && end == text.data() + text.size();
}

// Of one operation, to a hundredth.
inline double each(unsigned long long total, unsigned long long pairs)
{
	return std::round(static_cast<double>(total) * 100 / static_cast<double>(pairs)) / 100;
}

// The lines that kcoro_bench.ko and bench_bpf print (main.c describes them).
inline result<rows> read_rows(const std::string &path, const std::string &kernel)
{
	std::ifstream in(path);
	if (!in)
		return error{fmt::format("cannot read {}", path)};
	rows all;
	std::string line;
	for (unsigned count = 1; std::getline(in, line); count++) {
		if (!line.empty() && line.back() == '\r')
			line.pop_back();
		const auto f = split(line, '\t');
		auto bad = error{fmt::format("{}:{}: this is no row: {}", path, count, line)};
		if (f[0] == "none" && f.size() == 8) {
			all.none.push_back({std::string(f[1]), std::string(f[2]), std::string(f[3]),
					    std::string(f[5]), std::string(f[4]),
					    std::string(f[7])});
			continue;
		}
		row r;
		r.kernel = kernel;
		r.unit = "instructions";
		unsigned long long pairs = 0, min = 0, median = 0;
		if (f[0] != "row" || f.size() != 10 || !number(f[4], r.size) ||
		    !number(f[6], r.cpus) || !number(f[7], pairs) || !number(f[8], min) ||
		    !number(f[9], median) || !pairs)
			return bad;
		r.subject = f[1];
		r.operation = f[2];
		r.level = f[3];
		r.pattern = f[5];
		r.min = each(min, pairs);
		r.median = each(median, pairs);
		all.good.push_back(std::move(r));
	}
	return all;
}

inline bool write_json(const std::string &path, const std::vector<row> &all)
{
	auto list = nlohmann::ordered_json::array();
	for (const row &r : all)
		list.push_back({{"kernel", r.kernel},
				{"subject", r.subject},
				{"operation", r.operation},
				{"level", r.level},
				{"size", r.size},
				{"pattern", r.pattern},
				{"cpus", r.cpus},
				{"min", r.min},
				{"median", r.median},
				{"unit", r.unit}});
	// One object a line, for those who look at it with other tools or with diff.
	std::ofstream out(path);
	out << "[\n";
	for (std::size_t i = 0; i < list.size(); i++)
		out << list[i].dump() << (i + 1 < list.size() ? ",\n" : "\n");
	out << "]\n";
	out.close();
	return static_cast<bool>(out);
}

inline result<std::vector<row>> read_json(const std::string &path)
{
	std::ifstream in(path);
	if (!in)
		return error{fmt::format("cannot read {}: run make bench", path)};
	std::vector<row> all;
	// The library reports by exceptions; they end here.
	try {
		const auto list = nlohmann::json::parse(in);
		if (!list.is_array())
			return error{fmt::format("{}: not a list of rows", path)};
		for (const auto &o : list) {
			row r;
			o.at("kernel").get_to(r.kernel);
			o.at("subject").get_to(r.subject);
			o.at("operation").get_to(r.operation);
			o.at("level").get_to(r.level);
			o.at("size").get_to(r.size);
			o.at("pattern").get_to(r.pattern);
			o.at("cpus").get_to(r.cpus);
			o.at("min").get_to(r.min);
			o.at("median").get_to(r.median);
			o.at("unit").get_to(r.unit);
			all.push_back(std::move(r));
		}
	} catch (const nlohmann::json::exception &e) {
		return error{fmt::format("{}: {}", path, e.what())};
	}
	return all;
}

} // namespace bench

#endif // KCORO_BENCH_ROWS_H
