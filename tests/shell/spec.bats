#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# nslaunch spec as a user meets it: a bundle with an image's config becomes one with a config.json.
load helpers

data=$LAMINA_SOURCE/tests/shell/data/spec

# bundle_make [NAME] - a bundle as layerfs and initlayer leave it; sets $bundle
bundle_make()
{
	bundle=$TEST_DIRECTORY/${1:-0123456789abcdef}
	mkdir -p "$bundle"/{upper,work,rootfs}
	cp "$data/passwd" "$data/group" "$bundle/"
	cp "$data/plain.json" "$bundle/image-config.json"
	printf '/layers/two/diff\n/layers/one/diff\n' >"$bundle/layers"
	echo /init/three/diff >"$bundle/init-layer"
	: >"$bundle/lock"
}

# refused STATUS MESSAGE OPTION... - spec fails with these words and writes nothing
refused()
{
	local status_wanted=$1 message=$2

	shift 2
	run --separate-stderr nslaunch spec --bundle "$bundle" "$@"
	if [ "$status" -ne "$status_wanted" ] || [ -n "$output" ] ||
		[[ $stderr != "nslaunch: spec: "*"$message"* ]] ||
		[ -n "$(find "$bundle" -name '*.tmp' -o -name config.json -o -name container.json)" ]; then
		printf '%s\nstatus %s: %s%s\n' "spec $*" "$status" "$output" "$stderr"
		return 1
	fi
}

field()
{
	jq -c "$1" "$bundle/config.json"
}

