# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What every bats file loads: the tools in PATH, a scratch directory on a tmpfs with a store and a
# state of its own, the busybox image, and a check that nothing was left behind.
#
#	load helpers
#
#	@test "..." {
#		need layerfs				# skips where it isn't built
#		import_busybox				# into $LAMINA_STORE, once a file
#		run --separate-stderr layerfs images
#	}
#
# Each file has a $SCRATCH with $LAMINA_STORE and $LAMINA_STATE in it; each test starts in an empty
# directory below it, $TEST_DIRECTORY. A test that wants a store to itself calls fresh_store. A file
# with a setup(), teardown(), setup_file() or teardown_file() of its own calls the lamina_* one from
# it. At the end of each file no mount, process, bundle, state or cgroup of it may be left; a test
# that makes containers on purpose removes them.

bats_require_minimum_version 1.5.0

LAMINA_SOURCE=${LAMINA_SOURCE:-$(cd "${BATS_TEST_DIRNAME:-.}/../.." && pwd)}
LAMINA_BIN=${LAMINA_BIN:-$LAMINA_SOURCE/build/bin}
case :$PATH: in
*:"$LAMINA_BIN":*) ;;
*) PATH=$LAMINA_BIN:$PATH ;;
esac
export LAMINA_SOURCE LAMINA_BIN PATH
# What the caller's shell has must not decide what the tests see.
unset LAMINA_TRACE XDG_DATA_HOME XDG_RUNTIME_DIR
export LC_ALL=C.UTF-8

# need TOOL... - skip the test where one of the tools isn't there
need() {
	local tool

	for tool; do
		command -v "$tool" >/dev/null || skip "no $tool"
	done
}

need_root() {
	[ "$(id -u)" -eq 0 ] || skip "not root"
}

# busybox_image - print the directory of the busybox image's OCI layout, made once a file
busybox_image() {
	if [ ! -e "$SCRATCH/busybox/index.json" ]; then
		"$LAMINA_SOURCE/tools/mkimage" busybox "$SCRATCH/busybox" >&2 || return
	fi
	printf '%s\n' "$SCRATCH/busybox"
}

# import_busybox - busybox:latest into $LAMINA_STORE, once a store
import_busybox() {
	need layerfs
	[ -e "$LAMINA_STORE/images/names/busybox:latest" ] ||
		layerfs import "$(busybox_image)" busybox:latest >&2
}

# until_true COMMAND... - wait for it, up to a minute: a loaded machine may need that, and who waits
# in vain has failed anyway
until_true() {
	local end=$((SECONDS + 60))

	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.02
	done
}

# until_false COMMAND... - wait until it fails
until_false() {
	until_true eval "! ${*@Q}"
}

# status_is ID STATUS - what nslaunch says of a container
status_is() {
	[ "$(nslaunch state "$1" 2>/dev/null | jq -r .status)" = "$2" ]
}

# fresh_store - from here to the end of this test the store and the state are empty ones
fresh_store() {
	export LAMINA_STORE=$TEST_DIRECTORY/store LAMINA_STATE=$TEST_DIRECTORY/state
}

# privately - run the script on standard input in a mount namespace of its own, with the test's
# functions and variables that are exported: what it mounts is nobody else's, and gone with it
privately() {
	need_root
	unshare -m --propagation private \
		bash -euo pipefail -c "$(declare -f)"$'\n'"$(cat)" privately </dev/null
}

# scratch_mounts - the mount points below $SCRATCH that this mount namespace has
scratch_mounts() {
	awk -v s="$SCRATCH/" 'index($5 "/", s) == 1 { print $5 }' /proc/self/mountinfo
}

# processes_here - the pids that can be this test file's: all that there are, where it isn't isolated
processes_here() {
	if [ -n "${LAMINA_ISOLATED:-}" ]; then
		find /sys/fs/cgroup -name cgroup.procs -exec cat {} + 2>/dev/null | sort -un
	else
		printf '%s\n' /proc/[0-9]* | sed 's|^/proc/||'
	fi
}

# scratch_processes - pids of the processes that know of $SCRATCH: by their arguments, working
# directory, or a root made from it (a container's); not this shell and its parents
#
# Any other mount says nothing: what a test mounts, or leaves mounted, in the machine's namespace is
# in the mountinfo of every process there, and of every namespace that is copied from it meanwhile.
scratch_processes() {
	local pid parents=" $$ $BASHPID $PPID "

	pid=$PPID
	while [ "$pid" -gt 1 ]; do
		pid=$(sed 's/.*) . \([0-9]*\) .*/\1/' "/proc/$pid/stat" 2>/dev/null) || break
		parents+="$pid "
	done
	for pid in $(processes_here); do
		[[ $parents == *" $pid "* ]] && continue
		# shellcheck disable=SC2094
		if grep -qsF "$SCRATCH" "/proc/$pid/cmdline" ||
			awk -v s="$SCRATCH" '$5 == "/" && index($0, s) { found = 1 }
				END { exit !found }' "/proc/$pid/mountinfo" 2>/dev/null ||
			[[ $(readlink "/proc/$pid/cwd" 2>/dev/null) == "$SCRATCH"* ]]; then
			[[ $(ps -o stat= -p "$pid" 2>/dev/null) == [!Z]* ]] && echo "$pid"
		fi
	done
	return 0
}

