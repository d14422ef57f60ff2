#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Descriptors, memory and the executable of the launcher's, in reach of what it starts.
# docs/security.md has the table of all attacks.

load attack

# All but the one that lets a process look into any other.
all_but_ptrace() {
	jq -cn '"CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
		NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE
		SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM
		BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE" | [splits("\\s+")|"CAP_"+.] | {bounding:.,effective:.,permitted:.}'
}

# spy_start [FILTER] - a container whose first process looks at all others, into $TEST_DIRECTORY/spy.out
#
# Where the launcher has CAP_SYS_PTRACE nobody without it may look, so it has it not: then only its
# being undumpable is in the way.
spy_start() {
	[ -x "${LAMINA_SPY:-}" ] || skip "no spy (run by meson)"
	command -v setpriv >/dev/null || skip "no setpriv"
	cp "$LAMINA_SPY" "$BUNDLE/rootfs/bin/spy"
	config ".process.args=[\"spy\",\"/stop\"] | .process.capabilities=$(all_but_ptrace) | ${1:-.}"
	CONTAINERS="$ID $ID-2"
	less_ptrace create --bundle "$BUNDLE" "$ID" >spy.out 2>spy.err </dev/null 3>&-
	runtime start "$ID"
}

# spy_end [REGEX] - what it has seen is nothing, but for what is all right
spy_end() {
	touch "$BUNDLE/rootfs/stop"
	until_true grep -q 'seen all' spy.out
	rm "$BUNDLE/rootfs/stop"
	delete
	grep -v "${1:-^$}" spy.out >seen
	[ "$(<seen)" = "seen all" ] || escaped "$(sort seen | uniq -c | sort -rn | head -5)"
}

less_ptrace() {
	export -f runtime
	export RUNTIME TEST_DIRECTORY
	setpriv --bounding-set -sys_ptrace --inh-caps -all bash -c 'runtime "$@"' runtime "$@"
}

@test "CVE-2024-21626: the working directory is no descriptor of the host's (run)" {
	local i
	for i in $(seq 3 63); do
		in_container 'pwd; ls ..' ".process.cwd=\"/proc/self/fd/$i\""
		[[ $stderr == *"working directory"* ]] || refused "working directory"
		[ "$status" -ne 0 ] || escaped "$i: $output"
	done
	for i in 3 7 8 12; do
		ln -sfn "/proc/self/fd/$i" "$BUNDLE/rootfs/cwd"
		in_container 'pwd' '.process.cwd="/cwd"'
		[ "$status" -ne 0 ] || escaped "$i: $output"
	done
	for i in /proc/self/cwd /proc/self/root /proc/1/root /proc/1/cwd /proc/thread-self/fd/7; do
		in_container 'pwd' ".process.cwd=\"$i\""
		[ "$status" -ne 0 ] || [ "$output" = / ] || [ "$RUNTIME" != nslaunch ] || escaped "$i: $output"
	done
	in_container 'ls /proc/1/fd /proc/self/fd'
	[[ $output != *[4-9]* ]] || escaped "$output"
	nothing_left
}

@test "CVE-2024-21626: the working directory is no descriptor of the host's (exec)" {
	local i
	running
	for i in $(seq 3 63); do
		attempt exec --cwd "/proc/self/fd/$i" "$ID" ls ..
		[ "$status" -ne 0 ] || escaped "$i: $output"
	done
	for i in 3 7 8 12; do
		ln -sfn "/proc/self/fd/$i" "$BUNDLE/rootfs/cwd"
		attempt exec --cwd /cwd "$ID" pwd
		[ "$status" -ne 0 ] || escaped "$i: $output"
		exec_process '.args=["pwd"] | .cwd="/cwd"'
		[ "$status" -ne 0 ] || escaped "$i: $output"
	done
	attempt exec "$ID" ls /proc/self/fd
	[[ $output != *[4-9]* ]] || escaped "$output"
	delete
	nothing_left
}

