#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The six hooks of the OCI runtime spec: when each runs, where, and with what.

load helpers

setup() {
	lamina_setup
	need nslaunch jq
	need_root
	C=hooks-$BATS_ROOT_PID-$BATS_TEST_NUMBER
	BUNDLE=$TEST_DIRECTORY/bundle
	LOG=$TEST_DIRECTORY/log
	mkdir -p "$BUNDLE/rootfs/bin" "$BUNDLE/rootfs/tmp"
	cp "$(command -v busybox)" "$BUNDLE/rootfs/bin/busybox"
	for applet in sh cat sleep true env id readlink ls touch grep; do
		ln -s busybox "$BUNDLE/rootfs/bin/$applet"
	done
	HOOKS='{}'
	SCRIPT=true
	config .
}

teardown() {
	nslaunch delete --force "$C" 2>/dev/null || true
}

# config FILTER - the bundle's config.json, with HOOKS and SCRIPT
config() {
	jq --argjson hooks "$HOOKS" --arg script "$SCRIPT" \
		".process.args=[\"/bin/sh\",\"-c\",\$script] | .hooks=\$hooks | .annotations={\"a\":\"b\\n\"} | $1" \
		"$BATS_TEST_DIRNAME/data/config.json" >"$BUNDLE/config.json"
}

# hook KIND SCRIPT [MEMBERS] - add a hook that runs a shell script
hook() {
	HOOKS=$(jq -c --arg kind "$1" --arg script "$2" --argjson more "${3:-{\}}" \
		'.[$kind] += [{"path":"/bin/sh","args":["sh","-c",$script]} + $more]' <<<"$HOOKS")
}

# every_hook - one of each kind, which logs its kind and the state it was told
every_hook() {
	local kind

	for kind in prestart createRuntime createContainer poststart poststop; do
		hook "$kind" "echo $kind >>$LOG; read -r state; printf '%s\\n' \"\$state\" >$LOG.$kind"
	done
	hook startContainer 'echo startContainer >>/tmp/log; cat >/tmp/state'
	config .
}

# told KIND FILTER - what its hook was told
told() {
	jq -c "$2" "$LOG.$1"
}

# What runs has ended, so that it can be deleted.
wait_stopped() {
	for _ in $(seq 1200); do
		[ "$(nslaunch state "$C" | jq -r .status)" != stopped ] || return 0
		sleep 0.05
	done
	return 1
}

@test "run: each hook once, in the order of the spec, told the state" {
	SCRIPT='cat /tmp/log; echo program'
	every_hook
	run -0 --separate-stderr nslaunch run --bundle "$BUNDLE" "$C"
	[ "$output" = startContainer$'\n'program ]
	[ -z "$stderr" ]
	[ "$(<"$LOG")" = prestart$'\n'createRuntime$'\n'createContainer$'\n'poststart$'\n'poststop ]
	cp "$BUNDLE/rootfs/tmp/state" "$LOG.startContainer"
	for kind in prestart createRuntime createContainer startContainer poststart poststop; do
		echo "$kind: $(cat "$LOG.$kind")"
		[ "$(told $kind '[.id, .bundle, .annotations]')" = "[\"$C\",\"$BUNDLE\",{\"a\":\"b\\n\"}]" ]
		[ "$(told $kind '.ociVersion|startswith("1.")')" = true ]
	done
	[ "$(told prestart .status)" = '"creating"' ]
	[ "$(told createRuntime .status)" = '"creating"' ]
	[ "$(told createContainer '[.status, .pid]')" = '["creating",1]' ]
	[ "$(told startContainer '[.status, .pid]')" = '["created",1]' ]
	[ "$(told poststart .status)" = '"running"' ]
	[ "$(told poststop '[.status, .pid]')" = '["stopped",null]' ]
	[ "$(told prestart .pid)" -gt 1 ]
	[ "$(told prestart .pid)" = "$(told createRuntime .pid)" ]
	[ "$(told prestart .pid)" = "$(told poststart .pid)" ]
	assert_nothing_left
}

