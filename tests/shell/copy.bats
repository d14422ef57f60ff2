#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# layerfs copy: compared with cp -a and rsync over a tree that has one of everything.

load helpers
load tree

setup() {
	lamina_setup
	need layerfs
}

same_trees() {
	list_tree "$1" "${3:-}" >a.list
	list_tree "$2" "${3:-}" >b.list
	diff a.list b.list
}

need_tools() {
	local tool

	need_root
	for tool in getfattr setfacl setcap; do
		command -v "$tool" >/dev/null || skip "no $tool"
	done
}

@test "copy makes what cp -a makes" {
	need_tools
	make_tree tree
	cp -a tree by-cp
	run --separate-stderr layerfs copy tree by-layerfs
	[ "$status" -eq 0 ]
	[ -z "$output$stderr" ]
	same_trees by-cp by-layerfs blocks
	[ "$(wc -l <a.list)" -gt 700 ]
}

@test "copy makes what rsync -aHAXS makes" {
	need_tools
	command -v rsync >/dev/null || skip "no rsync"
	make_tree tree
	rsync -aHAXS tree/ by-rsync/
	layerfs copy tree by-layerfs
	same_trees by-rsync by-layerfs
}

@test "copy by plain calls and by io_uring make the same" {
	need_tools
	make_tree tree
	layerfs copy --reading=plain tree plain
	layerfs copy --reading=ahead tree ahead
	same_trees plain ahead blocks
}

@test "copy into an existing directory merges, and a second copy changes nothing" {
	need_tools
	make_tree tree
	mkdir -p there/files
	echo kept >there/files/kept
	echo old >there/files/one
	ln -s /etc/passwd there/files/empty
	layerfs copy tree there
	[ "$(cat there/files/kept)" = kept ]
	rm there/files/kept
	touch -d @"$(stat -c %.Y tree/files)" there/files
	same_trees tree there
	layerfs copy tree there
	same_trees tree there
}

@test "copy crosses file systems, with holes and hard links (ext4)" {
	need_tools
	command -v mkfs.ext4 >/dev/null || skip "no mkfs.ext4"
	make_tree tree
	truncate -s 300M image
	mkfs.ext4 -q -F -b 4096 image
	mkdir m
	export -f same_trees list_tree
	unshare -m --propagation private bash -e -c '
		mount -o loop image m 2>/dev/null || exit 77
		layerfs copy tree m/tree
		cp -a tree m/by-cp
		same_trees m/by-cp m/tree blocks
		layerfs copy --reading=ahead m/tree back
		same_trees tree back' || { [ $? -eq 77 ] && skip "no loop devices"; false; }
}

@test "copy shares blocks where the file system can (XFS)" {
	need_tools
	command -v mkfs.xfs >/dev/null || skip "no mkfs.xfs"
	grep -qw xfs /proc/filesystems || skip "no XFS"
	make_tree tree
	truncate -s 400M image
	mkfs.xfs -q -f image
	mkdir m
	export -f same_trees list_tree
	unshare -m --propagation private bash -e -c '
		mount -o loop image m 2>/dev/null || exit 77
		cp -a tree m/tree
		layerfs copy -v m/tree m/auto 2>said
		same_trees m/tree m/auto
		layerfs copy -v --reflink=never m/tree m/never 2>said-never
		same_trees m/tree m/never
		layerfs copy --reflink m/tree/files/3000001 m/cloned
		cmp m/tree/files/3000001 m/cloned' || { [ $? -eq 77 ] && skip "no loop devices"; false; }
	grep -Eq ' [1-9][0-9]+ files cloned' said
	grep -q ' 0 files cloned' said-never
}

@test "copy --reflink=always fails where blocks can't be shared, and leaves no part of the file" {
	head -c 100000 /dev/urandom >file
	run --separate-stderr layerfs copy --reflink=always file copied
	[ "$status" -eq 1 ]
	[[ $stderr == "layerfs: copy: 'file' to 'copied': cannot copy 'file': "* ]]
	[ ! -e copied ]
}

@test "copy takes single files, links and fifos, and puts them into a directory" {
	printf text >file
	ln -s file link
	mkfifo fifo
	mkdir into
	layerfs copy file other
	[ "$(cat other)" = text ]
	layerfs copy link other-link
	[ "$(readlink other-link)" = file ]
	layerfs copy fifo into
	[ -p into/fifo ]
	layerfs copy file into/
	[ "$(cat into/file)" = text ]
	mkdir directory
	ln -s directory to-directory
	layerfs copy to-directory/ followed
	[ -d followed ] && [ ! -L followed ]
}

@test "copy refuses what cannot be done, and changes nothing" {
	mkdir -p a/b
	printf text >file
	ln file same
	run --separate-stderr layerfs copy a a/b/c
	[ "$status" -eq 1 ]
	[[ $stderr == *"the destination is the source, or is in it" ]]
	[ "$(find a | wc -l)" -eq 3 ]
	run --separate-stderr layerfs copy file same
	[ "$status" -eq 1 ]
	[ "$(cat same)" = text ]
	run --separate-stderr layerfs copy a file
	[ "$status" -eq 1 ]
	[ "$stderr" = "layerfs: copy: 'a' to 'file': cannot open 'file': Not a directory" ]
	run --separate-stderr layerfs copy missing there
	[ "$status" -eq 1 ]
	[ "$stderr" = "layerfs: copy: cannot open 'missing': No such file or directory" ]
	[ ! -e there ]
	run --separate-stderr layerfs copy --reflink=sometimes file there
	[ "$status" -eq 2 ]
	run --separate-stderr layerfs copy file
	[ "$status" -eq 2 ]
}

@test "copy says what is complete when the disk is full" {
	need_root
	mkdir -p tree/sub small
	for i in 1 2 3 4 5 6 7 8; do head -c 300000 /dev/zero | tr '\0' "$i" >"tree/sub/f$i"; done
	run --separate-stderr unshare -m --propagation private bash -c '
		mount -t tmpfs -o size=1m tmpfs small &&
		layerfs copy tree small/tree; s=$?; cmp tree/sub/f1 small/tree/sub/f1 || exit 99
		ls small/tree/sub | wc -l; exit $s'
	[ "$status" -eq 1 ]
	[ "$output" -eq 3 ]
	[[ $stderr == "layerfs: copy: 'tree' to 'small/tree': complete are 0 directories and 3 files (900000 bytes): cannot copy 'sub/f"*"': No space left on device" ]]
}

@test "copy keeps what an unprivileged user may keep, and says what not" {
	need_root
	command -v setpriv >/dev/null || skip "no setpriv"
	mkdir tree out
	printf text >tree/suid
	chown 12:34 tree/suid
	chmod 6755 tree/suid
	chmod 755 . "$SCRATCH"
	chown 1000:1000 out
	run --separate-stderr setpriv --reuid 1000 --regid 1000 --clear-groups layerfs copy tree/suid out/suid
	[ "$status" -eq 0 ]
	[ "$stderr" = "layerfs: copy: 1 owners are the caller's: not allowed to set them" ]
	[ "$(stat -c '%a %u:%g' out/suid)" = "755 1000:1000" ]
}
