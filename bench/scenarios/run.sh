# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154,SC2034 # variables of bench/compare
# compare run: from an image to the end of its program, and nothing is left.

scenario_run()
{
	set --
	if wants lamina lamina-run && image_make; then
		set -- "$@" lamina -- lamina-run --rm --network none bench:latest true ';'
	fi
	if docker_start; then
		# shellcheck disable=SC2086 # a list of words
		set -- "$@" docker $docker_words -- docker run --rm --network none bench:latest true ';'
	fi
	if podman_make; then
		# shellcheck disable=SC2086 # a list of options
		set -- "$@" podman -- podman $podman_options run --rm --network none bench:latest true ';'
	fi
	drive run 20 lamina "$@"
}
