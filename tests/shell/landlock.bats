#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Landlock rules by annotation, looked at from inside the container and from an exec in it.

load helpers
load container

# rules RULE... - a filter that sets them
rules() {
	printf '.annotations["lamina.landlock"]="%s"' "$*"
}

# need_landlock ABI - skip where the kernel's is older, or there is none
need_landlock() {
	config_script true "$(rules "$2")"
	run --separate-stderr nslaunch run --bundle "$BUNDLE" "$ID"
	[[ $stderr != *"this kernel can't restrict"* ]] || skip "no Landlock, or an older one than ABI $1"
	[ "$status" -eq 0 ]
}

@test "paths are read-only, writable, executable or out of reach as the rules say" {
	need_landlock 5 rx:/
	mkdir -p "$BUNDLE/rootfs/data" "$BUNDLE/rootfs/secret" "$BUNDLE/rootfs/tools"
	echo x >"$BUNDLE/rootfs/data/file"
	echo x >"$BUNDLE/rootfs/secret/file"
	cp "$BUNDLE/rootfs/bin/busybox" "$BUNDLE/rootfs/tools/true"
	cp "$BUNDLE/rootfs/bin/busybox" "$BUNDLE/rootfs/data/true"
	local script='
		cat /data/file; echo y >/data/file; echo y >/data/new; rm /data/file; truncate -s 0 /data/file
		/data/true && echo ran; /tools/true && echo ran
		cat /secret/file; ls /secret
		echo z >/tmp/new && cat /tmp/new; mkdir /tmp/d && rmdir /tmp/d && echo made
		echo n >/dev/null && echo null'
	local expected=$'x\nran\nz\nmade\nnull'
	in_container "$script" "$(rules rx:/bin ro:/data rx:/tools rw:/tmp rw:/dev/null)"
	echo "$output$stderr"
	[ "$output" = "$expected" ]
	local line
	for line in "create /data/file" "create /data/new" "remove '/data/file'" "/data/true" "open '/secret/file'" "open '/secret'"; do
		[[ $stderr == *"$line"*"ermission denied"* ]]
	done
	[ "$(cat "$BUNDLE/rootfs/data/file")" = x ]
	running "$(rules rx:/bin ro:/data rx:/tools rw:/tmp rw:/dev/null)"
	run --separate-stderr nslaunch exec "$ID" sh -c "$script"
	[ "$output" = "$expected" ]
	nslaunch delete --force "$ID"
	assert_nothing_left
}

@test "rules hold for root with every capability, for children, and can't be taken off" {
	need_landlock 5 rx:/
	in_container 'sh -c "echo x >/tmp/x"; mount -t tmpfs none /tmp; mount -o remount,rw /; sh -c "echo x >/tmp/x"' "
		(.process.capabilities[]) += [\"CAP_SYS_ADMIN\",\"CAP_SYS_CHROOT\"] | $(rules rx:/)"
	[ -z "$output" ]
	[ ! -e "$BUNDLE/rootfs/tmp/x" ]
	[[ $stderr == *"create /tmp/x: Permission denied"* ]]
	[[ $stderr == *"mount: permission denied (are you root?)"* ]]
}

@test "with a filter and as another user, with no_new_privs and without" {
	need_landlock 5 rx:/
	local seccomp='.linux.seccomp={"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdirat","mkdir"],"action":"SCMP_ACT_ERRNO"}]}'
	chmod 1777 "$BUNDLE/rootfs/tmp"
	local nnp
	for nnp in true false; do
		in_container 'echo x >/tmp/x; id -u; grep -E "^(CapEff|NoNewPrivs)" /proc/self/status | cut -f2' "
			.process.user.uid=1000 | .process.noNewPrivileges=$nnp | $seccomp | $(rules rx:/)"
		[[ $output == $'1000\n'*$'\n'"$([ $nnp = true ] && echo 1 || echo 0)" || $output == $'1000\n'"0000000000000000"* ]]
		[[ $stderr == *"create /tmp/x: Permission denied"* ]]
	done
}

@test "TCP ports: bound and connected to as the rules say" {
	need_landlock 4 tcp-bind:none
	in_container '
		nc -l -p 7001 </dev/null & sleep 0.1; nc -l -p 7002 </dev/null; nc 127.0.0.1 7003 </dev/null
		i=0; until nc 127.0.0.1 7001 </dev/null; do i=$((i + 1)); [ $i -lt 1000 ] || exit 1; usleep 50000; done; wait; echo done' \
		"$(rules tcp-bind:7001 tcp-connect:7001)"
	echo "$output$stderr"
	[ "$output" = "done" ]
	[[ $stderr == *"bind: Permission denied"* ]]
	[[ $stderr == *"127.0.0.1"*"Permission denied"* ]]
	in_container 'nc -l -p 7001 </dev/null' "$(rules tcp-bind:none)"
	[[ $stderr == *"bind: Permission denied"* ]]
}

@test "a scope keeps signals inside" {
	need_landlock 6 scope:signal
	local filter=".linux.namespaces|=map(select(.type!=\"pid\")) | .mounts|=map(select(.type!=\"proc\"))"
	in_container "kill -0 $$ && echo reached" "$filter"
	[ "$output" = reached ]
	in_container "kill -0 $$ && echo reached; sleep 10 & kill \$! && echo own" "$filter | $(rules scope:signal)"
	[ "$output" = own ]
	[[ $stderr == *"Operation not permitted"* ]]
}

@test "what is no rule, or has no place in the root, is refused" {
	refused '.annotations={"lamina.landlock":"rx:/ wo:/tmp"}' "lamina.landlock: 'wo:/tmp' is no rule"
	refused '.annotations={"lamina.landlock":"best-effort"}' "lamina.landlock: it has no rule"
	refused '.annotations={"lamina.landlok":"rx:/"}' "annotations: 'lamina.landlok' is not supported"
	refused '.annotations={"lamina.landlock":7}' "lamina.landlock: it must be a string"
	need_landlock 5 rx:/
	refused "$(rules rx:/ rw:/nosuch)" "lamina.landlock: '/nosuch': No such file or directory"
	refused "$(rules rx:/ rw:/proc/self/cwd)" "lamina.landlock: '/proc/self/cwd': "
}
