#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What nslaunch's verbs do to containers that exist, beside runc where it can do the same.

load helpers
load bundle

setup() {
	lamina_setup
	need nslaunch jq
	need_root
	bundle_make
	ID=verbs-$BATS_ROOT_PID-$BATS_TEST_NUMBER
	config '.process.args=["sleep","1000"]'
}

teardown() {
	local id
	for id in "$ID" "${ID}x" "${ID}y"; do
		nslaunch delete --force "$id" 2>/dev/null || :
	done
}

# started [ID] - a container that sleeps
started() {
	nslaunch create --bundle "$BUNDLE" "${1:-$ID}" </dev/null
	nslaunch start "${1:-$ID}"
}

status_is() {
	[ "$(nslaunch state "${2:-$ID}" | jq -r .status)" = "$1" ]
}

need_freezer() {
	local id=$ID
	started
	nslaunch pause "$id" 2>/dev/null || skip "no freezer"
	nslaunch resume "$id"
}

@test "pause stops every process and resume lets them go on" {
	need_freezer
	nslaunch exec --detach "$ID" sh -c 'i=0; while true; do i=$((i + 1)); echo $i >/tmp/count; done'
	eventually test -s "$BUNDLE/rootfs/tmp/count"
	nslaunch pause "$ID"
	status_is paused
	[ "$(nslaunch list --format json | jq -r --arg id "$ID" '.[] | select(.id == $id).status')" = paused ]
	local before
	before=$(cat "$BUNDLE/rootfs/tmp/count")
	sleep 0.3
	[ "$(cat "$BUNDLE/rootfs/tmp/count")" = "$before" ]
	nslaunch resume "$ID"
	status_is running
	went_on() { [ "$(cat "$BUNDLE/rootfs/tmp/count")" != "$before" ]; }
	eventually went_on
}

@test "each verb says what state it can't be used in, in runc's words" {
	need_freezer
	run -1 nslaunch resume "$ID"
	[[ $output == *"container not paused"* ]]
	run -1 nslaunch start "$ID"
	[[ $output == *"it is running, not created"* ]]
	nslaunch pause "$ID"
	run -1 nslaunch pause "$ID"
	[[ $output == *"container not running"* ]]
	run -1 nslaunch start "$ID"
	[[ $output == *"it is paused"* ]]
	run -1 nslaunch delete "$ID"
	[[ $output == *"that is not stopped: it is paused"* ]]
	run -125 nslaunch exec "$ID" true
	[[ $output == *"cannot exec in a paused container (use --ignore-paused to override)"* ]]
	nslaunch exec --ignore-paused "$ID" true &
	nslaunch resume "$ID"
	wait "$!"
	nslaunch kill "$ID" 0
	nslaunch kill "$ID" kill
	eventually status_is stopped
	for verb in pause kill; do
		run -1 nslaunch "$verb" "$ID"
		[[ $output == *"container not running"* ]]
	done
	run -1 nslaunch kill "$ID" 0
	run -1 nslaunch resume "$ID"
	[[ $output == *"container not paused"* ]]
	run -125 nslaunch exec "$ID" true
	[[ $output == *"it is stopped"* ]]
	run -1 nslaunch start "$ID"
	nslaunch kill --all "$ID" KILL
	nslaunch delete "$ID"
	run -1 nslaunch kill "$ID" KILL
	[[ $output == *"does not exist"* ]]
	assert_nothing_left
}

@test "a paused container can be created, killed and deleted" {
	need_freezer
	nslaunch pause "$ID"
	nslaunch kill "$ID" KILL
	eventually status_is stopped
	nslaunch delete "$ID"
	started
	nslaunch pause "$ID"
	nslaunch kill --all "$ID" KILL
	eventually status_is stopped
	nslaunch delete "$ID"
	nslaunch create --bundle "$BUNDLE" "$ID"
	nslaunch pause "$ID"
	status_is paused
	nslaunch resume "$ID"
	status_is created
	nslaunch pause "$ID"
	nslaunch delete --force "$ID"
	assert_nothing_left
}

@test "ps shows the container's processes, as the host's ps does, or their pids" {
	need ps
	started
	local pid other
	pid=$(nslaunch state "$ID" | jq .pid)
	[ "$(nslaunch ps --format json "$ID")" = "[$pid]" ]
	nslaunch exec --detach --pid-file other "$ID" sleep 999
	other=$(cat other)
	[ "$(nslaunch ps -f json "$ID" | jq -c sort)" = "$(jq -nc "[$pid,$other]|sort")" ]
	run -0 nslaunch ps "$ID"
	[ "${#lines[@]}" -eq 3 ]
	[[ ${lines[0]} == UID*PID*CMD ]]
	[[ $output == *"$other"*"sleep 999"* ]]
	run -0 nslaunch ps "$ID" -o pid,args
	[ "$(awk 'NR > 1 { print $1 }' <<<"$output" | sort)" = "$(printf '%s\n' "$pid" "$other" | sort)" ]
	run -1 nslaunch ps "$ID" -o args
	[[ $output == *"no column 'PID'"* ]]
	PATH=$(dirname "$(command -v nslaunch)") run -1 nslaunch ps "$ID"
	[[ $output == *"executable file not found"* ]]
	nslaunch kill --all "$ID" KILL
	eventually status_is stopped
	[ "$(nslaunch ps -f json "$ID")" = "[]" ]
}

