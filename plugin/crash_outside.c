/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Quick crash detection (RFC 6290), what is said outside IKE SAs. The end that forgot answers a request over an IKE SA that
 * it does not have with the token of that IKE SA; the other end, to which it was given, drops that IKE SA and begins anew.
 *
 * What must hold: a token is never told while its IKE SA lives here (9.2), it is good once, and whatever anybody sends costs
 * a bounded number of answers of about its own size. A bus listener calls from under the bus's lock, where nothing may
 * wait for an IKE SA: the work is done in jobs.
 */
#include "crash.h"

#include <encoding/message.h>
#include <processing/jobs/callback_job.h>

#define IKE_HEADER 28
#define NOTIFY 41
#define NOTIFY_HEADER 8
#define FLAG_INITIATOR 0x08
#define FLAG_RESPONSE 0x20
#define ANSWER_BYTES (IKE_HEADER + NOTIFY_HEADER + NOTIFY_HEADER + TOKEN_BYTES)
#define QUESTION_BYTES_MIN 57 /* no AEAD in use makes a shorter protected request: header, SK, IV 8, pad 1, ICV 16 */

static const rate_t answers_each = { 1000, 4 }, answers_total = { 200000, 400 };        /* a second: 1; 200 */
static const rate_t presented_each = { 20000, 40 }, presented_total = { 1000000, 2000 };
static const rate_t drops_each = { 200, 4 }, drops_total = { 100000, 1000 };            /* one in 5 s; 100 a second */

ike_sa_t *crash_checkout(uint64_t spi_i, uint64_t spi_r, bool initiator)
{
	ike_sa_id_t *id = ike_sa_id_create(IKEV2_MAJOR_VERSION, spi_i, spi_r, initiator);
	ike_sa_t *ike_sa = charon->ike_sa_manager->checkout(charon->ike_sa_manager, id);

	id->destroy(id);
	return ike_sa;
}

/* --- the end that forgot --------------------------------------------------------------------------------------------- */

struct question_t {
	question_t *next; /* owns */
	host_t *local, *remote; /* owns */
	uint64_t spi_i, spi_r;
	uint32_t message_id;
	uint8_t exchange;
	bool initiator; /* we were, of the IKE SA that is asked about */
};

static void free_question(question_t *q)
{
	q->local->destroy(q->local);
	q->remote->destroy(q->remote);
	free(q);
}

/* As either end: a forged flag must not make one that lives look like one that does not. */
static bool lives_here(uint64_t spi_i, uint64_t spi_r)
{
	for (unsigned initiator = 0; initiator < 2; initiator++) {
		ike_sa_t *ike_sa = crash_checkout(spi_i, spi_r, initiator);

		if (ike_sa) {
			charon->ike_sa_manager->checkin(charon->ike_sa_manager, ike_sa);
			return TRUE;
		}
	}
	return FALSE;
}

static unsigned char *put_notify(unsigned char *at, uint8_t next, uint8_t protocol, uint16_t type, chunk_t data)
{
	at[0] = next;
	at[1] = 0;
	htoun16(at + 2, NOTIFY_HEADER + data.len);
	at[4] = protocol;
	at[5] = 0;
	htoun16(at + 6, type);
	memcpy(at + NOTIFY_HEADER, data.ptr, data.len);
	return at + NOTIFY_HEADER + data.len;
}

/* RFC 7296 1.5: the SPIs, the message ID and the exchange are the request's; RFC 6290 4.5: both notifies. */
static void answer(spimend_t *this, const question_t *q)
{
	unsigned char token[TOKEN_BYTES], bytes[ANSWER_BYTES] = { 0 }, *at = bytes + IKE_HEADER;
	struct plugin_message m = { .kind = PLUGIN_TOKEN_SENT, .local = address_of(q->local), .remote = address_of(q->remote),
				    .local_port = q->local->get_port(q->local), .remote_port = q->remote->get_port(q->remote),
				    .ike_spi_i = be64toh(q->spi_i), .ike_spi_r = be64toh(q->spi_r),
				    .present = HAS(LOCAL) | HAS(REMOTE) | HAS(LOCAL_PORT) | HAS(REMOTE_PORT) |
					       HAS(IKE_SPI_I) | HAS(IKE_SPI_R) };

	if (lives_here(q->spi_i, q->spi_r) || !crash_token(this, q->spi_i, q->spi_r, q->initiator, token))
		return;
	memcpy(bytes, &q->spi_i, 8);
	memcpy(bytes + 8, &q->spi_r, 8);
	bytes[16] = NOTIFY;
	bytes[17] = 0x20;
	bytes[18] = q->exchange;
	bytes[19] = FLAG_RESPONSE | (q->initiator ? FLAG_INITIATOR : 0);
	htoun32(bytes + 20, q->message_id);
	htoun32(bytes + 24, sizeof(bytes));
	at = put_notify(at, NOTIFY, 0, INVALID_IKE_SPI, chunk_empty);
	put_notify(at, 0, PROTO_IKE, QUICK_CRASH_DETECTION, chunk_from_thing(token));
	outside_send(q->local, q->remote, chunk_from_thing(bytes));
	memwipe(token, sizeof(token));
	memwipe(bytes, sizeof(bytes));
	if (limit_allow_report(this, m.kind))
		channel_report(this, &m);
}

