/* SPDX-License-Identifier: GPL-2.0-only */
/* bpf.h - the BPF front's parts, brought up by main.c. */
#ifndef KCORO_BPF_FRONT_H
#define KCORO_BPF_FRONT_H

int kcoro_ops_init(void);
int kcoro_kfuncs_init(void);

#endif /* KCORO_BPF_FRONT_H */
