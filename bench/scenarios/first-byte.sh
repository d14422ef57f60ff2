# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154,SC2034 # variables of bench/compare
# compare first-byte: until output of the program is in a pipe.

scenario_first_byte()
{
	image_make || return 0
	bundle_make bench-byte /bin/busybox echo hello
	peers_bundle_make bench-byte-peers /bin/busybox echo hello
	set --
	wants nslaunch && set -- "$@" nslaunch byte -- nslaunch run --bundle "$bundle" ';'
	for runtime in crun runc; do
		wants "$runtime" "$runtime" && set -- "$@" "$runtime" byte -- "$runtime" --root \
			"$work/run/$runtime" run --bundle "$peers" 'lamina-bench-{}' ';'
	done
	if wants bwrap bwrap; then
		set -- "$@" bwrap byte -- bwrap --unshare-all --bind "$peers/rootfs" / --proc /proc \
			--dev /dev /bin/busybox echo hello ';'
	fi
	if nspawn_works; then
		set -- "$@" nspawn byte -- systemd-nspawn -q -D "$root" --register=no --keep-unit \
			--private-network --as-pid2 /bin/busybox echo hello ';'
	fi
	wants lamina && set -- "$@" lamina byte -- lamina-run --rm --network none bench:latest \
		/bin/busybox echo hello ';'
	# shellcheck disable=SC2086 # lists of words
	docker_start && set -- "$@" docker byte $docker_words -- docker run --rm --network none \
		bench:latest /bin/busybox echo hello ';'
	# shellcheck disable=SC2086
	podman_make && set -- "$@" podman byte -- podman $podman_options run --rm --network none \
		bench:latest /bin/busybox echo hello ';'
	drive first-byte 30 nslaunch "$@"
	peers_bundle_remove
	layerfs rm "$bundle" >/dev/null
}
