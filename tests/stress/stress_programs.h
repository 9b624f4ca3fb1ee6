// SPDX-License-Identifier: GPL-2.0-only
// stress_programs.h - the BPF programs of the stress, and what runs them.
#ifndef KCORO_STRESS_PROGRAMS_H
#define KCORO_STRESS_PROGRAMS_H

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <linux/perf_event.h>
#include <linux/types.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <kcoro/abi.h>

#include "stress_bpf.h"
#include "stress.skel.h"
#include "stress_tracing.skel.h"

namespace stress {

struct file_closer {
	void operator()(std::FILE *f) const { std::fclose(f); }
};
using file = std::unique_ptr<std::FILE, file_closer>;

// One per thread: a seed gives each the same numbers again.
class rng {
public:
	rng(std::uint64_t seed, std::uint64_t who)
		: state_(seed << 20 ^ who << 8 ^ 0x9e3779b97f4a7c15ULL)
	{
	}
	// Never 0.
	std::uint64_t next()
	{
		state_ ^= state_ << 13;
		state_ ^= state_ >> 7;
		state_ ^= state_ << 17;
		return state_ ? state_ : state_ = 1;
	}
	unsigned below(unsigned n) { return static_cast<unsigned>((next() >> 32) * n >> 32); }

private:
	std::uint64_t state_;
};

class udp_sender {
public:
	udp_sender() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}
	~udp_sender()
	{
		if (fd_ >= 0)
			close(fd_);
	}
	udp_sender(const udp_sender &) = delete;
	udp_sender &operator=(const udp_sender &) = delete;
	// Nobody listens there: what comes back is an error that nobody reads.
	void send(std::uint64_t value)
	{
		if (fd_ < 0)
			return;
		sockaddr_in to = {};
		to.sin_family = AF_INET;
		to.sin_port = htons(9);
		to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		(void)!sendto(fd_, &value, sizeof(value), 0, reinterpret_cast<sockaddr *>(&to),
			      sizeof(to));
	}

private:
	int fd_;
};

struct destroyer {
	void operator()(stress_bpf *what) const { stress_bpf__destroy(what); }
	void operator()(stress_tracing_bpf *what) const { stress_tracing_bpf__destroy(what); }
	void operator()(bpf_link *what) const { bpf_link__destroy(what); }
	void operator()(btf *what) const { btf__free(what); }
};

class programs {
public:
	// Load and attach all. Empty, or why not.
	std::string start(std::uint64_t seed)
	{
		packet_.reset(stress_bpf__open_and_load());
		if (!packet_)
			return "the packet programs do not load: " + error();
		tracing_.reset(stress_tracing_bpf__open());
		if (!tracing_)
			return "the tracing programs do not open: " + error();
		tracing_->bss->seed = seed;
		if (!leave_out_what_is_missing())
			return "the module's BTF cannot be read: " + error();
		if (stress_tracing_bpf__load(tracing_.get()))
			return "the tracing programs do not load: " + error();
		rng random(seed, 70);
		// Before anybody asks for a frame of theirs.
		for (unsigned slot = 0; slot < STRESS_POOLS; slot++)
			make_pool(slot, random);
		if (!pool_that_stays())
			return "a pool cannot be made";
		if (std::string why = attach(); !why.empty())
			return why;
		for (unsigned slot = 0; slot < STRESS_TABLES; slot++)
			make_table(slot, random);
		return {};
	}

	void run_syscall(std::uint64_t state)
	{
		stress_random call = {state};
		run(packet_->progs.by_syscall, call);
	}
	// Not repeated by the kernel: it would patch its code for that, see main.c.
	void run_xdp(std::uint64_t state) { run_packet(packet_->progs.by_xdp, state, 0); }
	void run_tc(std::uint64_t state) { run_packet(packet_->progs.by_tc, state, 14); }

