# What nslaunch spec and Docker 20.10 make, in one shape. Left out is what differs by intention:
#	.linux.seccomp		its own tests; Docker's is of another year
#	HOME, the umask		Docker leaves them to runc, which sets the same
#	the newest masked paths	later than 20.10 (CVE fixes)
#	zeros and false		that say the same as nothing
#	the order of variables	Docker's own changes where one is set twice
# The container's id is ID, the directory of its files BUNDLE, the host's name HOST.
def sets: if . == null or . == [] then empty else sort | unique end;
def capabilities:
	(. // []) | map(select(. as $c | ["CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE"] | index($c) | not))
	# ALL is what this machine's kernel and bounding set have
	| if index("CAP_SYS_MODULE") then ["ALL"] else sort end;
def config:
	{
		args: .process.args,
		env: ([.process.env[] | select(startswith("HOME=") | not)] | sort),
		cwd: .process.cwd,
		terminal: (.process.terminal // false),
		uid: .process.user.uid,
		gid: .process.user.gid,
		groups: [.process.user.additionalGids | sets],
		bounding: (.process.capabilities.bounding | capabilities),
		effective: (.process.capabilities.effective | capabilities),
		permitted: (.process.capabilities.permitted | capabilities),
		inheritable: (.process.capabilities.inheritable | capabilities),
		ambient: (.process.capabilities.ambient | capabilities),
		rlimits: ((.process.rlimits // []) | sort_by(.type)),
		noNewPrivileges: (.process.noNewPrivileges // false),
		oomScoreAdj: (.process.oomScoreAdj // 0),
		readonly: (.root.readonly // false),
		hostname: .hostname,
		mounts: .mounts,
		cgroupsPath: .linux.cgroupsPath,
		# The host's network: Docker names it by a path, lamina by nothing.
		namespaces: [.linux.namespaces[] | select((.path // "") | endswith("/netns/default") | not)
			| .type] | sort,
		sysctl: (.linux.sysctl // {}),
		masked: ((.linux.maskedPaths // [])
			- ["/proc/interrupts", "/sys/devices/virtual/powercap"]
			| map(select(endswith("/thermal_throttle") | not)) | sort),
		readonlyPaths: ((.linux.readonlyPaths // []) | sort),
		# --privileged has the machine's own
		devices: ((.linux.devices // []) | if length > 10 then ["all"] else . end),
		rules: [.linux.resources.devices[]
			| with_entries(select(.value != -1)) | {type: "a"} + .
			| if .type == "a" then del(.major, .minor) else . end],
		memory: ((.linux.resources.memory // {}) | with_entries(select(.value))),
		cpu: ((.linux.resources.cpu // {}) | with_entries(select(.value != 0))),
		pids: .linux.resources.pids,
		seccomp: (.linux.seccomp != null),
		propagation: .linux.rootfsPropagation
	};
def inspect:
	{
		Path, Args,
		Config: (.Config | {Hostname, Domainname, User, Tty, OpenStdin, StdinOnce, Cmd, WorkingDir,
			Entrypoint, OnBuild, Labels, StopSignal, StopTimeout, ExposedPorts, Volumes,
			Env: (.Env | sort)}),
		HostConfig: (.HostConfig | {CapAdd, CapDrop, CgroupnsMode, GroupAdd, IpcMode, PidMode,
			UTSMode, UsernsMode, Privileged, ReadonlyRootfs, OomScoreAdj, ShmSize, CpuShares,
			Memory, NanoCpus, CpuPeriod, CpuQuota, CpusetCpus, CpusetMems, Devices,
			DeviceCgroupRules, MemoryReservation, MemorySwap, PidsLimit, Init, NetworkMode,
			SecurityOpt: ((.SecurityOpt // []) - ["label=disable"]),
			Sysctls: (.Sysctls // {}),
			Ulimits: ((.Ulimits // []) | sort_by(.Name))})
	};
def names($id; $bundle; $host):
	walk(if type == "string" then
		gsub($bundle; "BUNDLE") | gsub($id; "ID") | gsub($id[:12]; "SHORT")
		| (if . == $host then "HOST" elif . == "HOSTNAME=" + $host then "HOSTNAME=HOST" else . end)
	else . end);
(.[0] | config) + (.[1] | inspect | {Path, Args}
	+ (.Config | with_entries(.key |= "Config." + .))
	+ (.HostConfig | with_entries(.key |= "HostConfig." + .))) | names($id; $bundle; $host)
