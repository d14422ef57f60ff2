#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What `meson install` puts somewhere works there, and the shell completes it.
load helpers

setup_file() {
	lamina_setup_file
	need meson
	[ -e "$LAMINA_BUILD/build.ninja" ] || skip "no build directory"
	DESTDIR=$SCRATCH/dest meson install -C "$LAMINA_BUILD" --no-rebuild >"$SCRATCH/log" ||
		{ cat "$SCRATCH/log" >&2; return 1; }
	prefix=$(dirname "$(dirname "$(find "$SCRATCH/dest" -name lamina -path '*/bin/*')")")
	export prefix
}

setup() {
	lamina_setup
	PATH=$prefix/bin:/usr/sbin:/usr/bin:/sbin:/bin
}

@test "the installed tools run a container by themselves" {
	need_root
	fresh_store
	"$LAMINA_SOURCE/tools/mkimage" busybox busybox
	lamina import busybox
	run -0 lamina run --rm --init busybox echo installed
	[ "$output" = installed ]
	assert_nothing_left
}

# Text only: debug information has the paths that it is about.
@test "nothing that is installed points into the build" {
	run -1 grep -rIlF -e "$LAMINA_SOURCE/" "$prefix"
	[ -z "$(find "$prefix" -type l ! -exec test -e {} \; -print)" ]
}

@test "each tool has its manual page and completions" {
	local tool
	for tool in lamina lamina-run lamina-trace layerfs initlayer volctl nslaunch; do
		[ -x "$prefix/bin/$tool" ]
		[ -s "$prefix/share/man/man1/$tool.1" ]
		[ -s "$prefix/share/bash-completion/completions/$tool" ]
	done
}

# completed WORD... - what bash offers for the last word
completed() {
	bash -c '
		. "$0"
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		_lamina
		printf "%s\n" "${COMPREPLY[@]}"
	' "$prefix/share/bash-completion/completions/lamina" "$@"
}

@test "bash completes verbs and options" {
	run -0 completed lamina im
	[ "$output" = $'import\nimages' ]
	run -0 completed layerfs create --cid
	[ "$output" = --cidfile ]
	run -0 completed lamina run --cap-
	[ "$output" = $'--cap-add\n--cap-drop' ]
	run -0 completed lamina-run --entry
	[ "$output" = --entrypoint ]
	run -0 completed volctl at
	[ "$output" = attach ]
}
