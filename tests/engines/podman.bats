#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# podman's operations with nslaunch as its runtime, against Debian's crun. Those that find the most
# have the tag `core`.
load podman

setup_file() {
	need podman crun
	podman_setup
}

teardown_file() {
	podman_teardown
}

# bats test_tags=core
@test "podman run: the exit status is the program's" {
	operation <<'END'
		exits 0 engine run --rm busybox true
		exits 7 engine run --rm busybox sh -c 'exit 7'
		is in "$(echo in | engine run --rm -i busybox cat)"
		output=$(engine run --rm busybox sh -c 'echo out; echo err >&2' 2>errors)
		is out "$output"
		is err "$(cat errors)"
END
}

# bats test_tags=core
@test "podman run: what can't be run is 127, 126 or 125" {
	operation <<'END'
		exits 127 engine run --rm busybox not-there 2>errors
		has "$(cat errors)" 'not found'
		exits 127 engine run --rm busybox /not/there 2>errors
		exits 126 engine run --rm busybox /etc/passwd 2>errors
		has "$(cat errors)" 'ermission denied'
		exits 126 engine run --rm busybox /etc 2>errors
		exits 125 engine run --rm --no-such-option busybox true 2>errors
END
}

# bats test_tags=core
@test "podman run -d, logs, wait, kill: signals reach the program" {
	operation <<'END'
		engine run -d --name "$C" busybox sh -c '
			trap "echo usr1; exit 5" USR1
			echo ready
			while :; do sleep 0.1; done'
		eventually says podman logs "$C" -- ready
		is running "$(state "$C" Status)"
		podman kill -s USR1 "$C"
		is 5 "$(podman wait "$C")"
		has "$(podman logs "$C")" usr1
		is "exited 5" "$(state "$C" Status) $(state "$C" ExitCode)"
		engine run -d --name "$C-2" busybox sleep inf
		podman kill "$C-2"
		is 137 "$(podman wait "$C-2")"
		podman rm "$C" "$C-2"
END
}

# bats test_tags=core
@test "podman exec: output, exit status, -d, -u, -w, -e, -i" {
	operation <<'END'
		engine run -d --name "$C" -e A=1 busybox sleep inf
		is 1 "$(podman exec "$C" sh -c 'echo $A')"
		exits 9 podman exec "$C" sh -c 'exit 9'
		is "2 /usr/bin 3" "$(podman exec -w /usr/bin -e A=2 -e B=3 "$C" sh -c 'echo $A $PWD $B')"
		is "5:6" "$(podman exec -u 5:6 "$C" sh -c 'echo $(id -u):$(id -g)')"
		is in "$(echo in | podman exec -i "$C" cat)"
		podman exec -d "$C" sh -c 'echo detached >/tmp/file; exec sleep inf'
		eventually podman exec "$C" grep -q detached /tmp/file
		exits 127 podman exec "$C" not-there 2>errors
		exits 126 podman exec "$C" /etc/passwd 2>errors
		is err "$(podman exec "$C" sh -c 'echo err >&2' 2>&1 >file)"
		podman exec "$C" sh -c 'kill -0 1 && cat /proc/1/comm'
		podman rm -f -t 0 "$C"
END
}

# bats test_tags=core
@test "podman run -it and exec -it: a terminal with a size" {
	operation <<'END'
		output=$(on_terminal podman --runtime "$RUNTIME" run --rm -it busybox \
			sh -c 'tty; stty size; test -t 1 && echo yes')
		has "$output" /dev/
		has "$output" yes
		engine run -d --name "$C" busybox sleep inf
		output=$(on_terminal podman exec -it "$C" sh -c 'tty; test -t 0 && echo yes; exit 0')
		has "$output" /dev/pts/
		has "$output" yes
		exits 3 on_terminal podman exec -it "$C" sh -c 'exit 3'
		podman rm -f -t 0 "$C"
END
}

# bats test_tags=core
@test "podman ps, top, inspect, info" {
	operation <<'END'
		engine run -d --name "$C" busybox sleep inf
		has "$(podman ps --filter name="$C" --format '{{.Names}} {{.Status}}')" "$C Up"
		has "$(podman top "$C")" sleep
		has "$(podman top "$C" pid hpid comm user)" sleep
		pid=$(state "$C" Pid)
		has "$(cat /proc/"$pid"/cmdline | tr '\0' ' ')" sleep
		has "$(podman inspect "$C")" "${RUNTIME##*/}"
		has "$(engine info --format '{{.Host.OCIRuntime.Name}}')" "${RUNTIME##*/}"
		has "$(engine info --format '{{.Host.OCIRuntime.Version}}')" "${RUNTIME##*/}"
		podman rm -f -t 0 "$C"
		exits 125 podman inspect "$C"
END
}

