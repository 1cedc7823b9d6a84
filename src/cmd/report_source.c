/* SPDX-License-Identifier: MIT */
#include "cmd/report_source.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "cmd/connection.h"
#include "sense/input.h"
#include "serve/control.h"
#include "spimend/error.h"

#define ANSWER_SECONDS 60
#define LINE_MAX_BYTES (16u << 20) /* no line comes near it */

static void close_input(struct input **input)
{
	input_close(*input);
}

int report_source_file(const char *path, report_line_fn *take, void *context)
{
	struct input *input cleanup(close_input) = NULL;
	struct text bytes, line;
	int result = input_open(path, &input);

	while (result >= 0) {
		result = input_next(input, &bytes);
		if (result == -EINTR) {
			result = 0;
			continue;
		}
		if (result <= 0)
			break;
		while (result > 0 && text_take_line(&bytes, &line)) {
			int taken = take(context, line);

			result = taken < 0 ? taken : result;
		}
	}
	return result;
}

/* --- The daemon ------------------------------------------------------------------------------------------------ */

struct answer {
	int fd;
	struct buffer pending; /* of a line that is not whole yet */
	bool has_head;
	report_line_fn *take;
	void *context;
};

static int say(const char *what)
{
	fprintf(stderr, "spimend report: %s\n", what);
	return REPORT_SOURCE_SAID;
}

static bool ask(int fd, const char *id)
{
	struct control_request request = { .command = CONTROL_EVIDENCE, .json = true };
	struct buffer line = { 0 };
	ssize_t n = -1;
	bool sent;

	text_copy(text_of(id), request.id, sizeof(request.id));
	control_request_print(&request, &line);
	if (!line.failed)
		n = send(fd, line.bytes, line.len, MSG_NOSIGNAL);
	sent = n == (ssize_t)line.len || (n < 0 && errno == EPIPE); /* one that is turned away is answered all the same */
	buffer_done(&line);
	return sent;
}

static int take_head(struct text line)
{
	struct control_head head;

	if (control_head_read(line, &head) < 0)
		return say("that is no spimendd: the answer is not one of its own");
	if (!head.error[0])
		return 0;
	connection_clean(head.error, strlen(head.error));
	return say(head.error);
}

/* Whole lines of what is pending; what is left of them stays. */
static int take_lines(struct answer *a)
{
	struct text rest = buffer_text(&a->pending);
	int result = 0;
	size_t end;

	while (result == 0 && (end = text_find_char(rest, '\n')) != TEXT_NOT_FOUND) {
		struct text line = text_first(rest, end);

		result = a->has_head ? a->take(a->context, line) : take_head(line);
		a->has_head = true;
		rest = text_skip(rest, end + 1);
	}
	if (rest.len)
		memmove(a->pending.bytes, rest.at, rest.len);
	a->pending.len = rest.len;
	return result;
}

static int take_answer(struct answer *a)
{
	char bytes[65536];
	int result = 0;
	ssize_t n;

	while (result == 0) {
		n = recv(a->fd, bytes, sizeof(bytes), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? say("the daemon does not answer") : -errno;
		if (n == 0)
			break;
		if (a->pending.len > LINE_MAX_BYTES)
			return SPIMEND_E_LIMIT;
		buffer_add(&a->pending, (struct text){ bytes, (size_t)n });
		result = a->pending.failed ? -ENOMEM : take_lines(a);
	}
	if (result == 0 && (!a->has_head || a->pending.len))
		return say("the daemon ended the conversation");
	return result;
}

int report_source_daemon(const char *socket, const char *id, report_line_fn *take, void *context)
{
	struct answer a = { .fd = connection_open("report", socket, ANSWER_SECONDS), .take = take, .context = context };
	int result;

	if (a.fd < 0)
		return REPORT_SOURCE_SAID;
	result = ask(a.fd, id) ? take_answer(&a) : say("the daemon does not take the request");
	close(a.fd);
	buffer_done(&a.pending);
	return result;
}
