#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The template that root's containers start from (launch/template.h): who makes it, when it isn't
# taken, and that a container can't be told from one without. tests/security/template.bats attacks it.

load helpers
load bundle

setup() {
	lamina_setup
	need nslaunch jq busybox
	need_root
	bundle_make
	ID="template$BATS_ROOT_PID-$BATS_TEST_NUMBER"
	export LAMINA_TEMPLATE=$TEST_DIRECTORY/template
}

teardown() {
	nslaunch delete --force "$ID" 2>/dev/null || true
	while umount "$TEST_DIRECTORY/template/mnt" 2>/dev/null; do :; done
	while umount "$TEST_DIRECTORY/template" 2>/dev/null; do :; done
}

# pins - how many mounts there are on the template's file
pins() {
	grep -c " $LAMINA_TEMPLATE/mnt .* nsfs " /proc/self/mountinfo || true
}

# start [OPTION...] - run the container: its output; `phases` has the names of what it did
start() {
	rm -f trace
	LAMINA_TRACE=$PWD/trace nslaunch --debug run "$@" --bundle "$BUNDLE" "$ID" 2>err || { cat err >&2; return 1; }
	jq -r .phase trace >phases
}

# is_templated, is_classic - how the last one started
is_templated() {
	grep -qx root.template phases && ! grep -qx root.umount phases
}

is_classic() {
	grep -qx root.umount phases && ! grep -qx root.template phases
}

@test "the first start makes the template, later ones take it; unmounted, the next makes another" {
	local first

	start; is_templated
	[ "$(pins)" -eq 1 ]
	first=$(stat -Lc %i "$LAMINA_TEMPLATE/mnt")
	start; is_templated
	[ "$(stat -Lc %i "$LAMINA_TEMPLATE/mnt")" = "$first" ]
	[ "$(stat -c %a "$LAMINA_TEMPLATE")" = 700 ]
	umount "$LAMINA_TEMPLATE/mnt"
	start; is_templated
	[ "$(pins)" -eq 1 ]
	umount "$LAMINA_TEMPLATE/mnt"
	rm -r "$LAMINA_TEMPLATE"
	start; is_templated
}

@test "--no-template, --template=no and LAMINA_TEMPLATE=no: nothing is made" {
	start --no-template; is_classic
	start --template=no; is_classic
	LAMINA_TEMPLATE=no start; is_classic
	[ ! -e "$LAMINA_TEMPLATE" ]
	start --template "$LAMINA_TEMPLATE"; is_templated
}

@test "twenty first starts at once make one template, and all start" {
	local i

	for i in $(seq 20); do
		nslaunch run --bundle "$BUNDLE" "$ID-$i" 3>&- &
		pids[i]=$!
	done
	for i in $(seq 20); do
		wait "${pids[i]}"
	done
	[ "$(pins)" -eq 1 ]
}

@test "what is there and is no mount namespace is covered by one; what can't be is left alone" {
	mkdir -m 700 "$LAMINA_TEMPLATE"
	echo old >"$LAMINA_TEMPLATE/mnt"
	start; is_templated
	umount "$LAMINA_TEMPLATE/mnt"
	[ "$(cat "$LAMINA_TEMPLATE/mnt")" = old ]
	mount --bind /proc/self/ns/net "$LAMINA_TEMPLATE/mnt"
	start; is_templated
	umount "$LAMINA_TEMPLATE/mnt"
	umount "$LAMINA_TEMPLATE/mnt"
	rm "$LAMINA_TEMPLATE/mnt"
	mkdir "$LAMINA_TEMPLATE/mnt"
	start; is_classic
	grep -q "no template: cannot make '$LAMINA_TEMPLATE/mnt': Is a directory" err
	LAMINA_TEMPLATE=/proc/nowhere/template start; is_classic
	grep -q "no template: cannot make '/proc/nowhere'" err
}

@test "on a mount that the host shares it gets a private one of its own" {
	export BUNDLE ID
	privately <<'END'
		shared=$TEST_DIRECTORY/shared
		mkdir "$shared"
		mount -t tmpfs shared "$shared"
		mount --make-rshared "$shared"
		LAMINA_TEMPLATE=$shared/template
		unshare -m --propagation unchanged sleep 1000.5 &
		until_true grep -q sleep "/proc/$!/comm"
		trap "kill $!" EXIT
		for i in 1 2; do
			start
			is_templated
			[ "$(pins)" -eq 1 ]
			[ "$(grep -c " $shared/template " /proc/self/mountinfo)" -eq 1 ]
			! grep " $shared/template .*shared:" /proc/self/mountinfo
		done
END
}

