// SPDX-License-Identifier: GPL-2.0-only
//
// hello_peer - sends recorded ClientHellos over real TCP connections between two network
// namespaces, in segments of given sizes, and compares what arrives byte for byte.
//
// One line per hello and size, "ok ..." or "not ok ..."; ends with "N passed, N failed".
// Exit status: 0 all passed, 1 some failed, 2 usage or bad input, 3 the system did not let it run.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <set>
#include <string_view>
#include <thread>

#include "counters.h"
#include "recordings.h"

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Bytes = std::vector<std::uint8_t>;

constexpr auto usage = R"(Usage: hello_peer --dir DIR --address IP [OPTION]...

  --dir DIR          recordings: DIR/index.tsv and the files it names
  --address IP       the server's IPv4 or IPv6 address
  --port N           its port (default 443)
  --server-ns NAME   its network namespace (default: this one)
  --client-ns NAME   the client's network namespace (default: this one)
  --sizes A,B,...    segment sizes (default 88,536,1448,1460)
  --block A,B,...    names that are blocked; *.suffix as in the filter
  --counters PATH    the filter's pinned counters
  --mode NAME        printed in each line (default none)
  --expect WHAT      filter: listed names are blocked, the others pass (default)
                     all:    everything passes
                     none:   show what becomes of each hello, judge nothing
  --quiet-ms N       a blocked hello must stay away this long (default 300)
  --check            only read the recordings; nothing else is needed then
  --brief            print failed lines and the last one only
)";

struct Options {
	std::string dir, address, server_ns, client_ns, counters, mode = "none", expect = "filter";
	std::uint16_t port = 443;
	std::vector<unsigned> sizes = {88, 536, 1448, 1460};
	std::vector<std::string> block;
	std::chrono::milliseconds quiet = 300ms;
	bool brief = false, check = false;
};

std::vector<std::string> split(const std::string &list)
{
	std::vector<std::string> parts;
	std::string part;

	for (const char c : list + ",") {
		if (c != ',') {
			part += c;
		} else if (!part.empty()) {
			parts.push_back(part);
			part.clear();
		}
	}
	return parts;
}

std::optional<unsigned> number(const std::string &text)
{
	unsigned value = 0;
	const auto *end = text.data() + text.size();
	const auto done = std::from_chars(text.data(), end, value);

	if (done.ec != std::errc() || done.ptr != end)
		return {};
	return value;
}

[[noreturn]] void misuse(const std::string &why)
{
	std::fprintf(stderr, "hello_peer: %s\n%s", why.c_str(), usage);
	std::exit(2);
}

Options parse(int argc, char **argv)
{
	Options options;

	for (int i = 1; i < argc; i++) {
		const std::string name = argv[i];

		if (name == "--brief") {
			options.brief = true;
			continue;
		}
		if (name == "--check") {
			options.check = true;
			continue;
		}
		if (name == "-h" || name == "--help") {
			std::fputs(usage, stdout);
			std::exit(0);
		}
		if (i + 1 == argc)
			misuse(name + " wants a value, or is unknown");

		const std::string value = argv[++i];
		const auto wanted_number = [&] {
			const auto n = number(value);

			if (!n)
				misuse(name + " wants a number, not " + value);
			return *n;
		};

		if (name == "--dir")
			options.dir = value;
		else if (name == "--address")
			options.address = value;
		else if (name == "--port")
			options.port = static_cast<std::uint16_t>(wanted_number());
		else if (name == "--server-ns")
			options.server_ns = value;
		else if (name == "--client-ns")
			options.client_ns = value;
		else if (name == "--counters")
			options.counters = value;
		else if (name == "--mode")
			options.mode = value;
		else if (name == "--expect")
			options.expect = value;
		else if (name == "--quiet-ms")
			options.quiet = std::chrono::milliseconds(wanted_number());
		else if (name == "--block")
			options.block = split(value);
		else if (name == "--sizes") {
			options.sizes.clear();
			for (const auto &size : split(value)) {
				const auto n = number(size);

				if (!n || *n < 88 || *n > 1460)
					misuse("a segment size is 88 to 1460, not " + size);
				options.sizes.push_back(*n);
			}
		} else
			misuse("unknown option " + name);
	}
	if (options.dir.empty() || (options.address.empty() && !options.check))
		misuse("--dir and --address are needed");
	if (options.expect != "filter" && options.expect != "all" && options.expect != "none")
		misuse("--expect is filter, all or none");
	return options;
}

