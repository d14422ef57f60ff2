# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the files that drive whole engines share. Each of them runs in tests/engines/sandbox. An
# operation is a script that is run with nslaunch and with a peer, Debian's crun or runc: what passes
# with the peer must pass with nslaunch, and what fails with both is skipped by name.
#
#	@test "docker pause" {
#		operation <<'END'
#			engine run -d --name "$C" busybox sleep inf
#			...
#	END
#	}
#
# The script runs with set -e; it has the functions of this file and of the engine's, $RUNTIME, the
# runtime's name, and $C, a name for its container. Status 77 skips; the last line says why.
#
# LAMINA_PEERS=always	run the peer even where nslaunch passes, before it
# LAMINA_LOGS=DIRECTORY	keep what each operation said there
# LAMINA_RESULTS=FILE	append a line an operation: file, test, the peer's result, nslaunch's

bats_require_minimum_version 1.8.0

LAMINA_SOURCE=${LAMINA_SOURCE:-$(cd "${BATS_TEST_DIRNAME:-.}/../.." && pwd)}
LAMINA_BIN=${LAMINA_BIN:-$LAMINA_SOURCE/build/bin}
export LAMINA_SOURCE LAMINA_BIN
export LC_ALL=C.UTF-8

# need PROGRAM... - skip the test, or the file, where one of them isn't there
need() {
	local program

	for program; do
		command -v "$program" >/dev/null || skip "no $program"
	done
}

# is WANTED FOUND, has TEXT PART, lacks TEXT PART - true, or the difference is told
is() {
	[ "$1" = "$2" ] || {
		printf 'wanted: %s\nfound:  %s\n' "$1" "$2"
		return 1
	}
}

has() {
	[[ $1 == *"$2"* ]] || {
		printf 'wanted in it: %s\nfound:        %s\n' "$2" "$1"
		return 1
	}
}

lacks() {
	[[ $1 != *"$2"* ]] || {
		printf 'not wanted in it: %s\nfound:            %s\n' "$2" "$1"
		return 1
	}
}

# exits STATUS COMMAND... - the command's exit status is this one
exits() {
	local wanted=$1 found=0

	shift
	"$@" || found=$?
	is "$wanted" "$found"
}

# eventually COMMAND... - it succeeds within 30 seconds
eventually() {
	local end=$((SECONDS + 60))

	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || {
			printf 'not within 30 seconds: %s\n' "$*"
			"$@"
			return 1
		}
		sleep 0.05
	done
}

# says COMMAND... -- TEXT - its output, errors too, has the text
says() {
	local command=() output

	while [ "$1" != -- ]; do
		command+=("$1")
		shift
	done
	output=$("${command[@]}" 2>&1) || :
	has "$output" "$2"
}

# on_terminal COMMAND... - run it on a terminal of its own; its output has no carriage returns
on_terminal() {
	script -qec "$(printf '%q ' "$@")" /dev/null | tr -d '\r'
	return "${PIPESTATUS[0]}"
}

# cgroup_value CONTROLLER FILE-V1 FILE-V2 PID - what the file says of the process's cgroup
cgroup_value() {
	local path

	if [ -e "/sys/fs/cgroup/$1" ]; then
		path=$(awk -F: -v c="$1" '$2 == c { print $3 }' "/proc/$4/cgroup")
		cat "/sys/fs/cgroup/$1$path/$2"
	else
		path=$(awk -F: '$1 == 0 { print $3 }' "/proc/$4/cgroup")
		cat "/sys/fs/cgroup$path/$3"
	fi
}

skipped() {
	printf '%s\n' "$*"
	exit 77
}

# operation_run RUNTIME SCRIPT LOG
operation_run() {
	local name=${1##*/}

	C=t$BATS_TEST_NUMBER-$name RUNTIME=$1 timeout -k 10 120 bash -c "$(declare -f)"'
		exec 9>&2
		BASH_XTRACEFD=9 PS4="+ "
		set -eEuo pipefail
		cd "$(mktemp -d)"
		set -x
		'"$2" operation >"$3" 2>&1 </dev/null 3>&- 4>&-
}

result_word() {
	case $1 in
	0) echo passes ;;
	77) echo "can't be tried" ;;
	'') echo "not run" ;;
	*) echo fails ;;
	esac
}

