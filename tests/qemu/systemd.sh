#!/bin/sh
# SPDX-License-Identifier: MIT
# The systemd cgroup driver, asked of a real systemd: scopes with the right properties, delegated, in
# their slice; updated, and gone after the end.
# shellcheck disable=SC2016 # what is in quotes is the container's to expand
# shellcheck disable=SC2317 # the conditions are called by result()
# shellcheck source=tests/qemu/common.sh
export LAMINA_STATE=/run/lamina-test
. /lamina/common.sh

# unit NAME PROPERTY...: what systemd says of it
unit()
{
	scope=$1
	shift
	# shellcheck disable=SC2046 # words
	systemctl show "$scope" $(printf -- '-p %s ' "$@") | sort
}

printf '# %s, %s, cgroup %s\n' "$(systemctl --version | head -n 1)" "$(uname -r)" "$(stat -f -c %T /sys/fs/cgroup)"

limits='{"memory": {"limit": 67108864, "swap": 100663296, "reservation": 8388608},
	"cpu": {"shares": 512, "quota": 30000, "period": 60000, "cpus": "0"}, "pids": {"limit": 33},
	"unified": {"memory.high": "33554432"}}'
config 'exec sleep 1000' "$limits" '"cgroupsPath": "machine.slice:libpod:one",' ', {"type": "pid"}' '"annotations": {"org.systemd.property.TimeoutStopUSec": "uint64 7000000",
	"org.systemd.property.ExecStopPost": "['"'/bin/touch /run/escaped'"']", "org.systemd.property.MemoryMax": "uint64 1"},'
try nslaunch --systemd-cgroup create --bundle $bundle one
result 'create asks systemd for a scope' ended 0
result 'and tells which annotations are no properties' named 0 'org.systemd.property.ExecStopPost'
output=$(unit libpod-one.scope ActiveState Slice Delegate DefaultDependencies ControlGroup MemoryMax MemorySwapMax \
	MemoryLow MemoryHigh TasksMax CPUWeight CPUQuotaPerSecUSec AllowedCPUs TimeoutStopUSec ExecStopPost)
