# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154,SC2034 # variables of bench/compare
# compare tracing: what it costs to record a start.

# What it costs to record a start: the same with LAMINA_TRACE and without, many times.
scenario_tracing()
{
	image_make || return 0
	bundle_make bench-tracing /stamp
	tracing_pace=$pace
	pace=5
	drive tracing 400 off off stamp -- env "LAMINA_NOTHING=$work/tmp/trace" nslaunch run \
		--bundle "$bundle" ';' on stamp after ": >'$work/tmp/trace'" -- env \
		"LAMINA_TRACE=$work/tmp/trace" nslaunch run --bundle "$bundle" ';'
	pace=$tracing_pace
	layerfs rm "$bundle" >/dev/null
}
