/* SPDX-License-Identifier: MIT */
#include "cmd/session.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmd/connection.h"
#include "spimend/error.h"

#define ANSWER_SECONDS 60
#define HEAD_MAX 2048

static int refuse(const struct session *session, const char *what)
{
	fprintf(stderr, "spimend %s: %s\n", session->command, what);
	return -1;
}

void session_end(struct session *session)
{
	if (session->fd >= 0)
		close(session->fd);
	session->fd = -1;
}

/* Exactly `len` bytes. False: it ended, or took too long. */
static bool receive(int fd, char *to, size_t len)
{
	while (len) {
		ssize_t n = recv(fd, to, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		to += n;
		len -= (size_t)n;
	}
	return true;
}

/* A byte at a time: it is short, and what follows is another one's. */
static int receive_head(int fd, struct control_head *ret)
{
	char line[HEAD_MAX];
	size_t len = 0;

	do {
		if (len == sizeof(line) || !receive(fd, line + len, 1))
			return -ECONNRESET;
	} while (line[len++] != '\n');
	return control_head_read((struct text){ line, len - 1 }, ret) < 0 ? -EPROTO : 0;
}

static int receive_text(const struct session *session, uint64_t length, struct buffer *out)
{
	char part[16384];

	while (length) {
		size_t len = length < sizeof(part) ? (size_t)length : sizeof(part);

		if (!receive(session->fd, part, len))
			return -ECONNRESET;
		if (!session->keeps_bytes)
			connection_clean(part, len);
		buffer_add(out, (struct text){ part, len });
		length -= len;
	}
	return 0;
}

int session_send(struct session *session, enum control_verb verb, struct text line)
{
	struct control_request request = { .command = CONTROL_EXEC, .verb = verb, .prompt = session->shows_prompt };
	struct buffer bytes = { 0 };
	ssize_t n;
	int r;

	text_copy(line, request.line, sizeof(request.line));
	control_request_print(&request, &bytes);
	n = send(session->fd, bytes.bytes, bytes.len, MSG_NOSIGNAL);
	/* One that is turned away is told why before it has asked. */
	r = n == (ssize_t)bytes.len || (n < 0 && errno == EPIPE) ? 0 : -ECONNRESET;
	buffer_done(&bytes);
	return r;
}

int session_take(struct session *session, struct buffer *out)
{
	struct control_head head;
	int r;

	buffer_clear(out);
	r = receive_head(session->fd, &head);
	if (r < 0)
		return r == -EPROTO ? refuse(session, "that is no spimendd: the answer is not one of its own") : r;
	if (head.error[0] || !head.has_state) {
		connection_clean(head.error, strlen(head.error));
		return refuse(session, head.error[0] ? head.error : "the daemon is of a release that has no command line");
	}
	session->state = head.state;
	connection_clean(session->state.prompt, strlen(session->state.prompt));
	session->is_refused = head.status != 0;
	return receive_text(session, head.length, out);
}

/* 0; -ECONNRESET: it ended; -1: said already. */
static int ask(struct session *session, enum control_verb verb, struct text line, struct buffer *out)
{
	int r = session_send(session, verb, line);

	return r < 0 ? r : session_take(session, out);
}

int session_begin(struct session *session, const char *command, const char *path, bool shows_prompt)
{
	struct buffer out = { 0 };
	int r;

	*session = (struct session){ .command = command, .path = path, .shows_prompt = shows_prompt };
	session->fd = connection_open(command, path, ANSWER_SECONDS);
	if (session->fd < 0)
		return -1;
	r = ask(session, CONTROL_RUN, TEXT_NONE, &out); /* says who we are there: the prompt */
	buffer_done(&out);
	if (r == -ECONNRESET)
		refuse(session, "the daemon ended the conversation");
	return r < 0 ? -1 : 0;
}

int session_ask(struct session *session, enum control_verb verb, struct text line, struct buffer *out)
{
	int r;

	session->was_lost = false;
	if (line.len >= CONTROL_LINE_MAX) {
		buffer_clear(out);
		buffer_add_string(out, "% the line is too long\n");
		session->is_refused = true;
		return 0;
	}
	r = ask(session, verb, line, out);
	if (r != -ECONNRESET)
		return r;
	session_end(session); /* idle for long, or the daemon's core is a new one */
	if (session_begin(session, session->command, session->path, session->shows_prompt) < 0)
		return -1;
	session->was_lost = true;
	buffer_clear(out);
	return 0;
}
