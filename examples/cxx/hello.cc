// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// hello.cc - two coroutines and a channel. Prints: hello, world
#include <cstdio>
#include <kcoro/channel.hpp>
#include <kcoro/spawn.hpp>
#include <kcoro/user/sync_wait.hpp>

static kcoro::task<void> say(kcoro::channel<const char *> &words)
{
	(void)co_await words.send("hello,");
	(void)co_await words.send("world");
	words.close();
}
static kcoro::task<void> hear(kcoro::user::run_loop &loop)
{
	kcoro::channel<const char *> words;
	auto speaker = kcoro::spawn(loop, say(words));
	while (auto got = co_await words.receive())
		std::printf("%s%s", got.value, got.value[5] ? " " : "\n");
}
int main()
{
	kcoro::user::run_loop loop;
	return kcoro::user::sync_wait(loop, hear(loop)).error;
}
