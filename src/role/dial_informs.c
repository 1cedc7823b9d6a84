/* SPDX-License-Identifier: MIT */
/*
 * Informs to SNMP hosts, v2c and v3: each is sent again until it is answered, and given up after a while. With v3 the host's
 * engine is the authoritative one: it is asked for its name and clock first, and what it answers must have the user's hash.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "parse/snmp_write.h"
#include "role/dial_role.h"

#define TRIES 4                    /* the first, and IOS's three more */
#define WAIT_FIRST (2 * SECOND_NS) /* doubles with each */
#define READ_AT_ONCE 16
#define WINDOW_S 150               /* RFC 3414 3.2, 7b */

/* usmStats.N of Reports (RFC 3414 5) */
enum counter { UNSUPPORTED_LEVELS = 1, NOT_IN_WINDOWS, UNKNOWN_USERS, UNKNOWN_ENGINES, WRONG_DIGESTS, DECRYPTION_ERRORS };

static bool is_v3(const struct trap_link *link)
{
	return link->host.security != NOTIFY_V2C;
}

static uint32_t count_waiting(const struct inform_link *l)
{
	uint32_t count = 0;

	for (size_t i = 0; i < DIAL_INFORMS_MAX; i++)
		count += l->at[i].used;
	return count;
}

static void drop(struct trap_link *link, struct inform *inform, const char *why)
{
	dial_failed(&link->state, why, 0);
	link->state.up = false;
	link->state.dropped++;
	inform->used = false;
}

void informs_free(struct trap_link *link)
{
	if (!link->informs)
		return;
	if (link->informs->source)
		loop_remove(link->informs->source);
	memory_free(link->informs);
	link->informs = NULL;
}

/* --- Sending ------------------------------------------------------------------------------------------------------ */

static void on_answer(void *context, uint32_t events);

static int send_to(struct trap_link *link, const struct ber_writer *w)
{
	struct inform_link *l = link->informs;
	int r = trap_link_send(link, w);

	if (link->fd >= 0 && !l->source && loop_add(l->dial->member->loop, link->fd, EPOLLIN, on_answer, link, &l->source) < 0)
		return -ENOMEM;
	return r;
}

static struct usm_sender sender_of(struct inform_link *l, int64_t now)
{
	return (struct usm_sender){ .engine = { (const char *)l->engine, l->engine_len }, .boots = l->boots,
				    .time = (int32_t)(l->time + (now - l->told) / SECOND_NS), .salt = l->dial->salt++ };
}

/* 0, or a static reason why it can never be sent. */
static const char *send_inform(struct trap_link *link, const struct inform *inform, int64_t now)
{
	struct inform_link *l = link->informs;
	uint8_t room[SNMP_SEND_MAX];
	struct ber_writer w = ber_writer_of(room, sizeof(room));
	struct usm_user nobody = { .hash = NOTIFY_HASH_NONE };
	struct usm_sender sender = sender_of(l, now);
	const struct usm_user *user = &nobody;
	struct snmp_trap trap;

	trap_make(l->dial, &inform->said, &trap);
	trap.request = inform->request;
	trap.inform = true;
	text_copy(text_of(link->host.name), nobody.name, sizeof(nobody.name));
	if (link->host.security >= NOTIFY_V3_AUTH)
		user = trap_user_of(l->dial, link->host.name);
	if (!user)
		return "there is no such SNMP user";
	if (!is_v3(link))
		snmp_put_v2c(&w, &trap, text_of(link->host.name));
	else if (usm_put(&w, user, link->host.security, &sender, &trap) < 0)
		return "the SNMP user has no keys for that level";
	if (w.overflow)
		return "the inform is too long";
	(void)send_to(link, &w); /* what failed is kept, and it is tried again */
	return NULL;
}

/* RFC 3414 4: who are you, and how late is it? */
static void ask(struct trap_link *link)
{
	struct inform_link *l = link->informs;
	const struct usm_user nobody = { .hash = NOTIFY_HASH_NONE };
	const struct usm_sender nowhere = { .engine = TEXT_NONE };
	uint8_t room[SNMP_SEND_MAX];
	struct ber_writer w = ber_writer_of(room, sizeof(room));
	size_t end = w.at;

	l->question = dial_next_number(l->dial);
	snmp_put_question(&w, l->question);
	if (usm_seal(&w, end, &nobody, NOTIFY_V3_NOAUTH, &nowhere, l->question, SNMP_FLAG_REPORT) == 0)
		(void)send_to(link, &w);
}

