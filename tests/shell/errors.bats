#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What nslaunch says when it fails: which step, which object, which field of the spec, and why.

load helpers

setup() {
	lamina_setup
	need nslaunch jq
	need_root
	C=errors-$BATS_ROOT_PID-$BATS_TEST_NUMBER
	BUNDLE=$TEST_DIRECTORY/bundle
	mkdir -p "$BUNDLE/rootfs/bin" "$BUNDLE/rootfs/tmp" "$BUNDLE/rootfs/etc"
	cp "$(command -v busybox)" "$BUNDLE/rootfs/bin/busybox"
	for applet in sh true cat sleep; do
		ln -s busybox "$BUNDLE/rootfs/bin/$applet"
	done
	config .
}

config() {
	jq "$1" "$BATS_TEST_DIRNAME/data/config.json" >"$BUNDLE/config.json"
}

# A failing step: what is wrong in the config, and all that is said about it.
step_fails() {
	config "$1"
	run --separate-stderr nslaunch run --bundle "$BUNDLE" "$C"
	if [ "$status" -ne 125 ] || [ "$stderr" != "nslaunch: run: container '$C': $2" ]; then
		printf 'filter:   %s\nstatus:   %s\nexpected: %s\nsaid:     %s\n' "$1" "$status" \
			"nslaunch: run: container '$C': $2" "$stderr"
		return 1
	fi
}

@test "a failing step names the field of the spec, the object and the reason" {
	local mount='.mounts+=[{"destination":"/data"} +'
	step_fails "$mount"'{"type":"bind","source":"/nope","options":["bind"]}]' \
		"mounts[5] '/data': source '/nope': No such file or directory"
	step_fails "$mount"'{"type":"nosuchfs","source":"x"}]' "mounts[5] '/data': type 'nosuchfs': No such device"
	step_fails "$mount"'{"type":"tmpfs","source":"tmpfs","options":["size=plenty"]}]' \
		"mounts[5] '/data': options: 'size=plenty': Invalid argument"
	step_fails "$mount"'{"type":"tmpfs","source":"tmpfs","options":["nonsense"]}]' \
		"mounts[5] '/data': options: 'nonsense': Invalid argument"
	step_fails '.mounts[0].destination="/bin/busybox"' \
		"mounts[0] '/bin/busybox': '/bin/busybox' must be an ordinary directory"
	touch "$BUNDLE/rootfs/file"
	step_fails '.mounts+=[{"destination":"/file/x","type":"tmpfs","source":"tmpfs"}]' \
		"mounts[5] '/file/x': cannot make the destination: Not a directory"
	step_fails '.linux.namespaces|=map(if .type=="network" then .path="/nope" else . end)' \
		"linux.namespaces: network '/nope': No such file or directory"
	step_fails '.linux.namespaces|=map(if .type=="network" then .path="/proc/self/ns/uts" else . end)' \
		"linux.namespaces: '/proc/self/ns/uts' is not a network namespace"
	step_fails '.linux.sysctl={"net.nosuch":"1"}' \
		"linux.sysctl: 'net.nosuch' cannot be set to '1': No such file or directory"
	step_fails '.linux.sysctl={"net.ipv4.ip_forward":"much"}' \
		"linux.sysctl: 'net.ipv4.ip_forward' cannot be set to 'much': Invalid argument"
	step_fails '.linux.devices=[{"path":"/bin/busybox/x","type":"c","major":1,"minor":3}]' \
		"linux.devices[0]: cannot make '/bin/busybox/x': Not a directory"
	step_fails '.process.cwd="/bin/busybox"' \
		"process.cwd: cannot make the working directory '/bin/busybox': Not a directory"
	step_fails '.linux.cgroupsPath="/a/../b"' "linux.cgroupsPath '/a/../b' has a '..' in it"
	assert_nothing_left
}
