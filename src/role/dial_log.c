/* SPDX-License-Identifier: MIT */
/* Lines to syslog servers: UDP, TCP and TLS, each with a queue, a limit and a back-off. Nothing here ever waits. */
#include <errno.h>
#include <inttypes.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "role/dial_role.h"
#include "spimend/error.h"

#define LOCAL7 (23u << 3)
#define MSGID_MAX 32 /* RFC 5424 6 */

/* --- A line in its server's form ---------------------------------------------------------------------------------- */

/* As IOS with `logging origin-id hostname`: "<189>45: hub: Nov 29 06:20:01.123 UTC: %CRYPTO-4-...". */
static int format_3164(const struct dial_line *line, const char *hostname, char *to, size_t size)
{
	struct civil at = calendar_from_instant(line->at);

	return snprintf(to, size, "<%u>%" PRIu64 ": %s: %s %2d %02d:%02d:%02d.%03d UTC: %s", LOCAL7 | line->severity, line->number,
			hostname, calendar_month_name(at.month), at.day, at.hour, at.minute, at.second,
			(int)(line->at.ns % SECOND_NS / 1000000), line->text);
}

/* The mnemonic is the message's id; "-" where there is none. */
static void message_id(const char *text, char to[MSGID_MAX + 1])
{
	struct text rest = text_of(text), word = TEXT_NONE;

	if (text_take_char(&rest, '%'))
		word = text_take_until(&rest, ": ");
	else if (text_find_char(rest, ':') != TEXT_NOT_FOUND)
		word = text_take_until(&rest, ":( ");
	if (word.len == 0 || word.len > MSGID_MAX)
		word = TEXT("-");
	text_copy(word, to, MSGID_MAX + 1);
}

static int format_5424(const struct dial_line *line, const char *hostname, char *to, size_t size)
{
	struct civil at = calendar_from_instant(line->at);
	char id[MSGID_MAX + 1];

	message_id(line->text, id);
	return snprintf(to, size, "<%u>1 %04d-%02d-%02dT%02d:%02d:%02d.%03dZ %s spimendd - %s - %s", LOCAL7 | line->severity,
			at.year, at.month, at.day, at.hour, at.minute, at.second, (int)(line->at.ns % SECOND_NS / 1000000), hostname, id,
			line->text);
}

size_t log_format(const struct dial_line *line, const struct notify_log_host *host, const char *hostname, char *to,
		  size_t size)
{
	int n = host->rfc5424 ? format_5424(line, hostname, to, size) : format_3164(line, hostname, to, size);

	return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}

/* --- The queue ---------------------------------------------------------------------------------------------------- */

/* False: full. The bytes move to the front when the end is reached, at most once for each DIAL_QUEUE_BYTES written. */
static bool queue_add(struct dial_queue *queue, const char *bytes, size_t len)
{
	if (!queue->bytes)
		queue->bytes = memory_new(1, DIAL_QUEUE_BYTES);
	if (!queue->bytes || queue->count == DIAL_QUEUE_MAX || queue->len + len > DIAL_QUEUE_BYTES)
		return false;
	if (queue->begin + queue->len + len > DIAL_QUEUE_BYTES) {
		memmove(queue->bytes, queue->bytes + queue->begin, queue->len);
		queue->begin = 0;
	}
	memcpy(queue->bytes + queue->begin + queue->len, bytes, len);
	queue->len += len;
	queue->lengths[(queue->first + queue->count++) % DIAL_QUEUE_MAX] = (uint32_t)len;
	return true;
}

/* What of the first message is to be sent still; empty: none waits. */
static struct text queue_first(const struct dial_queue *queue)
{
	if (queue->count == 0)
		return TEXT_NONE;
	return (struct text){ queue->bytes + queue->begin + queue->sent, queue->lengths[queue->first] - queue->sent };
}

/* True: that was the rest of the first one. */
static bool queue_took(struct dial_queue *queue, size_t len)
{
	uint32_t whole = queue->lengths[queue->first];

	queue->sent += len;
	if (queue->sent < whole)
		return false;
	queue->begin += whole;
	queue->len -= whole;
	queue->first = (queue->first + 1) % DIAL_QUEUE_MAX;
	queue->count--;
	queue->sent = 0;
	if (queue->count == 0)
		queue->begin = 0;
	return true;
}

/* --- Connections -------------------------------------------------------------------------------------------------- */

static void close_link(struct log_link *link)
{
	loop_remove(link->source);
	link->source = NULL;
	dial_tls_end(&link->tls, link->phase == LINK_UP);
	link->tls_wants_write = false;
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	link->phase = LINK_DOWN;
	link->deadline = LOOP_NEVER;
	link->state.up = false;
	link->queue.sent = 0; /* a message that was cut is sent again, whole */
}

