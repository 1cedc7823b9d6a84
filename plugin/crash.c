/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Quick crash detection (RFC 6290), what is said inside IKE SAs: each end hands the other a token that it can make again
 * from the IKE SPIs alone, whatever it forgets. crash_outside.c has what is said when one end did forget.
 *
 * Of a peer's token only a digest is kept, for as long as its IKE SA lives. IKEv2 alone. Under the lock: all of crash_t
 * but `switching` and `path`.
 */
#include "spimend.h"
#include "crash.h"

#include <encoding/message.h>
#include <encoding/payloads/notify_payload.h>
#include <processing/jobs/callback_job.h>

#define FOLLOW_UP_MS 100       /* after a rekey, so that its own exchange is over */
#define LABEL "spimend RFC 6290 token"

/* What this thread handles now: the message that came last, and what happened since. */
static __thread struct {
	uint32_t ike_id;
	bool response;              /* it was one */
	bool heard;                 /* a token came with it, for the IKE SA that it makes */
	unsigned char digest[DIGEST_BYTES];
	bool made;                  /* an IKE SA was made by rekeying ike_id, with these: */
	uint64_t spi_i, spi_r;
} handling;

bool crash_mac(const unsigned char key[SECRET_BYTES], chunk_t data, unsigned char to[DIGEST_BYTES])
{
	prf_t *prf = lib->crypto->create_prf(lib->crypto, PRF_HMAC_SHA2_256);
	bool made = prf && prf->get_block_size(prf) == DIGEST_BYTES &&
		    prf->set_key(prf, chunk_create((unsigned char *)key, SECRET_BYTES)) && prf->get_bytes(prf, data, to);

	DESTROY_IF(prf);
	return made;
}

/* --- our own tokens: the maker --------------------------------------------------------------------------------------- */

bool crash_token(spimend_t *this, uint64_t spi_i, uint64_t spi_r, bool initiator, unsigned char to[TOKEN_BYTES])
{
	unsigned char key[SECRET_BYTES], digest[DIGEST_BYTES], role = initiator;
	chunk_t data;
	bool made;

	pthread_mutex_lock(&this->lock);
	made = this->crash->on;
	memcpy(key, this->crash->secret, sizeof(key));
	pthread_mutex_unlock(&this->lock);
	/* the role: two ends that have the same secret (a copied machine) must not know each other's */
	data = chunk_cata("cccc", chunk_from_str(LABEL), chunk_from_thing(spi_i), chunk_from_thing(spi_r),
			  chunk_from_thing(role));
	made = made && crash_mac(key, data, digest);
	memcpy(to, digest, TOKEN_BYTES);
	memwipe(key, sizeof(key));
	memwipe(digest, sizeof(digest));
	return made;
}

static void add_token(spimend_t *this, message_t *message, uint64_t spi_i, uint64_t spi_r, bool initiator)
{
	unsigned char token[TOKEN_BYTES];
	notify_payload_t *n;

	if (crash_token(this, spi_i, spi_r, initiator, token)) {
		/* RFC 6290 4.1: protocol IKE, no SPI */
		n = notify_payload_create_from_protocol_and_type(PLV2_NOTIFY, PROTO_IKE, QUICK_CRASH_DETECTION);
		n->set_notification_data(n, chunk_from_thing(token));
		message->add_payload(message, &n->payload_interface);
	}
	memwipe(token, sizeof(token));
}

/* RFC 6290 4.2: the first IKE_AUTH request and the last response; 4.3: who responds to a rekey says it in the response. */
static void say_token(spimend_t *this, ike_sa_t *ike_sa, message_t *message)
{
	ike_sa_id_t *id = ike_sa->get_id(ike_sa);
	bool request = message->get_request(message);

	if (message->get_exchange_type(message) == IKE_AUTH) {
		if (request ? message->get_message_id(message) == 1 : ike_sa->get_state(ike_sa) == IKE_ESTABLISHED)
			add_token(this, message, id->get_initiator_spi(id), id->get_responder_spi(id), id->is_initiator(id));
	} else if (message->get_exchange_type(message) == CREATE_CHILD_SA && !request && handling.made &&
		   handling.ike_id == ike_sa->get_unique_id(ike_sa)) {
		add_token(this, message, handling.spi_i, handling.spi_r, FALSE);
		handling.made = FALSE;
	}
}

