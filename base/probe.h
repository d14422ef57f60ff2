/* SPDX-License-Identifier: MIT */
/*
 * USDT probes: places that bpftrace, perf and SystemTap can stop at in a tool that runs, listed by
 * `readelf -n`. A probe is a no-operation instruction and a note that says where its arguments are;
 * nobody looking, it costs that instruction. docs/profiling.md has the list. From <sys/sdt.h>
 * (systemtap-sdt-dev); built without it, they are nothing at all.
 *
 * Each has a counter of who looks (a semaphore, in SystemTap's words), which the kernel keeps. It
 * is read once, at the tool's start: a phase's duration is measured only for somebody. base/trace.c
 * alone has probes.
 */
#pragma once

#ifdef LAMINA_HAVE_SDT
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>
#define LAMINA_PROBE_DEFINE(name)                                                                  \
	__extension__ static volatile unsigned short lamina_##name##_semaphore                     \
		__attribute__((used, section(".probes")))
#define LAMINA_PROBE_IS_SEEN(name) (lamina_##name##_semaphore > 0)
#define LAMINA_PROBE1(name, a)	   DTRACE_PROBE1(lamina, name, a)
#define LAMINA_PROBE2(name, a, b)  DTRACE_PROBE2(lamina, name, a, b)
#else
#define LAMINA_PROBE_DEFINE(name)  _Static_assert(1, #name)
#define LAMINA_PROBE_IS_SEEN(name) false
#define LAMINA_PROBE1(name, a)	   ((void)(a))
#define LAMINA_PROBE2(name, a, b)  ((void)(a), (void)(b))
#endif
