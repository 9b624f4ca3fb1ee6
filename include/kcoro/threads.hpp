/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * threads.hpp - one thread or many: the policy of what is shared.
 *
 * Brief:         event, channel, slot, completion and rc_ptr take a policy as their last
 *                template parameter. `threads::many` locks and counts atomically,
 *                `threads::one` does neither; `threads::standard` is what KCORO_THREADS says.
 * Thread safety: an object with `threads::one` is used by one thread, and so are the
 *                coroutines that await it.
 * Allocation:    none.
 */
#ifndef KCORO_THREADS_HPP
#define KCORO_THREADS_HPP

#include <type_traits>

#include <kcoro/platform.hpp>

namespace kcoro::inline KCORO_ABI {

/* A word that threads change together, or one alone: the same operations for both. */
class word {
public:
	constexpr word(unsigned int v = 0) noexcept : v_(v) {}

	const unsigned int *place() const noexcept { return &v_; }
	unsigned int load() const noexcept { return __atomic_load_n(&v_, __ATOMIC_ACQUIRE); }
	void store(unsigned int v) noexcept { __atomic_store_n(&v_, v, __ATOMIC_RELEASE); }

	/* Set and clear bits; give what was there. `alone`: no other thread writes. */
	unsigned int change(unsigned int clear, unsigned int set, bool alone) noexcept
	{
		unsigned int old = __atomic_load_n(&v_, __ATOMIC_RELAXED);

#if KCORO_THREADS
		if (!alone) {
			if (!clear)
				return __atomic_fetch_or(&v_, set, __ATOMIC_ACQ_REL);
			if (!set)
				return __atomic_fetch_and(&v_, ~clear, __ATOMIC_ACQ_REL);
			while (!__atomic_compare_exchange_n(&v_, &old, (old & ~clear) | set, true,
							    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
				;
			return old;
		}
#else
		(void)alone;
#endif
		__atomic_store_n(&v_, (old & ~clear) | set, __ATOMIC_RELAXED);
		return old;
	}

	/* Add and subtract; give what is there then. */
	unsigned int add(unsigned int n, bool alone = false) noexcept
	{
#if KCORO_THREADS
		if (!alone)
			return __atomic_add_fetch(&v_, n, __ATOMIC_ACQ_REL);
#else
		(void)alone;
#endif
		v_ += n;
		return v_;
	}
	unsigned int sub(unsigned int n, bool alone = false) noexcept { return add(0U - n, alone); }

	/* Add one unless it is 0. */
	bool add_unless_zero(bool alone = false) noexcept
	{
		unsigned int old = __atomic_load_n(&v_, __ATOMIC_RELAXED);

		do {
			if (!old)
				return false;
			if (alone || !KCORO_THREADS) {
				v_ = old + 1;
				return true;
			}
		} while (!__atomic_compare_exchange_n(&v_, &old, old + 1, true, __ATOMIC_ACQ_REL,
						      __ATOMIC_RELAXED));
		return true;
	}

private:
	unsigned int v_;
};

namespace threads {

struct many {
	static constexpr bool alone = false;
	using lock = platform::spinlock;
	using guard = platform::guard;
};

struct one {
	static constexpr bool alone = true;
	struct lock {};
	struct guard {
		explicit guard(lock &) noexcept {}
	};
};

using standard = std::conditional_t<KCORO_THREADS != 0, many, one>;

} // namespace threads

} // namespace kcoro::inline KCORO_ABI

#endif // KCORO_THREADS_HPP
