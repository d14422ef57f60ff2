# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154,SC2034 # variables of bench/compare
# compare scale: a start beside much, and beside nothing before and after that.

# scale_drive WHAT - a start by each, beside whatever is there now
scale_drive()
{
	scale_name=scale-$1
	set --
	wants nslaunch && set -- "$@" nslaunch stamp -- nslaunch run --bundle "$bundle" ';'
	wants crun crun && set -- "$@" crun stamp -- crun --root "$work/run/crun" run \
		--bundle "$peers" 'lamina-bench-{}' ';'
	drive "$scale_name" 30 nslaunch "$@"
	cat "$work/tmp/driven" >>"$work/tmp/scale"
}

# The last three of what was measured: nothing, much, nothing.
scale_say()
{
	jq -rs '.[-3:] as $three | $three[1].scenario as $scenario | $three[1].variants[].name as $name
		| [$three[] | .variants[] | select(.name == $name) | .first_instruction_us.median]
		| select(length == 3 and all(. != null))
		| "\($scenario): \($name): \(.[1] / (.[0] + .[2]) * 200 | round / 100) times a start" +
		" beside nothing (\(.[0] | round) us before, \(.[2] | round) us after)"' "$work/tmp/scale"
}

# Each leaves what it made until scale_WHAT_undo.
scale_mounts()
{
	mount -t tmpfs lamina-bench "$work/fs/mounts"
	n_scale=0
	while [ "$n_scale" -lt "$(plenty 1000)" ]; do
		n_scale=$((n_scale + 1))
		mkdir "$work/fs/mounts/$n_scale"
		mount -t tmpfs lamina-bench "$work/fs/mounts/$n_scale"
	done
}

scale_mounts_undo()
{
	umount -l "$work/fs/mounts"
}

scale_threads()
{
	"$build/bench/driver/bench-threads" "$(plenty 5000)" >"$work/tmp/threads" &
	threads=$!
	until [ -s "$work/tmp/threads" ]; do
		kill -0 "$threads" 2>/dev/null || die "cannot make $(plenty 5000) threads"
		sleep 0.1
	done
}

scale_threads_undo()
{
	kill "$threads" 2>/dev/null || :
	wait "$threads" 2>/dev/null || :
}

scale_containers()
{
	layerfs create -n "$(plenty 1000)" --ephemeral bench:latest | initlayer |
		nslaunch spec --network none -- /bin/busybox sleep 100000 >"$work/tmp/running"
	while read -r path; do
		nslaunch run --detach --bundle "$path" </dev/null >/dev/null || failed=1
	done <"$work/tmp/running"
}

scale_containers_undo()
{
	while read -r path; do
		nslaunch delete --force "${path##*/}" || failed=1
	done <"$work/tmp/running"
	layerfs rm <"$work/tmp/running" >/dev/null
}

scenario_scale()
{
	image_make || return 0
	bundle_make bench-scale /stamp
	peers_bundle_make bench-scale-peers /stamp
	mkdir -p "$work/fs/mounts"
	: >"$work/tmp/scale"
	scale_drive empty
	for much in mounts threads containers; do
		"scale_$much"
		scale_drive "$much"
		"scale_${much}_undo"
		scale_drive empty
		printf '\n'
		scale_say
	done
	peers_bundle_remove
	layerfs rm "$bundle" >/dev/null
}
