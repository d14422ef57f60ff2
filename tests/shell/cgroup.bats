#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Limits of containers that run: update, events, and what becomes of bad and small ones.

load helpers

setup() {
	lamina_setup
	need nslaunch jq
	need_root
	BUNDLE=$TEST_DIRECTORY/bundle
	ID=cg$BATS_ROOT_PID-$BATS_TEST_NUMBER
	mkdir -p "$BUNDLE/rootfs/bin" "$BUNDLE/rootfs/tmp"
	cp "$(command -v busybox)" "$BUNDLE/rootfs/bin/busybox"
	for applet in sh cat head tail sleep true wc; do
		ln -s busybox "$BUNDLE/rootfs/bin/$applet"
	done
}

teardown() {
	[ ! -x bin/nslaunch ] || PATH=$PWD/bin:$PATH
	[ -z "${ID-}" ] || nslaunch delete --force "$ID" || true
	lamina_teardown
}

# config SCRIPT [FILTER] - the bundle's config.json
config() {
	jq ".process.args=[\"sh\",\"-c\",$(jq -Rs . <<<"$1")] | ${2:-.}" \
		"$BATS_TEST_DIRNAME/data/config.json" >"$BUNDLE/config.json"
}

# running [FILTER] - a container that waits
running() {
	config 'exec sleep 1000.25' "${1:-.}"
	nslaunch create --bundle "$BUNDLE" "$ID" </dev/null
	nslaunch start "$ID"
}

# control CONTROLLER V1-FILE V2-FILE - what a control file of the container says
control() {
	if [ -d "/sys/fs/cgroup/$1" ]; then
		cat "/sys/fs/cgroup/$1/lamina/$ID/$2"
	else
		cat "/sys/fs/cgroup/lamina/$ID/$3"
	fi
}

need_controller() {
	local name

	for name; do
		[ -d "/sys/fs/cgroup/$name" ] || grep -qsw "$name" /sys/fs/cgroup/cgroup.controllers ||
			skip "no cgroup controller $name"
	done
}

@test "update by options changes what is said, up and down, and nothing else" {
	need_controller memory cpu pids
	running '.linux.resources={memory:{limit:67108864,swap:67108864},pids:{limit:30},cpu:{shares:512}}'
	nslaunch update --memory 128m --memory-swap 128m "$ID"
	[ "$(control memory memory.limit_in_bytes memory.max)" = 134217728 ]
	nslaunch update "$ID" --memory 48m --memory-swap 48m --cpu-quota 50000 --cpu-period 100000
	[ "$(control memory memory.limit_in_bytes memory.max)" = 50331648 ]
	[[ $(control cpu cpu.cfs_quota_us cpu.max) == 50000* ]]
	[ "$(control pids pids.max pids.max)" = 30 ]
	[[ $(control cpu cpu.shares cpu.weight) == @(512|59) ]]
	nslaunch update --memory -1 --cpu-quota -1 --pids-limit -1 "$ID"
	[[ $(control memory memory.memsw.limit_in_bytes memory.swap.max) == @(max|9223372036854771712) ]]
	[[ $(control cpu cpu.cfs_quota_us cpu.max) == @(-1|max*) ]]
	[ "$(control pids pids.max pids.max)" = max ]
}

@test "update takes the engines' JSON, of a file and of standard input" {
	need_controller memory cpu
	running '.linux.resources={memory:{limit:67108864},cpu:{shares:512}}'
	# dockerd's, with a 0 for all that nobody said.
	echo '{"memory":{"limit":100663296,"reservation":0,"swap":0,"kernel":0},"cpu":{"shares":0,"quota":0,"period":0,"cpus":"","mems":""},"blockIO":{"weight":0},"pids":{"limit":0}}' |
		nslaunch update --resources - "$ID"
	[ "$(control memory memory.limit_in_bytes memory.max)" = 100663296 ]
	[[ $(control cpu cpu.shares cpu.weight) == @(512|59) ]]
	echo '{"cpu":{"shares":1024}}' >r.json
	nslaunch update --resources=r.json "$ID"
	[[ $(control cpu cpu.shares cpu.weight) == @(1024|100) ]]
	nslaunch update -r r.json "$ID"
	[ "$(control memory memory.limit_in_bytes memory.max)" = 100663296 ]
	nslaunch exec "$ID" true
}

