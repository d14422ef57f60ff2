#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# nslaunch's own options, those that every verb takes: the log, who makes cgroups, and what the
# command lines of container engines look like.

load helpers
load bundle

setup() {
	lamina_setup
	need nslaunch jq
	need_root
	bundle_make
	ID=globals-$BATS_ROOT_PID-$BATS_TEST_NUMBER
}

teardown() {
	nslaunch delete --force "$ID" 2>/dev/null || :
}

@test "an error is in the log too, as JSON that engines read from runc's" {
	run -1 --separate-stderr nslaunch --log log --log-format json state nosuch
	[ "$stderr" = "nslaunch: state: container 'nosuch' does not exist" ]
	run -1 nslaunch --log=log --log-format=json state 'a"b'
	[ "$(jq -r .level log)" = $'error\nerror' ]
	[ "$(jq -r .msg log | head -n 1)" = "container 'nosuch' does not exist" ]
	[ "$(jq -r .msg log | tail -n 1)" = "bad container id 'a\"b'" ]
	jq -e '.time | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z$")' log
	[ "$(jq -r 'keys | join(" ")' log | sort -u)" = "level msg time" ]
}

@test "a log line is what runc writes, but for the time and the words" {
	need runc
	local format normal='s/[0-9]{4}-[0-9T:-]+Z/TIME/; s/container .nosuch. does/container does/'
	for format in text json; do
		run nslaunch --log ours --log-format "$format" state nosuch
		run runc --root "$TEST_DIRECTORY/r" --log theirs --log-format "$format" state nosuch
		diff <(sed -E "$normal" ours) <(sed -E "$normal" theirs)
		rm ours theirs
	done
}

@test "a wrong command line and a failing start are in the log" {
	run -2 nslaunch --log log --log-format json state --nosuch
	[ "$(jq -r .msg log)" = "unknown option '--nosuch'" ]
	config '.process.args=["nosuch"]'
	run -127 nslaunch --log log2 --log-format json run --bundle "$BUNDLE" "$ID"
	[[ $(jq -r .msg log2) == *'exec: "nosuch": executable file not found in $PATH' ]]
	run -1 nslaunch --log log3 create --bundle "$BUNDLE" "$ID"
	[[ $(cat log3) == 'time="'*'" level=error msg="container '*'executable file not found in $PATH"' ]]
}

@test "the globals stand before or behind the verb" {
	run -1 nslaunch state --log-format json --log log nosuch
	jq -e . log
	run -2 nslaunch state nosuch --log log --log-format yaml
	[[ $output == *"bad value 'yaml' for option '--log-format'"* ]]
	run -2 nslaunch --cgroup-manager nosuch list
	run -2 nslaunch --rootless maybe list
	nslaunch --debug --rootless auto --rootless=true --cgroup-manager cgroupfs --strict --criu criu list
	config '.process.args=["true"]'
	nslaunch --debug --log debug --log-format json run --bundle "$BUNDLE" "$ID"
	jq -e 'select(.level == "debug").msg | test("process [0-9]+, cgroup")' debug
	run -1 nslaunch --log /nosuch/log list
	[[ $output == *"cannot open the log '/nosuch/log': No such file or directory" ]]
}

@test "the version is said as engines read it" {
	local flag
	for flag in --version -v -V; do
		run -0 nslaunch "$flag"
		[[ ${lines[0]} == "nslaunch version "* ]]
		[[ ${lines[1]} == "spec: 1."* ]]
	done
}

@test "the command lines of conmon and containerd's shim are taken" {
	config '.process.args=["sleep","1000"]'
	nslaunch --log-format=json --log=log --cgroup-manager cgroupfs \
		create --bundle "$BUNDLE" --pid-file pid --no-pivot --no-new-keyring "$ID"
	[ "$(cat pid)" = "$(nslaunch state "$ID" | jq .pid)" ]
	nslaunch --root "$LAMINA_STATE" --log log --log-format json start "$ID"
	echo '{"args":["true"],"cwd":"/","env":["PATH=/bin"],"user":{"uid":0,"gid":0}}' >process
	nslaunch --log-format=json --log=log \
		exec --pid-file pid2 --process process --detach "$ID"
	[ -s pid2 ]
	nslaunch kill "$ID" 9
	nslaunch delete --force "$ID"
	nslaunch delete --force "$ID"
	[ ! -s log ]
	assert_nothing_left
}

@test "a bundle is the working directory where only an id is said" {
	config '.process.args=["echo","here"]'
	cd "$BUNDLE"
	run -0 nslaunch run "$ID"
	[ "$output" = here ]
}

@test "without a cgroup manager no cgroup is made or entered" {
	local script='while read -r line; do echo "$line"; done </proc/self/cgroup'
	config ".process.args=[\"sh\",\"-c\",$(jq -Rs . <<<"$script")]
		| .linux.namespaces |= map(select(.type != \"cgroup\"))"
	run -0 nslaunch --cgroup-manager disabled run --bundle "$BUNDLE" "$ID"
	[ "$(sed 's/^[0-9]*://' <<<"$output" | sort)" = "$(sed 's/^[0-9]*://' /proc/self/cgroup | sort)" ]
	config '.process.args=["sleep","1000"]'
	nslaunch --cgroup-manager disabled create --bundle "$BUNDLE" "$ID"
	[ -z "$(lamina_cgroups | grep -F "$ID")" ]
	nslaunch start "$ID"
	nslaunch exec "$ID" true
	run -1 nslaunch kill --all "$ID" TERM
	[[ $output == *"no cgroup"* ]]
	nslaunch delete --force "$ID"
	# What is asked for is not forgotten without a word.
	config '.process.args=["true"] | .linux.resources.memory.limit=67108864'
	run -0 --separate-stderr nslaunch --cgroup-manager disabled run --bundle "$BUNDLE" "$ID"
	[[ $stderr == "nslaunch: warning: container '$ID': linux.resources is left out: "* ]]
	assert_nothing_left
}

@test "a new session keyring is made unless it isn't wanted" {
	need strace
	config '.process.args=["sleep","1000"]'
	# LeakSanitizer, where it is built in, can't work under strace.
	export ASAN_OPTIONS=detect_leaks=0
	# Their serials are the host's, and /proc/keys shows more of them than the caller's own.
	joined() {
		strace -f -qq -e trace=keyctl -o trace "$@" && grep -q KEYCTL_JOIN_SESSION_KEYRING trace
	}
	config '.process.args=["true"]'
	joined nslaunch run --bundle "$BUNDLE" "$ID"
	run -1 joined nslaunch run --no-new-keyring --bundle "$BUNDLE" "$ID"
	config '.process.args=["sleep","1000"]'
	nslaunch create --bundle "$BUNDLE" "$ID"
	nslaunch start "$ID"
	joined nslaunch exec "$ID" true
	nslaunch delete --force "$ID"
	nslaunch create --no-new-keyring --bundle "$BUNDLE" "$ID"
	nslaunch start "$ID"
	run -1 joined nslaunch exec "$ID" true
}

@test "a root that isn't pivoted is the container's all the same" {
	config '.process.args=["sh","-c","ls / | tr \"\\n\" \" \"; cut -d\" \" -f5 /proc/self/mountinfo | sort"]'
	nslaunch run --bundle "$BUNDLE" "$ID" >pivoted
	nslaunch run --no-pivot --bundle "$BUNDLE" "$ID" >moved
	diff pivoted moved
}
