// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// pool.cc - frames from a pool of one's own: a fixed arena, passed as the first parameter.
// When it is full, the await gives -ENOMEM. Prints: sum 10, and with a small arena -12
#include <cstdio>

#include <kcoro/task.hpp>

// Gives blocks one behind the other, and has all room again when all are back.
class arena : public kcoro::frame_source {
public:
	explicit arena(std::size_t room) : frame_source{take, give}, room_(room) {}

private:
	static void *take(frame_source &s, std::size_t size) noexcept
	{
		auto &self = static_cast<arena &>(s);
		std::size_t whole = (size + 63) & ~std::size_t{63};

		if (self.used_ + whole > self.room_)
			return nullptr;
		self.live_++;
		self.used_ += whole;
		return self.bytes_ + self.used_ - whole;
	}
	static void give(frame_source &s, void *, std::size_t) noexcept
	{
		auto &self = static_cast<arena &>(s);

		if (!--self.live_)
			self.used_ = 0;
	}

	alignas(64) unsigned char bytes_[4096];
	std::size_t room_;
	std::size_t used_ = 0;
	int live_ = 0;
};

static kcoro::task<int> sum(arena &pool, int n)
{
	if (!n)
		co_return 0;
	auto below = co_await sum(pool, n - 1);
	if (!below)
		co_return below;
	co_return below.value + n;
}

int main()
{
	arena large(4096), small(256);

	std::printf("sum %d, and with a small arena %d\n", sum(large, 4).run().value,
		    sum(small, 4).run().error);
	return 0;
}
