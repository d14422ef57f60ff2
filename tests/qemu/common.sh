# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What the tests of nslaunch in the virtual machine share: a plain bundle, and TAP.
# shellcheck disable=SC2317 # the conditions are called by result()
number=0
status=0
# Not below /run, which may have nodev.
bundle=/var/lib/bundle
mkdir -p $bundle/rootfs/bin $bundle/rootfs/proc $bundle/rootfs/sys $bundle/rootfs/dev $bundle/rootfs/tmp
if [ ! -e $bundle/rootfs/bin/busybox ]; then
	for busybox in /bin/busybox /lamina/bin/busybox; do
		[ ! -e $busybox ] || cp $busybox $bundle/rootfs/bin/busybox
	done
	for applet in sh cat head tail sleep true false wc mknod kill grep setsid echo seq touch; do
		ln -s busybox $bundle/rootfs/bin/$applet
	done
fi

# config SCRIPT [RESOURCES] [LINUX] [NAMESPACE...] [MORE]: the bundle's config.json
config()
{
	script=$(printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g' | tr '\n' ';')
	resources=${2:-'{}'}
	linux=${3-}
	namespaces=', {"type": "pid"}'
	[ $# -lt 4 ] || namespaces=$4
	capabilities='"CAP_MKNOD","CAP_KILL","CAP_DAC_OVERRIDE"'
	cat >$bundle/config.json <<END
{ "ociVersion": "1.0.2", "root": {"path": "rootfs"}, ${5-}
  "process": { "cwd": "/", "args": ["sh", "-c", "$script"], "env": ["PATH=/bin"],
    "user": {"uid": 0, "gid": 0}, "capabilities": {"bounding": [$capabilities],
    "effective": [$capabilities], "permitted": [$capabilities]} },
  "mounts": [ {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"},
    {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["ro"]},
    {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro"]} ],
  "linux": { $linux "resources": $resources, "namespaces": [ {"type": "mount"}, {"type": "cgroup"},
    {"type": "ipc"}, {"type": "uts"}, {"type": "network"} $namespaces ] } }
END
}

# try COMMAND...: sets $output and $code. By a file, for what a container keeps open is no end.
try()
{
	timeout -s KILL 60 "$@" >/tmp/output 2>&1 </dev/null
	code=$?
	output=$(cat /tmp/output)
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
	{ journalctl -n 5 --no-pager -o cat 2>/dev/null || dmesg | tail -n 3; } | sed 's/^/#   log: /'
}

# said STATUS OUTPUT
said()
{
	[ "$code" = "$1" ] && [ "$output" = "$2" ]
}

# ended STATUS
ended()
{
	[ "$code" = "$1" ]
}

# named STATUS TEXT: the output has the text in it
named()
{
	[ "$code" = "$1" ] && case $output in *"$2"*) true ;; *) false ;; esac
}

# until_true COMMAND: within some seconds
until_true()
{
	for _ in $(seq 100); do
		eval "$1" 2>/dev/null && return
		sleep 0.1
	done
	return 1
}

# done_with_all: the plan, and the status
done_with_all()
{
	printf '1..%d\n' "$number"
	exit "$status"
}
