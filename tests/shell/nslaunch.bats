#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# nslaunch on plain OCI bundles: what any engine would give it.

load helpers

setup() {
	lamina_setup
	need nslaunch jq
	need_root
	BUNDLE=$TEST_DIRECTORY/bundle
	mkdir -p "$BUNDLE/rootfs/bin" "$BUNDLE/rootfs/tmp" "$BUNDLE/rootfs/etc"
	cp "$(command -v busybox)" "$BUNDLE/rootfs/bin/busybox"
	for applet in sh ls cat head tr id mount env sleep true false echo hostname grep stat kill tty readlink \
		touch test cut ps umount mknod dd; do
		ln -s busybox "$BUNDLE/rootfs/bin/$applet"
	done
	config '.'
}

# config FILTER - the bundle's config.json: a small default one, changed by a jq filter
config() {
	jq "$1" "$BATS_TEST_DIRNAME/data/config.json" >"$BUNDLE/config.json"
}

# in_container SCRIPT [FILTER] - run a shell script in a container of the bundle
in_container() {
	config ".process.args=[\"sh\",\"-c\",$(jq -Rs . <<<"$1")] | ${2:-.}"
	run --separate-stderr nslaunch run --bundle "$BUNDLE" "c$BATS_TEST_NUMBER"
}

@test "run relays the program's output and exit status, and leaves nothing" {
	in_container 'echo out; echo err >&2; exit 7'
	[ "$status" -eq 7 ]
	[ "$output" = out ]
	[ "$stderr" = err ]
	assert_nothing_left
}

@test "run exits with 128+N when signal N ended the program" {
	in_container 'sh -c "kill -KILL \$\$"; exit $?'
	[ "$status" -eq 137 ]
}

@test "a program that isn't there is 127, in the words engines look for" {
	config '.process.args=["nosuch"]'
	run -127 --separate-stderr nslaunch run --bundle "$BUNDLE" c
	[ "$stderr" = "nslaunch: run: container 'c': exec: \"nosuch\": executable file not found in \$PATH" ]
	config '.process.args=["/bin/nosuch"]'
	run -127 --separate-stderr nslaunch run --bundle "$BUNDLE" c
	[[ $stderr == *"no such file or directory"* ]]
}

@test "a program that can't be run is 126" {
	echo '#!/bin/sh' >"$BUNDLE/rootfs/bin/script"
	config '.process.args=["script"]'
	run --separate-stderr nslaunch run --bundle "$BUNDLE" c
	[ "$status" -eq 126 ]
	[[ $stderr == *"permission denied"* ]]
	config '.process.args=["/etc"]'
	run --separate-stderr nslaunch run --bundle "$BUNDLE" c
	[ "$status" -eq 126 ]
	head -c 100 /dev/urandom >"$BUNDLE/rootfs/bin/script"
	chmod +x "$BUNDLE/rootfs/bin/script"
	config '.process.args=["script"]'
	run --separate-stderr nslaunch run --bundle "$BUNDLE" c
	[ "$status" -eq 126 ]
	[[ $stderr == *"exec format error"* ]]
}

@test "a script's missing interpreter and DOS line ends are named" {
	printf '#!/bin/nosuch\n' >"$BUNDLE/rootfs/bin/script"
	chmod +x "$BUNDLE/rootfs/bin/script"
	config '.process.args=["script"]'
	run -127 --separate-stderr nslaunch run --bundle "$BUNDLE" c
	[[ $stderr == *"its interpreter '/bin/nosuch' isn't in the image"* ]]
	printf '#!/bin/sh\r\n' >"$BUNDLE/rootfs/bin/script"
	run -127 --separate-stderr nslaunch run --bundle "$BUNDLE" c
	[[ $stderr == *"carriage return"* ]]
}

