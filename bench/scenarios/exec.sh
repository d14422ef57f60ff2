# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154,SC2034 # variables of bench/compare
# compare exec: one more program in a container that runs.

# Containers that sleep while others are timed, one of each runtime that can: $sleepers.
sleepers_make()
{
	sleepers=
	bundle_make bench-sleep /bin/busybox sleep 100000
	peers_bundle_make bench-sleep-peers /bin/busybox sleep 100000
	wants nslaunch && works nslaunch nslaunch run --detach --bundle "$bundle" bench-sleep &&
		sleepers=nslaunch
	for runtime in crun runc; do
		wants "$runtime" "$runtime" && works "$runtime" "$runtime" \
			--root "$work/run/$runtime" run -d --bundle "$peers" lamina-bench-sleep &&
			sleepers="$sleepers $runtime"
	done
	docker_start && works docker docker run -d --name bench-sleep --network none bench:latest \
		/bin/busybox sleep 100000 && sleepers="$sleepers docker"
	# shellcheck disable=SC2086 # a list of options
	podman_make && works podman podman $podman_options run -d --name bench-sleep --network none \
		bench:latest /bin/busybox sleep 100000 && sleepers="$sleepers podman"
	return 0
}

sleepers_remove()
{
	for runtime in $sleepers; do
		# shellcheck disable=SC2086 # a list of options
		case $runtime in
		nslaunch) nslaunch delete --force bench-sleep ;;
		docker) docker rm -f bench-sleep ;;
		podman) podman $podman_options rm -f -t 0 bench-sleep ;;
		*) "$runtime" --root "$work/run/$runtime" delete --force lamina-bench-sleep ;;
		esac >/dev/null
	done
	peers_bundle_remove
	layerfs rm "$bundle" >/dev/null
}

scenario_exec()
{
	image_make || return 0
	sleepers_make
	set --
	for runtime in $sleepers; do
		# shellcheck disable=SC2086 # lists of words
		case $runtime in
		nslaunch) set -- "$@" nslaunch -- nslaunch exec bench-sleep /bin/true ';' ;;
		docker)
			set -- "$@" docker $docker_words -- docker exec bench-sleep /bin/true ';'
			;;
		podman)
			set -- "$@" podman -- podman $podman_options exec bench-sleep /bin/true ';'
			;;
		*)
			set -- "$@" "$runtime" -- "$runtime" --root "$work/run/$runtime" exec \
				lamina-bench-sleep /bin/true ';'
			;;
		esac
	done
	drive exec 40 nslaunch "$@"
	sleepers_remove
}
