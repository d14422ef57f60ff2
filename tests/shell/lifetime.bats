#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A container's end, whatever state it is in, whatever has become of its files, and whoever else is
# at work on it.

load helpers

setup() {
	lamina_setup
	need nslaunch jq
	need_root
	export C=l$BATS_ROOT_PID-$BATS_TEST_NUMBER BUNDLE=$TEST_DIRECTORY/bundle
	mkdir -p "$BUNDLE/rootfs/bin" "$BUNDLE/rootfs/tmp"
	cp "$(command -v busybox)" "$BUNDLE/rootfs/bin/busybox"
	for applet in sh sleep true mkdir cat; do ln -s busybox "$BUNDLE/rootfs/bin/$applet"; done
	touch "$BUNDLE/lock"
	config "sleep 1000.$BATS_ROOT_PID"
}

# config SCRIPT [FILTER] - of $BUNDLE
config() {
	jq --arg script "$1" '.process.args=["sh","-c",$script] | '"${2:-.}" \
		"$LAMINA_SOURCE/tests/shell/data/config.json" >"$BUNDLE/config.json"
}

created() {
	nslaunch create --bundle "$BUNDLE" "${1:-$C}" >/dev/null
}

running() {
	created "${1:-$C}"
	nslaunch start "${1:-$C}"
}

# cgroup_of HIERARCHY [NAME] - the directory of a container's cgroup; nothing where there is none
cgroup_of() {
	local path

	for path in "/sys/fs/cgroup/$1/lamina/${2:-$C}" "/sys/fs/cgroup/lamina/${2:-$C}"; do
		[ ! -d "$path" ] || { printf '%s\n' "$path" && return; }
	done
}

# deleted - delete --force succeeds, says nothing, and nothing is left
deleted() {
	run timeout -s KILL 60 nslaunch delete --force "$C"
	echo "delete: $status $output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[ -z "$(find /sys/fs/cgroup -path "*/$C" 2>/dev/null)" ]
	[ -z "$(ls -A "$LAMINA_STATE")" ]
	until_true eval '[ -z "$(pgrep -f "sleep 1000.$BATS_ROOT_PID")" ]'
}

@test "delete --force: created, running, paused, stopped, and none at all" {
	created
	deleted
	running
	deleted
	running
	nslaunch pause "$C"
	deleted
	running
	nslaunch kill "$C" KILL
	until_true status_is "$C" stopped
	deleted
	deleted
	[ ! -e "$BUNDLE/running" ]
}

@test "delete --force: what a launcher has left that was killed before there was a state" {
	mkdir -m 700 -p "$LAMINA_STATE/$C"
	deleted
	mkdir -m 700 -p "$LAMINA_STATE/$C"
	touch "$LAMINA_STATE/$C/lock" "$LAMINA_STATE/$C/start.sock" "$LAMINA_STATE/$C/state.json.new"
	deleted
}

@test "delete --force: a cgroup that wasn't the killed launcher's stays, with its processes" {
	local procs
	running one-"$C"
	procs=$(find /sys/fs/cgroup -path "*/lamina/one-$C/cgroup.procs" | head -1)
	mkdir -m 700 -p "$LAMINA_STATE/$C"
	printf %s "/lamina/one-$C" >"$LAMINA_STATE/$C/cgroup"
	run nslaunch delete --force "$C"
	[ "$status" -eq 0 ]
	[[ $output == "nslaunch: warning: cgroup '/lamina/one-$C' stays"* ]]
	[ -n "$(cat "$procs")" ]
	status_is one-"$C" running
	nslaunch delete --force one-"$C"
	assert_nothing_left
}

@test "list: a damaged state.json hides no other container" {
	running
	mkdir "$LAMINA_STATE/0-$C"
	echo '{' >"$LAMINA_STATE/0-$C/state.json"
	run -1 --separate-stderr nslaunch list
	[[ $output == "$C"*running* ]]
	[[ $stderr == "nslaunch: list: container '0-$C': 'state.json': "* ]]
	run -1 --separate-stderr nslaunch list --format json
	[ "$(jq -r '.[].id' <<<"$output")" = "$C" ]
	nslaunch delete --force "0-$C"
	deleted
}

@test "delete --force: state.json is gone, or damaged in many ways" {
	local damage good
	running
	rm "$LAMINA_STATE/$C/state.json"
	deleted
	rm -f "$BUNDLE/running"
	while read -r damage; do
		running
		good=$(<"$LAMINA_STATE/$C/state.json")
		printf %s "$good" | sh -c "$damage" >damaged
		cp damaged "$LAMINA_STATE/$C/state.json"
		echo "$damage: $(<damaged)"
		run --separate-stderr nslaunch kill "$C" KILL
		[ "$status" -ne 0 ]
		deleted
		rm -f "$BUNDLE/running"
	done <<-'EOF'
		true
		echo
		head -c 40
		head -c 4000 /dev/zero
		echo '[]'
		echo '{}'
		jq '.pid="x"'
		jq '.pid=-1'
		jq '.pid=99999999999'
		jq 'del(.startTime)'
		jq 'del(.id)'
		jq 'del(.bundle)'
	EOF
}

