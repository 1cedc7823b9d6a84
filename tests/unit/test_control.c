/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <grp.h>
#include <unistd.h>

#include <cmocka.h>
#include "base/calendar.h"
#include "serve/control.h"

static struct control *control;
static struct sockaddr_un address;
static struct control_request asked;
static size_t answer_size;
static int answer_status;
static char got[1 << 20];

static int answer(void *context, const struct control_request *request, struct buffer *out)
{
	(void)context;
	asked = *request;
	if (answer_size)
		buffer_add_repeat(out, 'x', answer_size);
	else
		buffer_add_string(out, "the answer\n");
	return answer_status;
}

static int set_up_for(const struct control_rules *rules)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	static int number;

	address.sun_family = AF_UNIX; /* no file: an abstract name */
	memset(address.sun_path, 0, sizeof(address.sun_path));
	snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "spimend-test-%d-%d", (int)getpid(), number++);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 64), 0);
	answer_size = 0;
	answer_status = 0;
	return control_new(fd, rules, answer, NULL, &control);
}

static int set_up(void **state)
{
	struct control_rules rules = { .user = getuid(), .has_user = true };

	(void)state;
	return set_up_for(&rules);
}

static int tear_down(void **state)
{
	(void)state;
	control_free(control);
	control = NULL;
	return 0;
}

