/* SPDX-License-Identifier: MIT */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "serve/http.h"

#define EVENT 8192
#define WIRE (EVENT + 40) /* with the event's name, and about what HTTP adds */

static int64_t now = SECOND_NS;

static void begin_stream(void *context, struct http_request *request)
{
	*(bool *)context = http_stream(request, 7, now);
}

static void over(void *context, uint64_t mark)
{
	(void)context;
	(void)mark;
}

static size_t in_use(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

/* Listens at an abstract address of its own, and connects to it. */
static int connect_to(int *ret_listening)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	socklen_t size;
	int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), fd = socket(AF_UNIX, SOCK_STREAM, 0), len;

	len = snprintf(at.sun_path + 1, sizeof(at.sun_path) - 1, "spimend-http-stream-%d", (int)getpid());
	size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
	assert_int_equal(bind(listening, (struct sockaddr *)&at, size), 0);
	assert_int_equal(listen(listening, 4), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, size), 0);
	*ret_listening = listening;
	return fd;
}

/* Somebody who is never done with what waits for him, and never so late that news are left out: 20 MB go by. */
static void one_who_is_always_a_little_late_fills_no_memory(void **state)
{
	static const char asks[] = "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
	static char data[EVENT + 1], got[2 * EVENT];
	struct http_calls calls = { .request = begin_stream, .stream_over = over };
	bool is_stream = false;
	size_t before, most = 0;
	struct http *http;
	int listening, fd = connect_to(&listening);

	(void)state;
	memset(data, 'x', EVENT);
	calls.context = &is_stream;
	assert_int_equal(http_new(&calls, &http), 0);
	assert_int_equal(write(fd, asks, sizeof(asks) - 1), sizeof(asks) - 1);
	http_accept(http, listening, now);
	for (int i = 0; i < 20 && !is_stream; i++)
		http_run(http, now);
	assert_true(is_stream);
	for (int i = 0; i < 50; i++) { /* what the kernel takes, and more */
		http_event(http, 7, "incident", text_of(data));
		http_run(http, now);
	}
	before = in_use();
	for (int i = 0; i < 2500; i++) {
		size_t behind = 0;

		http_event(http, 7, "incident", text_of(data));
		while (behind < WIRE) {
			ssize_t n = recv(fd, got, WIRE - behind, MSG_DONTWAIT);

			if (n > 0)
				behind += (size_t)n;
			http_run(http, now);
		}
		if (in_use() > most)
			most = in_use();
	}
	assert_int_equal(http_figures(http).lost, 0);
	assert_int_equal(http_figures(http).streams, 1);
	assert_true(most < before + (4u << 20));
	http_free(http);
	close(fd);
	close(listening);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(one_who_is_always_a_little_late_fills_no_memory) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
