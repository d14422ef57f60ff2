# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# podman with storage, run directory and configuration of its own, all in the sandbox. `engine` is
# podman with the runtime that is being tried.
load engine

engine() {
	podman --runtime "$RUNTIME" "$@"
}

# state NAME FIELD - a field of inspect's State
state() {
	podman inspect -f "{{.State.$2}}" "$1"
}

podman_setup() {
	sandbox_setup || return
	# Debian's crun takes v1 hierarchies with a v2 one among them for something broken.
	export PEER=$SCRATCH/bin/crun
	export CONTAINERS_CONF=$SCRATCH/containers.conf CONTAINERS_STORAGE_CONF=$SCRATCH/storage.conf
	export CONTAINERS_REGISTRIES_CONF=$SCRATCH/registries.conf STORAGE_DRIVER=${STORAGE_DRIVER-overlay}
	# docs/engines.md shows the two lists: podman goes by the runtime's name.
	cat >"$CONTAINERS_CONF" <<-'END'
		[containers]
		netns = "none"
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		infra_image = "localhost/pause:latest"
		init_path = "/usr/bin/tini-static"
		runtime_supports_json = ["crun", "runc", "nslaunch"]
		runtime_supports_nocgroup = ["crun", "nslaunch"]
	END
	printf '[storage]\ndriver = "%s"\nrunroot = "%s"\ngraphroot = "%s"\n' "$STORAGE_DRIVER" \
		$SCRATCH/podman-run $SCRATCH/podman-data >"$CONTAINERS_STORAGE_CONF"
	echo 'unqualified-search-registries = []' >"$CONTAINERS_REGISTRIES_CONF"
	mkdir -p /etc/containers
	echo '{"default": [{"type": "insecureAcceptAnything"}]}' >/etc/containers/policy.json
	podman load -q -i $IMAGE.tar >&2
	# podman makes its pause image of a program that isn't everywhere.
	printf '#!/bin/sh\nexec sleep inf\n' >$SCRATCH/pause
	chmod 755 $SCRATCH/pause
	podman create -q --name pause busybox >&2 && podman cp $SCRATCH/pause pause:/pause &&
		podman commit -q -c 'ENTRYPOINT ["/pause"]' pause localhost/pause >&2 &&
		podman rm pause >&2
}

podman_teardown() {
	[ -n "${SCRATCH-}" ] || return 0
	podman pod rm -fa -t 0 >/dev/null
	podman rm -fa -t 0 >/dev/null
	runtime_leavings '.*/\(libpod\|crio\)-[0-9a-f]+' /run/nslaunch /run/lamina
}
