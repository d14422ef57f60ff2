# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# A tree with one of everything that a copy must keep, and a listing of all there is to know of one.

# make_tree DIR - needs root and a file system with xattrs and ACLs
make_tree() {
	local d=$1 i

	mkdir -p "$d"/{files,links/deep/er,special,sparse,dirs/{empty,sticky,setgid,locked},many}
	printf '' >"$d/files/empty"
	printf x >"$d/files/one"
	head -c 65535 /dev/urandom >"$d/files/65535"
	head -c 65536 /dev/urandom >"$d/files/65536"
	head -c 65537 /dev/urandom >"$d/files/65537"
	head -c 262144 /dev/urandom >"$d/files/262144"
	head -c 3000001 /dev/urandom >"$d/files/3000001"
	printf n >"$d/files/$(printf 'new\nline')"
	printf s >"$d/files/ lead and trail "
	printf d >"$d/files/-dash"
	printf b >"$d/files/$(printf '\377\376')"
	printf l >"$d/files/$(printf '%0255d' 1)"
	printf suid >"$d/files/suid"
	chown 1234:4321 "$d/files/suid"
	chmod 6755 "$d/files/suid"
	printf none >"$d/files/none"
	chmod 0000 "$d/files/none"
	printf big >"$d/files/big-ids"
	chown 4294967290:3000000000 "$d/files/big-ids"
	printf cap >"$d/files/cap"
	chown 7:8 "$d/files/cap"
	setcap cap_net_raw,cap_net_admin=ep "$d/files/cap"
	printf acl >"$d/files/acl"
	setfacl -m u:1000:rw,g:1001:r "$d/files/acl"
	printf xattr >"$d/files/xattr"
	setfattr -n user.note -v "a note" "$d/files/xattr"
	setfattr -n user.empty "$d/files/xattr"
	setfattr -n trusted.note -v secret "$d/files/xattr"
	printf old >"$d/files/old"
	touch -d '1969-12-31 23:59:58.123456789' "$d/files/old"
	printf future >"$d/files/future"
	touch -d '2040-02-03 04:05:06.987654321' "$d/files/future"

	printf linked >"$d/links/a"
	ln "$d/links/a" "$d/links/b"
	ln "$d/links/a" "$d/links/deep/c"
	ln "$d/links/a" "$d/files/linked"
	ln -s a "$d/links/symlink"
	ln "$d/links/symlink" "$d/links/deep/er/symlink" 2>/dev/null || true
	mkfifo "$d/links/fifo"
	ln "$d/links/fifo" "$d/links/deep/fifo"

	ln -s /nowhere/at/all "$d/special/dangling"
	ln -s ../../../../../etc/passwd "$d/special/outside"
	ln -s "$(printf '%01000d' 7)" "$d/special/long"
	chown -h 55:66 "$d/special/dangling"
	touch -h -d '2001-02-03 04:05:06.5' "$d/special/dangling"
	mkfifo -m 0640 "$d/special/fifo"
	mknod -m 0666 "$d/special/null" c 1 3
	mknod "$d/special/block" b 7 200
	chmod 2711 "$d/special/block"
	mknod -m 0600 "$d/special/whiteout" c 0 0
	chown 12:34 "$d/special/null"
	touch -d '2002-02-02 02:02:02.2' "$d/special/null" "$d/special/fifo"
	python3 - "$d/special/socket" <<'PY' 2>/dev/null || true
import os, socket, sys
os.chdir(os.path.dirname(sys.argv[1]))
s = socket.socket(socket.AF_UNIX)
s.bind(os.path.basename(sys.argv[1]))
PY

	truncate -s 40M "$d/sparse/hole"
	truncate -s 20M "$d/sparse/islands"
	printf one | dd of="$d/sparse/islands" bs=1 seek=1048576 conv=notrunc status=none
	head -c 300000 /dev/urandom | dd of="$d/sparse/islands" bs=1M seek=9 conv=notrunc status=none
	printf end >"$d/sparse/front-hole"
	truncate -s 0 "$d/sparse/front-hole"
	printf tail | dd of="$d/sparse/front-hole" bs=1 seek=5242876 conv=notrunc status=none

	for i in $(seq 1 300); do
		head -c $((i * 37)) /dev/zero | tr '\0' "$((i % 10))" >"$d/many/f$i"
	done
	for i in $(seq 1 20); do
		mkdir -p "$d/many/d$i/e/f"
		printf %s "$i" >"$d/many/d$i/e/f/leaf"
	done

	chmod 1777 "$d/dirs/sticky"
	chgrp 99 "$d/dirs/setgid"
	chmod 2750 "$d/dirs/setgid"
	printf in >"$d/dirs/setgid/inside"
	printf in >"$d/dirs/locked/inside"
	chmod 0500 "$d/dirs/locked"
	setfacl -m d:u:1000:rwx "$d/dirs/sticky"
	setfattr -n user.dir -v yes "$d/dirs/setgid"
	touch -d '2003-03-03 03:03:03.333333333' "$d"/dirs/* "$d/dirs" "$d/many" "$d/links/deep"
	chown 21:22 "$d"
	chmod 0751 "$d"
	touch -d '2004-04-04 04:04:04.444' "$d"
}

# list_tree DIR [BLOCKS] - a line for each entry, whatever the order of the directories: type, mode,
# ids, size, number of links, times, device numbers, link target; then which names are links to one
# file, xattrs, and the contents' hashes. With BLOCKS, what sparse files take too.
list_tree() (
	cd "$1" || return
	export LC_ALL=C
	find . ! -type d -printf '%P|%y|%#m|%U:%G|%s|%n|%T@|%l\0' | sort -z | tr '\0\n' '\n?'
	find . -type d -printf '%P|%y|%#m|%U:%G|%T@\0' | sort -z | tr '\0\n' '\n?'
	find . \( -type b -o -type c \) -exec stat -c '%n %t:%T' {} + | sort
	find . ! -type d -links +1 -printf '%i %P\0' | sort -z |
		awk -v RS='\0' '{ i = $1; sub(/^[0-9]+ /, ""); a[i] = a[i] " " $0 }
			END { for (i in a) print a[i] }' | sort
	find . -print0 | sort -z | xargs -0 getfattr -h -d -m - -e hex -- 2>/dev/null
	# Of the names of one file the first alone: busybox has 269.
	find . -type f -printf '%i/%P\0' | sort -z | sort -z -s -u -t/ -k1,1 | cut -z -d/ -f2- |
		sort -z | xargs -0 sha256sum -z -- | tr '\0' '\n'
	[ -z "${2:-}" ] || find ./sparse -type f -printf '%P %b\n' | sort
)