@test "state and list have runc's keys and values" {
	need runc
	local theirs=$TEST_DIRECTORY/runc filter
	config '.process.args=["sleep","1000"] | .annotations={"org.x":"y"} | .mounts |= map(select(.type != "cgroup"))
		| .linux.namespaces |= map(select(.type != "cgroup"))'
	started
	runc --root "$theirs" create --bundle "$BUNDLE" "${ID}r" </dev/null >/dev/null 2>&1 || skip "runc can't"
	runc --root "$theirs" start "${ID}r"
	filter='del(.pid, .created, .ociVersion, .id) | [to_entries[] | select(.key != "owner")] | sort_by(.key)'
	diff <(nslaunch state "$ID" | jq "$filter") <(runc --root "$theirs" state "${ID}r" | jq "$filter")
	filter='.[0] | del(.pid, .created, .ociVersion, .id) | to_entries | sort_by(.key)'
	nslaunch list --format json >ours.json
	runc --root "$theirs" list --format json >theirs.json
	runc --root "$theirs" delete --force "${ID}r"
	diff <(jq "$filter" ours.json) <(jq "$filter" theirs.json)
	jq -e '.[0].created | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{9}Z$")' ours.json
	[ "$(nslaunch list -q -f json)" = "$ID" ]
}

@test "kill and delete take a regular expression" {
	started "${ID}x"
	started "${ID}y"
	run -2 nslaunch kill --regex '(' KILL
	nslaunch kill --regex "^${ID}[xy]\$" KILL
	eventually status_is stopped "${ID}x"
	eventually status_is stopped "${ID}y"
	nslaunch kill -r "^${ID}[xy]\$" KILL
	started
	run -1 nslaunch delete --regex "^$ID"
	[[ $output == *"that is not stopped"* ]]
	[ "$(nslaunch list -q)" = "$ID" ]
	nslaunch delete --regex "^nosuch"
	nslaunch delete --force --regex "^$ID"
	[ -z "$(nslaunch list -q)" ]
}

@test "a container's id is no other's, though it be the beginning of one" {
	started "${ID}x"
	run -1 nslaunch state "$ID"
	nslaunch delete --force "$ID"
	status_is running "${ID}x"
	nslaunch delete --force "${ID}x"
}

@test "exec goes into a cgroup inside the container's" {
	started
	local pid path hierarchy
	pid=$(nslaunch state "$ID" | jq .pid)
	path=$(sed -n 's/^[0-9]*:pids://p' "/proc/$pid/cgroup")
	[ -d "/sys/fs/cgroup/pids/lamina/$ID" ] || skip "no cgroup v1 pids"
	mkdir "/sys/fs/cgroup/pids/lamina/$ID/sub"
	nslaunch exec --cgroup pids:sub --detach --pid-file pid2 "$ID" sleep 1000
	[ "$(sed -n 's/^[0-9]*:pids://p' "/proc/$(cat pid2)/cgroup")" = "$path/sub" ]
	[ "$(sed -n 's/^[0-9]*:memory://p' "/proc/$(cat pid2)/cgroup")" = "$(sed -n 's/^[0-9]*:memory://p' "/proc/$pid/cgroup")" ]
	for where in nosuch pids:nosuch ../x pids:.. nosuch:sub; do
		run -125 nslaunch exec --cgroup "$where" "$ID" true
		[[ $output == *cgroup* ]]
	done
	# The same in all hierarchies, by the name alone.
	for hierarchy in /sys/fs/cgroup/*/; do
		mkdir -p "${hierarchy}lamina/$ID/sub"
		[ -e "${hierarchy}cpuset.cpus" ] || continue
		cat "${hierarchy}cpuset.cpus" >"${hierarchy}lamina/$ID/sub/cpuset.cpus"
		cat "${hierarchy}cpuset.mems" >"${hierarchy}lamina/$ID/sub/cpuset.mems"
	done
	nslaunch exec --cgroup /sub --detach --pid-file pid3 "$ID" sleep 1000
	[ "$(grep -c "/sub$" "/proc/$(cat pid3)/cgroup")" -eq "$(grep -c . "/proc/$(cat pid3)/cgroup")" ]
	nslaunch delete --force "$ID"
	assert_nothing_left
}

@test "run adopts what a container without a pid namespace leaves, unless it isn't to" {
	local runner
	config '.linux.namespaces |= map(select(.type != "pid"))
		| .process.args = ["sh", "-c", "(sleep 1000 & echo $! >/tmp/pid); sleep 1000"]'
	parent_is() { [ "$(sed 's/.*) . \([0-9]*\) .*/\1/' "/proc/$(cat "$BUNDLE/rootfs/tmp/pid")/stat")" = "$1" ]; }
	nslaunch run --bundle "$BUNDLE" "$ID" &
	runner=$!
	eventually test -s "$BUNDLE/rootfs/tmp/pid"
	eventually parent_is "$runner"
	kill "$(cat "$BUNDLE/rootfs/tmp/pid")"
	gone() { [ ! -e "/proc/$(cat "$BUNDLE/rootfs/tmp/pid")" ]; }
	eventually gone
	nslaunch kill "$ID" KILL
	run wait "$runner"
	rm "$BUNDLE/rootfs/tmp/pid"
	nslaunch run --no-subreaper --bundle "$BUNDLE" "$ID" &
	runner=$!
	eventually test -s "$BUNDLE/rootfs/tmp/pid"
	run -1 parent_is "$runner"
	nslaunch kill "$ID" KILL
	wait "$runner" || :
	assert_nothing_left
}