@test "a bad config.json is refused with its field, and nothing is left" {
	local filter
	for filter in 'del(.ociVersion)' '.ociVersion="2.0"' 'del(.process)' '.process.args=[]' \
		'.process.cwd="tmp"' '.process.user.uid=4294967295' '.process.user.gid=-1' \
		'.process.capabilities.bounding=[7]' '.root={}' '.mounts[0].type="nosuchfs"' \
		'.linux.namespaces=[]' '.linux.namespaces+=[{"type":"user"}]' \
		'.linux.sysctl={"kernel.core_pattern":"|/x"}' '.linux.sysctl={"net.x":"1"}|.linux.namespaces|=map(select(.type!="network"))' \
		'.linux.sysctl={"net.ipv4/../x":"1"}' '.hooks={"prestart":[{"path":"bin/true"}]}' \
		'.linux.uidMappings=[{"containerID":0,"hostID":1,"size":1}]' \
		'.process.rlimits=[{"type":"RLIMIT_X","soft":1,"hard":1}]' '.linux.cgroupsPath="/lamina/../x"' \
		'.linux.seccomp={"defaultAction":"SCMP_ACT_NOSUCH"}' '.mounts+=[{"destination":"/proc/self","type":"tmpfs","source":"tmpfs"}]' \
		'.mounts+=[{"destination":"/x","type":"bind","source":"/nosuch","options":["bind"]}]'; do
		config "$filter"
		run --separate-stderr nslaunch run --bundle "$BUNDLE" c
		echo "$filter: $status: $stderr"
		[ "$status" -eq 125 ]
		[[ $stderr == "nslaunch: run: "* ]]
		[ -z "$output" ]
	done
	assert_nothing_left
}

@test "the container is alone: its processes, mounts, host name, network and cgroup" {
	in_container 'echo $$; ls /proc | grep -c "^[0-9]"; hostname; ls /sys/class/net; cat /proc/self/cgroup | head -1; grep -c . /proc/self/mountinfo'
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = 1 ]
	[ "${lines[1]}" -le 3 ]
	[ "${lines[2]}" = box ]
	[ "${lines[3]}" = lo ]
	[[ ${lines[4]} == *:/ ]]
	[ "${lines[5]}" -le 20 ]
	[ "$(hostname)" != box ]
}

@test "nothing of the launcher reaches the program: descriptors, signals, capabilities" {
	in_container 'ls /proc/self/fd | tr "\n" " "; echo; grep -E "^SigBlk|^Cap(Inh|Amb)|^NoNewPrivs" /proc/1/status'
	[[ ${lines[0]} == "0 1 2 "* ]]
	[ "${#lines[0]}" -le 8 ]
	[[ $output == *"SigBlk:	0000000000000000"* ]]
	[[ $output == *"CapInh:	0000000000000000"* ]]
	[[ $output == *"CapAmb:	0000000000000000"* ]]
}

@test "ignored signals of the caller are not the container's" {
	config '.process.args=["grep","SigIgn","/proc/self/status"]'
	run bash -c "trap '' INT QUIT HUP PIPE; nslaunch run --bundle '$BUNDLE' c"
	[ "$output" = "SigIgn:	0000000000000000" ]
}

@test "user, groups, capabilities, limits, umask and no_new_privs are what the config says" {
	in_container 'id; umask; ulimit -n; grep -E "^(CapBnd|CapPrm|CapEff|NoNewPrivs|Groups)" /proc/self/status' '
		.process.user={"uid":1000,"gid":1001,"additionalGids":[5,6],"umask":63}
		| .process.noNewPrivileges=true | .process.rlimits=[{"type":"RLIMIT_NOFILE","soft":77,"hard":99}]'
	[ "$status" -eq 0 ]
	[[ $output == *"uid=1000 gid=1001 groups=5,6"* ]]
	[[ $output == *$'\n0077\n77\n'* ]]
	[[ $output == *"CapEff:	0000000000000000"* ]]
	[[ $output == *"CapBnd:	00000000a80425fb"* ]]
	[[ $output == *"NoNewPrivs:	1"* ]]
}

@test "root gets exactly the bounding set, though a filter was loaded without no_new_privs" {
	in_container 'grep -E "^(CapPrm|CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/1/status' '
		.linux.seccomp={"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64"],"syscalls":[{"names":["mknodat","mknod"],"action":"SCMP_ACT_ERRNO"}]}
		| .process.noNewPrivileges=false'
	[ "$output" = "CapPrm:	00000000a80425fb
CapEff:	00000000a80425fb
CapBnd:	00000000a80425fb
NoNewPrivs:	0
Seccomp:	2" ]
}

