/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * channel.hpp - kernel::channel: a channel of the core (struct kcoro_channel), which C code has,
 * used by a body in C++. Between C++ alone kcoro/channel.hpp takes values of any type.
 *
 * Brief:         `co_await ch.receive()` gives the oldest value, `co_await ch.send(v)` gives
 *                nothing when it is in; -EPIPE: the channel is closed.
 * Thread safety: any; the awaits for the body.
 * Allocation:    none. The wait lies in the frame that awaits.
 * Cancellation:  the wait ends with the errno of the stop; no value is lost by it.
 * Traps:         names a channel, and has none: that stays as long as anybody uses it.
 */
#ifndef KCORO_KERNEL_CHANNEL_HPP
#define KCORO_KERNEL_CHANNEL_HPP

#include <kcoro/kernel/wait.hpp>

extern "C" {
/* include/kcoro/await.h */
void kcoro_channel_close(kcoro_channel *ch) noexcept;
int kcoro_channel_send(kcoro_channel *ch, long long value) noexcept;
int kcoro_channel_receive(kcoro_channel *ch, long long *value) noexcept;
}

namespace kcoro::inline KCORO_ABI::kernel {

class channel {
public:
	explicit constexpr channel(kcoro_channel *of_core) noexcept : channel_(of_core) {}

	struct receiver : detail::core_awaiter<receiver> {
		static constexpr wait_kind kind = wait_kind::channel;

		explicit receiver(kcoro_channel *ch) noexcept : source(ch) {}
		bool arm() noexcept
		{
			return aim() && waits(kcoro_cxx_channel_receive(source, this));
		}
		static bool disarm(wait_node &w) noexcept
		{
			auto &self = static_cast<receiver &>(w);

			return kcoro_cxx_channel_leave(self.source, &self);
		}
		result<long long> take() noexcept
		{
			int err = failed(err::closed);

			return err ? result<long long>(failure{err}) : result<long long>(value);
		}

		kcoro_channel *source;
	};

	struct sender : detail::core_awaiter<sender> {
		static constexpr wait_kind kind = wait_kind::channel;

		explicit sender(kcoro_channel *ch, long long v) noexcept : source(ch), sent(v) {}
		bool arm() noexcept
		{
			return aim() && waits(kcoro_cxx_channel_send(source, this, sent));
		}
		static bool disarm(wait_node &w) noexcept
		{
			auto &self = static_cast<sender &>(w);

			return kcoro_cxx_channel_leave(self.source, &self);
		}
		result<void> take() noexcept
		{
			int err = failed(err::closed);

			return err ? result<void>(failure{err}) : result<void>();
		}

		kcoro_channel *source;
		long long sent;
	};

	[[nodiscard]] receiver receive() const noexcept { return receiver(channel_); }
	[[nodiscard]] sender send(long long value) const noexcept
	{
		return sender(channel_, value);
	}
	/* Without waiting: 0, -EAGAIN, -EPIPE. */
	int try_send(long long value) const noexcept { return kcoro_channel_send(channel_, value); }
	int try_receive(long long *value) const noexcept
	{
		return kcoro_channel_receive(channel_, value);
	}
	/* No more values. */
	void close() const noexcept { kcoro_channel_close(channel_); }

private:
	kcoro_channel *channel_;
};

} // namespace kcoro::inline KCORO_ABI::kernel

#endif // KCORO_KERNEL_CHANNEL_HPP
