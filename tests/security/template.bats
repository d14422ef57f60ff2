#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Ways out of a root that lies on the template's (launch/template.h), tried with every right there
# is: the same must come of them as of a root that was pivoted.
# docs/security.md has the table of all attacks.

load attack
eval "$(declare -f setup teardown | sed 's/^setup ()/attack_setup ()/; s/^teardown ()/attack_teardown ()/')"

ALL='.process.capabilities=(["CHOWN","DAC_OVERRIDE","FOWNER","MKNOD","SYS_ADMIN","SYS_CHROOT","SYS_PTRACE"]
	| map("CAP_"+.) | {bounding:.,effective:.,permitted:.})'

setup() {
	attack_setup
	nslaunch_only
	[ -x "${LAMINA_ESCAPE:-}" ] || skip "no escape (run by meson)"
	cp "$LAMINA_ESCAPE" "$BUNDLE/rootfs/bin/escape"
	export LAMINA_TEMPLATE=$TEST_DIRECTORY/template
}

teardown() {
	attack_teardown
	while umount "$LAMINA_TEMPLATE/mnt" 2>/dev/null; do :; done
	while umount "$LAMINA_TEMPLATE" 2>/dev/null; do :; done
}

# escape_tried - what comes of it in a container, without what lies below
escape_tried() {
	in_container "escape '$CANARY/file'" "$ALL"
	[ "$status" -eq 0 ] || { echo "$stderr"; return 1; }
	[[ $output == *tried* && $output != *"no unshare"* ]]
}

@test "ways out of a root on the template: none leads to the host" {
	escape_tried
	mountpoint -q "$LAMINA_TEMPLATE/mnt"
	[[ $output != *ESCAPED* ]] || escaped "$output"
	[[ $output != *"no pivot_root"* ]]
	rm -r "$BUNDLE/rootfs/tmp"/*
	# Not even the kernel's own bare root file system, which lies below every other root.
	[[ $output != *BELOW* ]] || escaped "$output"
	[[ $("$LAMINA_ESCAPE" --look "$LAMINA_TEMPLATE/mnt") == *nr_inodes=1* ]] || escaped "remounted"
	umount "$LAMINA_TEMPLATE/mnt"
	canary_lives
}

@test "the same ways do lead to the host where the template has its mounts: they are tried" {
	local pid cpu

	mkdir -m 700 "$LAMINA_TEMPLATE"
	touch "$LAMINA_TEMPLATE/mnt"
	# On which processor such a namespace can be pinned: launch/template.c, namespace_make().
	for cpu in $(seq 0 $(($(nproc) - 1))); do
		taskset -c "$cpu" unshare -m --propagation private sleep 1000.25 3>&- &
		pid=$!
		SWAPPERS="${SWAPPERS:-} $pid"
		until_true grep -q sleep "/proc/$pid/comm"
		mount --bind "/proc/$pid/ns/mnt" "$LAMINA_TEMPLATE/mnt" 2>/dev/null && break
	done
	mountpoint -q "$LAMINA_TEMPLATE/mnt"
	escape_tried
	[[ $output == *"ESCAPED BY umount"* ]] || { echo "$output"; return 1; }
}

@test "what a container mounts is neither in the template, nor in another container, nor on the host" {
	local before

	in_container true
	[ "$status" -eq 0 ]
	before=$("$LAMINA_ESCAPE" --look "$LAMINA_TEMPLATE/mnt" | cut -d' ' -f5-)
	[ "$(wc -l <<<"$before")" -eq 1 ]
	grep -q '^/ ro,nosuid,nodev,noexec,relatime - tmpfs ' <<<"$before"
	script 'mkdir -p /mnt; mount -t tmpfs mark-one /mnt; mount -t tmpfs mark-two /; mount --make-rshared /
		mount -t tmpfs mark-three /mnt; sleep 1000.5' "$ALL"
	CONTAINERS=$ID
	runtime create --bundle "$BUNDLE" "$ID" </dev/null 3>&- >/dev/null
	runtime start "$ID"
	until_true grep -q mark-three "/proc/$(init_pid)/mountinfo"
	! grep mark- /proc/self/mountinfo
	[ "$("$LAMINA_ESCAPE" --look "$LAMINA_TEMPLATE/mnt" | cut -d' ' -f5-)" = "$before" ]
	script 'cat /proc/self/mountinfo'
	attempt run --bundle "$BUNDLE" "$ID-2"
	[ "$status" -eq 0 ]
	[[ $output != *mark-* ]] || escaped "$output"
	delete
}

@test "a template that isn't root's alone is not taken" {
	local mode

	in_container true
	for mode in "chmod 770" "chmod 707" "chown 1000"; do
		$mode "$LAMINA_TEMPLATE"
		in_container true
		[ "$status" -eq 0 ]
		attempt --debug run --bundle "$BUNDLE" "$ID"
		[[ $stderr == *"no template: '$LAMINA_TEMPLATE' is not root's alone to write"* ]] ||
			escaped "$mode: $stderr"
		chmod 700 "$LAMINA_TEMPLATE"
		chown 0 "$LAMINA_TEMPLATE"
	done
	attempt --debug run --bundle "$BUNDLE" "$ID"
	[[ $stderr != *"no template"* ]]
	umount "$LAMINA_TEMPLATE/mnt"
	mv "$LAMINA_TEMPLATE" "$LAMINA_TEMPLATE.real"
	ln -s "$LAMINA_TEMPLATE.real" "$LAMINA_TEMPLATE"
	attempt --debug run --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[[ $stderr == *"no template"* ]] || escaped "through a link"
}
