/* SPDX-License-Identifier: MIT */
/*
 * A fuzzer's main() for any compiler: fuzz-NAME [-t SECONDS] [-s SEED] [FILE|DIRECTORY...]
 *
 * Gives each file to LLVMFuzzerTestOneInput(), then changed and spliced copies of them until the
 * time is over. What broke it is in the file crash-NAME.bin of the working directory beforehand;
 * give it that file to see it again. The same seed does the same. With clang, -fsanitize=fuzzer and
 * without this file the targets are libFuzzer's.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/fd.h"
#include "base/text.h"
#include "tests/fuzz/fuzz.h"

#define INPUT_MAX_BYTES 65536

struct input {
	uint8_t *bytes;
	size_t n_bytes;
};

static struct {
	struct input *inputs;
	size_t n_inputs;
	uint64_t random;
	/* Shared, so that it can be written out of a signal handler. */
	uint8_t *current;
	size_t n_current;
	char crash_path[256];
} fuzzer;

/* splitmix64: small, and the same everywhere. */
static uint64_t next_random(void)
{
	uint64_t z = fuzzer.random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static size_t below(size_t n)
{
	return n ? (size_t)(next_random() % n) : 0;
}

static void crash_write(int signal_number)
{
	int fd = open(fuzzer.crash_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd >= 0)
		(void)fd_write_full(fd, fuzzer.current, fuzzer.n_current);
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

/* Found by name: the sanitizer's report ends with a signal then, and crash_write() sees it. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "abort_on_error=1";
}

static void input_add(int directory_fd, const char *path)
{
	struct input input;

	if (file_read_at(directory_fd, path, INPUT_MAX_BYTES, (char **)&input.bytes,
			 &input.n_bytes) < 0)
		return;
	fuzzer.inputs = reallocarray(fuzzer.inputs, fuzzer.n_inputs + 1, sizeof(*fuzzer.inputs));
	if (!fuzzer.inputs)
		abort();
	fuzzer.inputs[fuzzer.n_inputs++] = input;
}

static int name_compare(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Sorted, so that the same seed does the same on every file system. */
static int inputs_read(const char *path)
{
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, name_compare);
	_cleanup_close_ int fd = -EBADF;

	if (n < 0 && errno == ENOTDIR) {
		input_add(AT_FDCWD, path);
		return 0;
	}
	if (n < 0)
		return -errno;
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < n; i++) {
		if (entries[i]->d_name[0] != '.')
			input_add(fd, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return 0;
}

static void bytes_insert(size_t at, const uint8_t *bytes, size_t n)
{
	if (fuzzer.n_current + n > INPUT_MAX_BYTES)
		return;
	memmove(fuzzer.current + at + n, fuzzer.current + at, fuzzer.n_current - at);
	memcpy(fuzzer.current + at, bytes, n);
	fuzzer.n_current += n;
}

static void bytes_remove(size_t at, size_t n)
{
	memmove(fuzzer.current + at, fuzzer.current + at + n, fuzzer.n_current - at - n);
	fuzzer.n_current -= n;
}

static void current_change(void)
{
	static const uint8_t interesting[] = { 0,   1,	 0x7f, 0x80, 0xff, '0', '9', '-',  '/',
					       '.', '"', '\\', '{',  '[',  ',', ':', '\n', ' ' };
	const struct input *other = &fuzzer.inputs[below(fuzzer.n_inputs)];
	size_t at = below(fuzzer.n_current + 1), n_left = fuzzer.n_current - at;
	uint8_t byte = interesting[below(sizeof(interesting))];

	switch (below(8)) {
	case 0:
		if (n_left)
			fuzzer.current[at] ^= (uint8_t)(1 << below(8));
		break;
	case 1:
		if (n_left)
			fuzzer.current[at] = byte;
		break;
	case 2:
		bytes_insert(at, &byte, 1);
		break;
	case 3:
		if (n_left)
			bytes_remove(at, 1 + below(n_left < 16 ? n_left : 16));
		break;
	case 4: /* a piece of it again */
		if (n_left) {
			uint8_t piece[64];
			size_t n = 1 + below(n_left < sizeof(piece) ? n_left : sizeof(piece));

			memcpy(piece, fuzzer.current + at, n);
			bytes_insert(below(fuzzer.n_current + 1), piece, n);
		}
		break;
	case 5: /* a piece of another */
		if (other->n_bytes) {
			size_t from = below(other->n_bytes);
			size_t n = 1 + below(other->n_bytes - from);

			bytes_insert(at, other->bytes + from, n);
		}
		break;
	case 6:
		fuzzer.n_current = at;
		break;
	case 7:
		if (n_left)
			fuzzer.current[at] = (uint8_t)next_random();
		break;
	}
}

static void current_run(void)
{
	/* Memory of just this size: the sanitizers see a read behind it. */
	uint8_t *bytes = malloc(fuzzer.n_current + !fuzzer.n_current);

	if (!bytes)
		abort();
	memcpy(bytes, fuzzer.current, fuzzer.n_current);
	(void)LLVMFuzzerTestOneInput(bytes, fuzzer.n_current);
	free(bytes);
}

static void current_take(const struct input *input)
{
	memcpy(fuzzer.current, input->bytes, input->n_bytes);
	fuzzer.n_current = input->n_bytes;
}

static uint64_t number_take(const char *text)
{
	uint64_t number;

	if (string_to_uint64(text, UINT64_MAX, &number) < 0) {
		fprintf(stderr, "not a number: '%s'\n", text);
		exit(2);
	}
	return number;
}

int main(int argc, char *argv[])
{
	uint64_t n_seconds = 0, n_runs = 0;
	time_t end;
	int option;

	while ((option = getopt(argc, argv, "t:s:")) != -1) {
		if (option == 't')
			n_seconds = number_take(optarg);
		else if (option == 's')
			fuzzer.random = number_take(optarg);
		else
			return 2;
	}
	snprintf(fuzzer.crash_path, sizeof(fuzzer.crash_path), "crash-%s.bin",
		 strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0]);
	fuzzer.current = mmap(NULL, INPUT_MAX_BYTES, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fuzzer.current == MAP_FAILED)
		return 1;
	for (; optind < argc; optind++) {
		int r = inputs_read(argv[optind]);

		if (r < 0) {
			fprintf(stderr, "cannot read '%s': %s\n", argv[optind], strerror(-r));
			return 1;
		}
	}
	signal(SIGABRT, crash_write);
	signal(SIGSEGV, crash_write);
	signal(SIGALRM, crash_write);
	for (size_t i = 0; i < fuzzer.n_inputs; i++) {
		current_take(&fuzzer.inputs[i]);
		current_run();
	}
	n_runs = fuzzer.n_inputs;
	end = time(NULL) + (time_t)n_seconds;
	while (fuzzer.n_inputs && n_seconds && time(NULL) < end) {
		/* What takes this long is as bad as a crash. */
		alarm(20);
		for (int i = 0; i < 500; i++, n_runs++) {
			current_take(&fuzzer.inputs[below(fuzzer.n_inputs)]);
			for (size_t n = 1 + below(6); n > 0; n--)
				current_change();
			current_run();
		}
		alarm(0);
	}
	for (size_t i = 0; i < fuzzer.n_inputs; i++)
		free(fuzzer.inputs[i].bytes);
	free(fuzzer.inputs);
	printf("1..1\nok 1 - %llu inputs\n", (unsigned long long)n_runs);
	return 0;
}
