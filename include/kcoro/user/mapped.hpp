/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * mapped.hpp - mapped_resource: a std::pmr resource of whole pages from the kernel, so that
 * frames share no memory with the program's malloc.
 *
 * Brief:         it stands behind a resource that cuts blocks out of large pieces, and which has
 *                all of its own memory from here, too:
 *
 *	kcoro::user::mapped_resource pages;
 *	std::pmr::unsynchronized_pool_resource pool(&pages);
 *	kcoro::user::with_resource use(&pool);
 *
 * Thread safety: any.
 * Allocation:    mmap() and munmap() for each block; throws std::bad_alloc, or gives null
 *                without exceptions.
 * Cancellation:  does not matter here.
 * Traps:         as one frame's resource it costs two system calls and a page for each.
 */
#ifndef KCORO_USER_MAPPED_HPP
#define KCORO_USER_MAPPED_HPP

#include <cstddef>
#include <memory_resource>
#include <new>

#include <sys/mman.h>

#include <kcoro/threads.hpp>

namespace kcoro::inline KCORO_ABI::user {

class mapped_resource final : public std::pmr::memory_resource {
public:
	/* Pages that are in use; a snapshot. */
	unsigned int pages() const noexcept { return pages_.load(); }

private:
	static constexpr std::size_t page = 4096;

	static std::size_t whole(std::size_t bytes) noexcept
	{
		return (bytes + page - 1) & ~(page - 1);
	}
	void *do_allocate(std::size_t bytes, std::size_t alignment) override
	{
		void *p = MAP_FAILED;

		if (alignment <= page && bytes && whole(bytes) >= bytes)
			p = mmap(nullptr, whole(bytes), PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED) {
#if KCORO_EXCEPTIONS
			throw std::bad_alloc();
#else
			return nullptr;
#endif
		}
		pages_.add(static_cast<unsigned int>(whole(bytes) / page));
		return p;
	}
	void do_deallocate(void *p, std::size_t bytes, std::size_t) override
	{
		munmap(p, whole(bytes));
		pages_.sub(static_cast<unsigned int>(whole(bytes) / page));
	}
	bool do_is_equal(const memory_resource &other) const noexcept override
	{
		return this == &other;
	}

	word pages_;
};

} // namespace kcoro::inline KCORO_ABI::user

#endif // KCORO_USER_MAPPED_HPP
