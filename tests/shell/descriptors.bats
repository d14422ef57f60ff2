#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a caller or a service manager hands to a container: --preserve-fds, LISTEN_FDS,
# NOTIFY_SOCKET.

load helpers

setup() {
	lamina_setup
	need nslaunch jq python3
	need_root
	unset LISTEN_FDS LISTEN_PID LISTEN_FDNAMES NOTIFY_SOCKET
	C=fds-$BATS_ROOT_PID-$BATS_TEST_NUMBER
	BUNDLE=$TEST_DIRECTORY/bundle
	HOST=$TEST_DIRECTORY/host.sock
	HEARD=$TEST_DIRECTORY/heard
	LISTENER=
	mkdir -p "$BUNDLE/rootfs/bin" "$BUNDLE/rootfs/tmp"
	cp "$(command -v busybox)" "$BUNDLE/rootfs/bin/busybox"
	for applet in sh cat ls sleep true env grep touch stat; do
		ln -s busybox "$BUNDLE/rootfs/bin/$applet"
	done
}

teardown() {
	nslaunch delete --force "$C" 2>/dev/null || true
	[ -z "$LISTENER" ] || kill -KILL "$LISTENER" 2>/dev/null || true
	wait 2>/dev/null || true
}

# config SCRIPT [FILTER] - the bundle's config.json: a shell script
config() {
	jq --arg script "$1" ".process.args=[\"/bin/sh\",\"-c\",\$script] | ${2:-.}" \
		"$BATS_TEST_DIRNAME/data/config.json" >"$BUNDLE/config.json"
}

# as_service FDS COMMAND... - as a service manager would start it, with descriptors 3 to 2+FDS
as_service() {
	local n=$1

	shift
	# shellcheck disable=SC2016
	LISTEN_FDS=$n sh -c 'export LISTEN_PID=$$; exec "$@"' sh "$@" 3<"$TEST_DIRECTORY/three" 4<"$TEST_DIRECTORY/four" 5<"$TEST_DIRECTORY/five"
}

files() {
	for file in three four five; do echo $file >"$TEST_DIRECTORY/$file"; done
}

@test "preserved descriptors are the container's, under run, create and exec, and no others" {
	files
	config 'cat <&3; cat <&4; ls /proc/self/fd | tr "\n" " "' '.process.env=["PATH=/bin"]'
	ln -s busybox "$BUNDLE/rootfs/bin/tr"
	run -0 nslaunch run --bundle "$BUNDLE" --preserve-fds 2 "$C" 3<"$TEST_DIRECTORY/three" 4<"$TEST_DIRECTORY/four" 5<"$TEST_DIRECTORY/five"
	[ "$output" = three$'\n'four$'\n''0 1 2 3 4 5 ' ]
	config 'sleep 600'
	nslaunch create --bundle "$BUNDLE" --preserve-fds 1 "$C" 3<"$TEST_DIRECTORY/three"
	nslaunch start "$C"
	run -0 nslaunch exec "$C" /bin/sh -c "ls /proc/1/fd | tr '\n' ' '"
	[ "$output" = "0 1 2 3 " ]
	run -0 nslaunch exec --preserve-fds 2 "$C" /bin/sh -c "cat <&4; ls /proc/self/fd | tr '\n' ' '" 3<"$TEST_DIRECTORY/three" 4<"$TEST_DIRECTORY/four"
	[ "$output" = four$'\n''0 1 2 3 4 5 ' ]
	nslaunch delete --force "$C"
}

@test "a descriptor that isn't open can't be preserved, and none of the launcher's takes its place" {
	config true
	run --separate-stderr nslaunch run --bundle "$BUNDLE" --preserve-fds 1 "$C" 3>&-
	[ "$status" -eq 125 ]
	[ "$stderr" = "nslaunch: run: descriptor 3 of '--preserve-fds' isn't open" ]
	run -125 nslaunch run --bundle "$BUNDLE" --preserve-fds 1025 "$C"
	config 'sleep 600'
	nslaunch create --bundle "$BUNDLE" "$C" 3>&-
	nslaunch start "$C"
	run --separate-stderr nslaunch exec --preserve-fds 1 "$C" /bin/true 3>&-
	[ "$status" -eq 125 ]
	[ "$stderr" = "nslaunch: exec: descriptor 3 of '--preserve-fds' isn't open" ]
	nslaunch delete --force "$C"
}

