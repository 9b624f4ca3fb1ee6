// SPDX-License-Identifier: GPL-2.0-only
// attach_handshake.cc - see attach_handshake.h.
#include "user/attach_handshake.h"

#include "user/attach_ops.h"
#include "user/labels.h"

#include <filters/handshake/handshake.h>

#include "handshake.skel.h"

#include <cerrno>
#include <cstring>

namespace kcoro {

namespace {

using handshake_object = skeleton<handshake_bpf, handshake_bpf::destroy>;

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

	prepare_ops(object->maps.handshake, object->struct_ops.handshake, object->rodata->ops_name,
		    asked.name, asked.max_flows, pool_id);
	if (int err = handshake_bpf::load(object.get()); err)
		return load_failure("the handshake filter", err);
	return object;
}

// The packet program comes last: it finds all it needs. It does nothing before both its
// links are pinned.
outcome pin_and_link(const ops_filter<handshake_object> &filter, const attachment &record,
		     const std::string &directory)
{
	const auto *object = filter.object.get();
	const named_pins pins = {
		{bpf_map__fd(object->maps.handshake_latency_ns), "handshake_latency_ns"},
		{bpf_map__fd(object->maps.handshake_sources), "handshake_sources"},
		{bpf_map__fd(object->maps.counters), "counters"},
		{bpf_map__fd(object->maps.owner), "owner"},
		{bpf_link__fd(filter.ops.get()), "link_ops"},
	};

	outcome step = filter.pool.pin_to(directory);
	if (step)
		step = pin_each(pins, directory);
	if (step)
		step = link_both_ways(object->progs.handshake_tc, record, handshake_kind,
				      directory);
	if (step)
		object->bss->active = true;
	return step;
}

} // namespace

outcome attach_handshake(handshake_request asked, const output &out)
{
	ops_filter<handshake_object> filter;

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

	const filter_steps steps{
		[&](const interface &device, attachment &record) {
			handshake_setup_args args{};
			args.max_flows = asked.max_flows;
			look_both_ways(device, record);
			return load_ops_filter(
				filter, asked.name, asked.pool_quota, record,
				[&](__u64 pool_id) {
					return open_and_load(asked, device, pool_id);
				},
				[](handshake_bpf *object) { return object->maps.handshake; },
				[&](handshake_bpf *object) {
					return make_tables(object->progs.handshake_setup, args,
							   asked.max_flows, "handshakes");
				});
		},
		[&](const attachment &record, const std::string &directory) {
			return pin_and_link(filter, record, directory);
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