@test "CVE-2024-21626: a descriptor that the caller has open is not the container's" {
	running
	exec 5<"$CANARY" 9>"$TEST_DIRECTORY/nine"
	(runtime exec "$ID" ls -l /proc/self/fd) >out 2>err 3>&-
	! grep -E ' [59] ->' out || escaped "$(<out)"
	delete
	script 'ls -l /proc/self/fd'
	(runtime run --bundle "$BUNDLE" "$ID") >out 2>err 3>&- </dev/null
	exec 5<&- 9>&-
	! grep -E ' [59] ->' out || escaped "$(<out)"
	nothing_left
}

@test "CVE-2016-9962: a process that joins can't be looked into before it is the container's (run)" {
	local n=$((ROUNDS < 200 ? ROUNDS : 200)) i
	spy_start
	cp -a "$BUNDLE" "$BUNDLE.2"
	jq --arg p "/proc/$(init_pid)/ns/pid" '.process.args=["true"] | .process.user.uid=0
		| .linux.namespaces|=map(if .type=="pid" then .path=$p else . end)' "$BUNDLE/config.json" >"$BUNDLE.2/config.json"
	for i in $(seq "$n"); do
		less_ptrace run --bundle "$BUNDLE.2" "$ID-2" >/dev/null 2>&1 </dev/null 3>&- || true
	done
	# One that waits, the launcher still in all but its namespaces, gives the spy time.
	less_ptrace create --bundle "$BUNDLE.2" "$ID-2" >/dev/null 2>&1 </dev/null 3>&-
	sleep 0.5
	delete "$ID-2"
	spy_end
	nothing_left
}

@test "CVE-2016-9962, 2019-5736: nor one that execs, and neither memory nor executable of it" {
	local n=$((ROUNDS * 4 < 1000 ? ROUNDS * 4 : 1000)) i tool before
	tool=$(readlink -f "$(command -v "$RUNTIME")")
	before=$(sha256sum <"$tool")
	printf '#!/proc/self/exe\n' >"$BUNDLE/rootfs/bin/entry"
	chmod +x "$BUNDLE/rootfs/bin/entry"
	spy_start
	for i in $(seq "$n"); do
		# The spy opens the container's own programs for writing too: busy ones aren't executed.
		less_ptrace exec "$ID" true >/dev/null 2>&1 </dev/null 3>&- || true
	done
	spy_end
	# It is the runtime's executable by then, as the container's own program.
	spy_start
	for i in $(seq $((n / 2))); do
		less_ptrace exec "$ID" /bin/entry >/dev/null 2>&1 </dev/null 3>&- || true
	done
	spy_end 'can be traced\|^descriptor'
	[ "$(sha256sum <"$tool")" = "$before" ] || escaped "$tool is another"
	nothing_left
}

@test "CVE-2019-5736: the launcher's executable can't be written by what it starts" {
	local tool before pid writable=
	nslaunch_only
	tool=$(readlink -f "$(command -v nslaunch)")
	cp "$tool" "$TEST_DIRECTORY/nslaunch"
	before=$(sha256sum <"$TEST_DIRECTORY/nslaunch")
	printf '#!/proc/self/exe\n' >"$BUNDLE/rootfs/bin/entry"
	chmod +x "$BUNDLE/rootfs/bin/entry"
	config '.process.args=["/bin/entry"] | .process.capabilities|=map_values(.+["CAP_SYS_ADMIN","CAP_SYS_PTRACE","CAP_SYS_RAWIO"])'
	"$TEST_DIRECTORY/nslaunch" run --bundle "$BUNDLE" "$ID" >/dev/null 2>&1 || true
	# While it waits it is the launcher still: nobody can open that for writing, then or later.
	config '.process.args=["true"]'
	CONTAINERS=$ID
	"$TEST_DIRECTORY/nslaunch" create --bundle "$BUNDLE" "$ID" >/dev/null 2>&1 </dev/null 3>&-
	pid=$(init_pid)
	[[ $(readlink "/proc/$pid/exe") != *busybox* ]]
	exec 9<"/proc/$pid/exe"
	[ ! -w "/proc/$pid/exe" ] || writable=yes
	delete
	(echo x >/proc/self/fd/9) 2>/dev/null && writable=yes
	exec 9<&-
	[ -z "$writable" ] || escaped "it can be written"
	[ "$(sha256sum <"$TEST_DIRECTORY/nslaunch")" = "$before" ] || escaped "it is another"
	nothing_left
}

