/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * when.hpp - when_some, when_any, when_all: wait for several things at once.
 *
 * Brief:         members are tasks, join_handles and leaf awaiters (event.wait(),
 *                channel.receive(), sleep_for()...), mixed, as arguments; or a span of
 *                one kind: anything with begin() and end(). `co_await when_any(a, b)` gives a
 *                `readiness`: how many are ready, which was first, and each. What a member
 *                gives is then asked of it: a.take().
 * Thread safety: for the body; members fire on any thread. Tasks begin in the caller's place,
 *                and go on on its executor: on a thread pool side by side.
 * Allocation:    as arguments none; of a span of tasks one block for each task that does
 *                not end at once; without memory the rest is stopped, and error is -ENOMEM.
 * Cancellation:  when enough are ready, leaf awaiters are taken off, and give -ECANCELED;
 *                tasks that still run are cancelled and waited for; joined coroutines
 *                are left alone. A stop of who waits is passed on to the tasks.
 * Traps:         name the members whose values you want. A wake costs the same however many
 *                members there are; the end is one pass over them. Of several bodies that
 *                threw, the first that is asked rethrows; the others give -ENOTRECOVERABLE.
 *
 *	auto answer = channel.receive();
 *	auto late = kcoro::sleep_for(20_ms);
 *	auto got = co_await kcoro::when_any(answer, late);
 *	if (got.is(0))
 *		use(answer.take());
 */
#ifndef KCORO_WHEN_HPP
#define KCORO_WHEN_HPP

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>

#include <kcoro/spawn.hpp>
#include <kcoro/task.hpp>
#include <kcoro/wait.hpp>

namespace kcoro::inline KCORO_ABI {

/* Which members were ready. For a span ask the members, too: 64 fit into the mask. */
struct [[nodiscard]] readiness {
	int error = 0;		/* the stop's, or -ENOMEM */
	unsigned int count = 0; /* members that were ready */
	std::size_t first = 0;	/* the lowest of them */
	std::uint64_t mask = 0;

	bool is(std::size_t i) const noexcept { return i < 64 && (mask >> i & 1); }
	explicit operator bool() const noexcept { return !error; }
};

namespace detail {

/* A task as a member: a coroutine of its own, in the frame of who waits. */
class child final : public coro, public wait_node {
public:
	child(coro &parent, group_base &in) noexcept : coro(&parent.where(), completed)
	{
		owner = &parent;
		group = &in;
	}

	/* It has ended: what it threw is the parent's from here on. */
	void hand_over(coro &parent) noexcept
	{
		if (has_frame() && promise->error == err::threw)
			hand_over(*promise, parent);
	}
	void hand_over(promise_base &thrower, coro &parent) noexcept
	{
		parent.exception.take(exception);
		thrower.owner = &parent;
	}

	/* Did it come to an end of its own, or with a value although it was stopped? */
	bool counts() const noexcept { return !stopped || (has_frame() && !promise->error); }

