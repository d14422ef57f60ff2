#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Mounts, devices and masks: places in a root that lead, or come to lead, out of it.
# docs/security.md has the table of all attacks.

load attack

BIND_DEV='.mounts|=map(select(.destination!="/dev/pts") | if .destination=="/dev" then
	{"destination":"/dev","type":"bind","source":"devices","options":["bind"]} else . end)'

@test "CVE-2021-30465: a mount's destination in a shared volume is swapped for a link" {
	mkdir -p "$BUNDLE/volume/a/sub"
	ln -s "$CANARY" "$BUNDLE/volume/b"
	swap "$BUNDLE/volume/a" "$BUNDLE/volume/b"
	config ".process.args=[\"true\"] | .mounts+=[{\"destination\":\"/vol\",\"type\":\"bind\",\"source\":\"$BUNDLE/volume\",\"options\":[\"bind\"]},
		{\"destination\":\"/vol/a/sub\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"},
		{\"destination\":\"/vol/a/new\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"},
		{\"destination\":\"/vol/a/file2\",\"type\":\"bind\",\"source\":\"/etc/hostname\",\"options\":[\"bind\"]}]"
	rounds "$ROUNDS"
	swap_end
	[ "$n_ok" -gt 0 ]
	canary_lives
	nothing_left
}

@test "CVE-2024-45310: directories are made in a root whose parents are swapped for links" {
	mkdir -p "$BUNDLE/rootfs/a" "$BUNDLE/rootfs/w"
	ln -s "$CANARY" "$BUNDLE/rootfs/b"
	swap "$BUNDLE/rootfs/a" "$BUNDLE/rootfs/b"
	config '.process.args=["true"] | .process.cwd="/a/w/d" | .mounts+=[{"destination":"/a/1/2/3/4","type":"tmpfs","source":"tmpfs"},
		{"destination":"/a/f/g","type":"bind","source":"/etc/hostname","options":["bind"]}]'
	rounds "$ROUNDS"
	swap_end
	canary_lives
	nothing_left
}

@test "CVE-2024-45310, crun 2019-18837: places are made inside the root, dangling links too" {
	ln -s "$CANARY/new-directory" "$BUNDLE/rootfs/d"
	ln -s "$CANARY/new-file" "$BUNDLE/rootfs/f"
	ln -s "../../../../../../../../../../../..$CANARY/new" "$BUNDLE/rootfs/u"
	in_container 'ls -d /d /f /u' '
		.mounts+=[{"destination":"/d/x","type":"tmpfs","source":"tmpfs"},
		{"destination":"/f","type":"bind","source":"/etc/hostname","options":["bind"]},
		{"destination":"/u","type":"tmpfs","source":"tmpfs"}]
		| .linux.devices=[{"path":"/d/node","type":"c","major":1,"minor":3}] | .process.cwd="/d/made"'
	[ "$RUNTIME" != nslaunch ] || [ "$status" -eq 0 ]
	canary_lives
}

@test "CVE-2019-19921, 2023-27561, 2023-28642: /proc or /sys is a link, or becomes one meanwhile" {
	local path
	for path in proc sys; do
		rm -rf "$BUNDLE/rootfs/${path:?}"
		ln -s "$CANARY" "$BUNDLE/rootfs/$path"
		attempt run --bundle "$BUNDLE" "$ID"
		refused "'/$path' must be an ordinary directory"
		canary_lives
		# A link inside the root is one too: what is at /proc then would be the image's.
		mkdir "$BUNDLE/rootfs/$path.real"
		ln -sfn "$path.real" "$BUNDLE/rootfs/$path"
		attempt run --bundle "$BUNDLE" "$ID"
		refused "'/$path' must be an ordinary directory"
		ln -sfn "$CANARY" "$BUNDLE/rootfs/$path"
		swap "$BUNDLE/rootfs/$path" "$BUNDLE/rootfs/$path.real"
		rounds $((ROUNDS / 2))
		swap_end
		rm -rf "${BUNDLE:?}/rootfs/$path" "$BUNDLE/rootfs/$path.real"
		canary_lives
	done
	nothing_left
}

@test "CVE-2026-41579, crun 2026-47766: /dev is a link to the host, and no mount covers it" {
	# From the root up to here: the link is absolute for those who take it for the host's.
	ln -s "$CANARY" "$BUNDLE/rootfs/dev"
	config '.process.args=["true"] | .mounts|=map(select(.destination|startswith("/dev")|not))'
	attempt run --bundle "$BUNDLE" "$ID"
	refused "'/dev' must be an ordinary directory"
	canary_lives
	# Inside the root it is no escape, but the nodes would land on what is there.
	ln -sfn /etc "$BUNDLE/rootfs/dev"
	attempt run --bundle "$BUNDLE" "$ID"
	refused "'/dev' must be an ordinary directory"
	[ "$RUNTIME" != nslaunch ] || [ -z "$(ls -A "$BUNDLE/rootfs/etc")" ]
	ln -sfn "$CANARY" "$BUNDLE/rootfs/dev"
	mkdir "$BUNDLE/rootfs/dev.real"
	swap "$BUNDLE/rootfs/dev" "$BUNDLE/rootfs/dev.real"
	rounds "$ROUNDS"
	swap_end
	canary_lives
	nothing_left
}