@test "masked paths are empty, read-only paths and a read-only root can't be written" {
	in_container 'cat /proc/timer_list /proc/keys; ls /sys/firmware; echo 1 >/proc/sys/kernel/ctrl-alt-del; touch /x' '
		.linux.maskedPaths=["/proc/timer_list","/proc/keys","/sys/firmware","/nosuch"]
		| .linux.readonlyPaths=["/proc/sys","/nosuch"] | .root.readonly=true'
	[ -z "$output" ]
	[[ $stderr == *"/proc/sys/kernel/ctrl-alt-del: Read-only file system"* ]]
	[[ $stderr == *"/x: Read-only file system"* ]]
}

@test "a bind mount with options, of a file and of a directory, relative to the bundle too" {
	mkdir "$BUNDLE/data"
	echo hello >"$BUNDLE/data/file"
	in_container 'cat /a/b/c/file; cat /f; touch /a/b/c/new; grep -E " (/a/b/c|/f) " /proc/self/mountinfo | grep -c "nosuid"' "
		.mounts+=[{\"destination\":\"/a/b/c\",\"type\":\"bind\",\"source\":\"data\",\"options\":[\"rbind\",\"ro\",\"nosuid\"]},
		{\"destination\":\"/f\",\"type\":\"none\",\"source\":\"$BUNDLE/data/file\",\"options\":[\"bind\",\"nosuid\"]}]"
	[ "${lines[0]}" = hello ]
	[ "${lines[1]}" = hello ]
	[ "${lines[2]}" = 2 ]
	[[ $stderr == *"Read-only file system"* ]]
}

@test "a destination is resolved inside the root, whatever links lie there" {
	mkdir "$TEST_DIRECTORY/outside" "$BUNDLE/data"
	echo inside >"$BUNDLE/data/file"
	ln -s "$TEST_DIRECTORY/outside" "$BUNDLE/rootfs/out"
	ln -s ../../../../../../../../../../../etc "$BUNDLE/rootfs/up"
	in_container 'cat /out/x/file /up/y/file' '
		.mounts+=[{"destination":"/out/x","type":"bind","source":"data","options":["bind"]},
		{"destination":"/up/y","type":"bind","source":"data","options":["bind"]}]'
	[ "$output" = $'inside\ninside' ]
	[ -z "$(ls -A "$TEST_DIRECTORY/outside")" ]
	[ ! -e /etc/y ]
}

@test "proc, sys and /dev must be ordinary directories" {
	local path
	for path in proc sys dev; do
		mkdir -p "$TEST_DIRECTORY/outside"
		rm -rf "$BUNDLE/rootfs/${path:?}"
		ln -s "$TEST_DIRECTORY/outside" "$BUNDLE/rootfs/$path"
		config ".mounts|=map(select(.destination!=\"/dev\" and (.destination|startswith(\"/dev/\")|not)))"
		run --separate-stderr nslaunch run --bundle "$BUNDLE" c
		[ "$status" -eq 125 ]
		[[ $stderr == *"'/$path' must be an ordinary directory"* ]]
		[ -z "$(ls -A "$TEST_DIRECTORY/outside")" ]
		rm "$BUNDLE/rootfs/$path"
		mkdir "$BUNDLE/rootfs/$path"
	done
}

@test "the working directory is made, and lies inside the root" {
	in_container 'pwd' '.process.cwd="/made/for/me"'
	[ "$output" = /made/for/me ]
	in_container 'pwd; ls' '.process.cwd="/proc/self/fd/7"'
	[ "$status" -eq 125 ]
}

@test "namespaces are joined by path" {
	config '.process.args=["sleep","60"]'
	nslaunch create --bundle "$BUNDLE" one
	nslaunch start one
	pid=$(nslaunch state one | jq .pid)
	cp -a "$BUNDLE" "$BUNDLE.2"
	jq --arg pid "$pid" '.process.args=["sh","-c","readlink /proc/self/ns/net; readlink /proc/self/ns/ipc; ps -o args | grep -c \"sleep 6[0]\""]
		| .linux.namespaces|=map(if .type=="network" then .path="/proc/\($pid)/ns/net"
			elif .type=="ipc" then .path="/proc/\($pid)/ns/ipc" elif .type=="pid" then .path="/proc/\($pid)/ns/pid" else . end)' \
		"$BUNDLE/config.json" >"$BUNDLE.2/config.json"
	run --separate-stderr nslaunch run --bundle "$BUNDLE.2" two
	net=$(readlink "/proc/$pid/ns/net")
	ipc=$(readlink "/proc/$pid/ns/ipc")
	nslaunch delete --force one
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "$net" ]
	[ "${lines[1]}" = "$ipc" ]
	[ "${lines[2]}" = 1 ]
	assert_nothing_left
}

@test "create, state, start, kill, delete" {
	config '.process.args=["sh","-c","trap \"exit 3\" TERM; touch /started; while :; do sleep 0.05; done"]'
	# Its output is the container's, which a pipe would wait for.
	nslaunch create --bundle "$BUNDLE" --pid-file pid life >out 2>&1
	[ ! -s out ]
	[ "$(nslaunch state life | jq -r '[.id,.status,.pid]|@tsv')" = "life	created	$(cat pid)" ]
	[ ! -e "$BUNDLE/rootfs/started" ]
	run --separate-stderr nslaunch create --bundle "$BUNDLE" life
	[ "$status" -eq 1 ]
	[[ $stderr == *"a container with the id 'life' exists already"* ]]
	nslaunch start life
	until_true [ -e "$BUNDLE/rootfs/started" ]
	[ "$(nslaunch state life | jq -r .status)" = running ]
	run --separate-stderr nslaunch start life
	[ "$status" -eq 1 ]
	[[ $stderr == *"it is running, not created"* ]]
	run --separate-stderr nslaunch delete life
	[ "$status" -eq 1 ]
	[[ $stderr == *"that is not stopped"* ]]
	[ "$(nslaunch list)" = "life	$(cat pid)	running	$BUNDLE	$(nslaunch state life | jq -r .created)	root" ]
	[ "$(nslaunch list -q)" = life ]
	[ "$(nslaunch list --format json | jq -r '.[0].id')" = life ]
	nslaunch kill life TERM
	until_true status_is life stopped
	[ "$(nslaunch state life | jq -r '[.status,.pid]|@tsv')" = "stopped	0" ]
	run --separate-stderr nslaunch kill life
	[ "$status" -eq 1 ]
	[[ $stderr == *"process already finished"* ]]
	nslaunch delete life
	run --separate-stderr nslaunch state life
	[ "$status" -eq 1 ]
	[ "$stderr" = "nslaunch: state: container 'life' does not exist" ]
	nslaunch delete --force life
	assert_nothing_left
}

@test "start tells why the program can't be executed" {
	printf '#!/bin/nosuch\n' >"$BUNDLE/rootfs/bin/script"
	chmod +x "$BUNDLE/rootfs/bin/script"
	config '.process.args=["script"]'
	nslaunch create --bundle "$BUNDLE" c
	run --separate-stderr nslaunch start c
	[ "$status" -eq 1 ]
	[[ $stderr == *"its interpreter '/bin/nosuch' isn't in the image"* ]]
	nslaunch delete c
	assert_nothing_left
}

@test "delete --force ends a created and a running container" {
	config '.process.args=["sleep","100"]'
	nslaunch create --bundle "$BUNDLE" a
	nslaunch delete --force a
	nslaunch create --bundle "$BUNDLE" b
	nslaunch start b
	nslaunch delete --force b
	assert_nothing_left
}

@test "an id may be shortened, and bad ids are refused" {
	config '.process.args=["sleep","100"]'
	local one two
	one=abcd$(printf '0%.0s' $(seq 60)) two=abce$(printf '1%.0s' $(seq 60))
	nslaunch create --bundle "$BUNDLE" "$one"
	nslaunch create --bundle "$BUNDLE" "$two"
	[ "$(nslaunch state abcd | jq -r .id)" = "$one" ]
	run --separate-stderr nslaunch state abc
	[ "$status" -eq 1 ]
	[[ $stderr == *"the beginning of several ids"* ]]
	nslaunch delete --force "$one" "$two"
	local id
	for id in .. . a/b '' 'a b' "$(printf 'x%.0s' $(seq 300))"; do
		run --separate-stderr nslaunch create --bundle "$BUNDLE" "$id"
		[ "$status" -eq 1 ]
		[[ $stderr == *"bad container id"* ]]
	done
	assert_nothing_left
}

@test "signals reach the container, and the launcher outlives them" {
	config '.process.args=["sh","-c","trap \"echo usr; exit 5\" USR1; echo up; while :; do sleep 0.05; done"]'
	nslaunch run --bundle "$BUNDLE" c >out &
	pid=$!
	until_true grep -q up out
	kill -USR1 "$pid"
	run wait "$pid"
	wait "$pid" || status=$?
	[ "$status" -eq 5 ]
	[ "$(cat out)" = $'up\nusr' ]
	assert_nothing_left
}

@test "a launcher that is killed takes its foreground container with it" {
	config '.process.args=["sleep","1000.'$BATS_ROOT_PID'"]'
	nslaunch run --bundle "$BUNDLE" c &
	pid=$!
	until_true status_is c running
	kill -KILL "$pid"
	wait "$pid" || true
	until_false pgrep -f "sleep 1000.$BATS_ROOT_PID" >/dev/null
	[ "$(nslaunch state c | jq -r .status)" = stopped ]
	nslaunch delete c
	assert_nothing_left
}

@test "killed at any moment of a start, nothing runs on and delete --force cleans up" {
	config '.process.args=["sleep","1000.'$BATS_ROOT_PID'"]'
	for i in $(seq 40); do
		nslaunch run --bundle "$BUNDLE" c &
		pid=$!
		sleep "0.00$((i % 8))$((i % 10))"
		kill -KILL "$pid"
		wait "$pid" || true
		nslaunch delete --force c
	done
	until_false pgrep -f "sleep 1000.$BATS_ROOT_PID" >/dev/null
	assert_nothing_left
}

@test "what a killed launcher left of an id doesn't stop the next start of it" {
	config '.process.args=["true"]'
	mkdir -p "$LAMINA_STATE/c"
	touch "$LAMINA_STATE/c/lock"
	nslaunch run --bundle "$BUNDLE" c
	assert_nothing_left
}

@test "a stream of bundles runs with /dev/null as input; the status is the first that isn't 0" {
	local i
	for i in 1 2 3 4; do
		cp -a "$BUNDLE" "$TEST_DIRECTORY/b$i"
		jq ".process.args=[\"sh\",\"-c\",\"cat; echo $i; exit $((i % 2 ? 0 : i))\"]" \
			"$BATS_TEST_DIRNAME/data/config.json" >"$TEST_DIRECTORY/b$i/config.json"
	done
	run --separate-stderr bash -c "printf '%s\n' '$TEST_DIRECTORY'/b? | nslaunch run"
	[ "$status" -eq 2 ]
	[ "$output" = $'1\n2\n3\n4' ]
	run --separate-stderr bash -c "printf '%s\0' '$TEST_DIRECTORY'/b[13] | nslaunch run -0 -j 2"
	[ "$status" -eq 0 ]
	[ "$(sort <<<"$output")" = $'1\n3' ]
	run --separate-stderr bash -c "printf '%s\n' /nosuch '$TEST_DIRECTORY/b1' | nslaunch run"
	[ "$status" -eq 125 ]
	[ "$output" = 1 ]
	[[ $stderr == *"cannot open the bundle '/nosuch': No such file or directory" ]]
	run --separate-stderr nslaunch run </dev/null
	[ "$status" -eq 125 ]
	[[ $stderr == *"no bundle came" ]]
	assert_nothing_left
}

@test "-t gives a terminal, relays it, and leaves the user's as it was" {
	command -v script >/dev/null || skip "no script(1)"
	config '.process.terminal=true | .process.args=["sh","-c","tty; test -t 0 && test -t 1 && test -t 2 && echo all; ls -l /dev/console | cut -c1; echo end"]'
	run script -qec "nslaunch run --bundle '$BUNDLE' c" /dev/null </dev/null
	echo "$output"
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == *"/dev/pts/0"* ]]
	[[ $output == *all* ]]
	[[ $output == *end* ]]
	assert_nothing_left
}

