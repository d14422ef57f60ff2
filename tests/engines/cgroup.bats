#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The control files of a container's cgroup, and what events says of it, beside runc's.
load ../shell/helpers

setup() {
	lamina_setup
	need nslaunch runc jq
	need_root
	[ ! -e /sys/fs/cgroup/cgroup.controllers ] || skip "runc and nslaunch are compared on cgroup v1"
	BUNDLE=$TEST_DIRECTORY/bundle
	ID=engine-cg-$BATS_ROOT_PID-$BATS_TEST_NUMBER
	mkdir -p "$BUNDLE/rootfs/bin" "$BUNDLE/rootfs/"{proc,dev,sys}
	cp "$(command -v busybox)" "$BUNDLE/rootfs/bin/busybox"
	ln -s busybox "$BUNDLE/rootfs/bin/sleep"
}

teardown() {
	[ -z "${ID-}" ] || {
		nslaunch delete --force "$ID"
		runc --root "$PWD/runc" delete --force "$ID"
	}
	lamina_teardown
}

# both RESOURCES - a container of each, with these linux.resources
both() {
	jq ".process.args=[\"sleep\",\"1000.5\"] | .linux.resources=$1 | .linux.cgroupsPath=\"/lamina/$ID\"" \
		"$BATS_TEST_DIRNAME/../shell/data/config.json" >"$BUNDLE/config.json"
	nslaunch create --bundle "$BUNDLE" "$ID" </dev/null
	jq ".linux.cgroupsPath=\"/lamina/$ID-runc\"" "$BUNDLE/config.json" >config.json
	mv config.json "$BUNDLE/config.json"
	runc --root "$PWD/runc" create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	nslaunch start "$ID"
	runc --root "$PWD/runc" start "$ID"
}

# files SUFFIX - what is set in each hierarchy: what can be written, and the devices
files() {
	local file

	for file in /sys/fs/cgroup/{memory,cpu,cpuset,pids,blkio}/"lamina/$ID$1"/{memory,cpu,cpuset,pids,blkio}.*; do
		[ -w "$file" ] && [ "$(stat -c %a "$file")" = 644 ] || continue
		case $file in
		*usage* | *failcnt | *pressure* | */memory.oom_control | *numa_stat) continue ;;
		esac
		printf '%s %s\n' "${file##*/}" "$(tr '\n' ' ' <"$file")"
	done
}

# list SUFFIX - the devices that may be used
list() {
	sort "/sys/fs/cgroup/devices/lamina/$ID$1/devices.list"
}

same() {
	diff -u <(files -runc) <(files '')
	# runc has 10:200 (tun) beside the specification's own.
	diff -u <(list -runc | grep -v '^c 10:200 ') <(list '')
}

@test "what is set is what runc sets" {
	both '{memory:{limit:67108864,swap:134217728,reservation:33554432,swappiness:7},
		cpu:{shares:300,quota:30000,period:60000,cpus:"0",mems:"0"},pids:{limit:33},
		devices:[{allow:false,access:"rwm"},{allow:true,type:"c",major:10,minor:229,access:"rw"},
			{allow:true,type:"b",major:7,access:"r"}]}'
	same
	nslaunch update --memory 32m --memory-swap 48m --cpu-quota 20000 --cpu-share 200 --pids-limit 9 "$ID"
	runc --root "$PWD/runc" update --memory 32m --memory-swap 48m --cpu-quota 20000 --cpu-share 200 --pids-limit 9 "$ID"
	same
	nslaunch update --memory 128m --memory-swap -1 --cpu-period 50000 "$ID"
	runc --root "$PWD/runc" update --memory 128m --memory-swap -1 --cpu-period 50000 "$ID"
	same
}

@test "no limits are none in both" {
	both '{devices:[{allow:false,access:"rwm"}]}'
	same
}

@test "events --stats has every name that runc's has" {
	both '{memory:{limit:67108864},devices:[{allow:false,access:"rwm"}]}'
	names() { jq -c 'paths | map(if type == "number" then 0 else . end)' | sort -u; }
	runc --root "$PWD/runc" events --stats "$ID" | names >theirs
	nslaunch events --stats "$ID" | names >ours
	[ "$(wc -l <theirs)" -gt 50 ]
	# What is 0 at the moment is left out by both.
	[ -z "$(comm -23 theirs ours | grep -v '"cache"\]$\|"blkio"')" ]
}
