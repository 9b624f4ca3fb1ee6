/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * promise_link.hpp - what each promise of the library begins with, and what a task has where
 * there is no frame. Internal; users meet neither.
 *
 * Brief:         a frame is two functions, then the promise, which begins with who awaits it:
 *                the C side reads chains by that (kcoro/cxx.h, KCORO_CXX_CONTINUATION).
 * Thread safety: for who runs the coroutine.
 * Allocation:    none.
 * Cancellation:  coro::unwind() finds by it which task keeps the frame that it destroys.
 */
#ifndef KCORO_PROMISE_LINK_HPP
#define KCORO_PROMISE_LINK_HPP

#include <coroutine>
#include <cstddef>

#include <kcoro/result.hpp>

namespace kcoro::inline KCORO_ABI {

class coro;

namespace detail {

/*
 * Owner stands before error, so that a small value shares a word with error. Not an
 * aggregate: then what derives from it may use its padding.
 */
struct promise_link {
	void *continuation; /* a frame, or a coro */
	coro *owner;
	int error;

	promise_link() noexcept {}

	/*
	 * Until the body's end the bytes of the result are free: who awaits leaves there where
	 * its task keeps this frame, for coro::unwind(). In error and what stands behind it:
	 * a small value, or nothing.
	 */
	void set_owner_slot(void **slot) noexcept
	{
		__builtin_memcpy(reinterpret_cast<unsigned char *>(this) + result_offset, &slot,
				 sizeof(slot));
	}
	/* Read it, and say again that there is no result. */
	void **take_owner_slot() noexcept
	{
		void **slot;

		__builtin_memcpy(&slot, reinterpret_cast<unsigned char *>(this) + result_offset,
				 sizeof(slot));
		error = err::in_progress;
		return slot;
	}
	static constexpr std::size_t result_offset = 2 * sizeof(void *);
	/* Behind the two functions of a frame. */
	static constexpr std::size_t in_frame = 2 * sizeof(void *);

	static promise_link &of(void *frame) noexcept
	{
		return *reinterpret_cast<promise_link *>(static_cast<unsigned char *>(frame) +
							 in_frame);
	}
};

/*
 * What a task has in the place of a frame, and why: to who awaits it one that has ended with
 * an error, so that nobody has to ask. Nobody owns it, which a real one that has ended lacks.
 */
struct absent_frame {
	void (*resume)(void *);
	void (*destroy)(void *);
	void *continuation;
	coro *owner;
	int error;

	static void nothing(void *) noexcept {}
};
static_assert(offsetof(absent_frame, error) ==
	      promise_link::in_frame + promise_link::result_offset);

template <int Error>
inline constexpr absent_frame absent{nullptr, absent_frame::nothing, nullptr, nullptr, Error};

/*
 * What is called as a coroutine's functions are, and is none. clang has a calling convention of
 * its own for these, and takes a call whose function it sees for one that is never made.
 */
[[gnu::always_inline]] inline void *as_frame(void *object) noexcept
{
#ifdef __clang__
	__asm__("" : "+r"(object));
#endif
	return object;
}

template <int Error> void *no_frame() noexcept
{
	return as_frame(const_cast<absent_frame *>(&absent<Error>));
}

inline bool is_frame(void *frame) noexcept
{
	return !std::coroutine_handle<>::from_address(frame).done() ||
	       promise_link::of(frame).owner;
}

} // namespace detail

} // namespace kcoro::inline KCORO_ABI

#endif // KCORO_PROMISE_LINK_HPP
