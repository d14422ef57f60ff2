#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# nslaunch where things go wrong: hostile surroundings, races, what is left behind.

load helpers

setup() {
	lamina_setup
	need nslaunch jq
	need_root
	BUNDLE=$TEST_DIRECTORY/bundle
	mkdir -p "$BUNDLE/rootfs/bin" "$BUNDLE/rootfs/tmp" "$BUNDLE/rootfs/etc"
	cp "$(command -v busybox)" "$BUNDLE/rootfs/bin/busybox"
	for applet in sh ls cat sleep true echo hostname grep stat kill readlink touch; do
		ln -s busybox "$BUNDLE/rootfs/bin/$applet"
	done
	config .
}

# config FILTER - the bundle's config.json: a small default one, changed by a jq filter
config() {
	jq "$1" "$BATS_TEST_DIRNAME/data/config.json" >"$BUNDLE/config.json"
}

# until_true COMMAND... - wait up to 5 seconds for it
until_true() {
	for _ in $(seq 100); do
		"$@" && return 0
		sleep 0.05
	done
	return 1
}

status_is() {
	[ "$(nslaunch state "$1" 2>/dev/null | jq -r .status)" = "$2" ]
}

@test "delete --force doesn't wait for a container in the foreground, and its launcher minds" {
	config '.process.args=["sleep","50"]'
	nslaunch run --bundle "$BUNDLE" c &
	pid=$!
	until_true status_is c running
	timeout -s KILL 5 nslaunch delete --force c
	wait "$pid" || status=$?
	[ "$status" -eq 137 ]
	assert_nothing_left
}

@test "a launcher doesn't remove the next container of the same id" {
	config '.process.args=["sleep","50"]'
	cp -a "$BUNDLE" "$BUNDLE.2"
	nslaunch run --bundle "$BUNDLE" c &
	pid=$!
	until_true status_is c running
	kill -STOP "$pid"
	nslaunch delete --force c
	nslaunch create --bundle "$BUNDLE.2" c >/dev/null
	kill -CONT "$pid"
	wait "$pid" || true
	status_is c created
	nslaunch delete --force c
	assert_nothing_left
}

@test "what runs on without a pid namespace of its own ends with the container" {
	config '.linux.namespaces|=map(select(.type!="pid")) | .process.args=["sh","-c","sleep 1000.75 & true"]'
	nslaunch run --bundle "$BUNDLE" c
	run pgrep -f 'sleep 1000.75'
	[ "$status" -ne 0 ]
	assert_nothing_left
}

@test "a file 'running' in a bundle of somebody else's making stays" {
	echo mine >"$BUNDLE/running"
	nslaunch run --bundle "$BUNDLE" c
	[ "$(cat "$BUNDLE/running")" = mine ]
}

@test "the deletion of an earlier container doesn't free the bundle of the later one" {
	touch "$BUNDLE/lock"
	config '.process.args=["sleep","50"]'
	nslaunch create --bundle "$BUNDLE" one >/dev/null
	nslaunch kill one KILL
	until_true status_is one stopped
	nslaunch create --bundle "$BUNDLE" two >/dev/null
	nslaunch delete one
	run --separate-stderr nslaunch create --bundle "$BUNDLE" three
	nslaunch delete --force two three
	[ "$status" -eq 1 ]
	[[ $stderr == *"is in use by process"* ]]
	[ ! -e "$BUNDLE/running" ]
	assert_nothing_left
}

@test "a create that fails at its end leaves no mark in the bundle" {
	touch "$BUNDLE/lock"
	run --separate-stderr nslaunch create --bundle "$BUNDLE" --pid-file /nosuch/file c
	[ "$status" -eq 1 ]
	[[ $stderr == *"cannot write the pid file '/nosuch/file': No such file or directory" ]]
	[ ! -e "$BUNDLE/running" ]
	assert_nothing_left
}

