/* SPDX-License-Identifier: MIT */
#include "launch/terminal.h"

#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <termios.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/syscalls.h"

int terminal_receive(int socket_fd)
{
	int fd = fd_receive(socket_fd);

	return fd == -ENODATA ? -EPROTO : fd;
}

int terminal_connect(const char *path, struct error *error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		return error_set(error, -ENAMETOOLONG, "console socket '%s'", path);
	strcpy(address.sun_path, path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_set(error, -errno, "console socket '%s'", path);
	return take_fd(&fd);
}

/* The slave's own mount, bound over a file made for it: never a name that could be swapped. */
int terminal_bind_console(int root_fd, int slave_fd, struct error *error)
{
	_cleanup_close_ int dev_fd = path_open_beneath(root_fd, "dev", O_PATH | O_DIRECTORY, 0);
	_cleanup_close_ int made_fd = -EBADF, target_fd = -EBADF, tree_fd = -EBADF;
	struct stat st;

	if (dev_fd < 0)
		return error_set(error, dev_fd,
				 "process.terminal: '/dev' must be an ordinary directory");
	made_fd = openat(dev_fd, "console", O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC,
			 0600);
	if (made_fd < 0 && errno != EEXIST)
		return error_set(error, -errno, "process.terminal: cannot make '/dev/console'");
	target_fd = openat(dev_fd, "console", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (target_fd < 0 || fstat(target_fd, &st) < 0)
		return error_set(error, -errno, "process.terminal: cannot open '/dev/console'");
	if (S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode))
		return error_say(error, -ELOOP,
				 "process.terminal: '/dev/console' must be an ordinary file");
	tree_fd = sys_open_tree(slave_fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (tree_fd < 0 || sys_move_mount(tree_fd, "", target_fd, "",
					  MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return error_set(error, -errno, "process.terminal: cannot mount '/dev/console'");
	return 0;
}

/* Only of a devpts: anything else there is the image's, and opening it could do anything. */
static int master_open(int root_fd)
{
	_cleanup_close_ int pts_fd = path_open_beneath(root_fd, "dev/pts", O_PATH | O_DIRECTORY, 0);
	struct statfs st;

	if (pts_fd < 0)
		return pts_fd;
	if (fstatfs(pts_fd, &st) < 0)
		return -errno;
	if (st.f_type != DEVPTS_SUPER_MAGIC)
		return -ENOTTY;
	return path_open_beneath(pts_fd, "ptmx", O_RDWR | O_NOCTTY, 0);
}

int terminal_make(int root_fd, int socket_fd, const struct config_process *process,
		  int *ret_slave_fd, struct error *error)
{
	struct winsize size = { .ws_row = process->console_rows,
				.ws_col = process->console_columns };
	_cleanup_close_ int master_fd = master_open(root_fd);
	_cleanup_close_ int slave_fd = -EBADF;
	char name[32];
	unsigned int number;
	int unlocked = 0, r;

	if (master_fd < 0)
		return error_set(error, master_fd,
				 "process.terminal: cannot open '/dev/pts/ptmx' for the terminal");
	/* The peer by descriptor: its name in the container could be anything (CVE-2025-52565). */
	if (ioctl(master_fd, TIOCSPTLCK, &unlocked) < 0 || ioctl(master_fd, TIOCGPTN, &number) < 0)
		return error_set(error, -errno, "process.terminal: cannot unlock the terminal");
	slave_fd = ioctl(master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave_fd < 0)
		return error_set(error, -errno, "process.terminal: cannot open the terminal");
	if (size.ws_row && size.ws_col && ioctl(master_fd, TIOCSWINSZ, &size) < 0)
		return error_set(error, -errno, "process.terminal: cannot set the terminal's size");
	if (fchown(slave_fd, process->uid, (gid_t)-1) < 0)
		return error_set(error, -errno,
				 "process.terminal: cannot give the terminal to user %u",
				 process->uid);
	snprintf(name, sizeof(name), "/dev/pts/%u", number);
	r = fd_send(socket_fd, name, strlen(name), master_fd);
	if (r < 0)
		return error_set(error, r, "process.terminal: cannot hand over the terminal");
	*ret_slave_fd = take_fd(&slave_fd);
	return 0;
}

int terminal_adopt(int slave_fd, struct error *error)
{
	if (ioctl(slave_fd, TIOCSCTTY, 0) < 0)
		return error_set(error, -errno,
				 "process.terminal: cannot take the controlling terminal");
	for (int fd = 0; fd < 3; fd++) {
		if (dup2(slave_fd, fd) < 0)
			return error_set(
				error, -errno,
				"process.terminal: cannot make the terminal the standard streams");
	}
	return 0;
}

int terminal_relay_start(struct terminal_relay *relay, int master_fd, struct error *error)
{
	struct termios settings;

	relay->master_fd = master_fd;
	relay->input_end = false;
	if (fcntl(master_fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		return error_set(error, -errno, "cannot set up the terminal");
	if (tcgetattr(STDIN_FILENO, &settings) < 0)
		return 0;
	relay->saved = malloc(sizeof(settings));
	if (!relay->saved)
		return error_set(error, -ENOMEM, "cannot set up the terminal");
	memcpy(relay->saved, &settings, sizeof(settings));
	cfmakeraw(&settings);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &settings) < 0)
		return error_set(error, -errno, "cannot set the terminal to raw mode");
	relay->raw = true;
	terminal_relay_resize(relay);
	return 0;
}

void terminal_size_take(struct config_process *process)
{
	struct winsize size;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col) {
		process->console_rows = size.ws_row;
		process->console_columns = size.ws_col;
	}
}

void terminal_relay_resize(struct terminal_relay *relay)
{
	struct winsize size;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		(void)ioctl(relay->master_fd, TIOCSWINSZ, &size);
}

/* The end of a pipe or a file is what ^D is on a terminal; the end of /dev/null says nothing. */
static bool input_is_stream(void)
{
	struct stat st;

	return fstat(STDIN_FILENO, &st) == 0 && !S_ISCHR(st.st_mode);
}

void terminal_relay_events(const struct terminal_relay *relay, short *ret_input, short *ret_master)
{
	*ret_input = relay->input_end || relay->n_pending ? 0 : POLLIN;
	*ret_master = (short)(POLLIN | (relay->n_pending ? POLLOUT : 0));
}

static void input_take(struct terminal_relay *relay)
{
	ssize_t n = read(STDIN_FILENO, relay->pending, sizeof(relay->pending));

	if (n > 0) {
		relay->n_pending = (size_t)n;
	} else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
		relay->input_end = true;
		if (input_is_stream())
			relay->pending[relay->n_pending++] = '\4';
	}
}

/* A container that doesn't read stops its user's typing, nothing else. */
static void input_give(struct terminal_relay *relay)
{
	ssize_t n = write(relay->master_fd, relay->pending, relay->n_pending);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	/* Nobody is there to take it. */
	if (n < 0)
		n = (ssize_t)relay->n_pending;
	relay->n_pending -= (size_t)n;
	memmove(relay->pending, relay->pending + n, relay->n_pending);
}

int terminal_relay_step(struct terminal_relay *relay, short input, short master)
{
	char bytes[8192];
	ssize_t n;

	if (input && !relay->input_end && !relay->n_pending)
		input_take(relay);
	if (relay->n_pending)
		input_give(relay);
	if (master & ~POLLOUT) {
		n = read(relay->master_fd, bytes, sizeof(bytes));
		if (n > 0)
			return fd_write_full(STDOUT_FILENO, bytes, (size_t)n);
		/* EIO: the last slave is closed. */
		if (n == 0 || errno == EIO)
			return 1;
		if (errno != EINTR && errno != EAGAIN)
			return -errno;
	}
	return 0;
}

void terminal_relay_finish(struct terminal_relay *relay)
{
	if (relay->master_fd >= 0) {
		for (;;) {
			char bytes[8192];
			ssize_t n = read(relay->master_fd, bytes, sizeof(bytes));

			if (n <= 0 || fd_write_full(STDOUT_FILENO, bytes, (size_t)n) < 0)
				break;
		}
	}
	if (relay->raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, relay->saved);
	free(relay->saved);
	cleanup_close(&relay->master_fd);
	*relay = TERMINAL_RELAY_EMPTY;
}
