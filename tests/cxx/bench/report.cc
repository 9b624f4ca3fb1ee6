// SPDX-License-Identifier: GPL-2.0-only
// report.cc - what `make bench-cxx` says: tables, and the figures that kcoro is held to.
//
//   report TIMES.json COUNTS.tsv
//
// TIMES.json is Google Benchmark's, with each repetition. COUNTS.tsv has lines
// "count NAME INSTRUCTIONS", "frame NAME BYTES", "compile NAME SECONDS" and "time NAME NS", by tabs.
// Status: 0; 1 when the run is void, or a figure is missed or not there; 2 on bad input.

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace {

// By "time kcoro/leaf_await", "count kcoro/leaf_await", "frame kcoro", "compile kcoro".
using numbers = std::map<std::string, double>;

// The limit may take this much of Asio's leaf await; if it takes more, something was slowed.
constexpr double void_above = 0.42;

struct figure {
	const char *what;
	const char *kcoro;
	const char *other; // null: kcoro's own number is judged
	double at_most;
};

constexpr figure figures[] = {
	{"leaf await / limit", "time kcoro/leaf_await", "time limit/leaf_await", 1.25},
	{"leaf await / Asio", "time kcoro/leaf_await", "time asio/leaf_await", 0.50},
	{"create + destroy / limit", "time kcoro/create_destroy", "time limit/create_destroy", 1.3},
	{"suspend + resume / limit, instructions", "count kcoro/suspend_resume",
	 "count limit/suspend_resume", 1.25},
	{"fib(25) / limit", "time kcoro/fib_25", "time limit/fib_25", 1.3},
	{"chain of 1,000 / limit", "time kcoro/chain_1000", "time limit/chain_1000", 1.25},
	{"when_all of 50 / one by one at the limit", "time kcoro/when_all_50",
	 "time limit/leaf_await", 1.5},
	{"channel, room 1, atomics / Asio", "time kcoro/channel_many/1", "time asio/channel_many/1",
	 0.15},
	{"channel, room 64, atomics / Asio", "time kcoro/channel_many/64",
	 "time asio/channel_many/64", 0.15},
	{"channel, room 1, no atomics / Asio", "time kcoro/channel_one/1",
	 "time asio/channel_one/1", 0.08},
	{"channel, room 64, no atomics / Asio", "time kcoro/channel_one/64",
	 "time asio/channel_one/64", 0.08},
	{"frame of int leaf(int), bytes", "frame kcoro", nullptr, 64},
	{"compile all headers / asio.hpp", "compile kcoro", "compile asio", 0.7},
};

[[noreturn]] void fail(const std::string &message)
{
	std::cerr << "report: " << message << '\n';
	std::exit(2);
}

// The least of the repetitions is what is judged: what else the machine does only adds. The
// median is kept beside it, as "median ...", to tell how noisy the run was.
void read_times(const std::string &file, numbers &into)
{
	std::ifstream in(file);
	const auto json = nlohmann::json::parse(in, nullptr, false);
	std::map<std::string, std::vector<double>> runs;

	if (json.is_discarded() || !json.contains("benchmarks"))
		fail(file + " is not Google Benchmark's JSON");
	for (const auto &b : json["benchmarks"]) {
		if (b.value("error_occurred", false))
			fail(b.value("name", "?") + ": " + b.value("error_message", ""));
		if (b.value("run_type", "") != "iteration")
			continue;
		const double per_second = b.value("items_per_second", 0.0);

		runs[b.value("run_name", "")].push_back(per_second > 0 ? 1e9 / per_second
								       : b.value("cpu_time", 0.0));
	}
	for (auto &[name, values] : runs) {
		std::sort(values.begin(), values.end());
		into["time " + name] = values.front();
		into["median time " + name] = values[values.size() / 2];
	}
}

void read_counts(const std::string &file, numbers &into)
{
	std::ifstream in(file);
	std::string line;

	if (!in)
		fail("cannot read " + file);
	while (std::getline(in, line)) {
		std::istringstream words(line);
		std::string kind, name;
		double value;

		if (!(words >> kind >> name >> value))
			fail(file + ": not KIND NAME NUMBER: " + line);
		into[kind + ' ' + name] = value;
	}
}

std::optional<double> find(const numbers &all, const std::string &name)
{
	const auto at = all.find(name);

	return at == all.end() ? std::nullopt : std::optional(at->second);
}

std::string cell(std::optional<double> v, int digits)
{
	return v ? fmt::format("{:.{}f}", *v, digits) : "-";
}

void print_table(const numbers &all, const std::string &kind, int digits)
{
	static const std::vector<std::string> subjects = {"limit", "kcoro", "by_hand", "capy",
							  "asio"};
	std::vector<std::string> operations;

	for (const auto &[name, value] : all) {
		const auto slash = name.find('/');

		if (name.rfind(kind + " kcoro/", 0) == 0)
			operations.push_back(name.substr(slash + 1));
	}
	fmt::print("  {:<22}", "");
	for (const auto &s : subjects)
		fmt::print(" {:>10}", s);
	fmt::print("\n");
	for (const auto &op : operations) {
		fmt::print("  {:<22}", op);
		for (const auto &s : subjects)
			fmt::print(" {:>10}",
				   cell(find(all, fmt::format("{} {}/{}", kind, s, op)), digits));
		fmt::print("\n");
	}
}

void print_matrix(const numbers &all)
{
	fmt::print("\nMatrix: set a value that a coroutine waits for, wake and resume it, ns\n");
	fmt::print("  {:<22} {:>12} {:>12}\n", "", "32 of them", "32768");
	for (const char *atomics : {"atomic", "plain"})
		for (const char *value : {"trivial", "string"}) {
			const auto name = fmt::format("matrix/{}/{}", atomics, value);

			fmt::print("  {:<22} {:>12} {:>12}\n",
				   fmt::format("{}, {}", atomics, value),
				   cell(find(all, "time " + name + "/32"), 1),
				   cell(find(all, "time " + name + "/32768"), 1));
		}
}

void print_frames(const numbers &all)
{
	const std::string kind = "time frames/";

	fmt::print("\nA leaf created and destroyed, by where its frame comes from, ns\n");
	for (const auto &[name, value] : all)
		if (name.rfind(kind, 0) == 0)
			fmt::print("  {:<30} {:>6.1f}\n", name.substr(kind.size()), value);
}

// Of @f, from numbers whose names begin with @prefix.
std::optional<double> measured(const numbers &all, const figure &f, const std::string &prefix)
{
	const auto value = find(all, prefix + f.kcoro);

	if (!f.other)
		return value;
	const auto other = find(all, prefix + f.other);

	return value && other && *other > 0 ? std::optional(*value / *other) : std::nullopt;
}

// How many are missed or not there.
int print_figures(const numbers &all)
{
	int missed = 0;

	fmt::print("\n  {:<40} {:>8} {:>8} {:>8}\n", "figure", "of least", "median", "at most");
	for (const figure &f : figures) {
		const auto value = measured(all, f, "");
		const bool good = value && *value <= f.at_most;

		missed += !good;
		fmt::print("  {:<40} {:>8} {:>8} {:>8.2f}{}\n", f.what, cell(value, 2),
			   cell(measured(all, f, "median "), 2), f.at_most,
			   good	   ? ""
			   : value ? "  MISSED"
				   : "  NOT MEASURED");
	}
	return missed;
}

bool is_void(const numbers &all)
{
	const auto limit = find(all, "time limit/leaf_await");
	const auto asio = find(all, "time asio/leaf_await");

	if (limit && asio && *asio > 0 && *limit / *asio <= void_above) {
		fmt::print("\nThe limit's leaf await takes {:.2f} of Asio's (at most {:.2f}): "
			   "the run counts.\n",
			   *limit / *asio, void_above);
		return false;
	}
	fmt::print("\n*** THIS RUN IS VOID: the limit's leaf await must take at most {:.2f} of "
		   "Asio's,\n*** and took {}. Something slowed it: run again on a machine that "
		   "does nothing else.\n",
		   void_above,
		   limit && asio && *asio > 0 ? fmt::format("{:.2f}", *limit / *asio)
					      : "nothing that was measured");
	return true;
}

} // namespace

int main(int argc, char **argv)
{
	numbers all;

	if (argc != 3) {
		std::cerr << "Usage: report TIMES.json COUNTS.tsv\n";
		return 2;
	}
	read_times(argv[1], all);
	read_counts(argv[2], all);
	fmt::print(
		"\nTime per operation, ns of CPU time, the least of all repetitions (fib_25, chain_1000: whole)\n");
	print_table(all, "time", 1);
	fmt::print("\nInstructions per operation\n");
	print_table(all, "count", 1);
	print_matrix(all);
	print_frames(all);
	const int missed = print_figures(all);
	const bool none = is_void(all);

	if (missed)
		fmt::print("{} of {} figures missed or not measured.\n", missed,
			   std::size(figures));
	return none || missed;
}
