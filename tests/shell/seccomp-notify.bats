#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# SCMP_ACT_NOTIFY: a supervisor answers a container's system calls.

load helpers

setup() {
	lamina_setup
	need nslaunch jq python3
	need_root
	C=notify-$BATS_ROOT_PID-$BATS_TEST_NUMBER
	BUNDLE=$TEST_DIRECTORY/bundle
	SOCKET=$TEST_DIRECTORY/agent.sock
	TOLD=$TEST_DIRECTORY/told
	AGENT=
	mkdir -p "$BUNDLE/rootfs/bin" "$BUNDLE/rootfs/tmp"
	cp "$(command -v busybox)" "$BUNDLE/rootfs/bin/busybox"
	for applet in sh cat sleep true mkdir ls grep; do
		ln -s busybox "$BUNDLE/rootfs/bin/$applet"
	done
	SCRIPT='mkdir /tmp/x; echo $?'
	profile '["mkdir","mkdirat"]'
}

teardown() {
	nslaunch delete --force "$C" 2>/dev/null || true
	agent_end
}

# agent MODE - start the supervisor, and wait until it listens
agent() {
	python3 "$BATS_TEST_DIRNAME/seccomp_agent.py" "$SOCKET" "$TOLD" "$1" 3>&- &
	AGENT=$!
	for _ in $(seq 1200); do
		[ ! -S "$SOCKET" ] || return 0
		sleep 0.05
	done
	return 1
}

agent_end() {
	[ -z "$AGENT" ] || kill -KILL "$AGENT" 2>/dev/null || true
	[ -z "$AGENT" ] || wait "$AGENT" 2>/dev/null || true
	AGENT=
	rm -f "$SOCKET"
}

# profile NAMES [FILTER] - the bundle's config.json: these calls are notified of
profile() {
	jq --argjson names "$1" --arg socket "$SOCKET" --arg script "$SCRIPT" '
		.process.args=["/bin/sh","-c",$script] | .annotations={"a":"b"}
		| .linux.seccomp={"defaultAction":"SCMP_ACT_ALLOW","listenerPath":$socket,"listenerMetadata":"meta \"x\"",
			"syscalls":[{"names":$names,"action":"SCMP_ACT_NOTIFY"}]} | '"${2:-.}" \
		"$BATS_TEST_DIRNAME/data/config.json" >"$BUNDLE/config.json"
}

# bounded COMMAND... - a hang is a failure
bounded() {
	timeout -s KILL 60 "$@"
}

@test "run: the supervisor gets the process's state and answers its calls" {
	agent answer
	run -0 --separate-stderr bounded nslaunch run --bundle "$BUNDLE" "$C"
	[ "$output" = 1 ]
	[[ $stderr == *"Invalid cross-device link"* ]]
	[ ! -e "$BUNDLE/rootfs/tmp/x" ]
	jq . "$TOLD"
	[ "$(jq -c '[.fds, .metadata, .state.id, .state.status, .state.bundle, .state.annotations]' "$TOLD")" = \
		"[[\"seccompFd\"],\"meta \\\"x\\\"\",\"$C\",\"created\",\"$BUNDLE\",{\"a\":\"b\"}]" ]
	[ "$(jq '(.ociVersion|startswith("1.")) and .pid == .state.pid and .pid > 1' "$TOLD")" = true ]
	assert_nothing_left
}

@test "create and start: start connects to the supervisor" {
	SCRIPT='mkdir /tmp/x; sleep 600'
	profile '["mkdir","mkdirat"]'
	bounded nslaunch create --bundle "$BUNDLE" "$C" 2>err
	run -1 --separate-stderr bounded nslaunch start "$C"
	[ "$stderr" = "nslaunch: start: container '$C': linux.seccomp.listenerPath: cannot connect to '$SOCKET': No such file or directory" ]
	[ "$(nslaunch state "$C" | jq -r .status)" = created ]
	agent answer
	bounded nslaunch start "$C"
	for _ in $(seq 1200); do [ ! -s err ] || break; sleep 0.05; done
	[[ $(<err) == *"Invalid cross-device link"* ]]
	[ "$(jq .pid "$TOLD")" = "$(nslaunch state "$C" | jq .pid)" ]
	nslaunch delete --force "$C"
	assert_nothing_left
}

@test "exec: its process has a descriptor of its own, and the container's state with it" {
	SCRIPT='sleep 600'
	profile '["mkdir","mkdirat"]'
	agent answer
	bounded nslaunch create --bundle "$BUNDLE" "$C"
	bounded nslaunch start "$C"
	run -1 --separate-stderr bounded nslaunch exec "$C" /bin/mkdir /tmp/x
	[[ $stderr == *"Invalid cross-device link"* ]]
	[ "$(wc -l <"$TOLD")" -eq 2 ]
	[ "$(tail -n 1 "$TOLD" | jq -c '[.state.status, .state.pid, .state.id]')" = \
		"[\"running\",$(nslaunch state "$C" | jq .pid),\"$C\"]" ]
	[ "$(tail -n 1 "$TOLD" | jq '.pid != .state.pid and .pid > 1')" = true ]
	nslaunch delete --force "$C"
}