@test "an update is felt by what runs" {
	need_controller pids
	running '.linux.resources={pids:{limit:50}}'
	nslaunch exec "$ID" sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 0 & done; wait'
	nslaunch update --pids-limit 4 "$ID"
	run nslaunch exec "$ID" sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 9 & done; wait'
	[ "$status" -ne 0 ]
	[[ $output == *"can't fork"* ]]
}

@test "device rules change by an update that has some, and by no other" {
	need_controller pids
	[ -c /dev/kmsg ] || skip "no /dev/kmsg"
	running '.linux.devices=[{path:"/dev/log0",type:"c",major:1,minor:11}]'
	# Writing alone is for everybody.
	open_it() { nslaunch exec "$ID" sh -c ': >/dev/log0'; }
	! open_it
	echo '{"devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":1,"minor":11,"access":"w"}]}' |
		nslaunch update -r - "$ID"
	open_it
	nslaunch update --pids-limit 40 "$ID"
	open_it
	nslaunch exec "$ID" sh -c ': >/dev/null'
	echo '{"devices":[{"allow":false,"access":"rwm"}]}' | nslaunch update -r - "$ID"
	! open_it
	nslaunch exec "$ID" sh -c ': >/dev/null'
}

@test "an update that fails says which field, and bad values are wrong usage" {
	need_controller cpuset
	running
	run --separate-stderr nslaunch update --cpuset-cpus 4000 "$ID"
	[ "$status" -eq 1 ]
	[[ $stderr == "nslaunch: update: container '$ID': "*"linux.resources.cpu.cpus"* ]]
	run -2 --separate-stderr nslaunch update --memory 12x "$ID"
	[[ $stderr == *"'--memory'"* ]]
	run -2 --separate-stderr nslaunch update --cpu-shares x "$ID"
	run -1 --separate-stderr nslaunch update -r - "$ID" <<<'{"memory":{"limits":1}}'
	[[ $stderr == *"linux.resources.memory.limits"* ]]
	run -1 --separate-stderr nslaunch update -r - "$ID" <<<'[]'
	run -1 --separate-stderr nslaunch update -r - "$ID" <<<'{'
	run -1 --separate-stderr nslaunch update --l3-cache-schema L3:0=f "$ID"
	[[ $stderr == *"--l3-cache-schema"*resctrl* ]]
	nslaunch kill "$ID" KILL
	until_true status_is "$ID" stopped
	run -1 --separate-stderr nslaunch update --pids-limit 3 "$ID"
	[[ $stderr == *"is not running"* ]]
}

@test "a limit that is not known is refused, by its name" {
	config true '.linux.resources.memory={limitt:1}'
	run --separate-stderr nslaunch run --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 125 ]
	[[ $stderr == *"linux.resources.memory.limitt"* ]]
	config true '.linux.resources+={gpu:null}'
	nslaunch run --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "events --stats shows what is used, with runc's names" {
	need_controller memory pids
	running '.linux.resources={memory:{limit:67108864},pids:{limit:31}}'
	nslaunch events --stats "$ID" >stats.json
	jq -e '.type == "stats" and .data.memory.usage.limit == 67108864 and .data.memory.usage.usage > 0
		and .data.pids == {current: 1, limit: 31} and .data.cpu.usage.total > 0
		and (.data.memory.raw | length) > 10 and .data.intel_rdt == {}
		and .data.network_interfaces == null and (.data | has("blkio") and has("hugetlb"))' stats.json
	jq -e --arg id "$ID" '.id == $id' stats.json
	jq -e '.data.cpuset | has("cpu_exclusive") and has("sched_relax_domain_level")' stats.json
}

