/* SPDX-License-Identifier: MIT */
/*
 * Changes of incidents to web servers: HTTP/1.1, one POST a connection, over TLS with the server's certificate checked, or
 * without it. Signed with the secret of the file that the configuration names: HMAC-SHA256 (RFC 2104) over the time of this
 * try, a dot, and the body (doc/spimendd.8). What does not get through is tried again with the same delivery id, further and
 * further apart, and given up after DIAL_HOOK_TRIES; what waits is bounded. Only the first line of an answer is read.
 * Nothing here ever waits.
 */
#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "role/dial_role.h"
#include "spimend/error.h"

/* --- The queue ---------------------------------------------------------------------------------------------------- */

static struct hook_change *first_of(struct hook_link *link)
{
	return &link->waiting[link->first % DIAL_HOOKS_MAX];
}

static void drop_first(struct hook_link *link)
{
	memory_free(first_of(link)->body);
	*first_of(link) = (struct hook_change){ .tries = 0 };
	link->first = (link->first + 1) % DIAL_HOOKS_MAX;
	link->count--;
	link->state.waiting = link->count;
}

/* --- The end of a try ----------------------------------------------------------------------------------------------- */

static void close_link(struct hook_link *link)
{
	loop_remove(link->source);
	link->source = NULL;
	dial_tls_end(&link->tls, link->phase == HOOK_ASKS);
	link->tls_wants_write = false;
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	link->phase = HOOK_IDLE;
	link->deadline = LOOP_NEVER;
	buffer_done(&link->out);
	link->sent = link->in_len = 0;
}

static void say(struct hook_link *link, int severity, const char *what)
{
	char url[HOOK_URL_MAX];

	log_say(&link->dial->member->log, severity, "webhook %s: %s", hook_web_show(&link->web, url), what);
}

/* Tried again later, unless that was the last time; `final`: the server said that it will never take it. */
static void failed(struct hook_link *link, const char *what, int error, bool final)
{
	int64_t now = loop_now(link->dial->member->loop);

	dial_failed(&link->state, what, error);
	link->state.up = false;
	close_link(link);
	if (link->count && (final || ++first_of(link)->tries >= DIAL_HOOK_TRIES)) {
		link->state.dropped++;
		drop_first(link);
	}
	link->wait = link->wait ? 2 * link->wait : DIAL_AGAIN_FIRST;
	if (link->wait > DIAL_AGAIN_MOST)
		link->wait = DIAL_AGAIN_MOST;
	link->again = now + (final ? 0 : link->wait);
	if (!link->said_down)
		say(link, LOG_WARNING, link->state.why);
	link->said_down = true;
}

static void delivered(struct hook_link *link)
{
	link->state.sent++;
	link->state.up = true;
	link->wait = link->again = 0;
	drop_first(link);
	close_link(link);
	if (link->said_down)
		say(link, LOG_NOTICE, "it takes what it is sent again");
	link->said_down = false;
}

/* --- The request ---------------------------------------------------------------------------------------------------- */

/* The first line of the file; how many bytes, or negative errno. */
static int read_secret(struct dial *dial, uint32_t place, char to[DIAL_SECRET_MAX])
{
	int fd = dial->files[DIAL_SECRET + place];
	ssize_t n = fd < 0 || lseek(fd, 0, SEEK_SET) < 0 ? -1 : read(fd, to, DIAL_SECRET_MAX);
	struct text line = { to, n > 0 ? (size_t)n : 0 };

	if (fd < 0)
		return dial->file_errors[DIAL_SECRET + place] ? dial->file_errors[DIAL_SECRET + place] : -ENOENT;
	if (n < 0)
		return -errno;
	line = text_trim(text_take_until(&line, "\n"));
	if (line.len < 16) /* it would be guessed */
		return -EINVAL;
	memmove(to, line.at, line.len);
	return (int)line.len;
}

