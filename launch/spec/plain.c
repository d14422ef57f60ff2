/* SPDX-License-Identifier: MIT */
/*
 * The configuration that `runc spec` starts a bundle with, laid out for people to edit: the text
 * itself, in parts, since with --rootless and with cgroup v2 some of it differs.
 */
#include "launch/spec/plain.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/fd.h"

/* Up to the options of /dev/pts. */
static const char beginning[] =
	"{\n"
	"\t\"ociVersion\": \"1.0.2\",\n"
	"\t\"process\": {\n"
	"\t\t\"terminal\": true,\n"
	"\t\t\"user\": {\n"
	"\t\t\t\"uid\": 0,\n"
	"\t\t\t\"gid\": 0\n"
	"\t\t},\n"
	"\t\t\"args\": [\n"
	"\t\t\t\"sh\"\n"
	"\t\t],\n"
	"\t\t\"env\": [\n"
	"\t\t\t\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\",\n"
	"\t\t\t\"TERM=xterm\"\n"
	"\t\t],\n"
	"\t\t\"cwd\": \"/\",\n"
	"\t\t\"capabilities\": {\n"
	"\t\t\t\"bounding\": [\n"
	"\t\t\t\t\"CAP_AUDIT_WRITE\",\n"
	"\t\t\t\t\"CAP_KILL\",\n"
	"\t\t\t\t\"CAP_NET_BIND_SERVICE\"\n"
	"\t\t\t],\n"
	"\t\t\t\"effective\": [\n"
	"\t\t\t\t\"CAP_AUDIT_WRITE\",\n"
	"\t\t\t\t\"CAP_KILL\",\n"
	"\t\t\t\t\"CAP_NET_BIND_SERVICE\"\n"
	"\t\t\t],\n"
	"\t\t\t\"permitted\": [\n"
	"\t\t\t\t\"CAP_AUDIT_WRITE\",\n"
	"\t\t\t\t\"CAP_KILL\",\n"
	"\t\t\t\t\"CAP_NET_BIND_SERVICE\"\n"
	"\t\t\t],\n"
	"\t\t\t\"ambient\": [\n"
	"\t\t\t\t\"CAP_AUDIT_WRITE\",\n"
	"\t\t\t\t\"CAP_KILL\",\n"
	"\t\t\t\t\"CAP_NET_BIND_SERVICE\"\n"
	"\t\t\t]\n"
	"\t\t},\n"
	"\t\t\"rlimits\": [\n"
	"\t\t\t{\n"
	"\t\t\t\t\"type\": \"RLIMIT_NOFILE\",\n"
	"\t\t\t\t\"hard\": 1024,\n"
	"\t\t\t\t\"soft\": 1024\n"
	"\t\t\t}\n"
	"\t\t],\n"
	"\t\t\"noNewPrivileges\": true\n"
	"\t},\n"
	"\t\"root\": {\n"
	"\t\t\"path\": \"rootfs\",\n"
	"\t\t\"readonly\": true\n"
	"\t},\n"
	"\t\"hostname\": \"nslaunch\",\n"
	"\t\"mounts\": [\n"
	"\t\t{\n"
	"\t\t\t\"destination\": \"/proc\",\n"
	"\t\t\t\"type\": \"proc\",\n"
	"\t\t\t\"source\": \"proc\"\n"
	"\t\t},\n"
	"\t\t{\n"
	"\t\t\t\"destination\": \"/dev\",\n"
	"\t\t\t\"type\": \"tmpfs\",\n"
	"\t\t\t\"source\": \"tmpfs\",\n"
	"\t\t\t\"options\": [\n"
	"\t\t\t\t\"nosuid\",\n"
	"\t\t\t\t\"strictatime\",\n"
	"\t\t\t\t\"mode=755\",\n"
	"\t\t\t\t\"size=65536k\"\n"
	"\t\t\t]\n"
	"\t\t},\n"
	"\t\t{\n"
	"\t\t\t\"destination\": \"/dev/pts\",\n"
	"\t\t\t\"type\": \"devpts\",\n"
	"\t\t\t\"source\": \"devpts\",\n"
	"\t\t\t\"options\": [\n"
	"\t\t\t\t\"nosuid\",\n"
	"\t\t\t\t\"noexec\",\n"
	"\t\t\t\t\"newinstance\",\n"
	"\t\t\t\t\"ptmxmode=0666\",\n"
	"\t\t\t\t\"mode=0620\"";

