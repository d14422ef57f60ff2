#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# layerfs rm: bundles go, whoever does what at the same time

load helpers
load images

setup() {
	lamina_setup
	need layerfs
	need_root
	fresh_store
	make_image busybox:latest >&2
}

# bundles_left - what containers, names and the trash hold, relative to the store
bundles_left() {
	(cd "$LAMINA_STORE" && find containers names trash staging -mindepth 1 -maxdepth 1)
}

# trash_wait - until the deleting helper is done
trash_wait() {
	until_true eval '[ -z "$(ls "$LAMINA_STORE/trash")" ]'
}

@test "a bundle goes by path, name, id and prefix, and is printed as it was given" {
	path=$(layerfs create busybox)
	layerfs create --name web busybox
	layerfs create --id whole busybox
	layerfs create --id prefix-of-it busybox
	run -0 layerfs rm "$path" web whole prefix-
	[ "$output" = "$path"$'\nweb\nwhole\nprefix-' ]
	[ -z "$(ls "$LAMINA_STORE"/{containers,names} | grep -v :)" ]
	trash_wait
}

@test "a name comes before an id, and an id before a prefix" {
	layerfs create --id web busybox
	layerfs create --id web-two busybox
	named=$(layerfs create --name web busybox)
	layerfs rm --wait web
	[ ! -e "$named" ]
	layerfs rm --wait web
	[ "$(bundles_left)" = containers/web-two ]
	layerfs create --id web-three busybox
	run --separate-stderr layerfs rm web-t
	[ "$status" -eq 1 ]
	[ "$stderr" = "layerfs: rm: more than one container's id begins with 'web-t'" ]
	layerfs rm --wait web-two web-three
}

@test "paths on standard input, by lines and by NUL" {
	layerfs create -n 5 busybox >paths
	run -0 layerfs rm <paths
	[ "$output" = "$(<paths)" ]
	layerfs create -0 -n 5 busybox | layerfs rm -0 - | tr '\0' '\n' >removed
	[ "$(wc -l <removed)" -eq 5 ]
	[ -z "$(ls "$LAMINA_STORE/containers")" ]
	trash_wait
}

@test "what isn't there is told, and the rest goes on" {
	a=$(layerfs create --id a busybox)
	mkdir -p elsewhere/containers/x
	run --separate-stderr layerfs rm nothing /nowhere elsewhere/containers/x ../x .. a
	[ "$status" -eq 1 ]
	[ "$output" = a ]
	expected="layerfs: rm: there is no container 'nothing'
layerfs: rm: cannot find the bundle '/nowhere': No such file or directory
layerfs: rm: 'elsewhere/containers/x' is not a bundle in the store '$LAMINA_STORE'
layerfs: rm: cannot find the bundle '../x': No such file or directory
layerfs: rm: there is no container '..'"
	[ "$stderr" = "$expected" ]
	[ -d elsewhere/containers/x ]
	run --separate-stderr -0 layerfs rm --force nothing /nowhere
	[ -z "$stderr" ]
	[ -z "$output" ]
}

@test "a bundle in use is refused, with and without force" {
	bundle=$(layerfs create --id busy busybox)
	for mode in -s -x; do
		exec 8<"$bundle/lock"
		flock "$mode" 8
		for force in '' --force; do
			run --separate-stderr layerfs rm $force busy
			[ "$status" -eq 1 ]
			[ -z "$output" ]
			[ "$stderr" = "layerfs: rm: the container 'busy' is in use: stop it, or wait for its end" ]
			[ -e "$bundle/layers" ]
		done
		exec 8<&-
	done
	# A lock that is held for a moment is waited for.
	(exec 8<"$bundle/lock" && flock -s 8 && touch held && sleep 0.05) &
	while [ ! -e held ]; do :; done
	layerfs rm busy
	wait
	[ -z "$(ls "$LAMINA_STORE/containers")" ]
}

@test "a container that was left to itself is refused while its process lives" {
	bundle=$(layerfs create --id left busybox)
	sleep 60 3>&- &
	pid=$!
	echo "$pid $(sed 's/.*) //' "/proc/$pid/stat" | cut -d ' ' -f 20)" >"$bundle/running"
	run --separate-stderr layerfs rm --force left
	[ "$status" -eq 1 ]
	[ "$stderr" = "layerfs: rm: the container 'left' is in use: stop its process $pid first" ]
	run --separate-stderr layerfs mount left
	[ "$stderr" = "layerfs: mount: the bundle '$bundle' is in use by process $pid" ]
	# Another process may have its number later.
	echo "$pid 1" >"$bundle/running"
	kill "$pid"
	wait "$pid" || :
	layerfs rm --wait left
}

