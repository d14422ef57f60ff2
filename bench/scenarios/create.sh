# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154,SC2034 # variables of bench/compare
# compare create: a bundle, or a container that was never started.

scenario_create()
{
	set --
	if wants lamina && image_make; then
		set -- "$@" lamina after 'layerfs rm bench-{} >/dev/null' -- \
			layerfs create --id 'bench-{}' bench:latest '|' initlayer '|' \
			nslaunch spec -- /stamp ';'
	fi
	if docker_start; then
		# shellcheck disable=SC2086 # a list of words
		set -- "$@" docker $docker_words after 'docker rm bench-{} >/dev/null' -- docker create \
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
