// SPDX-License-Identifier: GPL-2.0-only
//
// sni_fuzz - fuzzed packets through the sni filter's own program in the kernel, by
// BPF_PROG_TEST_RUN; what it makes of each is compared with flow_model.h. Runs in the VM with
// kcoro.ko loaded.
//
// Usage: sni_fuzz tc|xdp RECORDINGS PACKETS [ROUNDS]
//   RECORDINGS  folder of recorded hellos
//   ROUNDS      as often the filter is loaded anew, with other settings
//
// SEED in the environment: the same packets again. Status 1: there was a difference, and the
// line behind it says how to see it again.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "flow_model.h"
#include "sni_filter.h"
#include "traffic_fuzz.h"

namespace {

const std::vector<std::string> listed = {"blocked.example.org", "update.googleapis.com",
					 "*.suffix.example"};
const std::vector<std::string> names = {"blocked.example.org", "update.googleapis.com",
					"suffix.example",      "b.suffix.example",
					"www.example.com",     "accounts.google.com"};

model::Judgement as_model(const net::Judged &judged)
{
	model::Judgement out{judged.dropped, {}};

	if (judged.events.empty())
		return out;

	const auto &event = judged.events.front();

	out.told = model::Told{static_cast<sni_verdict>(event.verdict),
			       (event.flags & SNI_EVENT_DROPPED) != 0,
			       (event.flags & SNI_EVENT_ECH) != 0,
			       event.hello_bytes,
			       event.segments,
			       {event.name, event.name_len}};
	return out;
}

std::string text(const model::Judgement &judgement)
{
	static constexpr const char *verdicts[] = {"pass",     "block",	    "no name",
						   "not TLS",  "malformed", "too large",
						   "no frame", "unfinished"};
	std::string all = judgement.dropped ? "dropped" : "passed";

	static_assert(std::size(verdicts) == SNI_VERDICTS);
	if (!judgement.told)
		return all;

	const auto &told = *judgement.told;

	return all + ", verdict " + verdicts[told.verdict] + " after " +
	       std::to_string(told.bytes) + " bytes in " + std::to_string(told.segments) +
	       " segments" + (told.dropped ? ", drop" : "") + (told.ech ? ", ech" : "") +
	       (told.name.empty() ? "" : ", name " + told.name);
}

void dump(const char *title, std::span<const std::uint8_t> bytes)
{
	std::printf("# %s, %zu bytes:", title, bytes.size());
	for (std::size_t i = 0; i < bytes.size(); i++)
		std::printf("%s%02x", i % 32 ? "" : "\n#   ", bytes[i]);
	std::puts("");
}

// The counters that both keep.
bool same_counters(const sni_counters &filter, const sni_counters &reference)
{
	const auto *a = reinterpret_cast<const __u64 *>(&filter);
	const auto *b = reinterpret_cast<const __u64 *>(&reference);
	bool same = true;

	for (std::size_t i = 0; i < sizeof(filter) / sizeof(*a); i++) {
		if (a[i] == b[i])
			continue;
		same = false;
		std::printf("# counter %zu of struct sni_counters is %llu, the reference's %llu\n",
			    i, a[i], b[i]);
	}
	return same;
}

struct Totals {
	std::size_t packets = 0, verdicts[SNI_VERDICTS] = {};
};

bool round(bool xdp, const recordings::List &recorded, std::uint64_t seed, std::size_t packets,
	   Totals &totals)
{
	net::Random choice(seed);
	net::SniSettings settings;
	constexpr unsigned limits[] = {131072, 131072, 16384, 1500};

	settings.xdp = xdp;
	settings.names = listed;
	settings.max_flows = 65536; // more than there are ports
	settings.config.max_hello = limits[choice.below(4)];
	settings.config.port = choice.once_in(2) ? 443 : 0;
	settings.config.closed = choice.once_in(2);

	net::SniFilter filter(settings);
	model::Filter reference(listed, settings.config.port, settings.config.max_hello,
				settings.config.closed);
	fuzz::Traffic traffic(seed, {recorded, names}, 443);

	for (std::size_t i = 0; i < packets; i++) {
		const auto frame = traffic.packet();
		const auto right = reference.packet(frame);
		const auto judged = filter.packet(frame);
		const auto got = as_model(judged);

		totals.packets++;
		if (right.told)
			totals.verdicts[right.told->verdict]++;
		if (got == right && judged.events.size() <= 1)
			continue;
		std::printf("# packet %zu: the filter: %s (%zu events)\n#   the reference: %s\n", i,
			    text(got).c_str(), judged.events.size(), text(right).c_str());
		dump("the packet", frame);
		dump("the stream with it", reference.last_stream());
		return false;
	}

	const auto table = filter.table();
	const auto live = table.created - table.ended - table.expired;

	if (live != reference.flows())
		std::printf("# %llu flows live, of the reference %zu\n", live, reference.flows());
	return same_counters(filter.counters(), reference.counted) && live == reference.flows();
}

} // namespace

int main(int argc, char **argv)
{
	if (argc < 4) {
		std::fputs("Usage: sni_fuzz tc|xdp RECORDINGS PACKETS [ROUNDS]\n", stderr);
		return 2;
	}

	const std::string mode = argv[1];
	const auto recorded = recordings::read(argv[2]);
	const auto packets = std::strtoull(argv[3], nullptr, 10);
	const auto rounds = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 1;
	const auto seed = net::seed_of_environment();
	bool same = true;
	Totals totals;

	if (const auto *wrong = std::get_if<std::string>(&recorded)) {
		std::fprintf(stderr, "sni_fuzz: %s\n", wrong->c_str());
		return 2;
	}
	std::printf("# SEED=%llu\n", static_cast<unsigned long long>(seed));
	for (std::size_t i = 0; i < rounds && same; i++)
		same = round(mode == "xdp", std::get<recordings::List>(recorded), seed + i,
			     packets / rounds, totals);
	if (!same)
		std::printf("# again: SEED=%llu tests/check net/sni_fuzz\n",
			    static_cast<unsigned long long>(seed));
	std::printf(
		"# %zu packets; verdicts: %zu pass, %zu block, %zu no name, %zu not TLS, %zu malformed, "
		"%zu too large, %zu unfinished\n",
		totals.packets, totals.verdicts[SNI_PASS], totals.verdicts[SNI_BLOCK],
		totals.verdicts[SNI_NO_NAME], totals.verdicts[SNI_NOT_TLS],
		totals.verdicts[SNI_MALFORMED], totals.verdicts[SNI_TOO_LARGE],
		totals.verdicts[SNI_UNFINISHED]);
	std::printf("%s %s: fuzzed packets, no difference to the reference\n",
		    same ? "ok    " : "not ok", mode.c_str());
	return same ? 0 : 1;
}
