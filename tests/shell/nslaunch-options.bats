#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Every verb and every option that the installed runc and crun show in their help is nslaunch's too,
# with the same letter, and with a value where theirs have one.
#
# Not nslaunch's, on purpose:
#   -?, --usage     argp's own, of each of crun's verbs: they are about crun's help

load helpers

setup() {
	lamina_setup
	need nslaunch
}

# options - from a help text on standard input: "NAME LETTER VALUE" a line, - for none
options() {
	sed -nE 's/^ +(.*)$/\1/p' | grep -E '^-' | sed -E 's/  +.*//' | awk '
		{
			name = ""; letters = ""; value = "-"
			n = split($0, words, /, */)
			for (i = 1; i <= n; i++) {
				word = words[i]
				if (word ~ /^--/) {
					if (word ~ /\[=/)
						value = "-"
					else if (word ~ /[= ]/)
						value = "value"
					sub(/^--/, "", word)
					sub(/[[= ].*/, "", word)
					name = word
				} else {
					if (word ~ / /)
						value = "value"
					letters = letters substr(word, 2, 1)
				}
			}
			if (name != "" && name != "help" && name != "usage")
				print name, (letters == "" ? "-" : letters), value
		}' | sort -u
}

# theirs RUNTIME [VERB] - the options of its help
theirs() {
	"$1" ${2:+"$2"} --help 2>/dev/null | options
}

# missing RUNTIME [VERB] - what of theirs isn't ours, a line each
missing() {
	local ours name letters value i
	ours=$(nslaunch ${2:+"$2"} --help | options)
	theirs "$@" | while read -r name letters value; do
		if [ "$name" = version ]; then
			for ((i = 0; i < ${#letters}; i++)); do
				nslaunch "-${letters:i:1}" | grep -q version || echo "-${letters:i:1}"
			done
			continue
		fi
		if [ "$letters" = - ]; then
			grep -qE "^$name [^ ]+ $value$" <<<"$ours" && continue
		else
			grep -qE "^$name [^ ]*${letters}[^ ]* $value$" <<<"$ours" && continue
		fi
		echo "${*: -1}: --$name (letter $letters, $value)"
	done
}

# verbs RUNTIME
verbs() {
	case $1 in
	runc) runc --help | sed -n '/^COMMANDS:/,/^$/s/^   \([a-z]*\) .*/\1/p' ;;
	crun) crun --help | sed -n '/^COMMANDS:/,/^$/s/^	\([a-z]*\) .*/\1/p' ;;
	esac
}

covers() {
	local verb wrong

	need "$1"
	[ "$(theirs "$1" run | wc -l)" -gt 5 ]
	wrong=$(missing "$1")
	for verb in $(verbs "$1"); do
		[ "$verb" = help ] && continue
		nslaunch "$verb" --help >/dev/null || wrong+=$'\n'"no verb $verb"
		wrong+=$(missing "$1" "$verb")
	done
	echo "$wrong"
	[ -z "$wrong" ]
}

@test "nslaunch has every verb and option of runc" {
	covers runc
}

@test "nslaunch has every verb and option of crun" {
	covers crun
}