@test "delete --force: a cgroup that is frozen, with cgroups of its own inside" {
	local hierarchy inner pid
	hierarchy=$(cgroup_of freezer '')
	running
	hierarchy=$(cgroup_of freezer)
	[ -n "$hierarchy" ] || hierarchy=$(cgroup_of unified)
	inner=$hierarchy/inner/deeper
	mkdir -p "$inner"
	nslaunch exec "$C" sleep "1000.$BATS_ROOT_PID" </dev/null >/dev/null 2>&1 3>&- &
	until_true eval '[ "$(wc -l <"$hierarchy/cgroup.procs")" -eq 2 ]'
	pid=$(tail -1 "$hierarchy/cgroup.procs")
	echo "$pid" >"$inner/cgroup.procs"
	nslaunch pause "$C"
	deleted
	wait
}

@test "a pid that has been given to another process is never hit" {
	# In a pid namespace of its own, where numbers can be chosen.
	nslaunch_pids() {
		local pid other
		created
		nslaunch start "$C"
		pid=$(nslaunch state "$C" | jq .pid)
		kill -KILL "$pid"
		until_false kill -0 "$pid" 2>/dev/null
		for _ in $(seq 50); do
			echo "$((pid - 1))" >/proc/sys/kernel/ns_last_pid
			sleep 100 3>&- &
			other=$!
			[ "$other" -ne "$pid" ] || break
			kill "$other"
		done
		[ "$other" -eq "$pid" ]
		[ "$(nslaunch state "$C" | jq -r .status)" = stopped ]
		! nslaunch kill "$C" KILL || exit 1
		nslaunch kill --all "$C" KILL || true
		kill -0 "$other"
		nslaunch delete --force "$C"
		kill -0 "$other"
		kill "$other"
	}
	unshare --pid --fork --kill-child --mount-proc --propagation private true || skip "no pid namespaces"
	export -f created until_true until_false nslaunch_pids
	unshare --pid --fork --kill-child --mount-proc --propagation private \
		bash -euo pipefail -c 'nslaunch_pids' 3>&-
	assert_nothing_left
}

# at_once WORDS... - a command for each of the many, all at the same time
at_once() {
	local began=$EPOCHREALTIME
	printf '%s\n' "${many[@]}" | xargs -P 0 -I ID "$@" || return
	awk -v a="$began" -v b="$EPOCHREALTIME" -v what="$2 of ${#many[@]}" \
		'BEGIN { printf "# %s: %.2f s\n", what, b - a }' >&3
}

@test "many at once: created, started, killed and deleted, without a failure" {
	local i many=()
	for i in $(seq "${LAMINA_MANY:-40}"); do
		many+=("$C-$i")
		mkdir "b$i"
		ln -s "$BUNDLE/rootfs" "b$i/rootfs"
		cp "$BUNDLE/config.json" "b$i/"
		ln -s "b$i" "$C-$i"
	done
	at_once nslaunch create --bundle ID ID </dev/null >/dev/null
	[ "$(nslaunch list | grep -c created)" -eq "${#many[@]}" ]
	at_once nslaunch start ID
	[ "$(nslaunch list | grep -c running)" -eq "${#many[@]}" ]
	at_once nslaunch kill ID KILL
	until_true eval '[ "$(nslaunch list | grep -c stopped)" -eq "${#many[@]}" ]'
	at_once nslaunch delete ID
	assert_nothing_left
}

# fails WORDS STATUS COMMAND... - it fails with this status and these words, in one line
fails() {
	local words=$1 wanted=$2 status=0 output
	shift 2
	output=$("$@" 2>&1) || status=$?
	echo "status $status: $output"
	[ "$status" -eq "$wanted" ] || return
	[[ $output == "nslaunch: "*"$words"* && $output != *$'\n'* ]]
}

