// SPDX-License-Identifier: GPL-2.0-only
// coros.h - live coroutines and scopes, read from the module.
#ifndef KCORO_USER_COROS_H
#define KCORO_USER_COROS_H

#include "user/bpf.h"
#include "user/result.h"

#include <linux/types.h>

#include <kcoro/abi.h>

#include "coro.skel.h"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace kcoro {

struct coro_filter {
	std::string name;   // empty: all
	std::string scope;  // empty: all
	unsigned limit = 0; // rows; 0: all
};

// Memory that the kernel fills.
class mapped_rows {
public:
	mapped_rows() = default;
	mapped_rows(const void *memory, size_t bytes) : memory_(memory), bytes_(bytes) {}
	mapped_rows(mapped_rows &&other) noexcept
		: memory_(std::exchange(other.memory_, nullptr)), bytes_(other.bytes_)
	{
	}
	mapped_rows &operator=(mapped_rows &&other) noexcept
	{
		std::swap(memory_, other.memory_);
		std::swap(bytes_, other.bytes_);
		return *this;
	}
	~mapped_rows();

	std::span<const kcoro_coro_info> first(size_t count) const
	{
		return {static_cast<const kcoro_coro_info *>(memory_), count};
	}

private:
	const void *memory_ = nullptr;
	size_t bytes_ = 0;
};

struct coro_list {
	std::vector<kcoro_scope_info> scopes;
	std::span<const kcoro_coro_info> coros; // in `memory`
	__u64 more = 0;				// that match, and of which there is no row
	mapped_rows memory;
};

// Those that match now: as many as the limit lets through.
result<coro_list> list_coros(const coro_filter &filter);

} // namespace kcoro

#endif