static int client(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* As the loop of the role does: as long as there is something. */
static void turn(int64_t now)
{
	struct pollfd p = { .fd = control_fd(control), .events = POLLIN };

	while (poll(&p, 1, 0) > 0)
		assert_int_equal(control_read(control, now), 0);
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* What came, up to the end or to nothing more; true at the end. */
static bool hear(int fd)
{
	size_t len = 0;
	ssize_t n;

	while (len < sizeof(got) - 1 && (n = recv(fd, got + len, sizeof(got) - 1 - len, 0)) > 0)
		len += (size_t)n;
	got[len] = '\0';
	return len < sizeof(got) - 1 && (n == 0 || errno == ECONNRESET);
}

static void test_a_question_gets_its_answer_and_the_end(void **state)
{
	struct control_head head;
	int fd = client();

	(void)state;
	turn(0);
	say(fd, "{\"spimend\":1,\"command\":\"expl");
	turn(0);
	assert_false(hear(fd));
	say(fd, "ain\",\"id\":\"K3v9Q2\",\"json\":true}\n"); /* in any case */
	answer_status = 1;
	turn(0);
	assert_true(hear(fd));
	assert_string_equal(got, "{\"spimend\":1,\"status\":1}\nthe answer\n");
	assert_int_equal(control_head_read(text_first(text_of(got), text_find_char(text_of(got), '\n')), &head), 0);
	assert_int_equal(head.status, 1);
	assert_int_equal(asked.command, CONTROL_EXPLAIN);
	assert_string_equal(asked.id, "k3v9q2");
	assert_true(asked.json);
	assert_int_equal(asked.uid, getuid());
	assert_int_equal(control_figures(control).clients, 0);
	close(fd);
}

static void test_what_is_printed_is_read_back(void **state)
{
	struct buffer out = { 0 };
	int fd = client();

	(void)state;
	for (int command = 0; command < CONTROL_EXEC; command++) {
		struct control_request request = { .command = (enum control_command)command, .id = "abc123", .json = command % 2,
						   .step = command == CONTROL_APPROVE || command == CONTROL_DENY ? 7 : 0 };

		if (command == CONTROL_JOURNAL)
			strcpy(request.device, "hub");
		close(fd);
		fd = client();
		buffer_clear(&out);
		control_request_print(&request, &out);
		assert_int_equal(send(fd, out.bytes, out.len, 0), (ssize_t)out.len);
		turn(0);
		assert_int_equal(asked.command, command);
		assert_int_equal(asked.json, command % 2);
		assert_string_equal(asked.id, "abc123");
		assert_int_equal(asked.step, request.step);
		assert_string_equal(asked.device, request.device);
	}
	buffer_done(&out);
	close(fd);
}

static void test_a_filter_is_handed_on_as_it_is(void **state)
{
	static const char *const refused[] = {
		"{\"spimend\":1,\"command\":\"status\",\"filter\":\"since 2h\"}\n",
		"{\"spimend\":1,\"command\":\"incidents\",\"filter\":7}\n",
	};
	struct control_request request = { .command = CONTROL_STATS, .filter = "since 7d by month" };
	struct buffer out = { 0 };
	int fd;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		fd = client();
		say(fd, refused[i]);
		turn(0);
		assert_true(hear(fd));
		assert_non_null(strstr(got, "a filter is a text, of incidents and stats alone"));
		close(fd);
	}
	fd = client();
	control_request_print(&request, &out);
	assert_int_equal(send(fd, out.bytes, out.len, 0), (ssize_t)out.len);
	turn(0);
	assert_int_equal(asked.command, CONTROL_STATS);
	assert_string_equal(asked.filter, "since 7d by month");
	buffer_clear(&out); /* one that is longer than any */
	buffer_add_string(&out, "{\"spimend\":1,\"command\":\"incidents\",\"filter\":\"");
	buffer_add_repeat(&out, 'x', INCIDENT_FILTER_TEXT_MAX);
	buffer_add_string(&out, "\"}\n");
	close(fd);
	fd = client();
	assert_int_equal(send(fd, out.bytes, out.len, 0), (ssize_t)out.len);
	turn(0);
	assert_true(hear(fd));
	assert_non_null(strstr(got, "the filter is too long"));
	buffer_done(&out);
	close(fd);
}

/* --- Sessions --------------------------------------------------------------------------------------------------------- */

static int sessions_gone, run_status;

static int run(void *context, const struct control_request *request, void **session, struct control_state *ret,
	       struct buffer *out)
{
	static int number;

	(void)context;
	asked = *request;
	if (!*session)
		*session = &number;
	buffer_printf(out, "ran %s\n", request->line);
	snprintf(ret->prompt, sizeof(ret->prompt), "hub#");
	ret->page = 24;
	ret->over = strcmp(request->line, "exit") == 0;
	return run_status;
}

static void gone(void *context, void *session)
{
	(void)context;
	(void)session;
	sessions_gone++;
}

static const struct control_exec exec = { run, gone };

#define ANSWER(status, length, over, text) \
	"{\"spimend\":1,\"status\":" #status ",\"length\":" #length ",\"prompt\":\"hub#\",\"page\":24,\"over\":" #over "}\n" text

static void test_a_session_goes_on_until_it_is_over(void **state)
{
	static const char one[] = "{\"spimend\":1,\"command\":\"exec\",\"verb\":\"run\",\"line\":\"one\",\"prompt\":true}\n";
	static const char two[] = "{\"spimend\":1,\"command\":\"exec\",\"verb\":\"help\",\"line\":\"two\"}\n";
	static const char bye[] = "{\"spimend\":1,\"command\":\"exec\",\"verb\":\"run\",\"line\":\"exit\"}\n";
	int fd = client();

	(void)state;
	sessions_gone = run_status = 0;
	control_serve_exec(control, &exec);
	turn(0);
	say(fd, one);
	turn(0);
	assert_false(hear(fd));
	assert_string_equal(got, ANSWER(0, 8, false, "ran one\n"));
	assert_true(asked.prompt && asked.is_operator == (getuid() == 0));
	say(fd, two); /* both at once: each gets its answer, in their order */
	say(fd, bye);
	turn(0);
	assert_true(hear(fd));
	assert_string_equal(got, ANSWER(0, 8, false, "ran two\n") ANSWER(0, 9, true, "ran exit\n"));
	assert_int_equal(sessions_gone, 1);
	close(fd);
}

static void test_an_answer_may_come_later(void **state)
{
	static const char save[] = "{\"spimend\":1,\"command\":\"exec\",\"verb\":\"run\",\"line\":\"write\"}\n";
	const struct control_state said = { .prompt = "hub#", .page = 24 };
	int fd = client(), other = client();
	void *session = NULL;
	struct control_state unused;
	struct buffer out = { 0 };

	(void)state;
	sessions_gone = 0;
	run_status = CONTROL_LATER;
	control_serve_exec(control, &exec);
	turn(0);
	say(fd, save);
	turn(0);
	assert_false(hear(fd));
	assert_string_equal(got, "");
	run(NULL, &(struct control_request){ .line = "" }, &session, &unused, &out);
	control_finish(control, session, 0, &said, TEXT("[OK]\n"), 0);
	assert_false(hear(fd));
	assert_string_equal(got, ANSWER(0, 15, false, "ran write\n[OK]\n"));
	/* Who leaves while it waits is no trouble, and is told of. */
	say(other, save);
	turn(0);
	close(other);
	turn(0);
	control_finish(control, session, 0, &said, TEXT("[OK]\n"), 0);
	assert_int_equal(sessions_gone, 1);
	buffer_done(&out);
	close(fd);
}

static void test_sessions_are_bounded_in_number_and_in_time(void **state)
{
	static const char one[] = "{\"spimend\":1,\"command\":\"exec\",\"verb\":\"run\",\"line\":\"one\"}\n";
	int fds[CONTROL_SESSIONS_MAX + 1];

	(void)state;
	sessions_gone = run_status = 0;
	control_serve_exec(control, &exec);
	for (size_t i = 0; i <= CONTROL_SESSIONS_MAX; i++) {
		fds[i] = client();
		turn(0);
		say(fds[i], one);
		turn(0);
		assert_int_equal(hear(fds[i]), i == CONTROL_SESSIONS_MAX);
	}
	assert_non_null(strstr(got, "too many sessions"));
	assert_int_equal(control_figures(control).sessions, CONTROL_SESSIONS_MAX);
	assert_int_equal(control_tick(control, CONTROL_IDLE_NS - 1), CONTROL_IDLE_NS);
	control_tick(control, CONTROL_IDLE_NS);
	assert_int_equal(control_figures(control).sessions, 0);
	assert_int_equal(sessions_gone, CONTROL_SESSIONS_MAX);
	for (size_t i = 0; i <= CONTROL_SESSIONS_MAX; i++)
		close(fds[i]);
}

static const char *refusal(const char *request)
{
	int fd = client();

	turn(0);
	say(fd, request);
	turn(0);
	assert_true(hear(fd));
	close(fd);
	return got;
}

static void test_bad_requests_are_told_why(void **state)
{
	char longer[CONTROL_REQUEST_MAX + 10];

	(void)state;
	assert_string_equal(refusal("status\n"),
			    "{\"spimend\":1,\"status\":2,\"error\":\"the request is no flat JSON object on one line\"}\n");
	assert_non_null(strstr(refusal("{\"spimend\":2,\"command\":\"status\"}\n"), "version 2 of the protocol is not spoken here"));
	assert_non_null(strstr(refusal("{\"command\":\"status\"}\n"), "no version"));
	assert_non_null(strstr(refusal("{\"spimend\":1}\n"), "names no command"));
	assert_non_null(strstr(refusal("{\"spimend\":1,\"command\":\"reboot\"}\n"), "no command 'reboot'; there are status"));
	assert_non_null(strstr(refusal("{\"spimend\":1,\"command\":\"explain\"}\n"), "explain needs the id"));
	assert_non_null(strstr(refusal("{\"spimend\":1,\"command\":\"explain\",\"id\":\"../etc\"}\n"), "the id is a word"));
	assert_non_null(strstr(refusal("{\"spimend\":1,\"command\":\"explain\",\"id\":\"toolong12\"}\n"), "no id is so long"));
	assert_non_null(strstr(refusal("{\"spimend\":1,\"command\":\"approve\",\"step\":1}\n"), "approve needs the id"));
	assert_non_null(strstr(refusal("{\"spimend\":1,\"command\":\"deny\",\"id\":\"abc\"}\n"), "deny needs the number"));
	assert_non_null(strstr(refusal("{\"spimend\":1,\"command\":\"deny\",\"id\":\"abc\",\"step\":0}\n"), "deny needs the number"));
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_non_null(strstr(refusal(longer), "longer than any"));
	assert_int_equal(control_figures(control).malformed, 12);
	answer_status = -ENOENT;
	assert_non_null(strstr(refusal("{\"spimend\":1,\"command\":\"explain\",\"id\":\"abc\"}\n"), "no incident abc"));
	answer_status = 0;
	assert_int_equal(control_figures(control).clients, 0);
}

static void test_who_may_not_ask_is_turned_away(void **state)
{
	struct control_rules nobody = { 0 };
	struct control_rules by_group = { .groups = { 4242 }, .group_count = 1 };
	int status;
	pid_t child;

	(void)state;
	if (getuid() != 0)
		skip(); /* changing who one is takes root */
	for (int turn_number = 0; turn_number < 4; turn_number++) {
		control_allow(control, turn_number == 0 ? &nobody : &by_group);
		child = fork();
		if (child == 0) { /* a stranger; a stranger with that group only; a member; its first group */
			gid_t group = 4242, other = 4243;

			if (setgroups(turn_number == 2 ? 1 : turn_number == 1, turn_number == 2 ? &group : &other) < 0 ||
			    setgid(turn_number == 3 ? 4242 : 4241) < 0 || setuid(4241) < 0)
				_exit(9);
			usleep(50000);
			int fd = client();

			send(fd, "{\"spimend\":1,\"command\":\"status\"}\n", 33, MSG_NOSIGNAL);
			fcntl(fd, F_SETFL, 0);
			hear(fd);
			_exit(strstr(got, "permission denied") ? 1 : strstr(got, "the answer") ? 0 : 2);
		}
		while (waitpid(child, &status, WNOHANG) == 0)
			turn(0);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), turn_number < 2 ? 1 : 0);
	}
	assert_int_equal(control_figures(control).refused, 2);
}

