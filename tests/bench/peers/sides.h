// SPDX-License-Identifier: GPL-2.0-only
// sides.h - the filters and their peers, loaded and set alike.
#pragma once

#include <linux/types.h>

#include <array>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/filters/dns/dns.h"
#include "bpf/filters/sni/sni.h"
#include "dns.skel.h"
#include "dns_hand.skel.h"
#include "sni.skel.h"
#include "sni_hand.skel.h"
#include "tests/bench/peers/program.h"

namespace peers {

struct Settings {
	bool counts = false;
	__u64 hello_timeout_ns = 10000000000ULL;
	__u64 query_timeout_ns = 10000000000ULL;
	__u32 room = 16384; // flows and queries
};

template <typename Skeleton> struct Object {
	struct Deleter {
		void operator()(Skeleton *object) const { Skeleton::destroy(object); }
	};
	std::unique_ptr<Skeleton, Deleter> object{Skeleton::open()};

	Skeleton *operator->() const { return object.get(); }
	void load(const char *name) const
	{
		if (!object || Skeleton::load(object.get()))
			net::die(std::string("load ") + name);
	}
};

// What came out of either.
struct SniSide {
	std::string name;
	std::unique_ptr<Program> program;
	bpf_map *counters = nullptr, *events = nullptr;
	std::vector<sni_event> seen;
	std::unique_ptr<ring_buffer, void (*)(ring_buffer *)> ring{nullptr, ring_buffer__free};

	void open(const bpf_program *of, const Settings &settings, bpf_map *counts, bpf_map *told,
		  const bpf_map *names)
	{
		program = std::make_unique<Program>(of, settings.counts);
		counters = counts;
		events = told;
		ring.reset(ring_buffer__new(bpf_map__fd(told), note, this, nullptr));
		if (!ring)
			net::die("ring buffer");
		list(names);
	}

	// Events since the last call; the time is not compared.
	std::vector<sni_event> take_events()
	{
		seen.clear();
		if (ring_buffer__consume(ring.get()) < 0)
			net::die("read events");
		return seen;
	}

private:
	static int note(void *side, void *data, std::size_t)
	{
		sni_event event;

		std::memcpy(&event, data, sizeof(event));
		event.time_ns = 0;
		static_cast<SniSide *>(side)->seen.push_back(event);
		return 0;
	}
	static void list(const bpf_map *names)
	{
		sni_name_key key{};
		const std::string_view name = listed;
		__u8 yes = 1;

		std::copy(name.rbegin(), name.rend(), key.reversed);
		key.prefixlen = static_cast<__u32>(name.size() + 1) * 8;
		if (bpf_map_update_elem(bpf_map__fd(names), &key, &yes, BPF_ANY))
			net::die("list a name");
	}
};

class SniPair {
public:
	explicit SniPair(const Settings &settings)
	{
		ours_->rodata->config.hello_timeout_ns = settings.hello_timeout_ns;
		hand_->rodata->config.hello_timeout_ns = settings.hello_timeout_ns;
		bpf_map__set_max_entries(hand_->maps.flows, settings.room);
		ours_.load("sni");
		hand_.load("sni_hand");

		sni_setup_args args{};
		args.max_flows = settings.room;
		args.pool_quota = 512ULL * settings.room + (1 << 20);
		std::strcpy(args.pool_name, "sni-bench");
		run_once(ours_->progs.sni_setup, &args, sizeof(args));

		sides[0].name = "sni";
		sides[0].open(ours_->progs.sni_tc, settings, ours_->maps.counters,
			      ours_->maps.events, ours_->maps.names);
		sides[1].name = "sni_hand";
		sides[1].open(hand_->progs.sni_hand_tc, settings, hand_->maps.counters,
			      hand_->maps.events, hand_->maps.names);
	}
	[[nodiscard]] int flows_fd() const { return bpf_map__fd(hand_->maps.flows); }

	std::array<SniSide, 2> sides;

private:
	Object<sni_bpf> ours_;
	Object<sni_hand_bpf> hand_;
};

struct DnsSide {
	std::string name;
	std::unique_ptr<Program> program;
	bpf_map *counters = nullptr, *servers = nullptr, *latencies = nullptr;
};

class DnsPair {
public:
	explicit DnsPair(const Settings &settings)
	{
		ours_->rodata->config.timeout_ns = settings.query_timeout_ns;
		hand_->rodata->config.timeout_ns = settings.query_timeout_ns;
		bpf_map__set_max_entries(hand_->maps.queries, settings.room);
		ours_->struct_ops.dns_ops->limit = settings.room;
		ours_.load("dns");
		hand_.load("dns_hand");
		ops_.reset(bpf_map__attach_struct_ops(ours_->maps.dns_ops));
		if (!ops_)
			net::die("attach dns_ops");

		dns_setup_args args{};
		args.max_queries = settings.room;
		run_once(ours_->progs.dns_setup, &args, sizeof(args));
		run_once(ours_->progs.dns_find, nullptr, 0);

		open(0, "dns", ours_->progs.dns_tc, settings, ours_->maps.dns_counters,
		     ours_->maps.dns_servers, ours_->maps.dns_latency_us);
		open(1, "dns_hand", hand_->progs.dns_hand_tc, settings, hand_->maps.dns_counters,
		     hand_->maps.dns_servers, hand_->maps.dns_latency_us);
	}

	std::array<DnsSide, 2> sides;

private:
	void open(std::size_t which, const char *name, const bpf_program *program,
		  const Settings &settings, bpf_map *counters, bpf_map *servers, bpf_map *latencies)
	{
		sides.at(which) = {name, std::make_unique<Program>(program, settings.counts),
				   counters, servers, latencies};
	}

	Object<dns_bpf> ours_;
	Object<dns_hand_bpf> hand_;
	Link ops_;
};

} // namespace peers
