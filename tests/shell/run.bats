#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# lamina run, as a user of docker run meets it, with the busybox image.
load helpers

setup_file() {
	lamina_setup_file
	need_root
	need layerfs initlayer volctl nslaunch lamina-run
	import_busybox
}

setup() {
	lamina_setup
	RUN=$LAMINA_BIN/lamina-run
}

# Nothing of any test stays but what it removes itself.
teardown() {
	lamina_teardown
	assert_nothing_left
}

@test "the container's output is the output, its errors the errors" {
	run --separate-stderr "$RUN" --rm busybox sh -c 'echo out; echo err >&2'
	[ "$status" -eq 0 ]
	[ "$output" = out ]
	[ "$stderr" = err ]
}

@test "the image's command runs where none is given" {
	run -0 "$RUN" --rm -i busybox <<<"echo the image says sh"
	[ "$output" = "the image says sh" ]
}

@test "the exit status is the container's, 128+N for a signal" {
	local code
	for code in 0 1 2 125 126 127 255; do
		run "$RUN" --rm busybox sh -c "exit $code"
		[ "$status" -eq "$code" ]
	done
	run "$RUN" --rm --init busybox sh -c 'kill -9 $$'
	[ "$status" -eq 137 ]
}

@test "a command that isn't there is 127, one that can't be executed 126, and nothing stays" {
	local option
	for option in --rm --tty=false; do
		run --separate-stderr -127 "$RUN" "$option" --cidfile "$PWD/cid$option" busybox nosuch
		[[ $stderr == *nosuch* ]]
		[ "$(wc -l <<<"$stderr")" -eq 1 ]
		run --separate-stderr -126 "$RUN" "$option" busybox /etc/passwd
		[[ $stderr == */etc/passwd* ]]
		[ -z "$(left_files)" ]
	done
	[ ! -e cid--tty=false ]
}

@test "lamina's own failures are 125, clear, and leave nothing" {
	local words
	for words in "nosuch" "--user nobodyknows busybox" "--cap-add NOSUCH busybox" "--memory 1x busybox" \
		"-v relative:/x:bad busybox" "--name ../x busybox" "--env-file none busybox" \
		"--security-opt nosuch busybox" "--network nosuch busybox" "--ulimit nosuch=1 busybox" \
		"-w relative busybox" "--tmpfs relative busybox" "--stop-signal NOSUCH busybox"; do
		# shellcheck disable=SC2086
		run --separate-stderr "$RUN" --cidfile cid $words true
		echo "$words: $status: $stderr"
		[ "$status" -eq 125 ]
		[ -n "$stderr" ]
		[ "$(wc -l <<<"$stderr")" -eq 1 ]
		[ -z "$(left_files)" ]
		[ ! -e cid ]
	done
}

@test "without --rm the container stays, by its name, and can be removed" {
	run -3 "$RUN" --name box busybox sh -c 'echo kept >/kept; exit 3'
	[ "$(<"$LAMINA_STORE/names/box/upper/kept")" = kept ]
	run -125 "$RUN" --name box busybox true
	[[ $output == *box* ]]
	[ "$(<"$LAMINA_STORE/names/box/upper/kept")" = kept ]
	lamina rm box
}

@test "--cidfile has the id, and is not written over" {
	"$RUN" --cidfile cid busybox true
	[[ $(<cid) =~ ^[0-9a-f]{64}$ ]]
	[ -d "$LAMINA_STORE/containers/$(<cid)" ]
	run -125 "$RUN" --cidfile cid busybox true
	lamina rm "$(<cid)"
}

@test "standard input reaches the container with -i only" {
	run -0 "$RUN" --rm -i busybox cat <<<"text"
	[ "$output" = text ]
	run -0 "$RUN" --rm busybox cat <<<"text"
	[ -z "$output" ]
	head -c 3000000 /dev/urandom >large
	"$RUN" --rm -i busybox cat <large | cmp - large
}

@test "environment, directory, user, host name and entrypoint are those asked for" {
	run -0 env B=here "$RUN" --rm -e A=1 -e B -e UNSET -w /tmp -u 1000:100 -h box --entrypoint sh busybox -c \
		'echo $A $B ${UNSET-none} $PWD $(id -u):$(id -g) $(hostname)'
	[ "$output" = "1 here none /tmp 1000:100 box" ]
	printf '# comment\nX=1\nY=two words\n' >variables
	run -0 "$RUN" --rm --env-file variables busybox sh -c 'echo "$X-$Y"'
	[ "$output" = "1-two words" ]
	run -0 "$RUN" --rm -u nobody busybox id -un
	[ "$output" = nobody ]
}

