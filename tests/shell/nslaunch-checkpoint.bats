#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# nslaunch checkpoint and restore. Few kernels and distributions have a CRIU that works together: a
# stand-in, criu-stand-in, records how it is called, what it finds where it is called, and does what
# the callers see of CRIU: it ends what it dumps, and makes a process when it restores.

load helpers
load bundle

setup() {
	lamina_setup
	need nslaunch jq
	need_root
	bundle_make
	ID=checkpoint-$BATS_ROOT_PID-$BATS_TEST_NUMBER
	config '.process.args=["sleep","1000"]'
	cat >criu-stand-in <<-'STAND_IN'
		#!/bin/bash
		# criu-stand-in: not CRIU; see the test that it belongs to
		here=$(dirname "$0")
		printf '%s\n' "$@" >"$here/call"
		for argument; do
			case $argument in
			--tree=*) pid=${argument#*=} ;;
			--pidfile=*) pid_file=${argument#*=} ;;
			--root=*) root=${argument#*=} ;;
			--images-dir=*) images=${argument#*=} ;;
			esac
		done
		[ ! -e "$here/fail" ] || exit 1
		case $1 in
		dump)
			[[ " $* " == *" --leave-running "* ]] || kill -KILL "$pid"
			touch "$images/inventory.img"
			;;
		restore)
			ls "$root" >"$here/root"
			grep -qF " $root " /proc/self/mountinfo && echo mounted >>"$here/root"
			sleep "${STAND_IN_SLEEP:-1000}" </dev/null >/dev/null 2>&1 &
			printf %d "$!" >"$pid_file"
			;;
		esac
	STAND_IN
	chmod +x criu-stand-in
	CRIU=$TEST_DIRECTORY/criu-stand-in
}

teardown() {
	nslaunch delete --force "$ID" 2>/dev/null || :
}

started() {
	nslaunch create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	nslaunch start "$ID"
}

has() {
	local argument
	for argument; do
		grep -qxF -e "$argument" call || { echo "no $argument in:"; cat call; return 1; }
	done
}

@test "without criu it is said what is missing, and the container runs on" {
	started
	run -1 nslaunch --criu nosuch-criu checkpoint --image-path images "$ID"
	[[ $output == *"need CRIU: 'nosuch-criu': executable file not found"* ]]
	[ "$(nslaunch state "$ID" | jq -r .status)" = running ]
	nslaunch delete --force "$ID"
	echo '["/dev/null","/dev/null","/dev/null"]' >images/descriptors.json
	run -125 nslaunch --criu nosuch-criu restore --image-path images --bundle "$BUNDLE" "$ID"
	[[ $output == *"need CRIU"* ]]
	assert_nothing_left
	nslaunch checkpoint --help
}

@test "checkpoint calls criu for the container, and deletes it" {
	mkdir data
	config '.process.args=["sleep","1000"] | .linux.maskedPaths=["/proc/kcore","/proc/acpi"]
		| .mounts += [{destination:"/data",type:"bind",source:"'"$PWD"'/data",options:["rbind"]}]'
	started
	local pid
	pid=$(nslaunch state "$ID" | jq .pid)
	nslaunch --criu "$CRIU" checkpoint --image-path images --work-path work "$ID"
	[ "$(head -n 1 call)" = dump ]
	has "--tree=$pid" --images-dir=images --work-dir=work --log-file=dump.log \
		--manage-cgroups=soft "mnt[/data]:/data"
	[ ! -e /proc/kcore ] || has "mnt[/proc/kcore]:/proc/kcore"
	run -1 grep -E 'leave-running|tcp|shell-job|acpi' call
	[ "$(jq -c . images/descriptors.json)" = '["/dev/null","/dev/null","/dev/null"]' ]
	run -1 nslaunch state "$ID"
	assert_nothing_left
}

