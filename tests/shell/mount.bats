#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# layerfs mount and umount: merged roots of bundles, and stacks

load helpers
load images

setup() {
	lamina_setup
	need layerfs initlayer
	need_root
	fresh_store
	make_image busybox:latest >&2
}

teardown() {
	layerfs rm --incomplete --wait >/dev/null
	[ -z "$(ls "$LAMINA_STORE/containers")" ]
}

# fails MESSAGE COMMAND... - the command exits with 1 and says just this
fails() {
	local message=$1 status=0

	shift
	"$@" >output 2>error || status=$?
	[ "$status" -eq 1 ] && [ ! -s output ] && [ "$(<error)" = "$message" ] && return 0
	echo "status $status:" && cat error
	return 1
}

# stack N - directories 1 to N with a file of that name, and one called "top" in each
stack() {
	local i

	for i in $(seq "$1"); do
		mkdir "$i"
		echo "$i" >"$i/$i"
		echo "$i" >"$i/top"
	done
}

@test "a bundle's merged root is mounted, written to, unmounted and mounted again" {
	privately <<'END'
		bundle=$(layerfs create busybox | initlayer)
		[ "$(layerfs mount "$bundle")" = "$bundle" ]
		[ "$(<"$bundle/rootfs/file")" = text ]
		[ -L "$bundle/rootfs/etc/mtab" ]
		echo new >"$bundle/rootfs/new"
		[ "$(<"$bundle/upper/new")" = new ]
		[ "$(layerfs umount "$bundle")" = "$bundle" ]
		[ -z "$(ls "$bundle/rootfs")" ]
		[ ! -e "$bundle/mounted" ]
		layerfs mount <<<"$bundle" | layerfs umount
		layerfs mount --volatile "$bundle"
		grep -q " $bundle/rootfs .*volatile" /proc/self/mountinfo
		layerfs umount "$bundle"
END
}

@test "bundles are found by name and id" {
	privately <<'END'
		bundle=$(layerfs create --id one --name web busybox)
		[ "$(layerfs mount web)" = "$bundle" ]
		[ "$(layerfs umount one)" = "$bundle" ]
		fails "layerfs: mount: there is no container 'two'" layerfs mount two
END
}

@test "an ephemeral bundle gets a tmpfs of its size" {
	privately <<'END'
		bundle=$(layerfs create --ephemeral=1m busybox | initlayer)
		layerfs mount "$bundle"
		echo new >"$bundle/rootfs/new"
		! head -c 2m /dev/zero >"$bundle/rootfs/large" || exit 1
		layerfs umount "$bundle"
		layerfs mount "$bundle"
		[ ! -e "$bundle/rootfs/new" ]
		layerfs umount "$bundle"
END
}

@test "a mounted bundle is not mounted twice, nor removed without force" {
	privately <<'END'
		bundle=$(layerfs create --id one busybox)
		layerfs mount "$bundle"
		fails "layerfs: mount: the bundle '$bundle' is mounted already" layerfs mount "$bundle"
		fails "layerfs: rm: the container 'one' is mounted; layerfs umount it, or use --force" \
			layerfs rm one
		[ -d "$bundle" ]
		[ "$(layerfs rm --force one)" = one ]
		[ ! -e "$bundle" ]
		! grep -F "$bundle" /proc/self/mountinfo || exit 1
END
}

@test "a mount in another namespace is known, for as long as that lives" {
	privately <<'END'
		bundle=$(layerfs create --id one busybox)
		unshare -m --propagation private bash -c '
			layerfs mount one >/dev/null && echo up && exec sleep 60' >ready &
		pid=$!
		while [ ! -s ready ]; do sleep 0.01; done
		[ -z "$(ls "$bundle/rootfs")" ]
		fails "layerfs: mount: the bundle '$bundle' is mounted in the mount namespace of process $pid" \
			layerfs mount one
		fails "layerfs: umount: the bundle '$bundle' is mounted in the mount namespace of process $pid" \
			layerfs umount one
		for force in "" --force; do
			fails "layerfs: rm: the container 'one' is mounted in the mount namespace of process $pid" \
				layerfs rm $force one
		done
		kill -KILL "$pid"
		wait "$pid" || :
		layerfs mount one
		layerfs umount one
END
}

@test "what an earlier boot, or umount(8), leaves behind doesn't matter" {
	privately <<'END'
		bundle=$(layerfs create --id one busybox)
		echo "00000000-0000-0000-0000-000000000000 $(stat -L -c %i /proc/1/ns/mnt)" >"$bundle/mounted"
		layerfs mount one
		umount "$bundle/rootfs"
		[ -e "$bundle/mounted" ]
		fails "layerfs: umount: the bundle '$bundle' is not mounted" layerfs umount one
		[ ! -e "$bundle/mounted" ]
		layerfs mount one
		umount "$bundle/rootfs"
		layerfs mount one
		umount "$bundle/rootfs"
		: >"$bundle/mounted"
		layerfs rm --wait one
END
}

