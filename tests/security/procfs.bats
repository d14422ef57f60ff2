#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What is written below /proc, and cgroups: only the container's own.
# docs/security.md has the table of all attacks.

load attack

@test "CVE-2019-16884, 2025-52881: nothing but a procfs lies on /proc, and little in it" {
	local path
	mkdir "$BUNDLE/fake"
	ln -s /proc "$BUNDLE/rootfs/link"
	for path in /proc /proc/sys /proc/self /proc/self/attr /proc/thread-self/attr /proc/sysrq-trigger /proc/1 \
		/proc/sys/kernel/core_pattern /proc/. /tmp/../proc/sys /link /link/sys /link/self/attr; do
		in_container true ".mounts+=[{\"destination\":\"$path\",\"type\":\"bind\",\"source\":\"$BUNDLE/fake\",\"options\":[\"bind\"]}]"
		[ "$status" -ne 0 ] || escaped "a bind on $path"
		refused
		in_container true ".mounts+=[{\"destination\":\"$path\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}]"
		[ "$status" -ne 0 ] || escaped "a tmpfs on $path"
		refused
	done
	nothing_left
}

@test "CVE-2025-52881: what an image has at /proc has no say in what is written there" {
	nslaunch_only
	mkdir -p "$BUNDLE/rootfs/proc/self" "$BUNDLE/rootfs/proc/sys/net/ipv4"
	ln -s "$CANARY/file" "$BUNDLE/rootfs/proc/self/oom_score_adj"
	ln -s "$CANARY/file" "$BUNDLE/rootfs/proc/sys/net/ipv4/ip_forward"
	in_container true '.process.oomScoreAdj=500 | .linux.sysctl={"net.ipv4.ip_forward":"1"} | .mounts|=map(select(.destination!="/proc"))'
	[ "$status" -eq 0 ]
	canary_lives
	in_container 'cat /proc/self/oom_score_adj /proc/sys/net/ipv4/ip_forward' '.process.oomScoreAdj=500 | .linux.sysctl={"net.ipv4.ip_forward":"1"}'
	[ "$output" = $'500\n1' ]
}

