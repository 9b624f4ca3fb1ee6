// SPDX-License-Identifier: GPL-2.0-only
// cli_verb.cc - see cli_verb.h.
#include "user/cli_verb.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <utility>

namespace kcoro {

namespace {

bool is_number(const std::string &word, double &number)
{
	return CLI::detail::lexical_cast(word, number);
}

} // namespace

cli_option cli_option::required() const
{
	option_->required();
	return *this;
}

cli_option cli_option::value(const std::string &name) const
{
	option_->type_name(name);
	return *this;
}

cli_option cli_option::range(unsigned least, unsigned most) const
{
	option_->check(CLI::Range(least, most).description(""));
	return *this;
}

cli_option cli_option::range(long least, long most) const
{
	option_->check(CLI::Range(least, most).description(""));
	return *this;
}

// CLI::Range takes "nan": it is neither below nor above anything.
cli_option cli_option::range(double least, double most) const
{
	auto check = [=](std::string &word) -> std::string {
		double number = 0;

		if (is_number(word, number) && number >= least && number <= most)
			return {};
		return fmt::format("Value {} not in range {} to {}", word, least, most);
	};

	option_->check(CLI::Validator(check, ""));
	return *this;
}

cli_option cli_option::one_of(const std::vector<std::string> &words) const
{
	option_->check(CLI::IsMember(words).description(""));
	return *this;
}

cli_option cli_option::commas() const
{
	option_->delimiter(',');
	return *this;
}

cli_option cli_option::at_most_one() const
{
	option_->expected(0, 1);
	return *this;
}

cli_verb cli_verb::add(const std::string &name, const std::string &help) const
{
	auto *below = app_->add_subcommand(name, help);

	app_->require_subcommand(0, 1); // main() tells that it is missing, after what is unknown
	below->fallthrough();
	return cli_verb(*below, *asked_);
}

void cli_verb::footer(const std::string &text) const
{
	app_->footer(text);
}

cli_option cli_verb::option(const std::string &names, std::string &to,
			    const std::string &help) const
{
	return cli_option(app_->add_option(names, to, help));
}

cli_option cli_verb::option(const std::string &names, unsigned &to, const std::string &help) const
{
	return cli_option(app_->add_option(names, to, help));
}

cli_option cli_verb::option(const std::string &names, long &to, const std::string &help) const
{
	return cli_option(app_->add_option(names, to, help));
}

cli_option cli_verb::option(const std::string &names, double &to, const std::string &help) const
{
	return cli_option(app_->add_option(names, to, help));
}

cli_option cli_verb::option(const std::string &names, std::vector<std::string> &to,
			    const std::string &help) const
{
	return cli_option(app_->add_option(names, to, help));
}

void cli_verb::flag(const std::string &names, bool &to, const std::string &help) const
{
	app_->add_flag(names, to, help);
}

void cli_verb::word(const std::string &name, std::string &to, const std::string &help) const
{
	auto check = [](std::string &word) -> std::string {
		double number = 0;

		return is_number(word, number) ? "is a number" : "";
	};

	app_->validate_positionals();
	app_->add_option(name, to, help)->check(CLI::Validator(check, ""))->type_name(" ");
}

void cli_verb::action(std::function<outcome(const output &)> act) const
{
	app_->callback([app = app_, asked = asked_, act = std::move(act)] {
		if (app->get_subcommands().empty())
			asked->run = [asked, act] { return act(asked->out); };
	});
}

} // namespace kcoro
