// SPDX-License-Identifier: GPL-2.0-only
// status.h - what `kcoro status` tells of one filter, one function per kind.
#ifndef KCORO_USER_STATUS_H
#define KCORO_USER_STATUS_H

#include "user/filters.h"
#include "user/output.h"
#include "user/result.h"

#include <string>

namespace kcoro {

// What is told of each: the first fields and lines.
struct filter_status {
	json object;
	std::string text;
};

// Its link may lead nowhere: then it "`idle` nothing".
result<filter_status> begin_status(const filter_attachment &filter, const std::string &idle);

// Adds an object to the list and lines to the text. The filter is whole.
outcome show_sni(const filter_attachment &filter, json &list, std::string &text);
outcome show_dns(const filter_attachment &filter, json &list, std::string &text);
outcome show_handshake(const filter_attachment &filter, json &list, std::string &text);
outcome show_knock(const filter_attachment &filter, json &list, std::string &text);

} // namespace kcoro

#endif
