// SPDX-License-Identifier: GPL-2.0-only
// module.h - is the kcoro module there, and does it fit this command?
#ifndef KCORO_USER_MODULE_H
#define KCORO_USER_MODULE_H

#include "user/result.h"

#include <string>
#include <vector>

namespace kcoro {

bool module_loaded();
bool module_has_btf();

// The kfuncs that this command uses and the module's BTF does not have.
std::vector<std::string> missing_kfuncs();

// Bytes of the module's struct of that name on this kernel, 0 if there is none.
unsigned module_struct_bytes(const char *name);

// Loaded, with BTF. Cheap: two looks at sysfs. A failure has exit_code::module.
outcome module_ready();

// module_ready(), and every kfunc is there. Parses the kernel's BTF.
outcome module_complete();

// References to the module, or -1 when it is not loaded or cannot be unloaded.
int module_references();

} // namespace kcoro

#endif
