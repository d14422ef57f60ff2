#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Containers with a user namespace, as root starts them.

load helpers
load userns

setup() {
	lamina_setup
	need nslaunch jq
	need_root
	unshare -U true 2>/dev/null || skip "no user namespaces"
	bundle_make
	# The image's files are the container's root's, as an engine has them.
	chown -R 100000:100000 "$BUNDLE/rootfs"
}

teardown() {
	nslaunch delete --force "$ID" 2>/dev/null
	lamina_teardown
}

@test "root inside is the mapped user outside, and has all of the container's file systems" {
	in_container 'id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map; stat -c %u:%g / /dev /proc/1 /tmp
		touch /tmp/made; hostname; echo $$; cat /proc/self/setgroups; cat /proc/sys/kernel/hostname' "$mapped"
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	[ "${lines[0]} ${lines[1]}" = "0 0" ]
	[[ ${lines[2]} =~ ^\ +0\ +100000\ +65536$ ]]
	[[ ${lines[3]} =~ ^\ +0\ +100000\ +65536$ ]]
	[ "${lines[4]} ${lines[5]} ${lines[6]} ${lines[7]}" = "0:0 0:0 0:0 0:0" ]
	[ "${lines[8]} ${lines[9]} ${lines[10]} ${lines[11]}" = "box 1 allow box" ]
	[ "$(stat -c %u:%g "$BUNDLE/rootfs/tmp/made")" = 100000:100000 ]
	assert_nothing_left
}

@test "several ranges are mapped, of other ids for groups, and a user above 2^31" {
	in_container 'id -u; id -g; cat /proc/self/uid_map; grep Groups /proc/self/status' '.linux.namespaces+=[{type:"user"}]
		| .linux.uidMappings=[{containerID:0,hostID:100000,size:10},{containerID:4000000000,hostID:3000000000,size:1},{containerID:500,hostID:200000,size:1}]
		| .linux.gidMappings=[{containerID:0,hostID:100000,size:1},{containerID:5,hostID:300000,size:10}]
		| .process.user={uid:4000000000,gid:7,additionalGids:[5,14]}'
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	[ "${lines[0]} ${lines[1]}" = "4000000000 7" ]
	[[ ${lines[3]} =~ 4000000000\ +3000000000\ +1 ]]
	[[ $output == *"Groups:	5 14"* ]]
}

@test "with no root mapped the container's own user makes its mounts" {
	chown -R 100000:100000 "$BUNDLE/rootfs"
	in_container 'id -u; cat /proc/self/uid_map; stat -c %u /dev; cat /dev/null; grep CapEff /proc/self/status' '.linux.namespaces+=[{type:"user"}]
		| .linux.uidMappings=[{containerID:1000,hostID:100000,size:1}] | .linux.gidMappings=.linux.uidMappings
		| .process.user={uid:1000,gid:1000} | .mounts|=map(select(.type!="devpts"))'
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = 1000 ]
	[ "${lines[2]}" = 1000 ]
	[ "${lines[3]}" = "CapEff:	0000000000000000" ]
}

