#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# nslaunch where things go wrong: hostile surroundings, races, what is left behind.

load helpers

setup() {
	lamina_setup
	need nslaunch jq
	need_root
	# Cgroups are by id, on the whole machine: others run the same tests.
	C=$BATS_ROOT_PID-$BATS_TEST_NUMBER
	BUNDLE=$TEST_DIRECTORY/bundle
	mkdir -p "$BUNDLE/rootfs/bin" "$BUNDLE/rootfs/tmp" "$BUNDLE/rootfs/etc"
	cp "$(command -v busybox)" "$BUNDLE/rootfs/bin/busybox"
	for applet in sh ls cat sleep true echo hostname grep stat kill readlink touch; do
		ln -s busybox "$BUNDLE/rootfs/bin/$applet"
	done
	config .
}

# config FILTER - the bundle's config.json: a small default one, changed by a jq filter
config() {
	jq "$1" "$BATS_TEST_DIRNAME/data/config.json" >"$BUNDLE/config.json"
}

@test "delete --force doesn't wait for a container in the foreground, and its launcher minds" {
	config '.process.args=["sleep","50"]'
	nslaunch run --bundle "$BUNDLE" "$C" &
	pid=$!
	until_true status_is "$C" running
	timeout -s KILL 60 nslaunch delete --force "$C"
	wait "$pid" || status=$?
	[ "$status" -eq 137 ]
	assert_nothing_left
}

@test "a launcher doesn't remove the next container of the same id" {
	config '.process.args=["sleep","50"]'
	cp -a "$BUNDLE" "$BUNDLE.2"
	nslaunch run --bundle "$BUNDLE" "$C" &
	pid=$!
	until_true status_is "$C" running
	kill -STOP "$pid"
	nslaunch delete --force "$C"
	nslaunch create --bundle "$BUNDLE.2" "$C" >/dev/null
	kill -CONT "$pid"
	wait "$pid" || true
	status_is "$C" created
	nslaunch delete --force "$C"
	assert_nothing_left
}

@test "what runs on without a pid namespace of its own ends with the container" {
	config '.linux.namespaces|=map(select(.type!="pid")) | .process.args=["sh","-c","sleep 1000.'$BATS_ROOT_PID' & true"]'
	nslaunch run --bundle "$BUNDLE" "$C"
	run pgrep -f "sleep 1000.$BATS_ROOT_PID"
	[ "$status" -ne 0 ]
	assert_nothing_left
}

@test "a file 'running' in a bundle of somebody else's making stays" {
	echo mine >"$BUNDLE/running"
	nslaunch run --bundle "$BUNDLE" "$C"
	[ "$(cat "$BUNDLE/running")" = mine ]
}

@test "the deletion of an earlier container doesn't free the bundle of the later one" {
	touch "$BUNDLE/lock"
	config '.process.args=["sleep","50"]'
	nslaunch create --bundle "$BUNDLE" "one-$C" >/dev/null
	nslaunch kill "one-$C" KILL
	until_true status_is "one-$C" stopped
	nslaunch create --bundle "$BUNDLE" "two-$C" >/dev/null
	nslaunch delete "one-$C"
	run --separate-stderr nslaunch create --bundle "$BUNDLE" "three-$C"
	nslaunch delete --force "two-$C" "three-$C"
	[ "$status" -eq 1 ]
	[[ $stderr == *"is in use by process"* ]]
	[ ! -e "$BUNDLE/running" ]
	assert_nothing_left
}

@test "a create that fails at its end leaves no mark in the bundle" {
	touch "$BUNDLE/lock"
	run --separate-stderr nslaunch create --bundle "$BUNDLE" --pid-file /nosuch/file "$C"
	[ "$status" -eq 1 ]
	[[ $stderr == *"cannot write the pid file '/nosuch/file': No such file or directory" ]]
	[ ! -e "$BUNDLE/running" ]
	assert_nothing_left
}

@test "annotations of megabytes don't make a container that can't be deleted" {
	jq '.annotations={"a":("x"*3000000)}' "$BATS_TEST_DIRNAME/data/config.json" >"$BUNDLE/config.json"
	nslaunch create --bundle "$BUNDLE" "$C" >/dev/null
	status_is "$C" created
	nslaunch start "$C"
	until_true status_is "$C" stopped
	nslaunch delete "$C"
	assert_nothing_left
}

@test "a config.json that is too big is refused" {
	jq '.annotations={"a":("x"*9000000)}' "$BATS_TEST_DIRNAME/data/config.json" >"$BUNDLE/config.json"
	run --separate-stderr nslaunch run --bundle "$BUNDLE" "$C"
	[ "$status" -eq 125 ]
	[[ $stderr == *"config.json"*"too large" ]]
	assert_nothing_left
}

