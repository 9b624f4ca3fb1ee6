/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rc_ptr.hpp - rc_ptr<T>: an object with a count of its owners, and weak_rc_ptr<T>, which
 * watches one without owning it.
 *
 * Brief:         the last owner that goes destroys the object; the last of owners and
 *                watchers gives its memory back. Made by make_rc() and allocate_rc() only,
 *                in one block together with its counts: there is no taking over of a pointer,
 *                which would need a second block that may not be there. An object that
 *                derives from enable_rc_from_this can give out pointers to itself.
 * Thread safety: with threads::many, pointers to one object may be copied, promoted and
 *                dropped on any threads; with threads::one all of them belong to one thread,
 *                and no operation is atomic. One pointer is used by one thread at a time, and
 *                what the object needs itself is its own business.
 * Allocation:    one block, from the platform's frames or from where the caller says. None
 *                there: the pointer is empty. At most frame_alignment for the object; in the
 *                kernel at most KCORO_FRAME_SIZE_MAX for object, counts (16 bytes) and
 *                what the source keeps.
 * Cancellation:  does not matter here. Destroying a frame drops the pointers in it.
 * Traps:         owners in a cycle live for ever: one of them is to be a weak_rc_ptr. Memory
 *                stays until the last watcher has gone. In its constructor and destructor an
 *                object has no owner, and rc_from_this() is empty.
 *                There is no dynamic cast, as there is no RTTI.
 *
 *	auto log = kcoro::make_rc<journal>(name);
 *	if (!log)
 *		co_return kcoro::failure{kcoro::err::no_memory};
 *	kcoro::weak_rc_ptr<journal> watcher = log;
 *	...
 *	if (auto there = watcher.lock())
 *		there->write(line);
 *
 * Freestanding C++20, no exceptions, no RTTI. Where there are exceptions, what a constructor
 * throws passes through make_rc() with nothing left behind.
 */
#ifndef KCORO_RC_PTR_HPP
#define KCORO_RC_PTR_HPP

#include <compare>
#include <concepts>
#include <cstddef>
#include <new>
#include <type_traits>

#include <kcoro/frame.hpp>
#include <kcoro/threads.hpp>

namespace kcoro::inline KCORO_ABI {

template <typename T, typename Threads = threads::standard> class rc_ptr;
template <typename T, typename Threads = threads::standard> class weak_rc_ptr;
template <typename T, typename Threads = threads::standard> class enable_rc_from_this;

namespace detail {

struct rc_block;

struct rc_ops {
	void (*destroy)(rc_block &) noexcept; /* the object */
	void (*free)(rc_block &) noexcept;    /* the block */
};

/*
 * owners > 0: the object is there. watchers > 0: the block is there; the owners together
 * are one watcher.
 */
struct rc_block {
	word owners = 1;
	word watchers = 1;
	const rc_ops *ops;

