#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Escapes that other runtimes had, tried on nslaunch. docs/security.md has the table.

load ../shell/helpers

setup() {
	lamina_setup
	need nslaunch jq
	need_root
	C=$BATS_ROOT_PID-$BATS_TEST_NUMBER
	ROUNDS=${LAMINA_ROUNDS:-25}
	BUNDLE=$TEST_DIRECTORY/bundle
	CANARY=$TEST_DIRECTORY/canary
	mkdir -p "$BUNDLE/rootfs/bin" "$BUNDLE/rootfs/tmp" "$BUNDLE/rootfs/etc" "$CANARY/sub"
	cp "$(command -v busybox)" "$BUNDLE/rootfs/bin/busybox"
	for applet in sh ls cat sleep true echo grep stat readlink touch test id pwd cut tr dd; do
		ln -s busybox "$BUNDLE/rootfs/bin/$applet"
	done
	echo untouched >"$CANARY/file"
	config .
	BEFORE_MOUNTS=$(grep -cF "$TEST_DIRECTORY" /proc/self/mountinfo || true)
}

teardown() {
	[ -z "${SWAPPER:-}" ] || kill -KILL "$SWAPPER" 2>/dev/null || true
	[ -z "${SPY:-}" ] || nslaunch delete --force "$SPY" || true
}

config() {
	jq "$1" "$BATS_TEST_DIRNAME/../shell/data/config.json" >"$BUNDLE/config.json"
}

in_container() {
	config ".process.args=[\"sh\",\"-c\",$(jq -Rs . <<<"$1")] | ${2:-.}"
	run --separate-stderr timeout -s KILL 60 nslaunch run --bundle "$BUNDLE" "$C"
}

# The host's directory beside the container is as it was, and so are the host's mounts.
canary_lives() {
	[ "$(cd "$CANARY" && find . | sort | tr '\n' ' ')" = ". ./file ./sub " ]
	[ "$(cat "$CANARY/file")" = untouched ]
	[ "$(grep -cF "$TEST_DIRECTORY" /proc/self/mountinfo || true)" = "$BEFORE_MOUNTS" ]
}

# swap A B - let the two be exchanged all the time from now on
swap() {
	need_swap
	"$LAMINA_SWAP" "$1" "$2" 2>/dev/null &
	SWAPPER=$!
}

need_swap() {
	[ -x "${LAMINA_SWAP:-}" ] || skip "no swap (run by meson)"
}

swap_end() {
	kill -KILL "$SWAPPER"
	wait "$SWAPPER" 2>/dev/null || true
	SWAPPER=
}

@test "CVE-2021-30465: a mount's destination in a shared volume is swapped for a link" {
	local status_of n_ok=0
	mkdir -p "$BUNDLE/volume/a/sub"
	ln -s "$CANARY" "$BUNDLE/volume/b"
	swap "$BUNDLE/volume/a" "$BUNDLE/volume/b"
	config ".process.args=[\"true\"] | .mounts+=[{\"destination\":\"/vol\",\"type\":\"bind\",\"source\":\"volume\",\"options\":[\"bind\"]},
		{\"destination\":\"/vol/a/sub\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"},
		{\"destination\":\"/vol/a/new\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"},
		{\"destination\":\"/vol/a/file2\",\"type\":\"bind\",\"source\":\"/etc/hostname\",\"options\":[\"bind\"]}]"
	for _ in $(seq "$ROUNDS"); do
		status_of=0
		nslaunch run --bundle "$BUNDLE" "$C" 2>err || status_of=$?
		case $status_of in 0) n_ok=$((n_ok + 1)) ;; 125) [ -s err ] ;; *) false ;; esac
	done
	swap_end
	[ "$n_ok" -gt 0 ]
	canary_lives
	assert_nothing_left
}

