/* SPDX-License-Identifier: MIT */
#include "role/sense_evidence.h"

#include <errno.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "spimend/error.h"

static int64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

static void drop(struct sense_asker *a)
{
	if (!a->source)
		return;
	loop_remove(a->source);
	SSL_free(a->ssl);
	close(a->fd);
	buffer_done(&a->out);
	buffer_done(&a->answer);
	memset(a, 0, sizeof(*a));
}

/* What libssl waits for. False: it is over. */
static bool wait_more(struct sense_asker *a, int result)
{
	int error = SSL_get_error(a->ssl, result);

	ERR_clear_error();
	if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
		return false;
	return loop_set_events(a->source, error == SSL_ERROR_WANT_WRITE ? EPOLLOUT : EPOLLIN) == 0;
}

/* --- What is asked --------------------------------------------------------------------------------------------------- */

/* At once, so that the stamps say how far the way is; the rest may take a while. */
static bool take_ask(struct sense_asker *a, struct text line)
{
	struct sense_evidence *e = a->of;
	const struct config_evidence_peer *peer = &e->member->config->recorder.peers[a->peer];
	int64_t t2 = wall_ns(), t1;
	struct evidence_ask ask;

	memset(&ask, 0, sizeof(ask));
	ask.peer = a->peer;
	ask.mark = evidence_peer_mark(peer);
	ask.number = a->number = ++e->number;
	if (evidence_read_ask(line, &ask, &t1) < 0)
		return false;
	evidence_put_stamps(t1, t2, wall_ns(), &a->out);
	if (!spimend_address_equal(&ask.ends[0], &peer->address) && !spimend_address_equal(&ask.ends[1], &peer->address)) {
		evidence_put_error("you are none of the two ends", &a->out);
		a->is_last = true;
	} else if (channel_send(e->core, MESSAGE_EVIDENCE_ASKED, &ask) < 0) {
		evidence_put_error("nobody is there to answer", &a->out);
		a->is_last = true;
	}
	return !a->out.failed;
}

/* False: it is over. */
static bool read_ask(struct sense_asker *a)
{
	size_t end;
	int n;

	while (a->line_len < sizeof(a->line)) {
		n = SSL_read(a->ssl, a->line + a->line_len, (int)(sizeof(a->line) - a->line_len));
		if (n <= 0)
			return wait_more(a, n);
		a->line_len += (size_t)n;
		end = text_find_char((struct text){ a->line, a->line_len }, '\n');
		if (end != TEXT_NOT_FOUND)
			return take_ask(a, (struct text){ a->line, end });
	}
	return false; /* no request is so long */
}

static bool write_out(struct sense_asker *a)
{
	while (a->sent < a->out.len) {
		size_t left = a->out.len - a->sent;
		int n = SSL_write(a->ssl, a->out.bytes + a->sent, left < 16384 ? (int)left : 16384);

		if (n <= 0)
			return wait_more(a, n);
		a->sent += (size_t)n;
	}
	if (!a->is_last)
		return loop_set_events(a->source, 0) == 0; /* core will say */
	(void)SSL_shutdown(a->ssl);
	ERR_clear_error();
	return false;
}

static void go_on(struct sense_asker *a)
{
	bool goes_on = true;

	if (!SSL_is_init_finished(a->ssl)) {
		int r = SSL_do_handshake(a->ssl);

		if (r != 1) {
			goes_on = wait_more(a, r);
			a->of->refused += !goes_on;
			if (!goes_on)
				drop(a);
			return;
		}
	}
	if (a->number == 0)
		goes_on = read_ask(a);
	if (goes_on && a->number)
		goes_on = write_out(a);
	if (!goes_on)
		drop(a);
}

static void on_asker(void *context, uint32_t events)
{
	if (events & (EPOLLERR | EPOLLHUP))
		drop(context);
	else
		go_on(context);
}

/* --- Who asks -------------------------------------------------------------------------------------------------------- */

static struct spimend_address address_of(const struct sockaddr_in6 *from)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	struct spimend_address address = { .family = 6 };

	if (memcmp(&from->sin6_addr, mapped, sizeof(mapped)) == 0) {
		address.family = 4;
		memcpy(address.bytes, from->sin6_addr.s6_addr + 12, 4);
	} else {
		memcpy(address.bytes, from->sin6_addr.s6_addr, 16);
	}
	return address;
}

static bool find_peer(const struct sense_evidence *e, const struct spimend_address *address, uint32_t *ret)
{
	const struct config_recorder *c = &e->member->config->recorder;

	for (uint32_t i = 0; i < c->peer_count; i++) {
		if (spimend_address_equal(&c->peers[i].address, address) && e->keys[i].known) {
			*ret = i;
			return true;
		}
	}
	return false;
}