static void say_down(struct log_link *link)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	if (link->said_down)
		return;
	link->said_down = true;
	log_say(&link->dial->member->log, LOG_WARNING, "syslog server %s port %u: %s; trying again",
		spimend_address_print(&link->host.address, address), link->host.port, link->state.why);
}

static void failed(struct log_link *link, const char *what, int error)
{
	int64_t now = loop_now(link->dial->member->loop);

	dial_failed(&link->state, what, error);
	close_link(link);
	link->wait = link->wait ? 2 * link->wait : DIAL_AGAIN_FIRST;
	if (link->wait > DIAL_AGAIN_MOST)
		link->wait = DIAL_AGAIN_MOST;
	link->again = now + link->wait;
	say_down(link);
}

static void is_up(struct log_link *link)
{
	char address[SPIMEND_ADDRESS_TEXT_MAX];

	link->phase = LINK_UP;
	link->state.up = true;
	link->wait = 0;
	link->deadline = LOOP_NEVER;
	if (link->said_down || link->host.transport != NOTIFY_UDP)
		log_say(&link->dial->member->log, LOG_INFO, "syslog server %s port %u is connected (%s)",
			spimend_address_print(&link->host.address, address), link->host.port,
			notify_transport_name(link->host.transport));
	link->said_down = false;
}

/* 1: sent `*ret_len` bytes; 0: not now; negative: the link failed, which was noted. */
static int write_some(struct log_link *link, struct text bytes, size_t *ret_len)
{
	char why[DIAL_WHY_MAX];
	ssize_t n;
	int r;

	if (link->tls) {
		r = SSL_write_ex(link->tls, bytes.at, bytes.len, ret_len);
		link->tls_wants_write = false;
		if (r == 1)
			return 1;
		r = dial_tls_trouble(link->tls, r, &link->tls_wants_write, why, sizeof(why));
		if (r < 0)
			failed(link, why, 0);
		return r;
	}
	n = send(link->fd, bytes.at, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n >= 0) {
		*ret_len = (size_t)n;
		return 1;
	}
	r = -errno;
	if (r == -EAGAIN || r == -EINTR || r == -ENOBUFS)
		return 0;
	if (link->host.transport == NOTIFY_UDP) { /* about a datagram before: nobody listens there now */
		dial_failed(&link->state, "nobody listens", r);
		link->state.up = false;
		*ret_len = bytes.len;
		return r == -ECONNREFUSED ? 0 : 1;
	}
	failed(link, "the connection is lost", r);
	return r;
}

static void watch(struct log_link *link)
{
	uint32_t events = EPOLLIN;

	if (!link->source)
		return;
	if (link->phase == LINK_CONNECTS || link->tls_wants_write || (link->phase == LINK_UP && link->queue.count > 0))
		events |= EPOLLOUT;
	loop_set_events(link->source, events);
}

static void flush(struct log_link *link)
{
	for (int i = 0; i < 256 && link->phase == LINK_UP && link->queue.count > 0; i++) {
		size_t len = 0;

		if (write_some(link, queue_first(&link->queue), &len) <= 0)
			break;
		if (queue_took(&link->queue, len)) {
			link->state.sent++;
			link->state.up = true;
		}
	}
	watch(link);
}

static void shake_hands(struct log_link *link)
{
	char why[DIAL_WHY_MAX];
	int r = SSL_do_handshake(link->tls);

	link->tls_wants_write = false;
	if (r == 1) {
		is_up(link);
		return;
	}
	if (dial_tls_trouble(link->tls, r, &link->tls_wants_write, why, sizeof(why)) < 0)
		failed(link, why, 0);
}

static void connected(struct log_link *link)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	if (error) {
		failed(link, "it cannot be reached", -error);
		return;
	}
	if (link->host.transport == NOTIFY_TCP) {
		is_up(link);
		return;
	}
	link->tls = dial_tls_new(link->dial, link->host.server, &link->host.address, link->fd);
	if (!link->tls) {
		failed(link, link->dial->tls_why[0] ? link->dial->tls_why : "TLS cannot begin", 0);
		return;
	}
	link->phase = LINK_SHAKES_HANDS;
	shake_hands(link);
}