# lamina_cgroups - the cgroups that lamina has, in every hierarchy
lamina_cgroups() {
	find /sys/fs/cgroup -mindepth 2 -maxdepth 5 -type d -path '*/lamina*/*' \
		! -path '*/lamina-test-*' 2>/dev/null | sort
}

# left_cgroups [TRIES], left_files - what is there and should not be
left_cgroups() {
	local cgroup i left before=

	for i in $(seq "${1:-40}"); do
		left=
		while read -r cgroup; do
			[[ $BEFORE_CGROUPS == *"$cgroup"* ]] && continue
			# A test file that isn't isolated runs beside others: what is theirs has processes
			# in it, or is gone in a moment; what was there and empty every time is left.
			if [ -z "${LAMINA_ISOLATED:-}" ]; then
				[ "$i" -gt 1 ] && [[ $before != *"$cgroup"* ]] && continue
				[ -n "$(cat "$cgroup/cgroup.procs" 2>/dev/null)" ] && continue
			fi
			[ -d "$cgroup" ] && left+=$cgroup$'\n'
		done < <(lamina_cgroups)
		[ -z "$left" ] && return 0
		before=$left
		sleep 0.2
	done
	printf '%s' "$left"
}

left_files() {
	local path

	for path in "$LAMINA_STORE"/{containers,names,staging}/* "$LAMINA_STATE"/*; do
		[ -e "$path" ] || [ -L "$path" ] || continue
		# A cache is there to stay.
		[ "$path" != "$LAMINA_STATE/@seccomp" ] || continue
		printf '%s\n' "$path"
	done
}

# assert_nothing_left - fail with a list where the store has a bundle, a name or something half
# made, the state a container, or a mount is below $SCRATCH
assert_nothing_left() {
	local left

	left=$(left_files; scratch_mounts)
	[ -z "$left" ] || {
		printf 'left behind:\n%s\n' "$left" >&2
		return 1
	}
}

lamina_setup_file() {
	local parent=${TMPDIR:-/tmp}

	if [ "$(stat -f -c %T /dev/shm 2>/dev/null)" = tmpfs ] && [ -w /dev/shm ]; then
		parent=/dev/shm
	fi
	SCRATCH=$(mktemp -d "$parent/lamina-test.XXXXXX")
	LAMINA_STORE=$SCRATCH/store
	LAMINA_STATE=$SCRATCH/state
	BEFORE_CGROUPS=$(lamina_cgroups)
	export SCRATCH LAMINA_STORE LAMINA_STATE BEFORE_CGROUPS
}

lamina_teardown_file() {
	local status=0 left pid

	[ -n "${SCRATCH:-}" ] && [ -d "$SCRATCH" ] || return 0
	cd /
	# A launcher may be a moment from its end.
	for _ in $(seq 100); do
		left=$(scratch_processes)
		[ -z "$left" ] && break
		sleep 0.1
	done
	if [ -n "$left" ]; then
		echo "processes left behind:" >&2
		for pid in $left; do
			ps -o pid=,ppid=,args= -p "$pid" >&2
			kill -KILL "$pid" 2>/dev/null
		done
		status=1
	fi
	left=$(scratch_mounts)
	if [ -n "$left" ]; then
		printf 'mounts left behind:\n%s\n' "$left" >&2
		tac <<<"$left" | while read -r mount; do umount -l "$mount"; done
		status=1
	fi
	left=$(left_files)
	if [ -n "$left" ]; then
		printf 'files left behind:\n%s\n' "$left" >&2
		status=1
	fi
	left=$(left_cgroups)
	if [ -n "$left" ]; then
		printf 'cgroups left behind:\n%s\n' "$left" >&2
		tac <<<"$left" | xargs -r rmdir 2>/dev/null
		status=1
	fi
	chmod -R u+rwX "$SCRATCH" 2>/dev/null
	rm -rf --one-file-system "$SCRATCH"
	return "$status"
}

lamina_setup() {
	TEST_DIRECTORY=$SCRATCH/test-$BATS_TEST_NUMBER
	mkdir -p "$TEST_DIRECTORY"
	cd "$TEST_DIRECTORY" || return
	export TEST_DIRECTORY
}

lamina_teardown() {
	:
}

setup_file() {
	lamina_setup_file
}

teardown_file() {
	lamina_teardown_file
}

setup() {
	lamina_setup
}

teardown() {
	lamina_teardown
}
