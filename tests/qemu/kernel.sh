#!/bin/sh
# SPDX-License-Identifier: MIT
# What rests on the kernel's abilities, on Debian 12's 6.1: unit tests of the overlay mount (no
# lowerdir+, no upper by descriptor: the fallback) and of the cgroups (nothing but v2), then nslaunch
# on v2, hybrid and v1 (nslaunch.sh, which changes the mounts: last). One TAP stream of all.
status=0
number=0
log=/tmp/kernel.log

printf '# %s, cgroup %s\n' "$(uname -r)" "$(stat -f -c %t /sys/fs/cgroup)"
[ "$(stat -f -c %t /sys/fs/cgroup)" = 63677270 ] || {
	echo 'Bail out! /sys/fs/cgroup is no cgroup v2'
	exit 1
}

export CMOCKA_MESSAGE_OUTPUT=TAP
for test in test-overlay test-cgroup test-cgroup-delegation nslaunch.sh; do
	"/lamina/$test" >$log 2>&1 || status=1
	test=${test#test-}
	test=${test%.sh}
	planned=$(sed -n 's/^1\.\.//p' $log)
	told=0
	while IFS= read -r line; do
		case $line in
		'ok '* | 'not ok '*)
			number=$((number + 1))
			told=$((told + 1))
			printf '%s\n' "$line" |
				sed "s/^\(ok\|not ok\) [0-9]* - /\1 $number - $test: /"
			;;
		1..* | '# ok - '* | '# not ok - '*) ;;
		*) printf '# %s\n' "$line" ;;
		esac
	done <$log
	if [ "$told" != "${planned:-0}" ] || [ "$told" -eq 0 ]; then
		number=$((number + 1))
		status=1
		printf 'not ok %d - %s: told %d of %s cases\n' "$number" "$test" "$told" "$planned"
	fi
done
printf '1..%d\n' "$number"
exit "$status"
