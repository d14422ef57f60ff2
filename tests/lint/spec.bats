#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# docs/spec.md against what the parser knows of a config.json, and against the tests it names.
bats_require_minimum_version 1.5.0

setup() {
	cd "${LAMINA_SOURCE:=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}" || return
	export LC_ALL=C.UTF-8
}

# known_fields [FILE] - each name in the parser's tables, as a path
known_fields() {
	awk '
		/^static const struct known .*table\[\]/ { on = 1; next }
		/^};/ { on = 0 }
		on {
			line = $0
			while (match(line, /"[^"]*"/)) {
				text = substr(line, RSTART + 1, RLENGTH - 2)
				line = substr(line, RSTART + RLENGTH)
				if (!has_path) {
					path = text
					has_path = 1
					continue
				}
				n = split(text, names, " ")
				for (i = 1; i <= n; i++)
					print path (path == "" ? "" : ".") names[i]
			}
			if (line ~ /}/)
				has_path = 0
		}' "${1:-launch/config/known.c}" | sort
}

# rows - those of the tables of fields
rows() {
	awk '/^\| field \|/ { on = 1 } /^$/ { on = 0 } on && /^\| `/' docs/spec.md
}

# told_fields - the names in docs/spec.md
told_fields() {
	rows | cut -d'|' -f2 | grep -o '`[^`]*`' | tr -d '`' | sort
}

@test "docs/spec.md has each field that the parser knows, once, and no other" {
	[ "$(known_fields | wc -l)" -gt 150 ]
	run diff <(known_fields) <(told_fields)
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "a field that docs/spec.md lacks is found" {
	sed 's/"path readonly"/"path readonly mystery"/' launch/config/known.c >"$BATS_TEST_TMPDIR/known.c"
	run diff <(known_fields "$BATS_TEST_TMPDIR/known.c") <(told_fields)
	[ "$status" -eq 1 ]
	[[ $output == *"< root.mystery"* ]]
}

@test "the tests that docs/spec.md names are there" {
	local row test file words wrong=0
	while IFS= read -r row; do
		row=${row%"${row##*[! ]}"}
		row=${row%|}
		while IFS= read -r test; do
			test=$(sed 's/^ *//; s/ *$//' <<<"$test")
			file=${test%%:*}
			words=${test#"$file"}
			words=${words#: }
			[ -n "$file" ] && [ -f "tests/$file" ] && grep -qF -e "$words" "tests/$file" || {
				echo "no such test: $test"
				wrong=1
			}
		done < <(tr ';' '\n' <<<"${row##*|}")
	done < <(rows)
	return "$wrong"
}

@test "docs/spec.md has each word of a mount's options" {
	local word wrong=0
	[ "$(grep -cE '^	\{ "[a-z]+", WORD_' launch/config/mount.c)" -gt 50 ]
	for word in $(sed -nE 's/^	\{ "([a-z]+)", WORD_.*/\1/p' launch/config/mount.c); do
		grep -q "^| [^|]*\`\(no\)\?${word#r}\`\|^| [^|]*\`$word\`" docs/spec.md || { echo "$word"; wrong=1; }
	done
	return "$wrong"
}