# bats test_tags=core
@test "podman stop: TERM first, KILL when the time is over; start again; restart" {
	operation <<'END'
		engine run -d --name "$C" busybox sh -c '
			trap "echo term; exit 3" TERM
			echo ready
			while :; do sleep 0.1; done'
		eventually says podman logs "$C" -- ready
		podman stop "$C"
		is "exited 3" "$(state "$C" Status) $(state "$C" ExitCode)"
		podman start "$C"
		is running "$(state "$C" Status)"
		pid=$(state "$C" Pid)
		podman restart -t 0 "$C"
		is running "$(state "$C" Status)"
		[ "$pid" != "$(state "$C" Pid)" ]
		podman rm -f -t 0 "$C"
		engine run -d --name "$C" --stop-signal USR2 busybox sh -c 'trap "" USR2; sleep inf'
		podman stop -t 1 "$C"
		is 137 "$(state "$C" ExitCode)"
		podman rm "$C"
END
}

# bats test_tags=core
@test "podman pause, unpause: nothing runs meanwhile" {
	operation <<'END'
		engine run -d --name "$C" busybox sh -c 'while :; do echo >>/n; sleep 0.02; done'
		eventually podman exec "$C" test -s /n
		podman pause "$C"
		is paused "$(state "$C" Status)"
		root=/proc/$(state "$C" Pid)/root
		n=$(wc -l <"$root/n")
		sleep 0.3
		is "$n" "$(wc -l <"$root/n")"
		exits 255 podman exec "$C" true
		podman unpause "$C"
		is running "$(state "$C" Status)"
		more() { [ "$(wc -l <"$root/n")" -gt "$n" ]; }
		eventually more
		podman rm -f -t 0 "$C"
END
}

@test "podman rm -f: a paused container, a running one, one that was only created" {
	operation <<'END'
		engine run -d --name "$C" busybox sleep inf
		podman pause "$C"
		podman unpause "$C"
		podman pause "$C"
		podman rm -f -t 0 "$C"
		engine create --name "$C" busybox sleep inf
		podman rm "$C"
		engine create --name "$C" busybox sleep inf
		podman init "$C"
		is initialized "$(state "$C" Status)"
		podman start "$C"
		is running "$(state "$C" Status)"
		exits 2 podman rm "$C"
		podman rm -f -t 0 "$C"
		exits 125 podman inspect "$C"
END
}

# bats test_tags=core
@test "podman stats: memory, processes" {
	operation <<'END'
		engine run -d --name "$C" --memory 64m busybox sh -c 'dd if=/dev/zero of=/dev/shm/x bs=1M count=8; sleep inf'
		used() { [[ $(podman stats --no-stream --format '{{.MemUsage}}' "$C") =~ ^[1-9].*MB ]]; }
		eventually used
		has "$(podman stats --no-stream --format '{{.MemUsage}}' "$C")" 67.11MB
		is 2 "$(podman stats --no-stream --format '{{.PIDs}}' "$C")" ||
			is 1 "$(podman stats --no-stream --format '{{.PIDs}}' "$C")"
		podman rm -f -t 0 "$C"
END
}

# bats test_tags=core
@test "podman start -a, attach: standard input and output" {
	operation <<'END'
		engine create --name "$C" -i busybox sh -c 'read x; echo "got $x"; exit 4'
		exits 4 podman start -ai "$C" <<<hello >output
		has "$(cat output)" "got hello"
		podman rm "$C"
		engine run -d -i --name "$C" busybox sh -c 'read x; echo "got $x"; exit 6'
		podman attach "$C" <<<again >output
		is 6 "$(podman wait "$C")"
		has "$(podman logs "$C")" "got again"
		podman rm "$C"
END
}

