#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# nslaunch mounts: what is added to a container that runs, and removed from it.

load helpers
load bundle

setup() {
	lamina_setup
	need nslaunch jq
	need_root
	bundle_make
	export ID=mounts-$BATS_ROOT_PID-$BATS_TEST_NUMBER
	config '.process.args=["sleep","1000"]'
	mkdir -p source/sub
	echo data >source/file
}

teardown() {
	nslaunch delete --force "$ID" 2>/dev/null || :
}

started() {
	nslaunch create --bundle "$BUNDLE" "$ID" </dev/null
	nslaunch start "$ID"
}

inside() {
	nslaunch exec "$ID" sh -c "$1"
}

# mounted PATH - its line in the container's mountinfo
mounted() {
	inside "cat /proc/self/mountinfo" | awk -v p="$1" '$5 == p'
}

@test "a directory and a file are bound into a container that runs, and removed" {
	started
	local before
	before=$(inside 'cat /proc/self/mountinfo' | wc -l)
	nslaunch mounts add "$ID" "$PWD/source:/new/place" source/file:/etc/file:ro,nosuid
	[ "$(inside 'cat /new/place/file /etc/file')" = $'data\ndata' ]
	inside 'echo more >/new/place/file2'
	[ "$(cat source/file2)" = more ]
	run ! inside 'echo x >/etc/file'
	[[ $(mounted /etc/file) == *" ro,nosuid"* ]]
	# Nothing of it is the host's.
	[ -z "$(scratch_mounts)" ]
	nslaunch mounts remove "$ID" /etc/file /new/place
	[ "$(inside 'cat /proc/self/mountinfo' | wc -l)" = "$before" ]
	[ "$(inside 'ls /new/place')" = "" ]
	[ -f source/file2 ]
}

@test "a file of OCI mounts is taken, tmpfs and binds, with an object around it or without" {
	started
	jq -n --arg s "$PWD/source" '[
		{destination:"/t",type:"tmpfs",source:"tmpfs",options:["size=64k","mode=0700","noexec"]},
		{destination:"/t/deeper",type:"bind",source:$s,options:["rbind","ro"]}]' >m.json
	jq '{mounts: .}' m.json >object.json
	local file
	for file in m.json object.json; do
		nslaunch mounts add "$ID" "$file"
		[[ $(mounted /t) == *noexec*" tmpfs "*"size=64k"* ]]
		[ "$(inside 'stat -c %a /t; cat /t/deeper/file')" = $'700\ndata' ]
		nslaunch mounts remove "$ID" "$file"
		[ -z "$(mounted /t)" ]
	done
	[ -f source/file ]
}

@test "all mounts are added, or none" {
	started
	local before
	before=$(inside 'cat /proc/self/mountinfo')
	run -1 nslaunch mounts add "$ID" source:/one nosuch:/two
	[[ $output == *"mounts[1] '/two'"*"No such file or directory" ]]
	echo x >"$BUNDLE/rootfs/tmp/afile"
	run -1 nslaunch mounts add "$ID" source:/one source:/tmp/afile/x
	[[ $output == *"mounts[1] '/tmp/afile/x'"* ]]
	[ "$(inside 'cat /proc/self/mountinfo')" = "$before" ]
}

@test "destinations stay in the root, and the host's views aren't given away" {
	started
	ln -s "$PWD/source/sub" "$BUNDLE/rootfs/tmp/absolute"
	ln -s ../../../../../../../../.. "$BUNDLE/rootfs/tmp/up"
	nslaunch mounts add "$ID" source:/tmp/absolute source:/tmp/up/inside
	[ -z "$(ls source/sub)" ]
	[ -z "$(scratch_mounts)" ]
	[ "$(inside 'cat /inside/file')" = data ]
	local type
	for type in proc sysfs cgroup cgroup2 mqueue devpts; do
		echo "[{\"destination\":\"/x\",\"type\":\"$type\",\"source\":\"$type\"}]" >m.json
		run -1 nslaunch mounts add "$ID" m.json
		[[ $output == *"would show the host's"* ]]
	done
	run -1 nslaunch mounts add "$ID" source:/proc
	run -1 nslaunch mounts add "$ID" source:/proc/self
	run -1 nslaunch mounts add "$ID" source:/x:rshared
	run -1 nslaunch mounts remove "$ID" /
	run -1 nslaunch mounts remove "$ID" /./
	run -1 nslaunch mounts remove "$ID" /tmp
	[[ $output == *"'/tmp' is not a mount point"* ]]
	run -1 nslaunch mounts remove "$ID" relative
}

@test "a wrong command line and a container that doesn't run are told" {
	run -2 nslaunch mounts
	run -2 nslaunch mounts show "$ID" x:y
	run -1 nslaunch mounts add "$ID" source:/x
	[[ $output == *"does not exist"* ]]
	started
	run -2 nslaunch mounts add "$ID" :/x
	run -1 nslaunch mounts add "$ID" nosuch.json
	echo '{}' >m.json
	run -1 nslaunch mounts add "$ID" m.json
	[[ $output == *"has no array of mounts"* ]]
	run -1 nslaunch mounts add "$ID" source:/x:nosuchoption
	nslaunch kill "$ID" KILL
	stopped() { [ "$(nslaunch state "$ID" | jq -r .status)" = stopped ]; }
	eventually stopped
	run -1 nslaunch mounts add "$ID" source:/x
	[[ $output == *"container not running"* ]]
}

@test "what the host shares is cut off before it is a container's" {
	started
	privately <<'SCRIPT'
	mkdir -p shared
	mount -t tmpfs tmpfs shared
	mount --make-rshared shared
	nslaunch mounts add "$ID" shared:/shared
	nslaunch exec "$ID" sh -c 'mkdir /shared/below'
	mkdir -p shared/host
	mount -t tmpfs tmpfs shared/host
	[ -z "$(nslaunch exec "$ID" sh -c 'grep " /shared/host " /proc/self/mountinfo' || :)" ]
	nslaunch exec "$ID" sh -c 'grep " /shared " /proc/self/mountinfo' | grep -v -E "shared:|master:"
SCRIPT
}