/* By what the kernel says of the one who asks, whatever the request says of him. */
static void test_a_word_on_a_step_is_taken_from_operators_alone(void **state)
{
	static const char word[] = "{\"spimend\":1,\"command\":\"approve\",\"id\":\"k3v9q2\",\"step\":1,\"uid\":0,\"operator\":true}\n";
	struct control_rules rules = { .groups = { 4242 }, .group_count = 1, .operators = 4243, .has_operators = true };
	int status;
	pid_t child;

	(void)state;
	if (getuid() != 0)
		skip();
	control_allow(control, &rules);
	for (int turn_number = 0; turn_number < 2; turn_number++) {
		memset(&asked, 0, sizeof(asked));
		child = fork();
		if (child == 0) { /* one who may ask; one who may enable too */
			gid_t group = turn_number ? 4243 : 4242;

			if (setgroups(1, &group) < 0 || setgid(4241) < 0 || setuid(4241) < 0)
				_exit(9);
			usleep(50000);
			int fd = client();

			send(fd, word, sizeof(word) - 1, MSG_NOSIGNAL);
			fcntl(fd, F_SETFL, 0);
			hear(fd);
			_exit(strstr(got, "permission denied: root may say so") ? 1 : strstr(got, "the answer") ? 0 : 2);
		}
		while (waitpid(child, &status, WNOHANG) == 0)
			turn(0);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), turn_number ? 0 : 1);
		assert_int_equal(asked.step, turn_number ? 1 : 0);
		assert_int_equal(asked.uid, turn_number ? 4241 : 0);
	}
	assert_int_equal(control_figures(control).refused, 1);
}

