// SPDX-License-Identifier: GPL-2.0-only
// attach_filter.cc - see attach_filter.h.
#include "user/attach_filter.h"

#include "user/attachments.h"
#include "user/labels.h"
#include "user/module.h"
#include "user/privileges.h"
#include "user/stats.h"

#include "attachment.skel.h"

#include <filters/pool/filter_pool.h>
#include <linux/if_link.h>

#include <cerrno>
#include <cstring>

namespace kcoro {

namespace {

using attachment_object = skeleton<attachment_bpf, attachment_bpf::destroy>;

// The class that a filter's coroutine is meant for, in bytes.
constexpr unsigned coroutine_class = 512;

// enum bpf_attach_type; the build machine's linux/bpf.h may be older than they are.
constexpr auto tcx_ingress = static_cast<bpf_attach_type>(46);
constexpr auto tcx_egress = static_cast<bpf_attach_type>(47);

outcome pin_record(const attachment &record, const std::string &directory)
{
	attachment_object object(attachment_bpf::open_and_load());
	__u32 zero = 0;

	if (!object)
		return load_failure("the attachment's record", -errno);
	int map = bpf_map__fd(object->maps.attachment);
	if (int err = bpf_map_update_elem(map, &zero, &record, BPF_ANY); err)
		return fail("can't write the attachment's record: {}", std::strerror(-err));
	return pin(map, directory + "/attachment");
}

// Why the kernel refused a link, with the next step.
failure link_failure(const attachment &record, int err)
{
	if (err == EBUSY || err == EEXIST)
		return fail("{} has an XDP program already: `ip link show {}` names it",
			    record.interface, record.interface);
	if (err == EOPNOTSUPP && record.mode == ATTACHMENT_XDP)
		return fail("the driver of {} has no XDP: use -m tc, or --xdp-generic if slow XDP "
			    "will do",
			    record.interface);
	if (err == EINVAL && record.mode == ATTACHMENT_XDP)
		return fail("the driver of {} refused XDP ({}): its MTU or queues may not fit; "
			    "use -m tc, or --xdp-generic if slow XDP will do",
			    record.interface, std::strerror(err));
	return fail("can't attach to {}: {}", record.interface, std::strerror(err));
}

failure taken(const filter_kind &kind, const filter_place &place, const std::string &directory)
{
	bool whole = exists(directory + "/" + kind.last_link);

	return fail("{} is {}attached to {} ({} {}) already: `kcoro detach {} {}` first", kind.name,
		    whole ? "" : "half ", place.interface,
		    place.mode == ATTACHMENT_TC ? "tc" : "xdp", direction_label(place.direction),
		    kind.name, place.interface);
}

outcome make_directories(const filter_kind &kind, const std::string &directory)
{
	outcome step = make_directory(pin_root);

	if (step)
		step = make_directory(kind.root());
	if (step)
		step = make_directory(directory);
	return step;
}

outcome pin_and_link(const filter_steps &steps, const attachment &record,
		     const std::string &directory)
{
	outcome step = pin_record(record, directory);

	if (step)
		step = pin_stats();
	if (step)
		step = steps.link(record, directory);
	return step;
}

} // namespace

outcome pin_each(const named_pins &pins, const std::string &directory)
{
	for (const auto &[fd, name] : pins)
		if (auto pinned = pin(fd, directory + "/" + name); !pinned)
			return pinned;
	return done{};
}

outcome link_program(int program, const attachment &record, attachment_direction direction,
		     const std::string &directory, const std::string &name)
{
	LIBBPF_OPTS(bpf_link_create_opts, options);
	auto type = direction == ATTACHMENT_INGRESS ? tcx_ingress : tcx_egress;

	if (record.mode != ATTACHMENT_TC) {
		type = BPF_XDP;
		// Without a flag the kernel would choose, and say nothing.
		options.flags =
			record.mode == ATTACHMENT_XDP ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
	}
	descriptor link(bpf_link_create(program, static_cast<int>(record.ifindex), type, &options));
	if (!link)
		return link_failure(record, errno);
	return pin(link.get(), directory + "/" + name);
}

unsigned long long filter_pool_quota(unsigned long long frame_bytes, unsigned frames, unsigned cpus)
{
	if (module_struct_bytes("bpf_coro") + FILTER_STATE_BYTES > coroutine_class)
		frame_bytes *= 2;
	return frame_bytes * frames + 65536 + 131072ULL * cpus;
}

std::string filter_pool_name(const filter_kind &kind, const std::string &interface)
{
	return (kind.name + "-" + interface).substr(0, KCORO_NAME_LEN - 1);
}

result<std::pair<attachment, std::string>> attach_filter(const filter_kind &kind,
							 const filter_place &place,
							 attachment record,
							 const filter_steps &steps)
{
	if (auto allowed = require_capabilities(true); !allowed)
		return allowed.error();
	if (auto ready = module_ready(); !ready)
		return ready.error();
	if (auto mounted = ensure_bpffs(); !mounted)
		return mounted.error();
	if (!place.netns.empty())
		if (auto entered = enter_netns(place.netns); !entered)
			return entered.error();
	auto device = find_interface(place.interface);
	if (!device)
		return device.error();
	if (device->raw_ip && place.mode != ATTACHMENT_TC)
		return fail("{} has no Ethernet header, which XDP needs: use -m tc",
			    place.interface);

	place.interface.copy(record.interface, sizeof(record.interface) - 1);
	record.ifindex = device->index;
	record.mode = place.mode;
	record.direction = place.direction;
	record.netns_inode = netns_inode();

	auto lock = lock_pins();
	if (!lock)
		return lock.error();
	auto directory =
		kind.root() + "/" + filter_directory(device->index, place.mode, place.direction);
	if (exists(directory))
		return taken(kind, place, directory);
	if (auto loaded = steps.load(*device, record); !loaded)
		return loaded.error();

	// Until here everything goes with this process; from here on it has to be undone.
	outcome step = make_directories(kind, directory);
	if (step)
		step = pin_and_link(steps, record, directory);
	if (!step) {
		auto why = step.error();

		for (const auto &undone : {remove_pins(directory), tidy_pins()})
			if (!undone)
				why.message += "; and " + undone.error().message;
		return why;
	}
	return std::pair(record, directory);
}

} // namespace kcoro