@test "CVE-2017-5226, LXC 2016-10124: the caller's terminal is not the container's to control" {
	command -v script >/dev/null || skip "no script(1)"
	export -f runtime
	export RUNTIME BUNDLE ID TEST_DIRECTORY
	# Session and terminal, fields 6 and 7: a session of its own (0 where its leader is outside) and none.
	config '.process.args=["cut","-d"," ","-f","6,7","/proc/self/stat"]'
	SHELL=/bin/bash run timeout 60 script -qec 'runtime run --bundle "$BUNDLE" "$ID"' /dev/null </dev/null 3>&-
	[[ ${output%$'\r'} == "1 0" ]] || escaped "session and terminal: $output"
	running
	SHELL=/bin/bash run timeout 60 script -qec 'runtime exec "$ID" cut -d " " -f 7 /proc/self/stat' /dev/null </dev/null 3>&-
	[[ ${output%$'\r'} == 0 ]] || escaped "terminal of an exec: $output"
	delete
}

@test "CVE-2017-5226: with the default profile nobody types into a terminal" {
	local bundle
	nslaunch_only
	need layerfs initlayer nslaunch
	[ -x "${LAMINA_SPY:-}" ] || skip "no spy (run by meson)"
	command -v script >/dev/null || skip "no script(1)"
	import_busybox
	bundle=$(layerfs create busybox | initlayer | nslaunch spec -t -- /spy tiocsti)
	cp "$LAMINA_SPY" "$bundle/upper/spy"
	run timeout 60 script -qec "nslaunch run --bundle '$bundle' -t" /dev/null </dev/null 3>&-
	layerfs rm "${bundle##*/}"
	[[ $output == *"TIOCSTI: I/O error"*"TIOCLINUX: I/O error"* ]] || escaped "$output"
}

@test "bwrap 2016-8659, 2020-5291: a setuid launcher does nothing" {
	nslaunch_only
	command -v setpriv >/dev/null || skip "no setpriv"
	cp "$(readlink -f "$(command -v nslaunch)")" "$TEST_DIRECTORY/setuid"
	chmod 4755 "$TEST_DIRECTORY/setuid"
	chmod 755 "$SCRATCH" "$TEST_DIRECTORY"
	run setpriv --reuid 1000 --regid 1000 --clear-groups "$TEST_DIRECTORY/setuid" list
	[ "$status" -eq 125 ]
	[[ $output == *"must not be setuid"* ]]
}

@test "Docker 2021-21284, LXC 2015-1331: another user gets to no state and no bundle" {
	local path
	nslaunch_only
	command -v setpriv >/dev/null || skip "no setpriv"
	chmod 755 "$SCRATCH" "$TEST_DIRECTORY"
	running
	for path in "$LAMINA_STATE" "$LAMINA_STATE/$ID" "$LAMINA_STATE/$ID/state.json" "$LAMINA_STATE/$ID/start/socket"; do
		! setpriv --reuid 1000 --regid 1000 --clear-groups ls "$path" 2>/dev/null || escaped "$path"
	done
	[ "$(stat -c %a "$LAMINA_STATE/$ID")" = 700 ]
	delete
	# No abstract socket either (containerd 2020-15257).
	config '.process.args=["sleep","1000.5"]'
	CONTAINERS=$ID
	attempt create --bundle "$BUNDLE" "$ID"
	! grep -F '@' <(grep -F "$ID" /proc/net/unix) || escaped "an abstract socket"
	delete
	nothing_left
}
