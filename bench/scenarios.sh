# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154,SC2034 # variables of bench/compare
# The scenarios of bench/compare, a function each: variants are collected as words for the driver.
# Sourced by it.

# What the floor takes for layers where there is no bundle to take them from.
init_layer_make()
{
	init=$work/fs/init
	[ -d "$init" ] && return
	mkdir -p "$init/etc" "$init/dev/pts" "$init/dev/shm" "$init/proc" "$init/sys"
	touch "$init/etc/hosts" "$init/etc/hostname" "$init/etc/resolv.conf"
}

# One of each for the variants with pools. Filled again behind each run of theirs, before the next
# pause: off the clock, and with no more mounts in the others' way than a start needs.
pool_prepare()
{
	refill='nslaunch pool fill -n 1'
	# The first start of all has made the template.
	nslaunch run --no-pool --bundle "$bundle" >/dev/null
	$refill
}

# start_compare SCENARIO UPPER - UPPER: ephemeral, or disk
start_compare()
{
	start_name=$1 upper=$2
	root_make
	init_layer_make
	lowers="$init $root"
	bundle=
	peers=
	merged=$root
	if image_make; then
		bundle_make bench-start /stamp
		[ "$upper" = ephemeral ] || {
			layerfs rm "$bundle" >/dev/null
			bundle=$(layerfs create --id bench-start bench:latest | initlayer |
				nslaunch spec --network none -- /stamp)
		}
		peers_bundle_make bench-peers /stamp
		merged=$peers/rootfs
		lowers="$(cat "$bundle/init-layer") $(cat "$bundle/layers")"
	fi
	mkdir -p "$work/fs/upper" "$work/fs/work"
	upper_options="--upper $work/fs/upper --work $work/fs/work"
	[ "$upper" != ephemeral ] || upper_options=--ephemeral
	set --
	if wants floor; then
		# shellcheck disable=SC2086 # lists of words
		set -- "$@" floor stamp -- "$floor" --lower $lowers $upper_options -- /stamp ';'
	fi
	if [ -n "$bundle" ] && wants nslaunch; then
		set -- "$@" nslaunch stamp -- nslaunch run --no-pool --bundle "$bundle" ';'
	fi
	if [ -n "$bundle" ] && wants nslaunch-no-template; then
		set -- "$@" nslaunch-no-template stamp -- nslaunch run --no-template \
			--no-pool --bundle "$bundle" ';'
	fi
	if [ -n "$bundle" ] && { wants floor-pool || wants nslaunch-pool; }; then
		pool_prepare
	fi
	if [ -n "$bundle" ] && wants floor-pool; then
		# shellcheck disable=SC2086 # lists of words
		set -- "$@" floor-pool stamp after "$refill" -- "$floor" --lower $lowers \
			$upper_options --template "$LAMINA_TEMPLATE/mnt" \
			--pool "$LAMINA_STATE/@pool/ready" -- /stamp ';'
	fi
	if [ -n "$bundle" ] && wants nslaunch-pool; then
		set -- "$@" nslaunch-pool stamp after "$refill" -- nslaunch run \
			--bundle "$bundle" ';'
	fi
	if wants bwrap bwrap; then
		set -- "$@" bwrap stamp -- bwrap --unshare-all --bind "$merged" / --proc /proc \
			--dev /dev /stamp ';'
	fi
	for runtime in crun runc; do
		if [ -n "$peers" ] && wants "$runtime" "$runtime"; then
			set -- "$@" "$runtime" stamp -- "$runtime" --root "$work/run/$runtime" run \
				--bundle "$peers" 'lamina-bench-{}' ';'
		fi
	done
	if [ -n "$peers" ] && wants crun-unfiltered crun; then
		set -- "$@" crun-unfiltered stamp -- crun --root "$work/run/crun" run \
			--bundle "$peers_unfiltered" 'lamina-bench-{}' ';'
	fi
	if nspawn_works; then
		set -- "$@" nspawn stamp -- systemd-nspawn -q -D "$root" --register=no --keep-unit \
			--private-network --as-pid2 /stamp ';'
	fi
	drive "$start_name" 60 floor "$@"
	[ -z "$bundle" ] || nslaunch pool drain
	[ -z "$peers" ] || peers_bundle_remove
	[ -z "$bundle" ] || layerfs rm "$bundle" >/dev/null
}

scenario_start()
{
	start_compare start ephemeral
}

scenario_start_upper()
{
	start_compare start-upper disk
}

