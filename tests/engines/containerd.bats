#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# containerd's operations, by its client ctr, with nslaunch as the runtime, against Debian's runc.
# Those that find the most have the tag `core`.
load containerd

setup_file() {
	need containerd ctr containerd-shim-runc-v2 runc
	containerd_setup
}

teardown_file() {
	containerd_teardown
}

# bats test_tags=core
@test "ctr run: the exit status is the program's; standard streams" {
	operation <<'END'
		exits 0 engine --rm "$BUSYBOX" "$C" true
		exits 7 engine --rm "$BUSYBOX" "$C" sh -c 'exit 7'
		is in "$(echo in | engine --rm "$BUSYBOX" "$C" head -n 1)"
		output=$(engine --rm "$BUSYBOX" "$C" sh -c 'echo out; echo err >&2' 2>errors)
		is out "$output"
		is err "$(cat errors)"
		engine --rm --null-io "$BUSYBOX" "$C" echo nothing
END
}

# bats test_tags=core
@test "ctr run: what can't be run is said" {
	operation <<'END'
		exits 1 engine --rm "$BUSYBOX" "$C" not-there 2>errors
		has "$(cat errors)" 'executable file not found'
		exits 1 engine --rm "$BUSYBOX" "$C" /etc/passwd 2>errors
		has "$(cat errors)" 'permission denied'
END
}

# bats test_tags=core
@test "ctr run -d, task ls, ps, kill, delete; the pid file" {
	operation <<'END'
		engine -d --pid-file "$PWD/pid" "$BUSYBOX" "$C" sleep inf
		is RUNNING "$(task_status "$C")"
		pid=$(ctr task ls | awk -v name="$C" '$1 == name { print $2 }')
		is "$pid" "$(cat pid)"
		has "$(tr '\0' ' ' </proc/"$pid"/cmdline)" sleep
		has "$(ctr task ps "$C")" "$pid"
		ctr task kill -s KILL "$C"
		stopped() { is STOPPED "$(task_status "$C")"; }
		eventually stopped
		ctr task delete "$C" || :
		ctr container rm "$C"
		engine -d "$BUSYBOX" "$C" sh -c 'trap "exit 5" TERM; while :; do sleep 0.1; done'
		sent() { ctr task kill -s TERM "$C"; stopped; }
		eventually sent
		ctr task delete "$C" || :
		ctr container rm "$C"
END
}

# bats test_tags=core
@test "ctr task exec: exit status, working directory, user, a terminal" {
	operation <<'END'
		engine -d "$BUSYBOX" "$C" sleep inf
		is /usr/bin "$(ctr task exec --exec-id e1 --cwd /usr/bin "$C" pwd)"
		exits 9 ctr task exec --exec-id e2 "$C" sh -c 'exit 9'
		is 5 "$(ctr task exec --exec-id e3 --user 5 "$C" id -u)"
		is in "$(echo in | ctr task exec --exec-id e4 "$C" head -n 1)"
		has "$(on_terminal command ctr --address $SCRATCH/containerd.sock task exec -t \
			--exec-id e6 "$C" tty)" /dev/pts/
		exits 1 ctr task exec --exec-id e7 "$C" not-there 2>errors
		has "$(cat errors)" 'executable file not found'
		ctr task rm -f "$C"
		ctr container rm "$C"
END
}

# bats test_tags=core
@test "ctr run --tty" {
	operation <<'END'
		output=$(on_terminal command ctr --address $SCRATCH/containerd.sock run --rm --tty \
			--runc-binary "$RUNTIME" --runc-root $SCRATCH/runtime "$BUSYBOX" "$C" \
			sh -c 'tty; test -t 0 && test -t 1 && test -t 2 && echo yes')
		has "$output" /dev/
		has "$output" yes
END
}

