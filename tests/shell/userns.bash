# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the tests of namespaces share: a bundle, and configs made from a small default one.

# bundle_make - $BUNDLE with a busybox root; ids begin with $ID, which no other file's do
bundle_make() {
	local applet

	BUNDLE=$TEST_DIRECTORY/bundle
	ID=u$BATS_ROOT_PID-$BATS_TEST_NUMBER
	mkdir -p "$BUNDLE/rootfs"/{bin,proc,sys,dev,etc,tmp}
	cp "$(command -v busybox)" "$BUNDLE/rootfs/bin/busybox"
	for applet in sh ls cat id mount umount sleep true echo hostname grep stat readlink touch \
		chown mknod sysctl ip mkfifo kill; do
		ln -s busybox "$BUNDLE/rootfs/bin/$applet"
	done
}

# mapped - a filter: a new user namespace whose ids 0 to 65535 are the host's 100000 and on
# shellcheck disable=SC2034
mapped='.linux.namespaces+=[{type:"user"}]
	| .linux.uidMappings=[{containerID:0,hostID:100000,size:65536}] | .linux.gidMappings=.linux.uidMappings'

# config FILTER - the bundle's config.json
config() {
	jq "$1" "$BATS_TEST_DIRNAME/data/config.json" >"$BUNDLE/config.json"
}

# script_config SCRIPT FILTER - one that runs a shell script
script_config() {
	config ".process.args=[\"sh\",\"-c\",$(jq -Rs . <<<"$1")] | ${2:-.}"
}

# in_container SCRIPT FILTER - run it
in_container() {
	script_config "$@"
	run --separate-stderr nslaunch run --bundle "$BUNDLE" "$ID-run"
}

# sleeper FILTER [ID] - a container that runs until it is deleted; its pid in $PID
sleeper() {
	config ".process.args=[\"sleep\",\"1000\"] | $1"
	nslaunch create --bundle "$BUNDLE" "${2:-$ID}" </dev/null >/dev/null 2>"$TEST_DIRECTORY/create.err" || {
		cat "$TEST_DIRECTORY/create.err"
		return 1
	}
	nslaunch start "${2:-$ID}"
	PID=$(nslaunch state "${2:-$ID}" | jq .pid)
}
