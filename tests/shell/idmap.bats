#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Idmapped mounts: of the container's own mapping, and of mappings of a mount.

load helpers
load userns

setup() {
	lamina_setup
	need nslaunch jq
	need_root
	bundle_make
	mkdir -p "$TEST_DIRECTORY/data/sub"
	echo hello >"$TEST_DIRECTORY/data/file"
	chown 1:2 "$TEST_DIRECTORY/data/file"
}

# bind OPTIONS [MORE] - a filter: data at /tmp, with these options and fields
bind() {
	printf '.mounts+=[{destination:"/tmp",type:"bind",source:"%s",options:%s} + %s]' \
		"${SOURCE:-$TEST_DIRECTORY/data}" "$1" "${2:-{\}}"
}

# can_idmap - skips where this kernel idmaps no tmpfs (before Linux 6.3)
can_idmap() {
	in_container true "$(bind '["bind"]' "$maps")"
	[[ $stderr != *"can't do that on this kernel"* ]] || skip "no idmapped tmpfs"
}

# shellcheck disable=SC2034
maps='{uidMappings:[{containerID:0,hostID:1000,size:100}],gidMappings:[{containerID:0,hostID:2000,size:100}]}'

@test "a mount's own mapping shows and makes files with other ids, with no user namespace" {
	can_idmap
	in_container 'stat -c %u:%g /tmp/file /tmp; touch /tmp/new 2>&1' "$(bind '["bind"]' "$maps")"
	echo "$output $stderr"
	[ "${lines[0]} ${lines[1]}" = "1001:2002 1000:2000" ]
	# Root isn't in the mapping, and so can't own files there.
	[[ ${lines[2]} == *"Value too large"* ]]
	in_container 'stat -c %u:%g /tmp/file; touch /tmp/new && stat -c %u:%g /tmp/new' "$(bind '["rbind","ridmap"]' "$maps")
		| .process.user={uid:1000,gid:2000}"
	echo "$output $stderr"
	[ "$output" = $'1001:2002\n1000:2000' ]
	[ "$(stat -c %u:%g "$TEST_DIRECTORY/data/new")" = 0:0 ]
	assert_nothing_left
}

@test "the container's mapping: files on disk keep the ids that they have inside" {
	can_idmap
	chown -R 100000:100000 "$BUNDLE/rootfs"
	in_container 'stat -c %u:%g /tmp/file /tmp; touch /tmp/new; chown 5:6 /tmp/new' "$mapped | $(bind '["bind","idmap"]')"
	echo "$output $stderr"
	[ "$status" -eq 0 ]
	[ "$output" = $'1:2\n0:0' ]
	[ "$(stat -c %u:%g "$TEST_DIRECTORY/data/new")" = 5:6 ]
	# And of one that is joined.
	sleeper "$mapped"
	in_container 'stat -c %u:%g /tmp/file' "$(bind '["bind","idmap"]') | .linux.namespaces=[{type:\"mount\"},{type:\"user\",path:\"/proc/$PID/ns/user\"}] | del(.hostname)
		| .mounts|=map(select(.type==\"bind\"))"
	nslaunch delete --force "$ID" 2>/dev/null
	echo "$output $stderr"
	[ "$output" = 1:2 ]
}

@test "crun's words carry the mapping in the option" {
	can_idmap
	in_container 'stat -c %u:%g /tmp/file' "$(bind '["bind","idmap=uids=0-3000-1#1-4000-10;gids=0-5000-10"]')"
	echo "$output $stderr"
	[ "$output" = 4000:5002 ]
}

@test "ridmap reaches the mounts below, idmap doesn't" {
	can_idmap
	script_config 'stat -c %u /tmp /tmp/sub' "$(bind '["rbind","idmap"]' "$maps")"
	run --separate-stderr privately <<-END
		mount -t tmpfs none $TEST_DIRECTORY/data/sub
		nslaunch run --bundle $BUNDLE $ID
	END
	echo "$output $stderr"
	[ "$output" = $'1000\n0' ]
	script_config 'stat -c %u /tmp /tmp/sub' "$(bind '["rbind","ridmap"]' "$maps")"
	run --separate-stderr privately <<-END
		mount -t tmpfs none $TEST_DIRECTORY/data/sub
		nslaunch run --bundle $BUNDLE $ID
	END
	echo "$output $stderr"
	[ "$output" = $'1000\n1000' ]
}

@test "a new tmpfs is idmapped too; several mounts with one mapping" {
	can_idmap
	in_container 'stat -c %u:%g /tmp /etc /dev/shm' ".mounts+=[
		{destination:\"/tmp\",type:\"tmpfs\",source:\"tmpfs\"} + $maps, {destination:\"/etc\",type:\"tmpfs\",source:\"tmpfs\",options:[\"idmap\"]} + $maps,
		{destination:\"/dev/shm\",type:\"tmpfs\",source:\"tmpfs\",options:[\"idmap=uids=0-7-1;gids=0-8-1\"]}]"
	echo "$output $stderr"
	[ "$output" = $'1000:2000\n1000:2000\n7:8' ]
}

@test "ext4 can be idmapped" {
	need mkfs.ext4
	truncate -s 8M "$TEST_DIRECTORY/image"
	mkfs.ext4 -q -E root_owner=1:2 "$TEST_DIRECTORY/image"
	mkdir "$TEST_DIRECTORY/ext4"
	script_config 'stat -c %u:%g /tmp' "$(SOURCE=$TEST_DIRECTORY/ext4 bind '["bind"]' "$maps")"
	run --separate-stderr privately <<-END
		mount -o loop "$TEST_DIRECTORY/image" "$TEST_DIRECTORY/ext4" || { echo noloop; exit 0; }
		nslaunch run --bundle $BUNDLE $ID
		umount "$TEST_DIRECTORY/ext4"
	END
	echo "$output $stderr"
	[ "$output" != noloop ] || skip "no loop devices"
	[ "$output" = 1001:2002 ]
}

@test "a file system that can't be idmapped is named" {
	in_container true "$(SOURCE=/proc bind '["bind"]' "$maps" | sed 's|"/tmp"|"/etc"|')"
	echo "$stderr"
	[ "$status" -eq 125 ]
	[[ $stderr == *"mounts[5] '/etc': its ids cannot be mapped: the file system 'proc' can't do that on this kernel"* ]]
	script_config true "$(SOURCE=$TEST_DIRECTORY/merged bind '["bind"]' "$maps")"
	mkdir "$TEST_DIRECTORY"/{lower,upper,work,merged}
	run --separate-stderr privately <<-END
		mount -t overlay -o lowerdir=$TEST_DIRECTORY/lower,upperdir=$TEST_DIRECTORY/upper,workdir=$TEST_DIRECTORY/work none $TEST_DIRECTORY/merged
		nslaunch run --bundle $BUNDLE $ID
	END
	echo "$stderr"
	[[ $stderr == *"the file system 'overlay' can't do that"* ]]
	assert_nothing_left
}

@test "idmap with nothing to map by is refused" {
	in_container true "$(bind '["bind","idmap"]')"
	[ "$status" -eq 125 ]
	[[ $stderr == *"'mounts[5]' '/tmp': to be idmapped it needs 'uidMappings' and 'gidMappings', or a user namespace"* ]]
}
