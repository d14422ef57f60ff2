#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# layerfs, initlayer and volctl: what an image or a container has in its tree leads nowhere else.
# Hostile layers are tests/refuse/layers, tried by tests/shell/import.bats; links of an image at its
# volumes and its passwd are in tests/shell/volctl.bats and import.bats.
# docs/security.md has the table of all attacks.

load attack

setup() {
	lamina_setup
	need layerfs initlayer volctl nslaunch
	need_root
	ROUNDS=${LAMINA_ROUNDS:-25}
	CANARY=$TEST_DIRECTORY/canary
	mkdir -p "$CANARY/sub"
	echo untouched >"$CANARY/file"
	BEFORE_MOUNTS=$(grep -cF "$TEST_DIRECTORY" /proc/self/mountinfo || true)
	RUNTIME=nslaunch
}

@test "Docker 2021-21284, 2021-41091, containerd 2021-41103: no other user gets into the store" {
	local bundle path
	command -v setpriv >/dev/null || skip "no setpriv"
	import_busybox
	chmod 755 "$SCRATCH"
	bundle=$(layerfs create busybox)
	for path in "$bundle" "$bundle/upper" "$LAMINA_STORE"/layers/*/diff "$LAMINA_STORE/containers"; do
		! setpriv --reuid 1000 --regid 1000 --clear-groups ls "$path/." >/dev/null 2>&1 || escaped "$path"
	done
	layerfs rm "${bundle##*/}"
}

@test "crun 2025-24965: what initlayer makes in a root stays there, whoever swaps its directories" {
	local i
	mkdir -p "$TEST_DIRECTORY/root/etc" "$TEST_DIRECTORY/root/dev"
	ln -s "$CANARY" "$TEST_DIRECTORY/root/etc.link"
	ln -s "$CANARY" "$TEST_DIRECTORY/root/dev.link"
	swap "$TEST_DIRECTORY/root/etc" "$TEST_DIRECTORY/root/etc.link"
	swap "$TEST_DIRECTORY/root/dev" "$TEST_DIRECTORY/root/dev.link"
	for i in $(seq "$ROUNDS"); do
		initlayer --rootfs "$TEST_DIRECTORY/root" >/dev/null 2>&1 3>&- || true
	done
	swap_end
	canary_lives
}

@test "buildkit 2024-23652: what is removed is removed in the tree alone" {
	local bundle i
	import_busybox
	for i in $(seq $((ROUNDS / 2))); do
		bundle=$(layerfs create busybox)
		mkdir -p "$bundle/upper/a/sub"
		touch "$bundle/upper/a/file"
		ln -s "$CANARY" "$bundle/upper/b"
		swap "$bundle/upper/a" "$bundle/upper/b"
		layerfs rm --incomplete >/dev/null 2>&1 || true
		[ ! -e "$bundle" ] || layerfs rm "${bundle##*/}" >/dev/null 2>&1 || true
		swap_end
		[ ! -e "$bundle" ] || layerfs rm --incomplete >/dev/null 2>&1 || true
	done
	canary_lives
}