@test "annotations of megabytes don't make a container that can't be deleted" {
	jq '.annotations={"a":("x"*3000000)}' "$BATS_TEST_DIRNAME/data/config.json" >"$BUNDLE/config.json"
	nslaunch create --bundle "$BUNDLE" c >/dev/null
	status_is c created
	nslaunch start c
	until_true status_is c stopped
	nslaunch delete c
	assert_nothing_left
}

@test "a config.json that is too big is refused" {
	jq '.annotations={"a":("x"*9000000)}' "$BATS_TEST_DIRNAME/data/config.json" >"$BUNDLE/config.json"
	run --separate-stderr nslaunch run --bundle "$BUNDLE" c
	[ "$status" -eq 125 ]
	[[ $stderr == *"config.json"*"too large" ]]
	assert_nothing_left
}

@test "a state directory or a bundle that others can write is refused" {
	mkdir -m 777 "$TEST_DIRECTORY/open"
	run --separate-stderr nslaunch --root "$TEST_DIRECTORY/open" run --bundle "$BUNDLE" c
	[ "$status" -eq 125 ]
	[[ $stderr == *"is not yours alone to write" ]]
	mkdir -m 755 "$TEST_DIRECTORY/other"
	chown 1 "$TEST_DIRECTORY/other"
	run --separate-stderr nslaunch --root "$TEST_DIRECTORY/other" run --bundle "$BUNDLE" c
	[ "$status" -eq 125 ]
	mkdir "$BUNDLE/upper" "$BUNDLE/work"
	printf '%s\n' "lower $BUNDLE/rootfs" "upper $BUNDLE/upper" "work $BUNDLE/work" >"$BUNDLE/overlay"
	nslaunch run --bundle "$BUNDLE" c
	chmod 777 "$BUNDLE"
	run --separate-stderr nslaunch run --bundle "$BUNDLE" c
	[ "$status" -eq 125 ]
	[[ $stderr == *"its directory is not yours alone to write"* ]]
	chmod 755 "$BUNDLE"
	for mode in 666 620 602; do
		chmod "$mode" "$BUNDLE/overlay"
		run --separate-stderr nslaunch run --bundle "$BUNDLE" c
		[ "$status" -eq 125 ]
		[[ $stderr == *"'overlay' is not yours alone to write"* ]]
	done
	chmod 600 "$BUNDLE/overlay"
	chown 1 "$BUNDLE/overlay"
	run --separate-stderr nslaunch run --bundle "$BUNDLE" c
	[ "$status" -eq 125 ]
	rm "$BUNDLE/overlay"
	ln -s rootfs/etc/overlay "$BUNDLE/overlay"
	echo 'lower /' >"$BUNDLE/rootfs/etc/overlay"
	run --separate-stderr nslaunch run --bundle "$BUNDLE" c
	[ "$status" -eq 125 ]
	assert_nothing_left
}

@test "a lock that is a symbolic link makes nothing where it leads" {
	mkdir -m 700 -p "$LAMINA_STATE/c"
	ln -s "$TEST_DIRECTORY/made" "$LAMINA_STATE/c/lock"
	run --separate-stderr nslaunch run --bundle "$BUNDLE" c
	[ "$status" -eq 125 ]
	[ ! -e "$TEST_DIRECTORY/made" ]
	rm -r "${LAMINA_STATE:?}/c"
}

@test "of many creates of one id one wins, against deletes too" {
	local i
	for i in 1 2 3 4 5 6; do cp -a "$BUNDLE" "$BUNDLE.$i"; done
	for _ in $(seq 5); do
		for i in 1 2 3 4 5 6; do
			(nslaunch create --bundle "$BUNDLE.$i" c >/dev/null 2>&1 && echo "$i" >>won) &
		done
		wait
		[ "$(wc -l <won)" -eq 1 ]
		status_is c created
		for i in 1 2 3; do
			nslaunch delete --force c 2>/dev/null &
			(nslaunch create --bundle "$BUNDLE.$i" c >/dev/null 2>&1 || true) &
		done
		wait
		nslaunch delete --force c
		rm won
		assert_nothing_left
	done
}
