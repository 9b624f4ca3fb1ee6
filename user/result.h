// SPDX-License-Identifier: GPL-2.0-only
// result.h - errors as values: what a function gives, or why it could not.
#ifndef KCORO_USER_RESULT_H
#define KCORO_USER_RESULT_H

#include <fmt/format.h>

#include <string>
#include <utility>
#include <variant>

namespace kcoro {

// The command's exit status.
enum class exit_code : int {
	ok = 0,
	failed = 1,
	usage = 2,
	module = 3, // the module is missing or does not fit
};

// Why something could not be done. The message ends with the next step where there is one.
struct failure {
	exit_code code = exit_code::failed;
	std::string message;
	std::string log; // what libbpf and the verifier said; shown with --verbose
};

template <typename... Args> failure fail(fmt::format_string<Args...> format, Args &&...args)
{
	return {exit_code::failed, fmt::format(format, std::forward<Args>(args)...), {}};
}

template <typename... Args> failure misuse(fmt::format_string<Args...> format, Args &&...args)
{
	return {exit_code::usage, fmt::format(format, std::forward<Args>(args)...), {}};
}

// Ends the command at once, with status 0 and without a word: the reader has gone.
inline failure reader_gone()
{
	return {exit_code::ok, {}, {}};
}

template <typename T> class [[nodiscard]] result {
public:
	result(T value) : state_(std::move(value)) {}
	result(failure why) : state_(std::move(why)) {}

	explicit operator bool() const { return state_.index() == 0; }
	T &operator*() { return std::get<0>(state_); }
	const T &operator*() const { return std::get<0>(state_); }
	T *operator->() { return &std::get<0>(state_); }
	const T *operator->() const { return &std::get<0>(state_); }
	const failure &error() const { return std::get<1>(state_); }

private:
	std::variant<T, failure> state_;
};

struct done {};

// Of a function that gives nothing but may fail.
using outcome = result<done>;

} // namespace kcoro

#endif