/* Over an IKE SA that exists already: the token of the one that it goes out on, should that have been rekeyed meanwhile. */
typedef struct {
	task_t public;
	spimend_t *plugin; /* borrows: outlives all IKE SAs */
	ike_sa_t *ike_sa;  /* borrows: owns us */
} token_task_t;

METHOD(task_t, token_build, status_t, token_task_t *this, message_t *message)
{
	ike_sa_id_t *id = this->ike_sa->get_id(this->ike_sa);

	add_token(this->plugin, message, id->get_initiator_spi(id), id->get_responder_spi(id), id->is_initiator(id));
	return NEED_MORE;
}

METHOD(task_t, token_process, status_t, token_task_t *this, message_t *message)
{
	return SUCCESS;
}

METHOD(task_t, token_type, task_type_t, token_task_t *this)
{
	return TASK_IKE_DPD;
}

METHOD(task_t, token_migrate, void, token_task_t *this, ike_sa_t *ike_sa)
{
	this->ike_sa = ike_sa;
}

METHOD(task_t, token_destroy, void, token_task_t *this)
{
	free(this);
}

typedef struct {
	spimend_t *this; /* borrows */
	uint64_t spi_i, spi_r;
	bool initiator;
} follow_up_t;

static job_requeue_t follow_up(follow_up_t *f)
{
	ike_sa_manager_t *manager = charon->ike_sa_manager;
	ike_sa_t *ike_sa = crash_checkout(f->spi_i, f->spi_r, f->initiator);
	status_t status = SUCCESS;
	token_task_t *task;

	if (!ike_sa)
		return JOB_REQUEUE_NONE;
	if (ike_sa->get_state(ike_sa) == IKE_ESTABLISHED) {
		INIT(task, .public = { .get_type = _token_type, .build = _token_build, .process = _token_process,
				       .migrate = _token_migrate, .destroy = _token_destroy },
		     .plugin = f->this, .ike_sa = ike_sa);
		ike_sa->queue_task(ike_sa, &task->public);
		status = ike_sa->initiate(ike_sa, NULL, NULL); /* starts what is queued */
	}
	if (status == DESTROY_ME)
		manager->checkin_and_destroy(manager, ike_sa);
	else
		manager->checkin(manager, ike_sa);
	return JOB_REQUEUE_NONE;
}

/* --- the tokens of peers: the taker --------------------------------------------------------------------------------- */

/* Our own SPI is random, whoever the peer is. */
static unsigned slot_of(uint64_t spi_i, uint64_t spi_r, bool initiator)
{
	uint64_t ours = initiator ? spi_i : spi_r;

	return (unsigned)(ours ^ ours >> 32) % TOKEN_SLOTS;
}

/* Under the lock. The place of its pointer, or NULL. */
token_t **crash_find(crash_t *crash, uint64_t spi_i, uint64_t spi_r)
{
	for (unsigned initiator = 0; initiator < 2; initiator++)
		for (token_t **t = &crash->tokens[slot_of(spi_i, spi_r, initiator)]; *t; t = &(*t)->next)
			if ((*t)->spi_i == spi_i && (*t)->spi_r == spi_r && (*t)->initiator == (initiator == 1))
				return t;
	return NULL;
}

/* Under the lock. */
void crash_forget(crash_t *crash, token_t **at)
{
	token_t *t = *at;

	*at = t->next;
	crash->count--;
	t->remote->destroy(t->remote);
	memwipe(t, sizeof(*t));
	free(t);
}