@test "exec, pause and mounts find the container's root, not the template's" {
	config '.process.args=["sleep","1000.5"]'
	nslaunch run --detach --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&-
	mountpoint -q "$LAMINA_TEMPLATE/mnt"
	nslaunch exec "$ID" touch /made
	[ -e "$BUNDLE/rootfs/made" ]
	[ "$(nslaunch exec "$ID" cat /proc/self/mountinfo | awk '$5=="/"' | wc -l)" -eq 1 ]
	[ "$(nslaunch exec "$ID" readlink /proc/1/root)" = / ]
	mkdir source
	touch source/there
	nslaunch mounts add "$ID" "$PWD/source:/added"
	nslaunch exec "$ID" test -e /added/there
	nslaunch mounts remove "$ID" /added
	run ! nslaunch exec "$ID" test -e /added/there
	nslaunch delete --force "$ID"
}

# of_all_kinds - a config that has each kind of mount, device and mask
of_all_kinds() {
	mkdir -p "$BUNDLE/relative/below" "$BUNDLE/tree/m"
	touch "$BUNDLE/file"
	config '.process.args=["sh","-c","cut -d\" \" -f4- /proc/self/mountinfo | sed -E \"s/ (upperdir|lowerdir)=.*//; s/mnt:.*//; s/(size|nr_inodes)=[0-9]+k?//g\" | sort
			for f in /dev/* /masked/* /relative/* /file /tmp/copied/*; do stat -c \"%n %F %a %u %t %T\" $f; done
			cat /proc/self/cgroup | sort; ls /sys/fs/cgroup; ls /sys/class/net; hostname; cat /masked/secret /proc/keys
			echo > /read/x; echo > /ro/x; touch /relative/new && rm /relative/new"]
		| .mounts+=[
			{"destination":"/relative","type":"bind","source":"relative","options":["bind"]},
			{"destination":"/ro","type":"bind","source":"'"$BUNDLE"'/relative","options":["rbind","ro"]},
			{"destination":"/rro","type":"bind","source":"'"$BUNDLE"'/tree","options":["rbind","rro"]},
			{"destination":"/file","type":"bind","source":"file","options":["bind"]},
			{"destination":"/dev/mqueue","type":"mqueue","source":"mqueue","options":["nosuid"]},
			{"destination":"/dev/shm","type":"tmpfs","source":"shm","options":["mode=1777","size=65536k"]},
			{"destination":"/etc","type":"tmpfs","source":"tmpfs","options":["tmpcopyup"]},
			{"destination":"/dev/shm","type":"tmpfs","source":"shm","options":["remount","noexec"]}]
		| .linux.devices=[{"path":"/dev/fuse","type":"c","major":10,"minor":229,"fileMode":432}]
		| .linux.maskedPaths=["/proc/keys","/proc/kcore","/proc/acpi","/sys/firmware","/masked/secret","/proc/scsi"]
		| .linux.readonlyPaths=["/proc/sys","/read"] | .root.readonly=false'
	mkdir -p "$BUNDLE/rootfs"/{masked,read,rro}
	echo secret >"$BUNDLE/rootfs/masked/secret"
	echo copied >"$BUNDLE/rootfs/etc/copied"
}

@test "a container can't be told from one without: mounts, devices, masks, cgroups, binds of each kind" {
	of_all_kinds
	start >with 2>&1 || true
	cat err >>with
	jq -r .phase trace >phases
	is_templated
	LAMINA_TEMPLATE=no start >without 2>&1 || true
	jq -r .phase trace >phases
	is_classic
	[ "$(wc -l <with)" -gt 60 ]
	diff <(grep -v '^nslaunch: debug' with) <(cat without err | grep -v '^nslaunch: debug')
	grep -q 'Read-only file system' with
	! grep -q '^secret' with
}

@test "an idmapped bind, a terminal, a joined network and a cgroup namespace of the host's" {
	mkdir source
	touch source/mine
	chown 1000:1000 source/mine
	config '.process.args=["stat","-c","%u","/mapped/mine"] | .mounts+=[{"destination":"/mapped","type":"bind","source":"'"$PWD"'/source",
		"options":["bind","idmap"],"uidMappings":[{"containerID":1000,"hostID":0,"size":1},{"containerID":0,"hostID":1000,"size":1}],
		"gidMappings":[{"containerID":0,"hostID":0,"size":65536}]}]'
	if start >out; then
		is_templated
		cp out with
		LAMINA_TEMPLATE=no start >out
		diff with out
	else
		grep -q "ids cannot be mapped" err
	fi
	config '.process.args=["sh","-c","tty; readlink /dev/console; test -c /dev/console && echo console"] | .process.terminal=true'
	start >out; is_templated
	grep -q /dev/pts/0 out
	grep -q console out
	config '.process.args=["ls","/sys/class/net"] | .linux.namespaces |= map(select(.type!="network"))'
	start >out; is_templated
	[ "$(cat out)" = "$(ls /sys/class/net)" ]
	config '.process.args=["cat","/proc/self/cgroup"] | .linux.namespaces |= map(select(.type!="cgroup"))'
	start >with; is_templated
	LAMINA_TEMPLATE=no start >without
	diff with without
}

# falls_back FILTER WORDS - the container starts without the template, which is no error
falls_back() {
	config "$1"
	start >out
	is_classic || { cat phases; return 1; }
	grep -qF "no template: $2" err || { cat err; return 1; }
}

@test "what the container's process must find among the host's mounts is done without the template" {
	printf '#!/bin/sh\ncat >/dev/null\n' >hook
	chmod +x hook
	falls_back '.linux.rootfsPropagation="rslave"' "its root's mounts propagate"
	falls_back '.linux.rootfsPropagation="shared"' "its root's mounts propagate"
	falls_back '.hooks.createContainer=[{"path":"'"$PWD"'/hook"}]' "its hooks are run among the host's mounts"
	falls_back '.hooks.prestart=[{"path":"'"$PWD"'/hook"}]' "its hooks are run among the host's mounts"
	falls_back '.hooks.createRuntime=[{"path":"'"$PWD"'/hook"}]' "its hooks are run among the host's mounts"
	falls_back '.mounts+=[{"destination":"/p","type":"bind","source":"/proc/version","options":["bind"]}]' "a mount's source is in /proc or in its root"
	falls_back '.mounts+=[{"destination":"/q","type":"bind","source":"rootfs/bin","options":["bind"]}]' "a mount's source is in /proc or in its root"
	falls_back '.mounts+=[{"destination":"/q","type":"bind","source":"'"$BUNDLE"'/rootfs","options":["bind"]}]' "a mount's source is in /proc or in its root"
	falls_back '.mounts+=[{"destination":"/q","type":"bind","source":"../bundle/rootfs/bin","options":["bind"]}]' "a mount's source is in /proc or in its root"
	ln -s /proc/self/mounts link
	falls_back '.process.args=["cat","/p"] | .mounts+=[{"destination":"/p","type":"bind","source":"'"$PWD"'/link","options":["bind"]}]' "a mount's source is in a procfs"
	mkdir lower upper
	touch lower/there
	falls_back '.process.args=["ls","/o/there"] | .mounts+=[{"destination":"/o","type":"overlay","source":"overlay",
		"options":["lowerdir='"$PWD/lower:$PWD/upper"'"]}]' "a mount's file system is on the host"
	falls_back '.linux.namespaces+=[{"type":"user"}] | .linux.uidMappings=[{"containerID":0,"hostID":0,"size":65536}]
		| .linux.gidMappings=.linux.uidMappings' "it has a user namespace"
	config .
	start --no-pivot
	run ! grep -qx root.template phases
	# Hooks that run in the container, or after it, are in nobody's way.
	config '.hooks.poststop=[{"path":"'"$PWD"'/hook"}] | .hooks.startContainer=[{"path":"/bin/true"}]'
	start; is_templated
}

@test "a caller without the capabilities, in a user namespace, or who isn't root starts without it" {
	setpriv --bounding-set -mknod true || skip "no setpriv"
	setpriv --bounding-set -mknod --inh-caps -mknod bash -c "$(declare -f start); BUNDLE=$BUNDLE ID=$ID start" || true
	jq -r .phase trace >phases
	! grep -qx root.template phases
	grep -q "no template: the caller lacks capabilities" err
	[ ! -e "$LAMINA_TEMPLATE/mnt" ]
}

@test "in a container with every right namespaces of its own work as ever: unshare, pivot_root" {
	config '.process.args=["sh","-c","mkdir -p /new/old && unshare -m sh -c \"mount -t tmpfs n /new && mkdir /new/old /new/bin && cp /bin/busybox /new/bin/ && cd /new && pivot_root . old && umount -l /old && /bin/busybox ls /\""]
		| .process.capabilities |= map_values(.+["CAP_SYS_ADMIN"])'
	for applet in unshare cp pivot_root; do
		ln -s busybox "$BUNDLE/rootfs/bin/$applet"
	done
	start >out; is_templated
	[ "$(tr '\n' ' ' <out)" = "bin old " ]
}

@test "a launcher that is killed while it makes the template leaves nothing that stops the next" {
	local i

	for i in $(seq 20); do
		nslaunch run --bundle "$BUNDLE" "$ID-$i" >/dev/null 2>&1 3>&- &
		sleep "0.00$((RANDOM % 9))"
		kill -KILL $! 2>/dev/null || true
		wait $! 2>/dev/null || true
		nslaunch delete --force "$ID-$i" 2>/dev/null || true
		umount "$LAMINA_TEMPLATE/mnt" 2>/dev/null || true
	done
	until_true eval 'start && is_templated'
	[ "$(pins)" -eq 1 ]
}