@test "create, start and delete: each runs its own" {
	SCRIPT='sleep 600'
	every_hook
	nslaunch create --bundle "$BUNDLE" "$C"
	[ "$(<"$LOG")" = prestart$'\n'createRuntime$'\n'createContainer ]
	[ ! -e "$BUNDLE/rootfs/tmp/log" ]
	[ "$(nslaunch state "$C" | jq .pid)" = "$(told createRuntime .pid)" ]
	echo '{}' >"$BUNDLE/config.json"
	nslaunch start "$C"
	[ "$(tail -n 1 "$LOG")" = poststart ]
	[ "$(<"$BUNDLE/rootfs/tmp/log")" = startContainer ]
	[ "$(told poststart .pid)" = "$(told createRuntime .pid)" ]
	nslaunch kill "$C" KILL
	wait_stopped
	[ "$(tail -n 1 "$LOG")" = poststart ]
	nslaunch delete "$C"
	[ "$(tail -n 1 "$LOG")" = poststop ]
	[ "$(told poststop '[.status, .id]')" = "[\"stopped\",\"$C\"]" ]
	assert_nothing_left
}

@test "delete --force runs poststop, of a created and of a running container, once" {
	SCRIPT='sleep 600'
	every_hook
	nslaunch create --bundle "$BUNDLE" "$C"
	nslaunch delete --force "$C"
	nslaunch delete --force "$C"
	nslaunch create --bundle "$BUNDLE" "$C"
	nslaunch start "$C"
	nslaunch delete --force "$C"
	[ "$(grep -c poststop "$LOG")" -eq 2 ]
	assert_nothing_left
}

@test "a container that others delete has its poststop hooks run once" {
	SCRIPT='sleep 600'
	every_hook
	nslaunch run --bundle "$BUNDLE" "$C" &
	for _ in $(seq 1200); do grep -qs poststart "$LOG" && break; sleep 0.05; done
	nslaunch delete --force "$C"
	wait || true
	[ "$(grep -c poststop "$LOG")" -eq 1 ]
	assert_nothing_left
}

@test "a hook sees the namespaces that it is of" {
	hook createRuntime "for n in mnt net pid; do readlink /proc/self/ns/\$n; done >$LOG.runtime; ls '$BUNDLE/rootfs' >$LOG.roots"
	hook createContainer "for n in mnt net; do readlink /proc/self/ns/\$n; done >$LOG.container; cat '$BUNDLE/rootfs/proc/1/comm' >$LOG.comm; touch '$BUNDLE/rootfs/new'"
	hook startContainer 'for n in mnt net; do readlink /proc/self/ns/$n; done >/tmp/start'
	SCRIPT='for n in mnt net; do readlink /proc/self/ns/$n; done; cat /tmp/start; ls -d /new; touch /no && echo writable'
	config '.root.readonly=true | .mounts+=[{"destination":"/tmp","type":"tmpfs","source":"tmpfs"}]'
	run --separate-stderr nslaunch run --bundle "$BUNDLE" "$C"
	[ "$(<"$LOG.runtime")" = "$(readlink /proc/self/ns/mnt /proc/self/ns/net /proc/self/ns/pid)" ]
	[ "$(<"$LOG.container")" = "${lines[0]}"$'\n'"${lines[1]}" ]
	[ "${lines[0]}" != "$(readlink /proc/self/ns/mnt)" ]
	[ "${lines[2]}" = "${lines[0]}" ]
	[ "${lines[3]}" = "${lines[1]}" ]
	# Its mounts are there, and it can change the root, which is read-only for the program only.
	[ "$(<"$LOG.comm")" = nslaunch ]
	[[ $output == *$'\n'/new ]]
	[[ $stderr == *'Read-only file system'* ]]
}

@test "CVE-2025-23266: a hook gets its own variables and no others" {
	hook createRuntime "env >$LOG.none"
	hook createContainer "tr '\\0' '\\n' </proc/self/environ >$LOG.container"
	hook createContainer "tr '\\0' '\\n' </proc/self/environ >$LOG.own" '{"env":["A=b","C=d e"]}'
	hook startContainer 'cat </proc/self/environ >/tmp/env'
	SCRIPT='cat /tmp/env; echo .'
	config '.process.env+=["LD_PRELOAD=/tmp/evil.so","IMAGE=1"]'
	LEAK=1 run -0 nslaunch run --bundle "$BUNDLE" "$C"
	[ "$output" = . ]
	[[ $(<"$LOG.none") != *LEAK* ]]
	[[ $(<"$LOG.none") != *IMAGE* ]]
	[ -z "$(<"$LOG.container")" ]
	[ "$(<"$LOG.own")" = 'A=b'$'\n''C=d e' ]
}

