#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The tools chained as the design's examples have it, word for word, and what becomes of bundles that
# fail on the way. One container from one script is run.bats.
load helpers

setup() {
	lamina_setup
	need layerfs initlayer volctl nslaunch
	need_root
	import_busybox
}

# The bundles of a test that has failed must not fail the file's last check as well.
teardown() {
	[ ! -d "$LAMINA_STORE/containers" ] ||
		find "$LAMINA_STORE/containers" -mindepth 1 -maxdepth 1 | layerfs rm --force >/dev/null || :
	volctl ls | cut -f 1 | xargs -r volctl rm >/dev/null || :
}

n_bundles() {
	find "$LAMINA_STORE/containers" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l
}

@test "five tools and four pipes are docker run" {
	set -o pipefail
	layerfs create busybox | initlayer | volctl attach -v data:/data | nslaunch spec -- date | nslaunch run >out
	date -d "$(<out)"
	[ "$(n_bundles)" -eq 1 ]
	[ -z "$(ls -I "@*" "$LAMINA_STATE")" ]
	[ -d "$LAMINA_STORE/volumes/data/_data" ]
}

@test "what a pipeline's container writes to its volume is there for the next" {
	layerfs create busybox | initlayer | volctl attach -v data:/data |
		nslaunch spec -- sh -c 'echo kept >/data/file' | nslaunch run
	layerfs create busybox | initlayer | volctl attach -v data:/data:ro |
		nslaunch spec -- sh -c 'cat /data/file; echo no >/data/file' >paths
	run --separate-stderr nslaunch run <paths
	[ "$status" -eq 1 ]
	[ "$output" = kept ]
	[[ $stderr == *"Read-only file system"* ]]
}

@test "a stream of many bundles runs two at a time, and one rm reads their paths" {
	set -o pipefail
	layerfs create -n 50 busybox | initlayer | nslaunch spec -- true | nslaunch run -j 2
	[ "$(n_bundles)" -eq 50 ]
	find "$LAMINA_STORE/containers" -mindepth 1 -maxdepth 1 | layerfs rm >removed
	[ "$(wc -l <removed)" -eq 50 ]

	layerfs create -n 50 --ephemeral busybox | initlayer | nslaunch spec -- sh -c 'echo $HOSTNAME >/f; cat /f' |
		tee paths | nslaunch run -j 2 >out
	# Each has run once, with its own id as its name.
	diff -u <(sed 's|.*/||; s|^\(.\{12\}\).*|\1|' paths | sort) <(sort out)
	layerfs rm <paths | diff -u paths -
	assert_nothing_left
}

@test "bundles of a stream run at once when told to" {
	layerfs create -n 3 --ephemeral busybox | initlayer |
		volctl attach -v met:/met |
		nslaunch spec -- sh -c 'touch /met/$HOSTNAME
			for i in $(seq 100); do set -- /met/*; [ $# -lt 3 ] || exit 0; sleep 0.1; done; exit 1' |
		nslaunch run -j 3
}

@test "config.json is edited with jq on the way" {
	need jq
	set -o pipefail
	layerfs create busybox | initlayer | nslaunch spec -- sh -c 'hostname; echo "$A"; ulimit -n; id -u' |
		while read -r bundle; do
			jq '.hostname = "edited" | .process.env += ["A=from jq"] | .process.user.uid = 1234
				| .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 77, hard: 99}]' \
				"$bundle/config.json" >"$bundle/config.json.new"
			mv "$bundle/config.json.new" "$bundle/config.json"
			echo "$bundle"
		done | nslaunch run >out
	diff -u out - <<-'EOF'
		edited
		from jq
		77
		1234
	EOF
}

@test "config.json is edited in place, and by a pretty printer" {
	need jq
	layerfs create busybox | initlayer | nslaunch spec -- cat /proc/self/limits >paths
	read -r bundle <paths
	jq --tab '.process.args = ["sh", "-c", "echo \"édité\" $0", "ü"]' "$bundle/config.json" >new
	cat new >"$bundle/config.json"
	[ "$(nslaunch run <paths)" = "édité ü" ]
}

@test "another program takes and leaves bundles in between" {
	set -o pipefail
	layerfs create -n 6 busybox | initlayer | tee all | awk 'NR % 2' | nslaunch spec -- hostname |
		nslaunch run >out
	diff -u <(awk 'NR % 2' all | sed 's|.*/||; s|^\(.\{12\}\).*|\1|') out
	# Those that were left out are incomplete.
	[ "$(layerfs rm --incomplete | sort)" = "$(awk 'NR % 2 == 0' all | sort)" ]
	[ "$(n_bundles)" -eq 3 ]
}

@test "a bundle that fails is reported and left out, the rest go on, and the status is 1" {
	local tool n=0
	layerfs create -n 3 busybox >paths
	sed '2i /nowhere/at/all' paths >broken
	for tool in initlayer "volctl attach -v data:/d" "nslaunch spec --" "layerfs rm"; do
		n=$((n + 1))
		status=0
		# shellcheck disable=SC2086
		$tool <broken >out 2>err || status=$?
		cat err
		[ "$status" -eq 1 ]
		diff -u paths out
		[ "$(wc -l <err)" -eq 1 ]
		[[ $(<err) == "${tool%% *}: "*"/nowhere/at/all'"* ]]
	done
	[ "$n" -eq 4 ]
}

