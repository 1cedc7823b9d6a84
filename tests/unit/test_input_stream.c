/* SPDX-License-Identifier: MIT */
/* Standard input and FIFOs, followed and not. */
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <zlib.h>

#include "input_folder.h"
#include "spimend/error.h"

static void test_stdin_live(void **state)
{
	int to = pipe_to_stdin();
	struct input *in;

	(void)state;
	assert_int_equal(input_open("-", &in), 0);
	put_all(to, TEXT("one\ntwo\nthr"));
	assert_next(in, "one\ntwo\n");
	put_all(to, TEXT("ee\n"));
	assert_next(in, "three\n");
	put_all(to, TEXT("last"));
	close(to);
	assert_next(in, "last");
	assert_nothing(in);
	assert_true(input_ended(in));
	input_close(in);
	assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0); /* not ours to close */
}

/* A line goes out as soon as the compressor has flushed it. */
static void test_stdin_live_gzip(void **state)
{
	int to = pipe_to_stdin();
	char out[4096];
	z_stream z = { .next_in = (Bytef *)(uintptr_t)"one\ntwo\n", .avail_in = 4 };
	struct input *in;

	(void)state;
	z.next_out = (Bytef *)out;
	z.avail_out = sizeof(out);
	deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
	assert_int_equal(deflate(&z, Z_SYNC_FLUSH), Z_OK);
	assert_int_equal(input_open("-", &in), 0);
	put_all(to, text_between(out, (char *)z.next_out));
	assert_next(in, "one\n");

	z.next_out = (Bytef *)out;
	z.avail_in = 4;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	put_all(to, text_between(out, (char *)z.next_out));
	assert_next(in, "two\n");
	close(to);
	assert_nothing(in);
	deflateEnd(&z);
	input_close(in);
}

static void test_stdin_kinds(void **state)
{
	struct folder *f = *state;
	struct input *in = NULL;
	int fd;

	put_file(f->file, 0, TEXT("skipped\nfile\n"));
	fd = open(f->file, O_RDONLY);
	lseek(fd, 8, SEEK_SET);
	dup2(fd, STDIN_FILENO);
	close(fd);
	assert_int_equal(input_open("-", &in), 0);
	assert_next(in, "file\n");
	assert_nothing(in);
	input_close(in);

	in = NULL;
	fd = open(f->path, O_RDONLY | O_DIRECTORY);
	dup2(fd, STDIN_FILENO);
	close(fd);
	assert_int_equal(input_open("-", &in), -EISDIR);
	close(STDIN_FILENO);
	assert_int_equal(input_open("-", &in), -EBADF);
	assert_null(in);
}

static void test_stdin_interrupted(void **state)
{
	struct itimerval once = { .it_value = { .tv_usec = 30000 } };
	struct sigaction act = { .sa_handler = folder_on_alarm };
	int to = pipe_to_stdin();
	struct input *in;
	struct text t;

	(void)state;
	sigaction(SIGALRM, &act, NULL);
	assert_int_equal(input_open("-", &in), 0);
	for (int nonblocking = 0; nonblocking < 2; nonblocking++) {
		if (nonblocking)
			fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
		put_all(to, TEXT("be"));
		setitimer(ITIMER_REAL, &once, NULL);
		assert_int_equal(input_next(in, &t), -EINTR);
		assert_false(input_ended(in));
		put_all(to, TEXT("gun\n"));
		assert_next(in, "begun\n");
	}
	close(to);
	assert_nothing(in);
	input_close(in);
}

static void test_fifo(void **state)
{
	struct folder *f = *state;
	struct input *in;
	int to;

	assert_int_equal(mkfifo(f->file, 0600), 0);
	to = open(f->file, O_RDWR);
	assert_int_equal(input_open(f->file, &in), 0);
	put_all(to, TEXT("x\ny"));
	assert_next(in, "x\n");
	close(to);
	assert_next(in, "y");
	assert_nothing(in);
	input_close(in);
}

static void test_follow_stdin(void **state)
{
	int to = pipe_to_stdin();
	struct input *in = follow("-");

	(void)state;
	assert_no_news(in);
	put_all(to, TEXT("one\ntw"));
	assert_news(in);
	assert_next(in, "one\n");
	assert_no_news(in);
	put_all(to, TEXT("o\nlast"));
	assert_next(in, "two\n");
	assert_no_news(in);
	close(to);
	assert_news(in);
	assert_false(input_ended(in));
	assert_next(in, "last");
	assert_nothing(in);
	assert_true(input_ended(in));
	assert_true(wait_ms(in, LONG_MS) < LONG_MS); /* nothing left to wait for */
	input_close(in);
}

static void test_follow_stdin_gzip(void **state)
{
	/* "one\n", but the last byte is missing */
	static const char gzip[] = "\x1f\x8b\x08\0\0\0\0\0\2\3\xcb\xcf\x4b\xe5\2\0\x9f\xa8\x17\xf8\4\0\0";
	int to = pipe_to_stdin();
	struct input *in = follow("-");

	(void)state;
	for (size_t i = 0; i < 12; i++) {
		put_all(to, (struct text){ gzip + i, 1 });
		assert_nothing(in);
	}
	put_all(to, (struct text){ gzip + 12, sizeof(gzip) - 1 - 12 });
	assert_next(in, "one\n");
	assert_no_news(in);
	close(to);
	assert_int_equal(input_next(in, &(struct text){ 0 }), SPIMEND_E_COMPRESSED);
	input_close(in);
}

static void test_follow_stdin_regular(void **state)
{
	struct folder *f = *state;
	struct input *in;
	int fd;

	append(f, "one\nla");
	fd = open(f->file, O_RDONLY);
	dup2(fd, STDIN_FILENO);
	close(fd);
	in = follow("-");
	assert_next(in, "one\n");
	assert_next(in, "la");
	assert_nothing(in);
	assert_true(input_ended(in));
	input_close(in);
}

static void test_follow_fifo(void **state)
{
	struct folder *f = *state;
	struct input *in;

	assert_int_equal(mkfifo(f->file, 0600), 0);
	in = follow(f->file);
	assert_no_news(in);
	for (int i = 0; i < 3; i++) {
		append(f, "line\npa"); /* opens, writes, closes */
		assert_news(in);
		assert_next(in, "line\n");
		assert_no_news(in); /* the hung-up FIFO does not make it spin */
		append(f, "rt\n");
		assert_news(in);
		assert_next(in, "part\n");
		assert_no_news(in);
	}
	input_close(in);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_stdin_live),
		TEST(test_stdin_live_gzip),
		TEST(test_stdin_kinds),
		TEST(test_stdin_interrupted),
		TEST(test_fifo),
		TEST(test_follow_stdin),
		TEST(test_follow_stdin_gzip),
		TEST(test_follow_stdin_regular),
		TEST(test_follow_fifo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
