# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# containerd with a configuration, directories and a socket of its own, all in the sandbox. `engine`
# is ctr run with the runtime that is being tried.
load engine

ctr() {
	command ctr --address $SCRATCH/containerd.sock "$@"
}

engine() {
	ctr run --runc-binary "$RUNTIME" --runc-root $SCRATCH/runtime "$@"
}

# status NAME - the task's state
task_status() {
	ctr task ls | awk -v name="$1" '$1 == name { print $3 }'
}


containerd_setup() {
	sandbox_setup || return
	export PEER=$SCRATCH/bin/runc BUSYBOX=busybox:latest
	ln -s "$(command -v runc)" "$PEER"
	# docs/engines.md shows the part about runtimes: it is what Kubernetes' RuntimeClass goes by.
	cat >$SCRATCH/containerd.toml <<-END
		version = 2
		root = "$SCRATCH/containerd-data"
		state = "$SCRATCH/containerd-state"
		[grpc]
		  address = "$SCRATCH/containerd.sock"
		[plugins."io.containerd.grpc.v1.cri".containerd]
		  default_runtime_name = "lamina"
		[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.lamina]
		  runtime_type = "io.containerd.runc.v2"
		  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.lamina.options]
		    BinaryName = "$LAMINA_BIN/nslaunch"
	END
	containerd --config $SCRATCH/containerd.toml >$SCRATCH/containerd.log 2>&1 \
		</dev/null 3>&- 4>&- &
	eventually ctr version || {
		tail -n 20 $SCRATCH/containerd.log >&2
		return 1
	}
	ctr image import $IMAGE.tar >&2
}

containerd_teardown() {
	local name

	[ -e "${SCRATCH-}/containerd.sock" ] || return 0
	ctr task ls -q | while read -r name; do ctr task rm -f "$name"; done
	ctr container ls -q | while read -r name; do ctr container rm "$name"; done
	runtime_leavings '.*/\(default\|lamina-parent\)/t[0-9].*' $SCRATCH/runtime/default || {
		tail -n 20 $SCRATCH/containerd.log >&2
		return 1
	}
}
