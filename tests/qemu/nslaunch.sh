#!/bin/sh
# SPDX-License-Identifier: MIT
# nslaunch on plain bundles with cgroup v2 alone, then on a hybrid host and on one with v1 alone: every
# controller's limits, device rules, updates, events, kills and freezes. Speaks TAP, for kernel.sh.
# shellcheck disable=SC2016 # what is in quotes is the container's to expand
# shellcheck disable=SC2317 # the conditions are called by result()
# shellcheck source=tests/qemu/common.sh
export LAMINA_STATE=/tmp/state
. /lamina/common.sh
exec 2>&1

# container SCRIPT [RESOURCES] [LINUX]: runs one; sets $output and $code
container()
{
	config "$@"
	output=$(timeout -s KILL 60 nslaunch run --bundle $bundle c </dev/null 2>&1)
	code=$?
}

# running [RESOURCES] [LINUX] [PID-NAMESPACE]: a container "c" that waits
running()
{
	config 'exec sleep 1000' "$@"
	timeout 60 nslaunch create --bundle $bundle c </dev/null && timeout 60 nslaunch start c
}

no_cgroup_left()
{
	[ -z "$(find /sys/fs/cgroup -mindepth 2 -type d -path '*/lamina/*')" ]
}

# --- cgroup v2 alone ---------------------------------------------------------------------------
here=/sys/fs/cgroup/lamina/c
disk=/tmp/disk
head -c 1m /dev/zero >$disk
losetup /dev/loop0 $disk
loop=$(cat /sys/block/loop0/dev)

files='memory.max memory.swap.max memory.low memory.high cpu.max cpu.max.burst cpu.weight cpuset.cpus'
files="$files cpuset.mems pids.max io.max io.weight hugetlb.2MB.max hugetlb.2MB.rsvd.max"
container "cd /sys/fs/cgroup; for f in $files; do echo \$f \$(cat \$f); done" '{
	"memory": {"limit": 67108864, "swap": 100663296, "reservation": 8388608},
	"cpu": {"shares": 512, "quota": 30000, "period": 60000, "burst": 10000, "cpus": "0", "mems": "0"},
	"pids": {"limit": 33},
	"blockIO": {"weight": 500, "throttleReadBpsDevice": [{"major": '"${loop%:*}"', "minor": '"${loop#*:}"', "rate": 1048576}],
		"throttleWriteIOPSDevice": [{"major": '"${loop%:*}"', "minor": '"${loop#*:}"', "rate": 77}]},
	"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}],
	"unified": {"memory.high": "33554432"}}'
result 'every controller has its limits' said 0 "memory.max 67108864
memory.swap.max 33554432
memory.low 8388608
memory.high 33554432
cpu.max 30000 60000
cpu.max.burst 10000
cpu.weight 59
cpuset.cpus 0
cpuset.mems 0
pids.max 33
io.max $loop rbps=1048576 wbps=max riops=max wiops=77
io.weight default 4950
hugetlb.2MB.max 4194304
hugetlb.2MB.rsvd.max 4194304"
container 'cat /sys/fs/cgroup/cpu.idle' '{"cpu": {"idle": 1}}'
result 'an idle one is idle' said 0 1
container true '{"cpu": {"realtimeRuntime": 1000}}'
result 'a real-time budget, which v2 has none of, is refused' named 125 realtimeRuntime
container true '{"network": {"classID": 3}}'
result 'and so is a class of packets' named 125 net_cls
container true '{"rdma": {"mlx5_0": {"hcaHandles": 3}}}'
result 'and a device for RDMA that is not there' named 125 rdma
container 'exit 6' '{"memory": {"swappiness": 10, "kernelTCP": 4096, "kernel": 4096, "useHierarchy": false, "disableOOMKiller": true}}'
result 'what only v1 has and only tunes is left out, and told' named 6 memory.swappiness
container 'exit 7' '{"memory": {"limit": 524288}}'
result 'a container of 512 KiB runs' ended 7

mount -t tracefs tracefs /sys/kernel/tracing
echo 1 >/sys/kernel/tracing/events/cgroup/cgroup_attach_task/enable
container 'cat /proc/self/cgroup'
output="$output $(grep -c cgroup_attach_task: /sys/kernel/tracing/trace)"
result 'its process is born in its cgroup: nothing is ever moved' said 0 '0::/ 0'
mkdir /sys/fs/cgroup/other
sleep 0 & echo $! >/sys/fs/cgroup/other/cgroup.procs
wait
output=$(grep -c cgroup_attach_task: /sys/kernel/tracing/trace)
result 'and a move would have been seen' [ "$output" != 0 ]
echo 0 >/sys/kernel/tracing/events/cgroup/cgroup_attach_task/enable
rmdir /sys/fs/cgroup/other

