#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# layerfs import, images, inspect, tag, rmi.

load helpers
load tree

setup_file() {
	lamina_setup_file
}

setup() {
	lamina_setup
	need layerfs
	need_root
	fresh_store
}

# many_image - print the directory of an OCI layout of five layers, made once a file
many_image() {
	[ -e "$SCRATCH/many/index.json" ] ||
		"$LAMINA_SOURCE/tools/mkimage" many --files 200 --layers 5 "$SCRATCH/many" >&2 || return
	printf '%s\n' "$SCRATCH/many"
}

hostile() {
	python3 "$LAMINA_SOURCE/tests/shell/layer_image.py" "$@"
}

# one_layer - a small layer's tar, in $TEST_DIRECTORY/layer.tar
one_layer() {
	mkdir -p root/etc
	echo root:x:0:0:root:/root:/bin/sh >root/etc/passwd
	echo text >root/file
	tar -C root -cf layer.tar .
}

# assert_store_empty - no image, layer, blob, and nothing half made
assert_store_empty() {
	local left

	left=$(find "$LAMINA_STORE"/{images/sha256,images/names,layers,blobs/sha256,staging,trash} \
		-mindepth 1 -maxdepth 1 2>/dev/null)
	[ -z "$left" ] || {
		printf 'in the store:\n%s\n' "$left" >&2
		return 1
	}
}

# layer_lists - all there is to know of all layers of the store, a line each
layer_lists() {
	local layer

	for layer in "$LAMINA_STORE"/layers/*/; do
		echo "${layer##*/layers/} $(tar -C "$layer/diff" --sort=name --xattrs --xattrs-include='*' \
			--numeric-owner --format=pax --pax-option=delete=atime,delete=ctime -cf - . | sha256sum)"
	done
}

@test "a layout directory, its tar in any order, compressed, or from a pipe are one image" {
	many=$(many_image)
	layerfs import "$many" >out
	[ "$(cat out)" = many:latest ]
	digest=$(layerfs images -q)
	layer_lists >expected
	tar -C "$many" -cf first.tar index.json oci-layout blobs
	tar -C "$many" -cf last.tar blobs oci-layout index.json
	gzip -k last.tar
	zstd -q -k last.tar
	for source in first.tar last.tar last.tar.gz last.tar.zst; do
		rm -rf "$LAMINA_STORE"
		layerfs import "$source"
		[ "$(layerfs images -q)" = "$digest" ]
		layer_lists | diff expected -
		rm -rf "$LAMINA_STORE"
		cat "$source" | layerfs import -
		[ "$(layerfs images -q)" = "$digest" ]
		layer_lists | diff expected -
		assert_nothing_left
	done
}

@test "a docker-archive gives the same layers, and from a file and a pipe the same image" {
	need skopeo
	many=$(many_image)
	layerfs import "$many"
	layer_lists >expected
	skopeo copy -q "oci:$many" docker-archive:archive.tar:some/name:1.2
	rm -rf "$LAMINA_STORE"
	[ "$(layerfs import archive.tar)" = some/name:1.2 ]
	digest=$(layerfs images -q)
	layer_lists | diff expected -
	rm -rf "$LAMINA_STORE"
	[ "$(cat archive.tar | layerfs import - other)" = other:latest ]
	[ "$(layerfs images -q)" = "$digest" ]
	layer_lists | diff expected -
}