@test "each option of checkpoint is criu's, and the container may run on" {
	started
	nslaunch --criu "$CRIU" checkpoint --leave-running --tcp-established --ext-unix-sk --shell-job --file-locks \
		--lazy-pages --auto-dedup --manage-cgroups-mode full --empty-ns network --parent-path ../parent \
		--page-server '[::1]:99' --status-fd 1 "$ID"
	has --images-dir=checkpoint --leave-running --tcp-established --ext-unix-sk --shell-job --file-locks --lazy-pages \
		--auto-dedup --manage-cgroups=full --empty-ns net --prev-images-dir=../parent --page-server \
		'--address=[::1]' --port=99 --status-fd=1
	[ "$(nslaunch state "$ID" | jq -r .status)" = running ]
	nslaunch --criu "$CRIU" checkpoint --pre-dump "$ID"
	[ "$(head -n 1 call)" = pre-dump ]
	has --track-mem
	[ "$(nslaunch state "$ID" | jq -r .status)" = running ]
	run -2 nslaunch --criu "$CRIU" checkpoint --manage-cgroups-mode nosuch "$ID"
	run -2 nslaunch --criu "$CRIU" checkpoint --empty-ns pid "$ID"
	run -2 nslaunch --criu "$CRIU" checkpoint --page-server x "$ID"
	run -2 nslaunch --criu "$CRIU" checkpoint --parent-path /x "$ID"
	run -2 nslaunch --criu "$CRIU" checkpoint --status-fd x "$ID"
	touch fail
	run -1 nslaunch --criu "$CRIU" checkpoint --work-path w "$ID"
	[[ $output == *"criu failed with status 1: see 'w/dump.log'"* ]]
	[ "$(nslaunch state "$ID" | jq -r .status)" = running ]
	nslaunch kill "$ID" KILL
	stopped() { [ "$(nslaunch state "$ID" | jq -r .status)" = stopped ]; }
	eventually stopped
	run -1 nslaunch --criu "$CRIU" checkpoint "$ID"
	[[ $output == *"cannot be checkpointed in stopped state"* ]]
}

@test "restore calls criu on the bundle's root, and the container is known by its process" {
	mkdir data images
	config '.process.args=["sleep","1000"] | .annotations={x:"y"}
		| .mounts += [{destination:"/data",type:"bind",source:"'"$PWD"'/data",options:["rbind"]}]'
	echo '["/dev/null","pipe:[123]","/dev/pts/0"]' >images/descriptors.json
	nslaunch --criu "$CRIU" restore --detach --pid-file pid --image-path images --bundle "$BUNDLE" "$ID"
	[ "$(head -n 1 call)" = restore ]
	has --images-dir=images --log-file=restore.log "--root=$BUNDLE/rootfs" --restore-detached --restore-sibling \
		"--cgroup-root=/lamina/$ID" "mnt[/data]:$PWD/data" --inherit-fd "fd[1]:pipe[123]"
	[ "$(grep -c -x -e --inherit-fd call)" -eq 1 ]
	grep -qx mounted root
	grep -qx bin root
	[ -z "$(scratch_mounts)" ]
	[ "$(nslaunch state "$ID" | jq -r '[.status, .annotations.x, .pid] | @tsv')" = "running	y	$(cat pid)" ]
	nslaunch delete --force "$ID"
	# A zombie has no command line; nobody here is its parent.
	[ -z "$(tr -d '\0' <"/proc/$(cat pid)/cmdline" 2>/dev/null)" ]
	assert_nothing_left
}

@test "restore attends the container without --detach, and a failing one leaves nothing" {
	mkdir images
	echo '["/dev/null","/dev/null","/dev/null"]' >images/descriptors.json
	STAND_IN_SLEEP=0.1 nslaunch --criu "$CRIU" restore --image-path images --bundle "$BUNDLE" "$ID"
	assert_nothing_left
	touch fail
	run -125 nslaunch --criu "$CRIU" restore --image-path images --bundle "$BUNDLE" "$ID"
	[[ $output == *"criu failed with status 1: see 'images/restore.log'"* ]]
	run -125 nslaunch --criu "$CRIU" restore --image-path nosuch --bundle "$BUNDLE" "$ID"
	[[ $output == *"image directory 'nosuch': No such file or directory"* ]]
	config '.process.terminal=true'
	run -125 nslaunch --criu "$CRIU" restore --image-path images --bundle "$BUNDLE" "$ID"
	[[ $output == *"process.terminal"* ]]
	run -125 nslaunch --criu "$CRIU" --systemd-cgroup restore --image-path images --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}
