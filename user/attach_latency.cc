// SPDX-License-Identifier: GPL-2.0-only
// attach_latency.cc - `kcoro attach latency`: measure allocations and frees.
#include "user/verbs.h"

#include "user/attachments.h"
#include "user/module.h"
#include "user/privileges.h"
#include "user/stats.h"

#include "latency.skel.h"

#include <cerrno>
#include <cstring>

namespace kcoro {

namespace {

using latency_object = skeleton<latency_bpf, latency_bpf::destroy>;

// The last pin is the one that makes the attachment whole.
outcome link_and_pin(const bpf_program *program, const std::string &path)
{
	descriptor link(bpf_raw_tracepoint_open(nullptr, bpf_program__fd(program)));

	if (!link)
		return fail("can't attach to the module's tracepoint: {}", std::strerror(errno));
	return pin(link.get(), path);
}

outcome pin_latency(latency_bpf *object)
{
	outcome step = make_directory(latency_root);

	if (step)
		step = pin(bpf_map__fd(object->maps.frame_latency_ns), latency_map_pin);
	if (step)
		step = pin(bpf_map__fd(object->maps.frame_latency_lost), latency_lost_pin);
	if (step)
		step = pin_stats();
	if (step)
		step = link_and_pin(object->progs.latency_alloc, latency_alloc_pin);
	if (step)
		step = link_and_pin(object->progs.latency_free, latency_free_pin);
	return step;
}

outcome attach_latency(const output &out)
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
	if (auto state = latency_attached(); state != latency_state::none)
		return fail("latency is {}attached already: `kcoro detach latency` first",
			    state == latency_state::half ? "half " : "");

	latency_object object(latency_bpf::open_and_load());
	if (!object)
		return load_failure("the latency histograms", -errno);
	if (auto made = make_directory(pin_root); !made)
		return made;
	if (auto pinned = pin_latency(object.get()); !pinned) {
		auto why = pinned.error();

		for (const auto &undone :
		     {remove_pins(latency_root), remove_pin(latency_map_pin), tidy_pins()})
			if (!undone)
				why.message += "; and " + undone.error().message;
		return why;
	}
	return out.report({{"attached", "latency"}, {"map", latency_map_pin}},
			  fmt::format("latency attached; `kcoro hist` draws it, or\n"
				      "bpftool map dump pinned {}\n",
				      latency_map_pin));
}

} // namespace

void add_attach_latency(CLI::App &attach, request &asked)
{
	auto *verb = attach.add_subcommand("latency", "histograms of allocation and free latency");

	verb->fallthrough();
	verb->footer("EXAMPLES:\n"
		     "  kcoro attach latency\n"
		     "  kcoro hist 1 5\n"
		     "  bpftool map dump pinned /sys/fs/bpf/kcoro/frame_latency_ns\n"
		     "  kcoro detach latency\n\n"
		     "The module measures only while this is attached.");
	verb->callback([&asked] { asked.run = [&asked] { return attach_latency(asked.out); }; });
}

} // namespace kcoro
