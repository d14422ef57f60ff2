#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# linux.netDevices: interfaces of the host's become a container's. The host is a network namespace of
# the test's own.

load helpers
load bundle

setup() {
	lamina_setup
	need nslaunch jq ip unshare
	need_root
	ID=nd$BATS_ROOT_PID-$BATS_TEST_NUMBER
	bundle_make
	unshare -n ip link add one type veth peer name two 2>/dev/null || skip "no veth"
	config '.linux.netDevices={outer:{name:"inner"}} | .process.args=["sh","-c",
		"ls /sys/class/net; cat /sys/class/net/inner/address /sys/class/net/inner/mtu; cat /proc/net/fib_trie | grep -c 10.1.2.3; grep inner /proc/net/if_inet6 | grep -c fd000000000000000000000000000007; cat /sys/class/net/inner/flags"]'
	export BUNDLE ID
}

# on_host SCRIPT - in a network namespace of its own with a veth pair, outer and far
on_host() {
	run --separate-stderr unshare -n bash -euo pipefail -c '
		ip link set lo up
		ip link add outer address 02:00:00:00:00:07 mtu 1400 type veth peer name far
		ip addr add 10.1.2.3/24 dev outer
		ip -6 addr add fd00::7/64 dev outer nodad
		ip link set far up
		ip link set outer up
		'"$1"
	echo "$output" "$stderr"
}

@test "an interface gets its new name, keeps its addresses and is up" {
	on_host 'nslaunch run --bundle "$BUNDLE" "$ID"; ip -br link show outer 2>&1 || :'
	[ "$status" -eq 0 ]
	[ "${lines[0]} ${lines[1]} ${lines[2]} ${lines[3]}" = "inner lo 02:00:00:00:00:07 1400" ]
	[ "${lines[4]}" -ge 1 ]
	[ "${lines[5]}" -eq 1 ]
	[ $((lines[6] & 1)) -eq 1 ]
	assert_nothing_left
}

@test "without a name it keeps its own; create and start, and a user namespace" {
	config '.linux.netDevices={"outer":{}} | .process.args=["sleep","1000"]'
	# shellcheck disable=SC2016
	on_host 'nslaunch create --bundle "$BUNDLE" "$ID"
		! ip link show outer 2>/dev/null
		nslaunch start "$ID"
		nslaunch exec "$ID" sh -c "ls /sys/class/net; cat /sys/class/net/outer/address"
		nslaunch delete --force "$ID"'
	[ "$status" -eq 0 ]
	[ "$output" = $'lo\nouter\n02:00:00:00:00:07' ]
	config '.linux.netDevices={"outer":{}} | .process.args=["ls","/sys/class/net"]
		| .linux.namespaces+=[{type:"user"}] | .linux.uidMappings=[{containerID:0,hostID:100000,size:65536}]
		| .linux.gidMappings=.linux.uidMappings'
	chown -R 100000:100000 "$BUNDLE/rootfs"
	on_host 'nslaunch run --bundle "$BUNDLE" "$ID"'
	[ "$output" = $'lo\nouter' ]
	assert_nothing_left
}

@test "a start that fails gives the interface back, as it was" {
	local filter
	for filter in '.process.args=["nosuch"]' '.mounts+=[{destination:"/x",source:"/nosuch",type:"bind"}]' \
		'.hooks.createRuntime=[{path:"/bin/false"}]' '.linux.netDevices.nosuch={}'; do
		config ".linux.netDevices={outer:{name:\"inner\"}} | $filter"
		on_host '! nslaunch run --bundle "$BUNDLE" "$ID"
			ip -br addr show outer | tr -s " "; ip -o link show outer | grep -o "mtu [0-9]*"'
		[ "$status" -eq 0 ]
		[[ ${lines[0]} == "outer@far UP 10.1.2.3/24 "*"fd00::7/64"* ]]
		[ "${lines[1]}" = "mtu 1400" ]
	done
	[[ $stderr == *"linux.netDevices.nosuch: no such interface: No such device"* ]]
	assert_nothing_left
}

@test "addresses keep their broadcast and flags; one that was down comes back down" {
	config '.linux.netDevices={outer:{},second:{}} | .process.args=["ip","-o","addr","show","outer"]'
	ln -sf busybox "$BUNDLE/rootfs/bin/ip"
	# shellcheck disable=SC2016
	on_host 'ip addr flush dev outer
		ip link add second type veth peer name third
		ip addr add 192.0.2.7/24 brd 192.0.2.200 dev outer noprefixroute
		nslaunch run --bundle "$BUNDLE" "$ID"'
	[ "$status" -eq 0 ]
	[[ $output == *"inet 192.0.2.7/24 brd 192.0.2.200 scope global"* ]]
	config '.linux.netDevices={outer:{},second:{}} | .process.args=["nosuch"]'
	# shellcheck disable=SC2016
	on_host 'ip link add second type veth peer name third
		ip addr flush dev outer
		ip addr add 192.0.2.7/24 brd 192.0.2.200 dev outer noprefixroute
		! nslaunch run --bundle "$BUNDLE" "$ID"
		ip -o addr show outer
		ip -o link show outer | grep -o "[<,]UP[,>]"
		ip -o link show second | grep -o "[<,]UP[,>]" || echo down'
	[[ ${lines[0]} == *"inet 192.0.2.7/24 brd 192.0.2.200 scope global noprefixroute outer"* ]]
	[ "${lines[-1]}" = down ]
	[[ ${lines[-2]} == *UP* ]]
	assert_nothing_left
}

@test "the host's own network namespace is no place for it, joined by path neither" {
	config '.linux.netDevices={outer:{name:"inner"}}
		| .linux.namespaces|=map(if .type=="network" then .path="/proc/self/ns/net" else . end)'
	# shellcheck disable=SC2016
	on_host '! nslaunch run --bundle "$BUNDLE" "$ID"; ip -o link show outer | grep -c outer'
	[[ $stderr == *"linux.netDevices: the container is in the host's network namespace"* ]]
	[ "$output" = 1 ]
	assert_nothing_left
}

@test "a loopback, and a name that is taken, are refused by name" {
	config '.linux.netDevices={"lo":{"name":"x"}}'
	on_host '! nslaunch run --bundle "$BUNDLE" "$ID"'
	[[ $stderr == *"linux.netDevices.lo: a loopback can't be moved"* ]]
	config '.linux.netDevices={"outer":{"name":"lo"}}'
	on_host '! nslaunch run --bundle "$BUNDLE" "$ID"; ip -o link show outer | grep -o 02:00:00:00:00:07'
	[[ $stderr == *"linux.netDevices.outer: cannot be moved to the container as 'lo': File exists"* ]]
	[ "$output" = 02:00:00:00:00:07 ]
	assert_nothing_left
}
