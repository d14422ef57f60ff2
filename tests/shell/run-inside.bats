#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What each option of lamina run is from inside the container, with images that say something too,
# and what is left when a run ends at any moment. Output, statuses and volumes are in run.bats, how
# options are passed on in run-options.bats.
load helpers

setup_file() {
	lamina_setup_file
	need_root
	need layerfs initlayer volctl nslaunch lamina-run jq
	import_busybox
	# make_config rich: an image that says all that an image can say.
	rich_image
}

setup() {
	lamina_setup
	RUN=$LAMINA_BIN/lamina-run
}

teardown() {
	lamina_teardown
	assert_nothing_left
}

# rich_image - rich:latest: busybox with a config of its own and a layer with data for its volume
rich_image() {
	local layout=$SCRATCH/rich diff_id digest size config manifest

	cp -a "$(busybox_image)" "$layout"
	mkdir -p "$SCRATCH/layer/data/deep" "$SCRATCH/layer/data/empty"
	echo from-image >"$SCRATCH/layer/data/deep/file"
	ln -s deep/file "$SCRATCH/layer/data/link"
	chown -R 1234:4321 "$SCRATCH/layer/data"
	chmod 2750 "$SCRATCH/layer/data"
	tar -C "$SCRATCH/layer" -cf "$SCRATCH/layer.tar" data
	diff_id=sha256:$(sha256sum <"$SCRATCH/layer.tar" | cut -c -64)
	size=$(stat -c %s "$SCRATCH/layer.tar")
	cp "$SCRATCH/layer.tar" "$layout/blobs/sha256/${diff_id#*:}"
	manifest=$layout/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' "$layout/index.json")
	config=$layout/blobs/sha256/$(jq -r '.config.digest[7:]' "$manifest")
	jq -c --arg diff "$diff_id" '.rootfs.diff_ids += [$diff] | del(.history) | .config |= . + {
		Entrypoint: ["/bin/sh", "-c"], Cmd: ["echo said by the image"],
		Env: ["PATH=/bin:/rich", "FROM=image", "KEPT=yes"], User: "1234:4321",
		WorkingDir: "/data/deep", Volumes: {"/data": {}}, StopSignal: "SIGUSR2",
		Labels: {"image": "label", "both": "image"}}' "$config" >"$SCRATCH/config"
	digest=$(sha256sum <"$SCRATCH/config" | cut -c -64)
	cp "$SCRATCH/config" "$layout/blobs/sha256/$digest"
	jq -c --arg d "sha256:$digest" --argjson s "$(stat -c %s "$SCRATCH/config")" \
		--arg layer "$diff_id" --argjson size "$size" '.config.digest = $d | .config.size = $s
		| .layers += [{mediaType: "application/vnd.oci.image.layer.v1.tar", digest: $layer,
			size: $size}]' "$manifest" >"$SCRATCH/manifest"
	digest=$(sha256sum <"$SCRATCH/manifest" | cut -c -64)
	cp "$SCRATCH/manifest" "$layout/blobs/sha256/$digest"
	jq -c --arg d "sha256:$digest" --argjson s "$(stat -c %s "$SCRATCH/manifest")" \
		'.manifests[0].digest = $d | .manifests[0].size = $s' "$layout/index.json" >"$SCRATCH/index"
	cp "$SCRATCH/index" "$layout/index.json"
	layerfs import "$layout" rich:latest >/dev/null
}

# v1 FILE - print a file of the container's cgroup from the hierarchy that has it
need_v1() {
	[ -d "/sys/fs/cgroup/$1" ] || skip "no cgroup v1 $1"
}

@test "what the image says holds where no option says else" {
	run -0 "$RUN" --rm rich
	[ "$output" = "said by the image" ]
	run -0 "$RUN" --rm rich 'echo $PATH $FROM $KEPT; id -u; id -g; pwd'
	[ "$output" = $'/bin:/rich image yes\n1234\n4321\n/data/deep' ]
	run -0 "$RUN" --rm -e FROM=option -e PATH=/bin -u 0 -w / rich 'echo $PATH $FROM $KEPT; id -u; id -g; pwd'
	[ "$output" = $'/bin option yes\n0\n0\n/' ]
	# A new entrypoint has the image's command no more.
	run -0 "$RUN" --rm --entrypoint /bin/echo rich
	[ -z "$output" ]
	run -125 "$RUN" --rm --entrypoint '' rich
	run -0 "$RUN" --rm --entrypoint '' rich echo direct
	[ "$output" = direct ]
}

