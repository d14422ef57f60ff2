#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# layerfs create: bundles, their files, and what is left when it fails

load helpers
load images

setup() {
	lamina_setup
	need layerfs
	need_root
	fresh_store
}

# store_files - all that containers and names hold
store_files() {
	find "$LAMINA_STORE"/{containers,names,staging,trash} -mindepth 1
}

# refused STATUS MESSAGE ARGUMENT... - create fails with this message, and leaves nothing
refused() {
	local expected=$1 message=$2

	shift 2
	run --separate-stderr layerfs create "$@"
	echo "$stderr"
	[ "$status" -eq "$expected" ]
	[ "$stderr" = "layerfs: create: $message" ]
	[ -z "$output" ]
	[ -z "$(store_files)" ]
}

@test "a bundle has the files of the design, with their modes" {
	digest=$(make_image busybox:latest)
	bundle=$(umask 077 && layerfs create busybox)
	[[ $bundle =~ ^"$LAMINA_STORE"/containers/[0-9a-f]{64}$ ]]
	run -0 find "$bundle" -mindepth 1 -printf '%P %y %m %U:%G\n'
	expected='group f 644 0:0
image f 644 0:0
image-config.json f 644 0:0
layers f 644 0:0
lock f 600 0:0
passwd f 644 0:0
rootfs d 755 0:0
upper d 755 0:0
work d 700 0:0'
	[ "$(sort <<<"$output")" = "$expected" ]
	[ "$(stat -c %a "$bundle")" = 700 ]
	[ "$(<"$bundle/image")" = "$digest"$'\n'busybox ]
	record=$LAMINA_STORE/images/sha256/${digest#sha256:}
	cmp "$record/config.json" "$bundle/image-config.json"
	cmp "$record/passwd" "$bundle/passwd"
	cmp "$record/group" "$bundle/group"
	[ "$(<"$bundle/layers")" = "$LAMINA_STORE/layers/$(<"$record/layers")/diff" ]
	[ "$(stat -c %h "$bundle/image-config.json")" = 1 ]
}

@test "layers are written topmost first" {
	mkdir a b c
	make_image abc:latest "$PWD/c" "$PWD/b" "$PWD/a"
	bundle=$(layerfs create abc)
	record=$LAMINA_STORE/images/sha256/$(sha256sum <<<abc:latest | cut -c -64)
	[ "$(sed "s,.*/layers/\(.*\)/diff,\1," "$bundle/layers")" = "$(<"$record/layers")" ]
	[ "$(wc -l <"$bundle/layers")" -eq 3 ]
	[ ! -e "$bundle/passwd" ]
}

@test "an image is found by name, tag, digest and prefix" {
	digest=$(make_image busybox:latest)
	make_image other:2 >&2
	for image in busybox busybox:latest "$digest" "${digest#sha256:}" "${digest:7:12}"; do
		bundle=$(layerfs create "$image")
		[ "$(head -n 1 "$bundle/image")" = "$digest" ]
		[ "$(tail -n 1 "$bundle/image")" = "$image" ]
	done
}

@test "an unknown image is refused, with what may have been meant" {
	make_image busybox:latest
	refused 1 "image 'busybx' not found (did you mean 'busybox:latest'?)" busybx
	refused 1 "image 'entirely-else' not found" entirely-else
}

@test "a bad name and a bad id are refused" {
	make_image busybox:latest
	long=$(printf '%0129d' 0)
	for name in '' .web -web a/b 'a b' "$long" é; do
		refused 1 "bad name '$name': it takes [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most 128 bytes" \
			--name="$name" busybox
		refused 1 "bad id '$name': it takes [a-zA-Z0-9_][a-zA-Z0-9_.-]*, at most 128 bytes" \
			--id="$name" busybox
	done
	refused 1 "bad id '..': it takes [a-zA-Z0-9_][a-zA-Z0-9_.-]*, at most 128 bytes" --id .. busybox
}

@test "wrong usage exits with 2" {
	make_image busybox:latest
	refused 2 "too few arguments: it takes IMAGE; see its --help"
	refused 2 "option '--count' takes a number from 1 on, not '0'; see its --help" -n 0 busybox
	refused 2 "option '--count' takes a number from 1 on, not '-3'; see its --help" -n -3 busybox
	refused 2 "option '--name' is for one bundle, not for 2; see its --help" -n 2 --name a busybox
	refused 2 "option '--id' is for one bundle, not for 2; see its --help" -n 2 --id a busybox
	refused 2 "option '--cidfile' is for one bundle, not for 2; see its --help" \
		-n 2 --cidfile a busybox
	refused 2 "option '--ephemeral' takes a size such as 64m, not 'big'; see its --help" \
		--ephemeral=big busybox
	refused 2 "option '--max-depth' is at most 500, overlayfs's limit; see its --help" \
		--max-depth 501 busybox
}

@test "a taken id is refused and its bundle untouched" {
	make_image busybox:latest
	bundle=$(layerfs create --id one busybox)
	[ "$bundle" = "$LAMINA_STORE/containers/one" ]
	find "$bundle" -printf '%p %T@\n' >before
	run --separate-stderr layerfs create --id one busybox
	[ "$status" -eq 1 ]
	[ "$stderr" = "layerfs: create: the id 'one' is taken" ]
	find "$bundle" -printf '%p %T@\n' | diff before -
}

@test "a name is a link to its bundle, and taken while that is complete or young" {
	make_image busybox:latest
	bundle=$(layerfs create --name web busybox)
	id=${bundle##*/}
	[ "$(readlink "$LAMINA_STORE/names/web")" = "../containers/$id" ]
	[ "$(<"$bundle/name")" = web ]
	run --separate-stderr layerfs create --name web busybox
	[ "$status" -eq 1 ]
	[ "$stderr" = "layerfs: create: the name 'web' is taken by container '$id', which is being made" ]
	echo '{}' >"$bundle/config.json"
	touch -d '1 hour ago' "$bundle"
	run --separate-stderr layerfs create --name web busybox
	[ "$status" -eq 1 ]
	[ "$stderr" = "layerfs: create: the name 'web' is taken by container '$id'; remove that, or take another name" ]
	[ "$(ls "$LAMINA_STORE/containers")" = "$id" ]
}

@test "a name whose bundle is gone, or an unlocked leftover, is free" {
	make_image busybox:latest
	ln -s ../containers/gone "$LAMINA_STORE/names/web"
	first=$(layerfs create --name web busybox)
	[ "$(readlink "$LAMINA_STORE/names/web")" = "../containers/${first##*/}" ]
	touch -d '1 hour ago' "$first"
	second=$(layerfs create --name web busybox)
	[ "$(readlink "$LAMINA_STORE/names/web")" = "../containers/${second##*/}" ]
	# Removing the first one must not take the name from the second.
	layerfs rm "$first"
	[ "$(readlink "$LAMINA_STORE/names/web")" = "../containers/${second##*/}" ]
}

@test "a leftover that somebody holds keeps its name" {
	make_image busybox:latest
	bundle=$(layerfs create --name web busybox)
	touch -d '1 hour ago' "$bundle"
	exec 8<"$bundle/lock"
	flock -s 8
	run --separate-stderr layerfs create --name web busybox
	exec 8<&-
	[ "$status" -eq 1 ]
	[[ $stderr == *"the name 'web' is taken by"* ]]
}

@test "of twenty creates of one name at once, exactly one wins" {
	make_image busybox:latest
	for round in 1 2 3; do
		for i in $(seq 20); do
			layerfs create --name "web$round" busybox >>won.$round 2>>lost.$round &
		done
		wait
		[ "$(wc -l <won.$round)" -eq 1 ]
		[ "$(wc -l <lost.$round)" -eq 19 ]
		[ "$(realpath "$LAMINA_STORE/names/web$round")" = "$(<won.$round)" ]
	done
	[ "$(ls "$LAMINA_STORE/containers" | wc -l)" -eq 3 ]
}

@test "of twenty take-overs of a leftover's name at once, exactly one wins" {
	make_image busybox:latest
	old=$(layerfs create --name web busybox)
	touch -d '1 hour ago' "$old"
	for i in $(seq 20); do
		layerfs create --name web busybox >>won 2>>lost &
	done
	wait
	[ "$(wc -l <won)" -eq 1 ]
	[ "$(realpath "$LAMINA_STORE/names/web")" = "$(<won)" ]
	[ "$(ls -A "$LAMINA_STORE/names")" = web ]
}

@test "ephemeral bundles have a size in place of a read-write layer" {
	make_image busybox:latest
	bundle=$(layerfs create --ephemeral busybox)
	[ "$(<"$bundle/ephemeral")" = 0 ]
	[ ! -e "$bundle/upper" ]
	[ ! -e "$bundle/work" ]
	bundle=$(layerfs create --ephemeral=64m busybox)
	[ "$(<"$bundle/ephemeral")" = 67108864 ]
}

@test "the id goes to a new cidfile, and an old one is refused" {
	make_image busybox:latest
	bundle=$(layerfs create --cidfile cid busybox)
	[ "$(<cid)" = "${bundle##*/}" ]
	[ "$(wc -c <cid)" -eq 64 ]
	layerfs rm --wait "$bundle"
	refused 1 "container ID file found, make sure the other container isn't running or delete cid" \
		--cidfile cid busybox
	refused 1 "cannot write 'no/cid': No such file or directory" --cidfile no/cid busybox
	[ "$(ls)" = $'cid\n'"$(ls -d layer.*)"$'\nstore' ]
}

@test "more layers than 127 are refused, and up to 500 are an option" {
	mkdir one
	make_image deep:127 $(for i in $(seq 127); do echo "$PWD/one"; done) >&2
	make_image deep:128 $(for i in $(seq 128); do echo "$PWD/one"; done) >&2
	layerfs create deep:127
	layerfs rm --incomplete --wait
	refused 1 "the image 'deep:128' has 128 layers, more than 127; --max-depth raises that, up to 500" \
		deep:128
	bundle=$(layerfs create --max-depth 500 deep:128)
	[ "$(wc -l <"$bundle/layers")" -eq 128 ]
	layerfs rm --wait "$bundle"
	refused 1 "the image 'deep:127' has 127 layers, more than 3; --max-depth raises that, up to 500" \
		--max-depth 3 deep:127
}

@test "a record with a layer that is no chain id is refused" {
	digest=$(make_image busybox:latest)
	echo ../../../etc >"$LAMINA_STORE/images/sha256/${digest#sha256:}/layers"
	refused 1 "the image $digest has '../../../etc' among its layers" busybox
}

@test "a thousand bundles, each with an id and a path of its own" {
	make_image busybox:latest
	layerfs create -n 1000 busybox >paths
	[ "$(sort -u paths | wc -l)" -eq 1000 ]
	[ "$(ls "$LAMINA_STORE/containers" | wc -l)" -eq 1000 ]
	layerfs create -0 -n 3 busybox >nul
	[ "$(tr -cd '\0' <nul | wc -c)" -eq 3 ]
	layerfs rm <paths >removed
	cmp paths removed
	layerfs rm -0 <nul >/dev/null
	[ -z "$(ls "$LAMINA_STORE/containers")" ]
}

@test "a bundle whose path can't be written out is removed again" {
	make_image busybox:latest
	run --separate-stderr bash -c 'layerfs create --name web busybox >/dev/full'
	[ "$status" -eq 1 ]
	[[ $stderr == "layerfs: create: cannot write out '$LAMINA_STORE/containers/"*"': No space left on device" ]]
	[ -z "$(store_files)" ]
	run --separate-stderr bash -c 'layerfs create --cidfile cid busybox >&-'
	[ "$status" -eq 1 ]
	[ ! -e cid ]
	[ -z "$(store_files)" ]
	# Nobody reads: SIGPIPE must not be the end before it is cleaned up.
	run --separate-stderr bash -c 'set -o pipefail; layerfs create -n 100000 busybox | head -n 1 >first'
	[ "$status" -eq 1 ]
	[[ $stderr == *": Broken pipe" ]]
	lost=${stderr#*"cannot write out '"}
	lost=${lost%%"'"*}
	[ ! -e "$lost" ]
	[ -d "$(<first)" ]
	layerfs rm --incomplete --wait >/dev/null
	[ -z "$(store_files)" ]
}

@test "a full disk leaves nothing" {
	privately <<'END'
		for size in 0 1 2 3 4 5 6 8; do
			mkdir -p full
			mount -t tmpfs -o "size=64k,nr_inodes=$((40 + size))" tmpfs full
			export LAMINA_STORE=$PWD/full/store
			make_image busybox:latest >&2
			: >"$LAMINA_STORE/lock"
			if ! layerfs create --name web busybox 2>error; then
				[[ $(<error) == "layerfs: create: "*": No space left on device" ]]
				left=$(store_files)
				[ -z "$left" ]
				echo "$size" >>failed
			fi
			umount full
		done
END
	[ "$(wc -l <failed)" -ge 3 ]
}

@test "kill -9 at any moment leaves only what a sweep drops" {
	make_image busybox:latest
	for i in $(seq 60); do
		layerfs create -n 500 busybox >/dev/null &
		pid=$!
		sleep "0.00$((i % 10))$((i % 7))"
		kill -KILL "$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
	done
	layerfs rm --incomplete --wait >/dev/null
	[ -z "$(store_files)" ]
}

@test "sweeps while bundles are being made never break a create" {
	make_image busybox:latest
	(for i in $(seq 100); do layerfs rm --incomplete; done >swept) &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		layerfs create -n 50 busybox >>made
	done
	layerfs rm --incomplete --wait >>swept
	[ -s made ]
	# What a sweep took before it was locked was made again, with another id.
	[ -z "$(comm -23 <(sort made) <(sort swept))" ]
}

@test "bundles of an image that goes away meanwhile are not made" {
	digest=$(make_image busybox:latest)
	mkfifo pipe
	layerfs create -n 100000 busybox >pipe 2>errors &
	pid=$!
	exec 8<pipe
	read -r _ <&8
	mv "$LAMINA_STORE/images/sha256/${digest#sha256:}" gone
	cat <&8 >/dev/null
	run wait "$pid"
	exec 8<&-
	[ "$(<errors)" = "layerfs: create: the image 'busybox' was removed meanwhile" ]
}