@test "CVE-2019-19921, 2023-27561, 2023-28642: /proc or /sys is a link, or becomes one meanwhile" {
	local path status_of
	for path in proc sys; do
		rm -rf "$BUNDLE/rootfs/${path:?}"
		ln -s "$CANARY" "$BUNDLE/rootfs/$path"
		run --separate-stderr nslaunch run --bundle "$BUNDLE" "$C"
		[ "$status" -eq 125 ]
		[[ $stderr == *"'/$path' must be an ordinary directory"* ]]
		mkdir "$BUNDLE/rootfs/$path.real"
		swap "$BUNDLE/rootfs/$path" "$BUNDLE/rootfs/$path.real"
		for _ in $(seq $((ROUNDS / 2))); do
			status_of=0
			nslaunch run --bundle "$BUNDLE" "$C" >out 2>err || status_of=$?
			[ "$status_of" -eq 0 ] || [ "$status_of" -eq 125 ]
		done
		swap_end
		rm -rf "${BUNDLE:?}/rootfs/$path" "$BUNDLE/rootfs/$path.real"
		canary_lives
	done
	assert_nothing_left
}

@test "CVE-2026-41579, crun 2026-47766: /dev is a link to the host, and no mount covers it" {
	local status_of
	ln -s "$CANARY" "$BUNDLE/rootfs/dev"
	config '.mounts|=map(select(.destination|startswith("/dev")|not))'
	run --separate-stderr nslaunch run --bundle "$BUNDLE" "$C"
	[ "$status" -eq 125 ]
	[[ $stderr == *"'/dev' must be an ordinary directory"* ]]
	# Inside the root it is no escape, but the nodes would land on what is there.
	ln -sfn /etc "$BUNDLE/rootfs/dev"
	run --separate-stderr nslaunch run --bundle "$BUNDLE" "$C"
	[ "$status" -eq 125 ]
	[ -z "$(ls -A "$BUNDLE/rootfs/etc")" ]
	ln -sfn "$CANARY" "$BUNDLE/rootfs/dev"
	mkdir "$BUNDLE/rootfs/dev.real"
	swap "$BUNDLE/rootfs/dev" "$BUNDLE/rootfs/dev.real"
	for _ in $(seq "$ROUNDS"); do
		status_of=0
		nslaunch run --bundle "$BUNDLE" "$C" 2>/dev/null || status_of=$?
		[ "$status_of" -eq 0 ] || [ "$status_of" -eq 125 ]
	done
	swap_end
	canary_lives
	assert_nothing_left
}

@test "CVE-2024-45310, crun 2019-18837: places are made inside the root, dangling links too" {
	ln -s "$CANARY/new-directory" "$BUNDLE/rootfs/d"
	ln -s "$CANARY/new-file" "$BUNDLE/rootfs/f"
	ln -s ../../../../../../../../../../../..$CANARY/new "$BUNDLE/rootfs/u"
	in_container 'ls -d /d /f /u' '
		.mounts+=[{"destination":"/d/x","type":"tmpfs","source":"tmpfs"},
		{"destination":"/f","type":"bind","source":"/etc/hostname","options":["bind"]},
		{"destination":"/u","type":"tmpfs","source":"tmpfs"}]
		| .linux.devices=[{"path":"/d/node","type":"c","major":1,"minor":3}] | .process.cwd="/d/made"'
	[ "$status" -eq 0 ]
	canary_lives
}

@test "CVE-2024-21626: the working directory is no descriptor of the host's" {
	local i
	for i in $(seq 3 63); do
		in_container 'pwd; ls ..' ".process.cwd=\"/proc/self/fd/$i\""
		[ "$status" -eq 125 ]
		[[ $stderr == *"working directory"* ]]
	done
	for i in 3 7 8 12; do
		ln -sfn "/proc/self/fd/$i" "$BUNDLE/rootfs/cwd"
		in_container 'pwd' '.process.cwd="/cwd"'
		[ "$status" -eq 125 ]
	done
	in_container 'pwd' '.process.cwd="/proc/self/cwd"'
	[ "$status" -eq 125 ]
	in_container 'pwd' '.process.cwd="/proc/1/root"'
	[ "$status" -eq 125 ]
	in_container 'ls /proc/1/fd /proc/self/fd'
	[[ $output != *[4-9]* ]]
	assert_nothing_left
}

