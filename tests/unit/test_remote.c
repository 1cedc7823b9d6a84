/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include "cmd/remote.h"
#include "serve/control.h"

static char folder[64], path[96];
static char out[65536], err[4096];
static pid_t daemon_pid;
static bool as_nobody; /* the one who asks */

/* What the daemon of these tests says: the real server, with words of its own. */
static int answer(void *context, const struct control_request *request, struct buffer *to)
{
	(void)context;
	if (request->command == CONTROL_EXPLAIN && strcmp(request->id, "k3v9q2") != 0)
		return strcmp(request->id, "broken") == 0 ? -ENOSPC : -ENOENT;
	if (request->command == CONTROL_DENY) {
		buffer_add_string(to, "step 2 waits for nobody");
		return CONTROL_REFUSED;
	}
	if (request->command == CONTROL_APPROVE)
		buffer_printf(to, "step %u of ", request->step);
	if (request->command == CONTROL_INCIDENTS && !request->json) /* words for a terminal */
		buffer_add_string(to, "\x1b[2J\a\x7f\n");
	if (request->filter[0])
		buffer_printf(to, "[%s] ", request->filter);
	buffer_printf(to, "%s %s %d\n", control_command_name(request->command), request->id, request->json);
	return request->command == CONTROL_STATUS;
}

static int listening(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static void serve(int fd, const struct control_rules *rules)
{
	struct control *control;
	int published = 0;

	if (control_new(fd, rules, answer, NULL, &control) < 0)
		_exit(1);
	for (;;) {
		struct pollfd p = { .fd = control_fd(control), .events = POLLIN };

		poll(&p, 1, 1000);
		control_read(control, 0);
		if (control_is_watched(control) && published++ == 0) {
			control_publish(control, TEXT("a change\n"), TEXT("{\"a\":\"change\"}\n"), 0);
			_exit(0); /* ends like a daemon that is stopped */
		}
	}
}

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "%s/remote-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/control", folder);
	daemon_pid = 0;
	as_nobody = false;
	return 0;
}

static void start(const struct control_rules *rules)
{
	int fd = listening();

	daemon_pid = fork();
	if (daemon_pid == 0)
		serve(fd, rules);
	close(fd);
}

static const struct control_rules *ourselves(void)
{
	static struct control_rules rules;

	rules = (struct control_rules){ .user = getuid(), .has_user = true };
	return &rules;
}

static int tear_down(void **state)
{
	(void)state;
	if (daemon_pid) {
		kill(daemon_pid, SIGKILL);
		waitpid(daemon_pid, NULL, 0);
	}
	unlink(path);
	rmdir(folder);
	return 0;
}

static void slurp(const char *name, char *to, size_t size)
{
	FILE *file = fopen(name, "r");
	size_t n = file ? fread(to, 1, size - 1, file) : 0;

	to[n] = '\0';
	if (file)
		fclose(file);
	unlink(name);
}

