// SPDX-License-Identifier: GPL-2.0-only
/*
 * btf_guard.c - makes sure that the kernel kept this module's BTF.
 *
 * Without it, or with BTF made for another kernel, a kernel that allows the
 * mismatch (CONFIG_MODULE_ALLOW_BTF_MISMATCH, as Debian's 6.12) loads the module
 * and silently has no kfuncs: register_btf_kfunc_id_set() even returns 0. What does
 * tell is a struct_ops: registering one calls its .init only when the BTF is there
 * (kernel/bpf/bpf_struct_ops.c). This one exists for that alone and can't be
 * attached.
 *
 * Called once, from the module's init.
 */
#include <linux/bpf.h>
#include <linux/bpf_verifier.h>
#include <linux/btf.h>
#include <linux/module.h>
#include <linux/utsname.h>

#include "../compat.h"
#include "bpf.h"

struct kcoro_btf_guard {
	int unused;
};

static bool btf_seen;

static int guard_init(struct btf *btf)
{
	btf_seen = true;
	return 0;
}

static int guard_init_member(const struct btf_type *t, const struct btf_member *member,
			     void *kdata, const void *udata)
{
	return 0;
}

static int guard_reg(void *kdata, struct bpf_link *link)
{
	return -EOPNOTSUPP;
}

static void guard_unreg(void *kdata, struct bpf_link *link)
{
}

static const struct bpf_verifier_ops guard_verifier_ops = {
};

static struct kcoro_btf_guard guard_stubs;

static struct bpf_struct_ops guard_ops = {
	.verifier_ops = &guard_verifier_ops,
	.init = guard_init,
	.init_member = guard_init_member,
	.reg = guard_reg,
	.unreg = guard_unreg,
	.cfi_stubs = &guard_stubs,
	.name = "kcoro_btf_guard",
	.owner = THIS_MODULE,
};

/* 0, -ENOMEM, or -ENOEXEC with one line in the log that names the cause and the cure. */
int __init kcoro_btf_guard_init(void)
{
	int err = register_bpf_struct_ops(&guard_ops, kcoro_btf_guard);

	if (!err && btf_seen)
		return 0;
	/* The kernel has BTF, and no memory to note the registration. */
	if (err == -ENOMEM)
		return err;
	pr_err("kcoro: the kernel has no BTF for this module (built without pahole, stripped, or built for another kernel): BPF programs could not call it; install pahole (package dwarves), rebuild against the headers of %s, and load again\n",
	       init_utsname()->release);
	return -ENOEXEC;
}