@test "CVE-2025-31133: masks are the host's own /dev/null, whatever the image calls so" {
	mkdir "$BUNDLE/rootfs/dev"
	ln -s /etc/passwd "$BUNDLE/rootfs/dev/null"
	echo secret >"$BUNDLE/rootfs/etc/passwd"
	echo secret >"$BUNDLE/rootfs/etc/masked"
	echo secret >"$BUNDLE/dev-source"
	in_container 'cat /etc/masked; stat -c %t:%T /etc/masked' '
		.linux.maskedPaths=["/etc/masked"] | .mounts|=map(select(.destination|startswith("/dev")|not))'
	[ "$output" = 1:3 ]
	# A bind of a directory as /dev, where the image's own null is not touched at all.
	mkdir "$BUNDLE/devices"
	ln -s ../etc/passwd "$BUNDLE/devices/null"
	in_container 'stat -c %t:%T /etc/masked' '
		.linux.maskedPaths=["/etc/masked"] | .mounts|=map(select(.destination|startswith("/dev/")|not))
		| .mounts|=map(if .destination=="/dev" then {"destination":"/dev","type":"bind","source":"devices","options":["bind"]} else . end)'
	[ "$output" = 1:3 ]
}

@test "CVE-2025-52565: the console is the terminal itself, on a file that is no link" {
	mkdir "$BUNDLE/devices"
	ln -s "$CANARY/file" "$BUNDLE/devices/console"
	mkdir "$BUNDLE/devices/pts"
	in_container 'true' '.process.terminal=true
		| .mounts|=map(if .destination=="/dev" then {"destination":"/dev","type":"bind","source":"devices","options":["bind"]} else . end)'
	[ "$status" -eq 125 ]
	[[ $stderr == *"'/dev/console' must be an ordinary file"* ]]
	rm "$BUNDLE/devices/console"
	rmdir "$BUNDLE/devices/pts"
	ln -s "$CANARY" "$BUNDLE/devices/pts"
	in_container 'true' '.process.terminal=true | .mounts|=map(select(.destination!="/dev/pts")
		| if .destination=="/dev" then {"destination":"/dev","type":"bind","source":"devices","options":["bind"]} else . end)'
	[ "$status" -eq 125 ]
	canary_lives
}

@test "CVE-2019-5736: the launcher's executable can't be written by what it starts" {
	local tool before pid writable=
	tool=$(readlink -f "$(command -v nslaunch)")
	cp "$tool" "$TEST_DIRECTORY/nslaunch"
	before=$(sha256sum <"$TEST_DIRECTORY/nslaunch")
	printf '#!/proc/self/exe\n' >"$BUNDLE/rootfs/bin/entry"
	chmod +x "$BUNDLE/rootfs/bin/entry"
	config '.process.args=["/bin/entry"] | .process.capabilities|=map_values(.+["CAP_SYS_ADMIN","CAP_SYS_PTRACE","CAP_SYS_RAWIO"])'
	"$TEST_DIRECTORY/nslaunch" run --bundle "$BUNDLE" "$C" >/dev/null 2>&1 || true
	# While it waits it is the launcher still: nobody can open that for writing, then or later.
	config '.process.args=["true"]'
	"$TEST_DIRECTORY/nslaunch" create --bundle "$BUNDLE" "$C" >/dev/null
	pid=$(nslaunch state "$C" | jq .pid)
	[[ $(readlink "/proc/$pid/exe") != *busybox* ]]
	exec 9<"/proc/$pid/exe"
	[ ! -w "/proc/$pid/exe" ] || writable=yes
	nslaunch delete --force "$C"
	(echo x >/proc/self/fd/9) 2>/dev/null && writable=yes
	exec 9<&-
	[ -z "${writable:-}" ]
	[ "$(sha256sum <"$TEST_DIRECTORY/nslaunch")" = "$before" ]
	assert_nothing_left
}

