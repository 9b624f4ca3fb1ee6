// SPDX-License-Identifier: GPL-2.0-only
// filter_pool.cc - see filter_pool.h.
#include "user/filter_pool.h"

#include <kcoro/abi.h>
#include <filters/pool/filter_pool.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace kcoro {

result<filter_pool> filter_pool::create(const std::string &name, unsigned long long quota)
{
	filter_pool_args args{};
	filter_pool made;

	made.object_.reset(filter_pool_bpf::open_and_load());
	if (!made.object_)
		return load_failure("the filter's pool", -errno);
	args.quota = quota;
	name.copy(args.name, sizeof(args.name) - 1);
	auto ran =
		run_program(bpf_program__fd(made.object_->progs.filter_pool), &args, sizeof(args));
	if (!ran)
		return ran.error();
	if (*ran)
		return fail("can't make the pool {}: {}", name, std::strerror(-*ran));
	made.id_ = args.pool_id;
	return made;
}

outcome filter_pool::pin_to(const std::string &directory) const
{
	return pin(bpf_map__fd(object_->maps.filter_pool_owner), directory + "/pool");
}

void name_ops(bpf_map *ops, const std::string &name)
{
	constexpr size_t before = 3 * sizeof(void *);
	size_t size = 0;
	auto *value = static_cast<char *>(bpf_map__initial_value(ops, &size));

	if (!value || size < before + KCORO_NAME_LEN)
		return;
	std::fill_n(value + before, KCORO_NAME_LEN, '\0');
	name.copy(value + before, KCORO_NAME_LEN - 1);
}

} // namespace kcoro
