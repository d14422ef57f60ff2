#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Each system call of a container's life fails once: a clear error, and nothing left.

load ../shell/helpers
load faults

setup() {
	fault_setup
	# EIO, EPERM, ENOMEM
	FAULT_ERRORS=(5 1 12) FAULT_ROUND=0 FAULT_KEEP='' FAULT_PROCESS=''
	FAULT_BEFORE=(true) FAULT_FINISH=(true)
	FAULT_CHECKS=(words_check nothing_left_check delete_check)
}

teardown() {
	nslaunch delete --force "$C" 2>/dev/null || :
	lamina_teardown
}

@test "run: every failing call is told and undone, in the launcher and in the container's process" {
	FAULT_CHECKS=(words_check harmless_check nothing_left_check delete_check)
	sweep nslaunch run --bundle "$BUNDLE" "$C"
	assert_nothing_left
}

@test "run in a user namespace, with hooks: every failing call is told and undone" {
	FAULT_KIND=-userns
	local hooks='[{"path":"/bin/true"}]'
	FAULT_CHECKS=(words_check harmless_check nothing_left_check delete_check)
	fault_config ".hooks={prestart:$hooks,createRuntime:$hooks,createContainer:$hooks,poststart:$hooks,poststop:$hooks}
		| .linux.namespaces+=[{type:\"user\"}] | del(.process.oomScoreAdj)
		| .linux.uidMappings=[{containerID:0,hostID:100000,size:65536}]
		| .linux.gidMappings=[{containerID:0,hostID:100000,size:65536}]"
	chown -R 100000:100000 "$BUNDLE/rootfs"
	chmod 711 "$SCRATCH" "$TEST_DIRECTORY" "$BUNDLE"
	nslaunch run --bundle "$BUNDLE" "$C"
	sweep nslaunch run --bundle "$BUNDLE" "$C"
	chmod 700 "$SCRATCH"
	assert_nothing_left
}

# pool_left_check - behind a drain nothing is left of a pool, and of a start that failed
pool_left_check() {
	local left

	nslaunch pool drain || complain "no drain"
	[ "$FAULT_STATUS" -eq 0 ] || nslaunch delete --force "$C" 2>/dev/null || :
	left=$(fault_left; find /sys/fs/cgroup -type d -path '*/lamina/@pool-*')
	[ -z "$left" ] || complain "left: $left"
}

@test "run with a pool, fill and drain: a failing call is told or done without, a drain leaves nothing" {
	FAULT_BEFORE=(nslaunch pool fill -n 1)
	FAULT_CHECKS=(words_check pool_left_check)
	fault_config 'del(.linux.cgroupsPath) | .mounts+=[{destination:"/dev/shm",type:"tmpfs",source:"shm"},
		{destination:"/dev/mqueue",type:"mqueue",source:"mqueue"}]'
	sweep nslaunch run --bundle "$BUNDLE" "$C"
	FAULT_KEEP=yes
	sweep nslaunch pool drain
	FAULT_BEFORE=(true)
	sweep nslaunch pool fill -n 1
	nslaunch pool drain
	assert_nothing_left
}

# finish_by_start - what the created container still does comes to its turn; start tells
finish_by_start() {
	FAULT_STARTED=yes
	nslaunch start "$C" >out 2>err || FAULT_STATUS=$?
	until_true status_is "$C" stopped
}

create_left_check() {
	[ -n "$FAULT_STARTED" ] || nothing_left_check
	FAULT_STARTED=
}

@test "create and start: every failing call is told and undone, the waiting process's too" {
	FAULT_STARTED=
	FAULT_FINISH=(finish_by_start)
	FAULT_CHECKS=(words_check harmless_check create_left_check delete_check)
	sweep nslaunch create --bundle "$BUNDLE" --pid-file "$PWD/pid" "$C"
	assert_nothing_left
}

# effect_check COMMAND... - what has succeeded has its effect, whatever has failed meanwhile
effect_check() {
	[ "$FAULT_STATUS" -ne 0 ] || until_true "$@" || complain "no effect"
}

stopped_check() {
	effect_check status_is "$C" stopped
}

@test "start: every failing call is told, or it starts; delete cleans up" {
	FAULT_BEFORE=(created) FAULT_CHECKS=(words_check stopped_check delete_check)
	sweep nslaunch start "$C"
	assert_nothing_left
}

@test "exec: every failing call is told, and the container goes on" {
	FAULT_BEFORE=(running) FAULT_KEEP=yes FAULT_CHECKS=(words_check harmless_check running_check)
	sweep nslaunch exec "$C" true
	nslaunch delete --force "$C"
	assert_nothing_left
}

@test "kill: every failing call is told, or it ends" {
	FAULT_BEFORE=(running) FAULT_CHECKS=(words_check stopped_check delete_check)
	sweep nslaunch kill "$C" KILL
	sweep nslaunch kill --all "$C" KILL
	assert_nothing_left
}

limits() {
	printf '%s\n' /sys/fs/cgroup/{,*/}lamina/"$C.at"/pids.max | xargs ls 2>/dev/null || :
}

limit_reset() {
	running
	limits | while read -r file; do echo 99 >"$file"; done
}

limit_is_set() {
	[ "$(limits | xargs cat)" = 50 ]
}

limit_check() {
	effect_check limit_is_set
}

state_check() {
	[ "$FAULT_STATUS" -ne 0 ] || [ "$(jq -r .status out)" = running ] || complain "$(<out)"
}

list_check() {
	[ "$FAULT_STATUS" -ne 0 ] || [[ $(<out) == *"$C"*running* ]] || complain "$(<out)"
}

@test "update, state, list: every failing call is told, or the answer is right; the container goes on" {
	FAULT_BEFORE=(limit_reset) FAULT_KEEP=yes FAULT_CHECKS=(words_check limit_check running_check)
	sweep nslaunch update --pids-limit 50 "$C"
	FAULT_BEFORE=(running)
	FAULT_CHECKS=(words_check state_check running_check)
	sweep nslaunch state "$C"
	FAULT_CHECKS=(words_check list_check running_check)
	sweep nslaunch list
	nslaunch delete --force "$C"
	assert_nothing_left
}

thawed() {
	! status_is "$C" paused || nslaunch resume "$C"
	running
}

paused() {
	status_is "$C" paused || {
		running
		nslaunch pause "$C"
	}
}

paused_check() {
	effect_check status_is "$C" paused
}

thawed_check() {
	! status_is "$C" paused || nslaunch resume "$C" || complain "resume failed"
	running_check
}

resumed_check() {
	effect_check status_is "$C" running
}

@test "pause and resume: every failing call is told, or they do it; another resume helps" {
	FAULT_KEEP=yes FAULT_CHECKS=(words_check paused_check thawed_check)
	FAULT_BEFORE=(thawed)
	sweep nslaunch pause "$C"
	FAULT_CHECKS=(words_check resumed_check thawed_check)
	FAULT_BEFORE=(paused)
	sweep nslaunch resume "$C"
	nslaunch delete --force "$C"
	assert_nothing_left
}

deleted_check() {
	local left

	[ "$FAULT_STATUS" -eq 0 ] || return 0
	left=$(fault_left)
	[ -z "$left" ] || complain "left: $left"
}

@test "delete: every failing call is told, or nothing is left; another delete finishes it" {
	FAULT_BEFORE=(ended) FAULT_CHECKS=(words_check deleted_check delete_check)
	sweep nslaunch delete "$C"
	FAULT_BEFORE=(running)
	sweep nslaunch delete --force "$C"
	assert_nothing_left
}
