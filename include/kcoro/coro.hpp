/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * coro.hpp - a coroutine: a task with all it awaits, as one thing that is run, waits, is
 * woken, and can be told to stop. What struct kcoro_coro is in the core.
 *
 * Brief:         each task of an await chain has a pointer to its coro. The coro knows the
 *                innermost frame and what that waits for, so that a stop reaches the leaf
 *                at once, however deep it is. Users meet it as `co_await self()`, in stop.hpp
 *                and behind a join_handle.
 * Thread safety: wake() and stop() from any thread that knows it to exist; the rest is for
 *                who runs it. state_ is the word of state.h, with one bit more.
 * Allocation:    none; it lies in the object that spawned it.
 * Cancellation:  a stop sets a bit and wakes. The coroutine's own run takes it off what it
 *                waits for, so that there is nobody else who touches a wait. A cancel or a
 *                timeout is told once, as the result of that wait; who then waits again is
 *                killed, unless it accepted. A kill destroys the frames, innermost first.
 *
 * Who wakes whom. A source that has what a wait is for takes the wait off its list, under
 * its lock, and is then the only one who may set FIRED, which it does last: from then on the
 * frame, and the wait in it, may be gone. A run without FIRED is spurious, or is a stop.
 */
#ifndef KCORO_CORO_HPP
#define KCORO_CORO_HPP

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <cstdint>

#include <kcoro/executor.hpp>
#include <kcoro/promise_link.hpp>
#include <kcoro/result.hpp>
#include <kcoro/state.h>
#include <kcoro/threads.hpp>

namespace kcoro::inline KCORO_ABI {

class coro;
class group_base;

struct wait_node;

/* What the source did is there; the waker is done with the wait. */
inline constexpr unsigned int state_fired = 1U << 7;

/* As enum kcoro_wait_kind; what that does not have comes last. */
enum class wait_kind : unsigned char {
	nothing,
	event,
	timer,
	channel = 4,
	join,
	group,
	queue,
	call,
	key,
	completion = 128,
	task,
};

struct wait_ops {
	/*
	 * Take the wait off its source. True: done, nobody else will touch it. False: the
	 * source fires later: its waker is under way, or @stop was passed on to who is
	 * awaited.
	 */
	bool (*unhook)(wait_node &, unsigned int stop) noexcept;
	/* After FIRED: may the coroutine go on? False: another FIRED comes. May be null. */
	bool (*settle)(wait_node &) noexcept;
	wait_kind kind;
	/* The await has no result that could tell of a stop: any stop is a kill there. */
	bool silent = false;
};

/* One wait of a coroutine, or of a member of a group, for one source. Lies in the frame. */
struct wait_node {
	wait_node *next = nullptr; /* on the source's list, under its lock */
	wait_node *prev = nullptr;
	coro *owner = nullptr;
	group_base *group = nullptr; /* whose member it is; null: the owner waits for it alone */
	const wait_ops *ops = nullptr;
	int error = 0;	    /* what the await gives, when it is not a value */
	bool ready = false; /* as a member: the source has fired */
};

/* For the runner alone; others read it for a snapshot. */
class flag {
public:
	flag &operator=(bool v) noexcept
	{
		__atomic_store_n(&v_, v, __ATOMIC_RELAXED);
		return *this;
	}
	operator bool() const noexcept { return __atomic_load_n(&v_, __ATOMIC_RELAXED); }

private:
	bool v_ = false;
};

/*
 * The first two words are those of a coroutine frame: the continuation of its outermost
 * task, which is resumed when that has ended.
 */
class coro {
	static inline void root_ended(coro *co) noexcept;
	static void ended_at_once(coro *) noexcept {}
	static void root_destroyed(coro *) noexcept { platform::panic("a coro was destroyed"); }

	/* Read by coroutine_handle<>::resume(): these two are first. */
	[[maybe_unused]] void (*resumed_)(coro *) noexcept = root_ended;
	[[maybe_unused]] void (*destroyed_)(coro *) noexcept = root_destroyed;

public:
	using on_end = void (*)(coro &) noexcept;

	/* @completed is called when it has finished, on its executor; @co may go then. */
	coro(executor *where, on_end completed) noexcept : exec_(where), completed_(completed) {}
	coro(const coro &) = delete;
	coro &operator=(const coro &) = delete;

	executor &where() const noexcept { return *exec_; }

