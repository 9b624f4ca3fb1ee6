// SPDX-License-Identifier: GPL-2.0-only
//
// handshake_peer - both ends of TCP handshakes, for handshake.test and knock.test.
//
//   handshake_peer listen PORT...            accepts and closes, until it is killed
//   handshake_peer connect ADDRESS PORT N    N connections, one after the other; prints how
//                                            many came about, each within a second
//   handshake_peer raw HOW ADDRESS PORT FIRST N [SOURCE]
//       N hand-made SYNs from the client's ports FIRST, FIRST + 1, ... of SOURCE, which is
//       nobody's (default 10.9.0.9), and then
//         syn    nothing
//         again  the same SYN once more
//         ack    once the SYN-ACK has come, an ACK
//         rst    once the SYN-ACK has come, an RST
//       prints how many SYN-ACKs came to "ack" and "rst"
//
// "raw" is the client of guest/topology.sh, wherever it is run.
#include "wire.h"

namespace {

using namespace std::chrono_literals;

net::Fd listener(std::uint16_t port)
{
	net::Fd fd(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
	sockaddr_in6 address{};
	const int on = 1;

	setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	address.sin6_family = AF_INET6;
	address.sin6_port = htons(port);
	if (bind(fd.get(), reinterpret_cast<sockaddr *>(&address), sizeof(address)) ||
	    listen(fd.get(), 1024))
		net::die("listen");
	return fd;
}

int serve(const std::vector<std::string> &ports)
{
	std::vector<net::Fd> listeners;
	std::vector<pollfd> waits;

	for (const auto &port : ports) {
		listeners.push_back(listener(static_cast<std::uint16_t>(std::stoi(port))));
		waits.push_back({listeners.back().get(), POLLIN, 0});
	}
	for (;;) {
		poll(waits.data(), waits.size(), -1);
		for (const auto &wait : waits)
			if (wait.revents)
				net::Fd(accept4(wait.fd, nullptr, nullptr, SOCK_CLOEXEC));
	}
}

bool connected(const std::string &address, std::uint16_t port)
{
	const bool ipv6 = address.find(':') != std::string::npos;
	const linger reset{1, 0};
	sockaddr_in6 six{};
	sockaddr_in four{};

	four.sin_family = AF_INET;
	four.sin_port = htons(port);
	six.sin6_family = AF_INET6;
	six.sin6_port = htons(port);
	inet_pton(ipv6 ? AF_INET6 : AF_INET, address.c_str(),
		  ipv6 ? static_cast<void *>(&six.sin6_addr) : &four.sin_addr);

	net::Fd fd(
		::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	// Else the many leave all ports in TIME_WAIT.
	setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	const auto *to =
		ipv6 ? reinterpret_cast<sockaddr *>(&six) : reinterpret_cast<sockaddr *>(&four);
	if (connect(fd.get(), to, ipv6 ? sizeof(six) : sizeof(four)) == 0)
		return true;
	if (errno != EINPROGRESS)
		return false;

	pollfd wait{fd.get(), POLLOUT, 0};
	int error = 0;
	socklen_t size = sizeof(error);

	return poll(&wait, 1, 1000) == 1 &&
	       getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

int connect_all(const std::string &address, std::uint16_t port, int n)
{
	int count = 0;

	while (n--)
		count += connected(address, port);
	std::printf("%d\n", count);
	return 0;
}

int raw(const std::string &how, const net::Path &path, std::uint16_t port, std::uint16_t first,
	std::uint16_t n)
{
	const net::Wire wire(net::Namespace("client"), "c0", {2, 0, 0, 0, 9, 2},
			     {2, 0, 0, 0, 9, 1});
	int answers = 0;

	for (std::uint16_t i = 0; i < n; i++) {
		const auto own = static_cast<std::uint16_t>(first + i);
		net::Client client(wire, path, own, 1000, port);

		if (how == "ack") {
			answers += client.handshake();
			continue;
		}
		client.syn();
		if (how == "again")
			client.syn();
		if (how == "rst" && wire.receive(port, own, net::SYN | net::ACK, 2000ms)) {
			answers++;
			client.bare(0, net::RST);
		}
	}
	std::printf("%d\n", answers);
	return 0;
}

std::uint16_t number(const std::string &text)
{
	return static_cast<std::uint16_t>(std::stoi(text));
}

} // namespace

int main(int argc, char **argv)
{
	const std::vector<std::string> args(argv + 1, argv + argc);

	if (args.size() >= 2 && args[0] == "listen")
		return serve({args.begin() + 1, args.end()});
	if (args.size() == 4 && args[0] == "connect")
		return connect_all(args[1], number(args[2]), std::stoi(args[3]));
	if (args.size() >= 6 && args[0] == "raw") {
		net::Path path;

		path.server = args[2];
		if (args.size() > 6)
			path.client = args[6];
		return raw(args[1], path, number(args[3]), number(args[4]), number(args[5]));
	}
	std::fputs("handshake_peer: see the top of its source\n", stderr);
	return 2;
}
