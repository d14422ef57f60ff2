#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh SCRIPT [FILE...]: runs SCRIPT, a test that speaks TAP, as root in a virtual machine with
# Debian 12's own kernel (6.1) and nothing but cgroup v2, and prints what it prints.
#
# The machine has busybox, the FILEs in /lamina (programs with the libraries they need, directories
# as they are) and $LAMINA_BIN's programs in its PATH. There is no KVM, no disk and no network: it is
# up in about three seconds, with its root on a tmpfs. The kernel comes from the machine's Debian
# mirror, is kept in ${XDG_CACHE_HOME:-~/.cache}/lamina and is never installed.
#
# QEMU_IMAGES     images for /lamina/images: arguments of tools/mkimage but for the directory, one
#                 image a line ("busybox"); it is called by the first word
# QEMU_SYSTEMD    the machine is a Debian with systemd as its first process, which starts SCRIPT as
#                 a service; its disk is made by mmdebstrap, once (as root)
# QEMU_CMDLINE    more for the kernel's command line
# QEMU_MODULES    kernel modules to load (overlay)
# QEMU_MEMORY     of the machine (768M)
# QEMU_TIMEOUT    seconds until it is given up (300)
# QEMU_VERBOSE    what the kernel and the start say goes to standard error
set -eu
umask 022
export LC_ALL=C