	void make_table(unsigned slot, rng &random)
	{
		// Slot 0 has one bucket, and the others few entries: full, busy, contended.
		static constexpr unsigned entries[STRESS_TABLES] = {1, 4, 8, 64};
		stress_create call = {};
		call.slot = slot;
		call.attr = attributes(entries[slot]);
		call.attr.frame_size =
			random.below(8) ? 64 + random.below(200) : 1 + random.below(4096);
		// stress.bpf.c knows whose frames a table has.
		if (slot >= 2)
			call.attr.pool_id =
				packet_->bss->pool_ids[slot == 2 ? 0 : 1 + random.below(2)];
		run(packet_->progs.create, call);
		if (!call.table_id)
			return;
		__atomic_store_n(&packet_->bss->table_ids[slot], call.table_id, __ATOMIC_RELAXED);
		__atomic_store_n(&tracing_->bss->table_ids[slot], call.table_id, __ATOMIC_RELAXED);
	}

	// In place of another one, which goes with its last frame and table.
	void make_pool(unsigned slot, rng &random)
	{
		stress_pool call = {};
		call.slot = slot;
		call.attr = pool_attributes(std::uint64_t{65536} << (slot ? random.below(4) : 1));
		run(packet_->progs.create_pool, call);
		if (!call.pool_id)
			return;
		__atomic_store_n(&packet_->bss->pool_ids[slot], call.pool_id, __ATOMIC_RELAXED);
		__atomic_store_n(&tracing_->bss->pool_ids[slot], call.pool_id, __ATOMIC_RELAXED);
	}

	void make_bad_pool(rng &random)
	{
		stress_pool call = {};
		call.slot = 1;
		call.attr = pool_attributes(65536);
		switch (random.below(4)) {
		case 0:
			call.attr.quota = 0;
			break;
		case 1:
			call.attr.flags = 1U << random.below(32);
			break;
		case 2:
			std::memset(call.attr.name, random.below(2) ? 'x' : 0,
				    sizeof(call.attr.name));
			break;
		default:
			call.attr.reserved[random.below(sizeof(call.attr.reserved))] = 1;
			break;
		}
		run(packet_->progs.create_pool, call);
		if (call.pool_id)
			packet_->bss->faults[FAULT_not_refused]++;
	}

	// Of one of the programs' own: that of the others would stay behind.
	void reserve(rng &random)
	{
		stress_reserve call = {};
		call.pool_id = packet_->bss->pool_ids[random.below(STRESS_POOLS)];
		call.size = 1 + random.below(KCORO_FRAME_SIZE_MAX);
		call.count = random.below(20);
		run(packet_->progs.reserve, call);
	}

	std::uint64_t pool_that_stays() const { return packet_->bss->pool_ids[0]; }

	// Allocations that got nothing, by whose frames they would have been.
	std::array<std::uint64_t, SOURCES> failed() const
	{
		std::array<std::uint64_t, SOURCES> sum{};
		for (unsigned i = 0; i < SOURCES; i++)
			sum[i] = packet_->bss->failed[i] + tracing_->bss->failed[i];
		return sum;
	}

	void make_bad_table(unsigned slot, rng &random)
	{
		stress_create call = {};
		call.slot = slot;
		call.attr = attributes(4);
		switch (random.below(6)) {
		case 0:
			call.attr.key_size = 0;
			break;
		case 1:
			call.attr.key_size = KCORO_KEY_SIZE_MAX + 1 + random.below(1000);
			break;
		case 2:
			call.attr.frame_size = KCORO_FRAME_DATA_MAX + 1 + random.below(1000);
			break;
		case 3:
			call.attr.max_entries = 0;
			break;
		case 4:
			call.attr.flags = 1;
			break;
		default:
			call.attr.reserved[random.below(sizeof(call.attr.reserved))] = 1;
			break;
		}
		run(packet_->progs.create, call);
		if (call.table_id)
			packet_->bss->faults[FAULT_not_refused]++;
	}

	// A perf event ends when its CPU goes offline: look after those that came back.
	void perf_follow()
	{
		for (std::size_t cpu = 0; cpu < perf_.size(); cpu++) {
			file f{std::fopen(
				("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/online")
					.c_str(),
				"r")};
			bool online = !f || std::fgetc(f.get()) == '1';
			if (!online)
				perf_[cpu].reset();
			else if (!perf_[cpu])
				perf_attach(static_cast<int>(cpu));
		}
	}

	std::uint64_t faults() const
	{
		std::uint64_t n = 0;
		for (unsigned i = 0; i < FAULTS; i++)
			n += packet_->bss->faults[i] + tracing_->bss->faults[i];
		return n;
	}

