#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Where a container's network comes from: nslaunch spec --network.

load helpers

setup() {
	lamina_setup
	need layerfs initlayer nslaunch jq
	need_root
	import_busybox
}

# bundle_with OPTION... - a bundle of the busybox image, in $bundle
bundle_with() {
	bundle=$(layerfs create busybox | initlayer | nslaunch spec "$@")
}

@test "none is a network of its own, with a loopback that is up" {
	bundle_with -- sh -c 'ls /sys/class/net; cat /sys/class/net/lo/flags'
	run nslaunch run --bundle "$bundle"
	layerfs rm "$bundle"
	[ "$output" = $'lo\n0x9' ]
}

@test "ns:PATH is a network namespace that is there" {
	need ip unshare
	unshare -n sleep 60 3>&- &
	local holder=$!
	until [ "$(readlink /proc/$holder/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
	nsenter -n -t $holder ip link add seen-inside type veth peer name other-end
	bundle_with --network "ns:/proc/$holder/ns/net" -- sh -c 'readlink /proc/self/ns/net; ls /sys/class/net'
	run nslaunch run --bundle "$bundle"
	[ "$(jq -c '[.linux.namespaces[] | select(.type == "network")]' "$bundle/config.json")" = \
		"[{\"type\":\"network\",\"path\":\"/proc/$holder/ns/net\"}]" ]
	[ "$(jq -c '.linux.sysctl' "$bundle/config.json")" = '{}' ]
	[ "${lines[0]}" = "$(readlink /proc/$holder/ns/net)" ]
	[[ $output == *seen-inside* ]]
	layerfs rm "$bundle"
	kill $holder
}

@test "pasta connects a network of its own to the host's, and ends with it" {
	need pasta ip busybox
	# The host's network is one of the test's own, with a route that leads nowhere.
	unshare -n --kill-child bash -euo pipefail -c "
		ip link set lo up
		ip link add outside type veth peer name far
		ip addr add 10.9.8.7/24 dev outside
		ip link set outside up && ip link set far up && ip route add default via 10.9.8.1
		bundle=\$(layerfs create busybox | initlayer |
			nslaunch spec --network pasta:-t,8080 -- sh -c \
			'ls /sys/class/net; ip -4 addr show dev outside | grep -o 10.9.8.7; echo served | nc -l -p 8080 >got')
		nslaunch run --bundle \"\$bundle\" >out 2>err &
		for i in \$(seq 300); do
			got=\$(echo asked | timeout 5 busybox nc 127.0.0.1 8080 2>/dev/null || :)
			[ -z \"\$got\" ] || break
			sleep 0.1
		done
		echo \"got: \$got\"
		wait \$!
		cat \"\$bundle/upper/got\" out
		# In Debian it is called pasta.avx2.
		for i in \$(seq 300); do
			pgrep pasta --nslist net --ns \$\$ >left || break
			sleep 0.1
		done
		[ ! -s left ]
		layerfs rm \"\$bundle\" >/dev/null
	" >log 2>&1 || { cat log err >&2; false; }
	[ "$(<log)" = $'got: served\nasked\nlo\noutside\n10.9.8.7' ]
	[ ! -s err ]
}

@test "where pasta can't connect, the start fails with its words and nothing is left" {
	need pasta
	bundle_with --network pasta -- true
	run -125 --separate-stderr unshare -n nslaunch run --bundle "$bundle"
	[[ $stderr == *"lamina-pasta"*"pasta: External interface not usable"* ]]
	layerfs rm "$bundle"
	assert_nothing_left
}

@test "pasta ends with a container whose launcher is killed, and with a start that fails" {
	need pasta ip
	# shellcheck disable=SC2016
	unshare -n --kill-child bash -euo pipefail -c '
		none_left() {
			for i in $(seq 300); do
				pgrep pasta --nslist net --ns $$ >left || return 0
				sleep 0.1
			done
			return 1
		}
		ip link add outside type veth peer name far
		ip addr add 10.9.8.7/24 dev outside
		ip link set outside up && ip link set far up && ip route add default via 10.9.8.1
		bundle=$(layerfs create busybox | initlayer | nslaunch spec --network pasta -- sleep 100)
		nslaunch run --bundle "$bundle" >/dev/null 2>&1 3>&- &
		for i in $(seq 300); do
			[ "$(nslaunch state "${bundle##*/}" 2>/dev/null | jq -r .status)" != running ] || break
			sleep 0.1
		done
		pgrep lamina-pasta --nslist net --ns $$ >/dev/null
		kill -KILL $!
		none_left
		nslaunch delete --force "${bundle##*/}"
		nslaunch spec --force --bundle "$bundle" --network pasta -- nosuch >/dev/null
		! nslaunch run --bundle "$bundle" 2>/dev/null
		none_left
		layerfs rm "$bundle" >/dev/null' 2>err || { cat err >&2; false; }
}
