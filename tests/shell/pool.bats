#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Pools (launch/pool.h): what is made beforehand is used once, by whom it fits, whatever is killed
# when; and nothing stays after a drain.

load helpers
load bundle

setup() {
	lamina_setup
	need nslaunch jq busybox
	need_root
	unshare -n true 2>/dev/null || skip "no network namespaces"
	bundle_make
	ln -s busybox "$BUNDLE/rootfs/bin/ip"
	ID="pool$BATS_ROOT_PID-$BATS_TEST_NUMBER"
	# A state of its own: what is in the pool is counted.
	export LAMINA_STATE=$TEST_DIRECTORY/state
	config "$FITTING"
}

teardown() {
	nslaunch delete --force --regex . 2>/dev/null || true
	nslaunch pool drain || true
	umount -R "$LAMINA_STATE/@pool/pins" 2>/dev/null || true
}

# What the default config of `nslaunch spec` and of engines has, so that a pool's /dev fits.
FITTING='.mounts+=[
	{"destination":"/dev/shm","type":"tmpfs","source":"shm","options":["nosuid","noexec","nodev","mode=1777","size=65536k"]},
	{"destination":"/dev/mqueue","type":"mqueue","source":"mqueue","options":["nosuid","noexec","nodev"]}]'

# has KIND READY [LEFT] - what `status` says of a kind
has() {
	[ "$(nslaunch pool status | grep "^$1	")" = "$1	$2	${3:-0}" ] || {
		nslaunch pool status
		return 1
	}
}

# start [OPTION...] - run the container: its output
start() {
	nslaunch run "$@" --bundle "$BUNDLE" "$ID"
}

# pool_cgroups - those that there are, whoever has them
pool_cgroups() {
	find /sys/fs/cgroup -type d -path '*/lamina/@pool-*' -prune 2>/dev/null | sort
}

# nothing_left - of the pool: no file, no mount, no cgroup
nothing_left() {
	[ ! -e "$LAMINA_STATE/@pool" ] || { find "$LAMINA_STATE/@pool"; return 1; }
	! grep -F "$LAMINA_STATE" /proc/self/mountinfo || return 1
	[ -z "$(pool_cgroups)" ] || { pool_cgroups; return 1; }
}

@test "fill, use, status and drain: each is used once, and nothing stays" {
	nslaunch pool fill -n 2
	has net 2; has cgroup 2; has dev 2
	config "$FITTING"' | .process.args=["sh","-c","readlink /proc/self/ns/net; cat /proc/self/cgroup; stat -c %d /dev"]
		| .linux.namespaces |= map(select(.type!="cgroup"))'
	start >one
	has net 1; has cgroup 1; has dev 1
	start >two
	has net 0; has cgroup 0; has dev 0
	start >three
	[ "$(grep -c '^net:' one two three | cut -d: -f2 | tr -d '\n')" = 111 ]
	[ "$(grep -h '^net:' one two | sort -u | wc -l)" -eq 2 ]
	[ "$(grep -h '/@pool-' one two | sort -u | wc -l)" -eq "$(grep -hc '/@pool-' one two | paste -sd+ | bc)" ]
	! grep '/@pool-' three
	[ "$(tail -qn 1 one two | sort -u | wc -l)" -eq 2 ]
	# As `nslaunch spec` names it, by the bundle, is by default.
	nslaunch pool fill --cgroup -n 2
	config '.linux.cgroupsPath="/lamina/bundle"'
	start
	has cgroup 1
	config '.linux.cgroupsPath="/lamina/another-bundle"'
	start
	has cgroup 1
	nslaunch pool drain
	[ -z "$(pool_cgroups)" ]
	nslaunch pool fill --net -n 3
	has net 3; has cgroup 0; has dev 0
	nslaunch pool fill -n 1 --dev --cgroup
	has net 3; has cgroup 1; has dev 1
	nslaunch pool fill
	has net 8; has cgroup 8; has dev 8
	[ "$(nslaunch pool status --json | jq -r '.kind+" \(.ready) \(.left)"' | paste -sd,)" = "net 8 0,cgroup 8 0,dev 8 0" ]
	nslaunch pool drain
	nothing_left
	nslaunch pool drain
	has net 0; has cgroup 0; has dev 0
}