/* Until none waits. */
static job_requeue_t answer_all(spimend_t *this)
{
	crash_t *crash = this->crash;
	question_t *q;

	do {
		pthread_mutex_lock(&this->lock);
		q = crash->questions;
		if (q) {
			crash->questions = q->next;
			if (!crash->questions)
				crash->last_question = &crash->questions;
			crash->asked--;
		} else {
			crash->answering--;
		}
		pthread_mutex_unlock(&this->lock);
		if (q) {
			answer(this, q);
			free_question(q);
		}
	} while (q);
	return JOB_REQUEUE_NONE;
}

void crash_free_questions(crash_t *crash)
{
	while (crash->questions) {
		question_t *q = crash->questions;

		crash->questions = q->next;
		free_question(q);
	}
}

/* A protected request that a peer which was given a token may send: it holds one only once its IKE SA is up. */
static bool is_question(message_t *message, chunk_t bytes)
{
	payload_type_t first = message->get_first_payload_type(message);
	exchange_type_t exchange = message->get_exchange_type(message);

	return message->get_major_version(message) == 2 && message->get_request(message) &&
	       (exchange == INFORMATIONAL || exchange == CREATE_CHILD_SA) &&
	       (first == PLV2_ENCRYPTED || first == PLV2_FRAGMENT) && bytes.len >= QUESTION_BYTES_MIN &&
	       message->get_initiator_spi(message) && message->get_responder_spi(message);
}

void crash_asked(spimend_t *this, message_t *message)
{
	chunk_t bytes = message->get_packet_data(message);
	host_t *from = message->get_source(message), *to = message->get_destination(message);
	crash_t *crash = this->crash;
	bool taken, more;
	question_t *q;

	if (!crash_is_on(this) || !is_question(message, bytes) ||
	    !limit_allow(this, &this->crash->answers, &answers_each, &answers_total, from))
		return;
	INIT(q, .local = to->clone(to), .remote = from->clone(from), .spi_i = message->get_initiator_spi(message),
	     .spi_r = message->get_responder_spi(message), .message_id = message->get_message_id(message),
	     .exchange = bytes.ptr[18], .initiator = !(bytes.ptr[19] & FLAG_INITIATOR));
	pthread_mutex_lock(&this->lock);
	taken = crash->asked < QUESTIONS_MAX;
	if (taken) {
		*crash->last_question = q;
		crash->last_question = &q->next;
		crash->asked++;
	}
	more = taken && crash->answering < ANSWERING_MAX;
	crash->answering += more;
	pthread_mutex_unlock(&this->lock);
	if (!taken)
		free_question(q);
	if (more)
		lib->processor->queue_job(lib->processor, (job_t *)callback_job_create_with_prio(
			(callback_job_cb_t)answer_all, this, NULL, NULL, JOB_PRIO_HIGH));
}

/* --- the end that remembers ------------------------------------------------------------------------------------------ */

typedef struct {
	spimend_t *this; /* borrows */
	uint64_t spi_i, spi_r;
	bool initiator;
} drop_t;

/* Another IKE SA with that peer is up: the end that forgot was quicker, and what it made is not doubled. The table is not
 * waited for, so that nobody waits for the IKE SA that we hold. */
static bool has_successor(ike_sa_t *ike_sa)
{
	enumerator_t *all = charon->ike_sa_manager->create_enumerator(charon->ike_sa_manager, FALSE);
	identification_t *peer = ike_sa->get_other_id(ike_sa), *its;
	bool found = FALSE;
	ike_sa_t *other;

	while (!found && all->enumerate(all, &other)) {
		its = other->get_other_id(other);
		found = other != ike_sa && other->get_state(other) == IKE_ESTABLISHED && peer->equals(peer, its) &&
			streq(other->get_name(other), ike_sa->get_name(ike_sa)) && other->get_child_count(other);
	}
	all->destroy(all);
	charon->bus->set_sa(charon->bus, ike_sa);
	return found;
}

/* What charon does when a peer does not answer any more, at once, and whatever dpd_action says: all children that were
 * there are negotiated anew. It refuses where only the peer can (a client with an address of our pool, EAP). */
static bool begin_anew(ike_sa_t *ike_sa)
{
	ike_sa_state_t state = ike_sa->get_state(ike_sa);

	if ((state != IKE_ESTABLISHED && state != IKE_REKEYING) || has_successor(ike_sa))
		return FALSE;
	ike_sa->set_condition(ike_sa, COND_REAUTHENTICATING, TRUE);
	return ike_sa->reestablish(ike_sa) == SUCCESS;
}

