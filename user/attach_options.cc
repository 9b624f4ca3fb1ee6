// SPDX-License-Identifier: GPL-2.0-only
// attach_options.cc - what `kcoro attach` is told of any filter: its place and its pool.
#include "user/attach_filter.h"

#include "user/size.h"

#include <kcoro/abi.h>

namespace kcoro {

void add_place(const cli_verb &verb, filter_place &place, const std::string &help)
{
	verb.option("IFACE", place.interface, help).required();
	verb.option("--netns", place.netns, "IFACE is in this network namespace").value("NAME");
}

outcome check_pool_options(const std::string &option, const std::string &name,
			   const std::string &size, unsigned long long &quota)
{
	if (name.size() >= KCORO_NAME_LEN)
		return misuse("{} {}: a pool's name has at most {} characters", option,
			      printable(name), KCORO_NAME_LEN - 1);
	if (size.empty())
		return done{};
	auto bytes = parse_size(size);
	if (!bytes)
		return misuse("--pool-quota: {}", bytes.error().message);
	if (*bytes < smallest_pool_quota)
		return misuse("--pool-quota {}: {} KiB is the least", size,
			      smallest_pool_quota / 1024);
	quota = *bytes;
	return done{};
}

} // namespace kcoro
