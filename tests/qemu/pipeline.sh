#!/bin/sh
# SPDX-License-Identifier: MIT
# The pipeline on Debian 12's kernel with nothing but cgroup v2: images are imported, and containers
# run with limits, device rules and a view of their cgroup.
# shellcheck disable=SC2016 # what is in quotes is the container's to expand
# shellcheck disable=SC2317 # the conditions are called by result()
export LAMINA_STORE=/dev/shm/store LAMINA_STATE=/dev/shm/state
number=0
status=0

# container [SPEC-OPTION...] -- COMMAND...: sets $output and $code. Before it, $create has options
# of layerfs create, and $image the image.
container()
{
	output=
	# shellcheck disable=SC2086 # options are words
	bundle=$(layerfs create ${create-} "${image:-busybox}" </dev/null | initlayer |
		nslaunch spec "$@")
	if [ -z "$bundle" ]; then
		code=none
		return
	fi
	output=$(timeout -s KILL 60 nslaunch run --bundle "$bundle" </dev/null 2>&1)
	code=$?
	layerfs rm "$bundle" >/dev/null || code="$code, and layerfs rm failed"
}

# result NAME COMMAND...: a case, which passes when the command does
result()
{
	name=$1
	shift
	number=$((number + 1))
	if "$@"; then
		printf 'ok %d - %s\n' "$number" "$name"
		return
	fi
	status=1
	printf 'not ok %d - %s\n# %s\n# status %s, output:\n' "$number" "$name" "$*" "$code"
	printf '%s\n' "$output" | sed 's/^/#   /'
	dmesg | tail -n 3 | sed 's/^/#   kernel: /'
}

# said STATUS OUTPUT: by the last container
said()
{
	[ "$code" = "$1" ] && [ "$output" = "$2" ]
}

# ended STATUS: the last container, whatever it printed
ended()
{
	[ "$code" = "$1" ]
}

# No container's cgroup is left, and no mount.
nothing_left()
{
	set -- /sys/fs/cgroup/lamina/*/
	[ "$1" = '/sys/fs/cgroup/lamina/*/' ] && ! grep -q overlay /proc/mounts
}

# traced PHASE: the last container went that way
traced()
{
	grep -q "\"phase\":\"$1\"" /tmp/trace && rm /tmp/trace
}

output=$(layerfs import /lamina/images/busybox 2>&1)
code=$?
result 'an image is imported' said 0 busybox:latest

container --hostname there -- sh -c 'echo "$$ on $(hostname)"; exit 7'
result 'a container runs, and its status is relayed' said 7 '1 on there'
export LAMINA_TRACE=/tmp/trace
container --hostname there -- sh -c 'echo "$$ on $(hostname)"; ls /dev/null; ls /; exit 7' >/dev/null
result 'it starts from the template of its mounts' traced root.template
output=$(nslaunch pool fill -n 1 2>&1 && nslaunch pool status)
code=$?
result 'pools are filled' said 0 "$(printf 'net\t1\t0\ncgroup\t1\t0\ndev\t1\t0')"
container --network none -- sh -c 'head -n 1 /proc/self/cgroup; ls /dev/null /dev/pts/ptmx; ls /sys/class/net; cat /sys/class/net/lo/operstate'
result 'and a container is made of what is in them' said 0 '0::/
/dev/null
/dev/pts/ptmx
lo
unknown'
result 'all of it' traced pool.settle
output=$(nslaunch pool status 2>&1 && nslaunch pool drain)
code=$?
result 'each is used once' said 0 "$(printf 'net\t0\t0\ncgroup\t0\t0\ndev\t0\t0')"
unset LAMINA_TRACE
container -- sh -c 'kill -KILL $$; sleep 1; kill -TERM $$; exit 3'
result 'pid 1 is not hit by its own signals' ended 3
container -- /nosuch
result 'a missing program is 127' ended 127

container -- sh -c 'cat /proc/self/cgroup; cat /sys/fs/cgroup/cgroup.procs | head -n 1;
	touch /sys/fs/cgroup/x 2>/dev/null || echo read-only'
