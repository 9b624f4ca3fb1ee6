// SPDX-License-Identifier: GPL-2.0-only
//
// echo_client - the client of examples/echo. Opens all its connections before it sends the
// first byte, and checks each byte that comes back.
//
// Exit status: 0 all was as it should be, 1 it was not, 2 usage, 3 the system did not let it run.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <x86intrin.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto usage = R"(Usage: echo_client MODE [OPTION]...

  echo     each connection sends messages, one when the one before has come back; then it
           says that it has no more, and expects the same
  half     each sends all messages without waiting, and says at once that it has no more
  reset    each sends a message and resets when the first bytes have come back
  slow     one sends and does not read until no more is taken; others are served meanwhile;
           then it reads all
  stall    one sends and never reads, and is to be disconnected
  hold     each sends one byte, and then all wait until the server closes
  count    instructions of a request, where the TSC counts them: one connection, and all at once

  --port N          (default 7007)
  --connections N   (default 1)
  --messages N      of each connection (default 1; hold: 0 sends nothing)
  --bytes N         the largest message, or that of count (default 20000)
  --least N         stall: not before so many milliseconds (default 0)
  --seconds N       the limit of all waiting (default 200)
)";

struct Options {
	std::string mode;
	unsigned port = 7007, connections = 1, messages = 1, bytes = 20000, seconds = 200,
		 least = 0;
};

Options options;
Clock::time_point limit;

[[noreturn]] void give_up(const char *what)
{
	std::fprintf(stderr, "echo_client: %s: %s\n", what, std::strerror(errno));
	std::exit(3);
}

[[noreturn]] void wrong(const std::string &what)
{
	std::printf("echo_client: %s\n", what.c_str());
	std::exit(1);
}

