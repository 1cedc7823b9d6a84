/* SPDX-License-Identifier: MIT */
/* Asks another gateway for its evidence, over TLS 1.3 with the key of that peer; what comes back goes to core in parts. */
#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "role/dial_role.h"
#include "spimend/error.h"

static int64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

static void close_fetch(struct evidence_fetch *f)
{
	loop_remove(f->source);
	SSL_free(f->ssl);
	if (f->fd >= 0)
		close(f->fd);
	buffer_done(&f->in);
	buffer_done(&f->out);
	memset(f, 0, sizeof(*f));
	f->fd = -1;
}

static void fail(struct evidence_fetch *f, const char *why)
{
	struct evidence_part part;

	memset(&part, 0, sizeof(part));
	part.number = f->ask.number;
	part.failed = true;
	text_copy(text_of(why), part.why, sizeof(part.why));
	channel_send(f->dial->core, MESSAGE_EVIDENCE_FETCHED, &part);
	close_fetch(f);
}

static void hand_over(struct evidence_fetch *f)
{
	struct text rest = buffer_text(&f->in);
	struct evidence_part part;
	uint32_t at = 0;

	do {
		memset(&part, 0, sizeof(part));
		part.number = f->ask.number;
		part.total = (uint32_t)f->in.len;
		part.at = at;
		part.len = (uint32_t)(rest.len < EVIDENCE_PART_MAX ? rest.len : EVIDENCE_PART_MAX);
		part.has_clock = f->has_clock;
		part.offset_ns = f->offset_ns;
		part.error_ns = f->error_ns;
		if (part.len)
			memcpy(part.bytes, rest.at, part.len);
		if (channel_send(f->dial->core, MESSAGE_EVIDENCE_FETCHED, &part) < 0) {
			close_fetch(f); /* core asks again */
			return;
		}
		rest = text_skip(rest, part.len);
		at += part.len;
	} while (rest.len);
	close_fetch(f);
}

/* What libssl waits for. False: it failed, which was told. */
static bool wait_more(struct evidence_fetch *f, int result)
{
	int error = SSL_get_error(f->ssl, result);

	ERR_clear_error();
	if ((error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) &&
	    loop_set_events(f->source, error == SSL_ERROR_WANT_WRITE ? EPOLLOUT : EPOLLIN) == 0)
		return true;
	fail(f, f->phase == FETCH_SHAKES_HANDS ? "the handshake failed: another key, or no spimend" : "the peer hung up");
	return false;
}

/* A whole line in `in`, taken out of it. */
static bool take_line(struct evidence_fetch *f, char line[EVIDENCE_LINE_MAX])
{
	size_t end = text_find_char(buffer_text(&f->in), '\n');

	if (end == TEXT_NOT_FOUND || end >= EVIDENCE_LINE_MAX)
		return false;
	text_copy(text_first(buffer_text(&f->in), end), line, EVIDENCE_LINE_MAX);
	memmove(f->in.bytes, f->in.bytes + end + 1, f->in.len - end - 1);
	f->in.len -= end + 1;
	return true;
}

/* False: it is over. */
static bool look(struct evidence_fetch *f)
{
	char line[EVIDENCE_LINE_MAX], why[EVIDENCE_WHY_MAX];
	int64_t t2, t3;
	int r;

	if (f->phase == FETCH_STAMPS && take_line(f, line)) {
		if (evidence_read_stamps(text_of(line), f->t1, &t2, &t3) < 0) {
			fail(f, "that is no answer");
			return false;
		}
		f->has_clock = evidence_clock(f->t1, t2, t3, f->t4, &f->offset_ns, &f->error_ns);
		f->phase = FETCH_LENGTH;
	}
	if (f->phase == FETCH_LENGTH && take_line(f, line)) {
		r = evidence_read_answer(text_of(line), &f->length, why);
		if (r != 0) {
			fail(f, r == 1 ? why : "that is no answer");
			return false;
		}
		f->phase = FETCH_BODY;
	}
	if (f->phase == FETCH_BODY && f->in.len >= f->length) {
		f->in.len = f->length;
		hand_over(f);
		return false;
	}
	if (f->phase != FETCH_BODY && f->in.len >= EVIDENCE_LINE_MAX) {
		fail(f, "that is no answer");
		return false;
	}
	return true;
}

static void read_in(struct evidence_fetch *f)
{
	char bytes[16384];
	int n;

	for (;;) {
		n = SSL_read(f->ssl, bytes, sizeof(bytes));
		if (n <= 0) {
			(void)wait_more(f, n);
			return;
		}
		if (f->phase == FETCH_STAMPS && !f->t4)
			f->t4 = wall_ns();
		buffer_add(&f->in, (struct text){ bytes, (size_t)n });
		if (f->in.failed || f->in.len > EVIDENCE_ANSWER_MAX + EVIDENCE_LINE_MAX) {
			fail(f, "it answers more than it may");
			return;
		}
		if (!look(f))
			return;
	}
}