result 'it sees its own cgroup as the root of them, read-only' said 0 '0::/
1
read-only'
container --cgroupns host -- sh -c 'test -e "/sys/fs/cgroup$(sed s/0::// /proc/self/cgroup)/cgroup.procs"'
result 'with the host'"'"'s cgroup namespace, its path is where it says' ended 0

container -m 32m -- sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory.swap.max'
result 'limits of memory are v2'"'"'s: -m alone allows as much swap' said 0 '33554432
33554432'
container -m 16m --memory-swap 16m -- sh -c 'head -c 64m /dev/zero | tail | wc -c; exit 4'
result 'a process over the memory limit is killed, its shell goes on' ended 4
container --pids-limit 4 -- sh -c 'for i in 1 2 3 4 5 6; do sleep 9 & done; cat /sys/fs/cgroup/pids.max'
result 'more processes than allowed are refused' ended 2
container --cpus 0.5 --cpu-shares 512 --cpuset-cpus 0 -- sh -c \
	'cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu.weight /sys/fs/cgroup/cpuset.cpus'
result 'limits of the processor are v2'"'"'s' said 0 '50000 100000
59
0'

# A device that whoever may open it may read: 4 bytes.
latency=$(cat /sys/class/misc/cpu_dma_latency/dev)
node="mknod /tmp/latency c ${latency%:*} ${latency#*:}"
container -- sh -c "echo x >/dev/null && head -c 1 /dev/zero | wc -c
	$node && head -c 4 /tmp/latency"
result 'device rules: null and zero open, others do not' said 1 \
	'1
head: /tmp/latency: Operation not permitted'
container --privileged -- sh -c "$node && head -c 4 /tmp/latency | wc -c"
result 'a privileged container opens every device' said 0 4
container --device /dev/cpu_dma_latency -- sh -c 'head -c 4 /dev/cpu_dma_latency | wc -c'
result 'a device that was given opens' said 0 4
container --device-cgroup-rule "c $latency r" -- sh -c "$node; head -c 4 /tmp/latency | wc -c
	: >/tmp/latency"
result 'a device rule allows no more than it says' said 1 \
	"4
sh: can't create /tmp/latency: Operation not permitted"

container -- sh -c 'sleep 99 & sleep 99 & exit 5'
result 'what a container leaves running ends with it' ended 5
create=--ephemeral=2m container -- sh -c 'dd if=/dev/zero of=/x bs=64k count=64 2>&1 | head -n 1'
result 'an ephemeral container runs, and its size is kept' said 0 \
	"dd: error writing '/x': No space left on device"
result 'nothing is left behind' nothing_left

# Warnings: no user xattrs on 6.1's tmpfs.
output=$(layerfs import /lamina/images/many 2>/dev/null)
code=$?
result 'an image of 120 layers is imported' said 0 many:latest
image=many container -- sh -c 'echo ran'
result 'and runs, though 6.1 has no lowerdir+' said 0 ran

output=$(layerfs create -n 5 busybox </dev/null | initlayer | nslaunch spec -- sh -c 'echo x' |
	tee /tmp/bundles | nslaunch run -j 2 2>&1 | wc -l)
code=$?
result 'a stream of containers runs' said 0 5
output=$(layerfs rm </tmp/bundles 2>&1)
code=$?
result 'and is removed' ended 0

bundle=$(layerfs create busybox </dev/null | initlayer | nslaunch spec -- sleep 99)
{
	timeout 20 nslaunch create --bundle "$bundle" one && timeout 20 nslaunch start one &&
		timeout 20 nslaunch kill one KILL && sleep 1 && timeout 20 nslaunch delete one
	code=$?
} </dev/null >/tmp/output 2>&1
output=$(cat /tmp/output)
result 'create, start, kill and delete' said 0 ''
layerfs rm "$bundle" >/dev/null
result 'nothing is left behind by them' nothing_left

umount /sys/fs/cgroup
container -- echo ran
result 'without any cgroups a container runs, and is warned about devices' [ "$code" = 0 ]
container -m 32m -- echo ran
result 'and a limit is refused by its name' [ "$code" = 125 ]
printf '# %s\n' "$output"

printf '1..%d\n' "$number"
exit "$status"