/* A user namespace of one user has no group 5. */
static const char terminal_group[] = ",\n\t\t\t\t\"gid=5\"";

/* Up to /sys. */
static const char mounts[] = "\t\t\t]\n"
			     "\t\t},\n"
			     "\t\t{\n"
			     "\t\t\t\"destination\": \"/dev/shm\",\n"
			     "\t\t\t\"type\": \"tmpfs\",\n"
			     "\t\t\t\"source\": \"shm\",\n"
			     "\t\t\t\"options\": [\n"
			     "\t\t\t\t\"nosuid\",\n"
			     "\t\t\t\t\"noexec\",\n"
			     "\t\t\t\t\"nodev\",\n"
			     "\t\t\t\t\"mode=1777\",\n"
			     "\t\t\t\t\"size=65536k\"\n"
			     "\t\t\t]\n"
			     "\t\t},\n"
			     "\t\t{\n"
			     "\t\t\t\"destination\": \"/dev/mqueue\",\n"
			     "\t\t\t\"type\": \"mqueue\",\n"
			     "\t\t\t\"source\": \"mqueue\",\n"
			     "\t\t\t\"options\": [\n"
			     "\t\t\t\t\"nosuid\",\n"
			     "\t\t\t\t\"noexec\",\n"
			     "\t\t\t\t\"nodev\"\n"
			     "\t\t\t]\n"
			     "\t\t},\n"
			     "\t\t{\n"
			     "\t\t\t\"destination\": \"/sys\",\n";

/* sysfs can only be mounted by who owns the network namespace: without one of its own it is bound.
 */
static const char sys_mounted[] = "\t\t\t\"type\": \"sysfs\",\n"
				  "\t\t\t\"source\": \"sysfs\",\n"
				  "\t\t\t\"options\": [\n";
static const char sys_bound[] = "\t\t\t\"type\": \"none\",\n"
				"\t\t\t\"source\": \"/sys\",\n"
				"\t\t\t\"options\": [\n"
				"\t\t\t\t\"rbind\",\n";

/* Up to linux.resources. */
static const char cgroup_mount[] = "\t\t\t\t\"nosuid\",\n"
				   "\t\t\t\t\"noexec\",\n"
				   "\t\t\t\t\"nodev\",\n"
				   "\t\t\t\t\"ro\"\n"
				   "\t\t\t]\n"
				   "\t\t},\n"
				   "\t\t{\n"
				   "\t\t\t\"destination\": \"/sys/fs/cgroup\",\n"
				   "\t\t\t\"type\": \"cgroup\",\n"
				   "\t\t\t\"source\": \"cgroup\",\n"
				   "\t\t\t\"options\": [\n"
				   "\t\t\t\t\"nosuid\",\n"
				   "\t\t\t\t\"noexec\",\n"
				   "\t\t\t\t\"nodev\",\n"
				   "\t\t\t\t\"relatime\",\n"
				   "\t\t\t\t\"ro\"\n"
				   "\t\t\t]\n"
				   "\t\t}\n"
				   "\t],\n"
				   "\t\"linux\": {\n";

static const char resources[] = "\t\t\"resources\": {\n"
				"\t\t\t\"devices\": [\n"
				"\t\t\t\t{\n"
				"\t\t\t\t\t\"allow\": false,\n"
				"\t\t\t\t\t\"access\": \"rwm\"\n"
				"\t\t\t\t}\n"
				"\t\t\t]\n"
				"\t\t},\n";

static const char namespaces[] = "\t\t\"namespaces\": [\n"
				 "\t\t\t{\n"
				 "\t\t\t\t\"type\": \"pid\"\n"
				 "\t\t\t},\n";
static const char network_namespace[] = "\t\t\t{\n"
					"\t\t\t\t\"type\": \"network\"\n"
					"\t\t\t},\n";
