#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What run does with its options and with tools that fail, seen from stand-ins for the tools: each
# writes down how it was called, and does what a file FAIL-TOOL says. The real ones are in run.bats.
load helpers

setup() {
	lamina_setup
	mkdir tools log
	local tool
	for tool in layerfs initlayer volctl nslaunch; do
		cat >"tools/$tool" <<-'EOF'
			#!/bin/sh
			name=${0##*/}
			case $name in
			layerfs | nslaunch | volctl) verb=-$1 ;;
			*) verb= ;;
			esac
			{
				printf '%s' "$name"
				printf ' <%s>' "$@"
				echo
			} >>"$LOG/calls"
			for option; do
				case $option in
				--id=*)
					if [ "$verb" = -create ]; then
						mkdir -p "$LAMINA_STORE/containers/${option#--id=}"
						echo "$LAMINA_STORE/containers/${option#--id=}"
					fi
					;;
				--cidfile=*) echo id >"${option#--cidfile=}" ;;
				esac
			done
			if [ "$name$verb" = layerfs-rm ]; then
				shift
				while [ "$1" != "${1#--}" ]; do shift; done
				rm -rf "$1"
			fi
			if [ "$name$verb" = initlayer ]; then
				ls -d "$LAMINA_STORE"/containers/* >>"$LOG/bundles"
			fi
			if [ -e "$LOG/$name$verb" ]; then
				. "$LOG/$name$verb"
			fi
			exit 0
		EOF
		chmod +x "tools/$tool"
	done
	PATH=$PWD/tools:/usr/bin:/bin
	RUN=$LAMINA_SOURCE/tools/run
	LOG=$PWD/log
	LAMINA_STORE=$PWD/store
	export PATH LOG LAMINA_STORE
}

# calls - what was called, with the id and the store made short
calls() {
	sed "s|$LAMINA_STORE|STORE|g; s|[0-9a-f]\{64\}|ID|g" log/calls
}

@test "the tools are called in Docker's order, with the bundle by option" {
	run --separate-stderr "$RUN" busybox
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[ -z "$stderr" ]
	diff -u <(calls) - <<-'EOF'
		layerfs <create> <--id=ID> <--> <busybox>
		initlayer <--bundle=STORE/containers/ID>
		nslaunch <spec> <--bundle=STORE/containers/ID> <-->
		nslaunch <run> <--bundle=STORE/containers/ID> <--rm-on-failure>
	EOF
}

@test "volctl is called where the user or the image's config speaks of volumes" {
	run "$RUN" --tmpfs /t busybox
	[ "$status" -eq 0 ]
	calls | grep -qxF 'volctl <attach> <--bundle=STORE/containers/ID> <--tmpfs=/t>'
	rm log/calls
	# What layerfs create leaves where the image's config does.
	# shellcheck disable=SC2016 # the stand-in is to expand it
	echo 'for bundle in "$LAMINA_STORE"/containers/*; do : >"$bundle/volumes"; done' >log/layerfs-create
	run "$RUN" --rm busybox
	[ "$status" -eq 0 ]
	grep -q '^volctl <attach> ' log/calls
}

@test "each option goes to the tool whose job it is" {
	run "$RUN" -it --name=n --cidfile c -e A=1 --env B --env-file f -w /w -u 1:2 -h host -v v:/v \
		--mount type=volume,target=/m --tmpfs /t --entrypoint '' --read-only --cap-add ALL \
		--cap-drop=NET_RAW --privileged --security-opt seccomp=unconfined -m512m --cpus 1.5 \
		--pids-limit=-1 --ulimit nofile=1:2 --init -l k=v --stop-signal INT --network none \
		img cmd -x --name 'two words'
	[ "$status" -eq 0 ]
	diff -u <(calls) - <<-'EOF'
		layerfs <create> <--id=ID> <--name=n> <--cidfile=c> <--> <img>
		initlayer <--bundle=STORE/containers/ID>
		volctl <attach> <--bundle=STORE/containers/ID> <--volume=v:/v> <--mount=type=volume,target=/m> <--tmpfs=/t>
		nslaunch <spec> <--bundle=STORE/containers/ID> <--interactive> <--tty> <--env=A=1> <--env=B> <--env-file=f> <--workdir=/w> <--user=1:2> <--hostname=host> <--entrypoint=> <--read-only> <--cap-add=ALL> <--cap-drop=NET_RAW> <--privileged> <--security-opt=seccomp=unconfined> <--memory=512m> <--cpus=1.5> <--pids-limit=-1> <--ulimit=nofile=1:2> <--init> <--label=k=v> <--stop-signal=INT> <--network=none> <--> <cmd> <-x> <--name> <two words>
		nslaunch <run> <--bundle=STORE/containers/ID> <--interactive> <--tty> <--rm-on-failure> <--cidfile=c>
	EOF
}

@test "options are spelled in all of Docker's ways" {
	for words in "-m 1g" "-m1g" "-m=1g" "--memory 1g" "--memory=1g" "-tm 1g" "-itm1g" "--tty=false -m 1g" \
		"-t=true -m1g" "--net none -m1g"; do
		rm -f log/calls
		# shellcheck disable=SC2086
		run "$RUN" $words busybox
		[ "$status" -eq 0 ]
		grep -q '^nslaunch <spec> .*<--memory=1g>' log/calls
	done
}

@test "words of any kind reach the container as they are" {
	local words=("" " " "a'b" "''" '"$HOME"' '`id`' '$(id)' '*' "back\\slash" $'new\nline' '#x' '&' '~' 'é' '-' '--')
	echo 'printf "%s\0" "$@" >"$LOG/words"' >log/nslaunch-spec
	run "$RUN" -e "X=it's \"\$(id)\" \`id\`" busybox "${words[@]}"
	[ "$status" -eq 0 ]
	printf '%s\0' spec "--bundle=$(<log/bundles)" "--env=X=it's \"\$(id)\" \`id\`" -- "${words[@]}" | cmp - log/words
}

@test "wrong usage is 125, says what is wrong, and starts nothing" {
	local words message
	while IFS='|' read -r words message; do
		rm -f log/calls
		eval "run --separate-stderr \"\$RUN\" $words"
		[ "$status" -eq 125 ]
		[ "$stderr" = "run: $message; see --help" ]
		[ -z "$output" ]
		[ ! -e log/calls ]
	done <<-'EOF'
		|say the image to run
		-it|say the image to run
		--rm --|say the image to run
		--nosuch busybox|unknown option '--nosuch'
		--nosuch=1 busybox|unknown option '--nosuch'
		-x busybox|unknown option '-x'
		-itx busybox|unknown option '-x'
		--name|option '--name' needs a value
		-e|option '-e' needs a value
		-ite|option '-e' needs a value
		--rm=maybe busybox|option '--rm' is true or false, not 'maybe'
		-i=2 busybox|option '--interactive' is true or false, not '2'
	EOF
}

@test "help says every option, and is no failure" {
	run --separate-stderr "$RUN" --help
	[ "$status" -eq 0 ]
	for option in --interactive --tty --rm --name --cidfile --env --env-file --workdir --user --hostname \
		--entrypoint --volume --mount --tmpfs --read-only --cap-add --cap-drop --privileged \
		--security-opt --memory --cpus --pids-limit --ulimit --init --label --stop-signal --network \
		--verbose; do
		[[ $output == *" $option"* ]]
	done
}

@test "a tool that fails is the end, with 125, and nothing stays" {
	local tool before=0
	for tool in layerfs-create initlayer volctl-attach nslaunch-spec; do
		before=$((before + 1))
		rm -f log/calls
		echo "echo '$tool: no' >&2; exit 1" >"log/$tool"
		run --separate-stderr "$RUN" --rm --tmpfs /t --cidfile cid busybox
		rm "log/$tool"
		[ "$status" -eq 125 ]
		[ "$stderr" = "$tool: no" ]
		[ "$(grep -vc '^layerfs <rm>' log/calls)" -eq "$before" ]
		[ -z "$(ls "$LAMINA_STORE/containers" 2>/dev/null)" ]
		[ "$tool" = layerfs-create ] || [ ! -e cid ]
		rm -f cid
	done
}

@test "the script becomes nslaunch, whose status is the status, whatever it is" {
	local code option
	for code in 0 1 2 125 126 127 137 143 255; do
		echo "exit $code" >log/nslaunch-run
		for option in --rm --read-only; do
			run "$RUN" "$option" busybox
			[ "$status" -eq "$code" ]
		done
	done
	# What is to go is left to it.
	run ! grep '^layerfs <rm>' log/calls
	rm log/calls
	run "$RUN" --rm --cidfile cid --tmpfs /t busybox
	[ "$(calls | tail -n 1)" = "nslaunch <run> <--bundle=STORE/containers/ID> <--rm>" ]
}

@test "standard input is the container's with -i, and empty without" {
	echo 'cat >"$LOG/stdin"' >log/nslaunch-run
	run "$RUN" -i busybox <<<"text"
	[ "$(<log/stdin)" = text ]
	run "$RUN" busybox <<<"text"
	[ ! -s log/stdin ]
	run "$RUN" --rm -i busybox <<<"text"
	[ "$(<log/stdin)" = text ]
	# None at all is none.
	run --separate-stderr sh -c '"$0" -i busybox <&-' "$RUN"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ ! -s log/stdin ]
}

@test "--verbose prints commands that can be pasted" {
	run --separate-stderr "$RUN" --verbose --rm --tmpfs /t -e "A=it's" busybox echo 'a b'
	[ "$status" -eq 0 ]
	grep -v '^layerfs <rm>' log/calls >log/first
	mkdir -p "$LAMINA_STORE"
	printf '%s\n' "$stderr" >log/script
	[ "$(wc -l <log/script)" -eq 5 ]
	rm log/calls
	sh log/script
	grep -v '^layerfs <rm>' log/calls | diff -u log/first -
}

@test "a signal between the last step and nslaunch is ignored, and nslaunch told so" {
	# What a shell ignores, those that it executes do.
	echo 'awk "/SigIgn/ { print \$2 }" /proc/self/status >"$LOG/ignored"' >log/nslaunch-run
	env --default-signal "$RUN" --rm busybox
	# HUP, INT, QUIT, USR1, USR2 and TERM.
	[ "$((0x$(<log/ignored) & 0x4a07))" -eq "$((0x4a07))" ]
}

@test "a signal during the setup ends it with 128+N, and nothing stays" {
	local tool
	for tool in layerfs-create initlayer volctl-attach nslaunch-spec; do
		echo 'echo $$ >"$LOG/pid"; until [ -e "$LOG/sent" ]; do sleep 0.02; done' >"log/$tool"
		rm -f log/pid log/calls log/sent
		"$RUN" --tmpfs /t busybox 3>&- &
		pid=$!
		until [ -s log/pid ]; do sleep 0.02; done
		kill -s TERM "$pid"
		touch log/sent
		wait "$pid" && status=0 || status=$?
		[ "$status" -eq 143 ]
		[ -z "$(ls "$LAMINA_STORE/containers")" ]
		[[ $(grep -v '^layerfs <rm>' log/calls) != *"nslaunch <run>"* ]]
		rm "log/$tool"
	done
}

@test "the id is 64 hex digits, and another one each time" {
	"$RUN" busybox
	"$RUN" busybox
	[ "$(ls "$LAMINA_STORE/containers" | grep -cE '^[0-9a-f]{64}$')" -eq 2 ]
}

@test "the script forks for nothing but its tools, and becomes the last of them" {
	need strace
	cat >tools/true.c <<-'EOF'
		int main(void) { return 0; }
	EOF
	need cc
	cc -static -o tools/true tools/true.c || skip "no static libc"
	local tool
	for tool in layerfs initlayer volctl nslaunch; do cp tools/true "tools/$tool"; done
	strace -f -o log/trace -e trace=process "$RUN" --rm busybox true || skip "no ptrace"
	[ "$(grep -cE '(fork|vfork|clone3?)\(' log/trace)" -eq 3 ]
	# With the script itself.
	[ "$(grep -cE 'execve\(.* = 0|execve resumed.* = 0' log/trace)" -eq 5 ]
}