kmsg='[ -e /tmp/kmsg ] || mknod /tmp/kmsg c 1 11; echo x >/tmp/kmsg && echo opened; echo y >/dev/null && echo null'
container "$kmsg"
result 'a device that no rule allows does not open' named 0 'not permitted
null'
container "$kmsg" '{"devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 1, "minor": 11, "access": "w"}]}'
result 'one that a rule allows does' said 0 'opened
null'

running '{"memory": {"limit": 67108864, "swap": 67108864}, "pids": {"limit": 30}}'
nslaunch update --memory 128m --memory-swap 160m --cpu-quota 20000 --cpu-burst 9000 c
nslaunch update --memory 32m --memory-swap 48m --cpu-period 50000 c
output=$(cd $here && cat memory.max memory.swap.max cpu.max cpu.max.burst pids.max)
code=0
result 'an update raises and lowers, and leaves the rest' said 0 '33554432
16777216
20000 50000
9000
30'
try nslaunch exec c sh -c 'echo x >/tmp/kmsg'
result 'device rules stay over an update without any' named 1 'not permitted'
echo '{"devices": [{"allow": true, "type": "c", "major": 1, "minor": 11, "access": "w"}]}' >/tmp/r.json
nslaunch update -r /tmp/r.json c
try nslaunch exec c sh -c 'echo x >/tmp/kmsg'
result 'and change by one that has some' ended 0
echo '{"devices": [{"allow": false, "access": "rwm"}]}' >/tmp/r.json
nslaunch update -r /tmp/r.json c
try nslaunch exec c sh -c 'echo x >/tmp/kmsg'
result 'to and fro' named 1 'not permitted'
try nslaunch events --stats c
result 'events --stats reads v2' named 0 '"limit":33554432'
result 'with its pressure' named 0 '"psi":{"some":{"avg10":'
result 'and its processes' named 0 '"pids":{"current":1,"limit":30}'
nslaunch events --interval 1h c >/tmp/events &
events=$!
until_true "ls -l /proc/$events/fd | grep -q inotify"
try nslaunch exec c sh -c 'head -c 64m /dev/zero | tail | wc -c'
until_true '[ -s /tmp/events ]'
output=$(cat /tmp/events)
result 'events tells of an OOM kill' said "$code" '{"type":"oom","id":"c"}'
nslaunch kill c KILL
code=none
until_true "! kill -0 $events 2>/dev/null" && wait $events && code=0
result 'and ends with the container' ended 0
nslaunch delete c

# Without a pid namespace of its own, processes outlive the first one.
running '{}' '' ''
nslaunch exec c sh -c 'for i in 1 2 3 4 5 6 7 8 9; do setsid sleep 1000 & done'
output=$(wc -l <$here/cgroup.procs)
try nslaunch delete --force c
result 'delete --force kills all in it, by cgroup.kill' ended 0
result 'and leaves no process' [ -z "$(pidof sleep)" ]

running
echo 1 >$here/cgroup.freeze
until_true "grep -q 'frozen 1' $here/cgroup.events"
try nslaunch delete --force c
result 'a frozen container is deleted' ended 0
if nslaunch --help | grep -q '^ *pause '; then
	running
	nslaunch pause c
	output="$(cat $here/cgroup.freeze) $(nslaunch state c | grep -c '"paused"')"
	nslaunch resume c
	output="$output $(cat $here/cgroup.freeze)"
	code=0
	result 'pause freezes, resume thaws' said 0 '1 1 0'
	nslaunch delete --force c
fi

mkdir -p /sys/fs/cgroup/mine/busy /sys/fs/cgroup/mine/cold
sleep 1000 & echo $! >/sys/fs/cgroup/mine/busy/cgroup.procs
echo 1 >/sys/fs/cgroup/mine/cold/cgroup.freeze
container true '{}' '"cgroupsPath": "/mine/busy",'
result 'a cgroup with processes in it is refused' named 125 'has processes in it already'
container true '{}' '"cgroupsPath": "/mine/cold",'
result 'and a frozen one' named 125 'is frozen'
kill $!
wait
result 'nothing is left' no_cgroup_left
rmdir /sys/fs/cgroup/mine/busy /sys/fs/cgroup/mine/cold /sys/fs/cgroup/mine

