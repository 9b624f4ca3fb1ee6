/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf_pool.h - pools that BPF programs own: they live as long as something of theirs.
 *
 * A program's frames and tables outlive the program's reference to their pool, in maps
 * and in deadlines that have not passed. So each holds the pool, and the pool is
 * destroyed when its owner and all of them are gone.
 */
#ifndef KCORO_BPF_POOL_H
#define KCORO_BPF_POOL_H

#include <linux/types.h>

#include <kcoro/kcoro.h>

/*
 * Of plain types alone, the rest is in bpf_pool.c: with a kernel structure in it each
 * source file may give this one, and the frame, a type of its own in the module's BTF,
 * and then the verifier takes an entry's frame for no frame.
 */
struct kcoro_bpf_pool {
	struct kcoro_pool *pool;
	u64 id;
	bool counted;		/* false: the default one, which stays */
};

/* The pool of programs that name none. */
extern struct kcoro_bpf_pool kcoro_bpf_pool_default;

struct kcoro_bpf_pool *kcoro_bpf_pool_create(const struct kcoro_bpf_pool_attr *attr);
void kcoro_bpf_pool_release(struct kcoro_bpf_pool *pool);
struct kcoro_bpf_pool *kcoro_bpf_pool_get(u64 id);

void kcoro_bpf_pool_put(struct kcoro_bpf_pool *pool);

int kcoro_bpf_pool_init(void);
void kcoro_bpf_pool_exit(void);

#endif /* KCORO_BPF_POOL_H */