@test "podman cp, diff, commit, export" {
	operation <<'END'
		engine run -d --name "$C" busybox sleep inf
		echo content >file
		podman cp file "$C":/home/file
		is content "$(podman exec "$C" cat /home/file)"
		podman exec "$C" sh -c 'echo inside >/home/other'
		podman cp "$C":/home/other other
		is inside "$(cat other)"
		has "$(podman diff "$C")" /home/other
		podman commit -q "$C" "$C-image"
		is inside "$(engine run --rm "$C-image" cat /home/other)"
		podman export -o exported "$C"
		has "$(tar -tf exported)" home/other
		podman stop -t 0 "$C"
		podman cp file "$C":/home/third
		podman start "$C"
		is content "$(podman exec "$C" cat /home/third)"
		podman rm -f -t 0 "$C"
		podman rmi "$C-image"
END
}

# bats test_tags=core
@test "podman pod: create, run --pod, stop, start, rm" {
	operation <<'END'
		engine pod create --name "$C" --share ipc,uts,net,pid --hostname of-the-pod
		engine run -d --pod "$C" --name "$C-a" busybox sh -c 'echo shared >/dev/shm/x; sleep inf'
		eventually podman exec "$C-a" test -s /dev/shm/x
		is shared "$(engine run --rm --pod "$C" busybox cat /dev/shm/x)"
		is of-the-pod "$(podman exec "$C-a" hostname)"
		has "$(podman exec "$C-a" ps)" "sleep inf"
		is Running "$(podman pod inspect -f '{{.State}}' "$C")"
		podman pod pause "$C"
		podman pod unpause "$C"
		has "$(podman pod top "$C")" sleep
		podman pod stop -t 0 "$C"
		is Exited "$(podman pod inspect -f '{{.State}}' "$C")"
		podman pod start "$C"
		is Running "$(podman pod inspect -f '{{.State}}' "$C")"
		podman pod kill "$C"
		podman pod rm -f -t 0 "$C"
END
}

@test "podman pod: limits of the whole pod" {
	operation <<'END'
		engine pod create --name "$C" --cpus 0.5 --memory 64m
		engine run -d --pod "$C" --name "$C-a" busybox sleep inf
		is Running "$(podman pod inspect -f '{{.State}}' "$C")"
		podman pod rm -f -t 0 "$C"
END
}

# bats test_tags=core
@test "podman play kube: a pod of two containers, and down" {
	operation <<'END'
		cat >pod.yaml <<-YAML
			apiVersion: v1
			kind: Pod
			metadata: { name: $C }
			spec:
			  restartPolicy: Never
			  volumes: [{ name: shared, emptyDir: {} }]
			  containers:
			  - name: one
			    image: localhost/busybox:latest
			    command: [sh, -c, "echo kube >/shared/file; sleep inf"]
			    volumeMounts: [{ name: shared, mountPath: /shared }]
			    env: [{ name: A, value: b }]
			    resources: { limits: { memory: 64Mi, cpu: 500m } }
			  - name: two
			    image: localhost/busybox:latest
			    command: [sleep, inf]
			    volumeMounts: [{ name: shared, mountPath: /shared }]
			    securityContext: { runAsUser: 7, readOnlyRootFilesystem: true }
		YAML
		engine play kube --network none pod.yaml
		eventually podman exec "$C-two" grep -q kube /shared/file
		is 7 "$(podman exec "$C-two" id -u)"
		is b "$(podman exec "$C-one" sh -c 'echo $A')"
		engine play kube --down pod.yaml
		exits 125 podman pod inspect "$C"
END
}

# bats test_tags=core
@test "podman run --uidmap and --gidmap" {
	operation <<'END'
		[ -e /proc/self/ns/user ] || skipped "no user namespaces"
		engine run -d --name "$C" --uidmap 0:100000:1000 --gidmap 0:100000:1000 busybox sleep inf
		is 100000 "$(stat -c %u /proc/"$(state "$C" Pid)")"
		is 0 "$(podman exec "$C" id -u)"
		podman exec "$C" touch /file
		is 0 "$(podman exec "$C" stat -c %u /file)"
		podman rm -f -t 0 "$C"
END
}

@test "podman run --uidmap and --gidmap of several ranges" {
	operation <<'END'
		map=$(engine run --rm --uidmap 0:100000:500 --uidmap 500:200000:100 \
			--gidmap 0:100000:1000 busybox cat /proc/self/uid_map | tr -s ' ' | tr '\n' ,)
		is " 0 100000 500, 500 200000 100," "$map"
END
}

@test "podman run --userns=host" {
	operation <<'END'
		has "$(engine run --rm --userns=host busybox cat /proc/self/uid_map)" 4294967295
END
}