@test "the launcher's executable can't be reached for writing through /proc/PID/exe" {
	local before
	before=$(sha256sum "$(readlink -f "$(command -v nslaunch)")")
	printf '#!/proc/self/exe\n' >"$BUNDLE/rootfs/bin/entry"
	chmod +x "$BUNDLE/rootfs/bin/entry"
	config '.process.args=["/bin/entry","list"] | .process.capabilities|=map_values(.+["CAP_SYS_ADMIN","CAP_SYS_PTRACE","CAP_DAC_OVERRIDE"])'
	nslaunch run --bundle "$BUNDLE" c || true
	# A pid 1 that keeps the launcher's own image as its executable, and another that attacks it.
	config '.process.args=["sh","-c","exec 3</proc/self/exe; for i in 1 2 3; do dd if=/dev/zero of=/proc/1/exe conv=notrunc count=1 2>&1; done; true"]'
	nslaunch run --bundle "$BUNDLE" c
	[ "$(sha256sum "$(readlink -f "$(command -v nslaunch)")")" = "$before" ]
	assert_nothing_left
}

@test "the state directory and what is in it are the owner's alone" {
	config '.process.args=["sleep","100"]'
	nslaunch create --bundle "$BUNDLE" c
	[ "$(stat -c %a "$LAMINA_STATE")" = 700 ]
	[ "$(stat -c %a "$LAMINA_STATE/c")" = 700 ]
	nslaunch delete --force c
}

