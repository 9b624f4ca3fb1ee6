/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sync_wait.hpp - from plain code into coroutines: run a task to its end, and give its result.
 *
 * Brief:         sync_wait(task) makes a loop of its own; sync_wait(loop, task) uses one, and
 *                runs what else is in it meanwhile. sync_wait(handle) waits for what was spawned
 *                elsewhere, and sync_wait(leaf) for what a body would await: channel.receive(),
 *                event.wait(), completion.wait().
 * Thread safety: blocks the calling thread.
 * Allocation:    that of spawn().
 * Cancellation:  a killed task gives -EINTR. What a body threw is thrown here.
 */
#ifndef KCORO_USER_SYNC_WAIT_HPP
#define KCORO_USER_SYNC_WAIT_HPP

#include <kcoro/spawn.hpp>
#include <kcoro/user/run_loop.hpp>
#include <kcoro/when.hpp>

namespace kcoro::inline KCORO_ABI::user {

template <typename T> result<T> sync_wait(run_loop &loop, task<T> body)
{
	auto handle = spawn(loop, std::move(body));

	loop.run_until([&] { return handle.done(); });
	return handle.take();
}

template <typename T> result<T> sync_wait(task<T> body)
{
	run_loop loop;

	return sync_wait(loop, std::move(body));
}

namespace detail {

template <typename M> task<void> until_ready(M &member)
{
	/* As a member, so that what it threw is not rethrown here. */
	(void)co_await when_all(member);
}

template <typename M> auto wait_here(M &member) -> decltype(member.take())
{
	run_loop loop;
	auto waits = sync_wait(loop, until_ready(member));

	if (waits.error)
		return failure{waits.error};
	return member.take();
}

} // namespace detail

/* Wait for what runs elsewhere, and take its result. */
template <typename T> result<T> sync_wait(join_handle<T> &handle)
{
	return detail::wait_here(handle);
}

/*
 * A blocking receive, and its like: `sync_wait(numbers.receive())`. What is awaited may come
 * from other threads, so that it must be for threads::many.
 */
template <kcoro::detail::leaf_member Leaf> auto sync_wait(Leaf &&leaf)
{
	return detail::wait_here(leaf);
}

} // namespace kcoro::inline KCORO_ABI::user

#endif // KCORO_USER_SYNC_WAIT_HPP
