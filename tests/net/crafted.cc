// SPDX-License-Identifier: GPL-2.0-only
//
// crafted - hand-made TCP segments against the sni filter; each case has an expected verdict,
// expected counters, and an expected view of the server, which is a real TCP.
//
// Usage: crafted GROUP PINS MODE PORT [SECONDS]
//   GROUP    stream: all that needs no special attachment; open, closed, deadline, large
//   PINS     folder of the attached filter's pins
//   MODE     printed with each case
//   PORT     the first client's; a run needs less than 200
//   SECONDS  the filter's time for a hello (deadline only)
//
// The topology is guest/topology.sh's.
#include "crafted_policy.h"

namespace {

constexpr std::array<std::uint8_t, 6> client_mac = {2, 0, 0, 0, 9, 2},
				      server_mac = {2, 0, 0, 0, 9, 1};

crafted::Cases cases_of(const std::string &group, double seconds, const net::Namespace &client_ns)
{
	crafted::Cases all;
	const auto add = [&](crafted::Cases more) {
		all.insert(all.end(), more.begin(), more.end());
	};

	if (group == "stream") {
		add(crafted::hello_cases());
		add(crafted::order_cases());
		add(crafted::ending_cases());
		add(crafted::syn_cases());
		add(crafted::packet_cases());
	} else if (group == "open") {
		add(crafted::open_cases());
	} else if (group == "closed") {
		add(crafted::closed_cases());
	} else if (group == "deadline") {
		add(crafted::deadline_cases(
			std::chrono::milliseconds(static_cast<int>(seconds * 1000))));
	} else if (group == "large") {
		add(crafted::large_cases(client_ns));
	}
	return all;
}

} // namespace

int main(int argc, char **argv)
{
	if (argc < 5) {
		std::fputs("Usage: crafted GROUP PINS MODE PORT [SECONDS]\n", stderr);
		return 2;
	}
	setvbuf(stdout, nullptr, _IOLBF, 0);

	const std::string pins = argv[2];
	const net::Namespace client_ns("client"), server_ns("");
	net::Stage stage{net::Wire(client_ns, "c0", client_mac, server_mac),
			 net::Server(server_ns, 443), net::Counters(pins + "/counters"),
			 net::Table(pins + "/sni_read"),
			 static_cast<std::uint16_t>(std::atoi(argv[4]))};
	const auto cases = cases_of(argv[1], argc > 5 ? std::atof(argv[5]) : 10, client_ns);
	unsigned failed = 0;

	for (const auto &[title, play] : cases) {
		net::Scenario scenario(stage);

		play(scenario);

		const auto fault = scenario.finish();

		failed += !fault.empty();
		std::printf("%s %s: %s%s%s\n", fault.empty() ? "ok    " : "not ok", argv[3], title,
			    fault.empty() ? "" : ": ", fault.c_str());
	}
	if (cases.empty())
		std::fprintf(stderr, "crafted: no group %s\n", argv[1]);
	return failed || cases.empty() ? 1 : 0;
}
