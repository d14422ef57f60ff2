# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Images made by hand in a store, where a test needs a stack that no real image has, or none of what
# an import does.

# make_image NAME [LAYER...] - an image in $LAMINA_STORE of these directories, topmost first
#
# With no LAYER it has one, with a few directories and users in it. Prints the manifest's digest.
make_image() {
	local name=$1 store=$LAMINA_STORE chain digest record layer users=/nowhere file

	shift
	[ -e "$store/format" ] || {
		(umask 077 && mkdir -p "$store"/{images/sha256,images/names,blobs/sha256,layers,init} \
			"$store"/{containers,names,volumes,staging,trash})
		echo 1 >"$store/format"
	}
	digest=$(sha256sum <<<"$name" | cut -c -64)
	record=$store/images/sha256/$digest
	mkdir -p "$record"
	: >"$record/layers"
	if [ $# -eq 0 ]; then
		layer=$(mktemp -d "$TEST_DIRECTORY/layer.XXXXXX")
		chmod 755 "$layer"
		mkdir "$layer"/{bin,dev,etc,proc,root,sys,tmp}
		echo root:x:0:0:root:/root:/bin/sh >"$layer/etc/passwd"
		echo root:x:0: >"$layer/etc/group"
		echo text >"$layer/file"
		set -- "$layer"
	fi
	for layer; do
		chain=$(sha256sum <<<"$name $layer" | cut -c -64)
		[ -e "$store/layers/$chain" ] || {
			mkdir "$store/layers/$chain"
			cp -a "$layer" "$store/layers/$chain/diff"
		}
		echo "$chain" >>"$record/layers"
		[ "$users" != /nowhere ] || [ ! -d "$layer/etc" ] || users=$layer
	done
	echo '{"architecture":"amd64","os":"linux","config":{"Cmd":["sh"]}}' >"$record/config.json"
	for file in passwd group; do
		[ ! -f "$users/etc/$file" ] || cp "$users/etc/$file" "$record"
	done
	echo "sha256:$(sha256sum <"$record/config.json" | cut -c -64)" >"$record/id"
	ln -sfn "../sha256/$digest" "$store/images/names/$name"
	echo "sha256:$digest"
}