static void give_up(struct trap_link *link, const char *why)
{
	struct inform_link *l = link->informs;

	for (size_t i = 0; i < DIAL_INFORMS_MAX; i++)
		if (l->at[i].used)
			drop(link, &l->at[i], why);
	l->questions = 0;
}

/* Asks, when that is due. When it is due again. */
static int64_t tick_question(struct trap_link *link, int64_t now)
{
	struct inform_link *l = link->informs;

	if (count_waiting(l) == 0)
		return LOOP_NEVER;
	if (now < l->question_due)
		return l->question_due;
	if (l->questions == TRIES) {
		give_up(link, "the receiver does not tell its SNMP engine");
		return LOOP_NEVER;
	}
	ask(link);
	l->question_due = now + (WAIT_FIRST << l->questions++);
	return l->question_due;
}

static int64_t tick_link(struct trap_link *link, int64_t now)
{
	struct inform_link *l = link->informs;
	int64_t next = LOOP_NEVER;

	if (is_v3(link) && l->engine_len == 0)
		return tick_question(link, now);
	for (size_t i = 0; i < DIAL_INFORMS_MAX; i++) {
		struct inform *inform = &l->at[i];
		const char *why = NULL;

		if (!inform->used)
			continue;
		if (now >= inform->due && inform->tries == TRIES) {
			drop(link, inform, "the receiver does not answer");
			l->engine_len = 0; /* it may be another one by now */
			continue;
		}
		if (now >= inform->due) {
			why = send_inform(link, inform, now);
			inform->due = now + (WAIT_FIRST << inform->tries++);
		}
		if (why)
			drop(link, inform, why);
		else if (inform->due < next)
			next = inform->due;
	}
	return next;
}

int64_t informs_tick(struct dial *dial, int64_t now)
{
	int64_t next = LOOP_NEVER;

	for (uint32_t i = 0; i < NOTIFY_HOSTS_MAX; i++) {
		struct trap_link *link = &dial->traps[i];
		int64_t due = link->informs ? tick_link(link, now) : LOOP_NEVER;

		if (due < next)
			next = due;
		if (link->informs)
			link->state.waiting = count_waiting(link->informs);
	}
	return next;
}

void informs_take(struct dial *dial, struct trap_link *link, const struct dial_trap *said, int64_t now)
{
	struct inform_link *l = link->informs;

	for (size_t i = 0; l && i < DIAL_INFORMS_MAX; i++) {
		if (l->at[i].used)
			continue;
		if (count_waiting(l) == 0)
			l->question_due = now;
		l->at[i] = (struct inform){ .used = true, .said = *said, .request = dial_next_number(dial), .due = now };
		return;
	}
	dial_failed(&link->state, l ? "too many informs wait for an answer" : "no memory for informs", 0);
	link->state.dropped++;
}

/* --- Answers ------------------------------------------------------------------------------------------------------ */

static void take_response(struct trap_link *link, const struct snmp_answer *answer)
{
	struct inform_link *l = link->informs;

	for (size_t i = 0; i < DIAL_INFORMS_MAX; i++) {
		if (!l->at[i].used || l->at[i].request != answer->request)
			continue;
		if (answer->error) {
			drop(link, &l->at[i], "the receiver answers with an error");
			return;
		}
		l->at[i].used = false;
		link->state.sent++;
		link->state.up = true;
		return;
	}
}

static void take_clock(struct inform_link *l, const struct snmp_message *m, int64_t now)
{
	l->boots = m->boots;
	l->time = m->time;
	l->told = now;
}

static void send_all_now(struct inform_link *l, int64_t now)
{
	for (size_t i = 0; i < DIAL_INFORMS_MAX; i++)
		if (l->at[i].used && l->at[i].tries < TRIES)
			l->at[i].due = now;
}

/* Nobody signed it: it is believed what cannot do harm. Its number must be that of something we sent. */
static void take_unsigned_report(struct trap_link *link, const struct snmp_message *m, const struct snmp_answer *answer,
				 int64_t now)
{
	struct inform_link *l = link->informs;
	bool is_ours = l->engine_len == 0 && l->questions && m->id == l->question;

	if (is_ours && answer->counter == UNKNOWN_ENGINES && m->engine.len >= 5) {
		memcpy(l->engine, m->engine.at, m->engine.len);
		l->engine_len = m->engine.len;
		l->questions = 0;
		take_clock(l, m, now);
		send_all_now(l, now);
		return;
	}
	for (size_t i = 0; i < DIAL_INFORMS_MAX && !is_ours; i++)
		is_ours = l->at[i].used && l->at[i].request == m->id;
	if (!is_ours)
		return;
	if (answer->counter == UNKNOWN_ENGINES) { /* another one than before: it is asked again */
		l->engine_len = 0;
		l->question_due = now + WAIT_FIRST;
	}
	dial_failed(&link->state, answer->counter == UNKNOWN_USERS ? "the receiver does not know the SNMP user" :
		    answer->counter == WRONG_DIGESTS ? "the receiver has another password of the SNMP user" :
		    answer->counter == DECRYPTION_ERRORS ? "the receiver has another privacy password of the SNMP user" :
		    answer->counter == UNSUPPORTED_LEVELS ? "the receiver has the SNMP user without that level" :
		    "the receiver reports another trouble of SNMPv3", 0);
}