@test "events shows the use again and again, and ends with the container" {
	need_controller pids
	running
	nslaunch events --interval 50ms "$ID" >events.json &
	events=$!
	until_true eval '[ "$(wc -l <events.json)" -ge 3 ]'
	nslaunch kill "$ID" KILL
	wait "$events"
	[ "$(jq -s 'length >= 3 and all(.type == "stats")' events.json)" = true ]
	run -1 --separate-stderr nslaunch events "$ID"
	[[ $stderr == *"is not running"* ]]
	for bad in 0 0s x 5 1d ''; do
		run -2 --separate-stderr nslaunch events --interval "$bad" "$ID"
	done
}

@test "events tells when the container is out of memory" {
	need_controller memory
	running '.linux.resources={memory:{limit:16777216,swap:16777216}}'
	nslaunch events --interval 1h "$ID" >events.json &
	events=$!
	# It is listening once it has its descriptor for it.
	until_true eval 'ls -l "/proc/$events/fd" | grep -Eq "eventfd|inotify"'
	nslaunch exec "$ID" sh -c 'head -c 64m /dev/zero | tail | wc -c' || true
	until_true [ -s events.json ]
	nslaunch kill "$ID" KILL
	wait "$events"
	[ "$(head -n 1 events.json)" = "{\"type\":\"oom\",\"id\":\"$ID\"}" ]
}

@test "a container with a limit of 512 KiB runs" {
	need_controller memory
	config 'exit 5' '.linux.resources={memory:{limit:524288}} | .process.args=["/bin/busybox","true"]'
	nslaunch run --bundle "$BUNDLE" "$ID"
	nslaunch create --bundle "$BUNDLE" "$ID" </dev/null
	nslaunch start "$ID"
}

@test "a container that is frozen is killed, and deleted" {
	local freezer=/sys/fs/cgroup/freezer/lamina/$ID/freezer.state word=FROZEN

	need_controller pids
	[ -d /sys/fs/cgroup/freezer ] || freezer=/sys/fs/cgroup/lamina/$ID/cgroup.freeze word=1
	running
	echo "$word" >"$freezer"
	nslaunch kill "$ID" KILL
	until_true status_is "$ID" stopped
	[ "$(nslaunch state "$ID" | jq -r .status)" = stopped ]
	nslaunch delete "$ID"
	running
	echo "$word" >"$freezer"
	timeout 60 nslaunch delete --force "$ID"
	assert_nothing_left
}

@test "the systemd driver says that there is no systemd, and leaves nothing" {
	need nslaunch-systemd
	[ ! -e /run/systemd/private ] || skip "systemd is here"
	config true
	run --separate-stderr env DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nosuch \
		nslaunch --systemd-cgroup run --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 125 ]
	[[ $stderr == "nslaunch: run: container '$ID': scope 'lamina-$ID.scope': cannot reach systemd (is it this machine's init?): "* ]]
	config true '.linux.cgroupsPath="/lamina/x"'
	run --separate-stderr nslaunch --cgroup-manager systemd run --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 125 ]
	[[ $stderr == *"isn't SLICE:PREFIX:NAME"* ]]
	assert_nothing_left
}

# helper SCRIPT - a stand-in for nslaunch-systemd beside an nslaunch in ./bin, which is called by path;
# it notes its arguments in ./calls
helper() {
	mkdir -p bin
	cp "$(command -v nslaunch)" bin/
	cat >bin/nslaunch-systemd <<-END
		#!/bin/bash
		[ "\$1" = --user ] && shift
		printf '%s\n' "\$*" >>$PWD/calls
		procs() { cat /sys/fs/cgroup/{,pids/,memory/}$ID.fake/cgroup.procs 2>/dev/null | sort -u | wc -l; }
		case \$1 in
		scope) $1 ;;
		*) echo "${2-done}" ;;
		esac
	END
	chmod +x bin/nslaunch-systemd
}

