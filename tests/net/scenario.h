// SPDX-License-Identifier: GPL-2.0-only
//
// scenario.h - one case of crafted.cc: hand-made segments go to a real TCP server, and
// what the server received and what the filter counted is compared with what is expected.
#pragma once

#include <netinet/tcp.h>

#include <functional>
#include <thread>

#include "counters.h"
#include "wire.h"

namespace net {

using namespace std::chrono_literals;

/// A listening socket for all addresses, IPv4 and IPv6.
class Server {
public:
	Server(const Namespace &where, std::uint16_t port)
	{
		where.inside([&] {
			sockaddr_in6 address{};
			const int on = 1;

			socket_ = Fd(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
			setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
			address.sin6_family = AF_INET6;
			address.sin6_port = htons(port);
			if (bind(socket_.get(), reinterpret_cast<sockaddr *>(&address),
				 sizeof(address)) ||
			    listen(socket_.get(), 64))
				die("listen");
		});
	}

	[[nodiscard]] Fd accept(std::chrono::milliseconds most = 2000ms) const
	{
		pollfd wait{socket_.get(), POLLIN, 0};

		if (poll(&wait, 1, static_cast<int>(most.count())) <= 0)
			return {};

		Fd peer(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
		const linger reset{1, 0};

		// Closed, it is gone: nobody would answer its FIN.
		setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		return peer;
	}

private:
	Fd socket_;
};

/// The flow table's counters, from the filter's program sni_read.
class Table {
public:
	explicit Table(const std::string &path) : program_(bpf_obj_get(path.c_str()))
	{
		if (!program_)
			die(path);
	}

	[[nodiscard]] sni_read_args read() const
	{
		sni_read_args args{};
		LIBBPF_OPTS(bpf_test_run_opts, options);

		options.ctx_in = &args; // of a syscall program the way in is the way out
		options.ctx_size_in = sizeof(args);
		if (bpf_prog_test_run_opts(program_.get(), &options) || options.retval)
			die("run sni_read");
		return args;
	}

	[[nodiscard]] __u64 live() const
	{
		const auto sum = read();

		return sum.created - sum.ended - sum.expired;
	}

private:
	Fd program_;
};

/// What all scenarios share.
struct Stage {
	Wire wire;
	Server server;
	Counters counters;
	Table table;
	std::uint16_t next_port; // of the next client
};

/// A client and the server's end of its connection.
struct Peer {
	Client client;
	Fd server;
	Bytes received;
	bool end = false;

	/// Takes what has come; false when more may come.
	bool drain()
	{
		std::uint8_t buffer[16384];

		for (;;) {
			const auto n = recv(server.get(), buffer, sizeof(buffer), MSG_DONTWAIT);

			if (n < 0)
				return errno != EAGAIN && errno != EINTR;
			if (!n) {
				end = true;
				return true;
			}
			received.insert(received.end(), buffer, buffer + n);
		}
	}
};

class Scenario {
public:
	explicit Scenario(Stage &stage)
		: stage_(stage), before_(stage.counters.read()),
		  live_(static_cast<__s64>(stage.table.live()))
	{
	}

	/// Expected changes of the filter's counters. segments and bytes follow from what the clients
	/// sent, hellos from the verdicts.
	sni_counters expected{};
	/// Expected change of the entries in the flow table, when the scenario is over.
	__s64 entries = 0;

	Client client(const Path &path = {}, std::uint32_t isn = 0x12345678)
	{
		return {stage_.wire, path, stage_.next_port++, isn};
	}

	/// A connection whose handshake is done.
	Peer &connect(const Path &path = {}, std::uint32_t isn = 0x12345678)
	{
		peers_.push_back(std::make_unique<Peer>(Peer{client(path, isn), {}, {}, false}));
		if (!peers_.back()->client.handshake())
			fail("no SYN-ACK");
		else
			accept(*peers_.back());
		return *peers_.back();
	}

	/// A client that has not sent anything yet.
	Peer &idle(const Path &path = {}, std::uint32_t isn = 0x12345678)
	{
		peers_.push_back(std::make_unique<Peer>(Peer{client(path, isn), {}, {}, false}));
		return *peers_.back();
	}

	void accept(Peer &peer)
	{
		peer.server = stage_.server.accept();
		if (!peer.server)
			fail("the connection was not accepted");
	}

	/// A verdict is expected, once more.
	void verdict(sni_verdict what) { expected.verdict[what]++; }

	/// The server must have received exactly the first `size` bytes of `stream`, and the end or not.
	void receives(Peer &peer, const Bytes &stream, std::size_t size, bool end = false)
	{
		const auto until = std::chrono::steady_clock::now() + 2000ms;

		// Packets from a raw socket arrive before send() returns, or a little later.
		do {
			if (peer.drain() || (!end && peer.received.size() >= size))
				break;
			std::this_thread::sleep_for(1ms);
		} while (std::chrono::steady_clock::now() < until);
		std::this_thread::sleep_for(20ms);
		peer.drain();
		if (peer.received.size() != size ||
		    !std::equal(peer.received.begin(), peer.received.end(), stream.begin()))
			fail("the server received " + std::to_string(peer.received.size()) +
			     " bytes, not the first " + std::to_string(size));
		if (peer.end != end)
			fail(end ? "the server saw no end" : "the server saw the end");
	}

	void check(bool good, const std::string &what)
	{
		if (!good)
			fail(what);
	}

	void fail(const std::string &what) { fault_ += (fault_.empty() ? "" : "; ") + what; }

	/// More segments with payload than the scenario's clients have sent.
	void also_sent(std::uint64_t segments, std::uint64_t bytes)
	{
		expected.segments += segments;
		expected.bytes += bytes;
	}

	[[nodiscard]] sni_counters change() const
	{
		auto after = stage_.counters.read();
		auto *a = reinterpret_cast<__u64 *>(&after);
		const auto *b = reinterpret_cast<const __u64 *>(&before_);

		for (std::size_t i = 0; i < sizeof(after) / sizeof(__u64); i++)
			a[i] -= b[i];
		return after;
	}

	/// Compares the counters; empty when all is as expected.
	std::string finish()
	{
		for (const auto &peer : peers_)
			also_sent(peer->client.segments(), peer->client.bytes());
		expected.hellos = expected.verdict[SNI_PASS] + expected.verdict[SNI_BLOCK] +
				  expected.verdict[SNI_NO_NAME];

		const auto seen = change();
		const auto compare = [&](const char *name, __u64 want, __u64 is) {
			if (want != is)
				fail(std::string(name) + " " + std::to_string(is) + ", expected " +
				     std::to_string(want));
		};
		static constexpr const char *verdicts[] = {"passed",   "blocked",   "no name",
							   "not TLS",  "malformed", "too large",
							   "no frame", "unfinished"};

		static_assert(std::size(verdicts) == SNI_VERDICTS);
		compare("segments", expected.segments, seen.segments);
		compare("bytes", expected.bytes, seen.bytes);
		compare("hellos", expected.hellos, seen.hellos);
		for (int i = 0; i < SNI_VERDICTS; i++)
			compare(verdicts[i], expected.verdict[i], seen.verdict[i]);
		compare("ech", expected.ech, seen.ech);
		compare("suspended", expected.suspended, seen.suspended);
		compare("early", expected.early, seen.early);
		compare("repeated", expected.repeated, seen.repeated);
		compare("dropped", expected.dropped, seen.dropped);
		compare("busy", expected.busy, seen.busy);
		compare("unknown", expected.unknown, seen.unknown);
		compare("fragments", expected.fragments, seen.fragments);
		compare("foreign", expected.foreign, seen.foreign);
		compare("events_lost", 0, seen.events_lost);
		const auto now = static_cast<__s64>(stage_.table.live());
		if (now - live_ != entries)
			fail("entries " + std::to_string(now - live_) + ", expected " +
			     std::to_string(entries));
		return fault_;
	}

	Stage &stage() { return stage_; }

private:
	Stage &stage_;
	sni_counters before_;
	__s64 live_;
	std::vector<std::unique_ptr<Peer>> peers_;
	std::string fault_;
};

} // namespace net