@test "podman run --userns=auto" {
	operation <<'END'
		grep -qs ^containers: /etc/subuid || {
			cp /etc/subuid subuid 2>/dev/null || :
			echo containers:2147483647:2147483648 >>subuid
			cp subuid /run/subuid
			touch /etc/subuid /etc/subgid
			unshare -m true
			mount --bind /run/subuid /etc/subuid
			mount --bind /run/subuid /etc/subgid
		}
		map=$(engine run --rm --userns=auto:size=2000 busybox cat /proc/self/uid_map)
		lacks "$map" 4294967295
		has "$map" 2000
END
}

@test "podman run --userns=nomap" {
	operation <<'END'
		engine run --rm --userns=nomap busybox id
END
}

@test "podman run --userns=keep-id" {
	operation <<'END'
		engine run --rm --userns=keep-id busybox id
END
}

@test "podman run --userns=container: and --userns=ns:" {
	operation <<'END'
		engine run -d --name "$C" --uidmap 0:100000:1000 --gidmap 0:100000:1000 busybox sleep inf
		has "$(engine run --rm --userns=container:"$C" busybox cat /proc/self/uid_map)" 100000
		podman rm -f -t 0 "$C"
END
}

@test "podman run --uidmap with volumes: :U, :idmap, tmpfs" {
	operation <<'END'
		mkdir data
		chmod 755 . data
		engine run --rm --uidmap 0:100000:1000 --gidmap 0:100000:1000 -v "$PWD/data:/data:U" \
			--tmpfs /scratch busybox sh -c 'echo x >/data/file; echo y >/scratch/file'
		is 100000 "$(stat -c %u data/file)"
END
}

# bats test_tags=core
@test "podman run --memory, --cpus, --pids-limit, --cpu-shares" {
	operation <<'END'
		engine run -d --name "$C" --memory 64m --cpus 0.5 --pids-limit 33 --cpu-shares 512 \
			busybox sleep inf
		pid=$(state "$C" Pid)
		is 67108864 "$(cgroup_value memory memory.limit_in_bytes memory.max "$pid")"
		is 33 "$(cgroup_value pids pids.max pids.max "$pid")"
		[[ $(cgroup_value cpu cpu.cfs_quota_us cpu.max "$pid") == 50000* ]]
		[ ! -e /sys/fs/cgroup/cpu ] || is 512 "$(cgroup_value cpu cpu.shares cpu.weight "$pid")"
		podman rm -f -t 0 "$C"
END
}

@test "podman run --cpuset-cpus, --blkio-weight, --memory-swap, --device-write-bps" {
	operation <<'END'
		engine run -d --name "$C" --cpuset-cpus 0 --memory 64m --memory-swap 64m \
			--memory-reservation 32m busybox sleep inf
		is 0 "$(podman exec "$C" sh -c 'grep Cpus_allowed_list /proc/self/status' | cut -f 2)"
		podman rm -f -t 0 "$C"
		engine run --rm --blkio-weight 200 busybox true
END
}

@test "podman run --device-read-bps" {
	operation <<'END'
		device=$(lsblk -dnpo NAME 2>/dev/null | head -n 1)
		[ -b "$device" ] || skipped "no block device"
		engine run --rm --device-read-bps "$device:1mb" busybox true
END
}

@test "podman run: too much memory ends it" {
	operation <<'END'
		exits 137 engine run --name "$C" --memory 16m --memory-swap 16m --tmpfs /t:size=64m busybox \
			sh -c 'exec dd if=/dev/zero of=/t/x bs=1M count=60'
		podman rm "$C"
END
}

@test "podman inspect: OOMKilled" {
	operation <<'END'
		exits 137 engine run --name "$C" --memory 16m --memory-swap 16m --tmpfs /t:size=64m busybox \
			sh -c 'exec dd if=/dev/zero of=/t/x bs=1M count=60'
		is true "$(state "$C" OOMKilled)"
END
}

@test "podman update: memory, cpus" {
	operation <<'END'
		engine run -d --name "$C" --memory 64m busybox sleep inf
		engine update --memory 128m --cpus 0.25 "$C"
		pid=$(state "$C" Pid)
		is 134217728 "$(cgroup_value memory memory.limit_in_bytes memory.max "$pid")"
		[[ $(cgroup_value cpu cpu.cfs_quota_us cpu.max "$pid") == 25000* ]]
		podman rm -f -t 0 "$C"
END
}

