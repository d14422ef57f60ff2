#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What nslaunch says when it fails: which step, which object, which field of the spec, and why.

load helpers

setup() {
	lamina_setup
	need nslaunch jq
	need_root
	C=errors-$BATS_ROOT_PID-$BATS_TEST_NUMBER
	BUNDLE=$TEST_DIRECTORY/bundle
	mkdir -p "$BUNDLE/rootfs/bin" "$BUNDLE/rootfs/tmp" "$BUNDLE/rootfs/etc"
	cp "$(command -v busybox)" "$BUNDLE/rootfs/bin/busybox"
	for applet in sh true cat sleep; do
		ln -s busybox "$BUNDLE/rootfs/bin/$applet"
	done
	config .
}

teardown() {
	nslaunch delete --force "$C" 2>/dev/null || true
}

config() {
	jq "$1" "$BATS_TEST_DIRNAME/data/config.json" >"$BUNDLE/config.json"
}

# A failing step: what is wrong in the config, and all that is said about it.
step_fails() {
	config "$1"
	run --separate-stderr nslaunch run --bundle "$BUNDLE" "$C"
	if [ "$status" -ne 125 ] || [ "$stderr" != "nslaunch: run: container '$C': $2" ]; then
		printf 'filter:   %s\nstatus:   %s\nexpected: %s\nsaid:     %s\n' "$1" "$status" \
			"nslaunch: run: container '$C': $2" "$stderr"
		return 1
	fi
}

@test "a failing step names the field of the spec, the object and the reason" {
	local mount='.mounts+=[{"destination":"/data"} +'
	step_fails "$mount"'{"type":"bind","source":"/nope","options":["bind"]}]' \
		"mounts[5] '/data': source '/nope': No such file or directory"
	step_fails "$mount"'{"type":"nosuchfs","source":"x"}]' "mounts[5] '/data': type 'nosuchfs': No such device"
	step_fails "$mount"'{"type":"tmpfs","source":"tmpfs","options":["size=plenty"]}]' \
		"mounts[5] '/data': options: 'size=plenty': Invalid argument"
	step_fails "$mount"'{"type":"tmpfs","source":"tmpfs","options":["nonsense"]}]' \
		"mounts[5] '/data': options: 'nonsense': Invalid argument"
	step_fails '.mounts[0].destination="/bin/busybox"' \
		"mounts[0] '/bin/busybox': '/bin/busybox' must be an ordinary directory"
	touch "$BUNDLE/rootfs/file"
	step_fails '.mounts+=[{"destination":"/file/x","type":"tmpfs","source":"tmpfs"}]' \
		"mounts[5] '/file/x': cannot make the destination: Not a directory"
	step_fails '.linux.namespaces|=map(if .type=="network" then .path="/nope" else . end)' \
		"linux.namespaces: network '/nope': No such file or directory"
	step_fails '.linux.namespaces|=map(if .type=="network" then .path="/proc/self/ns/uts" else . end)' \
		"linux.namespaces: '/proc/self/ns/uts' is not a network namespace"
	step_fails '.linux.sysctl={"net.nosuch":"1"}' \
		"linux.sysctl: 'net.nosuch' cannot be set to '1': No such file or directory"
	step_fails '.linux.sysctl={"net.ipv4.ip_forward":"much"}' \
		"linux.sysctl: 'net.ipv4.ip_forward' cannot be set to 'much': Invalid argument"
	step_fails '.linux.devices=[{"path":"/bin/busybox/x","type":"c","major":1,"minor":3}]' \
		"linux.devices[0]: cannot make '/bin/busybox/x': Not a directory"
	step_fails '.process.cwd="/bin/busybox"' \
		"process.cwd: cannot make the working directory '/bin/busybox': Not a directory"
	step_fails '.linux.cgroupsPath="/a/../b"' "linux.cgroupsPath '/a/../b' has a '..' in it"
	assert_nothing_left
}

