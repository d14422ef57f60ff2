# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sweeps: a command is run again and again, each time with another of its system calls failing, or
# with one of its processes killed there (strike.c), and what comes of it is checked.
#
# LAMINA_FAULT_EVERY=K takes every Kth call only, another first one for each error.

# shellcheck disable=SC2034 # for the files that load this
fault_setup() {
	lamina_setup
	need nslaunch jq
	need_root
	[ -x "${LAMINA_STRIKE:-}" ] || skip "no strike: it is made for x86_64, without sanitizers"
	"$LAMINA_STRIKE" -l /dev/null true || skip "no ptrace"
	mapfile -t HARMLESS < <(sed '/^#/d; /^$/d' "$BATS_TEST_DIRNAME/harmless")
	C=f$BATS_ROOT_PID-$BATS_TEST_NUMBER
	BUNDLE=$TEST_DIRECTORY/bundle
	mkdir -p "$BUNDLE/rootfs/bin" "$BUNDLE/rootfs/tmp"
	cp "$(command -v busybox)" "$BUNDLE/rootfs/bin/busybox"
	for applet in true sleep; do ln -s busybox "$BUNDLE/rootfs/bin/$applet"; done
	touch "$BUNDLE/lock"
	fault_config .
	HOST_FILES=$(host_files)
}

# fault_config FILTER - a config.json with a step of most kinds
fault_config() {
	jq '.process.args=["/bin/true"] | .process.oomScoreAdj=100
		| .linux.maskedPaths=["/proc/keys","/sys/firmware"] | .linux.readonlyPaths=["/proc/sys"]
		| .process.rlimits=[{"type":"RLIMIT_NOFILE","soft":77,"hard":99}]
		| .linux.cgroupsPath="/lamina/'"$C"'.at"'" | $1" \
		"$BATS_TEST_DIRNAME/../shell/data/config.json" >"$BUNDLE/config.json"
}

