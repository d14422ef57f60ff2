# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154,SC2034 # variables of bench/compare
# compare detached, stop, remove: a container that is left running, and its end.

# left_words RUNTIME ACTION - what does it to the container of a round, as words without quotes
left_words()
{
	case $1 in
	nslaunch) left_runtime=nslaunch left_id='bench-{}' left_bundle=$bundle ;;
	docker) left_runtime=docker left_id='bench-{}' ;;
	podman) left_runtime="podman $podman_options" left_id='bench-{}' ;;
	*) left_runtime="$1 --root $work/run/$1" left_id='lamina-bench-{}' left_bundle=$peers ;;
	esac
	case $1-$2 in
	docker-start | podman-start)
		printf '%s run -d --name %s --network none bench:latest /until-told' \
			"$left_runtime" "$left_id"
		;;
	docker-stop | podman-stop) printf '%s stop %s' "$left_runtime" "$left_id" ;;
	docker-remove) printf 'docker rm -f %s' "$left_id" ;;
	podman-remove) printf '%s rm -f -t 0 %s' "$left_runtime" "$left_id" ;;
	*-start)
		printf '%s run --detach --pid-file %s/pid-%s --bundle %s %s' "$left_runtime" \
			"$work/tmp" "$1" "$left_bundle" "$left_id"
		;;
	*-stop) printf '%s kill %s TERM' "$left_runtime" "$left_id" ;;
	*-remove) printf '%s delete --force %s' "$left_runtime" "$left_id" ;;
	esac
}

# left_compare SCENARIO ACTION - detached, stop or remove
left_compare()
{
	image_make || return 0
	left_name=$1 left_action=$2
	bundle_make bench-left /until-told
	peers_bundle_make bench-left-peers /until-told
	set --
	for runtime in nslaunch crun runc docker podman; do
		words=
		case $runtime in
		nslaunch) wants nslaunch || continue ;;
		docker)
			docker_start || continue
			words=$docker_words
			;;
		podman) podman_make || continue ;;
		*) wants "$runtime" "$runtime" || continue ;;
		esac
		# Its program is to be waiting for the signal by then.
		before="$(left_words "$runtime" start) </dev/null >/dev/null && sleep 0.05"
		after="$(left_words "$runtime" remove) >/dev/null"
		[ "$left_action" != start ] || before=:
		[ "$left_action" != remove ] || after=:
		command=$(left_words "$runtime" "$left_action")
		case $runtime-$left_action in
		docker-stop | podman-stop | *-start | *-remove)
			# shellcheck disable=SC2086 # lists of words
			set -- "$@" "$runtime" $words before "$before" after "$after" -- $command ';'
			;;
		*)
			# It has stopped when its process is gone.
			set -- "$@" "$runtime" before "$before" after "$after" -- sh -c "
				read -r pid <'$work/tmp/pid-$runtime' || :
				$command && while [ -d /proc/\$pid ]; do :; done" ';'
			;;
		esac
	done
	drive "$left_name" 30 nslaunch "$@"
	peers_bundle_remove
	layerfs rm "$bundle" >/dev/null
}

scenario_detached()
{
	left_compare detached start
}

scenario_stop()
{
	left_compare stop stop
}

scenario_remove()
{
	left_compare remove remove
}