/* A syslog server says nothing: what comes is the end of the connection, an error, or a record of TLS's own. */
static void drain(struct log_link *link)
{
	char part[512];
	size_t len;
	ssize_t n;

	if (link->tls) {
		int r = SSL_read_ex(link->tls, part, sizeof(part), &len);

		if (r == 1)
			return;
		r = SSL_get_error(link->tls, r);
		if (r != SSL_ERROR_WANT_READ && r != SSL_ERROR_WANT_WRITE)
			failed(link, "the server hung up", 0);
		ERR_clear_error();
		return;
	}
	n = recv(link->fd, part, sizeof(part), MSG_DONTWAIT);
	if (link->host.transport == NOTIFY_UDP) {
		if (n < 0 && errno != EAGAIN) {
			dial_failed(&link->state, "nobody listens", -errno);
			link->state.up = false;
		}
	} else if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		failed(link, "the server hung up", n < 0 ? -errno : 0);
	}
}

static void on_link(void *context, uint32_t events)
{
	struct log_link *link = context;

	if (link->phase == LINK_CONNECTS) {
		if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
			connected(link);
	} else if (link->phase == LINK_SHAKES_HANDS) {
		shake_hands(link);
	} else if (link->phase == LINK_UP && events & ~(uint32_t)EPOLLOUT) {
		drain(link);
	}
	flush(link);
}

static void open_link(struct log_link *link, int64_t now)
{
	bool is_udp = link->host.transport == NOTIFY_UDP;
	int r;

	if (link->host.transport == NOTIFY_TLS && !link->dial->tls) {
		failed(link, link->dial->tls_why[0] ? link->dial->tls_why : "TLS cannot begin", 0);
		return;
	}
	r = dial_connect(&link->host.address, link->host.port, is_udp ? SOCK_DGRAM : SOCK_STREAM);
	link->fd = r;
	if (r >= 0)
		r = loop_add(link->dial->member->loop, link->fd, EPOLLIN, on_link, link, &link->source);
	if (r < 0) {
		failed(link, "it cannot be reached", r);
		return;
	}
	link->phase = LINK_CONNECTS;
	link->deadline = now + DIAL_CONNECT_NS;
	if (is_udp)
		is_up(link);
	watch(link);
}

/* --- What comes from core ----------------------------------------------------------------------------------------- */

void log_links_configure(struct dial *dial)
{
	const struct config_notify *n = &dial->member->config->notify;

	for (uint32_t i = 0; i < NOTIFY_LOG_HOSTS_MAX; i++) {
		struct log_link *link = &dial->logs[i];
		uint64_t mark = i < n->log_host_count ? notify_log_host_mark(&n->log_hosts[i]) : 0;

		if (link->used && link->mark == mark)
			continue;
		if (link->used)
			close_link(link);
		memory_free(link->queue.bytes);
		memset(link, 0, sizeof(*link));
		link->fd = -1;
		link->dial = dial;
		link->deadline = LOOP_NEVER;
		if (i >= n->log_host_count)
			continue;
		link->used = true;
		link->host = n->log_hosts[i];
		link->mark = mark;
		link->state = (struct dial_state){ .kind = DIAL_SYSLOG, .host = i, .mark = mark };
	}
}

void log_links_take(struct dial *dial, const struct dial_line *line)
{
	char text[DIAL_LINE_MAX + 256], framed[sizeof(text) + 16];
	struct log_link *link = &dial->logs[line->host];
	size_t len, head = 0;

	if (!link->used || link->mark != line->mark) {
		dial->stale++;
		return;
	}
	len = log_format(line, &link->host, dial->member->config->hostname, text, sizeof(text));
	if (link->host.transport != NOTIFY_UDP) /* RFC 6587 3.4.1, RFC 5425 4.3 */
		head = (size_t)snprintf(framed, sizeof(framed), "%zu ", len);
	memcpy(framed + head, text, len);
	if (!bucket_may(&link->bucket, loop_now(dial->member->loop), DIAL_LINES_A_SECOND) ||
	    !queue_add(&link->queue, framed, head + len)) {
		link->state.dropped++;
		return;
	}
	flush(link);
}

int64_t log_links_tick(struct dial *dial, int64_t now)
{
	int64_t next = LOOP_NEVER;

	for (uint32_t i = 0; i < NOTIFY_LOG_HOSTS_MAX; i++) {
		struct log_link *link = &dial->logs[i];

		if (!link->used)
			continue;
		if (link->deadline <= now)
			failed(link, "it does not answer", -ETIMEDOUT);
		if (link->phase == LINK_DOWN && link->again <= now)
			open_link(link, now);
		flush(link);
		if (link->phase == LINK_DOWN && link->again < next)
			next = link->again;
		if (link->deadline < next)
			next = link->deadline;
		link->state.waiting = link->queue.count;
	}
	return next;
}

void log_links_done(struct dial *dial)
{
	for (uint32_t i = 0; i < NOTIFY_LOG_HOSTS_MAX; i++) {
		if (dial->logs[i].used)
			close_link(&dial->logs[i]);
		memory_free(dial->logs[i].queue.bytes);
	}
}