# bats test_tags=core
@test "ctr task pause, resume: nothing runs meanwhile" {
	operation <<'END'
		engine -d "$BUSYBOX" "$C" sh -c 'while :; do echo >>/n; sleep 0.02; done'
		root=/proc/$(ctr task ls | awk -v name="$C" '$1 == name { print $2 }')/root
		eventually test -s "$root/n"
		ctr task pause "$C"
		is PAUSED "$(task_status "$C")"
		n=$(wc -l <"$root/n")
		sleep 0.3
		is "$n" "$(wc -l <"$root/n")"
		ctr task resume "$C"
		is RUNNING "$(task_status "$C")"
		more() { [ "$(wc -l <"$root/n")" -gt "$n" ]; }
		eventually more
		ctr task rm -f "$C"
		ctr container rm "$C"
END
}

# bats test_tags=core
@test "ctr task metrics, --memory-limit, --cpus" {
	operation <<'END'
		engine -d --memory-limit 67108864 --cpus 0.5 "$BUSYBOX" "$C" sleep inf
		pid=$(ctr task ls | awk -v name="$C" '$1 == name { print $2 }')
		is 67108864 "$(cgroup_value memory memory.limit_in_bytes memory.max "$pid")"
		[[ $(cgroup_value cpu cpu.cfs_quota_us cpu.max "$pid") == 50000* ]]
		metrics=$(ctr task metrics "$C")
		has "$metrics" memory
		has "$metrics" pids
		has "$metrics" 67108864
		ctr task metrics --format json "$C" | tail -n +1 | jq -e . >/dev/null
		ctr task rm -f "$C"
		ctr container rm "$C"
END
}

# bats test_tags=core
@test "ctr run --privileged, --read-only, --cap-add, --seccomp, --env, --cwd" {
	operation <<'END'
		output=$(engine --rm --privileged "$BUSYBOX" "$C" grep -E '^(CapEff|Seccomp):' \
			/proc/self/status)
		has "$output" "Seccomp:	0"
		exits 1 engine --rm --read-only "$BUSYBOX" "$C" touch /file 2>errors
		has "$(cat errors)" Read-only
		has "$(engine --rm --seccomp "$BUSYBOX" "$C" grep Seccomp: /proc/self/status)" 2
		is "b /usr/bin" "$(engine --rm --env A=b --cwd /usr/bin "$BUSYBOX" "$C" \
			sh -c 'echo $A $PWD')"
		with=$(engine --rm --cap-add CAP_SYS_ADMIN "$BUSYBOX" "$C" grep CapEff /proc/self/status)
		has "$with" 00000000a82425fb
		has "$(engine --rm --allow-new-privs "$BUSYBOX" "$C" grep NoNewPrivs /proc/self/status)" 0
		has "$(engine --rm "$BUSYBOX" "$C" grep NoNewPrivs /proc/self/status)" 1
END
}

@test "ctr run --mount, --device, --annotation, --label" {
	operation <<'END'
		mkdir data
		echo content >data/file
		is content "$(engine --rm --mount "type=bind,src=$PWD/data,dst=/data,options=rbind:ro" \
			--annotation a=b --label c=d "$BUSYBOX" "$C" cat /data/file)"
		exits 1 engine --rm --mount "type=bind,src=$PWD/data,dst=/data,options=rbind:ro" \
			"$BUSYBOX" "$C" touch /data/no 2>errors
		engine --rm --mount type=tmpfs,src=tmpfs,dst=/t,options=size=1m:mode=1700 "$BUSYBOX" "$C" \
			grep -q size=1024k /proc/mounts
		[ ! -c /dev/fuse ] || engine --rm --device /dev/fuse "$BUSYBOX" "$C" test -c /dev/fuse
END
}

@test "ctr run --net-host, --with-ns, --cgroup" {
	operation <<'END'
		is "$(readlink /proc/self/ns/net)" \
			"$(engine --rm --net-host "$BUSYBOX" "$C" readlink /proc/self/ns/net)"
		is "$(readlink /proc/self/ns/uts)" "$(engine --rm --with-ns uts:/proc/$$/ns/uts \
			"$BUSYBOX" "$C" readlink /proc/self/ns/uts)"
		has "$(engine --rm --cgroup "/lamina-parent/$C" "$BUSYBOX" "$C" cat /proc/self/cgroup)" \
			"/lamina-parent/$C"
END
}