@test "--incomplete spares what has a config.json" {
	done=$(layerfs create --id done --name web busybox)
	echo '{}' >"$done/config.json"
	half=$(layerfs create --id half --name half busybox)
	held=$(layerfs create --id held busybox)
	mkdir "$LAMINA_STORE/containers/just-made"
	exec 8<"$held/lock"
	flock -s 8
	run -0 layerfs rm --incomplete
	[ "$(sort <<<"$output")" = "$half"$'\n'"$LAMINA_STORE/containers/just-made" ]
	exec 8<&-
	run -0 layerfs rm --incomplete done held
	[ "$output" = held ]
	[ "$(ls "$LAMINA_STORE/containers")" = "done" ]
	[ "$(ls "$LAMINA_STORE/names")" = web ]
	layerfs rm --wait web
}

@test "--incomplete takes what was made with --rm once nobody holds it" {
	bundle=$(layerfs create --rm --id once busybox)
	echo '{}' >"$bundle/config.json"
	kept=$(layerfs create --id kept busybox)
	echo '{}' >"$kept/config.json"
	exec 8<"$bundle/lock"
	flock -s 8
	run -0 layerfs rm --incomplete
	[ -z "$output" ]
	exec 8<&-
	run -0 layerfs rm --incomplete
	[ "$output" = "$bundle" ]
	[ "$(ls "$LAMINA_STORE/containers")" = kept ]
	layerfs rm --wait kept
}

@test "a sweep takes what killed tools left in the trash, in staging and among the names" {
	mkdir -p "$LAMINA_STORE"/trash/old/upper/a "$LAMINA_STORE"/staging/{left,held}
	touch "$LAMINA_STORE/trash/old/upper/a/b"
	ln -s ../containers/x "$LAMINA_STORE/names/.web.123.tmp"
	exec 8<"$LAMINA_STORE/staging/held"
	flock -x 8
	layerfs rm --incomplete --wait
	exec 8<&-
	[ "$(bundles_left)" = staging/held ]
	layerfs rm --incomplete --wait
	[ -z "$(bundles_left)" ]
}

@test "a bundle's references to volumes go with it, and no others" {
	mkdir -p "$LAMINA_STORE"/volumes/{data,other}/refs
	touch "$LAMINA_STORE"/volumes/{data,other}/refs/{mine,yours} precious
	bundle=$(layerfs create --id mine busybox)
	printf '%s\t/data\tnone\trbind,x-lamina.volume=data,x-lamina.subpath=a 0 0\n' x \
		>"$bundle/mounts"
	printf '# x\ny /b none x-lamina.volume=../../.. 0 0\nz /c none rw,x-lamina.volume=.. 0 0\n' \
		>>"$bundle/mounts"
	layerfs rm --wait mine
	[ "$(cd "$LAMINA_STORE/volumes" && echo */refs/*)" = \
		"data/refs/yours other/refs/mine other/refs/yours" ]
	[ -e precious ]
}

@test "--wait returns when all is deleted" {
	for i in 1 2 3; do
		bundle=$(layerfs create --id "b$i" busybox)
		mkdir "$bundle/upper/"{1..200}
		touch "$bundle/upper/"{1..200}/{1..10}
	done
	layerfs rm b1
	[ ! -e "$LAMINA_STORE/containers/b1" ]
	layerfs rm --wait b2 b3
	[ ! -e "$LAMINA_STORE/trash/b2" ]
	[ ! -e "$LAMINA_STORE/trash/b3" ]
	trash_wait
}

@test "--when-free waits for what holds the bundle, and in nobody's way" {
	bundle=$(layerfs create --id one --name web busybox)
	exec 7<"$bundle/lock"
	flock 7
	layerfs rm --when-free web >removed 7<&- 3>&- &
	waiter=$!
	sleep 0.3
	[ -d "$bundle" ] && [ ! -s removed ]
	# rmi waits for whoever holds the store's lock.
	flock -n -x "$LAMINA_STORE/lock" true
	run -1 layerfs rm web
	exec 7<&-
	wait "$waiter"
	[ "$(<removed)" = web ]
	[ -z "$(bundles_left)" ]
	# Killed, it has done nothing.
	bundle=$(layerfs create --id one busybox)
	flock "$bundle/lock" sleep 0.3 3>&- &
	sleep 0.1
	run -137 timeout -s KILL 0.1 layerfs rm --when-free one
	[ -d "$bundle" ]
	wait
	# Of two that wait one removes it, which is what the other is for too.
	exec 7<"$bundle/lock"
	flock 7
	layerfs rm --when-free one >removed 7<&- 3>&- &
	waiter=$!
	layerfs rm --when-free one >>removed 7<&- 3>&- &
	sleep 0.1
	exec 7<&-
	wait "$!"
	wait "$waiter"
	[ "$(sort -u removed)" = one ]
	[ -z "$(bundles_left)" ]
	run -1 layerfs rm --when-free nosuch
}

