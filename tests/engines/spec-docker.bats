#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the Docker of this machine makes of the options, asked now: not what was recorded once.
load ../shell/helpers

data=$LAMINA_SOURCE/tests/shell/data/spec

@test "spec says what this machine's Docker says for the same options" {
	need dockerd runc jq
	need_root
	[[ $(dockerd --version) = *" 20.10."* ]] || skip "another Docker than 20.10"
	TMPDIR=$TEST_DIRECTORY "$data/record" >recorded.json 2>err || {
		cat err
		return 1
	}
	[ "$(jq length recorded.json)" -eq "$(grep -vcE '^(#|$)' "$data/cases")" ]
	"$data/compare" recorded.json "$TEST_DIRECTORY"
}

@test "what was recorded of Docker is what it still says" {
	need dockerd runc jq
	need_root
	[[ $(dockerd --version) = *" 20.10."* ]] || skip "another Docker than 20.10"
	TMPDIR=$TEST_DIRECTORY "$data/record" >recorded.json 2>err
	diff -u "$data/docker-20.10.json" recorded.json
}