/* RFC 6290 4.4: a later one takes the place of the first. */
static void keep_digest(spimend_t *this, ike_sa_t *ike_sa, const unsigned char digest[DIGEST_BYTES])
{
	crash_t *crash = this->crash;
	ike_sa_id_t *id = ike_sa->get_id(ike_sa);
	uint64_t spi_i = id->get_initiator_spi(id), spi_r = id->get_responder_spi(id);
	host_t *remote = ike_sa->get_other_host(ike_sa);
	token_t **at, *t = NULL;

	remote = remote->clone(remote);
	pthread_mutex_lock(&this->lock);
	at = crash_find(crash, spi_i, spi_r);
	if (at) {
		t = *at;
	} else if (crash->count < TOKENS_MAX) {
		at = &crash->tokens[slot_of(spi_i, spi_r, id->is_initiator(id))];
		INIT(t, .next = *at, .spi_i = spi_i, .spi_r = spi_r, .initiator = id->is_initiator(id), .remote = remote);
		*at = t;
		crash->count++;
		remote = NULL;
	}
	if (t)
		memcpy(t->digest, digest, DIGEST_BYTES);
	pthread_mutex_unlock(&this->lock);
	DESTROY_IF(remote);
	if (!t)
		DBG1(DBG_IKE, "spimend: no room for the token of another IKE_SA, over %u are kept", (u_int)TOKENS_MAX);
}

static bool is_known(spimend_t *this, ike_sa_t *ike_sa)
{
	ike_sa_id_t *id = ike_sa->get_id(ike_sa);
	bool known;

	pthread_mutex_lock(&this->lock);
	known = crash_find(this->crash, id->get_initiator_spi(id), id->get_responder_spi(id)) != NULL;
	pthread_mutex_unlock(&this->lock);
	return known;
}

static void hear_token(spimend_t *this, ike_sa_t *ike_sa, message_t *message)
{
	notify_payload_t *n = message->get_notify(message, QUICK_CRASH_DETECTION);
	exchange_type_t exchange = message->get_exchange_type(message);
	unsigned char digest[DIGEST_BYTES];
	chunk_t data;

	if (!n)
		return;
	data = n->get_notification_data(n);
	if (data.len < TOKEN_BYTES_MIN || data.len > TOKEN_BYTES_MAX) {
		DBG1(DBG_IKE, "spimend: ignored a token of %zu bytes", data.len);
		return;
	}
	if (!crash_mac(this->crash->pepper, data, digest))
		return;
	if (exchange == CREATE_CHILD_SA && handling.response) {
		handling.heard = TRUE; /* it is for the IKE SA that this makes: crash_rekeyed() */
		memcpy(handling.digest, digest, sizeof(handling.digest));
	} else if (exchange == IKE_AUTH || exchange == INFORMATIONAL) {
		keep_digest(this, ike_sa, digest);
	}
}

void crash_message(spimend_t *this, ike_sa_t *ike_sa, message_t *message, bool incoming)
{
	if (message->get_major_version(message) != 2)
		return;
	if (incoming) {
		memset(&handling, 0, sizeof(handling));
		handling.ike_id = ike_sa->get_unique_id(ike_sa);
		handling.response = !message->get_request(message);
	}
	if (!crash_is_on(this))
		return;
	if (incoming)
		hear_token(this, ike_sa, message);
	else
		say_token(this, ike_sa, message);
}

/* RFC 6290 4.3. Who responds says its token in that same exchange. Who began it, or lost a collision and so has no such
 * response, says it in an exchange of its own: only to a peer that gave us one, since no other is known to want it. */
