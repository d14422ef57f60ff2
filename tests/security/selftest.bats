#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# nslaunch selftest: what it says, and that an attack which succeeds is told.

load attack

@test "selftest tries its attacks on itself, and is immune to all of them" {
	nslaunch_only
	# A dynamic one isn't alone in its containers.
	! readelf -l "$(readlink -f "$(command -v nslaunch)")" | grep -q INTERP || skip "nslaunch isn't static"
	TMPDIR=$TEST_DIRECTORY run --separate-stderr nslaunch selftest --cve 3>&-
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "${#lines[@]}" -gt 30 ]
	[ -z "$(grep -v $'^CVE-20[0-9]*-[0-9]*\timmune\t' <<<"$output")" ]
	[[ $output == *$'CVE-2019-5736\timmune\twriting the launcher\'s executable'* ]]
	TMPDIR=$TEST_DIRECTORY run --separate-stderr nslaunch selftest 3>&-
	[ "$status" -eq 0 ]
	[[ $output == *$'CVE-2016-8867 CVE-2022-24769 '*$'\timmune\tinheritable'* ]]
	[ -z "$(ls -d "$TEST_DIRECTORY"/nslaunch-selftest.* 2>/dev/null)" ]
	nothing_left
}

@test "selftest says where no container can be started, and proves nothing then" {
	nslaunch_only
	! readelf -l "$(readlink -f "$(command -v nslaunch)")" | grep -q INTERP || skip "nslaunch isn't static"
	command -v setpriv >/dev/null || skip "no setpriv"
	chmod 755 "$SCRATCH" "$TEST_DIRECTORY"
	mkdir -m 1777 "$TEST_DIRECTORY/tmp"
	TMPDIR=$TEST_DIRECTORY/tmp run --separate-stderr setpriv --bounding-set -sys_admin --inh-caps -all nslaunch selftest 3>&-
	[ "$status" -eq 1 ]
	[[ $stderr == "nslaunch: selftest: no container can be started here: "* ]]
	[ -z "$output" ]
	[ -z "$(ls -A "$TEST_DIRECTORY/tmp")" ]
	nothing_left
}
