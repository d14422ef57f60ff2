#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# How many system calls each step of a start makes. A budget (data/syscall-budgets) may fall; it
# rises only with a reason beside it.
load helpers
load bundle

setup() {
	need strace layerfs initlayer volctl nslaunch
	need_root
	strace -o /dev/null true 2>/dev/null || skip "no ptrace"
	[ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ] || skip "budgets are of cgroup v1 hosts"
	lamina_setup
	import_busybox
	# LeakSanitizer, where it is built in, can't work under strace; and it makes calls of its own.
	! nm -D "$LAMINA_BIN/layerfs" 2>/dev/null | grep -q asan || skip "a build with sanitizers"
}

# calls COMMAND... - the calls of the command and what it starts, up to the container's own program,
# as "NUMBER NAME" lines; needs $PROGRAM
calls() {
	strace -f -qq -o calls "$@" >/dev/null </dev/null || return
	counted
}

counted() {
	awk -v program="execve(\"$PROGRAM\"" '
		/<... .* resumed>/ || /^[0-9]+ +(---|\+\+\+)/ { next }
		gone[$1] { next }
		index($0, program) { gone[$1] = 1 }
		{ name = $2; sub(/\(.*/, "", name); n[name]++ }
		END { for (name in n) print n[name], name }' calls | sort -rn
}

hierarchies() {
	local n=0 path

	for path in /sys/fs/cgroup/*/tasks; do
		[ -L "${path%/tasks}" ] || n=$((n + 1))
	done
	printf '%s\n' "$n"
}

# Those of the masked and read-only paths that this kernel has: each is mounted over.
covered_paths() {
	local n=0 path

	for path in /proc/acpi /proc/asound /proc/interrupts /proc/kcore /proc/keys /proc/latency_stats \
		/proc/sched_debug /proc/scsi /proc/timer_list /proc/timer_stats \
		/sys/devices/virtual/powercap /sys/firmware /proc/bus /proc/fs /proc/irq /proc/sys \
		/proc/sysrq-trigger; do
		[ ! -e "$path" ] || n=$((n + 1))
	done
	printf '%s\n' "$n"
}

# within BUDGET COMMAND... - fails, and shows the calls, where there are more than the budget has;
# with "-" for the command those of ./calls
within() {
	local base per_hierarchy per_path budget n

	read -r _ base per_hierarchy per_path _ < <(grep "^$1 " "$BATS_TEST_DIRNAME/data/syscall-budgets")
	[ -n "$base" ]
	budget=$((base + per_hierarchy * $(hierarchies) + per_path * $(covered_paths)))
	shift
	if [ "$1" = - ]; then counted; else calls "$@"; fi >table
	n=$(awk '{ n += $1 } END { print n }' table)
	printf '# %s: %s calls, the budget is %s\n' "$*" "$n" "$budget" >&3
	[ "$n" -le "$budget" ] || { cat table && false; }
}

@test "the steps of a create keep to their budgets" {
	local bundle

	PROGRAM=/none
	within layerfs-create layerfs create --id one busybox
	bundle=$LAMINA_STORE/containers/one
	# The first start of an image makes its init layer.
	initlayer --bundle "$(layerfs create --id other busybox)" >/dev/null
	within initlayer initlayer --bundle "$bundle"
	volctl create data >/dev/null
	within volctl-attach volctl attach --bundle "$bundle" -v data:/data
	within nslaunch-spec nslaunch spec --bundle "$bundle" -- /bin/true
	within layerfs-rm layerfs rm "$bundle"
	layerfs rm other >/dev/null
	volctl rm data >/dev/null
}

@test "a start keeps to its budget" {
	local bundle

	PROGRAM=/bin/true
	bundle=$(layerfs create --id one --ephemeral busybox | initlayer | nslaunch spec -- /bin/true)
	# The first one makes lamina's cgroup, and the template of mounts.
	nslaunch run --bundle "$bundle"
	within nslaunch-run nslaunch run --bundle "$bundle"
	layerfs rm "$bundle" >/dev/null
}

@test "a start of runc's own config.json keeps to its budget" {
	need runc
	PROGRAM=/bin/true
	mkdir -p bundle/rootfs/{bin,dev,proc,sys,etc,tmp}
	cp "$(command -v busybox)" bundle/rootfs/bin/true
	(cd bundle && runc spec)
	jq '.process.terminal = false | .process.args = ["/bin/true"]' bundle/config.json >changed
	mv changed bundle/config.json
	nslaunch run --bundle bundle one
	within runc-spec nslaunch run --bundle bundle one
}

@test "create, start, exec and delete keep to their budgets" {
	local bundle tracer

	PROGRAM=/bin/sleep
	bundle=$(layerfs create --id one --ephemeral busybox | initlayer |
		nslaunch spec -- /bin/sleep 1000)
	nslaunch create --bundle "$bundle" warm
	nslaunch delete --force warm
	# What was created waits, and strace with it.
	strace -f -qq -o calls nslaunch create --bundle "$bundle" one </dev/null >/dev/null 3>&- &
	tracer=$!
	until_true status_is one created
	kill -KILL "$tracer"
	wait "$tracer" 2>/dev/null || :
	within nslaunch-create -
	within nslaunch-start nslaunch start one
	PROGRAM=/bin/true
	within nslaunch-exec nslaunch exec one /bin/true
	within nslaunch-kill nslaunch kill one KILL
	until_true status_is one stopped
	within nslaunch-delete nslaunch delete one
	layerfs rm "$bundle" >/dev/null
}

@test "run executes at most seven programs" {
	local n

	volctl create data >/dev/null
	lamina-run --rm -v data:/data busybox true
	strace -f -qq -e trace=execve,execveat -o calls lamina-run --rm -v data:/data busybox /bin/true
	# But for the script itself, what nslaunch executes once more, and the container's own program.
	n=$(grep -cE 'execve(\(| resumed).* = 0$' calls)
	n=$((n - 1 - $(grep -c 'execve("/bin/true"' calls)))
	printf '# %s programs\n' "$n" >&3
	[ "$n" -le 7 ]
	[ "$n" -ge 4 ]
	volctl rm data >/dev/null
}
