// SPDX-License-Identifier: GPL-2.0-only
// doctor.h - one check of `kcoro doctor`.
#ifndef KCORO_USER_DOCTOR_H
#define KCORO_USER_DOCTOR_H

#include <string>
#include <vector>

namespace kcoro {

enum class health { ok, warning, failed };

struct finding {
	const char *check;
	health state;
	std::string text;
	std::string action;  // what to do; empty when ok
	bool module = false; // a failure of the module, for the exit status
	std::string log = {};
};

// Of the machine: kernel, BTF, JIT, build tools, lockdown, bpffs, capabilities.
std::vector<finding> examine_machine();

// Of the module: signature, loaded, BTF, kfuncs, and that they work.
std::vector<finding> examine_module();

} // namespace kcoro

#endif
