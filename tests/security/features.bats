#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What engines ask for beyond a plain container: hooks, mounts that are added later, tmpcopyup, user
# namespaces, volumes' sub-paths.
# docs/security.md has the table of all attacks.

load attack

@test "CVE-2025-23266: no hook gets a variable, a descriptor or a directory of the image's" {
	local hook
	# Not in the root: hooks are the host's programs, and what they leave is the host's.
	cat >"$TEST_DIRECTORY/hook" <<-'E'
		#!/bin/sh
		{ tr '\0' '\n' </proc/self/environ; ls -l /proc/self/fd | grep -v '/proc\| 0 ->\| 1 ->\| 2 ->\| 255 ->' | grep -- '->'; } >>"$1"
		true
	E
	chmod +x "$TEST_DIRECTORY/hook"
	cat >"$BUNDLE/rootfs/hook" <<-'E'
		#!/bin/sh
		tr '\0' '\n' </proc/self/environ >/tmp/seen
	E
	chmod +x "$BUNDLE/rootfs/hook"
	hook="[{\"path\":\"$TEST_DIRECTORY/hook\",\"args\":[\"hook\",\"$TEST_DIRECTORY/seen\"]}]"
	exec 7<"$CANARY/file"
	in_container true ".process.env+=[\"LD_PRELOAD=/evil.so\",\"LD_LIBRARY_PATH=/evil\",\"STOLEN=1\"]
		| .hooks={prestart:$hook,createRuntime:$hook,createContainer:$hook,poststart:$hook,poststop:$hook}
		| .hooks.startContainer=[{path:\"/hook\"}]"
	exec 7<&-
	[ "$status" -eq 0 ] || { echo "$stderr"; false; }
	! grep -E 'LD_(PRE|LIB)|STOLEN|canary' "$TEST_DIRECTORY/seen" || escaped "a variable or a descriptor"
	! grep -E 'LD_(PRE|LIB)|STOLEN' "$BUNDLE/rootfs/tmp/seen" || escaped "a variable of startContainer"
	# Nor does the launcher's own environment come along.
	[ "$RUNTIME" != nslaunch ] || ! grep -E 'PATH|BATS|LAMINA' "$TEST_DIRECTORY/seen"
	nothing_left
}

@test "CVE-2024-45310, in a container that runs: mounts that are added later stay in it" {
	local i spec
	nslaunch_only
	mkdir -p "$BUNDLE/rootfs/a"
	ln -s "$CANARY" "$BUNDLE/rootfs/b"
	ln -s /proc/self "$BUNDLE/rootfs/p"
	running
	for spec in '{"destination":"/b/made","type":"tmpfs","source":"tmpfs"}' \
		"{\"destination\":\"/b/made2\",\"type\":\"bind\",\"source\":\"$CANARY\",\"options\":[\"bind\"]}"; do
		echo "[$spec]" >m.json
		attempt mounts add "$ID" m.json
		[ "$status" -eq 0 ] || { echo "$stderr"; false; }
	done
	canary_lives
	for spec in /p/attr /proc/self /proc /proc/sys/kernel; do
		attempt mounts add "$ID" "$CANARY:$spec"
		[ "$status" -ne 0 ] || escaped "$spec"
	done
	echo '[{"destination":"/a/raced","type":"tmpfs","source":"tmpfs"}]' >raced.json
	swap "$BUNDLE/rootfs/a" "$BUNDLE/rootfs/b"
	for i in $(seq "$ROUNDS"); do
		attempt mounts add "$ID" raced.json
		attempt mounts remove "$ID" /a/raced
	done
	swap_end
	canary_lives
	delete
	nothing_left
}

@test "tmpcopyup copies what is in the root, whatever its names come to lead to" {
	local i
	nslaunch_only
	echo secret >"$TEST_DIRECTORY/secret"
	mkdir -p "$BUNDLE/rootfs/a/d" "$BUNDLE/rootfs/elsewhere"
	echo own >"$BUNDLE/rootfs/a/d/secret"
	ln -s "$TEST_DIRECTORY" "$BUNDLE/rootfs/a/e"
	ln -s "$TEST_DIRECTORY/secret" "$BUNDLE/rootfs/a/link"
	swap "$BUNDLE/rootfs/a/d" "$BUNDLE/rootfs/a/e"
	for i in $(seq $((ROUNDS / 4))); do
		in_container 'cat /a/d/secret /a/e/secret /a/link 2>/dev/null; true' '.mounts+=[{"destination":"/a","type":"tmpfs","source":"tmpfs","options":["tmpcopyup"]}]'
		[[ $output != *secret* ]] || escaped "$output"
	done
	swap_end
	# The place itself is a link to the host.
	ln -s "$TEST_DIRECTORY" "$BUNDLE/rootfs/whole"
	in_container 'cat /whole/secret' '.mounts+=[{"destination":"/whole","type":"tmpfs","source":"tmpfs","options":["tmpcopyup"]}]'
	[[ $output != *secret* ]] || escaped "$output"
	nothing_left
}

@test "CVE-2023-25809: with a user namespace and the host's cgroups nothing can be written there" {
	nslaunch_only
	chown -R 100000:100000 "$BUNDLE/rootfs"
	in_container 'for d in /sys/fs/cgroup /sys/fs/cgroup/*; do [ -L $d ] || touch $d/x 2>/dev/null && echo $d
			[ -L $d ] || mkdir $d/y 2>/dev/null && echo $d; done
		for f in $(find /sys/fs/cgroup -maxdepth 2 -name release_agent -o -maxdepth 2 -name "*.procs"); do (echo 0 >$f) 2>/dev/null && echo $f; done; true' '
		.linux.namespaces|=map(select(.type!="cgroup"))+[{"type":"user"}]
		| .linux.uidMappings=[{"containerID":0,"hostID":100000,"size":65536}] | .linux.gidMappings=.linux.uidMappings'
	[ "$status" -eq 0 ] || { echo "$stderr"; false; }
	[ -z "$output" ] || escaped "$output"
	# Ids that aren't mapped are nobody's.
	in_container id '.linux.namespaces+=[{"type":"user"}] | .process.user.uid=70000
		| .linux.uidMappings=[{"containerID":0,"hostID":100000,"size":65536}] | .linux.gidMappings=.linux.uidMappings'
	[ "$status" -ne 0 ] || escaped "user 70000: $output"
	nothing_left
}

@test "kubernetes 2017-1002101, 2021-25741, buildkit 2024-23651: a volume's sub-path is no way out" {
	local bundle i
	nslaunch_only
	need layerfs initlayer volctl
	import_busybox
	volctl create data >/dev/null
	mkdir "$LAMINA_STORE/volumes/data/_data/a"
	ln -s "$CANARY" "$LAMINA_STORE/volumes/data/_data/b"
	echo inside >"$LAMINA_STORE/volumes/data/_data/a/file"
	bundle=$(layerfs create busybox | initlayer |
		volctl attach --mount type=volume,src=data,dst=/v,volume-subpath=a | nslaunch spec -- cat /v/file)
	run --separate-stderr nslaunch run --bundle "$bundle" 3>&-
	[ "$output" = inside ]
	layerfs rm "${bundle##*/}" >/dev/null
	# After all checks, before the start.
	bundle=$(layerfs create busybox | initlayer |
		volctl attach --mount type=volume,src=data,dst=/v,volume-subpath=a | nslaunch spec -- cat /v/file)
	mv "$LAMINA_STORE/volumes/data/_data/a" "$LAMINA_STORE/volumes/data/_data/c"
	ln -s "$CANARY" "$LAMINA_STORE/volumes/data/_data/a"
	run --separate-stderr nslaunch run --bundle "$bundle" 3>&-
	[[ $output != *untouched* ]] || escaped "$output"
	[ "$status" -eq 125 ] && [[ $stderr == *"sub-path 'a': "* ]] || { echo "$status: $stderr"; false; }
	layerfs rm "${bundle##*/}" >/dev/null
	mv -T "$LAMINA_STORE/volumes/data/_data/c" "$TEST_DIRECTORY/a"
	rm "$LAMINA_STORE/volumes/data/_data/a"
	mv "$TEST_DIRECTORY/a" "$LAMINA_STORE/volumes/data/_data/a"
	swap "$LAMINA_STORE/volumes/data/_data/a" "$LAMINA_STORE/volumes/data/_data/b"
	for i in $(seq "$ROUNDS"); do
		bundle=$(layerfs create busybox | initlayer |
			volctl attach --mount type=volume,src=data,dst=/v,volume-subpath=a 2>/dev/null | nslaunch spec -- cat /v/file 2>/dev/null) || bundle=
		if [ -n "$bundle" ]; then
			run nslaunch run --bundle "$bundle" 3>&-
			[[ $output != *untouched* ]] || escaped "$output"
		fi
		layerfs rm --incomplete >/dev/null 2>&1 || true
		[ -z "$bundle" ] || layerfs rm "${bundle##*/}" >/dev/null
	done
	swap_end
	volctl rm -f data >/dev/null 2>&1 || volctl rm data >/dev/null
	canary_lives
}
