# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Attacks on the built tools: a bundle that is the attacker's, a directory of the host's beside it
# that must stay as it is, and the words for what the attacks have in common.
#
# LAMINA_RUNTIME=runc|crun tries them on another runtime: an attack that has never succeeded
# anywhere proves nothing. A test fails for the sake of the attack alone where it says "ESCAPED".

load ../shell/helpers

RUNTIME=${LAMINA_RUNTIME:-nslaunch}

setup() {
	lamina_setup
	need "$RUNTIME" jq busybox
	need_root
	ID="attack$BATS_ROOT_PID-$BATS_TEST_NUMBER-${BATS_TEST_FILENAME##*/}"
	ROUNDS=${LAMINA_ROUNDS:-25}
	BUNDLE=$TEST_DIRECTORY/bundle
	CANARY=$TEST_DIRECTORY/canary
	mkdir -p "$BUNDLE/rootfs/bin" "$BUNDLE/rootfs/tmp" "$BUNDLE/rootfs/etc" "$CANARY/sub"
	cp "$(command -v busybox)" "$BUNDLE/rootfs/bin/busybox"
	chroot "$BUNDLE/rootfs" /bin/busybox --install -s /bin
	echo untouched >"$CANARY/file"
	config .
	BEFORE_MOUNTS=$(grep -cF "$TEST_DIRECTORY" /proc/self/mountinfo || true)
}

teardown() {
	local pid id

	for pid in ${SWAPPERS:-}; do
		kill -KILL "$pid" 2>/dev/null || true
	done
	for id in ${CONTAINERS:-}; do
		runtime delete --force "$id" 2>/dev/null || true
	done
}

# runtime ARG... - the runtime that is attacked
runtime() {
	case $RUNTIME in
	nslaunch) nslaunch "$@" ;;
	crun) crun --cgroup-manager=disabled --root "$TEST_DIRECTORY/crun" "$@" ;;
	*) "$RUNTIME" --root "$TEST_DIRECTORY/$RUNTIME" "$@" ;;
	esac
}

nslaunch_only() {
	[ "$RUNTIME" = nslaunch ] || skip "a matter of nslaunch's alone"
}

# config FILTER [BUNDLE] - config.json: a small default one, changed by a jq filter
config() {
	local for_crun=.

	[ "$RUNTIME" != crun ] || for_crun='.mounts|=map(select(.type!="cgroup"))'
	jq "$for_crun | $1" "$LAMINA_SOURCE/tests/shell/data/config.json" >"${2:-$BUNDLE}/config.json"
}

# script SCRIPT [FILTER] - the config of a container that runs a shell script
script() {
	config ".process.args=[\"sh\",\"-c\",$(jq -Rs . <<<"$1")] | ${2:-.}"
}

# in_container SCRIPT [FILTER] - run it: $status, $output, $stderr
in_container() {
	script "$@"
	attempt run --bundle "$BUNDLE" "$ID"
}

# attempt ARG... - the runtime's $status, $output and $stderr. Not bats' `run`, which would wait for
# whoever keeps its pipes open.
attempt() {
	status=0
	(runtime "$@") >"$TEST_DIRECTORY/out" 2>"$TEST_DIRECTORY/err" </dev/null 3>&- || status=$?
	output=$(tr -d '\0' <"$TEST_DIRECTORY/out")
	stderr=$(tr -d '\0' <"$TEST_DIRECTORY/err")
}

# running [FILTER [BUNDLE [ID]]] - a container that waits; ended with the test
running() {
	local bundle=${2:-$BUNDLE} id=${3:-$ID}

	config ".process.args=[\"sleep\",\"1000.5\"] | ${1:-.}" "$bundle"
	CONTAINERS="${CONTAINERS:-} $id"
	attempt create --bundle "$bundle" "$id"
	[ "$status" -eq 0 ] || { echo "$stderr"; return 1; }
	runtime start "$id"
}

delete() {
	runtime delete --force "${1:-$ID}"
}

# exec_process FILTER - exec in the container that runs, with a process of its own
exec_process() {
	jq ".process | $1" "$BUNDLE/config.json" >"$TEST_DIRECTORY/process.json"
	attempt exec --process "$TEST_DIRECTORY/process.json" "$ID"
}

# init_pid [ID] - the pid of the container's first process
init_pid() {
	runtime state "${1:-$ID}" | jq .pid
}

# escaped WORDS - the attack has succeeded
escaped() {
	printf 'ESCAPED: %s\n' "$*"
	return 1
}

# canary_lives - the host's directory beside the container is as it was, and so are its mounts
canary_lives() {
	local now

	now=$(cd "$CANARY" && find . | sort | tr '\n' ' ')
	[ "$now" = ". ./file ./sub " ] || escaped "$now"
	[ "$(cat "$CANARY/file")" = untouched ] || escaped "$(cat "$CANARY/file")"
	now=$(grep -cF "$TEST_DIRECTORY" /proc/self/mountinfo || true)
	[ "$now" = "$BEFORE_MOUNTS" ] || escaped "$now mounts, not $BEFORE_MOUNTS"
}

# swap A B - let the two be exchanged all the time from now on
swap() {
	[ -x "${LAMINA_SWAP:-}" ] || skip "no swap (run by meson)"
	"$LAMINA_SWAP" "$1" "$2" 2>/dev/null 3>&- &
	SWAPPERS="${SWAPPERS:-} $!"
}

swap_end() {
	local pid

	for pid in $SWAPPERS; do
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	SWAPPERS=
}

# rounds N [FAILS_OK] - start the bundle N times; $n_ok of them have worked. Another end than the
# program's and the runtime's own (125) is a failure.
rounds() {
	local i

	n_ok=0
	for i in $(seq "$1"); do
		attempt run --bundle "$BUNDLE" "$ID"
		case $status in
		0) n_ok=$((n_ok + 1)) ;;
		125) [ -n "$stderr" ] ;;
		*) [ "$RUNTIME" != nslaunch ] || { echo "round $i: $status: $stderr"; return 1; } ;;
		esac
	done
}

# refused [WORDS] - nslaunch has refused the last attempt, for this reason; the others may have their own
refused() {
	[ "$RUNTIME" = nslaunch ] || return 0
	[ "$status" -eq 125 ] && [[ $stderr == *"${1:-}"* ]] && return 0
	echo "not refused with '${1:-}': $status: $stderr"
	return 1
}

# nothing_left - no container, state or mount of an nslaunch; the other runtimes keep theirs as they like
nothing_left() {
	[ "$RUNTIME" = nslaunch ] || return 0
	assert_nothing_left
}