@test "a container with hooks or a user of its own has its supervisor too" {
	agent answer
	profile '["mkdir","mkdirat"]' '.process.user.uid=1000 | .process.noNewPrivileges=true
		| .hooks={"startContainer":[{"path":"/bin/true"}],"createRuntime":[{"path":"/bin/true"}]}'
	run -0 --separate-stderr bounded nslaunch run --bundle "$BUNDLE" "$C"
	[[ $stderr == *"Invalid cross-device link"* ]]
	[ "$(wc -l <"$TOLD")" -eq 1 ]
}

@test "the calls that a launcher would make itself may be notified of, and every call" {
	local calls

	# Numbers above the last that is named are ENOSYS by default.
	for calls in '["sendmsg","write","close","read","execve","futex","nanosleep","exit_group","recvmsg"]' '["mkdir","mseal"]'; do
		agent answer
		SCRIPT='echo out; mkdir /tmp/x'
		profile "$calls" "$([[ $calls == *mseal* ]] && echo '.linux.seccomp.defaultAction="SCMP_ACT_NOTIFY"' || echo .)"
		run bounded nslaunch run --bundle "$BUNDLE" "$C"
		echo "$calls: $status: $output"; sort "$TOLD.calls" | uniq -c
		[[ $output == *out* ]]
		grep -qx 59 "$TOLD.calls" || [ "$(uname -m)" != x86_64 ]
		agent_end
		rm -rf "$BUNDLE/rootfs/tmp/x" "$TOLD.calls"
	done
	assert_nothing_left
}

@test "a supervisor that ends leaves nobody waiting: its calls are not there any more" {
	agent die
	profile '["mkdir","mkdirat","execve"]'
	run --separate-stderr bounded nslaunch run --bundle "$BUNDLE" "$C"
	echo "$status: $output: $stderr"
	[ "$status" -ne 137 ]
	agent_end
	agent die
	profile '["mkdir","mkdirat"]'
	run -0 --separate-stderr bounded nslaunch run --bundle "$BUNDLE" "$C"
	[ "$output" = 1 ]
	[[ $stderr == *"Function not implemented"* ]]
	assert_nothing_left
}

@test "a launcher that is killed while the supervisor is asked leaves no process" {
	SCRIPT='mkdir /tmp/x; sleep 600'
	profile '["mkdir","mkdirat"]' '.annotations.big=("x" * 2000000)'
	agent deaf
	nslaunch run --bundle "$BUNDLE" "$C" 3>&- &
	for _ in $(seq 1200); do pid=$(pgrep -P $! || true); [ -z "$pid" ] || break; sleep 0.02; done
	[ -n "$pid" ]
	kill -KILL $!
	wait $! || true
	for _ in $(seq 1200); do [[ $(ps -o stat= -p "$pid") == [!Z]* ]] || break; sleep 0.05; done
	[[ $(ps -o stat= -p "$pid") != [!Z]* ]]
	nslaunch delete --force "$C"
	assert_nothing_left
}

@test "a supervisor that never reads is an error after a time" {
	[ -n "${LAMINA_FULL:-}" ] || skip "it keeps a processor busy for the 10 s: tools/check --full"
	SCRIPT='sleep 600'
	profile '["mkdir"]' '.annotations.big=("x" * 2000000)'
	agent deaf
	run -125 --separate-stderr bounded nslaunch run --bundle "$BUNDLE" "$C"
	echo "$stderr"
	[ "${stderr_lines[-1]}" = "nslaunch: run: container '$C': linux.seccomp: the listener has read nothing for 10 s" ]
	assert_nothing_left
}

@test "without a supervisor to reach, or one to be named, nothing is started" {
	run -125 --separate-stderr bounded nslaunch run --bundle "$BUNDLE" "$C"
	[ "$stderr" = "nslaunch: run: container '$C': linux.seccomp.listenerPath: cannot connect to '$SOCKET': No such file or directory" ]
	profile '["mkdir"]' 'del(.linux.seccomp.listenerPath,.linux.seccomp.listenerMetadata)'
	run -125 --separate-stderr bounded nslaunch run --bundle "$BUNDLE" "$C"
	[[ $stderr == *"SCMP_ACT_NOTIFY needs a supervisor that answers system calls: 'listenerPath' must name its socket" ]]
	assert_nothing_left
}

@test "the flags: each is taken, with and without a supervisor" {
	local flag

	agent answer
	for flag in TSYNC LOG SPEC_ALLOW WAIT_KILLABLE_RECV; do
		profile '["mkdir","mkdirat"]' ".linux.seccomp.flags=[\"SECCOMP_FILTER_FLAG_$flag\"]"
		run --separate-stderr bounded nslaunch run --bundle "$BUNDLE" "$C"
		echo "$flag: $stderr"
		[[ $stderr == *"Invalid cross-device link"* ]] || { [ $flag = WAIT_KILLABLE_RECV ] && [[ $stderr == *"Invalid argument"* ]]; }
		profile '["mkdir","mkdirat"]' ".linux.seccomp.flags=[\"SECCOMP_FILTER_FLAG_$flag\"] | .linux.seccomp.syscalls[0].action=\"SCMP_ACT_ERRNO\""
		run --separate-stderr bounded nslaunch run --bundle "$BUNDLE" "$C"
		[[ $stderr == *"not permitted"* ]]
	done
}

@test "no descriptor of the supervisor's reaches the program" {
	agent answer
	SCRIPT='ls /proc/self/fd | grep -c .'
	profile '["mkdir"]'
	run -0 bounded nslaunch run --bundle "$BUNDLE" "$C"
	[ "$output" = 4 ]
}