# running CONTAINER [FILTER] - a container that waits
running() {
	config ".process.args=[\"sleep\",\"1000.75\"] | ${2:-.}"
	nslaunch create --bundle "$BUNDLE" "$1"
	nslaunch start "$1"
}

@test "exec runs a process in the container's namespaces, root and cgroup" {
	running c
	pid=$(nslaunch state c | jq .pid)
	run --separate-stderr nslaunch exec c sh -c 'echo $$; ls /proc | grep -c "^[0-9]"; hostname; for n in mnt net ipc uts pid cgroup; do readlink /proc/self/ns/$n; done; cat /proc/self/cgroup; pwd; exit 9'
	[ "$status" -eq 9 ]
	[ "${lines[0]}" -gt 1 ]
	[ "${lines[2]}" = box ]
	i=3
	for namespace in mnt net ipc uts pid cgroup; do
		[ "${lines[$i]}" = "$(readlink "/proc/$pid/ns/$namespace")" ]
		i=$((i + 1))
	done
	[[ ${lines[$i]} == *:/ ]]
	[[ ${lines[-1]} == / ]]
	nslaunch delete --force c
	assert_nothing_left
}

@test "exec takes a user, groups, variables, a directory, capabilities; and refuses bad ones" {
	running c '.process.env += ["A=own","B=own"]'
	run --separate-stderr nslaunch exec --user 1000:1001 --additional-gids 7 --env A=new --cwd /tmp c \
		sh -c 'id; echo $A $B; pwd; grep -E "Cap(Inh|Amb|Eff)" /proc/self/status'
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "uid=1000 gid=1001 groups=7" ]
	[ "${lines[1]}" = "new own" ]
	[ "${lines[2]}" = /tmp ]
	[[ $output == *"CapInh:	0000000000000000"* && $output == *"CapEff:	0000000000000000"* ]]
	run --separate-stderr nslaunch exec --cap CAP_NET_ADMIN c grep -E 'Cap(Eff|Inh|Amb)' /proc/self/status
	[[ $output == *"CapEff:	00000000a80435fb"* && $output == *"CapInh:	0000000000000000"* && $output == *"CapAmb:	0000000000000000"* ]]
	local user
	for user in -1 4294967295 1: :1 root 01x '' 1:4294967295 1:2:3; do
		run --separate-stderr nslaunch exec --user "$user" c id
		[ "$status" -eq 125 ]
	done
	run -127 --separate-stderr nslaunch exec c nosuch
	[[ $stderr == *"executable file not found in \$PATH"* ]]
	run --separate-stderr nslaunch exec --cwd /nosuch c id
	[ "$status" -eq 125 ]
	for n in 3 4 5 6 7 8 9 10 11 12; do
		run --separate-stderr nslaunch exec --cwd "/proc/self/fd/$n" c pwd
		[ "$status" -eq 125 ]
	done
	nslaunch delete --force c
	assert_nothing_left
}