@test "the image's volume has what the image has there, in Docker's way" {
	run -0 "$RUN" --rm rich 'stat -c "%a %u:%g" /data; cat /data/deep/file; readlink /data/link; ls /data
		awk "\$5 == \"/data\" { print \"mounted\" }" /proc/self/mountinfo'
	[ "$output" = $'2750 1234:4321\nfrom-image\ndeep/file\ndeep\nempty\nlink\nmounted' ]
	[ -z "$(volctl ls -q)" ]
	# A named one in its place is filled once, and never again.
	"$RUN" --rm -v dd:/data rich 'echo changed >/data/deep/file; rm /data/link'
	run -0 "$RUN" --rm -v dd:/data rich 'cat /data/deep/file; ls /data'
	[ "$output" = $'changed\ndeep\nempty' ]
	run -0 "$RUN" --rm -v nn:/data:nocopy -w / -u 0 rich 'ls -A /data; stat -c %a:%u /data'
	[ "$output" = 755:0 ]
	# A host's directory hides what the image has, and gets nothing.
	mkdir host
	run -0 "$RUN" --rm -v "$PWD/host:/data" -w / rich 'ls -A /data'
	[ -z "$output" ]
	[ -z "$(ls -A host)" ]
	volctl rm dd nn
}

@test "without --rm an anonymous volume stays with its container" {
	"$RUN" --name keeper rich 'echo mine >/data/mine'
	volume=$(volctl ls -q)
	[[ $volume =~ ^[0-9a-f]{64}$ ]]
	[ "$(<"$LAMINA_STORE/volumes/$volume/_data/mine")" = mine ]
	lamina rm keeper
	volctl rm "$volume"
}

@test "several volumes at once, one in another, in whatever order they are said" {
	run -0 "$RUN" --rm -v inner:/a/b/c -v outer:/a --tmpfs /a/b/t --mount type=tmpfs,dst=/a/m,tmpfs-size=64k,tmpfs-mode=700 \
		busybox sh -c 'echo 1 >/a/b/c/in; echo 2 >/a/out; touch /a/b/t/x; df -k /a/m | awk "NR > 1 { print \$2 }"; stat -c %a /a/m'
	[ "$output" = $'64\n700' ]
	[ "$(<"$LAMINA_STORE/volumes/inner/_data/in")" = 1 ]
	[ "$(<"$LAMINA_STORE/volumes/outer/_data/out")" = 2 ]
	volctl rm inner outer
}

@test "a file of the host can be mounted on a file, and a new name on a read-only root" {
	echo text >file
	run -0 "$RUN" --rm -v "$PWD/file:/etc/passwd:ro" -v "$PWD/file:/made/by/the/mount" --read-only busybox \
		cat /etc/passwd /made/by/the/mount
	[ "$output" = $'text\ntext' ]
	run -125 "$RUN" --rm --mount "type=bind,source=$PWD/nowhere,target=/x" busybox true
	[[ $output == *nowhere* ]]
	[ ! -e nowhere ]
	# -v makes the directory, as Docker's does.
	"$RUN" --rm -v "$PWD/made:/x" busybox touch /x/y
	[ -e made/y ]
}

@test "the memory limit holds: who needs more is killed, and the status is 137" {
	need_v1 memory
	run -0 "$RUN" --rm -m 16m busybox cat /sys/fs/cgroup/memory/memory.limit_in_bytes
	[ "$output" = 16777216 ]
	run -137 "$RUN" --rm -m 16m busybox sh -c 'tail /dev/zero; exit $?'
	# The killed one needn't be the first process.
	run -137 "$RUN" --rm --init -m 16m busybox tail /dev/zero
	run -0 "$RUN" --rm -m 64m busybox true
}

@test "the limit of processes holds" {
	need_v1 pids
	run -0 "$RUN" --rm --pids-limit 6 busybox cat /sys/fs/cgroup/pids/pids.max
	[ "$output" = 6 ]
	run ! "$RUN" --rm --pids-limit 6 busybox sh -c 'for i in 1 2 3 4 5 6 7 8 9; do sleep 60 & done; wait'
	[[ $output == *"fork"* ]]
	for limit in 0 -1; do
		run -0 "$RUN" --rm --pids-limit=$limit busybox cat /sys/fs/cgroup/pids/pids.max
		[ "$output" = max ]
	done
}

