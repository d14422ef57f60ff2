#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The programs that measure: they time what they are given, and leave nothing.
# shellcheck disable=SC2016,SC2154 # what a container's shell expands; bats' variables
load helpers

setup() {
	driver=$LAMINA_BUILD/bench/driver/bench-driver
	floor=$LAMINA_BUILD/bench/floor/floor-start
	stamp=$LAMINA_BUILD/bench/floor/stamp
	[ -x "$driver" ] || skip "built without benchmarks"
	lamina_setup
}

# make_root - a root of busybox and the stamp, and an init layer above it
make_root() {
	mkdir -p root/bin init/etc init/dev init/proc init/sys upper work
	cp "$(command -v busybox)" root/bin/busybox
	ln -s busybox root/bin/sh
	cp "$stamp" root/stamp
	touch init/etc/hosts init/etc/hostname init/etc/resolv.conf
}

start() {
	"$floor" --lower "$PWD/init" "$PWD/root" "$@"
}

@test "the stamp is the monotonic clock's time" {
	before=$(awk '{ print int($1) }' /proc/uptime)
	run --separate-stderr "$stamp"
	[ "$status" -eq 0 ]
	[[ "$output" =~ ^[0-9]+$ ]]
	[ $((output / 1000000000)) -ge $((before - 1)) ]
	[ $((output / 1000000000)) -le $((before + 60)) ]
	"$stamp" 5 5>stamped
	grep -qx '[0-9]*' stamped
}

@test "the driver interleaves, counts and reports each variant" {
	run --separate-stderr "$driver" -n 5 --warm-up 1 --no-pace --scenario s --host h --json out \
		one stamp after 'echo one {} >>order' -- "$stamp" ';' \
		two after 'echo two {} >>order' -- true
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "$(head -n 4 order | tr '\n' ' ')" = "one 0 two 0 one 1 two 1 " ]
	[ "$(wc -l <order)" -eq 12 ]
	grep -q "^to the program's first instruction" <<<"$output"
	[ "$(jq -r '.scenario, .host, .reference, .rounds' out | tr '\n' ' ')" = "s h one 5 " ]
	[ "$(jq '[.variants[].return_us.samples | length] | min, max' out | tr '\n' ' ')" = "5 5 " ]
	jq -e '.variants[0] | .first_instruction_us.median > 0 and
		.first_instruction_us.min <= .first_instruction_us.median and
		.first_instruction_us.median <= .return_us.median' out
}

@test "a variant that fails is named with its reason, left out, and the others go on" {
	run --separate-stderr "$driver" -n 3 --no-pace bad -- sh -c 'echo why >&2; exit 3' ';' \
		mute stamp -- true ';' good -- true
	[ "$status" -eq 1 ]
	[ "${stderr_lines[0]}" = "bench-driver: comparison: left out: 'bad' failed with status 3: why" ]
	[ "${stderr_lines[1]}" = "bench-driver: comparison: left out: 'mute' wrote no time stamp" ]
	grep -q 'ratios to good' <<<"$output"
}

@test "the driver adds the CPU time of the cgroup where a daemon works" {
	local hierarchy cgroup found='' work='i=0; while [ $i -lt 30000 ]; do i=$((i + 1)); done'
	need jq
	need_root
	for hierarchy in /sys/fs/cgroup/cpuacct /sys/fs/cgroup/cpu,cpuacct /sys/fs/cgroup; do
		cgroup=$hierarchy/lamina-bench-test-$$
		if [ -e "$hierarchy/cpuacct.usage" ] || [ -e "$hierarchy/cgroup.subtree_control" ]; then
			found=yes
			break
		fi
	done
	[ -n "$found" ] || skip "no cgroup hierarchy tells CPU time"
	mkdir "$cgroup"
	# Which works there, and is waited for: it counts twice, then.
	"$driver" -n 5 --no-pace --json out one -- sh -c "$work" ';' two daemon "$cgroup" -- sh -c \
		"echo 0 >$cgroup/cgroup.procs; $work" ';' >text
	rmdir "$cgroup"
	jq -e '.variants | (map(.has_daemon_cpu) == [false, true]) and .[1].cpu_us.ratio > 1.5' out
	grep -q "^two .*(with its daemon's)$" text
	run --separate-stderr "$driver" -n 1 --no-pace one daemon "$PWD/none" -- true
	[ "$status" -eq 1 ]
	[[ "$stderr" == *"left out: 'one': cannot read the CPU time of '$PWD/none': No such file"* ]]
}

