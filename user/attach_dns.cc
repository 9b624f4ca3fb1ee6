// SPDX-License-Identifier: GPL-2.0-only
// attach_dns.cc - see attach_dns.h.
#include "user/attach_dns.h"

#include "user/attach_ops.h"
#include "user/labels.h"

#include <filters/dns/dns.h>

#include "dns.skel.h"

#include <cerrno>
#include <cstring>

namespace kcoro {

namespace {

using dns_object = skeleton<dns_bpf, dns_bpf::destroy>;

static_assert(DNS_OPS_NAME_LEN == KCORO_NAME_LEN);

// A waiting query takes a frame of the class of 512 bytes; a direction of a TCP
// connection one of 256.
constexpr unsigned query_bytes = 512, stream_bytes = 256;

result<dns_object> load(const dns_request &asked, const interface &device, __u64 pool_id)
{
	dns_object object(dns_bpf::open());

	if (!object)
		return load_failure("the dns filter", -errno);
	auto &config = object->rodata->config;
	config.port = static_cast<__u16>(asked.port);
	config.raw_ip = device.raw_ip;
	config.timeout_ns = static_cast<__u64>(asked.timeout * 1e9);
	prepare_ops(object->maps.dns_ops, object->struct_ops.dns_ops, config.ops_name, asked.name,
		    asked.max_queries, pool_id);
	if (int err = dns_bpf::load(object.get()); err)
		return load_failure("the dns filter", err);
	return object;
}

// From here on queries are followed.
outcome begin(const dns_bpf *object)
{
	auto found = run_program(bpf_program__fd(object->progs.dns_find), nullptr, 0);

	if (!found)
		return found.error();
	if (*found)
		return fail("can't find the coroutines' bodies again: {}", std::strerror(-*found));
	return done{};
}

outcome pin_and_link(const ops_filter<dns_object> &filter, const attachment &record,
		     const std::string &directory)
{
	const auto *object = filter.object.get();
	const named_pins pins = {
		{bpf_map__fd(object->maps.dns_latency_us), "latency_us"},
		{bpf_map__fd(object->maps.dns_servers), "servers"},
		{bpf_map__fd(object->maps.dns_counters), "counters"},
		{bpf_map__fd(object->maps.dns_owner), "owner"},
		{bpf_link__fd(filter.ops.get()), "link_ops"},
	};

	outcome step = pin_each(pins, directory);
	if (step)
		step = filter.pool.pin_to(directory);
	if (step)
		step = link_both_ways(object->progs.dns_tc, record, dns_kind, directory);
	if (step)
		step = begin(object);
	return step;
}

} // namespace

outcome attach_dns(dns_request asked, const output &out)
{
	ops_filter<dns_object> filter;

	asked.place.direction = ATTACHMENT_BOTH;
	if (asked.name.empty())
		asked.name = filter_pool_name(dns_kind, asked.place.interface);
	if (!asked.pool_quota)
		asked.pool_quota =
			filter_pool_quota(query_bytes + stream_bytes, asked.max_queries,
					  static_cast<unsigned>(libbpf_num_possible_cpus()));
	attachment wish{};
	wish.port = asked.port;
	wish.max_flows = asked.max_queries;
	wish.timeout_ns = static_cast<__u64>(asked.timeout * 1e9);

	const filter_steps steps{
		[&](const interface &device, attachment &record) {
			dns_setup_args args{};
			args.max_queries = asked.max_queries;
			look_both_ways(device, record);
			return load_ops_filter(
				filter, asked.name, asked.pool_quota, record,
				[&](__u64 pool_id) {
					args.pool_id = pool_id;
					return load(asked, device, pool_id);
				},
				[](dns_bpf *object) { return object->maps.dns_ops; },
				[&](dns_bpf *object) {
					return make_tables(object->progs.dns_setup, args,
							   asked.max_queries, "queries");
				});
		},
		[&](const attachment &record, const std::string &directory) {
			return pin_and_link(filter, record, directory);
		}};
	auto attached = attach_filter(dns_kind, asked.place, wish, steps);
	if (!attached)
		return attached.error();

	const auto &[record, directory] = *attached;
	return out.report({{"attached", "dns"},
			   {"interface", asked.place.interface},
			   {"ifindex", record.ifindex},
			   {"mode", mode_label(record.mode)},
			   {"direction", direction_label(record.direction)},
			   {"port", asked.port},
			   {"timeout_seconds", asked.timeout},
			   {"max_queries", asked.max_queries},
			   {"name", asked.name},
			   {"pool_id", record.pool_id},
			   {"pool_quota_bytes", asked.pool_quota},
			   {"path", directory}},
			  fmt::format("dns attached to {}; `kcoro hist dns` shows what it saw\n",
				      asked.place.interface));
}

} // namespace kcoro
