/* SPDX-License-Identifier: MIT */
#include "sense/traps.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/calendar.h"
#include "base/memory.h"
#include "parse/dialect.h"
#include "parse/snmp_meaning.h"
#include "parse/snmp_write.h"
#include "sense/usm.h"

#define ENGINES_MAX 64                    /* of v3's senders; the longest silent makes room */
#define INFORMS_MAX 64                    /* remembered, to know their repetitions */
#define INFORM_AGAIN_NS (60 * SECOND_NS)
#define WINDOW_S 150                      /* RFC 3414 3.2, 7 */

struct engine { /* a sender's clock as it told it last, authenticated */
	uint8_t name[SNMP_ENGINE_MAX], len;
	int32_t boots, time;
	int64_t at_ns; /* mono; 0: this place is free */
};

struct inform {
	struct spimend_address source;
	int32_t request;
	int64_t at_ns;
};

struct traps {
	int fd; /* owns; -1: none */
	struct traps_events events;
	struct config_notify notify;
	struct usm_user users[NOTIFY_USERS_MAX];
	struct engine engines[ENGINES_MAX];
	struct inform informs[INFORMS_MAX];
	uint32_t next_inform;
	uint32_t overflow; /* as the socket told it last */
	struct trap_counts counts;
	struct usm_engine own;      /* this gateway's, authoritative for informs */
	uint64_t salt;
	uint32_t unknown_engines, outside_windows; /* USM's counters, as they are reported */
	int64_t reports_since;      /* mono: since then `reports` were sent */
	uint32_t reports;
	struct text answer;         /* to the one at hand; in its bytes, or in out */
	uint8_t out[TRAPS_DATAGRAM_MAX];
	struct snmp_trap trap;      /* room for the one at hand */
	struct device_report report;
	uint8_t plain[TRAPS_DATAGRAM_MAX];
	uint8_t room[TRAPS_AT_ONCE][TRAPS_DATAGRAM_MAX];
};

/* --- Opening ------------------------------------------------------------------------------------------------------ */

