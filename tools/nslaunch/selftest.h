/* SPDX-License-Identifier: MIT */
/*
 * The two sides of `nslaunch selftest`: what is tried, and what looks from inside the container.
 */
#pragma once

/* Exit statuses of the inner side: others than a launcher's own (125 to 127) and a signal's. */
enum {
	SELFTEST_IMMUNE = 0,
	SELFTEST_VULNERABLE = 99,
};

/**
 * selftest_inside() - look for what must not be there, as the container's program or hook
 * @what: the name of a look, of selftest_inside.c's table
 *
 * Return: SELFTEST_IMMUNE, SELFTEST_VULNERABLE with a line on standard error, or 2: no such look.
 */
int selftest_inside(const char *what);
