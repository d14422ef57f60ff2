# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# A plain OCI bundle, as any engine would give it: busybox and a small config.json.

# bundle_make - $BUNDLE
bundle_make() {
	local applet

	BUNDLE=$TEST_DIRECTORY/bundle
	mkdir -p "$BUNDLE"/rootfs/{bin,tmp,etc}
	cp "$(command -v busybox)" "$BUNDLE/rootfs/bin/busybox"
	for applet in sh ls cat head tr id mount env sleep true false echo hostname grep stat kill tty readlink \
		touch test cut ps umount mknod dd sed wc mkdir; do
		ln -s busybox "$BUNDLE/rootfs/bin/$applet"
	done
	config '.'
}

# config FILTER - the bundle's config.json: a small default one, changed by a jq filter
config() {
	jq "$1" "$BATS_TEST_DIRNAME/data/config.json" >"$BUNDLE/config.json"
}

# eventually COMMAND... - until it succeeds, for half a minute at most
eventually() {
	local i

	for ((i = 0; i < 600; i++)); do
		"$@" && return 0
		sleep 0.05
	done
	echo "never: $*" >&2
	return 1
}
