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
# container then mounts something; and what of all that the host has, but for the template's file
propagation() {
	local before

	shared_bundle
	config_script 'sed -nE "s, - .*,,; s,^([^ ]+ ){4}(/(mnt)?) [^ ]+ ?(.*),\2 \4,p" /proc/self/mountinfo
		mkdir -p /mnt/x; mount -t tmpfs none /mnt/x' '
		(.process.capabilities[]) += ["CAP_SYS_ADMIN"]
		| .mounts += [{"destination":"/mnt","type":"bind","source":"'"$TEST_DIRECTORY"'/source","options":["rbind"]}]
		| '"$1"
	before=$(grep -vc @template /proc/self/mountinfo)
	nslaunch run --bundle "$BUNDLE" "$ID" | sed -E 's/:[0-9]+/:N/g'
	echo "host: $(($(grep -vc @template /proc/self/mountinfo) - before))"
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

# options PATH - a script that prints the options of the mount there, its own and its file system's
options() {
	printf 'sed -nE "s,^([^ ]+ ){4}%s ([^ ]+) (.* )?- ([^ ]+) [^ ]+ ([^ ]+)$,\\2 \\4 \\5,p" /proc/self/mountinfo;' "$1"
}

# mounts JSON... - a filter that adds them
mounts() {
	local IFS=,
	printf '.mounts += [%s]' "$*"
}

@test "options of a mount: each word that is its own, and its opposite, the last one wins" {
	in_container "$(options /a)$(options /b)$(options /c)$(options /d)$(options /e)" "$(mounts \
		'{destination:"/a",type:"tmpfs",source:"a",options:["ro","nosuid","nodev","noexec","noatime","nodiratime","nosymfollow"]}' \
		'{destination:"/b",type:"tmpfs",source:"b",options:["ro","nosuid","nodev","noexec","noatime","nodiratime","nosymfollow","rw","suid","dev","exec","atime","diratime","symfollow"]}' \
		'{destination:"/c",type:"tmpfs",source:"c",options:["strictatime","defaults","async","silent","loud","nomand","nolazytime","noiversion"]}' \
		'{destination:"/d",type:"tmpfs",source:"d",options:["strictatime","relatime"]}' \
		'{destination:"/e",type:"bind",source:"/tmp",options:["ro","nosuid","noexec"]}')"
	echo "$output$stderr"
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == "ro,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow tmpfs rw"* ]]
	[[ ${lines[1]} == "rw,relatime tmpfs rw"* ]]
	[[ ${lines[2]} == "rw tmpfs rw"* ]]
	[[ ${lines[3]} == "rw,relatime tmpfs rw"* ]]
	[[ ${lines[4]} == "ro,nosuid,noexec"* ]]
	[ -z "$stderr" ]
}

@test "options of a file system: sync, dirsync, lazytime, size, mode, owner and inodes" {
	in_container "$(options /a)stat -c '%a %u %g' /a; df -k /a | tail -n 1 | tr -s ' ' | cut -d' ' -f2; df -i /a | tail -n 1 | tr -s ' ' | cut -d' ' -f2" "$(mounts \
		'{destination:"/a",type:"tmpfs",source:"a",options:["sync","dirsync","lazytime","mode=0710","uid=5","gid=6","size=64k","nr_inodes=9"]}')"
	echo "$output$stderr"
	[[ ${lines[0]} == *"tmpfs rw,sync,dirsync,lazytime,"* ]]
	[ "${lines[1]}" = "710 5 6" ]
	[ "${lines[2]}" = 64 ]
	[ "${lines[3]}" = 9 ]
}