@test "a bundle gets its files, readable as they are needed, and its path is printed" {
	bundle_make
	run --separate-stderr nslaunch spec --bundle "$bundle"
	[ "$status" -eq 0 ]
	[ "$output" = "$bundle" ]
	[ -z "$stderr" ]
	[ "$(find "$bundle" -mindepth 1 -printf '%P\n' | sort | tr '\n' ' ')" = "config.json container.json group hostname \
hosts image-config.json init-layer layers lock overlay passwd resolv.conf rootfs upper work " ]
	[ "$(stat -c %a "$bundle"/{config.json,container.json,overlay} | tr '\n' ' ')" = "600 600 600 " ]
	[ "$(stat -c %a "$bundle"/{hostname,hosts,resolv.conf} | tr '\n' ' ')" = "644 644 644 " ]
	[ "$(cat "$bundle/overlay")" = "lower /init/three/diff
lower /layers/two/diff
lower /layers/one/diff
upper $bundle/upper
work $bundle/work" ]
	[ "$(cat "$bundle/hostname")" = 0123456789ab ]
	head -n 1 "$bundle/hosts" | grep -qx '127.0.0.1	localhost'
}

@test "the caller's umask does not hide hosts from the container's user" {
	bundle_make
	(umask 077 && nslaunch spec --bundle "$bundle")
	[ "$(stat -c %a "$bundle/hosts")" = 644 ]
}

@test "what spec makes says what Docker 20.10 says for the same options, in 77 cases" {
	"$data/compare" "$data/docker-20.10.json" "$TEST_DIRECTORY"
}

@test "bundles come from standard input, and each that succeeds is printed at once" {
	bundle_make one
	bundle_make two
	mkfifo in
	nslaunch spec <in >out 2>err 3>&- &
	local spec=$! status=0
	exec 9>in
	printf '%s\n' "$TEST_DIRECTORY/one" >&9
	until_true [ -s out ]
	[ "$(cat out)" = "$TEST_DIRECTORY/one" ]
	printf '%s\n%s' "$TEST_DIRECTORY/nothing" "$TEST_DIRECTORY/two" >&9
	exec 9>&-
	wait "$spec" || status=$?
	[ "$status" -eq 1 ]
	[ "$(cat out)" = "$TEST_DIRECTORY/one
$TEST_DIRECTORY/two" ]
	[ "$(cat err)" = "nslaunch: spec: bundle '$TEST_DIRECTORY/nothing': cannot open: No such file or \
directory" ]
}

@test "-0 reads and prints NUL-terminated paths" {
	bundle_make one
	bundle_make two
	printf '%s\0%s\0' "$TEST_DIRECTORY/one" "$TEST_DIRECTORY/two" >in
	nslaunch spec -0 <in >out
	cmp in out
}

@test "a command replaces the image's, its own options included" {
	bundle_make
	nslaunch spec --bundle "$bundle" ls -l --bundle x -- y
	[ "$(field .process.args)" = '["ls","-l","--bundle","x","--","y"]' ]
	nslaunch spec --force --bundle "$bundle" -- -x
	[ "$(field .process.args)" = '["-x"]' ]
}

@test "a second spec needs --force, and replaces everything" {
	bundle_make
	nslaunch spec --bundle "$bundle" -h first
	run --separate-stderr nslaunch spec --bundle "$bundle"
	[ "$status" -eq 1 ]
	[[ $stderr = *"it has a config.json; --force replaces it" ]]
	nslaunch spec --bundle "$bundle" --force -h second
	[ "$(field .hostname)" = '"second"' ]
	[ "$(cat "$bundle/hostname")" = second ]
}

@test "what a killed spec left does not hinder the next" {
	bundle_make
	echo garbage >"$bundle/overlay"
	echo garbage >"$bundle/hosts"
	echo '{' >"$bundle/container.json"
	nslaunch spec --bundle "$bundle"
	jq -e .Id "$bundle/container.json"
	grep -q '^lower ' "$bundle/overlay"
}

@test "a bundle in use is refused, and spec does not wait for it" {
	bundle_make
	exec 9<"$bundle/lock"
	flock -s 9
	refused 1 "it is in use"
	flock -u 9
	nslaunch spec --bundle "$bundle"
}

@test "an ephemeral bundle has its size in place of the upper" {
	bundle_make
	rmdir "$bundle/upper" "$bundle/work"
	echo 1048576 >"$bundle/ephemeral"
	nslaunch spec --bundle "$bundle"
	[ "$(tail -n 1 "$bundle/overlay")" = "ephemeral 1048576" ]
}

@test "files that are not whole, not understood or not there are refused" {
	bundle_make
	rmdir "$bundle/upper"
	refused 1 "no read-write layer"
	printf 12 >"$bundle/ephemeral"
	refused 1 "'ephemeral' is not a number of bytes"
	echo 1 >"$bundle/ephemeral"
	printf '/layers/one' >"$bundle/layers"
	refused 1 "'layers' is not whole"
	printf 'layers/one\n' >"$bundle/layers"
	refused 1 "'layers': 'layers/one' is not an absolute path"
	echo /layers/one >"$bundle/layers"
	echo '{"config":{"Cmd":["x"],"Env":["=x"]}}' >"$bundle/image-config.json"
	refused 1 "isn't NAME=value"
	echo '{"config":{"Cmd":"ls"}}' >"$bundle/image-config.json"
	refused 1 "'Cmd' is a string, not an array"
	echo '{"config":{"Cmd":[1]}}' >"$bundle/image-config.json"
	refused 1 "'Cmd' has a number in it"
	echo '{"config":[]}' >"$bundle/image-config.json"
	refused 1 "'config' is an array, not an object"
	echo '{' >"$bundle/image-config.json"
	refused 1 "'image-config.json'"
	echo '{"config":null}' >"$bundle/image-config.json"
	refused 1 "no command"
	nslaunch spec --bundle "$bundle" true
	mkdir 'bad id'
	run --separate-stderr nslaunch spec --bundle 'bad id' true
	[ "$status" -eq 1 ]
	[[ $stderr = *"can't be a container's id"* ]]
}

@test "users and groups that the image doesn't have, and numbers that mean no user, are refused" {
	bundle_make
	refused 1 "the image has no user 'nobody'" -u nobody
	refused 1 "the image has no group 'x'" -u app:x
	refused 1 "the image has no group 'x'" --group-add x
	refused 2 "'4294967295' is not a user id" -u 4294967295
	refused 2 "'4294967295' is not a group id" -u 0:4294967295
	refused 2 "'-1' is not a user id" -u -1
	refused 2 "'+1' is not a user id" -u +1
	refused 2 "'99999999999999999999' is not a user id" -u 99999999999999999999
	refused 2 "'1:2:3' is not USER[:GROUP]" -u 1:2:3
	nslaunch spec --bundle "$bundle" -u 4294967294:4294967294
	[ "$(field '[.process.user.uid, .process.user.gid]')" = '[4294967294,4294967294]' ]
}

@test "options that mean nothing, or not together, are wrong usage" {
	bundle_make
	refused 2 "not an absolute path" -w relative
	refused 2 "unknown capability 'bogus'" --cap-add bogus
	refused 2 "unknown '--security-opt bogus=1'" --security-opt bogus=1
	refused 2 "unknown '--security-opt systempaths=x'" --security-opt systempaths=x
	refused 2 "true or false" --security-opt no-new-privileges=maybe
	refused 2 "takes a size" -m 1x
	refused 2 "less than 512k" -m 1k
	refused 2 "needs '--memory'" --memory-swap 64m
	refused 2 "can't be less" -m 64m --memory-swap 32m
	refused 2 "can't be more" -m 64m --memory-reservation 65m
	refused 2 "takes a number such as 1.5" --cpus x
	refused 2 "from 0.01 to" --cpus 0.001
	refused 2 "from 0.01 to" --cpus 5000
	refused 2 "can't go with" --cpus 1 --cpu-quota 5000
	refused 2 "from 1000 to 1000000" --cpu-period 999
	refused 2 "1000 microseconds at least" --cpu-quota 999
	refused 2 "takes a list" --cpuset-cpus 1-
	refused 2 "there is only" --cpuset-cpus 0-9999
	refused 2 "takes a number" --pids-limit x
	refused 2 "unknown limit 'bogus'" --ulimit bogus=1
	refused 2 "NAME=SOFT[:HARD]" --ulimit nofile
	refused 2 "NAME=SOFT[:HARD]" --ulimit nofile=1:2:3
	refused 2 "above the hard one" --ulimit nofile=200:100
	refused 2 "above the hard one" --ulimit core=-1:5
	refused 2 "from -1000 to 1000" --oom-score-adj 1001
	refused 2 "can't go with '--hostname'" --uts host -h x
	refused 2 "not a name" -h 'a b'
	refused 2 "longer than 64" -h "$(printf 'a%.0s' $(seq 65))"
	refused 2 "no variable name" -e =x
	refused 2 "unknown signal 'BOGUS'" --stop-signal BOGUS
	refused 2 "unknown signal '65'" --stop-signal 65
	refused 2 "there is only none, host, ns:PATH and pasta" --network bridge
	refused 2 "not an absolute path" --network ns:run/netns/x
	refused 2 "isn't this container's alone" --network ns:/run/netns/x --sysctl net.ipv4.ip_forward=1
	refused 2 "takes private or host" --pid container:x
	refused 2 "no user namespaces" --userns auto
	refused 2 "'..' in it" --cgroup-parent ../x
	refused 2 "bad access 'q'" --device /dev/null:/dev/x:q
	refused 2 "clean path" --device /dev/null:/dev/../x
	refused 1 "cannot find device" --device /nowhere
	refused 1 "is not a device" --device /etc/passwd
	refused 2 '"c 1:3 rwm"' --device-cgroup-rule 'x 1:3 rwm'
	refused 1 "cannot read seccomp profile" --security-opt seccomp=/nowhere
	refused 1 "cannot read '/nowhere'" --env-file /nowhere
}

@test "sysctls outside the container's namespaces are refused" {
	bundle_make
	refused 2 "does not belong to a namespace" --sysctl kernel.panic=1
	refused 2 "does not belong to a namespace" --sysctl kernel.domainname=x
	refused 2 "NAME=VALUE" --sysctl net.ipv4.ip_forward
	refused 2 "bad name" --sysctl net.ipv4/../../kernel/panic=1
	refused 2 "bad name" --sysctl 'net.a+b=1'
	refused 2 "would be the host's" --network host --sysctl net.ipv4.ip_forward=1
	refused 2 "would be the host's" --ipc host --sysctl kernel.msgmax=1
}

@test "mounts that were attached take the place of default ones, parents before what is in them" {
	bundle_make
	cat >"$bundle/mounts" <<-'END'
		# what volctl attach writes
		/vol/_data /a/b\040c none rbind,rprivate,x-lamina.volume=data,x-lamina.subpath=x\054y 0 0
		/host /a none rbind,ro,rslave
		tmpfs /dev/shm tmpfs size=64k,mode=1777,exec
		/host/hosts /etc/hosts bind
	END
	nslaunch spec --bundle "$bundle"
	[ "$(field '[.mounts[] | .destination]')" = \
		'["/proc","/dev","/dev/pts","/sys","/sys/fs/cgroup","/dev/mqueue","/a","/a/b c","/dev/shm","/etc/hosts","/etc/resolv.conf","/etc/hostname"]' ]
	[ "$(field '.mounts[6:10]')" = \
		'[{"destination":"/a","type":"bind","source":"/host","options":["rbind","ro","rslave"]},{"destination":"/a/b c","type":"bind","source":"/vol/_data","options":["rbind","rprivate"]},{"destination":"/dev/shm","type":"tmpfs","source":"tmpfs","options":["nosuid","nodev","rprivate","size=64k","mode=1777","exec"]},{"destination":"/etc/hosts","type":"bind","source":"/host/hosts","options":["rbind","rprivate"]}]' ]
	[ "$(field .linux.rootfsPropagation)" = '"rslave"' ]
	[ "$(jq -c '.Mounts[0] | [.Type, .Name, .RW]' "$bundle/container.json")" = '["volume","data",true]' ]
}

@test "a mount on /dev takes everything below it away" {
	bundle_make
	echo '/host/dev /dev none rbind' >"$bundle/mounts"
	nslaunch spec --bundle "$bundle"
	[ "$(field '[.mounts[] | .destination | select(startswith("/dev"))]')" = '["/dev"]' ]
}

@test "nothing of an image becomes an annotation" {
	bundle_make
	jq -c '.config.Labels = {"org.systemd.property.X": "1", "run.oci.hooks": "2"}' "$data/plain.json" \
		>"$bundle/image-config.json"
	nslaunch spec --bundle "$bundle"
	[ "$(field .annotations)" = null ]
	[ "$(jq -c .Config.Labels "$bundle/container.json")" = \
		'{"org.systemd.property.X":"1","run.oci.hooks":"2"}' ]
}

@test "a profile of Docker's format is resolved for the container's capabilities" {
	bundle_make
	cat >profile.json <<-'END'
		{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
		"archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
			{"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]}],
		"syscalls": [
			{"names": ["read"], "action": "SCMP_ACT_ALLOW"},
			{"names": ["bpf"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_BPF"]}},
			{"names": ["mount"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1,
				"excludes": {"caps": ["CAP_SYS_ADMIN"]}},
			{"names": ["chown"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_CHOWN"]}},
			{"names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "999.0"}},
			{"names": ["sync"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}}]}
	END
	nslaunch spec --bundle "$bundle" --security-opt seccomp=profile.json
	[ "$(field '[.linux.seccomp.syscalls[].names[]]')" = '["read","mount","chown","sync"]' ]
	[ "$(field .linux.seccomp.defaultErrnoRet)" = 38 ]
	nslaunch spec --bundle "$bundle" --force --security-opt seccomp=profile.json --cap-drop chown \
		--cap-add bpf --cap-add sys_admin
	[ "$(field '[.linux.seccomp.syscalls[].names[]]')" = '["read","bpf","sync"]' ]
	rm "$bundle/config.json" "$bundle/container.json"
	sed -i s/SCMP_ACT_ALLOW/SCMP_ACT_BOGUS/ profile.json
	refused 1 "seccomp profile 'profile.json'" --security-opt seccomp=profile.json
	echo '{}' >profile.json
	nslaunch spec --bundle "$bundle" --security-opt seccomp=profile.json
	[ "$(field .linux.seccomp)" = null ]
}

# root_make - a root that other runtimes can run
root_make()
{
	mkdir -p "$bundle"/rootfs/{bin,etc,proc,sys,dev,sbin}
	cp /bin/busybox "$bundle/rootfs/bin/busybox" 2>/dev/null || skip "no busybox"
	touch "$bundle"/rootfs/etc/{hosts,hostname,resolv.conf}
}

said='uid=1000 gid=1001 groups=10(wheel),44(video),100(users),1001
0123456789ab
/home/app
0022'

# shellcheck disable=SC2016
script='busybox id; busybox cat /etc/hostname; echo $HOME; umask'

@test "runc runs the bundle" {
	need runc
	need_root
	bundle_make
	root_make
	cp "$data/group" "$bundle/rootfs/etc/group"
	nslaunch spec --bundle "$bundle" -u app -- /bin/busybox sh -c "$script"
	run --separate-stderr runc --root "$TEST_DIRECTORY/runc" run -b "$bundle" "lamina-spec-$$"
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	[ "${output//(app)/}" = "$said" ]
}

@test "crun runs the bundle" {
	need crun unshare
	need_root
	bundle_make
	root_make
	cp "$data/group" "$bundle/rootfs/etc/group"
	nslaunch spec --bundle "$bundle" -u app -- /bin/busybox sh -c "$script"
	# shellcheck disable=SC2016 # Debian's crun knows v1 or v2, not both at once.
	run --separate-stderr unshare -m --propagation private sh -c '
		[ ! -d /sys/fs/cgroup/unified ] || umount /sys/fs/cgroup/unified
		exec crun --root "$1" run -b "$2" "$3"' sh "$TEST_DIRECTORY/crun" "$bundle" "lamina-spec-$$"
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	[ "${output//(app)/}" = "$said" ]
}

@test "--init is pid 1, passes signals on, and ends as the program does" {
	need runc
	need_root
	bundle_make
	root_make
	nslaunch spec --bundle "$bundle" --init -- /bin/busybox sh -c \
		'busybox cat /proc/1/cmdline | busybox tr "\0" " "; trap "exit 9" TERM; kill -TERM 1; busybox sleep 5 & wait'
	run --separate-stderr runc --root "$TEST_DIRECTORY/runc" run -b "$bundle" "lamina-spec-$$"
	echo "$output $stderr"
	[ "$status" -eq 9 ]
	[[ $output = "/sbin/docker-init -- /bin/busybox sh -c "* ]]
}

@test "a full disk leaves a bundle without config.json" {
	need_root
	mkdir small
	# shellcheck disable=SC2016
	run --separate-stderr unshare -m --propagation private bash -c '
		mount -t tmpfs -o size=24k tmpfs small || exit
		mkdir -p small/id/{upper,work}
		cp "$1" small/id/image-config.json
		echo /layers/one >small/id/layers
		nslaunch spec --bundle small/id
		status=$?
		ls -A small/id
		exit "$status"' bash "$data/plain.json"
	[ "$status" -eq 1 ]
	[[ $stderr = *"No space left on device" ]]
	[[ $output != *config.json.* ]]
	[[ $'\n'$output$'\n' != *$'\nconfig.json\n'* ]]
	[[ $output != *.tmp* ]]
}