@test "CVE-2025-31133: masks are the host's own /dev/null, whatever the image calls so" {
	mkdir "$BUNDLE/devices"
	echo secret >"$BUNDLE/rootfs/etc/masked"
	echo instead >"$BUNDLE/rootfs/etc/instead"
	# The image's null leads to a file of the container's: what is to be masked can be written then.
	ln -s /etc/instead "$BUNDLE/devices/null"
	in_container 'cat /etc/masked' "$BIND_DEV | .linux.maskedPaths=[\"/etc/masked\"]"
	[[ $output != *instead* && $output != *secret* ]] || escaped "$output"
	[ "$RUNTIME" != nslaunch ] || [ "$status" -eq 0 ]
	# And by the image alone, where nothing lies on /dev.
	mkdir -p "$BUNDLE/rootfs/dev"
	ln -sf /etc/instead "$BUNDLE/rootfs/dev/null"
	in_container 'cat /etc/masked' '
		.linux.maskedPaths=["/etc/masked"] | .mounts|=map(select(.destination|startswith("/dev")|not))'
	[[ $output != *instead* && $output != *secret* ]] || escaped "$output"
}

@test "CVE-2025-31133: a null device that is swapped for a link while masks are made" {
	local i
	mkdir "$BUNDLE/devices"
	echo secret >"$BUNDLE/rootfs/etc/masked"
	echo instead >"$BUNDLE/rootfs/etc/instead"
	ln -s /etc/instead "$BUNDLE/devices/null"
	mknod "$BUNDLE/devices/null.real" c 1 3
	swap "$BUNDLE/devices/null" "$BUNDLE/devices/null.real"
	for i in $(seq "$ROUNDS"); do
		in_container 'cat /etc/masked' "$BIND_DEV | .linux.maskedPaths=[\"/etc/masked\",\"/proc/sys/kernel/core_pattern\"]"
		[[ $output != *instead* && $output != *secret* ]] || escaped "$output"
	done
	swap_end
}

@test "CVE-2025-52565: the console is the terminal itself, on a file that is no link" {
	mkdir "$BUNDLE/devices"
	ln -s "$CANARY/file" "$BUNDLE/devices/console"
	mkdir "$BUNDLE/devices/pts"
	nslaunch_only
	in_container 'true' ".process.terminal=true | $BIND_DEV
		| .mounts+=[{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":[\"newinstance\",\"ptmxmode=0666\"]}]"
	refused "'/dev/console' must be an ordinary file"
	rm "$BUNDLE/devices/console"
	rmdir "$BUNDLE/devices/pts"
	ln -s "$CANARY" "$BUNDLE/devices/pts"
	in_container 'true' ".process.terminal=true | $BIND_DEV"
	refused
	canary_lives
}

@test "the mounts of a container end with it, and none was ever the host's" {
	local n
	running '.mounts+=[{"destination":"/m1","type":"tmpfs","source":"tmpfs"},{"destination":"/m2","type":"bind","source":"/etc","options":["rbind","rshared"]}]
		| .linux.rootfsPropagation="shared"'
	n=$(grep -cF "$TEST_DIRECTORY" /proc/self/mountinfo || true)
	[ "$n" = "$BEFORE_MOUNTS" ] || escaped "$n mounts"
	exec_process '.args=["mount","-t","tmpfs","none","/m2"] | .capabilities|=map_values(.+["CAP_SYS_ADMIN"])'
	n=$(grep -c ' /m2 \| /etc ' /proc/self/mountinfo || true)
	[ "$n" = 0 ] || escaped "$n mounts on the host's /etc"
	delete
	canary_lives
}

@test "lamina: a chain of links as long as the kernel follows doesn't overrun the child's stack" {
	local i previous=/tmp/nothing
	for i in $(seq 39); do
		ln -s "$previous" "$BUNDLE/rootfs/etc/l$i"
		previous=/etc/l$i
	done
	in_container true '.mounts+=[{"destination":"/etc/l39","type":"bind","source":"/etc/hostname","options":["bind"]}]'
	[ "$RUNTIME" != nslaunch ] || [ "$status" -eq 0 ]
	in_container true '.mounts+=[{"destination":"/etc/l39/d","type":"tmpfs","source":"tmpfs"}]'
	[ "$status" -ne 139 ]
}
