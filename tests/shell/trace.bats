#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# lamina-trace: recorded starts become timelines.
load helpers
load trace

setup() {
	need lamina-trace
	lamina_setup
}

sample() {
	printf '%s\n' "$LAMINA_SOURCE/tests/accept/trace/$1.jsonl"
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
	# nslaunch waits in its phases; in ns.clone and exit.wait for another process.
	[ "$(grep -c blocked <<<"$output")" -eq 1 ]
}

@test "where a blocked phase slept is said, as the samples have it" {
	{
		cat "$(sample one)"
		printf '%s\n' '{"pid":4713,"sample":5000006000000,"wait":"synchronize_rcu","until":5000013000000}' \
			'{"pid":4713,"sample":5000003600000,"wait":"do_wait","until":5000005600000}'
	} >trace
	run lamina-trace trace
	[[ "$(line 'cgroup.remove')" == *" blocked 8.2 ms in synchronize_rcu" ]]
}

@test "the path is drawn heavy, and light where it went through the container" {
	run lamina-trace --width 120 "$(sample one)"
	[[ "$(line ' ns.clone')" =~ ns.clone\ ╺━*╾?─+╸?$ ]]
	run lamina-trace --ascii --width 120 "$(sample one)"
	[[ "$(line ' ns.clone')" =~ ns.clone\ =+-+=?$ ]]
	[[ "$(line ' root.switch')" =~ root.switch\ =+$ ]]
}

