#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Each system call of a container's life fails once: a clear error, and nothing left.

load ../shell/helpers

setup() {
	lamina_setup
	need nslaunch jq strace
	need_root
	strace -o /dev/null true 2>/dev/null || skip "no ptrace"
	C=$BATS_ROOT_PID-$BATS_TEST_NUMBER
	BUNDLE=$TEST_DIRECTORY/bundle
	mkdir -p "$BUNDLE/rootfs/bin" "$BUNDLE/rootfs/tmp"
	cp "$(command -v busybox)" "$BUNDLE/rootfs/bin/busybox"
	ln -s busybox "$BUNDLE/rootfs/bin/true"
	touch "$BUNDLE/lock"
	jq '.process.args=["/bin/true"] | .process.oomScoreAdj=100
		| .linux.maskedPaths=["/proc/keys","/sys/firmware"] | .linux.readonlyPaths=["/proc/sys"]
		| .process.rlimits=[{"type":"RLIMIT_NOFILE","soft":77,"hard":99}]' \
		"$BATS_TEST_DIRNAME/../shell/data/config.json" >"$BUNDLE/config.json"
}

# What is left of the container: state, cgroups, mark, mounts, processes.
left() {
	ls "$LAMINA_STATE" 2>/dev/null
	find /sys/fs/cgroup -maxdepth 3 -path "*/lamina/$C" 2>/dev/null
	[ ! -e "$BUNDLE/running" ] || echo running
	scratch_mounts
	pgrep -f "nslaunch.*$C" || true
}

# calls_of COMMAND... - the system calls that it makes, one a line, with the most that one process
# makes of it; not those that can't fail, and those by which the program under test itself ends
calls_of() {
	strace -f -qq -o calls "$@" >/dev/null 2>&1
	sed -nE 's/^([0-9]+) +([a-z0-9_]+)\(.*/\1 \2/p' calls | sort | uniq -c |
		awk '$3 !~ /^(execve|execveat|exit|exit_group|munmap|mmap|mprotect|brk|arch_prctl|set_tid_address|rt_sig.*|write|writev|wait4|close|get.*id|syscall_.*|vfork|restart_syscall|clock_.*)$/ {
			if ($1 > n[$3]) n[$3] = $1 } END { for (c in n) print c, n[c] }' | sort
}

# strike CALL N COMMAND... - run it with the Nth CALL of each process failing, and check how it ends
strike() {
	local call=$1 n=$2 status=0 words what
	shift 2

	timeout -s KILL 60 strace "${FOLLOW[@]}" -qq -o struck -e "inject=$call:error=EIO:when=$n" "$@" >out 2>err || status=$?
	words=$(<err)
	# strace -qq says nothing itself: all words are nslaunch's, one line.
	if [ "$status" -ne 0 ] && { [ -z "$words" ] || [[ $words == *$'\n'* ]] || [[ $words != "nslaunch: "* ]]; }; then
		printf '%s %s: status %s, said: %s\n' "$call" "$n" "$status" "$words"
		return 1
	fi
	case $status in 0 | 1 | 125 | 126 | 127) ;; *)
		printf '%s %s: status %s: %s\n' "$call" "$n" "$status" "$words"
		return 1
		;;
	esac
	what=$(left)
	if [ -n "$what" ] && [ "$EXPECT_NOTHING" = yes ]; then
		# Only where cleaning up was itself what was struck, and that is said.
		if [ "$(grep -c INJECTED struck)" -lt 2 ] && [[ $words != *"cannot remove"* ]] && [[ $words != *"cannot lock"* ]]; then
			printf '%s %s: status %s: %s; left: %s\n' "$call" "$n" "$status" "$words" "$what"
			return 1
		fi
	fi
	nslaunch delete --force "$C"
	rm -f "$BUNDLE/running"
	what=$(left)
	[ -z "$what" ] || {
		printf '%s %s: delete --force left: %s\n' "$call" "$n" "$what"
		return 1
	}
}

sweep() {
	local call n i failed=0

	calls_of "$@" >all
	[ "$(wc -l <all)" -gt 5 ]
	nslaunch delete --force "$C"
	while read -r call n; do
		for i in $(seq "$n"); do
			"${BEFORE[@]}"
			strike "$call" "$i" "$@" || failed=1
		done
	done <all
	return "$failed"
}

@test "run: every failing call is told and undone, in the launcher and in the container's child" {
	FOLLOW=(-f) BEFORE=(true) EXPECT_NOTHING=yes
	sweep nslaunch run --bundle "$BUNDLE" "$C"
	assert_nothing_left
}

@test "create: every failing call is told and undone" {
	FOLLOW=() BEFORE=(true) EXPECT_NOTHING=no
	calls_of() {
		strace -qq -o calls "$@" >/dev/null 2>&1
		sed -nE 's/^([a-z0-9_]+)\(.*/\1/p' calls | sort | uniq -c |
			awk '$2 !~ /^(execve|execveat|exit|exit_group|munmap|mmap|mprotect|brk|arch_prctl|set_tid_address|rt_sig.*|write|writev|wait4|close|get.*id|syscall_.*)$/ { print $2, $1 }'
	}
	sweep nslaunch create --bundle "$BUNDLE" "$C"
	assert_nothing_left
}

created() {
	nslaunch create --bundle "$BUNDLE" "$C" >/dev/null
}

ended() {
	created
	nslaunch start "$C"
	until_true status_is "$C" stopped
}

@test "start: every failing call is told, and delete cleans up" {
	FOLLOW=() BEFORE=(created) EXPECT_NOTHING=no
	created
	sweep nslaunch start "$C"
	assert_nothing_left
}

@test "delete: every failing call is told, and another delete finishes it" {
	FOLLOW=() BEFORE=(ended) EXPECT_NOTHING=no
	ended
	sweep nslaunch delete "$C"
	assert_nothing_left
}