scenario_create()
{
	set --
	if wants lamina && image_make; then
		set -- "$@" lamina after 'layerfs rm bench-{} >/dev/null' -- \
			layerfs create --id 'bench-{}' bench:latest '|' initlayer '|' \
			nslaunch spec -- /stamp ';'
	fi
	if docker_start; then
		set -- "$@" docker after 'docker rm bench-{} >/dev/null' -- docker create \
			--name 'bench-{}' --network none bench:latest /stamp ';'
	fi
	if podman_make; then
		# shellcheck disable=SC2086 # a list of options
		set -- "$@" podman after "podman $podman_options rm bench-{} >/dev/null" -- \
			podman $podman_options create --name 'bench-{}' --network none bench:latest \
			/stamp ';'
	fi
	drive create 40 lamina "$@"
}

# Containers that sleep while others are timed: one of each runtime.
sleepers_make()
{
	bundle_make bench-sleep /bin/busybox sleep 100000
	peers_bundle_make bench-sleep-peers /bin/busybox sleep 100000
	nslaunch run --detach --bundle "$bundle" bench-sleep </dev/null >/dev/null
	for runtime in crun runc; do
		wants "$runtime" "$runtime" &&
			"$runtime" --root "$work/run/$runtime" run -d --bundle "$peers" \
				lamina-bench-sleep </dev/null >/dev/null 2>&1
	done
	return 0
}

sleepers_remove()
{
	nslaunch delete --force bench-sleep >/dev/null
	for runtime in crun runc; do
		wants "$runtime" "$runtime" &&
			"$runtime" --root "$work/run/$runtime" delete --force lamina-bench-sleep \
				>/dev/null 2>&1
	done
	peers_bundle_remove
	layerfs rm "$bundle" >/dev/null
}

scenario_exec()
{
	image_make || return 0
	sleepers_make
	set --
	wants nslaunch && set -- "$@" nslaunch -- nslaunch exec bench-sleep /bin/true ';'
	for runtime in crun runc; do
		wants "$runtime" "$runtime" && set -- "$@" "$runtime" -- "$runtime" --root \
			"$work/run/$runtime" exec lamina-bench-sleep /bin/true ';'
	done
	if docker_start; then
		docker run -d --name bench-sleep --network none bench:latest /bin/busybox sleep 100000 \
			>/dev/null
		set -- "$@" docker -- docker exec bench-sleep /bin/true ';'
	fi
	if podman_make; then
		# shellcheck disable=SC2086 # a list of options
		podman $podman_options run -d --name bench-sleep --network none bench:latest \
			/bin/busybox sleep 100000 >/dev/null
		# shellcheck disable=SC2086
		set -- "$@" podman -- podman $podman_options exec bench-sleep /bin/true ';'
	fi
	drive exec 40 nslaunch "$@"
	[ -z "${docker_pid:-}" ] || docker rm -f bench-sleep >/dev/null
	# shellcheck disable=SC2086
	[ -z "${podman_is_made:-}" ] || podman $podman_options rm -f -t 0 bench-sleep >/dev/null
	sleepers_remove
}

scenario_lifecycle()
{
	image_make || return 0
	bundle_make bench-cycle /bin/busybox sleep 100000
	peers_bundle_make bench-cycle-peers /bin/busybox sleep 100000
	set --
	wants nslaunch && set -- "$@" nslaunch -- sh -c "nslaunch create --bundle '$bundle' bench-{} &&
		nslaunch start bench-{} && nslaunch delete --force bench-{}" ';'
	for runtime in crun runc; do
		wants "$runtime" "$runtime" && set -- "$@" "$runtime" -- sh -c "
			R='$runtime --root $work/run/$runtime'; \$R create --bundle '$peers' lamina-bench-{} &&
			\$R start lamina-bench-{} && \$R delete --force lamina-bench-{}" ';'
	done
	drive lifecycle 30 nslaunch "$@"
	peers_bundle_remove
	layerfs rm "$bundle" >/dev/null
}

