#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# initlayer: Docker's files under every root
#
# data/initlayer/NAME.docker is what Docker 20.10.24 had in overlay2/ID-init/diff for the image that
# image_NAME() makes: path, type, mode, owner, a link's target, a file's size; opaque directories.

load helpers
load images

setup() {
	lamina_setup
	need layerfs initlayer
	need_root
	fresh_store
}

image_plain() {
	mkdir bin etc proc sys dev tmp
	echo x >etc/passwd
}

image_links() {
	mkdir -p bin usr/etc run/dev
	ln -s usr/etc etc
	ln -s /run/dev dev
	ln -s nowhere proc
}

image_odd() {
	mkdir -p bin etc/hostname/sub dev
	echo h >etc/hosts
	ln -s ../run/resolv etc/resolv.conf
	echo m >etc/mtab
	mknod dev/console c 5 1
	echo f >dev/pts
	echo p >proc
	ln -s /tmp sys
	ln -s bin .dockerenv
	chown 5:6 etc
	chmod 2750 etc
}

image_empty() {
	mkdir usr
	touch usr/x
}

image_full() {
	mkdir -p dev/shm dev/pts proc sys etc .dockerenv
	chmod 1777 dev/shm
	chmod 555 proc
	chown 7:8 sys
	ln -s /proc/self/mounts etc/mtab
	echo a >etc/hostname
	chmod 600 etc/hostname
}

image_rootfs() {
	mkdir "$1"
	(cd "$1" && "image_$1")
}

# listing DIR - as in data/initlayer
listing() {
	(
		cd "$1" || exit
		find . \( -type f -printf '%P %y %m %U:%G  %s\n' \) -o \
			\( -type l -printf '%P %y %m %U:%G %l\n' \) -o \
			-printf '%P %y %m %U:%G\n' | sed 's/^ /. /' | sort
		find . -type d | sort | sed 's,^\./,,' | while read -r directory; do
			! getfattr -n trusted.overlay.opaque "$directory" >/dev/null 2>&1 ||
				echo "$directory opaque"
		done
	)
}

@test "the layer of each image is Docker's" {
	for name in plain links odd empty full; do
		image_rootfs "$name"
		make_image "$name:latest" "$PWD/$name" >&2
		bundle=$(layerfs create "$name" | initlayer)
		layer=$(<"$bundle/init-layer")
		[[ $layer =~ ^"$LAMINA_STORE"/init/[0-9a-f]{32}/diff$ ]]
		listing "$layer" | diff "$BATS_TEST_DIRNAME/data/initlayer/$name.docker" -
		# The image is as it was. (Not diff -r: it calls two equal devices different where the copy
		# was made in the next second.)
		diff <(listing "$name") <(listing "$(<"$bundle/layers")")
	done
	[ -z "$(ls "$LAMINA_STORE/staging")" ]
	[ -z "$(ls "$LAMINA_STORE/trash")" ]
}

@test "--rootfs makes in a plain directory what the merged root would have" {
	privately <<'END'
		for name in plain links odd empty full; do
			image_rootfs "$name"
			make_image "$name:latest" "$PWD/$name" >&2
			bundle=$(layerfs create "$name" | initlayer)
			layerfs mount "$bundle"
			listing "$bundle/rootfs" | sed 1d >merged
			layerfs umount "$bundle"
			layerfs rm "$bundle"
			chmod 700 "$name"
			[ -z "$(initlayer --rootfs "$name")" ]
			[ "$(stat -c %a "$name")" = 700 ]
			listing "$name" | sed 1d | diff merged -
		done
END
}

@test "--rootfs never leaves the directory" {
	mkdir root outside
	echo precious >outside/hosts
	ln -s "$PWD/outside" root/etc
	ln -s ../outside root/dev
	initlayer --rootfs root
	[ "$(<outside/hosts)" = precious ]
	[ "$(ls outside)" = hosts ]
	[ -f root/etc/hosts ]
	[ ! -L root/etc ]
}