@test "processors are a quota of the period" {
	need_v1 cpu
	run -0 "$RUN" --rm --cpus 0.25 busybox cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us
	[ "$output" = $'25000\n100000' ]
	run -125 "$RUN" --rm --cpus 1000 busybox true
	run -125 "$RUN" --rm --cpus -1 busybox true
}

@test "--init reaps what is left to it, and passes signals on" {
	run -0 "$RUN" --rm --init busybox sh -c '(sh -c "sleep 0.1 & echo \$!") >/tmp/pid
		i=0; while [ -e "/proc/$(cat /tmp/pid)" ] && [ $i -lt 600 ]; do sleep 0.1; i=$((i + 1)); done; ps -o stat'
	[[ $output != *Z* ]]
	# Without it an orphan stays a zombie: sh reaps only its own.
	"$RUN" --rm --init busybox sh -c 'trap "exit 9" USR1; echo up; while :; do sleep 0.05; done' >out 3>&- &
	until [ -s out ]; do sleep 0.02; done
	kill -USR1 $!
	wait $! && status=0 || status=$?
	[ "$status" -eq 9 ]
	run -0 "$RUN" --rm --init busybox sh -c 'readlink /proc/1/exe'
	[ "$output" = /sbin/docker-init ]
}

@test "stop signal and labels are recorded, the option's over the image's" {
	"$RUN" --name recorded -l both=option -l new --label x=y=z rich true
	run -0 jq -c '.Config | .StopSignal, .Labels' "$LAMINA_STORE/names/recorded/container.json"
	[ "$output" = $'"SIGUSR2"\n{"image":"label","both":"option","new":"","x":"y=z"}' ] ||
		[ "$(jq -S . <<<"${lines[1]}")" = "$(jq -S . <<<'{"image":"label","both":"option","new":"","x":"y=z"}')" ]
	lamina rm recorded
	"$RUN" --name recorded --stop-signal INT busybox true
	[ "$(jq -r .Config.StopSignal "$LAMINA_STORE/names/recorded/container.json")" = INT ]
	lamina rm recorded
	volctl prune --force >/dev/null 2>&1 || volctl ls -q | xargs -r volctl rm
}

@test "--privileged has all capabilities and devices, and nothing hidden" {
	local all
	all=$(awk '/CapBnd/ { print $2 }' /proc/self/status)
	run -0 "$RUN" --rm --privileged busybox sh -c 'awk "/CapEff/ { print \$2 }" /proc/self/status
		[ -e /dev/kmsg ] && echo kmsg; [ -w /proc/sys/kernel/hostname ] && echo writable
		mkdir /m && mount -t tmpfs none /m && echo mounted; [ "$(wc -c </proc/interrupts)" -gt 0 ] && echo seen'
	[ "$output" = "$all"$'\nkmsg\nwritable\nmounted\nseen' ]
	run -0 "$RUN" --rm busybox sh -c '[ -e /dev/kmsg ] || echo none; mount -t tmpfs none /mnt 2>/dev/null || echo refused
		touch /proc/sys/kernel/hostname 2>/dev/null || echo refused; wc -c </proc/keys
		mknod /dev/sda b 8 0 && cat </dev/sda || echo refused' 2>/dev/null
	[[ $output == none$'\n'refused$'\n'refused$'\n'0$'\n'*refused ]]
}