@test "a volume keeps what is written, a host directory is the host's" {
	mkdir host
	echo from-host >host/file
	run -0 "$RUN" --rm -v data:/data -v "$PWD/host:/host" busybox sh -c 'cat /host/file; echo 1 >/data/x; echo 2 >/host/new'
	[ "$output" = from-host ]
	[ "$(<host/new)" = 2 ]
	run -1 "$RUN" --rm -v data:/data:ro busybox sh -c 'cat /data/x; echo 2 >/data/x'
	[ "${lines[0]}" = 1 ]
	[[ ${lines[1]} == *"Read-only file system"* ]]
	run "$RUN" --rm -v "$PWD/host:/host:ro" busybox touch /host/no
	[ "$status" -ne 0 ]
	run -0 "$RUN" --rm --mount type=volume,source=data,target=/m busybox cat /m/x
	[ "$output" = 1 ]
	volctl rm data
}

@test "--rm removes the volumes that nobody named" {
	"$RUN" --rm -v /anonymous -v named:/named busybox true
	[ "$(volctl ls -q)" = named ]
	volctl rm named
}

@test "--tmpfs and --read-only" {
	run -0 "$RUN" --rm --read-only --tmpfs /t:size=1m busybox sh -c \
		'touch /t/ok && echo ok; touch /no 2>/dev/null || echo read-only; df -k /t | tail -n 1 | awk "{ print \$2 }"'
	[ "$output" = $'ok\nread-only\n1024' ]
}

@test "capabilities, seccomp and no-new-privileges" {
	run -0 "$RUN" --rm busybox grep -E 'CapEff|CapBnd|CapInh|Seccomp:|NoNewPrivs' /proc/self/status
	[[ $output == *"CapInh:"$'\t'"0000000000000000"* ]]
	[[ $output == *"CapEff:"$'\t'"00000000a80425fb"* ]]
	[[ $output == *"Seccomp:"$'\t'"2"* ]]
	run -0 "$RUN" --rm --cap-drop ALL --cap-add CHOWN --security-opt no-new-privileges \
		--security-opt seccomp=unconfined busybox grep -E 'CapEff|Seccomp:|NoNewPrivs' /proc/self/status
	[[ $output == *"CapEff:"$'\t'"0000000000000001"* ]]
	[[ $output == *"Seccomp:"$'\t'"0"* ]]
	[[ $output == *"NoNewPrivs:"$'\t'"1"* ]]
	run -0 "$RUN" --rm --privileged busybox grep Seccomp: /proc/self/status
	[[ $output == *"Seccomp:"$'\t'"0"* ]]
}

@test "limits of processes, open files and memory" {
	run -0 "$RUN" --rm --ulimit nofile=100:200 --pids-limit 20 -m 64m busybox sh -c \
		'ulimit -n; ulimit -Hn; for i in $(seq 40); do sleep 1 & done 2>&1 | grep -c fork' || true
	[ "${lines[0]}" = 100 ]
	[ "${lines[1]}" = 200 ]
}

@test "the network is its own, the host's with --network host" {
	run -0 "$RUN" --rm --network none busybox ls /sys/class/net
	[ "$output" = lo ]
	run -0 "$RUN" --rm --network host busybox readlink /proc/self/ns/net
	[ "$output" = "$(readlink /proc/self/ns/net)" ]
}

@test "--init is the first process, and the command its child" {
	run -0 "$RUN" --rm --init busybox sh -c 'echo $$; cat /proc/1/comm'
	[ "${lines[0]}" != 1 ]
	[ "${lines[1]}" != sh ]
}

