// SPDX-License-Identifier: GPL-2.0-only
// attach_handshake.cc - see attach_handshake.h.
#include "user/attach_handshake.h"

#include "user/attach_ops.h"
#include "user/filter_pool.h"
#include "user/labels.h"

#include <filters/handshake/handshake.h>

#include "handshake.skel.h"

#include <cerrno>
#include <cstring>

namespace kcoro {

namespace {

using handshake_object = skeleton<handshake_bpf, handshake_bpf::destroy>;

// All that was loaded; goes with this process unless it was pinned. What needs another
// stands behind it.
struct handshake_parts {
	filter_pool pool;
	handshake_object object;
	ops_link ops;
	bool loopback = false;
};

result<handshake_object> open_and_load(const handshake_request &asked, const interface &device,
				       __u64 pool_id)
{
	handshake_object object(handshake_bpf::open());

	if (!object)
		return load_failure("the handshake filter", -errno);

	auto &config = object->rodata->config;
	config.timeout_ns = static_cast<__u64>(asked.timeout * 1e9);
	config.limit = asked.limit;
	config.port = static_cast<__u16>(asked.port);
	config.raw_ip = device.raw_ip;

	auto &name = object->rodata->ops_name;
	std::memset(name, 0, sizeof(name));
	asked.name.copy(name, sizeof(name) - 1);
	name_ops(object->maps.handshake, asked.name);
	object->struct_ops.handshake->limit = asked.max_flows;
	object->struct_ops.handshake->pool_id = pool_id;

	if (int err = handshake_bpf::load(object.get()); err)
		return load_failure("the handshake filter", err);
	return object;
}

outcome set_up(const handshake_request &asked, const handshake_bpf *object)
{
	handshake_setup_args args{};

	args.max_flows = asked.max_flows;
	auto ran = run_program(bpf_program__fd(object->progs.handshake_setup), &args, sizeof(args));
	if (!ran)
		return ran.error();
	if (*ran)
		return fail("can't make a table of {} handshakes: {}", asked.max_flows,
			    std::strerror(-*ran));
	return done{};
}

outcome load(const handshake_request &asked, const interface &device, attachment &record,
	     handshake_parts &parts)
{
	auto pool = filter_pool::create(asked.name, asked.pool_quota);
	if (!pool)
		return pool.error();
	auto object = open_and_load(asked, device, pool->id());
	if (!object)
		return object.error();
	auto ops = attach_ops((*object)->maps.handshake, asked.name);
	if (!ops)
		return ops.error();
	if (auto ready = set_up(asked, object->get()); !ready)
		return ready;
	record.pool_id = pool->id();
	// Each packet comes twice there, on the way out and on the way in.
	if (device.loopback)
		record.direction = ATTACHMENT_INGRESS;
	parts = {std::move(*pool), std::move(*object), std::move(*ops), device.loopback};
	return done{};
}

// The packet program comes last: it finds all it needs. It does nothing before both its
// links are pinned.
outcome pin_and_link(const handshake_parts &parts, const attachment &record,
		     const std::string &directory)
{
	const auto *object = parts.object.get();
	int program = bpf_program__fd(object->progs.handshake_tc);
	const named_pins pins = {
		{bpf_map__fd(object->maps.handshake_latency_ns), "handshake_latency_ns"},
		{bpf_map__fd(object->maps.handshake_sources), "handshake_sources"},
		{bpf_map__fd(object->maps.counters), "counters"},
		{bpf_map__fd(object->maps.owner), "owner"},
		{bpf_link__fd(parts.ops.get()), "link_ops"},
	};

	outcome step = parts.pool.pin_to(directory);
	if (step)
		step = pin_each(pins, directory);
	if (step && !parts.loopback)
		step = link_program(program, record, ATTACHMENT_EGRESS, directory, "link_egress");
	if (step)
		step = link_program(program, record, ATTACHMENT_INGRESS, directory,
				    handshake_kind.last_link);
	if (step)
		object->bss->active = true;
	return step;
}

} // namespace

outcome attach_handshake(handshake_request asked, const output &out)
{
	handshake_parts parts;

	asked.place.direction = ATTACHMENT_BOTH;
	if (asked.name.empty())
		asked.name = filter_pool_name(handshake_kind, asked.place.interface);
	if (!asked.pool_quota)
		asked.pool_quota =
			filter_pool_quota(HANDSHAKE_FRAME_BYTES, asked.max_flows,
					  static_cast<unsigned>(libbpf_num_possible_cpus()));
	attachment wish{};
	wish.port = asked.port;
	wish.max_flows = asked.max_flows;
	wish.limit = asked.limit;
	wish.timeout_ns = static_cast<__u64>(asked.timeout * 1e9);

	const filter_steps steps{[&](const interface &device, attachment &record) {
					 return load(asked, device, record, parts);
				 },
				 [&](const attachment &record, const std::string &directory) {
					 return pin_and_link(parts, record, directory);
				 }};
	auto attached = attach_filter(handshake_kind, asked.place, wish, steps);
	if (!attached)
		return attached.error();

	const auto &[record, directory] = *attached;
	return out.report({{"attached", "handshake"},
			   {"interface", asked.place.interface},
			   {"ifindex", record.ifindex},
			   {"mode", mode_label(record.mode)},
			   {"direction", direction_label(record.direction)},
			   {"name", asked.name},
			   {"pool_id", record.pool_id},
			   {"pool_quota_bytes", asked.pool_quota},
			   {"path", directory}},
			  fmt::format("handshake attached to {} ({} {}); `kcoro hist handshake` "
				      "draws it\n",
				      asked.place.interface, mode_label(record.mode),
				      direction_label(record.direction)));
}

} // namespace kcoro