# operation - the script on standard input, with nslaunch and with $PEER
operation() {
	local script ours=0 theirs='' log

	log=${LAMINA_LOGS:-$SCRATCH}/$(basename "$BATS_TEST_FILENAME" .bats)-$BATS_TEST_NUMBER

	script=$(cat)
	if [ -n "${LAMINA_PEERS-}" ]; then
		theirs=0
		operation_run "$PEER" "$script" "$log-peer" || theirs=$?
	fi
	operation_run "$LAMINA_BIN/nslaunch" "$script" "$log" || ours=$?
	if [ "$ours" -ne 0 ] && [ -z "$theirs" ]; then
		theirs=0
		operation_run "$PEER" "$script" "$log-peer" || theirs=$?
	fi
	if [ -n "${LAMINA_RESULTS-}" ]; then
		printf '%s\t%s\t%s\t%s\n' "${BATS_TEST_FILENAME##*/}" "$BATS_TEST_DESCRIPTION" \
			"$(result_word "$theirs")" "$(result_word "$ours")" >>"$LAMINA_RESULTS"
	fi
	[ "$ours" -ne 0 ] || return 0
	[ "$ours" -ne 77 ] || skip "$(grep -v '^+' "$log" | tail -n 1)"
	if [ "$theirs" -ne 0 ]; then
		echo "# with nslaunch:"
		tail -n 15 "$log"
		echo "# with ${PEER##*/}:"
		tail -n 15 "$log-peer"
		skip "fails with ${PEER##*/} too: $(grep -v '^+' "$log-peer" | tail -n 1)"
	fi
	tail -n 60 "$log"
	return 1
}

# sandbox_setup - the scratch directory, and the image as an OCI layout and as an archive of it
sandbox_setup() {
	[ -n "${LAMINA_SANDBOX-}" ] || {
		echo "run it so: tests/engines/sandbox bats $BATS_TEST_FILENAME" >&2
		return 1
	}
	export SCRATCH=/run/engines IMAGE=/run/engines/busybox
	mkdir -p $SCRATCH/bin
	"$LAMINA_SOURCE/tools/mkimage" busybox $IMAGE >&2 || return
	tar -C $IMAGE -cf $IMAGE.tar .
	printf '#!/bin/sh\n%s\n' 'exec unshare -m --propagation unchanged sh -c "
		! mountpoint -q /sys/fs/cgroup/unified || umount /sys/fs/cgroup/unified
		exec /usr/bin/crun \"\$@\"" crun "$@"' >$SCRATCH/bin/crun
	chmod +x $SCRATCH/bin/crun
}

# runtime_leavings PATTERN DIRECTORY... - fails where something is left of containers when all are
# removed: something in the directories of the runtime's state (but for what stays: the template, kept filters), or
# a cgroup whose path matches
runtime_leavings() {
	local directory pattern=$1 _ left

	shift
	# Engines take care of the last of it behind the command's back.
	for _ in {1..100}; do
		left=$(
			for directory; do
				find "$directory" -mindepth 1 -maxdepth 1 ! -name '@*' 2>/dev/null
			done
			find /sys/fs/cgroup -type d -regex "$pattern" 2>/dev/null
		)
		[ -n "$left" ] || return 0
		sleep 0.1
	done
	printf 'left behind:\n%s\n' "$left" >&2
	return 1
}

# image_layer - the file of the image's one layer
image_layer() {
	local manifest

	manifest=$(jq -r '.manifests[0].digest | sub("sha256:"; "")' $IMAGE/index.json)
	printf '%s/blobs/sha256/%s\n' $IMAGE \
		"$(jq -r '.layers[0].digest | sub("sha256:"; "")' $IMAGE/blobs/sha256/"$manifest")"
}
