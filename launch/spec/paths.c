/* SPDX-License-Identifier: MIT */
#include "launch/spec/container.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

/* moby, daemon/pkg/oci/defaults.go, of 2025: /proc/interrupts and powercap are from its advisories
 * GHSA-6fw5-f8r9-fgfm and GHSA-jq35-85cj-fj4p, and not in 20.10. */
const char *const spec_masked_paths[] = {
	"/proc/acpi",
	"/proc/asound",
	"/proc/interrupts",
	"/proc/kcore",
	"/proc/keys",
	"/proc/latency_stats",
	"/proc/sched_debug",
	"/proc/scsi",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/sys/devices/virtual/powercap",
	"/sys/firmware",
	NULL,
};

const char *const spec_readonly_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL,
};

bool spec_paths_are_confined(const struct spec_container *container)
{
	return !container->request->paths_unconfined && !container->request->options->privileged;
}

/* GHSA-6fw5-f8r9-fgfm again: every possible CPU's, where the processor has the feature. */
static void thermal_throttle_write(struct json_writer *writer)
{
	static const char format[] = "/sys/devices/system/cpu/cpu%lu/thermal_throttle";
	_cleanup_free_ char *possible = NULL;
	char path[80];

	/* The first one is always there; in a virtual machine it has no such directory. */
	snprintf(path, sizeof(path), format, 0UL);
	if (access(path, F_OK) < 0 || file_read_at(AT_FDCWD, "/sys/devices/system/cpu/possible",
						   64 * 1024, &possible, NULL) < 0)
		return;
	for (char *p = possible; *p >= '0' && *p <= '9';) {
		unsigned long first = strtoul(p, &p, 10), last = first;

		if (*p == '-')
			last = strtoul(p + 1, &p, 10);
		for (unsigned long cpu = first; cpu <= last && cpu < 65536; cpu++) {
			snprintf(path, sizeof(path), format, cpu);
			if (access(path, F_OK) == 0)
				json_write_string(writer, NULL, path);
		}
		p += *p == ',';
	}
}

void spec_masked_paths_write(struct json_writer *writer, const char *key)
{
	json_write_array_begin(writer, key);
	for (size_t i = 0; spec_masked_paths[i]; i++)
		json_write_string(writer, NULL, spec_masked_paths[i]);
	thermal_throttle_write(writer);
	json_write_array_end(writer);
}