@test "a state directory or a bundle that others can write is refused" {
	mkdir -m 777 "$TEST_DIRECTORY/open"
	run --separate-stderr nslaunch --root "$TEST_DIRECTORY/open" run --bundle "$BUNDLE" "$C"
	[ "$status" -eq 125 ]
	[[ $stderr == *"is not yours alone to write" ]]
	mkdir -m 755 "$TEST_DIRECTORY/other"
	chown 1 "$TEST_DIRECTORY/other"
	run --separate-stderr nslaunch --root "$TEST_DIRECTORY/other" run --bundle "$BUNDLE" "$C"
	[ "$status" -eq 125 ]
	mkdir "$BUNDLE/upper" "$BUNDLE/work"
	printf '%s\n' "lower $BUNDLE/rootfs" "upper $BUNDLE/upper" "work $BUNDLE/work" >"$BUNDLE/overlay"
	nslaunch run --bundle "$BUNDLE" "$C"
	chmod 777 "$BUNDLE"
	run --separate-stderr nslaunch run --bundle "$BUNDLE" "$C"
	[ "$status" -eq 125 ]
	[[ $stderr == *"its directory is not yours alone to write"* ]]
	chmod 755 "$BUNDLE"
	for mode in 666 620 602; do
		chmod "$mode" "$BUNDLE/overlay"
		run --separate-stderr nslaunch run --bundle "$BUNDLE" "$C"
		[ "$status" -eq 125 ]
		[[ $stderr == *"'overlay' is not yours alone to write"* ]]
	done
	chmod 600 "$BUNDLE/overlay"
	chown 1 "$BUNDLE/overlay"
	run --separate-stderr nslaunch run --bundle "$BUNDLE" "$C"
	[ "$status" -eq 125 ]
	rm "$BUNDLE/overlay"
	ln -s rootfs/etc/overlay "$BUNDLE/overlay"
	echo 'lower /' >"$BUNDLE/rootfs/etc/overlay"
	run --separate-stderr nslaunch run --bundle "$BUNDLE" "$C"
	[ "$status" -eq 125 ]
	assert_nothing_left
}

@test "a lock that is a symbolic link makes nothing where it leads" {
	mkdir -m 700 -p "$LAMINA_STATE/$C"
	ln -s "$TEST_DIRECTORY/made" "$LAMINA_STATE/$C/lock"
	run --separate-stderr nslaunch run --bundle "$BUNDLE" "$C"
	[ "$status" -eq 125 ]
	[ ! -e "$TEST_DIRECTORY/made" ]
	rm -r "${LAMINA_STATE:?}/$C"
}

@test "of many creates of one id one wins, against deletes too" {
	local i
	for i in 1 2 3 4 5 6; do cp -a "$BUNDLE" "$BUNDLE.$i"; done
	for _ in $(seq 5); do
		for i in 1 2 3 4 5 6; do
			(nslaunch create --bundle "$BUNDLE.$i" "$C" >/dev/null 2>&1 && echo "$i" >>won) &
		done
		wait
		[ "$(wc -l <won)" -eq 1 ]
		status_is "$C" created
		for i in 1 2 3; do
			nslaunch delete --force "$C" 2>/dev/null &
			(nslaunch create --bundle "$BUNDLE.$i" "$C" >/dev/null 2>&1 || true) &
		done
		wait
		nslaunch delete --force "$C"
		rm won
		assert_nothing_left
	done
}

@test "every way to write /dev and /proc is /dev and /proc" {
	local path
	mkdir "$TEST_DIRECTORY/empty"
	for path in /dev/ //dev /./dev dev /x/../dev; do
		config ".mounts=[{\"destination\":\"$path\",\"type\":\"bind\",\"source\":\"$TEST_DIRECTORY/empty\",\"options\":[\"bind\"]}]"
		nslaunch run --bundle "$BUNDLE" "$C"
		[ -z "$(ls -A "$TEST_DIRECTORY/empty")" ]
	done
	ln -s proc "$BUNDLE/rootfs/link"
	ln -s ../link "$BUNDLE/rootfs/etc/link"
	for path in /proc /proc/ //proc/. /link /etc/link; do
		config ".mounts=[{\"destination\":\"$path\",\"type\":\"bind\",\"source\":\"$TEST_DIRECTORY/empty\",\"options\":[\"bind\"]}]"
		run --separate-stderr nslaunch run --bundle "$BUNDLE" "$C"
		[ "$status" -eq 125 ]
		[[ $stderr == *"only a procfs can be mounted there" ]]
	done
	config '.mounts=[{"destination":"/proc","type":"bind","source":"/proc/sys","options":["bind"]}]'
	run --separate-stderr nslaunch run --bundle "$BUNDLE" "$C"
	[ "$status" -eq 125 ]
	for path in / // /. /etc/..; do
		config ".mounts+=[{\"destination\":\"$path\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}]"
		run --separate-stderr nslaunch run --bundle "$BUNDLE" "$C"
		[ "$status" -eq 125 ]
	done
	assert_nothing_left
}