static void test_a_journal_is_read_by_operators_alone(void **state)
{
	static const char wanted[] = "{\"spimend\":1,\"command\":\"journal\",\"device\":\"hub\",\"id\":null}\n";
	struct control_rules rules = { .groups = { 4242 }, .group_count = 1, .operators = 4243, .has_operators = true };
	int status;
	pid_t child;

	(void)state;
	if (getuid() != 0)
		skip();
	control_allow(control, &rules);
	memset(&asked, 0, sizeof(asked));
	child = fork();
	if (child == 0) { /* one who may ask other things */
		gid_t group = 4242;

		if (setgroups(1, &group) < 0 || setgid(4241) < 0 || setuid(4241) < 0)
			_exit(9);
		usleep(50000);
		int fd = client();

		send(fd, wanted, sizeof(wanted) - 1, MSG_NOSIGNAL);
		fcntl(fd, F_SETFL, 0);
		hear(fd);
		_exit(strstr(got, "permission denied: root may read it") ? 1 : 2);
	}
	while (waitpid(child, &status, WNOHANG) == 0)
		turn(0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_string_equal(asked.device, "");
}

static void test_why_a_word_is_not_taken_is_told(void **state)
{
	int fd = client();

	(void)state;
	answer_status = CONTROL_REFUSED;
	if (getuid() == 0) {
		say(fd, "{\"spimend\":1,\"command\":\"deny\",\"id\":\"k3v9q2\",\"step\":1}\n");
		turn(0);
		assert_true(hear(fd));
		assert_string_equal(got, "{\"spimend\":1,\"status\":2,\"error\":\"the answer\\n\"}\n");
	}
	close(fd);
}

static void test_too_many_at_once_are_turned_away(void **state)
{
	int fds[CONTROL_CLIENTS_MAX + 1];

	(void)state;
	for (int i = 0; i <= CONTROL_CLIENTS_MAX; i++)
		fds[i] = client();
	turn(0);
	assert_true(hear(fds[CONTROL_CLIENTS_MAX]));
	assert_non_null(strstr(got, "too many ask at once"));
	assert_int_equal(control_figures(control).full, 1);
	assert_int_equal(control_figures(control).clients, CONTROL_CLIENTS_MAX);
	for (int i = 0; i <= CONTROL_CLIENTS_MAX; i++)
		close(fds[i]);
	turn(0);
	assert_int_equal(control_figures(control).clients, 0);
}

static void test_who_does_not_ask_in_time_is_dropped(void **state)
{
	int fd = client();

	(void)state;
	turn(100);
	assert_int_equal(control_tick(control, 101), 100 + CONTROL_REQUEST_NS);
	assert_int_equal(control_tick(control, 100 + CONTROL_REQUEST_NS), INT64_MAX);
	assert_true(hear(fd));
	assert_int_equal(control_figures(control).slow, 1);
	close(fd);
}

static void test_a_big_answer_waits_for_a_slow_reader_but_not_for_ever(void **state)
{
	int fd = client();
	size_t all = 0;

	(void)state;
	answer_size = 3000000;
	say(fd, "{\"spimend\":1,\"command\":\"incidents\"}\n");
	turn(0);
	for (int i = 0; i < 1000 && !hear(fd); i++) {
		all += strlen(got);
		turn(0);
	}
	all += strlen(got);
	assert_int_equal(all, answer_size + strlen("{\"spimend\":1,\"status\":0}\n"));
	close(fd);
	fd = client();
	say(fd, "{\"spimend\":1,\"command\":\"incidents\"}\n");
	turn(0);
	control_tick(control, CONTROL_ANSWER_NS);
	assert_int_equal(control_figures(control).clients, 0);
	assert_int_equal(control_figures(control).slow, 1);
	close(fd);
}

static void test_watchers_get_the_form_that_they_asked_for(void **state)
{
	int text = client(), json = client();

	(void)state;
	assert_false(control_is_watched(control));
	say(text, "{\"spimend\":1,\"command\":\"watch\"}\n");
	say(json, "{\"spimend\":1,\"command\":\"watch\",\"json\":true}\n");
	turn(0);
	assert_true(control_is_watched(control));
	control_publish(control, TEXT("words\n"), TEXT("{}\n"), 0);
	assert_false(hear(text));
	assert_string_equal(got, "{\"spimend\":1,\"status\":0}\nthe answer\nwords\n");
	assert_false(hear(json));
	assert_string_equal(got, "{\"spimend\":1,\"status\":0}\nthe answer\n{}\n");
	assert_int_equal(control_tick(control, 1000 * SECOND_NS), INT64_MAX); /* nothing waits: it may stay for ever */
	close(text);
	close(json);
	turn(0);
	assert_false(control_is_watched(control));
	assert_int_equal(control_figures(control).clients, 0);
}

static void test_a_watcher_that_does_not_read_is_dropped(void **state)
{
	int fd = client(), good = client();
	size_t all = 0;

	(void)state;
	say(fd, "{\"spimend\":1,\"command\":\"watch\"}\n");
	say(good, "{\"spimend\":1,\"command\":\"watch\"}\n");
	turn(0);
	memset(got, 'y', 60000);
	for (int i = 0; i < 100; i++) {
		char piece[60000];

		memset(piece, 'y', sizeof(piece));
		control_publish(control, (struct text){ piece, sizeof(piece) }, TEXT("{}"), 0);
		assert_false(hear(good));
		all += strlen(got);
		turn(0);
	}
	assert_int_equal(control_figures(control).slow, 1);
	assert_int_equal(control_figures(control).watchers, 1);
	assert_true(all > 5900000);
	close(fd);
	close(good);
}

static void test_who_hangs_up_is_forgotten(void **state)
{
	int fd = client();

	(void)state;
	turn(0);
	close(fd);
	turn(0);
	assert_int_equal(control_figures(control).clients, 0);
	fd = client();
	answer_size = 3000000;
	say(fd, "{\"spimend\":1,\"command\":\"incidents\"}\n");
	turn(0);
	close(fd); /* in the middle of its answer */
	turn(0);
	assert_int_equal(control_figures(control).clients, 0);
}

#define CONTROL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONTROL_TEST(test_a_question_gets_its_answer_and_the_end),
		CONTROL_TEST(test_what_is_printed_is_read_back),
		CONTROL_TEST(test_a_filter_is_handed_on_as_it_is),
		CONTROL_TEST(test_a_session_goes_on_until_it_is_over),
		CONTROL_TEST(test_an_answer_may_come_later),
		CONTROL_TEST(test_sessions_are_bounded_in_number_and_in_time),
		CONTROL_TEST(test_bad_requests_are_told_why),
		CONTROL_TEST(test_who_may_not_ask_is_turned_away),
		CONTROL_TEST(test_a_word_on_a_step_is_taken_from_operators_alone),
		CONTROL_TEST(test_a_journal_is_read_by_operators_alone),
		CONTROL_TEST(test_why_a_word_is_not_taken_is_told),
		CONTROL_TEST(test_too_many_at_once_are_turned_away),
		CONTROL_TEST(test_who_does_not_ask_in_time_is_dropped),
		CONTROL_TEST(test_a_big_answer_waits_for_a_slow_reader_but_not_for_ever),
		CONTROL_TEST(test_watchers_get_the_form_that_they_asked_for),
		CONTROL_TEST(test_a_watcher_that_does_not_read_is_dropped),
		CONTROL_TEST(test_who_hangs_up_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