scenario_first_byte()
{
	image_make || return 0
	bundle_make bench-byte /bin/busybox echo hello
	peers_bundle_make bench-byte-peers /bin/busybox echo hello
	set --
	wants nslaunch && set -- "$@" nslaunch byte -- nslaunch run --bundle "$bundle" ';'
	for runtime in crun runc; do
		wants "$runtime" "$runtime" && set -- "$@" "$runtime" byte -- "$runtime" --root \
			"$work/run/$runtime" run --bundle "$peers" 'lamina-bench-{}' ';'
	done
	if wants bwrap bwrap; then
		set -- "$@" bwrap byte -- bwrap --unshare-all --bind "$peers/rootfs" / --proc /proc \
			--dev /dev /bin/busybox echo hello ';'
	fi
	wants lamina && set -- "$@" lamina byte -- lamina-run --rm --network none bench:latest \
		/bin/busybox echo hello ';'
	docker_start && set -- "$@" docker byte -- docker run --rm --network none bench:latest \
		/bin/busybox echo hello ';'
	drive first-byte 30 nslaunch "$@"
	peers_bundle_remove
	layerfs rm "$bundle" >/dev/null
}

# Started and left running; then, as a scenario of its own, removed.
scenario_detached()
{
	image_make || return 0
	bundle_make bench-left /bin/busybox sleep 100000
	peers_bundle_make bench-left-peers /bin/busybox sleep 100000
	set --
	wants nslaunch && set -- "$@" nslaunch after 'nslaunch delete --force bench-{}' -- \
		nslaunch run --detach --bundle "$bundle" 'bench-{}' ';'
	for runtime in crun runc; do
		wants "$runtime" "$runtime" && set -- "$@" "$runtime" after \
			"$runtime --root $work/run/$runtime delete --force lamina-bench-{}" -- "$runtime" \
			--root "$work/run/$runtime" run -d --bundle "$peers" 'lamina-bench-{}' ';'
	done
	docker_start && set -- "$@" docker after 'docker rm -f bench-{} >/dev/null' -- docker run -d \
		--name 'bench-{}' --network none bench:latest /bin/busybox sleep 100000 ';'
	drive detached 30 nslaunch "$@"
	set --
	wants nslaunch && set -- "$@" nslaunch before \
		"nslaunch run --detach --bundle '$bundle' bench-{} </dev/null" -- \
		nslaunch delete --force 'bench-{}' ';'
	for runtime in crun runc; do
		wants "$runtime" "$runtime" && set -- "$@" "$runtime" before \
			"$runtime --root $work/run/$runtime run -d --bundle '$peers' lamina-bench-{} </dev/null" \
			-- "$runtime" --root "$work/run/$runtime" delete --force 'lamina-bench-{}' ';'
	done
	docker_start && set -- "$@" docker before "docker run -d --name bench-{} --network none \
		bench:latest /bin/busybox sleep 100000 >/dev/null" -- docker rm -f 'bench-{}' ';'
	drive remove 30 nslaunch "$@"
	peers_bundle_remove
	layerfs rm "$bundle" >/dev/null
}

scenario_run()
{
	set --
	if wants lamina lamina-run && image_make; then
		set -- "$@" lamina -- lamina-run --rm --network none bench:latest true ';'
	fi
	if docker_start; then
		set -- "$@" docker -- docker run --rm --network none bench:latest true ';'
	fi
	if podman_make; then
		# shellcheck disable=SC2086 # a list of options
		set -- "$@" podman -- podman $podman_options run --rm --network none bench:latest true ';'
	fi
	drive run 20 lamina "$@"
}

# commands N STARTERS COMMAND - N runs of it, "#" the number from 1 on, in as many loops at once; one
# that fails ends its loop, and is a failure of all
commands()
{
	# shellcheck disable=SC2016 # variables of the shell that runs it
	printf 'loop() { i=$1; while [ $i -le %s ]; do %s || exit; i=$((i + %s)); done; }
		loops= failed=0
		n=0; while [ $n -lt %s ]; do n=$((n + 1)); loop $n & loops="$loops $!"; done
		for loop in $loops; do wait $loop || failed=1; done; exit $failed' \
		"$1" "$(printf '%s' "$3" | sed 's/#/$i/g')" "$2" "$2"
}