	/* Have it run; FIRED or bits of a stop. See the top. */
	void wake(unsigned int bits) noexcept
	{
		unsigned int old = state_.change(0, KCORO_STATE_NOTIFIED | bits, exec_->alone);

		if (old & (KCORO_STATE_NOTIFIED | KCORO_STATE_FINISHED))
			return;
		/* Who runs it looks again. */
		if (!exec_->serial && (old & KCORO_STATE_RUNNING))
			return;
		exec_->ops->post(*exec_, *this);
	}

	void cancel() noexcept { wake(KCORO_STATE_CANCEL); }
	void kill() noexcept { wake(KCORO_STATE_KILL); }
	void time_out() noexcept { wake(KCORO_STATE_TIMEOUT); }
	void stop(unsigned int bits) noexcept { wake(bits & KCORO_STATE_STOP); }

	/* KCORO_STATE_* of a stop that are set; a snapshot. */
	unsigned int stops() const noexcept { return state_.load() & KCORO_STATE_STOP; }

	/* Is it asked to end? 0, or the errno. Does not count as having been told. */
	int stopping() const noexcept { return stop_errno(state_.load()); }

	/* The body knows, and awaits more to come to its end. Takes back all but a kill. */
	void accept() noexcept
	{
		state_.change(KCORO_STATE_CANCEL | KCORO_STATE_TIMEOUT | KCORO_STATE_SEEN, 0,
			      exec_->alone);
	}

	/* A snapshot; the four final ones stay. */
	enum status status() const noexcept
	{
		unsigned int state = state_.load();

		if (state & KCORO_STATE_FINISHED)
			return static_cast<enum status>(state >> KCORO_STATE_STATUS_SHIFT);
		if (in_run_)
			return status::running;
		if (state & KCORO_STATE_NOTIFIED)
			return status::ready;
		return ran_ ? status::suspended : status::created;
	}

	/* What it waits for; for its executor, and for who looks at it while it does not run. */
	wait_kind waits_for() const noexcept
	{
		return waiting_ ? waiting_->ops->kind : wait_kind::nothing;
	}

	/* The frame that is resumed next; while it does not run. */
	void *innermost() const noexcept { return current_.address(); }
	/* Where that stands, and the bits of stops(); for executors that show it to others. */
	void *const *innermost_place() const noexcept
	{
		static_assert(sizeof(current_) == sizeof(void *));
		return reinterpret_cast<void *const *>(&current_);
	}
	const unsigned int *state_place() const noexcept { return state_.place(); }

	/* For executors: link of their queue, and the one call. */
	coro *next = nullptr;
	inline void run() noexcept;
	/*
	 * As run(), where nobody has called wake(state_fired), but what it waits for is there. For
	 * executors that are serial, and learn of it in another way.
	 */
	[[gnu::always_inline]] inline void run_fired() noexcept;

	/* For awaits: @w is what the coroutine waits for, in @frame. Before @w is published. */
	void suspend_at(std::coroutine_handle<> frame, wait_node &w) noexcept
	{
		current_ = frame;
		/* Two stores: to make one of them takes longer. */
		__asm__ volatile("" : : : "memory");
		waiting_ = &w;
	}
	/* In the case that @w has happened meanwhile. */
	void unsuspend() noexcept { waiting_ = nullptr; }

	/* For light_event: go on in the place, now; the coroutine waits, and its wait is over. */
	[[gnu::always_inline]] void go_on() noexcept
	{
#if KCORO_SYMMETRIC_TRANSFER
		current_.resume();
#else
		in_run_ = true;
		resume(current_);
		in_run_ = false;
		if (ended_)
			finish();
#endif
	}

	/* For tasks: who is resumed at the end of the outermost one. */
	void *continuation() noexcept { return detail::as_frame(this); }

	/* For tasks without symmetric transfer: what is resumed after the one that returns. */
	void transfer(std::coroutine_handle<> to) noexcept { transfer_ = to; }

	/* Resume a frame, and those that it passes on to. */
	void resume(std::coroutine_handle<> h) noexcept
	{
#if KCORO_SYMMETRIC_TRANSFER
		h.resume();
#else
		do {
			transfer_ = nullptr;
			h.resume();
			h = transfer_;
		} while (h);
#endif
	}

	/*
	 * For who owns the outermost task: then start it here, or post it. @root: where its
	 * frame is kept; if the frame has to be destroyed, detail::no_frame is left there.
	 */
	void set_root(void **root) noexcept
	{
		root_ = root;
		current_ = std::coroutine_handle<>::from_address(*root);
	}
	bool has_frame() const noexcept { return root_ && detail::is_frame(*root_); }
	void post_start() noexcept { wake(state_fired); }
	/*
	 * On the executor, for who starts tasks here, one after the other, as long as they end
	 * at once: begin_starts(), and runs_through() for each. The one that does not needs
	 * keep_root(): its frame stands at @root. That is true if it has ended after all, and
	 * completed() was not called; such a coro is of no use any more.
	 */
	inline void begin_starts() noexcept;
	inline bool runs_through(std::coroutine_handle<> begun) noexcept;
	inline bool keep_root(void **root) noexcept;
	/* End it without running on, while it waits and nobody wakes it: for task::run(). */
	inline void abandon() noexcept;

