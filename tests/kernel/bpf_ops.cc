// SPDX-License-Identifier: GPL-2.0-only
// bpf_ops.cc - scheduled coroutines whose bodies are BPF: attached, spawned, woken,
// replaced, detached. Runs in the VM with kcoro.ko loaded; prints "ok NAME" or "not ok
// NAME" per case and ends with 0 when all passed.
//
// With an argument "hold" it attaches and spawns, prints "holding" and waits to be killed.

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <linux/types.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <kcoro/abi.h>

#include "bpf_case.h"
#include "bpf_ops_fixture.h"

namespace {

failure attach_and_detach(fixture &f)
{
	EXPECT(!f.find());
	EXPECT(f.spawn(PLAN_END).error == -ESTALE);
	auto link = f.attach();
	EXPECT(link);
	__u64 id = f.seen().ops_id;
	EXPECT(id);
	// Nobody else has this name meanwhile.
	link_ptr second(bpf_map__attach_struct_ops(f.others()));
	EXPECT(!second && errno == EEXIST);
	EXPECT(f.spawn(PLAN_END).error == 0);
	EXPECT(soon([&] { return f.seen().starts == 1; }));
	link.reset();
	// The number is that of nobody any more.
	EXPECT(f.spawn(PLAN_END).error == -ESTALE);
	EXPECT(!f.find());
	link = f.attach();
	EXPECT(link && f.seen().ops_id && f.seen().ops_id != id);
	return {};
}

failure ends(fixture &f)
{
	auto link = f.attach();
	EXPECT(link);
	EXPECT(f.spawn(PLAN_END, 30).spawned == 30);
	EXPECT(f.spawn(PLAN_ERROR).error == 0);
	EXPECT(f.spawn(PLAN_NONSENSE).error == 0);
	EXPECT(f.spawn(PLAN_NOTHING).error == 0);
	EXPECT(soon([&] { return f.seen().starts == 33; }));
	EXPECT(soon([&] { return f.spawn(PLAN_END, 64).error == 0; }));
	EXPECT(f.seen().resumes == 0 && f.seen().cancels == 0);
	return {};
}

failure waits(fixture &f)
{
	auto link = f.attach();
	plan_args args = {};
	EXPECT(link);
	args.plan = PLAN_TIMER;
	args.ns = 1000000;
	EXPECT(f.spawn(args, 10).spawned == 10);
	EXPECT(soon([&] { return f.seen().resumes == 10; }));
	EXPECT(f.spawn(PLAN_YIELD).error == 0);
	EXPECT(soon([&] { return f.seen().resumes == 10 + PLAN_YIELDS; }));
	EXPECT(f.spawn(PLAN_SPAWN).error == 0);
	EXPECT(soon([&] { return f.seen().starts == 13; }));
	EXPECT(!f.seen().other_errors && !f.seen().timeouts);
	return {};
}

failure keys(fixture &f)
{
	auto link = f.attach();
	__u64 table = f.create_table();
	EXPECT(link && table);
	EXPECT(f.wake(table, 1, 0) == -ENOENT);
	EXPECT(f.spawn(key_args(table, 1, never)).error == 0);
	EXPECT(soon([&] { return f.wake(table, 1, 40) == 0; }));
	EXPECT(soon([&] { return f.seen().resumes == 1; }));
	EXPECT(f.seen().values == 40);
	// Nobody comes.
	EXPECT(f.spawn(key_args(table, 2, 1000000)).error == 0);
	EXPECT(soon([&] { return f.seen().timeouts == 1; }));
	EXPECT(f.wake(table, 2, 0) == -ENOENT);
	// The table goes, or never was.
	EXPECT(f.spawn(key_args(table, 3, 0)).error == 0);
	EXPECT(soon([&] { return f.seen().starts == 3; }));
	f.release_table();
	EXPECT(soon([&] { return f.seen().stale == 1; }));
	EXPECT(f.spawn(key_args(table, 4, 0)).error == 0);
	EXPECT(soon([&] { return f.seen().stale == 2; }));
	EXPECT(!f.seen().other_errors && !f.seen().cancels);
	return {};
}

failure spawned_to_await(fixture &f)
{
	auto link = f.attach();
	__u64 table = f.create_table();
	EXPECT(link && table);
	for (__u32 i = 1; i <= 30; i++)
		EXPECT(f.spawn_key(key_args(table, i, never), i) == 0);
	EXPECT(soon([&] { return f.seen().resumes == 30; }));
	EXPECT(f.seen().values == 30 * 31 / 2 && f.seen().starts == 0);
	EXPECT(f.spawn_key(key_args(table, 7, 1000000)) == 0);
	EXPECT(soon([&] { return f.seen().timeouts == 1; }));
	EXPECT(f.spawn_key(key_args(table, 7, never), 0, true) == -EINVAL);
	EXPECT(f.spawn_key(key_args(table + 1000, 7, never)) == -ESTALE);
	// Those that wait are found when the ops go.
	for (int i = 0; i < 10; i++)
		EXPECT(f.spawn_key(key_args(table, 7, 0)) == 0);
	link.reset();
	EXPECT(f.seen().cancels == 10 && f.seen().resumes == 31);
	EXPECT(f.spawn_key(key_args(table, 7, 0)) == -ESTALE);
	f.release_table();
	return {};
}

// Between two awaits nothing is lost for who holds its key.
failure holds(fixture &f)
{
	auto link = f.attach();
	__u64 table = f.create_table();
	plan_args args = key_args(table, 1, never);
	EXPECT(link && table);
	args.plan = PLAN_HOLD;
	args.flags = KCORO_KEY_HOLD | KCORO_KEY_ONLY;
	EXPECT(f.spawn_key(args) == 0);
	EXPECT(f.spawn_key(args) == -EEXIST);
	args.flags = KCORO_KEY_ONLY;
	EXPECT(f.spawn_key(args) == -EEXIST);
	for (int value = 1; value <= PLAN_VALUES; value++)
		EXPECT(f.wake(table, 1, value) == 0);
	EXPECT(soon([&] { return f.seen().holds == 1; }));
	EXPECT(f.seen().values == PLAN_VALUES * (PLAN_VALUES + 1) / 2);
	EXPECT(f.wake(table, 1, 1) == -ENOENT);
	// One that holds its key itself, later.
	EXPECT(f.spawn(args).error == 0);
	EXPECT(soon([&] { return f.wake(table, 1, 1) == 0; }));
	EXPECT(f.spawn_key(args) == -EEXIST);
	for (int value = 2; value <= PLAN_VALUES; value++)
		EXPECT(f.wake(table, 1, value) == 0);
	EXPECT(soon([&] { return f.seen().holds == 2; }));
	// Nothing comes; the next one is killed.
	args.flags = KCORO_KEY_HOLD;
	args.ns = 1000000;
	EXPECT(f.spawn_key(args) == 0);
	EXPECT(soon([&] { return f.seen().timeouts == 1; }));
	EXPECT(soon([&] { return f.wake(table, 1, 1) == -ENOENT; }));
	args.ns = 0;
	EXPECT(f.spawn_key(args) == 0);
	EXPECT(f.wake(table, 1, 1) == 0);
	EXPECT(soon([&] { return f.seen().values == PLAN_VALUES * (PLAN_VALUES + 1) + 1; }));
	link.reset();
	EXPECT(f.seen().cancels == 1);
	EXPECT(f.wake(table, 1, 1) == -ENOENT);
	// Who is killed and holds a key then holds it no longer than it lives.
	link = f.attach();
	args.plan = PLAN_GRASP;
	args.flags = 0;
	EXPECT(f.spawn(args, 20).spawned == 20);
	EXPECT(soon([&] { return f.seen().starts == 20; }));
	link.reset();
	EXPECT(f.seen().cancels == 20 && f.seen().grasps == 20);
	EXPECT(f.wake(table, 1, 1) == -ENOENT);
	// One key at a time: what was asked for is awaited.
	link = f.attach();
	args.plan = PLAN_BOTH;
	EXPECT(f.spawn(args).error == 0);
	EXPECT(soon([&] { return f.wake(table, 1, 8) == 0; }));
	EXPECT(soon([&] { return f.seen().resumes == 1; }));
	EXPECT(f.seen().values == 8 && f.wake(table, 1, 1) == -ENOENT);
	link.reset();
	// The table goes.
	link = f.attach();
	args.plan = PLAN_HOLD;
	args.flags = KCORO_KEY_HOLD;
	EXPECT(f.spawn_key(args) == 0);
	f.release_table();
	EXPECT(soon([&] { return f.seen().stale == 1; }));
	args.flags = 1U << 2;
	EXPECT(f.spawn_key(args) == -EINVAL);
	return {};
}

failure wakes_all(fixture &f)
{
	auto link = f.attach();
	__u64 table = f.create_table();
	plan_args args = key_args(table, 1, 0);
	EXPECT(link && table);
	EXPECT(f.wake(table, 1, 5, PLAN_WAKE_ALL) == -ENOENT);
	EXPECT(f.wake(table, 1, 0, PLAN_WAKE_CANCEL) == -ENOENT);
	EXPECT(f.wake(table + 1000, 1, 0, PLAN_WAKE_ALL) == -ESTALE);
	EXPECT(f.wake(table + 1000, 1, 0, PLAN_WAKE_CANCEL) == -ESTALE);
	EXPECT(f.wake(table, 1, 0, PLAN_WAKE_STATUS) == -ENOENT);
	EXPECT(f.wake(table + 1000, 1, 0, PLAN_WAKE_STATUS) == -ESTALE);
	for (int i = 0; i < 20; i++)
		EXPECT(f.spawn_key(args) == 0);
	args.key = 2;
	EXPECT(f.spawn_key(args) == 0);
	EXPECT(f.wake(table, 2, 0, PLAN_WAKE_STATUS) == KCORO_STATUS_SUSPENDED);
	EXPECT(f.wake(table, 1, 5, PLAN_WAKE_ALL) == 20);
	EXPECT(soon([&] { return f.seen().resumes == 20; }));
	EXPECT(f.seen().values == 100);
	// Cancelled: told so, and it ends.
	args.key = 1;
	for (int i = 0; i < 10; i++)
		EXPECT(f.spawn_key(args) == 0);
	args.flags = KCORO_KEY_HOLD;
	EXPECT(f.spawn_key(args) == 0);
	EXPECT(f.wake(table, 1, 0, PLAN_WAKE_CANCEL) == 11);
	EXPECT(soon([&] { return f.seen().canceled == 11; }));
	EXPECT(soon([&] { return f.wake(table, 1, 1) == -ENOENT; }));
	EXPECT(f.seen().cancels == 0 && f.seen().resumes == 31);
	EXPECT(f.wake(table, 2, 1) == 0);
	f.release_table();
	return {};
}

failure children(fixture &f)
{
	auto link = f.attach();
	__u64 table = f.create_table();
	plan_args args = {};
	EXPECT(link && table);
	args.plan = PLAN_PARENT;
	EXPECT(f.spawn(args, 10).spawned == 10);
	EXPECT(soon([&] { return f.seen().families == 10; }));
	args.ns = never;
	EXPECT(f.spawn(args, 10).spawned == 10);
	EXPECT(soon([&] { return f.seen().families == 20; }));
	EXPECT(!f.seen().timeouts && !f.seen().other_errors);
	// It gives up before its slowest child ends.
	args.ns = 1000;
	EXPECT(f.spawn(args).error == 0);
	EXPECT(soon([&] { return f.seen().timeouts == 1; }));
	// The child lives longer.
	args = key_args(table, 1, 0);
	args.plan = PLAN_LEAVES;
	EXPECT(f.spawn(args).error == 0);
	EXPECT(soon([&] { return f.wake(table, 1, 1) == 0; }));
	// All at once, in whatever order.
	EXPECT(f.spawn(args, 10).spawned == 10);
	args.plan = PLAN_PARENT;
	args.ns = 0;
	EXPECT(f.spawn(args, 5).spawned == 5);
	link.reset();
	EXPECT(f.wake(table, 1, 1) == -ENOENT);
	f.release_table();
	return {};
}

failure spawned_by_packets(fixture &f)
{
	auto link = f.attach();
	__u64 table = f.create_table();
	EXPECT(link && table);
	for (int i = 0; i < 20; i++)
		EXPECT(f.spawn_from_packet(key_args(table, 5, 0)) == 0);
	EXPECT(soon([&] { return f.seen().resumes == 20 && f.seen().starts == 20; }));
	EXPECT(f.seen().values == 60 && !f.seen().other_errors);
	f.release_table();
	return {};
}

// The same on the other executor.
failure on_workers(fixture &)
{
	fixture f([](bpf_ops_bpf &s, __u64) {
		s.struct_ops.plans->executor = KCORO_EXECUTOR_WORKER;
	});
	EXPECT(f);
	if (auto failed = waits(f); failed.line)
		return failed;
	if (auto failed = keys(f); failed.line)
		return failed;
	if (auto failed = holds(f); failed.line)
		return failed;
	if (auto failed = wakes_all(f); failed.line)
		return failed;
	if (auto failed = children(f); failed.line)
		return failed;
	return spawned_to_await(f);
}

// Frames come from the pool that the ops name: at its quota nobody is spawned.
failure in_a_pool(fixture &f)
{
	__u64 pool = f.create_pool(16384);
	EXPECT(pool);
	fixture g([](bpf_ops_bpf &s, __u64 id) { s.struct_ops.plans->pool_id = id; }, pool);
	EXPECT(g);
	auto link = g.attach();
	__u64 table = g.create_table();
	EXPECT(link && table);
	auto call = g.spawn(key_args(table, 1, 0), 64);
	EXPECT(call.spawned > 0 && call.spawned < 64 && call.error == -ENOMEM);
	EXPECT(soon([&] { return g.seen().starts == call.spawned; }));
	link.reset();
	EXPECT(g.seen().cancels == call.spawned);
	g.release_table();
	return {};
}

failure late_wake(fixture &f)
{
	auto link = f.attach();
	__u64 table = f.create_table();
	EXPECT(link && table);
	EXPECT(f.spawn(key_args(table, 1, never)).error == 0);
	// The first ones find nothing cached; before it waits a wake is for nobody.
	EXPECT(soon([&] { return f.wake_late(table, 1, 9) == 0 && f.seen().resumes == 1; }));
	EXPECT(f.seen().values == 9);
	// To nobody; on another CPU nothing may be cached yet.
	EXPECT(soon([&] { return f.wake_late(table + 1000, 1, 0) == 0; }));
	f.release_table();
	return {};
}

failure limits(fixture &f)
{
	auto link = f.attach();
	__u64 table = f.create_table();
	EXPECT(link && table);
	auto call = f.spawn(key_args(table, 1, never), 100);
	EXPECT(call.spawned == 64 && call.error == -EAGAIN);
	EXPECT(soon([&] { return f.wake(table, 1, 0) == 0; }));
	EXPECT(soon([&] { return f.spawn(PLAN_END).error == 0; }));
	EXPECT(f.spawn({}, 1, true).error == -E2BIG);
	f.release_table();
	return {};
}

// Those that wait are killed before the detaching returns, and told so.
failure detached_while_they_wait(fixture &f)
{
	auto link = f.attach();
	__u64 table = f.create_table();
	EXPECT(link && table);
	EXPECT(f.spawn(key_args(table, 1, 0), 20).spawned == 20);
	EXPECT(soon([&] { return f.seen().starts == 20; }));
	link.reset();
	EXPECT(f.seen().cancels == 20 && f.seen().resumes == 0);
	EXPECT(f.wake(table, 1, 0) == -ENOENT);
	// Also one that yields for ever.
	link = f.attach();
	EXPECT(f.spawn(PLAN_YIELD, 30).spawned == 30);
	link.reset();
	__u64 resumes = f.seen().resumes;
	sleep_ms(50);
	EXPECT(f.seen().resumes == resumes);
	f.release_table();
	return {};
}

failure replaced(fixture &f)
{
	auto link = f.attach();
	__u64 table = f.create_table();
	EXPECT(link && table);
	EXPECT(f.spawn(key_args(table, 1, never)).error == 0);
	EXPECT(soon([&] { return f.seen().starts == 1; }));
	EXPECT(!bpf_link__update_map(link.get(), f.others()));
	EXPECT(soon([&] { return f.wake(table, 1, 7) == 0; }));
	EXPECT(soon([&] { return f.seen().replaced == 1; }));
	EXPECT(f.seen().resumes == 0);
	// They have no start: the first call is a resume.
	EXPECT(f.spawn(PLAN_END).error == 0);
	EXPECT(soon([&] { return f.seen().replaced == 2; }));
	f.release_table();
	return {};
}

// bpftool's shadow of the ops has no arrays: behind three programs.
char *name_of(bpf_ops_bpf &s)
{
	size_t size = 0;
	auto *ops = static_cast<char *>(bpf_map__initial_value(s.maps.plans, &size));
	return ops + 3 * sizeof(void *);
}

struct wrong {
	const char *what;
	void (*make)(bpf_ops_bpf &);
};

// What can't be right is refused when it is attached.
failure wrong_attributes(fixture &)
{
	static const wrong all[] = {
		{"no name", [](bpf_ops_bpf &s) { *name_of(s) = 0; }},
		{"name too long",
		 [](bpf_ops_bpf &s) { std::memset(name_of(s), 'x', KCORO_NAME_LEN); }},
		{"no state", [](bpf_ops_bpf &s) { s.struct_ops.plans->frame_size = 0; }},
		{"state too large",
		 [](bpf_ops_bpf &s) { s.struct_ops.plans->frame_size = KCORO_FRAME_DATA_MAX + 1; }},
		{"executor", [](bpf_ops_bpf &s) { s.struct_ops.plans->executor = 7; }},
		{"limit",
		 [](bpf_ops_bpf &s) { s.struct_ops.plans->limit = KCORO_OPS_LIMIT_MAX + 1; }},
		{"flags", [](bpf_ops_bpf &s) { s.struct_ops.plans->flags = 1; }},
	};
	for (const auto &w : all) {
		skeleton s(bpf_ops_bpf__open());
		EXPECT(s);
		w.make(*s);
		EXPECT(!bpf_ops_bpf__load(s.get()));
		link_ptr link(bpf_map__attach_struct_ops(s->maps.plans));
		if (link || errno != EINVAL) {
			std::printf("# %s: %s\n", w.what, link ? "attached" : std::strerror(errno));
			EXPECT(false);
		}
	}
	// Of a pool that does not exist.
	skeleton s(bpf_ops_bpf__open());
	EXPECT(s);
	s->struct_ops.plans->pool_id = ~0ULL >> 1;
	EXPECT(!bpf_ops_bpf__load(s.get()));
	link_ptr link(bpf_map__attach_struct_ops(s->maps.plans));
	EXPECT(!link && errno == ENOENT);
	return {};
}

const test_case<fixture> cases[] = {
	{"ops_attach", attach_and_detach},
	{"ops_ends", ends},
	{"ops_waits", waits},
	{"ops_keys", keys},
	{"ops_spawned_to_await", spawned_to_await},
	{"ops_holds", holds},
	{"ops_wakes_all", wakes_all},
	{"ops_children", children},
	{"ops_spawned_by_packets", spawned_by_packets},
	{"ops_on_workers", on_workers},
	{"ops_in_a_pool", in_a_pool},
	{"ops_late_wake", late_wake},
	{"ops_limits", limits},
	{"ops_detached", detached_while_they_wait},
	{"ops_replaced", replaced},
	{"ops_wrong_attributes", wrong_attributes},
};

int hold(fixture &f)
{
	auto link = f.attach();
	__u64 table = f.create_table();
	if (!link || !table || f.spawn(key_args(table, 1, 0), 20).spawned != 20)
		return 1;
	std::puts("holding");
	std::fflush(stdout);
	pause();
	return 1;
}

} // namespace

int main(int argc, char **)
{
	fixture f;

	if (!f) {
		std::puts("not ok the programs do not load");
		return 1;
	}
	return argc > 1 ? hold(f) : run_cases(cases, f);
}