static job_requeue_t drop(drop_t *d)
{
	ike_sa_manager_t *manager = charon->ike_sa_manager;
	ike_sa_t *ike_sa = crash_checkout(d->spi_i, d->spi_r, d->initiator);
	struct plugin_message m = { .kind = PLUGIN_CRASH_DETECTED,
				    .present = HAS(IKE_ID) | HAS(FLAGS) | HAS(LOCAL) | HAS(REMOTE) };
	ike_sa_state_t state;

	if (!ike_sa)
		return JOB_REQUEUE_NONE;
	if (layout_of_ike_sa(ike_sa)) {
		manager->checkin(manager, ike_sa);
		return JOB_REQUEUE_NONE;
	}
	state = ike_sa->get_state(ike_sa);
	m.ike_id = ike_sa->get_unique_id(ike_sa);
	m.local = address_of(ike_sa->get_my_host(ike_sa));
	m.remote = address_of(ike_sa->get_other_host(ike_sa));
	DBG1(DBG_IKE, "spimend: %H proved that it has lost IKE_SA %s[%u], dropping it (RFC 6290)",
	     ike_sa->get_other_host(ike_sa), ike_sa->get_name(ike_sa), m.ike_id);
	reports_closing(d->this, m.ike_id, 0, PLUGIN_WHY_PEER_CRASHED);
	m.flags = begin_anew(ike_sa) ? PLUGIN_ANEW : 0;
	channel_report(d->this, &m);
	if (state != IKE_CONNECTING && state != IKE_REKEYED)
		charon->bus->ike_updown(charon->bus, ike_sa, FALSE); /* as charon does before it gives one up */
	manager->checkin_and_destroy(manager, ike_sa);
	return JOB_REQUEUE_NONE;
}

/* Whether one of the digests is that of the IKE SA's token; then it is good no more. A peer that crashes again within the
 * limit of its drops is believed when it is asked again: the token stays. */
static bool redeem(spimend_t *this, drop_t *d, unsigned char digests[][DIGEST_BYTES], unsigned count)
{
	bool matched = FALSE, dropped;
	token_t **at;

	pthread_mutex_lock(&this->lock);
	at = crash_find(this->crash, d->spi_i, d->spi_r);
	for (unsigned i = 0; at && i < count; i++)
		matched |= memeq_const((*at)->digest, digests[i], DIGEST_BYTES);
	dropped = matched && limit_take(&this->crash->drops, &drops_each, &drops_total, (*at)->remote);
	if (dropped) {
		d->initiator = (*at)->initiator;
		crash_forget(this->crash, at);
	}
	pthread_mutex_unlock(&this->lock);
	if (dropped) {
		drop_t *job;

		INIT(job, .this = this, .spi_i = d->spi_i, .spi_r = d->spi_r, .initiator = d->initiator);
		lib->processor->queue_job(lib->processor, (job_t *)callback_job_create_with_prio(
			(callback_job_cb_t)drop, job, free, NULL, JOB_PRIO_HIGH));
	}
	return matched;
}

static void report_refused(spimend_t *this, message_t *message, bool lives)
{
	host_t *from = message->get_source(message), *to = message->get_destination(message);
	struct plugin_message m = { .kind = PLUGIN_TOKEN_REFUSED, .local = address_of(to), .remote = address_of(from),
				    .local_port = to->get_port(to), .remote_port = from->get_port(from),
				    .ike_spi_i = be64toh(message->get_initiator_spi(message)),
				    .ike_spi_r = be64toh(message->get_responder_spi(message)),
				    .flags = lives ? PLUGIN_SA_LIVES : 0,
				    .present = HAS(LOCAL) | HAS(REMOTE) | HAS(LOCAL_PORT) | HAS(REMOTE_PORT) |
					       HAS(IKE_SPI_I) | HAS(IKE_SPI_R) | HAS(FLAGS) };

	if (limit_allow_report(this, m.kind))
		channel_report(this, &m);
}

static bool is_kept(spimend_t *this, uint64_t spi_i, uint64_t spi_r)
{
	bool kept;

	pthread_mutex_lock(&this->lock);
	kept = crash_find(this->crash, spi_i, spi_r) != NULL;
	pthread_mutex_unlock(&this->lock);
	return kept;
}

/* RFC 6290 4.5: any of the tokens may be the one; 3: from whatever address it comes. */
void crash_presented(spimend_t *this, message_t *message, const chunk_t *tokens, unsigned count)
{
	unsigned char digests[TOKENS_AT_ONCE][DIGEST_BYTES];
	host_t *from = message->get_source(message);
	drop_t d = { .spi_i = message->get_initiator_spi(message), .spi_r = message->get_responder_spi(message) };
	unsigned made = 0;

	if (!crash_is_on(this))
		return;
	if (!is_kept(this, d.spi_i, d.spi_r)) { /* it costs nothing, and is what most forgers can say */
		report_refused(this, message, FALSE);
		return;
	}
	if (!limit_allow(this, &this->crash->presented, &presented_each, &presented_total, from)) {
		channel_count_lost(this);
		return;
	}
	for (unsigned i = 0; i < count && i < TOKENS_AT_ONCE; i++)
		if (tokens[i].len >= TOKEN_BYTES_MIN && tokens[i].len <= TOKEN_BYTES_MAX &&
		    crash_mac(this->crash->pepper, tokens[i], digests[made]))
			made++;
	if (!redeem(this, &d, digests, made))
		report_refused(this, message, TRUE);
}