@test "ctr run --uidmap, --gidmap" {
	operation <<'END'
		has "$(engine --rm --uidmap 0:100000:1000 --gidmap 0:100000:1000 "$BUSYBOX" "$C" \
			cat /proc/self/uid_map | tr -s ' ')" "0 100000 1000"
END
}

@test "ctr run --rootfs: a directory" {
	operation <<'END'
		mkdir -p root/bin root/proc root/sys root/dev
		cp /bin/busybox root/bin/sh
		chmod 755 .
		is hello "$(engine --rm --rootfs "$PWD/root" "$C" /bin/sh -c 'echo hello')"
END
}

@test "ctr run --rootfs-propagation" {
	operation <<'END'
		engine --rm --rootfs-propagation rslave "$BUSYBOX" "$C" true
		engine --rm --rootfs-propagation rshared "$BUSYBOX" "$C" true
		engine --rm --rootfs-propagation private "$BUSYBOX" "$C" true
END
}

@test "ctr run --no-pivot" {
	operation <<'END'
		engine --rm --no-pivot "$BUSYBOX" "$C" true
END
}

@test "ctr run --config: a runtime spec of one's own" {
	operation <<'END'
		mkdir -p root/bin
		cp /bin/busybox root/bin/sh
		chmod 755 .
		cat >config.json <<-JSON
			{"ociVersion": "1.0.2", "root": {"path": "$PWD/root"}, "hostname": "own",
			"process": {"args": ["/bin/sh", "-c", "echo \$HOSTNAME; exit 3"], "cwd": "/",
				"user": {"uid": 0, "gid": 0}, "env": ["HOSTNAME=own"]},
			"linux": {"namespaces": [{"type": "mount"}, {"type": "uts"}, {"type": "pid"}]}}
		JSON
		exits 3 engine --rm --config config.json "$C" >output
		is own "$(cat output)"
END
}

@test "ctr task attach" {
	operation <<'END'
		engine -d "$BUSYBOX" "$C" sh -c 'sleep 1; exit 6'
		exits 6 ctr task attach "$C"
		ctr task rm -f "$C" || :
		ctr container rm "$C"
END
}

@test "ctr task rm -f: a paused task; kill --all" {
	operation <<'END'
		engine -d "$BUSYBOX" "$C" sh -c 'sleep inf & sleep inf & wait'
		ctr task pause "$C"
		ctr task resume "$C"
		ctr task kill --all -s KILL "$C"
		stopped() { is STOPPED "$(task_status "$C")"; }
		eventually stopped
		ctr task rm "$C" || :
		ctr container rm "$C"
		engine -d "$BUSYBOX" "$C" sleep inf
		ctr task pause "$C"
		ctr task rm -f "$C"
		ctr container rm "$C"
END
}

# bats test_tags=core
@test "ctr run: twelve at once" {
	operation <<'END'
		for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
			(exits "$i" engine --rm "$BUSYBOX" "$C-$i" sh -c "exit $i") &
			pids="${pids-} $!"
		done
		for pid in $pids; do wait "$pid"; done
END
}

@test "ctr task checkpoint" {
	operation <<'END'
		command -v criu >/dev/null || skipped "no criu"
		engine -d "$BUSYBOX" "$C" sleep inf
		ctr task checkpoint "$C" --exit
		ctr container rm "$C"
END
}

@test "containerd has the runtime that its configuration names" {
	ctr plugin ls | grep -w cri | grep -qw ok || skip "this containerd's CRI plugin didn't start"
	containerd --config $SCRATCH/containerd.toml config dump >$SCRATCH/dump
	grep -A 12 'runtimes.lamina\]' $SCRATCH/dump | grep -q 'runtime_type = "io.containerd.runc.v2"'
	grep -A 20 'runtimes.lamina.options\]' $SCRATCH/dump | grep -q "BinaryName = \"$LAMINA_BIN/nslaunch\""
}
