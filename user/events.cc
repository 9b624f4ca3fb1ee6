// SPDX-License-Identifier: GPL-2.0-only
// events.cc - `kcoro events`: the verdicts of the sni filters as they fall.
#include "user/verbs.h"

#include "user/attachments.h"
#include "user/filters.h"
#include "user/labels.h"
#include "user/loop.h"
#include "user/module.h"
#include "user/privileges.h"

#include <arpa/inet.h>
#include <sys/file.h>

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>
#include <optional>

namespace kcoro {

namespace {

constexpr long long second = 1000000000;
constexpr int check_attachments_ms = 1000;

struct ring_deleter {
	void operator()(ring_buffer *one) const { ring_buffer__free(one); }
};

long long now_ns(clockid_t clock)
{
	timespec now{};

	clock_gettime(clock, &now);
	return now.tv_sec * second + now.tv_nsec;
}

std::string address(const __u8 *bytes, bool ipv6)
{
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(ipv6 ? AF_INET6 : AF_INET, bytes, text, sizeof(text));
	return ipv6 ? fmt::format("[{}]", text) : text;
}

// A stream of events from all attached filters.
class event_stream {
public:
	explicit event_stream(const output &out) : out_(out) {}

	outcome open();
	outcome run(long count);

private:
	static int on_event(void *self, void *data, size_t size);
	outcome print(const sni_event &event) const;
	std::string interface_of(unsigned ifindex) const;
	bool any_left() const;

	const output &out_;
	std::vector<filter_attachment> filters_;
	std::vector<descriptor> locks_;
	std::vector<descriptor> maps_;
	std::unique_ptr<ring_buffer, ring_deleter> ring_;
	std::optional<failure> end_;
	long left_ = -1; // events still wanted; -1: all
};

outcome event_stream::open()
{
	auto found = find_filters(sni_kind, "");

	if (!found)
		return found.error();
	for (auto &filter : *found) {
		// A ring buffer has one reader: two would each see a part.
		descriptor lock(::open(filter.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
		if (!filter.linked)
			continue;
		if (lock && ::flock(lock.get(), LOCK_EX | LOCK_NB))
			return fail("another `kcoro events` reads {} already: end it first",
				    filter.title());
		auto map = open_pinned(filter.pin("events"));
		if (!map)
			return map.error();
		if (!ring_)
			ring_.reset(ring_buffer__new(map->get(), on_event, this, nullptr));
		else if (int err = ring_buffer__add(ring_.get(), map->get(), on_event, this); err)
			return fail("can't read the events: {}", std::strerror(-err));
		if (!ring_)
			return fail("can't read the events: {}", std::strerror(errno));
		locks_.push_back(std::move(lock));
		maps_.push_back(std::move(*map));
		filters_.push_back(std::move(filter));
	}
	if (!ring_)
		return fail("the sni filters are half attached: see `kcoro status`");
	return done{};
}

int event_stream::on_event(void *self, void *data, size_t size)
{
	auto *stream = static_cast<event_stream *>(self);
	sni_event event{};

	if (stream->left_ == 0)
		return 0;
	std::memcpy(&event, data, std::min(size, sizeof(event)));
	event.name[sizeof(event.name) - 1] = '\0';
	if (auto printed = stream->print(event); !printed) {
		stream->end_ = printed.error();
		return -ECANCELED;
	}
	if (stream->left_ < 0)
		return 0;
	stream->left_--;
	return stream->left_ ? 0 : -ECANCELED; // leaves the rest to the next reader
}

std::string event_stream::interface_of(unsigned ifindex) const
{
	for (const auto &filter : filters_)
		if (filter.record.ifindex == ifindex)
			return filter.interface();
	return std::to_string(ifindex);
}

outcome event_stream::print(const sni_event &event) const
{
	bool ipv6 = event.flags & SNI_EVENT_IPV6;
	bool dropped = event.flags & SNI_EVENT_DROPPED;
	bool ech = event.flags & SNI_EVENT_ECH;
	auto source = fmt::format("{}:{}", address(event.source, ipv6), event.source_port);
	auto dest = fmt::format("{}:{}", address(event.dest, ipv6), event.dest_port);
	auto length = std::min<size_t>(event.name_len, SNI_NAME_MAX);
	auto name = printable({event.name, length});
	auto real = static_cast<long long>(event.time_ns) + now_ns(CLOCK_REALTIME) -
		    now_ns(CLOCK_MONOTONIC);
	auto clock = format_time(real / second).substr(11);

	if (out_.is_json())
		return out_.report({{"time_ns", event.time_ns},
				    {"realtime_ns", real},
				    {"interface", interface_of(event.ifindex)},
				    {"source", source},
				    {"dest", dest},
				    {"name", name},
				    {"verdict", verdict_label(event.verdict)},
				    {"dropped", dropped},
				    {"ech", ech},
				    {"hello_bytes", event.hello_bytes},
				    {"segments", event.segments}},
				   "");
	return out_.text(fmt::format("{}.{:03} {:<10} {} > {} {}{}{}\n", clock,
				     real / 1000000 % 1000, verdict_label(event.verdict), source,
				     dest, name.empty() ? "-" : name, dropped ? " dropped" : "",
				     ech ? " ech" : ""));
}

bool event_stream::any_left() const
{
	return std::any_of(filters_.begin(), filters_.end(),
			   [](const auto &filter) { return exists(filter.path()); });
}

outcome event_stream::run(long count)
{
	stopper stop;

	left_ = count > 0 ? count : -1;
	for (;;) {
		ring_buffer__consume(ring_.get());
		if (end_)
			return *end_;
		if (left_ == 0)
			return done{};
		if (!any_left())
			return out_.text("the filter was detached\n");
		if (stop.wait(check_attachments_ms, ring_buffer__epoll_fd(ring_.get())))
			return out_.text("\n");
	}
}

outcome events(long count, const output &out)
{
	event_stream stream(out);

	if (auto allowed = require_capabilities(); !allowed)
		return allowed;
	if (auto ready = module_ready(); !ready)
		return ready;
	if (auto opened = stream.open(); !opened)
		return opened;
	if (auto dropped = drop_privileges(); !dropped)
		return dropped;
	return stream.run(count);
}

} // namespace

void add_events(const cli_verb &app)
{
	auto verb = app.add("events", "print the verdicts of the sni filters");
	auto count = std::make_shared<long>(0);

	verb.option("-n,--count", *count, "end after so many events")
		.range(1L, 1L << 31)
		.value("COUNT");
	verb.footer("Columns: time, verdict, flow, server name as the client sent it.\n\n"
		    "EXAMPLES:\n"
		    "  kcoro events\n"
		    "  kcoro events -n 10 -j");
	verb.action([=](const output &out) { return events(*count, out); });
}

} // namespace kcoro
