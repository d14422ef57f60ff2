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
	[ "${lines[0]}" = "$(nice) 7 1" ]
	in_container "exec 3</proc/self/stat; cut -d')' -f2 <&3 | cut -d' ' -f18,39,40; $STAT" '
		.process.scheduler={policy:"SCHED_RR",priority:3,flags:["SCHED_FLAG_RESET_ON_FORK"]}'
	[ "$output" = "$(nice) 3 2"$'\n0 0 0' ]
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

# may_raise - does this machine let root raise a hard limit?
may_raise() {
	(ulimit -Hn 100 && ulimit -Hn 200) 2>/dev/null
}

@test "rlimits over what may be set are the most that may, with a warning; with --strict an error" {
	local own
	may_raise && skip "hard limits may be raised here"
	own=$(ulimit -Hn)
	[ "$own" != unlimited ] || skip "no limit of open files"
	local filter=".process.rlimits=[{type:\"RLIMIT_CORE\",soft:0,hard:0},{type:\"RLIMIT_NOFILE\",soft:$((own + 7)),hard:$((own + 7))}]"
	in_container 'ulimit -Sn; ulimit -Hn; ulimit -Hc' "$filter"
	[ "$status" -eq 0 ]
	[ "$output" = "$own"$'\n'"$own"$'\n0' ]
	[ "$stderr" = "nslaunch: warning: process.rlimits[1]: RLIMIT_NOFILE: $((own + 7)) is more than may be set here: it is $own" ]
	run --separate-stderr nslaunch --strict run --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 125 ]
	[[ $stderr == *"process.rlimits[1]: cannot set RLIMIT_NOFILE: Operation not permitted" ]]
	running "$filter"
	run --separate-stderr nslaunch exec "$ID" sh -c 'ulimit -Hn'
	[ "$output" = "$own" ]
	run --separate-stderr nslaunch --strict exec "$ID" sh -c 'ulimit -Hn'
	[ "$status" -eq 125 ]
	nslaunch delete --force "$ID"
	# A soft limit over the hard one is nobody's default.
	refused '.process.rlimits=[{type:"RLIMIT_NOFILE",soft:20,hard:10}]' 'process.rlimits[0]: cannot set RLIMIT_NOFILE: Invalid argument'
	assert_nothing_left
}

@test "oomScoreAdj: raised; lowered where that is allowed, else a warning, with --strict an error" {
	everywhere 'cat /proc/self/oom_score_adj' '.process.oomScoreAdj=321' 321
	local own
	own=$(cat /proc/self/oom_score_adj)
	in_container 'cat /proc/self/oom_score_adj' ".process.oomScoreAdj=-999"
	[ "$status" -eq 0 ]
	if [ "$output" = -999 ]; then
		skip "the score may be lowered here"
	fi
	[ "$output" = "$own" ]
	[ "$stderr" = "nslaunch: warning: process.oomScoreAdj: only CAP_SYS_RESOURCE may lower it to -999: it stays as it is" ]
	run --separate-stderr nslaunch --strict run --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 125 ]
	[[ $stderr == *"process.oomScoreAdj: cannot be set to -999: Permission denied" ]]
	# Without a procfs in the container too.
	in_container 'true' ".process.oomScoreAdj=-999 | .mounts|=map(select(.type!=\"proc\"))"
	[ "$status" -eq 0 ]
	[[ $stderr == *"it stays as it is" ]]
	assert_nothing_left
}

