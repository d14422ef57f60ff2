# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154,SC2034 # variables of bench/compare
# bench/compare growth: how a create and a start grow with what is on the host and in the store.
# Sourced by it.

# growth_point SERIES X IMAGE - times a create and a start there; adds lines to the results
#
# A shell that does nothing is timed along with them, in turn: a virtual machine is a third faster or
# slower from one minute to the next, and points that are minutes apart are set off by what it took.
growth_point()
{
	growth_json=$work/tmp/growth.json
	rm -f "$growth_json"
	bundle=$(layerfs create --id bench-growth --ephemeral "$3" | initlayer |
		nslaunch spec --network none -- /stamp) || die "cannot make a bundle of '$3'"
	"$driver" --scenario "growth" -n "${rounds:-20}" --pace 10 --settle 50 --json "$growth_json" -- \
		create before 'layerfs rm --force bench-{} >/dev/null' -- layerfs create --id 'bench-{}' \
		"$3" '|' initlayer '|' nslaunch spec -- /stamp ';' \
		start stamp -- nslaunch run --bundle "$bundle" ';' \
		reference -- sh -c : ';' >/dev/null || failed=1
	layerfs rm "$bundle" >/dev/null
	layerfs rm --force "bench-$((${rounds:-20} + 1))" >/dev/null
	jq -c --arg series "$1" --argjson x "$2" '
		(.variants[] | select(.name == "reference").return_us.median) as $reference
		| .variants[] | select(.name != "reference") | {series: $series, x: $x, name, reference: $reference,
		us: (.first_instruction_us // .return_us).median,
		samples: (.first_instruction_us // .return_us).samples}' "$growth_json" >>"$growth_out"
}

# image_with NAME LAYERS FILES - an image of lamina's with so many layers, and files in the last
growth_image()
{
	growth_dir=$work/tmp/growth-image
	rm -rf "$growth_dir"
	mkdir -p "$growth_dir/blobs/sha256"
	tar -C "$root" -cf "$growth_dir/base" .
	growth_layers=
	n_layer=1
	while [ "$n_layer" -le "$2" ]; do
		if [ "$n_layer" -eq 1 ]; then
			mv "$growth_dir/base" "$growth_dir/tar"
		else
			mkdir -p "$growth_dir/tree/layer-$n_layer"
			tar -C "$growth_dir/tree" -cf "$growth_dir/tar" .
			rm -rf "$growth_dir/tree"
		fi
		if [ "$n_layer" -eq "$2" ] && [ "$3" -gt 0 ]; then
			mkdir -p "$growth_dir/tree"
			awk -v n="$3" 'BEGIN { for (i = 0; i < n; i++) {
				if (i % 1000 == 0) print "d" int(i / 1000); print "d" int(i / 1000) "/f" i } }' |
				(cd "$growth_dir/tree" && while read -r name; do
					case $name in
					*/*) : >"$name" ;;
					*) mkdir "$name" ;;
					esac
				done)
			tar -C "$growth_dir/tree" --append -f "$growth_dir/tar" .
			rm -rf "$growth_dir/tree"
		fi
		digest=$(sha256sum "$growth_dir/tar")
		digest=${digest%% *}
		size=$(stat -c %s "$growth_dir/tar")
		mv "$growth_dir/tar" "$growth_dir/blobs/sha256/$digest"
		growth_layers="$growth_layers $digest:$size"
		n_layer=$((n_layer + 1))
	done
	growth_index "$1"
	layerfs import "$growth_dir" "$1" >/dev/null || die "cannot import '$1'"
	rm -rf "$growth_dir"
}

# The image's config, manifest and index around $growth_layers.
growth_index()
{
	# shellcheck disable=SC2086 # a list
	printf '%s\n' $growth_layers | jq -R 'split(":") | {digest: ("sha256:" + .[0]), size: (.[1] | tonumber)}' |
		jq -s . >"$growth_dir/layers"
	jq -c '{architecture: "amd64", os: "linux", config: {Cmd: ["/bin/sh"]},
		rootfs: {type: "layers", diff_ids: map(.digest)}}' "$growth_dir/layers" >"$growth_dir/config"
	digest=$(sha256sum "$growth_dir/config")
	digest=${digest%% *}
	jq -c --arg digest "sha256:$digest" --argjson size "$(stat -c %s "$growth_dir/config")" \
		'{schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
		config: {mediaType: "application/vnd.oci.image.config.v1+json", digest: $digest, size: $size},
		layers: map({mediaType: "application/vnd.oci.image.layer.v1.tar"} + .)}' \
		"$growth_dir/layers" >"$growth_dir/manifest"
	mv "$growth_dir/config" "$growth_dir/blobs/sha256/$digest"
	digest=$(sha256sum "$growth_dir/manifest")
	digest=${digest%% *}
	jq -nc --arg digest "sha256:$digest" --argjson size "$(stat -c %s "$growth_dir/manifest")" \
		'{schemaVersion: 2, manifests: [{mediaType: "application/vnd.oci.image.manifest.v1+json",
		digest: $digest, size: $size}]}' >"$growth_dir/index.json"
	mv "$growth_dir/manifest" "$growth_dir/blobs/sha256/$digest"
	printf '{"imageLayoutVersion":"1.0.0"}\n' >"$growth_dir/oci-layout"
	rm -f "$growth_dir/layers"
}

growth_layers_series()
{
	for x in 1 16 32 64 127; do
		growth_image "layers:$x" "$x" 0
		growth_point layers "$x" "layers:$x"
	done
}

growth_files_series()
{
	for x in 10 1000 10000 100000; do
		growth_image "files:$x" 2 "$x"
		growth_point files "$x" "files:$x"
		layerfs rmi "files:$x" >/dev/null 2>&1 || :
	done
}

growth_mounts_series()
{
	mkdir -p "$work/fs/mounts"
	mount -t tmpfs lamina-bench "$work/fs/mounts"
	n_mount=0
	for x in 10 1000 4000 10000; do
		while [ "$n_mount" -lt "$x" ]; do
			n_mount=$((n_mount + 1))
			mkdir "$work/fs/mounts/$n_mount"
			mount -t tmpfs lamina-bench "$work/fs/mounts/$n_mount"
		done
		growth_point mounts "$x" bench:latest
	done
	umount -l "$work/fs/mounts"
}

growth_running_series()
{
	n_running=0
	: >"$work/tmp/running"
	for x in 0 250 500 1000; do
		if [ "$x" -gt "$n_running" ]; then
			layerfs create -n $((x - n_running)) --ephemeral bench:latest | initlayer |
				nslaunch spec --network none -- /bin/busybox sleep 100000 \
					>"$work/tmp/more"
			while read -r path; do
				nslaunch run --detach --bundle "$path" </dev/null >/dev/null || failed=1
			done <"$work/tmp/more"
			cat "$work/tmp/more" >>"$work/tmp/running"
			n_running=$x
		fi
		growth_point running "$x" bench:latest
	done
	while read -r path; do
		nslaunch delete --force "${path##*/}" || failed=1
	done <"$work/tmp/running"
	layerfs rm <"$work/tmp/running" >/dev/null
}

growth_bundles_series()
{
	n_bundle=0
	for x in 0 1000 5000 10000; do
		[ "$x" -eq 0 ] || layerfs create -n $((x - n_bundle)) --ephemeral bench:latest |
			initlayer | nslaunch spec -- /bin/true >>"$work/tmp/bundles"
		n_bundle=$x
		growth_point bundles "$x" bench:latest
	done
	layerfs rm <"$work/tmp/bundles" >/dev/null
}

growth_names_series()
{
	n_image=1
	for x in 1 100 250 500; do
		while [ "$n_image" -lt "$x" ]; do
			n_image=$((n_image + 1))
			layerfs tag bench:latest "name-$n_image:latest" >/dev/null
		done
		growth_point names "$x" bench:latest
	done
}

# Least squares through the inner runs; the slope's 95 % by what the samples around the line are off.
# Less than a tenth over the whole range counts as flat.
growth_fit()
{
	jq -rs '.[0].reference as $first | .[] | ($first / .reference) as $f | .series as $s | .x as $x
		| .name as $n | .samples | sort | .[length / 10 | floor:length * 9 / 10 | floor][]
		| "\($s) \($n) \($x) \(. * $f)"' "$growth_out" | awk '
	{ key = $1 " " $2; if (!(key in n)) order[++n_keys] = key
	  n[key]++; sx[key] += $3; sy[key] += $4; sxx[key] += $3 * $3; sxy[key] += $3 * $4; syy[key] += $4 * $4
	  if ($3 > max[key]) max[key] = $3 }
	END {
		for (i = 1; i <= n_keys; i++) {
			k = order[i]; d = n[k] * sxx[k] - sx[k] ^ 2
			b = (n[k] * sxy[k] - sx[k] * sy[k]) / d
			a = (sy[k] - b * sx[k]) / n[k]
			rest = syy[k] - a * sy[k] - b * sxy[k]
			error = sqrt((rest > 0 ? rest : 0) / (n[k] - 2) * n[k] / d) * 1.96
			grows = b - error > 0 && b * max[k] > 0.1 * a
			printf "%s %.1f %.4f %.4f %.1f %s\n", k, a, b, error, 100 * b * max[k] / a,
				grows ? "grows" : "flat"
		}
	}'
}

scenario_growth()
{
	image_make || return 0
	growth_out=${json:-$work/tmp/growth.out}.growth
	: >"$growth_out"
	for growth_series in layers files mounts running bundles names; do
		case " ${growth_only:-$growth_series} " in
		*" $growth_series "*) "growth_${growth_series}_series" ;;
		esac
	done
	printf '\ngrowth: us = a + b x, least squares through the inner 80 %% of the runs\n'
	printf '%-10s %-8s %10s %12s %12s %12s\n' series what a b '95 % of b' 'at the end'
	growth_fit | while read -r series what a b error end verdict; do
		printf '%-10s %-8s %10s %12s %12s %+11s%%  %s\n' "$series" "$what" "$a" "$b" \
			"+-$error" "$end" "$verdict"
	done
}
