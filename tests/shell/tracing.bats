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