@test "exec by a process file, detached, with a pid file" {
	running c
	jq '.process | .args=["sh","-c","echo $X > /out; sleep 1000.'$BATS_ROOT_PID'"] | .env += ["X=file"]' \
		"$BUNDLE/config.json" >process.json
	nslaunch exec --process process.json --detach --pid-file pid c </dev/null >/dev/null 2>&1
	until_true [ -s "$BUNDLE/rootfs/out" ]
	[ "$(cat "$BUNDLE/rootfs/out")" = file ]
	[[ $(tr "\0" " " <"/proc/$(cat pid)/cmdline") == *"sleep 1000.$BATS_ROOT_PID"* ]]
	nslaunch delete --force c
	run pgrep -f "sleep 1000.$BATS_ROOT_PID"
	[ "$status" -ne 0 ]
	assert_nothing_left
}

@test "exec keeps to what the container was started with, whatever the bundle has become" {
	running c '.linux.seccomp={"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64"],"syscalls":[{"names":["mkdirat","mkdir"],"action":"SCMP_ACT_ERRNO"}]}'
	rm "$BUNDLE/config.json"
	run --separate-stderr nslaunch exec c sh -c 'mkdir /tmp/x; grep Seccomp: /proc/self/status'
	[[ $stderr == *"Operation not permitted"* ]]
	[[ $output == *"Seccomp:	2"* ]]
	nslaunch delete --force c
	assert_nothing_left
}