# --- hybrid, then v1 alone -----------------------------------------------------------------------
# v1_mount NAME...: a hierarchy each. A controller is free a moment after the last v2 cgroup with it.
v1_mount()
{
	for hierarchy; do
		mkdir -p "/sys/fs/cgroup/$hierarchy"
		until_true "mount -t cgroup -o $hierarchy $hierarchy /sys/fs/cgroup/$hierarchy 2>/dev/null" ||
			printf '# no v1 hierarchy %s\n' "$hierarchy"
	done
}

# v2_leave DIRECTORY: its controllers are nobody's, and it is gone
v2_leave()
{
	rmdir "$1/lamina" 2>/dev/null
	for controller in memory cpu cpuset io pids hugetlb rdma misc; do
		echo "-$controller" >"$1/cgroup.subtree_control"
	done
	umount "$1"
}

v2_leave /sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
mkdir /sys/fs/cgroup/unified
mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified
v1_mount memory devices freezer cpu,cpuacct cpuset net_cls,net_prio pids blkio

v1_files='memory/memory.limit_in_bytes memory/memory.memsw.limit_in_bytes memory/memory.swappiness'
v1_files="$v1_files cpu/cpu.cfs_quota_us cpu/cpu.shares cpuset/cpuset.cpus pids/pids.max"
v1_files="$v1_files blkio/blkio.throttle.read_bps_device net_cls/net_cls.classid"
v1_resources='"memory": {"limit": 67108864, "swap": 100663296, "swappiness": 9},
	"cpu": {"shares": 512, "quota": 30000, "period": 60000, "cpus": "0"}, "pids": {"limit": 33},
	"blockIO": {"throttleReadBpsDevice": [{"major": '"${loop%:*}"', "minor": '"${loop#*:}"', "rate": 1048576}]},
	"network": {"classID": 1048577, "priorities": [{"name": "lo", "priority": 5}]}'
v1_expected="67108864
100663296
9
30000
512
0
33
$loop 1048576
1048577
lo 5"
v1_script="cd /sys/fs/cgroup; cat $v1_files; grep lo net_prio/net_prio.ifpriomap"
container "$v1_script" "{$v1_resources, \"hugepageLimits\": [{\"pageSize\": \"2MB\", \"limit\": 4194304}]}"
result 'on a hybrid host each limit is where its controller is' said 0 "$v1_expected"
container "$kmsg"
result 'device rules are v1'"'"'s there' named 0 'not permitted
null'
running '{"unified": {"hugetlb.2MB.max": "2097152"}, "memory": {"limit": 67108864}}'
pid=$(cat /sys/fs/cgroup/unified/lamina/c/cgroup.procs)
output=$(cat /sys/fs/cgroup/unified/lamina/c/hugetlb.2MB.max; grep -vc ':/lamina/c$' "/proc/$pid/cgroup")
code=0
result 'its process is in every hierarchy, and unified means v2' said 0 '2097152
0'
nslaunch update --memory 128m --pids-limit 5 c
try nslaunch events --stats c
result 'and its use is read from both' named 0 '"hugetlb":{'
result 'after an update' named 0 '"limit":134217728'
nslaunch delete --force c
result 'nothing is left of it' no_cgroup_left
v2_leave /sys/fs/cgroup/unified
rmdir /sys/fs/cgroup/unified
v1_mount hugetlb
mkdir /sys/fs/cgroup/systemd
mount -t cgroup -o none,name=systemd systemd /sys/fs/cgroup/systemd

container "$v1_script; cat hugetlb/hugetlb.2MB.limit_in_bytes" "{$v1_resources, \"hugepageLimits\": [{\"pageSize\": \"2MB\", \"limit\": 4194304}]}"
result 'with v1 alone too' said 0 "$v1_expected
4194304"
container true '{"unified": {"memory.high": "1"}}'
result 'unified is refused there' named 125 'no cgroup v2'
running '{}' '' ''
nslaunch exec c sh -c 'for i in 1 2 3 4 5 6 7 8 9; do setsid sleep 1000 & done'
echo FROZEN >/sys/fs/cgroup/freezer/lamina/c/freezer.state
try nslaunch delete --force c
result 'a frozen one with many processes is killed' ended 0
result 'and leaves none' [ -z "$(pidof sleep)" ]
result 'and no cgroup' no_cgroup_left

done_with_all
