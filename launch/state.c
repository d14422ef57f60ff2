/* SPDX-License-Identifier: MIT */
#include "launch/state.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/json_write.h"
#include "base/lock.h"
#include "base/path.h"
#include "base/process.h"
#include "base/syscalls.h"
#include "base/trace.h"
#include "launch/config/config.h"

/* Annotations come from config.json, of CONFIG_MAX_BYTES, and are in it as they stand there. */
#define STATE_MAX_BYTES (16u << 20)

bool state_id_is_valid(const char *id)
{
	size_t n = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+.-");

	return n > 0 && n <= STATE_ID_MAX_BYTES && !id[n] && strcmp(id, ".") && strcmp(id, "..");
}

/* Who can write the directory decides which process is killed, and what is removed. */
static int root_check(const struct state *state, struct error *error)
{
	struct stat st;

	if (fstat(state->root_fd, &st) < 0)
		return error_set(error, -errno, "cannot look at '%s'", state->root_path);
	if ((st.st_uid != geteuid() && st.st_uid != 0) || st.st_mode & 022)
		return error_say(error, -EPERM,
				 "the state directory '%s' is not yours alone to write",
				 state->root_path);
	return 0;
}

static int root_open(struct state *state, const char *root_path, bool make, struct error *error)
{
	state->root_path = strdup(root_path);
	if (!state->root_path)
		return error_set(error, -ENOMEM, "cannot open the state directory");
	state->root_fd = fd_open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state->root_fd < 0 && errno == ENOENT && make) {
		char prefix[PATH_MAX];

		if (strlen(root_path) >= sizeof(prefix))
			return error_set(error, -ENAMETOOLONG, "state directory '%s'", root_path);
		strcpy(prefix, root_path);
		for (char *slash = strchr(prefix + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
			*slash = '\0';
			if (mkdir(prefix, 0755) < 0 && errno != EEXIST)
				return error_set(error, -errno, "cannot make '%s'", prefix);
			*slash = '/';
		}
		if (mkdir(root_path, 0700) < 0 && errno != EEXIST)
			return error_set(error, -errno, "cannot make the state directory '%s'",
					 root_path);
		state->root_fd = fd_open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (state->root_fd < 0)
		return error_set(error, -errno, "cannot open the state directory '%s'", root_path);
	return root_check(state, error);
}

int state_root_open(const char *root_path, bool make, int *ret_fd, struct error *error)
{
	_cleanup_state_ struct state state = STATE_EMPTY;
	int r = root_open(&state, root_path, make, error);

	if (r == 0)
		*ret_fd = take_fd(&state.root_fd);
	return r;
}

static int directory_open(struct state *state, const char *id)
{
	strcpy(state->id, id);
	state->directory_fd =
		openat(state->root_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (state->directory_fd < 0)
		return -errno;
	state->lock_fd = openat(state->directory_fd, STATE_LOCK_FILE,
				O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return state->lock_fd < 0 ? -errno : 0;
}

/* Is the directory that was locked still the one of that name? Who removed it held the lock. */
static int directory_check_current(const struct state *state)
{
	struct stat held, named;

	if (fstat(state->directory_fd, &held) < 0 ||
	    fstatat(state->root_fd, state->id, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return held.st_ino == named.st_ino && held.st_dev == named.st_dev ? 0 : -ENOENT;
}

/* Without its lock nobody else's work can be in it: what was made goes, as far as it is empty. */
static void directory_unmake(const struct state *state, const char *id)
{
	if (state->lock_fd < 0)
		(void)unlinkat(state->root_fd, id, AT_REMOVEDIR);
}

static int create_once(struct state *state, const char *id, struct error *error)
{
	bool existed = mkdirat(state->root_fd, id, 0700) < 0;
	int r;

	if (existed && errno != EEXIST)
		return error_set(error, -errno, "cannot make '%s/%s'", state->root_path, id);
	r = directory_open(state, id);
	if (r == 0)
		r = lock_try(state->lock_fd, LOCK_MODE_EXCLUSIVE);
	else if (!existed)
		directory_unmake(state, id);
	if (r == -EWOULDBLOCK ||
	    (r == 0 && existed && faccessat(state->directory_fd, STATE_FILE, F_OK, 0) == 0))
		return error_say(error, -EEXIST, "a container with the id '%s' exists already", id);
	if (r == 0)
		r = directory_check_current(state);
	if (r == -ENOENT)
		return -EAGAIN;
	if (r < 0)
		return error_set(error, r, "cannot lock '%s/%s'", state->root_path, id);
	if (existed) {
		(void)unlinkat(state->directory_fd, STATE_START_SOCKET, 0);
		(void)unlinkat(state->directory_fd, STATE_CONFIG_FILE, 0);
		(void)unlinkat(state->directory_fd, STATE_CGROUP_FILE, 0);
	}
	return 0;
}

int state_create(struct state *state, const char *root_path, const char *id, struct error *error)
{
	TRACE_PHASE("state.make");
	_cleanup_state_ struct state made = STATE_EMPTY;
	int r;

	if (!state_id_is_valid(id))
		return error_say(
			error, -EINVAL,
			"bad container id '%s': letters, digits and any of _+.- are allowed", id);
	r = root_open(&made, root_path, true, error);
	if (r < 0)
		return r;
	/* EAGAIN: somebody removed the directory between our mkdir and our lock. */
	for (int i = 0; i < 100; i++) {
		r = create_once(&made, id, error);
		if (r != -EAGAIN)
			break;
		cleanup_close(&made.directory_fd);
		cleanup_close(&made.lock_fd);
		made.directory_fd = made.lock_fd = -EBADF;
	}
	if (r == -EAGAIN)
		return error_set(error, r, "cannot lock '%s/%s'", root_path, id);
	if (r < 0)
		return r;
	*state = made;
	made = STATE_EMPTY;
	return 0;
}

int state_open(struct state *state, const char *root_path, const char *id, bool lock,
	       struct error *error)
{
	_cleanup_state_ struct state opened = STATE_EMPTY;
	int r;

	if (!state_id_is_valid(id))
		return error_say(error, -EINVAL, "bad container id '%s'", id);
	r = root_open(&opened, root_path, false, error);
	if (r == -ENOENT)
		return error_say(error, -ENOENT, "container '%s' does not exist", id);
	if (r < 0)
		return r;
	r = directory_open(&opened, id);
	if (r == 0 && lock)
		r = lock_take(opened.lock_fd, LOCK_MODE_EXCLUSIVE);
	if (r == 0)
		r = directory_check_current(&opened);
	if (r == -ENOENT)
		return error_say(error, -ENOENT, "container '%s' does not exist", id);
	if (r < 0)
		return error_set(error, r, "cannot open the state of '%s'", id);
	*state = opened;
	opened = STATE_EMPTY;
	return 0;
}

void state_unlock(const struct state *state)
{
	lock_release(state->lock_fd);
}

int state_lock(const struct state *state)
{
	int r = lock_take(state->lock_fd, LOCK_MODE_EXCLUSIVE);

	return r == 0 ? directory_check_current(state) : r;
}

void state_close(struct state *state)
{
	cleanup_close(&state->lock_fd);
	cleanup_close(&state->directory_fd);
	cleanup_close(&state->root_fd);
	free(state->root_path);
	*state = STATE_EMPTY;
}

int state_write(const struct state *state, const struct state_record *record, const char *name,
		struct error *error)
{
	_cleanup_json_writer_ struct json_writer writer = {};
	int r;

	json_write_object_begin(&writer, NULL);
	json_write_string(&writer, "ociVersion", OCI_VERSION_MAX);
	json_write_string(&writer, "id", record->id);
	json_write_int(&writer, "pid", record->pid);
	json_write_uint(&writer, "startTime", record->start_time);
	json_write_string(&writer, "bundle", record->bundle);
	json_write_string(&writer, "rootfs", record->rootfs);
	json_write_string(&writer, "created", record->created);
	json_write_uint(&writer, "owner", record->owner);
	json_write_bool(&writer, "defaultSeccomp", record->has_default_seccomp);
	if (record->keeps_keyring)
		json_write_bool(&writer, "keepsKeyring", true);
	if (record->listener_path)
		json_write_string(&writer, "seccompListener", record->listener_path);
	if (record->has_hooks)
		json_write_bool(&writer, "hooks", true);
	if (record->cgroup_path)
		json_write_string(&writer, "cgroupPath", record->cgroup_path);
	if (record->systemd_unit) {
		json_write_string(&writer, "systemdUnit", record->systemd_unit);
		json_write_bool(&writer, "systemdUser", record->systemd_is_user);
	}
	if (record->annotations)
		json_write_raw(&writer, "annotations", record->annotations,
			       strlen(record->annotations));
	json_write_object_end(&writer);
	buffer_add_char(&writer.buffer, '\n');
	r = json_writer_status(&writer);
	if (r == 0)
		r = file_replace_at(state->directory_fd, name, writer.buffer.bytes,
				    writer.buffer.n_bytes, 0600, 0);
	return r < 0 ? error_set(error, r, "cannot write the state of '%s'", state->id) : 0;
}

static int copy_string(struct json_value value, char **ret_string)
{
	const char *string = json_string(value);

	*ret_string = string ? strdup(string) : NULL;
	return string && !*ret_string ? -ENOMEM : 0;
}

static int file_read(const struct state *state, const char *name, struct state_record *record,
		     struct error *error)
{
	_cleanup_json_ struct json_document document = {};
	struct json_value root, annotations;
	uint64_t pid = 0, owner = 0;
	size_t n_bytes;
	const char *raw;
	int r;

	r = json_parse_file_at(&document, state->directory_fd, name, STATE_MAX_BYTES, error);
	if (r < 0)
		return r;
	root = json_root(&document);
	if (json_uint64(json_get(root, "pid"), &pid) < 0 || pid > INT_MAX ||
	    json_uint64(json_get(root, "startTime"), &record->start_time) < 0 ||
	    json_uint64(json_get(root, "owner"), &owner) < 0)
		return error_say(error, -EBADMSG, "the state of '%s' is damaged", state->id);
	record->pid = (pid_t)pid;
	record->owner = (uid_t)owner;
	record->has_default_seccomp = json_bool_or(json_get(root, "defaultSeccomp"), false);
	record->keeps_keyring = json_bool_or(json_get(root, "keepsKeyring"), false);
	record->has_hooks = json_bool_or(json_get(root, "hooks"), false);
	record->systemd_is_user = json_bool_or(json_get(root, "systemdUser"), false);
	annotations = json_get(root, "annotations");
	raw = json_raw(annotations, &n_bytes);
	if (raw) {
		record->annotations = strndup(raw, n_bytes);
		r = record->annotations ? 0 : -ENOMEM;
	}
	if (r < 0 || copy_string(json_get(root, "id"), &record->id) < 0 ||
	    copy_string(json_get(root, "bundle"), &record->bundle) < 0 ||
	    copy_string(json_get(root, "rootfs"), &record->rootfs) < 0 ||
	    copy_string(json_get(root, "created"), &record->created) < 0 ||
	    copy_string(json_get(root, "seccompListener"), &record->listener_path) < 0 ||
	    copy_string(json_get(root, "cgroupPath"), &record->cgroup_path) < 0 ||
	    copy_string(json_get(root, "systemdUnit"), &record->systemd_unit) < 0)
		return error_set(error, -ENOMEM, "cannot read the state of '%s'", state->id);
	if (!record->id || !record->bundle || !record->created)
		return error_say(error, -EBADMSG, "the state of '%s' is damaged", state->id);
	return 0;
}

int state_read(const struct state *state, struct state_record *record, struct error *error)
{
	if (faccessat(state->directory_fd, STATE_FILE, F_OK, 0) < 0 && errno == ENOENT)
		return error_say(
			error, -ENOENT,
			"container '%s' is being made, or its launcher was killed; `delete "
			"--force` removes what is left",
			state->id);
	return file_read(state, STATE_FILE, record, error);
}

int state_read_unpublished(const struct state *state, struct state_record *record,
			   struct error *error)
{
	if (faccessat(state->directory_fd, STATE_FILE_NEW, F_OK, 0) < 0)
		return error_set(error, -errno, "container '%s'", state->id);
	return file_read(state, STATE_FILE_NEW, record, error);
}

int state_cgroup_write(const struct state *state, const char *path, struct error *error)
{
	int r = file_replace_at(state->directory_fd, STATE_CGROUP_FILE, path, strlen(path), 0600,
				0);

	return r < 0 ? error_set(error, r, "cannot write the state of '%s'", state->id) : 0;
}

int state_cgroup_read(const struct state *state, char **ret_path, struct error *error)
{
	_cleanup_free_ char *path = NULL;
	int r = file_read_at(state->directory_fd, STATE_CGROUP_FILE, PATH_MAX, &path, NULL);

	if (r == -ENOENT) {
		path = string_format("/lamina/%s", state->id);
		r = path ? 0 : -ENOMEM;
	}
	if (r < 0)
		return error_set(error, r, "cannot tell the cgroup of '%s'", state->id);
	*ret_path = take_ptr(path);
	return 0;
}

bool state_has_process(const struct state *state)
{
	return faccessat(state->directory_fd, STATE_CONFIG_FILE, F_OK, 0) == 0;
}

void state_record_deinit(struct state_record *record)
{
	free(record->id);
	free(record->bundle);
	free(record->rootfs);
	free(record->cgroup_path);
	free(record->systemd_unit);
	free(record->listener_path);
	free(record->created);
	free(record->annotations);
	*record = (struct state_record){};
}

int state_process_open(const struct state_record *record)
{
	_cleanup_close_ int pidfd = -EBADF;
	uint64_t start_time;

	if (record->pid <= 0)
		return -ESRCH;
	pidfd = sys_pidfd_open(record->pid, 0);
	if (pidfd < 0)
		return -errno;
	/* With the pidfd open the pid can't be given to another any more: compare now. */
	start_time = process_start_time(record->pid);
	if (!start_time && sys_pidfd_send_signal(pidfd, 0, NULL, 0) == 0)
		return -EIO;
	if (start_time != record->start_time)
		return -ESRCH;
	return take_fd(&pidfd);
}

enum state_status state_status(const struct state *state, const struct state_record *record)
{
	_cleanup_close_ int pidfd = state_process_open(record);
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };

	/*
	 * A zombie has ended, though nobody has waited for it yet. What can't be looked at may be
	 * running: who takes it for stopped would remove what it lives on.
	 */
	if (pidfd == -ESRCH || (pidfd >= 0 && poll(&ended, 1, 0) > 0))
		return STATE_STOPPED;
	if (faccessat(state->directory_fd, STATE_START_SOCKET, F_OK, 0) == 0)
		return STATE_CREATED;
	return STATE_RUNNING;
}

const char *state_status_name(enum state_status status)
{
	static const char *const names[] = { "creating", "created", "running", "stopped",
					     "paused" };

	return names[status];
}

int state_remove(struct state *state)
{
	TRACE_PHASE("state.remove");
	/* All that is in the directory of most; the state first: without it there is no container.
	 */
	static const char *const files[] = { STATE_FILE, STATE_CONFIG_FILE, STATE_LOCK_FILE };
	int r = lock_take(state->lock_fd, LOCK_MODE_EXCLUSIVE);

	if (r == 0)
		r = directory_check_current(state);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		(void)unlinkat(state->directory_fd, files[i], 0);
	if (unlinkat(state->root_fd, state->id, AT_REMOVEDIR) == 0)
		return 0;
	return path_remove_tree(state->root_fd, state->id);
}

static int id_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int state_list(const char *root_path, struct string_list *ids, struct error *error)
{
	_cleanup_closedir_ DIR *directory = opendir(root_path);
	const struct dirent *entry;
	int r;

	if (!directory)
		return errno == ENOENT ? 0
				       : error_set(error, -errno, "cannot list '%s'", root_path);
	while ((r = directory_entry_next(directory, &entry)) > 0) {
		if (!state_id_is_valid(entry->d_name))
			continue;
		if (string_list_add(ids, entry->d_name) < 0)
			return error_set(error, -ENOMEM, "cannot list '%s'", root_path);
	}
	if (r < 0)
		return error_set(error, r, "cannot list '%s'", root_path);
	if (ids->n_items > 1)
		qsort(ids->items, ids->n_items, sizeof(*ids->items), id_compare);
	return 0;
}