@test "--rootfs of what isn't a directory is an error" {
	touch file
	run --separate-stderr initlayer --rootfs file
	[ "$status" -eq 1 ]
	[ "$stderr" = "initlayer: cannot open 'file': Not a directory" ]
	run --separate-stderr initlayer --rootfs none
	[ "$stderr" = "initlayer: cannot open 'none': No such file or directory" ]
}

@test "bundles of one image share a layer, other owners and images don't" {
	make_image one:latest >&2
	make_image two:latest >&2
	layerfs create -n 3 one | initlayer | xargs -I{} cat {}/init-layer | sort -u >layers
	[ "$(wc -l <layers)" -eq 1 ]
	cat "$(layerfs create two | initlayer)/init-layer" >>layers
	owned=$(<"$(layerfs create one | initlayer --owner 1000:1001)/init-layer")
	echo "$owned" >>layers
	[ "$(sort -u layers | wc -l)" -eq 3 ]
	[ "$(stat -c %u:%g "$owned" "$owned/etc/hosts" "$owned/dev/pts" | sort -u)" = 1000:1001 ]
	[ "$(stat -c %u:%g "$owned/etc/mtab")" = 0:0 ]
	layerfs rm --incomplete --wait >/dev/null
}

@test "an image without layers has the table alone" {
	make_image none:latest >&2
	: >"$LAMINA_STORE/images/sha256/$(sha256sum <<<none:latest | cut -c -64)/layers"
	bundle=$(layerfs create none | initlayer)
	listing "$(<"$bundle/init-layer")" | diff "$BATS_TEST_DIRNAME/data/initlayer/empty.docker" -
}

@test "a second call changes nothing, and config.json ends it" {
	make_image busybox:latest >&2
	bundle=$(layerfs create busybox | initlayer)
	find "$bundle" "$LAMINA_STORE/init" -printf '%p %T@ %C@ %s\n' >before
	run -0 initlayer --bundle "$bundle"
	[ "$output" = "$bundle" ]
	find "$bundle" "$LAMINA_STORE/init" -printf '%p %T@ %C@ %s\n' | diff before -
	echo '{}' >"$bundle/config.json"
	run --separate-stderr initlayer "$bundle"
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	[ "$stderr" = "initlayer: the bundle '$bundle' has its config.json already: too late for layers" ]
}

@test "a layer that a killed process began in the bundle is written anew" {
	make_image busybox:latest >&2
	bundle=$(layerfs create busybox)
	: >"$bundle/init-layer"
	initlayer "$bundle"
	[ -d "$(<"$bundle/init-layer")" ]
}

@test "a failing bundle is left out, the others go on" {
	make_image busybox:latest >&2
	a=$(layerfs create --id a busybox) b=$(layerfs create --id b busybox)
	run --separate-stderr initlayer < <(printf '%s\n' "$a" /nowhere "$b")
	[ "$status" -eq 1 ]
	[ "$output" = "$a"$'\n'"$b" ]
	[ "$stderr" = "initlayer: cannot open the bundle '/nowhere': No such file or directory" ]
	mkdir empty
	run --separate-stderr initlayer empty
	[ "$stderr" = "initlayer: 'empty' is not a bundle made by layerfs create" ]
	exec 8<"$a/lock"
	flock -s 8
	run --separate-stderr initlayer "$a"
	exec 8<&-
	[ "$status" -eq 1 ]
	[ "$stderr" = "initlayer: the bundle '$a' is in use" ]
}

@test "a missing layer is named" {
	make_image busybox:latest >&2
	bundle=$(layerfs create busybox)
	layer=$(<"$bundle/layers")
	mv "$layer" gone
	run --separate-stderr initlayer "$bundle"
	[ "$status" -eq 1 ]
	[ "$stderr" = "initlayer: bundle '$bundle': lowerdir '$layer': No such file or directory" ]
	[ ! -e "$bundle/init-layer" ]
	[ -z "$(ls "$LAMINA_STORE"/{init,staging,trash} | grep -v :)" ]
}

