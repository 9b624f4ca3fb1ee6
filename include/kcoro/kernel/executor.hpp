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
	bool *over; /* during a step: set when the coroutine has finished */
	int error;
	bool started;

	explicit place(kcoro_coro *c) noexcept
		: kcoro::executor{&calls, true, false}, core(c), over(nullptr), error(0),
		  started(false)
	{
	}

	static place &of(kcoro::executor &e) noexcept { return static_cast<place &>(e); }

	static void post(kcoro::executor &e, coro &co) noexcept
	{
		place &me = of(e);

		/* The first one is its creator's; nobody else knows it yet. */
		if (me.started) {
			kcoro_cxx_coro_wake(me.core);
			return;
		}
		const kcoro_cxx_body body = {step, expired, &co, co.innermost()};

		me.started = true;
		kcoro_cxx_coro_start(me.core, &body);
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

	static void ended(kcoro::executor &e, int error) noexcept
	{
		place &me = of(e);

		me.error = error;
		*me.over = true;
	}

	/* In the kernel the room has bytes, and so a place of its own. */
	static void expired(void *room) noexcept
	{
		timer &t = *reinterpret_cast<timer *>(static_cast<unsigned char *>(room) -
						      offsetof(timer, room));

		t.place = 0;
		t.expired(t);
	}

	static int kind_of(wait_kind kind) noexcept
	{
		/* enum kcoro_wait_kind */
		switch (kind) {
		case wait_kind::event:
			return 1;
		case wait_kind::timer:
			return 2;
		case wait_kind::channel:
			return 4;
		case wait_kind::join:
			return 5;
		case wait_kind::group:
			return 6;
		default:
			return 0;
		}
	}

	static void step(void *arg, kcoro_cxx_step *s) noexcept
	{
		coro &co = *static_cast<coro *>(arg);
		place &me = of(co.where());
		bool over = false;

		me.over = &over;
		if (s->stop)
			co.stop(s->stop);
		co.run();
		if (over) {
			s->kind = -1;
			s->result = me.error;
			return;
		}
		s->kind = kind_of(co.waits_for());
		s->stop = co.stops();
		s->innermost = co.innermost();
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
