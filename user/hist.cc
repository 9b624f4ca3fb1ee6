// SPDX-License-Identifier: GPL-2.0-only
// hist.cc - `kcoro hist`: latency histograms of allocations and frees; `kcoro hist coro`: how
// long coroutines run and wait.
#include "user/verbs.h"

#include "user/attachments.h"
#include "user/hist.h"
#include "user/labels.h"
#include "user/loop.h"
#include "user/module.h"
#include "user/privileges.h"

#include <latency/coro_latency.h>
#include <latency/latency.h>

#include <cerrno>
#include <cstring>
#include <iterator>
#include <map>
#include <memory>
#include <tuple>

namespace kcoro {

namespace {

// What the two sorts of histograms differ in; order() is that in which they are printed.
struct frame_latency {
	using key = latency_key;
	using histogram = latency_histogram;
	static constexpr const char *nothing = "no frame was allocated or freed\n";
	static const histogram_pins &pins() { return latency_pins; }

	static auto order(const key &k) { return std::tuple(k.operation, k.size_class, k.level); }
	static std::string title(const key &k)
	{
		return fmt::format("{} {} {}", operation_label(k.operation),
				   class_label(k.size_class), level_label(k.level));
	}
	static json fields(const key &k)
	{
		return {{"operation", operation_label(k.operation)},
			{"level", level_label(k.level)},
			{"class_bytes", class_bytes(k.size_class)}};
	}
};

const char *span_label(unsigned span)
{
	static constexpr std::array<const char *, CORO_SPANS> names{"run", "wait", "delay"};
	return detail::label(names, span);
}

struct coro_latency {
	using key = coro_latency_key;
	using histogram = coro_latency_histogram;
	static constexpr const char *nothing = "no coroutine ran\n";
	static const histogram_pins &pins() { return coro_pins; }

	static auto order(const key &k) { return std::tuple(k.span, k.executor); }
	static std::string title(const key &k)
	{
		return fmt::format("{} {}", span_label(k.span), executor_label(k.executor));
	}
	static json fields(const key &k)
	{
		return {{"span", span_label(k.span)}, {"executor", executor_label(k.executor)}};
	}
};

template <typename Kind> struct in_order {
	bool operator()(const auto &a, const auto &b) const
	{
		return Kind::order(a) < Kind::order(b);
	}
};
template <typename Kind>
using histograms = std::map<typename Kind::key, typename Kind::histogram, in_order<Kind>>;

struct open_pins {
	descriptor map;
	descriptor lost;
	std::vector<descriptor> programs;
};

result<open_pins> open_histograms(const histogram_pins &pins)
{
	auto map = open_pinned(pins.map);
	auto lost = open_pinned(pins.lost());

	if (state_of(pins) != pinned_state::whole || !map || !lost)
		return fail("{} is not attached: run `kcoro attach {}` first", pins.name,
			    pins.name);
	open_pins opened{std::move(*map), std::move(*lost), {}};
	for (const auto &event : pins.events) {
		auto link = open_pinned(pins.link(event));
		if (!link)
			return link.error();
		auto program = link_program(link->get());
		if (!program)
			return program.error();
		opened.programs.push_back(std::move(*program));
	}
	return opened;
}

// Events that no histogram has: no entry could be made for them, or they came while the
// program was at work on another one (NMI).
result<__u64> count_lost(const histogram_pins &pins, const open_pins &opened)
{
	static_assert(sizeof(latency_lost) == sizeof(__u64));
	static_assert(sizeof(coro_latency_lost) == sizeof(__u64));
	__u64 lost = 0;
	__u32 zero = 0;

	if (int err = bpf_map_lookup_elem(opened.lost.get(), &zero, &lost); err)
		return fail("can't read {}: {}", pins.lost(), std::strerror(-err));
	for (const auto &program : opened.programs) {
		auto misses = program_misses(program.get());

		if (!misses)
			return misses.error();
		lost += *misses;
	}
	return lost;
}

template <typename Kind>
outcome print(const histograms<Kind> &changes, __u64 lost, const output &out)
{
	json list = json::array();
	std::string text;

	for (const auto &[key, one] : changes) {
		if (one.count == 0)
			continue;
		auto document = Kind::fields(key);
		add_histogram(document, one);
		list.push_back(std::move(document));
		text += (text.empty() ? "" : "\n") + histogram_text(Kind::title(key), one);
	}
	if (text.empty())
		text = Kind::nothing;
	if (lost)
		text += fmt::format("{} events could not be recorded\n", lost);
	return out.report({{"histograms", list}, {"lost", lost}}, text);
}

template <typename Kind> outcome hist(const schedule &when, const output &out)
{
	if (auto allowed = require_capabilities(); !allowed)
		return allowed;
	if (auto ready = module_ready(); !ready)
		return ready;
	auto opened = open_histograms(Kind::pins());
	if (!opened)
		return opened.error();
	if (auto dropped = drop_privileges(); !dropped)
		return dropped;

	histograms<Kind> last;
	__u64 last_lost = 0;
	return run_schedule(when, out, [&](bool first) -> outcome {
		auto now = read_map<histograms<Kind>>(opened->map.get(), Kind::pins().map);
		auto lost = count_lost(Kind::pins(), *opened);
		histograms<Kind> changes;

		if (!now)
			return now.error();
		if (!lost)
			return lost.error();
		for (const auto &[key, one] : *now)
			changes[key] = since(one, last[key]);
		auto newly_lost = *lost - last_lost;
		last = *now;
		last_lost = *lost;
		if (!first)
			if (auto spaced = out.text("\n"); !spaced)
				return spaced;
		return print<Kind>(changes, newly_lost, out);
	});
}

void add_hist_coro(const cli_verb &above)
{
	auto verb = above.add("coro", "of coroutines (attach coro first)");
	auto when = std::make_shared<schedule>();

	add_schedule(verb, *when);
	verb.footer("SPANS, by executor:\n"
		    "  run    ns  a body, from its call to its return\n"
		    "  wait   ns  from its return to the wake; 0 when that came first\n"
		    "  delay  ns  from the start, the wake or the yield to the call\n\n"
		    "EXAMPLES:\n"
		    "  kcoro hist coro          since coro was attached\n"
		    "  kcoro hist coro 5 3      then what each 5 seconds add, three reports\n");
	verb.action([=](const output &out) { return hist<coro_latency>(*when, out); });
}

} // namespace

void add_hist(const cli_verb &app)
{
	auto verb = app.add("hist", "latency histograms (attach latency first)");
	auto when = std::make_shared<schedule>();

	add_schedule(verb, *when);
	add_hist_coro(verb);
	add_hist_dns(verb);
	add_hist_handshake(verb);
	verb.footer("EXAMPLES:\n"
		    "  kcoro hist          since latency was attached\n"
		    "  kcoro hist 5 3      then what each 5 seconds add, three reports\n"
		    "  kcoro -p hist\n"
		    "  kcoro hist coro -h  the histograms of coroutines\n"
		    "  kcoro hist dns -h   those of DNS servers\n"
		    "  kcoro hist handshake -h  those of TCP handshakes\n\n"
		    "Row n counts what took 2^n to 2^(n+1)-1 ns.");
	verb.action([=](const output &out) { return hist<frame_latency>(*when, out); });
}

} // namespace kcoro
