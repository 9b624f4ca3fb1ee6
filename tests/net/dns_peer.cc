// SPDX-License-Identifier: GPL-2.0-only
//
// dns_peer - asks and answers DNS queries in ways that no resolver does; for dns.test.
//
//   dns_peer answer ADDRESS [hold N]
//     answers on UDP and TCP port 53: names that begin with "n" with NXDOMAIN, others with
//     NOERROR, those that begin with "lost" never, with "twice" two times. With hold: answers N queries when all are
//     there, then ends. Prints "ready" first.
//   dns_peer ask ADDRESS WHAT
//     flood N    N queries at a time from a few sockets; prints how many were answered
//     retry      a query three times, then its answer
//     reuse      two queries of one id and port, for different names
//     malformed  messages that are none
//     twice      is answered two times
//     pieces     over TCP: two messages, cut into segments of one byte
//     together   over TCP: three queries in one segment
//
// Ends with 0 when every answer that was to come did.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr int answer_ms = 8000;

class socket_fd {
public:
	explicit socket_fd(int type) : fd_(::socket(AF_INET, type | SOCK_CLOEXEC, 0)) { must(fd_); }
	explicit socket_fd(int fd, bool) : fd_(fd) { must(fd_); }
	socket_fd(socket_fd &&other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
	socket_fd(const socket_fd &) = delete;
	~socket_fd()
	{
		if (fd_ >= 0)
			::close(fd_);
	}
	int get() const { return fd_; }

	static void must(int result)
	{
		if (result >= 0)
			return;
		std::perror("dns_peer");
		std::exit(1);
	}

private:
	int fd_;
};

sockaddr_in address_of(const char *text)
{
	sockaddr_in address{};

	address.sin_family = AF_INET;
	address.sin_port = htons(53);
	if (inet_pton(AF_INET, text, &address.sin_addr) != 1) {
		std::fprintf(stderr, "dns_peer: no address: %s\n", text);
		std::exit(2);
	}
	return address;
}

const sockaddr *any(const sockaddr_in &address)
{
	return reinterpret_cast<const sockaddr *>(&address);
}

// A query for the A record of a name of one label below "example".
std::string query(unsigned id, const std::string &label)
{
	std::string message{static_cast<char>(id >> 8), static_cast<char>(id), 1, 0, 0, 1};

	message.append(6, '\0');
	message += static_cast<char>(label.size());
	message += label + "\7example";
	message.append({0, 0, 1, 0, 1});
	return message;
}

std::string answer(std::string message)
{
	message[2] = static_cast<char>(message[2] | 0x80);
	if (message.size() > 13 && (message[13] == 'n' || message[13] == 'N'))
		message[3] = 3;
	return message;
}

bool begins(const std::string &message, const char *label)
{
	return message.compare(13, std::strlen(label), label) == 0;
}

std::string framed(const std::string &message)
{
	return std::string{static_cast<char>(message.size() >> 8),
			   static_cast<char>(message.size())} +
	       message;
}

bool readable(int fd, int ms)
{
	pollfd one{fd, POLLIN, 0};

	return ::poll(&one, 1, ms) > 0;
}

void send_all(int fd, std::string_view bytes)
{
	while (!bytes.empty()) {
		auto n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
		socket_fd::must(static_cast<int>(n));
		bytes.remove_prefix(static_cast<size_t>(n));
	}
}

struct held {
	std::string message;
	sockaddr_in from;
};

void serve_udp(const socket_fd &udp, size_t hold)
{
	std::vector<held> waiting;
	char buffer[1500];

	do {
		held one{};
		socklen_t size = sizeof(one.from);
		auto n = ::recvfrom(udp.get(), buffer, sizeof(buffer), 0,
				    reinterpret_cast<sockaddr *>(&one.from), &size);
		if (n < 13)
			continue;
		one.message.assign(buffer, static_cast<size_t>(n));
		if (begins(one.message, "lost"))
			continue;
		waiting.push_back(one);
		if (begins(one.message, "twice"))
			waiting.push_back(one);
		if (waiting.size() < hold)
			continue;
		for (const auto &it : waiting) {
			auto reply = answer(it.message);

			// A full queue is no reason to lose an answer.
			while (::sendto(udp.get(), reply.data(), reply.size(), 0, any(it.from),
					sizeof(it.from)) < 0 &&
			       (errno == ENOBUFS || errno == EAGAIN))
				::usleep(1000);
		}
		if (hold > 1)
			std::exit(0);
		waiting.clear();
	} while (hold > 1 || readable(udp.get(), 0));
}

void serve_tcp(const socket_fd &listener)
{
	socket_fd peer(::accept(listener.get(), nullptr, nullptr), true);
	std::string input;
	char buffer[4096];
	ssize_t n;

	while ((n = ::recv(peer.get(), buffer, sizeof(buffer), 0)) > 0) {
		input.append(buffer, static_cast<size_t>(n));
		while (input.size() >= 2) {
			size_t length = static_cast<unsigned char>(input[0]) << 8 |
					static_cast<unsigned char>(input[1]);
			if (input.size() < 2 + length)
				break;
			send_all(peer.get(), framed(answer(input.substr(2, length))));
			input.erase(0, 2 + length);
		}
	}
}

int serve(const char *where, size_t hold)
{
	socket_fd udp(SOCK_DGRAM), tcp(SOCK_STREAM);
	auto address = address_of(where);
	int size = 16 << 20, yes = 1;

	::setsockopt(udp.get(), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	::setsockopt(udp.get(), SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	::setsockopt(tcp.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	socket_fd::must(::bind(udp.get(), any(address), sizeof(address)));
	socket_fd::must(::bind(tcp.get(), any(address), sizeof(address)));
	socket_fd::must(::listen(tcp.get(), 5));
	std::puts("ready");
	std::fflush(stdout);
	for (;;) {
		pollfd both[] = {{udp.get(), POLLIN, 0}, {tcp.get(), POLLIN, 0}};

		socket_fd::must(::poll(both, 2, -1));
		if (both[0].revents)
			serve_udp(udp, hold);
		if (both[1].revents)
			serve_tcp(tcp);
	}
}

bool answered(int fd, int ms = answer_ms)
{
	char buffer[1500];

	return readable(fd, ms) && ::recv(fd, buffer, sizeof(buffer), 0) > 0;
}

socket_fd connected(int type, const sockaddr_in &to)
{
	socket_fd fd(type);
	int size = 16 << 20;

	::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	socket_fd::must(::connect(fd.get(), any(to), sizeof(to)));
	return fd;
}

// Each socket has ids of its own: 4,096.
int flood(const sockaddr_in &to, unsigned count)
{
	std::vector<socket_fd> sockets;
	unsigned got = 0;

	for (unsigned i = 0; i < count; i++) {
		if (i % 4096 == 0)
			sockets.push_back(connected(SOCK_DGRAM, to));
		send_all(sockets.back().get(), query(i, "flood" + std::to_string(i)));
		if (i % 64 == 63)
			::usleep(2000);
	}
	for (const auto &one : sockets)
		while (got < count && answered(one.get(), 3000))
			got++;
	std::printf("%u of %u answered\n", got, count);
	return got == count ? 0 : 1;
}

int retry(const sockaddr_in &to)
{
	auto fd = connected(SOCK_DGRAM, to);

	for (int i = 0; i < 3; i++)
		send_all(fd.get(), query(77, "lost-again"));
	return answered(fd.get(), 100) ? 1 : 0;
}

int reuse(const sockaddr_in &to)
{
	auto fd = connected(SOCK_DGRAM, to);

	send_all(fd.get(), query(78, "first"));
	send_all(fd.get(), query(78, "second"));
	return answered(fd.get()) && answered(fd.get()) ? 0 : 1;
}

int malformed(const sockaddr_in &to)
{
	auto fd = connected(SOCK_DGRAM, to);
	auto pointing = query(79, "lost");

	send_all(fd.get(), "short");
	send_all(fd.get(), query(79, "lost-and-cut").substr(0, 20));
	pointing[12] = '\xc0';
	send_all(fd.get(), pointing);
	return 0;
}

int twice(const sockaddr_in &to)
{
	auto fd = connected(SOCK_DGRAM, to);

	send_all(fd.get(), query(80, "twice"));
	return answered(fd.get()) && answered(fd.get()) ? 0 : 1;
}

int pieces(const sockaddr_in &to)
{
	auto fd = connected(SOCK_STREAM, to);
	auto bytes = framed(query(81, "in-pieces")) + framed(query(82, "nx-in-pieces"));
	int yes = 1;

	::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	for (char byte : bytes) {
		send_all(fd.get(), {&byte, 1});
		::usleep(2000);
	}
	return answered(fd.get()) ? 0 : 1;
}

int together(const sockaddr_in &to)
{
	auto fd = connected(SOCK_STREAM, to);

	send_all(fd.get(),
		 framed(query(83, "one")) + framed(query(84, "two")) + framed(query(85, "three")));
	::usleep(200000);
	return answered(fd.get()) ? 0 : 1;
}

int ask(const char *where, const std::string &what, unsigned count)
{
	auto to = address_of(where);

	if (what == "flood")
		return flood(to, count);
	if (what == "retry")
		return retry(to);
	if (what == "reuse")
		return reuse(to);
	if (what == "malformed")
		return malformed(to);
	if (what == "twice")
		return twice(to);
	if (what == "pieces")
		return pieces(to);
	if (what == "together")
		return together(to);
	return 2;
}

} // namespace

int main(int argc, char **argv)
{
	std::vector<std::string> words(argv, argv + argc);
	unsigned count = argc > 4 ? static_cast<unsigned>(std::strtoul(argv[4], nullptr, 10)) : 1;

	if (argc > 2 && words[1] == "answer")
		return serve(argv[2], argc > 4 ? count : 1);
	if (argc > 3 && words[1] == "ask")
		return ask(argv[2], words[3], count);
	std::fputs("usage: dns_peer answer ADDRESS [hold N] | ask ADDRESS WHAT [N]\n", stderr);
	return 2;
}