# bats test_tags=core
@test "podman run --read-only, --tmpfs, --mount with options" {
	operation <<'END'
		exits 1 engine run --rm --read-only --tmpfs /scratch:size=1m,mode=1700 busybox sh -c '
			echo x >/scratch/x && echo y >/tmp/y && touch /file' 2>errors
		has "$(cat errors)" Read-only
		mkdir data
		echo 'echo ran' >data/script
		chmod +x data/script
		chmod 755 .
		is "content" "$(engine run --rm -v "$PWD/data:/data" busybox sh -c '
			echo content >/data/file; cat /data/file')"
		is content "$(cat data/file)"
		exits 1 engine run --rm -v "$PWD/data:/data:ro" busybox touch /data/no 2>errors
		options=$(engine run --rm \
			--mount type=bind,src="$PWD/data",dst=/data,ro,bind-propagation=rslave \
			--mount type=tmpfs,dst=/t,tmpfs-size=2m,tmpfs-mode=1701 \
			-v "$PWD/data:/noexec:noexec,nosuid,nodev" \
			busybox cat /proc/mounts)
		has "$options" "/t tmpfs rw"
		has "$options" "size=2048k,mode=1701"
		[[ $options =~ \ /data\ [a-z0-9]+\ ro ]]
		[[ $options =~ /noexec\ [a-z0-9]+\ rw,nosuid,nodev,noexec ]]
END
}

@test "podman run: volumes, --volumes-from, copied up from the image" {
	operation <<'END'
		engine run --name "$C" -v "$C-volume:/etc" busybox sh -c 'test -s /etc/passwd; echo x >/etc/x'
		is x "$(engine run --rm --volumes-from "$C" busybox cat /etc/x)"
		engine run --rm -v "$C-volume:/v:ro" busybox test -s /v/passwd
		podman rm "$C"
		podman volume rm "$C-volume"
		mkdir lower
		echo below >lower/file
		chmod 755 .
		is changed "$(engine run --rm -v "$PWD/lower:/o:O" busybox sh -c '
			echo changed >/o/file; cat /o/file')"
		is below "$(cat lower/file)"
END
}

@test "podman run: mount propagation shared, slave, private" {
	operation <<'END'
		mkdir shared
		mount -t tmpfs propagation shared
		mount --make-shared shared
		trap 'umount -R shared' EXIT
		mkdir shared/sub
		engine run -d --name "$C" -v "$PWD/shared:/s:rslave" busybox sleep inf
		mount -t tmpfs sub shared/sub
		has "$(podman exec "$C" cat /proc/mounts)" /s/sub
		podman rm -f -t 0 "$C"
		umount shared/sub
		engine run --rm --privileged -v "$PWD/shared:/s:rshared" busybox mount -t tmpfs x /s/sub
		mountpoint shared/sub
END
}

# bats test_tags=core
@test "podman run --cap-add, --cap-drop" {
	operation <<'END'
		caps() { engine run --rm "$@" busybox grep CapEff /proc/self/status | cut -f 2; }
		is 0000000000000000 "$(caps --cap-drop ALL)"
		is 0000000000200000 "$(caps --cap-drop ALL --cap-add SYS_ADMIN)"
		is 00000000a00425fb "$(caps --cap-drop MKNOD)"
		is 0000000000000000 "$(caps --user 5)"
		is 0000000000001000 "$(engine run --rm --user 5 --cap-drop ALL --cap-add NET_ADMIN busybox \
			grep CapEff /proc/self/status | cut -f 2)"
END
}

# bats test_tags=core
@test "podman run --security-opt: seccomp, no-new-privileges, mask, unmask" {
	operation <<'END'
		cat >profile.json <<-'JSON'
			{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
			"syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}]}
		JSON
		exits 1 engine run --rm --security-opt seccomp=profile.json busybox mkdir /x 2>errors
		has "$(cat errors)" 'not implemented'
		mode() { engine run --rm "$@" busybox grep -E '^(Seccomp|NoNewPrivs):' /proc/self/status; }
		has "$(mode)" "Seccomp:	2"
		has "$(mode --security-opt seccomp=unconfined)" "Seccomp:	0"
		has "$(mode --security-opt no-new-privileges)" "NoNewPrivs:	1"
		is 0 "$(engine run --rm busybox wc -c /proc/timer_list | cut -d ' ' -f 1)"
		engine run --rm --security-opt unmask=/proc/timer_list busybox \
			sh -c 'test $(head -c 100 /proc/timer_list | wc -c) -gt 0'
		is 0 "$(engine run --rm --security-opt mask=/etc/passwd busybox wc -c /etc/passwd |
			cut -d ' ' -f 1)"
END
}