@test "the driver prints a table in Markdown, too" {
	run --separate-stderr "$driver" -n 3 --no-pace --scenario s --markdown one stamp -- "$stamp" ';' \
		two -- sleep 0.2
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "| s, ms, 3 runs each | min | p10 | median | p90 | p99 | of one (95 %) | CPU | peak memory |" ]
	[ "${lines[1]}" = "|---|---|---|---|---|---|---|---|---|" ]
	[[ "${lines[2]}" =~ ^"| to the program's first instruction: one |"( [0-9.]+ \|){5}" 1.00 (1.00 - 1.00) | | |"$ ]]
	[[ "${lines[4]}" =~ ^"| to the command's return: two |"( 2[0-9][0-9] \|){5}" "[0-9.]+" ("[0-9.]+" - "[0-9.]+") | "[0-9.]+" | "[0-9]+" kB |"$ ]]
	[ "${#lines[@]}" -eq 5 ]
}

@test "wrong usage of the driver is told" {
	run --separate-stderr "$driver" one two
	[ "$status" -eq 2 ]
	run --separate-stderr "$driver" one three -- true
	[ "$status" -eq 2 ]
	[ "$stderr" = "bench-driver: 'one': unknown word 'three'; see --help" ]
	run --separate-stderr "$driver" one -- no-such-program
	[ "$status" -eq 1 ]
	[ "$stderr" = "bench-driver: 'one': cannot find 'no-such-program': No such file or directory" ]
}

@test "the floor makes a container as Docker's defaults have it" {
	need_root
	make_root
	run --separate-stderr start --upper "$PWD/upper" --work "$PWD/work" -- /bin/sh -c '
		for a in grep cat mount; do /bin/busybox ln -s busybox /bin/$a; done
		grep -E "^(CapInh|CapPrm|CapBnd|Seccomp|NoNewPrivs):" /proc/self/status
		cat /proc/sys/kernel/hostname
		cat /proc/self/cgroup | grep -vc ":/$"
		mount | grep -c " type cgroup"
		echo $$
		exit 7'
	[ "$status" -eq 7 ]
	[ "$(head -n 6 <<<"$output" | tr -d '\t' | tr '\n' ' ')" = \
		"CapInh:0000000000000000 CapPrm:00000000a80425fb CapBnd:00000000a80425fb NoNewPrivs:0 Seccomp:2 floor " ]
	[ "${lines[-3]}" = 0 ]
	[ "${lines[-2]}" -gt 0 ]
	[ "${lines[-1]}" = 1 ]
	[ -L upper/bin/grep ]
	[ -z "$(find /sys/fs/cgroup -type d -path '*/lamina/floor-*')" ]
}

@test "the floor takes what nslaunch takes: its template, and one of each from a pool" {
	local inside
	need_root
	need nslaunch
	make_root
	export LAMINA_STATE=$PWD/state LAMINA_TEMPLATE=$PWD/template
	mkdir -p bundle/rootfs
	cp "$LAMINA_SOURCE/tests/shell/data/config.json" bundle/
	# Which fails, there is no such program, and has made the template.
	run -127 nslaunch run --bundle bundle "floor-$$"
	nslaunch pool fill -n 2
	inside='/bin/busybox ls -l /dev; /bin/busybox ip addr; cd /; /bin/busybox ls; /bin/busybox cut -d" " -f5-6 /proc/self/mountinfo | /bin/busybox sort'
	start --ephemeral -- /bin/sh -c "$inside" >without
	start --template "$PWD/template/mnt" --pool "$PWD/state/@pool/ready" --ephemeral -- /bin/sh -c "$inside" >with
	grep -q LOOPBACK,UP with
	# nslaunch's own has one link more.
	diff <(grep -v ' core -> ' with) without
	[ "$(nslaunch pool status)" = $'net\t1\t0\ncgroup\t1\t0\ndev\t1\t0' ]
	nslaunch pool drain --template
	[ -z "$(find /sys/fs/cgroup -type d -path '*/lamina/@pool-*')" ]
	run --separate-stderr start --template "$PWD/template/mnt" --pool "$PWD/state/@pool/ready" --ephemeral -- /bin/true
	[ "$status" -eq 125 ]
	[ "$stderr" = "floor-start: cannot open the template: No such file or directory" ]
}

@test "the floor names the step that failed and leaves no cgroup" {
	need_root
	make_root
	rm init/etc/hosts
	run --separate-stderr start --ephemeral -- /stamp
	[ "$status" -eq 125 ]
	[ "$stderr" = "floor-start: cannot bind the files of /etc: No such file or directory" ]
	touch init/etc/hosts
	run -127 --separate-stderr start --ephemeral -- /no-such-program
	[ "$stderr" = "floor-start: cannot execute the program: No such file or directory" ]
	[ -z "$(find /sys/fs/cgroup -type d -path '*/lamina/floor-*')" ]
}

