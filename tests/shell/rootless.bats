#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Containers of somebody who isn't root: runc's rootless config.json, in a user namespace of his own.

load helpers
load bundle

# nobody: every machine has it, with a name, which newuidmap wants
RUNNER=65534

setup() {
	lamina_setup
	need nslaunch jq setpriv
	need_root
	as_user unshare -Ur true 2>/dev/null || skip "no user namespaces for users"
	ID=r$BATS_ROOT_PID-$BATS_TEST_NUMBER
	bundle_make
	rm "$BUNDLE/config.json"
	nslaunch spec --rootless --bundle "$BUNDLE"
	jq ".process.terminal=false | .linux.uidMappings[0].hostID=$RUNNER | .linux.gidMappings[0].hostID=$RUNNER" \
		"$BUNDLE/config.json" >"$TEST_DIRECTORY/rootless.json"
	rootless .
	# What he can execute, and where he can write.
	cp "$(readlink -f "$(command -v nslaunch)")" "$TEST_DIRECTORY/nslaunch"
	chmod 755 "$SCRATCH" "$TEST_DIRECTORY"
	mkdir -p runtime
	chown -R $RUNNER:$RUNNER "$BUNDLE" runtime
}

# as_user COMMAND...
as_user() {
	env -u LAMINA_STATE XDG_RUNTIME_DIR="$TEST_DIRECTORY/runtime" \
		setpriv --reuid $RUNNER --regid $RUNNER --clear-groups "$@"
}

user_nslaunch() {
	as_user "$TEST_DIRECTORY/nslaunch" "$@"
}

# rootless FILTER
rootless() {
	jq "$1" "$TEST_DIRECTORY/rootless.json" >"$BUNDLE/config.json"
}

@test "a user runs a container whose root he is" {
	# shellcheck disable=SC2016
	rootless '.process.args=["sh","-c","id -u; cat /proc/self/uid_map | tr -s \" \"; cat /proc/self/setgroups; hostname; echo $$; touch /dev/null /x && stat -c %u /x; ls /sys >/dev/null && mount -t tmpfs none /tmp; grep -E \"^(CapInh|CapAmb|NoNewPrivs)\" /proc/self/status"]
		| .root.readonly=false | .hostname="mine"'
	run --separate-stderr user_nslaunch run --bundle "$BUNDLE" "$ID"
	echo "$output" "$stderr"
	[ "$status" -eq 0 ]
	[ "$output" = $'0\n 0 65534 1\ndeny\nmine\n1\n0\nCapInh:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1' ]
	# On the host it is his.
	[ "$(stat -c %u "$BUNDLE/rootfs/x")" = $RUNNER ]
	[ -z "$(ls -A runtime/lamina)" ]
}

@test "create, start, exec, kill, delete; the state is in XDG_RUNTIME_DIR" {
	rootless '.process.args=["sleep","1000"]'
	user_nslaunch create --bundle "$BUNDLE" "$ID"
	[ -d "runtime/lamina/$ID" ]
	[ "$(user_nslaunch state "$ID" | jq -r .status)" = created ]
	user_nslaunch start "$ID"
	run user_nslaunch exec "$ID" sh -c 'id -u; cat /proc/1/comm'
	[ "$output" = $'0\nsleep' ]
	user_nslaunch kill "$ID" KILL
	stopped() { [ "$(user_nslaunch state "$ID" | jq -r .status)" = stopped ]; }
	eventually stopped
	user_nslaunch delete "$ID"
	user_nslaunch create --bundle "$BUNDLE" "$ID"
	user_nslaunch delete --force "$ID"
	[ -z "$(ls -A runtime/lamina)" ]
}

@test "several ranges are mapped by newuidmap; without a range in /etc/subuid it says so" {
	need newuidmap newgidmap
	rootless '.process.args=["sh","-c","cat /proc/self/uid_map /proc/self/gid_map | tr -s \" \"; id"]
		| .process.user={uid:5,gid:6,additionalGids:[7]}
		| .linux.uidMappings+=[{containerID:1,hostID:200000,size:1000}] | .linux.gidMappings=.linux.uidMappings'
	run -125 --separate-stderr user_nslaunch run --bundle "$BUNDLE" "$ID"
	[[ $stderr == *"/etc/subuid"* ]]
	export -f user_nslaunch as_user
	export RUNNER BUNDLE ID
	run --separate-stderr privately <<'END'
		echo "$RUNNER:200000:65536" >ranges
		mount --bind ranges /etc/subuid
		mount --bind ranges /etc/subgid
		user_nslaunch run --bundle "$BUNDLE" "$ID"
END
	echo "$output" "$stderr"
	[ "$status" -eq 0 ]
	[ "$output" = $' 0 65534 1\n 1 200000 1000\n 0 65534 1\n 1 200000 1000\nuid=5 gid=6 groups=7' ]
}
