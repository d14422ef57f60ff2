#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Images that other tools unpack, run and write: the same files come out, by everything there is to
# know of a file. Needs a Docker daemon of its own, umoci and skopeo; what is missing is skipped.
load ../shell/helpers
load ../shell/tree

setup_file() {
	lamina_setup_file
	[ "$(id -u)" -eq 0 ] || return 0
	docker_start || echo "# no dockerd: $(tail -n 1 "$SCRATCH/docker/log" 2>/dev/null)" >&3
}

teardown_file() {
	local status=0

	docker_stop
	lamina_teardown_file || status=$?
	return "$status"
}

setup() {
	lamina_setup
	need_root
	need layerfs initlayer jq
}

teardown() {
	[ ! -d "$LAMINA_STORE/containers" ] ||
		find "$LAMINA_STORE/containers" -mindepth 1 -maxdepth 1 | layerfs rm --force --wait >/dev/null || :
}

# docker_start - a daemon with its data, mounts and network to itself
docker_start() {
	local directory=$SCRATCH/docker

	[ -x /usr/sbin/dockerd ] && [ -x /usr/bin/docker ] || return 1
	mkdir "$directory"
	export DOCKER_HOST=unix://$directory/socket
	echo '{"storage-driver": "overlay2"}' >"$directory/daemon.json"
	unshare -m --propagation private /usr/sbin/dockerd --config-file "$directory/daemon.json" \
		--data-root "$directory/data" --exec-root "$directory/exec" --host "$DOCKER_HOST" \
		--pidfile "$directory/pid" --iptables=false --ip6tables=false --bridge=none \
		--ip-forward=false --cgroup-parent /lamina >"$directory/log" 2>&1 3>&- &
	for _ in $(seq 1200); do
		/usr/bin/docker version >/dev/null 2>&1 && return 0
		kill -0 "$!" 2>/dev/null || break
		sleep 0.1
	done
	return 1
}

docker_stop() {
	local pid

	[ -s "$SCRATCH/docker/pid" ] || return 0
	pid=$(<"$SCRATCH/docker/pid")
	kill "$pid"
	for _ in $(seq 1200); do
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
}

docker() {
	/usr/bin/docker "$@"
}

need_docker() {
	docker version >/dev/null 2>&1 || skip "no dockerd runs here"
}

# image KIND - sets `layout` to its OCI layout, made once a file, and `name`; imported into the store
image() {
	layout=$SCRATCH/$1
	if [ ! -e "$layout/index.json" ]; then
		"$LAMINA_SOURCE/tools/mkimage" "$1" "$layout" >&2 ||
			skip "no $1 image can be made here"
	fi
	name=$(jq -r '.manifests[0].annotations["org.opencontainers.image.ref.name"]' "$layout/index.json")
	case $name in *:*) ;; *) name=$1:$name ;; esac
	[ -e "$LAMINA_STORE/images/names/${name//\//%2F}" ] || layerfs import "$layout" "$name" >&2
}

# docker_image - the image of image() in the daemon, by its name
docker_image() {
	need skopeo
	need_docker
	docker image inspect "$name" >/dev/null 2>&1 && return
	skopeo copy -q "oci:$layout:$(reference)" "docker-archive:$SCRATCH/archive.tar:$name"
	docker load -q -i "$SCRATCH/archive.tar" >&2
	rm "$SCRATCH/archive.tar"
}

reference() {
	jq -r '.manifests[0].annotations["org.opencontainers.image.ref.name"]' "$layout/index.json"
}

# list_root DIR - list_tree, without what a copy of a whole root can't have: times below the second
list_root() {
	list_tree "$1" | sed -E 's/^(.*\|[0-9]+)\.[0-9]+(\||$)/\1\2/'
}

# compare_with_umoci KIND - the layers alone, merged: a container's own top directory is new
compare_with_umoci() {
	local layers layer

	need umoci
	image "$1"
	umoci unpack --image "$layout:$(reference)" unpacked 2>err || { cat err; return 1; }
	layers=$(layerfs create "$name")/layers
	lowers=
	while read -r layer; do lowers+=" --lower $layer"; done <"$layers"
	export lowers
	privately <<-'END'
		mkdir merged
		# shellcheck disable=SC2086
		layerfs mount $lowers merged >/dev/null
		list_tree merged >ours
		layerfs umount merged >/dev/null
	END
	list_tree unpacked/rootfs >theirs
	[ "$(wc -l <ours)" -gt 100 ]
	diff -u theirs ours
	rm -rf unpacked
}

@test "the merged root of the busybox image is what umoci unpacks" {
	compare_with_umoci busybox
}

@test "the merged root of the debian image is what umoci unpacks" {
	compare_with_umoci debian
}

@test "the merged root of an image of many layers is what umoci unpacks" {
	compare_with_umoci many
}

# What Docker's init layer puts there has the time of the container's making, and so have the
# directories that it changes.
without_times_of_init() {
	sed -E '/^(\.dockerenv|dev|dev\/(console|pts|shm)|etc|etc\/(hosts|hostname|mtab|resolv\.conf)|proc|sys|)\|/s/\|[0-9]+(\||$)/|TIME\1/g'
}

# Docker's export knows security.capability alone.
without_other_xattrs() {
	grep -vE '^(# file: |user\.|trusted\.overlay\.|$)'
}