static bool begin_asker(struct sense_evidence *e, int fd, uint32_t peer)
{
	struct sense_asker *a = NULL;

	for (size_t i = 0; i < SENSE_ASKERS_MAX && !a; i++)
		if (!e->askers[i].source)
			a = &e->askers[i];
	if (!a)
		return false;
	*a = (struct sense_asker){ .of = e, .fd = fd, .peer = peer, .deadline = loop_now(e->member->loop) + SENSE_ASKER_NS };
	a->ssl = evidence_tls_new(e->context, fd, &e->keys[peer]);
	if (!a->ssl || loop_add(e->member->loop, fd, EPOLLIN, on_asker, a, &a->source) < 0) {
		SSL_free(a->ssl);
		memset(a, 0, sizeof(*a));
		return false;
	}
	SSL_set_accept_state(a->ssl);
	return true;
}

static void on_connection(void *context, uint32_t events)
{
	struct sense_evidence *e = context;
	struct sockaddr_in6 from = { .sin6_family = 0 };
	socklen_t size = sizeof(from);
	int fd = accept4(e->fd, (struct sockaddr *)&from, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int64_t now = loop_now(e->member->loop);
	struct spimend_address address;
	uint32_t peer;

	(void)events;
	if (fd < 0)
		return;
	address = address_of(&from);
	if (find_peer(e, &address, &peer) && now - e->asked_ns[peer] >= SENSE_ASKED_GAP_NS && begin_asker(e, fd, peer)) {
		e->asked_ns[peer] = now;
		return;
	}
	e->refused++;
	close(fd);
}

/* --- What core answers ----------------------------------------------------------------------------------------------- */

void sense_evidence_answer(struct sense_evidence *e, const struct evidence_part *part)
{
	struct sense_asker *a = NULL;

	for (size_t i = 0; i < SENSE_ASKERS_MAX && !a; i++)
		if (e->askers[i].source && e->askers[i].number == part->number && !e->askers[i].is_last)
			a = &e->askers[i];
	if (!a)
		return; /* it is gone */
	if (part->failed || part->at != a->answer.len) {
		evidence_put_error(part->failed ? part->why : "the answer was lost", &a->out);
		a->is_last = true;
	} else {
		buffer_add(&a->answer, (struct text){ (const char *)part->bytes, part->len });
		if (a->answer.len < part->total)
			return;
		evidence_put_length(a->answer.len, &a->out);
		buffer_add(&a->out, buffer_text(&a->answer));
		a->is_last = true;
	}
	if (a->out.failed)
		drop(a);
	else
		go_on(a);
}

/* --- Life ------------------------------------------------------------------------------------------------------------ */

void sense_evidence_begin(struct sense_evidence *e, struct member *member)
{
	e->member = member;
	e->fd = -1;
}

static void close_socket(struct sense_evidence *e)
{
	if (e->fd < 0)
		return;
	loop_remove(e->source);
	e->source = NULL;
	close(e->fd);
	e->fd = -1;
}

static void drop_all(struct sense_evidence *e)
{
	for (size_t i = 0; i < SENSE_ASKERS_MAX; i++)
		drop(&e->askers[i]);
}

void sense_evidence_done(struct sense_evidence *e)
{
	drop_all(e);
	close_socket(e);
	SSL_CTX_free(e->context);
	for (size_t i = 0; i < EVIDENCE_PEERS_MAX; i++)
		evidence_key_forget(&e->keys[i]);
}

void sense_evidence_core(struct sense_evidence *e, struct channel *core)
{
	e->core = core;
	if (!core)
		drop_all(e); /* nobody answers them any more */
}

static void take_socket(struct sense_evidence *e, int fd)
{
	int r = 0;

	close_socket(e);
	if (!e->context)
		e->context = evidence_tls_server();
	if (!e->context)
		r = -ENOTSUP;
	if (r == 0)
		r = loop_add(e->member->loop, fd, EPOLLIN, on_connection, e, &e->source);
	if (r == 0) {
		e->fd = fd;
		log_say(&e->member->log, LOG_INFO, "hears evidence peers on TCP port %u", e->member->config->recorder.port);
		return;
	}
	log_say(&e->member->log, LOG_ERR, "evidence peers cannot be heard: %s", spimend_strerror(r));
	close(fd);
}

void sense_evidence_take(struct sense_evidence *e, const struct role_resource *resource, const int *fds, size_t fd_count)
{
	const char *why;

	if (resource->kind == RESOURCE_EVIDENCE_SOCKET && fd_count == 1) {
		drop_all(e);
		take_socket(e, fds[0]);
		return;
	}
	if (resource->kind == RESOURCE_EVIDENCE_SOCKET) {
		close_socket(e);
	} else if (resource->index < EVIDENCE_PEERS_MAX) {
		drop_all(e); /* none borrows a key that changes */
		evidence_key_forget(&e->keys[resource->index]);
		why = fd_count == 1 ? evidence_key_read(fds[0], &e->keys[resource->index]) : NULL;
		if (why)
			log_say(&e->member->log, LOG_ERR, "the key of evidence peer %u: %s", resource->index + 1, why);
	}
	member_close_fds(fds, fd_count);
}

void sense_evidence_tick(struct sense_evidence *e)
{
	int64_t now = loop_now(e->member->loop);

	for (size_t i = 0; i < SENSE_ASKERS_MAX; i++)
		if (e->askers[i].source && e->askers[i].deadline <= now)
			drop(&e->askers[i]);
}
