#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Mounts of a config.json, looked at from inside the container.

load helpers
load container

# shared_bundle - in a mount namespace of its own (see privately): the bundle and a directory
# $BUNDLE/source, each on a file system that the host shares, as systemd's hosts do
shared_bundle() {
	mkdir -p "$TEST_DIRECTORY/shared" "$TEST_DIRECTORY/source"
	mount -t tmpfs none "$TEST_DIRECTORY/shared"
	mount --make-rshared "$TEST_DIRECTORY/shared"
	mount -t tmpfs none "$TEST_DIRECTORY/source"
	mount --make-rshared "$TEST_DIRECTORY/source"
	cp -a "$BUNDLE" "$TEST_DIRECTORY/shared/bundle"
	BUNDLE=$TEST_DIRECTORY/shared/bundle
	mkdir -p "$BUNDLE/rootfs/mnt"
}

# propagation FILTER - the lines "MOUNT-POINT PROPAGATION..." of "/" and /mnt inside, where the
# container then mounts something; and what of all that the host has
propagation() {
	local before

	shared_bundle
	config_script 'sed -nE "s, - .*,,; s,^([^ ]+ ){4}(/(mnt)?) [^ ]+ ?(.*),\2 \4,p" /proc/self/mountinfo
		mkdir -p /mnt/x; mount -t tmpfs none /mnt/x' '
		(.process.capabilities[]) += ["CAP_SYS_ADMIN"]
		| .mounts += [{"destination":"/mnt","type":"bind","source":"'"$TEST_DIRECTORY"'/source","options":["rbind"]}]
		| '"$1"
	before=$(grep -c . /proc/self/mountinfo)
	nslaunch run --bundle "$BUNDLE" "$ID" | sed -E 's/:[0-9]+/:N/g'
	echo "host: $(($(grep -c . /proc/self/mountinfo) - before))"
}

@test "a root on a mount that the host shares: nothing is mounted on the host" {
	privately <<<'propagation .' >out
	[ "$(cat out)" = $'/ \n/mnt \nhost: 0' ]
}

@test "rootfsPropagation: each word, seen from inside and from the host" {
	local word
	for word in private rprivate; do
		privately <<<"propagation '.linux.rootfsPropagation=\"$word\"'" >out
		[ "$(cat out)" = $'/ \n/mnt \nhost: 0' ]
	done
	for word in slave rslave; do
		privately <<<"propagation '.linux.rootfsPropagation=\"$word\"'" >out
		[ "$(cat out)" = $'/ master:N\n/mnt master:N\nhost: 0' ]
	done
	privately <<<"propagation '.linux.rootfsPropagation=\"shared\"'" >out
	[ "$(cat out)" = $'/ shared:N master:N\n/mnt master:N\nhost: 0' ]
	privately <<<"propagation '.linux.rootfsPropagation=\"rshared\"'" >out
	[ "$(cat out)" = $'/ shared:N master:N\n/mnt shared:N master:N\nhost: 0' ]
	privately <<<"propagation '.linux.rootfsPropagation=\"unbindable\"'" >out
	[ "$(cat out)" = $'/ unbindable\n/mnt \nhost: 0' ]
	privately <<<"propagation '.linux.rootfsPropagation=\"runbindable\"'" >out
	[ "$(cat out)" = $'/ unbindable\n/mnt unbindable\nhost: 0' ]
}

@test "a shared bind in a shared root carries the container's mounts to the host, and no other does" {
	privately <<<"propagation '.linux.rootfsPropagation=\"rshared\" | .mounts[-1].options+=[\"rshared\"]'" >out
	[ "$(cat out)" = $'/ shared:N master:N\n/mnt shared:N\nhost: 1' ]
	privately <<<"propagation '.linux.rootfsPropagation=\"rslave\" | .mounts[-1].options+=[\"rslave\"]'" >out
	[ "$(cat out)" = $'/ master:N\n/mnt master:N\nhost: 0' ]
}

@test "a bind's own propagation: private, slave, shared and unbindable" {
	local word
	for word in private:'' slave:master:N shared:'shared:N master:N' unbindable:unbindable; do
		privately <<<"propagation '.linux.rootfsPropagation=\"rslave\" | .mounts[-1].options+=[\"${word%%:*}\"]'" >out
		[ "$(cat out)" = "/ master:N"$'\n'"/mnt ${word#*:}"$'\nhost: 0' ]
	done
}