@test "docker save's old form, with a layer that is a link to another, is read" {
	need jq
	one_layer
	hostile layout layer.tar layer.tar
	config=$(jq -r '.manifests[0].digest' layout/index.json | cut -c 8-)
	config=$(jq -r .config.digest "layout/blobs/sha256/$config" | cut -c 8-)
	a=$(printf a | sha256sum | cut -c -64) b=$(printf b | sha256sum | cut -c -64)
	mkdir -p "old/$a" "old/$b"
	cp "layout/blobs/sha256/$config" "old/$config.json"
	cp layer.tar "old/$a/layer.tar"
	ln -s "../$a/layer.tar" "old/$b/layer.tar"
	echo 1.0 | tee "old/$a/VERSION" >"old/$b/VERSION"
	printf '[{"Config":"%s.json","RepoTags":["old:1","old:2"],"Layers":["%s/layer.tar","%s/layer.tar"]}]' \
		"$config" "$a" "$b" >old/manifest.json
	tar -C old -cf old.tar "$a" "$b" "$config.json" manifest.json
	[ "$(layerfs import old.tar)" = $'old:1\nold:2' ]
	digest=$(layerfs images -q)
	[ "$(ls "$LAMINA_STORE/layers" | wc -l)" -eq 2 ]
	rm -rf "$LAMINA_STORE"
	cat old.tar | layerfs import -
	[ "$(layerfs images -q)" = "$digest" ]
	for layer in "$LAMINA_STORE"/layers/*/diff; do
		list_tree "$layer"
	done | sort | uniq -c | awk '$1 % 2 { odd = 1; print } END { exit odd }'
}

@test "a directory keeps everything, and is the same image however its files are ordered" {
	make_tree tree
	rm -f tree/special/socket
	touch -d '2005-05-05 05:05:05.5' tree/special
	[ "$(layerfs import tree)" = "sha256:$(ls "$LAMINA_STORE/images/sha256")" ]
	list_tree tree >expected
	list_tree "$LAMINA_STORE"/layers/*/diff | diff expected -
	digest=$(layerfs images -q)
	rm -rf "$LAMINA_STORE"
	cp -a tree other
	[ "$(layerfs import other copy)" = copy:latest ]
	[ "$(layerfs images -q)" = "$digest" ]
}