# held_open OPTION... - keep the executable of a launcher open beyond its end, and then write to it
held_open() {
	local pid

	cp "$floor" floor-copy
	mkfifo hold
	./floor-copy --lower "$PWD/init" "$PWD/root" --ephemeral "$@" -- /bin/sh -c 'read -r line' <hold &
	pid=$!
	exec 8>hold
	until [ -d "/sys/fs/cgroup/systemd/lamina/floor-$pid" ] || [ -d "/sys/fs/cgroup/lamina/floor-$pid" ]; do
		kill -0 "$pid"
		sleep 0.05
	done
	sleep 0.2
	exec 9<"/proc/$pid/exe"
	echo >&8
	exec 8>&-
	wait "$pid"
	LC_ALL=C bash -c 'exec 3<>/proc/self/fd/9' 2>&1
}

@test "the launcher's file can't be written by who has seen its /proc/PID/exe" {
	need_root
	make_root
	run held_open
	[[ "$output" == *"Read-only file system"* ]]
	rm hold
	# And without the protection it can.
	run held_open --no-reexec
	[ "$status" -eq 0 ]
}

@test "the floor's phases are a timeline" {
	need_root
	need lamina-trace
	make_root
	LAMINA_TRACE=$PWD/trace start --ephemeral -- /stamp
	run lamina-trace trace
	[ "$status" -eq 0 ]
	grep -q 'cgroup.attach' <<<"$output"
	grep -q '^container floor: ' <<<"$output"
}

@test "compare says what it takes" {
	run --separate-stderr "$LAMINA_SOURCE/bench/compare" --help
	[ "$status" -eq 0 ]
	[[ "$output" == "Usage: bench/compare"* ]]
	run --separate-stderr "$LAMINA_SOURCE/bench/compare" fly
	[ "$status" -eq 2 ]
	[ "$stderr" = "compare: unknown option or scenario 'fly'; see --help" ]
	run --separate-stderr "$LAMINA_SOURCE/bench/compare" --fs ntfs start
	[ "$status" -eq 2 ]
	[ "$stderr" = "compare: unknown file system 'ntfs'; see --help" ]
}

@test "compare measures and leaves no directory, mount or cgroup" {
	need_root
	TMPDIR=$TEST_DIRECTORY run --separate-stderr "$LAMINA_SOURCE/bench/compare" --build "$LAMINA_BUILD" \
		--only floor,floor-pool,nslaunch-pool -n 2 --pace 0 --json "$PWD/out" start
	[ "$status" -eq 0 ]
	grep -q '^floor ' <<<"$output"
	[ "$(jq -r '.variants[].name' out | paste -sd,)" = floor,floor-pool,nslaunch-pool ]
	[ "$(ls)" = out ]
	[ -z "$(find /sys/fs/cgroup -type d -path '*/lamina/floor-*' -o -type d -path '*/lamina/@pool-*')" ]
}

# left_behind - what a compare left: directories of work, mounts, processes and cgroups
left_behind() {
	ls -d "$TEST_DIRECTORY"/lamina-bench.* 2>/dev/null
	grep -o ' [^ ]*lamina-bench\.[^ ]* ' /proc/self/mountinfo
	grep -la "^LAMINA_STORE=$TEST_DIRECTORY/lamina-bench" /proc/[0-9]*/environ 2>/dev/null
	find /sys/fs/cgroup -type d \( -path '*/lamina/floor-*' -o -path '*/lamina/bench-*' \
		-o -path '*/lamina-bench*' -o -path '*/lamina/@pool-*' \)
}

@test "compare's scenarios all work, and leave nothing" {
	need jq crun
	need_root
	# Few of each, without docker and podman, whose own starts take longer than all of the rest.
	TMPDIR=$TEST_DIRECTORY run --separate-stderr "$LAMINA_SOURCE/bench/compare" --build "$LAMINA_BUILD" \
		--only floor,nslaunch,lamina,stream,off,on,crun,bwrap,nspawn --small -n 1 --pace 0 \
		--json "$PWD/out" start start-upper create exec lifecycle first-byte detached stop remove \
		run at-once throughput stream scale tracing
	[ "$status" -eq 0 ]
	grep -q '^scale-mounts: nslaunch: [0-9.]* times a start beside nothing' <<<"$output"
	run ! grep -v -e ': left out: ' -e '^$' <<<"$stderr"
	[ "$(jq -r .scenario out | paste -sd' ')" = "start start-upper create exec lifecycle lifecycle-create \
lifecycle-start lifecycle-delete first-byte detached stop remove run at-once-2 at-once-3 at-once-11 throughput-1 \
throughput-2 stream scale-empty scale-mounts scale-empty scale-threads scale-empty scale-containers scale-empty tracing" ]
	jq -es 'all(.[]; (.variants | length) > 0 and all(.variants[]; (.failed | not) and
		.return_us.samples[0] > 0 and .cpu_us.samples[0] > 0 and .return_us.ratio > 0))' out
	[ -z "$(left_behind)" ]
}

