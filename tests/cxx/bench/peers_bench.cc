// SPDX-License-Identifier: GPL-2.0-only
// peers_bench.cc - the same cases with Asio, and with capy's design made again: a thread-local
// current resource, a pointer to it behind each frame, and a recycling resource.

#include <coroutine>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <utility>

#include <asio.hpp>
#include <asio/experimental/channel.hpp>
#include <benchmark/benchmark.h>

#include "limit.hpp"

namespace {

constexpr int batch = 1000;

asio::awaitable<int> asio_leaf(int i)
{
	co_return i;
}

asio::awaitable<int> asio_leaves(int n)
{
	int sum = 0;

	for (int i = 0; i < n; ++i)
		sum += co_await asio_leaf(i);
	co_return sum;
}

void asio_leaf_await(benchmark::State &st)
{
	asio::io_context io(1);

	for (auto _ : st) {
		int sum = 0;

		asio::co_spawn(io, asio_leaves(batch), [&](std::exception_ptr, int n) { sum = n; });
		io.restart();
		io.run();
		benchmark::DoNotOptimize(sum);
	}
	st.SetItemsProcessed(st.iterations() * batch);
}

using asio_ch = asio::experimental::channel<void(asio::error_code, int)>;

asio::awaitable<void> asio_send(asio_ch &ch, int n)
{
	for (int i = 0; i < n; i++)
		co_await ch.async_send(asio::error_code{}, i, asio::use_awaitable);
}

asio::awaitable<int> asio_receive(asio_ch &ch, int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++)
		sum += co_await ch.async_receive(asio::use_awaitable);
	co_return sum;
}

void asio_channel(benchmark::State &st)
{
	asio::io_context io(1);

	for (auto _ : st) {
		asio_ch ch(io, static_cast<std::size_t>(st.range(0)));
		int sum = 0;

		asio::co_spawn(io, asio_send(ch, batch), asio::detached);
		asio::co_spawn(io, asio_receive(ch, batch),
			       [&](std::exception_ptr, int n) { sum = n; });
		io.restart();
		io.run();
		benchmark::DoNotOptimize(sum);
	}
	st.SetItemsProcessed(st.iterations() * batch);
}

// The limit's awaits, one by one: what when_all of 50 is compared with.
limit::task<int> limit_leaf(int i)
{
	co_return i;
}

limit::task<int> fifty_in_turn()
{
	int sum = 0;

	for (int i = 0; i < 50; ++i)
		sum += co_await limit_leaf(i);
	co_return sum;
}

void limit_50_in_turn(benchmark::State &st)
{
	for (auto _ : st)
		benchmark::DoNotOptimize(fifty_in_turn().run());
	st.SetItemsProcessed(st.iterations() * 50);
}

namespace capy {

struct resource {
	virtual void *take(std::size_t n) noexcept = 0;
	virtual void give(void *p, std::size_t n) noexcept = 0;

protected:
	~resource() = default;
};

struct recycling final : resource {
	void *take(std::size_t n) noexcept override { return limit::free_list::take(n); }
	void give(void *p, std::size_t n) noexcept override { limit::free_list::give(p, n); }
};

recycling standard;
thread_local resource *current = &standard;

template <typename T> class task {
public:
	struct promise_type {
		T value;
		std::coroutine_handle<> continuation;

		static void *operator new(std::size_t n) noexcept
		{
			resource *r = current;
			void *p = r->take(n + sizeof(r));

			*reinterpret_cast<resource **>(static_cast<char *>(p) + n) = r;
			return p;
		}
		static void operator delete(void *p, std::size_t n) noexcept
		{
			resource *r = *reinterpret_cast<resource **>(static_cast<char *>(p) + n);

			r->give(p, n + sizeof(r));
		}
		static task get_return_object_on_allocation_failure() noexcept
		{
			return task{nullptr};
		}
		task get_return_object() noexcept
		{
			return task{std::coroutine_handle<promise_type>::from_promise(*this)};
		}
		std::suspend_always initial_suspend() noexcept { return {}; }
		struct final_awaiter {
			bool await_ready() noexcept { return false; }
			std::coroutine_handle<>
			await_suspend(std::coroutine_handle<promise_type> h) noexcept
			{
				return h.promise().continuation;
			}
			void await_resume() noexcept {}
		};
		final_awaiter final_suspend() noexcept { return {}; }
		void return_value(T v) noexcept { value = v; }
		void unhandled_exception() noexcept { std::abort(); }
	};

	task(task &&o) noexcept : handle(std::exchange(o.handle, nullptr)) {}
	~task()
	{
		if (handle)
			handle.destroy();
	}
	bool await_ready() const noexcept { return false; }
	std::coroutine_handle<> await_suspend(std::coroutine_handle<> c) noexcept
	{
		handle.promise().continuation = c;
		return handle;
	}
	// The resource of who awaits is put back behind each child.
	T await_resume() noexcept
	{
		current = saved;
		return handle.promise().value;
	}
	T run()
	{
		handle.promise().continuation = std::noop_coroutine();
		handle.resume();
		return handle.promise().value;
	}

private:
	explicit task(std::coroutine_handle<promise_type> h) noexcept : handle(h), saved(current) {}
	std::coroutine_handle<promise_type> handle;
	resource *saved;
};

task<int> leaf(int i)
{
	co_return i;
}

task<int> leaves(int n)
{
	int sum = 0;

	for (int i = 0; i < n; ++i)
		sum += co_await leaf(i);
	co_return sum;
}

void leaf_await(benchmark::State &st)
{
	for (auto _ : st)
		benchmark::DoNotOptimize(leaves(batch).run());
	st.SetItemsProcessed(st.iterations() * batch);
}

} // namespace capy

} // namespace

BENCHMARK(asio_leaf_await)->Name("asio/leaf_await");
BENCHMARK(asio_channel)->Name("asio/channel")->Arg(1)->Arg(64);
BENCHMARK(limit_50_in_turn)->Name("limit/50_in_turn");
BENCHMARK(capy::leaf_await)->Name("capy/leaf_await");