std::string lower(std::string text)
{
	std::transform(text.begin(), text.end(), text.begin(),
		       [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
	return text;
}

/// What the filter shall think of a name; written anew here, not taken from the filter.
bool listed(const std::vector<std::string> &block, const std::string &server_name)
{
	auto name = lower(server_name);

	if (!name.empty() && name.back() == '.')
		name.pop_back();
	return !name.empty() &&
	       std::any_of(block.begin(), block.end(), [&](const std::string &entry) {
		       const auto pattern = lower(entry);

		       if (!pattern.starts_with("*."))
			       return name == pattern;
		       return name.size() > pattern.size() - 1 && name.ends_with(pattern.substr(1));
	       });
}

struct Address {
	sockaddr_storage storage{};
	socklen_t size = 0;

	Address(const std::string &text, std::uint16_t port)
	{
		auto *v4 = reinterpret_cast<sockaddr_in *>(&storage);
		auto *v6 = reinterpret_cast<sockaddr_in6 *>(&storage);

		if (inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
			v4->sin_family = AF_INET;
			v4->sin_port = htons(port);
			size = sizeof(*v4);
		} else if (inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
			v6->sin6_family = AF_INET6;
			v6->sin6_port = htons(port);
			size = sizeof(*v6);
		} else {
			misuse("no address: " + text);
		}
	}

	[[nodiscard]] const sockaddr *get() const
	{
		return reinterpret_cast<const sockaddr *>(&storage);
	}
	[[nodiscard]] int family() const { return storage.ss_family; }
};

template <typename T> void set(const net::Fd &socket, int level, int name, const T &value)
{
	if (setsockopt(socket.get(), level, name, &value, sizeof(value)))
		net::die("setsockopt");
}

bool readable(const net::Fd &socket, std::chrono::milliseconds most)
{
	pollfd wait{socket.get(), POLLIN, 0};

	return poll(&wait, 1, static_cast<int>(std::max<long long>(most.count(), 0))) > 0;
}

/// One connection, from its first byte to the verdict on it.
struct Row {
	const recordings::Recording &hello;
	unsigned size; // of a segment
	bool listed;   // its name is to be blocked
	net::Fd client, server;
	Bytes received;
	bool end = false; // the client's FIN came
	sni_counters before{}, after{};

	[[nodiscard]] std::size_t segments() const
	{
		return (hello.bytes.size() + size - 1) / size;
	}
	[[nodiscard]] __u64 blocks() const
	{
		return after.verdict[SNI_BLOCK] - before.verdict[SNI_BLOCK];
	}
	[[nodiscard]] __u64 seen() const { return after.segments - before.segments; }

	/// Takes what has arrived. False when nothing more will come.
	bool drain()
	{
		std::uint8_t buffer[4096];

		while (!end && received.size() <= hello.bytes.size()) {
			const auto n = recv(server.get(), buffer, sizeof(buffer), MSG_DONTWAIT);

			if (n < 0 && (errno == EAGAIN || errno == EINTR))
				return true;
			end = n == 0;
			if (n <= 0)
				return false;
			received.insert(received.end(), buffer, buffer + n);
		}
		return false;
	}
};

/*
 * Rows that shall pass run one after the other. Those that shall not are started shortly after
 * one another, and then all watched for the quiet time, in which TCP sends again: so the table
 * does not take that time per row. None is started when the first could already send again,
 * because that would count for another row.
 */
class Table {
public:
	explicit Table(Options options)
		: options_(std::move(options)), address_(options_.address, options_.port),
		  server_ns_(options_.server_ns), client_ns_(options_.client_ns),
		  counters_(options_.counters)
	{
		// A tail loss probe would come before TCP's usual 200 ms.
		client_ns_.sysctl("ipv4/tcp_early_retrans", "0");
		server_ns_.inside([&] {
			listener_ =
				net::Fd(socket(address_.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
			set(listener_, SOL_SOCKET, SO_REUSEADDR, 1);
			if (listener_.get() < 0 ||
			    bind(listener_.get(), address_.get(), address_.size) ||
			    listen(listener_.get(), 16))
				net::die("listen on " + options_.address);
		});
	}

	void run(const recordings::List &list)
	{
		for (const auto size : options_.sizes) {
			std::vector<std::string> lines(list.size());
			std::vector<std::size_t> blocked;

			// With timestamps a full segment of 1448 bytes fills the MTU of 1500.
			client_ns_.sysctl("ipv4/tcp_timestamps", size == 1448 ? "1" : "0");
			for (std::size_t i = 0; i < list.size(); i++) {
				if (options_.expect != "all" &&
				    listed(options_.block, list[i].server_name))
					blocked.push_back(i);
				else
					lines[i] = passing(list[i], size);
			}
			blocking(list, size, blocked, lines);
			for (const auto &line : lines)
				std::fputs(line.c_str(), stdout);
		}
	}

	[[nodiscard]] int report() const
	{
		if (options_.expect == "none") {
			std::printf("%s: %u of %u listed hellos got through\n",
				    options_.mode.c_str(), through_, listed_);
			return 0;
		}
		std::printf("%u passed, %u failed\n", passed_, failed_);
		return failed_ ? 1 : 0;
	}

private:
	static constexpr auto patience = 5000ms; // more than a slow machine needs
	static constexpr auto resend = 150ms;	 // TCP sends again after 200 ms

	Options options_;
	Address address_;
	net::Namespace server_ns_, client_ns_;
	net::Counters counters_;
	net::Fd listener_;
	unsigned passed_ = 0, failed_ = 0, listed_ = 0, through_ = 0;

	net::Fd connect_client(unsigned size)
	{
		return client_ns_.inside([&] {
			net::Fd client(socket(address_.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
			// 1448 comes from the MTU and the timestamps, not from here.
			const int most = size == 1448 ? 1460 : static_cast<int>(size);

			set(client, IPPROTO_TCP, TCP_MAXSEG, most);
			set(client, IPPROTO_TCP, TCP_NODELAY, 1);
			if (client.get() < 0 ||
			    connect(client.get(), address_.get(), address_.size))
				net::die("connect to " + options_.address);
			// Closing it sends RST: no more of it in the next row's counters.
			set(client, SOL_SOCKET, SO_LINGER, linger{1, 0});
			return client;
		});
	}

	/// Connects, sends the hello and half-closes.
	Row start(const recordings::Recording &hello, unsigned size)
	{
		const auto before = counters_.read();
		auto client = connect_client(size);
		net::Fd server(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));

		if (!server)
			net::die("accept");
		if (send(client.get(), hello.bytes.data(), hello.bytes.size(), MSG_NOSIGNAL) !=
		    static_cast<ssize_t>(hello.bytes.size()))
			net::die("send");
		shutdown(client.get(), SHUT_WR);
		return {hello,
			size,
			listed(options_.block, hello.server_name),
			std::move(client),
			std::move(server),
			{},
			{},
			before,
			{}};
	}

	std::string passing(const recordings::Recording &hello, unsigned size)
	{
		auto row = start(hello, size);
		const auto latest = Clock::now() + patience;

		while (row.drain() && Clock::now() < latest)
			readable(row.server, 100ms);
		row.after = counters_.read();
		return judge(row);
	}

	/// Waits until the filter has seen all segments of the row, and judged it.
	void watch(Row &row)
	{
		const auto latest = Clock::now() + patience;

		do {
			row.after = counters_.read();
			if (!counters_ ||
			    (row.seen() >= row.segments() &&
			     (options_.expect == "none" || row.blocks())) ||
			    !row.drain())
				return;
			readable(row.server, 1ms);
		} while (Clock::now() < latest);
	}

	void blocking(const recordings::List &list, unsigned size,
		      const std::vector<std::size_t> &which, std::vector<std::string> &lines)
	{
		std::size_t next = 0;

		while (next < which.size()) {
			const auto first = next;
			const auto begin = Clock::now();
			std::vector<Row> rows;

			do {
				rows.push_back(start(list[which[next]], size));
				watch(rows.back());
				next++;
			} while (next < which.size() && Clock::now() - begin < resend);

			std::this_thread::sleep_for(options_.quiet);
			for (std::size_t i = 0; i < rows.size(); i++) {
				rows[i].drain();
				lines[which[first + i]] = judge(rows[i]);
			}
		}
	}

	/// What is wrong with a row; empty when nothing is.
	[[nodiscard]] std::string fault(const Row &row) const
	{
		const auto &sent = row.hello.bytes;

		if (row.listed && options_.expect == "filter") {
			const bool prefix =
				row.received.size() < sent.size() &&
				std::equal(row.received.begin(), row.received.end(), sent.begin());

			if (!prefix || row.end ||
			    (row.hello.name_offset &&
			     row.received.size() >=
				     row.hello.name_offset + row.hello.server_name.size()))
				return "the listed name came through";
			if (counters_ && row.blocks() != 1)
				return "the filter did not count one block";
		} else {
			if (!row.end || row.received != sent)
				return "not received byte for byte";
			if (row.blocks())
				return "the filter counted a block";
		}
		if (counters_ && row.seen() < row.segments())
			return "the filter saw " + std::to_string(row.seen()) + " segments of " +
			       std::to_string(row.segments());
		return {};
	}

	std::string judge(const Row &row)
	{
		const bool whole = row.end && row.received == row.hello.bytes;
		const bool judged = options_.expect != "none";
		const auto wrong = judged ? fault(row) : "";
		char line[512];

		listed_ += row.listed;
		through_ += row.listed && whole;
		(wrong.empty() ? passed_ : failed_)++;
		if (options_.brief && wrong.empty())
			return {};
		std::snprintf(
			line, sizeof(line),
			"%-6s %-16s %4u %-10s %-24s %-7s expected %-7s %4zu/%zu B %2llu segments%s%s\n",
			!judged		? ""
			: wrong.empty() ? "ok"
					: "not ok",
			row.hello.file.c_str(), row.size, options_.mode.c_str(),
			row.hello.server_name.empty() ? "-" : row.hello.server_name.c_str(),
			whole ? "passed" : "blocked",
			row.listed && options_.expect != "all" ? "blocked" : "passed",
			row.received.size(), row.hello.bytes.size(),
			static_cast<unsigned long long>(row.seen()), wrong.empty() ? "" : ": ",
			wrong.c_str());
		return line;
	}
};

} // namespace

int main(int argc, char **argv)
{
	auto options = parse(argc, argv);
	const auto read = recordings::read(options.dir);

	setvbuf(stdout, nullptr, _IOLBF, 0);
	if (const auto *error = std::get_if<std::string>(&read)) {
		std::fprintf(stderr, "%s\n", error->c_str());
		return 2;
	}

	if (options.check)
		return 0;

	Table table(std::move(options));

	table.run(std::get<recordings::List>(read));
	return table.report();
}
