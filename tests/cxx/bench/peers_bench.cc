// SPDX-License-Identifier: GPL-2.0-only
// peers_bench.cc - what is written by hand with malloc, and capy's design re-created.

#include "by_hand.hpp"
#include "capy.hpp"
#include "cases.hpp"

namespace {

[[maybe_unused]] const int added = [] {
	capy::current_frame_allocator = &capy::recycling;
	return cases::add<by_hand::lib>("by_hand") + cases::add<capy::lib>("capy");
}();

} // namespace