@test "podman run: its own seccomp profile refuses what it names" {
	operation <<'END'
		exits 1 engine run --rm busybox unshare -m true 2>errors
		has "$(cat errors)" 'not permitted'
		engine run --rm --cap-add SYS_ADMIN busybox unshare -m true
		engine run --rm busybox sh -c 'chroot / true; chown 1:1 /home'
END
}

# bats test_tags=core
@test "podman run --sysctl, default rlimits" {
	operation <<'END'
		is 77 "$(engine run --rm --sysctl kernel.msgmax=77 busybox cat /proc/sys/kernel/msgmax)"
		is 1 "$(engine run --rm --network none --sysctl net.ipv4.ip_forward=1 busybox \
			cat /proc/sys/net/ipv4/ip_forward)"
		engine run --rm busybox sh -c 'ulimit -n; ulimit -u'
END
}

# bats test_tags=core
@test "podman run --ulimit" {
	operation <<'END'
		is "88 99" "$(engine run --rm --ulimit nofile=88:99 --ulimit core=0 busybox \
			sh -c 'echo $(ulimit -Sn) $(ulimit -Hn)')"
END
}

# bats test_tags=core
@test "podman run --device, --device-cgroup-rule" {
	operation <<'END'
		exits 1 engine run --rm busybox test -e /dev/fuse
		[ -c /dev/fuse ] || mknod -m 666 /dev/fuse c 10 229 2>/dev/null || skipped "no /dev/fuse"
		engine run --rm --device /dev/fuse busybox test -c /dev/fuse
		engine run --rm --device /dev/null:/dev/other:r busybox sh -c 'cat /dev/other'
		exits 1 engine run --rm --cap-add MKNOD busybox sh -c '
			mknod /x c 10 229; head -c 0 </x' 2>errors
		has "$(cat errors)" 'not permitted'
		engine run --rm --cap-add MKNOD --device-cgroup-rule 'c 1:7 rw' busybox sh -c '
			mknod /x c 1 7; head -c 0 </x'
END
}

@test "podman run --init" {
	operation <<'END'
		[ -x /usr/bin/tini-static ] || skipped "no tini"
		engine run --rm --init busybox sh -c 'ps; test $$ != 1'
		exits 6 engine run --rm --init busybox sh -c 'exit 6'
END
}