@test "--volumes takes those that nobody named and nothing else uses" {
	layerfs create --id one busybox | volctl attach -v /anonymous -v named:/n | initlayer >/dev/null
	[ "$(volctl ls -q | wc -l)" -eq 2 ]
	# Nothing of one that is refused.
	flock "$LAMINA_STORE/containers/one/lock" layerfs rm -v one 2>error && return 1
	[ "$(volctl ls -q | wc -l)" -eq 2 ]
	layerfs rm -v --wait one
	[ "$(volctl ls -q)" = named ]
	volctl rm named
	run -2 layerfs rm --volumes --incomplete
	layerfs create --id one busybox | volctl attach -v /anonymous | initlayer >/dev/null
	layerfs rm --wait one
	[ "$(volctl ls -q | wc -l)" -eq 1 ]
	volctl rm "$(volctl ls -q)"
}

@test "whoever reads the output doesn't wait for the deletion" {
	bundle=$(layerfs create busybox)
	for i in $(seq 200); do
		mkdir "$bundle/upper/$i"
		(cd "$bundle/upper/$i" && touch {1..100})
	done
	[ "$(layerfs rm "$bundle")" = "$bundle" ]
	# The store's lock is free for who removes an image.
	flock -n -x "$LAMINA_STORE/lock" true
	trash_wait
}

@test "an id that is used again doesn't meet its earlier bundle" {
	for i in 1 2 3 4 5; do
		bundle=$(layerfs create --id again busybox)
		mkdir "$bundle/upper/"{1..100}
		layerfs rm again
	done
	bundle=$(layerfs create --id again busybox)
	trash_wait
	[ -e "$bundle/layers" ]
	layerfs rm --wait again
}

@test "a bundle that took the id while rm waited for a lock stays" {
	for i in 1 2 3; do
		old=$(layerfs create --id one busybox)
		exec 8<"$old/lock"
		flock -x 8
		layerfs rm one 8<&- 2>error >output &
		pid=$!
		# It has the lock open, and waits.
		until_true eval '[ -n "$(find "/proc/$pid/fd" -lname "$old/lock" 2>/dev/null)" ]'
		mv "$old" "$LAMINA_STORE/trash/old$i"
		new=$(layerfs create --id one busybox)
		exec 8<&-
		status=0
		wait "$pid" || status=$?
		[ "$status" -eq 1 ]
		[ "$(<error)" = "layerfs: rm: there is no container 'one'" ]
		[ -e "$new/layers" ]
		layerfs rm --wait one
	done
}

@test "of twenty that remove one bundle at once, one does" {
	for round in 1 2 3 4 5; do
		layerfs create --id one --name web busybox
		for i in $(seq 20); do
			layerfs rm web >>removed.$round 2>>failed.$round &
		done
		wait
		[ "$(wc -l <removed.$round)" -eq 1 ]
		[ "$(wc -l <failed.$round)" -eq 19 ]
		[ -z "$(grep -v "there is no container 'web'\|there is no container 'one'" failed.$round)" ]
	done
	trash_wait
	[ -z "$(bundles_left)" ]
}

@test "rm and create of one id and name at once never take from each other" {
	(for i in $(seq 150); do layerfs rm web 2>>rm.errors || :; done >/dev/null) &
	remover=$!
	made=0
	while kill -0 "$remover" 2>/dev/null; do
		if bundle=$(layerfs create --id one --name web busybox 2>>create.errors); then
			made=$((made + 1))
		fi
	done
	wait "$remover"
	[ "$made" -gt 1 ]
	[ -z "$(grep -v "there is no container\|is in use" rm.errors)" ]
	[ -z "$(grep -v "the id 'one' is taken\|the name 'web' is taken" create.errors)" ]
	layerfs rm --incomplete --wait
	[ -z "$(bundles_left)" ]
}

@test "kill -9 at any moment leaves whole bundles, or trash that a sweep takes" {
	for i in $(seq 30); do
		layerfs create -n 40 busybox >paths
		layerfs rm <paths >/dev/null &
		pid=$!
		sleep "0.000$((i % 10))"
		kill -KILL "$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
		for bundle in "$LAMINA_STORE"/containers/*; do
			[ ! -e "$bundle" ] || [ -e "$bundle/layers" ]
		done
	done
	layerfs rm --incomplete --wait >/dev/null
	[ -z "$(bundles_left)" ]
}

@test "a read-only store is an error" {
	layerfs create --id one busybox
	privately <<'END'
		mount --bind "$LAMINA_STORE" "$LAMINA_STORE"
		mount -o remount,bind,ro "$LAMINA_STORE"
		if layerfs rm one 2>error; then
			exit 1
		fi
		grep -q 'Read-only file system' error
END
	layerfs rm --wait one
}