@test "names and sysctls of the host's namespaces stay, joined by path or not" {
	local filter before
	before=$(cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname)
	for filter in 'del(.hostname) | .domainname="x" | .linux.namespaces|=map(select(.type!="uts"))' \
		'.linux.namespaces|=map(if .type=="uts" then .path="/proc/1/ns/uts" else . end)' \
		'.linux.namespaces|=map(if .type=="uts" then .path="/proc/self/ns/uts" else . end)' \
		'.linux.sysctl={"net.ipv4.ip_forward":"1"} | .linux.namespaces|=map(if .type=="network" then .path="/proc/self/ns/net" else . end)' \
		'.linux.sysctl={"kernel.msgmax":"8192"} | .linux.namespaces|=map(if .type=="ipc" then .path="/proc/self/ns/ipc" else . end)'; do
		config "$filter"
		run --separate-stderr nslaunch run --bundle "$BUNDLE" "$C"
		echo "$filter: $status $stderr"
		[ "$status" -eq 125 ]
	done
	[ "$(cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname)" = "$before" ]
	assert_nothing_left
}

@test "a caller that ignores SIGCHLD gets the status all the same" {
	config '.process.args=["sh","-c","exit 7"]'
	run timeout -s KILL 60 env --ignore-signal=CHLD nslaunch run --bundle "$BUNDLE" "$C"
	[ "$status" -eq 7 ]
	assert_nothing_left
}

@test "closed standard streams stay closed, and are nobody else's descriptors" {
	config '.process.args=["sh","-c","for i in 0 1 2; do readlink /proc/$$/fd/$i; done >/out; echo x || exit 9"]'
	nslaunch run --bundle "$BUNDLE" "$C" <&- >&- 2>&- || status=$?
	[ "$status" -eq 9 ]
	cat "$BUNDLE/rootfs/out"
	[[ $(tr '\n' ' ' <"$BUNDLE/rootfs/out") == *null\ /out\ *null\  ]]
	config '.process.args=["nosuch"]'
	nslaunch run --bundle "$BUNDLE" "$C" <&- >&- 2>&- || status=$?
	[ "$status" -eq 127 ]
	nslaunch create --bundle "$BUNDLE" "$C" <&- >&- 2>&- || status=$?
	[ "$status" -eq 1 ]
	assert_nothing_left
}