@test "the bundle's config.json may have another name" {
	config '.process.args=["echo","other"]'
	mv "$BUNDLE/config.json" "$BUNDLE/other.json"
	run -0 nslaunch run --config other.json --bundle "$BUNDLE" "$ID"
	[ "$output" = other ]
	nslaunch create -f "$BUNDLE/other.json" -b "$BUNDLE" "$ID"
	nslaunch start "$ID" >out
	run -1 nslaunch create --config nosuch.json --bundle "$BUNDLE" "${ID}x"
	[[ $output == *nosuch.json* ]]
}

@test "run --detach leaves a container that runs, known until it is deleted" {
	config '.process.args=["sh","-c","echo up; sleep 1000"]'
	nslaunch run -d --bundle "$BUNDLE" --pid-file pid "$ID" >out </dev/null
	status_is running
	[ "$(cat pid)" = "$(nslaunch state "$ID" | jq .pid)" ]
	eventually grep -q up out
	run -1 nslaunch delete "$ID"
	nslaunch kill "$ID" KILL
	eventually status_is stopped
	nslaunch delete "$ID"
	config '.process.args=["nosuch"]'
	run -127 nslaunch run --detach --bundle "$BUNDLE" "$ID"
	[[ $output == *"executable file not found"* ]]
	printf '\1\2' >"$BUNDLE/rootfs/bin/bad"
	chmod +x "$BUNDLE/rootfs/bin/bad"
	config '.process.args=["bad"]'
	run ! nslaunch run --detach --bundle "$BUNDLE" "$ID"
	[[ $output == *"exec format error"* ]]
	config '.process.terminal=true'
	run -125 nslaunch run --detach --bundle "$BUNDLE" "$ID"
	[[ $output == *"--console-socket"* ]]
	run -125 nslaunch run --detach </dev/null
	assert_nothing_left
}

@test "spec writes runc's config.json into a plain bundle, and one that runs" {
	need runc
	local kind filter='del(.ociVersion, .hostname) | .mounts |= map(.options |= (. // [] | sort))
		| .linux.namespaces |= sort_by(.type)'
	for kind in '' --rootless; do
		mkdir -p ours theirs
		(cd ours && nslaunch spec $kind </dev/null)
		(cd theirs && runc spec $kind)
		diff <(jq -S "$filter" ours/config.json) <(jq -S "$filter" theirs/config.json)
		[ "$(stat -c %a ours/config.json)" = 644 ]
		rm -r ours theirs
	done
	rm "$BUNDLE/config.json"
	nslaunch spec --bundle "$BUNDLE"
	run -1 nslaunch spec --bundle "$BUNDLE"
	[[ $output == *"'config.json' is there already"* ]]
	nslaunch spec --force -b "$BUNDLE"
	jq '.process.terminal=false | .process.args=["hostname"]' "$BUNDLE/config.json" >x.json
	mv x.json "$BUNDLE/config.json"
	run -0 nslaunch run --bundle "$BUNDLE" "$ID"
	[ "$output" = nslaunch ]
	nslaunch spec -b "$BUNDLE" -f other.json
	cmp <(jq .hostname "$BUNDLE/other.json") <(echo '"nslaunch"')
}

@test "spec keeps to lamina's bundles where there is an image, a command, an option or a stream" {
	rm "$BUNDLE/config.json"
	run -1 nslaunch spec --bundle "$BUNDLE" --memory 10m
	run -1 nslaunch spec < <(echo "$BUNDLE")
	[ ! -e "$BUNDLE/config.json" ]
	run -2 nslaunch spec --rootless --bundle "$BUNDLE" true
	nslaunch spec --bundle "$BUNDLE" true
	jq -e '.process.args == ["true"] and .hostname == "bundle"' "$BUNDLE/config.json"
	echo '{"config":{"Cmd":["x"]}}' >"$BUNDLE/image-config.json"
	nslaunch spec --force --bundle "$BUNDLE"
	jq -e '.process.args == ["x"]' "$BUNDLE/config.json"
}

@test "exec's AppArmor profile and SELinux label are the process's, or refused where there are none" {
	started
	local option
	for option in apparmor process-label; do
		nslaunch exec "--$option" x_t "$ID" true 2>err && continue
		grep -qE "would have no effect|is not loaded|cannot be set" err
	done
	[ -s err ] || skip "the machine takes any label"
}
