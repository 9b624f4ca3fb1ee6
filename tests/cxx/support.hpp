// SPDX-License-Identifier: GPL-2.0-only
// support.hpp - what the tests of the C++ library share: frames that are counted and refused,
// objects that are counted.
#ifndef KCORO_TESTS_CXX_SUPPORT_HPP
#define KCORO_TESTS_CXX_SUPPORT_HPP

#include <atomic>
#include <cstdlib>

#include <gtest/gtest.h>

#include <kcoro/platform.hpp>

// All frames of a test program come from here: each is a block of its own, of which the n-th can
// be refused.
namespace frames {

inline std::atomic<long> live{0};
inline std::atomic<long> taken{0};
inline std::atomic<std::size_t> last_size{0};
inline std::atomic<long> refuse_at{0}; // 1: the next one; 0: none

inline long seen()
{
	return taken.load();
}

// Call fn() with the first frame refused, then the second, and so on until none is. All frames
// must be back each time. fn is told whether one was refused.
template <typename F> void refuse_each(F fn)
{
	for (long n = 1;; n++) {
		ASSERT_LT(n, 10000) << "it never ends";
		taken = 0;
		refuse_at = n;
		fn();
		const bool refused = taken >= n;

		refuse_at = 0;
		ASSERT_EQ(live.load(), 0) << "frames left when allocation " << n << " failed";
		if (!refused)
			return;
	}
}

} // namespace frames

// How many awaits, one after another and one in another, show that none stays on the stack. In
// the kernel that has 16 KiB, and a test that keeps its CPU for long is a lockup.
#if defined(KCORO_KASAN) // of the kernel: C++ itself is compiled without
inline constexpr unsigned many_awaits = 5'000;
inline constexpr int many_frames = 2'000;
#elif defined(__KERNEL__)
inline constexpr unsigned many_awaits = 1'000'000;
inline constexpr int many_frames = 100'000;
#elif defined(KCORO_SANITIZED)
inline constexpr unsigned many_awaits = 1'000'000;
inline constexpr int many_frames = 100'000;
#else
inline constexpr unsigned many_awaits = 10'000'000;
inline constexpr int many_frames = 100'000;
#endif

#ifndef KCORO_TESTS_NO_HOOKS
extern "C" void *kcoro_frame_alloc_hook(std::size_t size) noexcept
{
	frames::last_size = size;
	if (++frames::taken == frames::refuse_at)
		return nullptr;
	void *frame = std::aligned_alloc(64, (size + 63) & ~std::size_t{63});

	if (frame)
		++frames::live;
	return frame;
}

extern "C" void kcoro_frame_free_hook(void *frame, std::size_t) noexcept
{
	--frames::live;
	std::free(frame);
}
#endif

// An object whose lives are counted.
class counted {
public:
	static inline std::atomic<int> alive{0};
	static inline std::atomic<int> copies{0};

	explicit counted(int v = 0) : value(v) { ++alive; }
	counted(const counted &other) : value(other.value)
	{
		++alive;
		++copies;
	}
	counted(counted &&other) noexcept : value(other.value)
	{
		other.value = -1;
		++alive;
	}
	counted &operator=(const counted &) = default;
	counted &operator=(counted &&other) noexcept
	{
		value = other.value;
		other.value = -1;
		return *this;
	}
	~counted() { --alive; }

	int value;
};

// Nothing is left after a test.
class nothing_left : public testing::Test {
protected:
	void SetUp() override
	{
		counted::copies = 0;
		ASSERT_EQ(counted::alive, 0);
		ASSERT_EQ(frames::live, 0);
	}
	void TearDown() override
	{
		EXPECT_EQ(counted::alive, 0);
		EXPECT_EQ(frames::live, 0);
	}
};

#endif