# compare_with_docker KIND
compare_with_docker() {
	local bundle id

	image "$1"
	docker_image
	id=$(docker create --network none "$name" true)
	mkdir exported
	docker export "$id" | tar --xattrs --xattrs-include='*' --numeric-owner -C exported -xpf -
	bundle=$(layerfs create "$name" | initlayer)
	export bundle
	privately <<-'END'
		layerfs mount "$bundle" >/dev/null
		list_root "$bundle/rootfs" >ours
		layerfs umount "$bundle" >/dev/null
	END
	list_root exported >theirs
	docker rm "$id" >/dev/null
	[ "$(wc -l <ours)" -gt 100 ]
	diff -u <(without_times_of_init <theirs | without_other_xattrs) \
		<(without_times_of_init <ours | without_other_xattrs)
	rm -rf exported
}

@test "docker export of the busybox image has what is mounted here, init layer and all" {
	compare_with_docker busybox
}

@test "docker export of the debian image has what is mounted here, init layer and all" {
	compare_with_docker debian
}

@test "docker export of an image of many layers has what is mounted here" {
	compare_with_docker many
}

list_init() {
	list_tree "$1" | sed -E 's/\|[0-9]+\.[0-9]+(\||$)/|TIME\1/' | without_other_xattrs
}

@test "the init layer is the one that Docker makes for the image" {
	local kind id theirs ours
	for kind in busybox debian; do
		image "$kind"
		docker_image
		id=$(docker create --network none "$name" true)
		theirs=$(docker inspect -f '{{.GraphDriver.Data.LowerDir}}' "$id")
		theirs=${theirs%%:*}
		[[ $theirs == *-init/diff ]]
		ours=$(<"$(layerfs create "$name" | initlayer)/init-layer")
		list_init "$theirs" >theirs
		list_init "$ours" >ours
		[ -s ours ]
		grep -q '^\.dockerenv|f|0755|0:0|0|' ours
		diff -u theirs ours
		docker rm "$id" >/dev/null
	done
}

@test "what docker save writes is imported, from a file and from a pipe" {
	image many
	docker_image
	fresh_store
	docker save "$name" >saved.tar
	[ "$(layerfs import saved.tar)" = "$name" ]
	docker save "$name" | layerfs import - piped:1
	layerfs import "$layout" direct:1
	same_layers "$name" direct:1
	same_layers piped:1 direct:1
}

# same_layers A B - two images in the store have the same layers, by chain id
same_layers() {
	local a b

	a=$(readlink -f "$LAMINA_STORE/images/names/${1//\//%2F}")/layers
	b=$(readlink -f "$LAMINA_STORE/images/names/${2//\//%2F}")/layers
	[ -s "$a" ]
	diff -u "$a" "$b"
}

@test "several images of one docker save are imported together" {
	image many
	docker_image
	local first=$name
	image busybox
	docker_image
	fresh_store
	docker save "$first" "$name" >saved.tar
	run --separate-stderr layerfs import saved.tar
	[ "$status" -eq 0 ]
	[ "$(sort <<<"$output")" = "$(printf '%s\n' "$first" "$name" | sort)" ]
}

@test "what skopeo writes is imported, in each of its formats" {
	need skopeo
	image many
	fresh_store
	layerfs import "$layout" direct:1
	local from
	from="oci:$layout:$(reference)"
	skopeo copy -q "$from" docker-archive:archive.tar:from/archive:2
	skopeo copy -q "$from" oci:copied:tagged
	skopeo copy -q "$from" oci-archive:oci.tar:tagged
	skopeo copy -q --dest-compress-format zstd "$from" dir:plain
	skopeo copy -q --dest-compress --dest-compress-format zstd --dest-force-compress-format "$from" oci:zstd:1 2>/dev/null ||
		skopeo copy -q --dest-compress-format zstd "$from" oci:zstd:1
	[ "$(layerfs import archive.tar)" = from/archive:2 ]
	layerfs import copied copied:1
	layerfs import oci.tar archived:1
	layerfs import - archived:2 <oci.tar
	layerfs import zstd zstd:1
	for name in from/archive:2 copied:1 archived:1 archived:2 zstd:1; do
		same_layers "$name" direct:1
	done
}

@test "what docker export writes is imported as a root" {
	image busybox
	docker_image
	id=$(docker create --network none "$name" true)
	docker export "$id" >root.tar
	docker rm "$id" >/dev/null
	layerfs import root.tar exported:1
	tar -C "$(mkdir root && echo root)" --numeric-owner -xpf root.tar
	bundle=$(layerfs create exported:1)
	list_root "$(head -n 1 "$bundle/layers")" >ours
	list_root root >theirs
	diff -u theirs ours
}

@test "what podman saves is imported" {
	need podman skopeo
	image busybox
	mkdir podman
	# podman makes a name of the path, in lower case only.
	ln -s "$layout" layout
	podman --root "$PWD/podman/root" --runroot "$PWD/podman/run" --tmpdir "$PWD/podman/tmp" \
		--storage-driver vfs --events-backend none pull -q "oci:layout:$(reference)" >id 2>err || skip "podman: $(head -n 1 err)"
	for format in docker-archive oci-archive; do
		podman --root "$PWD/podman/root" --runroot "$PWD/podman/run" --tmpdir "$PWD/podman/tmp" \
			--storage-driver vfs --events-backend none save -q --format $format -o $format.tar "$(tail -n 1 id)"
		layerfs import $format.tar podman:$format
		same_layers podman:$format "$name"
	done
}
