#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# volctl: volumes, and what they get from an image.

load helpers
load tree

setup_file() {
	lamina_setup_file
	[ "$(id -u)" -eq 0 ] || return 0
	command -v layerfs >/dev/null && command -v setfacl >/dev/null &&
		command -v setcap >/dev/null || return 0
	# An image with a tree that has one of everything at /data, and links to it.
	mkdir -p "$SCRATCH/root/data" "$SCRATCH/root/empty" "$SCRATCH/root/etc"
	make_tree "$SCRATCH/root/data"
	rm -f "$SCRATCH/root/data/special/whiteout"
	ln -s /data "$SCRATCH/root/absolute"
	ln -s ../../../../data/files "$SCRATCH/root/relative"
	ln -s ../../../../../../etc/../../../etc "$SCRATCH/root/up"
	ln -s /nowhere "$SCRATCH/root/dangling"
	printf file >"$SCRATCH/root/file"
	printf inside >"$SCRATCH/root/etc/hostname"
	chmod 2750 "$SCRATCH/root/empty"
	chown 1234:4321 "$SCRATCH/root/empty"
	layerfs import "$SCRATCH/root" tree:1 >/dev/null
}

setup() {
	lamina_setup
	need layerfs volctl
	need_root
	[ -e "$LAMINA_STORE/images/names/tree:1" ] || skip "no tools to make the image with"
	BUNDLE=$(layerfs create tree:1)
}

teardown() {
	[ ! -e "$LAMINA_STORE/containers" ] || find "$LAMINA_STORE/containers" -mindepth 1 \
		-maxdepth 1 -exec basename {} \; | xargs -r layerfs rm --force >/dev/null
	volctl ls -q | xargs -r volctl rm >/dev/null
	[ -z "$(ls -A "$LAMINA_STORE/volumes")" ]
}

# image_volumes PATH... - as if the image had declared them
image_volumes() {
	local path json=
	for path; do json+="${json:+,}\"$path\":{}"; done
	printf '{"architecture":"amd64","os":"linux","config":{"Volumes":{%s}}}' "$json" \
		>"$BUNDLE/image-config.json"
}

data_of() {
	printf '%s\n' "$LAMINA_STORE/volumes/$1/_data"
}

layer() {
	head -n 1 "$BUNDLE/layers"
}

# whole VOLUME - it has all that the image has at /data
whole() {
	list_tree "$(layer)/data" >image.list
	list_tree "$(data_of "$1")" >volume.list
	diff image.list volume.list
	[ "$(wc -l <volume.list)" -gt 700 ]
	[ "$(stat -c '%a %u:%g %y' "$(data_of "$1")")" = "$(stat -c '%a %u:%g %y' "$(layer)/data")" ]
	[ ! -e "$LAMINA_STORE/volumes/$1/populating" ]
}

@test "create makes a volume once, and prints its name" {
	run --separate-stderr volctl create --label a=b --label c data
	[ "$status" -eq 0 ]
	[ "$output" = data ]
	echo kept >"$(data_of data)/file"
	[ "$(volctl create data)" = data ]
	[ "$(cat "$(data_of data)/file")" = kept ]
	[ "$(stat -c '%a %u:%g' "$(data_of data)")" = "755 0:0" ]
	run volctl inspect data
	[[ $output == *'"Labels":{"a":"b","c":""}'* ]]
	name=$(volctl create)
	[[ $name =~ ^[0-9a-f]{64}$ ]]
}

@test "create refuses names that Docker refuses" {
	for name in x .data -data _data ../data 'da ta' 'dat/a' $'da\nta' "$(printf '%0256d' 1)"; do
		run --separate-stderr volctl create -- "$name"
		[ "$status" -eq 1 ]
		[[ $stderr == "volctl: create: '"*"' is no name for a volume: "* ]]
	done
	[ -z "$(volctl ls -q)" ]
	volctl create "$(printf '%0255d' 1)"
}