@test "every namespace belongs to the container's user namespace, and no capability reaches the host" {
	in_container 'mount -t tmpfs none /tmp && hostname other && hostname && ip link set lo down && echo down
		mknod /tmp/null c 1 3 2>&1; echo 1 >/proc/sys/kernel/panic; ls /proc/1/fd >/dev/null && echo fds' "$mapped
		| .process.capabilities.bounding+=[\"CAP_SYS_ADMIN\",\"CAP_NET_ADMIN\"] | .process.capabilities.effective=.process.capabilities.bounding
		| .process.capabilities.permitted=.process.capabilities.bounding"
	echo "$output $stderr"
	[ "${lines[0]} ${lines[1]}" = "other down" ]
	[[ ${lines[2]} == *"Operation not permitted"* ]]
	[[ $stderr == *"Permission denied"* ]]
	[ "${lines[3]}" = fds ]
}

@test "devices are the host's own nodes, and what isn't there is named" {
	in_container 'echo lost >/dev/null && cat /dev/zero | head -c 3 | wc -c; stat -c "%t:%T" /dev/null /dev/fuse /dev/full; test -p /dev/pipe && echo pipe; stat -c %u:%g /dev/pipe' "$mapped
		| .linux.devices=[{path:\"/dev/fuse\",type:\"c\",major:10,minor:229},{path:\"/dev/pipe\",type:\"p\",uid:7,gid:8}]"
	[ -c /dev/fuse ] || skip "no /dev/fuse"
	echo "$output $stderr"
	[[ $output == *$'1:3\na:e5\n1:7\npipe\n7:8' ]]
	in_container true "$mapped | .linux.devices=[{path:\"/dev/nosuch\",type:\"c\",major:1,minor:3}]"
	[ "$status" -eq 125 ]
	[[ $stderr == *"linux.devices[0]: cannot bind '/dev/nosuch': No such file or directory"* ]]
	in_container true "$mapped | .linux.devices=[{path:\"/dev/zero\",type:\"c\",major:1,minor:3}]"
	[[ $stderr == *"linux.devices[0]: cannot bind '/dev/zero': on the host it isn't device 1:3"* ]]
}

@test "an id that isn't mapped is refused by name" {
	in_container true "$mapped | .process.user.uid=65536"
	[ "$status" -eq 125 ]
	[[ $stderr == *"'process.user.uid': 65536 isn't mapped by 'linux.uidMappings'"* ]]
	in_container true "$mapped | .linux.uidMappings[0].size=1 | .linux.gidMappings[0].size=5"
	[[ $stderr == *"'mounts[2]' '/dev/pts': option 'gid=5': 5 isn't mapped by 'linux.gidMappings'"* ]]
}

@test "a bundle and a source in directories that only the host's root may search" {
	chmod 700 "$TEST_DIRECTORY"
	mkdir -m 700 "$TEST_DIRECTORY/private"
	mkdir -m 755 "$TEST_DIRECTORY/private/data"
	echo hello >"$TEST_DIRECTORY/private/data/file"
	in_container 'cat /tmp/file; touch /tmp/new 2>&1; mount -o remount,bind,rw /tmp 2>&1; grep -c shared: /proc/self/mountinfo' "$mapped
		| .mounts+=[{destination:\"/tmp\",type:\"bind\",source:\"$TEST_DIRECTORY/private/data\",options:[\"rbind\",\"ro\"]}]"
	echo "$output $stderr"
	[ "${lines[0]}" = hello ]
	[[ ${lines[1]} == *"Read-only file system"* ]]
	[ "${lines[3]}" = 0 ]
}

@test "cgroups can't be written, with a cgroup namespace or without (CVE-2023-25809)" {
	local filter

	for filter in . '.linux.namespaces|=map(select(.type!="cgroup"))'; do
		in_container 'for d in /sys/fs/cgroup /sys/fs/cgroup/*; do mkdir $d/x 2>/dev/null && echo "made $d/x"; done; echo end' \
			"$mapped | $filter | .mounts|=map(if .type==\"cgroup\" then .options=[\"rw\"] else . end)"
		echo "$output $stderr"
		[[ $(grep -v "^made /sys/fs/cgroup/x" <<<"$output") == end ]]
	done
}

@test "masked and read-only paths, read-only root, oom score and limits hold" {
	in_container 'cat /proc/timer_list; ls /sys/firmware; echo 1 >/proc/sys/kernel/ctrl-alt-del; touch /x; cat /proc/self/oom_score_adj; ulimit -n' "$mapped
		| .linux.maskedPaths=[\"/proc/timer_list\",\"/sys/firmware\"] | .linux.readonlyPaths=[\"/proc/sys\"] | .root.readonly=true
		| .process.oomScoreAdj=500 | .process.rlimits=[{type:\"RLIMIT_NOFILE\",soft:77,hard:99}]"
	echo "$output $stderr"
	[ "$output" = $'500\n77' ]
	[[ $stderr == *"/x: Read-only file system"* ]]
}

@test "sysctls of the network and of ipc are set" {
	in_container 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmni /proc/sys/fs/mqueue/msg_max' "$mapped
		| .linux.sysctl={\"net.ipv4.ip_forward\":\"1\",\"kernel.shmmni\":\"55\",\"fs.mqueue.msg_max\":\"11\"}"
	echo "$output $stderr"
	[ "$output" = $'1\n55\n11' ]
}

@test "without a network namespace of its own /sys is the host's, read-only" {
	in_container 'touch /sys/x 2>&1; ls /sys/class/net | head -1; mount | grep -c " on /sys type sysfs (ro"' \
		"$mapped | .linux.namespaces|=map(select(.type!=\"network\"))"
	echo "$output $stderr"
	[[ ${lines[0]} == *"Read-only file system"* ]]
	[ "${lines[2]}" = 1 ]
}

@test "create, start, exec and delete; exec is the mapped root too" {
	sleeper "$mapped"
	[ "$(nslaunch state "$ID" | jq -r .status)" = running ]
	run nslaunch exec "$ID" sh -c 'id -u; cat /proc/self/uid_map; stat -c %u /proc/1; readlink /proc/self/ns/user; readlink /proc/1/ns/user; grep CapEff /proc/self/status'
	echo "$output"
	[ "$status" -eq 0 ]
	[ "${lines[0]} ${lines[2]}" = "0 0" ]
	[[ ${lines[1]} =~ ^\ +0\ +100000\ +65536$ ]]
	[ "${lines[3]}" = "${lines[4]}" ]
	[ "${lines[3]}" != "$(readlink /proc/self/ns/user)" ]
	[ "${lines[5]}" = "CapEff:	00000000a80425fb" ]
	run nslaunch exec --user 33:44 "$ID" id
	[[ $output == *"uid=33 gid=44"* ]]
	run -125 nslaunch exec --user 65536 "$ID" id
	[[ $output == *"65536 isn't mapped"* ]]
	run -127 nslaunch exec "$ID" nosuch
	run -3 nslaunch exec "$ID" sh -c 'exit 3'
	nslaunch delete --force "$ID"
	assert_nothing_left
}

@test "a created container waits, is shown as created, and its failing start says why" {
	config "$mapped | .process.args=[\"/bin/script\"]"
	printf '#!/bin/nosuch\n' >"$BUNDLE/rootfs/bin/script"
	chmod 755 "$BUNDLE/rootfs/bin/script"
	nslaunch create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	[ "$(nslaunch state "$ID" | jq -r .status)" = created ]
	run nslaunch start "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"/bin/nosuch"* ]]
	[ "$(nslaunch state "$ID" | jq -r .status)" = stopped ]
	nslaunch delete "$ID"
	assert_nothing_left
}

@test "the process is undumpable until its exec, and holds nothing of the host's" {
	local fd

	config "$mapped | .process.args=[\"sleep\",\"1000\"]"
	nslaunch create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	PID=$(nslaunch state "$ID" | jq .pid)
	# The files of an undumpable process are the host's root's.
	[ "$(stat -c %u "/proc/$PID/environ")" = 0 ]
	# Its own user on the host can't look into it.
	run setpriv --reuid 100000 --regid 100000 --clear-groups ls "/proc/$PID/fd"
	[ "$status" -ne 0 ]
	nslaunch start "$ID"
	[ "$(stat -c %u "/proc/$PID/environ")" = 100000 ]
	for fd in "/proc/$PID/fd"/*; do
		[ "${fd##*/}" -le 2 ]
	done
}

@test "the same container under runc and crun looks the same from inside" {
	local script runtime ours
	# shellcheck disable=SC2016
	script='id; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; grep -E "^(Cap|Groups|NoNew)" /proc/self/status
		stat -c "%u:%g %t:%T" /dev/null /dev/pts /dev/pts/ptmx /proc /sys /dev/shm 2>/dev/null; for n in user mnt pid net uts ipc; do readlink /proc/self/ns/$n | grep -c :; done'

	in_container "$script" "$mapped | .mounts|=map(select(.type!=\"cgroup\"))"
	[ "$status" -eq 0 ]
	ours=$output
	for runtime in runc crun; do
		command -v "$runtime" >/dev/null || continue
		# Not from /dev/null: crun gives the host's own node to the container's user.
		run --separate-stderr "$runtime" --root "$TEST_DIRECTORY/$runtime" run --bundle "$BUNDLE" "$ID" < <(:)
		# They can be stopped by this machine's cgroups; that isn't what is compared.
		[ "$status" -eq 0 ] || { echo "$runtime: $stderr" && continue; }
		diff <(echo "$ours") <(echo "$output")
	done
}
