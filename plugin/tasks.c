/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The task that carries an order into an exchange: charon builds the message when its turn comes, encrypts, sends, sends
 * again, and brings the answer. It never touches a child, so that whatever the peer answers harms nothing here.
 */
#include "spimend.h"

#include <encoding/payloads/delete_payload.h>
#include <encoding/payloads/notify_payload.h>
#include <sa/ikev2/tasks/child_delete.h>

typedef struct {
	child_delete_t public; /* first: charon casts every TASK_CHILD_DELETE to it */
	spimend_t *plugin;     /* borrows: outlives all IKE SAs */
	ike_sa_t *ike_sa;      /* borrows: owns us */
	uint32_t number;
	enum plugin_kind kind;
	protocol_id_t protocol;
	uint32_t spi; /* network order */
	bool v1, done;
} spi_task_t;

METHOD(child_delete_t, task_child, child_sa_t *, spi_task_t *this)
{
	return NULL;
}

/* What decides when, and as which exchange, it goes out. IKEv2's DELETE comes before a CREATE_CHILD_SA that waits too, so
 * that a new child does not meet the stale one. */
METHOD(task_t, task_type, task_type_t, spi_task_t *this)
{
	if (this->v1)
		return TASK_INFORMATIONAL;
	return this->kind == PLUGIN_DELETE ? TASK_CHILD_DELETE : TASK_IKE_DPD;
}

METHOD(task_t, task_migrate, void, spi_task_t *this, ike_sa_t *ike_sa)
{
	this->ike_sa = ike_sa;
}

METHOD(task_t, task_destroy, void, spi_task_t *this)
{
	/* gone without an answer: so is the IKE SA, or it is about to go */
	if (!this->done)
		orders_end(this->plugin, this->number, PLUGIN_IKE_GONE, NULL);
	free(this);
}

static void add_delete(spi_task_t *this, message_t *message)
{
	delete_payload_t *d = delete_payload_create(this->v1 ? PLV1_DELETE : PLV2_DELETE, this->protocol);

	d->add_spi(d, this->spi);
	message->add_payload(message, &d->payload_interface);
}

/* RFC 7296 3.10.1: INVALID_SPI has SPI size 0 and the SPI as data. RFC 2408 3.14: the SPI field is the one that fits. */
static void add_invalid_spi(spi_task_t *this, message_t *message)
{
	notify_payload_t *n = notify_payload_create_from_protocol_and_type(
		this->v1 ? PLV1_NOTIFY : PLV2_NOTIFY, this->v1 ? this->protocol : PROTO_NONE, INVALID_SPI);

	if (this->v1)
		n->set_spi(n, this->spi);
	n->set_notification_data(n, chunk_from_thing(this->spi));
	message->add_payload(message, &n->payload_interface);
}

/* Nothing goes out, and the next task gets its turn. */
static status_t skip(spi_task_t *this, message_t *message)
{
	if (!this->v1) {
		message->set_exchange_type(message, EXCHANGE_TYPE_UNDEFINED);
		return SUCCESS; /* the task manager frees us */
	}
	this->ike_sa->flush_queue(this->ike_sa, TASK_QUEUE_ACTIVE); /* frees us: quick_delete does the same */
	return ALREADY_DONE;
}

METHOD(task_t, task_build, status_t, spi_task_t *this, message_t *message)
{
	/* it may have waited: does anybody want it still, and has the SPI become ours meanwhile? */
	if (this->kind == PLUGIN_DELETE && this->ike_sa->get_child_sa(this->ike_sa, this->protocol, this->spi, TRUE)) {
		this->done = TRUE;
		orders_end(this->plugin, this->number, PLUGIN_OURS, NULL);
		return skip(this, message);
	}
	if (!orders_send(this->plugin, this->number, this->v1)) {
		this->done = TRUE;
		return skip(this, message);
	}
	if (this->kind == PLUGIN_DELETE) {
		DBG1(DBG_IKE, "spimend: sending DELETE for %N SPI %.8x", protocol_id_names, this->protocol,
		     ntohl(this->spi));
		add_delete(this, message);
	} else if (this->kind == PLUGIN_INVALID_SPI) {
		add_invalid_spi(this, message);
	}
	if (!this->v1)
		return NEED_MORE;
	this->done = TRUE;
	orders_end(this->plugin, this->number, PLUGIN_SENT, NULL); /* nobody acknowledges it */
	return SUCCESS;
}

/* The peer deletes the other half of the pair: its own inbound SPI, which a stale child of ours may still send with. */
static enum plugin_outcome read_deletes(spi_task_t *this, message_t *message, struct plugin_message *more)
{
	enumerator_t *payloads = message->create_payload_enumerator(message), *spis;
	enum plugin_outcome outcome = PLUGIN_PEER_HAD_NONE;
	child_sa_t *child;
	payload_t *p;
	uint32_t spi;

	while (payloads->enumerate(payloads, &p)) {
		delete_payload_t *d = (delete_payload_t *)p;

		if (p->get_type(p) != PLV2_DELETE || d->get_protocol_id(d) != this->protocol)
			continue;
		spis = d->create_spi_enumerator(d);
		while (outcome == PLUGIN_PEER_HAD_NONE && spis->enumerate(spis, &spi)) {
			outcome = PLUGIN_PEER_OWNED;
			more->peer_spi = ntohl(spi);
			more->present |= HAS(PEER_SPI);
			child = this->ike_sa->get_child_sa(this->ike_sa, this->protocol, spi, FALSE);
			if (child) {
				more->child_id = child->get_unique_id(child);
				more->flags = PLUGIN_IN_USE;
				more->present |= HAS(CHILD_ID) | HAS(FLAGS);
			}
		}
		spis->destroy(spis);
	}
	payloads->destroy(payloads);
	return outcome;
}

METHOD(task_t, task_process, status_t, spi_task_t *this, message_t *message)
{
	struct plugin_message more = { .ike_id = this->ike_sa->get_unique_id(this->ike_sa), .present = HAS(IKE_ID) };
	enum plugin_outcome outcome = PLUGIN_DONE;

	if (this->kind == PLUGIN_DELETE)
		outcome = read_deletes(this, message, &more);
	this->done = TRUE;
	orders_end(this->plugin, this->number, outcome, &more);
	return SUCCESS;
}

task_t *task_for(spimend_t *plugin, ike_sa_t *ike_sa, const order_t *o)
{
	spi_task_t *this;

	INIT(this,
	     .public = { .task = { .get_type = _task_type, .build = _task_build, .process = _task_process,
				   .migrate = _task_migrate, .destroy = _task_destroy },
			 .get_child = _task_child },
	     .plugin = plugin, .ike_sa = ike_sa, .number = o->number, .kind = o->message.kind,
	     .protocol = o->message.protocol == IPPROTO_AH ? PROTO_AH : PROTO_ESP, .spi = htonl(o->message.spi),
	     .v1 = ike_sa->get_version(ike_sa) == IKEV1);
	return &this->public.task;
}