/* The PDU of a message that must be signed, and encrypted, as the host's level says. */
static bool open_signed(const struct trap_link *link, const struct snmp_message *m, uint8_t *bytes, uint8_t *plain,
			struct snmp_answer *ret)
{
	const struct usm_user *user = trap_user_of(link->informs->dial, link->host.name);
	struct snmp_failure failure;
	struct ber whole, scoped = m->scoped, pdu;

	if (!user || !text_equal(m->user, text_of(user->name)) || usm_check(user, m, bytes) != USM_FINE)
		return false;
	if (m->flags & SNMP_FLAG_PRIV) {
		if (m->encrypted.len > SNMP_SEND_MAX || usm_decrypt(user, m, plain) != USM_FINE)
			return false;
		whole = ber_of(plain, m->encrypted.len);
		if (!ber_enter(&whole, BER_SEQUENCE, "no scoped PDU", &scoped))
			return false;
	}
	if (snmp_read_scoped(scoped, &pdu, &failure) < 0 || !snmp_read_answer(pdu, ret))
		return false;
	return ret->is_report || link->host.security != NOTIFY_V3_PRIV || m->flags & SNMP_FLAG_PRIV;
}

static bool is_fresh(const struct inform_link *l, const struct snmp_message *m, int64_t now)
{
	int64_t expected = l->time + (now - l->told) / SECOND_NS;

	return m->boots > l->boots || (m->boots == l->boots && m->time >= expected - WINDOW_S);
}

static void take_v3(struct trap_link *link, const struct snmp_message *m, uint8_t *bytes, int64_t now)
{
	struct inform_link *l = link->informs;
	uint8_t plain[SNMP_SEND_MAX];
	struct snmp_failure failure;
	struct snmp_answer answer;
	struct ber pdu;

	if (!(m->flags & SNMP_FLAG_AUTH)) {
		if (snmp_read_scoped(m->scoped, &pdu, &failure) < 0 || !snmp_read_answer(pdu, &answer))
			return;
		if (answer.is_report)
			take_unsigned_report(link, m, &answer, now);
		else if (link->host.security == NOTIFY_V3_NOAUTH)
			take_response(link, &answer);
		return;
	}
	if (!text_equal(m->engine, (struct text){ (const char *)l->engine, l->engine_len }) ||
	    !open_signed(link, m, bytes, plain, &answer))
		return;
	if (answer.is_report && answer.counter == NOT_IN_WINDOWS) { /* signed: that is its clock (RFC 3414 2.3) */
		take_clock(l, m, now);
		send_all_now(l, now);
	} else if (!answer.is_report && is_fresh(l, m, now)) {
		take_clock(l, m, now);
		take_response(link, &answer);
	}
}

static void take_datagram(struct trap_link *link, uint8_t *bytes, size_t len, int64_t now)
{
	struct snmp_failure failure;
	struct snmp_message message;
	struct snmp_answer answer;

	if (snmp_read_message(bytes, len, &message, &failure) < 0)
		return;
	if (is_v3(link) && message.version == 3)
		take_v3(link, &message, bytes, now);
	else if (!is_v3(link) && message.version == 2 && text_equal(message.community, text_of(link->host.name)) &&
		 snmp_read_answer(message.pdu, &answer) && !answer.is_report)
		take_response(link, &answer);
}

static void on_answer(void *context, uint32_t events)
{
	struct trap_link *link = context;
	struct dial *dial = link->informs->dial;
	int64_t now = loop_now(dial->member->loop);
	uint8_t bytes[2 * SNMP_SEND_MAX];

	(void)events;
	for (int i = 0; i < READ_AT_ONCE; i++) {
		ssize_t n = recv(link->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			dial_failed(&link->state, "the inform comes back", -errno);
		else
			take_datagram(link, bytes, (size_t)n, now);
	}
	link->state.waiting = count_waiting(link->informs);
	loop_timer_at(dial->timer, now); /* what is due now is sent */
}