/* "t.body", signed: in hexadecimal. False: libcrypto could not. */
static bool sign(const char *secret, int secret_len, const char *stamp, const struct hook_change *change, char to[65])
{
	cleanup(buffer_done) struct buffer signed_text = { 0 };
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	buffer_printf(&signed_text, "%s.", stamp);
	buffer_add(&signed_text, (struct text){ change->body, change->length });
	if (signed_text.failed || !HMAC(EVP_sha256(), secret, secret_len, (const unsigned char *)signed_text.bytes,
					signed_text.len, mac, &len) || len != 32)
		return false;
	for (unsigned i = 0; i < len; i++)
		snprintf(to + 2 * i, 3, "%02x", mac[i]);
	return true;
}

/* NULL, or why there is none. */
static const char *make_request(struct hook_link *link, int *ret_error)
{
	const struct hook_change *change = first_of(link);
	bool is_six = strchr(link->web.host, ':') != NULL;
	char secret[DIAL_SECRET_MAX], stamp[24], signature[65];
	int len = read_secret(link->dial, link->place, secret);
	struct timespec now;
	bool fine;

	*ret_error = len < 0 ? len : 0;
	if (len == -EINVAL)
		return "its secret is shorter than 16 bytes";
	if (len < 0)
		return "its secret cannot be read";
	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(stamp, sizeof(stamp), "%lld", (long long)now.tv_sec);
	fine = sign(secret, len, stamp, change, signature);
	OPENSSL_cleanse(secret, sizeof(secret));
	if (!fine)
		return "it cannot be signed";
	buffer_printf(&link->out, "POST %s HTTP/1.1\r\nHost: %s%s%s", link->web.path, is_six ? "[" : "", link->web.host, is_six ? "]" : "");
	if (link->web.port != (link->web.tls ? 443 : 80))
		buffer_printf(&link->out, ":%u", link->web.port);
	buffer_printf(&link->out, "\r\nUser-Agent: spimend/" SPIMEND_VERSION "\r\nContent-Type: application/json\r\nContent-Length: %" PRIu32
				  "\r\nConnection: close\r\nX-Spimend-Delivery: %s\r\nX-Spimend-Timestamp: %s\r\n"
				  "X-Spimend-Signature: sha256=%s\r\n\r\n", change->length, change->id, stamp, signature);
	buffer_add(&link->out, (struct text){ change->body, change->length });
	return link->out.failed ? "no memory" : NULL;
}

/* --- The connection --------------------------------------------------------------------------------------------------- */