void crash_rekeyed(spimend_t *this, ike_sa_t *old, ike_sa_t *new)
{
	ike_sa_id_t *id = new->get_id(new);
	follow_up_t *f;

	if (new->get_version(new) != IKEV2 || handling.ike_id != old->get_unique_id(old) || !crash_is_on(this))
		return;
	if (handling.heard && id->is_initiator(id)) /* of a collision the other one may be what lives on */
		keep_digest(this, new, handling.digest);
	if (!handling.response) {
		handling.made = TRUE;
		handling.spi_i = id->get_initiator_spi(id);
		handling.spi_r = id->get_responder_spi(id);
	} else if (handling.heard || is_known(this, old)) {
		INIT(f, .this = this, .spi_i = id->get_initiator_spi(id), .spi_r = id->get_responder_spi(id),
		     .initiator = id->is_initiator(id));
		lib->scheduler->schedule_job_ms(lib->scheduler, (job_t *)callback_job_create(
						(callback_job_cb_t)follow_up, f, free, NULL), FOLLOW_UP_MS);
	}
}

void crash_ike_gone(spimend_t *this, ike_sa_t *ike_sa)
{
	ike_sa_id_t *id = ike_sa->get_id(ike_sa);
	token_t **at;

	pthread_mutex_lock(&this->lock);
	at = crash_find(this->crash, id->get_initiator_spi(id), id->get_responder_spi(id));
	if (at)
		crash_forget(this->crash, at);
	pthread_mutex_unlock(&this->lock);
}

/* --- the switch ------------------------------------------------------------------------------------------------------- */

bool crash_is_on(spimend_t *this)
{
	bool on;

	pthread_mutex_lock(&this->lock);
	on = this->crash->on;
	pthread_mutex_unlock(&this->lock);
	return on;
}

static bool has_mac(crash_t *crash)
{
	unsigned char digest[DIGEST_BYTES];
	bool has = crash_mac(crash->pepper, chunk_empty, digest);

	if (!has)
		DBG1(DBG_CFG, "spimend: no quick crash detection: charon has no HMAC-SHA-256 (plugins hmac and sha2)");
	return has;
}

bool crash_switch(spimend_t *this, bool on)
{
	crash_t *crash = this->crash;
	unsigned char secret[SECRET_BYTES] = { 0 };
	bool was = crash_is_on(this);

	pthread_mutex_lock(&crash->switching);
	if (on)
		on = was || (has_mac(crash) && secret_load(crash->path, secret));
	else
		secret_put_away(crash->path);
	pthread_mutex_lock(&this->lock);
	if (!on || !was)
		memcpy(crash->secret, secret, sizeof(crash->secret));
	crash->on = on;
	pthread_mutex_unlock(&this->lock);
	pthread_mutex_unlock(&crash->switching);
	memwipe(secret, sizeof(secret));
	if (on != was)
		DBG1(DBG_CFG, "spimend: quick crash detection (RFC 6290) is %s", on ? "on" : "off");
	return on;
}

/* False: settings that cannot be. Whatever is wrong with a secret that is there: off, with a line in the log. */
bool crash_begin(spimend_t *this)
{
	const char *path = lib->settings->get_str(lib->settings, "%s.plugins.spimend.secret", SECRET_DEFAULT, lib->ns);

	if (*path != '/' || strlen(path) >= sizeof(this->crash->path)) {
		DBG1(DBG_CFG, "spimend: plugins.spimend.secret is not the full path of a file, or too long");
		return FALSE;
	}
	strcpy(this->crash->path, path);
	if (secret_is_there(path))
		crash_switch(this, TRUE);
	return TRUE;
}

crash_t *crash_create(void)
{
	crash_t *crash;

	INIT(crash, .count = 0);
	crash->last_question = &crash->questions;
	if (getrandom(crash->pepper, sizeof(crash->pepper), 0) != sizeof(crash->pepper)) {
		free(crash);
		return NULL;
	}
	pthread_mutex_init(&crash->switching, NULL);
	return crash;
}

void crash_destroy(crash_t *crash)
{
	for (unsigned i = 0; crash && i < TOKEN_SLOTS; i++)
		while (crash->tokens[i])
			crash_forget(crash, &crash->tokens[i]);
	if (!crash)
		return;
	crash_free_questions(crash);
	pthread_mutex_destroy(&crash->switching);
	memwipe(crash, sizeof(*crash));
	free(crash);
}
