/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * recycling.hpp - recycling_resource: a std::pmr resource that keeps free blocks by size, up
 * to a number of bytes; the size that was not used for the longest goes back first.
 *
 * Brief:         local_recycling for one thread, recycling_resource with a lock for many. The
 *                platform's own frames need neither: they have lists for each thread.
 * Thread safety: recycling_resource: any; local_recycling: one thread.
 * Allocation:    from the resource behind it, in steps of 64 bytes; the bound is on what is
 *                free, not on what is in use.
 * Cancellation:  does not matter here.
 * Traps:         it outlives what comes from it, and the resource behind outlives it.
 *
 *	kcoro::user::recycling_resource pool(std::pmr::new_delete_resource(), 1 << 20);
 *	kcoro::user::with_resource use(&pool);
 */
#ifndef KCORO_USER_RECYCLING_HPP
#define KCORO_USER_RECYCLING_HPP

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <new>

#include <kcoro/threads.hpp>

namespace kcoro::inline KCORO_ABI::user {

template <typename Threads> class basic_recycling final : public std::pmr::memory_resource {
	using guard = typename Threads::guard;

public:
	/* @most: bytes of free blocks. */
	explicit basic_recycling(
		std::pmr::memory_resource *behind = std::pmr::get_default_resource(),
		std::size_t most = std::size_t{1} << 20) noexcept
		: behind_(behind), most_(most)
	{
	}
	basic_recycling(const basic_recycling &) = delete;
	basic_recycling &operator=(const basic_recycling &) = delete;
	~basic_recycling() override { trim(0); }

	/* Bytes of free blocks. */
	std::size_t kept() noexcept
	{
		guard g(lock_);

		return kept_;
	}
	/* Give back what is more than @most. */
	void trim(std::size_t most) noexcept
	{
		block *gone;

		{
			guard g(lock_);

			gone = shrink(most);
		}
		give_back(gone);
	}

private:
	static constexpr std::size_t grain = 64;
	static constexpr std::size_t sizes = 128;

	struct block {
		block *next;
		std::size_t bytes;
	};
	struct list {
		block *first = nullptr;
		std::uint64_t used = 0;
	};

	void *do_allocate(std::size_t bytes, std::size_t alignment) override
	{
		const std::size_t n = (bytes + grain - 1) / grain;

		if (n < sizes && alignment <= grain) {
			guard g(lock_);
			list &l = by_size_[n];

			l.used = ++clock_;
			if (block *b = l.first) {
				l.first = b->next;
				kept_ -= n * grain;
				return b;
			}
		}
		/* Outside of the lock: it may throw. */
		return behind_->allocate(n * grain, alignment < grain ? grain : alignment);
	}
	void do_deallocate(void *p, std::size_t bytes, std::size_t alignment) override
	{
		const std::size_t n = (bytes + grain - 1) / grain;

		if (n >= sizes || alignment > grain || n * grain > most_) {
			behind_->deallocate(p, n * grain, alignment < grain ? grain : alignment);
			return;
		}
		block *gone;
		{
			guard g(lock_);
			list &l = by_size_[n];

			l.used = ++clock_;
			gone = shrink(most_ - n * grain);
			l.first = new (p) block{l.first, n * grain};
			kept_ += n * grain;
		}
		give_back(gone);
	}
	bool do_is_equal(const memory_resource &other) const noexcept override
	{
		return this == &other;
	}

	/* Under the lock: blocks of the size that was not used for the longest, until @most. */
	block *shrink(std::size_t most) noexcept
	{
		block *gone = nullptr;

		while (kept_ > most) {
			list *oldest = nullptr;

			for (auto &l : by_size_)
				if (l.first && (!oldest || l.used < oldest->used))
					oldest = &l;
			while (oldest->first && kept_ > most) {
				block *b = oldest->first;

				oldest->first = b->next;
				kept_ -= b->bytes;
				b->next = gone;
				gone = b;
			}
		}
		return gone;
	}
	void give_back(block *gone) noexcept
	{
		while (block *b = gone) {
			gone = b->next;
			behind_->deallocate(b, b->bytes, grain);
		}
	}

	[[no_unique_address]] typename Threads::lock lock_;
	std::pmr::memory_resource *behind_;
	std::size_t most_;
	std::size_t kept_ = 0;
	std::uint64_t clock_ = 0;
	list by_size_[sizes];
};

using recycling_resource = basic_recycling<threads::standard>;
using local_recycling = basic_recycling<threads::one>;

} // namespace kcoro::inline KCORO_ABI::user

#endif // KCORO_USER_RECYCLING_HPP
