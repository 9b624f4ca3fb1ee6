// SPDX-License-Identifier: GPL-2.0-only
// bench_report.cc - what `make bench` and `make bench-diff` say.
//
//   bench_report table --kernel NAME --rows FILE --json FILE
//   bench_report diff --base JSON... --head JSON...
//
// Status: 0, 1 when a row is worse or gone, 2 on bad usage or input.

#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "diff.h"
#include "rows.h"
#include "table.h"

namespace {

int fail(const std::string &message)
{
	std::cerr << "bench: " << message << '\n';
	return 2;
}

int table(const std::string &kernel, const std::string &rows, const std::string &json)
{
	const auto read = bench::read_rows(rows, kernel);
	if (const auto *error = std::get_if<bench::error>(&read))
		return fail(error->message);
	const auto &all = std::get<bench::rows>(read);
	if (all.good.empty())
		return fail(rows + " has no row");
	if (!bench::write_json(json, all.good))
		return fail("cannot write " + json);
	bench::print_table(kernel, all);
	return 0;
}

int diff(const std::vector<std::string> &base, const std::vector<std::string> &head)
{
	std::vector<bench::run> runs[2];
	for (int side = 0; side < 2; side++) {
		for (const auto &path : side ? head : base) {
			auto read = bench::read_json(path);
			if (const auto *error = std::get_if<bench::error>(&read))
				return fail(error->message);
			runs[side].push_back(std::get<bench::run>(std::move(read)));
		}
	}
	const auto result = bench::compare(runs[0], runs[1]);
	bench::print_comparison(result);
	if (!result.rows)
		return fail("the two have no row in common: are they of the same kernel?");
	return result.has_worse() ? 1 : 0;
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app("Report what was counted", "bench_report");
	app.require_subcommand(1);
	std::string kernel, rows, json;
	auto *table_command =
		app.add_subcommand("table", "print the rows from the VM, and write them as JSON");
	table_command->add_option("--kernel", kernel, "the kernel's name")->required();
	table_command->add_option("--rows", rows, "what the VM printed")->required();
	table_command->add_option("--json", json, "where to write the JSON")->required();
	std::vector<std::string> base, head;
	auto *diff_command = app.add_subcommand("diff", "compare runs of two revisions");
	diff_command->add_option("--base", base, "JSON of the runs to compare with")->required();
	diff_command->add_option("--head", head, "JSON of the runs to judge")->required();
	try {
		app.parse(argc, argv);
	} catch (const CLI::ParseError &e) {
		return app.exit(e) ? 2 : 0;
	}
	return *table_command ? table(kernel, rows, json) : diff(base, head);
}
