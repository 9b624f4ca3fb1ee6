// SPDX-License-Identifier: GPL-2.0-only
// counter_test.cc - counters in two halves, compiled for user space from the kernel's source.

#include <cstdint>

#include <gtest/gtest.h>

using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
#include "kmod/pool/counter.h"

namespace {

struct Counter {
	u16 high = 0;
	u32 low = 0;

	u64 value() const { return kcoro_counter_value(high, low); }

	// As two instructions of the kernel: in between somebody may look.
	bool bump_low() { return kcoro_counter_carries(++low); }
	void bump_high() { high++; }

	// As if it had been bumped so often.
	void set(u64 count)
	{
		high = static_cast<u16>(count >> 31);
		low = static_cast<u32>(count);
	}
};

TEST(Counter, CountsFromZero)
{
	Counter c;

	EXPECT_EQ(c.value(), 0u);
	for (u64 i = 1; i < 1000; i++) {
		EXPECT_FALSE(c.bump_low());
		EXPECT_EQ(c.value(), i);
	}
}

TEST(Counter, IsRightAtEachCarryBeforeAndAfterTheHighHalfFollows)
{
	for (u64 pass = 1; pass < 65536; pass += pass < 300 ? 1 : 997) {
		const u64 at = pass << 31;
		Counter c;

		c.set(at - 2);
		EXPECT_FALSE(c.bump_low());
		EXPECT_EQ(c.value(), at - 1);
		EXPECT_TRUE(c.bump_low());
		EXPECT_EQ(c.value(), at);
		c.bump_high();
		EXPECT_EQ(c.value(), at);
		EXPECT_FALSE(c.bump_low());
		EXPECT_EQ(c.value(), at + 1);
	}
}

TEST(Counter, ReaderWhoWasInterruptedBetweenTheHalvesIsRight)
{
	Counter c;

	c.set((u64{5} << 31) - 1);
	const u16 high = c.high;
	EXPECT_TRUE(c.bump_low());
	c.bump_high();
	for (int i = 0; i < 10; i++) {
		EXPECT_EQ(kcoro_counter_value(high, c.low), (u64{5} << 31) + i);
		c.bump_low();
	}
}

} // namespace