@test "a service manager's sockets come first, and are told of" {
	files
	config 'env | grep LISTEN | sort; cat <&3; cat <&4; cat <&5; echo $$' '.process.env=["PATH=/bin","LISTEN_FDS=9","LISTEN_PID=77","LISTEN_FDNAMES=old"]'
	ln -s busybox "$BUNDLE/rootfs/bin/sort"
	LISTEN_FDNAMES=web:admin run -0 as_service 2 nslaunch run --bundle "$BUNDLE" --preserve-fds 1 "$C"
	[ "$output" = "LISTEN_FDNAMES=web:admin
LISTEN_FDS=2
LISTEN_PID=1
three
four
five
1" ]
	# Without a pid namespace of its own, the pid is another.
	config 'echo $LISTEN_PID $$' '.linux.namespaces|=map(select(.type!="pid"))'
	run -0 as_service 1 nslaunch run --bundle "$BUNDLE" "$C"
	[ "${output% *}" = "${output#* }" ]
	config 'echo $LISTEN_PID >/tmp/pid; cat <&3 >/tmp/three; sleep 600'
	as_service 1 nslaunch create --bundle "$BUNDLE" "$C"
	nslaunch start "$C"
	for _ in $(seq 1200); do [ ! -s "$BUNDLE/rootfs/tmp/three" ] || break; sleep 0.05; done
	[ "$(cat "$BUNDLE/rootfs/tmp/pid" "$BUNDLE/rootfs/tmp/three")" = 1$'\n'three ]
	# What is executed in it isn't meant by them.
	run -0 nslaunch exec "$C" /bin/env
	[[ $output != *LISTEN* ]]
	nslaunch delete --force "$C"
}

@test "LISTEN_FDS that is meant for another process is nobody's" {
	files
	config 'env | grep -c LISTEN; ls /proc/self/fd | grep -c .'
	LISTEN_FDS=1 LISTEN_PID=1 run nslaunch run --bundle "$BUNDLE" "$C" 3<"$TEST_DIRECTORY/three"
	[ "$output" = 0$'\n'4 ]
	LISTEN_FDS=1 run nslaunch run --bundle "$BUNDLE" "$C" 3<"$TEST_DIRECTORY/three"
	[ "$output" = 0$'\n'4 ]
	run --separate-stderr as_service many nslaunch run --bundle "$BUNDLE" "$C"
	[ "$status" -eq 125 ]
	[ "$stderr" = "nslaunch: run: LISTEN_FDS is 'many'" ]
}

# service_manager [PATH] - listen at NOTIFY_SOCKET, and write down each message, a line each
service_manager() {
	export NOTIFY_SOCKET=${1:-$HOST}
	python3 - "$NOTIFY_SOCKET" "$HEARD" 3>&- <<-'EOF' &
		import os, socket, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		path = sys.argv[1]
		s.bind("\0" + path[1:] if path[0] == "@" else path)
		open(sys.argv[2], "w").close()
		while True:
		    message, extra, _, _ = s.recvmsg(4096, socket.CMSG_SPACE(4))
		    with open(sys.argv[2], "ab") as f:
		        f.write(message.rstrip(b"\n") + b"\n")
		    for _, _, data in extra:
		        os.close(int.from_bytes(data[:4], sys.byteorder))
	EOF
	LISTENER=$!
	for _ in $(seq 1200); do [ ! -e "$HEARD" ] || return 0; sleep 0.05; done
	return 1
}

# What the container runs to speak to its socket: the host's Python, bound into it.
SAY='say() { python3 -c "import os,socket,sys; socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM).sendto(sys.argv[1].encode(),os.environ[\"NOTIFY_SOCKET\"])" "$1"; }; '
WITH_PYTHON='.mounts+=[["/usr","/lib","/lib64"][]|{"destination":.,"type":"bind","source":.,"options":["rbind","ro"]}] | .process.env=["PATH=/bin:/usr/bin"]'

heard() {
	for _ in $(seq 1200); do
		[ "$(wc -l <"$HEARD")" -lt "$1" ] || return 0
		sleep 0.05
	done
	return 1
}

@test "run: READY=1 of the container's reaches the service manager, with the launcher as its process" {
	[ -e /lib64 ] || skip "no /lib64"
	service_manager
	config "$SAY"' echo $NOTIFY_SOCKET; touch /run/notify/x 2>/dev/null || echo ro; say "STATUS=x"; say "MAINPID=1"; say "STATUS=a
READY=1"; say "READY=1"; exec sleep 600' "$WITH_PYTHON | .process.user.uid=1000"
	nslaunch run --bundle "$BUNDLE" "$C" >out 3>&- &
	launcher=$!
	heard 2
	[ "$(<"$HEARD")" = "READY=1"$'\n'"MAINPID=$launcher" ]
	[ "$(<out)" = /run/notify/notify.sock$'\n'ro ]
	# It still minds its signals and its container.
	kill -KILL "$launcher"
	wait "$launcher" || true
	nslaunch delete --force "$C"
	assert_nothing_left
}

@test "run: the exit status and the signals are as ever, whether READY=1 comes or not" {
	[ -e /lib64 ] || skip "no /lib64"
	service_manager
	config 'exit 7'
	run -7 nslaunch run --bundle "$BUNDLE" "$C"
	config "$SAY"'say READY=1; exit 8' "$WITH_PYTHON"
	run -8 nslaunch run --bundle "$BUNDLE" "$C"
	config 'trap "exit 9" TERM; touch /tmp/up; while :; do sleep 0.1; done'
	nslaunch run --bundle "$BUNDLE" "$C" 3>&- &
	for _ in $(seq 1200); do [ ! -e "$BUNDLE/rootfs/tmp/up" ] || break; sleep 0.05; done
	kill -TERM $!
	status=0
	wait $! || status=$?
	[ "$status" -eq 9 ]
	assert_nothing_left
}

@test "start and run --detach wait until the container is ready, and name its process" {
	[ -e /lib64 ] || skip "no /lib64"
	service_manager "@$C"
	config "$SAY"'sleep 1; say READY=1; exec sleep 600' "$WITH_PYTHON"
	nslaunch create --bundle "$BUNDLE" "$C"
	[ ! -s "$HEARD" ]
	nslaunch start "$C"
	[ "$(<"$HEARD")" = "READY=1"$'\n'"MAINPID=$(nslaunch state "$C" | jq .pid)"$'\n'BARRIER=1 ]
	nslaunch delete --force "$C"
	: >"$HEARD"
	nslaunch run --detach --bundle "$BUNDLE" "$C" 3>&-
	[ "$(<"$HEARD")" = "READY=1"$'\n'"MAINPID=$(nslaunch state "$C" | jq .pid)"$'\n'BARRIER=1 ]
	nslaunch delete --force "$C"
	assert_nothing_left
}

@test "start doesn't wait for a container that has ended" {
	service_manager
	config true
	nslaunch create --bundle "$BUNDLE" "$C"
	timeout -s KILL 60 nslaunch start "$C"
	nslaunch delete --force "$C"
	[ ! -s "$HEARD" ]
	assert_nothing_left
}

@test "without NOTIFY_SOCKET there is none of it" {
	config 'env | grep NOTIFY; [ -e /run/notify ] || echo none'
	run -0 nslaunch run --bundle "$BUNDLE" "$C"
	[ "$output" = none ]
	NOTIFY_SOCKET='' run -0 nslaunch run --bundle "$BUNDLE" "$C"
	[ "$output" = none ]
	# Nor of the caller's own, which means nothing in a container.
	NOTIFY_SOCKET=/nosuch run -0 nslaunch run --bundle "$BUNDLE" "$C"
	[[ $output == NOTIFY_SOCKET=/run/notify/notify.sock* ]]
}

@test "standard streams that are /dev/null are the container's own, and can be written" {
	config 'echo x || exit 9
		[ "$(stat -L -c %d /proc/self/fd/0)" = "$(stat -c %d /dev/null)" ] || exit 8
		exec sleep 0'
	# Open for reading alone, as containerd gives it with ctr run --null-io.
	nslaunch run --bundle "$BUNDLE" "$C" </dev/null 1</dev/null
	config 'sleep 600'
	nslaunch create --bundle "$BUNDLE" "$C" </dev/null 1</dev/null 2>/dev/null
	nslaunch start "$C"
	nslaunch exec "$C" /bin/sh -c 'echo x' </dev/null 1</dev/null
	nslaunch delete --force "$C"
}
