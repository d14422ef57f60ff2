#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# nslaunch features: what it says is what is so.

load helpers
load bundle

setup() {
	lamina_setup
	need nslaunch jq
	need_root
	bundle_make
	ID=features-$BATS_ROOT_PID-$BATS_TEST_NUMBER
	nslaunch features >features.json
}

runs() {
	nslaunch run --bundle "$BUNDLE" "$ID" </dev/null 2>err
}

@test "features has the spec's shape, and all that runc's has" {
	need runc
	jq -e '.ociVersionMin and .ociVersionMax and (.linux.cgroup | .v1 and .v2 and .systemd)' features.json
	runc features >runc.json
	local path
	for path in .hooks .linux.namespaces .linux.capabilities .linux.seccomp.actions .linux.seccomp.operators \
		.linux.seccomp.archs .mountOptions; do
		[ "$path" != .linux.namespaces ] || continue
		# acl and noacl belong to the file system's own options, and no file system of today has them.
		diff <(jq -r "${path}[]" runc.json | grep -vxE 'acl|noacl' | sort) \
			<(jq -r "${path}[]" features.json | sort) | grep '^<' && return 1
	done
	[ "$(jq -r '.linux | keys[]' runc.json | sort | comm -23 - <(jq -r '.linux | keys[]' features.json | sort))" = "" ]
}

@test "every mount option that features names is taken, and another one isn't" {
	local option
	for option in $(jq -r '.mountOptions[]' features.json); do
		case $option in
		remount | tmpcopyup | idmap | ridmap | bind | rbind) continue ;;
		esac
		config '.process.args=["true"]
			| .mounts += [{destination:"/x",type:"bind",source:"'"$PWD"'",options:["bind","'"$option"'"]}]'
		runs || { echo "$option"; cat err; return 1; }
	done
	config '.mounts += [{destination:"/x",type:"bind",source:"/tmp",options:["bind","nosuch"]}]'
	run ! runs
}

@test "a namespace is made where features names it, and refused where it doesn't" {
	local type named
	named=" $(jq -r '.linux.namespaces | join(" ")' features.json) "
	for type in cgroup ipc mount network pid time user uts; do
		config '.process.args=["true"] | .linux.namespaces |= (map(select(.type != "'$type'")) + [{type:"'$type'"}])
			| if "'$type'" == "user" then .linux.uidMappings=[{containerID:0,hostID:0,size:1000}]
				| .linux.gidMappings=.linux.uidMappings | .mounts=[] else . end'
		if [[ $named == *" $type "* ]]; then
			[ -e "/proc/self/ns/$type" ] || [ "$type" = mount ] || [ "$type" = network ] || continue
			runs || { echo "$type"; cat err; return 1; }
		else
			run ! runs
		fi
	done
}

@test "a seccomp flag that features calls supported is taken by the kernel" {
	local flag
	for flag in $(jq -r '.linux.seccomp.supportedFlags[]' features.json); do
		[ "$flag" != SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV ] || continue
		config '.process.args=["true"] | .linux.seccomp={defaultAction:"SCMP_ACT_ALLOW",flags:["'"$flag"'"]}'
		runs || { echo "$flag"; cat err; return 1; }
	done
	jq -e '.linux.seccomp | (.supportedFlags - .knownFlags) == []' features.json
}