	child *sibling = nullptr;
	std::size_t index = 0;
	bool stopped = false; /* by the group, because enough others were ready */
	promise_base *promise = nullptr;

private:
	static void completed(coro &co) noexcept { fire(static_cast<child &>(co)); }
};

template <typename M>
concept leaf_member = requires { std::remove_cvref_t<M>::is_leaf; };
template <typename M>
concept task_member = requires(std::remove_cvref_t<M> &t) {
	t.promise();
	t.become_root;
} || requires(std::remove_cvref_t<M> &t, coro &c) { t.become_root(c); };
template <typename M>
concept join_member = requires(std::remove_cvref_t<M> &h) {
	typename std::remove_cvref_t<M>::waiter;
	h.wait();
	h.detach();
};

/*
 * The wait for all members. left_ counts down to the wake: while members are armed it is
 * biased, so that nobody wakes; then it is what is missing; when that has come, it is made
 * what still has to fire because it could not be taken off.
 */
template <typename Derived> class group : public wait_node, public group_base {
public:
	bool await_ready() const noexcept { return false; }
	bool await_suspend(chained_handle auto h) noexcept
	{
		owner = h.promise().owner;
		ops = &group_ops;
		fired = member_fired;
		owner->suspend_at(h, *this);
		left_.store(bias + need_);
		derived().arm_all();
		unsigned int left = left_.sub(bias + ready_now_, alone());
		if (positive(left) && !error && armed_ + ready_now_ >= need_)
			return true;
		if (!end_of_wait(KCORO_STATE_CANCEL))
			return true;
		owner->unsuspend();
		return false;
	}
	readiness await_resume() noexcept
	{
		readiness r;

		derived().collect(r);
		r.error = error;
		return r;
	}

protected:
	explicit group(std::size_t need) noexcept : need_(static_cast<unsigned int>(need)) {}

	template <leaf_member M> void arm(M &m) noexcept
	{
		if (error)
			return skip(m);
		if (m.await_ready()) {
			m.ready = true;
			ready_now_++;
			return;
		}
		m.prepare(*owner);
		m.group = this;
		armed_++;
		if (!m.arm()) {
			armed_--;
			m.group = nullptr;
			m.ready = true;
			ready_now_++;
		}
	}
	/* @t is not done. False: @c, which may start tasks, is in use now. */
	template <task_member Task> bool ends_at_once(Task &t, child &c) noexcept
	{
		if (!c.runs_through(t.begin_root(c))) [[unlikely]] {
			c.promise = &t.promise();
			if (!t.keep_root(c)) {
				armed_++;
				return false;
			}
		}
		if (t.promise().error == err::threw) [[unlikely]]
			c.hand_over(t.promise(), *owner);
		return true;
	}
	void are_ready(unsigned int n) noexcept { ready_now_ += n; }
	void fail(int why) noexcept { error = why; }
	static void skip(wait_node &w) noexcept { w.error = err::cancelled; }

	/* In the pass at the end. */
	void end(wait_node &w) noexcept
	{
		if (!w.group || !w.ops->unhook(w, 0))
			return;
		skip(w);
		unhooked_++;
	}
	static void end(child &c, unsigned int stop) noexcept
	{
		c.stopped = c.status() < status::done;
		c.stop(stop);
	}

	static void note(readiness &r, std::size_t i) noexcept
	{
		if (!r.count++)
			r.first = i;
		if (i < 64)
			r.mask |= std::uint64_t{1} << i;
	}
	bool ending() const noexcept { return ending_; }

private:
	static constexpr unsigned int bias = 1U << 30;
	static bool positive(unsigned int left) noexcept { return static_cast<int>(left) > 0; }

	Derived &derived() noexcept { return static_cast<Derived &>(*this); }
	bool alone() const noexcept { return owner->where().alone; }

	/* Enough are ready, or it is stopped. True: nobody will touch it any more. */
	bool end_of_wait(unsigned int stop) noexcept
	{
		ending_ = true;
		derived().end_all(stop);
		return !left_.add(armed_ - unhooked_ + ready_now_ - need_, alone());
	}

	static void member_fired(group_base &g, wait_node &w) noexcept
	{
		auto &self = static_cast<group &>(g);
		coro *who = self.owner;
		bool alone = who->where().alone;

		w.ready = true;
		if (!self.left_.sub(1, alone))
			who->wake(state_fired);
	}
	static bool unhook(wait_node &w, unsigned int stop) noexcept
	{
		auto &self = static_cast<group &>(w);

		if (self.ending_) {
			self.derived().stop_all(stop);
			return false;
		}
		self.error = coro::stop_errno(stop);
		return self.end_of_wait(stop);
	}
	static bool settle(wait_node &w) noexcept
	{
		auto &self = static_cast<group &>(w);

		return self.ending_ ||
		       self.end_of_wait(KCORO_STATE_CANCEL | self.derived().loser_stop());
	}
	static constexpr wait_ops group_ops = {unhook, settle, wait_kind::group};

	word left_;
	unsigned int need_;
	unsigned int armed_ = 0;
	unsigned int ready_now_ = 0;
	unsigned int unhooked_ = 0;
	bool ending_ = false;
};

/* A member as an argument, with what it needs beside. */
template <typename M> struct argument;

template <leaf_member M> struct argument<M> {
	explicit argument(M &m) noexcept : member(m) {}
	bool is_ready() const noexcept { return member.ready; }
	wait_node *node() noexcept { return &member; }

	M &member;
};

template <join_member M> struct argument<M> {
	explicit argument(M &h) noexcept : member(h.wait()) {}
	bool is_ready() const noexcept { return member.ready; }
	wait_node *node() noexcept { return &member; }

	typename M::waiter member;
};

template <task_member M>
	requires(!leaf_member<M>)
struct argument<M> {
	explicit argument(M &t) noexcept : member(t) {}
	~argument()
	{
		if (used)
			node()->~child();
	}
	argument(const argument &) = delete;
	argument &operator=(const argument &) = delete;
	bool is_ready() const noexcept { return ready; }
	child *node() noexcept { return std::launder(reinterpret_cast<child *>(memory)); }