# elf MACHINE LOADER - the least of an ELF program that asks for a loader
elf() {
	local size
	size=$(printf '\\x%02x' $((${#2} + 1)))
	# The header of the file, one program header (PT_INTERP) behind it, and the name behind that.
	printf '\x7fELF\2\1\1%b\2\0%b\0\1\0\0\0%b' "$(zero 9)" "$1" "$(zero 8)"
	printf '\x40%b\0\0\0\0\x40\0\x38\0\1\0%b' "$(zero 15)" "$(zero 6)"
	printf '\3\0\0\0\4\0\0\0\x78%b%b%b%b%b' "$(zero 23)" "$size" "$(zero 7)" "$size" "$(zero 7)"
	printf '\1%b%s\0' "$(zero 7)" "$2"
}

zero() {
	printf '\\0%.0s' $(seq "$1")
}

# What can't be executed, each in a file of its own below /p, and what is said about it.
programs_make() {
	local p=$BUNDLE/rootfs/p own='\x3e' other='\xb7'
	[ "$(uname -m)" = x86_64 ] || { own='\xb7' other='\x3e'; }
	mkdir -p "$p/private/bin" "$p/user" "$BUNDLE/noexec"
	printf '#!/nosuch/sh\n' >"$p/interpreter"
	printf '#!/bin/sh\r\necho\r\n' >"$p/dos"
	elf "$own" /lib/ld-musl-none.so.1 >"$p/musl"
	elf "$own" /lib64/ld-linux-none.so.2 >"$p/glibc"
	printf '#!/p/musl\n' >"$p/by-musl"
	elf "$other" /lib/ld.so >"$p/machine"
	printf '#!/p/machine -x\n' >"$p/by-machine"
	: >"$p/empty"
	printf 'echo hello\n' >"$p/text"
	printf '\1\2\3\4' >"$p/bytes"
	cp "$(command -v busybox)" "$BUNDLE/noexec/true"
	printf '#!/noexec/true\n' >"$p/by-noexec"
	cp "$(command -v busybox)" "$p/private/bin/true"
	cp "$(command -v busybox)" "$p/user/mine"
	chmod +x "$p"/*
	chmod 700 "$p/private"
	chmod 750 "$p/user/mine"
	cp "$p/text" "$p/plain"
	chmod 644 "$p/plain"
	ln -s loop "$p/loop"
	ln -s /nosuch/program "$p/dangling"
	for i in 1 2 3 4 5 6 7; do
		printf '#!/p/script%s\n' $((i + 1)) >"$p/script$i"
	done
	printf '#!/bin/sh\n' >"$p/script8"
	chmod +x "$p"/script*
}

NOEXEC='.mounts+=[{"destination":"/noexec","type":"bind","source":"noexec","options":["bind","noexec"]}]'

# A line a case: status, program, filter of the process, and what is said behind its name.
cases() {
	local env='.env=["PATH=/bin:/p:/p/private/bin:/p/user"]' user='.user={"uid":1000,"gid":1000}\|.capabilities={}'
	cat <<-E
		127|nosuch|.|executable file not found in \$PATH
		127|/p/nosuch|.|no such file or directory
		127|/p/plain/x|.|no such file or directory
		127|/p/dangling|.|no such file or directory: it is a link to '/nosuch/program', which isn't in the image
		127|/p/interpreter|.|no such file or directory: its interpreter '/nosuch/sh' isn't in the image
		127|/p/dos|.|no such file or directory: its first line ends in a carriage return (DOS line ends)
		127|/p/musl|.|no such file or directory: its loader '/lib/ld-musl-none.so.1' (musl's, a dynamic one) isn't in the image
		127|/p/glibc|.|no such file or directory: its loader '/lib64/ld-linux-none.so.2' (glibc's, a dynamic one) isn't in the image
		127|/p/by-musl|.|no such file or directory: its interpreter '/p/musl': its loader '/lib/ld-musl-none.so.1' (musl's, a dynamic one) isn't in the image
		126|/p/machine|.|exec format error: it is for $OTHER, and this machine is $(uname -m)
		126|/p/by-machine|.|exec format error: its interpreter '/p/machine': it is for $OTHER, and this machine is $(uname -m)
		126|/p/empty|.|exec format error: it is empty
		126|/p/text|.|exec format error: it is a text without a #! line (such as #!/bin/sh at its beginning)
		126|/p/bytes|.|exec format error: it isn't a program of Linux
		126|/p|.|permission denied: it is a directory
		126|/p/plain|.|permission denied: nobody may execute it (mode 0644): chmod +x is missing
		126|plain|$env|permission denied: nobody may execute it (mode 0644): chmod +x is missing
		126|/noexec/true|.|permission denied: it is on '/noexec', which is mounted noexec
		126|/p/by-noexec|.|permission denied: its interpreter '/noexec/true': it is on '/noexec', which is mounted noexec
		126|/p/private/bin/true|$user|permission denied: user 1000 may not search '/p/private' (mode 0700, owner 0:0)
		126|/p/user/mine|$user|permission denied: user 1000 may not execute it (mode 0750, owner 0:0)
		126|mine|$env\|$user|permission denied: user 1000 may not execute it (mode 0750, owner 0:0)
		126|/p/loop|.|too many levels of symbolic links: its name is a loop of links
		126|/p/script1|.|too many levels of symbolic links: its interpreter is a script, and so on
		126|true|.args+=[("x"*200000)]|argument list too long: process.args[1] has 200000 bytes, of 131071 that one may have
		126|true|.args+=[range(7)\|("x"*120000)]\|.rlimits=[{"type":"RLIMIT_STACK","soft":2097152,"hard":2097152}]|argument list too long: 8 arguments and 2 variables have 840113 bytes, and the limit is 524288
	E
}

# attempt COMMAND... - $status, and $stderr of its last line; create's process keeps them open, so
# that `run` would wait for ever
attempt() {
	status=0
	"$@" >out 2>err </dev/null || status=$?
	stderr=$(<err)
}

# said WHERE WANTED - the line that was said names the program and has the words
said() {
	[[ $stderr == *": exec: \"$program\": $2" ]] && return 0
	printf '%s: %s\nwanted: %s\nsaid:   %s (%s)\n' "$1" "$program" "$2" "$stderr" "$status"
	return 1
}

each_case() {
	local wanted_status program filter words n=0 filters=
	OTHER=aarch64
	[ "$(uname -m)" = x86_64 ] || OTHER=x86_64
	cases | sed 's/\\|/\x01/g; s/|/\t/g; s/\x01/|/g' >cases
	while IFS=$'\t' read -r wanted_status program filter words; do
		filters+="${filters:+, }(.process |= (.args=[\"$program\"] | $filter))"
	done <cases
	jq -c "$NOEXEC | $filters" "$BATS_TEST_DIRNAME/data/config.json" | split -l 1 -d -a 2 - config.
	while IFS=$'\t' read -r wanted_status program filter words; do
		mv "$(printf 'config.%02d' "$n")" "$BUNDLE/config.json"
		n=$((n + 1))
		"$1"
	done <cases
	[ "$n" -eq 26 ]
}

by_run() {
	attempt nslaunch run --bundle "$BUNDLE" "$C"
	said run "$words"
	[ "$status" -eq "$wanted_status" ]
}

# What can be seen without being the user is said by create, the rest by start.
by_start() {
	attempt nslaunch create --bundle "$BUNDLE" "$C"
	if [ "$status" -eq 0 ]; then
		attempt nslaunch start "$C"
		nslaunch delete --force "$C"
	fi
	[ "$status" -ne 0 ]
	said create "$words"
}

by_exec() {
	jq .process "$BUNDLE/config.json" >process.json
	attempt nslaunch exec --process process.json "$C"
	said exec "$words"
	[ "$status" -eq "$wanted_status" ]
}

@test "run says why a program can't be executed" {
	programs_make
	each_case by_run
	assert_nothing_left
}

@test "create and start say why a program can't be executed" {
	programs_make
	each_case by_start
	assert_nothing_left
}

@test "exec says why a program can't be executed" {
	programs_make
	config "$NOEXEC | .process.args=[\"sleep\",\"1000\"]"
	attempt nslaunch create --bundle "$BUNDLE" "$C"
	[ "$status" -eq 0 ]
	nslaunch start "$C"
	each_case by_exec
	nslaunch delete --force "$C"
	assert_nothing_left
}

@test "a program that is open for writing, or for which there is no memory, is told" {
	local program=/p/mine words
	need strace
	mkdir "$BUNDLE/rootfs/p"
	cp "$(command -v busybox)" "$BUNDLE/rootfs/p/mine"
	config '.process.args=["/p/mine"]'
	exec 7>>"$BUNDLE/rootfs/p/mine"
	run --separate-stderr nslaunch run --bundle "$BUNDLE" "$C"
	exec 7>&-
	[ "$status" -eq 126 ]
	said run "text file busy: it is open for writing"
	run --separate-stderr strace -f -o /dev/null -P /p/mine -e trace=execve -e inject=execve:error=ENOMEM \
		nslaunch run --bundle "$BUNDLE" "$C"
	[ "$status" -eq 126 ]
	said run "cannot allocate memory: is the container's memory limit too low?"
}

@test "a name that root finds first and the user may not reach is looked for further" {
	mkdir -p "$BUNDLE/rootfs/p/private"
	printf '#!/bin/sh\necho wrong\n' >"$BUNDLE/rootfs/p/private/prog"
	printf '#!/bin/sh\necho right\n' >"$BUNDLE/rootfs/bin/prog"
	chmod 755 "$BUNDLE/rootfs/p/private/prog" "$BUNDLE/rootfs/bin/prog"
	chmod 700 "$BUNDLE/rootfs/p/private"
	config '.process.args=["prog"] | .process.env=["PATH=/p/private:/nosuch:/bin"] | .process.user={"uid":1000,"gid":1000} | .process.capabilities={}'
	run nslaunch run --bundle "$BUNDLE" "$C"
	[ "$output" = right ]
}