@test "the ends: to the first instruction, to the return, and the path's leaves add up to it" {
	run lamina-trace "$(sample one)"
	[ "$(line "to the program's first instruction")" = \
		" 3510.0 us to the program's first instruction" ]
	[[ "$(line 'to the return')" == " 14000.0 us to the return, as far as it is recorded" ]]
	[ "$(line "critical path's leaves")" = " 14000.0 us sum of the critical path's leaves:" ]
	[ "$(line '%  phases')" = " 12425.8 88.8 % phases" ]
	[ "$(line '%  shell')" = " 591.3 4.2 % shell: between the processes" ]
	[ "$(line '%  (other)')" = " 982.9 7.0 % (other): in a process, and in no phase" ]
}

@test "what the recorder measured is around all of it" {
	{
		cat "$(sample one)"
		echo '{"process":"run","pid":4710,"phase":"run","start":4999999000000,"duration":16000000}'
	} >trace
	run lamina-trace trace
	[ "${lines[0]}" = "container 4f0c2a9d81e7: 16000.0 us" ]
	[ "$(grep -o '[a-z]* \[[0-9]*\]' <<<"$output" | head -n 1)" = "run [4710]" ]
	[[ "$(line 'to the return')" == " 16000.0 us to the return, as measured from outside" ]]
	[ "$(line '%  shell')" = " 2591.3 16.2 % shell: between the processes" ]
}

@test "floors of this machine are a column, where there are any" {
	export LAMINA_FLOORS=$PWD/floors
	run lamina-trace "$(sample one)"
	[[ "$output" != *floor* ]]
	printf '%s\n' '{"phase":"mnt.proc","floor":31400}' '{"phase":"mounts","floor":800000}' >floors
	run lamina-trace "$(sample one)"
	[[ "${lines[1]}" == *" floor us "* ]]
	[[ "$(line 'mnt.proc')" == " 1880.0 40.0 31.4 mnt.proc "* ]]
	[[ "$(line 'mnt.dev')" == " 1930.0 120.0 mnt.dev "* ]]
	unset LAMINA_FLOORS
	mkdir -p "$LAMINA_STORE"
	mv floors "$LAMINA_STORE/floors.jsonl"
	run lamina-trace "$(sample one)"
	rm "$LAMINA_STORE/floors.jsonl"
	[[ "$(line 'mnt.proc')" == *" 31.4 mnt.proc "* ]]
	echo '{"phase":"mnt.proc"}' >floors
	LAMINA_FLOORS=$PWD/floors run --separate-stderr lamina-trace "$(sample one)"
	[ "$status" -eq 1 ]
	[[ "$stderr" == "lamina-trace: show: '"*"/floors': line 1: not a phase and its floor in nanoseconds" ]]
}

@test "colours are for terminals, and not where NO_COLOR is set" {
	need script
	run lamina-trace "$(sample one)"
	[[ "$output" != *$'\e'* ]]
	TERM=xterm run script -qec "lamina-trace '$(sample one)'" /dev/null
	[[ "$output" == *$'\e[1;33m'* ]]
	TERM=xterm NO_COLOR=1 run script -qec "lamina-trace '$(sample one)'" /dev/null
	[[ "$output" != *$'\e'* ]]
	TERM=dumb run script -qec "lamina-trace '$(sample one)'" /dev/null
	[[ "$output" != *$'\e'* ]]
}

@test "no line is wider than the terminal, but for where something slept" {
	local width

	for width in 80 100 132; do
		run lamina-trace --width "$width" "$(sample one)"
		[ "$(wc -L <<<"$output")" -le "$width" ]
	done
	need script
	run script -qec "stty cols 90; lamina-trace '$(sample one)'" /dev/null
	[ "$(wc -L <<<"${output//$'\r'/}")" -gt 80 ]
	[ "$(sed 's/\x1b\[[0-9;]*m//g; s/\r//' <<<"$output" | wc -L)" -le 90 ]
}

@test "a verb may be said, and a format is one that there is" {
	lamina-trace "$(sample one)" >out
	lamina-trace show --format=text "$(sample one)" | cmp - out
	lamina-trace show --output=file.txt "$(sample one)"
	cmp file.txt out
	run --separate-stderr lamina-trace --format=png "$(sample one)"
	[ "$status" -eq 2 ]
	[ "$stderr" = "lamina-trace: show: unknown format 'png'; see its --help" ]
	run --separate-stderr lamina-trace --output=/nowhere/file "$(sample one)"
	[ "$status" -eq 1 ]
	[ "$stderr" = "lamina-trace: show: cannot write '/nowhere/file': No such file or directory" ]
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
	[[ "$(line ' mounts')" == *" mounts =="* ]]
}

@test "a bad line is refused by its number" {
	head -n 2 "$(sample one)" >bad
	echo '{"process":"x"' >>bad
	run --separate-stderr lamina-trace bad
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	[ "$stderr" = "lamina-trace: show: 'bad': line 3: not JSON" ]
}

@test "lines that lack what a phase needs are refused" {
	local line words

	while IFS='|' read -r words line; do
		printf '%s\n' "$line" >bad
		run --separate-stderr lamina-trace bad
		[ "$status" -eq 1 ]
		[ "$stderr" = "lamina-trace: show: 'bad': line 1: $words" ] || {
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
'sample' is missing or not a number of nanoseconds|{"pid":1,"sample":"x","wait":"y"}
'wait' is missing or not a string|{"pid":1,"sample":1}
'until' is missing or not a number of nanoseconds|{"pid":1,"sample":1,"wait":"y","until":-1}
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
	[ "$stderr" = "lamina-trace: show: 'empty': there are no phases in it" ]
	run --separate-stderr lamina-trace missing
	[ "$status" -eq 1 ]
	[ "$stderr" = "lamina-trace: show: cannot open 'missing': No such file or directory" ]
	run --separate-stderr lamina-trace
	[ "$status" -eq 2 ]
}

@test "a LAMINA_TRACE in the environment doesn't add the viewer to the file it shows" {
	cp "$(sample one)" trace
	LAMINA_TRACE=$PWD/trace run lamina-trace trace
	[ "$status" -eq 0 ]
	cmp "$(sample one)" trace
}

@test "json: each event is one of the trace event format, and those of a thread nest" {
	need jq
	local sample

	for sample in one two; do
		lamina-trace --output=trace.json "$(sample $sample)"
		trace_events_check trace.json
		trace_events_nest trace.json
	done
	# The checks find what is wrong.
	lamina-trace --output=trace.json "$(sample one)"
	jq '.traceEvents[20].ts = "0"' trace.json >bad.json
	run ! trace_events_check bad.json
	jq '(.traceEvents | map(.cat == "phase" and .name == "image.resolve") | index(true)) as $i |
		.traceEvents[$i].dur += 400' trace.json >bad.json
	run ! trace_events_nest bad.json
}

@test "json: phases, events and processes are all there, with their times in microseconds" {
	need jq
	lamina-trace --format=json "$(sample one)" >trace.json
	[ "$(jq -c '[.traceEvents[] | select(.cat == "phase" or .cat == "tool") | .name] | sort' trace.json)" = \
		"$(jq -cs 'map(.phase) | sort' "$(sample one)")" ]
	[ "$(jq -c '.traceEvents[] | select(.name == "mnt.dev" and .cat == "phase") | [.ts, .dur, .args]' trace.json)" = \
		'[1930,120,{"process":"container","pid":4714,"cpu_us":118,"critical":true,"critical_us":120}]' ]
	[ "$(jq -c '.traceEvents[] | select(.ph == "i") | [.name, .ts, .s]' trace.json)" = '["exec.done",3510,"p"]' ]
	[ "$(jq -r '.traceEvents[] | select(.name == "cgroup.remove" and .cat == "phase") | .args.blocked_us' trace.json)" = 8205 ]
	[ "$(jq -c '[.traceEvents[] | select(.name == "thread_name") | .args.name]' trace.json)" = \
		'["critical path","layerfs [4711]","initlayer [4712]","nslaunch [4713]","container [4714]"]' ]
	[ "$(jq -r '.traceEvents[] | select(.name == "process_name") | .args.name' trace.json)" = "container 4f0c2a9d81e7" ]
}

@test "json: the critical path is a thread without gaps, as long as the whole" {
	need jq
	lamina-trace --format=json "$(sample one)" >trace.json
	jq -e '
		def ns: . * 1000 | round;
		[.traceEvents[] | select(.cat == "critical path")] |
		(.[0].ts | ns) == 0 and (map(.dur | ns) | add) == 14000000 and
		all(range(1; length) as $i | .[$i].ts == (.[$i - 1] | .ts + .dur) or
			((.[$i].ts | ns) == (.[$i - 1] | (.ts | ns) + (.dur | ns))); .)' trace.json
}

@test "json: phases of one process that overlap are of several threads" {
	need jq
	printf '{"process":"container","pid":7,"phase":"%s","start":%d,"duration":%d,"cpu":1,"container":"c"}\n' \
		mask 0 1000 net.lo 500 1000 in.net 600 100 tune 2000 10 >trace
	lamina-trace --format=json trace >trace.json
	trace_events_check trace.json
	trace_events_nest trace.json
	[ "$(jq -c '[.traceEvents[] | select(.name == "thread_name") | .args.name]' trace.json)" = \
		'["critical path","container [7]","container [7] (2)"]' ]
	[ "$(jq -c '[.traceEvents[] | select(.cat == "phase") | .tid]' trace.json)" = '[2,3,2,2]' ]
}

@test "json: names are JSON's, whatever is in them" {
	need jq
	printf '%s\n' '{"process":"a\"\u0007","pid":1,"phase":"b\\é\u0001","start":1,"duration":1,"cpu":1,"container":"\"</script>"}' >evil
	lamina-trace --format=json evil >trace.json
	trace_events_check trace.json
	[ "$(jq -r '.traceEvents[] | select(.cat == "phase") | .name' trace.json)" = $'b\\é\001' ]
}

@test "svg: well-formed, complete in itself, and without scripts" {
	need xmllint
	lamina-trace --output=trace.svg "$(sample one)"
	xmllint --noout trace.svg
	[ "$(xmllint --xpath 'name(/*)' trace.svg)" = svg ]
	[ "$(xmllint --xpath 'namespace-uri(/*)' trace.svg)" = http://www.w3.org/2000/svg ]
	[ "$(xmllint --xpath 'count(//*[local-name() = "script" or local-name() = "image" or local-name() = "use"])' trace.svg)" -eq 0 ]
	run ! grep -E '(href|src|url)[=(]|@import' trace.svg
	# Each colour that is used is one that the style has.
	while read -r class; do
		[ "$class" = off ] || grep -q "\.$class\b" trace.svg || { echo "$class"; return 1; }
	done < <(grep -o 'class="[^"]*"' trace.svg | sed 's/class="//; s/"//' | tr ' ' '\n' | sort -u)
}

@test "svg: a row with its bar for each phase, on the axis where it was" {
	need xmllint jq
	local left width x w

	printf '%s\n' '{"phase":"mnt.dev","floor":100000}' >floors
	LAMINA_FLOORS=$PWD/floors lamina-trace --output=trace.svg "$(sample one)"
	[ "$(xmllint --xpath '//*[local-name() = "text"][@class = "on" or @class = "off"]/text()' trace.svg | sort)" = \
		"$({ jq -r .phase "$(sample one)"; printf '%s\n' shell '(other)' '(other)' '(other)' '(other)'; } | sort)" ]
	# 0 and 14 ms are ticks: what lies between them is 14 ms wide.
	left=$(xmllint --xpath 'string(//*[@class = "line"][1]/@x1)' trace.svg)
	width=$(xmllint --xpath 'string(//*[@class = "line"][last()]/@x1)' trace.svg)
	x=$(xmllint --xpath 'string(//*[local-name() = "g"][contains(*[local-name() = "title"], "cgroup.remove")]/*[@class = "critical"]/@x)' trace.svg)
	w=$(xmllint --xpath 'string(//*[local-name() = "g"][contains(*[local-name() = "title"], "cgroup.remove")]/*[@class = "critical"]/@width)' trace.svg)
	awk -v left="$left" -v right="$width" -v x="$x" -v w="$w" 'BEGIN {
		scale = (right - left) / 14000
		d1 = x - left - 5620 * scale; d2 = w - 8300 * scale
		exit !(d1 * d1 < 0.01 && d2 * d2 < 0.01)
	}'
	[ "$(xmllint --xpath 'string(//*[contains(@class, "blocked")])' trace.svg)" = "blocked 8205.0 µs" ]
	[ "$(xmllint --xpath 'count(//*[local-name() = "g"]/*[@class = "floor"])' trace.svg)" -eq 1 ]
	# Where the launcher waits for its child, its bar is beside the path.
	[ "$(xmllint --xpath 'count(//*[local-name() = "g"][contains(*[local-name() = "title"], "ns.clone")]/*[@class = "beside"])' trace.svg)" -eq 1 ]
}

@test "svg: names are text, whatever is in them" {
	need xmllint
	printf '%s\n' '{"process":"<a>&\u0007","pid":1,"phase":"</svg>","start":1,"duration":1,"cpu":1,"container":"\"<script>"}' >evil
	lamina-trace --format=svg evil >trace.svg
	xmllint --noout trace.svg
	[ "$(xmllint --xpath 'count(//*[local-name() = "script"])' trace.svg)" -eq 0 ]
	[ "$(xmllint --xpath 'string(//*[@class = "title"])' trace.svg)" = 'container "<script>' ]
}

@test "svg: a browser draws it" {
	local browser

	browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
		skip "no chromium"
	shot() {
		"$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$PWD/profile" \
			--window-size=1300,620 --screenshot="$PWD/$1.png" "file://$PWD/$1.svg" 2>"$1.log"
	}
	lamina-trace --output=trace.svg "$(sample one)"
	echo '<svg xmlns="http://www.w3.org/2000/svg" width="1300" height="620"/>' >empty.svg
	shot empty || skip "chromium doesn't run here: $(tail -n 1 empty.log)"
	shot trace
	[ "$(stat -c %s trace.png)" -gt "$((8 * $(stat -c %s empty.png)))" ]
}

@test "mermaid: a gantt chart of tasks in sections, the path's as crit" {
	lamina-trace --output=trace.mermaid "$(sample one)"
	[ "$(head -n 4 trace.mermaid | tr '\n' ';')" = \
		"gantt;    title container 4f0c2a9d81e7 (microseconds);    dateFormat x;    axisFormat %Q;" ]
	# A task is a name without a colon, tags, a start and an end behind it.
	run ! grep -vE '^(gantt|    (title|dateFormat|axisFormat|section) .*|    %% [^%]+)$|^    [a-zA-Z0-9_.()-]+ :(crit, )?[0-9]+, [0-9]+$|^    [a-z.]+ :milestone, [0-9]+, 0ms$' trace.mermaid
	awk -F'[:,]' '/^    [^ ]+ :(crit, )?[0-9]/ { n++; if ($NF + 0 <= $(NF - 1) + 0) bad = 1 } END { exit bad || n < 17 }' trace.mermaid
	grep -qx '    section nslaunch 4713' trace.mermaid
	grep -qx '    mnt.dev :crit, 1930, 2050' trace.mermaid
	grep -qx '    exec.done :milestone, 3510, 0ms' trace.mermaid
	grep -qx '    %% shell: 591 us in sum' trace.mermaid
	grep -qx '    shell :crit, 796, 1100' trace.mermaid
	cmp <(lamina-trace --format=mmd "$(sample one)") trace.mermaid
	# What isn't on the path is no crit.
	printf '%s\n' '{"process":"nslaunch","pid":1,"phase":"nslaunch","start":0,"duration":9000,"cpu":9000}' \
		'{"process":"layerfs","pid":2,"phase":"a:b, c#;\n","start":2000,"duration":2000,"cpu":2000}' >beside
	run -0 lamina-trace --format=mermaid beside
	grep -qx '    a_b__c___ :2, 4' <<<"$output"
}

@test "folded: stacks of the path, as long in sum as the whole" {
	lamina-trace --output=trace.folded "$(sample one)"
	run ! grep -vE '^[^; ]+(;[^; ]+)* [0-9]+$' trace.folded
	[ "$(awk '{ sum += $NF } END { print sum }' trace.folded)" -eq 14000 ]
	grep -qx 'container;mounts;mnt.dev 120' trace.folded
	grep -qx 'container;mounts 740' trace.folded
	grep -qx 'nslaunch;cgroup.remove 8300' trace.folded
	grep -qx 'initlayer;(other) 96' trace.folded
	grep -qx 'shell 591' trace.folded
	# Each stack once.
	[ -z "$(sed 's/ [0-9]*$//' trace.folded | sort | uniq -d)" ]
	printf '%s\n' '{"process":"a b;c","pid":1,"phase":"d\ne;","start":1,"duration":5000,"cpu":1}' >evil
	run -0 lamina-trace --format=folded evil
	[ "$output" = 'a_b_c;d_e_ 5' ]
}

@test "otlp: an export request for each trace, its spans inside each other" {
	need jq
	lamina-trace --output=trace.otlp "$(sample one)"
	[ "$(wc -l <trace.otlp)" -eq 1 ]
	otlp_check trace.otlp
	[ "$(jq -r '.resourceSpans[].resource.attributes[] | select(.key == "container.id") | .value.stringValue' trace.otlp)" = 4f0c2a9d81e7 ]
	# The child's phases are its launcher's, and an event is in the phase that it happened in.
	[ "$(jq '.resourceSpans[].scopeSpans[].spans | length' trace.otlp)" -eq 16 ]
	jq -e '.resourceSpans[].scopeSpans[].spans as $spans | ($spans | map({(.spanId): .name}) | add) as $names |
		($spans | map({(.name): $names[.parentSpanId // ""]}) | add) as $parents |
		$parents["mnt.dev"] == "mounts" and $parents.mounts == "nslaunch" and
		$parents["image.resolve"] == "layerfs" and $parents.layerfs == null and
		($spans[] | select(.name == "nslaunch") | .events | map(.name)) == ["exec.done"] and
		($spans[] | select(.name == "cgroup.remove") | .attributes |
			map(select(.key == "lamina.blocked_ns")) | .[0].value.intValue) == "8205000"' trace.otlp
	# The same file gives the same ids, another container others.
	cmp <(jq .resourceSpans[].scopeSpans[].spans[].spanId trace.otlp) \
		<(lamina-trace --format=otlp "$(sample one)" | jq .resourceSpans[].scopeSpans[].spans[].spanId)
	lamina-trace --format=otlp "$(sample two)" >trace.otlp
	[ "$(wc -l <trace.otlp)" -eq 3 ]
	otlp_check trace.otlp
	[ "$(jq -r .resourceSpans[].scopeSpans[].spans[0].traceId trace.otlp | sort -u | wc -l)" -eq 3 ]
	# The check finds a parent that isn't there, and a number that is none of a string.
	jq -c '.resourceSpans[].scopeSpans[].spans[1].parentSpanId = "00000000000000ab"' trace.otlp >bad
	run ! otlp_check bad
	jq -c '.resourceSpans[].scopeSpans[].spans[0].startTimeUnixNano = 5' trace.otlp >bad
	run ! otlp_check bad
}

@test "otlp: the caller's trace is gone on with, on the clock of the recorder" {
	need jq
	local trace=0af7651916cd43dd8448eb211c80319c caller=b7ad6b7169203331

	{
		sed "/\"phase\":\"layerfs\"/s/}\$/,\"traceparent\":\"00-$trace-$caller-01\"}/" "$(sample one)"
		printf '{"process":"run","pid":4710,"phase":"run","start":4999999000000,"duration":16000000,"unix":1700000000000000000,"traceparent":"00-%s-%s-01"}\n' \
			"$trace" "$caller"
	} >trace
	lamina-trace --format=otlp trace >trace.otlp
	otlp_check trace.otlp "$caller"
	[ "$(jq -r .resourceSpans[].scopeSpans[].spans[].traceId trace.otlp | sort -u)" = "$trace" ]
	jq -e --arg caller "$caller" '.resourceSpans[].scopeSpans[].spans as $spans |
		($spans[] | select(.name == "run")) as $run | $run.parentSpanId == $caller and
		$run.startTimeUnixNano == "1700000000000000000" and $run.endTimeUnixNano == "1700000000016000000" and
		($spans[] | select(.name == "layerfs") | .parentSpanId == $run.spanId and .startTimeUnixNano == "1700000000001000000") and
		($spans[] | select(.name == "nslaunch") | .parentSpanId == $run.spanId)' trace.otlp
	# One that isn't valid is none.
	sed "s/$trace/00000000000000000000000000000000/" trace >bad
	lamina-trace --format=otlp bad >bad.otlp
	otlp_check bad.otlp
}

@test "what must be refused is, by every format; what must be taken is" {
	local file format

	for file in "$LAMINA_SOURCE"/tests/refuse/trace/*; do
		run -1 --separate-stderr lamina-trace --output=out.json "$file"
		[[ "$stderr" == "lamina-trace: show: '$file': "* ]]
		[ ! -e out.json ]
	done
	for file in "$LAMINA_SOURCE"/tests/accept/trace/*; do
		for format in text json svg mermaid folded otlp; do
			lamina-trace --format="$format" "$file" >out
			[ -s out ]
		done
	done
}