	// Nobody else is at work any more: end each key, and wait for what expires.
	bool tables_balance()
	{
		bool good = true;
		for (unsigned slot = 0; slot < STRESS_TABLES; slot++) {
			stress_read call = {};
			call.table_id = packet_->bss->table_ids[slot];
			for (call.key = 0; call.key < STRESS_KEYS; call.key++) {
				run(packet_->progs.end_key, call);
				if (call.error && call.error != -ENOENT) {
					std::printf("table %u, key %u: error %d\n", slot, call.key,
						    call.error);
					good = false;
				}
			}
			for (int i = 0; i < 100; i++) {
				run(packet_->progs.read_table, call);
				if (call.error || !call.live)
					break;
				sleep_ms(50);
			}
			if (call.error || call.live) {
				std::printf("table %u: error %d, %lld of %llu entries live\n", slot,
					    call.error, static_cast<long long>(call.live),
					    static_cast<unsigned long long>(call.created));
				good = false;
			}
		}
		return good;
	}

	void finish()
	{
		stress_create call = {};
		call.release_only = 1;
		for (call.slot = 0; call.slot < STRESS_TABLES; call.slot++)
			run(packet_->progs.create, call);
		run(packet_->progs.drop_frames, call);
		perf_.clear();
		links_.clear();
	}

	// Their maps go, and with them the frames and pools that are there.
	void unload()
	{
		packet_.reset();
		tracing_.reset();
	}

	// False when one never ran, though it could have.
	bool print_counts() const
	{
		static const char *const names[] = {
#define X(name) #name,
			STRESS_KINDS(X)};
		static const char *const tracing_names[] = {STRESS_TRACING_KINDS(X)};
#undef X
		bool all = true;
		auto print = [&](const char *name, std::uint64_t n, bool must) {
			std::printf("count %s %llu%s\n", name, static_cast<unsigned long long>(n),
				    must ? "" : " (not on this kernel)");
			if (must && !n) {
				std::printf("%s never ran\n", name);
				all = false;
			}
		};
		for (unsigned i = 0; i < KINDS; i++)
			print(names[i], packet_->bss->kinds[i], true);
		for (unsigned i = 0; i < TRACING_KINDS; i++)
			print(tracing_names[i], tracing_->bss->kinds[i], !missing_[i]);
		return all;
	}

	std::uint64_t print_faults() const
	{
		static const char *const names[] = {
#define X(name) #name,
			STRESS_FAULTS(X)
#undef X
		};
		for (unsigned i = 0; i < FAULTS; i++) {
			std::uint64_t n = packet_->bss->faults[i], t = tracing_->bss->faults[i];
			if (n || t)
				std::printf("fault %s: %llu, in tracing programs %llu\n", names[i],
					    static_cast<unsigned long long>(n),
					    static_cast<unsigned long long>(t));
		}
		return faults();
	}

private:
	static std::string error() { return std::strerror(errno); }

	static void sleep_ms(long ms)
	{
		timespec t = {ms / 1000, ms % 1000 * 1000000};
		nanosleep(&t, nullptr);
	}

	static kcoro_table_attr attributes(unsigned max_entries)
	{
		kcoro_table_attr attr = {};
		attr.key_size = STRESS_KEY_SIZE;
		attr.frame_size = 64;
		attr.max_entries = max_entries;
		std::strcpy(attr.name, "stress");
		return attr;
	}

	static kcoro_bpf_pool_attr pool_attributes(std::uint64_t quota)
	{
		kcoro_bpf_pool_attr attr = {};
		attr.quota = quota;
		std::strcpy(attr.name, "programs");
		return attr;
	}

	template <typename T> static void run(const bpf_program *program, T &context)
	{
		bpf_test_run_opts opts = {};
		opts.sz = sizeof(opts);
		opts.ctx_in = &context;
		opts.ctx_size_in = sizeof(context);
		(void)!bpf_prog_test_run_opts(bpf_program__fd(program), &opts);
	}

