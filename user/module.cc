// SPDX-License-Identifier: GPL-2.0-only
// module.cc - see module.h.
#include "user/module.h"

#include <bpf/btf.h>
#include <unistd.h>

#include <fstream>
#include <memory>

namespace kcoro {

namespace {

constexpr const char *used_kfuncs[] = {
	"bpf_kcoro_frame_alloc",  "bpf_kcoro_frame_data",    "bpf_kcoro_frame_free",
	"bpf_kcoro_table_create", "bpf_kcoro_table_id",	     "bpf_kcoro_table_release",
	"bpf_kcoro_table_enter",  "bpf_kcoro_table_leave",   "bpf_kcoro_table_end",
	"bpf_kcoro_table_read",	  "bpf_kcoro_counters_read", "bpf_kcoro_pool_create",
	"bpf_kcoro_pool_id",	  "bpf_kcoro_pool_release",  "bpf_kcoro_pool_reserve",
	"bpf_kcoro_pool_next",	  "bpf_kcoro_pool_read",     "bpf_kcoro_pool_counters_read",
	"bpf_kcoro_coro_list",	  "bpf_kcoro_scope_list",
};

struct btf_deleter {
	void operator()(btf *one) const { btf__free(one); }
};
using btf_pointer = std::unique_ptr<btf, btf_deleter>;

struct module_btf {
	btf_pointer kernel{btf__load_vmlinux_btf()};
	btf_pointer module{kernel ? btf__load_module_btf("kcoro", kernel.get()) : nullptr};
};

failure unfit(std::string message)
{
	return {exit_code::module, std::move(message), {}};
}

} // namespace

bool module_loaded()
{
	return ::access("/sys/module/kcoro/initstate", F_OK) == 0;
}

bool module_has_btf()
{
	return ::access("/sys/kernel/btf/kcoro", F_OK) == 0;
}

std::vector<std::string> missing_kfuncs()
{
	std::vector<std::string> missing;
	module_btf btf;

	for (const char *name : used_kfuncs) {
		if (!btf.module ||
		    btf__find_by_name_kind(btf.module.get(), name, BTF_KIND_FUNC) < 0)
			missing.emplace_back(name);
	}
	return missing;
}

unsigned module_struct_bytes(const char *name)
{
	module_btf btf;
	int id = btf.module ? btf__find_by_name_kind(btf.module.get(), name, BTF_KIND_STRUCT) : -1;

	return id < 0 ? 0 : btf__type_by_id(btf.module.get(), static_cast<__u32>(id))->size;
}

outcome module_ready()
{
	if (!module_loaded())
		return unfit("the kcoro module is not loaded: run `modprobe kcoro`");
	if (!module_has_btf())
		return unfit("the kcoro module has no BTF in this kernel: build it against this "
			     "kernel's headers with pahole installed, see `kcoro doctor`");
	return done{};
}

outcome module_complete()
{
	if (auto ready = module_ready(); !ready)
		return ready;
	if (auto missing = missing_kfuncs(); !missing.empty())
		return unfit(fmt::format("the kcoro module has no {}: module and command are of "
					 "different versions, build both from one source",
					 missing.front()));
	return done{};
}

int module_references()
{
	std::ifstream file("/sys/module/kcoro/refcnt");
	int count = -1;

	file >> count;
	return file ? count : -1;
}

} // namespace kcoro