if [ $# -lt 1 ]; then
	echo 'Usage: tests/qemu/run.sh SCRIPT [FILE...]' >&2
	exit 2
fi
script=$1
shift

skip()
{
	printf '1..0 # SKIP %s\n' "$*"
	exit 0
}

[ "$(uname -m)" = x86_64 ] || skip "no virtual machine for $(uname -m)"
for program in qemu-system-x86_64 busybox dpkg-deb; do
	command -v "$program" >/dev/null || skip "no $program"
done

scratch=$(mktemp -d "${TMPDIR:-/dev/shm}/lamina-qemu.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cache=${XDG_CACHE_HOME:-$HOME/.cache}/lamina

# Sets `kernel`: a directory with the unpacked package. Made aside and renamed; two at once both
# make it, and the first wins.
kernel_get()
{
	package=$(apt-cache show --no-all-versions linux-image-cloud-amd64 2>/dev/null |
		sed -n 's/^Depends:.*\(linux-image-[0-9][^ ,]*\).*/\1/p')
	# No lists of packages: what was got earlier will do.
	if [ -z "$package" ]; then
		for kernel in "$cache"/linux-image-*-cloud-amd64; do
			[ ! -d "$kernel" ] || package=${kernel##*/}
		done
	fi
	[ -n "$package" ] || skip 'no package linux-image-cloud-amd64 (Debian 12, apt-get update)'
	kernel=$cache/$package
	[ -d "$kernel" ] && return
	mkdir -p "$cache"
	making=$(mktemp -d "$cache/.kernel.XXXXXX")
	# apt's own user may not write there, which apt says though all is well.
	if ! (cd "$making" && apt-get download "$package" >apt.log 2>&1); then
		sed 's/^/# /' "$making/apt.log"
		rm -rf "$making"
		skip "cannot download $package"
	fi
	dpkg-deb -x "$making"/*.deb "$making/unpacked"
	mv -T "$making/unpacked" "$kernel" 2>/dev/null || [ -d "$kernel" ]
	rm -rf "$making"
}

# module_file NAME - its path below the kernel's directory
module_file()
{
	(cd "$kernel" && find lib/modules -name "$1.ko" | head -n 1)
}

# Prints the module's path behind those it needs.
module_list()
{
	file=$(module_file "$1")
	[ -n "$file" ] || return 0
	for needed in $(tr '\0' '\n' <"$kernel/$file" | sed -n 's/^depends=//p' | tr ',' ' '); do
		module_list "$needed"
	done
	module_file "$1"
}

# file_add FILE DIRECTORY - a program and, where it isn't static, its libraries
file_add()
{
	mkdir -p "$root/$2"
	cp -RL "$1" "$root/$2/"
	[ -f "$1" ] || return 0
	for library in $(ldd "$1" 2>/dev/null | grep -o '/[^ ]*'); do
		[ -e "$root/$library" ] && continue
		mkdir -p "$root/${library%/*}"
		cp -L "$library" "$root/$library"
	done
}

# Sets `disk`: a file system with Debian's systemd, and without what no test looks at.
disk_get()
{
	disk=$cache/debian-systemd-1.ext4
	[ -e "$disk" ] && return
	[ "$(id -u)" -eq 0 ] || skip 'only root can make the disk of a Debian with systemd'
	for program in mmdebstrap mke2fs; do
		command -v "$program" >/dev/null || skip "no $program"
	done
	mkdir -p "$cache"
	making=$(mktemp -d "$cache/.disk.XXXXXX")
	# shellcheck disable=SC2016 # the hook's own shell expands it
	if ! mmdebstrap --mode=root --variant=minbase --include=systemd,systemd-sysv,libpam-systemd,dbus \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--customize-hook='rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*' \
		bookworm "$making/root" >"$making/log" 2>&1 ||
		! mke2fs -q -t ext4 -d "$making/root" "$making/disk" 400m >>"$making/log" 2>&1; then
		tail -n 3 "$making/log" | sed 's/^/# /'
		rm -rf "$making"
		skip 'cannot make a Debian with systemd'
	fi
	mv "$making/disk" "$disk"
	rm -rf "$making"
}

kernel_get
QEMU_MODULES=${QEMU_MODULES-overlay}
disk=
if [ -n "${QEMU_SYSTEMD-}" ]; then
	disk_get
	QEMU_MODULES="virtio_pci virtio_blk $QEMU_MODULES"
fi
root=$scratch/root
mkdir -p "$root/bin" "$root/modules"
cp "$(command -v busybox)" "$root/bin/busybox"
cp "$(dirname -- "$0")/init" "$root/init"
cp "$script" "$root/test"
chmod 755 "$root/init" "$root/test"
number=10
for module in $QEMU_MODULES; do
	for file in $(module_list "$module"); do
		[ -z "$(find "$root/modules" -name "??-${file##*/}")" ] || continue
		cp "$kernel/$file" "$root/modules/$number-${file##*/}"
		number=$((number + 1))
	done
done
if [ -n "${LAMINA_BIN-}" ]; then
	for file in "$LAMINA_BIN"/*; do
		file_add "$file" lamina/bin
	done
fi
for file; do
	file_add "$file" lamina
done
printf '%s\n' "${QEMU_IMAGES-}" | while IFS= read -r image; do
	[ -n "$image" ] || continue
	mkdir -p "$root/lamina/images"
	# shellcheck disable=SC2086 # arguments are words
	"$LAMINA_SOURCE/tools/mkimage" $image "$root/lamina/images/${image%% *}" >&2
done
[ -z "$disk" ] || : >"$root/systemd"
(cd "$root" && find . | busybox cpio -o -H newc 2>/dev/null) >"$scratch/initramfs"

# The first serial line is the console, the second what the test prints.
status=0
# shellcheck disable=SC2086 # an option and its value, or nothing
timeout "${QEMU_TIMEOUT:-300}" qemu-system-x86_64 -accel tcg -cpu max -smp 1 \
	-m "${QEMU_MEMORY:-768M}" -nodefaults -no-user-config -display none -no-reboot \
	-kernel "$(echo "$kernel"/boot/vmlinuz-*)" -initrd "$scratch/initramfs" \
	${disk:+-drive file="$disk",format=raw,if=virtio,readonly=on} \
	-append "console=ttyS0 quiet panic=-1 oops=panic ${QEMU_CMDLINE-}" \
	-serial "file:$scratch/console" -serial "file:$scratch/output" </dev/null || status=$?
tr -d '\r' <"$scratch/output" >"$scratch/tap"
ended=$(sed -n '$s/^# ended with //p' "$scratch/tap")
sed '/^# ended with /d' "$scratch/tap"
if [ -n "${QEMU_VERBOSE-}" ] || [ -z "$ended" ]; then
	tr -d '\r' <"$scratch/console" | sed 's/^/# console: /' >&2
fi
if [ -z "$ended" ]; then
	printf 'Bail out! the virtual machine stopped in the middle (status %s)\n' "$status"
	exit 1
fi
exit "$ended"
