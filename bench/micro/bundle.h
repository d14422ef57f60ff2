/* SPDX-License-Identifier: MIT */
/*
 * A store with one bundle in it, as `layerfs create` leaves it: for benchmarks of single steps.
 */
#pragma once

#include <stdbool.h>

#include "bench/micro/scratch.h"

struct bundle_fixture {
	struct scratch scratch;
	char *store;  /* path */
	char *bundle; /* path: STORE/containers/bench */
	int bundle_fd;
};

/** bundle_fixture_make() - one image layer, with /etc and /dev; false: it couldn't be made */
bool bundle_fixture_make(struct bundle_fixture *fixture);

void bundle_fixture_remove(struct bundle_fixture *fixture);
#define _cleanup_bundle_fixture_ _cleanup_(bundle_fixture_remove)
