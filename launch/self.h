/* SPDX-License-Identifier: MIT */
/*
 * The launcher's own executable, out of reach of containers.
 */
#pragma once

#include "base/error.h"

/**
 * self_protect() - run from a read-only mount that is attached nowhere
 *
 * A container's process is the launcher until its exec, and an entrypoint "#!/proc/self/exe" stays
 * it: whoever then opens /proc/1/exe for writing must not get the host's file (CVE-2019-5736). So
 * the launcher executes itself once more, through a detached read-only clone of its own mount,
 * which no container can remount: it is in no mount namespace. Where the executable is on a
 * read-only mount already, nothing is done. Where mounts can't be cloned, a sealed copy in memory
 * takes the place. A second call is free: what is called early needn't read its arguments twice.
 *
 * Return: 0 when this process is safe, else a negative errno; doesn't return when it executes
 * itself.
 */
int self_protect(char *argv[], struct error *error);
