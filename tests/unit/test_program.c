/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "repair/program.h"

static size_t read_all(const struct program *p)
{
	struct pollfd fd = { p->complaints, POLLIN, 0 };
	char part[4096];
	size_t len = 0;

	while (poll(&fd, 1, 20000) == 1) {
		ssize_t n = read(p->complaints, part, sizeof(part));

		if (n == 0)
			return len;
		if (n > 0)
			len += (size_t)n;
	}
	return SIZE_MAX;
}

/* Far more than a pipe holds, while nobody reads yet. */
static void one_that_prints_much_waits_and_ends_well(void **state)
{
	struct program p;
	int status;

	(void)state;
	assert_int_equal(program_start("/usr/bin/seq", "1 100000", "/tmp", TEXT("{}"), &p), 0);
	usleep(300000);
	assert_int_equal(read_all(&p), 588895);
	assert_int_equal(poll(&(struct pollfd){ p.pid_fd, POLLIN, 0 }, 1, 20000), 1);
	status = program_end(&p);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void reading_it_never_waits(void **state)
{
	struct program p;
	char c;

	(void)state;
	assert_int_equal(program_start("/usr/bin/sleep", "60", "/tmp", TEXT("{}"), &p), 0);
	assert_int_equal(read(p.complaints, &c, 1), -1);
	assert_int_equal(errno, EAGAIN);
	assert_true(WIFSIGNALED(program_end(&p)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_prints_much_waits_and_ends_well),
		cmocka_unit_test(reading_it_never_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
