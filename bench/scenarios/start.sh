# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154,SC2034 # variables of bench/compare
# compare start, start-upper: one container, to its program's first instruction and to the end.

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