	explicit rc_block(const rc_ops *o) noexcept : ops(o) {}
};

/* For whom there is a count already. */
inline void rc_own(rc_block *block, bool alone) noexcept
{
	if (block)
		block->owners.add(1, alone);
}

inline void rc_watch(rc_block *block, bool alone) noexcept
{
	if (block)
		block->watchers.add(1, alone);
}

inline void rc_unwatch(rc_block *block, bool alone) noexcept
{
	if (block && !block->watchers.sub(1, alone))
		block->ops->free(*block);
}

inline void rc_disown(rc_block *block, bool alone) noexcept
{
	if (block && !block->owners.sub(1, alone)) {
		block->ops->destroy(*block);
		rc_unwatch(block, alone);
	}
}

/* The platform's frames, where frame.hpp's arguments have a pool or an allocator. */
struct rc_platform {
	struct state {};
	static void *alloc(state &, std::size_t size) noexcept
	{
		return platform::frame_alloc(size);
	}
	static void free(state &, void *block, std::size_t size) noexcept
	{
		platform::frame_free(block, size);
	}
};

template <typename From> struct rc_from : frame_allocator_arg<From> {};
template <says_frames From> struct rc_from<From> : frame_arg<From> {};

/* Block and object. The state of where they come from is moved out before they are freed. */
template <typename T, typename Source> struct rc_object final : rc_block {
	using state = typename Source::state;

	[[no_unique_address]] state source;
	union {
		T object;
	};

	explicit rc_object(state &&from) noexcept
		: rc_block(&ops_here), source(static_cast<state &&>(from))
	{
	}
	~rc_object() {}

	static void destroy(rc_block &block) noexcept
	{
		static_cast<rc_object &>(block).object.~T();
	}
	static void free(rc_block &block) noexcept
	{
		auto *self = static_cast<rc_object *>(&block);
		state from(static_cast<state &&>(self->source));

		self->~rc_object();
		Source::free(from, self, sizeof(rc_object));
	}
	static constexpr rc_ops ops_here{destroy, free};
};

/* What has enable_rc_from_this for a base learns here whose it is. */
template <typename B, typename Threads>
enable_rc_from_this<B, Threads> *rc_self_of(enable_rc_from_this<B, Threads> *self) noexcept
{
	return self;
}

template <typename T>
concept knows_itself = requires(T *object) { rc_self_of(object); };

struct rc_access {
	template <typename T, typename Threads>
	static rc_ptr<T, Threads> adopt(T *object, rc_block *block) noexcept
	{
		return rc_ptr<T, Threads>(object, block);
	}
	template <typename Threads, typename T, typename B, typename OfBase>
	static void introduce(enable_rc_from_this<B, OfBase> *self, T *object,
			      rc_block *block) noexcept
	{
		static_assert(std::is_same_v<Threads, OfBase>,
			      "enable_rc_from_this and the pointer differ in threads");
		rc_watch(block, Threads::alone);
		self->self_ = weak_rc_ptr<B, Threads>(static_cast<B *>(object), block);
	}
};

template <typename T, typename Threads, typename Source, typename... Args>
rc_ptr<T, Threads> rc_make(typename Source::state source, Args &&...args)
{
	using object_type = std::remove_cv_t<T>;
	using block_type = rc_object<object_type, Source>;
	static_assert(std::is_object_v<T> && !std::is_array_v<T>, "counts single objects");
	static_assert(alignof(block_type) <= frame_alignment, "blocks start on 64 bytes");

	void *memory = Source::alloc(source, sizeof(block_type));
	if (!memory)
		return {};
	auto *block = new (memory) block_type(static_cast<typename Source::state &&>(source));
#if KCORO_EXCEPTIONS
	try {
		new (__builtin_addressof(block->object)) object_type(static_cast<Args &&>(args)...);
	} catch (...) {
		block_type::free(*block);
		throw;
	}
#else
	new (__builtin_addressof(block->object)) object_type(static_cast<Args &&>(args)...);
#endif
	if constexpr (knows_itself<object_type>)
		rc_access::introduce<Threads>(rc_self_of(__builtin_addressof(block->object)),
					      __builtin_addressof(block->object), block);
	return rc_access::adopt<T, Threads>(__builtin_addressof(block->object), block);
}

} // namespace detail

/* An owner, or empty. Two pointers large. */
template <typename T, typename Threads> class [[nodiscard]] rc_ptr {
public:
	using element_type = T;
	using weak_type = weak_rc_ptr<T, Threads>;

	constexpr rc_ptr() noexcept = default;
	constexpr rc_ptr(std::nullptr_t) noexcept {}
	rc_ptr(const rc_ptr &other) noexcept : object_(other.object_), block_(other.block_)
	{
		detail::rc_own(block_, Threads::alone);
	}
	rc_ptr(rc_ptr &&other) noexcept : object_(other.object_), block_(other.block_)
	{
		other.forget();
	}
	template <typename U>
		requires std::convertible_to<U *, T *>
	rc_ptr(const rc_ptr<U, Threads> &other) noexcept : rc_ptr(other, other.get())
	{
	}
	template <typename U>
		requires std::convertible_to<U *, T *>
	rc_ptr(rc_ptr<U, Threads> &&other) noexcept : object_(other.object_), block_(other.block_)
	{
		other.forget();
	}
	/* An alias: owns what @owner owns, and points to @part, which lives as long. */
	template <typename U>
	rc_ptr(const rc_ptr<U, Threads> &owner, T *part) noexcept
		: object_(part), block_(owner.block_)
	{
		detail::rc_own(block_, Threads::alone);
	}
	template <typename U>
	rc_ptr(rc_ptr<U, Threads> &&owner, T *part) noexcept : object_(part), block_(owner.block_)
	{
		owner.forget();
	}
	/* By value: what was there before goes last, when this pointer is good again. */
	rc_ptr &operator=(rc_ptr other) noexcept
	{
		swap(other);
		return *this;
	}
	~rc_ptr() { detail::rc_disown(block_, Threads::alone); }

	void reset() noexcept { rc_ptr().swap(*this); }
	void swap(rc_ptr &other) noexcept
	{
		T *object = object_;
		detail::rc_block *block = block_;

		object_ = other.object_;
		block_ = other.block_;
		other.object_ = object;
		other.block_ = block;
	}

	T *get() const noexcept { return object_; }
	T *operator->() const noexcept { return object_; }
	std::add_lvalue_reference_t<T> operator*() const noexcept
		requires(!std::is_void_v<T>)
	{
		return *object_;
	}
	explicit operator bool() const noexcept { return object_ != nullptr; }

	/* Owners now; with other threads about, a snapshot. */
	unsigned int use_count() const noexcept { return block_ ? block_->owners.load() : 0; }
	/* Are both owners of the same object, wherever they point to? */
	template <typename U> bool same_owner(const rc_ptr<U, Threads> &other) const noexcept
	{
		return block_ == other.block_;
	}

private:
	template <typename, typename> friend class rc_ptr;
	template <typename, typename> friend class weak_rc_ptr;
	friend detail::rc_access;

	/* Takes over a count. */
	rc_ptr(T *object, detail::rc_block *block) noexcept : object_(object), block_(block) {}
	void forget() noexcept
	{
		object_ = nullptr;
		block_ = nullptr;
	}

	T *object_ = nullptr;
	detail::rc_block *block_ = nullptr;
};

/* Watches: lock() gives an owner while there is one. */
template <typename T, typename Threads> class weak_rc_ptr {
public:
	using element_type = T;

	constexpr weak_rc_ptr() noexcept = default;
	weak_rc_ptr(const weak_rc_ptr &other) noexcept
		: object_(other.object_), block_(other.block_)
	{
		detail::rc_watch(block_, Threads::alone);
	}
	weak_rc_ptr(weak_rc_ptr &&other) noexcept : object_(other.object_), block_(other.block_)
	{
		other.forget();
	}
	template <typename U>
		requires std::convertible_to<U *, T *>
	weak_rc_ptr(const rc_ptr<U, Threads> &owner) noexcept
		: object_(owner.object_), block_(owner.block_)
	{
		detail::rc_watch(block_, Threads::alone);
	}
	/* To a virtual base the object itself must be asked, so it must be there. */
	template <typename U>
		requires(std::convertible_to<U *, T *> && !std::same_as<U, T>)
	weak_rc_ptr(const weak_rc_ptr<U, Threads> &other) noexcept
		: weak_rc_ptr(rc_ptr<T, Threads>(other.lock()))
	{
	}
	weak_rc_ptr &operator=(weak_rc_ptr other) noexcept
	{
		swap(other);
		return *this;
	}
	~weak_rc_ptr() { detail::rc_unwatch(block_, Threads::alone); }

	void reset() noexcept { weak_rc_ptr().swap(*this); }
	void swap(weak_rc_ptr &other) noexcept
	{
		T *object = object_;
		detail::rc_block *block = block_;

		object_ = other.object_;
		block_ = other.block_;
		other.object_ = object;
		other.block_ = block;
	}

	/* An owner, or empty when the last one has gone. */
	rc_ptr<T, Threads> lock() const noexcept
	{
		if (!block_ || !block_->owners.add_unless_zero(Threads::alone))
			return {};
		return rc_ptr<T, Threads>(object_, block_);
	}
	bool expired() const noexcept { return !use_count(); }
	unsigned int use_count() const noexcept { return block_ ? block_->owners.load() : 0; }

private:
	template <typename, typename> friend class weak_rc_ptr;
	friend detail::rc_access;

	/* Takes over a count. */
	weak_rc_ptr(T *object, detail::rc_block *block) noexcept : object_(object), block_(block) {}
	void forget() noexcept
	{
		object_ = nullptr;
		block_ = nullptr;
	}

	T *object_ = nullptr;
	detail::rc_block *block_ = nullptr;
};

/* Base of a T that gives out pointers to itself. T and the pointer have the same threads. */
template <typename T, typename Threads> class enable_rc_from_this {
public:
	/* Empty while nobody owns it. */
	rc_ptr<T, Threads> rc_from_this() noexcept { return self_.lock(); }
	rc_ptr<const T, Threads> rc_from_this() const noexcept { return self_.lock(); }
	weak_rc_ptr<T, Threads> weak_from_this() noexcept { return self_; }

protected:
	enable_rc_from_this() noexcept = default;
	/* Who it is does not depend on what it holds. */
	enable_rc_from_this(const enable_rc_from_this &) noexcept {}
	enable_rc_from_this &operator=(const enable_rc_from_this &) noexcept { return *this; }
	~enable_rc_from_this() = default;

private:
	friend detail::rc_access;

	weak_rc_ptr<T, Threads> self_;
};

/* An object of its own, from the platform's frames; empty when there is no memory. */
template <typename T, typename Threads = threads::standard, typename... Args>
rc_ptr<T, Threads> make_rc(Args &&...args)
{
	return detail::rc_make<T, Threads, detail::rc_platform>({}, static_cast<Args &&>(args)...);
}

/*
 * The same, from a frame_source, from what else frame_arg<> knows, or from an allocator by
 * value. A source must outlive the last watcher; an allocator is kept with the object.
 */
template <typename T, typename Threads = threads::standard, typename From, typename... Args>
rc_ptr<T, Threads> allocate_rc(From &&from, Args &&...args)
{
	using source = detail::rc_from<std::remove_cvref_t<From>>;

	return detail::rc_make<T, Threads, source>(source::keep(from),
						   static_cast<Args &&>(args)...);
}

template <typename T, typename U, typename Threads>
rc_ptr<T, Threads> static_rc_cast(rc_ptr<U, Threads> from) noexcept
{
	T *object = static_cast<T *>(from.get());

	return rc_ptr<T, Threads>(static_cast<rc_ptr<U, Threads> &&>(from), object);
}

template <typename T, typename U, typename Threads>
rc_ptr<T, Threads> const_rc_cast(rc_ptr<U, Threads> from) noexcept
{
	T *object = const_cast<T *>(from.get());

	return rc_ptr<T, Threads>(static_cast<rc_ptr<U, Threads> &&>(from), object);
}

template <typename T, typename U, typename Threads>
bool operator==(const rc_ptr<T, Threads> &a, const rc_ptr<U, Threads> &b) noexcept
{
	return a.get() == b.get();
}

template <typename T, typename Threads>
bool operator==(const rc_ptr<T, Threads> &a, std::nullptr_t) noexcept
{
	return !a.get();
}

template <typename T, typename U, typename Threads>
std::strong_ordering operator<=>(const rc_ptr<T, Threads> &a, const rc_ptr<U, Threads> &b) noexcept
{
	return std::compare_three_way()(a.get(), b.get());
}

} // namespace kcoro::inline KCORO_ABI

#endif // KCORO_RC_PTR_HPP