# The attack: a volume that two containers share has a directory exchanged with a link into /proc, so
# that a mount lands on what the runtime writes next, and its write in a file of the attacker's.
@test "CVE-2025-52881: a mount that is raced onto /proc/self catches no write" {
	local value
	mkdir -p "$BUNDLE/volume/a/attr" "$BUNDLE/volume/fake"
	ln -s /proc/self "$BUNDLE/volume/b"
	swap "$BUNDLE/volume/a" "$BUNDLE/volume/b"
	config ".process.args=[\"true\"] | .process.oomScoreAdj=321 | .linux.sysctl={\"net.ipv4.ip_forward\":\"1\"}
		| .mounts+=[{\"destination\":\"/vol\",\"type\":\"bind\",\"source\":\"$BUNDLE/volume\",\"options\":[\"bind\"]},
		{\"destination\":\"/vol/a/attr\",\"type\":\"bind\",\"source\":\"$BUNDLE/volume/fake\",\"options\":[\"bind\"]},
		{\"destination\":\"/vol/a/oom_score_adj\",\"type\":\"bind\",\"source\":\"$CANARY/file\",\"options\":[\"bind\"]}]"
	rounds "$ROUNDS"
	swap_end
	canary_lives
	nothing_left
	# None is on the procfs of one that has started either.
	ln -sfn /proc/self "$BUNDLE/volume/a.link"
	in_container 'cat /proc/self/mountinfo' ".mounts+=[{\"destination\":\"/vol\",\"type\":\"bind\",\"source\":\"$BUNDLE/volume\",\"options\":[\"bind\"]},
		{\"destination\":\"/vol/a.link/attr\",\"type\":\"bind\",\"source\":\"$BUNDLE/volume/fake\",\"options\":[\"bind\"]}]"
	[[ $output != */proc/self/* && $output != */proc/1/* ]] || escaped "$output"
	refused
}

@test "CVE-2025-52881: a canary in the place of core_pattern is not written by a sysctl or a mask" {
	local i
	mkdir -p "$BUNDLE/volume/p"
	ln -s /proc/sys "$BUNDLE/volume/q"
	swap "$BUNDLE/volume/p" "$BUNDLE/volume/q"
	for i in $(seq $((ROUNDS / 2))); do
		in_container true ".linux.sysctl={\"net.ipv4.ip_forward\":\"1\"} | .linux.maskedPaths=[\"/vol/p/kernel\"] | .linux.readonlyPaths=[\"/vol/p/net\"]
			| .mounts+=[{\"destination\":\"/vol\",\"type\":\"bind\",\"source\":\"$BUNDLE/volume\",\"options\":[\"bind\"]},
			{\"destination\":\"/vol/p/net\",\"type\":\"bind\",\"source\":\"$CANARY\",\"options\":[\"bind\"]}]"
		[ "$status" -eq 0 ] || refused
	done
	swap_end
	canary_lives
}

@test "CVE-2022-0811: a sysctl's name is a name" {
	local name
	nslaunch_only
	for name in 'kernel.shm_rmid_forced+kernel.core_pattern' 'net.ipv4.x=1' 'net/../kernel/core_pattern' 'net.ipv4.a b' '../kernel' \
		'net.ipv4/../../kernel/core_pattern' $'net.x\ny' ''; do
		in_container true ".linux.sysctl={$(jq -Rs . <<<"$name" | sed 's/\\n"$/"/'):\"1\"}"
		refused "bad name"
	done
}

# sysctl_tried NAME [FILTER] - it is refused. Written is what it has already: where an attack succeeds it
# must change nothing.
sysctl_tried() {
	local value

	value=$(tr -d '\n' <"/proc/sys/${1//.//}" 2>/dev/null) || return 0
	in_container true ".linux.sysctl={\"$1\":\"$value\"} | ${2:-.}"
	[ "$status" -ne 0 ] || escaped "$*"
	refused
}

@test "CRI-O 2022-0811: sysctls that are the host's can't be set" {
	local name
	for name in kernel.core_pattern kernel/core_pattern kernel.hostname vm.swappiness fs.file-max kernel.sysrq user.max_user_namespaces; do
		sysctl_tried "$name"
	done
	sysctl_tried net.ipv4.ip_forward '.linux.namespaces|=map(select(.type!="network"))'
	sysctl_tried kernel.msgmax '.linux.namespaces|=map(select(.type!="ipc"))'
	sysctl_tried net.ipv4.ip_forward '.linux.namespaces|=map(if .type=="network" then .path="/proc/self/ns/net" else . end)'
}

WRITE_CGROUPS='for d in /sys/fs/cgroup /sys/fs/cgroup/*; do [ -L $d ] || touch $d/x 2>/dev/null && echo $d; done
for f in /sys/fs/cgroup/*/release_agent /sys/fs/cgroup/*/tasks /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/*/cgroup.procs; do
	[ ! -e $f ] || (echo 0 >$f) 2>/dev/null && [ -e $f ] && echo $f; done; true'

@test "CVE-2023-25809, 2022-0492: the cgroups that a container sees can't be written" {
	in_container "$WRITE_CGROUPS"
	[ "$status" -eq 0 ]
	[ -z "$output" ] || escaped "$output"
	in_container "$WRITE_CGROUPS" '.linux.namespaces|=map(select(.type!="cgroup"))'
	[ "$status" -eq 0 ]
	[ -z "$output" ] || escaped "$output"
	# Nor where somebody else's can be seen.
	nslaunch_only
	in_container 'ls /sys/fs/cgroup/*/.. | grep lamina' '.linux.namespaces|=map(select(.type!="cgroup"))'
	[ -z "$output" ] || escaped "$output"
}

@test "CVE-2022-0492: with the default profile nobody gets a user namespace to mount cgroups in" {
	local bundle
	nslaunch_only
	need layerfs initlayer
	import_busybox
	bundle=$(layerfs create busybox | initlayer | nslaunch spec -- sh -c '
		unshare -U true 2>&1; unshare -m true 2>&1; mount -t cgroup none /mnt 2>&1; mount -o remount,rw /sys/fs/cgroup 2>&1; mount -o remount,rw /proc/sys 2>&1')
	run nslaunch run --bundle "$bundle" 3>&-
	layerfs rm "${bundle##*/}"
	[ "$(grep -ciE 'not permitted|denied' <<<"$output")" -eq 5 ] || escaped "$output"
}

@test "containerd 2025-47291: a cgroupsPath stays below what it names" {
	local path
	nslaunch_only
	for path in /a/../../b .. /.. a/.. / . "" /a//../..; do
		in_container true ".linux.cgroupsPath=\"$path\""
		[ "$status" -ne 0 ] || [ -z "$path" ] || escaped "$path"
	done
	nothing_left
}
