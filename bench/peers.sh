# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154,SC2034 # variables of bench/compare
# What bench/compare compares: one root, as a directory, as lamina's image and as the peers'.
# Sourced by it: $work, $build and say() are its.

# A root of busybox, and the program that says when it started.
root_make()
{
	root=$work/fs/root
	[ -d "$root" ] && return
	busybox=$(command -v busybox) || die "no busybox: install busybox-static"
	mkdir -p "$root/bin" "$root/etc" "$root/tmp" "$root/root" "$root/dev" "$root/proc" "$root/sys" \
		"$root/usr"
	cp "$busybox" "$root/bin/busybox"
	for applet in sh true cat ls mount; do
		ln -s busybox "$root/bin/$applet"
	done
	printf 'root:x:0:0:root:/root:/bin/sh\n' >"$root/etc/passwd"
	printf 'root:x:0:\n' >"$root/etc/group"
	# What systemd-nspawn takes for a system.
	printf 'ID=bench\n' >"$root/etc/os-release"
	cp "$stamp" "$root/stamp"
	# A first process gets no signal that it hasn't asked for.
	cat >"$root/until-told" <<'END'
#!/bin/sh
trap "exit 0" TERM
while :; do
	/bin/busybox sleep 1000 &
	wait
done
END
	chmod 755 "$root/until-told"
}

# The same root as lamina's image `bench`; fails where the tools aren't built.
image_make()
{
	[ -n "${image_is_made:-}" ] && return
	for tool in layerfs initlayer nslaunch; do
		command -v "$tool" >/dev/null || {
			say "no $tool in '$build': lamina itself is left out"
			return 1
		}
	done
	root_make
	layerfs import "$root" bench:latest >/dev/null || {
		say "the image can't be imported: lamina itself is left out"
		return 1
	}
	image_is_made=yes
}

# works NAME COMMAND... - run it, quietly; where it fails NAME is left out, and why is said
works()
{
	works_name=$1
	shift
	"$@" </dev/null >"$work/$works_name.log" 2>&1 && return
	say "$works_name: left out: $(tail -n 1 "$work/$works_name.log")"
	return 1
}

# docker_cgroup_make - where the daemon and its containers work, so that their CPU time can be read:
# $docker_words tell the driver, and are empty where it can't be
docker_cgroup_make()
{
	docker_words=
	for hierarchy in /sys/fs/cgroup/cpuacct /sys/fs/cgroup/cpu,cpuacct /sys/fs/cgroup; do
		[ -e "$hierarchy/cpuacct.usage" ] || [ -e "$hierarchy/cgroup.subtree_control" ] ||
			continue
		docker_cgroup=$hierarchy/lamina-bench-docker
		mkdir -p "$docker_cgroup/daemon" && docker_words="daemon $docker_cgroup"
		return
	done
	say "docker: no hierarchy tells CPU time: its daemon's is not in it"
}

# docker_start - a daemon of our own, on the same file system, with the same root as an image
docker_start()
{
	[ -n "${docker_pid:-}" ] && return
	[ -z "${docker_failed:-}" ] || return 1
	wants docker dockerd docker || return 1
	root_make
	DOCKER_HOST=unix://$work/run/docker.sock
	DOCKER_CONFIG=$work/tmp
	export DOCKER_HOST DOCKER_CONFIG
	docker_cgroup_make
	# shellcheck disable=SC2016 # variables of that shell
	sh -c '[ -z "$1" ] || echo 0 >"$1/daemon/cgroup.procs"; shift; exec dockerd "$@"' sh \
		"${docker_words#daemon }" --iptables=false --bridge=none --ip-forward=false \
		--data-root "$work/fs/docker" --exec-root "$work/run/docker" -H "$DOCKER_HOST" \
		--pidfile "$work/run/docker.pid" --cgroup-parent /lamina-bench-docker \
		>"$work/dockerd.log" 2>&1 &
	docker_pid=$!
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
		if docker version >/dev/null 2>&1; then
			tar -C "$root" -c . | docker import - bench:latest >/dev/null
			return
		fi
		kill -0 "$docker_pid" 2>/dev/null || break
		sleep 0.5
	done
	say "docker: left out: its daemon didn't start: $(tail -n 1 "$work/dockerd.log")"
	docker_stop
	docker_failed=yes
	return 1
}

docker_stop()
{
	[ -n "${docker_pid:-}" ] || return 0
	kill -TERM "$docker_pid" 2>/dev/null || :
	wait "$docker_pid" 2>/dev/null || :
	docker_pid=
}

# podman_make - the same root as an image of a podman with a store of its own
podman_make()
{
	[ -z "${podman_is_made:-}" ] || return 0
	[ -z "${podman_failed:-}" ] || return 1
	wants podman podman || return 1
	root_make
	# It looks there for Docker's credentials.
	[ -e "$work/tmp/config.json" ] || printf '{}\n' >"$work/tmp/config.json"
	podman_options="--root $work/fs/podman --runroot $work/run/p --storage-driver overlay"
	podman_options="$podman_options --cgroup-manager cgroupfs --events-backend none"
	# shellcheck disable=SC2086 # a list of options
	if tar -C "$root" -c . | podman $podman_options import - bench:latest >"$work/podman.log" 2>&1 &&
		podman $podman_options run --rm --network none bench:latest true >>"$work/podman.log" 2>&1; then
		podman_is_made=yes
		return
	fi
	say "podman: left out: $(tail -n 1 "$work/podman.log")"
	podman_failed=yes
	return 1
}

# nspawn_works - can systemd-nspawn start anything here?
nspawn_works()
{
	wants nspawn systemd-nspawn || return 1
	root_make
	works nspawn systemd-nspawn -q -D "$root" --register=no --keep-unit --private-network \
		--as-pid2 /bin/true
}

peers_stop()
{
	docker_stop
	! command -v nslaunch >/dev/null || nslaunch pool drain
}

# bundle_make NAME COMMAND... - a bundle of lamina's with an ephemeral read-write layer: $bundle
bundle_make()
{
	bundle_name=$1
	shift
	bundle=$(layerfs create --id "$bundle_name" --ephemeral bench:latest | initlayer |
		nslaunch spec --network none -- "$@") || die "cannot make a bundle"
}

# peers_bundle_make NAME COMMAND... - the same for other runtimes: its root is mounted beforehand,
# off the clock; $peers, and $peers_unfiltered without its seccomp profile: what a runtime has to do
# that had compiled it earlier, but for loading it
peers_bundle_make()
{
	peers_name=$1
	shift
	peers=$(layerfs create --id "$peers_name" bench:latest | initlayer |
		nslaunch spec --network none -- "$@") || die "cannot make a bundle"
	layerfs mount "$peers" >/dev/null
	peers_unfiltered=$work/fs/$peers_name-unfiltered
	mkdir -p "$peers_unfiltered"
	jq --arg root "$peers/rootfs" '.root.path = $root | del(.linux.seccomp)' \
		"$peers/config.json" >"$peers_unfiltered/config.json"
}

peers_bundle_remove()
{
	layerfs umount "$peers" >/dev/null
	layerfs rm "$peers" >/dev/null
}
