/* SPDX-License-Identifier: GPL-2.0-only */
/* cxx.h - between cxx.c and cxx_bodies.cc. */
#ifndef KCORO_BENCH_CXX_H
#define KCORO_BENCH_CXX_H

struct kcoro_event;
struct kcoro_scope;

#ifdef __cplusplus
extern "C" {
#endif

/* @n awaits of a leaf task, by a body that is run() in the caller's place. 0 or an errno. */
int bench_cxx_await(int n);

/* One that awaits @event again and again. 0 or an errno. */
int bench_cxx_follow(struct kcoro_scope *scope, struct kcoro_event *event);

/* The same with an event of the C++ library's, number @i; and set it. */
int bench_cxx_follow_own(struct kcoro_scope *scope, unsigned int i);
void bench_cxx_set_own(unsigned int i);

/* One that ends at once. */
int bench_cxx_spawn(struct kcoro_scope *scope);

#ifdef __cplusplus
}
#endif

#endif /* KCORO_BENCH_CXX_H */
