// SPDX-License-Identifier: GPL-2.0-only
//
// sni_filter.h - the sni filter's programs, loaded but attached to nothing: each packet is
// given to them by BPF_PROG_TEST_RUN. kcoro.ko is loaded before.
#pragma once

#include <linux/types.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "../../bpf/filters/sni/sni.h"
#include "counters.h"
#include "name_key.h"
#include "netns.h"
#include "sni.skel.h"

namespace net {

/// What a run of the program made of a packet.
struct Judged {
	bool dropped = false;
	std::vector<sni_event> events;
};

struct SniSettings {
	bool xdp = false;
	sni_config config{}; // a time of 0 is none
	std::vector<std::string> names;
	__u32 max_flows = 1;
	__u64 pool_quota = 1ULL << 30;
};

class SniFilter {
public:
	explicit SniFilter(const SniSettings &wanted) : object_(sni_bpf__open()), xdp_(wanted.xdp)
	{
		if (!object_)
			die("open the sni filter");
		std::memcpy(const_cast<sni_config *>(&object_->rodata->config), &wanted.config,
			    sizeof(wanted.config));
		bpf_program__set_autoload(object_->progs.sni_tc, !xdp_);
		bpf_program__set_autoload(object_->progs.sni_xdp, xdp_);
		if (sni_bpf__load(object_.get()))
			die("load the sni filter");
		for (const auto &name : wanted.names) {
			const auto key = name_key(name);
			const __u8 listed = 1;

			if (bpf_map_update_elem(bpf_map__fd(object_->maps.names), &key, &listed,
						BPF_ANY))
				die("list " + name);
		}

		sni_setup_args args{};

		args.max_flows = wanted.max_flows;
		args.pool_quota = wanted.pool_quota;
		std::strcpy(args.pool_name, "sni-test");
		if (!call(object_->progs.sni_setup, args))
			die("sni_setup");
		pool_id_ = args.pool_id;
		ring_.reset(ring_buffer__new(bpf_map__fd(object_->maps.events), take_event, this,
					     nullptr));
		if (!ring_)
			die("the ring buffer");
		program_ = bpf_program__fd(xdp_ ? object_->progs.sni_xdp : object_->progs.sni_tc);
	}

	SniFilter(const SniFilter &) = delete; // the ring buffer knows where it is
	SniFilter &operator=(const SniFilter &) = delete;

	/// Gives a frame, Ethernet header and all, to the program.
	Judged packet(std::span<const std::uint8_t> frame)
	{
		LIBBPF_OPTS(bpf_test_run_opts, options);

		options.data_in = frame.data();
		options.data_size_in = static_cast<__u32>(frame.size());
		if (bpf_prog_test_run_opts(program_, &options))
			die("BPF_PROG_TEST_RUN of " + std::to_string(frame.size()) + " bytes");
		events_.clear();
		ring_buffer__consume(ring_.get());
		return {options.retval == (xdp_ ? xdp_drop : tcx_drop), events_};
	}

	[[nodiscard]] sni_read_args table() const
	{
		sni_read_args args{};

		if (!call(object_->progs.sni_read, args))
			die("sni_read");
		return args;
	}

	[[nodiscard]] sni_counters counters() const
	{
		return Counters(Fd(dup(bpf_map__fd(object_->maps.counters)))).read();
	}

	[[nodiscard]] __u64 pool_id() const { return pool_id_; }

private:
	static constexpr __u32 xdp_drop = 1, tcx_drop = 2;

	struct Close {
		void operator()(sni_bpf *object) const { sni_bpf__destroy(object); }
		void operator()(ring_buffer *ring) const { ring_buffer__free(ring); }
	};

	template <typename T> static bool call(const bpf_program *program, T &args)
	{
		LIBBPF_OPTS(bpf_test_run_opts, options);

		options.ctx_in = &args; // of a syscall program the way in is the way out
		options.ctx_size_in = sizeof(args);
		return !bpf_prog_test_run_opts(bpf_program__fd(program), &options) &&
		       !options.retval;
	}

	static int take_event(void *filter, void *data, std::size_t size)
	{
		sni_event event{};

		std::memcpy(&event, data, std::min(size, sizeof(event)));
		static_cast<SniFilter *>(filter)->events_.push_back(event);
		return 0;
	}

	std::unique_ptr<sni_bpf, Close> object_;
	std::unique_ptr<ring_buffer, Close> ring_;
	std::vector<sni_event> events_;
	bool xdp_;
	int program_ = -1;
	__u64 pool_id_ = 0;
};

} // namespace net
