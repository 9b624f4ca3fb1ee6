// SPDX-License-Identifier: GPL-2.0-only
// doctor_module.cc - the checks of the module.
#include "user/doctor.h"

#include "user/bpf.h"
#include "user/module.h"
#include "user/privileges.h"

#include <linux/types.h>

#include <inspect/probe.h>
#include <kcoro/abi.h>

#include "probe.skel.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace kcoro {

namespace {

using probe_object = skeleton<probe_bpf, probe_bpf::destroy>;

std::string file_text(const char *path)
{
	std::ifstream file(path);
	std::ostringstream text;

	text << file.rdbuf();
	return text.str();
}

finding check_signature()
{
	bool enforced = file_text("/sys/module/module/parameters/sig_enforce").starts_with('Y');
	bool unsigned_one = file_text("/sys/module/kcoro/taint").find('E') != std::string::npos;

	if (!module_loaded() && enforced)
		return {"signature", health::warning, "this kernel loads signed modules only",
			"sign kcoro.ko with a key that mokutil has enrolled"};
	if (!module_loaded())
		return {"signature", health::ok, "not needed by this kernel", ""};
	return {"signature", health::ok,
		unsigned_one ? "the module has none; this kernel does not ask for one"
			     : "the module is signed",
		""};
}

finding check_loaded()
{
	if (module_loaded())
		return {"module", health::ok, "kcoro is loaded", ""};
	return {"module", health::failed, "kcoro is not loaded", "modprobe kcoro", true};
}

finding check_btf()
{
	if (module_has_btf())
		return {"module BTF", health::ok, "/sys/kernel/btf/kcoro", ""};
	return {"module BTF", health::failed, "the kernel did not keep it",
		"build with this kernel's headers and pahole, load it again", true};
}

finding check_kfuncs()
{
	auto missing = missing_kfuncs();

	if (missing.empty())
		return {"kfuncs", health::ok, "all there", ""};
	return {"kfuncs", health::failed,
		fmt::format("{} missing, such as {}", missing.size(), missing.front()),
		"build module and command from one source", true};
}

const char *step_label(unsigned step)
{
	static constexpr std::array<const char *, PROBE_DONE + 1> names{
		"frame_alloc", "frame_data", "table_create", "counters_read", "the end"};

	return step < names.size() ? names[step] : "an unknown step";
}

finding check_probe()
{
	if (!missing_capabilities(false).empty())
		return {"probe", health::warning, "not run: needs root", "run as root"};

	probe_object object(probe_bpf::open());
	int err = object ? probe_bpf::load(object.get()) : -errno;
	probe_args args{};

	if (err)
		return {"probe",
			health::failed,
			fmt::format("the probe program does not load: {}", std::strerror(-err)),
			"`kcoro doctor --verbose` shows what the verifier said",
			true,
			take_libbpf_log()};
	auto ran = run_program(bpf_program__fd(object->progs.probe), &args, sizeof(args));
	if (!ran)
		return {"probe", health::failed, ran.error().message, "see the kernel log: dmesg",
			true};
	if (*ran)
		return {"probe", health::failed,
			fmt::format("the probe program failed at {}: {}", step_label(args.step),
				    std::strerror(-*ran)),
			"see the kernel log: dmesg", true};
	return {"probe", health::ok, "a program called the kfuncs, and they work", ""};
}

} // namespace

std::vector<finding> examine_module()
{
	std::vector<finding> findings{check_signature(), check_loaded()};

	if (!module_loaded())
		return findings;
	findings.push_back(check_btf());
	if (!module_has_btf())
		return findings;
	findings.push_back(check_kfuncs());
	findings.push_back(check_probe());
	return findings;
}

} // namespace kcoro