@test "a container can't be told from one that took nothing: /dev, interfaces, limits, mounts" {
	config "$FITTING"' | .process.args=["sh","-c","stat -c \"%n %F %a %u %g %t %T %N\" /dev/* | sort; ip addr; sed -E \"s/^([^ ]+ ){3}//\" /proc/self/mountinfo | sort;
			cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/core/somaxconn; cat /sys/fs/cgroup/*/*.max /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpuset/cpuset.cpus 2>/dev/null; touch /dev/new; df /dev"]
		| .linux.resources={"memory":{"limit":67108864},"pids":{"limit":77}} | .linux.sysctl={"net.core.somaxconn":"777"}'
	nslaunch pool fill -n 1
	start >with 2>&1
	has net 0; has cgroup 0; has dev 0
	start >without 2>&1
	grep -q '^777$' with
	grep -q 'LOOPBACK,UP' with
	grep -q '/dev/null .*1 3' with
	diff with without
}

@test "--no-pool takes nothing; nor does who it doesn't fit" {
	nslaunch pool fill -n 1
	start --no-pool
	has net 1; has cgroup 1; has dev 1
	# What fits of it is taken all the same.
	config "$FITTING"' | .linux.namespaces |= map(select(.type!="network")) | .linux.cgroupsPath="/lamina/named-'"$ID"'"
		| .linux.devices=[{"path":"/dev/fuse","type":"c","major":10,"minor":229}]'
	start
	has net 1; has cgroup 1; has dev 1
	config "$FITTING"' | .linux.namespaces+=[{"type":"user"}] | .linux.uidMappings=[{"containerID":0,"hostID":0,"size":65536}] | .linux.gidMappings=.linux.uidMappings'
	start
	has net 1; has cgroup 1; has dev 1
	config "$FITTING"' | .mounts |= map(if .destination=="/dev" then .options=["nosuid","mode=700"] else . end)'
	start
	has net 0; has cgroup 0; has dev 1
	config .
	start
	has dev 1
	config "$FITTING"
	start
	has dev 0
}

@test "create, start, exec and delete of a container that has all of a pool's; its state says which cgroup" {
	local path
	nslaunch pool fill -n 1
	config "$FITTING"' | .process.args=["sleep","1000.5"]'
	nslaunch create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&-
	has net 0; has cgroup 0; has dev 0
	path=$(jq -r .cgroupPath "$LAMINA_STATE/$ID/state.json")
	[[ $path == /lamina/@pool-* ]]
	[ ! -e "$LAMINA_STATE/$ID/cgroup" ]
	nslaunch start "$ID"
	[[ $(nslaunch exec "$ID" ip addr) == *LOOPBACK,UP* ]]
	nslaunch pause "$ID"
	nslaunch resume "$ID"
	# In use, it is nobody's to remove.
	nslaunch pool fill -n 1
	nslaunch pool drain
	[[ $(nslaunch exec "$ID" cat /proc/1/cgroup) == *memory* ]]
	[ "$(nslaunch ps -f json "$ID" | jq length)" -eq 1 ]
	nslaunch delete --force "$ID"
	nothing_left
}

@test "200 starts at once from a pool of 50: no network namespace is used twice, fifty are the pool's" {
	local i pids=() before

	nslaunch pool fill -n 50
	before=$(for i in "$LAMINA_STATE"/@pool/pins/net-*; do stat -Lc %i "$i"; done | sort)
	[ "$(wc -l <<<"$before")" -eq 50 ]
	# All of them live until the last has started: a number that is free could come again.
	mkdir out
	config "$FITTING"' | .process.args=["sh","-c","readlink /proc/self/ns/net; until [ -e /etc/end ]; do sleep 0.05; done"]'
	for i in $(seq 200); do
		nslaunch run --bundle "$BUNDLE" "$ID-$i" >"out/$i" 3>&- </dev/null &
		pids+=("$!")
	done
	until_true eval '[ "$(cat out/* | wc -l)" -eq 200 ]'
	has net 0; has cgroup 0; has dev 0
	touch "$BUNDLE/rootfs/etc/end"
	for i in "${pids[@]}"; do
		wait "$i"
	done
	[ "$(cat out/* | sort -u | wc -l)" -eq 200 ]
	[ "$(cat out/* | tr -dc '0-9\n' | sort | comm -12 - <(echo "$before") | wc -l)" -eq 50 ]
	nslaunch pool drain
	nothing_left
}

@test "a fill that is killed at any moment leaves nothing that can be taken and isn't whole" {
	local i

	config "$FITTING"' | .process.args=["sh","-c","ip addr | grep -q LOOPBACK,UP && test -c /dev/null && test -d /dev/pts && test -L /dev/ptmx && echo whole"]'
	for i in $(seq 25); do
		nslaunch pool fill -n $((i * 2)) 3>&- &
		sleep "0.0$((RANDOM % 40 + 10))"
		kill -KILL $! 2>/dev/null || true
		wait $! 2>/dev/null || true
		[ "$(start)" = whole ]
	done
	nslaunch pool fill -n 60
	has net 60; has cgroup 60; has dev 60
	nslaunch pool drain
	nothing_left
}

@test "a start that is killed at any moment takes nothing along, and nothing of its is used again" {
	local i

	mkdir out
	config "$FITTING"' | .process.args=["readlink","/proc/self/ns/net"]'
	for i in $(seq 40); do
		nslaunch pool fill -n 2
		nslaunch run --bundle "$BUNDLE" "$ID-$i" >"out/$i" 2>/dev/null 3>&- &
		sleep "0.00$((RANDOM % 10))"
		kill -KILL $! 2>/dev/null || true
		wait $! 2>/dev/null || true
		until_true eval 'nslaunch delete --force "$ID-$i" 2>/dev/null || ! nslaunch state "$ID-$i" 2>/dev/null'
	done
	nslaunch pool fill -n 3
	has net 3; has cgroup 3; has dev 3
	nslaunch pool drain
	nothing_left
}

@test "two that fill at once, one that drains meanwhile: what is there in the end is whole" {
	nslaunch pool fill -n 20 3>&- &
	nslaunch pool fill -n 20 3>&- &
	wait
	has net 20; has cgroup 20; has dev 20
	nslaunch pool fill -n 30 3>&- &
	nslaunch pool drain 3>&- &
	start
	start
	wait
	nslaunch pool drain
	nothing_left
}

@test "pins that are gone, or that a mount namespace doesn't have: the start makes its own" {
	nslaunch pool fill -n 1
	umount "$LAMINA_STATE"/@pool/pins/{net,dev}-*
	config "$FITTING"' | .process.args=["sh","-c","ip addr | grep -c LOOPBACK,UP; test -c /dev/null && echo null"]'
	[ "$(start)" = $'1\nnull' ]
	nslaunch pool fill -n 1
	find /sys/fs/cgroup -type d -path '*/lamina/@pool-*' -exec rmdir {} + 2>/dev/null || true
	[ "$(start)" = $'1\nnull' ]
	nslaunch pool drain
	nothing_left
}