@test "a locked bundle is left alone" {
	privately <<'END'
		bundle=$(layerfs create --id one busybox)
		exec 8<"$bundle/lock"
		flock -s 8
		fails "layerfs: mount: the bundle '$bundle' is in use" layerfs mount one
END
}

@test "files that are open keep it mounted, unless it's lazy" {
	privately <<'END'
		bundle=$(layerfs create --id one busybox)
		layerfs mount one
		exec 8<"$bundle/rootfs/file"
		layerfs umount one 2>error && exit 1
		[[ $(<error) == "layerfs: umount: cannot unmount '$bundle/rootfs': "*busy ]]
		layerfs umount --lazy one
		[ -z "$(ls "$bundle/rootfs")" ]
END
}

@test "a failing bundle is left out, the others go on" {
	privately <<'END'
		a=$(layerfs create busybox) b=$(layerfs create busybox)
		layer=$(<"$a/layers")
		echo "${layer%/diff}/gone" >"$a/layers"
		printf '%s\n' "$a" "$b" | layerfs mount >done 2>error && exit 1
		[ "$(<done)" = "$b" ]
		[ "$(<error)" = "layerfs: mount: bundle '$a': lowerdir '${layer%/diff}/gone': No such file or directory" ]
		layerfs umount "$b"
END
}

@test "a stack of lowers is mounted topmost first, read-only" {
	privately <<'END'
		stack 3
		mkdir root
		layerfs mount --lower 1 --lower 2 --lower "$PWD/3" root
		[ "$(cat root/1 root/2 root/3 root/top)" = "1"$'\n2\n3\n1' ]
		! touch root/new 2>/dev/null || exit 1
		layerfs umount root
		[ -z "$(ls root)" ]
		layerfs mount --lower 1 root
		[ "$(<root/top)" = 1 ]
		! touch root/new 2>/dev/null || exit 1
		layerfs umount "$PWD/root"
		fails "layerfs: umount: './root' is not mounted" layerfs umount ./root
END
}

@test "an upper takes what is written" {
	privately <<'END'
		stack 2
		mkdir root upper work
		layerfs mount --lower 1 --lower 2 --upper upper --work work root
		echo new >root/top
		rm root/2
		layerfs umount root
		[ "$(<upper/top)" = new ]
		[ -c upper/2 ]
		[ "$(<1/top)" = 1 ]
END
}

@test "a stack as aufs users write it" {
	privately <<'END'
		stack 2
		mkdir root rw 'a:b' 'c=d' 'e,f'
		echo colon >a:b/colon
		echo equals >c=d/equals
		echo comma >e,f/comma
		layerfs mount -o 'br:rw=rw:1=ro:2=ro' root
		echo new >root/new
		layerfs umount root
		[ "$(<rw/new)" = new ]
		[ -d .lamina-work-rw ]
		# The first is read-write by default; the escapes; what only aufs has.
		layerfs mount -o 'udba=none,br=rw:a\:b:c=d:e\,f=rr:1,xino=/dev/shm/x' root
		[ "$(cat root/new root/colon root/equals root/comma root/1)" = $'new\ncolon\nequals\ncomma\n1' ]
		echo more >root/more
		layerfs umount root
		[ "$(<rw/more)" = more ]
		layerfs mount -o 'dirs=1=ro:2=ro' root
		[ "$(<root/top)" = 1 ]
		! touch root/x 2>/dev/null || exit 1
		layerfs umount root
END
}

@test "an upper that is a file system of its own needs a work directory by name" {
	privately <<'END'
		stack 1
		mkdir root rw
		mount -t tmpfs none rw
		fails "layerfs: mount: '$PWD/rw' is the root of a file system: name a directory in it with --work" \
			layerfs mount -o br:rw:1 root
		[ ! -e .lamina-work-rw ]
		mkdir rw/upper rw/work
		layerfs mount -o br:rw/upper:1 --work rw/work root
		touch root/x
		layerfs umount root
		[ -e rw/upper/x ]
END
}

