/* SPDX-License-Identifier: MIT */
/*
 * Why a program can't be executed: what execve(2) says in one errno, looked up in the file, its
 * interpreter, its directories and its mount.
 *
 * For failures only, in the container's child and as the container's user where that is taken on.
 * All that is looked at is the container's own and may be anything: it only ever ends up in a
 * message.
 */
#pragma once

#include "base/error.h"
#include "launch/config/config.h"

/**
 * explain_failure() - "exec: "NAME": WORDS: REASON"
 * @path: the file that NAME, process.args[0], was found as
 * @code: negative errno of execve(2) or stat(2)
 *
 * WORDS are those that engines look for ("no such file or directory", "permission denied", "exec
 * format error", as Go has them); REASON is left out where none is found.
 *
 * Return: @code; -EACCES for -EISDIR and -ENOENT for -ENOTDIR, as execve(2) and engines have it.
 */
int explain_failure(const struct config_process *process, const char *path, int code,
		    struct error *error);
