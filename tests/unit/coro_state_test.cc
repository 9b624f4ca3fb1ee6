// SPDX-License-Identifier: GPL-2.0-only
//
// coro_state_test.cc - every order in which a source, a waker, a canceller, the runner and who
// looks at its frame, of one coroutine, can meet. The changes of the state word are the kernel's own
// (include/kcoro/state.h); each atomic step of the others is modelled from
// kmod/coro/{coroutine,wait,event}.c. Explored depth first; states seen are not
// explored again.
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <kcoro/state.h>

namespace {

enum wait_state : std::uint8_t { idle, armed, firing, fired };
enum body_at : std::uint8_t { before_await, in_await, at_end };
// Where the runner is between two of its atomic steps.
enum runner_at : std::uint8_t { runner_idle, body_runs, suspends, suspends_compare, again };
enum actor : std::uint8_t { source, waker, canceller, looker, runner, actors };

// Which rule is broken on purpose, to see that the exploration notices.
enum class fault { none, fired_before_wake, suspends_blindly, queues_always, thaws_blindly };

struct world {
	std::uint32_t word = KCORO_STATE_NOTIFIED; // started, and in the queue
	std::uint32_t seen = 0;			   // what the runner read
	std::uint8_t queued = 1;
	wait_state wait = idle;
	body_at body = before_await;
	runner_at run = runner_idle;
	bool event_set = false;
	bool locked = false; // the source's lock
	bool freed = false;
	std::uint8_t step[actors] = {};
	bool owns[actors] = {}; // must queue the coroutine in its next step

	auto key() const
	{
		return std::vector<std::uint32_t>{
			word,	   seen,    queued,  wait,	   body,	run,
			event_set, locked,  freed,   step[source], step[waker], step[canceller],
			owns[0],   owns[1], owns[2], step[looker],
		};
	}
};

class explorer {
public:
	explicit explorer(fault f) : fault_(f) {}

	// The first rule that some order breaks, or "".
	std::string explore()
	{
		visit(world{});
		return error_;
	}
	std::size_t states() const { return seen_.size(); }

private:
	void fail(const char *what)
	{
		if (error_.empty())
			error_ = what;
	}

	// fetch_or of the state word; whether to queue is decided by what it was.
	void notify(world &w, actor a, unsigned int bits)
	{
		w.owns[a] = kcoro_state_queues(w.word) || fault_ == fault::queues_always;
		w.word = kcoro_state_notified(w.word, bits);
	}

	void queue(world &w, actor a)
	{
		if (w.owns[a] && ++w.queued > 1)
			fail("queued twice");
		w.owns[a] = false;
	}

	// Each returns false when the actor can't go on now.
	bool step_source(world &w)
	{
		if (w.freed && w.step[source] > 0 && w.step[source] < 4)
			fail("the source touches a frame that is gone");
		switch (w.step[source]) {
		case 0: // takes the lock; off the list, or set for who comes
			if (w.locked)
				return false;
			if (w.wait != armed) {
				w.event_set = true;
				w.step[source] = 5;
				return true;
			}
			w.locked = true;
			w.wait = fault_ == fault::fired_before_wake ? fired : firing;
			break;
		case 1:
			notify(w, source, 0);
			break;
		case 2:
			queue(w, source);
			break;
		case 3:
			w.wait = fired;
			break;
		case 4: // its own lock: the frame may be gone
			w.locked = false;
			break;
		default:
			return false;
		}
		w.step[source]++;
		return true;
	}

	// Has a reference: the frame stays for it.
	bool step_reference(world &w, actor a, unsigned int bits)
	{
		if (w.step[a] == 0)
			notify(w, a, bits);
		else if (w.step[a] == 1)
			queue(w, a);
		else
			return false;
		w.step[a]++;
		return true;
	}

	// Finds it on its scope's list, so that it is not gone: freezes it, looks, thaws it.
	bool step_looker(world &w)
	{
		switch (w.step[looker]) {
		case 0:
			if (w.freed || !kcoro_state_queues(w.word))
				return false;
			w.word = kcoro_state_frozen(w.word);
			break;
		case 1:
			if (w.run != runner_idle || w.freed)
				fail("the frame is run while somebody looks at it");
			break;
		case 2:
			if (fault_ == fault::thaws_blindly || kcoro_state_suspends(w.word)) {
				w.word = kcoro_state_suspended(w.word);
			} else {
				w.word = kcoro_state_again(w.word);
				if (++w.queued > 1)
					fail("queued twice");
			}
			break;
		default:
			return false;
		}
		w.step[looker]++;
		return true;
	}

