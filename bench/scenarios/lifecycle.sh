# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154,SC2034 # variables of bench/compare
# compare lifecycle: create, start and delete, together and each by itself.

# cycle_words TEXT - with "#" for the runtime and its options, "@" the container, "%" its bundle
cycle_words()
{
	case $runtime in
	nslaunch) cycle_bundle=$bundle ;;
	*) cycle_bundle=$peers ;;
	esac
	printf '%s' "$1" | sed "s|#|$runtime --root $work/run/cycle-$runtime|g
		s|@|lamina-bench-$cycle_name-{}|g; s|%|$cycle_bundle|g"
}

# cycle_compare SCENARIO BEFORE COMMAND AFTER
cycle_compare()
{
	cycle_name=$1 cycle_before=$2 cycle_command=$3 cycle_after=$4
	set --
	for runtime in nslaunch crun runc; do
		wants "$runtime" "$runtime" || continue
		set -- "$@" "$runtime" before "$(cycle_words "$cycle_before")" after \
			"$(cycle_words "$cycle_after")" --
		# shellcheck disable=SC2046 # a list of words
		case $cycle_command in
		*'&&'*) set -- "$@" sh -c "$(cycle_words "$cycle_command")" ';' ;;
		*) set -- "$@" $(cycle_words "$cycle_command") ';' ;;
		esac
	done
	drive "$cycle_name" 30 nslaunch "$@"
}

scenario_lifecycle()
{
	image_make || return 0
	bundle_make bench-cycle /bin/true
	peers_bundle_make bench-cycle-peers /bin/true
	create='# create --bundle % @' start='# start @' delete='# delete --force @'
	ended='until # state @ | grep -q stopped; do :; done'
	# By the time of delete the program has ended, or is about to.
	cycle_compare lifecycle : "$create && $start && $delete" :
	cycle_compare lifecycle-create : "$create" "$delete"
	cycle_compare lifecycle-start "$create </dev/null" "$start" "$delete"
	cycle_compare lifecycle-delete "$create </dev/null && $start && $ended" '# delete @' :
	peers_bundle_remove
	layerfs rm "$bundle" >/dev/null
}