@test "a state directory that is full, read-only, or removed is a clear error" {
	privately <<-'END'
		mkdir state
		# Two containers of one bundle.
		rm "$BUNDLE/lock"
		mount -t tmpfs -o size=64k,mode=700 none state
		head -c 1m /dev/zero >state/filler 2>/dev/null || :
		config true
		export LAMINA_STATE=$PWD/state
		fails "No space left on device" 125 nslaunch run --bundle "$BUNDLE" "$C"
		[ "$(ls state)" = filler ]
		fails "No space left on device" 1 nslaunch create --bundle "$BUNDLE" "$C"
		[ "$(ls state)" = filler ]
		rm state/filler
		config "sleep 1000.$BATS_ROOT_PID"
		running "$C"
		head -c 1m /dev/zero >state/filler 2>/dev/null || :
		nslaunch kill "$C" KILL
		nslaunch delete --force "$C"
		[ "$(ls state)" = filler ]
		rm state/filler
		running "$C"
		mount -o remount,ro state
		fails "Read-only file system" 125 nslaunch run --bundle "$BUNDLE" "two-$C"
		fails "Read-only file system" 1 nslaunch delete --force "$C"
		mount -o remount,rw state
		nslaunch delete --force "$C"
		umount state
		running "$C"
		cp -a "state/$C" saved
		rm -r "state/$C"
		fails "does not exist" 1 nslaunch state "$C"
		nslaunch delete --force "$C"
		cp -a saved "state/$C"
		nslaunch delete --force "$C"
		[ -z "$(ls state)" ]
	END
}

@test "a pid file that can't be written leaves no container" {
	privately <<-'END'
		mkdir full
		mount -t tmpfs -o size=4k none full
		head -c 1m /dev/zero >full/filler 2>/dev/null || :
		fails "cannot write the pid file '$PWD/full/pid': No space left on device" 1 \
			nslaunch create --bundle "$BUNDLE" --pid-file "$PWD/full/pid" "$C"
		[ "$(ls full)" = filler ]
		[ ! -e "$LAMINA_STATE/$C" ]
	END
	assert_nothing_left
}

@test "too few descriptors, processes or memory are a clear error, and leave nothing" {
	local n parent
	config true
	for n in {4..24}; do
		run bash -c "ulimit -n $n; nslaunch run --bundle '$BUNDLE' '$C'"
		echo "$n: $status $output"
		[ "$status" -eq 0 ] || [[ $status -eq 125 && $output == "nslaunch: "* && $output != *$'\n'* ]]
		assert_nothing_left
	done
	[ -z "$(find /sys/fs/cgroup -path "*/$C" 2>/dev/null)" ]
	parent=/sys/fs/cgroup/pids
	if [ -d "$parent" ]; then
		mkdir "$parent/shell-$C"
		fails "Resource temporarily unavailable" 125 bash -c '
			echo 1 >"$1/pids.max"; echo 0 >"$1/tasks"; exec nslaunch run --bundle "$2" "$3"' \
			bash "$parent/shell-$C" "$BUNDLE" "$C"
		until_true rmdir "$parent/shell-$C" 2>/dev/null
		assert_nothing_left
	fi
	[ -d /sys/fs/cgroup/memory ] || [ -e /sys/fs/cgroup/memory.max ] || return 0
	config true '.linux.resources.memory={limit:4096}'
	run nslaunch run --bundle "$BUNDLE" "$C"
	echo "memory: $status $output"
	[ "$status" -ne 0 ]
	[ -n "$output" ]
	assert_nothing_left
}

# both FIRST SECOND - two shell commands at the same time; their statuses are in `first`, `second`
both() {
	first=0 second=0
	bash -c "$1" >out1 2>&1 3>&- &
	local pid=$!
	bash -c "$2" >out2 2>&1 3>&- || second=$?
	wait "$pid" || first=$?
	echo "$1: $first $(<out1); $2: $second $(<out2)"
}

@test "two at once on one container: start, kill, delete, in every pair" {
	local first second
	for _ in $(seq "${LAMINA_ROUNDS:-8}"); do
		created
		both 'nslaunch start "$C"' 'nslaunch start "$C"'
		[ "$((first + second))" -eq 1 ]
		[[ $(cat out1 out2) == *"it is running, not created"* || $(cat out1 out2) == *"cannot start"* ]]
		status_is "$C" running
		both 'nslaunch delete --force "$C"' 'nslaunch delete --force "$C"'
		[ "$first$second" = 00 ]
		assert_nothing_left

		created
		both 'nslaunch start "$C"' 'nslaunch delete --force "$C"'
		[ "$second" -eq 0 ]
		[ "$first" -eq 0 ] || [[ $(<out1) == "nslaunch: start: "* ]]
		assert_nothing_left

		running
		both 'nslaunch kill "$C" KILL' 'nslaunch delete --force "$C"'
		[ "$second" -eq 0 ]
		[ "$first" -eq 0 ] || [[ $(<out1) == "nslaunch: kill: "* ]]
		assert_nothing_left

		running
		nslaunch kill "$C" KILL
		until_true status_is "$C" stopped
		both 'nslaunch delete "$C"' 'nslaunch delete "$C"'
		[ "$((first + second))" -le 1 ]
		[[ $(cat out1 out2) == "" || $(cat out1 out2) == *"does not exist"* ]]
		assert_nothing_left

		both 'nslaunch create --bundle "$BUNDLE" "$C" </dev/null' 'nslaunch delete --force "$C"'
		[ "$second" -eq 0 ]
		nslaunch delete --force "$C"
		assert_nothing_left
	done
}
