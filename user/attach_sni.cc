// SPDX-License-Identifier: GPL-2.0-only
// attach_sni.cc - see attach_sni.h.
#include "user/attach_sni.h"

#include "user/labels.h"
#include "user/names.h"

#include "sni.skel.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace kcoro {

namespace {

using sni_object = skeleton<sni_bpf, sni_bpf::destroy>;

constexpr __u64 second = 1000000000;

// Everything that is wrong with what was asked for, before anything is touched.
outcome check(sni_request &asked)
{
	if (asked.place.mode != ATTACHMENT_TC && asked.place.direction == ATTACHMENT_EGRESS)
		return misuse("XDP sees incoming packets only: use -m tc for --dir egress");
	for (auto &name : asked.names) {
		auto checked = check_name(name);

		if (!checked)
			return checked.error();
		name = *checked;
	}
	if (!asked.name_file.empty()) {
		auto more = read_name_file(asked.name_file);

		if (!more)
			return more.error();
		asked.names.insert(asked.names.end(), more->begin(), more->end());
	}
	if (asked.names.empty())
		return misuse("nothing to block: give --block NAME... or --block-file FILE");
	std::sort(asked.names.begin(), asked.names.end());
	asked.names.erase(std::unique(asked.names.begin(), asked.names.end()), asked.names.end());
	return done{};
}

result<sni_object> load(const sni_request &asked, const interface &device)
{
	sni_object object(sni_bpf::open());

	if (!object)
		return load_failure("the sni filter", -errno);

	auto &config = object->rodata->config;
	config.port = static_cast<__u16>(asked.port);
	config.closed = asked.on_full == ATTACHMENT_CLOSED;
	config.raw_ip = device.raw_ip;
	if (config.hello_timeout_ns == 0)
		config.hello_timeout_ns = 10 * second;
	if (config.blocked_timeout_ns == 0) // longer than TCP ever waits between two attempts
		config.blocked_timeout_ns = 180 * second;
	if (config.max_hello == 0)
		config.max_hello = 16384;

	bool tc = asked.place.mode == ATTACHMENT_TC;
	bpf_program__set_autoload(object->progs.sni_tc, tc);
	bpf_program__set_autoload(object->progs.sni_xdp, !tc);

	// Room for as many again, to be added later.
	auto room =
		std::max<size_t>(bpf_map__max_entries(object->maps.names), 2 * asked.names.size());
	bpf_map__set_max_entries(object->maps.names, static_cast<__u32>(room));

	if (int err = sni_bpf::load(object.get()); err)
		return load_failure("the sni filter", err);
	return object;
}

// Gives the number of the filter's pool.
result<__u64> set_up(const sni_request &asked, sni_bpf *object)
{
	sni_setup_args args{};

	for (const auto &name : asked.names) {
		auto key = name_key(name);
		__u8 listed = 1;

		if (int err = bpf_map_update_elem(bpf_map__fd(object->maps.names), &key, &listed,
						  BPF_ANY);
		    err)
			return fail("can't list {}: {}", name, std::strerror(-err));
	}
	args.max_flows = asked.max_flows;
	args.pool_quota = asked.pool_quota;
	asked.pool.copy(args.pool_name, sizeof(args.pool_name) - 1);
	auto ran = run_program(bpf_program__fd(object->progs.sni_setup), &args, sizeof(args));
	if (!ran)
		return ran.error();
	if (*ran)
		return fail("can't make a table of {} flows: {}", asked.max_flows,
			    std::strerror(-*ran));
	return __u64{args.pool_id};
}

// Generic XDP copies a packet without noting how long its Ethernet header is (kernel 6.12:
// skb_pp_cow_data() loses skb->mac_len). A tc ingress program behind it sees bare IP where
// it expects Ethernet: it would pass everything, and nobody would know.
outcome check_generic_xdp(const sni_request &asked, unsigned ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	constexpr const char *why = "generic XDP hides Ethernet headers from tc ingress";

	const auto &place = asked.place;

	if (place.mode == ATTACHMENT_TC && place.direction == ATTACHMENT_INGRESS &&
	    bpf_xdp_query(static_cast<int>(ifindex), 0, &query) == 0 && query.skb_prog_id)
		return fail("{} has a generic XDP program, and {}: take it off first, or use "
			    "native XDP",
			    place.interface, why);
	if (place.mode == ATTACHMENT_XDP_GENERIC &&
	    exists(sni_kind.root() + "/" +
		   filter_directory(ifindex, ATTACHMENT_TC, ATTACHMENT_INGRESS)))
		return fail("{}: `kcoro detach sni {}` first", why, place.interface);
	return done{};
}

outcome pin_and_link(const sni_bpf *object, const attachment &record, const std::string &directory)
{
	const bpf_program *program =
		record.mode == ATTACHMENT_TC ? object->progs.sni_tc : object->progs.sni_xdp;
	const named_pins pins = {
		{bpf_map__fd(object->maps.names), "names"},
		{bpf_map__fd(object->maps.counters), "counters"},
		{bpf_map__fd(object->maps.events), "events"},
		{bpf_map__fd(object->maps.owner), "owner"},
		{bpf_program__fd(object->progs.sni_read), "sni_read"},
	};

	if (auto pinned = pin_each(pins, directory); !pinned)
		return pinned;
	return link_program(bpf_program__fd(program), record, record.direction, directory,
			    sni_kind.last_link);
}

} // namespace

outcome attach_sni(sni_request asked, const output &out)
{
	sni_object object;

	if (auto right = check(asked); !right)
		return right;
	if (asked.pool.empty())
		asked.pool = filter_pool_name(sni_kind, asked.place.interface);
	if (!asked.pool_quota)
		asked.pool_quota =
			filter_pool_quota(SNI_FLOW_BYTES, asked.max_flows,
					  static_cast<unsigned>(libbpf_num_possible_cpus()));
	attachment wish{};
	wish.on_full = asked.on_full;
	wish.port = asked.port;
	wish.max_flows = asked.max_flows;

	const filter_steps steps{[&](const interface &device, attachment &record) -> outcome {
					 if (auto clear = check_generic_xdp(asked, device.index);
					     !clear)
						 return clear;
					 auto loaded = load(asked, device);
					 if (!loaded)
						 return loaded.error();
					 object = std::move(*loaded);
					 auto pool_id = set_up(asked, object.get());
					 if (!pool_id)
						 return pool_id.error();
					 record.pool_id = *pool_id;
					 return done{};
				 },
				 [&](const attachment &record, const std::string &directory) {
					 return pin_and_link(object.get(), record, directory);
				 }};
	auto attached = attach_filter(sni_kind, asked.place, wish, steps);
	if (!attached)
		return attached.error();

	const auto &[record, directory] = *attached;
	return out.report({{"attached", "sni"},
			   {"interface", asked.place.interface},
			   {"ifindex", record.ifindex},
			   {"mode", mode_label(record.mode)},
			   {"direction", direction_label(record.direction)},
			   {"names", asked.names.size()},
			   {"pool", asked.pool},
			   {"pool_id", record.pool_id},
			   {"pool_quota_bytes", asked.pool_quota},
			   {"path", directory}},
			  fmt::format("sni attached to {} ({} {}), {} name{} blocked\n",
				      asked.place.interface, mode_label(record.mode),
				      direction_label(record.direction), asked.names.size(),
				      asked.names.size() == 1 ? "" : "s"));
}

} // namespace kcoro
