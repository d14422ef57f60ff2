#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Docker's operations with nslaunch as its runtime, against Debian's runc. Those that find the most
# have the tag `core`.
load docker

setup_file() {
	need dockerd docker containerd runc
	docker_setup
}

teardown_file() {
	docker_teardown
}

# bats test_tags=core
@test "docker run: the exit status is the program's" {
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
@test "docker run: what can't be run is 127, 126 or 125" {
	operation <<'END'
		exits 127 engine run --rm busybox not-there 2>errors
		has "$(cat errors)" 'executable file not found'
		exits 127 engine run --rm busybox /not/there 2>errors
		has "$(cat errors)" 'no such file or directory'
		exits 126 engine run --rm busybox /etc/passwd 2>errors
		has "$(cat errors)" 'permission denied'
		exits 126 engine run --rm busybox /etc 2>errors
		exits 125 engine run --rm --no-such-option busybox true 2>errors
		exits 125 engine run --rm -v /not/absolute/:relative busybox true 2>errors
		exits 125 engine run --rm --sysctl no.such=1 busybox true 2>errors
END
}

# bats test_tags=core
@test "docker create, start, logs, wait, kill: signals reach the program" {
	operation <<'END'
		engine create --name "$C" busybox sh -c '
			trap "echo usr1; exit 5" USR1
			echo ready
			while :; do sleep 0.1; done'
		is created "$(state "$C" Status)"
		docker start "$C"
		eventually says docker logs "$C" -- ready
		is running "$(state "$C" Status)"
		docker kill -s USR1 "$C"
		is 5 "$(docker wait "$C")"
		has "$(docker logs "$C")" usr1
		is "exited 5" "$(state "$C" Status) $(state "$C" ExitCode)"
		docker start "$C"
		docker kill "$C"
		is 137 "$(docker wait "$C")"
		docker rm "$C"
END
}

# bats test_tags=core
@test "docker exec: output, exit status, -d, -u, -w, -e, -i" {
	operation <<'END'
		engine run -d --name "$C" -e A=1 busybox sleep inf
		is 1 "$(docker exec "$C" sh -c 'echo $A')"
		exits 9 docker exec "$C" sh -c 'exit 9'
		is "2 /usr/bin 3" "$(docker exec -w /usr/bin -e A=2 -e B=3 "$C" sh -c 'echo $A $PWD $B')"
		is "5:6" "$(docker exec -u 5:6 "$C" sh -c 'echo $(id -u):$(id -g)')"
		is in "$(echo in | docker exec -i "$C" cat)"
		docker exec -d "$C" sh -c 'echo detached >/tmp/file; exec sleep inf'
		eventually docker exec "$C" grep -q detached /tmp/file
		! docker exec "$C" not-there >errors 2>&1
		has "$(cat errors)" 'executable file not found'
		! docker exec "$C" /etc/passwd >errors 2>&1
		has "$(cat errors)" 'permission denied'
		is err "$(docker exec "$C" sh -c 'echo err >&2' 2>&1 >file)"
		docker rm -f "$C"
END
}

# bats test_tags=core
@test "docker run -it and exec -it: a terminal with a size" {
	operation <<'END'
		output=$(on_terminal docker run --runtime "$([[ $RUNTIME == */runc ]] && echo runc ||
			echo lamina)" --rm -it busybox sh -c 'tty; test -t 1 && echo yes')
		has "$output" /dev/
		has "$output" yes
		engine run -d --name "$C" busybox sleep inf
		output=$(on_terminal docker exec -it "$C" sh -c 'tty; test -t 0 && echo yes')
		has "$output" /dev/pts/
		has "$output" yes
		exits 3 on_terminal docker exec -it "$C" sh -c 'exit 3'
		size=$(on_terminal sh -c "stty rows 33 cols 77; docker exec -it '$C' sh -c '
			for i in 1 2 3 4 5 6 7 8 9 10; do
				[ \"\$(stty size)\" = \"33 77\" ] && break; sleep 0.2; done; stty size'")
		has "$size" "33 77"
		docker rm -f "$C"
END
}

# bats test_tags=core
@test "docker ps, top, inspect, info" {
	operation <<'END'
		engine run -d --name "$C" busybox sleep inf
		has "$(docker ps --filter name="$C" --format '{{.Names}} {{.Status}}')" "$C Up"
		has "$(docker top "$C")" sleep
		pid=$(state "$C" Pid)
		has "$(tr '\0' ' ' </proc/"$pid"/cmdline)" sleep
		runtime=lamina
		[[ $RUNTIME != */runc ]] || runtime=runc
		is $runtime "$(docker inspect -f '{{.HostConfig.Runtime}}' "$C")"
		has "$(docker info -f '{{json .Runtimes}}')" "\"$runtime\""
		docker rm -f "$C"
		exits 1 docker inspect "$C"
END
}

# bats test_tags=core
@test "docker stop: TERM first, KILL when the time is over; restart" {
	operation <<'END'
		engine run -d --name "$C" busybox sh -c '
			trap "echo term; exit 3" TERM
			echo ready
			while :; do sleep 0.1; done'
		eventually says docker logs "$C" -- ready
		docker stop "$C"
		is "exited 3" "$(state "$C" Status) $(state "$C" ExitCode)"
		docker start "$C"
		pid=$(state "$C" Pid)
		docker restart -t 0 "$C"
		is running "$(state "$C" Status)"
		[ "$pid" != "$(state "$C" Pid)" ]
		docker rm -f "$C"
		engine run -d --name "$C" --stop-signal USR2 busybox sh -c 'trap "" USR2; sleep inf'
		docker stop -t 1 "$C"
		is 137 "$(state "$C" ExitCode)"
		docker rm "$C"
END
}

# bats test_tags=core
@test "docker pause, unpause: nothing runs meanwhile" {
	operation <<'END'
		engine run -d --name "$C" busybox sh -c 'while :; do echo >>/n; sleep 0.02; done'
		eventually docker exec "$C" test -s /n
		docker pause "$C"
		is paused "$(state "$C" Status)"
		root=/proc/$(state "$C" Pid)/root
		n=$(wc -l <"$root/n")
		sleep 0.3
		is "$n" "$(wc -l <"$root/n")"
		exits 1 docker exec "$C" true
		docker unpause "$C"
		is running "$(state "$C" Status)"
		more() { [ "$(wc -l <"$root/n")" -gt "$n" ]; }
		eventually more
		docker pause "$C"
		docker rm -f "$C"
END
}

# bats test_tags=core
@test "docker stats: memory, processes" {
	operation <<'END'
		engine run -d --name "$C" --memory 64m busybox sh -c '
			dd if=/dev/zero of=/dev/shm/x bs=1M count=8; sleep inf'
		stats() { docker stats --no-stream --format "{{.$1}}" "$C"; }
		used() { [[ $(stats MemUsage) =~ ^[89].*MiB ]]; }
		eventually used
		has "$(stats MemUsage)" 64MiB
		[ "$(stats PIDs)" -ge 1 ]
		docker rm -f "$C"
END
}

# bats test_tags=core
@test "docker update: memory, cpus, pids, cpuset, restart" {
	operation <<'END'
		engine run -d --name "$C" --memory 64m --memory-swap 64m busybox sleep inf
		pid=$(state "$C" Pid)
		is 67108864 "$(cgroup_value memory memory.limit_in_bytes memory.max "$pid")"
		docker update --memory 128m --memory-swap 128m --cpus 0.25 --pids-limit 44 "$C"
		is 134217728 "$(cgroup_value memory memory.limit_in_bytes memory.max "$pid")"
		[[ $(cgroup_value cpu cpu.cfs_quota_us cpu.max "$pid") == 25000* ]]
		is 44 "$(cgroup_value pids pids.max pids.max "$pid")"
		docker update --cpuset-cpus 0 "$C"
		is 0 "$(docker exec "$C" sh -c 'grep Cpus_allowed_list /proc/self/status' | cut -f 2)"
		docker update --restart on-failure:1 "$C"
		docker update --cpu-shares 256 "$C"
		docker rm -f "$C"
END
}

@test "docker start -a, attach: standard input and output" {
	operation <<'END'
		engine create --name "$C" -i busybox sh -c 'read x; echo "got $x"; exit 4'
		exits 4 docker start -ai "$C" <<<hello >output
		has "$(cat output)" "got hello"
		docker rm "$C"
		engine run -d -i --name "$C" busybox sh -c 'read x; echo "got $x"; sleep 0.1; exit 6'
		exits 6 docker attach "$C" <<<again
		has "$(docker logs "$C")" "got again"
		docker rm "$C"
END
}

@test "docker cp, diff, commit, export" {
	operation <<'END'
		engine run -d --name "$C" busybox sleep inf
		echo content >file
		docker cp file "$C":/home/file
		is content "$(docker exec "$C" cat /home/file)"
		docker exec "$C" sh -c 'echo inside >/home/other'
		docker cp "$C":/home/other other
		is inside "$(cat other)"
		has "$(docker diff "$C")" /home/other
		docker commit "$C" "$C-image"
		is inside "$(engine run --rm "$C-image" cat /home/other)"
		docker export -o exported "$C"
		has "$(tar -tf exported)" home/other
		docker rm -f "$C"
		docker rmi "$C-image"
END
}

# bats test_tags=core
@test "docker run --privileged" {
	operation <<'END'
		output=$(engine run --rm --privileged busybox sh -c '
			grep -E "^(CapEff|Seccomp):" /proc/self/status; ls /dev
			mount -t tmpfs none /home && echo mounted; cat /proc/mounts
			touch /proc/sys/kernel/hostname && echo writable')
		has "$output" "Seccomp:	0"
		has "$output" mounted
		has "$output" writable
		[ ! -e /dev/loop-control ] || has "$output" loop-control
		[[ $output =~ sysfs\ /sys\ sysfs\ rw ]]
END
}

# bats test_tags=core
@test "docker run --memory, --cpus, --pids-limit, --cpu-shares, --cpuset-cpus" {
	operation <<'END'
		engine run -d --name "$C" --memory 64m --cpus 0.5 --pids-limit 33 --cpu-shares 512 \
			--cpuset-cpus 0 --memory-reservation 32m --memory-swap 64m busybox sleep inf
		pid=$(state "$C" Pid)
		is 67108864 "$(cgroup_value memory memory.limit_in_bytes memory.max "$pid")"
		is 33 "$(cgroup_value pids pids.max pids.max "$pid")"
		[[ $(cgroup_value cpu cpu.cfs_quota_us cpu.max "$pid") == 50000* ]]
		[ ! -e /sys/fs/cgroup/cpu ] || is 512 "$(cgroup_value cpu cpu.shares cpu.weight "$pid")"
		is 0 "$(docker exec "$C" sh -c 'grep Cpus_allowed_list /proc/self/status' | cut -f 2)"
		docker rm -f "$C"
END
}

@test "docker run --blkio-weight, --device-read-bps, --oom-kill-disable, --memory-swappiness" {
	operation <<'END'
		engine run --rm --blkio-weight 200 busybox true
		engine run --rm --memory 64m --oom-kill-disable busybox true
		engine run --rm --memory-swappiness 10 busybox true
		device=$(lsblk -dnpo NAME 2>/dev/null | head -n 1)
		[ -b "$device" ] || skipped "no block device"
		engine run --rm --device-read-bps "$device:1mb" busybox true
END
}

@test "docker run: too much memory ends it, and inspect says why" {
	operation <<'END'
		exits 137 engine run --name "$C" --memory 16m --memory-swap 16m --tmpfs /t:size=64m busybox \
			sh -c 'dd if=/dev/zero of=/t/x bs=1M count=60; exit $?'
		is true "$(state "$C" OOMKilled)"
		docker rm "$C"
END
}

@test "docker run --memory 8m: a container needs little itself" {
	operation <<'END'
		engine run --rm --memory 8m busybox true
END
}

# bats test_tags=core
@test "docker run --read-only, --tmpfs, -v, --mount with options" {
	operation <<'END'
		exits 1 engine run --rm --read-only --tmpfs /scratch:size=1m,mode=1700 busybox sh -c '
			echo x >/scratch/x && touch /file' 2>errors
		has "$(cat errors)" Read-only
		mkdir data
		is "content" "$(engine run --rm -v "$PWD/data:/data" busybox sh -c '
			echo content >/data/file; cat /data/file')"
		is content "$(cat data/file)"
		exits 1 engine run --rm -v "$PWD/data:/data:ro" busybox touch /data/no 2>errors
		options=$(engine run --rm \
			--mount type=bind,src="$PWD/data",dst=/data,readonly,bind-propagation=rslave \
			--mount type=tmpfs,dst=/t,tmpfs-size=2m,tmpfs-mode=1701 busybox cat /proc/mounts)
		has "$options" "/t tmpfs rw"
		has "$options" "size=2048k,mode=1701"
		[[ $options =~ \ /data\ [a-z0-9]+\ ro ]]
END
}

@test "docker run: volumes, --volumes-from, copied from the image" {
	operation <<'END'
		engine run --name "$C" -v "$C-volume:/etc" busybox sh -c 'test -s /etc/passwd; echo x >/etc/x'
		is x "$(engine run --rm --volumes-from "$C" busybox cat /etc/x)"
		engine run --rm -v "$C-volume:/v:ro" busybox test -s /v/passwd
		docker rm "$C"
		docker volume rm "$C-volume"
END
}

@test "docker run: mount propagation slave, shared" {
	operation <<'END'
		mkdir shared
		mount -t tmpfs propagation shared
		mount --make-shared shared
		trap 'umount -R shared' EXIT
		mkdir shared/sub
		engine run -d --name "$C" -v "$PWD/shared:/s:rslave" busybox sleep inf
		mount -t tmpfs sub shared/sub
		has "$(docker exec "$C" cat /proc/mounts)" /s/sub
		docker rm -f "$C"
		umount shared/sub
		engine run --rm --privileged -v "$PWD/shared:/s:rshared" busybox mount -t tmpfs x /s/sub
		mountpoint shared/sub
END
}

# bats test_tags=core
@test "docker run --cap-add, --cap-drop, --user" {
	operation <<'END'
		caps() { engine run --rm "$@" busybox grep CapEff /proc/self/status | cut -f 2; }
		is 0000000000000000 "$(caps --cap-drop ALL)"
		is 0000000000200000 "$(caps --cap-drop ALL --cap-add SYS_ADMIN)"
		is 00000000a80425fb "$(caps)"
		is 0000000000000000 "$(caps --user 5)"
		[[ $(caps --cap-add ALL) =~ ^0000.*ff$ ]]
END
}

# bats test_tags=core
@test "docker run --security-opt: seccomp, no-new-privileges, systempaths" {
	operation <<'END'
		cat >profile.json <<-'JSON'
			{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
			"syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}
		JSON
		exits 1 engine run --rm --security-opt seccomp=profile.json busybox mkdir /x 2>errors
		has "$(cat errors)" 'not permitted'
		mode() { engine run --rm "$@" busybox grep -E '^(Seccomp|NoNewPrivs):' /proc/self/status; }
		has "$(mode)" "Seccomp:	2"
		has "$(mode --security-opt seccomp=unconfined)" "Seccomp:	0"
		has "$(mode --security-opt no-new-privileges)" "NoNewPrivs:	1"
		is 0 "$(engine run --rm busybox wc -c /proc/timer_list | cut -d ' ' -f 1)"
		engine run --rm --security-opt systempaths=unconfined busybox \
			sh -c 'test $(head -c 100 /proc/timer_list | wc -c) -gt 0'
		exits 1 engine run --rm busybox unshare -m true 2>errors
		engine run --rm --cap-add SYS_ADMIN busybox unshare -m true
END
}

# bats test_tags=core
@test "docker run --sysctl, --device, --device-cgroup-rule" {
	operation <<'END'
		is 77 "$(engine run --rm --sysctl kernel.msgmax=77 busybox cat /proc/sys/kernel/msgmax)"
		is 1 "$(engine run --rm --sysctl net.ipv4.ip_forward=1 busybox \
			cat /proc/sys/net/ipv4/ip_forward)"
		engine run --rm --device /dev/null:/dev/other:r busybox cat /dev/other
		exits 1 engine run --rm busybox sh -c 'mknod /x c 10 229; head -c 0 </x' 2>errors
		has "$(cat errors)" 'not permitted'
		engine run --rm --device-cgroup-rule 'c 1:7 rw' busybox sh -c 'mknod /x c 1 7; head -c 0 </x'
END
}

# bats test_tags=core
@test "docker run --ulimit" {
	operation <<'END'
		is "88 99" "$(engine run --rm --ulimit nofile=88:99 --ulimit core=0 busybox \
			sh -c 'echo $(ulimit -Sn) $(ulimit -Hn)')"
END
}

# bats test_tags=core
@test "docker run --init" {
	operation <<'END'
		engine run --rm --init busybox sh -c 'grep -q init /proc/1/comm; test $$ != 1'
		exits 6 engine run --rm --init busybox sh -c 'exit 6'
END
}

# bats test_tags=core
@test "docker run --pid, --ipc, --network, --uts, --cgroupns: the host's, a container's" {
	operation <<'END'
		engine run -d --name "$C" --ipc shareable busybox sleep inf
		pid=$(state "$C" Pid)
		namespace() { readlink "/proc/$1/ns/$2"; }
		for kind in ipc pid network; do
			is "$(namespace "$pid" ${kind/network/net})" "$(engine run --rm \
				--$kind container:"$C" busybox readlink /proc/self/ns/${kind/network/net})"
		done
		for kind in ipc pid network uts cgroupns; do
			file=${kind/network/net}
			file=${file/cgroupns/cgroup}
			is "$(namespace self $file)" "$(engine run --rm --$kind host busybox \
				readlink /proc/self/ns/$file)"
		done
		is lo "$(engine run --rm --network none busybox ls /sys/class/net)"
		[ "$(namespace self cgroup)" != "$(engine run --rm --cgroupns private busybox \
			readlink /proc/self/ns/cgroup)" ]
		docker rm -f "$C"
END
}

@test "docker run: names, hosts, working directory, groups, user, --oom-score-adj" {
	operation <<'END'
		output=$(engine run --rm --hostname h --domainname d.example --add-host other:1.2.3.4 \
			-w /new/place -u 5:6 --group-add 77 --oom-score-adj 500 --shm-size 1m \
			--label l=m --dns 5.6.7.8 busybox sh -c '
				hostname; pwd; id -u; id -g; id -G; cat /proc/self/oom_score_adj
				cat /proc/sys/kernel/domainname; cat /etc/hosts /etc/resolv.conf
				grep /dev/shm /proc/mounts')
		has "$output" "$(printf 'h\n/new/place\n5\n6\n6 77\n500\nd.example')"
		has "$output" 1.2.3.4
		has "$output" size=1024k
		is nobody "$(engine run --rm -u nobody busybox id -un)"
END
}

@test "docker run --restart on-failure and always" {
	operation <<'END'
		engine run -d --name "$C" --restart on-failure:2 busybox sh -c 'exit 5'
		restarted() { is "2 exited" "$(docker inspect -f '{{.RestartCount}} {{.State.Status}}' "$C")"; }
		eventually restarted
		docker rm -f "$C"
END
}

@test "docker run: a health check" {
	operation <<'END'
		engine run -d --name "$C" --health-cmd 'test -e /healthy' --health-interval 1s \
			--health-retries 1 busybox sleep inf
		healthy() { is healthy "$(docker inspect -f '{{.State.Health.Status}}' "$C")"; }
		docker exec "$C" touch /healthy
		eventually healthy
		docker rm -f "$C"
END
}

@test "docker run --cgroup-parent" {
	operation <<'END'
		engine run -d --name "$C" --cgroup-parent /lamina-parent busybox sleep inf
		has "$(cat /proc/"$(state "$C" Pid)"/cgroup)" /lamina-parent/
		docker rm -f "$C"
END
}

@test "docker exec --privileged; exec while it is stopped; ten at once" {
	operation <<'END'
		engine run -d --name "$C" busybox sleep inf
		is "$(engine run --rm --privileged busybox grep CapEff /proc/self/status)" \
			"$(docker exec --privileged "$C" grep CapEff /proc/self/status)"
		for i in 1 2 3 4 5 6 7 8 9 10; do
			(exits "$i" docker exec "$C" sh -c "exit $i") &
			pids="${pids-} $!"
		done
		for pid in $pids; do wait "$pid"; done
		docker stop -t 0 "$C"
		exits 1 docker exec "$C" true
		docker rm "$C"
END
}

# bats test_tags=core
@test "docker run: twelve at once" {
	operation <<'END'
		for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
			(exits "$i" engine run --rm --name "$C-$i" busybox sh -c "exit $i") &
			pids="${pids-} $!"
		done
		for pid in $pids; do wait "$pid"; done
END
}

@test "docker run: what a container leaves running ends with it" {
	operation <<'END'
		engine run -d --name "$C" busybox sh -c 'sleep 12345 & sleep 0.2'
		is 0 "$(docker wait "$C")"
		gone() { ! pgrep -xf "sleep $1"; }
		gone 12345
		engine run -d --name "$C-2" --pid=host busybox sh -c 'sleep 12346 & wait'
		eventually pgrep -xf 'sleep 12346'
		docker rm -f "$C" "$C-2"
		eventually gone 12346
END
}

@test "docker checkpoint" {
	operation <<'END'
		command -v criu >/dev/null || skipped "no criu"
		engine run -d --name "$C" busybox sleep inf
		docker checkpoint create "$C" one
		docker start --checkpoint one "$C"
		docker rm -f "$C"
END
}

# bats test_tags=core
@test "docker build: RUN, by the runtime that daemon.json makes the default" {
	mkdir "$SCRATCH/build"
	printf 'FROM busybox\nRUN grep -c . /proc/self/mountinfo >/n && id >/id\n' >"$SCRATCH/build/Dockerfile"
	DOCKER_BUILDKIT=0 docker build -t built "$SCRATCH/build"
	[ "$(docker run --rm built cat /id)" = "uid=0(root) gid=0(root) groups=0(root),10(wheel)" ]
	[ "$(docker info -f '{{.DefaultRuntime}}')" = lamina ]
}
