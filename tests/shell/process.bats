#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Attributes of a config.json's process, looked at from inside the container; those that an exec has
# too, in both.

load helpers
load container

# everywhere SCRIPT FILTER EXPECTED - what it prints in a container of the filter, in an exec of it
# by options, and in an exec of its process by a file
everywhere() {
	in_container "$1" "$2"
	echo "run: $output$stderr"
	[ "$status" -eq 0 ]
	[ "$output" = "$3" ]
	running "$2"
	run --separate-stderr nslaunch exec "$ID" sh -c "$1"
	echo "exec: $output$stderr"
	[ "$output" = "$3" ]
	config_script "$1" "$2"
	jq .process "$BUNDLE/config.json" >process.json
	run --separate-stderr nslaunch exec --process process.json "$ID"
	echo "exec --process: $output$stderr"
	[ "$output" = "$3" ]
	nslaunch delete --force "$ID"
	assert_nothing_left
}

# nice, real-time priority and policy of proc_pid_stat(5)
STAT='cut -d")" -f2 /proc/self/stat | cut -d" " -f18,39,40'

@test "scheduler: policy, nice, priority" {
	everywhere "$STAT" '.process.scheduler={policy:"SCHED_OTHER",nice:-5}' '-5 0 0'
	everywhere "$STAT" '.process.scheduler={policy:"SCHED_BATCH",nice:7}' '7 0 3'
	in_container "$STAT" '.process.scheduler={policy:"SCHED_IDLE"}'
	[ "$output" = "$(nice) 0 5" ]
}

@test "scheduler: a real-time policy, and its reset for children" {
	in_container "$STAT; echo; sh -c '$STAT'" '.process.scheduler={policy:"SCHED_FIFO",priority:7}'
	[[ $stderr != *"process.scheduler: cannot be set: Operation not permitted"* ]] ||
		skip "this cgroup has no real-time budget"
	[ "${lines[0]}" = '0 7 1' ]
	in_container "exec 3</proc/self/stat; cut -d')' -f2 <&3 | cut -d' ' -f18,39,40; $STAT" '
		.process.scheduler={policy:"SCHED_RR",priority:3,flags:["SCHED_FLAG_RESET_ON_FORK"]}'
	[ "$output" = $'0 3 2\n0 0 0' ]
}

@test "scheduler: SCHED_DEADLINE with its runtime, deadline and period" {
	local parameters='policy:"SCHED_DEADLINE",runtime:1000000,deadline:5000000,period:5000000'
	in_container 'exec cut -d")" -f2 /proc/self/stat' ".process.scheduler={$parameters,flags:[\"SCHED_FLAG_RESET_ON_FORK\"]}"
	[[ $stderr != *"process.scheduler: cannot be set: Operation not permitted"* ]] ||
		skip "this cpuset allows no deadline scheduling"
	[ "$status" -eq 0 ]
	[ "$(cut -d' ' -f18,39,40 <<<"$output")" = "$(nice) 0 6" ]
	refused '.process.scheduler={policy:"SCHED_DEADLINE",runtime:5000000,deadline:1000000,period:1000000}' \
		'process.scheduler: cannot be set: Invalid argument'
}

@test "ioPriority: class and priority" {
	everywhere 'ionice -p $$' '.process.ioPriority={class:"IOPRIO_CLASS_BE",priority:6}' 'best-effort: prio 6'
	everywhere 'ionice -p $$' '.process.ioPriority={class:"IOPRIO_CLASS_IDLE",priority:0}' 'idle'
	in_container 'ionice -p $$' '.process.ioPriority={class:"IOPRIO_CLASS_RT",priority:1}'
	[ "$output" = 'realtime: prio 1' ]
}

@test "execCPUAffinity: an exec's processors at first, and in the container; not the container's" {
	local cpus all=/proc/self/status
	all=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)
	cpus=$(nproc)
	[ "$cpus" -gt 1 ] || skip "one processor only"
	local last=${all##*[-,]} first=${all%%[-,]*}
	local show='sed -n "s/^Cpus_allowed_list:[[:space:]]*//p" /proc/self/status'
	in_container "$show" ".process.execCPUAffinity={initial:\"$first\",final:\"$last\"}"
	[ "$output" = "$all" ]
	running ".process.execCPUAffinity={initial:\"$first\",final:\"$last\"}"
	[ "$(nslaunch exec "$ID" sh -c "$show")" = "$last" ]
	jq ".process | .execCPUAffinity={final:\"$first\"} | .args=[\"sh\",\"-c\",$(jq -Rs . <<<"$show")]" \
		"$BUNDLE/config.json" >process.json
	[ "$(nslaunch exec --process process.json "$ID")" = "$first" ]
	jq ".process | .execCPUAffinity={final:\"8000\"} | .args=[\"true\"]" "$BUNDLE/config.json" >process.json
	run --separate-stderr nslaunch exec --process process.json "$ID"
	[ "$status" -eq 125 ]
	[[ $stderr == *"process.execCPUAffinity.final: cannot run on processors '8000': Invalid argument" ]]
	nslaunch delete --force "$ID"
	running ".process.execCPUAffinity={initial:\"$first\"}"
	run --separate-stderr nslaunch exec "$ID" sh -c "$show"
	nslaunch delete --force "$ID"
	assert_nothing_left
	[ "$output" = "$first" ] || skip "a cpuset that is entered resets it here (before Linux 6.2)"
}

@test "memoryPolicy: mode, nodes and flags" {
	[ -e /proc/self/numa_maps ] || skip "no NUMA"
	local show='sed -n "1s/^[0-9a-f]* \([^ ]*\) .*/\1/p" /proc/self/numa_maps'
	everywhere "$show" '.linux.memoryPolicy={mode:"MPOL_BIND",nodes:"0"}' 'bind:0'
	in_container "$show" '.linux.memoryPolicy={mode:"MPOL_PREFERRED",nodes:"0",flags:["MPOL_F_STATIC_NODES"]}'
	[ "$output" = 'prefer=static:0' ]
	in_container "$show" '.linux.memoryPolicy={mode:"MPOL_INTERLEAVE",nodes:"0",flags:["MPOL_F_RELATIVE_NODES"]}'
	[ "$output" = 'interleave=relative:0' ]
	in_container "$show" '.linux.memoryPolicy={mode:"MPOL_LOCAL",nodes:""}'
	[ "$output" = 'local' ]
	in_container "$show"
	[ "$output" = 'default' ]
	refused '.linux.memoryPolicy={mode:"MPOL_BIND",nodes:"1000"}' 'linux.memoryPolicy: cannot be set'
}

@test "personality: a 32-bit one shows another machine" {
	[ "$(uname -m)" = x86_64 ] || skip "not x86_64"
	everywhere 'uname -m' '.linux.personality={domain:"LINUX32"}' i686
	everywhere 'uname -m' '.linux.personality={domain:"LINUX"}' x86_64
}