# fault_left - what is left of the container: state, cgroups, mark, mounts, processes
fault_left() {
	local path

	for path in "$LAMINA_STATE"/[!@]* /sys/fs/cgroup/{,*/}lamina/"$C"* "$BUNDLE"/running; do
		[ ! -e "$path" ] || printf '%s\n' "$path"
	done
	while read -r _ _ _ _ path _; do
		[[ $path/ != "$SCRATCH"/* ]] || printf '%s\n' "$path"
	done </proc/self/mountinfo
}

# fault_is_harmless - whether the command may succeed though the call has failed
fault_is_harmless() {
	local pattern call

	read -r _ _ call <struck
	for pattern in "${HARMLESS[@]}"; do
		# shellcheck disable=SC2053 # a pattern
		[[ "$FAULT_VERB $call " == ${pattern%%  *} || "$FAULT_VERB $call" == ${pattern%%  *} ]] && return 0
	done
	return 1
}

# complain WORDS... - about the strike that was the last
complain() {
	printf '%s: %s: %s (status %s, said: %s)\n' "$STRIKE" "$(<struck)" "$*" "$FAULT_STATUS" "$(<err)"
	return 1
}

# strike OPTIONS COMMAND... - run it, struck; its status is FAULT_STATUS
strike() {
	STRIKE=$1
	shift
	FAULT_VERB=$2${FAULT_KIND:-}
	FAULT_STATUS=0
	: >struck
	# shellcheck disable=SC2086 # a list
	timeout -s KILL 120 "$LAMINA_STRIKE" -o struck $STRIKE "$@" >out 2>err 3>&- || FAULT_STATUS=$?
}

# calls_list OPTIONS COMMAND... - "PROCESS NUMBER" of each call to strike, in `calls`
calls_list() {
	local options=$1
	shift
	# shellcheck disable=SC2086
	"$LAMINA_STRIKE" $options -l all "$@" >out 2>err 3>&-
	"${FAULT_FINISH[@]}"
	[ -n "${FAULT_KEEP:-}" ] || nslaunch delete --force "$C"
	awk -v only="${FAULT_PROCESS:-}" -v every="${LAMINA_FAULT_EVERY:-1}" -v first="$((FAULT_ROUND * 7))" \
		'(only == "" || $1 == only) && (++n + first) % every == 0 { print $1, $2 }' all >calls
	FAULT_ROUND=$((FAULT_ROUND + 1))
	[ "$(wc -l <all)" -gt 10 ]
}

# words_check - an error is told in one line
words_check() {
	local words
	words=$(<err)

	case $FAULT_STATUS in
	0) ;;
	1 | 125 | 126 | 127)
		[[ $words == "nslaunch: "* && $words != *$'\n'* ]] || complain "no clear error"
		;;
	*) complain "strange status" ;;
	esac
}

# host_files - what a start works beside, and must not change
host_files() {
	stat -c '%n %u %g %a %t %T' /dev /dev/null /dev/zero /dev/full /dev/tty /dev/random /dev/urandom \
		/proc /sys /tmp
}

# host_check - the host is as it was
host_check() {
	local now
	now=$(host_files)

	[ "$now" = "$HOST_FILES" ] || {
		complain "the host's files are changed: $(diff <(echo "$HOST_FILES") <(echo "$now"))"
		HOST_FILES=$now
		return 1
	}
}

# harmless_check - a success is one though a call has failed, or a warning tells of that
harmless_check() {
	[ "$FAULT_STATUS" -eq 0 ] && [ -s struck ] || return 0
	fault_is_harmless || [[ $(<err) == "nslaunch: warning: "* ]] || complain "not told"
}

# nothing_left_check - of a command that failed nothing is left, but where it says that it can't
# clean up
nothing_left_check() {
	local left

	[ "$FAULT_STATUS" -ne 0 ] || return 0
	left=$(fault_left)
	[ -z "$left" ] || [[ $(<err) == *"cannot remove"* || $(<err) == *"cannot lock"* ]] ||
		complain "left: $left"
}

# processes_of - how many processes the container has
processes_of() {
	local hierarchy pids=''

	for hierarchy in /sys/fs/cgroup/{,*/}lamina/"$C".at; do
		[ ! -e "$hierarchy/cgroup.procs" ] || pids+=$(<"$hierarchy/cgroup.procs")$'\n'
	done
	sort -u <<<"$pids" | grep -c . || :
}

has_processes() {
	[ "$(processes_of)" -eq "$1" ]
}

created() {
	nslaunch create --bundle "$BUNDLE" "$C" >/dev/null 3>&-
}

# running - a container that waits, unless there is one
running() {
	! status_is "$C" running || return 0
	nslaunch delete --force "$C"
	fault_config '.process.args=["/bin/sleep","1000.'"$BATS_ROOT_PID"'"]'
	created
	nslaunch start "$C"
}

ended() {
	created
	nslaunch start "$C"
	until_true status_is "$C" stopped
}

# running_check - the container goes on as if nothing had been
running_check() {
	{ status_is "$C" running && until_true has_processes 1; } ||
		complain "the container: $(nslaunch state "$C" 2>&1 | jq -r .status), $(processes_of) processes"
}

# delete_check - delete --force works after whatever it was, and leaves nothing
delete_check() {
	local left

	timeout -s KILL 120 nslaunch delete --force "$C" 2>err || {
		complain "delete --force failed"
		return
	}
	left=$(fault_left)
	if [ -n "$left" ]; then
		complain "delete --force left: $left"
		nslaunch delete --force "$C"
		rm -f "$BUNDLE/running"
		return 1
	fi
}

# sweep COMMAND... - with every call failing with each of $FAULT_ERRORS, or killed there (KILL)
#
# FAULT_BEFORE comes before each round, FAULT_FINISH behind a command that has succeeded (what it has
# left running may be struck then), FAULT_CHECKS say what must hold. FAULT_KEEP: the container is the
# same all the time. FAULT_PROCESS: only that one's calls.
sweep() {
	local process number error check how failed=0

	for error in "${FAULT_ERRORS[@]}"; do
		"${FAULT_BEFORE[@]}"
		case $error in
		KILL)
			calls_list -a "$@"
			how='-a -k'
			;;
		*)
			calls_list "-e $error" "$@"
			how="-e $error"
			;;
		esac
		while read -r process number <&7; do
			"${FAULT_BEFORE[@]}"
			strike "$how -p $process -n $number" "$@"
			[ "$FAULT_STATUS" -ne 0 ] || "${FAULT_FINISH[@]}"
			for check in host_check "${FAULT_CHECKS[@]}"; do
				"$check" || failed=1
			done
		done 7<calls
	done
	return "$failed"
}