	static void run_packet(const bpf_program *program, std::uint64_t state, std::size_t offset)
	{
		std::array<char, 64> packet = {};
		std::memcpy(packet.data() + offset, &state, sizeof(state));
		bpf_test_run_opts opts = {};
		opts.sz = sizeof(opts);
		opts.data_in = packet.data();
		opts.data_size_in = packet.size();
		(void)!bpf_prog_test_run_opts(bpf_program__fd(program), &opts);
	}

	// Functions that this kernel's compiler did away with.
	bool leave_out_what_is_missing()
	{
		std::unique_ptr<btf, destroyer> kernel{btf__load_vmlinux_btf()};
		if (!kernel)
			return false;
		std::unique_ptr<btf, destroyer> kcoro{btf__load_module_btf("kcoro", kernel.get())};
		std::unique_ptr<btf, destroyer> module{
			btf__load_module_btf("kcoro_stress", kernel.get())};
		if (!kcoro || !module)
			return false;
		auto has = [](const btf *b, const char *name) {
			return btf__find_by_name_kind(b, name, BTF_KIND_FUNC) > 0;
		};
		// On PREEMPT_RT hardly anybody waits for a lock by spinning.
		missing_[KIND_contention_begin_spin] = !access("/sys/kernel/realtime", F_OK);
		for (const auto &[kind, program] : traced()) {
			std::string section = bpf_program__section_name(program);
			std::string name = section.substr(section.find('/') + 1);
			if (!has(kind == KIND_hook ? module.get() : kcoro.get(), name.c_str())) {
				missing_[kind] = true;
				bpf_program__set_autoload(program, false);
			}
		}
		return true;
	}

	using traced_list = std::vector<std::pair<stress_tracing_kind, bpf_program *>>;
	traced_list traced() const
	{
		auto &t = tracing_->progs;
		return {{KIND_hook, t.hook},
			{KIND_refill_alloc, t.refill_alloc},
			{KIND_refill_free, t.refill_free},
			{KIND_refill_work, t.refill_work},
			{KIND_refill_irq_work, t.refill_irq_work},
			{KIND_table_enter_fentry, t.table_enter_fentry},
			{KIND_table_leave_fentry, t.table_leave_fentry},
			{KIND_table_end_fexit, t.table_end_fexit}};
	}

	using link = std::unique_ptr<bpf_link, destroyer>;

	std::string attach()
	{
		traced_list list = traced();
		list.emplace_back(KIND_contention_begin_spin, tracing_->progs.contention_begin);
		list.emplace_back(KIND_contention_end, tracing_->progs.contention_end);
		for (const auto &[kind, program] : list) {
			if (!bpf_program__autoload(program))
				continue;
			link l{bpf_program__attach(program)};
			if (!l)
				return std::string(bpf_program__name(program)) +
				       " cannot be attached: " + error();
			links_.push_back(std::move(l));
		}
		link l{bpf_program__attach_tcx(packet_->progs.in_softirq,
					       static_cast<int>(if_nametoindex("lo")), nullptr)};
		if (!l)
			return "in_softirq cannot be attached to lo: " + error();
		links_.push_back(std::move(l));
		perf_.resize(static_cast<std::size_t>(sysconf(_SC_NPROCESSORS_CONF)));
		perf_follow();
		return {};
	}

	void perf_attach(int cpu)
	{
		perf_event_attr attr = {};
		attr.type = PERF_TYPE_SOFTWARE;
		attr.size = sizeof(attr);
		attr.config = PERF_COUNT_SW_CPU_CLOCK;
		attr.sample_period = 5000000; // ns
		int fd = static_cast<int>(
			syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC));
		if (fd < 0)
			return;
		// The link closes the descriptor.
		perf_[static_cast<std::size_t>(cpu)].reset(
			bpf_program__attach_perf_event(tracing_->progs.clock_tick, fd));
		if (!perf_[static_cast<std::size_t>(cpu)])
			close(fd);
	}

	std::unique_ptr<stress_bpf, destroyer> packet_;
	std::unique_ptr<stress_tracing_bpf, destroyer> tracing_;
	std::array<bool, TRACING_KINDS> missing_{};
	std::vector<link> links_;
	std::vector<link> perf_;
};

} // namespace stress

#endif // KCORO_STRESS_PROGRAMS_H