# bats test_tags=core
@test "podman run --privileged" {
	operation <<'END'
		output=$(engine run --rm --privileged busybox sh -c '
			grep -E "^(CapEff|Seccomp):" /proc/self/status; ls /dev
			mount -t tmpfs none /home && echo mounted; cat /proc/mounts; touch /proc/sys/kernel/hostname')
		has "$output" "Seccomp:	0"
		has "$output" mounted
		[ ! -e /dev/loop-control ] || has "$output" loop-control
END
}

# bats test_tags=core
@test "podman run --network none and host" {
	operation <<'END'
		is lo "$(engine run --rm --network none busybox ls /sys/class/net)"
		is "$(readlink /proc/self/ns/net)" \
			"$(engine run --rm --network host busybox readlink /proc/self/ns/net)"
		[ "$(readlink /proc/self/ns/net)" != \
			"$(engine run --rm --network none busybox readlink /proc/self/ns/net)" ]
		has "$(engine run --rm --network none busybox ip address)" 127.0.0.1
END
}

@test "podman run --ipc, --pid, --uts, --cgroupns, --net: a container's, the host's" {
	operation <<'END'
		engine run -d --name "$C" --ipc shareable busybox sleep inf
		pid=$(state "$C" Pid)
		namespace() { readlink "/proc/$1/ns/$2"; }
		for kind in ipc pid uts net; do
			is "$(namespace "$pid" $kind)" "$(engine run --rm --$kind container:"$C" busybox \
				readlink /proc/self/ns/$kind)"
			is "$(namespace self $kind)" "$(engine run --rm --$kind host busybox \
				readlink /proc/self/ns/$kind)"
		done
		is "$(namespace self cgroup)" \
			"$(engine run --rm --cgroupns host busybox readlink /proc/self/ns/cgroup)"
		[ "$(namespace self cgroup)" != \
			"$(engine run --rm --cgroupns private busybox readlink /proc/self/ns/cgroup)" ]
		is "$(namespace "$pid" net)" "$(engine run --rm --network ns:/proc/$pid/ns/net busybox \
			readlink /proc/self/ns/net)"
		podman rm -f -t 0 "$C"
END
}

@test "podman run: names, hosts, working directory, groups, umask, user" {
	operation <<'END'
		output=$(engine run --rm --hostname h --add-host other:1.2.3.4 -w /usr/bin -u 5:6 \
			--group-add 77 --umask 0027 --annotation a=b --oom-score-adj 500 --tz Asia/Tokyo \
			--shm-size 1m --env-host=false --label l=m busybox sh -c '
				hostname; pwd; id -u; id -g; id -G; umask; cat /proc/self/oom_score_adj
				cat /etc/hosts; grep /dev/shm /proc/mounts')
		has "$output" "$(printf 'h\n/usr/bin\n5\n6\n6 77\n0027\n500')"
		has "$output" 1.2.3.4
		has "$output" size=1024k
		is nobody "$(engine run --rm -u nobody busybox id -un)"
END
}

@test "podman run --timezone" {
	operation <<'END'
		[ -e /usr/share/zoneinfo/Asia/Tokyo ] || skipped "no zoneinfo"
		has "$(engine run --rm --tz Asia/Tokyo busybox date)" JST ||
			engine run --rm --tz Asia/Tokyo busybox test -s /etc/localtime
END
}

@test "podman run --preserve-fds, exec --preserve-fds" {
	operation <<'END'
		echo three >three
		is three "$(engine run --rm --preserve-fds 1 busybox sh -c 'cat <&3' 3<three)"
		exits 1 engine run --rm busybox sh -c 'cat <&3' 3<three 2>errors
		engine run -d --name "$C" busybox sleep inf
		is three "$(podman exec --preserve-fds 1 "$C" sh -c 'cat <&3' 3<three)"
		podman rm -f -t 0 "$C"
END
}

@test "podman run: LISTEN_FDS" {
	operation <<'END'
		echo three >three
		is "1 1 three" "$(LISTEN_PID=$BASHPID LISTEN_FDS=1 \
			exec podman --runtime "$RUNTIME" run --rm busybox sh -c '
				echo $LISTEN_FDS $LISTEN_PID $(cat <&3)' 3<three)"
END
}

# bats test_tags=core
@test "podman healthcheck run" {
	operation <<'END'
		engine run -d --name "$C" --health-cmd 'test -e /healthy' --health-interval disable \
			busybox sleep inf
		exits 1 podman healthcheck run "$C"
		podman exec "$C" touch /healthy
		podman healthcheck run "$C"
		is healthy "$(podman inspect -f '{{.State.Health.Status}}' "$C")"
		podman rm -f -t 0 "$C"
END
}

@test "podman run --sdnotify=container: the notification arrives" {
	operation <<'END'
		mkdir socket
		chmod 755 .
		"$LAMINA_NOTIFY" listen socket/s >message &
		eventually test -S socket/s
		NOTIFY_SOCKET=$PWD/socket/s engine run -d --name "$C" --sdnotify=container \
			-v "$LAMINA_NOTIFY:/notify:ro" busybox sh -c '/notify send READY=1; exec sleep inf'
		eventually grep -q READY=1 message || { podman logs "$C"; false; }
		podman rm -f -t 0 "$C"
END
}

@test "podman run --sdnotify=conmon" {
	operation <<'END'
		engine run --rm --sdnotify=conmon busybox true
		engine run --rm --sdnotify=ignore busybox true
END
}

@test "podman run --cgroups=disabled, --cgroup-parent, --cgroups=split" {
	operation <<'END'
		engine run --rm --cgroup-parent /lamina-parent busybox true
		engine run -d --name "$C" --cgroup-parent /lamina-parent busybox sleep inf
		has "$(cat /proc/"$(state "$C" Pid)"/cgroup)" /lamina-parent/
		podman rm -f -t 0 "$C"
		engine run --rm --cgroups=disabled busybox true
END
}

@test "podman run --hooks-dir: OCI hooks" {
	operation <<'END'
		mkdir hooks
		printf '#!/bin/sh\ncat >>"%s/$1"\n' "$PWD" >hook
		chmod +x hook
		for stage in prestart createRuntime poststart poststop; do
			cat >hooks/$stage.json <<-JSON
				{"version": "1.0.0", "when": {"always": true}, "stages": ["$stage"],
				"hook": {"path": "$PWD/hook", "args": ["hook", "$stage"]}}
			JSON
		done
		engine --hooks-dir hooks run --rm busybox true
		is created "$(jq -r .status createRuntime)" || is creating "$(jq -r .status createRuntime)"
		jq -e '.pid > 0 and .bundle != ""' prestart
		test -s poststart
		is stopped "$(jq -r .status poststop)"
END
}

@test "podman run --rootfs, --systemd=always, --log-driver, --secret" {
	operation <<'END'
		mkdir -p root/bin root/etc
		cp /bin/busybox root/bin/sh
		chmod 755 .
		is "from a directory" "$(engine run --rm --rootfs "$PWD/root" /bin/sh -c \
			'echo from a directory')"
		has "$(engine run --rm --systemd=always busybox cat /proc/mounts)" /run
		engine run --rm --log-driver none busybox true
		engine run --name "$C" --log-driver json-file busybox echo logged
		is logged "$(podman logs "$C")"
		podman rm "$C"
		printf hidden | podman secret create "$C" -
		is hidden "$(engine run --rm --secret "$C" busybox cat "/run/secrets/$C")"
		podman secret rm "$C"
END
}

@test "podman exec -it: the terminal's size follows; exec --privileged; detach keys" {
	operation <<'END'
		engine run -d -t --name "$C" busybox sleep inf
		size=$(on_terminal sh -c "stty rows 33 cols 77; podman exec -it '$C' sh -c '
			for i in 1 2 3 4 5 6 7 8 9 10; do
				[ \"\$(stty size)\" = \"33 77\" ] && break; sleep 0.2; done; stty size'")
		has "$size" "33 77"
		has "$(podman exec --privileged "$C" grep CapEff /proc/self/status)" \
			"$(engine run --rm --privileged busybox grep CapEff /proc/self/status | cut -f 2)"
		podman rm -f -t 0 "$C"
END
}

# bats test_tags=core
@test "podman run: twelve at once" {
	operation <<'END'
		for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
			(exits "$i" engine run --rm --name "$C-$i" busybox sh -c "exit $i") &
			pids="${pids-} $!"
		done
		for pid in $pids; do wait "$pid"; done
END
}

@test "podman exec: ten at once, and while it is stopped" {
	operation <<'END'
		engine run -d --name "$C" busybox sleep inf
		for i in 1 2 3 4 5 6 7 8 9 10; do
			(exits "$i" podman exec "$C" sh -c "exit $i") &
			pids="${pids-} $!"
		done
		for pid in $pids; do wait "$pid"; done
		podman stop -t 0 "$C"
		exits 255 podman exec "$C" true
		podman rm "$C"
END
}

@test "podman checkpoint, restore" {
	operation <<'END'
		command -v criu >/dev/null || skipped "no criu"
		engine run -d --name "$C" busybox sleep inf
		podman container checkpoint "$C"
		podman container restore "$C"
		is running "$(state "$C" Status)"
		podman rm -f -t 0 "$C"
END
}

# bats test_tags=core
@test "podman: containers.conf makes nslaunch the default, by a name" {
	{
		sed 's/"crun", /"lamina", &/; s/^\[engine\]/&\nruntime = "lamina"/' "$CONTAINERS_CONF"
		printf '[engine.runtimes]\nlamina = ["%s"]\n' "$LAMINA_BIN/nslaunch"
	} >"$SCRATCH/named.conf"
	export CONTAINERS_CONF=$SCRATCH/named.conf
	[ "$(podman info -f '{{.Host.OCIRuntime.Path}}')" = "$LAMINA_BIN/nslaunch" ]
	[ "$(podman run --rm busybox echo named)" = named ]
	run -127 podman run --rm busybox not-there
	podman run --rm --cgroups=disabled busybox true
	command -v buildah >/dev/null || skip "no buildah; podman's part passed"
	buildah from --pull-never --name named localhost/busybox
	[ "$(buildah run named -- echo built)" = built ]
	buildah rm named
}