@test "a hook's descriptors, arguments, directory, signals and session are its own" {
	local script="exec >$LOG.\$\$; ls /proc/self/fd | tr '\\n' ' '; echo; pwd; echo \$0; grep -E 'Sig(Blk|Ign)' /proc/self/status; umask; cut -d' ' -f6 /proc/\$\$/stat; echo \$\$"

	HOOKS=$(jq -nc --arg s "$script" '{"createRuntime":[{"path":"/bin/sh","args":["a name","-c",$s]}],
		"createContainer":[{"path":"/bin/sh","args":["a name","-c",$s]}]}')
	config .
	exec 7<"$BUNDLE/config.json"
	(
		trap '' HUP INT PIPE
		umask 077
		nslaunch run --bundle "$BUNDLE" --preserve-fds 5 "$C" 3</dev/null 4</dev/null 5</dev/null 6</dev/null
	)
	exec 7<&-
	for file in "$LOG".*; do
		mapfile -t said <"$file"
		echo "${said[@]}"
		# The fourth is ls's own.
		[ "${said[0]}" = "0 1 2 3 " ]
		[ "${said[1]}" = "$BUNDLE" ]
		[ "${said[2]}" = "a name" ]
		[ "${said[3]}" = "SigBlk:	0000000000000000" ]
		[ "${said[4]}" = "SigIgn:	0000000000000000" ]
		[ "${said[5]}" = 0022 ]
	done
	[ "$(ls "$LOG".* | wc -l)" -eq 2 ]
}