@test "wrong stacks are refused" {
	stack 2
	mkdir root rw
	touch file
	refuse() {
		run --separate-stderr layerfs mount "${@:3}"
		[ "$status" -eq "$1" ]
		[ "$stderr" = "layerfs: mount: $2" ]
	}
	refuse 1 "lower 'none': No such file or directory" --lower 1 --lower none root
	refuse 1 "lower 'file': Not a directory" --lower file root
	refuse 1 "upper 'none': No such file or directory" --lower 1 --upper none --work rw root
	refuse 1 "work 'none': No such file or directory" --lower 1 --upper rw --work none root
	refuse 1 "cannot mount the overlay: a directory is there twice, or lies in another" \
		--lower 1 --lower 2 --lower 1 root
	refuse 1 "cannot mount on 'none': No such file or directory" --lower 1 --lower 2 none
	refuse 1 "cannot mount on 'file': Not a directory" --lower 1 --lower 2 file
	refuse 2 "option '--upper' needs '--work'; see its --help" --lower 1 --upper rw root
	refuse 2 "option '--work' needs an upper; see its --help" --lower 1 --work rw root
	refuse 2 "a stack is mounted on one directory; see its --help" --lower 1
	refuse 2 "a stack needs at least one read-only layer; see its --help" -o br:rw root
	refuse 2 "branch '2' can't be rw: overlayfs writes to the first only; see its --help" \
		-o br:rw:2=rw root
	refuse 2 "branch '1=ro+wh': overlayfs has no attribute '+wh'; see its --help" \
		-o br:rw:1=ro+wh root
	refuse 2 "a branch without a path; see its --help" -o br:rw::1 root
	refuse 2 "option -o takes br:BRANCH[:BRANCH...], not 'noatime'; see its --help" \
		-o br:rw:1,noatime root
	refuse 2 "two read-write layers, 'rw' and '1'; see its --help" \
		--upper rw --work 2 -o br:1:2 root
	[ -z "$(scratch_mounts)" ]
}

@test "127 and 500 lowers with long paths, and not one more" {
	privately <<'END'
		long=$(printf 'd%.0s' {1..200})
		mkdir -p "$long/$long"
		cd "$long/$long"
		stack 501
		mkdir root
		for n in 127 500; do
			eval "layerfs mount $(printf -- '--lower %s ' $(seq "$n")) root"
			[ "$(<root/top)" = 1 ]
			[ "$(<"root/$n")" = "$n" ]
			[ "$(ls root | wc -l)" -eq $((n + 1)) ]
			layerfs umount root
		done
		fails "layerfs: mount: 501 lowerdirs, overlayfs takes at most 500" \
			layerfs mount $(printf -- '--lower %s ' $(seq 501)) root
		rm -r 77
		fails "layerfs: mount: lower '77': No such file or directory" \
			layerfs mount $(printf -- '--lower %s ' $(seq 127)) root
END
}

@test "a bundle of 499 layers and an init layer is mounted" {
	privately <<'END'
		stack 500
		make_image deep:499 $(seq -f "$PWD/%g" 499) >&2
		make_image deep:500 $(seq -f "$PWD/%g" 500) >&2
		bundle=$(layerfs create --max-depth 500 deep:499 | initlayer)
		layerfs mount "$bundle"
		[ "$(<"$bundle/rootfs/top")" = 1 ]
		[ "$(<"$bundle/rootfs/499")" = 499 ]
		[ -e "$bundle/rootfs/etc/hosts" ]
		layerfs umount "$bundle"
		bundle=$(layerfs create --max-depth 500 deep:500)
		fails "initlayer: bundle '$bundle': 500 layers and an init layer are more than overlayfs's 500" \
			initlayer "$bundle"
END
}

@test "nslaunch and crun run a mounted bundle on its mount" {
	need nslaunch crun
	export LAMINA_STORE=$TEST_DIRECTORY/real
	import_busybox
	[ -d /sys/fs/cgroup/unified ] || [ ! -e /sys/fs/cgroup/memory ] || skip "another kind of cgroups"
	privately <<'END'
		# Debian 12's crun doesn't know v1 hierarchies with a v2 one among them.
		! mountpoint -q /sys/fs/cgroup/unified || umount /sys/fs/cgroup/unified
		bundle=$(layerfs create busybox | initlayer |
			nslaunch spec -- sh -c 'echo "$1" >>/who && cat /who' sh me)
		id=${bundle##*/}
		layerfs mount "$bundle"
		[ "$(crun --root "$PWD/crun" run -b "$bundle" "$id")" = me ]
		[ "$(nslaunch run --bundle "$bundle")" = me$'\nme' ]
		[ "$(<"$bundle/upper/who")" = me$'\nme' ]
		[ "$(<"$bundle/rootfs/who")" = me$'\nme' ]
		layerfs umount "$bundle"
		layerfs rm --wait "$bundle"
END
}
