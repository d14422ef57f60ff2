#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# All kinds of namespaces, new and joined by path.

load helpers
load userns

setup() {
	lamina_setup
	need nslaunch jq
	need_root
	bundle_make
	chown -R 100000:100000 "$BUNDLE/rootfs"
}

teardown() {
	nslaunch delete --force "$ID" 2>/dev/null
	lamina_teardown
}

# joined KIND... - a filter: these are container $PID's; the rest is new, but for what it hasn't
joined() {
	local kind

	printf '.linux.namespaces=[{type:"mount"}'
	for kind; do
		printf ',{type:"%s",path:"/proc/%s/ns/%s"}' "$kind" "$PID" \
			"$(case $kind in network) echo net ;; mount) echo mnt ;; *) echo "$kind" ;; esac)"
	done
	printf '] | del(.hostname)'
}

# the_same KIND... - which of /proc/$PID/ns a container that prints its own has in common
# shellcheck disable=SC2016
show='for n in user pid net ipc uts cgroup time; do echo "$n $(readlink /proc/self/ns/$n)"; done'
the_same() {
	local kind

	for kind; do
		[ "$(grep "^$kind " <<<"$output")" = "$kind $(readlink "/proc/$PID/ns/$kind")" ] || {
			echo "$kind: $output"
			return 1
		}
	done
}

needs_time() {
	[ -e /proc/self/ns/time ] || skip "no time namespaces"
}

@test "clocks are set off in a new time namespace, and the host's aren't" {
	needs_time
	in_container 'cut -d. -f1 /proc/uptime 2>/dev/null || cat /proc/uptime; cat /proc/self/timens_offsets; readlink /proc/self/ns/time' \
		'.linux.namespaces+=[{type:"time"}] | .linux.timeOffsets={monotonic:{secs:-5,nanosecs:7},boottime:{secs:8640000}}'
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	[ "${lines[0]%%.*}" -ge 8640000 ]
	[[ $output =~ monotonic\ +-5\ +7 ]]
	[[ $output =~ boottime\ +8640000\ +0 ]]
	[ "${lines[-1]}" != "$(readlink /proc/self/ns/time)" ]
	in_container 'cat /proc/uptime' '.linux.namespaces+=[{type:"time"}]'
	[ "$status" -eq 0 ]
	in_container true '.linux.namespaces+=[{type:"time"}] | .linux.timeOffsets={monotonic:{secs:-9000000000}}'
	[ "$status" -eq 125 ]
	[[ $stderr == *"linux.timeOffsets: cannot be set: "* ]]
	assert_nothing_left
}

@test "clocks of a container with a user namespace, create and exec" {
	needs_time
	sleeper "$mapped | .linux.namespaces+=[{type:\"time\"}] | .linux.timeOffsets={boottime:{secs:8640000}}"
	run nslaunch exec "$ID" cat /proc/uptime
	echo "$output"
	[ "${output%%.*}" -ge 8640000 ]
	run nslaunch exec "$ID" readlink /proc/self/ns/time
	[ "$output" = "$(readlink "/proc/$PID/ns/time")" ]
	run -7 nslaunch exec "$ID" sh -c 'exit 7'
}

@test "a pod: each kind is joined by path" {
	needs_time
	sleeper '.linux.namespaces+=[{type:"time"}]'
	in_container "$show" "$(joined pid network ipc uts cgroup time)"
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	the_same pid net ipc uts cgroup time
	in_container 'echo $$; hostname' "$(joined network ipc uts) | .linux.namespaces+=[{type:\"pid\"}]"
	[ "$output" = $'1\nbox' ]
}

@test "a pod with a user namespace: its namespaces are joined, new ones are its own" {
	needs_time
	sleeper "$mapped | .linux.namespaces+=[{type:\"time\"}]"
	in_container "$show; id -u; mount -t proc none /tmp 2>&1; cat /proc/self/uid_map" "$(joined user pid network ipc uts cgroup time)"
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	the_same user pid net ipc uts cgroup time
	[ "${lines[7]}" = 0 ]
	in_container "$show; echo \$\$; hostname" "$(joined user network ipc) | .linux.namespaces+=[{type:\"pid\"},{type:\"uts\"}] | .hostname=\"own\""
	echo "$output $stderr"
	the_same user net ipc
	[ "${lines[-2]} ${lines[-1]}" = "1 own" ]
	in_container true "$(joined user pid network) | .process.user.uid=70000"
	[ "$status" -eq 125 ]
	[[ $stderr == *"process.user.uid: "* ]]
	[ "$(nslaunch list -q)" = "$ID" ]
}

@test "a container that has joined a user namespace: create, exec" {
	local pod=$ID

	sleeper "$mapped"
	ID=$ID-b
	sleeper "$(joined user pid network ipc)"
	run nslaunch exec "$ID" sh -c 'id -u; cat /proc/self/uid_map'
	echo "$output"
	[ "${lines[0]}" = 0 ]
	[[ ${lines[1]} == *100000* ]]
	nslaunch delete --force "$ID"
	ID=$pod
}

@test "the host's network namespace is joined by a container with a new user namespace" {
	need ip
	in_container "$show; cat /proc/self/uid_map" "$mapped | .linux.namespaces|=map(if .type==\"network\" then .path=\"/proc/self/ns/net\" else . end)"
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	PID=self the_same net
	[[ $output == *100000* ]]
}

@test "what isn't a namespace of that kind is refused, an empty path is a new one" {
	in_container true '.linux.namespaces|=map(if .type=="network" then .path="/proc/self/ns/ipc" else . end)'
	[ "$status" -eq 125 ]
	[[ $stderr == *"linux.namespaces: '/proc/self/ns/ipc' is not a network namespace"* ]]
	in_container true '.linux.namespaces+=[{type:"user",path:"/proc/self/ns/ipc"}]'
	[[ $stderr == *"'/proc/self/ns/ipc' is not a user namespace"* ]]
	in_container true '.linux.namespaces|=map(if .type=="network" then .path="/etc/passwd" else . end)'
	[[ $stderr == *"'/etc/passwd' is not a network namespace"* ]]
	in_container true '.linux.namespaces|=map(if .type=="network" then .path="/nosuch" else . end)'
	[[ $stderr == *"linux.namespaces: network '/nosuch': No such file or directory"* ]]
	in_container true '.linux.namespaces+=[{type:"user",path:"/proc/self/ns/user"}]'
	[ "$status" -eq 125 ]
	[[ $stderr == *"linux.namespaces: cannot join the user namespace '/proc/self/ns/user'"* ]]
	in_container 'readlink /proc/self/ns/net' '.linux.namespaces|=map(.path="")'
	[ "$status" -eq 0 ]
	[ "$output" != "$(readlink /proc/self/ns/net)" ]
	assert_nothing_left
}