int traps_open(uint16_t port, int *ret_fd)
{
	const struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	const struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };
	const int on = 1, off = 0, size = TRAPS_BUFFER;
	bool is_six = true;
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), r;

	if (fd < 0) {
		is_six = false;
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	}
	if (fd < 0)
		return -errno;
	if (is_six)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
	if (is_six)
		r = bind(fd, (const struct sockaddr *)&six, sizeof(six));
	else
		r = bind(fd, (const struct sockaddr *)&four, sizeof(four));
	if (r < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

static int make_users(const struct config_notify *notify, struct usm_user *ret)
{
	int r = 0;

	for (uint32_t i = 0; i < notify->user_count && r == 0; i++)
		r = usm_user_of(&notify->users[i], &ret[i]);
	return r;
}

static void forget_users(struct usm_user *users)
{
	for (uint32_t i = 0; i < NOTIFY_USERS_MAX; i++)
		usm_user_forget(&users[i]);
}

int traps_configure(struct traps *traps, const struct config_notify *notify, const struct usm_engine *own)
{
	struct usm_user users[NOTIFY_USERS_MAX];
	int r;

	memset(users, 0, sizeof(users));
	r = make_users(notify, users);
	if (r == 0) {
		memcpy(traps->users, users, sizeof(users));
		traps->notify = *notify;
		traps->own = *own;
		traps->counts.port = notify->trap_port;
	}
	forget_users(users);
	return r;
}

int traps_new(int fd, const struct config_notify *notify, const struct usm_engine *own, const struct traps_events *events,
	      struct traps **ret)
{
	struct traps *traps = memory_new(1, sizeof(*traps));
	int r;

	if (!traps) {
		if (fd >= 0)
			close(fd);
		return -ENOMEM;
	}
	traps->fd = fd;
	traps->events = *events;
	traps->counts.listens = true;
	r = traps_configure(traps, notify, own);
	if (r == 0 && getrandom(&traps->salt, sizeof(traps->salt), 0) != (ssize_t)sizeof(traps->salt))
		r = -EIO;
	if (r < 0) {
		traps_free(traps);
		return r;
	}
	*ret = traps;
	return 0;
}

void traps_free(struct traps *traps)
{
	if (!traps)
		return;
	if (traps->fd >= 0)
		close(traps->fd);
	forget_users(traps->users);
	memset(&traps->notify, 0, sizeof(traps->notify));
	memory_free(traps);
}

int traps_fd(const struct traps *traps)
{
	return traps->fd;
}

/* --- Who may ------------------------------------------------------------------------------------------------------ */

static bool is_known_source(const struct traps *traps, const struct spimend_address *source)
{
	for (uint32_t i = 0; i < traps->notify.host_count; i++)
		if (spimend_address_equal(&traps->notify.hosts[i].address, source))
			return true;
	return false;
}

static bool is_known_community(const struct traps *traps, const struct spimend_address *source, struct text community)
{
	const struct config_notify *n = &traps->notify;

	for (uint32_t i = 0; i < n->host_count; i++)
		if (n->hosts[i].security == NOTIFY_V2C && spimend_address_equal(&n->hosts[i].address, source) &&
		    text_equal(text_of(n->hosts[i].name), community))
			return true;
	for (uint32_t i = 0; i < n->community_count; i++)
		if (text_equal(text_of(n->communities[i]), community))
			return true;
	return false;
}

/* The user, when the message has all the protection that the user has: less could be anybody's. */
static const struct usm_user *user_of(const struct traps *traps, const struct snmp_message *message)
{
	for (uint32_t i = 0; i < traps->notify.user_count; i++) {
		const struct usm_user *user = &traps->users[i];

		if (user->hash == NOTIFY_HASH_NONE || !text_equal(text_of(user->name), message->user))
			continue; /* without a key, whose file could not be read, it is nobody */
		if (!(message->flags & SNMP_FLAG_AUTH) || (user->encrypts && !(message->flags & SNMP_FLAG_PRIV)))
			return NULL;
		return user;
	}
	return NULL;
}

/* RFC 3414 3.2, 7b: the sender's clock may not run backwards, beyond what packets take. Notes it where it is good. */
static bool is_fresh(struct traps *traps, const struct snmp_message *message, int64_t now_ns)
{
	struct engine *place = &traps->engines[0];
	struct engine *known = NULL;
	int64_t expected;

	for (size_t i = 0; i < ENGINES_MAX; i++) {
		struct engine *engine = &traps->engines[i];

		if (engine->at_ns && engine->len == message->engine.len && memcmp(engine->name, message->engine.at, engine->len) == 0)
			known = engine;
		if (engine->at_ns < place->at_ns)
			place = engine;
	}
	if (known) {
		expected = known->time + (now_ns - known->at_ns) / SECOND_NS;
		if (message->boots < known->boots || (message->boots == known->boots && message->time < expected - WINDOW_S))
			return false;
		if (message->boots == known->boots && message->time <= known->time)
			return true;
		place = known;
	}
	*place = (struct engine){ .len = (uint8_t)message->engine.len, .boots = message->boots, .time = message->time,
				  .at_ns = now_ns > 0 ? now_ns : 1 };
	memcpy(place->name, message->engine.at, message->engine.len);
	return true;
}

/* --- One datagram ------------------------------------------------------------------------------------------------- */

static enum trap_fate fate_of(enum snmp_trouble trouble)
{
	switch (trouble) {
	case SNMP_TROUBLE_VERSION:
		return TRAP_OTHER_VERSION;
	case SNMP_TROUBLE_SECURITY:
		return TRAP_OTHER_SECURITY;
	case SNMP_TROUBLE_NO_TRAP:
		return TRAP_NO_TRAP;
	default:
		return TRAP_MALFORMED;
	}
}

/* --- This gateway's own engine: what v3's informs need --------------------------------------------------------------- */

static struct text own_name(const struct traps *traps)
{
	return (struct text){ (const char *)traps->own.name, traps->own.len };
}

static struct usm_sender own_sender(struct traps *traps, int64_t now_ns)
{
	return (struct usm_sender){ .engine = own_name(traps), .boots = traps->own.boots,
				    .time = usm_engine_time(&traps->own, now_ns), .salt = traps->salt++ };
}

/* RFC 3414 3.2, 7a: ours is the clock that counts. */
static bool is_in_window(const struct traps *traps, const struct snmp_message *message, int64_t now_ns)
{
	int64_t off = message->time - (int64_t)usm_engine_time(&traps->own, now_ns);

	return message->boots == traps->own.boots && off <= WINDOW_S && off >= -WINDOW_S;
}

static bool may_report(struct traps *traps, int64_t now_ns)
{
	if (now_ns - traps->reports_since >= SECOND_NS) {
		traps->reports_since = now_ns;
		traps->reports = 0;
	}
	return traps->reports++ < TRAPS_REPORTS_A_SECOND;
}

/* 3.2, 3b and 7a: what the sender needs to say it again, as usmStats.COUNTER. A wrong time is told with our hash. */
static void report(struct traps *traps, const struct snmp_message *message, const struct usm_user *user, uint32_t counter,
		   uint32_t value, int64_t now_ns)
{
	const struct snmp_oid oid = { 11, { 1, 3, 6, 1, 6, 3, 15, 1, 1, counter, 0 } };
	const struct usm_user nobody = { .hash = NOTIFY_HASH_NONE };
	struct ber_writer w = ber_writer_of(traps->out, sizeof(traps->out));
	const struct usm_sender sender = own_sender(traps, now_ns);
	struct snmp_failure failure;
	size_t end = w.at;
	struct ber pdu;
	int32_t request = 0;

	if (!may_report(traps, now_ns))
		return;
	if (!(message->flags & SNMP_FLAG_PRIV) && snmp_read_scoped(message->scoped, &pdu, &failure) == 0)
		request = snmp_read_request(pdu);
	snmp_put_report(&w, own_name(traps), &oid, value, request);
	if (usm_seal(&w, end, user ? user : &nobody, user ? NOTIFY_V3_AUTH : NOTIFY_V3_NOAUTH, &sender, message->id, 0) == 0)
		traps->answer = (struct text){ (const char *)traps->out + w.at, sizeof(traps->out) - w.at };
}

static enum trap_fate report_engine(struct traps *traps, const struct snmp_message *message, int64_t now_ns)
{
	report(traps, message, NULL, 4, ++traps->unknown_engines, now_ns);
	return TRAP_ASKS_ENGINE;
}

struct opened { /* a message of v3 */
	const struct usm_user *user;
	const uint8_t *scoped; /* its scoped PDU, whole; borrows */
	size_t scoped_len, pdu_at;
	bool is_own;           /* our engine is the authoritative one */
};

/* The Response has the inform's own scoped PDU, but for the tag at pdu_at, and its level. */
static void respond(struct traps *traps, const struct snmp_message *message, const struct opened *o, int64_t now_ns)
{
	enum notify_security level = message->flags & SNMP_FLAG_PRIV ? NOTIFY_V3_PRIV : NOTIFY_V3_AUTH;
	struct ber_writer w = ber_writer_of(traps->out, sizeof(traps->out));
	const struct usm_sender sender = own_sender(traps, now_ns);
	size_t end = w.at;

	ber_put_bytes(&w, o->scoped, o->scoped_len);
	if (w.overflow)
		return;
	w.bytes[w.at + o->pdu_at] = BER_RESPONSE;
	if (usm_seal(&w, end, o->user, level, &sender, message->id, 0) == 0)
		traps->answer = (struct text){ (const char *)traps->out + w.at, sizeof(traps->out) - w.at };
}

/* --- v3 ------------------------------------------------------------------------------------------------------------- */

static enum trap_fate check_clock(struct traps *traps, const struct snmp_message *message, const struct opened *o,
				  int64_t now_ns)
{
	if (!o->is_own)
		return is_fresh(traps, message, now_ns) ? TRAP_TAKEN : TRAP_STALE;
	if (is_in_window(traps, message, now_ns))
		return TRAP_TAKEN;
	report(traps, message, o->user, 2, ++traps->outside_windows, now_ns);
	return TRAP_STALE;
}

/* The scoped PDU as its bytes: they go back with the Response. */
static bool find_scoped(struct traps *traps, const struct snmp_message *message, const uint8_t *bytes, struct opened *o,
			struct ber *ret_inside)
{
	struct ber whole;

	o->scoped = bytes + message->scoped_at;
	o->scoped_len = message->scoped.end - message->scoped_at;
	*ret_inside = message->scoped;
	if (!(message->flags & SNMP_FLAG_PRIV))
		return true;
	if (message->encrypted.len > sizeof(traps->plain) || usm_decrypt(o->user, message, traps->plain) != USM_FINE)
		return false;
	whole = ber_of(traps->plain, message->encrypted.len);
	o->scoped = traps->plain;
	if (!ber_enter(&whole, BER_SEQUENCE, "no scoped PDU", ret_inside))
		return false;
	o->scoped_len = whole.at;
	return true;
}

static enum trap_fate open_v3(struct traps *traps, const struct snmp_message *message, uint8_t *bytes, int64_t now_ns,
			      struct opened *o, struct ber *ret_pdu, struct snmp_failure *failure)
{
	enum trap_fate fate;
	struct ber inside;

	o->is_own = text_equal(message->engine, own_name(traps));
	if (message->engine.len == 0 && message->flags & SNMP_FLAG_REPORT) /* RFC 3414 4 */
		return report_engine(traps, message, now_ns);
	o->user = user_of(traps, message);
	if (!o->user)
		return TRAP_WRONG_USER;
	if (usm_check(o->user, message, bytes) != USM_FINE)
		return TRAP_WRONG_HASH;
	fate = check_clock(traps, message, o, now_ns);
	if (fate != TRAP_TAKEN)
		return fate;
	if (!find_scoped(traps, message, bytes, o, &inside))
		return TRAP_UNREADABLE;
	if (snmp_read_scoped(inside, ret_pdu, failure) < 0)
		return message->flags & SNMP_FLAG_PRIV ? TRAP_UNREADABLE : fate_of(failure->trouble);
	o->pdu_at = (size_t)(ret_pdu->bytes + ret_pdu->at - o->scoped);
	return TRAP_TAKEN;
}

static bool is_repeated(struct traps *traps, const struct snmp_trap *trap, int64_t now_ns)
{
	for (size_t i = 0; i < INFORMS_MAX; i++) {
		const struct inform *inform = &traps->informs[i];

		if (inform->at_ns && now_ns - inform->at_ns < INFORM_AGAIN_NS && inform->request == trap->request &&
		    spimend_address_equal(&inform->source, &trap->source))
			return true;
	}
	traps->informs[traps->next_inform] = (struct inform){ trap->source, trap->request, now_ns > 0 ? now_ns : 1 };
	traps->next_inform = (traps->next_inform + 1) % INFORMS_MAX;
	return false;
}

/* A log line in a trap is a line as any other, cut at 255 characters: what it tells of an unknown SPI is told as that. */
static void read_line(struct device_report *report)
{
	char body[2 * REPORT_NAME_MAX + REPORT_TEXT_MAX + 16];
	struct reading reading;

	if (report->kind != REPORT_LOG || !report->name[0] || !report->facility[0])
		return;
	snprintf(body, sizeof(body), "%%%s-%u-%s: %s", report->facility, report->severity, report->name, report->text);
	if (dialect_cisco_read(text_of(body), &reading) != DIALECT_READ || reading.fact.kind != FACT_STRAY)
		return;
	report->has_spi = true;
	report->spi = reading.fact.spi.value;
	report->protocol = (uint8_t)reading.fact.protocol;
	report->src = reading.fact.src;
	report->dst = reading.fact.dst;
}

/* An inform is told once; `told` says that it was, or had been. */
static enum trap_fate tell(struct traps *traps, int64_t now_ns)
{
	if (traps->trap.inform && is_repeated(traps, &traps->trap, now_ns))
		return TRAP_AGAIN;
	snmp_read_meaning(&traps->trap, &traps->report);
	read_line(&traps->report);
	return traps->events.trap(traps->events.context, &traps->trap, &traps->report) ? TRAP_TAKEN : TRAP_NOT_TOLD;
}

static enum trap_fate take(struct traps *traps, const struct spimend_address *source, uint8_t *bytes, size_t len,
			   int64_t now_ns, struct snmp_failure *failure)
{
	struct snmp_message message;
	enum trap_fate fate = TRAP_TAKEN;
	struct opened opened = { .user = NULL };
	struct ber pdu;

	if (!is_known_source(traps, source))
		return TRAP_WRONG_SOURCE;
	if (snmp_read_message(bytes, len, &message, failure) < 0)
		return fate_of(failure->trouble);
	pdu = message.pdu;
	if (message.version == 3)
		fate = open_v3(traps, &message, bytes, now_ns, &opened, &pdu, failure);
	else if (!is_known_community(traps, source, message.community))
		fate = TRAP_WRONG_COMMUNITY;
	if (fate != TRAP_TAKEN)
		return fate;
	if (snmp_read_trap(pdu, message.version, &traps->trap, failure) < 0)
		return fate_of(failure->trouble);
	if (traps->trap.inform && message.version == 3 && !opened.is_own) /* only under our engine can it be answered */
		return report_engine(traps, &message, now_ns);
	traps->trap.source = *source;
	traps->trap.authenticated = message.version == 3;
	traps->counts.varbinds_dropped += traps->trap.varbinds_dropped;
	fate = tell(traps, now_ns);
	if (!traps->trap.inform || fate == TRAP_NOT_TOLD)
		return fate; /* what core was not told is sent again */
	/* RFC 3416 4.2.7: a Response with the same request and variables */
	if (message.version == 3) {
		respond(traps, &message, &opened, now_ns);
	} else {
		bytes[pdu.at] = BER_RESPONSE;
		traps->answer = (struct text){ (const char *)bytes, len };
	}
	return fate;
}

static void count(struct traps *traps, const struct spimend_address *source, enum trap_fate fate, const char *why)
{
	traps->counts.fates[fate]++;
	if (fate == TRAP_TAKEN || fate == TRAP_AGAIN || fate == TRAP_ASKS_ENGINE)
		return;
	traps->counts.refused = *source;
	traps->counts.refused_fate = fate;
	memset(traps->counts.refused_why, 0, sizeof(traps->counts.refused_why));
	text_copy(text_of(why), traps->counts.refused_why, sizeof(traps->counts.refused_why));
}

struct text traps_take(struct traps *traps, const struct spimend_address *source, uint8_t *bytes, size_t len,
		       int64_t now_ns)
{
	struct snmp_failure failure = { SNMP_TROUBLE_NONE, NULL, 0 };
	enum trap_fate fate;

	traps->counts.received++;
	traps->answer = TEXT_NONE;
	fate = take(traps, source, bytes, len, now_ns, &failure);
	count(traps, source, fate, failure.reason);
	return traps->answer;
}

/* --- The socket --------------------------------------------------------------------------------------------------- */

static struct spimend_address address_of(const struct sockaddr_storage *from)
{
	struct spimend_address address = { 0 };

	if (from->ss_family == AF_INET) {
		address.family = 4;
		memcpy(address.bytes, &((const struct sockaddr_in *)from)->sin_addr, 4);
	} else if (from->ss_family == AF_INET6) {
		const struct in6_addr *six = &((const struct sockaddr_in6 *)from)->sin6_addr;
		bool is_mapped = IN6_IS_ADDR_V4MAPPED(six);

		address.family = is_mapped ? 4 : 6;
		memcpy(address.bytes, six->s6_addr + (is_mapped ? 12 : 0), is_mapped ? 4 : 16);
	}
	return address;
}

/* How many datagrams the socket lost since it was made. */
static void take_overflow(struct traps *traps, struct msghdr *head)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(head); c; c = CMSG_NXTHDR(head, c)) {
		uint32_t lost;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL)
			continue;
		memcpy(&lost, CMSG_DATA(c), sizeof(lost));
		traps->counts.lost += lost - traps->overflow;
		traps->overflow = lost;
	}
}

