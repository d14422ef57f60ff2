#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# kill -9 at each system call: a container that is half made doesn't run on, and delete --force
# leaves nothing of it.

load ../shell/helpers
load faults

setup() {
	fault_setup
	FAULT_ERRORS=(KILL) FAULT_ROUND=0 FAULT_KEEP='' FAULT_PROCESS=0
	FAULT_BEFORE=(true) FAULT_FINISH=(true) FAULT_CHECKS=(delete_check)
}

teardown() {
	nslaunch delete --force "$C" 2>/dev/null || :
	lamina_teardown
}

killed() {
	[ "$FAULT_STATUS" -eq 137 ]
}

# gone_check - nothing of it runs on
gone_check() {
	until_true has_processes 0 || complain "$(processes_of) processes run on"
}

# told_check - who was not killed itself tells that the container's process was
told_check() {
	killed || words_check
}

@test "run: of a launcher that was killed nothing runs on" {
	FAULT_CHECKS=(gone_check delete_check)
	sweep nslaunch run --bundle "$BUNDLE" "$C"
	assert_nothing_left
}

@test "run: the container's process is killed: that is told, and undone" {
	FAULT_PROCESS=1 FAULT_CHECKS=(told_check nothing_left_check gone_check delete_check)
	sweep nslaunch run --bundle "$BUNDLE" "$C"
	assert_nothing_left
}

# half_made_check - it is created, and can be started; or nothing of it runs
half_made_check() {
	if status_is "$C" created; then
		nslaunch start "$C" && until_true status_is "$C" stopped || complain "can't be started"
	else
		gone_check
	fi
}

@test "create: of a launcher that was killed there is a container that starts, or nothing runs on" {
	FAULT_CHECKS=(half_made_check delete_check)
	sweep nslaunch create --bundle "$BUNDLE" --pid-file "$PWD/pid" "$C"
	assert_nothing_left
}

finish_by_start() {
	nslaunch start "$C" >out 2>err || FAULT_STATUS=$?
}

@test "create and start: the container's process is killed: that is told" {
	FAULT_PROCESS=1 FAULT_FINISH=(finish_by_start) FAULT_CHECKS=(told_check gone_check delete_check)
	sweep nslaunch create --bundle "$BUNDLE" "$C"
	assert_nothing_left
}

# started_check - it is created, or was started
started_check() {
	! status_is "$C" created || nslaunch start "$C" || complain "can't be started"
	until_true status_is "$C" stopped || complain "$(nslaunch state "$C")"
}

@test "start: the container has started, or can be" {
	FAULT_BEFORE=(created) FAULT_CHECKS=(started_check delete_check)
	sweep nslaunch start "$C"
	assert_nothing_left
}

@test "exec: nothing of it runs on, and the container does" {
	FAULT_BEFORE=(running) FAULT_KEEP=yes FAULT_CHECKS=(running_check)
	sweep nslaunch exec "$C" sleep 1
	FAULT_PROCESS=1 FAULT_CHECKS=(told_check running_check)
	sweep nslaunch exec "$C" true
	nslaunch delete --force "$C"
	assert_nothing_left
}

@test "delete: another one finishes it" {
	FAULT_BEFORE=(ended)
	sweep nslaunch delete "$C"
	FAULT_BEFORE=(running)
	sweep nslaunch delete --force "$C"
	assert_nothing_left
}