@test "exec in a container that doesn't run is an error" {
	run --separate-stderr nslaunch exec nosuch true
	[ "$status" -eq 125 ]
	[[ $stderr == *"container 'nosuch' does not exist"* ]]
}

@test "a foreground container can be looked at, entered and ended by others" {
	config '.process.args=["sleep","1000.65"]'
	nslaunch run --bundle "$BUNDLE" c &
	pid=$!
	until_true status_is c running
	[ "$(nslaunch exec c hostname)" = box ]
	timeout 60 nslaunch delete --force c
	wait "$pid" || status=$?
	[ "$status" -eq 137 ]
	assert_nothing_left
}

@test "a filter that was compiled is kept for the next start, and a damaged one is made anew" {
	local state kept filter

	filter='.linux.seccomp={"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_AARCH64"],
		"syscalls":[{"names":["mkdirat","mkdir"],"action":"SCMP_ACT_ERRNO","errnoRet":77}]}'
	state=$LAMINA_STATE
	rm -rf "$state/@seccomp"
	for _ in 1 2; do
		in_container 'busybox mkdir /tmp/x && echo made' "$filter"
		[ "$status" -eq 1 ]
		[ "$(find "$state/@seccomp" -type f | wc -l)" -eq 1 ]
	done
	kept=$(find "$state/@seccomp" -type f)
	[ "$(stat -c '%a %u' "$kept" "$state/@seccomp")" = $'600 0\n700 0' ]
	# A filter that allows it: not the one that was kept, whose check fails.
	printf '\x01' | dd of="$kept" bs=1 seek=100 conv=notrunc status=none
	in_container 'busybox mkdir /tmp/x && echo made' "$filter"
	[ "$status" -eq 1 ]
	in_container 'busybox mkdir /tmp/x && echo made' "${filter/mkdirat\",\"mkdir/mknodat\",\"mknod}"
	[ "$output" = made ]
	[ "$(find "$state/@seccomp" -type f | wc -l)" -eq 2 ]
	run nslaunch list -q
	[ -z "$output" ]
	rm -rf "$state/@seccomp"
}

@test "a container starts with 256 KiB more memory than its program needs by itself" {
	local cgroup=/sys/fs/cgroup/memory need

	[ -e "$cgroup/memory.limit_in_bytes" ] || [ -e "$cgroup/tasks" ] || skip "no memory controller of cgroup v1"
	mkdir "$cgroup/probe"
	# The shell's own memory is charged to the cgroup that it came from.
	sh -c 'echo 0 >"$1/probe/tasks" && exec "$2" true' sh "$cgroup" "$BUNDLE/rootfs/bin/busybox"
	need=$(<"$cgroup/probe/memory.max_usage_in_bytes")
	rmdir "$cgroup/probe"
	[ "$need" -gt 0 ]
	[ "$need" -lt 2000000 ]
	config ".process.args = [\"busybox\", \"true\"] | .linux.resources.memory = {limit: $((need + 262144))}"
	run --separate-stderr nslaunch run --bundle "$BUNDLE" small
	[ "$status" -eq 0 ]
	# And with next to nothing it doesn't, and says so, or is killed.
	config '.process.args = ["busybox", "true"] | .linux.resources.memory = {limit: 65536}'
	run --separate-stderr nslaunch run --bundle "$BUNDLE" small
	[ "$status" -ne 0 ]
	assert_nothing_left
}