/* Over IPv4 alone: the system-call filter lets no longer address pass, which would be one that packet sockets take. */
static void answer(struct traps *traps, const struct spimend_address *source, const struct sockaddr_storage *from,
		   struct text bytes)
{
	struct sockaddr_in to = { .sin_family = AF_INET };

	if (source->family != 4 || bytes.len == 0)
		return;
	memcpy(&to.sin_addr, source->bytes, 4);
	to.sin_port = from->ss_family == AF_INET ? ((const struct sockaddr_in *)from)->sin_port
						 : ((const struct sockaddr_in6 *)from)->sin6_port;
	if (sendto(traps->fd, bytes.at, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&to, sizeof(to)) ==
	    (ssize_t)bytes.len)
		traps->counts.answered++;
}

int traps_read(struct traps *traps, int64_t now_ns)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(uint32_t))];
	} control[TRAPS_AT_ONCE];
	struct sockaddr_storage from[TRAPS_AT_ONCE];
	struct mmsghdr heads[TRAPS_AT_ONCE];
	struct iovec parts[TRAPS_AT_ONCE];
	int got;

	for (size_t i = 0; i < TRAPS_AT_ONCE; i++) {
		parts[i] = (struct iovec){ traps->room[i], sizeof(traps->room[i]) };
		heads[i] = (struct mmsghdr){ .msg_hdr = { .msg_name = &from[i], .msg_namelen = sizeof(from[i]), .msg_iov = &parts[i],
							   .msg_iovlen = 1, .msg_control = control[i].bytes,
							   .msg_controllen = sizeof(control[i].bytes) } };
	}
	got = recvmmsg(traps->fd, heads, TRAPS_AT_ONCE, MSG_DONTWAIT, NULL);
	if (got < 0)
		return errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED ? 0 : -errno;
	for (int i = 0; i < got; i++) {
		struct spimend_address source = address_of(&from[i]);

		take_overflow(traps, &heads[i].msg_hdr);
		if (heads[i].msg_hdr.msg_flags & MSG_TRUNC) {
			traps->counts.received++;
			count(traps, &source, TRAP_TOO_LONG, NULL);
			continue;
		}
		answer(traps, &source, &from[i], traps_take(traps, &source, traps->room[i], heads[i].msg_len, now_ns));
	}
	return 0;
}

void traps_count(const struct traps *traps, struct trap_counts *ret)
{
	*ret = traps->counts;
}
