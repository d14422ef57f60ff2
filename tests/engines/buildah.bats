#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# buildah's operations with nslaunch as its runtime, against Debian's crun. Those that find the most
# have the tag `core`.
load podman

setup_file() {
	need podman buildah crun
	podman_setup
	export BUILDAH_ISOLATION=oci
}

teardown_file() {
	buildah rm -a >/dev/null || :
	podman_teardown
}

# bats test_tags=core
@test "buildah from, run: output, exit status, user, working directory, volume" {
	operation <<'END'
		buildah from --pull-never --name "$C" localhost/busybox
		inside() { buildah run --runtime "$RUNTIME" "$@"; }
		is hello "$(inside "$C" -- echo hello)"
		exits 7 inside "$C" -- sh -c 'exit 7'
		is "5:6" "$(inside --user 5:6 "$C" -- sh -c 'echo $(id -u):$(id -g)')"
		is /usr/bin "$(inside --workingdir /usr/bin "$C" -- pwd)"
		mkdir data
		chmod 755 .
		inside -v "$PWD/data:/data" "$C" -- sh -c 'echo content >/data/file'
		is content "$(cat data/file)"
		inside "$C" -- sh -c 'echo kept >/home/file'
		is kept "$(inside "$C" -- cat /home/file)"
		is b "$(inside --env A=b "$C" -- sh -c 'echo $A')"
		buildah commit -q "$C" "localhost/$C"
		buildah rm "$C"
		buildah rmi "localhost/$C"
END
}

# bats test_tags=core
@test "buildah bud: RUN" {
	operation <<'END'
		cat >Containerfile <<-FILE
			FROM localhost/busybox
			RUN echo built >/home/file && echo somebody:x:7:7::/:/bin/sh >>/etc/passwd
			USER somebody
			RUN id -un >/tmp/user
			WORKDIR /home
			CMD cat file /tmp/user
		FILE
		buildah bud --pull-never --runtime "$RUNTIME" --isolation oci -t "localhost/$C" . >log 2>&1 || {
			cat log
			false
		}
		is "$(printf 'built\nsomebody')" "$(podman --runtime "$RUNTIME" run --rm "localhost/$C")"
		printf 'FROM localhost/busybox\nRUN exit 9\n' >Containerfile
		! buildah bud --pull-never --runtime "$RUNTIME" --isolation oci . >log 2>&1
		has "$(cat log)" 'exit status 9'
		buildah rmi "localhost/$C"
END
}

@test "buildah run: --cap-add, --cap-drop, --hostname, --network, -t, --mount" {
	operation <<'END'
		buildah from --pull-never --name "$C" localhost/busybox
		inside() { buildah run --runtime "$RUNTIME" "$@"; }
		caps() { inside "$@" "$C" -- grep CapEff /proc/self/status | cut -f 2; }
		[ $((0x$(caps --cap-add CAP_SYS_ADMIN) & 1 << 21)) -ne 0 ]
		[ $((0x$(caps --cap-drop CAP_CHOWN) & 1)) -eq 0 ]
		is h "$(inside --hostname h "$C" -- hostname)"
		is lo "$(inside --network none "$C" -- ls /sys/class/net)"
		is "$(readlink /proc/self/ns/net)" \
			"$(inside --network host "$C" -- readlink /proc/self/ns/net)"
		has "$(on_terminal buildah run --runtime "$RUNTIME" -t "$C" -- tty)" /dev/
		mkdir data
		chmod 755 .
		exits 1 inside --mount "type=bind,source=$PWD/data,destination=/data,ro" "$C" -- \
			touch /data/file 2>errors
		has "$(cat errors)" Read-only
		buildah rm "$C"
END
}

@test "buildah from: limits" {
	operation <<'END'
		buildah from --pull-never --name "$C" --memory 64m --cpu-shares 512 localhost/busybox
		buildah run --runtime "$RUNTIME" "$C" -- true
		buildah rm "$C"
END
}

@test "buildah bud: --layers, --mount=type=cache, --secret" {
	operation <<'END'
		printf hidden >secret
		cat >Containerfile <<-FILE
			FROM localhost/busybox
			RUN --mount=type=secret,id=s cat /run/secrets/s >/home/secret
			RUN --mount=type=cache,target=/cache echo x >/cache/x
			RUN --mount=type=tmpfs,target=/scratch touch /scratch/x
		FILE
		buildah bud --pull-never --layers --runtime "$RUNTIME" --isolation oci \
			--secret "id=s,src=$PWD/secret" -t "localhost/$C" .
		is hidden "$(podman --runtime "$RUNTIME" run --rm "localhost/$C" cat /home/secret)"
		buildah rmi "localhost/$C"
END
}

@test "buildah run --isolation chroot and rootless" {
	operation <<'END'
		buildah from --pull-never --name "$C" localhost/busybox
		is hello "$(buildah run --isolation chroot "$C" -- echo hello)"
		is hello "$(buildah run --isolation rootless --runtime "$RUNTIME" "$C" -- echo hello)"
		buildah rm "$C"
END
}