@test "capabilities that nobody knows, or the launcher hasn't got, are left out with a warning" {
	in_container 'grep CapBnd /proc/self/status' '.process.capabilities.bounding+=["CAP_FUTURE","ALL"]'
	[ "$output" = $'CapBnd:\t00000000a80425fb' ]
	[ "$stderr" = "nslaunch: warning: container '$ID': 'process.capabilities.bounding': 'CAP_FUTURE' is not known, and left out
nslaunch: warning: container '$ID': 'process.capabilities.bounding': 'ALL' is not known, and left out" ]
	config_script 'grep CapEff /proc/self/status' '(.process.capabilities[]) += ["CAP_SYSLOG"]'
	run --separate-stderr capsh --drop=cap_syslog -- -c "nslaunch run --bundle '$BUNDLE' '$ID'"
	[ "$status" -ne 127 ] || skip "no capsh"
	[ "$output" = $'CapEff:\t00000000a80425fb' ]
	[ "$stderr" = "nslaunch: warning: process.capabilities: the launcher hasn't got CAP_SYSLOG, and can't give it" ]
}

@test "capabilities: ambient and inheritable ones reach another user's programs" {
	in_container 'grep -E "Cap(Inh|Eff|Amb)" /proc/self/status | cut -f2' '
		.process.user.uid=1000 | .process.capabilities.inheritable=["CAP_NET_RAW"] | .process.capabilities.ambient=["CAP_NET_RAW"]'
	[ "$output" = $'0000000000002000\n0000000000002000\n0000000000002000' ]
	# Not inheritable: as with runc, it isn't raised.
	in_container 'grep -E "Cap(Inh|Eff|Amb)" /proc/self/status | cut -f2' '
		.process.user.uid=1000 | .process.capabilities.ambient=["CAP_NET_RAW"]'
	[ "$output" = $'0000000000000000\n0000000000000000\n0000000000000000' ]
}

@test "umask, additionalGids and consoleSize" {
	everywhere 'umask; id -G' '.process.user={uid:0,gid:7,umask:23,additionalGids:[9,10]}' $'0027\n7 9 10'
	command -v script >/dev/null || skip "no script(1)"
	config '.process.terminal=true | .process.consoleSize={height:33,width:77} | .process.args=["sh","-c","sleep 1000.45"]'
	python3 -c 'import socket' 2>/dev/null || skip "no python3"
	python3 - "$TEST_DIRECTORY/console" <<-'EOF' >size &
		import array, fcntl, os, socket, struct, sys, termios
		server = socket.socket(socket.AF_UNIX)
		server.bind(sys.argv[1])
		server.listen(1)
		connection, _ = server.accept()
		_, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_LEN(4))
		fd = array.array("i", ancillary[0][2])[0]
		print(struct.unpack("HHHH", fcntl.ioctl(fd, termios.TIOCGWINSZ, bytes(8)))[:2])
	EOF
	local reader=$! i=0
	until [ -S "$TEST_DIRECTORY/console" ]; do i=$((i + 1)); [ "$i" -lt 600 ]; sleep 0.05; done
	# Through a pipe, which the waiting process must not hold open: its streams are the terminal.
	timeout 60 nslaunch create --bundle "$BUNDLE" --console-socket "$TEST_DIRECTORY/console" "$ID" \
		</dev/null 2>&1 | timeout 60 cat >create.out
	wait "$reader"
	[ "$(cat size)" = "(33, 77)" ]
	nslaunch delete --force "$ID"
}

@test "a profile or a label that nobody would enforce is refused" {
	if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" != Y ]; then
		refused '.process.apparmorProfile="docker-default"' \
			"process.apparmorProfile: 'docker-default' would have no effect: AppArmor is not enabled"
	fi
	if [ ! -e /sys/fs/selinux/enforce ]; then
		refused '.process.selinuxLabel="system_u:system_r:container_t:s0"' \
			"process.selinuxLabel: 'system_u:system_r:container_t:s0' would have no effect: SELinux is not enabled"
		refused '.linux.mountLabel="system_u:object_r:container_file_t:s0"' "linux.mountLabel: "
	fi
	in_container 'echo started' '.process.apparmorProfile="" | .process.selinuxLabel="" | .linux.mountLabel=""'
	[ "$output" = started ]
	running .
	jq '.process | .apparmorProfile="x"' "$BUNDLE/config.json" >process.json
	run --separate-stderr nslaunch exec --process process.json "$ID"
	[ "$status" -eq 125 ]
	[[ $stderr == *"process.apparmorProfile: "* ]]
	nslaunch delete --force "$ID"
	assert_nothing_left
}

