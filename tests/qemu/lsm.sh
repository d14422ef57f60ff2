#!/bin/sh
# SPDX-License-Identifier: MIT
# What Debian 12's kernel (6.1) has of security modules: Landlock as old as that kernel (no rules for
# truncation, ports and scopes), and AppArmor.
# shellcheck disable=SC2016 # what is in quotes is the container's to expand
# shellcheck disable=SC2317 # the conditions are called by result()
export LAMINA_STATE=/tmp/state
number=0
status=0
bundle=/tmp/bundle
mkdir -p $bundle/rootfs/bin $bundle/rootfs/proc $bundle/rootfs/dev $bundle/rootfs/tmp $bundle/rootfs/data
cp /bin/busybox $bundle/rootfs/bin/
for applet in sh cat touch sleep truncate; do
	ln -s busybox $bundle/rootfs/bin/$applet
done
echo content >$bundle/rootfs/data/file
exec 2>&1

# config SCRIPT [RULES] [PROFILE]: the bundle's config.json
config()
{
	script=$(printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g' | tr '\n' ';')
	annotations=
	[ -z "${2-}" ] || annotations="\"annotations\": {\"lamina.landlock\": \"$2\"},"
	cat >$bundle/config.json <<END
{ "ociVersion": "1.0.2", "root": {"path": "rootfs"}, $annotations
  "process": { "cwd": "/", "args": ["sh", "-c", "$script"], "env": ["PATH=/bin"],
    "user": {"uid": 0, "gid": 0}, "apparmorProfile": "${3-}" },
  "mounts": [ {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"} ],
  "linux": { "namespaces": [ {"type": "mount"}, {"type": "pid"}, {"type": "ipc"} ] } }
END
}

# container SCRIPT [RULES] [PROFILE]: runs one; sets $output and $code
container()
{
	config "$@"
	output=$(timeout -s KILL 60 nslaunch run --bundle $bundle c </dev/null 2>&1)
	code=$?
}

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
}

said()
{
	[ "$code" = "$1" ] && [ "$output" = "$2" ]
}

# has TEXT: the output
has()
{
	case $output in
	*"$1"*) return 0 ;;
	esac
	return 1
}

container 'cat /data/file' 'rx:/'
result 'what this Landlock cannot restrict is refused' said 125 "nslaunch: run: container 'c': \
lamina.landlock: this kernel can't restrict truncating files (Linux 6.2 can): the word 'best-effort' \
lets it be left out"
container 'cat /data/file' 'tcp-bind:none'
result 'ports are refused' has "this kernel can't restrict TCP ports (Linux 6.7 can)"
container 'cat /data/file' 'scope:signal'
result 'scopes are refused' has "this kernel can't restrict signals and sockets (Linux 6.12 can)"

container 'cat /data/file; touch /data/new; touch /tmp/new && echo made' \
	'rx:/ rw:/tmp tcp-bind:none best-effort'
result 'the best it can: a warning, and the rest holds' said 0 "nslaunch: warning: lamina.landlock: \
this kernel can't restrict truncating files (Linux 6.2 can)
content
touch: /data/new: Permission denied
made"
config 'sleep 100' 'rx:/ best-effort'
{
	nslaunch create --bundle $bundle c && nslaunch start c
} </dev/null >/tmp/log 2>&1
output=$(nslaunch --log /tmp/log exec c touch /data/new 2>&1)
code=$?
nslaunch delete --force c
result 'an exec is bound too' has '/data/new: Permission denied'

output=$(cat /sys/module/apparmor/parameters/enabled)
code=$?
result 'AppArmor is there' said 0 Y
container 'cat /proc/self/attr/current' '' unconfined
result 'a profile is taken on at the exec' said 0 unconfined
container 'true' '' no-such-profile
result 'one that is not loaded is named' said 125 "nslaunch: run: container 'c': \
process.apparmorProfile: 'no-such-profile' is not loaded"

printf '1..%d\n' "$number"
exit "$status"