/* Runs it in a child, whose exit status it returns. */
static int ask(const char *first, const char *second, const char *third)
{
	char out_name[128], err_name[128];
	int status;
	pid_t child;

	snprintf(out_name, sizeof(out_name), "%s/out", folder);
	snprintf(err_name, sizeof(err_name), "%s/err", folder);
	child = fork();
	if (child == 0) {
		char *argv[8] = { (char *)(uintptr_t)first, "--socket", path, (char *)(uintptr_t)second, (char *)(uintptr_t)third };
		int argc = 3 + (second != NULL) + (third != NULL);

		if (!freopen(out_name, "w", stdout) || !freopen(err_name, "w", stderr))
			_exit(99);
		if (as_nobody && (setgid(65534) < 0 || setuid(65534) < 0))
			_exit(98);
		status = remote_main(argc, argv);
		fflush(stdout);
		fflush(stderr);
		_exit(status);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	slurp(out_name, out, sizeof(out));
	slurp(err_name, err, sizeof(err));
	return WEXITSTATUS(status);
}

static void test_what_the_daemon_says_is_printed_with_its_status(void **state)
{
	(void)state;
	start(ourselves());
	assert_int_equal(ask("status", NULL, NULL), 1);
	assert_string_equal(out, "status  0\n");
	assert_string_equal(err, "");
	assert_int_equal(ask("incidents", "--json", NULL), 0);
	assert_string_equal(out, "incidents  1\n");
	assert_int_equal(ask("incidents", NULL, NULL), 0);
	assert_string_equal(out, ".[2J..\nincidents  0\n");
	assert_int_equal(ask("explain", "k3v9q2", "--json"), 0);
	assert_string_equal(out, "explain k3v9q2 1\n");
}

static void test_what_the_daemon_refuses_is_said(void **state)
{
	(void)state;
	start(ourselves());
	assert_int_equal(ask("explain", "abc", NULL), 2);
	assert_string_equal(err, "spimend explain: no incident abc: 'spimend incidents' lists them\n");
	assert_int_equal(ask("explain", "broken", NULL), 2);
	assert_string_equal(err, "spimend explain: No space left on device\n");
	assert_string_equal(out, "");
}

static void test_a_word_on_a_step_goes_to_the_daemon(void **state)
{
	(void)state;
	start(ourselves());
	if (getuid() != 0)
		skip(); /* who is no operator may not */
	assert_int_equal(ask("approve", "k3v9q2", "2"), 0);
	assert_string_equal(out, "step 2 of approve k3v9q2 0\n");
	assert_int_equal(ask("deny", "k3v9q2", "2"), 2);
	assert_string_equal(out, "");
	assert_string_equal(err, "spimend deny: step 2 waits for nobody\n");
	assert_int_equal(ask("approve", "k3v9q2", NULL), 2);
	assert_non_null(strstr(err, "the id of an incident and the number of a step are expected"));
	assert_int_equal(ask("approve", "k3v9q2", "0"), 2);
	assert_non_null(strstr(err, "no such step"));
	assert_int_equal(ask("approve", "k3v9q2", "1000"), 2);
	assert_non_null(strstr(err, "no such step"));
	assert_int_equal(ask("deny", "../x", "1"), 2);
	assert_non_null(strstr(err, "no such id"));
}

static void test_which_incidents_is_asked_in_words(void **state)
{
	(void)state;
	start(ourselves());
	assert_int_equal(ask("stats", "--since=2026-11-22 09:30:00", "--by=month"), 0);
	assert_string_equal(out, "[since 2026-11-22T09:30:00 by month] stats  0\n");
	assert_int_equal(ask("incidents", "--verdict=desink", NULL), 2);
	assert_string_equal(err, "spimend incidents: verdict 'desink': did you mean desync?\n");
	assert_int_equal(ask("incidents", "--peer=a b", NULL), 2);
	assert_string_equal(err, "spimend incidents: peer ' b': no blanks and no control characters are expected\n");
	assert_int_equal(ask("incidents", "--by=month", NULL), 2);
	assert_string_equal(err, "spimend incidents: --by belongs to 'spimend stats'\n");
	assert_int_equal(ask("status", "--since=2h", NULL), 2);
	assert_string_equal(err, "spimend status: --since belongs to 'spimend incidents' and 'spimend stats'\n");
	assert_int_equal(ask("incidents", "--limit=", NULL), 2);
	assert_string_equal(out, "");
}

static void test_a_watch_prints_until_the_daemon_ends(void **state)
{
	(void)state;
	start(ourselves());
	assert_int_equal(ask("watch", NULL, NULL), 2);
	assert_string_equal(out, "watch  0\na change\n");
	assert_string_equal(err, "spimend watch: the daemon ended the conversation\n");
}

static void test_without_a_daemon_it_says_so(void **state)
{
	char expected[256];

	(void)state;
	snprintf(expected, sizeof(expected), "spimend status: no daemon listens at %s: is spimendd running?\n", path);
	assert_int_equal(ask("status", NULL, NULL), 2);
	assert_string_equal(err, expected);
	close(listening()); /* a socket that somebody left behind */
	assert_int_equal(ask("status", NULL, NULL), 2);
	assert_string_equal(err, expected);
}

static void test_who_may_not_ask_is_told_who_may(void **state)
{
	struct control_rules nobody = { 0 };

	(void)state;
	start(&nobody);
	chmod(folder, 0755);
	chmod(path, 0777);
	as_nobody = getuid() == 0; /* root always may */
	assert_int_equal(ask("status", NULL, NULL), 2);
	assert_string_equal(err, "spimend status: permission denied: root may ask, the configured user, and the members of "
				 "control-group\n");
	chmod(path, 0);
	assert_int_equal(ask("status", NULL, NULL), 2);
	assert_non_null(strstr(err, ": permission denied; root may ask"));
}

static void test_wrong_use_is_told(void **state)
{
	(void)state;
	assert_int_equal(ask("explain", NULL, NULL), 2);
	assert_string_equal(err, "spimend explain: the id of one incident is expected; 'spimend incidents' lists them\n");
	assert_int_equal(ask("explain", "../../etc", NULL), 2);
	assert_non_null(strstr(err, "no such id"));
	assert_int_equal(ask("status", "now", NULL), 2);
	assert_string_equal(err, "spimend status: no argument is expected; --help tells the options\n");
	assert_int_equal(ask("status", "--loud", NULL), 2);
	assert_non_null(strstr(err, "spimend status: unrecognized option '--loud'"));
	assert_int_equal(ask("watch", "--help", NULL), 0);
	assert_non_null(strstr(out, "Usage: spimend status"));
}

static void test_what_is_no_daemon_of_ours_is_noticed(void **state)
{
	int fd = listening(), peer;

	(void)state;
	daemon_pid = fork();
	if (daemon_pid == 0) {
		fcntl(fd, F_SETFL, 0);
		peer = accept(fd, NULL, NULL);
		if (write(peer, "HTTP/1.1 400 Bad\r\n\x1b[31m\r\n", 25) != 25)
			_exit(1);
		pause();
	}
	close(fd);
	assert_int_equal(ask("status", NULL, NULL), 2);
	assert_string_equal(err, "spimend status: that is no spimendd: the answer is not one of its own\n");
	assert_string_equal(out, "");
}

#define REMOTE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		REMOTE_TEST(test_what_the_daemon_says_is_printed_with_its_status),
		REMOTE_TEST(test_what_the_daemon_refuses_is_said),
		REMOTE_TEST(test_a_word_on_a_step_goes_to_the_daemon),
		REMOTE_TEST(test_which_incidents_is_asked_in_words),
		REMOTE_TEST(test_a_watch_prints_until_the_daemon_ends),
		REMOTE_TEST(test_without_a_daemon_it_says_so),
		REMOTE_TEST(test_who_may_not_ask_is_told_who_may),
		REMOTE_TEST(test_wrong_use_is_told),
		REMOTE_TEST(test_what_is_no_daemon_of_ours_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