@test "an AppArmor profile is the process's" {
	[ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ] || skip "no AppArmor"
	everywhere 'cat /proc/self/attr/current' '.process.apparmorProfile="unconfined"' unconfined
	refused '.process.apparmorProfile="lamina-no-such-profile"' \
		"process.apparmorProfile: 'lamina-no-such-profile' is not loaded"
}

@test "an SELinux label is the process's, and its file systems'" {
	[ -e /sys/fs/selinux/enforce ] || skip "no SELinux"
	everywhere 'tr -d "\0" </proc/self/attr/current' '.process.selinuxLabel="system_u:system_r:container_t:s0"' \
		'system_u:system_r:container_t:s0'
	in_container 'mount | grep " /dev "' '.linux.mountLabel="system_u:object_r:container_file_t:s0"'
	[[ $output == *"context=system_u:object_r:container_file_t:s0"* ]]
}

@test "members that nobody knows, and other systems', are told of where they are harmless" {
	in_container 'echo ran' '.mystery=1 | .process.mystery=1 | .windows={layerFolders:["x"]} | .process.user.username="bob" | .solaris={}'
	[ "$output" = ran ]
	[ "$stderr" = "nslaunch: warning: container '$ID': 'mystery' is not known, and left out
nslaunch: warning: container '$ID': 'process.mystery' is not known, and left out
nslaunch: warning: container '$ID': 'process.user.username' is left out: it is for Windows: 'uid' and 'gid' count
nslaunch: warning: container '$ID': 'windows' is left out: it is for another system" ]
	refused '.linux.mystery="x"' "'linux.mystery' is not known"
	refused '.process.commandLine="x"' "'process.commandLine' is not supported: it is for Windows"
}

@test "exec --process: what nobody knows of it, and is harmless, is told of too" {
	running .
	jq '.process | .args=["true"] | .mystery=1 | .user.username="bob" | .capabilities.bounding+=["CAP_MYSTERY"]' \
		"$BUNDLE/config.json" >process.json
	run -0 --separate-stderr nslaunch exec --process process.json "$ID"
	[ "$stderr" = "nslaunch: warning: container '$ID': 'process.mystery' is not known, and left out
nslaunch: warning: container '$ID': 'process.user.username' is left out: it is for Windows: 'uid' and 'gid' count
nslaunch: warning: container '$ID': 'process.capabilities.bounding': 'CAP_MYSTERY' is not known, and left out" ]
	nslaunch delete --force "$ID"
}

@test "intelRdt: a class with its schemata, and a monitoring group, made and removed" {
	if [ ! -e /sys/fs/resctrl/schemata ]; then
		refused '.linux.intelRdt={enableMonitoring:true}' "linux.intelRdt: there is no resctrl at '/sys/fs/resctrl'"
		skip "no resctrl"
	fi
	local line
	line=$(grep -m 1 -o 'L3:.*\|MB:.*' /sys/fs/resctrl/schemata) || skip "resctrl has neither L3 nor MB"
	running ".linux.intelRdt={schemata:[\"$line\"],enableMonitoring:true}"
	grep -qx "$(nslaunch state "$ID" | jq .pid)" "/sys/fs/resctrl/$ID/tasks"
	[ -d "/sys/fs/resctrl/$ID/mon_groups/$ID" ]
	nslaunch exec "$ID" cat /proc/self/cpu_resctrl_groups >groups
	grep -qx "res:/$ID" groups
	nslaunch delete --force "$ID"
	[ ! -e "/sys/fs/resctrl/$ID" ]
	refused '.linux.intelRdt={closID:"lamina-no-such-class"}' "there is no class 'lamina-no-such-class'"
}