class Socket {
public:
	Socket() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
	{
		sockaddr_in server = {};
		const int on = 1;

		if (fd_ < 0)
			give_up("socket");
		server.sin_family = AF_INET;
		server.sin_port = htons(static_cast<std::uint16_t>(options.port));
		server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		if (connect(fd_, reinterpret_cast<const sockaddr *>(&server), sizeof(server)) ||
		    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
			give_up("connect");
	}
	Socket(Socket &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
	Socket &operator=(Socket &&) = delete;
	Socket(const Socket &) = delete;
	Socket &operator=(const Socket &) = delete;
	~Socket() { close(); }

	void close()
	{
		if (fd_ >= 0)
			::close(std::exchange(fd_, -1));
	}

	// The next close() sends a reset.
	void reset()
	{
		const linger none = {.l_onoff = 1, .l_linger = 0};

		setsockopt(fd_, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
		close();
	}

	[[nodiscard]] int fd() const { return fd_; }

private:
	int fd_;
};

// One connection's bytes: what stands at an offset is known to both directions.
struct Stream {
	Socket socket;
	unsigned number;
	std::uint64_t sent = 0, received = 0;
	std::uint64_t until = 0; // end of the messages begun so far
	unsigned messages = 0;
	bool ended = false; // we have said that there is no more
	bool closed = false;
	bool may_be_reset = false; // while it sends

	explicit Stream(unsigned n) : number(n) {}

	[[nodiscard]] std::uint8_t byte(std::uint64_t offset) const
	{
		return static_cast<std::uint8_t>((offset * 2654435761U + number * 40503U) >> 13);
	}

	// Sizes from one byte on, small ones more often.
	void begin_message()
	{
		const std::uint64_t mixed =
			(std::uint64_t{number} + 1) * (messages + 1) * 2654435761U;

		until += 1 + (mixed >> 7) % std::max(1U, options.bytes >> (mixed >> 3) % 8);
		messages++;
	}

	// Returns whether anything was taken.
	bool send_some()
	{
		std::array<std::uint8_t, 16384> out;
		const auto size = std::min<std::uint64_t>(out.size(), until - sent);

		for (std::uint64_t i = 0; i < size; i++)
			out[i] = byte(sent + i);
		const auto n = ::send(socket.fd(), out.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN) {
			if (!may_be_reset)
				wrong("send: " + std::string(std::strerror(errno)));
			closed = true;
		}
		sent += n > 0 ? static_cast<std::uint64_t>(n) : 0;
		return n > 0;
	}

	// Returns what recv() does, and checks what has come.
	ssize_t receive_some()
	{
		std::array<std::uint8_t, 16384> in;
		const auto n = ::recv(socket.fd(), in.data(), in.size(), MSG_DONTWAIT);

		for (ssize_t i = 0; i < n; i++)
			if (in[static_cast<std::size_t>(i)] !=
			    byte(received + static_cast<std::uint64_t>(i)))
				wrong("connection " + std::to_string(number) + ": wrong byte at " +
				      std::to_string(received + static_cast<std::uint64_t>(i)));
		received += n > 0 ? static_cast<std::uint64_t>(n) : 0;
		if (received > sent)
			wrong("more came back than was sent");
		return n;
	}
};

class Poller {
public:
	explicit Poller(std::vector<Stream> &streams)
		: streams_(streams), fd_(epoll_create1(EPOLL_CLOEXEC))
	{
		if (fd_ < 0)
			give_up("epoll_create1");
		for (unsigned i = 0; i < streams.size(); i++)
			set(EPOLL_CTL_ADD, i, EPOLLIN | EPOLLOUT);
	}
	Poller(const Poller &) = delete;
	Poller &operator=(const Poller &) = delete;
	~Poller() { ::close(fd_); }

	// Interest in room to send, besides what comes in.
	void want_room(unsigned i, bool room)
	{
		set(EPOLL_CTL_MOD, i, EPOLLIN | (room ? EPOLLOUT : 0U));
	}

	// Calls ready(index, events) for each, until it has returned true for all.
	template <class Ready> void run(Ready ready)
	{
		std::array<epoll_event, 256> events;
		std::size_t left = streams_.size();

		while (left) {
			const int n = epoll_wait(fd_, events.data(), events.size(), 1000);

			if (n < 0 && errno != EINTR)
				give_up("epoll_wait");
			if (Clock::now() > limit)
				wrong(std::to_string(left) + " connections are not done in time");
			for (int i = 0; i < n; i++) {
				auto &event = events[static_cast<std::size_t>(i)];
				auto &stream = streams_[event.data.u32];

				if (!stream.closed && ready(event.data.u32, event.events)) {
					stream.closed = true;
					stream.socket.close();
					left--;
				}
			}
		}
	}

private:
	void set(int what, unsigned i, std::uint32_t events)
	{
		epoll_event event = {.events = events, .data = {.u32 = i}};

		if (epoll_ctl(fd_, what, streams_[i].socket.fd(), &event))
			give_up("epoll_ctl");
	}

	std::vector<Stream> &streams_;
	int fd_;
};

std::vector<Stream> open_all(unsigned count)
{
	std::vector<Stream> streams;

	streams.reserve(count);
	for (unsigned i = 0; i < count; i++)
		streams.emplace_back(i);
	return streams;
}

// As `echo` and `half` say above.
void serve_all(bool at_once)
{
	auto streams = open_all(options.connections);
	std::uint64_t bytes = 0;
	Poller poller(streams);

	for (auto &stream : streams)
		do
			stream.begin_message();
		while (at_once && stream.messages < options.messages);
	poller.run([&](unsigned i, std::uint32_t) {
		auto &stream = streams[i];
		ssize_t n;

		while (stream.sent < stream.until && stream.send_some()) {
		}
		if (at_once && stream.sent == stream.until && !std::exchange(stream.ended, true))
			shutdown(stream.socket.fd(), SHUT_WR);
		while ((n = stream.receive_some()) > 0) {
		}
		if (n < 0 && errno != EAGAIN)
			wrong("receive: " + std::string(std::strerror(errno)));
		if (n == 0) {
			if (!stream.ended || stream.received != stream.until)
				wrong("connection " + std::to_string(i) + " was closed after " +
				      std::to_string(stream.received) + " of " +
				      std::to_string(stream.until) + " bytes");
			bytes += stream.received;
			return true;
		}
		if (stream.received == stream.until && !stream.ended) {
			if (stream.messages < options.messages) {
				stream.begin_message();
				stream.send_some();
			} else {
				stream.ended = true;
				shutdown(stream.socket.fd(), SHUT_WR);
			}
		}
		poller.want_room(i, stream.sent < stream.until);
		return false;
	});
	std::printf("%u connections, %u messages each, %llu bytes came back\n", options.connections,
		    options.messages, static_cast<unsigned long long>(bytes));
}

void reset_all()
{
	auto streams = open_all(options.connections);
	Poller poller(streams);

	for (auto &stream : streams)
		stream.begin_message();
	poller.run([&](unsigned i, std::uint32_t) {
		auto &stream = streams[i];

		while (stream.sent < stream.until && stream.send_some()) {
		}
		if (stream.receive_some() > 0) {
			stream.socket.reset();
			return true;
		}
		return false;
	});
	std::printf("%u connections were reset\n", options.connections);
}

// Sends until nothing was taken for half a second.
void fill(Stream &stream)
{
	pollfd room = {.fd = stream.socket.fd(), .events = POLLOUT, .revents = 0};

	stream.until = ~std::uint64_t{0};
	while (!stream.closed && poll(&room, 1, 500) > 0) {
		if (Clock::now() > limit)
			wrong("the server takes without end");
		stream.send_some();
	}
	stream.until = stream.sent;
}

void slow()
{
	Stream stream(options.connections);

	fill(stream);
	// The others, meanwhile.
	serve_all(false);
	shutdown(stream.socket.fd(), SHUT_WR);
	while (stream.received < stream.sent) {
		pollfd bytes = {.fd = stream.socket.fd(), .events = POLLIN, .revents = 0};

		if (poll(&bytes, 1, 1000) < 0 || Clock::now() > limit)
			wrong("the rest does not come");
		if (!stream.receive_some())
			wrong("closed too early");
	}
	std::printf("%llu bytes waited for the slow reader\n",
		    static_cast<unsigned long long>(stream.sent));
}

void stall()
{
	const auto begin = Clock::now();
	Stream stream(0);
	pollfd gone = {.fd = stream.socket.fd(), .events = 0, .revents = 0};

	// On a slow machine it is disconnected before it has noticed that nothing is taken.
	stream.may_be_reset = true;
	fill(stream);
	while (!stream.closed && !(gone.revents & (POLLERR | POLLHUP))) {
		if (Clock::now() > limit)
			wrong("the server keeps who takes nothing");
		poll(&gone, 1, 100);
	}
	if (Clock::now() - begin < std::chrono::milliseconds(options.least))
		wrong("disconnected too early");
	std::printf("disconnected\n");
}

void hold()
{
	auto streams = open_all(options.connections);
	Poller poller(streams);
	unsigned echoed = 0;

	if (options.messages) {
		for (auto &stream : streams) {
			stream.until = 1;
			stream.send_some();
		}
	} else {
		std::printf("held\n");
	}
	for (unsigned i = 0; i < streams.size(); i++)
		poller.want_room(i, false);
	std::fflush(stdout);
	poller.run([&](unsigned i, std::uint32_t) {
		const auto n = streams[i].receive_some();

		if (n > 0 && ++echoed == streams.size()) {
			std::printf("held\n");
			std::fflush(stdout);
		}
		return n == 0 || (n < 0 && errno != EAGAIN);
	});
	std::printf("all closed\n");
}

// A request on each, and each answer.
void round_trip(std::vector<Stream> &streams)
{
	std::array<char, 16384> text = {};

	for (auto &stream : streams)
		if (::send(stream.socket.fd(), text.data(), options.bytes, MSG_NOSIGNAL) !=
		    options.bytes)
			give_up("send");
	for (auto &stream : streams)
		if (::recv(stream.socket.fd(), text.data(), options.bytes, MSG_WAITALL) !=
		    options.bytes)
			give_up("recv");
}

// The least of several batches: a timer's tick is in the others.
std::uint64_t counted(std::vector<Stream> &streams, unsigned rounds)
{
	std::uint64_t least = ~std::uint64_t{0};

	round_trip(streams);
	for (unsigned batch = 0; batch < 10; batch++) {
		const auto begin = __rdtsc();

		for (unsigned i = 0; i < rounds; i++)
			round_trip(streams);
		least = std::min<std::uint64_t>(least, __rdtsc() - begin);
	}
	return least / rounds / streams.size();
}

void count()
{
	if (options.bytes > 16384)
		wrong("count sends at most 16384 bytes");

	auto all = open_all(options.connections);
	auto one = open_all(1);

	std::printf("one_at_a_time %llu\n", static_cast<unsigned long long>(counted(one, 200)));
	std::printf("all_at_once %llu\n", static_cast<unsigned long long>(counted(all, 1)));
}

[[noreturn]] void misuse(const std::string &why)
{
	std::fprintf(stderr, "echo_client: %s\n%s", why.c_str(), usage);
	std::exit(2);
}

void parse(int argc, char **argv)
{
	const std::pair<std::string_view, unsigned *> numbers[] = {
		{"--port", &options.port},	   {"--connections", &options.connections},
		{"--messages", &options.messages}, {"--bytes", &options.bytes},
		{"--seconds", &options.seconds},   {"--least", &options.least},
	};

	if (argc < 2)
		misuse("say what to do");
	options.mode = argv[1];
	for (int i = 2; i < argc; i += 2) {
		const auto *known = std::ranges::find(numbers, std::string_view(argv[i]),
						      [](const auto &n) { return n.first; });
		const std::string_view value = i + 1 < argc ? argv[i + 1] : "";

		if (known == std::end(numbers))
			misuse(std::string("unknown option ") + argv[i]);
		if (std::from_chars(value.begin(), value.end(), *known->second).ptr !=
			    value.end() ||
		    value.empty())
			misuse(std::string(argv[i]) + " wants a number");
	}
}

} // namespace

int main(int argc, char **argv)
{
	parse(argc, argv);
	limit = Clock::now() + std::chrono::seconds(options.seconds);
	const rlimit files = {.rlim_cur = options.connections + 100,
			      .rlim_max = options.connections + 100};
	if (setrlimit(RLIMIT_NOFILE, &files))
		give_up("setrlimit");

	if (options.mode == "echo")
		serve_all(false);
	else if (options.mode == "half")
		serve_all(true);
	else if (options.mode == "reset")
		reset_all();
	else if (options.mode == "slow")
		slow();
	else if (options.mode == "stall")
		stall();
	else if (options.mode == "hold")
		hold();
	else if (options.mode == "count")
		count();
	else
		misuse("unknown mode " + options.mode);
}