@test "-t gives a terminal" {
	need script
	run script -qec "'$RUN' --rm -it busybox sh -c 'test -t 0 && test -t 1 && tty'" /dev/null
	[ "$status" -eq 0 ]
	[[ $output == */dev/*  ]]
}

@test "a signal reaches the container, and --rm still removes it" {
	"$RUN" --rm busybox sh -c 'trap "exit 7" TERM; echo ready; while :; do sleep 0.1; done' >out 3>&- &
	local pid=$! status=0
	until [ -s out ]; do sleep 0.02; done
	kill -TERM "$pid"
	wait "$pid" || status=$?
	[ "$status" -eq 7 ]
	[ -z "$(left_files)" ]
}

@test "INT reaches a container that a shell started in the background" {
	"$RUN" --rm busybox sh -c 'trap "exit 8" INT; echo ready; while :; do sleep 0.1; done' >out 3>&- </dev/null &
	local pid=$! status=0
	until [ -s out ]; do sleep 0.02; done
	# A program that is started there ignores it; nslaunch, which the script has become, doesn't.
	kill -INT "$pid"
	wait "$pid" || status=$?
	[ "$status" -eq 8 ]
}

@test "when the script is killed, nothing of the container runs on" {
	"$RUN" --rm --name killed busybox sh -c 'echo ready; sleep 100' >out 3>&- &
	local pid=$! status=0
	until [ -s out ]; do sleep 0.02; done
	kill -KILL "$pid"
	wait "$pid" || status=$?
	[ "$status" -eq 137 ]
	until_true eval '[ -z "$(scratch_processes)" ]'
	# --rm is done all the same.
	until_true eval '[ -z "$(ls "$LAMINA_STORE/containers" "$LAMINA_STORE/names" | grep -v :)" ]'
	# What the killed one couldn't do any more: by its id, which is all that is left.
	for id in "$LAMINA_STATE"/[!@]*; do
		nslaunch delete --force "${id##*/}"
	done
}

@test "--verbose shows commands that do the same when they are pasted" {
	run --separate-stderr -0 "$RUN" --verbose --rm -e "X=it's" busybox sh -c 'echo "$X"'
	[ "$output" = "it's" ]
	printf '%s\n' "$stderr" >script
	run -0 sh script
	[ "$output" = "it's" ]
}

# bundle_make ID COMMAND... - prints its path
bundle_make() {
	layerfs create --id "$1" busybox | initlayer | nslaunch spec --network none -- "${@:2}"
}

@test "nslaunch run --rm removes the bundle, also after a failed start, and relays the status" {
	local bundle
	bundle=$(bundle_make one sh -c 'sleep 0.3; echo out; exit 3')
	run -3 nslaunch run --rm --bundle "$bundle"
	[ "$output" = out ]
	[ -z "$(left_files)" ]
	bundle=$(bundle_make one nosuch)
	run -127 nslaunch run --rm --bundle "$bundle"
	[ -z "$(left_files)" ]
	bundle=$(bundle_make one true)
	echo '{' >"$bundle/config.json"
	run -125 nslaunch run --rm-on-failure --bundle "$bundle"
	[ -z "$(left_files)" ]
	bundle=$(bundle_make one true)
	nslaunch run --rm-on-failure --bundle "$bundle"
	[ -d "$bundle" ]
	for words in --detach --keep; do run -125 nslaunch run --rm "$words" --bundle "$bundle"; done
	run -125 nslaunch run --rm </dev/null
	# Another's is not touched.
	nslaunch create --bundle "$bundle" other
	run -125 nslaunch run --rm --bundle "$bundle"
	[ -d "$bundle" ]
	nslaunch delete --force other
	nslaunch create --bundle "$bundle" taken
	bundle=$(bundle_make two true)
	run -125 nslaunch run --rm --bundle "$bundle" taken
	[ -d "$bundle" ]
	nslaunch delete --force taken
	layerfs rm one two
}

@test "nslaunch run --rm: poststop hooks find the bundle" {
	local bundle
	bundle=$(bundle_make one true)
	printf '#!/bin/sh\nls "%s" >"%s/seen"\n' "$bundle" "$PWD" >hook
	chmod +x hook
	jq --arg hook "$PWD/hook" '.hooks.poststop = [{path: $hook}]' "$bundle/config.json" >changed
	cp changed "$bundle/config.json"
	nslaunch run --rm --bundle "$bundle"
	grep -qx config.json seen
	[ -z "$(left_files)" ]
}

@test "nslaunch run --rm without layerfs: the container runs, and what stays is told" {
	local bundle nslaunch
	bundle=$(bundle_make one sh -c 'exit 4')
	mkdir alone
	ln -s "$(realpath "$(command -v nslaunch)")" alone/nslaunch
	run --separate-stderr -4 env PATH=/nowhere "$PWD/alone/nslaunch" run --rm --bundle "$bundle"
	[[ $stderr == *"cannot execute layerfs"* ]]
	[ -d "$bundle" ]
	layerfs rm one
}

@test "nslaunch run: a signal that comes before anything else isn't lost, though it was ignored" {
	local bundle tracer status=0
	need strace
	bundle=$(bundle_make one sh -c 'sleep 5; exit 9')
	strace -o calls -e trace=none true || skip "no ptrace"
	# The leak sanitizer can't work where something traces.
	ASAN_OPTIONS=detect_leaks=0 env --ignore-signal=TERM strace -qq -o calls -e trace=execveat -e inject=execveat:delay_enter=1s \
		"$LAMINA_BIN/nslaunch" run --rm --bundle "$bundle" 3>&- &
	tracer=$!
	until_true pgrep -P "$tracer" nslaunch
	sleep 0.3
	kill -TERM "$(pgrep -P "$tracer" nslaunch)"
	wait "$tracer" || status=$?
	[ "$status" -eq 143 ]
	[ -z "$(left_files)" ]
}

@test "nslaunch run: the container has the signal mask of nslaunch's caller" {
	local bundle
	need python3
	bundle=$(bundle_make one grep SigBlk /proc/self/status)
	run -0 nslaunch run --bundle "$bundle"
	[[ $output == *0000000000000000 ]]
	run -0 python3 -c 'import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
os.execvp(sys.argv[1], sys.argv[1:])' nslaunch run --rm --bundle "$bundle"
	[[ $output == *0000000000000200 ]]
}

@test "an id can be used again at once" {
	local bundle
	bundle=$(bundle_make one true)
	for _ in $(seq 200); do nslaunch run --bundle "$bundle" same; done
	layerfs rm one
	for _ in $(seq 50); do
		bundle=$(bundle_make one true)
		nslaunch run --rm --bundle "$bundle"
	done
	[ -z "$(left_files)" ]
	[ -z "$(left_cgroups)" ]
}

@test "what --rm leaves to others is gone soon" {
	"$RUN" --rm busybox sh -c 'for i in $(seq 500); do echo >/tmp/$i; done'
	until_true eval '[ -z "$(ls -A "$LAMINA_STORE/trash")" ]'
	until_true eval '[ -z "$(scratch_processes)" ]'
}

@test "five hundred at once leave nothing" {
	local i
	for i in $(seq 500); do "$RUN" --rm busybox true 3>&- || echo "$?" >>failed & done
	wait
	[ ! -e failed ]
	[ -z "$(left_files)" ]
}

@test "five hundred at once, killed at any moment, leave what the words for it remove" {
	local i id
	for i in $(seq 500); do setsid "$RUN" --rm busybox sleep 100 3>&- >/dev/null 2>&1 & echo $! >>pids; done
	for i in $(seq 20); do
		shuf -n 25 pids | xargs -I N kill -KILL -- -N 2>/dev/null || :
		sleep 0.1
	done
	xargs -I N kill -KILL -- -N <pids 2>/dev/null || :
	wait || :
	until_true eval '[ -z "$(scratch_processes)" ]'
	for id in "$LAMINA_STATE"/[!@]*; do [ ! -e "$id" ] || nslaunch delete --force "${id##*/}"; done
	layerfs rm --incomplete --wait >/dev/null
	[ -z "$(left_files)" ]
	[ -z "$(left_cgroups)" ]
}

@test "forty starts, four at once, leave nothing" {
	seq 40 | xargs -P 4 -I N "$RUN" --rm --name cN busybox echo N >out
	[ "$(sort -n out | uniq | wc -l)" -eq 40 ]
}

@test "the words of Docker find their tools" {
	run -0 lamina run --rm busybox echo hi
	[ "$output" = hi ]
	run -0 lamina images
	[[ $output == *busybox* ]]
	run -0 lamina help run
	[[ $output == *--entrypoint* ]]
	run -0 lamina --version
	[[ $output == "lamina "* ]]
	run -2 lamina nosuch
	[ "$output" = "lamina: unknown command 'nosuch'; see --help" ]
	run -2 lamina ../layerfs
	run -2 lamina
	run -2 lamina --nosuch
}

@test "lamina knows containers by their names" {
	"$RUN" --name named busybox sh -c 'echo ready; while :; do sleep 0.1; done' >out 3>&- &
	local pid=$! status=0
	until [ -s out ]; do sleep 0.02; done
	run -0 lamina state named
	[[ $output == *running* ]]
	run -0 lamina exec named echo inside
	[ "$output" = inside ]
	run -0 lamina ps -q
	lamina kill named KILL
	wait "$pid" || status=$?
	[ "$status" -eq 137 ]
	run -0 lamina rm named
	[ "$output" = named ]
}

@test "the trace of a run holds every tool and the container" {
	LAMINA_TRACE=$PWD/trace "$RUN" --rm --tmpfs /t busybox true
	run -0 jq -rs 'map(.process) | unique | join(" ")' trace
	[ "$output" = "container initlayer layerfs nslaunch volctl" ]
	run -0 lamina trace trace
	[[ $output == *exec.done* ]]
}