static void go_on(struct evidence_fetch *f)
{
	int error = 0, r;
	socklen_t size = sizeof(error);

	if (f->phase == FETCH_CONNECTS) {
		if (getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error) {
			fail(f, spimend_strerror(-error));
			return;
		}
		f->phase = FETCH_SHAKES_HANDS;
	}
	if (f->phase == FETCH_SHAKES_HANDS) {
		r = SSL_do_handshake(f->ssl);
		if (r != 1) {
			(void)wait_more(f, r);
			return;
		}
		f->t1 = wall_ns();
		evidence_put_ask(&f->ask, f->t1, &f->out);
		f->phase = FETCH_ASKS;
	}
	if (f->phase == FETCH_ASKS) { /* one line: it fits into one record */
		r = SSL_write(f->ssl, f->out.bytes, (int)f->out.len);
		if (r <= 0) {
			(void)wait_more(f, r);
			return;
		}
		f->phase = FETCH_STAMPS;
	}
	read_in(f);
}

static void on_event(void *context, uint32_t events)
{
	(void)events;
	go_on(context);
}

static void begin(struct dial *dial, struct evidence_fetch *f, const struct evidence_ask *ask, int64_t now)
{
	const struct config_evidence_peer *peer = &dial->member->config->recorder.peers[ask->peer];
	int r;

	f->dial = dial;
	f->ask = *ask;
	f->deadline = now + DIAL_EVIDENCE_NS;
	if (!dial->evidence_context)
		dial->evidence_context = evidence_tls_client();
	f->fd = dial_connect(&peer->address, peer->port, SOCK_STREAM);
	if (f->fd < 0 || !dial->evidence_context) {
		fail(f, f->fd < 0 ? spimend_strerror(f->fd) : "libssl cannot begin");
		return;
	}
	f->ssl = evidence_tls_new(dial->evidence_context, f->fd, &dial->evidence_keys[ask->peer]);
	r = f->ssl ? loop_add(dial->member->loop, f->fd, EPOLLOUT, on_event, f, &f->source) : -ENOMEM;
	if (r < 0) {
		fail(f, spimend_strerror(r));
		return;
	}
	SSL_set_connect_state(f->ssl);
}

void fetches_take(struct dial *dial, const struct evidence_ask *ask, int64_t now)
{
	const struct config_recorder *c = &dial->member->config->recorder;
	struct evidence_fetch *f = NULL, none = { .dial = dial, .ask = *ask, .fd = -1 };

	for (size_t i = 0; i < DIAL_FETCHES_MAX && !f; i++)
		if (!dial->fetches[i].dial)
			f = &dial->fetches[i];
	if (ask->peer >= c->peer_count || ask->mark != evidence_peer_mark(&c->peers[ask->peer]))
		fail(&none, "another configuration counts by now");
	else if (!dial->evidence_keys[ask->peer].known)
		fail(&none, "there is no key for that peer");
	else if (!f)
		fail(&none, "too many peers are asked at once");
	else
		begin(dial, f, ask, now);
}

void fetches_key(struct dial *dial, const struct role_resource *resource, const int *fds, size_t fd_count)
{
	const char *why;

	if (resource->index < EVIDENCE_PEERS_MAX) {
		for (size_t i = 0; i < DIAL_FETCHES_MAX; i++)
			if (dial->fetches[i].dial) /* none borrows a key that changes */
				fail(&dial->fetches[i], "another key counts by now");
		evidence_key_forget(&dial->evidence_keys[resource->index]);
		why = fd_count == 1 ? evidence_key_read(fds[0], &dial->evidence_keys[resource->index]) : NULL;
		if (why)
			log_say(&dial->member->log, LOG_ERR, "the key of evidence peer %u: %s", resource->index + 1, why);
	}
	member_close_fds(fds, fd_count);
}

int64_t fetches_tick(struct dial *dial, int64_t now)
{
	int64_t next = LOOP_NEVER;

	for (size_t i = 0; i < DIAL_FETCHES_MAX; i++) {
		struct evidence_fetch *f = &dial->fetches[i];

		if (f->dial && f->deadline <= now)
			fail(f, "no answer in time");
		else if (f->dial && f->deadline < next)
			next = f->deadline;
	}
	return next;
}

void fetches_done(struct dial *dial)
{
	for (size_t i = 0; i < DIAL_FETCHES_MAX; i++)
		if (dial->fetches[i].dial)
			close_fetch(&dial->fetches[i]);
	SSL_CTX_free(dial->evidence_context);
	for (size_t i = 0; i < EVIDENCE_PEERS_MAX; i++)
		evidence_key_forget(&dial->evidence_keys[i]);
}
