// SPDX-License-Identifier: GPL-2.0-only
// hist_dns.cc - `kcoro hist dns`: what became of the queries to each DNS server, and how
// long it took to answer.
#include "user/verbs.h"

#include "user/address.h"
#include "user/dns_counters.h"
#include "user/filters.h"
#include "user/hist.h"
#include "user/labels.h"
#include "user/loop.h"
#include "user/module.h"
#include "user/privileges.h"

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

namespace kcoro {

namespace {

struct latency_order {
	bool operator()(const dns_latency_key &a, const dns_latency_key &b) const
	{
		dns_server_order before;

		if (before(a.server, b.server) || before(b.server, a.server))
			return before(a.server, b.server);
		return a.rcode < b.rcode;
	}
};
using latency_map = std::map<dns_latency_key, dns_latency, latency_order>;

// Of RFC 1035 and RFC 2136.
std::string rcode_label(unsigned rcode)
{
	static constexpr std::array<const char *, 11> names{
		"NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
		"YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE"};

	return rcode < names.size() ? names[rcode] : fmt::format("RCODE{}", rcode);
}

// One attached filter, and what it had seen at the last report.
struct watched {
	std::string interface;
	descriptor latencies;
	descriptor servers;
	latency_map last_latencies;
	dns_server_map last_servers;
};

result<std::vector<watched>> open_filters(const std::string &interface)
{
	auto found = find_whole_filters(dns_kind, interface);
	std::vector<watched> all;

	if (!found)
		return found.error();
	for (const auto &filter : *found) {
		auto latencies = open_pinned(filter.pin("latency_us"));
		auto servers = open_pinned(filter.pin("servers"));

		if (!latencies)
			return latencies.error();
		if (!servers)
			return servers.error();
		all.push_back(
			{filter.interface(), std::move(*latencies), std::move(*servers), {}, {}});
	}
	return all;
}

// What was added since the last report; `waiting` is what is now.
dns_server_counters change_of(const dns_server_counters &now, const dns_server_counters &last)
{
	auto change = now;

	counters_add(dns_server_columns, change, last, -1);
	change.waiting = std::max<__s64>(now.waiting, 0);
	return change;
}

void show_servers(watched &filter, const dns_server_map &now, json &document, std::string &text)
{
	json list = json::array();

	text += fmt::format("{:<40}{:>10}{:>10}{:>10}{:>10}\n", "SERVER", "ANSWERED", "TIMEOUTS",
			    "RETRIES", "WAITING");
	for (const auto &[server, counters] : now) {
		auto change = change_of(counters, filter.last_servers[server]);
		auto label = mapped_address(server.address);
		auto object = counters_json(dns_server_columns, change);

		object.update({{"server", label}, {"waiting", change.waiting}});
		list.push_back(std::move(object));
		text += fmt::format("{:<40}{:>10}{:>10}{:>10}{:>10}\n", label, change.answered,
				    change.timeouts, change.retries, change.waiting);
	}
	document["servers"] = std::move(list);
	filter.last_servers = now;
}

void show_latencies(watched &filter, const latency_map &now, json &document, std::string &text)
{
	json list = json::array();

	for (const auto &[key, latency] : now) {
		auto change = since(latency, filter.last_latencies[key]);
		auto label = mapped_address(key.server.address);
		auto code = rcode_label(key.rcode);
		json object{{"server", label}, {"rcode", code}};

		if (!change.count)
			continue;
		add_histogram(object, change);
		list.push_back(std::move(object));
		text += "\n" + histogram_text(label + " " + code, change);
	}
	document["histograms"] = std::move(list);
	filter.last_latencies = now;
}

outcome report(std::vector<watched> &filters, const output &out)
{
	json list = json::array();
	std::string text;

	for (auto &filter : filters) {
		auto latencies = read_map<latency_map>(filter.latencies.get(), "the histograms");
		auto servers = read_map<dns_server_map>(filter.servers.get(), "the servers");
		json document{{"interface", filter.interface}};

		if (!latencies)
			return latencies.error();
		if (!servers)
			return servers.error();
		if (filters.size() > 1)
			text += fmt::format("{}{}\n", text.empty() ? "" : "\n", filter.interface);
		if (servers->empty())
			text += "no query was seen\n";
		else
			show_servers(filter, *servers, document, text);
		show_latencies(filter, *latencies, document, text);
		list.push_back(std::move(document));
	}
	return out.report({{"dns", list}}, text);
}

outcome hist_dns(const std::string &interface, const schedule &when, const output &out)
{
	if (auto allowed = require_capabilities(); !allowed)
		return allowed;
	if (auto ready = module_ready(); !ready)
		return ready;
	auto filters = open_filters(interface);
	if (!filters)
		return filters.error();
	if (auto dropped = drop_privileges(); !dropped)
		return dropped;
	return run_schedule(when, out, [&](bool first) -> outcome {
		if (!first)
			if (auto spaced = out.text("\n"); !spaced)
				return spaced;
		return report(*filters, out);
	});
}

} // namespace

void add_hist_dns(const cli_verb &above)
{
	auto verb = above.add("dns", "of DNS servers (attach dns first)");
	auto when = std::make_shared<schedule>();
	auto interface = std::make_shared<std::string>();

	add_interface(verb, *interface);
	add_schedule(verb, *when);
	verb.footer("For each server what became of the queries; and for each server and answer\n"
		    "code the time in us from the query, the first one if it was sent again, to\n"
		    "its answer.\n\n"
		    "EXAMPLES:\n"
		    "  kcoro hist dns          since dns was attached\n"
		    "  kcoro hist dns 5 3      then what each 5 seconds add, three reports\n"
		    "  kcoro -p hist dns eth0\n");
	verb.action([=](const output &out) { return hist_dns(*interface, *when, out); });
}

} // namespace kcoro
