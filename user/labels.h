// SPDX-License-Identifier: GPL-2.0-only
// labels.h - names for the numbers of the shared headers.
#ifndef KCORO_USER_LABELS_H
#define KCORO_USER_LABELS_H

#include <linux/types.h>

#include <kcoro/abi.h>
#include <filters/sni/sni.h>
#include <inspect/attachment.h>

#include <array>
#include <cstddef>
#include <string>

namespace kcoro {

namespace detail {
template <size_t N>
constexpr const char *label(const std::array<const char *, N> &names, size_t index)
{
	return index < N ? names[index] : "unknown";
}
} // namespace detail

inline const char *level_label(unsigned level)
{
	static constexpr std::array<const char *, KCORO_LEVELS> names{"task", "softirq", "hardirq",
								      "nmi"};
	return detail::label(names, level);
}

inline const char *operation_label(unsigned operation)
{
	static constexpr std::array<const char *, KCORO_OPS> names{"alloc", "free"};
	return detail::label(names, operation);
}

// Bytes of a frame of that class; 0 for frames larger than all classes.
inline unsigned class_bytes(unsigned size_class)
{
	return size_class < KCORO_CLASSES ? KCORO_CLASS_SIZE(size_class) : 0;
}

inline std::string class_label(unsigned size_class)
{
	return size_class < KCORO_CLASSES ? std::to_string(class_bytes(size_class)) + "B"
					  : "larger";
}

inline const char *executor_label(unsigned executor)
{
	static constexpr std::array<const char *, KCORO_EXECUTORS> names{"softirq", "worker"};
	return detail::label(names, executor);
}

inline const char *status_label(unsigned status)
{
	static constexpr std::array<const char *, KCORO_STATUSES> names{
		"created", "ready",	"running", "suspended",
		"done",	   "cancelled", "killed",  "timed out"};
	return detail::label(names, status);
}

inline const char *wait_label(unsigned kind)
{
	static constexpr std::array<const char *, KCORO_WAIT_KINDS> names{
		"nothing", "event", "timer", "send", "receive",
		"join",	   "group", "queue", "call", "key"};
	return detail::label(names, kind);
}

inline const char *verdict_label(unsigned verdict)
{
	static constexpr std::array<const char *, SNI_VERDICTS> names{
		"pass",	     "block",	  "no-name",  "not-tls",
		"malformed", "too-large", "no-frame", "unfinished"};
	return detail::label(names, verdict);
}

inline const char *mode_label(unsigned mode)
{
	static constexpr std::array<const char *, 3> names{"tc", "xdp", "xdp-generic"};
	return detail::label(names, mode);
}

inline const char *direction_label(unsigned direction)
{
	static constexpr std::array<const char *, 3> names{"ingress", "egress", "both"};
	return detail::label(names, direction);
}

inline const char *on_full_label(unsigned on_full)
{
	static constexpr std::array<const char *, 2> names{"open", "closed"};
	return detail::label(names, on_full);
}

} // namespace kcoro

#endif
