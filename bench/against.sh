# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154,SC2034 # variables of bench/compare
# bench/compare --against REV: this build beside that of another revision, in turn, until it is sure
# which is faster. Sourced by it.

# Outside, before the namespaces: the other build, of the same kind, in $other.
other_build()
{
	source=$(dirname -- "$bench")
	command -v git >/dev/null || die "--against needs git"
	revision=$(git -C "$source" rev-parse --verify --quiet "$against^{commit}") ||
		die "no revision '$against'"
	other=$(mktemp -d "${TMPDIR:-/tmp}/lamina-against.XXXXXX")
	say "building $(git -C "$source" log -1 --format='%h, %s' "$revision")"
	{
		git -C "$source" worktree add --quiet --detach "$other/source" "$revision" &&
			meson setup "$other/build" "$other/source" -Dtests=false -Dbench=false \
				-Ddocs=false &&
			ninja -C "$other/build"
	} >"$other/log" 2>&1 || {
		tail -n 20 "$other/log" >&2
		die "cannot build '$against'"
	}
}

other_remove()
{
	[ -n "$other" ] || return 0
	git -C "$source" worktree remove --force "$other/source" 2>/dev/null || :
	rm -rf -- "$other"
}

# against_take NAME BIN - its tools, where the other's lie too: not on another file system, and with
# a path as long; a store of its own, since its format may be another
against_take()
{
	mkdir -p "$work/fs/bin-$1"
	cp -L "$2"/* "$work/fs/bin-$1/"
	PATH=$work/fs/bin-$1:$PATH LAMINA_STORE=$work/fs/store-$1 layerfs import "$root" bench:latest \
		>/dev/null || die "the image can't be imported by the $1 build"
}

# against_bundle NAME ID COMMAND... - made by that build; sets `bundle`
against_bundle()
{
	bundle=$(
		PATH=$work/fs/bin-$1:$PATH
		export PATH LAMINA_STORE="$work/fs/store-$1"
		id=$2
		shift 2
		layerfs create --id "$id" --ephemeral bench:latest | initlayer |
			nslaunch spec --network none -- "$@"
	) || die "the $1 build can't make a bundle"
}

# decide SCENARIO SECONDS WORDS... - two variants; no pause between runs but for the machine to come
# to rest: nslaunch never waits for RCU, and more runs tell more
decide()
{
	decide_name=$1 decide_seconds=$2
	shift 2
	printf '\n'
	"$driver" --decide --seconds "$decide_seconds" --scenario "$decide_name" --host "$host" \
		--pace 2 --settle 20 ${json:+"--json=$json"} -- "$@"
	case $? in
	0) ;;
	1) slower="$slower $decide_name" ;;
	*) failed=1 ;;
	esac
}

# phases_compare - where in a start it is: medians of each phase, the five that moved most
phases_compare()
{
	printf '\nphases of a start that moved most, us, medians of 40\n'
	n_phase=0
	while [ "$n_phase" -lt 40 ]; do
		n_phase=$((n_phase + 1))
		LAMINA_TRACE=$work/tmp/trace-old "$work/fs/bin-old/nslaunch" run --bundle "$old" \
			</dev/null >/dev/null
		LAMINA_TRACE=$work/tmp/trace-new "$work/fs/bin-new/nslaunch" run --bundle "$new" \
			</dev/null >/dev/null
	done
	for name in old new; do
		jq -s --arg name "$name" 'group_by(.phase) | map({
			key: .[0].phase,
			value: ([.[].duration] | sort | .[length / 2 | floor] / 1000)
		}) | from_entries | {($name): .}' "$work/tmp/trace-$name"
	done | jq -rs 'add | .old as $old | .new as $new
		| [$old + $new | keys[] | {phase: ., old: ($old[.] // 0), new: ($new[.] // 0)}]
		| map(. + {moved: (.new - .old)}) | sort_by(-(.moved | fabs)) | .[:5][]
		| "\(.phase)\t\(.old)\t\(.new)\t\(.moved)"' |
		while read -r phase was is moved; do
			printf '  %-20s %8.1f %8.1f %+8.1f\n' "$phase" "$was" "$is" "$moved"
		done
}

# against_often N - bench/planted: how often the other build is found to be faster or slower, and how
# often a copy of this one is
against_often()
{
	cp -r "$work/fs/bin-new" "$work/fs/bin-cpy"
	printf '\n%s times each: does the other build differ, and does a copy of this one?\n' "$1"
	for name in old cpy; do
		n_found=0 n_sure=0 n_often=0
		while [ "$n_often" -lt "$1" ]; do
			n_often=$((n_often + 1))
			"$driver" --decide --seconds "$((seconds * 2 / 3))" --scenario start --pace 2 \
				--settle 20 -- new stamp -- "$work/fs/bin-new/nslaunch" run --bundle "$new" \
				';' "$name" stamp -- "$work/fs/bin-$name/nslaunch" run --bundle "$new" ';' \
				>"$work/tmp/decided" || :
			line=$(sed -n 's/^ *to the first instruction//p' "$work/tmp/decided")
			printf '  %s: %s\n' "$name" "$line"
			case $line in
			*slower | *faster) n_found=$((n_found + 1)) n_sure=$((n_sure + 1)) ;;
			*'as fast') n_sure=$((n_sure + 1)) ;;
			esac
		done
		printf '%s: %s of %s found to differ, %s undecided\n' "$name" "$n_found" "$1" "$(($1 - n_sure))"
	done
}

against_run()
{
	slower=
	root_make
	against_take old "$LAMINA_COMPARE_OTHER/build/bin"
	against_take new "$build/bin"
	against_bundle old bench-start /stamp
	old=$bundle
	against_bundle new bench-start /stamp
	new=$bundle
	if [ -n "${LAMINA_AGAINST_TIMES:-}" ]; then
		against_often "$LAMINA_AGAINST_TIMES"
		return
	fi
	decide start $((seconds * 2 / 3)) old stamp -- "$work/fs/bin-old/nslaunch" run --bundle "$old" \
		';' new stamp -- "$work/fs/bin-new/nslaunch" run --bundle "$new" ';'
	set --
	for name in old new; do
		tools=$work/fs/bin-$name
		set -- "$@" "$name" before "LAMINA_STORE='$work/fs/store-$name'; export LAMINA_STORE;
			'$tools/layerfs' rm --force bench-made >/dev/null" -- "$tools/layerfs" --store \
			"$work/fs/store-$name" create --id bench-made bench:latest '|' \
			"$tools/initlayer" '|' "$tools/nslaunch" spec -- /stamp ';'
	done
	decide create $((seconds / 3)) "$@"
	phases_compare
	[ -z "$slower" ] || {
		say "slower:$slower"
		failed=1
	}
}
