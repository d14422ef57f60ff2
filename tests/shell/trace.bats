#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# lamina-trace: recorded starts become timelines.
load helpers

setup() {
	need lamina-trace
	lamina_setup
}

sample() {
	printf '%s\n' "$BATS_TEST_DIRNAME/data/trace-$1.jsonl"
}

# line TEXT - the one line of $output that has TEXT, its blanks squeezed
line() {
	local found

	found=$(grep -F -- "$1" <<<"$output") || return
	[ "$(wc -l <<<"$found")" -eq 1 ] || return
	tr -s ' ' <<<"$found"
}

@test "a pipeline of four processes is one container's timeline, from its first phase" {
	run --separate-stderr lamina-trace --width 120 "$(sample one)"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "${lines[0]}" = "container 4f0c2a9d81e7: 14000.0 us" ]
	[ "$(grep -c '^container ' <<<"$output")" -eq 1 ]
	[[ "$(line ' mounts')" == " 1870.0 900.0 mounts "*━━* ]]
	[[ "$(line 'image.resolve')" == " 31.2 58.4 image.resolve ╸"* ]]
}

@test "processes come in the order of their starts, the container's side last" {
	run lamina-trace "$(sample one)"
	[ "$(grep -o '[a-z]* \[[0-9]*\]' <<<"$output" | tr '\n' ' ')" = \
		"layerfs [4711] initlayer [4712] nslaunch [4713] container [4714] " ]
}

@test "a phase inside another is indented below it" {
	run lamina-trace "$(sample one)"
	grep -q '^ *1870\.0 *900\.0    mounts' <<<"$output"
	grep -q '^ *1880\.0 *40\.0      mnt\.proc' <<<"$output"
	grep -q '^ *2780\.0 *150\.0    root\.switch' <<<"$output"
}

@test "an event has a moment and no duration" {
	run lamina-trace "$(sample one)"
	[[ "$(line 'exec.done')" == " 3510.0 exec.done ◆" ]]
}

@test "what waits more than a millisecond is marked as blocked, and only there" {
	run lamina-trace "$(sample one)"
	[[ "$(line 'cgroup.remove')" == *" blocked 8.2 ms" ]]
	[[ "$(line 'exit.wait')" == *" blocked 2.0 ms" ]]
	# nslaunch waits in its phases; ns.clone while the container's child works.
	[ "$(grep -c blocked <<<"$output")" -eq 2 ]
}

@test "totals count each tool's outermost phases" {
	run lamina-trace "$(sample one)"
	[ "$(line 'layerfs, 3 phases')" = " 398.0 412.5 layerfs, 3 phases" ]
	[ "$(line 'container, 6 phases')" = " 1092.0 1115.0 container, 6 phases" ]
}

@test "several containers get a timeline each, and what is of all of them comes first" {
	run lamina-trace "$(sample two)"
	[ "$status" -eq 0 ]
	[ "$(grep -E '^(container|of all)|^2 ' <<<"$output" | tr '\n' ';')" = \
		"of all containers: 25000.0 us;container aaaa1111: 704.0 us;container bbbb2222: 704.0 us;2 containers;" ]
	# Each layerfs ended before its container had an id known to it.
	[ "$(grep -o 'layerfs \[[0-9]*\]' <<<"$output" | tr '\n' ' ')" = "layerfs [100] layerfs [101] " ]
}

@test "standard input is read for -, and a locale without UTF-8 gets ASCII" {
	LC_ALL=C run lamina-trace - <"$(sample one)"
	[ "$status" -eq 0 ]
	[ "$(LC_ALL=C grep -c '[^ -~]' <<<"$output")" -eq 0 ]
	run lamina-trace --ascii - <"$(sample one)"
	[[ "$(line ' mounts')" == *" mounts --"* ]]
}

@test "a bad line is refused by its number" {
	head -n 2 "$(sample one)" >bad
	echo '{"process":"x"' >>bad
	run --separate-stderr lamina-trace bad
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	[ "$stderr" = "lamina-trace: 'bad': line 3: not JSON" ]
}

@test "lines that lack what a phase needs are refused" {
	local line words

	while IFS='|' read -r words line; do
		printf '%s\n' "$line" >bad
		run --separate-stderr lamina-trace bad
		[ "$status" -eq 1 ]
		[ "$stderr" = "lamina-trace: 'bad': line 1: $words" ] || {
			echo "$line: $stderr"
			return 1
		}
	done <<'LINES'
not an object|[1]
'pid' is missing or not a number|{"process":"a","phase":"b","start":1,"duration":1,"cpu":1}
'process' is missing or not a string|{"process":7,"pid":1,"phase":"b","start":1,"duration":1,"cpu":1}
'phase' is missing or not a string|{"process":"a","pid":1,"phase":"","start":1,"duration":1,"cpu":1}
'start' is missing or not a number of nanoseconds|{"process":"a","pid":1,"phase":"b","start":-1,"duration":1,"cpu":1}
'duration' is missing or not a number of nanoseconds|{"process":"a","pid":1,"phase":"b","start":1,"duration":1.5,"cpu":1}
'cpu' is missing or not a number of nanoseconds|{"process":"a","pid":1,"phase":"b","start":1,"duration":1,"cpu":18446744073709551615}
LINES
}

@test "names can't speak to the terminal" {
	printf '%s\n' '{"process":"a\u001b[31m","pid":1,"phase":"b\u0007","start":1,"duration":1,"cpu":1,"container":"c\u001b]0;x\u0007"}' >evil
	run lamina-trace evil
	[ "$status" -eq 0 ]
	[[ "$output" != *$'\e'* && "$output" != *$'\a'* ]]
	[ "${lines[0]}" = "container c?]0;x?: 0.0 us" ]
}

@test "an empty file and a missing one are errors" {
	: >empty
	run --separate-stderr lamina-trace empty
	[ "$status" -eq 1 ]
	[ "$stderr" = "lamina-trace: 'empty': there are no phases in it" ]
	run --separate-stderr lamina-trace missing
	[ "$status" -eq 1 ]
	[ "$stderr" = "lamina-trace: cannot open 'missing': No such file or directory" ]
	run --separate-stderr lamina-trace
	[ "$status" -eq 2 ]
}

@test "a LAMINA_TRACE in the environment doesn't add the viewer to the file it shows" {
	cp "$(sample one)" trace
	LAMINA_TRACE=$PWD/trace run lamina-trace trace
	[ "$status" -eq 0 ]
	cmp "$(sample one)" trace
}
