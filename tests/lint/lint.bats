#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The project's own rules: who includes whom, how the code looks, what the manual says.
bats_require_minimum_version 1.5.0

setup() {
	cd "${LAMINA_SOURCE:=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}" || return
	LAMINA_BIN=${LAMINA_BIN:-$LAMINA_SOURCE/build/bin}
	export LC_ALL=C.UTF-8
	copy=
}

teardown() {
	[ -z "$copy" ] || rm -rf "$copy"
}

# sources [PATTERN...] - the project's files, with or without git
sources() {
	if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git ls-files -co --exclude-standard -- "$@" | while read -r file; do
			[ ! -f "$file" ] || printf '%s\n' "$file"
		done
	else
		local pattern arguments=(-false)
		[ $# -gt 0 ] || set -- '*'
		for pattern; do arguments+=(-o -name "${pattern##*/}"); done
		find . -name 'build*' -prune -o -type f \( "${arguments[@]}" \) -print | sed 's|^\./||'
	fi | sort
}

# scripts - the files that begin with #!/bin/sh or bash
scripts() {
	sources | xargs awk 'FNR == 1 && /^#!.*(\/|env )(sh|bash)$/ { print FILENAME } { nextfile }'
}

# broken FILE LINE - a copy of the sources, in `copy`, with LINE put behind the first line of FILE
broken() {
	if [ -z "$copy" ]; then
		copy=$(mktemp -d)
		sources '*.c' '*.h' '*.cc' | xargs cp --parents -t "$copy"
	fi
	if [ -e "$1" ]; then
		sed "1a $2" "$1" >"$copy/$1"
	else
		printf '/* */\n%s\n' "$2" >"$copy/$1"
	fi
}

# repaired FILE - the copy as the sources are
repaired() {
	rm "$copy/$1"
	[ ! -e "$1" ] || cp "$1" "$copy/$1"
}

@test "includes go where docs/design.md lets them" {
	run tests/lint/includes .
	[ -z "$output" ]
	[ "$status" -eq 0 ]
}

@test "an include that goes elsewhere is found" {
	local file line
	while IFS='|' read -r file line; do
		broken "$file" "$line"
		run tests/lint/includes "$copy"
		repaired "$file"
		echo "$file: $line: $output"
		[ "$status" -ne 0 ]
		[[ $output == *"$file"* ]]
	done <<-'EOF'
		base/fd.c|#include "fs/store.h"
		base/fd.c|#include "fd.h"
		launch/any.c|#include "fs/bundle.h"
		fs/store.c|#include "launch/launch.h"
		fs/copy/any.c|#include "fs/store.h"
		fs/image/any.c|#include "fs/layer/layer.h"
		fs/rootfs/any.c|#include "fs/copy/copy.h"
		tools/nslaunch/any.c|#include "tools/layerfs/verbs.h"
		base/fd.c|#include <jsmn.h>
		tools/layerfs/any.c|#include <archive.h>
		launch/any.c|#include <sys/mount.h>
		base/fd.c|#include "tests/unit/scratch.h"
	EOF
}

@test "clang-format has nothing to change" {
	command -v clang-format >/dev/null || skip "no clang-format"
	sources '*.c' '*.h' | xargs clang-format --dry-run --Werror
}

@test "shellcheck has nothing to say" {
	command -v shellcheck >/dev/null || skip "no shellcheck"
	scripts | xargs shellcheck --external-sources --exclude=SC2016
	# Code in single quotes is for other shells there, and `run` loses variables on purpose.
	sources '*.bats' '*.bash' | xargs shellcheck --shell=bash --severity=error \
		--exclude=SC1010,SC2010,SC2038,SC2144,SC2016,SC2030,SC2031,SC2034,SC2046,SC2154,SC2314
}

@test "each source says its licence at the top" {
	local file
	while read -r file; do
		[ -s "$file" ] || continue
		head -n 2 "$file" | grep -q 'SPDX-License-Identifier: ' || {
			echo "$file"
			return 1
		}
	done < <(sources '*.c' '*.h' '*.cc' '*.bats' '*.bash' 'meson.build'; scripts)
}

@test "lines are at most 100 columns, indented with tabs, with nothing behind them" {
	run -1 grep -nE '[[:blank:]]$' $(sources '*.c' '*.h' '*.bats' '*.bash' 'meson.build'; scripts)
	run -1 grep -nE '^ {8}' $(sources '*.c' '*.h')
	run -1 awk 'FNR == 1 { file = FILENAME }
		{
			line = $0
			while ((at = index(line, "\t")) > 0)
				line = substr(line, 1, at - 1) \
					substr("        ", 1, 8 - (at - 1) % 8) substr(line, at + 1)
			if (length(line) > 100) { print file ":" FNR; bad = 1 }
		}
		END { exit !bad }' $(sources '*.c' '*.h')
}

@test "no file names the machine it was written on" {
	run sh -c 'xargs grep -IHnF "$@"' - -e "$LAMINA_SOURCE/" \
		-e "${LAMINA_BUILD:-$LAMINA_SOURCE/build}" < <(sources)
	[ -z "$output" ]
}

@test "each unit test and each shell test is run" {
	local file name
	for file in tests/unit/test-*.c; do
		name=${file##*/test-}
		grep -q "'${name%.c}'" tests/unit/meson.build || { echo "$file"; return 1; }
	done
	for file in $(sources '*.bats'); do
		name=${file##*/}
		grep -rqF "'${name%.bats}'" "${file%/*}"/meson.build || { echo "$file"; return 1; }
	done
}

# help_options COMMAND... - the long options of its help
help_options() {
	"$@" --help | sed -nE 's/^ {2,6}(-., )?--([a-z0-9-]+).*/\2/p' | grep -vxE 'help|version' | sort -u
}

# help_verbs TOOL
help_verbs() {
	"$LAMINA_BIN/$1" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'
}

# page_part TOOL VERB - where the manual explains a verb: a page of its own, or a part of the tool's
page_part() {
	if [ -e "docs/man/$1-$2.1.scd" ]; then
		cat "docs/man/$1-$2.1.scd"
	else
		awk -v verb="$2" '/^#/ { on = $1 == "##" && $2 == verb } on' "docs/man/$1.1.scd"
	fi
}

# part_options - the long options explained in what comes on standard input
part_options() {
	grep -E '^\*-' | grep -oE -- '--[a-z0-9-]+' | sed 's/^--//' | grep -vxE 'help|version' | sort -u
}

# compare PART OPTIONS COMMAND... - fails where one has what the other hasn't; an option that the
# manual has and help hasn't may be one that is accepted and not shown
compare() {
	local part=$1 options=$2 option wrong=0
	shift 2

	for option in $options; do
		grep -qxF -e "$option" <<<"$part" || {
			echo "${*##*/}: the manual lacks --$option"
			wrong=1
		}
	done
	for option in $part; do
		grep -qxF -e "$option" <<<"$options" || "$@" "--$option=1" --help >/dev/null 2>&1 || {
			echo "${*##*/}: no --$option, which the manual has"
			wrong=1
		}
	done
	return "$wrong"
}

@test "the manual has the tools' verbs and options, and no others" {
	local tool verb globals wrong=0
	for tool in layerfs volctl nslaunch lamina-trace; do
		globals=$(help_options "$LAMINA_BIN/$tool")
		compare "$(awk '/^#/ { on = $0 == "# OPTIONS" } on' "docs/man/$tool.1.scd" | part_options)" \
			"$globals" "$LAMINA_BIN/$tool" || wrong=1
		for verb in $(help_verbs "$tool"); do
			compare "$(page_part "$tool" "$verb" | part_options | grep -vxF "$globals")" \
				"$(help_options "$LAMINA_BIN/$tool" "$verb" | grep -vxF "$globals")" \
				"$LAMINA_BIN/$tool" "$verb" || wrong=1
		done
		for verb in $(sed -n '/^# COMMANDS/,/^# /s/^## \([a-z-]*\).*/\1/p' "docs/man/$tool.1.scd"); do
			help_verbs "$tool" | grep -qx "$verb" || {
				echo "$tool: no verb $verb, which the manual has"
				wrong=1
			}
		done
	done
	for tool in initlayer lamina-run lamina; do
		compare "$(part_options <"docs/man/$tool.1.scd")" "$(help_options "$LAMINA_BIN/$tool")" \
			"$LAMINA_BIN/$tool" || wrong=1
	done
	return "$wrong"
}

@test "each verb of the tools is explained in the manual" {
	local tool verb
	for tool in layerfs volctl nslaunch lamina-trace; do
		for verb in $(help_verbs "$tool"); do
			[ -n "$(page_part "$tool" "$verb")" ] || { echo "$tool $verb"; return 1; }
		done
	done
	for verb in $("$LAMINA_BIN/lamina" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
		grep -q "^\*$verb\*" docs/man/lamina.1.scd || { echo "lamina $verb"; return 1; }
	done
}

@test "manual pages are made of what scdoc takes" {
	command -v scdoc >/dev/null || skip "no scdoc"
	local page
	for page in docs/man/*.scd; do
		scdoc <"$page" >/dev/null
		[ "$(head -n 1 "$page")" = "$(basename "${page%.*.scd}")(${page: -5:1})" ]
	done
}

@test "README's figures are those of docs/benchmarks.md" {
	local block

	block=$(sed -n '/^<!-- benchmarks:/,/^<!-- benchmarks end/p' README.md | grep -v '^<!--')
	[ -n "$block" ]
	[ "$(grep -cF "$(head -n 1 <<<"$block")" docs/benchmarks.md)" -eq 1 ]
	[ "$(grep -A "$(($(wc -l <<<"$block") - 1))" -F "$(head -n 1 <<<"$block")" docs/benchmarks.md)" = "$block" ]
}
