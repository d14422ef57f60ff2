/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/process.h"
#include "launch/state.h"

/* As a mkdir of the tool's own would leave it. */
static char *root_make(const struct scratch_directory *scratch)
{
	return scratch_path(scratch, "state");
}

static struct state_record record_of(pid_t pid)
{
	return (struct state_record){ .id = (char *)"c",
				      .bundle = (char *)"/b",
				      .rootfs = (char *)"/b/rootfs",
				      .cgroup_path = (char *)"/lamina/c",
				      .created = (char *)"2026-01-01T00:00:00Z",
				      .annotations = (char *)"{\"a\":\"b\"}",
				      .pid = pid,
				      .start_time = process_start_time(pid),
				      .owner = geteuid() };
}

static void ids_are_letters_digits_and_a_few_signs(void **state)
{
	static const char *const good[] = { "a", "A-b_c.d+e", "0", "...", "-", "a..b" };
	static const char *const bad[] = { "",	  ".",	      "..",  "a/b",  "/", "a b",
					   "a\n", "\xc3\xa4", "a:b", "a\\b", "~", "*" };
	char longest[STATE_ID_MAX_BYTES + 2];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(state_id_is_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(state_id_is_valid(bad[i]));
	memset(longest, 'x', sizeof(longest));
	longest[STATE_ID_MAX_BYTES + 1] = '\0';
	assert_false(state_id_is_valid(longest));
	longest[STATE_ID_MAX_BYTES] = '\0';
	assert_true(state_id_is_valid(longest));
}

static void what_is_written_is_read_back(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *root = root_make(&scratch);
	_cleanup_state_ struct state made = STATE_EMPTY, opened = STATE_EMPTY;
	_cleanup_state_record_ struct state_record read = {};
	struct state_record written = record_of(getpid());

	assert_int_equal(state_create(&made, root, "c", NULL), 0);
	assert_int_equal(state_write(&made, &written, STATE_FILE, NULL), 0);
	assert_int_equal(state_open(&opened, root, "c", false, NULL), 0);
	assert_int_equal(state_read(&opened, &read, NULL), 0);
	assert_string_equal(read.id, "c");
	assert_string_equal(read.bundle, "/b");
	assert_string_equal(read.rootfs, "/b/rootfs");
	assert_string_equal(read.cgroup_path, "/lamina/c");
	assert_string_equal(read.created, written.created);
	assert_string_equal(read.annotations, written.annotations);
	assert_int_equal(read.pid, getpid());
	assert_int_equal(read.start_time, written.start_time);
	assert_int_equal(read.owner, geteuid());
}

static void the_directories_are_the_owners_alone(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *root = scratch_path(&scratch, "deeper/state");
	_cleanup_state_ struct state made = STATE_EMPTY;
	struct stat st;

	assert_int_equal(state_create(&made, root, "c", NULL), 0);
	assert_int_equal(fstat(made.root_fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(fstat(made.directory_fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void a_root_that_others_can_write_is_refused(void **state)
{
	static const mode_t modes[] = { 0777, 0770, 0702, 0720, 01777 };

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
		_cleanup_free_ char *root = root_make(&scratch);
		_cleanup_state_ struct state made = STATE_EMPTY, opened = STATE_EMPTY;

		assert_int_equal(mkdir(root, 0700), 0);
		assert_int_equal(chmod(root, modes[i]), 0);
		assert_int_equal(state_create(&made, root, "c", NULL), -EPERM);
		assert_int_equal(state_open(&opened, root, "c", false, NULL), -EPERM);
		assert_int_equal(scratch_count(&scratch, "state"), 0);
	}
}

static void bad_ids_and_links_make_nothing(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *root = root_make(&scratch);
	_cleanup_state_ struct state made = STATE_EMPTY;

	assert_int_equal(state_create(&made, root, "../x", NULL), -EINVAL);
	assert_int_equal(state_create(&made, root, "..", NULL), -EINVAL);
	assert_int_equal(mkdir(root, 0700), 0);
	assert_int_equal(mkdirat(scratch.fd, "outside", 0700), 0);
	assert_int_equal(symlinkat("../outside", scratch.fd, "state/c"), 0);
	assert_true(state_create(&made, root, "c", NULL) < 0);
	assert_true(state_open(&made, root, "c", false, NULL) < 0);
	assert_int_equal(scratch_count(&scratch, "outside"), 0);
	assert_int_equal(made.root_fd, -EBADF);
}

static void an_id_in_use_is_refused_and_one_left_by_the_killed_is_taken(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *root = root_make(&scratch);
	struct state made = STATE_EMPTY;
	_cleanup_state_ struct state second = STATE_EMPTY;
	struct state_record record = record_of(getpid());

	assert_int_equal(state_create(&made, root, "c", NULL), 0);
	assert_int_equal(state_create(&second, root, "c", NULL), -EEXIST);
	/* Its maker is gone without a state.json: nobody holds the lock. */
	assert_int_equal(mkdirat(made.directory_fd, STATE_START_DIRECTORY, 0700), 0);
	scratch_write(&scratch, "state/c/" STATE_START_SOCKET, "");
	state_close(&made);
	assert_int_equal(state_create(&second, root, "c", NULL), 0);
	assert_int_equal(faccessat(second.directory_fd, STATE_START_SOCKET, F_OK, 0), -1);
	/* With one it exists, whoever holds what. */
	assert_int_equal(state_write(&second, &record, STATE_FILE, NULL), 0);
	state_close(&second);
	assert_int_equal(state_create(&second, root, "c", NULL), -EEXIST);
}

static void of_many_at_once_one_gets_the_id(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *root = root_make(&scratch);
	enum { N = 8 };

	assert_int_equal(mkdir(root, 0700), 0);
	for (int round = 0; round < 50; round++) {
		int n_won = 0, status, go[2], stay[2];
		char name[16];

		snprintf(name, sizeof(name), "c%d", round);
		assert_int_equal(pipe(go), 0);
		assert_int_equal(pipe(stay), 0);
		for (int i = 0; i < N; i++) {
			if (fork() == 0) {
				struct state mine = STATE_EMPTY;
				char byte;
				int r;

				close(go[1]);
				(void)!read(go[0], &byte, 1);
				r = state_create(&mine, root, name, NULL);
				close(stay[1]);
				/* Who has won holds it until all have tried. */
				if (r == 0)
					(void)!read(stay[0], &byte, 1);
				_exit(r == 0 ? 0 : r == -EEXIST ? 1 : 2);
			}
		}
		close(stay[1]);
		close(go[0]);
		close(go[1]);
		for (int i = 0; i < N; i++) {
			assert_true(wait(&status) > 0);
			assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
			n_won += WEXITSTATUS(status) == 0;
		}
		close(stay[0]);
		assert_int_equal(n_won, 1);
	}
}

static void a_lock_taken_again_tells_that_it_was_removed_or_replaced(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *root = root_make(&scratch);
	_cleanup_state_ struct state first = STATE_EMPTY, other = STATE_EMPTY, next = STATE_EMPTY;

	assert_int_equal(state_create(&first, root, "c", NULL), 0);
	state_unlock(&first);
	assert_int_equal(state_lock(&first), 0);
	state_unlock(&first);
	assert_int_equal(state_open(&other, root, "c", true, NULL), 0);
	assert_int_equal(state_remove(&other), 0);
	state_unlock(&other);
	assert_int_equal(state_lock(&first), -ENOENT);
	assert_int_equal(state_create(&next, root, "c", NULL), 0);
	assert_int_equal(state_lock(&first), -ENOENT);
	/* Neither may it remove what another has made. */
	assert_int_equal(state_remove(&first), 0);
	assert_int_equal(scratch_count(&scratch, "state"), 1);
}

static void a_damaged_state_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"id\":\"c\",\"bundle\":\"/b\",\"created\":\"x\",\"pid\":\"1\",\"startTime\":1,"
		"\"owner\":0}",
		"{\"id\":\"c\",\"bundle\":\"/b\",\"created\":\"x\",\"pid\":-1,\"startTime\":1,"
		"\"owner\":0}",
		"{\"id\":\"c\",\"bundle\":\"/b\",\"created\":\"x\",\"pid\":99999999999,"
		"\"startTime\":1,\"owner\":0}",
		"{\"id\":\"c\",\"bundle\":\"/b\",\"created\":\"x\",\"pid\":1,\"owner\":0}",
		"{\"id\":\"c\",\"created\":\"x\",\"pid\":1,\"startTime\":1,\"owner\":0}",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
		_cleanup_free_ char *root = root_make(&scratch);
		_cleanup_state_ struct state made = STATE_EMPTY;
		_cleanup_state_record_ struct state_record record = {};

		assert_int_equal(state_create(&made, root, "c", NULL), 0);
		assert_int_equal(state_read(&made, &record, NULL), -ENOENT);
		scratch_write(&scratch, "state/c/state.json", texts[i]);
		if (state_read(&made, &record, NULL) >= 0)
			fail_msg("%s", texts[i]);
	}
}

static void a_pid_is_its_process_only_with_the_time_it_was_started(void **state)
{
	struct state_record record = record_of(getpid());
	_cleanup_close_ int pidfd = state_process_open(&record);

	assert_true(pidfd >= 0);
	record.start_time++;
	assert_int_equal(state_process_open(&record), -ESRCH);
	record.start_time = 0;
	assert_int_equal(state_process_open(&record), -ESRCH);
	record.pid = 0;
	assert_int_equal(state_process_open(&record), -ESRCH);
}

static void the_status_is_the_process_s_and_a_zombie_has_stopped(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_free_ char *root = root_make(&scratch);
	_cleanup_state_ struct state made = STATE_EMPTY;
	struct state_record record;
	siginfo_t info;
	pid_t pid = fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	record = record_of(pid);
	assert_int_equal(state_create(&made, root, "c", NULL), 0);
	assert_int_equal(state_status(&made, &record), STATE_RUNNING);
	assert_int_equal(mkdirat(made.directory_fd, STATE_START_DIRECTORY, 0700), 0);
	scratch_write(&scratch, "state/c/" STATE_START_SOCKET, "");
	assert_int_equal(state_status(&made, &record), STATE_CREATED);
	assert_true(process_is_running(pid, record.start_time));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(state_status(&made, &record), STATE_STOPPED);
	assert_false(process_is_running(pid, record.start_time));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(state_status(&made, &record), STATE_STOPPED);
}

static void lists_are_sorted_and_have_only_what_can_be_an_id(void **state)
{
	_cleanup_scratch_ struct scratch_directory scratch = scratch_directory_make();
	_cleanup_strings_ struct string_list ids = {}, none = {};
	_cleanup_free_ char *root = root_make(&scratch);

	assert_int_equal(state_list(root, &none, NULL), 0);
	assert_int_equal(none.n_items, 0);
	assert_int_equal(mkdirat(scratch.fd, "state", 0700), 0);
	assert_int_equal(mkdirat(scratch.fd, "state/b", 0700), 0);
	assert_int_equal(mkdirat(scratch.fd, "state/a", 0700), 0);
	assert_int_equal(mkdirat(scratch.fd, "state/b ad", 0700), 0);
	assert_int_equal(state_list(root, &ids, NULL), 0);
	assert_int_equal(ids.n_items, 2);
	assert_string_equal(ids.items[0], "a");
	assert_string_equal(ids.items[1], "b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_letters_digits_and_a_few_signs),
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(the_directories_are_the_owners_alone),
		cmocka_unit_test(a_root_that_others_can_write_is_refused),
		cmocka_unit_test(bad_ids_and_links_make_nothing),
		cmocka_unit_test(an_id_in_use_is_refused_and_one_left_by_the_killed_is_taken),
		cmocka_unit_test(of_many_at_once_one_gets_the_id),
		cmocka_unit_test(a_lock_taken_again_tells_that_it_was_removed_or_replaced),
		cmocka_unit_test(a_damaged_state_is_refused),
		cmocka_unit_test(a_pid_is_its_process_only_with_the_time_it_was_started),
		cmocka_unit_test(the_status_is_the_process_s_and_a_zombie_has_stopped),
		cmocka_unit_test(lists_are_sorted_and_have_only_what_can_be_an_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
