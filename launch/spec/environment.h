/* SPDX-License-Identifier: MIT */
/*
 * Environments and labels as Docker's command line takes them.
 *
 * An environment is a list of "NAME=value"; a "NAME" alone means that the variable is not to be
 * there, whoever set it (docker run -e NAME, where the caller has no such variable).
 */
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

/** environment_set() - put @entry in, over an earlier one of that name; 0 or -ENOMEM */
int environment_set(struct string_list *environment, const char *entry);

/** environment_get() - the value of @name, or NULL; borrowed */
const char *environment_get(const struct string_list *environment, const char *name);

/**
 * environment_from_options() - --env-file in order, then --env in order
 *
 * A name without a value takes the caller's own (getenv). In a file, blank lines and those that
 * begin with '#' are skipped, and a name alone that the caller doesn't have is left out.
 *
 * Return: 0 or a negative errno (-EINVAL: an empty name, or one with a blank).
 */
int environment_from_options(const struct string_list *files, const struct string_list *entries,
			     struct string_list *ret_environment, struct error *error);

/** environment_add_image() - what the image's config has and @environment doesn't */
int environment_add_image(struct string_list *environment, struct json_value image_env,
			  struct error *error);

/** labels_from_options() - --label-file, then --label, as "NAME=value" ("NAME=" where no value) */
int labels_from_options(const struct string_list *files, const struct string_list *entries,
			struct string_list *ret_labels, struct error *error);
