/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * executor.hpp - the kernel's executors: where C++ coroutines run in a module.
 *
 * Brief:         an executor is a scope of the core and one of its queues. Each coroutine
 *                that is spawned on it is one of the core, in that scope: `kcoro ps` lists it,
 *                and kcoro_scope_destroy(), _cancel(), _kill() and the scope's deadline reach
 *                it. The scope is made and destroyed in C, by the module's init and exit.
 * Thread safety: any context, NMI included, may spawn and wake; sleep_for and timeout are for
 *                bodies.
 * Allocation:    one frame of the scope's pool for the core, beside the coroutine's own.
 * Cancellation:  a stop of the scope, or of kcoro_coro_*(), is one of the C++ coroutine: what
 *                it waits for gives the errno once. A kill destroys its frames.
 * Traps:         a module's exit must destroy the scope: it waits until all are gone.
 *                A body on softirq or worker must not sleep; one on sleeper may, and runs in
 *                a kernel thread.
 *
 *	extern "C" int hello_start(kcoro_scope *scope)
 *	{
 *		static kcoro::kernel::executor softirq(kcoro::kernel::queue::softirq);
 *
 *		softirq.use(scope);
 *		return kcoro::spawn(softirq, hello()).error();
 *	}
 */
#ifndef KCORO_KERNEL_EXECUTOR_HPP
#define KCORO_KERNEL_EXECUTOR_HPP

#include <kcoro/coro.hpp>
#include <kcoro/cxx.h>
#include <kcoro/executor.hpp>

namespace kcoro::inline KCORO_ABI::kernel {

/* Which of the core's queues. */
enum class queue : unsigned char {
	softirq, /* bottom halves off; must not sleep */
	worker,	 /* a kernel thread that others use, too; must not sleep */
	sleeper, /* a kernel thread while it runs; may sleep */
};

namespace detail {

/* The executor of one coroutine: lies beside that of the core, and lives as long. */
struct place final : kcoro::executor {
	kcoro_coro *core;
	coro *root = nullptr;	/* which is spawned here; null: it was not posted yet */
	coro *posted = nullptr; /* members of its groups that are to run, the newest first */
	int error = 0;
	bool over = false; /* the coroutine has finished, with error */

	explicit place(kcoro_coro *c) noexcept : kcoro::executor{&calls, true, false}, core(c) {}

	static place &of(kcoro::executor &e) noexcept { return static_cast<place &>(e); }

	/* False: one that is run() by plain code. */
	static bool has(const coro &co) noexcept { return co.where().ops == &calls; }

	static void post(kcoro::executor &e, coro &co) noexcept
	{
		place &me = of(e);

		/* The first one is its creator's; nobody else knows it yet. */
		if (!me.root) {
			const kcoro_cxx_body body = {step,
						     expired,
						     &co,
						     co.innermost(),
						     co.innermost_place(),
						     co.state_place(),
						     &me.error};

			me.root = &co;
			kcoro_cxx_coro_start(me.core, &body);
			return;
		}
		if (&co != me.root)
			me.push(co);
		kcoro_cxx_coro_wake(me.core);
	}

	void push(coro &co) noexcept
	{
		coro *first = __atomic_load_n(&posted, __ATOMIC_RELAXED);

		do
			co.next = first;
		while (!__atomic_compare_exchange_n(&posted, &first, &co, true, __ATOMIC_RELEASE,
						    __ATOMIC_RELAXED));
	}

	void run_posted() noexcept
	{
		coro *newest = __atomic_exchange_n(&posted, nullptr, __ATOMIC_ACQUIRE);
		coro *oldest = nullptr;

		while (newest) {
			coro *co = newest;

			newest = co->next;
			co->next = oldest;
			oldest = co;
		}
		while (oldest) {
			coro *co = oldest;

			oldest = co->next;
			co->run();
		}
	}

	static bool timer_start(kcoro::executor &e, timer &t) noexcept
	{
		t.place = 1;
		kcoro_cxx_timer_start(of(e).core, &t.room, t.when);
		return true;
	}

	static bool timer_stop(kcoro::executor &, timer &t) noexcept
	{
		if (!t.place || !kcoro_cxx_timer_stop(&t.room))
			return false;
		t.place = 0;
		return true;
	}

	/* One that awaits from elsewhere has no place; there is none in the kernel. */
	static void awaited(kcoro::executor &e, kcoro::executor *by) noexcept
	{
		kcoro_cxx_coro_awaited(of(e).core, by ? of(*by).core : nullptr);
	}

	static void ended(kcoro::executor &e, coro &co, int error) noexcept
	{
		place &me = of(e);

		/* Or it is a member of a group. */
		if (&co != me.root)
			return;
		me.error = error;
		me.over = true;
	}

	/* In the kernel the room has bytes, and so a place of its own. */
	static void expired(void *room) noexcept
	{
		timer &t = *reinterpret_cast<timer *>(static_cast<unsigned char *>(room) -
						      offsetof(timer, room));

		t.place = 0;
		t.expired(t);
	}

	static int step(void *arg, unsigned int how) noexcept
	{
		coro &co = *static_cast<coro *>(arg);
		place &me = of(co.where());

		if (how & KCORO_STATE_STOP) [[unlikely]]
			co.stop(how);
		if (__atomic_load_n(&me.posted, __ATOMIC_RELAXED)) [[unlikely]]
			me.run_posted();
		if (how & KCORO_CXX_FIRED) [[likely]]
			co.run_fired();
		else
			co.run();
		return me.over ? -1 : static_cast<int>(co.waits_for());
	}

	static constexpr executor_ops calls = {.post = post,
					       .timer_start = timer_start,
					       .timer_stop = timer_stop,
					       .awaited = awaited,
					       .ended = ended};
};

} // namespace detail

class executor final : public kcoro::executor {
public:
	/* The scope comes with use(); until then nothing can be spawned (-EINVAL). */
	explicit constexpr executor(queue q, kcoro_scope *scope = nullptr) noexcept
		: kcoro::executor{&calls, true, false}, scope_(scope), queue_(q)
	{
	}

	/* Null: no more; before the scope is destroyed, when somebody might still spawn. */
	void use(kcoro_scope *scope) noexcept { scope_ = scope; }

private:
	static kcoro::executor *place(kcoro::executor &e, int &error) noexcept
	{
		executor &me = static_cast<executor &>(e);
		void *room;
		kcoro_coro *core =
			kcoro_cxx_coro_create(me.scope_, me.queue_ != queue::softirq,
					      me.queue_ == queue::sleeper, &room, &error);

		static_assert(sizeof(detail::place) <= KCORO_CXX_ROOM);
		return core ? new (room) detail::place(core) : nullptr;
	}

	static constexpr executor_ops calls = {
		[](kcoro::executor &, coro &) noexcept {
			platform::panic("a coroutine that was not spawned");
		},
		[](kcoro::executor &, timer &) noexcept { return false; },
		[](kcoro::executor &, timer &) noexcept { return false; },
		place,
	};

	kcoro_scope *scope_;
	queue queue_;
};

} // namespace kcoro::inline KCORO_ABI::kernel

#endif // KCORO_KERNEL_EXECUTOR_HPP
