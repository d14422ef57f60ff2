#!/bin/sh
# SPDX-License-Identifier: MIT
# The systemd cgroup driver where systemd has the v1 hierarchies, with v2's beside them for itself.
# shellcheck disable=SC2016 # what is in quotes is the container's to expand
# shellcheck disable=SC2317 # the conditions are called by result()
# shellcheck source=tests/qemu/common.sh
export LAMINA_STATE=/run/lamina-test
. /lamina/common.sh

printf '# %s, %s, cgroup %s\n' "$(systemctl --version | head -n 1)" "$(uname -r)" "$(ls -m /sys/fs/cgroup)"
path=machine.slice/libpod-one.scope
config 'exec sleep 1000' '{"memory": {"limit": 67108864}, "cpu": {"shares": 512, "quota": 30000, "period": 60000},
	"pids": {"limit": 33}, "devices": [{"allow": false, "access": "rwm"},
	{"allow": true, "type": "c", "major": 1, "minor": 11, "access": "w"},
	{"allow": true, "type": "b", "major": 7, "access": "r"}]}' '"cgroupsPath": "machine.slice:libpod:one",'
try nslaunch --systemd-cgroup create --bundle $bundle one
result 'create asks systemd for a scope' said 0 ''
output=$(systemctl show libpod-one.scope -p ActiveState -p Slice -p Delegate -p MemoryLimit -p CPUShares -p TasksMax | sort)
result 'it has the properties that the limits mean' said 0 'ActiveState=active
CPUShares=512
Delegate=yes
MemoryLimit=67108864
Slice=machine.slice
TasksMax=33'
pid=$(nslaunch state one | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p')
output=$(grep -v ":/$path\$" "/proc/$pid/cgroup")
result 'the process is in it in every hierarchy' said 0 ''
limits()
{
	(cd /sys/fs/cgroup && cat memory/$path/memory.limit_in_bytes cpu/$path/cpu.shares pids/$path/pids.max \
		devices/$path/devices.list | sort)
}
limits >/tmp/before
result 'limits and device rules are in the files' [ "$(grep -c . /tmp/before)" = 15 ]
systemctl daemon-reload
systemctl set-property --runtime libpod-one.scope CPUShares=600
nslaunch --systemd-cgroup update --cpu-share 512 one
try sh -c "cd /sys/fs/cgroup && cat memory/$path/memory.limit_in_bytes cpu/$path/cpu.shares pids/$path/pids.max \
	devices/$path/devices.list | sort | diff /tmp/before -"
result 'and stay over a reload and a change of systemd'"'"'s' said 0 ''
try nslaunch --systemd-cgroup update --memory 128m --pids-limit 44 one
output="$(systemctl show libpod-one.scope -p MemoryLimit -p TasksMax) $(cat /sys/fs/cgroup/memory/$path/memory.limit_in_bytes)"
result 'update is told to systemd, and is in the files' said 0 'MemoryLimit=134217728
TasksMax=44 134217728'
nslaunch start one
try nslaunch delete --force one
result 'delete --force' ended 0
result 'leaves no unit' [ -z "$(systemctl list-units --all --no-legend 'libpod-*.scope')" ]
result 'and no cgroup in any hierarchy' [ -z "$(find /sys/fs/cgroup -name 'libpod-*.scope')" ]
done_with_all
