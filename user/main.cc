// SPDX-License-Identifier: GPL-2.0-only
// main.cc - kcoro: attach filters, and see what the coroutines of the kernel do.
#include "user/verbs.h"

#include "user/bpf.h"
#include "user/version.h"

#include <CLI/CLI.hpp>

#include <csignal>
#include <string_view>

namespace {

constexpr const char *examples = R"(EXAMPLES:
  kcoro doctor                        what is missing on this machine?
  kcoro attach sni --block example.com '*.example.org' eth0
  kcoro events                        who was passed, who was blocked
  kcoro stat 1                        frames allocated and freed, per second
  kcoro attach latency; kcoro hist 5  how long that takes
  kcoro ps -t                         which coroutine awaits which
  kcoro detach --all

Exit status: 0 ok, 1 failure, 2 wrong usage, 3 module missing or unfit.)";

void add_global_options(CLI::App &app, kcoro::output &out)
{
	app.add_flag("-j,--json", out.compact, "print JSON, one line each");
	app.add_flag("-p,--pretty", out.pretty, "print indented JSON");
	app.add_flag("-T,--timestamps", out.timestamps, "print the time with each report");
	app.add_flag("-v,--verbose", out.verbose, "show what the verifier said on a failure");
	app.set_version_flag("-V,--version", KCORO_COMMAND_VERSION);
}

// Whether JSON was asked for, of a command line that could not be parsed.
void guess_format(int argc, char **argv, kcoro::output &out)
{
	for (int i = 1; i < argc; i++) {
		std::string_view word = argv[i];

		out.compact |= word == "-j" || word == "--json";
		out.pretty |= word == "-p" || word == "--pretty";
	}
}

// "kcoro attach": the command as far as it was given.
std::string command_so_far(const CLI::App &app)
{
	auto text = app.get_name();

	for (const auto *verb : app.get_subcommands())
		text += " " + command_so_far(*verb);
	return text;
}

int finish(const kcoro::output &out, const kcoro::outcome &end)
{
	if (end)
		return 0;
	out.error(end.error());
	return static_cast<int>(end.error().code);
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app("Coroutines in the Linux kernel: attach filters, see what they do.", "kcoro");
	kcoro::request asked;

	std::signal(SIGPIPE, SIG_IGN); // a write then says EPIPE, which ends us quietly
	kcoro::capture_libbpf_log();

	app.get_formatter()->column_width(28);
	app.fallthrough();
	app.footer(examples);
	add_global_options(app, asked.out);

	kcoro::cli_verb verbs(app, asked);
	kcoro::add_attach(verbs);
	kcoro::add_detach(verbs);
	kcoro::add_sni(verbs);
	kcoro::add_status(verbs);
	kcoro::add_stat(verbs);
	kcoro::add_pool(verbs);
	kcoro::add_ps(verbs);
	kcoro::add_hist(verbs);
	kcoro::add_events(verbs);
	kcoro::add_doctor(verbs);

	try {
		app.parse(argc, argv);
	} catch (const CLI::Success &help) {
		return app.exit(help);
	} catch (const CLI::ParseError &wrong) {
		guess_format(argc, argv, asked.out);
		return finish(asked.out, kcoro::misuse("{}; `kcoro -h` and `kcoro VERB -h` help",
						       wrong.what()));
	}
	if (!asked.run)
		return finish(asked.out, kcoro::misuse("do what? `{} -h` lists the verbs",
						       command_so_far(app)));
	return finish(asked.out, asked.run());
}