@test "ls and inspect show who uses a volume" {
	volctl create data
	volctl attach -b "$BUNDLE" -v data:/mnt -v other:/other
	id=${BUNDLE##*/}
	[ "$(volctl ls -q)" = $'data\nother' ]
	[[ $(volctl ls) == data$'\t'????-??-??T??:??:??Z$'\t'1$'\t'"$(data_of data)"* ]]
	[ "$(volctl ls --json | wc -l)" -eq 2 ]
	run volctl inspect data
	[[ $output == '[{"CreatedAt":"'*'","Driver":"local","Labels":{},"Mountpoint":"'"$(data_of data)"'","Name":"data","Options":null,"Scope":"local","UsedBy":["'"$id"'"]}]' ]]
	run --separate-stderr volctl inspect data missing
	[ "$status" -eq 1 ]
	[ "$stderr" = "volctl: inspect: there is no volume 'missing'" ]
	[[ $output == *'"Name":"data"'* ]]
}

@test "rm refuses a volume in use, until its container is gone" {
	volctl attach -b "$BUNDLE" -v data:/mnt
	run --separate-stderr volctl rm data
	[ "$status" -eq 1 ]
	[ "$stderr" = "volctl: rm: the volume 'data' is in use by the container '${BUNDLE##*/}'" ]
	run --separate-stderr volctl rm --force data
	[ "$status" -eq 1 ]
	layerfs rm "${BUNDLE##*/}"
	[ "$(volctl rm data)" = data ]
	run --separate-stderr volctl rm data
	[ "$status" -eq 1 ]
	[ "$stderr" = "volctl: rm: there is no volume 'data'" ]
	volctl rm --force data
}

@test "a reference whose container was lost is dropped" {
	volctl create data
	touch "$LAMINA_STORE/volumes/data/refs/deadbeef"
	[[ $(volctl inspect data) == *'"UsedBy":[]'* ]]
	[ ! -e "$LAMINA_STORE/volumes/data/refs/deadbeef" ]
	touch "$LAMINA_STORE/volumes/data/refs/deadbeef"
	volctl rm data
}

@test "attach without anything to attach prints the bundle and writes nothing" {
	[ "$(volctl attach --bundle "$BUNDLE")" = "$BUNDLE" ]
	[ ! -e "$BUNDLE/mounts" ]
	image_volumes
	[ "$(printf %s "$BUNDLE" | volctl attach)" = "$BUNDLE" ]
	[ ! -e "$BUNDLE/mounts" ]
}

@test "attach writes fstab lines, in order" {
	mkdir 'a dir'
	volctl attach -b "$BUNDLE" -v data:/mnt:ro -v "$PWD/a dir:/b:rslave" --tmpfs /t:size=64k \
		--mount "type=volume,src=data,dst=/c,volume-nocopy"
	diff "$BUNDLE/mounts" - <<-END
		$LAMINA_STORE/volumes/data/_data /mnt none rbind,ro,x-lamina.volume=data 0 0
		${PWD}/a\\040dir /b none rbind,rslave,rw 0 0
		$LAMINA_STORE/volumes/data/_data /c none rbind,rw,x-lamina.volume=data 0 0
		tmpfs /t tmpfs noexec,nosuid,nodev,size=64k,rw 0 0
	END
}

@test "attach again adds, and refuses the same destination" {
	volctl attach -b "$BUNDLE" -v data:/mnt | volctl attach -v other:/other
	[ "$(wc -l <"$BUNDLE/mounts")" -eq 2 ]
	run --separate-stderr volctl attach -b "$BUNDLE" -v third:/other/.
	[ "$status" -eq 1 ]
	[ "$stderr" = "volctl: attach: duplicate mount point: /other" ]
	[ "$(wc -l <"$BUNDLE/mounts")" -eq 2 ]
	[ "$(volctl ls -q)" = $'data\nother' ]
	run --separate-stderr volctl attach -b "$BUNDLE" -v a1:/x -v b1:/x
	[ "$status" -eq 2 ]
	[ "$stderr" = "volctl: attach: duplicate mount point: /x; see its --help" ]
}

@test "a new volume gets everything that the image has there" {
	volctl attach -b "$BUNDLE" -v data:/data
	whole data
}

@test "a read-only volume is populated too, through links, which stay in the image" {
	volctl attach -b "$BUNDLE" -v ro1:/data:ro -v by-link:/absolute -v rel:/relative -v up1:/up
	whole ro1
	whole by-link
	[ "$(cat "$(data_of rel)/one")" = x ]
	[ "$(cat "$(data_of up1)/hostname")" = inside ]
	[ "$(ls -A "$(data_of up1)")" = hostname ]
}

@test "nothing is copied for nocopy, a missing path, or a dangling link" {
	volctl attach -b "$BUNDLE" -v nocopy:/data:nocopy -v missing:/not/there -v dangling:/dangling
	for name in nocopy missing dangling; do
		[ -z "$(ls -A "$(data_of $name)")" ]
		[ "$(stat -c '%a %u:%g' "$(data_of $name)")" = "755 0:0" ]
	done
}

@test "an empty directory of the image gives the volume its mode and owner" {
	volctl attach -b "$BUNDLE" -v data:/empty
	[ "$(stat -c '%a %u:%g' "$(data_of data)")" = "2750 1234:4321" ]
}

@test "a volume with anything in it is left alone, lost+found too" {
	volctl create data >/dev/null
	volctl create disk >/dev/null
	mkdir "$(data_of disk)/lost+found"
	printf kept >"$(data_of data)/kept"
	volctl attach -b "$BUNDLE" -v data:/data -v disk:/data/files
	[ "$(ls -A "$(data_of data)")" = kept ]
	[ "$(ls -A "$(data_of disk)")" = lost+found ]
	[ "$(stat -c '%a %u:%g' "$(data_of data)")" = "755 0:0" ]
}

@test "the image's volumes are anonymous ones, unless something covers them" {
	image_volumes /data /covered /empty /tmpfs
	volctl attach -b "$BUNDLE" -v named:/covered --tmpfs /tmpfs -v /more
	[ "$(wc -l <"$BUNDLE/mounts")" -eq 5 ]
	[ "$(grep -c x-lamina.anonymous "$BUNDLE/mounts")" -eq 3 ]
	name=$(sed -n 's/^[^ ]* \/data .*x-lamina.volume=\([0-9a-f]*\),.*/\1/p' "$BUNDLE/mounts")
	[ ${#name} -eq 64 ]
	whole "$name"
	[[ $(volctl inspect "$name") == *'"Labels":{"com.docker.volume.anonymous":""}'* ]]
	# Again: they are there.
	volctl attach -b "$BUNDLE"
	[ "$(wc -l <"$BUNDLE/mounts")" -eq 5 ]
	[ "$(volctl ls -q | wc -l)" -eq 4 ]
}

@test "a volume over a file of the image is refused, and nothing is left" {
	image_volumes /data /file
	run --separate-stderr volctl attach -b "$BUNDLE" -v new:/mnt
	[ "$status" -eq 1 ]
	[ "$stderr" = "volctl: attach: cannot mount volume over existing file, file exists /file" ]
	[ ! -e "$BUNDLE/mounts" ]
	[ -z "$(volctl ls -q)" ]
	image_volumes
	run --separate-stderr volctl attach -b "$BUNDLE" -v new:/file
	[ "$status" -eq 1 ]
	[ "$stderr" = "volctl: attach: cannot open '/file' in the image: Not a directory" ]
	[ -z "$(volctl ls -q)" ]
}

@test "an image cannot have its root as a volume" {
	image_volumes /data/..
	run --separate-stderr volctl attach -b "$BUNDLE"
	[ "$status" -eq 1 ]
	[[ $stderr == "volctl: attach: the image's volume '/data/..': "* ]]
}

@test "-v makes the host's directory, --mount wants it there, and a failure undoes the rest" {
	volctl attach -b "$BUNDLE" -v "$PWD/made/here:/a"
	[ "$(stat -c %a made/here)" = 755 ]
	volctl create there >/dev/null
	run --separate-stderr volctl attach -b "$BUNDLE" -v new:/new -v there:/there -v /anonymous \
		--mount "type=bind,src=$PWD/missing,dst=/b"
	[ "$status" -eq 1 ]
	[ "$stderr" = "volctl: attach: cannot bind '$PWD/missing': No such file or directory" ]
	[ ! -e missing ]
	[ "$(volctl ls -q)" = there ]
	[ -z "$(ls -A "$LAMINA_STORE/volumes/there/refs")" ]
	[ "$(wc -l <"$BUNDLE/mounts")" -eq 1 ]
}

@test "bad options are wrong usage, told before any bundle is touched" {
	for option in -v=data:/ --volume=data:rel --mount=type=bind,dst=/x --tmpfs=/x:bad; do
		run --separate-stderr volctl attach -b "$BUNDLE" "$option"
		[ "$status" -eq 2 ]
		[ -z "$output" ]
	done
	[ ! -e "$BUNDLE/mounts" ]
}

@test "a bundle that is complete, in use, or no bundle is refused" {
	run --separate-stderr volctl attach -b "$PWD" -v data:/d
	[ "$status" -eq 1 ]
	[ "$stderr" = "volctl: attach: '$PWD' is not a bundle made by layerfs create" ]
	run --separate-stderr flock "$BUNDLE/lock" volctl attach -b "$BUNDLE" -v data:/d
	[ "$status" -eq 1 ]
	[ "$stderr" = "volctl: attach: the bundle '$BUNDLE' is in use" ]
	echo '{}' >"$BUNDLE/config.json"
	run --separate-stderr volctl attach -b "$BUNDLE" -v data:/d
	[ "$status" -eq 1 ]
	[[ $stderr == "volctl: attach: the bundle '$BUNDLE' has its config.json: "* ]]
	[ -z "$(volctl ls -q)" ]
}

@test "in a stream, a bundle that fails is left out and the rest go on" {
	second=$(layerfs create tree:1)
	run --separate-stderr volctl attach -v shared:/data <<-END
		$BUNDLE
		$PWD/missing
		$second
	END
	[ "$status" -eq 1 ]
	[ "$output" = "$BUNDLE"$'\n'"$second" ]
	[ "$stderr" = "volctl: attach: cannot open the bundle '$PWD/missing': No such file or directory" ]
	whole shared
	[ "$(ls "$LAMINA_STORE/volumes/shared/refs" | wc -l)" -eq 2 ]
}

@test "a sub-path of a volume must be there, and is populated where it is empty" {
	run --separate-stderr volctl attach -b "$BUNDLE" --mount src=data,dst=/data,volume-subpath=a/b
	[ "$status" -eq 1 ]
	[ "$stderr" = "volctl: attach: cannot open 'a/b' in the volume 'data': No such file or directory" ]
	volctl create data >/dev/null
	mkdir -p "$(data_of data)/a/b"
	ln -s /a "$(data_of data)/link"
	volctl attach -b "$BUNDLE" --mount src=data,dst=/data,volume-subpath=link/b
	grep -q "x-lamina.volume=data,x-lamina.subpath=link/b 0 0$" "$BUNDLE/mounts"
	list_tree "$(layer)/data" >image.list
	list_tree "$(data_of data)/a/b" >volume.list
	diff image.list volume.list
}

@test "many that want one new volume at once all find it whole" {
	for i in 1 2 3 4 5 6; do layerfs create tree:1; done >bundles
	while read -r bundle; do
		volctl attach -b "$bundle" -v shared:/data -v "own-${bundle##*/}:/empty" &
	done <bundles
	wait
	whole shared
	[ "$(ls "$LAMINA_STORE/volumes/shared/refs" | wc -l)" -eq 6 ]
}

@test "a populate that is killed leaves no half volume" {
	local i killed=0 rounds=${LAMINA_FULL:+15}
	rounds=${rounds:-6}
	for i in $(seq "$rounds"); do
		bundle=$(layerfs create tree:1)
		volctl attach -b "$bundle" -v data:/data >/dev/null &
		pid=$!
		sleep "0.00$((i % 10))$((i * 7 % 10))"
		kill -KILL $pid 2>/dev/null || true
		wait $pid 2>/dev/null || killed=$((killed + 1))
		# Half of it may be there now; whoever attaches next gets all of it.
		volctl attach -b "$BUNDLE" -v data:/data >/dev/null
		whole data
		layerfs rm "${bundle##*/}" "${BUNDLE##*/}"
		volctl rm data
		BUNDLE=$(layerfs create tree:1)
	done
	echo "# $killed of $rounds killed" >&3
	[ "$killed" -gt "$((rounds / 5))" ]
}

@test "what a killed populate left is emptied, unless a container may have written there" {
	volctl create data >/dev/null
	printf half >"$(data_of data)/half"
	touch "$LAMINA_STORE/volumes/data/populating"
	volctl attach -b "$BUNDLE" -v data:/data
	whole data
	printf mine >"$(data_of data)/mine"
	touch "$LAMINA_STORE/volumes/data/populating"
	echo '{}' >"$BUNDLE/config.json"
	first=$BUNDLE
	BUNDLE=$(layerfs create tree:1)
	volctl attach -b "$BUNDLE" -v data:/data
	[ "$(cat "$(data_of data)/mine")" = mine ]
	rm "$(data_of data)/mine"
	touch -r "$(layer)/data" "$(data_of data)"
	whole data
	rm "$first/config.json"
	# And without copying, it is made empty at least.
	touch "$LAMINA_STORE/volumes/data/populating"
	third=$(layerfs create tree:1)
	volctl attach -b "$third" -v data:/data:nocopy
	[ -z "$(ls -A "$(data_of data)")" ]
	[ "$(stat -c '%a %u:%g' "$(data_of data)")" = "755 0:0" ]
	[ ! -e "$LAMINA_STORE/volumes/data/populating" ]
}

@test "a full disk leaves no half volume, and says how far it came" {
	volctl create data >/dev/null
	export BUNDLE
	run --separate-stderr unshare -m --propagation private bash -c '
		mount -t tmpfs -o size=1m tmpfs "$LAMINA_STORE/volumes/data/_data" || exit 99
		volctl attach -b "$BUNDLE" -v data:/data
		s=$?
		ls -A "$LAMINA_STORE/volumes/data/_data"
		exit $s'
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	[[ $stderr == "volctl: attach: cannot populate the volume 'data' from '/data': complete are "*" directories and "*" files ("*" bytes): cannot copy '"*"': No space left on device" ]]
	[ ! -e "$LAMINA_STORE/volumes/data/populating" ]
	[ -z "$(ls -A "$LAMINA_STORE/volumes/data/refs")" ]
	volctl attach -b "$BUNDLE" -v data:/data
	whole data
}

@test "detach lets go, and removes what nobody named" {
	image_volumes /empty
	volctl attach -b "$BUNDLE" -v data:/data -v /more
	second=$(layerfs create tree:1)
	anonymous=$(sed -n 's/.* \/empty .*x-lamina.volume=\([0-9a-f]*\),.*/\1/p' "$BUNDLE/mounts")
	volctl attach -b "$second" -v "$anonymous:/empty"
	echo '{}' >"$BUNDLE/config.json"
	[ "$(volctl detach --rm-anonymous -b "$BUNDLE")" = "$BUNDLE" ]
	[ ! -e "$BUNDLE/mounts" ]
	[ "$(volctl ls -q)" = "$(printf '%s\n' "$anonymous" data | sort)" ]
	[ -z "$(ls -A "$LAMINA_STORE/volumes/data/refs")" ]
	volctl detach --rm-anonymous -b "$BUNDLE"
	# It was called by its name there.
	volctl detach --rm-anonymous -b "$second"
	[ "$(volctl ls -q | wc -l)" -eq 2 ]
}

@test "prune removes unused anonymous volumes, and with --all the named ones" {
	volctl create named >/dev/null
	volctl create used >/dev/null
	anonymous=$(volctl create)
	volctl attach -b "$BUNDLE" -v used:/mnt -v /anonymous
	[ "$(volctl prune)" = "$anonymous" ]
	[ "$(volctl ls -q | wc -l)" -eq 3 ]
	[ "$(volctl prune --all --force)" = named ]
	[ "$(volctl ls -q | wc -l)" -eq 2 ]
}

@test "volumes are in the trace, and not for other users" {
	LAMINA_TRACE=$PWD/trace volctl attach -b "$BUNDLE" -v data:/data
	for phase in volctl vol.attach vol.create vol.root vol.populate; do
		grep -q "\"phase\":\"$phase\"" trace
	done
	[ "$(stat -c %a "$LAMINA_STORE/volumes/data")" = 700 ]
}
