// SPDX-License-Identifier: GPL-2.0-only
// attach_histograms.cc - `kcoro attach latency`: measure allocations and frees; `kcoro
// attach coro`: measure how long coroutines run and wait.
#include "user/verbs.h"

#include "user/attachments.h"
#include "user/module.h"
#include "user/privileges.h"
#include "user/stats.h"

#include "coro_latency.skel.h"
#include "latency.skel.h"

#include <cerrno>
#include <cstring>

namespace kcoro {

namespace {

using latency_object = skeleton<latency_bpf, latency_bpf::destroy>;
using coro_object = skeleton<coro_latency_bpf, coro_latency_bpf::destroy>;

// What is to be pinned; the programs in the order of the pins' events.
struct parts {
	const bpf_map *map;
	const bpf_map *lost;
	std::vector<const bpf_program *> programs;
};

outcome link_and_pin(const bpf_program *program, const std::string &path)
{
	descriptor link(bpf_raw_tracepoint_open(nullptr, bpf_program__fd(program)));

	if (!link)
		return fail("can't attach to the module's tracepoint: {}", std::strerror(errno));
	return pin(link.get(), path);
}

// The last pin is the one that makes the attachment whole.
outcome pin_all(const histogram_pins &pins, const parts &all)
{
	outcome step = make_directory(pins.root());

	if (step)
		step = pin(bpf_map__fd(all.map), pins.map);
	if (step)
		step = pin(bpf_map__fd(all.lost), pins.lost());
	if (step)
		step = pin_stats();
	for (size_t i = 0; step && i < all.programs.size(); i++)
		step = link_and_pin(all.programs[i], pins.link(pins.events[i]));
	return step;
}

outcome pin_or_undo(const histogram_pins &pins, const parts &all)
{
	if (auto made = make_directory(pin_root); !made)
		return made;
	auto pinned = pin_all(pins, all);
	if (pinned)
		return pinned;

	auto why = pinned.error();
	for (const auto &undone : {remove_pins(pins.root()), remove_pin(pins.map), tidy_pins()})
		if (!undone)
			why.message += "; and " + undone.error().message;
	return why;
}

outcome load_and_pin(const histogram_pins &pins)
{
	if (&pins == &latency_pins) {
		latency_object object(latency_bpf::open_and_load());

		if (!object)
			return load_failure("the latency histograms", -errno);
		return pin_or_undo(pins,
				   {object->maps.frame_latency_ns,
				    object->maps.frame_latency_lost,
				    {object->progs.latency_alloc, object->progs.latency_free}});
	}
	coro_object object(coro_latency_bpf::open_and_load());

	if (!object)
		return load_failure("the coroutines' histograms", -errno);
	return pin_or_undo(pins, {object->maps.coro_latency_ns,
				  object->maps.coro_latency_lost,
				  {object->progs.coro_wake, object->progs.coro_cancel,
				   object->progs.coro_resume, object->progs.coro_await,
				   object->progs.coro_done}});
}

outcome attach_histograms(const histogram_pins &pins, const char *draws, const output &out)
{
	if (auto allowed = require_capabilities(); !allowed)
		return allowed;
	if (auto ready = module_ready(); !ready)
		return ready;
	if (auto mounted = ensure_bpffs(); !mounted)
		return mounted;
	auto lock = lock_pins();
	if (!lock)
		return lock.error();
	if (auto state = state_of(pins); state != pinned_state::none)
		return fail("{} is {}attached already: `kcoro detach {}` first", pins.name,
			    state == pinned_state::half ? "half " : "", pins.name);
	if (auto attached = load_and_pin(pins); !attached)
		return attached;
	return out.report({{"attached", pins.name}, {"map", pins.map}},
			  fmt::format("{} attached; `{}` draws it, or\n"
				      "bpftool map dump pinned {}\n",
				      pins.name, draws, pins.map));
}

} // namespace

void add_attach_latency(const cli_verb &attach)
{
	auto verb = attach.add("latency", "histograms of allocation and free latency");

	verb.footer("EXAMPLES:\n"
		    "  kcoro attach latency\n"
		    "  kcoro hist 1 5\n"
		    "  bpftool map dump pinned /sys/fs/bpf/kcoro/frame_latency_ns\n"
		    "  kcoro detach latency\n\n"
		    "The module measures only while this is attached.");
	verb.action([](const output &out) {
		return attach_histograms(latency_pins, "kcoro hist", out);
	});
}

void add_attach_coro(const cli_verb &attach)
{
	auto verb = attach.add("coro", "histograms of how long coroutines run, wait");

	verb.footer("EXAMPLES:\n"
		    "  kcoro attach coro\n"
		    "  kcoro hist coro 1 5\n"
		    "  bpftool map dump pinned /sys/fs/bpf/kcoro/coro_latency_ns\n"
		    "  kcoro detach coro\n\n"
		    "Programs run at each wake, call and return of a coroutine, only while this\n"
		    "is attached.");
	verb.action([](const output &out) {
		return attach_histograms(coro_pins, "kcoro hist coro", out);
	});
}

} // namespace kcoro