@test "run reports a bundle that fails, runs the rest, and exits with the first status that isn't 0" {
	layerfs create -n 4 busybox | initlayer >paths
	sed -n 1p paths | nslaunch spec -- echo one
	sed -n 2p paths | nslaunch spec -- sh -c 'echo two; exit 7'
	sed -n 3p paths | nslaunch spec -- nosuch
	sed -n 4p paths | nslaunch spec -- sh -c 'echo four; exit 9'
	run --separate-stderr nslaunch run <paths
	[ "$status" -eq 7 ]
	[ "$output" = $'one\ntwo\nfour' ]
	[[ $stderr == *nosuch* ]]
	run --separate-stderr nslaunch run < <(echo /nowhere; cat paths)
	[ "$status" -eq 125 ]
	[ "$output" = $'one\ntwo\nfour' ]
	[[ $stderr == *"'/nowhere'"* ]]
	run nslaunch run </dev/null
	[ "$status" -eq 125 ]
}

@test "a stream's containers have an empty standard input, or the file that was said" {
	layerfs create -n 2 busybox | initlayer | nslaunch spec -i -- sh -c 'cat; echo end' >paths
	[ "$(nslaunch run <paths)" = $'end\nend' ]
	echo text >file
	[ "$(nslaunch run --stdin file <paths)" = $'text\nend\ntext\nend' ]
}

@test "a path that could not be written out is of a bundle that is gone" {
	# What head has not read but the pipe has taken is incomplete, and rm --incomplete finds it.
	layerfs create -n 500 busybox 2>err | head -1 >paths
	[ "$(wc -l <paths)" -eq 1 ]
	[ "$(n_bundles)" -lt 500 ]
	layerfs rm --incomplete >/dev/null
	assert_nothing_left
	layerfs create --name gone --cidfile cid busybox 2>err >/dev/full || status=$?
	[ "${status:-0}" -eq 1 ]
	[[ $(<err) == *"No space left on device"* ]]
	[ ! -e cid ]
	assert_nothing_left
}

@test "a reader that leaves early in the middle leaves what rm --incomplete finds" {
	layerfs create -n 30 busybox | initlayer | head -1 >paths
	layerfs rm --incomplete >removed
	grep -qxFf paths removed
	assert_nothing_left
}

@test "every tool of the stream ends paths with NUL when told to" {
	mkdir " a 'store' "
	LAMINA_STORE=$TEST_DIRECTORY/$(echo \ a*)
	export LAMINA_STORE
	layerfs import "$(busybox_image)" busybox >/dev/null
	set -o pipefail
	layerfs create -0 -n 2 busybox | initlayer -0 | volctl attach -0 -v data:/data |
		nslaunch spec -0 -- sh -c 'echo in; touch /data/f' | tee paths | nslaunch run -0 >out
	[ "$(<out)" = $'in\nin' ]
	[ "$(tr -dc '\0' <paths | wc -c)" -eq 2 ]
	layerfs rm -0 <paths | cmp paths -
	assert_nothing_left
	[ -e "$LAMINA_STORE/volumes/data/_data/f" ]
}

@test "a store that lines could not name is refused" {
	LAMINA_STORE=$TEST_DIRECTORY/$'new\nline' run layerfs import "$(busybox_image)" busybox
	[ "$status" -eq 1 ]
	[[ $output == *newline* ]]
	[ ! -e "$TEST_DIRECTORY/"$'new\nline' ]
}

@test "run ends, and finishes what has ended, while the stream is silent" {
	mkfifo stream
	layerfs create -n 2 busybox | initlayer | nslaunch spec -- echo ran >paths
	nslaunch run -j 2 <stream >out 3>&- &
	pid=$!
	exec 9>stream
	head -1 paths >&9
	# Half a path is no path.
	printf %s "$(tail -1 paths)" >&9
	until_true eval '[ -s out ] && [ -z "$(ls -I "@*" "$LAMINA_STATE")" ]'
	[ "$(<out)" = ran ]
	kill -TERM "$pid"
	until_false kill -0 "$pid" 2>/dev/null
	exec 9>&-
	wait "$pid" || status=$?
	[ "$status" -eq 143 ]
}

@test "a signal to a stream's run reaches all that run, and no more are started" {
	local pid
	layerfs create -n 6 --ephemeral busybox | initlayer |
		nslaunch spec -- sh -c 'trap "echo got; exit 3" TERM; echo up; while :; do sleep 0.05; done' >paths
	nslaunch run -j 3 <paths >out 3>&- &
	pid=$!
	until_true eval '[ "$(grep -c up out)" -ge 3 ]'
	kill -TERM "$pid"
	wait "$pid" || status=$?
	[ "$status" -eq 3 ]
	diff -u <(sort out) <(printf '%s\n' got got got up up up)
	[ -z "$(ls -I "@*" "$LAMINA_STATE")" ]
}

@test "a pipeline that is killed leaves only what rm --incomplete and rm find" {
	local i
	for i in 0.02 0.05 0.1 0.2; do
		setsid sh -c 'layerfs create -n 500 busybox | initlayer | nslaunch spec -- sleep 100 | nslaunch run -j 4' \
			3>&- >/dev/null 2>&1 &
		sleep "$i"
		kill -KILL -- "-$!"
		wait "$!" || :
		until_true eval '[ -z "$(scratch_processes)" ]'
		layerfs rm --incomplete >/dev/null
		find "$LAMINA_STORE/containers" -mindepth 1 -maxdepth 1 | layerfs rm >/dev/null
		nslaunch list | cut -f 1 | xargs -r -n 1 nslaunch delete --force
		nslaunch list
		[ -z "$(nslaunch list)" ]
		assert_nothing_left
	done
}

@test "one trace file has the timeline of a whole pipeline" {
	need jq
	export LAMINA_TRACE=$TEST_DIRECTORY/trace
	layerfs create busybox | initlayer | nslaunch spec -- true | nslaunch run
	unset LAMINA_TRACE
	jq -es 'length > 4' trace
	for tool in layerfs initlayer nslaunch; do
		grep -q "\"$tool" trace
	done
	lamina trace trace >out
	[ -s out ]
}
