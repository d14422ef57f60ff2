#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the tools tell of their time: the trace that they are part of, the probes, and that no phase is
# missing, in the timeline or in docs/profiling.md.
load helpers
load bundle

PARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01

setup() {
	need nslaunch jq
	need_root
	lamina_setup
}

# span FILE - the id of nslaunch's own span, from its line in FILE: FNV-1a of PID:PHASE:START
span() {
	local text i hash=$((0xcbf29ce484222325))

	text=$(jq -r 'select(.phase == "nslaunch") | "\(.pid):\(.phase):\(.start)"' "$1")
	for ((i = 0; i < ${#text}; i++)); do
		hash=$(((hash ^ $(printf '%d' "'${text:i:1}")) * 0x100000001b3))
	done
	printf '%016x\n' "$hash"
}

@test "the program gets the trace by option alone, as it came" {
	bundle_make
	config '.process.args = ["/bin/env"]'
	export TRACEPARENT=$PARENT TRACESTATE=congo=t61rcWkgMzE
	run -0 nslaunch run --bundle "$BUNDLE" plain
	[[ "$output" != *TRACE* ]]
	run -0 nslaunch run --trace-env --bundle "$BUNDLE" plain
	[ "$(grep -c ^TRACE <<<"$output")" -eq 2 ]
	grep -qx "TRACEPARENT=$PARENT" <<<"$output"
	grep -qx TRACESTATE=congo=t61rcWkgMzE <<<"$output"
	# In place of what config.json has.
	config '.process.args = ["/bin/env"] | .process.env += ["TRACEPARENT=x"]'
	run -0 nslaunch run --trace-env --bundle "$BUNDLE" plain
	[ "$(grep ^TRACEPARENT= <<<"$output")" = "TRACEPARENT=$PARENT" ]
}

@test "where the start is recorded, its own span is the parent" {
	bundle_make
	config '.process.args = ["/bin/env"]'
	TRACEPARENT=$PARENT LAMINA_TRACE=$PWD/trace \
		run -0 nslaunch run --trace-env --bundle "$BUNDLE" plain
	[ "$(grep ^TRACE <<<"$output")" = "TRACEPARENT=${PARENT%-*-*}-$(span trace)-01" ]
	[ "$(jq -r .traceparent trace | grep -v null)" = "$PARENT" ]
}

@test "one that isn't valid is ignored, and --debug tells" {
	local bad

	bundle_make
	config '.process.args = ["/bin/env"]'
	for bad in x "${PARENT^^}" "00-00000000000000000000000000000000-b7ad6b7169203331-01" "$PARENT-"; do
		TRACEPARENT=$bad TRACESTATE=a=b run -0 --separate-stderr \
			nslaunch --debug run --trace-env --bundle "$BUNDLE" plain
		[[ "$output" != *TRACE* ]]
		[[ "$stderr" == *"TRACEPARENT '$bad' isn't a traceparent, and ignored"* ]]
	done
	TRACEPARENT=x run -0 --separate-stderr nslaunch run --bundle "$BUNDLE" plain
	[ -z "$stderr" ]
}

@test "create and exec hand it on too, and hooks get it unasked" {
	bundle_make
	export HOOK_LOG=$PWD/hook
	config '.process.args = ["/bin/sh", "-c", "env >/tmp/env; exec sleep 1000"] |
		.hooks = {
			createRuntime: [{path: "/bin/sh", args: ["sh", "-c", "env >\(env.HOOK_LOG).one"], env: ["A=b"]}],
			poststart: [{path: "/bin/sh", args: ["sh", "-c", "env >\(env.HOOK_LOG).two"],
				env: ["TRACEPARENT=own"]}]}'
	export TRACEPARENT=$PARENT TRACESTATE=a=b
	nslaunch create --trace-env --bundle "$BUNDLE" traced
	[ "$(grep -E '^(A|TRACE)' hook.one | sort | tr '\n' ' ')" = "A=b TRACEPARENT=$PARENT TRACESTATE=a=b " ]
	nslaunch start traced
	[ "$(grep ^TRACE hook.two)" = TRACEPARENT=own ]
	run -0 nslaunch exec traced /bin/env
	[[ "$output" != *TRACE* ]]
	run -0 nslaunch exec --trace-env traced /bin/env
	grep -qx "TRACEPARENT=$PARENT" <<<"$output"
	grep -qx TRACESTATE=a=b <<<"$output"
	echo '{"args": ["/bin/env"], "cwd": "/", "env": ["FILE=1"]}' >process.json
	run -0 nslaunch exec --trace-env --process process.json traced
	[ "$output" = "FILE=1"$'\n'"TRACEPARENT=$PARENT"$'\n'"TRACESTATE=a=b" ]
	until_true grep -qx "TRACEPARENT=$PARENT" "$BUNDLE/rootfs/tmp/env"
	unset TRACEPARENT
	run -0 nslaunch exec --trace-env traced /bin/env
	[[ "$output" != *TRACE* ]]
	nslaunch delete --force traced
}

# unnamed FILE... - "TOOL THOUSANDTHS" for each tool in the traces: what of its life lies in no phase
# but its own, in that file where it is least. What nslaunch waits for in its child is the child's.
unnamed() {
	local file

	for file; do
		jq -rs '. as $all | map(select(.phase == .process)) | sort_by(.start)[] | . as $tool |
			($tool.start + $tool.duration) as $until |
			[$all[] | select(.duration and .phase != .process and (.pid == $tool.pid or
				(.process == "container" and $tool.process == "nslaunch")) and
				.start >= $tool.start and .start < $until)] | sort_by(.start) |
			reduce .[] as $phase ({at: $tool.start, gap: 0};
				.gap += ([$phase.start - .at, 0] | max) |
				.at = ([.at, $phase.start + $phase.duration] | max)) |
			"\(input_filename | ltrimstr("trace.") | sub("[0-9]*$"; ""))\($tool.process) \(
				(.gap + ([$until - .at, 0] | max)) * 1000 / $tool.duration | floor)"' "$file" |
			# A tool that was there twice is two.
			awk '{ print $1 (n[$1]++ ? "-" n[$1] : ""), $2 }'
	done | sort -k1,1 -k2,2n | sort -u -k1,1
}

@test "nearly all of a tool's life lies in phases" {
	local i

	need layerfs initlayer volctl lamina-run
	import_busybox
	volctl create data >/dev/null
	lamina-run --rm busybox true
	# Another program's turn on the processor may fall into any gap: the quietest run counts.
	for i in 1 2 3 4 5 6; do
		LAMINA_TRACE=$PWD/trace.run$i lamina-run --rm -v data:/data busybox true
		layerfs create --id one busybox >/dev/null
		LAMINA_TRACE=$PWD/trace.rm$i layerfs rm one >/dev/null
	done
	volctl rm data >/dev/null
	unnamed trace.* >table
	sed "s|^|# |" table >&3
	[ "$(cut -d' ' -f1 table | tr '\n' ' ')" = \
		"rmlayerfs runinitlayer runlayerfs runlayerfs-2 runnslaunch runnslaunch-2 runvolctl " ]
	awk '$2 >= 150 { bad = 1 } END { exit bad }' table
}

@test "what a forked child does is in the trace too" {
	bundle_make
	config '.process.args = ["/bin/true"]'
	LAMINA_TRACE=$PWD/trace nslaunch create --bundle "$BUNDLE" forked
	nslaunch delete --force forked
	jq -es 'map(select(.process == "container") | .phase) | index("mnt.proc") and index("root.switch")' trace
}

# documented - the names in the table of docs/profiling.md
documented() {
	sed -n '/^## /,$d; s/^| \(`[^|]*\)|.*/\1/p' "$LAMINA_SOURCE/docs/profiling.md" | grep -o '`[^`]*`' | tr -d '`' |
		sort -u
}

@test "docs/profiling.md has the phases that there are, and no others" {
	local name

	need layerfs initlayer volctl lamina-run
	import_busybox
	documented >names
	[ "$(wc -l <names)" -gt 60 ]
	# What a start tells, and what the sources can tell.
	LAMINA_TRACE=$PWD/trace lamina-run --rm -v data:/data --tmpfs /t busybox true
	volctl rm data >/dev/null
	jq -r .phase trace | sort -u >told
	[ "$(wc -l <told)" -gt 50 ]
	comm -13 names told >missing
	[ ! -s missing ] || { cat missing && false; }
	grep -rhoE '(TRACE_PHASE|trace_begin|trace_event|slot_take|trace_scope_begin)\("[a-z.]+"' \
		"$LAMINA_SOURCE"/{base,fs,launch,tools} | sed 's/.*"\(.*\)"/\1/' | sort -u >sources
	comm -13 names sources >missing
	[ ! -s missing ] || { cat missing && false; }
	for name in $(comm -23 names told); do
		grep -rqF "\"$name\"" "$LAMINA_SOURCE"/{base,fs,launch,tools} || {
			echo "$name: no phase has this name"
			return 1
		}
	done
}

probes_needed() {
	need readelf "$@"
	grep -q LAMINA_HAVE_SDT "$LAMINA_BUILD/build.ninja" || skip "built without <sys/sdt.h>"
	NSLAUNCH=$(readlink -f "$LAMINA_BIN/nslaunch")
}

# probes_of FILE - "NAME LOCATION SEMAPHORE N-ARGUMENTS" of each of lamina's
probes_of() {
	readelf -n "$1" | awk '
		$1 == "Provider:" { ours = $2 == "lamina" }
		$1 == "Name:" { name = $2 }
		$1 == "Location:" { place = $2; semaphore = $NF; sub(/,$/, "", place) }
		$1 == "Arguments:" && ours { print name, place, semaphore, NF - 1 }' | sort
}

@test "the tools have the probes that docs/profiling.md lists: an instruction that does nothing" {
	local tool name place semaphore n

	probes_needed objdump
	for tool in layerfs initlayer volctl nslaunch; do
		probes_of "$(readlink -f "$LAMINA_BIN/$tool")" >probes
		while read -r name place semaphore n; do
			[ "$((semaphore))" -gt 0 ]
			grep -q "^| \`$name\` | .* | " "$LAMINA_SOURCE/docs/profiling.md"
			[ "$(sed -n "s/^| \`$name\` | \([^|]*\) |.*/\1/p" "$LAMINA_SOURCE/docs/profiling.md" |
				tr ',' '\n' | wc -l)" -eq "$n" ]
			objdump -d --start-address="$place" --stop-address=$((place + 4)) \
				"$(readlink -f "$LAMINA_BIN/$tool")" | grep -qE "^ *$(printf %x "$place"):.*\<nop"
		done <probes
		grep -q '^phase__begin ' probes
		grep -q '^phase__end ' probes
	done
	[ "$(cut -d' ' -f1 probes | sort -u | tr '\n' ' ')" = \
		"container__exec container__exit event phase__begin phase__end " ]
}

@test "probes fire for bpftrace in tools that aren't recorded, on both sides" {
	local looker container id pid

	probes_needed bpftrace
	bundle_make
	config '.process.args = ["/bin/sh", "-c", "exit 3"]'
	bpftrace -e 'BEGIN { printf("looking\n"); exit(); }' 2>/dev/null | grep -q looking ||
		skip "bpftrace can't look"
	nslaunch run --bundle "$BUNDLE" seen || [ $? -eq 3 ]
	bpftrace -B line -e "
		usdt:$NSLAUNCH:lamina:phase__begin { printf(\"begin %d %s\\n\", pid, str(arg0)); }
		usdt:$NSLAUNCH:lamina:phase__end { printf(\"end %d %s %d\\n\", pid, str(arg0), arg1); }
		usdt:$NSLAUNCH:lamina:container__exec { printf(\"exec %s %d\\n\", str(arg0), arg1); }
		usdt:$NSLAUNCH:lamina:container__exit { printf(\"exit %s %d\\n\", str(arg0), arg1); }
		usdt:$NSLAUNCH:lamina:event { printf(\"event %s\\n\", str(arg0)); }
		BEGIN { printf(\"looking\\n\"); }" >out 2>err 3>&- &
	looker=$!
	until_true grep -q looking out
	# Others on the machine may run the same executable.
	id=seen-$$
	nslaunch run --bundle "$BUNDLE" "$id" 3>&- &
	pid=$!
	wait "$pid" || [ $? -eq 3 ]
	until_true grep -q "^end $pid nslaunch " out
	kill -INT "$looker"
	wait "$looker" || :
	grep -qx 'event exec.done' out
	grep -qx "exit $id 768" out
	container=$(sed -n "s/^exec $id //p" out)
	grep -qE "^end $container mnt.proc [1-9][0-9]{3,}$" out
	run ! grep -qE "^end $container nslaunch " out
	# As many ends as beginnings, by name.
	awk -v pid="$pid" -v container="$container" '$2 == pid || $2 == container' out >ours
	[ "$(grep -c '^begin' ours)" -gt 30 ]
	diff <(awk '$1 == "begin" { print $3 }' ours | sort) <(awk '$1 == "end" { print $3 }' ours | sort)
}

@test "probes fire for perf" {
	probes_needed perf flock
	bundle_make
	config '.process.args = ["/bin/true"]'
	nslaunch run --bundle "$BUNDLE" seen
	# The kernel's events are everybody's.
	exec 9</sys/kernel/tracing || skip "no /sys/kernel/tracing"
	flock 9
	perf --buildid-dir "$PWD/ids" buildid-cache --add "$NSLAUNCH" || skip "perf has no build id of it"
	perf --buildid-dir "$PWD/ids" probe -q -x "$NSLAUNCH" %sdt_lamina:phase__end 2>err ||
		skip "perf can't make probes: $(tail -n 1 err)"
	perf stat -x, -a -e sdt_lamina:phase__end -o counts -- nslaunch run --bundle "$BUNDLE" seen 9<&- || :
	perf probe -q -d 'sdt_lamina:*'
	exec 9<&-
	cat counts
	[ "$(sed -n 's/^\([0-9]*\),.*sdt_lamina:phase__end.*/\1/p' counts)" -gt 30 ]
}
