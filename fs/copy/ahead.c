/* SPDX-License-Identifier: MIT */
#include "fs/copy/ahead.h"

#include <fcntl.h>
#include <liburing.h>
#include <sys/mman.h>

#include "base/cleanup.h"

/* How much of a larger file the kernel is asked to have ready. */
#define AHEAD_ADVICE_BYTES (4u << 20)
/* Threads of the kernel's that open and read what is in no cache. */
#define AHEAD_WORKERS 16

#define AHEAD_OPEN_FLAGS (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

enum slot_state { SLOT_EMPTY, SLOT_OPENING, SLOT_READING, SLOT_READY };

struct slot {
	enum slot_state state;
	struct copy_source source;
	char *buffer;
};

/* Names from @n_given on are in the slots, up to @n_opened; slot i holds every i-th name. */
struct copy_ahead {
	struct io_uring ring;
	char *buffers;
	int directory_fd;
	const char *const *names;
	size_t n_names, n_opened, n_given;
	unsigned int n_in_flight;
	bool read_contents;
	struct slot slots[COPY_AHEAD_FILES];
};

struct copy_ahead *copy_ahead_new(void)
{
	unsigned int workers[2] = { AHEAD_WORKERS, 0 };
	struct copy_ahead *ahead = calloc(1, sizeof(*ahead));
	void *buffers;
	int r;