static const char more_namespaces[] = "\t\t\t{\n"
				      "\t\t\t\t\"type\": \"ipc\"\n"
				      "\t\t\t},\n"
				      "\t\t\t{\n"
				      "\t\t\t\t\"type\": \"uts\"\n"
				      "\t\t\t},\n"
				      "\t\t\t{\n"
				      "\t\t\t\t\"type\": \"mount\"\n"
				      "\t\t\t}";
static const char user_namespace[] = ",\n\t\t\t{\n\t\t\t\t\"type\": \"user\"\n\t\t\t}";
static const char cgroup_namespace[] = ",\n\t\t\t{\n\t\t\t\t\"type\": \"cgroup\"\n\t\t\t}";

static const char end[] = "\n"
			  "\t\t],\n"
			  "\t\t\"maskedPaths\": [\n"
			  "\t\t\t\"/proc/acpi\",\n"
			  "\t\t\t\"/proc/asound\",\n"
			  "\t\t\t\"/proc/kcore\",\n"
			  "\t\t\t\"/proc/keys\",\n"
			  "\t\t\t\"/proc/latency_stats\",\n"
			  "\t\t\t\"/proc/timer_list\",\n"
			  "\t\t\t\"/proc/timer_stats\",\n"
			  "\t\t\t\"/proc/sched_debug\",\n"
			  "\t\t\t\"/sys/firmware\",\n"
			  "\t\t\t\"/proc/scsi\"\n"
			  "\t\t],\n"
			  "\t\t\"readonlyPaths\": [\n"
			  "\t\t\t\"/proc/bus\",\n"
			  "\t\t\t\"/proc/fs\",\n"
			  "\t\t\t\"/proc/irq\",\n"
			  "\t\t\t\"/proc/sys\",\n"
			  "\t\t\t\"/proc/sysrq-trigger\"\n"
			  "\t\t]\n"
			  "\t}\n"
			  "}\n";

static void mapping_add(struct buffer *text, const char *field, unsigned int host_id)
{
	buffer_add_format(text,
			  "\t\t\"%s\": [\n\t\t\t{\n\t\t\t\t\"containerID\": 0,\n"
			  "\t\t\t\t\"hostID\": %u,\n\t\t\t\t\"size\": 1\n\t\t\t}\n\t\t],\n",
			  field, host_id);
}

static bool has_cgroup_v2_alone(void)
{
	struct statfs st;

	return statfs("/sys/fs/cgroup", &st) == 0 && st.f_type == CGROUP2_SUPER_MAGIC;
}

static void text_make(struct buffer *text, bool rootless)
{
	buffer_add_string(text, beginning);
	buffer_add_string(text, rootless ? "" : terminal_group);
	buffer_add_string(text, "\n");
	buffer_add_string(text, mounts);
	buffer_add_string(text, rootless ? sys_bound : sys_mounted);
	buffer_add_string(text, cgroup_mount);
	if (rootless) {
		mapping_add(text, "uidMappings", geteuid());
		mapping_add(text, "gidMappings", getegid());
	} else {
		buffer_add_string(text, resources);
	}
	buffer_add_string(text, namespaces);
	buffer_add_string(text, rootless ? "" : network_namespace);
	buffer_add_string(text, more_namespaces);
	if (has_cgroup_v2_alone())
		buffer_add_string(text, cgroup_namespace);
	if (rootless)
		buffer_add_string(text, user_namespace);
	buffer_add_string(text, end);
}

int spec_plain_write(const char *bundle_path, const char *name, unsigned int flags,
		     struct error *error)
{
	_cleanup_close_ int fd = open(bundle_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_buffer_ struct buffer text = {};
	int r;

	if (fd < 0)
		return error_set(error, -errno, "bundle '%s'", bundle_path);
	if (!(flags & SPEC_AGAIN) && faccessat(fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return error_say(error, -EEXIST,
				 "bundle '%s': '%s' is there already; --force replaces it",
				 bundle_path, name);
	text_make(&text, flags & SPEC_ROOTLESS);
	r = buffer_status(&text);
	if (r == 0)
		r = file_replace_at(fd, name, text.bytes, text.n_bytes, 0644, 0);
	return r < 0 ? error_set(error, r, "bundle '%s': cannot write '%s'", bundle_path, name) : 0;
}
