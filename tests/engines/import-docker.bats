#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The same images in this machine's Docker, podman's way of writing them, and in layerfs.
load ../shell/helpers
load ../shell/tree

setup() {
	lamina_setup
	need layerfs dockerd docker skopeo umoci jq
	need_root
	fresh_store
	# Where the minimal Debian can't be made, the one of many small files stands in.
	image=$SCRATCH/image
	[ -e "$image/index.json" ] || "$LAMINA_SOURCE/tools/mkimage" debian "$image" >&2 || {
		rm -rf "$image"
		"$LAMINA_SOURCE/tools/mkimage" many --files 300 --layers 6 "$image" >&2
	}
	name=$(jq -r '.manifests[0].annotations["org.opencontainers.image.ref.name"]' "$image/index.json")
	export image name
}

teardown() {
	[ -z "${daemon:-}" ] || {
		kill "$daemon"
		wait "$daemon" || true
	}
	lamina_teardown
}

# docker_start - a daemon of the test's own, on $DOCKER_HOST
docker_start() {
	export DOCKER_HOST=unix://$TEST_DIRECTORY/socket
	unshare -m --propagation private dockerd --data-root "$TEST_DIRECTORY/docker" \
		--exec-root "$TEST_DIRECTORY/exec" --host "$DOCKER_HOST" --pidfile "$TEST_DIRECTORY/pid" \
		--storage-driver vfs --iptables=false --ip6tables=false --bridge=none --ip-forward=false \
		--cgroup-parent /lamina >"$TEST_DIRECTORY/log" 2>&1 3>&- &
	daemon=$!
	for _ in $(seq 1200); do
		docker version >/dev/null 2>&1 && return
		sleep 0.1
	done
	tail -n 5 "$TEST_DIRECTORY/log" >&2
	return 1
}

# merged_list IMAGE - list_tree of the image's merged root
merged_list() {
	layerfs inspect "$1" | jq -r '.[0].GraphDriver.Data.LowerDir' | tr : '\n' >lowers
	export TEST_DIRECTORY
	privately <<'EOF'
		cd "$TEST_DIRECTORY"
		mkdir -p merged
		args=()
		while read -r lower; do args+=(--lower "$lower"); done <lowers
		layerfs mount "${args[@]}" merged >/dev/null
		list_tree merged
		umount merged
EOF
}

@test "the merged root of a real system is what umoci makes of it" {
	layerfs import "$image" it
	skopeo copy -q "oci:$image:$name" oci:layout:latest
	umoci unpack --image layout:latest bundle
	diff <(list_tree bundle/rootfs | grep -v '^|d|') <(merged_list it | grep -v '^|d|')
}

@test "what docker loads, saves and exports is the same root" {
	docker_start
	skopeo copy -q "oci:$image:$name" "docker-archive:loaded.tar:it:1"
	docker load -q -i loaded.tar
	docker save it:1 | layerfs import - saved
	layerfs import "$image" original
	# docker save writes the same layers, so they are there already.
	[ "$(layerfs inspect saved | jq -c '.[0].RootFS')" = "$(layerfs inspect original | jq -c '.[0].RootFS')" ]
	[ "$(layerfs inspect saved | jq -c '.[0].GraphDriver')" = \
		"$(layerfs inspect original | jq -c '.[0].GraphDriver')" ]
	docker export "$(docker create it:1 x)" >export.tar
	layerfs import export.tar exported
	merged_list original >original.list
	merged_list exported >exported.list
	# export adds what a container has beside its image, and its tar has neither parts of a second
	# nor attributes other than capabilities.
	normal() {
		grep -v -e '^|d|' -e '^.dockerenv|' -e '^\(dev\|etc\|proc\|sys\)|d|' \
			-e '^dev/\(console\|pts\|shm\)|' -e '^etc/\(hosts\|hostname\|resolv.conf\|mtab\)|' "$1" |
			sed 's/\(|[0-9]*\)\.[0-9]*|/\1|/' | grep -v -e '^# file' -e '^user\.' -e '^trusted\.' -e '^$'
	}
	normal original.list | grep -v -e ' ./etc/h' -e ' ./etc/resolv' -e '[.]/dev/console' >a
	normal exported.list | grep -v -e ' ./etc/h' -e ' ./etc/resolv' -e ' ./.dockerenv' -e '[.]/dev/console' >b
	diff a b
}