code=0
result 'it has the properties that the limits mean' said 0 'ActiveState=active
AllowedCPUs=0
CPUQuotaPerSecUSec=500ms
CPUWeight=59
ControlGroup=/machine.slice/libpod-one.scope
DefaultDependencies=no
Delegate=yes
MemoryHigh=33554432
MemoryLow=8388608
MemoryMax=67108864
MemorySwapMax=33554432
Slice=machine.slice
TasksMax=33
TimeoutStopUSec=7s'
cgroup=/sys/fs/cgroup/machine.slice/libpod-one.scope
output=$(cd $cgroup && cat memory.max memory.swap.max memory.high pids.max cpu.max cpu.weight cpuset.cpus)
result 'and the control files say the same' said 0 '67108864
33554432
33554432
33
30000 60000
59
0'
output=$(nslaunch state one | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p'; cat $cgroup/cgroup.procs)
result 'the container alone is in it' [ "$(echo "$output" | sort -u | wc -l)" = 1 ]
try nslaunch --systemd-cgroup start one
result 'start' ended 0
try nslaunch exec one sh -c 'cat /proc/self/cgroup; mknod /tmp/kmsg c 1 11; echo x >/tmp/kmsg'
result 'an exec is in it too, under its device rules' named 1 '0::/
sh: can'"'"'t create /tmp/kmsg: Operation not permitted'
systemctl daemon-reload
output=$(cat $cgroup/memory.max $cgroup/pids.max)
code=0
result 'a reload of systemd leaves all as it is' said 0 '67108864
33'
try nslaunch --systemd-cgroup update --memory 128m --memory-swap 128m --pids-limit 44 --cpu-share 1024 one
result 'update' ended 0
output="$(unit libpod-one.scope MemoryMax TasksMax CPUWeight) $(cat $cgroup/memory.max $cgroup/pids.max $cgroup/cpu.weight)"
result 'is told to systemd, and is in the files' said 0 'CPUWeight=100
MemoryMax=134217728
TasksMax=44 134217728
44
100'
systemctl daemon-reload
result 'and stays over a reload' [ "$(cat $cgroup/memory.max)" = 134217728 ]
try nslaunch --systemd-cgroup create --bundle $bundle two
result 'a second scope of that name is refused' named 1 "scope 'libpod-one.scope'"
try nslaunch --systemd-cgroup kill one KILL
until_true 'nslaunch state one | grep -q stopped'
try nslaunch --systemd-cgroup delete one
result 'kill and delete' ended 0
output=$(unit libpod-one.scope ActiveState LoadState)
result 'the scope is gone' said 0 'ActiveState=inactive
LoadState=not-found'
result 'and its cgroup' [ ! -e $cgroup ]
result 'no annotation ran a command' [ ! -e /run/escaped ]

config 'exec cat /sys/fs/cgroup/pids.max /proc/self/cgroup' '{"pids": {"limit": 1}, "memory": {"limit": 524288}}'
try nslaunch --systemd-cgroup run --bundle $bundle three
result 'run, in the default slice, with limits that the making of it must not meet' said 0 '1
0::/'
result 'leaves no unit' [ -z "$(systemctl list-units --all --no-legend 'lamina-*.scope')" ]
result 'and no cgroup' [ -z "$(find /sys/fs/cgroup -name 'lamina-*.scope')" ]
config 'exec /nosuch'
try nslaunch --systemd-cgroup run --bundle $bundle four
result 'nor does one that fails' [ -z "$(systemctl list-units --all --no-legend 'lamina-*.scope')" ]
config 'exit 0' '{"memory": {"swap": 4096}}'
try nslaunch --systemd-cgroup run --bundle $bundle four
result 'nor one whose limits are wrong' [ "$code" = 125 ]
result 'as no unit tells' [ -z "$(systemctl list-units --all --no-legend 'lamina-*.scope')" ]
config 'sh -c "for i in 1 2 3 4 5; do setsid sleep 1000 & done"; exec sleep 1000'
try nslaunch --systemd-cgroup create --bundle $bundle five
timeout 60 nslaunch start five
until_true '[ "$(cat /sys/fs/cgroup/system.slice/lamina-five.scope/cgroup.procs | wc -l)" = 6 ]'
try nslaunch --systemd-cgroup delete --force five
result 'delete --force ends all' ended 0
result 'and the scope with them' [ ! -e /sys/fs/cgroup/system.slice/lamina-five.scope ]
result 'nothing of it fails in systemd' [ -z "$(systemctl list-units --failed --no-legend '*.scope')" ]

# A user's own systemd, by the helper alone.
echo 'user:x:1000:1000::/tmp:/bin/sh' >>/etc/passwd
echo 'user:x:1000:' >>/etc/group
mkdir -p /run/user/1000
chown 1000:1000 /run/user/1000
systemd-run --quiet --unit=user-systemd --uid=1000 --gid=1000 -p Delegate=yes --setenv=XDG_RUNTIME_DIR=/run/user/1000 \
	/lib/systemd/systemd --user
until_true '[ -S /run/user/1000/systemd/private ]'
# From inside of what was delegated to it: out of elsewhere a user can move nobody.
mkdir /sys/fs/cgroup/system.slice/user-systemd.service/session
try sh -c 'echo $$ >/sys/fs/cgroup/system.slice/user-systemd.service/session/cgroup.procs
	{ sleep 1; echo go; } | setpriv --reuid 1000 --regid 1000 --clear-groups \
		env XDG_RUNTIME_DIR=/run/user/1000 nslaunch-systemd --user scope p-x.scope Slice=s:user.slice Delegate=b:true'
result 'the helper asks a user'"'"'s systemd, too' said 0 'cgroup /system.slice/user-systemd.service/user.slice/p-x.scope
done'
try setpriv --reuid 1000 --regid 1000 --clear-groups env -u XDG_RUNTIME_DIR -u DBUS_SESSION_BUS_ADDRESS \
	nslaunch-systemd --user stop p-x.scope
result 'and says what is missing without a session' named 1 'cannot reach the user'"'"'s systemd'
done_with_all