@test "no descriptor of the caller's or the launcher's reaches the program, or the one that waits" {
	local fds
	config '.process.args=["sh","-c","cd /proc/self/fd; echo [0-9]*"]'
	run --separate-stderr nslaunch run --bundle "$BUNDLE" "$C" 5</ 9</etc/passwd
	[ "$output" = "0 1 2 3" ] || [ "$output" = "0 1 2" ]
	run --separate-stderr nslaunch run --bundle "$BUNDLE" --preserve-fds 2 "$C" 3</dev/null 4</dev/zero 7</
	[[ $output == "0 1 2 3 4"* ]]
	[[ $output != *7* ]]
	run --separate-stderr nslaunch run --bundle "$BUNDLE" --preserve-fds 2 "$C" 3</dev/null 4<&-
	[ "$status" -eq 125 ]
	[[ $stderr == *"descriptor 4 of '--preserve-fds' isn't open" ]]
	nslaunch create --bundle "$BUNDLE" "$C" 7</etc/passwd >/dev/null
	fds=$(readlink "/proc/$(nslaunch state "$C" | jq .pid)/fd"/* || true)
	nslaunch delete --force "$C"
	[[ $fds != *passwd* ]]
	assert_nothing_left
}

@test "a hundred containers at once need no more than the usual limit of open files" {
	local i
	config '.process.args=["sh","-c","ulimit -n; sleep 0.3"]'
	for i in $(seq 100); do
		mkdir "j$i-$C"
		ln -s "$BUNDLE/rootfs" "j$i-$C/rootfs"
		cp "$BUNDLE/config.json" "j$i-$C"
		echo "$PWD/j$i-$C" >>list
	done
	run --separate-stderr bash -c "ulimit -Sn 256; nslaunch run -j 100 <list | sort | uniq -c"
	[ "${output// /}" = 100256 ]
	[ -z "$stderr" ]
	assert_nothing_left
}

@test "create that is killed at any moment leaves no process that nobody knows of" {
	local i pid
	settled() { status_is "$C" created || nslaunch create --bundle "$BUNDLE" "$C" >/dev/null 2>&1; }
	config '.process.args=["sleep","1000.125"]'
	for i in $(seq 60); do
		nslaunch create --bundle "$BUNDLE" "$C" >/dev/null &
		pid=$!
		sleep "0.00$((i % 6))$((i % 10))"
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" || true
		# Either it is there as created, in a moment where its process was told to live on just
		# before, or nothing of it is: the next one of this id can be made.
		until_true settled
		nslaunch delete --force "$C"
	done
	assert_nothing_left
}

@test "start that is killed leaves a container that is created or running, not both" {
	local i pid
	config '.process.args=["sleep","50"]'
	for i in $(seq 20); do
		nslaunch create --bundle "$BUNDLE" "$C" >/dev/null
		nslaunch start "$C" &
		pid=$!
		sleep "0.000$((i % 10))"
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" || true
		if status_is "$C" created; then nslaunch start "$C"; fi
		until_true status_is "$C" running
		nslaunch delete --force "$C"
	done
	assert_nothing_left
}

@test "a container that doesn't read its terminal is not waited for" {
	config '.process.terminal=true | .process.args=["sh","-c","stty raw -echo; for i in 1 2 3 4 5 6 7 8 9; do head -c 20000 /dev/zero; done; echo end"]'
	for applet in stty head; do ln -s busybox "$BUNDLE/rootfs/bin/$applet"; done
	run bash -c "head -c 300000 /dev/zero | timeout -s KILL 60 nslaunch run --bundle '$BUNDLE' '$C' | tail -c 5"
	[[ $output == end* ]]
	assert_nothing_left
}

@test "a terminal whose reader is gone ends the container with an error, and leaves nothing" {
	config '.process.terminal=true | .process.args=["sh","-c","while :; do echo x; done"]'
	run bash -c "nslaunch run --bundle '$BUNDLE' '$C' </dev/null 2>err | head -1; echo \${PIPESTATUS[0]}"
	[ "${lines[1]}" = 125 ]
	[[ $(cat err) == *"Broken pipe" ]]
	assert_nothing_left
}

@test "a file of the image's where the terminal should be made is not opened" {
	mkdir -p "$BUNDLE/rootfs/dev/pts"
	mkfifo "$BUNDLE/rootfs/dev/pts/ptmx"
	config '.process.terminal=true | .mounts|=map(select(.destination|startswith("/dev")|not))'
	run --separate-stderr timeout -s KILL 60 nslaunch run --bundle "$BUNDLE" "$C"
	[ "$status" -eq 125 ]
	[[ $stderr == *"cannot open '/dev/pts/ptmx' for the terminal"* ]]
	assert_nothing_left
}

@test "what an image's file says is printed without its escapes" {
	printf '#!/bin/\033]0;x\007\nx' >"$BUNDLE/rootfs/bin/script"
	chmod +x "$BUNDLE/rootfs/bin/script"
	config '.process.args=["script"]'
	run -127 --separate-stderr nslaunch run --bundle "$BUNDLE" "$C"
	[[ $stderr == *"its interpreter '/bin/?]0;x?'"* ]]
}

@test "it refuses to run with more rights than its caller" {
	command -v setpriv >/dev/null || skip "no setpriv"
	cp "$(command -v nslaunch)" "$TEST_DIRECTORY/nslaunch"
	chmod 4755 "$TEST_DIRECTORY/nslaunch"
	chmod 711 "$SCRATCH" "$TEST_DIRECTORY"
	run setpriv --reuid 65534 --clear-groups "$TEST_DIRECTORY/nslaunch" list
	chmod 700 "$SCRATCH"
	[ "$status" -eq 125 ]
	[[ $output == *"must not be setuid"* ]]
}

@test "the launcher's executable is out of reach on a file system without seals too" {
	# On a tmpfs fcntl(2) tells of seals, elsewhere it fails.
	privately <<-'END'
		mkdir plain
		mount -t ramfs none plain
		TMPDIR=$PWD/plain nslaunch selftest >verdicts
	END
	grep -q $'^CVE-2019-5736\timmune\t' verdicts
	! grep VULNERABLE verdicts
	assert_nothing_left
}
