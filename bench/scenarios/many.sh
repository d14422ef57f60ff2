# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154,SC2034 # variables of bench/compare
# compare at-once, throughput, stream: many containers.

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

# peers_many_make N - a bundle each, with a cgroup and a root of its own: crun fails now and then where
# two containers that start at once share one. Roots of links to the same files.
peers_many_make()
{
	peers_bundle_make bench-many-peers /bin/true
	peers_many=$work/fs/peers-many
	mkdir -p "$peers_many"
	cp -a "$peers/rootfs" "$peers_many/root"
	jq '.linux.cgroupsPath = "/lamina/bench-many-NUMBER"' "$peers/config.json" \
		>"$peers_many/config.json"
	n_peer=0
	while [ "$n_peer" -lt "$1" ]; do
		n_peer=$((n_peer + 1))
		mkdir "$peers_many/$n_peer"
		cp -al "$peers_many/root" "$peers_many/$n_peer/rootfs"
		sed "s/bench-many-NUMBER/bench-many-$n_peer/" "$peers_many/config.json" \
			>"$peers_many/$n_peer/config.json"
	done
}

peers_many_remove()
{
	rm -rf "$peers_many"
	peers_bundle_remove
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
	peers_many_make "$many"
	set --
	wants stream && set -- "$@" stream -- sh -c \
		"nslaunch run -j $starters <'$work/tmp/many'" ';'
	wants nslaunch && set -- "$@" nslaunch -- sh -c "$(commands "$many" "$starters" \
		"nslaunch run --bundle \"\$(readlink '$work/tmp/many-'#)\" </dev/null")" ';'
	for runtime in crun runc; do
		wants "$runtime" "$runtime" && set -- "$@" "$runtime" -- sh -c "$(commands "$many" \
			"$starters" "$runtime --root $work/run/$runtime run --bundle $peers_many/# lamina-bench-#")" ';'
	done
	if wants bwrap bwrap; then
		set -- "$@" bwrap -- sh -c "$(commands "$many" "$starters" "bwrap --unshare-all --bind \
			$peers_many/#/rootfs / --proc /proc --dev /dev /bin/true")" ';'
	fi
	drive "$many_name" "$many_rounds" stream "$@"
	peers_many_remove
	layerfs rm <"$work/tmp/many" >/dev/null
}

scenario_at_once()
{
	image_make || return 0
	many_compare "at-once-$(plenty 8)" "$(plenty 8)" "$(plenty 8)" 10
	many_compare "at-once-$(plenty 64)" "$(plenty 64)" "$(plenty 64)" 5
	many_compare "at-once-$(plenty 500)" "$(plenty 500)" "$(plenty 500)" 2
}

scenario_throughput()
{
	image_make || return 0
	many_compare throughput-1 "$(plenty 100)" 1 5
	many_compare throughput-2 "$(plenty 100)" 2 5
}

scenario_stream()
{
	set --
	if wants lamina && image_make; then
		set -- "$@" lamina -- sh -c "
			layerfs create -n $(plenty 1000) --ephemeral bench:latest | initlayer |
				nslaunch spec --network none -- /bin/true | tee '$work/tmp/bundles' |
				nslaunch run -j 2 && layerfs rm <'$work/tmp/bundles'" ';'
	fi
	drive stream 3 lamina "$@"
}
