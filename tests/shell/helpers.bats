#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The helpers themselves: a check that sees nothing would let every leak pass.
load helpers

@test "each test starts in an empty directory on the scratch file system" {
	[ "$PWD" = "$TEST_DIRECTORY" ]
	[ -z "$(ls -A)" ]
	[[ $LAMINA_STORE == "$SCRATCH"/* ]]
	[[ $LAMINA_STATE == "$SCRATCH"/* ]]
}

@test "a mount left below the scratch directory is seen" {
	need_root
	mkdir mnt
	mount -t tmpfs none mnt
	run scratch_mounts
	umount mnt
	[ "$output" = "$TEST_DIRECTORY/mnt" ]
	[ -z "$(scratch_mounts)" ]
}

@test "a process that works in the scratch directory is seen" {
	sleep 60 3>&- &
	pid=$!
	run scratch_processes
	kill "$pid"
	wait "$pid" || true
	[[ " ${lines[*]} " == *" $pid "* ]]
}

@test "bundles, names, staging and states are seen" {
	fresh_store
	[ -z "$(left_files)" ]
	mkdir -p "$LAMINA_STORE"/{containers/c,names,staging} "$LAMINA_STATE/s"
	ln -s ../containers/gone "$LAMINA_STORE/names/n"
	run left_files
	[ "${#lines[@]}" -eq 3 ]
	run ! assert_nothing_left
}

@test "an empty cgroup of lamina's is seen" {
	need_root
	local hierarchy
	for hierarchy in /sys/fs/cgroup/pids /sys/fs/cgroup/unified /sys/fs/cgroup; do
		# A cgroup's directory has files from the start; a tmpfs takes any name, too.
		mkdir -p "$hierarchy/lamina/helpers-test-$$" 2>/dev/null || continue
		[ -e "$hierarchy/lamina/helpers-test-$$/cgroup.procs" ] && break
		rmdir "$hierarchy/lamina/helpers-test-$$"
	done
	[ -d "$hierarchy/lamina/helpers-test-$$" ] || skip "no cgroup can be made"
	run left_cgroups 3
	[[ $output == *"helpers-test-$$"* ]]
	# With a process in it, it is that of another test, where others are to be seen.
	sleep 60 3>&- &
	pid=$!
	echo "$pid" >"$hierarchy/lamina/helpers-test-$$/cgroup.procs"
	LAMINA_ISOLATED='' run left_cgroups 3
	others=$output
	LAMINA_ISOLATED=yes run left_cgroups 3
	kill "$pid"
	wait "$pid" || true
	until_true rmdir "$hierarchy/lamina/helpers-test-$$" 2>/dev/null
	[[ $others != *"helpers-test-$$"* ]]
	[[ $output == *"helpers-test-$$"* ]]
}

@test "a mount in everybody's namespace makes nobody a process of the test's" {
	need_root
	sleep 60 3>&- &
	pid=$!
	mkdir mnt
	mount -t tmpfs none mnt
	cd /
	(cd / && exec sleep 60 3>&-) &
	other=$!
	run scratch_processes
	cd "$TEST_DIRECTORY"
	umount mnt
	kill "$pid" "$other"
	wait "$pid" "$other" || true
	[[ " ${lines[*]} " == *" $pid "* ]]
	[[ " ${lines[*]} " != *" $other "* ]]
}

@test "a process whose root is made from the scratch directory is seen" {
	need_root
	mkdir lower upper work root
	unshare -m --propagation private bash -c '
		mount -t overlay -o "lowerdir=$PWD/lower,upperdir=$PWD/upper,workdir=$PWD/work" none root &&
		mkdir root/old && mount --bind root root && cp /bin/busybox root/ &&
		cd root && pivot_root . old && exec /busybox sleep 60 3>&-' &
	pid=$!
	until_true eval '[ "$(readlink "/proc/$pid/exe")" = /busybox ]'
	run scratch_processes
	kill -KILL "$pid"
	wait "$pid" || true
	[[ " ${lines[*]} " == *" $pid "* ]]
}