@test "a seccomp profile from a file is the one that counts" {
	cat >profile.json <<-'EOF'
		{"defaultAction": "SCMP_ACT_ALLOW",
		 "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}
	EOF
	run -1 "$RUN" --rm --security-opt seccomp=profile.json busybox mkdir /x
	[[ $output == *"No space left on device"* ]]
	run -0 "$RUN" --rm busybox mkdir /x
	run -125 "$RUN" --rm --security-opt seccomp=nosuch.json busybox true
	[[ $output == *nosuch.json* ]]
	echo '{' >profile.json
	run -125 "$RUN" --rm --security-opt seccomp=profile.json busybox true
	# What the default refuses, unconfined doesn't.
	run ! "$RUN" --rm busybox unshare -U true
	run -0 "$RUN" --rm --security-opt seccomp=unconfined busybox unshare -U true
}

@test "no-new-privileges is in force" {
	run -0 "$RUN" --rm --security-opt no-new-privileges -u 1000 busybox grep NoNewPrivs /proc/self/status
	[[ $output == *1 ]]
	run -0 "$RUN" --rm --security-opt no-new-privileges=false busybox grep NoNewPrivs /proc/self/status
	[[ $output == *0 ]]
}

@test "another user has no capabilities, and the groups of the image" {
	run -0 "$RUN" --rm -u 1000 busybox awk '/Cap(Eff|Prm|Inh|Amb)/ { print $2 }' /proc/self/status
	[ "$(sort -u <<<"$output")" = 0000000000000000 ]
	run -0 "$RUN" --rm -u root busybox id
	[[ $output == *"10(wheel)"* ]]
	run -0 "$RUN" --rm -u 1000:1001 busybox sh -c 'id -u; id -g; id -G; echo $HOME'
	[ "$output" = $'1000\n1001\n1001\n/' ]
}

@test "the working directory is made where it isn't there" {
	run -0 "$RUN" --rm -w /made/for/it busybox sh -c 'pwd; stat -c "%a %u" . ..'
	[ "$output" = $'/made/for/it\n755 0\n755 0' ]
	run "$RUN" --rm -w /etc/passwd busybox true
	[ "$status" -ge 125 ]
}

@test "host name, hosts and resolv.conf are the container's own" {
	run -0 "$RUN" --rm -h box busybox sh -c 'hostname; cat /etc/hostname; grep -c localhost /etc/hosts; [ -s /etc/resolv.conf ] && echo ok'
	[ "$output" = $'box\nbox\n2\nok' ]
	run -0 "$RUN" --rm -h box busybox sh -c 'echo 1.2.3.4 x >>/etc/hosts && tail -n 1 /etc/hosts'
	[ "$output" = "1.2.3.4 x" ]
	run -0 "$RUN" --rm --cidfile cid busybox hostname
	[ "$output" = "$(cut -c -12 cid)" ]
	run -0 "$RUN" --rm --network host busybox hostname
	[ "$output" = "$(uname -n)" ]
}

@test "the container sees its own processes, mounts, and cgroup, and no descriptor of ours" {
	run -0 "$RUN" --rm busybox sh -c 'ls -d /proc/[0-9]* | wc -l; echo $$'
	[ "$((lines[0]))" -le 4 ]
	[ "${lines[1]}" = 1 ]
	run -0 "$RUN" --rm busybox sh -c 'ls /proc/1/fd; cut -d: -f3 /proc/self/cgroup | sort -u' 7</dev/null 9</dev/null
	[ "$output" = $'0\n1\n2\n10\n/' ] || [ "$output" = $'0\n1\n2\n/' ]
	run -0 "$RUN" --rm busybox grep -cE " /(var|dev/shm/lamina|home)" /proc/self/mounts || [ "$output" = 0 ]
}

@test "/dev is Docker's" {
	run -0 "$RUN" --rm busybox sh -c 'cd /dev; ls; stat -c "%n %a %t:%T" null zero full random urandom tty; for i in fd stdin stdout stderr core ptmx; do readlink $i; done'
	[ "$output" = "$(printf '%s\n' core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero \
		"null 666 1:3" "zero 666 1:5" "full 666 1:7" "random 666 1:8" "urandom 666 1:9" "tty 666 5:0" \
		/proc/self/fd /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/kcore pts/ptmx)" ]
	run -0 "$RUN" --rm busybox sh -c 'echo x >/dev/null; head -c 3 /dev/zero | wc -c; echo y >/dev/shm/f; cat /dev/shm/f'
	[ "$output" = $'3\ny' ]
}

@test "--env-file has Docker's rules" {
	printf '# no\n\nA=1\nB=two words\nC=a=b\nFROM_HERE\nNOT_HERE\n  D=lead\n"E"=quoted\nF=\n' >env-file
	FROM_HERE=here "$RUN" --rm --env-file env-file -e A=2 busybox env | sort >out
	grep -qx 'A=2' out
	grep -qx 'B=two words' out
	grep -qx 'C=a=b' out
	grep -qx 'FROM_HERE=here' out
	! grep -q NOT_HERE out
	grep -qx 'D=lead' out
	grep -qx '"E"=quoted' out
	grep -qx 'F=' out
	printf 'bad name=1\n' >env-file
	run -125 "$RUN" --rm --env-file env-file busybox true
	[[ $output == *"bad name"* ]]
}

@test "a terminal has its size, its input and its signals" {
	need script
	run script -qec "stty rows 41 cols 123; '$RUN' --rm -it busybox sh -c 'stty size; echo \$TERM; test -t 2 && echo tty'" /dev/null
	[ "$status" -eq 0 ]
	# script echoes the end of its own input.
	output=${output//$'\r'/}
	[ "${output//^@/}" = $'41 123\nxterm\ntty' ]
	# ^C typed is the container's.
	(
		until_true grep -qs up out
		printf '\003'
		until_true grep -q got out
	) | script -qfec "'$RUN' --rm -it busybox sh -c 'trap \"echo got; exit 5\" INT; echo up; while :; do sleep 0.1; done'" out >/dev/null ||
		status=$?
	[ "$status" -eq 5 ]
	grep -q got out
	run -0 "$RUN" --rm -t busybox tty
	[[ $output == /dev/pts/0* ]]
}

# moments - seconds, spread over what a run takes on this machine now
moments() {
	local begin=${EPOCHREALTIME/./}

	"$RUN" --rm -v vv:/v busybox true
	awk -v us=$((${EPOCHREALTIME/./} - begin)) \
		'BEGIN { for (i = 1; i <= 10; i++) printf "%f\n", us * i / 9 / 1e6 }'
}

# clean_up_killed - what a killed run leaves is gone soon, or goes with the words for it
clean_up_killed() {
	local id
	until_true eval '[ -z "$(scratch_processes)" ]'
	for id in "$LAMINA_STATE"/[!@]*; do
		[ ! -e "$id" ] || nslaunch delete --force "${id##*/}"
	done
	layerfs rm --incomplete >/dev/null
	volctl ls -q | xargs -r volctl rm >/dev/null
	find "$LAMINA_STORE/staging" -mindepth 1 -delete
}

@test "TERM, INT, HUP at any moment leave nothing" {
	local delay signal n=0
	for signal in TERM INT HUP; do
		for delay in $(moments); do
			# A group of its own, as a terminal's ^C has it; exec undoes the shell's ignoring INT.
			setsid bash -c 'trap - INT; exec "$@"' - env --default-signal=INT,QUIT \
				"$RUN" --rm --name victim --cidfile "$PWD/cid-$n" -v vv:/v busybox \
				sh -c 'trap "exit 0" TERM INT HUP; i=0; while [ $i -lt 2000 ]; do sleep 0.05; i=$((i + 1)); done; exit 99' \
				3>&- >/dev/null 2>err &
			sleep "$delay"
			pid=$!
			kill -"$signal" -- "-$pid" 2>/dev/null || :
			# A program that runs and has no trap yet hears nothing as process 1: its
			# user asks again.
			(while sleep 2; do kill -"$signal" -- "-$pid"; done) 3>&- >/dev/null 2>&1 &
			again=$!
			status=0
			wait "$pid" || status=$?
			kill "$again" 2>/dev/null && wait "$again" || :
			echo "$signal $delay $status $(<err)"
			[ "$status" -ne 99 ]
			[ -z "$(left_files)" ]
			[ ! -d "$LAMINA_STORE/containers" ] || [ -z "$(ls "$LAMINA_STORE/containers")" ]
			n=$((n + 1))
		done
	done
	volctl rm vv || :
	[ -z "$(volctl ls -q)" ]
	[ -z "$(left_cgroups)" ]
}

@test "kill -9 at any moment leaves only what the words for it remove" {
	local delay
	for delay in $(moments); do
		setsid "$RUN" --rm --name victim -v /anonymous -v vv:/v busybox sleep 100 3>&- >/dev/null 2>&1 &
		sleep "$delay"
		kill -KILL -- "-$!" 2>/dev/null || :
		wait "$!" || :
		clean_up_killed
		assert_nothing_left
		# And the name is free.
		"$RUN" --rm --name victim busybox true
	done
	[ -z "$(left_cgroups)" ]
}
