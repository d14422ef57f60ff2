#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Other OCI runtimes run what layerfs has mounted with the config.json that nslaunch spec wrote, and
# the container finds in it what it finds under nslaunch.
load ../shell/helpers

setup() {
	lamina_setup
	need layerfs initlayer volctl nslaunch
	need_root
	import_busybox
}

# What a process can see of how it was started. Not the group of /dev/null, which crun gives to the
# container's user where it is standard input.
export PROBE='
id; pwd; hostname; tr "\\0" "\\n" </proc/self/environ | sort; ulimit -a
awk "/^(Cap|NoNewPrivs|Seccomp:|Groups)/" /proc/self/status
awk "{ print \$2, \$3, \$4 }" /proc/self/mounts |
	grep -vE "^/( |etc/)|cgroup|^/(proc|sys)/" | sed "s/,size=[0-9]*k//; s/,inode64//" | sort
ls -l /dev | awk "NR > 1 && !/->/ { print \$1, \$3, \$5, \$6, \$NF }" | sort
for file in /proc/kcore /proc/keys /proc/timer_list; do wc -c <$file 2>/dev/null; done
ls /proc/acpi /sys/firmware
touch /proc/sys/kernel/domainname /sys/x /proc/sysrq-trigger 2>&1 | cut -d: -f 3
cat /etc/hostname /etc/hosts; ls -A / /data; ls /sys/class/net; ls /proc/self/fd | wc -l
mknod /dev/sda b 8 0 && cat /dev/sda 2>&1 | head -c 100
unshare -U true 2>&1; echo "status $?"'

# compare_with RUNTIME
compare_with() {
	need "$1"
	export RUNTIME=$1
	[ -d /sys/fs/cgroup/unified ] || [ ! -e /sys/fs/cgroup/memory ] || skip "another kind of cgroups"
	privately <<'END'
		# Debian 12's crun doesn't know v1 hierarchies with a v2 one among them.
		! mountpoint -q /sys/fs/cgroup/unified || umount /sys/fs/cgroup/unified
		bundle=$(layerfs create busybox | initlayer | volctl attach -v data:/data --tmpfs /scratch |
			nslaunch spec -w /home -u 0:3 -e A=1 --ulimit nofile=77:88 --cap-drop CHOWN -m 64m \
				-h probe -- sh -c "$PROBE")
		id=${bundle##*/}
		layerfs mount "$bundle" >/dev/null
		nslaunch run --bundle "$bundle" >ours 2>&1 </dev/null
		rm -f "$bundle/upper/dev/sda"
		"$RUNTIME" --root "$PWD/$RUNTIME" run -b "$bundle" "$id" >theirs 2>&1 </dev/null
		layerfs umount "$bundle" >/dev/null
		layerfs rm --wait "$bundle" >/dev/null
		volctl rm data >/dev/null 2>&1 || volctl rm --force data >/dev/null
END
	[ "$(wc -l <ours)" -gt 60 ]
	diff -u theirs ours
}

@test "crun runs a mounted bundle as nslaunch does" {
	compare_with crun
}

@test "runc runs a mounted bundle as nslaunch does" {
	compare_with runc
}
