// SPDX-License-Identifier: GPL-2.0-only
// attach_filter.h - what attaching a filter to an interface is, whatever the filter does.
#ifndef KCORO_USER_ATTACH_FILTER_H
#define KCORO_USER_ATTACH_FILTER_H

#include "user/cli_verb.h"
#include "user/filters.h"
#include "user/interface.h"
#include "user/output.h"
#include "user/result.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace kcoro {

// Where it goes, as it was asked for.
struct filter_place {
	std::string interface;
	std::string netns; // empty: this one
	attachment_mode mode = ATTACHMENT_TC;
	attachment_direction direction = ATTACHMENT_INGRESS;
};

// What only the filter knows.
struct filter_steps {
	// Loads its programs and fills in the record. What it makes goes with this process.
	std::function<outcome(const interface &device, attachment &record)> load;
	// Pins and links what was loaded; on a failure the directory is removed again.
	std::function<outcome(const attachment &record, const std::string &directory)> link;
};

// All from the privileges to the last pin; leaves nothing behind when it fails. Gives the
// record and the directory of the pins.
result<std::pair<attachment, std::string>> attach_filter(const filter_kind &kind,
							 const filter_place &place,
							 attachment record,
							 const filter_steps &steps);

// A descriptor and the name it gets in the directory.
using named_pins = std::vector<std::pair<int, std::string>>;
outcome pin_each(const named_pins &pins, const std::string &directory);

// Links a program where the record says and pins the link as `name`; a TC one in the
// given direction.
outcome link_program(int program, const attachment &record, attachment_direction direction,
		     const std::string &directory, const std::string &name);

// What a pool of so many frames may hold, and what so many CPUs may cache meanwhile, in bytes.
// A frame is of frame_bytes, and of twice as much where the module's part of it leaves no room
// for a filter's state: where the kernel debugs locks.
// Without the module it is not known, and frame_bytes is taken as it is.
unsigned long long filter_pool_quota(unsigned long long frame_bytes, unsigned frames,
				     unsigned cpus);

// Less would be cached before the first frames are served.
constexpr unsigned long long smallest_pool_quota = 65536;

// IFACE, with that help, and --netns.
void add_place(const cli_verb &verb, filter_place &place, const std::string &help);

// The pool's name, given with that option, and --pool-quota SIZE; the quota in bytes, left
// alone when SIZE is empty.
outcome check_pool_options(const std::string &option, const std::string &name,
			   const std::string &size, unsigned long long &quota);

// NAME-IFACE, cut to the length of a pool's name.
std::string filter_pool_name(const filter_kind &kind, const std::string &interface);

} // namespace kcoro

#endif
