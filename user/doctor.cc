// SPDX-License-Identifier: GPL-2.0-only
// doctor.cc - `kcoro doctor`: what is wrong on this machine, and what to do.
#include "user/doctor.h"

#include "user/verbs.h"

#include <fmt/format.h>

namespace kcoro {

namespace {

const char *state_label(health state)
{
	switch (state) {
	case health::ok:
		return "ok";
	case health::warning:
		return "WARN";
	case health::failed:
		break;
	}
	return "FAIL";
}

outcome doctor(const output &out)
{
	auto findings = examine_machine();
	json list = json::array();
	std::string text;
	size_t failed = 0, of_module = 0;

	for (auto &one : examine_module())
		findings.push_back(std::move(one));
	for (const auto &one : findings) {
		json entry{{"check", one.check},
			   {"state", state_label(one.state)},
			   {"text", one.text}};

		text += fmt::format("{:<4} {:<12} {}\n", state_label(one.state), one.check,
				    one.text);
		if (!one.action.empty()) {
			entry["action"] = one.action;
			text += fmt::format("     {:<12} -> {}\n", "", one.action);
		}
		if (out.verbose && !one.log.empty()) {
			entry["log"] = one.log;
			text += one.log;
		}
		list.push_back(std::move(entry));
		failed += one.state == health::failed;
		of_module += one.state == health::failed && one.module;
	}
	if (auto reported = out.report({{"checks", list}, {"failed", failed}}, text); !reported)
		return reported;
	if (failed == 0)
		return done{};
	// The findings have said it all: end with a status, and no message.
	return failure{failed == of_module ? exit_code::module : exit_code::failed, {}, {}};
}

} // namespace

void add_doctor(const cli_verb &app)
{
	auto verb = app.add("doctor", "what is wrong here, and what to do");

	verb.footer("Exit status: 0 nothing failed, 3 only the module's checks failed,\n"
		    "1 others failed.\n\n"
		    "EXAMPLES:\n"
		    "  kcoro doctor\n"
		    "  kcoro doctor --verbose     with what the verifier said");
	verb.action([](const output &out) { return doctor(out); });
}

} // namespace kcoro
