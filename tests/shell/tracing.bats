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
		"rmlayerfs runinitlayer runlayerfs runnslaunch runnslaunch-2 runvolctl " ]
	awk '$2 >= 150 { bad = 1 } END { exit bad }' table
}

# documented - the names in the table of docs/profiling.md
documented() {
	sed -n 's/^| \(`[^|]*\)|.*/\1/p' "$LAMINA_SOURCE/docs/profiling.md" | grep -o '`[^`]*`' | tr -d '`' |
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