	M &member;
	bool ready = false;
	bool used = false;    /* there is a child */
	bool running = false; /* it did not end at once */
	alignas(child) unsigned char memory[sizeof(child)];
};

template <typename... M> struct arguments;
template <> struct arguments<> {
	void each(auto) noexcept {}
};
template <typename M, typename... Rest> struct arguments<M, Rest...> {
	explicit arguments(M &m, Rest &...others) noexcept : here(m), rest(others...) {}
	template <typename F> void each(F f) noexcept
	{
		f(here);
		rest.each(f);
	}

	argument<M> here;
	[[no_unique_address]] arguments<Rest...> rest;
};

template <typename... M> class group_of : public group<group_of<M...>> {
	using base = group<group_of>;
	friend base;

public:
	explicit group_of(std::size_t need, unsigned int loser_stop, M &...members) noexcept
		: base(need), loser_stop_(loser_stop), members_(members...)
	{
	}

private:
	unsigned int loser_stop() const noexcept { return loser_stop_; }
	void arm_all() noexcept
	{
		members_.each([this](auto &a) {
			if constexpr (requires { a.memory; }) {
				if (this->error)
					return;
				if (!a.member.done()) {
					child *c = new (a.memory) child(*this->owner, *this);

					a.used = true;
					c->begin_starts();
					a.running = !this->ends_at_once(a.member, *c);
				}
				a.ready = !a.running;
				this->are_ready(a.ready);
			} else {
				this->arm(a.member);
			}
		});
	}
	void end_all(unsigned int stop) noexcept
	{
		members_.each([&](auto &a) {
			if constexpr (requires { a.memory; }) {
				if (a.running)
					this->end(*a.node(), stop);
			} else {
				this->end(*a.node());
			}
		});
	}
	void stop_all(unsigned int stop) noexcept
	{
		members_.each([&](auto &a) {
			if constexpr (requires { a.memory; })
				if (a.running)
					this->end(*a.node(), stop);
		});
	}
	void collect(readiness &r) noexcept
	{
		std::size_t i = 0;

		members_.each([&](auto &a) {
			if constexpr (requires { a.memory; }) {
				if (a.running) {
					a.node()->hand_over(*this->owner);
					a.ready = a.node()->counts();
				}
			}
			if (a.is_ready())
				this->note(r, i);
			i++;
		});
	}

	unsigned int loser_stop_;
	arguments<M...> members_;
};

template <typename Range>
using member_of = std::remove_reference_t<decltype(*std::declval<Range &>().begin())>;

/* Many of one kind. */
template <typename Range> class group_span : public group<group_span<Range>> {
	using base = group<group_span>;
	using member = member_of<Range>;
	friend base;

public:
	group_span(std::size_t need, Range &range) noexcept : base(need), range_(range) {}
	~group_span()
	{
		while (child *c = children_) {
			children_ = c->sibling;
			drop(c);
		}
	}
	group_span(const group_span &) = delete;
	group_span &operator=(const group_span &) = delete;

private:
	child *make() noexcept
	{
		void *memory = platform::frame_alloc(sizeof(child));

		if (!memory)
			return nullptr;
		child *c = new (memory) child(*this->owner, *this);

		c->begin_starts();
		return c;
	}
	static void drop(child *c) noexcept
	{
		c->~child();
		platform::frame_free(c, sizeof(child));
	}
	unsigned int loser_stop() const noexcept { return 0; }
	void arm_all() noexcept
	{
		if constexpr (task_member<member>) {
			child *spare = nullptr;
			child **end = &children_;
			std::size_t n = 0;
			unsigned int in_use = 0;

			for (auto &t : range_) {
				if (!t.done()) {
					if (!spare && !(spare = make())) {
						this->fail(err::no_memory);
						break;
					}
					if (!this->ends_at_once(t, *spare)) {
						spare->index = n;
						*end = spare;
						end = &spare->sibling;
						spare = nullptr;
						in_use++;
					}
				}
				n++;
			}
			started_ = n;
			this->are_ready(static_cast<unsigned int>(n) - in_use);
			if (spare)
				drop(spare);
		} else {
			for (auto &m : range_)
				this->arm(m);
		}
	}
	void end_all([[maybe_unused]] unsigned int stop) noexcept
	{
		if constexpr (task_member<member>)
			stop_all(stop);
		else
			for (auto &m : range_)
				this->end(m);
	}
	void stop_all([[maybe_unused]] unsigned int stop) noexcept
	{
		for (child *c = children_; c; c = c->sibling)
			this->end(*c, stop);
	}
	void collect(readiness &r) noexcept
	{
		std::size_t i = 0;

		[[maybe_unused]] child *c = children_;

		if constexpr (task_member<member>) {
			/* All ended at once. */
			if (!c && !this->error) {
				r.count = static_cast<unsigned int>(started_);
				r.mask = started_ < 64 ? (std::uint64_t{1} << started_) - 1
						       : ~std::uint64_t{0};
				return;
			}
		}
		for (auto &m : range_) {
			bool ready;

			if constexpr (task_member<member>) {
				ready = i < started_;
				if (c && c->index == i) {
					c->hand_over(*this->owner);
					ready = c->counts();
					c = c->sibling;
				}
			} else {
				ready = m.ready;
			}
			if (ready)
				this->note(r, i);
			i++;
		}
	}

	Range &range_;
	child *children_ = nullptr; /* of tasks that did not end at once, in order */
	std::size_t started_ = 0;
};

template <typename M>
concept group_member = leaf_member<M> || join_member<M> || task_member<M>;

template <typename R>
concept member_range = requires(std::remove_cvref_t<R> &r) {
	r.begin();
	r.end();
} && (leaf_member<member_of<R>> || task_member<member_of<R>>);

} // namespace detail

/* Until @some members are ready. */
template <detail::group_member... M>
[[nodiscard]] auto when_some(std::size_t some, M &&...members) noexcept
{
	return detail::group_of<std::remove_reference_t<M>...>(
		some < sizeof...(M) ? some : sizeof...(M), 0, members...);
}

template <detail::group_member... M> [[nodiscard]] auto when_any(M &&...members) noexcept
{
	return when_some(1, members...);
}

template <detail::group_member... M> [[nodiscard]] auto when_all(M &&...members) noexcept
{
	return when_some(sizeof...(M), members...);
}

template <detail::member_range R>
[[nodiscard]] auto when_some(std::size_t some, R &&members) noexcept
{
	std::size_t n = 0;

	for (auto &m : members) {
		(void)m;
		n++;
	}
	return detail::group_span<std::remove_reference_t<R>>(some < n ? some : n, members);
}

template <detail::member_range R> [[nodiscard]] auto when_any(R &&members) noexcept
{
	return when_some(1, members);
}

template <detail::member_range R> [[nodiscard]] auto when_all(R &&members) noexcept
{
	return when_some(~std::size_t{0}, members);
}

} // namespace kcoro::inline KCORO_ABI

#endif // KCORO_WHEN_HPP
