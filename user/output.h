// SPDX-License-Identifier: GPL-2.0-only
// output.h - everything the command prints goes through here: text or JSON.
#ifndef KCORO_USER_OUTPUT_H
#define KCORO_USER_OUTPUT_H

#include "user/result.h"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace kcoro {

using json = nlohmann::ordered_json;

// How to print; set by the global options.
struct output {
	bool compact = false;	 // -j
	bool pretty = false;	 // -p
	bool timestamps = false; // -T
	bool verbose = false;	 // --verbose

	bool is_json() const { return compact || pretty; }

	// Prints one report: `document` as JSON, or `text`.
	outcome report(json document, std::string_view text) const;

	// Prints `text` as it is, and nothing in JSON.
	outcome text(std::string_view text) const;

	// Prints why the command failed: to standard error, as JSON to standard output.
	void error(const failure &why) const;
};

// One line (or with `pretty` an indented document) without newline. Bytes that are not
// UTF-8 are replaced.
std::string render(const json &document, bool pretty);

// The JSON form of a failure: {"error": "...", "log": "..."}, the log only if wanted.
json error_document(const failure &why, bool with_log);

// `text` with everything but printable ASCII written as \xNN: names come off the wire.
std::string printable(std::string_view text);

// "2025-01-31 12:00:00", local time.
std::string format_time(long long seconds);

} // namespace kcoro

#endif
