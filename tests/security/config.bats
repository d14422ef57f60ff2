#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a config.json asks for: lengths, names and fields.
# docs/security.md has the table of all attacks.

load attack

@test "CVE-2021-43784: more than 64 KiB of anything is taken whole or refused" {
	nslaunch_only
	in_container 'echo ${#A}; echo $#' '.process.env+=["A="+("x"*100000)] | .process.args+=[range(20000)|"a"]'
	[ "$status" -eq 0 ]
	[ "$output" = $'100000\n19999' ]
	in_container true '.annotations={"a":("x"*100000)}'
	[ "$status" -eq 0 ]
	in_container true '.linux.uidMappings=[range(10000)|{"containerID":.,"hostID":.,"size":1}]'
	refused
	in_container true '.process.args+=[("x"*3000000)]'
	[ "$status" -eq 126 ]
	in_container true '.hostname=("x"*70000)'
	refused
	in_container true '.process.cwd="/"+("x"*70000)'
	refused
	in_container true '.mounts+=[{"destination":("/"+("x/"*40000)),"type":"tmpfs","source":"tmpfs"}]'
	refused
	in_container true '.linux.namespaces+=[range(5000)|{"type":"user","path":("/proc/self/ns/"+("x"*100))}]'
	refused
	nothing_left
}

@test "LXC 2022-47952, and names of containers: an id is a name, and no path" {
	local id
	nslaunch_only
	config '.process.args=["true"]'
	for id in .. . ../x a/b /abs "" "a b" $'a\nb' 'a\b' 'x*' "$(printf 'x%.0s' $(seq 2000))" $'\x1b[2J'; do
		attempt run --bundle "$BUNDLE" -- "$id"
		[ "$status" -ne 0 ] || escaped "$id"
		attempt delete --force -- "$id"
		attempt kill -- "$id" 9
		[ "$status" -ne 0 ] || escaped "kill $id"
	done
	[ -d "$CANARY" ]
	nothing_left
}

@test "CRI-O 2024-3154, containerd 2026-53488: annotations reach no command line and no unit" {
	nslaunch_only
	in_container 'true' ".annotations={\"org.systemd.property.ExecStartPre\":\"['/bin/touch','$CANARY/made']\",
		\"org.systemd.property.ExecStart\":\"'/bin/touch $CANARY/made'\",\"run.oci.handler\":\"krun\",\"run.oci.keep_original_groups\":\"1\",
		\"module.wasm.image/variant\":\"compat\",\"run.oci.hooks.stdout\":\"$CANARY/made\",\"run.oci.hooks.stderr\":\"$CANARY/made\"}"
	[ "$status" -eq 0 ]
	canary_lives
}

@test "a pid that another process has by now is not killed" {
	local pid
	nslaunch_only
	running
	sleep 1000.75 3>&- &
	pid=$!
	runtime kill "$ID" KILL
	until_true status_is "$ID" stopped
	# As after a long time: the number is a stranger's, the start time is not.
	jq ".pid=$pid" "$LAMINA_STATE/$ID/state.json" >state.json
	cat state.json >"$LAMINA_STATE/$ID/state.json"
	attempt kill "$ID" KILL
	[ "$status" -ne 0 ] || escaped "killed"
	attempt exec "$ID" true
	[ "$status" -ne 0 ] || escaped "entered"
	delete
	kill -0 "$pid" || escaped "the stranger is gone"
	kill "$pid"
	nothing_left
}