@test "the systemd driver: the process is there first, then come the limits" {
	need_controller pids memory
	helper "echo 'cgroup /$ID.fake'; read -r go; echo \"\$go, with \$(procs)\" >>$PWD/calls; echo done"
	config 'exec sleep 1000.5' '.linux.resources={pids:{limit:1},memory:{limit:67108864},cpu:{shares:512}} |
		.annotations={"org.systemd.property.TimeoutStopUSec":"uint64 5"} | .linux.cgroupsPath="a.slice:p:n"'
	bin/nslaunch --systemd-cgroup create --bundle "$BUNDLE" "$ID" </dev/null
	[[ $(sed -n 1p calls) == "scope p-n.scope "*" Slice=s:a.slice Delegate=b:true DefaultDependencies=b:false "*" TimeoutStopUSec=t:5 -- Memory"*"=t:67108864 CPU"*" TasksMax=t:1" ]]
	# In all hierarchies, and before any limit.
	[ "$(sed -n 2p calls)" = "go, with 1" ]
	[ "$(cat /sys/fs/cgroup/{,pids/}"$ID.fake/pids.max" 2>/dev/null)" = 1 ]
	jq -e '.cgroupPath == "/'"$ID"'.fake" and .systemdUnit == "p-n.scope"' "$LAMINA_STATE/$ID/state.json"
	bin/nslaunch update --pids-limit 5 "$ID"
	[ "$(sed -n 3p calls)" = "set p-n.scope TasksMax=t:5" ]
	[ "$(cat /sys/fs/cgroup/{,pids/}"$ID.fake/pids.max" 2>/dev/null)" = 5 ]
	bin/nslaunch delete --force "$ID"
	[ "$(sed -n 4p calls)" = "stop p-n.scope" ]
	[ -z "$(find /sys/fs/cgroup -name "$ID.fake")" ]
	config 'exit 7'
	run bin/nslaunch --systemd-cgroup run --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 7 ]
	[ "$(tail -n 1 calls)" = "stop lamina-$ID.scope" ]
	[ -z "$(find /sys/fs/cgroup -name "$ID.fake")" ]
	assert_nothing_left
}

@test "the systemd driver: what goes wrong is told, and nothing is left" {
	need_controller pids
	config true '.linux.resources={pids:{limit:5}}'
	refused() {
		run --separate-stderr bin/nslaunch --systemd-cgroup run --bundle "$BUNDLE" "$ID"
		[ "$status" -eq 125 ]
		[[ $stderr == *"$1"* ]]
		[ -z "$(find /sys/fs/cgroup -name "$ID.fake")" ]
		assert_nothing_left
	}
	helper "echo 'error systemd says no'"
	refused 'systemd says no'
	helper 'exit 1'
	refused 'ended without an answer'
	helper 'echo what'
	refused "answers 'what'"
	helper 'echo cgroup /a/../b'
	refused "'..'"
	helper "echo 'cgroup /$ID.fake'; exit"
	refused nslaunch-systemd
	helper "echo 'cgroup /$ID.fake'; read -r go; echo 'error no limits'"
	refused 'no limits'
	# A name as long as a path, and longer.
	helper "printf 'cgroup /%05000d\\n' 1"
	refused nslaunch-systemd
}

@test "without rights to cgroups a container runs as long as it asks for no limit" {
	need setpriv unshare
	setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Urm true || skip "no user namespaces"
	mkdir state
	chown -R 65534:65534 state "$BUNDLE/rootfs"
	chmod 755 "$SCRATCH" "$TEST_DIRECTORY"
	unprivileged() {
		run --separate-stderr setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Urm \
			nslaunch --root "$TEST_DIRECTORY/state" "$@" run --bundle "$BUNDLE" "$ID"
	}
	config 'echo ran' 'del(.hostname) | .mounts=[] | .linux={namespaces:[{type:"mount"}],resources:{devices:[{allow:false,access:"rwm"}]}}'
	unprivileged
	[ "$status" -eq 0 ] || { echo "$stderr"; false; }
	unprivileged --rootless false
	[ "$status" -eq 125 ]
	[[ $stderr == *"cannot make cgroup"* ]]
	jq '.linux.resources.pids={limit:9}' "$BUNDLE/config.json" >config.json
	mv config.json "$BUNDLE/config.json"
	unprivileged
	[ "$status" -eq 125 ]
	[[ $stderr == *"cannot make cgroup '/sys/fs/cgroup/"* ]]
	[[ ! -e /sys/fs/cgroup/cgroup.controllers || $stderr == *"chown"* ]]
}
