# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# dockerd with directories, a socket and a containerd of its own, all in the sandbox. `engine run`
# and `engine create` are docker's with the runtime that is being tried.
load engine

engine() {
	local verb=$1 name=lamina

	shift
	[ "${RUNTIME##*/}" = nslaunch ] || name=runc
	docker "$verb" --runtime "$name" "$@"
}

# state NAME FIELD - a field of inspect's State
state() {
	docker inspect -f "{{.State.$2}}" "$1"
}

docker_setup() {
	sandbox_setup || return
	export PEER=$SCRATCH/bin/runc DOCKER_HOST=unix://$SCRATCH/docker.sock
	export DOCKER_CONFIG=$SCRATCH/docker-client
	ln -s "$(command -v runc)" "$PEER"
	# docs/engines.md shows this file.
	cat >$SCRATCH/daemon.json <<-END
		{
			"runtimes": { "lamina": { "path": "$LAMINA_BIN/nslaunch" } },
			"default-runtime": "lamina"
		}
	END
	# Else docker warns with each run.
	echo 1 >/proc/sys/net/ipv4/ip_forward
	dockerd --config-file $SCRATCH/daemon.json --data-root $SCRATCH/docker-data \
		--exec-root $SCRATCH/docker-exec --pidfile $SCRATCH/docker.pid --host "$DOCKER_HOST" \
		--storage-driver "${STORAGE_DRIVER-overlay2}" --iptables=false --ip-forward=false \
		--bridge=none >$SCRATCH/dockerd.log 2>&1 </dev/null 3>&- 4>&- &
	eventually docker version || {
		tail -n 20 $SCRATCH/dockerd.log >&2
		return 1
	}
	docker import -c 'CMD ["sh"]' "$(image_layer)" busybox >&2
}

docker_teardown() {
	[ -e "${SCRATCH-}/docker.pid" ] || return 0
	docker ps -aq | xargs -r docker rm -f >/dev/null
	runtime_leavings '.*/[0-9a-f]+' $SCRATCH/docker-exec/runtime-*/moby || {
		tail -n 20 $SCRATCH/dockerd.log >&2
		return 1
	}
}
