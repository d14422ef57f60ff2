# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the formats of lamina-trace are checked with, where a sample is rendered and where a start is.

# trace_events_check FILE - the trace event format, field by field: what Perfetto and chrome://tracing
# take
trace_events_check() {
	jq -e '
		def number: type == "number";
		def fields($known): (keys - $known) == [];
		(keys - ["displayTimeUnit", "otherData", "traceEvents"]) == [] and
		(.displayTimeUnit | IN("ms", "ns")) and (.traceEvents | type) == "array" and
		all(.traceEvents[];
			(.name | type == "string" and . != "") and
			all(.pid, .tid; number and . >= 0 and . == floor) and
			(.args | type) == "object" and
			if .ph == "X" then
				fields(["args", "cat", "dur", "name", "ph", "pid", "tid", "ts"]) and
				(.ts | number and . >= 0) and (.dur | number and . > 0) and
				(.cat | type == "string")
			elif .ph == "i" then
				fields(["args", "cat", "name", "ph", "pid", "s", "tid", "ts"]) and
				(.ts | number and . >= 0) and (.s | IN("g", "p", "t"))
			elif .ph == "M" then
				fields(["args", "name", "ph", "pid", "tid"]) and
				if (.name | IN("process_name", "thread_name")) then
					(.args.name | type) == "string"
				else
					(.name | IN("process_sort_index", "thread_sort_index")) and
					(.args.sort_index | number)
				end
			else false end)' "$1" >/dev/null
}

# trace_events_nest FILE - events of one thread are in each other or apart
trace_events_nest() {
	jq -e '
		# Whole nanoseconds: sums of decimals would be off by a little.
		def ns: . * 1000 | round;
		[.traceEvents[] | select(.ph == "X")] |
		group_by([.pid, .tid]) | all(.[];
			sort_by(.ts, -.dur) | reduce .[] as $event ({ok: true, around: []};
				($event.ts | ns) as $start | ($start + ($event.dur | ns)) as $until |
				.around |= map(select(. > $start)) |
				.ok = (.ok and all(.around[]; . >= $until)) | .around += [$until]) | .ok)' "$1" >/dev/null
}

# otlp_check FILE - each line is an ExportTraceServiceRequest in protobuf's JSON, with its spans' parents
# there, or given by the caller
otlp_check() {
	jq -es --arg caller "${2-}" '
		def id($n): type == "string" and test("^[0-9a-f]{\($n)}$") and (test("^0+$") | not);
		def time: type == "string" and test("^[0-9]+$");
		def attributes: type == "array" and all(.[];
			(keys == ["key", "value"]) and (.key | type == "string") and (.value |
				(keys == ["stringValue"] and (.stringValue | type == "string")) or
				(keys == ["intValue"] and (.intValue | test("^[0-9]+$"))) or
				(keys == ["boolValue"] and (.boolValue | type == "boolean"))));
		length > 0 and all(.[]; keys == ["resourceSpans"] and all(.resourceSpans[];
			(.resource.attributes | attributes) and
			any(.resource.attributes[]; .key == "service.name" and .value.stringValue == "lamina") and
			all(.scopeSpans[]; .scope.name == "lamina-trace" and (.spans |
				map(.spanId) as $ids | length > 0 and ($ids | unique | length) == ($ids | length) and
				(map(.traceId) | unique | length) == 1 and
				all(.[];
					(.traceId | id(32)) and (.spanId | id(16)) and (.name | type == "string") and
					(.parentSpanId == null or .parentSpanId == $caller or
						(.parentSpanId as $parent | $ids | index($parent))) and .parentSpanId != .spanId and
					.kind == 1 and (.startTimeUnixNano | time) and (.endTimeUnixNano | time) and
					(.startTimeUnixNano | length) == (.endTimeUnixNano | length) and
					.startTimeUnixNano <= .endTimeUnixNano and (.attributes | attributes) and
					all(.events[]; (.name | type == "string") and (.timeUnixNano | time)) and
					.status == {})))))' "$1" >/dev/null
}