@test "what has no effect is told, what isn't known is refused" {
	in_container true "$(mounts \
		'{destination:"rel/x",type:"bind",source:"/tmp",options:["bind","sync"]}' \
		'{destination:"/y",type:"tmpfs",source:"y",options:["iversion"]}')"
	[ "$status" -eq 0 ]
	[ "$stderr" = "nslaunch: warning: container '$ID': mounts[5]: the destination should be absolute: '/rel/x' is taken
nslaunch: warning: container '$ID': mounts[5] '/rel/x': option 'sync' has no effect here
nslaunch: warning: container '$ID': mounts[6] '/y': option 'iversion' has no effect here" ]
	refused "$(mounts '{destination:"/x",type:"tmpfs",source:"x",options:["mystery"]}')" "mounts[5] '/x': options: 'mystery': Invalid argument"
	refused "$(mounts '{destination:"/x",type:"bind",source:"/tmp",options:["mystery"]}')" "unknown option 'mystery'"
	refused "$(mounts '{destination:"/x",type:"nosuchfs",source:"x"}')" "mounts[5] '/x': type 'nosuchfs': No such device"
	refused "$(mounts '{destination:"/x",source:"/tmp"}')" "mount '/x': it has no type"
	refused "$(mounts '{destination:"/x",type:"bind",source:"/no/such"}')" "mounts[5] '/x': source '/no/such': No such file or directory"
	refused "$(mounts '{destination:"../..//.",type:"bind",source:"/tmp"}')" "the root is what 'root' says"
}

# nested OPTION... - the options, seen from inside, of a recursive bind of a tmpfs that has another
# one in it
nested() {
	mkdir -p "$TEST_DIRECTORY/outer"
	mount -t tmpfs none "$TEST_DIRECTORY/outer"
	mkdir "$TEST_DIRECTORY/outer/inner"
	mount -t tmpfs -o nodev none "$TEST_DIRECTORY/outer/inner"
	config_script "$(options /o | sed 's/;$//')| cut -d' ' -f1; $(options /o/inner | sed 's/;$//')| cut -d' ' -f1
		touch /o/x 2>/dev/null && echo outer; touch /o/inner/x 2>/dev/null && echo inner; true" \
		"$(mounts "{destination:\"/o\",type:\"bind\",source:\"$TEST_DIRECTORY/outer\",options:$(jq -nc '$ARGS.positional' --args "$@")}")"
	"${RUNTIME:-nslaunch}" run --bundle "$BUNDLE" "$ID"
}

@test "recursive options reach the mounts below, others don't; as with runc" {
	while IFS='|' read -r words expected; do
		privately <<<"nested $words" >out
		tr '\n' ' ' <out >line
		echo "$words: $(cat line)"
		[ "$(sed 's/ $//' line)" = "$expected" ]
	done <<-'EOF'
		rbind ro|ro,relatime rw,nodev,relatime inner
		rbind rro|ro,relatime ro,nodev,relatime
		rbind rro rw|ro,relatime ro,nodev,relatime
		rbind rnosuid rnoexec|rw,nosuid,noexec,relatime rw,nosuid,nodev,noexec,relatime outer inner
		rbind rnodev rdev|rw,relatime rw,relatime outer inner
		rbind rnoatime rnodiratime|rw,noatime,nodiratime rw,nodev,noatime,nodiratime outer inner
		rbind rstrictatime|rw rw,nodev outer inner
		rbind rnosymfollow|rw,relatime,nosymfollow rw,nodev,relatime,nosymfollow outer inner
		rbind rro rsuid rexec rrelatime|ro,relatime ro,nodev,relatime
		bind rro|ro,relatime
	EOF
	command -v runc >/dev/null || skip "no runc to compare with"
	for words in 'rbind ro' 'rbind rro' 'rbind rnosuid rnoexec' 'rbind rnosymfollow'; do
		privately <<<"nested $words" >out
		RUNTIME=runc privately <<<"nested $words" >runc.out 2>runc.err || skip "runc doesn't run here: $(cat runc.err)"
		diff out runc.out
	done
}

@test "tmpcopyup: a tmpfs begins with what the image has there, whatever kind it is" {
	local d="$BUNDLE/rootfs/d" show='
		cd /d; stat -c "%n %A %u %g" . a a/b suid link fifo node hole; cat a/b; readlink link; stat -c "%s" hole
		[ "$(stat -c %b hole)" -lt 100 ] && echo sparse; echo changed >a/b; touch new && echo writable'
	mkdir -p "$d/a"
	chmod 2751 "$d"
	echo content >"$d/a/b"
	chmod 640 "$d/a/b"
	chown 3:4 "$d/a" "$d/a/b"
	echo x >"$d/suid"
	chmod 4755 "$d/suid"
	ln -s /nowhere "$d/link"
	chown -h 5:6 "$d/link"
	mkfifo -m 600 "$d/fifo"
	mknod -m 666 "$d/node" c 1 3
	truncate -s 1G "$d/hole"
	local before
	before=$(find "$d" -printf '%p %M %U %G %s %t\n' | sort)
	config_script "$show" "$(mounts '{destination:"/d",type:"tmpfs",source:"tmpfs",options:["tmpcopyup","nosuid","nodev","size=1m"]}')"
	run --separate-stderr nslaunch run --bundle "$BUNDLE" "$ID"
	echo "$output$stderr"
	[ "$status" -eq 0 ]
	[ "$output" = ". drwxr-s--x 0 0
a drwxr-xr-x 3 4
a/b -rw-r----- 3 4
suid -rwsr-xr-x 0 0
link lrwxrwxrwx 5 6
fifo prw------- 0 0
node crw-rw-rw- 0 0
hole -rw-r--r-- 0 0
content
/nowhere
1073741824
sparse
writable" ]
	[ "$(find "$d" -printf '%p %M %U %G %s %t\n' | sort)" = "$before" ]
}

@test "tmpcopyup: read-only, with a mode of its own, of nothing, and of more than there is room for" {
	mkdir -p "$BUNDLE/rootfs/d"
	echo x >"$BUNDLE/rootfs/d/file"
	chmod 700 "$BUNDLE/rootfs/d"
	in_container 'cat /d/file; touch /d/new; stat -c %a /d; ls -A /missing; stat -c %a /missing' "$(mounts \
		'{destination:"/d",type:"tmpfs",source:"tmpfs",options:["tmpcopyup","ro","mode=0711"]}' \
		'{destination:"/missing",type:"tmpfs",source:"tmpfs",options:["tmpcopyup"]}')"
	[ "$output" = $'x\n711\n1777' ]
	[[ $stderr == *"/d/new: Read-only file system"* ]]
	head -c 200000 /dev/zero >"$BUNDLE/rootfs/d/big"
	refused "$(mounts '{destination:"/d",type:"tmpfs",source:"tmpfs",options:["tmpcopyup","size=64k"]}')" \
		"mounts[5] '/d': tmpcopyup: 'big': No space left on device"
}

@test "tmpcopyup keeps extended attributes and capabilities of files" {
	command -v setcap >/dev/null || skip "no setcap"
	mkdir -p "$BUNDLE/rootfs/d"
	cp "$BUNDLE/rootfs/bin/busybox" "$BUNDLE/rootfs/d/program"
	setcap cap_net_raw+ep "$BUNDLE/rootfs/d/program" 2>/dev/null || skip "no capabilities of files here"
	in_container 'ln -s program /d/grep; /d/grep CapEff /proc/self/status' "
		.process.user.uid=1000 | .process.noNewPrivileges=false | $(mounts '{destination:"/d",type:"tmpfs",source:"tmpfs",options:["tmpcopyup","mode=0777"]}')"
	[ "$output" = $'CapEff:\t0000000000002000' ]
}

@test "a tmpfs without a mode has that of the directory it lies over" {
	mkdir -p "$BUNDLE/rootfs/d"
	chmod 2750 "$BUNDLE/rootfs/d"
	in_container 'stat -c %a /d /e /f' "$(mounts '{destination:"/d",type:"tmpfs",source:"tmpfs"}' \
		'{destination:"/e",type:"tmpfs",source:"tmpfs"}' '{destination:"/f",type:"tmpfs",source:"tmpfs",options:["mode=700"]}')"
	[ "$output" = $'2750\n1777\n700' ]
}

@test "remount changes what is mounted there already, and needs something there" {
	in_container "$(options /a | sed 's/;$//')| cut -d' ' -f1; $(options /dev | sed 's/;$//')| cut -d' ' -f1; touch /a/x" "$(mounts \
		'{destination:"/a",type:"tmpfs",source:"a",options:["nodev"]}' \
		'{destination:"/a",options:["remount","ro","nosuid"]}' '{destination:"/dev",type:"none",options:["bind","remount","noexec"]}')"
	[ "$output" = $'ro,nosuid,nodev,relatime\nrw,nosuid,noexec' ]
	[[ $stderr == *"/a/x: Read-only file system"* ]]
	refused "$(mounts '{destination:"/tmp",options:["remount","ro"]}')" "mounts[5] '/tmp': there is no mount to remount"
	refused "$(mounts '{destination:"/nosuch",options:["remount","ro"]}')" "mounts[5] '/nosuch': cannot open the destination: No such file or directory"
}

@test "file systems of each kind, and the same one twice" {
	mkdir -p "$BUNDLE"/{lower,upper,work}
	echo low >"$BUNDLE/lower/file"
	in_container 'grep -cE "^(mqueue|devpts|ramfs|none|overlay) (/mq|/pts|/ram|/ov|/dev/pts) " /proc/mounts; ls /pts; cat /ov/file; echo up >/ov/new; echo x >/ram/x; test -c /dev/ptmx && echo ptmx; grep -c " /twice " /proc/mounts; ls -A /twice' "$(mounts \
		'{destination:"/mq",type:"mqueue",source:"mqueue",options:["nosuid"]}' \
		'{destination:"/pts",type:"devpts",source:"devpts",options:["newinstance","ptmxmode=0666"]}' \
		'{destination:"/ram",type:"ramfs",source:"ramfs"}' \
		"{destination:\"/ov\",type:\"overlay\",source:\"overlay\",options:[\"lowerdir=$BUNDLE/lower\",\"upperdir=$BUNDLE/upper\",\"workdir=$BUNDLE/work\"]}" \
		'{destination:"/twice",type:"tmpfs",source:"a"}' '{destination:"/twice",type:"tmpfs",source:"b"}')"
	echo "$output$stderr"
	[ "$status" -eq 0 ]
	[ "$output" = $'5\nptmx\nlow\nptmx\n2' ]
	[ "$(cat "$BUNDLE/upper/new")" = up ]
}

@test "a read-only root has writable mounts on it, made though they weren't there" {
	in_container 'touch /x; echo y >/made/for/it/y && cat /made/for/it/y' "
		.root.readonly=true | $(mounts '{destination:"/made/for/it",type:"tmpfs",source:"tmpfs"}')"
	[ "$output" = y ]
	[[ $stderr == *"/x: Read-only file system"* ]]
}

@test "binds of files: onto a file, onto nothing, through a link, read-only" {
	echo host >"$BUNDLE/host"
	echo image >"$BUNDLE/rootfs/etc/image"
	ln -s /etc/image "$BUNDLE/rootfs/etc/link"
	in_container 'cat /etc/image /new/file /etc/link; echo x >/new/file; [ -L /etc/link ] && echo link' "$(mounts \
		'{destination:"/etc/link",type:"bind",source:"host",options:["bind"]}' \
		'{destination:"/new/file",type:"bind",source:"host",options:["bind","ro"]}')"
	[ "$output" = $'host\nhost\nhost\nlink' ]
	[[ $stderr == *"/new/file: Read-only file system"* ]]
	refused "$(mounts '{destination:"/etc",type:"bind",source:"host",options:["bind"]}')" "mounts[5] '/etc': "
}

@test "devices: type, number, mode and owner, and their defaults" {
	in_container 'umask 0; stat -c "%n %F %a %u %g %t:%T" /dev/mine /dev/sub/block /dev/pipe /dev/null /other/zero; cat /dev/mine | wc -c' '
		.linux.devices=[{type:"c",path:"/dev/mine",major:1,minor:3,fileMode:420,uid:5,gid:6},{type:"b",path:"/dev/sub/block",major:7,minor:300},
			{type:"p",path:"/dev/pipe"},{type:"u",path:"/other/zero",major:1,minor:5,fileMode:33188}]'
	echo "$output$stderr"
	[ "$output" = "/dev/mine character special file 644 5 6 1:3
/dev/sub/block block special file 666 0 0 7:12c
/dev/pipe fifo 666 0 0 0:0
/dev/null character special file 666 0 0 1:3
/other/zero character special file 644 0 0 1:5
0" ]
	mkdir "$BUNDLE/dev"
	in_container 'ls -A /dev' '.mounts|=map(select(.destination|startswith("/dev")|not)) | .mounts+=[{destination:"/dev",type:"bind",source:"dev",options:["bind"]}]'
	[ -z "$output" ]
}

@test "maskedPaths and readonlyPaths: files, directories, what lies below, and links stay inside" {
	mkdir -p "$BUNDLE/rootfs/m/sub" "$BUNDLE/rootfs/r/sub"
	echo secret >"$BUNDLE/rootfs/m/sub/file"
	echo secret >"$BUNDLE/rootfs/m.file"
	ln -s ../../../../../../m "$BUNDLE/rootfs/m.link"
	in_container 'ls -A /m; cat /m.file; touch /m/x; echo x >/m.file; touch /r/x; touch /r/sub/x' "
		.linux.maskedPaths=[\"/m.link\",\"/m.file\"] | .linux.readonlyPaths=[\"/r\"] | $(mounts '{destination:"/r/sub",type:"tmpfs",source:"t"}')"
	echo "$output$stderr"
	[ -z "$output" ]
	[[ $stderr == *"/m/x: Read-only file system"*"/r/x: Read-only file system"*"/r/sub/x: Read-only file system"* ]]
}

@test "sysctl: the container's own namespaces, the names of both forms, and nothing of the host's" {
	in_container 'cat /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_forward /proc/sys/fs/mqueue/msg_max /proc/sys/net/ipv4/conf/lo/forwarding; hostname -d 2>/dev/null; cat /proc/sys/kernel/domainname' '
		.linux.sysctl={"kernel.msgmax":"12345","net/ipv4/ip_forward":"1","fs.mqueue.msg_max":"77","net.ipv4.conf.lo.forwarding":"0","kernel.domainname":"dom"}'
	echo "$output$stderr"
	[ "$status" -eq 0 ]
	[ "${lines[0]} ${lines[1]} ${lines[2]} ${lines[3]} ${lines[-1]}" = "12345 1 77 0 dom" ]
	[ "$(cat /proc/sys/kernel/msgmax)" != 12345 ]
	local name
	for name in kernel.hostname kernel.core_pattern vm.swappiness fs.file-max net.ipv4/../x kernel.msgmax/ user.max_pid_namespaces 'net.ipv4.ip_forward\n'; do
		refused ".linux.sysctl={\"$name\":\"1\"}" "linux.sysctl: "
	done
	refused '.linux.sysctl={"kernel.msgmax":"1"} | .linux.namespaces|=map(select(.type!="ipc"))' "linux.sysctl: 'kernel.msgmax' would change the host's"
	refused '.linux.sysctl={"net.core.nosuch":"1"}' "linux.sysctl: 'net.core.nosuch' cannot be set to '1': No such file or directory"
}