@test "tars in every format keep what they hold" {
	make_tree tree
	rm -f tree/special/socket tree/links/deep/fifo
	touch -d '2005-05-05 05:05:05.5' tree/special tree/links/deep
	list_tree tree >expected
	tar -C tree --format=pax --xattrs --xattrs-include='*' --sparse -cf - . | layerfs import -
	list_tree "$LAMINA_STORE"/layers/*/diff | diff expected -
	[ "$(du -k "$LAMINA_STORE"/layers/*/diff/sparse/hole | cut -f 1)" -le 64 ]
	for format in gnu oldgnu ustar; do
		rm -rf "$LAMINA_STORE"
		# What these formats can't hold, tar itself says.
		tar -C tree --format=$format -cf part.tar files/65536 links many dirs
		rm -rf reference
		mkdir reference
		tar -C reference -xpf part.tar
		layerfs import part.tar
		list_tree "$LAMINA_STORE"/layers/*/diff >got
		# The root and files/ themselves are in neither archive.
		diff <(list_tree reference | grep -v -e '^|d|' -e '^files|d|') \
			<(grep -v -e '^|d|' -e '^files|d|' got)
	done
}

@test "the merged root is what umoci unpack makes of the same layout" {
	need umoci
	need skopeo
	for image in "$(busybox_image)" "$(many_image)"; do
		rm -rf "$LAMINA_STORE" bundle layout
		layerfs import "$image" it
		skopeo copy -q "oci:$image" oci:layout:latest
		umoci unpack --image layout:latest bundle
		layerfs inspect it | jq -r '.[0].GraphDriver.Data.LowerDir' | tr : '\n' >lowers
		export TEST_DIRECTORY
		privately <<'EOF'
			cd "$TEST_DIRECTORY"
			mkdir -p merged
			args=()
			while read -r lower; do args+=(--lower "$lower"); done <lowers
			layerfs mount "${args[@]}" merged
			list_tree merged >got
			umount merged
EOF
		list_tree bundle/rootfs >expected
		# umoci's root directory is its own; every entry in it is compared.
		diff <(grep -v '^|d|' expected) <(grep -v '^|d|' got)
	done
}

@test "names: the source's, the caller's, several, moved" {
	many=$(many_image)
	busybox=$(busybox_image)
	layerfs import "$many" docker.io/library/x
	layerfs tag x registry.example:5000/a/b:c.d-e_f
	layerfs images --json | jq -e '.RepoTags == ["registry.example:5000/a/b:c.d-e_f", "x:latest"]'
	# The name moves to the newer image; the older keeps the other.
	layerfs import "$busybox" x
	[ "$(layerfs images | wc -l)" -eq 2 ]
	layerfs inspect x | jq -e '.[0].RepoTags == ["x:latest"]'
	for bad in UPPER a//b a: a:.b "a b" -a a/ /a "$(printf 'a%.0s' {1..300})" a@sha256:1 \
		"$(printf 'a%.0s' {1..64})"; do
		run layerfs import -- "$busybox" "$bad"
		[ "$status" -eq 1 ] || { echo "taken: $bad"; false; }
		[[ $output == "layerfs: import: "* ]]
	done
}

@test "an image is found by name, digest, id and prefix, and a near miss is told" {
	layerfs import "$(busybox_image)"
	digest=$(layerfs images -q)
	id=$(layerfs inspect busybox | jq -r '.[0].ConfigId')
	for word in busybox busybox:latest docker.io/busybox "$digest" "${digest#sha256:}" \
		"busybox@$digest" "${digest:0:20}" "${digest:7:6}" "$id" "${id:7:12}"; do
		[ "$(layerfs inspect "$word" | jq -r '.[0].Id')" = "$digest" ]
	done
	run layerfs tag busybx other
	[ "$status" -eq 1 ]
	[ "$output" = "layerfs: tag: image 'busybx' not found (did you mean 'busybox:latest'?)" ]
	run layerfs tag busybox:1.0 other
	[ "$output" = "layerfs: tag: image 'busybox:1.0' not found (did you mean 'busybox:latest'?)" ]
	run layerfs tag deadbeef other
	[ "$output" = "layerfs: tag: image 'deadbeef' not found" ]
}

@test "rmi: names first, then the image, its layers where nothing else needs them" {
	layerfs import "$(busybox_image)"
	layerfs import "$(many_image)"
	layerfs tag busybox second
	run layerfs rmi busybox
	[ "$output" = "Untagged: busybox:latest" ]
	layerfs inspect second >/dev/null
	run layerfs rmi nothing second
	[ "$status" -eq 1 ]
	[[ $output == *"image 'nothing' not found"* ]]
	[[ $output == *"Untagged: second:latest"* ]]
	[ "$(layerfs images -q | wc -l)" -eq 1 ]
	layers=$(ls "$LAMINA_STORE/layers")
	layerfs inspect many | jq -e '.[0].RootFS.Layers | length == 5'
	[ "$(wc -w <<<"$layers")" -eq 5 ]
	layerfs tag many third
	run layerfs rmi "$(layerfs images -q)"
	[ "$status" -eq 1 ]
	[[ $output == *"has 2 names ('many:latest', 'third:latest'...)"* ]]
	layerfs rmi --force "$(layerfs images -q)"
	assert_store_empty
	layerfs rmi --force nothing
}

@test "rmi refuses what a container uses, and keeps its layers when forced" {
	layerfs import "$(busybox_image)"
	bundle=$(layerfs create busybox)
	run layerfs rmi busybox
	[ "$status" -eq 1 ]
	[[ $output == "layerfs: rmi: image 'busybox' is used by container "* ]]
	layerfs rmi --force busybox
	[ -z "$(layerfs images -q)" ]
	while read -r layer; do [ -d "$layer" ]; done <"$bundle/layers"
	layerfs rm --wait "$bundle"
	layerfs import "$(busybox_image)"
	layerfs rmi busybox
	assert_store_empty
}

@test "hostile layers are refused or contained, and leave nothing" {
	mkdir canary cases
	echo safe >canary/file
	CANARY=$TEST_DIRECTORY/canary python3 "$LAMINA_SOURCE/tests/refuse/layers/make.py" cases
	list_canary() { find canary -printf '%p %m %U:%G %T@ %C@ %s %n\n' | sort; }
	before=$(list_canary)
	bad=0
	hostile --each layouts cases/*.tar
	for layout in layouts/*; do
		name=$(basename "$layout")
		rm -rf "$LAMINA_STORE"
		run timeout 60 layerfs import "$layout"
		[ "$(list_canary)" = "$before" ] || { echo "$name: reached the outside"; bad=1; }
		case $name in
		refuse-*)
			[ "$status" -eq 1 ] && [[ $output == "layerfs: import: "* ]] && assert_store_empty ||
				{ echo "$name: $status: $output"; bad=1; }
			;;
		*)
			[ "$status" -eq 0 ] || { echo "$name: $status: $output"; bad=1; }
			;;
		esac
	done
	[ $bad -eq 0 ]
}

@test "whiteouts, opaque directories and replaced entries become overlayfs's" {
	mkdir -p lower/{a,b,c,d}
	for d in a b c d; do echo low >lower/$d/low; done
	tar -C lower -cf lower.tar .
	python3 - <<'EOF'
import tarfile
def add(tar, name, kind=tarfile.REGTYPE):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.mode = 0o755
    tar.addfile(info)
with tarfile.open("upper.tar", "w") as tar:
    add(tar, ".wh.a")                    # gone
    add(tar, "b/", tarfile.DIRTYPE)
    add(tar, "b/high")
    add(tar, "b/.wh..wh..opq")           # the marker behind the entries
    add(tar, ".wh.c")
    add(tar, "c/", tarfile.DIRTYPE)      # deleted and made anew
    add(tar, "d/", tarfile.DIRTYPE)
    add(tar, "d/high")
    add(tar, ".wh.d")                    # the other way round
EOF
	hostile layout lower.tar upper.tar
	layerfs import layout it
	layerfs inspect it | jq -r '.[0].GraphDriver.Data.LowerDir' | tr : '\n' >lowers
	[ "$(stat -c %F:%t:%T "$(head -1 lowers)/a")" = "character special file:0:0" ]
	export TEST_DIRECTORY
	privately <<'EOF'
		cd "$TEST_DIRECTORY"
		mkdir merged
		layerfs mount --lower "$(sed -n 1p lowers)" --lower "$(sed -n 2p lowers)" merged
		(cd merged && find . -mindepth 1 | sort) >got
		umount merged
EOF
	printf '%s\n' ./b ./b/high ./c ./d ./d/high | diff - got
}

@test "a directory that a layer doesn't speak of stays as it is below" {
	mkdir -p low/a/b/c high/a/b/c/new
	chmod 2750 low/a/b
	chown 12:34 low/a/b
	setfattr -n user.note -v kept low/a/b
	touch -d '2001-02-03 04:05:06.7' low/a/b low/a
	echo new >high/a/b/c/new/file
	echo other >high/file
	tar -C low --xattrs -cf low.tar .
	tar -C high -cf high.tar a/b/c/new/file file
	hostile layout low.tar high.tar
	layerfs import layout it
	top=$(layerfs inspect it | jq -r '.[0].GraphDriver.Data.LowerDir' | cut -d : -f 1)
	[ "$(stat -c '%a %u:%g %y' "$top/a/b")" = "$(stat -c '%a %u:%g %y' low/a/b)" ]
	[ "$(stat -c '%y' "$top/a")" = "$(stat -c '%y' low/a)" ]
	[ "$(getfattr --only-values -n user.note "$top/a/b")" = kept ]
	# What isn't below either has the time of what it was made for.
	[ "$(stat -c '%a %u:%g %Y' "$top/a/b/c/new")" = "755 0:0 $(stat -c %Y high/a/b/c/new/file)" ]
}

@test "a layer with an opaque root hides all that is below" {
	one_layer
	mkdir top
	echo top >top/only
	touch top/.wh..wh..opq
	tar -C top -cf top.tar .
	hostile layout layer.tar top.tar
	layerfs import layout it
	[ "$(wc -l <"$LAMINA_STORE"/images/sha256/*/layers)" -eq 1 ]
	[ ! -e "$LAMINA_STORE"/images/sha256/*/passwd ]
}

@test "the image's passwd is its topmost, and never one behind a link" {
	one_layer
	mkdir -p second/etc third
	echo second:x:1:1::/: >second/etc/passwd
	tar -C second -cf second.tar .
	tar -C third -cf third.tar .
	hostile a layer.tar second.tar third.tar
	layerfs import a
	[ "$(cat "$LAMINA_STORE"/images/sha256/*/passwd)" = second:x:1:1::/: ]
	ln -s /etc/passwd third/passwd
	mkdir third/etc
	ln -s /etc/passwd third/etc/passwd
	tar -C third -cf third.tar .
	rm -rf "$LAMINA_STORE"
	hostile b layer.tar second.tar third.tar
	layerfs import b
	[ ! -e "$LAMINA_STORE"/images/sha256/*/passwd ]
}

@test "documents that lie are refused" {
	one_layer
	other=sha256:$(printf '%064d' 7)
	while IFS='|' read -r what expected arguments; do
		rm -rf layout "$LAMINA_STORE"
		eval "hostile $arguments layout layer.tar"
		run layerfs import layout
		[ "$status" -eq 1 ] && [[ $output == "layerfs: import: "*$expected* ]] || {
			echo "$what: $status: $output"
			false
		}
		assert_store_empty
	done <<EOF
layer digest|cannot open|--set 'manifest.layers.0.digest="$other"'
layer size|larger than the 1 bytes|--set manifest.layers.0.size=1
layer larger|bytes instead of|--set manifest.layers.0.size=99999999
diff id|its diff id is|--set 'config.rootfs.diff_ids.0="$other"'
no diff id|0 diff ids for the 1 layers|--set config.rootfs.diff_ids=[]
manifest changed|has the digest|--keep-digests --set 'manifest.annotations={"a":"b"}'
manifest size|bytes instead of|--set index.manifests.0.size=1
manifest huge|may have|--set index.manifests.0.size=99999999999
manifest digest|cannot read|--set 'index.manifests.0.digest="$other"'
digest form|not a sha256 digest|--set 'index.manifests.0.digest="sha256:../../etc/passwd"'
sha512|not a sha256 digest|--set 'index.manifests.0.digest="sha512:00"'
negative size|no valid size|--set manifest.layers.0.size=-1
layer media|not a layer|--set 'manifest.layers.0.mediaType="application/x-tar"'
foreign layer|foreign|--set 'manifest.layers.0.mediaType="application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"'
artifact|artifact|--set 'manifest.config.mediaType="application/vnd.cncf.helm.config.v1+json"'
schema 1|schema 1|--set 'manifest.mediaType="application/vnd.docker.distribution.manifest.v1+json"'
no config|descriptor|--set manifest.config=null
no layers|no list of layers|--set manifest.layers=null
index is a list|no list of manifests|--set 'index.manifests={}'
no image|no image|--set 'index.manifests=[]'
other platform|no image for|--set 'index.manifests=[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"$other","size":1,"platform":{"os":"plan9","architecture":"vax"}},{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"$other","size":1,"platform":{"os":"linux","architecture":"vax"}}]'
EOF
}

@test "documents without measure are refused" {
	one_layer
	hostile layout layer.tar
	python3 - <<'EOF'
import json
digest = "sha256:" + "0" * 64
entry = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": 1}
json.dump({"schemaVersion": 2, "manifests": [entry] * 20000}, open("layout/index.json", "w"))
EOF
	run timeout 60 layerfs import layout
	[ "$status" -eq 1 ]
	[[ $output == *"manifests, more than"* ]]
	head -c 5000000 /dev/zero | tr '\0' ' ' >layout/index.json
	run timeout 60 layerfs import layout
	[ "$status" -eq 1 ]
	[[ $output == *"File too large"* ]]
	printf '%0.s[' {1..100000} >layout/index.json
	run timeout 60 layerfs import layout
	[ "$status" -eq 1 ]
	rm layout/index.json
	ln -s /etc/passwd layout/index.json
	run layerfs import layout
	[ "$status" -eq 1 ]
	assert_store_empty
}

@test "what is no source is refused with a reason" {
	: >empty
	run layerfs import empty
	[ "$output" = "layerfs: import: 'empty': it is empty" ]
	run layerfs import - </dev/null
	[ "$status" -eq 1 ]
	run layerfs import missing
	[ "$output" = "layerfs: import: cannot open 'missing': No such file or directory" ]
	echo text >text
	run layerfs import text
	[ "$status" -eq 1 ]
	[[ $output == *"damaged tar archive"* ]]
	run layerfs import
	[ "$status" -eq 2 ]
	run layerfs import a b c
	[ "$status" -eq 2 ]
	run layerfs import --progress=loud a
	[ "$status" -eq 2 ]
	assert_store_empty
}

@test "an import that is killed leaves no image, and the next one succeeds" {
	many=$(many_image)
	layerfs import "$many"
	layer_lists >expected
	digest=$(layerfs images -q)
	rm -rf "$LAMINA_STORE"
	killed=0
	for i in $(seq 1 40); do
		layerfs import "$many" >/dev/null 2>&1 &
		pid=$!
		sleep "0.0$((RANDOM % 60 + 10))"
		kill -KILL $pid 2>/dev/null && killed=$((killed + 1))
		wait $pid 2>/dev/null || true
		# Whole or not there: what is listed can be read.
		layerfs images --json >list
		if [ -s list ]; then
			[ "$(jq -r .Id list)" = "$digest" ]
			layer_lists | diff expected -
			layerfs rmi --force "$digest" >/dev/null
		fi
	done
	echo "killed $killed of 40"
	layerfs import "$many"
	layer_lists | diff expected -
	assert_nothing_left
}

@test "a full disk is a clear error, and leaves no image" {
	export TEST_DIRECTORY LAMINA_STORE
	many_image >/dev/null
	privately <<'EOF'
		cd "$TEST_DIRECTORY"
		mkdir small
		mount -t tmpfs -o size=1M small small
		LAMINA_STORE=$TEST_DIRECTORY/small/store
		! layerfs import "$SCRATCH/many" 2>error
		grep -q "No space left on device" error
		[ -z "$(layerfs images -q)" ]
		[ -z "$(ls small/store/layers small/store/staging small/store/trash | grep -v :)" ]
EOF
}

@test "two imports of one image at once, and an rmi between them" {
	many=$(many_image)
	layerfs import "$many"
	digest=$(layerfs images -q)
	for i in $(seq 1 10); do
		layerfs import "$many" >/dev/null & a=$!
		layerfs import "$many" >/dev/null & b=$!
		layerfs rmi -f many >/dev/null & c=$!
		wait $a
		wait $b
		wait $c
		# Either order may win; what is there is whole.
		if [ -n "$(layerfs images -q)" ]; then
			layerfs images --json | jq -e --arg d "$digest" '.Id == $d and .Size > 0'
			while read -r layer; do [ -d "$LAMINA_STORE/layers/$layer/diff" ]; done \
				<"$LAMINA_STORE/images/sha256/${digest#sha256:}/layers"
		fi
	done
	assert_nothing_left
}

@test "progress and warnings are on standard error" {
	many=$(many_image)
	run --separate-stderr layerfs import --progress=json "$many"
	[ "$output" = many:latest ]
	jq -es 'map(select(.done)) | length == 5' <<<"$stderr"
	run --separate-stderr layerfs import "$many"
	[ "$output" = many:latest ]
	[ -z "$stderr" ]
	run --separate-stderr layerfs import -q "$many"
	[ "$output" = "$(layerfs images -q)" ]
}
