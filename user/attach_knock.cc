// SPDX-License-Identifier: GPL-2.0-only
// attach_knock.cc - see attach_knock.h.
#include "user/attach_knock.h"

#include "user/attach_ops.h"
#include "user/labels.h"

#include <filters/knock/knock.h>

#include "knock.skel.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace kcoro {

namespace {

using knock_object = skeleton<knock_bpf, knock_bpf::destroy>;

outcome check(const knock_request &asked)
{
	auto ports = asked.ports;

	if (ports.size() < KNOCK_PORTS_MIN || ports.size() > KNOCK_PORTS_MAX)
		return misuse("--ports: give {} to {} of them", KNOCK_PORTS_MIN, KNOCK_PORTS_MAX);
	std::sort(ports.begin(), ports.end());
	if (std::adjacent_find(ports.begin(), ports.end()) != ports.end())
		return misuse("--ports: no port twice, a SYN that is sent again would count");
	if (std::binary_search(ports.begin(), ports.end(), asked.open))
		return misuse("--ports: the port that opens, {}, can't be among them", asked.open);
	return done{};
}

result<knock_object> open_and_load(const knock_request &asked, const interface &device,
				   __u64 pool_id)
{
	knock_object object(knock_bpf::open());

	if (!object)
		return load_failure("the knock filter", -errno);

	auto &config = object->rodata->config;
	config.within_ns = static_cast<__u64>(asked.within * 1e9);
	config.open_ns = static_cast<__u64>(asked.stay * 1e9);
	config.knocks = static_cast<__u32>(asked.ports.size());
	std::copy(asked.ports.begin(), asked.ports.end(), config.ports);
	config.port = static_cast<__u16>(asked.open);
	config.raw_ip = device.raw_ip;

	prepare_ops(object->maps.knock, object->struct_ops.knock, object->rodata->ops_name,
		    asked.name, asked.max_sources, pool_id);
	bpf_map__set_max_entries(object->maps.guests, asked.max_sources);

	if (int err = knock_bpf::load(object.get()); err)
		return load_failure("the knock filter", err);
	return object;
}

outcome pin_and_link(const ops_filter<knock_object> &filter, const attachment &record,
		     const std::string &directory)
{
	const auto *object = filter.object.get();
	const named_pins pins = {
		{bpf_map__fd(object->maps.guests), "guests"},
		{bpf_map__fd(object->maps.counters), "counters"},
		{bpf_map__fd(object->maps.owner), "owner"},
		{bpf_link__fd(filter.ops.get()), "link_ops"},
	};

	outcome step = filter.pool.pin_to(directory);
	if (step)
		step = pin_each(pins, directory);
	if (step)
		step = link_program(bpf_program__fd(object->progs.knock_tc), record,
				    ATTACHMENT_INGRESS, directory, knock_kind.last_link);
	return step;
}

} // namespace

outcome attach_knock(knock_request asked, const output &out)
{
	ops_filter<knock_object> filter;

	if (auto right = check(asked); !right)
		return right;
	if (asked.name.empty())
		asked.name = filter_pool_name(knock_kind, asked.place.interface);
	if (!asked.pool_quota)
		asked.pool_quota =
			filter_pool_quota(KNOCK_FRAME_BYTES, asked.max_sources,
					  static_cast<unsigned>(libbpf_num_possible_cpus()));
	attachment wish{};
	wish.on_full = ATTACHMENT_CLOSED;
	wish.port = asked.open;
	wish.max_flows = asked.max_sources;
	wish.timeout_ns = static_cast<__u64>(asked.within * 1e9);

	const filter_steps steps{
		[&](const interface &device, attachment &record) {
			knock_setup_args args{};
			args.max_sources = asked.max_sources;
			return load_ops_filter(
				filter, asked.name, asked.pool_quota, record,
				[&](__u64 pool_id) {
					return open_and_load(asked, device, pool_id);
				},
				[](knock_bpf *object) { return object->maps.knock; },
				[&](knock_bpf *object) {
					return make_tables(object->progs.knock_setup, args,
							   asked.max_sources, "sources");
				});
		},
		[&](const attachment &record, const std::string &directory) {
			return pin_and_link(filter, record, directory);
		}};
	auto attached = attach_filter(knock_kind, asked.place, wish, steps);
	if (!attached)
		return attached.error();

	const auto &[record, directory] = *attached;
	return out.report(
		{{"attached", "knock"},
		 {"interface", asked.place.interface},
		 {"ifindex", record.ifindex},
		 {"mode", mode_label(record.mode)},
		 {"direction", direction_label(record.direction)},
		 {"port", record.port},
		 {"knocks", asked.ports.size()},
		 {"name", asked.name},
		 {"pool_id", record.pool_id},
		 {"path", directory}},
		fmt::format("knock attached to {} ({} {}): port {} opens after {} knocks\n",
			    asked.place.interface, mode_label(record.mode),
			    direction_label(record.direction), record.port, asked.ports.size()));
}

} // namespace kcoro
