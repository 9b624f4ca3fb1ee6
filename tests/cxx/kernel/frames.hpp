// SPDX-License-Identifier: GPL-2.0-only
// frames.hpp - inside the kernel the tests' hooks (support.hpp), which count frames and refuse
// them, stand where the library asks kcoro.ko; frames still come from there. First in a file.
#include <cstddef>

#include <kcoro/cxx.h>

namespace kernel_frames {
// The pool's own, before their names are taken.
inline void *alloc(std::size_t size) noexcept
{
	return kcoro_cxx_frame_alloc(size);
}
inline void free(void *frame, std::size_t size) noexcept
{
	kcoro_cxx_frame_free(frame, size);
}
} // namespace kernel_frames

// A file's own, hooks and library: it is in one module with others, whose inline functions take
// frames from elsewhere, and of those of one name the linker keeps one.
#define kcoro KCORO_SUITE_NAME(_lib)
#define kcoro_frame_alloc_hook KCORO_SUITE_NAME(_alloc_hook)
#define kcoro_frame_free_hook KCORO_SUITE_NAME(_free_hook)
#define KCORO_SUITE_NAME(what) KCORO_SUITE_JOIN(KCORO_SUITE_IS, what)
#define KCORO_SUITE_JOIN(a, b) KCORO_SUITE_JOIN2(a, b)
#define KCORO_SUITE_JOIN2(a, b) a##b

extern "C" void *kcoro_frame_alloc_hook(std::size_t size) noexcept;
extern "C" void kcoro_frame_free_hook(void *frame, std::size_t size) noexcept;

#define kcoro_cxx_frame_alloc(size) kcoro_frame_alloc_hook(size)
#define kcoro_cxx_frame_alloc_class(cls, size) kcoro_frame_alloc_hook(size)
#define kcoro_cxx_frame_free(frame, size) kcoro_frame_free_hook(frame, size)
#define kcoro_cxx_frame_free_class(frame, cls) kcoro_frame_free_hook(frame, 0)
