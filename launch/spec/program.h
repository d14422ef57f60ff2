/* SPDX-License-Identifier: MIT */
/*
 * lamina's small programs that a container or its hooks run: they lie beside the one that runs.
 */
#pragma once

#include "base/error.h"

/**
 * spec_program_find() - the absolute path of @name beside this executable
 * @option: what needs it, for messages: "--init"
 * @ret_path: owned by the caller
 */
int spec_program_find(const char *name, const char *option, char **ret_path, struct error *error);