@test "startContainer hooks have the rights of the program, and its filter" {
	hook startContainer 'id -u; grep -E "^(Cap(Prm|Eff|Bnd)|Seccomp):" /proc/self/status; readlink /proc/self/cwd' '{}'
	HOOKS=$(jq -c '.startContainer[0].args[2] |= "{ " + . + "; } >/tmp/start"' <<<"$HOOKS")
	SCRIPT='cat /tmp/start; echo; id -u; grep -E "^(Cap(Prm|Eff|Bnd)|Seccomp):" /proc/self/status; readlink /proc/self/cwd'
	chmod 1777 "$BUNDLE/rootfs/tmp"
	for user in 0 1000; do
		config ".process.user.uid=$user | .process.cwd=\"/bin\" | .process.noNewPrivileges=false
			| .linux.seccomp={\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"swapon\"],\"action\":\"SCMP_ACT_ERRNO\"}]}"
		run -0 nslaunch run --bundle "$BUNDLE" "$C"
		echo "$output"
		[ "${output%%$'\n\n'*}" = "${output#*$'\n\n'}" ]
		[[ $output == "$user"$'\n'* ]]
		[[ $output == *"Seccomp:	2"* ]]
		rm "$BUNDLE/rootfs/tmp/start"
	done
}

# fails KIND STATUS MESSAGE - a container with a failing hook of this kind, under run and create
fails() {
	local kind=$1 expected=$2

	run --separate-stderr nslaunch run --bundle "$BUNDLE" "$C"
	echo "$status: $stderr"
	[ "$status" -eq 125 ]
	[ "$stderr" = "nslaunch: run: container '$C': hooks.${kind}[1] $expected" ]
	[ -z "$output" ]
	assert_nothing_left
}

@test "a hook of create that fails ends the start, and all that was made is undone" {
	local kind n=0

	SCRIPT='echo must not run'
	for kind in prestart createRuntime createContainer startContainer; do
		HOOKS='{}'
		hook "$kind" 'exit 0'
		hook "$kind" 'echo first; echo "the  last	line" >&2; echo; exit 3'
		hook "$kind" 'exit 4'
		hook poststop "echo poststop >>$LOG"
		config .
		fails "$kind" "'/bin/sh': exit status 3: the  last?line"
		n=$((n + 1))
		[ "$(grep -c poststop "$LOG")" -eq $n ]
	done
	for kind in prestart createRuntime createContainer; do
		HOOKS='{}'
		hook "$kind" 'kill -KILL $$'
		hook poststop "echo poststop >>$LOG"
		config .
		run --separate-stderr nslaunch create --bundle "$BUNDLE" "$C"
		[ "$status" -eq 1 ]
		[ "$stderr" = "nslaunch: create: container '$C': hooks.${kind}[0] '/bin/sh': killed by signal 9" ]
		n=$((n + 1))
		[ "$(grep -c poststop "$LOG")" -eq $n ]
		assert_nothing_left
	done
}

@test "a startContainer hook that fails is told by start; delete runs poststop" {
	hook startContainer 'echo no >&2; exit 1'
	hook poststop "echo poststop >>$LOG"
	SCRIPT='echo must not run'
	config .
	nslaunch create --bundle "$BUNDLE" "$C"
	run --separate-stderr nslaunch start "$C"
	[ "$status" -eq 1 ]
	[ "$stderr" = "nslaunch: start: container '$C': hooks.startContainer[0] '/bin/sh': exit status 1: no" ]
	wait_stopped
	nslaunch delete "$C"
	[ "$(<"$LOG")" = poststop ]
}

@test "a poststart hook that fails stops the container" {
	hook poststart 'exit 1'
	hook poststart "echo second >>$LOG"
	hook poststop "echo poststop >>$LOG"
	SCRIPT='sleep 600'
	config .
	run --separate-stderr nslaunch run --bundle "$BUNDLE" "$C"
	[ "$status" -eq 125 ]
	[ "$stderr" = "nslaunch: run: container '$C': hooks.poststart[0] '/bin/sh': exit status 1" ]
	[ "$(<"$LOG")" = poststop ]
	assert_nothing_left
	nslaunch create --bundle "$BUNDLE" "$C"
	run --separate-stderr nslaunch start "$C"
	[ "$status" -eq 1 ]
	[ "$stderr" = "nslaunch: start: container '$C': hooks.poststart[0] '/bin/sh': exit status 1" ]
	wait_stopped
	nslaunch delete "$C"
	[ "$(grep -c poststop "$LOG")" -eq 2 ]
	assert_nothing_left
}

@test "a poststop hook that fails is a warning, and the others run" {
	hook poststop 'echo why >&2; exit 1'
	hook poststop "echo second >>$LOG"
	SCRIPT='exit 7'
	config .
	run -7 --separate-stderr nslaunch run --bundle "$BUNDLE" "$C"
	[ "$stderr" = "nslaunch: warning: container '$C': hooks.poststop[0] '/bin/sh': exit status 1: why" ]
	[ "$(<"$LOG")" = second ]
	SCRIPT='sleep 600'
	config .
	nslaunch create --bundle "$BUNDLE" "$C"
	run -0 --separate-stderr nslaunch delete --force "$C"
	[[ $stderr == "nslaunch: warning: "*why ]]
	[ "$(grep -c second "$LOG")" -eq 2 ]
	assert_nothing_left
}

@test "a hook that isn't there, or can't be run, is named" {
	HOOKS='{"createRuntime":[{"path":"/nosuch/hook"}]}'
	config .
	run -125 --separate-stderr nslaunch run --bundle "$BUNDLE" "$C"
	[ "$stderr" = "nslaunch: run: container '$C': hooks.createRuntime[0] '/nosuch/hook': cannot be run: No such file or directory" ]
	HOOKS='{"startContainer":[{"path":"/bin"}]}'
	config .
	run -125 --separate-stderr nslaunch run --bundle "$BUNDLE" "$C"
	[ "$stderr" = "nslaunch: run: container '$C': hooks.startContainer[0] '/bin': cannot be run: Permission denied" ]
	assert_nothing_left
}

@test "a hook is killed at its timeout, with what it has started in its group" {
	hook createContainer "sleep 601 & echo waiting >&2; wait" '{"timeout":1}'
	config .
	run -125 --separate-stderr timeout -s KILL 60 nslaunch run --bundle "$BUNDLE" "$C"
	[ "$stderr" = "nslaunch: run: container '$C': hooks.createContainer[0] '/bin/sh': it ran longer than its timeout of 1 s, and was killed: waiting" ]
	hook prestart "echo \$\$ >$LOG; sleep 601 & echo \$! >>$LOG; wait" '{"timeout":1}'
	config .
	run -125 --separate-stderr timeout -s KILL 60 nslaunch run --bundle "$BUNDLE" "$C"
	[[ $stderr == *"hooks.prestart[0] '/bin/sh': it ran longer"* ]]
	for pid in $(<"$LOG"); do
		for _ in $(seq 1200); do
			[[ $(ps -o stat= -p "$pid") == [!Z]* ]] || break
			sleep 0.05
		done
		[[ $(ps -o stat= -p "$pid") != [!Z]* ]]
	done
	assert_nothing_left
}

@test "a hook that leaves a process with its output open, or reads nothing, or prints a lot, is not waited for" {
	hook createRuntime "setsid sleep 600 & echo \$! >$LOG.pid; exit 0"
	hook createRuntime 'head -c 1000000 /dev/zero >&2; head -c 1000000 /dev/zero; echo end >&2'
	hook createRuntime 'exec <&-; exit 0'
	SCRIPT='echo ran'
	config '.annotations.big=("x" * 200000)'
	run -0 timeout -s KILL 60 nslaunch run --bundle "$BUNDLE" "$C"
	kill -KILL "$(<"$LOG.pid")"
	[ "$output" = ran ]
}

@test "a signal ends a start whose hook hangs" {
	local kind status

	for kind in createRuntime createContainer startContainer poststart; do
		HOOKS='{}'
		rm -f "$LOG" "$BUNDLE/rootfs/tmp/ready"
		hook $kind "touch /tmp/ready-$C 2>/dev/null; touch $BUNDLE/rootfs/tmp/ready 2>/dev/null || touch /tmp/ready; sleep 600"
		hook poststop "echo poststop >>$LOG"
		SCRIPT='sleep 600'
		config .
		nslaunch run --bundle "$BUNDLE" "$C" 2>err &
		for _ in $(seq 1200); do [ ! -e "$BUNDLE/rootfs/tmp/ready" ] || break; sleep 0.05; done
		kill -TERM $!
		status=0
		wait $! || status=$?
		cat err
		[ "$status" -eq 125 ]
		[ "$(<"$LOG")" = poststop ]
		assert_nothing_left
	done
	rm -f "/tmp/ready-$C"
}

@test "a launcher that is killed takes its hook with it, and delete --force runs poststop" {
	hook poststop "echo poststop >>$LOG.stop"
	hook createRuntime "echo \$\$ >$LOG; exec sleep 600"
	config .
	nslaunch run --bundle "$BUNDLE" "$C" &
	for _ in $(seq 1200); do [ ! -s "$LOG" ] || break; sleep 0.05; done
	kill -KILL $!
	wait $! || true
	for _ in $(seq 1200); do
		[[ $(ps -o stat= -p "$(<"$LOG")") == [!Z]* ]] || break
		sleep 0.05
	done
	[[ $(ps -o stat= -p "$(<"$LOG")") != [!Z]* ]]
	run -1 nslaunch state "$C"
	nslaunch delete --force "$C"
	nslaunch delete --force "$C"
	[ "$(<"$LOG.stop")" = poststop ]
	assert_nothing_left
}

@test "hooks of a stream's containers" {
	local i

	hook createRuntime "read -r s; printf '%s\\n' \"\$s\" >>$LOG"
	hook poststop "echo poststop >>$LOG.stop"
	SCRIPT='echo ran'
	config .
	for i in 1 2 3; do cp -a "$BUNDLE" "$TEST_DIRECTORY/$C-$i"; done
	run -0 nslaunch run -j 2 < <(printf '%s\n' "$TEST_DIRECTORY/$C"-{1,2,3})
	[ "$output" = ran$'\n'ran$'\n'ran ]
	[ "$(jq -r .id "$LOG" | sort | tr '\n' ' ')" = "$C-1 $C-2 $C-3 " ]
	[ "$(wc -l <"$LOG.stop")" -eq 3 ]
	assert_nothing_left
}

@test "without hooks no process is made for them" {
	need strace
	strace -o /dev/null true 2>/dev/null || skip "no ptrace"
	HOOKS='{"prestart":null,"poststop":[]}'
	config .
	ASAN_OPTIONS=detect_leaks=0 strace -f -qq -e trace=memfd_create,pipe2,signalfd4,clone3,fork,vfork -o calls nslaunch run --bundle "$BUNDLE" "$C"
	[ "$(grep -c 'clone3(' calls)" -eq 1 ]
	! grep -E 'memfd_create\("state|pipe2|signalfd' calls
}

@test "bad hooks are refused, with the field" {
	local hooks said

	while read -r hooks said; do
		HOOKS=$hooks
		config .
		run -125 --separate-stderr nslaunch run --bundle "$BUNDLE" "$C"
		echo "$stderr"
		[[ $stderr == *": config.json: $said" ]]
	done <<-'EOF'
		{"prestart":[{"path":"bin/x"}]} 'hooks.prestart[0].path' must be an absolute path, not 'bin/x'
		{"poststop":[{"path":"/x"},{"args":["x"]}]} 'hooks.poststop[1].path' must be an absolute path, not ''
		{"poststart":[{"path":"/x","timeout":0}]} 'hooks.poststart[0].timeout' must be greater than 0
		{"poststart":[{"path":"/x","timeout":-1}]} 'hooks.poststart[0].timeout' must be a number from 0 to 2147483647
		{"createRuntime":[{"path":"/x","env":"A=b"}]} 'hooks.createRuntime[0].env' must be an array of strings
		{"createRuntime":{"path":"/x"}} 'hooks.createRuntime' must be an array
		{"beforeAll":[{"path":"/x"}]} 'hooks.beforeAll' is not known
	EOF
	assert_nothing_left
}
