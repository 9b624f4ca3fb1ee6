/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rc_ptr.hpp - rc_ptr and weak_rc_ptr: shared ownership, with atomic counts or without.
 *
 * Brief:         as std::shared_ptr and weak_ptr, by a policy (threads.hpp), in one block with
 *                the object. make_rc<T>(args...) takes it from the platform's pool,
 *                allocate_rc<T>(source, args...) from a frame_source. An object that derives
 *                from enable_rc_from_this<T> gives pointers to itself.
 * Thread safety: the counts by the policy; a pointer is used by one thread at a time.
 * Allocation:    one block; without memory the pointer is null.
 * Cancellation:  does not matter here.
 * Traps:         two that own each other are never freed: let one be weak.
 *
 *	auto p = kcoro::make_rc<int>(5);
 *	kcoro::weak_rc_ptr<int> w(p);
 *	if (auto q = w.lock())
 *		use(*q);
 */
#ifndef KCORO_RC_PTR_HPP
#define KCORO_RC_PTR_HPP

#include <concepts>
#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

#include <kcoro/frame.hpp>
#include <kcoro/threads.hpp>

namespace kcoro::inline KCORO_ABI {

template <typename T, typename Threads> class rc_ptr;
template <typename T, typename Threads> class weak_rc_ptr;

namespace detail {

/* All strong pointers together have one of the weak references. */
struct rc_block {
	word strong{1};
	word weak{1};
	frame_source *source;
	std::size_t bytes;
	void (*destroy)(rc_block &) noexcept;
};

template <typename T> struct rc_object final : rc_block {
	alignas(T) unsigned char memory[sizeof(T)];

	T *object() noexcept { return std::launder(reinterpret_cast<T *>(memory)); }
	static void destroy_object(rc_block &b) noexcept
	{
		static_cast<rc_object &>(b).object()->~T();
	}
};

template <bool Alone> void rc_put_weak(rc_block *b) noexcept
{
	if (b->weak.sub(1, Alone))
		return;
	frame_source *source = b->source;
	std::size_t bytes = b->bytes;

	b->~rc_block();
	if (source)
		source->free(*source, b, bytes);
	else
		platform::frame_free(b, bytes);
}

template <bool Alone> void rc_put(rc_block *b) noexcept
{
	if (b->strong.sub(1, Alone))
		return;
	b->destroy(*b);
	rc_put_weak<Alone>(b);
}

struct rc_access;

} // namespace detail

template <typename T, typename Threads = threads::standard> class rc_ptr {
	static constexpr bool alone = Threads::alone;

public:
	rc_ptr() noexcept = default;
	rc_ptr(std::nullptr_t) noexcept {}
	rc_ptr(const rc_ptr &o) noexcept : at_(o.at_), block_(o.block_) { get(); }
	rc_ptr(rc_ptr &&o) noexcept
		: at_(std::exchange(o.at_, nullptr)), block_(std::exchange(o.block_, nullptr))
	{
	}
	template <typename U>
		requires std::convertible_to<U *, T *>
	rc_ptr(const rc_ptr<U, Threads> &o) noexcept : at_(o.at_), block_(o.block_)
	{
		get();
	}
	/* Owns what @o owns, and points to @at: for casts and members. */
	template <typename U>
	rc_ptr(const rc_ptr<U, Threads> &o, T *at) noexcept : at_(at), block_(o.block_)
	{
		get();
	}
	rc_ptr &operator=(rc_ptr o) noexcept
	{
		std::swap(at_, o.at_);
		std::swap(block_, o.block_);
		return *this;
	}
	~rc_ptr()
	{
		if (block_)
			detail::rc_put<alone>(block_);
	}

	T *get_pointer() const noexcept { return at_; }
	T &operator*() const noexcept { return *at_; }
	T *operator->() const noexcept { return at_; }
	explicit operator bool() const noexcept { return at_; }
	/* A snapshot. */
	unsigned int use_count() const noexcept { return block_ ? block_->strong.load() : 0; }
	void reset() noexcept { *this = rc_ptr(); }

	friend bool operator==(const rc_ptr &a, const rc_ptr &b) noexcept { return a.at_ == b.at_; }

private:
	template <typename U, typename X> friend class rc_ptr;
	template <typename U, typename X> friend class weak_rc_ptr;
	friend struct detail::rc_access;

	/* Takes over a count. */
	rc_ptr(T *at, detail::rc_block *block) noexcept : at_(at), block_(block) {}
	void get() noexcept
	{
		if (block_)
			block_->strong.add(1, alone);
	}

	T *at_ = nullptr;
	detail::rc_block *block_ = nullptr;
};

template <typename T, typename Threads = threads::standard> class weak_rc_ptr {
	static constexpr bool alone = Threads::alone;

public:
	weak_rc_ptr() noexcept = default;
	template <typename U>
		requires std::convertible_to<U *, T *>
	weak_rc_ptr(const rc_ptr<U, Threads> &o) noexcept : at_(o.at_), block_(o.block_)
	{
		get();
	}
	weak_rc_ptr(const weak_rc_ptr &o) noexcept : at_(o.at_), block_(o.block_) { get(); }
	weak_rc_ptr &operator=(weak_rc_ptr o) noexcept
	{
		std::swap(at_, o.at_);
		std::swap(block_, o.block_);
		return *this;
	}
	~weak_rc_ptr()
	{
		if (block_)
			detail::rc_put_weak<alone>(block_);
	}

	bool expired() const noexcept { return !block_ || !block_->strong.load(); }
	/* Null when it is gone. */
	rc_ptr<T, Threads> lock() const noexcept
	{
		if (!block_ || !block_->strong.add_unless_zero(alone))
			return {};
		return rc_ptr<T, Threads>(at_, block_);
	}

private:
	void get() noexcept
	{
		if (block_)
			block_->weak.add(1, alone);
	}

	T *at_ = nullptr;
	detail::rc_block *block_ = nullptr;
};

/* Base of objects that live in an rc_ptr and give pointers to themselves. */
template <typename T, typename Threads = threads::standard> class enable_rc_from_this {
public:
	/* Null when it is not owned by an rc_ptr, or is being destroyed. */
	rc_ptr<T, Threads> rc_from_this() const noexcept { return self_.lock(); }
	weak_rc_ptr<T, Threads> weak_from_this() const noexcept { return self_; }

private:
	friend struct detail::rc_access;
	weak_rc_ptr<T, Threads> self_;
};

namespace detail {

struct rc_access {
	template <typename T, typename Threads, typename... Args>
	static rc_ptr<T, Threads> make(frame_source *source, Args &&...args)
	{
		using block = rc_object<T>;

		static_assert(alignof(block) <= frame_alignment);
		void *memory = source ? source->alloc(*source, sizeof(block))
				      : platform::frame_alloc(sizeof(block));
		if (!memory)
			return {};
		auto *b = new (memory) block;

		b->source = source;
		b->bytes = sizeof(block);
		b->destroy = block::destroy_object;
#if KCORO_EXCEPTIONS
		try {
			new (b->memory) T(std::forward<Args>(args)...);
		} catch (...) {
			rc_put_weak<Threads::alone>(b);
			throw;
		}
#else
		new (b->memory) T(std::forward<Args>(args)...);
#endif
		rc_ptr<T, Threads> made(b->object(), b);
		if constexpr (requires(T &t) { t.rc_from_this(); })
			know(*made, made);
		return made;
	}
	template <typename B, typename Threads, typename T>
	static void know(enable_rc_from_this<B, Threads> &object, const rc_ptr<T, Threads> &p)
	{
		object.self_ = weak_rc_ptr<B, Threads>(p);
	}
};

} // namespace detail

template <typename T, typename Threads = threads::standard, typename... Args>
rc_ptr<T, Threads> make_rc(Args &&...args)
{
	return detail::rc_access::make<T, Threads>(nullptr, std::forward<Args>(args)...);
}

/* From @source, which outlives the object and all weak pointers to it. */
template <typename T, typename Threads = threads::standard, typename... Args>
rc_ptr<T, Threads> allocate_rc(frame_source &source, Args &&...args)
{
	return detail::rc_access::make<T, Threads>(&source, std::forward<Args>(args)...);
}

template <typename T, typename U, typename Threads>
rc_ptr<T, Threads> static_rc_cast(const rc_ptr<U, Threads> &p) noexcept
{
	return rc_ptr<T, Threads>(p, static_cast<T *>(p.get_pointer()));
}

template <typename T, typename U, typename Threads>
rc_ptr<T, Threads> const_rc_cast(const rc_ptr<U, Threads> &p) noexcept
{
	return rc_ptr<T, Threads>(p, const_cast<T *>(p.get_pointer()));
}

} // namespace kcoro::inline KCORO_ABI

#endif // KCORO_RC_PTR_HPP
