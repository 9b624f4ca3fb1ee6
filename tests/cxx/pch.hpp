// SPDX-License-Identifier: GPL-2.0-only
// pch.hpp - what all tests of the C++ library include, compiled once for each way they are built.

#include <array>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <memory>
#include <memory_resource>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <kcoro/channel.hpp>
#include <kcoro/completion.hpp>
#include <kcoro/event.hpp>
#include <kcoro/rc_ptr.hpp>
#include <kcoro/scope.hpp>
#include <kcoro/slot.hpp>
#include <kcoro/spawn.hpp>
#include <kcoro/stop.hpp>
#include <kcoro/then.hpp>
#include <kcoro/timeout.hpp>
#include <kcoro/user/recycling.hpp>
#include <kcoro/user/resource.hpp>
#include <kcoro/user/sync_wait.hpp>
#include <kcoro/when.hpp>
