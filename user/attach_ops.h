// SPDX-License-Identifier: GPL-2.0-only
// attach_ops.h - what a filter whose bodies are struct_ops needs to be attached.
#ifndef KCORO_USER_ATTACH_OPS_H
#define KCORO_USER_ATTACH_OPS_H

#include "user/attach_filter.h"
#include "user/bpf.h"
#include "user/filter_pool.h"
#include "user/result.h"

#include <kcoro/abi.h>

#include <cstring>
#include <memory>
#include <string>

namespace kcoro {

struct ops_link_deleter {
	void operator()(bpf_link *link) const { bpf_link__destroy(link); }
};
// Its coroutines are killed when it goes, unless it was pinned.
using ops_link = std::unique_ptr<bpf_link, ops_link_deleter>;

// Attaches ops that were loaded under that name. There may be no two of one name: the
// failure says that --name gives another.
result<ops_link> attach_ops(const bpf_map *ops, const std::string &name);

// All that is loaded; goes with this process unless it was pinned. What needs another
// stands behind it.
template <typename Object> struct ops_filter {
	filter_pool pool;
	Object object;
	ops_link ops;
};

// Before the load: the name of the ops, there and in `constant` of .rodata, by which the
// programs find them; their limit, and their pool.
template <typename Shadow>
void prepare_ops(bpf_map *ops, Shadow *shadow, char (&constant)[KCORO_NAME_LEN],
		 const std::string &name, unsigned limit, __u64 pool_id)
{
	std::memset(constant, 0, sizeof(constant));
	name.copy(constant, sizeof(constant) - 1);
	name_ops(ops, name);
	shadow->limit = limit;
	shadow->pool_id = pool_id;
}

// Makes the pool, loads the object with its number, attaches the ops, and has the object
// make its tables:
//
//   load(pool_id) -> result<Object>    ops_of(object) -> bpf_map *    set_up(object) -> outcome
template <typename Object, typename Load, typename OpsOf, typename SetUp>
outcome load_ops_filter(ops_filter<Object> &filter, const std::string &name,
			unsigned long long quota, attachment &record, const Load &load,
			const OpsOf &ops_of, const SetUp &set_up)
{
	auto pool = filter_pool::create(name, quota);
	if (!pool)
		return pool.error();
	auto object = load(pool->id());
	if (!object)
		return object.error();
	auto ops = attach_ops(ops_of(object->get()), name);
	if (!ops)
		return ops.error();
	if (auto ready = set_up(object->get()); !ready)
		return ready;
	record.pool_id = pool->id();
	filter = {std::move(*pool), std::move(*object), std::move(*ops)};
	return done{};
}

// Runs the program that makes the filter's tables, for that many `what`.
template <typename Args>
outcome make_tables(const bpf_program *program, Args args, unsigned count, const char *what)
{
	auto ran = run_program(bpf_program__fd(program), &args, sizeof(args));

	if (!ran)
		return ran.error();
	if (*ran)
		return fail("can't make tables for {} {}: {}", count, what, std::strerror(-*ran));
	return done{};
}

// Where a filter that looks both ways is, by its record: what goes out on the loopback
// comes in there, too, and once is enough.
inline void look_both_ways(const interface &device, attachment &record)
{
	record.direction = device.loopback ? ATTACHMENT_INGRESS : ATTACHMENT_BOTH;
}

// Links a TC program there, the last link last.
outcome link_both_ways(const bpf_program *program, const attachment &record,
		       const filter_kind &kind, const std::string &directory);

} // namespace kcoro

#endif