	if (!ahead)
		return NULL;
	buffers = mmap(NULL, COPY_AHEAD_FILES * COPY_AHEAD_FILE_BYTES, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (buffers == MAP_FAILED) {
		free(ahead);
		return NULL;
	}
	/* Linux 6.1; without them completions interrupt the copying. */
	r = io_uring_queue_init(2 * COPY_AHEAD_FILES, &ahead->ring,
				IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
	if (r == -EINVAL)
		r = io_uring_queue_init(2 * COPY_AHEAD_FILES, &ahead->ring, 0);
	if (r < 0) {
		munmap(buffers, COPY_AHEAD_FILES * COPY_AHEAD_FILE_BYTES);
		free(ahead);
		return NULL;
	}
	(void)io_uring_register_iowq_max_workers(&ahead->ring, workers);
	ahead->buffers = buffers;
	for (size_t i = 0; i < COPY_AHEAD_FILES; i++)
		ahead->slots[i].buffer = ahead->buffers + i * COPY_AHEAD_FILE_BYTES;
	return ahead;
}

static void slot_read(struct copy_ahead *ahead, struct slot *slot)
{
	const struct stat *st = &slot->source.stat;
	struct io_uring_sqe *sqe;

	slot->state = SLOT_READY;
	if (!ahead->read_contents || !S_ISREG(st->st_mode) || st->st_size == 0 ||
	    st->st_size > st->st_blocks * 512)
		return;
	if (st->st_size > COPY_AHEAD_FILE_BYTES) {
		(void)posix_fadvise(slot->source.fd, 0, AHEAD_ADVICE_BYTES, POSIX_FADV_WILLNEED);
		return;
	}
	sqe = io_uring_get_sqe(&ahead->ring);
	if (!sqe)
		return;
	io_uring_prep_read(sqe, slot->source.fd, slot->buffer, (unsigned int)st->st_size, 0);
	io_uring_sqe_set_data(sqe, slot);
	slot->state = SLOT_READING;
	ahead->n_in_flight++;
}

static void slot_complete(struct copy_ahead *ahead, struct slot *slot, int result)
{
	struct copy_source *source = &slot->source;

	if (slot->state == SLOT_READING) {
		slot->state = SLOT_READY;
		/* Anything else is left to plain calls, which say what is wrong. */
		if (result == source->stat.st_size) {
			source->bytes = slot->buffer;
			source->n_bytes = (size_t)result;
		}
		return;
	}
	source->fd = result;
	slot->state = SLOT_READY;
	if (result < 0)
		return;
	if (fstat(source->fd, &source->stat) < 0) {
		result = -errno;
		close(source->fd);
		source->fd = result;
		return;
	}
	slot_read(ahead, slot);
}

static void completions_take(struct copy_ahead *ahead)
{
	struct io_uring_cqe *cqe;
	unsigned int head, n = 0;

	io_uring_for_each_cqe(&ahead->ring, head, cqe)
	{
		struct slot *slot = io_uring_cqe_get_data(cqe);

		n++;
		ahead->n_in_flight--;
		slot_complete(ahead, slot, cqe->res);
	}
	io_uring_cq_advance(&ahead->ring, n);
}

static int completions_wait(struct copy_ahead *ahead)
{
	int r;

	do {
		r = io_uring_submit_and_wait(&ahead->ring, 1);
	} while (r == -EINTR);
	if (r < 0)
		return r;
	completions_take(ahead);
	return 0;
}

static void open_more(struct copy_ahead *ahead)
{
	size_t end = ahead->n_given + COPY_AHEAD_FILES;

	if (end > ahead->n_names)
		end = ahead->n_names;
	for (; ahead->n_opened < end; ahead->n_opened++) {
		struct slot *slot = &ahead->slots[ahead->n_opened % COPY_AHEAD_FILES];
		struct io_uring_sqe *sqe = io_uring_get_sqe(&ahead->ring);

		if (!sqe)
			return;
		slot->state = SLOT_OPENING;
		slot->source = (struct copy_source){ .fd = -EBADF };
		io_uring_prep_openat(sqe, ahead->directory_fd, ahead->names[ahead->n_opened],
				     AHEAD_OPEN_FLAGS, 0);
		io_uring_sqe_set_data(sqe, slot);
		ahead->n_in_flight++;
	}
}

/* Waits for what is under way, which no cancelling ends sooner, and closes what came of it. */
static void ahead_drain(struct copy_ahead *ahead)
{
	ahead->read_contents = false;
	while (ahead->n_in_flight > 0 && completions_wait(ahead) == 0)
		;
	for (size_t i = ahead->n_given; i < ahead->n_opened; i++)
		cleanup_close(&ahead->slots[i % COPY_AHEAD_FILES].source.fd);
}

void copy_ahead_start(struct copy_ahead *ahead, int directory_fd, const char *const *names,
		      size_t n_names, bool read_contents)
{
	ahead_drain(ahead);
	ahead->directory_fd = directory_fd;
	ahead->names = names;
	ahead->n_names = n_names;
	ahead->n_opened = ahead->n_given = 0;
	ahead->read_contents = read_contents;
}

int copy_ahead_next(struct copy_ahead *ahead, struct copy_source *ret_source)
{
	struct slot *slot = &ahead->slots[ahead->n_given % COPY_AHEAD_FILES];

	/* By the half, so that a call into the kernel is worth it. */
	if (ahead->n_opened - ahead->n_given <= COPY_AHEAD_FILES / 2)
		open_more(ahead);
	while (slot->state != SLOT_READY) {
		int r = completions_wait(ahead);

		if (r < 0)
			return r;
	}
	slot->state = SLOT_EMPTY;
	ahead->n_given++;
	*ret_source = slot->source;
	return 0;
}

void copy_ahead_free(struct copy_ahead *ahead)
{
	if (!ahead)
		return;
	ahead_drain(ahead);
	io_uring_queue_exit(&ahead->ring);
	munmap(ahead->buffers, COPY_AHEAD_FILES * COPY_AHEAD_FILE_BYTES);
	free(ahead);
}

void copy_source_open(int directory_fd, const char *name, struct copy_source *ret_source)
{
	*ret_source = (struct copy_source){ .fd = openat(directory_fd, name, AHEAD_OPEN_FLAGS) };
	if (ret_source->fd < 0) {
		ret_source->fd = -errno;
	} else if (fstat(ret_source->fd, &ret_source->stat) < 0) {
		int r = -errno;

		close(ret_source->fd);
		ret_source->fd = r;
	}
}
