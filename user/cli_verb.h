// SPDX-License-Identifier: GPL-2.0-only
// cli_verb.h - a verb of the command: its options, its help, and what it does.
//
// CLI11 does the parsing. It stands behind this, in cli_verb.cc and main.cc alone: each file that
// includes it keeps the compiler busy for ten seconds more.
#ifndef KCORO_USER_CLI_VERB_H
#define KCORO_USER_CLI_VERB_H

#include "user/output.h"
#include "user/result.h"

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
} // namespace CLI

namespace kcoro {

// What the parsed command line asks for. Parsing only fills it in; main() runs it.
struct request {
	output out;
	std::function<outcome()> run;
};

// An option or an argument of a verb, to say more of it.
class cli_option {
public:
	explicit cli_option(CLI::Option *option) : option_(option) {}

	cli_option required() const;
	// What the help calls its value; " " for an argument, which has a name.
	cli_option value(const std::string &name) const;
	cli_option range(unsigned least, unsigned most) const;
	cli_option range(long least, long most) const;
	// "nan" is out of range, too.
	cli_option range(double least, double most) const;
	cli_option one_of(const std::vector<std::string> &words) const;
	// Of a list: several values in a word, with commas between.
	cli_option commas() const;
	// Of a list: one value at most.
	cli_option at_most_one() const;

private:
	CLI::Option *option_;
};

// A verb. Whatever is bound to its options must live until the command ends.
class cli_verb {
public:
	cli_verb(CLI::App &app, request &asked) : app_(&app), asked_(&asked) {}

	// A verb below this one, after which this one's options are known, too.
	cli_verb add(const std::string &name, const std::string &help) const;
	// What the help says below the options.
	void footer(const std::string &text) const;

	cli_option option(const std::string &names, std::string &to, const std::string &help) const;
	cli_option option(const std::string &names, unsigned &to, const std::string &help) const;
	cli_option option(const std::string &names, long &to, const std::string &help) const;
	cli_option option(const std::string &names, double &to, const std::string &help) const;
	cli_option option(const std::string &names, std::vector<std::string> &to,
			  const std::string &help) const;
	void flag(const std::string &names, bool &to, const std::string &help) const;
	// An argument that may be left out before those that are numbers, and is none.
	void word(const std::string &name, std::string &to, const std::string &help) const;

	// What to do when this verb is given, and none below it.
	void action(std::function<outcome(const output &)> act) const;

private:
	CLI::App *app_;
	request *asked_;
};

} // namespace kcoro

#endif