	void finish(world &w)
	{
		w.word = kcoro_state_finished(w.word, 4);
		w.body = at_end;
		w.run = runner_idle;
		w.freed = true;
	}

	// The body, up to its next return: one call of the await.
	void body(world &w)
	{
		if (w.body == before_await) {
			if (w.event_set || w.word & KCORO_STATE_STOP) {
				finish(w);
				return;
			}
			w.wait = armed;
			w.body = in_await;
			w.run = suspends;
			return;
		}
		if (w.wait == fired) {
			finish(w);
		} else if (w.wait == firing) {
			w.run = again;
		} else if (w.word & KCORO_STATE_STOP) {
			// Under the lock. When the source has it, look again.
			if (w.locked) {
				w.run = again;
				return;
			}
			w.wait = idle;
			finish(w);
		} else {
			w.run = suspends;
		}
	}

	bool step_runner(world &w)
	{
		switch (w.run) {
		case runner_idle:
			if (!w.queued)
				return false;
			w.queued--;
			if (w.freed) {
				fail("a frame that is gone is run");
				return false;
			}
			if (!(w.word & KCORO_STATE_NOTIFIED) || w.word & KCORO_STATE_RUNNING)
				fail("run without a wake, or twice at a time");
			w.word += KCORO_STATE_RUN;
			w.run = body_runs;
			return true;
		case body_runs:
			body(w);
			return true;
		case suspends:
			w.seen = w.word;
			w.run = suspends_compare;
			return true;
		case suspends_compare:
			if (fault_ != fault::suspends_blindly && !kcoro_state_suspends(w.seen)) {
				w.run = again;
			} else if (w.word == w.seen || fault_ == fault::suspends_blindly) {
				w.word = kcoro_state_suspended(w.word);
				w.run = runner_idle;
			} else {
				w.seen = w.word;
			}
			return true;
		case again:
			w.word = kcoro_state_again(w.word);
			if (++w.queued > 1)
				fail("queued twice");
			w.run = runner_idle;
			return true;
		}
		return false;
	}

	void visit(const world &from)
	{
		if (!error_.empty() || !seen_.insert(from.key()).second)
			return;
		bool moved = false;
		for (int a = source; a < actors; a++) {
			world w = from;
			bool can = a == source	 ? step_source(w)
				   : a == waker	 ? step_reference(w, waker, 0)
				   : a == looker ? step_looker(w)
				   : a == runner ? step_runner(w)
						 : step_reference(w, canceller, KCORO_STATE_CANCEL);
			if (!can)
				continue;
			moved = true;
			visit(w);
		}
		if (!moved && from.body != at_end)
			fail("all are done and the coroutine is suspended: a wake was lost");
	}

	fault fault_;
	std::string error_;
	std::set<std::vector<std::uint32_t>> seen_;
};

TEST(CoroState, EveryOrderEndsWell)
{
	explorer e(fault::none);
	EXPECT_EQ(e.explore(), "");
	EXPECT_GT(e.states(), 500u);
}

// An exploration that notices nothing would prove nothing.
TEST(CoroState, NoticesAWaitThatFiresBeforeItsWake)
{
	EXPECT_EQ(explorer(fault::fired_before_wake).explore(),
		  "the source touches a frame that is gone");
}

TEST(CoroState, NoticesALostWake)
{
	EXPECT_EQ(explorer(fault::suspends_blindly).explore(),
		  "all are done and the coroutine is suspended: a wake was lost");
}

TEST(CoroState, NoticesAWakeThatIsLostToWhoLooks)
{
	EXPECT_EQ(explorer(fault::thaws_blindly).explore(),
		  "all are done and the coroutine is suspended: a wake was lost");
}

TEST(CoroState, NoticesTwoThatQueue)
{
	EXPECT_EQ(explorer(fault::queues_always).explore(), "queued twice");
}

} // namespace