	[[no_unique_address]] platform::exception_slot exception;

	static constexpr int stop_errno(unsigned int state) noexcept
	{
		if (state & KCORO_STATE_KILL)
			return err::interrupted;
		if (state & KCORO_STATE_TIMEOUT)
			return err::timed_out;
		if (state & KCORO_STATE_CANCEL)
			return err::cancelled;
		return 0;
	}

protected:
	~coro() = default;

private:
	inline bool step(unsigned int state) noexcept;
	inline void run_with(unsigned int old) noexcept;
	static inline void *stopped_frame(unsigned int state) noexcept;
	inline void unwind() noexcept;
	inline void finish() noexcept;
	inline void end() noexcept;
	inline enum status final_status(unsigned int state) const noexcept;

	executor *exec_;
	word state_;
	flag in_run_; /* run() is on the stack, and does what the end asks for */
	flag ran_;
	bool ended_ = false;	       /* the outermost task has */
	wait_node *waiting_ = nullptr; /* means something while suspended only */
	std::coroutine_handle<> current_;
	void **root_ = nullptr;
	std::coroutine_handle<> transfer_;
	on_end completed_;
};

/* A source has what @w is for, and took it off its list. @w may be gone afterwards. */
inline void fire(wait_node &w) noexcept;

/* What who awaits @h belongs to. */
template <typename Promise>
concept chained = requires(Promise &p) {
	{ p.owner } -> std::same_as<coro *&>;
} && std::derived_from<Promise, detail::promise_link>;

template <typename H>
concept chained_handle = requires(H h) {
	{ h.promise().owner } -> std::same_as<coro *&>;
} && chained<std::remove_reference_t<decltype(std::declval<H &>().promise())>>;

inline void coro::root_ended(coro *co) noexcept
{
	if (co->in_run_)
		co->ended_ = true;
	else
		co->finish();
}

inline enum status coro::final_status(unsigned int state) const noexcept
{
	if (state & KCORO_STATE_KILL)
		return status::killed;
	/* Who was killed has no frame any more. */
	int error = ran_ ? detail::promise_link::of(*root_).error : 0;

	if (state & KCORO_STATE_TIMEOUT && (!ran_ || error == err::timed_out))
		return status::timed_out;
	if (state & KCORO_STATE_CANCEL && (!ran_ || error == err::cancelled))
		return status::cancelled;
	return status::done;
}

inline void coro::finish() noexcept
{
	unsigned int status = static_cast<unsigned int>(final_status(state_.load()));
	unsigned int old = state_.change(KCORO_STATE_RUNNING,
					 KCORO_STATE_FINISHED | status << KCORO_STATE_STATUS_SHIFT,
					 exec_->alone);

	/* A stop that was too late has queued it: it goes when it comes out of there. */
	if (exec_->serial && (old & KCORO_STATE_NOTIFIED))
		return;
	end();
}

inline void coro::end() noexcept
{
	if (exec_->ops->ended) {
		enum status s = status();

		exec_->ops->ended(*exec_, *this,
				  s == status::done ? detail::promise_link::of(*root_).error
						    : status_errno(s));
	}
	completed_(*this);
}

inline void *coro::stopped_frame(unsigned int state) noexcept
{
	switch (stop_errno(state)) {
	case err::timed_out:
		return detail::no_frame<err::timed_out>();
	case err::cancelled:
		return detail::no_frame<err::cancelled>();
	default:
		return detail::no_frame<err::interrupted>();
	}
}

/*
 * Destroy the frames; they await nothing any more. The innermost one first: what it has may
 * refer to what outer ones have, and the stack does not grow with the chain.
 */
inline void coro::unwind() noexcept
{
	void *const killed = stopped_frame(state_.load());
	void *frame = current_.address();

	ended_ = true;
	while (frame != this) {
		auto &promise = detail::promise_link::of(frame);
		void *outer = promise.continuation;

		*promise.take_owner_slot() = killed;
		std::coroutine_handle<>::from_address(frame).destroy();
		frame = outer;
	}
}

/* Do what @state asks for; true: a frame was resumed or destroyed. */
inline bool coro::step(unsigned int state) noexcept
{
	bool fired = state & state_fired;
	wait_node *w = waiting_;

	if (!ran_) {
		if (state & KCORO_STATE_STOP) {
			unwind();
			return true;
		}
		if (!fired)
			return false;
		ran_ = true;
		resume(current_);
		return true;
	}
	if (fired && w && w->ops->settle)
		fired = w->ops->settle(*w);
	if (!fired) {
		if (!(state & KCORO_STATE_STOP) || !w)
			return false;
		/* Told already, and it waits again; or it can't be told: it is killed. */
		if (!(state & KCORO_STATE_KILL) && (state & KCORO_STATE_SEEN || w->ops->silent)) {
			state |= KCORO_STATE_KILL;
			state_.change(0, KCORO_STATE_KILL, exec_->alone);
		}
		if (!w->ops->unhook(*w, state & KCORO_STATE_STOP))
			return false;
		w->error = stop_errno(state);
		if (!(state & KCORO_STATE_KILL))
			state_.change(0, KCORO_STATE_SEEN, exec_->alone);
	}
	if (state & KCORO_STATE_KILL) {
		unwind();
		return true;
	}
	waiting_ = nullptr;
	resume(current_);
	return true;
}

inline void coro::run() noexcept
{
	run_with(state_.change(KCORO_STATE_NOTIFIED | state_fired,
			       exec_->serial ? 0 : KCORO_STATE_RUNNING, exec_->alone));
}

inline void coro::run_fired() noexcept
{
	[[maybe_unused]] platform::thread_state kept;
	unsigned int old = state_.load();

	if (!old && !waiting_->ops->settle) [[likely]] {
		/* Nothing else: run_with(), short. */
		in_run_ = true;
		waiting_ = nullptr;
		resume(current_);
		in_run_ = false;
		if (ended_) [[unlikely]] {
			finish();
			return;
		}
		old = state_.load() & ~state_fired;
		if (!(old & KCORO_STATE_STOP)) [[likely]]
			return;
	} else {
		if (old & KCORO_STATE_NOTIFIED)
			old = state_.change(KCORO_STATE_NOTIFIED | state_fired, 0, exec_->alone);
		old |= state_fired;
	}
	run_with(old);
}

/* @old: the state, of which NOTIFIED and FIRED have been taken. */
inline void coro::run_with(unsigned int old) noexcept
{
	[[maybe_unused]] platform::thread_state kept;
	const bool serial = exec_->serial;

	if (old & KCORO_STATE_FINISHED) {
		end();
		return;
	}
	in_run_ = true;
	while (step(old) && !ended_) {
		/* A stop that came while it ran, or one that was told, is not waited with. */
		old = state_.load() & ~state_fired;
		if (!(old & KCORO_STATE_STOP))
			break;
	}
	in_run_ = false;
	if (ended_) {
		finish();
		return;
	}
	if (serial)
		return;
	/* Woken meanwhile: it stays notified, and is queued again. */
	if (state_.change(KCORO_STATE_RUNNING, 0, false) & KCORO_STATE_NOTIFIED)
		exec_->ops->post(*exec_, *this);
}

inline void coro::begin_starts() noexcept
{
	resumed_ = ended_at_once;
	ran_ = true;
	in_run_ = true;
	/* Nobody knows it yet. */
	if (!exec_->serial)
		state_.store(KCORO_STATE_RUNNING);
}

inline bool coro::runs_through(std::coroutine_handle<> begun) noexcept
{
	resume(begun);
	return begun.done() && !(state_.load() & KCORO_STATE_NOTIFIED);
}

inline bool coro::keep_root(void **root) noexcept
{
	root_ = root;
	resumed_ = root_ended;
	in_run_ = false;
	if (std::coroutine_handle<>::from_address(*root).done()) {
		/* It has stopped itself, and is queued. */
		if (exec_->serial) {
			finish();
			return false;
		}
		return true;
	}
	if (!exec_->serial && (state_.change(KCORO_STATE_RUNNING, 0, false) & KCORO_STATE_NOTIFIED))
		exec_->ops->post(*exec_, *this);
	return false;
}

inline void coro::abandon() noexcept
{
	if (waiting_ && !waiting_->ops->unhook(*waiting_, KCORO_STATE_KILL))
		platform::panic("run() of a task that waits for what another thread wakes");
	state_.change(0, KCORO_STATE_KILL, exec_->alone);
	unwind();
}

} // namespace kcoro::inline KCORO_ABI

#endif // KCORO_CORO_HPP