@test "the bundle's own store is used, whatever the environment says" {
	make_image busybox:latest >&2
	bundle=$(layerfs create busybox)
	LAMINA_STORE=$PWD/elsewhere initlayer "$bundle"
	[ -d "$(<"$bundle/init-layer")" ]
	[ ! -e elsewhere ]
}

@test "--list prints the table" {
	run -0 initlayer --list
	[ "${#lines[@]}" -eq 10 ]
	[ "${lines[0]}" = $'/dev/pts\tdirectory' ]
	[ "${lines[9]}" = $'/etc/mtab\tlink\t/proc/mounts' ]
}

@test "twenty at once make one layer, and no mount is left" {
	make_image busybox:latest >&2
	for round in 1 2 3 4 5; do
		rm -rf "$LAMINA_STORE"/init/*
		layerfs create -n 20 busybox >paths
		while read -r bundle; do
			initlayer "$bundle" >>done.$round &
		done <paths
		wait
		diff <(sort paths) <(sort done.$round)
		[ "$(ls "$LAMINA_STORE/init" | wc -l)" -eq 1 ]
		layer=$(echo "$LAMINA_STORE"/init/*/diff)
		listing "$layer" | cut -d ' ' -f 1 | diff - <(cut -d ' ' -f 1 \
			"$BATS_TEST_DIRNAME/data/initlayer/plain.docker")
		layerfs rm <paths >/dev/null
	done
	layerfs rm --incomplete --wait
	[ -z "$(ls "$LAMINA_STORE/staging")" ]
	[ -z "$(scratch_mounts)" ]
}

@test "kill -9 at any moment leaves no half layer" {
	make_image busybox:latest >&2
	bundle=$(layerfs create --id one busybox)
	for i in $(seq 100); do
		rm -rf "$LAMINA_STORE"/init/* "$bundle/init-layer"
		initlayer "$bundle" >/dev/null &
		pid=$!
		sleep "0.000$((i % 10))"
		kill -KILL "$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
		for layer in "$LAMINA_STORE"/init/*/diff; do
			[ ! -e "$layer" ] || [ -L "$layer/etc/mtab" ]
		done
	done
	initlayer "$bundle"
	[ -L "$(<"$bundle/init-layer")/etc/mtab" ]
	layerfs rm --incomplete --wait >/dev/null
	[ -z "$(ls "$LAMINA_STORE"/{staging,trash} | grep -v :)" ]
	[ -z "$(scratch_mounts)" ]
}

@test "a full disk is an error and leaves nothing" {
	privately <<'END'
		mkdir full
		mount -t tmpfs -o size=1m,nr_inodes=100 tmpfs full
		export LAMINA_STORE=$PWD/full/store
		make_image busybox:latest >&2
		: >"$LAMINA_STORE/lock"
		bundle=$(layerfs create --ephemeral busybox)
		i=0
		while touch "full/$i" 2>/dev/null; do
			i=$((i + 1))
		done
		for free in 1 2 3 5 8 11 14 20 40; do
			for n in $(seq "$free"); do
				rm -f "full/$((i - n))"
			done
			if initlayer "$bundle" 2>error; then
				break
			fi
			cat error
			[[ $(<error) == "initlayer: "*"No space left on device" ]] ||
				[[ $(<error) == "initlayer: "*"(is its file system full?)" ]]
			[ ! -e "$bundle/init-layer" ]
			[ -z "$(find "$LAMINA_STORE"/{init,staging,trash} -mindepth 1)" ]
			while touch "full/$i" 2>/dev/null; do
				i=$((i + 1))
			done
		done
		[ "$free" -gt 5 ]
		[ -L "$(<"$bundle/init-layer")/etc/mtab" ]
END
}
