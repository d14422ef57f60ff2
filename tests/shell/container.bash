# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# A plain OCI bundle with busybox in it, for tests of what nslaunch makes of a config.json.
#
#	load helpers
#	load container
#
#	@test "..." {
#		in_container 'cat /proc/self/mountinfo' '.root.readonly=true'
#		[ "$status" -eq 0 ]
#	}

setup() {
	lamina_setup
	need nslaunch jq busybox
	need_root
	bundle_make "$TEST_DIRECTORY/bundle"
	export BUNDLE=$TEST_DIRECTORY/bundle
	# Names cgroups that the whole machine shares.
	export ID="t$BATS_ROOT_PID-$BATS_TEST_NUMBER-${BATS_TEST_FILENAME##*/}"
	config .
}

# bundle_make DIRECTORY - a root of busybox with all its applets, and no config.json
bundle_make() {
	mkdir -p "$1/rootfs/bin" "$1/rootfs/tmp" "$1/rootfs/etc"
	cp "$(command -v busybox)" "$1/rootfs/bin/busybox"
	chroot "$1/rootfs" /bin/busybox --install -s /bin
}

# config FILTER - the bundle's config.json: a small default one, changed by a jq filter
config() {
	jq "$1" "$LAMINA_SOURCE/tests/shell/data/config.json" >"$BUNDLE/config.json"
}

# config_script SCRIPT [FILTER] - the same, of a container that runs a shell script
config_script() {
	config ".process.args=[\"sh\",\"-c\",$(jq -Rs . <<<"$1")] | ${2:-.}"
}

# in_container SCRIPT [FILTER] - run it: $status, $output, $stderr
in_container() {
	config_script "$@"
	run --separate-stderr nslaunch run --bundle "$BUNDLE" "$ID"
}

# running [FILTER] - a container with the test's $ID that waits; `nslaunch delete --force` ends it
running() {
	config ".process.args=[\"sleep\",\"1000.95\"] | ${1:-.}"
	nslaunch create --bundle "$BUNDLE" "$ID" </dev/null >create.out 2>&1
	nslaunch start "$ID"
}

# refused FILTER WORDS - such a container is not started, for that reason, and nothing is left of it
refused() {
	config "$1"
	run --separate-stderr nslaunch run --bundle "$BUNDLE" "$ID"
	echo "$1: $status: $stderr"
	[ "$status" -eq 125 ]
	[ -z "$output" ]
	[[ $stderr == "nslaunch: run: "*"$2"* ]]
	assert_nothing_left
}
