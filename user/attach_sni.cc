// SPDX-License-Identifier: GPL-2.0-only
// attach_sni.cc - see attach_sni.h.
#include "user/attach_sni.h"

#include "user/attachments.h"
#include "user/interface.h"
#include "user/labels.h"
#include "user/module.h"
#include "user/names.h"
#include "user/privileges.h"
#include "user/stats.h"

#include "attachment.skel.h"
#include "sni.skel.h"

#include <linux/if_link.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace kcoro {

namespace {

static_assert(default_pool_quota(1, 0) - default_pool_quota(0, 0) == SNI_FLOW_BYTES);

using sni_object = skeleton<sni_bpf, sni_bpf::destroy>;
using attachment_object = skeleton<attachment_bpf, attachment_bpf::destroy>;

// enum bpf_attach_type; the build machine's linux/bpf.h may be older than they are.
constexpr auto tcx_ingress = static_cast<bpf_attach_type>(46);
constexpr auto tcx_egress = static_cast<bpf_attach_type>(47);

constexpr __u64 second = 1000000000;

// Everything that is wrong with what was asked for, before anything is touched.
outcome check(sni_request &asked)
{
	if (asked.mode != ATTACHMENT_TC && asked.direction == ATTACHMENT_EGRESS)
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

	bool tc = asked.mode == ATTACHMENT_TC;
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

outcome pin_filter(sni_bpf *object, const std::string &directory)
{
	const std::pair<int, const char *> pins[] = {
		{bpf_map__fd(object->maps.names), "names"},
		{bpf_map__fd(object->maps.counters), "counters"},
		{bpf_map__fd(object->maps.events), "events"},
		{bpf_map__fd(object->maps.owner), "owner"},
		{bpf_program__fd(object->progs.sni_read), "sni_read"},
	};

	for (const auto &[fd, name] : pins)
		if (auto pinned = pin(fd, directory + "/" + name); !pinned)
			return pinned;
	return done{};
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

outcome link_filter(sni_bpf *object, const attachment &record, const std::string &directory)
{
	LIBBPF_OPTS(bpf_link_create_opts, options);
	const bpf_program *program = object->progs.sni_tc;
	auto type = record.direction == ATTACHMENT_INGRESS ? tcx_ingress : tcx_egress;

	if (record.mode != ATTACHMENT_TC) {
		program = object->progs.sni_xdp;
		type = BPF_XDP;
		// Without a flag the kernel would choose, and say nothing.
		options.flags =
			record.mode == ATTACHMENT_XDP ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
	}
	descriptor link(bpf_link_create(bpf_program__fd(program), static_cast<int>(record.ifindex),
					type, &options));
	if (!link)
		return link_failure(record, errno);
	return pin(link.get(), directory + "/link");
}

outcome pin_and_link(sni_bpf *object, const attachment &record, const std::string &directory)
{
	outcome step = pin_record(record, directory);

	if (step)
		step = pin_filter(object, directory);
	if (step)
		step = pin_stats();
	if (step)
		step = link_filter(object, record, directory);
	return step;
}

failure taken(const sni_request &asked, const std::string &directory)
{
	bool whole = exists(sni_root + "/" + directory + "/link");

	return fail("sni is {}attached to {} ({} {}) already: `kcoro detach sni {}` first",
		    whole ? "" : "half ", asked.interface,
		    asked.mode == ATTACHMENT_TC ? "tc" : "xdp", direction_label(asked.direction),
		    asked.interface);
}

// Generic XDP copies a packet without noting how long its Ethernet header is (kernel 6.12:
// skb_pp_cow_data() loses skb->mac_len). A tc ingress program behind it sees bare IP where
// it expects Ethernet: it would pass everything, and nobody would know.
outcome check_generic_xdp(const sni_request &asked, unsigned ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	constexpr const char *why = "generic XDP hides Ethernet headers from tc ingress";

	if (asked.mode == ATTACHMENT_TC && asked.direction == ATTACHMENT_INGRESS &&
	    bpf_xdp_query(static_cast<int>(ifindex), 0, &query) == 0 && query.skb_prog_id)
		return fail("{} has a generic XDP program, and {}: take it off first, or use "
			    "native XDP",
			    asked.interface, why);
	if (asked.mode == ATTACHMENT_XDP_GENERIC &&
	    exists(sni_root + "/" + sni_directory(ifindex, ATTACHMENT_TC, ATTACHMENT_INGRESS)))
		return fail("{}: `kcoro detach sni {}` first", why, asked.interface);
	return done{};
}

} // namespace

outcome attach_sni(sni_request asked, const output &out)
{
	if (auto right = check(asked); !right)
		return right;
	if (auto allowed = require_capabilities(true); !allowed)
		return allowed;
	if (auto ready = module_ready(); !ready)
		return ready;
	if (auto mounted = ensure_bpffs(); !mounted)
		return mounted;
	if (!asked.netns.empty())
		if (auto entered = enter_netns(asked.netns); !entered)
			return entered;
	auto device = find_interface(asked.interface);
	if (!device)
		return device.error();
	if (device->raw_ip && asked.mode != ATTACHMENT_TC)
		return fail("{} has no Ethernet header, which XDP needs: use -m tc",
			    asked.interface);

	attachment record{};
	asked.interface.copy(record.interface, sizeof(record.interface) - 1);
	record.ifindex = device->index;
	record.mode = asked.mode;
	record.direction = asked.direction;
	record.on_full = asked.on_full;
	record.port = asked.port;
	record.max_flows = asked.max_flows;
	record.netns_inode = netns_inode();

	auto lock = lock_pins();
	if (!lock)
		return lock.error();
	auto name = sni_directory(device->index, asked.mode, asked.direction);
	auto directory = sni_root + "/" + name;
	if (exists(directory))
		return taken(asked, name);

	if (auto clear = check_generic_xdp(asked, device->index); !clear)
		return clear;

	if (asked.pool.empty())
		asked.pool = ("sni-" + asked.interface).substr(0, KCORO_NAME_LEN - 1);
	if (!asked.pool_quota)
		asked.pool_quota = default_pool_quota(
			asked.max_flows, static_cast<unsigned>(libbpf_num_possible_cpus()));
	auto object = load(asked, *device);
	if (!object)
		return object.error();
	auto pool_id = set_up(asked, object->get());
	if (!pool_id)
		return pool_id.error();
	record.pool_id = *pool_id;

	// Until here everything goes with this process; from here on it has to be undone.
	outcome step = make_directory(pin_root);
	if (step)
		step = make_directory(sni_root);
	if (step)
		step = make_directory(directory);
	if (step)
		step = pin_and_link(object->get(), record, directory);
	if (!step) {
		auto why = step.error();

		for (const auto &undone : {remove_pins(directory), tidy_pins()})
			if (!undone)
				why.message += "; and " + undone.error().message;
		return why;
	}
	return out.report({{"attached", "sni"},
			   {"interface", asked.interface},
			   {"ifindex", record.ifindex},
			   {"mode", mode_label(record.mode)},
			   {"direction", direction_label(record.direction)},
			   {"names", asked.names.size()},
			   {"pool", asked.pool},
			   {"pool_id", record.pool_id},
			   {"pool_quota_bytes", asked.pool_quota},
			   {"path", directory}},
			  fmt::format("sni attached to {} ({} {}), {} name{} blocked\n",
				      asked.interface, mode_label(record.mode),
				      direction_label(record.direction), asked.names.size(),
				      asked.names.size() == 1 ? "" : "s"));
}

} // namespace kcoro
