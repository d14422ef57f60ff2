/* SPDX-License-Identifier: MIT */
/*
 * USDT probes: places that bpftrace, perf and SystemTap can stop at in a tool that runs, listed by
 * `readelf -n`. A probe is a no-operation instruction and a note that says where its arguments are;
 * nobody looking, it costs that instruction. docs/profiling.md has the list. From <sys/sdt.h>
 * (systemtap-sdt-dev); built without it, they are nothing at all.
 */
#pragma once

#ifdef LAMINA_HAVE_SDT
#include <sys/sdt.h>
#define LAMINA_PROBE1(name, a)	  DTRACE_PROBE1(lamina, name, a)
#define LAMINA_PROBE2(name, a, b) DTRACE_PROBE2(lamina, name, a, b)
#else
#define LAMINA_PROBE1(name, a)	  ((void)(a))
#define LAMINA_PROBE2(name, a, b) ((void)(a), (void)(b))
#endif
