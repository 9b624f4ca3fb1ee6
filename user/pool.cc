// SPDX-License-Identifier: GPL-2.0-only
// pool.cc - `kcoro pool`: list the module's pools, and set their reserves.
#include "user/verbs.h"

#include "user/labels.h"
#include "user/loop.h"
#include "user/module.h"
#include "user/pools.h"
#include "user/privileges.h"
#include "user/size.h"

#include <memory>

namespace kcoro {

namespace {

constexpr unsigned reserve_max = 1U << 20; // bpf_kcoro_pool_reserve()

struct reserve_request {
	std::string pool;
	std::string size;
	unsigned count = 0;
};

result<pool_reader> open_pools()
{
	if (auto allowed = require_capabilities(); !allowed)
		return allowed.error();
	if (auto ready = module_ready(); !ready)
		return ready.error();
	return pool_reader::open();
}

outcome list(const schedule &when, const output &out)
{
	auto reader = open_pools();

	if (!reader)
		return reader.error();
	if (auto dropped = drop_privileges(); !dropped)
		return dropped;
	return run_schedule(when, out, [&](bool first) -> outcome {
		auto pools = reader->read();
		json rows = json::array();
		auto text = (first ? "" : "\n") + pool_heading();

		if (!pools)
			return pools.error();
		for (const auto &pool : *pools) {
			rows.push_back(pool_json(pool));
			text += pool_line(pool);
		}
		return out.report({{"pools", rows}}, text);
	});
}

outcome reserve(const reserve_request &asked, const output &out)
{
	auto size = parse_size(asked.size);

	if (!size)
		return size.error();
	if (*size == 0 || *size > KCORO_FRAME_SIZE_MAX)
		return misuse("a reserve has frames of 1 to {} bytes, not of {}",
			      KCORO_FRAME_SIZE_MAX, *size);
	auto reader = open_pools();
	if (!reader)
		return reader.error();
	auto pool = reader->find(asked.pool);
	if (!pool)
		return pool.error();
	if (auto reserved = reader->reserve(*pool, *size, asked.count); !reserved)
		return reserved;

	unsigned c = 0;
	while (class_bytes(c) < *size)
		c++;
	return out.report({{"pool", pool_json(*pool)["name"]},
			   {"id", pool->info.id},
			   {"class_bytes", class_bytes(c)},
			   {"frames", asked.count}},
			  fmt::format("pool {} keeps {} frames of {} bytes in reserve\n",
				      pool_json(*pool)["name"].get<std::string>(), asked.count,
				      class_bytes(c)));
}

constexpr const char *list_footer = R"(All sizes are in KiB, rounded up; JSON has bytes.
  quota     what the pool may hold; none: no limit
  held      live + cached + reserved
  most      the most it ever held
  live      allocated and not yet freed
  cached    in magazines and depots
  reserved  set aside by `kcoro pool reserve` or by its owner
  failures  allocations that got no memory since the pool was made, by reason:
            its quota; the slab; nothing cached where the slab is barred; the
            fault point

EXAMPLES:
  kcoro pool list
  kcoro pool list 1 10
  kcoro pool list -j | jq '.pools[] | {name, held_bytes, failed_quota}'
Then: kcoro stat --pool NAME)";

constexpr const char *reserve_footer =
	R"(Sets COUNT frames of SIZE bytes aside, rounded up to a power of two or 192 (at
least 64). From then on so many allocations succeed, on any CPU and in any
context, whatever memory and quota say; what was taken is filled up again in
the background. COUNT is the whole reserve of that size, and 0 gives it back.
It goes with its pool. An entry of the sni filter has 512 bytes.

EXAMPLES:
  kcoro pool reserve sni-eth0 512 1000
  kcoro pool reserve 4 2K 16
  kcoro pool reserve sni-eth0 512 0)";

} // namespace

void add_pool(const cli_verb &app)
{
	auto pool = app.add("pool", "list the pools of frames, or set a reserve");
	auto when = std::make_shared<schedule>();
	auto wish = std::make_shared<reserve_request>();

	pool.footer("EXAMPLES:\n"
		    "  kcoro pool list\n"
		    "  kcoro pool reserve sni-eth0 512 1000");

	auto all = pool.add("list", "quota, bytes and failures of each pool");
	add_schedule(all, *when);
	all.footer(list_footer);
	all.action([=](const output &out) { return list(*when, out); });

	auto keep = pool.add("reserve", "set frames aside for bad times");
	keep.footer(reserve_footer);
	keep.option("POOL", wish->pool, "its name or number").required().value(" ");
	keep.option("SIZE", wish->size, "bytes of a frame, at most 8K").required().value(" ");
	keep.option("COUNT", wish->count, "frames").required().range(0U, reserve_max).value(" ");
	keep.action([=](const output &out) { return reserve(*wish, out); });
}

} // namespace kcoro