static void watch(struct hook_link *link)
{
	bool writes = link->phase == HOOK_CONNECTS || link->tls_wants_write ||
		      (link->phase == HOOK_ASKS && link->sent < link->out.len);

	if (link->source)
		loop_set_events(link->source, writes ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* What libssl said: 0 not now, else the try failed, which was noted. */
static int tls_trouble(struct hook_link *link, int r)
{
	char why[DIAL_WHY_MAX];

	r = dial_tls_trouble(link->tls, r, &link->tls_wants_write, why, sizeof(why));
	if (r < 0)
		failed(link, why, 0, false);
	return r;
}

/* False: the try is over. */
static bool write_request(struct hook_link *link)
{
	while (link->sent < link->out.len) {
		const char *at = link->out.bytes + link->sent;
		size_t left = link->out.len - link->sent, len = 0;
		ssize_t n;

		if (link->tls) {
			int r = SSL_write_ex(link->tls, at, left, &len);

			link->tls_wants_write = false;
			if (r != 1)
				return tls_trouble(link, r) == 0;
		} else {
			n = send(link->fd, at, left, MSG_DONTWAIT | MSG_NOSIGNAL);
			if (n < 0 && (errno == EAGAIN || errno == EINTR))
				return true;
			if (n < 0) {
				failed(link, "the connection is lost", -errno, false);
				return false;
			}
			len = (size_t)n;
		}
		link->sent += len;
	}
	return true;
}

/* "HTTP/1.1 204 No Content": all that is read. */
static void take_answer(struct hook_link *link, struct text line)
{
	char why[DIAL_WHY_MAX];
	uint64_t code = 0;
	bool again;

	if (!text_take(&line, TEXT("HTTP/1.")) || line.len < 5 || line.at[1] != ' ' ||
	    text_decimal(text_first(text_skip(line, 2), 3), 599, &code) < 0 || code < 100) {
		failed(link, "what answers is no web server", 0, false);
		return;
	}
	if (code >= 200 && code < 300) {
		delivered(link);
		return;
	}
	/* What another time would not change: it is not for this server. */
	again = code >= 500 || code == 408 || code == 425 || code == 429 || code < 200;
	snprintf(why, sizeof(why), "it answers %" PRIu64 "%s", code, again ? "" : ": given up");
	failed(link, why, 0, !again);
}

static void read_answer(struct hook_link *link)
{
	size_t room = sizeof(link->in) - link->in_len, len = 0, end;
	ssize_t n;

	if (link->tls) {
		int r = SSL_read_ex(link->tls, link->in + link->in_len, room, &len);

		if (r != 1 && SSL_get_error(link->tls, r) == SSL_ERROR_ZERO_RETURN) {
			failed(link, "it hung up without an answer", 0, false);
			return;
		}
		if (r != 1) {
			(void)tls_trouble(link, r);
			return;
		}
	} else {
		n = recv(link->fd, link->in + link->in_len, room, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			failed(link, n < 0 ? "the connection is lost" : "it hung up without an answer", n < 0 ? -errno : 0, false);
			return;
		}
		len = (size_t)n;
	}
	link->in_len += len;
	end = text_find_char((struct text){ link->in, link->in_len }, '\n');
	if (end != TEXT_NOT_FOUND || link->in_len == sizeof(link->in))
		take_answer(link, text_first((struct text){ link->in, link->in_len }, end));
}

static void shake_hands(struct hook_link *link)
{
	int r = SSL_do_handshake(link->tls);

	link->tls_wants_write = false;
	if (r == 1)
		link->phase = HOOK_ASKS;
	else
		(void)tls_trouble(link, r);
}

static void connected(struct hook_link *link)
{
	struct spimend_address address = { .family = 0 };
	struct dial *dial = link->dial;
	socklen_t size = sizeof(int);
	bool is_address;
	int error = 0;

	if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	if (error) {
		failed(link, "it cannot be reached", -error, false);
		return;
	}
	link->phase = HOOK_ASKS;
	if (!link->web.tls)
		return;
	is_address = spimend_address_parse(link->web.host, strlen(link->web.host), &address) == 0;
	link->tls = dial_tls_new(dial, is_address ? "" : link->web.host, &address, link->fd);
	if (!link->tls) {
		failed(link, dial->tls_why[0] ? dial->tls_why : "TLS cannot begin", 0, false);
		return;
	}
	link->phase = HOOK_SHAKES_HANDS;
	shake_hands(link);
}

static void on_link(void *context, uint32_t events)
{
	struct hook_link *link = context;

	if (link->phase == HOOK_CONNECTS) {
		if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
			connected(link);
	} else if (link->phase == HOOK_SHAKES_HANDS) {
		shake_hands(link);
	}
	if (link->phase == HOOK_ASKS && write_request(link) && link->phase == HOOK_ASKS && events & ~(uint32_t)EPOLLOUT)
		read_answer(link);
	watch(link);
	/* The next one, or the next try: as hook_links_tick() finds. */
	loop_timer_at(link->dial->timer, 0);
}

static void begin(struct hook_link *link, int64_t now)
{
	const struct config *config = link->dial->member->config;
	struct spimend_address address;
	const char *why;
	int r;

	why = make_request(link, &r);
	if (why) {
		failed(link, why, r, false);
		return;
	}
	r = hook_web_address(&link->web, &config->notify, &address) ? dial_connect(&address, link->web.port, SOCK_STREAM) : -ENOENT;
	link->fd = r;
	if (r >= 0)
		r = loop_add(link->dial->member->loop, link->fd, EPOLLIN | EPOLLOUT, on_link, link, &link->source);
	if (r < 0) {
		failed(link, "it cannot be reached", r, false);
		return;
	}
	link->phase = HOOK_CONNECTS;
	link->deadline = now + DIAL_HOOK_NS;
}

/* --- What comes from core --------------------------------------------------------------------------------------------- */

static void forget(struct hook_link *link)
{
	close_link(link);
	while (link->count)
		drop_first(link);
}

void hook_links_configure(struct dial *dial)
{
	const struct config_hooks *hooks = &dial->member->config->hooks;

	for (uint32_t i = 0; i < HOOK_WEBS_MAX; i++) {
		struct hook_link *link = &dial->hooks[i];
		uint64_t mark = i < hooks->web_count ? hook_web_mark(&hooks->webs[i]) : 0;

		if (link->used && link->mark == mark)
			continue;
		if (link->used)
			forget(link);
		memset(link, 0, sizeof(*link));
		link->fd = -1;
		link->deadline = LOOP_NEVER;
		if (i >= hooks->web_count)
			continue;
		link->used = true;
		link->dial = dial;
		link->place = i;
		link->web = hooks->webs[i];
		link->mark = mark;
		link->state = (struct dial_state){ .kind = DIAL_WEBHOOK, .host = i, .mark = mark };
	}
}

/* The one under way stays; of the others the oldest makes room. */
static void make_room(struct hook_link *link)
{
	uint32_t at = link->phase == HOOK_IDLE ? 0 : 1;

	memory_free(link->waiting[(link->first + at) % DIAL_HOOKS_MAX].body);
	for (uint32_t i = at; i + 1 < link->count; i++)
		link->waiting[(link->first + i) % DIAL_HOOKS_MAX] = link->waiting[(link->first + i + 1) % DIAL_HOOKS_MAX];
	link->count--;
	link->state.dropped++;
}

void hook_links_take(struct dial *dial, const struct dial_hook *hook)
{
	for (uint32_t i = 0; i < HOOK_WEBS_MAX; i++) {
		struct hook_link *link = &dial->hooks[i];
		struct hook_change *to;

		if (!link->used)
			continue;
		if (link->count == DIAL_HOOKS_MAX)
			make_room(link);
		to = &link->waiting[(link->first + link->count) % DIAL_HOOKS_MAX];
		*to = (struct hook_change){ .length = hook->length, .body = memory_new(hook->length, 1) };
		if (!to->body) {
			link->state.dropped++;
			continue;
		}
		memcpy(to->id, hook->id, sizeof(to->id));
		memcpy(to->body, hook->body, hook->length);
		link->count++;
		link->state.waiting = link->count;
	}
}

int64_t hook_links_tick(struct dial *dial, int64_t now)
{
	int64_t next = LOOP_NEVER;

	for (uint32_t i = 0; i < HOOK_WEBS_MAX; i++) {
		struct hook_link *link = &dial->hooks[i];

		if (!link->used)
			continue;
		if (link->deadline <= now)
			failed(link, link->phase == HOOK_ASKS ? "it does not answer" : "it cannot be reached", -ETIMEDOUT, false);
		if (link->phase == HOOK_IDLE && link->count && link->again <= now)
			begin(link, now);
		if (link->phase == HOOK_IDLE && link->count && link->again < next)
			next = link->again;
		if (link->deadline < next)
			next = link->deadline;
	}
	return next;
}

void hook_links_done(struct dial *dial)
{
	for (uint32_t i = 0; i < HOOK_WEBS_MAX; i++)
		if (dial->hooks[i].used)
			forget(&dial->hooks[i]);
}