@test "CVE-2016-9962: a process that joins can't be looked into before it is the container's" {
	local n caps
	command -v setpriv >/dev/null || skip "no setpriv"
	# Where the launcher has CAP_SYS_PTRACE nobody without it may look, so take it away from both:
	# then only the launcher's being undumpable is in the way.
	caps=$(jq -cn '"CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
		NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE
		SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM
		BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE" | [splits("\\s+")|"CAP_"+.] | {bounding:.,effective:.,permitted:.}')
	config ".process.capabilities=$caps | "'.process.args=["sh","-c","while [ ! -e /stop ]; do for fd in /proc/[0-9]*/fd/*; do t=$(readlink $fd) && case $fd in /proc/1/*|/proc/self/*) ;; *) echo $fd $t;; esac; done; done 2>/dev/null | grep -E \" /.*(bundle|state|lamina|cgroup)\" >/seen"]'
	setpriv --bounding-set -sys_ptrace nslaunch create --bundle "$BUNDLE" "$C" >/dev/null
	SPY=$C
	cp -a "$BUNDLE" "$BUNDLE.2"
	jq --arg p "/proc/$(nslaunch state "$C" | jq .pid)/ns/pid" '.process.args=["true"] | .process.user.uid=0
		| .linux.namespaces|=map(if .type=="pid" then .path=$p else . end)' "$BUNDLE/config.json" >"$BUNDLE.2/config.json"
	nslaunch start "$C"
	n=$((ROUNDS < 100 ? ROUNDS : 100))
	for _ in $(seq "$n"); do setpriv --bounding-set -sys_ptrace nslaunch run --bundle "$BUNDLE.2" "$C-2"; done
	# One that waits, the launcher still in all but its namespaces, gives the spy time.
	setpriv --bounding-set -sys_ptrace nslaunch create --bundle "$BUNDLE.2" "$C-2" >/dev/null
	sleep 0.5
	nslaunch delete --force "$C-2"
	touch "$BUNDLE/rootfs/stop"
	until_true status_is "$C" stopped
	nslaunch delete --force "$C"
	SPY=
	[ ! -s "$BUNDLE/rootfs/seen" ] || { cat "$BUNDLE/rootfs/seen"; false; }
	assert_nothing_left
}

@test "CVE-2016-8867, 2022-24769, 2022-29162: nothing is inheritable or ambient unless it is asked for" {
	local user
	for user in '{"uid":0,"gid":0}' '{"uid":1000,"gid":1000}'; do
		in_container 'grep -E "^Cap(Inh|Amb)" /proc/self/status | cut -f2 | tr "\n" " "' ".process.user=$user"
		[ "$output" = "0000000000000000 0000000000000000 " ]
	done
	if command -v setpriv >/dev/null; then
		# The caller's own don't come along.
		run setpriv --inh-caps +net_raw,+chown --ambient-caps +net_raw nslaunch run --bundle "$BUNDLE" "$C"
		[ "$output" = "0000000000000000 0000000000000000 " ]
	fi
}

@test "CVE-2022-36109: the caller's groups are not the container's" {
	command -v setpriv >/dev/null || skip "no setpriv"
	config '.process.args=["grep","Groups","/proc/self/status"]'
	run setpriv --groups 5,6,0 nslaunch run --bundle "$BUNDLE" "$C"
	[[ $output =~ ^Groups:[[:space:]]*$ ]]
}

@test "containerd 2024-40635: -1 is no user and no group" {
	local filter
	for filter in '.process.user.uid=4294967295' '.process.user.uid=-1' '.process.user.gid=4294967295' \
		'.process.user.additionalGids=[4294967295]' '.process.user.uid=4294967296' '.process.user.gid=18446744073709551615'; do
		in_container id "$filter"
		[ "$status" -eq 125 ]
		[ -z "$output" ]
	done
	in_container 'id -u' '.process.user.uid=4294967294'
	[ "$output" = 4294967294 ]
}

@test "CVE-2019-16884, 2025-52881: nothing but a procfs lies on /proc, and little in it" {
	local path
	mkdir "$BUNDLE/fake"
	for path in /proc /proc/sys /proc/self /proc/self/attr /proc/sysrq-trigger /proc/1 /proc/sys/kernel/core_pattern; do
		in_container true ".mounts+=[{\"destination\":\"$path\",\"type\":\"bind\",\"source\":\"fake\",\"options\":[\"bind\"]}]"
		[ "$status" -eq 125 ]
		in_container true ".mounts+=[{\"destination\":\"$path\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}]"
		[ "$status" -eq 125 ]
	done
	# An image's own /proc has no say in what is written there.
	mkdir -p "$BUNDLE/rootfs/proc/self" "$BUNDLE/rootfs/proc/sys/net/ipv4"
	ln -s "$CANARY/file" "$BUNDLE/rootfs/proc/self/oom_score_adj"
	ln -s "$CANARY/file" "$BUNDLE/rootfs/proc/sys/net/ipv4/ip_forward"
	in_container true '.process.oomScoreAdj=500 | .linux.sysctl={"net.ipv4.ip_forward":"1"} | .mounts|=map(select(.destination!="/proc"))'
	[ "$status" -eq 0 ]
	canary_lives
	in_container 'cat /proc/self/oom_score_adj /proc/sys/net/ipv4/ip_forward' '.process.oomScoreAdj=500 | .linux.sysctl={"net.ipv4.ip_forward":"1"}'
	[ "$output" = $'500\n1' ]
}

@test "CVE-2021-43784: more than 64 KiB of anything is taken whole or refused" {
	in_container 'echo ${#A}; echo $#' '.process.env+=["A="+("x"*100000)] | .process.args+=[range(20000)|"a"]'
	[ "$status" -eq 0 ]
	[ "$output" = $'100000\n19999' ]
	in_container true '.annotations={"a":("x"*100000)}'
	[ "$status" -eq 0 ]
	in_container true '.linux.uidMappings=[range(10000)|{"containerID":.,"hostID":.,"size":1}]'
	[ "$status" -eq 125 ]
	in_container true '.process.args+=[("x"*3000000)]'
	[ "$status" -eq 126 ]
	in_container true '.hostname=("x"*70000)'
	[ "$status" -eq 125 ]
	in_container true '.process.cwd="/"+("x"*70000)'
	[ "$status" -eq 125 ]
	in_container true '.mounts+=[{"destination":("/"+("x/"*40000)),"type":"tmpfs","source":"tmpfs"}]'
	[ "$status" -eq 125 ]
	assert_nothing_left
}

@test "CVE-2022-0811: a sysctl's name is a name" {
	local name
	for name in 'kernel.shm_rmid_forced+kernel.core_pattern' 'net.ipv4.x=1' 'net/../kernel/core_pattern' 'net.ipv4.a b' kernel.core_pattern; do
		in_container true ".linux.sysctl={\"$name\":\"1\"}"
		[ "$status" -eq 125 ]
		[[ $stderr == *"bad name '$name'"* || $name == kernel.core_pattern ]]
	done
}

@test "CVE-2023-25809, 2022-0492: the cgroups that a container sees can't be written" {
	in_container 'for d in /sys/fs/cgroup /sys/fs/cgroup/*; do [ -L $d ] || touch $d/x 2>/dev/null && echo $d; done; for f in /sys/fs/cgroup/*/release_agent /sys/fs/cgroup/*/tasks /sys/fs/cgroup/cgroup.procs; do [ ! -e $f ] || (echo 0 >$f) 2>/dev/null && [ -e $f ] && echo $f; done; true'
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "CVE-2017-5226: the caller's terminal is not the container's to control" {
	command -v script >/dev/null || skip "no script(1)"
	# Session and terminal, fields 6 and 7: a session of its own (0 where its leader is outside) and none.
	config '.process.args=["cut","-d"," ","-f","6,7","/proc/self/stat"]'
	run script -qec "nslaunch run --bundle '$BUNDLE' '$C'" /dev/null </dev/null
	[[ ${output%$'\r'} == "1 0" ]]
}

@test "a chain of links as long as the kernel follows doesn't overrun the child's stack" {
	local i previous=nowhere/x
	for i in $(seq 39); do
		ln -s "$previous" "$BUNDLE/rootfs/etc/l$i"
		previous=/etc/l$i
	done
	in_container true '.mounts+=[{"destination":"/etc/l39","type":"bind","source":"/etc/hostname","options":["bind"]}]'
	[ "$status" -eq 0 ]
	in_container true '.mounts+=[{"destination":"/etc/l39/d","type":"tmpfs","source":"tmpfs"}]'
	[ "$status" -ne 139 ]
}