@test "compare runs docker and podman of its own, and counts the daemon's work" {
	need jq docker dockerd podman
	need_root
	# A longer path than this is more than podman takes.
	TMPDIR=/tmp run --separate-stderr "$LAMINA_SOURCE/bench/compare" --build "$LAMINA_BUILD" \
		--only lamina,docker,podman --small -n 1 --pace 0 --json "$PWD/out" create
	[[ "$stderr" != *"docker: left out"* ]] || skip "$stderr"
	[ "$status" -eq 0 ]
	jq -e '.variants[] | select(.name == "docker") | .has_daemon_cpu and .cpu_us.median > 0' out
	[ -z "$(left_behind)" ]
}

@test "compare that is told to end leaves nothing" {
	local pid
	need_root
	TMPDIR=$TEST_DIRECTORY "$LAMINA_SOURCE/bench/compare" --build "$LAMINA_BUILD" --only nslaunch \
		-n 100000 exec >said 2>&1 &
	pid=$!
	until find /sys/fs/cgroup -type d -path '*/lamina/bench-sleep' | grep -q .; do
		kill -0 "$pid"
		sleep 0.05
	done
	[ -n "$(left_behind)" ]
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 143 ]
	[ -z "$(left_behind)" ]
}

@test "compare's loops run each command once, and fail where one of them fails" {
	. "$LAMINA_SOURCE/bench/scenarios/many.sh"
	for loops in 1 2 3 7; do
		[ "$(sh -c "$(commands 7 "$loops" 'echo #')" | sort | paste -sd,)" = 1,2,3,4,5,6,7 ]
		run sh -c "$(commands 7 "$loops" '[ # -ne 5 ]')"
		[ "$status" -eq 1 ]
	done
}

@test "report makes a page, its pictures and README's table of the results" {
	need jq gnuplot xmllint
	run --separate-stderr "$LAMINA_SOURCE/bench/report" \
		--results "$BATS_TEST_DIRNAME/data/bench-results.jsonl" --into made
	[ "$status" -eq 0 ]
	grep -q '^| to the first instruction: nslaunch | [0-9.]* |' made/benchmarks.md
	grep -q '^| 1,000 mounts on the host | [0-9.]* | [0-9.]* |' made/benchmarks.md
	grep -q '^With LAMINA_TRACE the first instruction comes [-0-9.]* us later' made/benchmarks.md
	! grep -q '{{\|null' made/benchmarks.md
	# Each row of a table has as many cells as its head.
	awk -F'|' '/^\|/ { if (!inside) n = NF; inside = 1; if (NF != n) exit 1; next } { inside = 0 }' \
		made/benchmarks.md
	for picture in $(sed -n 's/^!.*(\(.*\.svg\))$/\1/p' made/benchmarks.md); do
		xmllint --noout "made/$picture"
	done
	[ "$(find made/benchmarks -name '*.svg' | wc -l)" -ge 4 ]
	grep -A 1 '^<!-- benchmarks:' made/README.md | grep -q '^| medians, ms | lamina |'
}

@test "floors measures what lamina trace shows beside a start's phases" {
	need jq lamina-trace
	need_root
	[ -x "$LAMINA_BUILD/bench/floor/floor-start" ] || skip "a build without benchmarks"
	"$LAMINA_SOURCE/bench/floors" -n 2 --build "$LAMINA_BUILD" --output floors.jsonl
	jq -es 'length > 15 and all(.[]; (.phase | type) == "string" and (.floor | . == floor and . > 0))' \
		floors.jsonl >/dev/null
	jq -es 'map(.phase) | index("mnt.proc") and index("cgroup.create")' floors.jsonl >/dev/null
	LAMINA_FLOORS=$PWD/floors.jsonl run lamina-trace "$LAMINA_SOURCE/tests/accept/trace/one.jsonl"
	[[ "$output" == *" floor us "* ]]
}