# many_compare SCENARIO N STARTERS ROUNDS - N containers, by so many starters
many_compare()
{
	many_name=$1 many=$2 starters=$3 many_rounds=$4
	layerfs create -n "$many" --ephemeral bench:latest | initlayer |
		nslaunch spec --network none -- /bin/true >"$work/tmp/many"
	n_many=0
	while read -r path; do
		n_many=$((n_many + 1))
		ln -sfn "$path" "$work/tmp/many-$n_many"
	done <"$work/tmp/many"
	peers_bundle_make bench-many-peers /bin/true
	set --
	wants stream && set -- "$@" stream -- sh -c \
		"nslaunch run -j $starters <'$work/tmp/many'" ';'
	wants nslaunch && set -- "$@" nslaunch -- sh -c "$(commands "$many" "$starters" \
		"nslaunch run --bundle \"\$(readlink '$work/tmp/many-'#)\" </dev/null")" ';'
	for runtime in crun runc; do
		wants "$runtime" "$runtime" && set -- "$@" "$runtime" -- sh -c "$(commands "$many" \
			"$starters" "$runtime --root $work/run/$runtime run --bundle $peers lamina-bench-#")" ';'
	done
	if wants bwrap bwrap; then
		set -- "$@" bwrap -- sh -c "$(commands "$many" "$starters" "bwrap --unshare-all --bind \
			$peers/rootfs / --proc /proc --dev /dev /bin/true")" ';'
	fi
	drive "$many_name" "$many_rounds" stream "$@"
	peers_bundle_remove
	layerfs rm <"$work/tmp/many" >/dev/null
}

scenario_at_once()
{
	image_make || return 0
	many_compare at-once-8 8 8 10
	many_compare at-once-64 64 64 5
}

scenario_throughput()
{
	image_make || return 0
	many_compare throughput-1 100 1 5
	many_compare throughput-2 100 2 5
}

scenario_stream()
{
	set --
	if wants lamina && image_make; then
		set -- "$@" lamina -- sh -c "
			layerfs create -n 1000 --ephemeral bench:latest | initlayer |
				nslaunch spec --network none -- /bin/true | tee '$work/tmp/bundles' |
				nslaunch run -j 2 && layerfs rm <'$work/tmp/bundles'" ';'
	fi
	drive stream 3 lamina "$@"
}

# scale_drive WHERE - a start by each, beside whatever is there now
scale_drive()
{
	set -- "scale-$1"
	wants nslaunch && set -- "$@" nslaunch stamp -- nslaunch run --bundle "$bundle" ';'
	wants crun crun && set -- "$@" crun stamp -- crun --root "$work/run/crun" run \
		--bundle "$peers" 'lamina-bench-{}' ';'
	scale_name=$1
	shift
	drive "$scale_name" 30 nslaunch "$@"
}

scenario_scale()
{
	image_make || return 0
	bundle_make bench-scale /stamp
	peers_bundle_make bench-scale-peers /stamp
	mkdir -p "$work/fs/mounts"
	scale_drive empty

	mount -t tmpfs lamina-bench "$work/fs/mounts"
	n_scale=0
	while [ "$n_scale" -lt 1000 ]; do
		n_scale=$((n_scale + 1))
		mkdir "$work/fs/mounts/$n_scale"
		mount -t tmpfs lamina-bench "$work/fs/mounts/$n_scale"
	done
	scale_drive mounts
	umount -l "$work/fs/mounts"

	"$build/bench/driver/bench-threads" 5000 >"$work/tmp/threads" &
	threads=$!
	until [ -s "$work/tmp/threads" ] || ! kill -0 "$threads" 2>/dev/null; do sleep 0.1; done
	scale_drive threads
	kill "$threads" 2>/dev/null || :
	wait "$threads" 2>/dev/null || :

	layerfs create -n 1000 --ephemeral bench:latest | initlayer |
		nslaunch spec --network none -- /bin/busybox sleep 100000 >"$work/tmp/running"
	while read -r path; do
		nslaunch run --detach --bundle "$path" </dev/null >/dev/null || failed=1
	done <"$work/tmp/running"
	scale_drive containers
	while read -r path; do
		nslaunch delete --force "${path##*/}" || failed=1
	done <"$work/tmp/running"
	layerfs rm <"$work/tmp/running" >/dev/null
	peers_bundle_remove
	layerfs rm "$bundle" >/dev/null
}

# What it costs to record a start: the same with LAMINA_TRACE and without, many times.
scenario_tracing()
{
	image_make || return 0
	bundle_make bench-tracing /stamp
	tracing_pace=$pace
	pace=5
	drive tracing 400 off off stamp -- env "LAMINA_NOTHING=$work/tmp/trace" nslaunch run \
		--bundle "$bundle" ';' on stamp after ": >'$work/tmp/trace'" -- env \
		"LAMINA_TRACE=$work/tmp/trace" nslaunch run --bundle "$bundle" ';'
	pace=$tracing_pace
	layerfs rm "$bundle" >/dev/null
}