@test "a cgroup of a start that was killed stays while it is noted or in use, and then goes" {
	local name memory=/sys/fs/cgroup/memory

	[ -d "$memory" ] || memory=/sys/fs/cgroup
	nslaunch pool fill --cgroup -n 1
	name=$(basename "$LAMINA_STATE"/@pool/ready/cgroup-*)
	# As a launcher leaves it that is killed right after it has taken it.
	mkdir -m 700 "$LAMINA_STATE/killed"
	mv "$LAMINA_STATE/@pool/ready/$name" "$LAMINA_STATE/killed/cgroup"
	has cgroup 0 1
	nslaunch pool drain
	has cgroup 0 1
	[ -d "$memory/lamina/@pool-${name#cgroup-}" ]
	nslaunch delete --force killed
	[ -z "$(pool_cgroups)" ]
	nslaunch pool fill --cgroup -n 1
	has cgroup 1
	name=$(basename "$LAMINA_STATE"/@pool/ready/cgroup-*)
	rm "$LAMINA_STATE/@pool/ready/$name"
	sleep 1000.5 3>&- &
	echo $! >"$memory/lamina/@pool-${name#cgroup-}/cgroup.procs"
	nslaunch pool drain
	has cgroup 0 1
	[ -d "$memory/lamina/@pool-${name#cgroup-}" ]
	kill -KILL $!
	wait $! || true
	nslaunch pool drain
	nothing_left
}

@test "what is asked wrongly, and who isn't root" {
	run -2 nslaunch pool
	run -2 nslaunch pool empty
	[[ $output == *"unknown word 'empty'"* ]]
	run -2 nslaunch pool fill -n 5000
	[[ $output == *"at most 4096"* ]]
	command -v setpriv >/dev/null || skip "no setpriv"
	run -1 setpriv --reuid 65534 --clear-groups nslaunch --root "$TEST_DIRECTORY/other" pool fill
	[ "$output" = "nslaunch: pool: only root's containers can take from a pool: Operation not permitted" ] ||
		[ "$output" = "nslaunch: pool: only root's containers can take from a pool" ]
}
