/* SPDX-License-Identifier: GPL-2.0-only */
/* cxx_suites.h - between cxx_suites.c and the tests of the C++ library. */
#ifndef KCORO_TEST_CXX_SUITES_H
#define KCORO_TEST_CXX_SUITES_H

struct kcoro_scope;

#ifdef __cplusplus
extern "C" {
#endif

/* For tests/cxx/kernel/kcoro/user/run_loop.hpp: the scope of a test, which goes with it. */
struct kcoro_scope *kcoro_test_suite_begin(void);
void kcoro_test_suite_end(struct kcoro_scope *scope);
/* Those that are ready on that queue run, and those that they wake. */
void kcoro_test_suite_settle(int worker);

/* For tests/cxx/kernel/cstdlib: what is larger than a frame. */
void *kcoro_test_suite_alloc(unsigned long size);
void kcoro_test_suite_free(void *memory);
/* There was none: says what the pool was refused, and why. */
void kcoro_test_suite_no_memory(unsigned long size);

/* The suites: how many tests failed. */
int kcoro_suite_task(void);
int kcoro_suite_frame(void);
int kcoro_suite_spawn(void);
int kcoro_suite_event(void);
int kcoro_suite_when(void);
int kcoro_suite_rc_ptr(void);

#ifdef __cplusplus
}
#endif

#endif /* KCORO_TEST_CXX_SUITES_H */
