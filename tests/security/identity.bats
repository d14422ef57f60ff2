#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Users, groups and capabilities: who the process is.
# docs/security.md has the table of all attacks.

load attack

NONE="0000000000000000 0000000000000000 "
SETS='grep -E "^Cap(Inh|Amb)" /proc/self/status | cut -f2 | tr "\n" " "'

@test "CVE-2016-8867, 2022-24769, 2022-29162: nothing is inheritable or ambient unless it is asked for" {
	local user
	for user in '{"uid":0,"gid":0}' '{"uid":1000,"gid":1000}'; do
		in_container "$SETS" ".process.user=$user"
		[ "$output" = "$NONE" ] || escaped "$user: $output"
	done
	command -v setpriv >/dev/null || skip "no setpriv"
	# The caller's own don't come along.
	export -f runtime
	export RUNTIME TEST_DIRECTORY
	run setpriv --inh-caps +net_raw,+chown --ambient-caps +net_raw bash -c 'runtime run --bundle "$@"' run "$BUNDLE" "$ID" 3>&-
	[ "$output" = "$NONE" ] || escaped "$output"
}

@test "CVE-2022-27650, 2022-29162, youki 2025-27612: nor for an exec, --cap or not" {
	local user
	running '.process.user={"uid":1000,"gid":1000}'
	for user in 0 1000 5:5; do
		attempt exec -u "$user" "$ID" sh -c "$SETS"
		[ "$output" = "$NONE" ] || escaped "$user: $output"
		attempt exec -u "$user" --cap CAP_NET_ADMIN "$ID" sh -c "$SETS"
		[ "$output" = "$NONE" ] || escaped "$user --cap: $output"
		exec_process ".args=[\"sh\",\"-c\",$(jq -Rs . <<<"$SETS")] | .user={\"uid\":${user%:*},\"gid\":0}"
		[ "$output" = "$NONE" ] || escaped "$user --process: $output"
	done
	# What a capability is asked for is given for, and no more.
	attempt exec -u 0 --cap CAP_NET_ADMIN "$ID" sh -c 'grep CapEff /proc/self/status'
	[ "$RUNTIME" != nslaunch ] || [[ $output == *00000000a80435fb* ]]
	delete
}

@test "CVE-2022-36109, podman 2022-2989: the caller's groups are not the container's" {
	command -v setpriv >/dev/null || skip "no setpriv"
	export -f runtime
	export RUNTIME TEST_DIRECTORY
	config '.process.args=["grep","Groups","/proc/self/status"]'
	run setpriv --groups 5,6,0 bash -c 'runtime run --bundle "$@"' run "$BUNDLE" "$ID" 3>&-
	[[ $output =~ ^Groups:[[:space:]]*$ ]] || escaped "$output"
	running
	run setpriv --groups 5,6,0 bash -c 'runtime exec "$1" grep Groups /proc/self/status' exec "$ID" 3>&-
	[[ $output =~ ^Groups:[[:space:]]*$ ]] || escaped "$output"
	run setpriv --groups 5,6,0 bash -c 'runtime exec -u 7:8 "$1" grep Groups /proc/self/status' exec "$ID" 3>&-
	[[ $output =~ ^Groups:[[:space:]]*$ ]] || escaped "$output"
	delete
}

@test "containerd 2024-40635: -1 is no user and no group" {
	local filter
	for filter in '.user.uid=4294967295' '.user.uid=-1' '.user.gid=4294967295' \
		'.user.additionalGids=[4294967295]' '.user.uid=4294967296' '.user.gid=18446744073709551615'; do
		in_container 'id' ".process |= ($filter)"
		[ "$status" -ne 0 ] || escaped "$filter: $output"
		refused
	done
	in_container 'id -u' '.process.user.uid=4294967294'
	[ "$RUNTIME" != nslaunch ] || [ "$output" = 4294967294 ]
	running
	for filter in '.user.uid=4294967295' '.user.gid=4294967295' '.user.additionalGids=[4294967295]' '.user.uid=4294967296'; do
		exec_process "$filter | .args=[\"id\"]"
		[ "$status" -ne 0 ] || escaped "exec $filter: $output"
	done
	attempt exec --additional-gids 4294967295 "$ID" id
	[ "$status" -ne 0 ] || escaped "exec --additional-gids: $output"
	delete
}

# user_is GIVEN WANTED - `exec -u GIVEN` is UID:GID, or refused where WANTED is ""
user_is() {
	attempt exec -u "$1" "$ID" sh -c 'echo $(id -u):$(id -g)'
	[ "$status" -eq 0 ] || output=
	[ "$output" = "$2" ] || escaped "-u '$1' is '$output', not '$2'"
}

@test "crun 2026-30892, runc 2016-3697: exec -u is two numbers, and nothing else" {
	local user
	# Names that look like numbers, which a runtime that looked into the image's files would take.
	printf 'root:x:0:0::/:/bin/sh\n1:x:0:0::/:/bin/sh\n1000:x:0:0::/:/bin/sh\n4294967295:x:0:0::/:\n' >"$BUNDLE/rootfs/etc/passwd"
	printf 'root:x:0:\n2:x:0:1\n' >"$BUNDLE/rootfs/etc/group"
	running
	user_is 1 1:0
	user_is 01 1:0
	user_is 1:2 1:2
	user_is 0:5 0:5
	user_is 1000 1000:0
	user_is 4294967294:4294967294 4294967294:4294967294
	for user in "" -1 4294967295 1: :1 root : 1:root root:1 1:-1 1:4294967295 0:4294967295 1:2:3 0x1 1e1 +1 ' 1' '1 ' \
		4294967296 18446744073709551616 1.0 $'1\n' -0; do
		user_is "$user" ""
	done
	exec_process '.args=["id","-u"] | .user.uid=1'
	[ "$output" = 1 ] || escaped "$output"
	delete
}
