/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Orders: taken, queued for a worker, put into an exchange, ended. Whoever ends an order first tells the client, whatever
 * comes later finds it ended: a deadline, an answer and the IKE SA's death may all come at once.
 */
#include "spimend.h"

#include <processing/jobs/callback_job.h>

typedef struct {
	spimend_t *this; /* borrows */
	uint32_t number;
} deadline_t;

static order_t *find_order(spimend_t *this, uint32_t number)
{
	for (unsigned i = 0; i < countof(this->orders); i++)
		if (this->orders[i].state != ORDER_FREE && this->orders[i].number == number)
			return &this->orders[i];
	return NULL;
}

static unsigned count_orders(spimend_t *this, bool late)
{
	unsigned count = 0;

	for (unsigned i = 0; i < countof(this->orders); i++)
		count += this->orders[i].state != ORDER_FREE && (this->orders[i].state == ORDER_LATE) == late;
	return count;
}

static struct plugin_message result_of(const order_t *o, enum plugin_kind kind, enum plugin_outcome outcome,
				       const struct plugin_message *more)
{
	struct plugin_message m = more ? *more : (struct plugin_message){ 0 };
	uint64_t took = now_us() - o->began_us;

	m.kind = kind;
	m.serial = o->message.serial;
	m.outcome = outcome;
	m.took_us = took > UINT32_MAX ? UINT32_MAX : (uint32_t)took;
	m.present |= HAS(OUTCOME) | HAS(TOOK_US);
	if (!(m.present & HAS(IKE_ID)) && (o->message.present & HAS(IKE_ID))) {
		m.ike_id = o->message.ike_id;
		m.present |= HAS(IKE_ID);
	}
	return m;
}

void orders_end(spimend_t *this, uint32_t number, enum plugin_outcome outcome, const struct plugin_message *more)
{
	struct plugin_message m;
	client_id_t client = { 0 };
	order_t *o;

	pthread_mutex_lock(&this->lock);
	o = find_order(this, number);
	if (o) {
		client = o->client;
		m = result_of(o, o->state == ORDER_LATE ? PLUGIN_LATE : PLUGIN_RESULT, outcome, more);
		memset(o, 0, sizeof(*o));
	}
	pthread_mutex_unlock(&this->lock);
	if (o)
		channel_answer(this, client, &m);
}

/* What was not sent is taken back: orders_send() will say no. What was sent goes on, and is told of when it ends. */
static job_requeue_t expire(deadline_t *d)
{
	spimend_t *this = d->this;
	struct plugin_message m;
	client_id_t client = { 0 };
	order_t *o;

	pthread_mutex_lock(&this->lock);
	o = find_order(this, d->number);
	if (o && o->state != ORDER_LATE) {
		client = o->client;
		m = result_of(o, PLUGIN_RESULT, o->state == ORDER_SENT ? PLUGIN_NO_REPLY : PLUGIN_WINDOW_TAKEN, NULL);
		/* IKEv1 has nobody who would tell of a late answer */
		if (o->state == ORDER_SENT && !o->v1 && count_orders(this, TRUE) < LATE_MAX)
			o->state = ORDER_LATE;
		else
			memset(o, 0, sizeof(*o));
	}
	pthread_mutex_unlock(&this->lock);
	if (client.generation)
		channel_answer(this, client, &m);
	return JOB_REQUEUE_NONE;
}

bool orders_send(spimend_t *this, uint32_t number, bool v1)
{
	bool may = FALSE;
	order_t *o;

	pthread_mutex_lock(&this->lock);
	o = find_order(this, number);
	if (o && o->state == ORDER_RUNS) {
		o->state = ORDER_SENT;
		o->v1 = v1;
		may = TRUE;
	}
	pthread_mutex_unlock(&this->lock);
	return may;
}

void orders_ike_heard(spimend_t *this, uint32_t ike_id, enum plugin_outcome outcome)
{
	uint32_t numbers[ORDERS_MAX + LATE_MAX];
	unsigned count = 0;

	pthread_mutex_lock(&this->lock);
	for (unsigned i = 0; i < countof(this->orders); i++) {
		order_t *o = &this->orders[i];

		if (o->state == ORDER_SENT && o->v1 && o->message.ike_id == ike_id && o->message.kind == PLUGIN_LIVENESS)
			numbers[count++] = o->number;
	}
	pthread_mutex_unlock(&this->lock);
	while (count)
		orders_end(this, numbers[--count], outcome, NULL);
}

/* Those of a connection that has closed: what was not sent is not sent any more. */
void orders_forget_client(spimend_t *this, client_id_t client)
{
	pthread_mutex_lock(&this->lock);
	for (unsigned i = 0; i < countof(this->orders); i++)
		if (this->orders[i].state != ORDER_FREE && this->orders[i].client.generation == client.generation)
			memset(&this->orders[i], 0, sizeof(this->orders[i]));
	pthread_mutex_unlock(&this->lock);
}

/* --- what a worker does ------------------------------------------------------------------------------------------------ */

enum plugin_outcome orders_refuse(struct plugin_message *more, enum plugin_outcome outcome, const char *why)
{
	snprintf(more->text, sizeof(more->text), "%s", why);
	more->present |= HAS(TEXT);
	return outcome;
}

static bool has_tasks(ike_sa_t *ike_sa, task_queue_t queue)
{
	enumerator_t *tasks = ike_sa->create_task_enumerator(ike_sa, queue);
	task_t *task;
	bool any = tasks->enumerate(tasks, &task);

	tasks->destroy(tasks);
	return any;
}

/* charon's own R-U-THERE, since its sequence numbers must go on from one to the next (RFC 3706 6.2) and only charon knows
 * them. With dpd_delay charon asks by itself, and each extra question would start another timer that never ends. */
static enum plugin_outcome are_you_there(spimend_t *this, ike_sa_t *ike_sa, const order_t *o, struct plugin_message *more,
					 status_t *ret_status)
{
	peer_cfg_t *peer = ike_sa->get_peer_cfg(ike_sa);

	if (!ike_sa->supports_extension(ike_sa, EXT_DPD))
		return orders_refuse(more, PLUGIN_UNSUPPORTED, "the peer does not do DPD");
	if (peer->get_dpd(peer))
		return orders_refuse(more, PLUGIN_UNSUPPORTED, "IKEv1 with dpd_delay: charon checks by itself");
	if (has_tasks(ike_sa, TASK_QUEUE_ACTIVE))
		return PLUGIN_WINDOW_TAKEN;
	if (orders_send(this, o->number, TRUE))
		*ret_status = ike_sa->send_dpd(ike_sa);
	return *ret_status == DESTROY_ME ? PLUGIN_IKE_GONE : PLUGIN_OUTCOMES;
}

/* PLUGIN_OUTCOMES: it is under way, and who ends it is somebody else. */
static enum plugin_outcome start_task(spimend_t *this, ike_sa_t *ike_sa, const order_t *o, struct plugin_message *more,
				      status_t *ret_status)
{
	peer_cfg_t *peer = ike_sa->get_peer_cfg(ike_sa);
	protocol_id_t protocol = o->message.protocol == IPPROTO_AH ? PROTO_AH : PROTO_ESP;

	if (ike_sa->get_state(ike_sa) != IKE_ESTABLISHED || !peer || peer->is_mediation(peer))
		return orders_refuse(more, PLUGIN_UNSUPPORTED, "the IKE SA is not established");
	if (o->message.kind == PLUGIN_DELETE && ike_sa->get_child_sa(ike_sa, protocol, htonl(o->message.spi), TRUE))
		return orders_refuse(more, PLUGIN_OURS, "this IKE SA has a child with that inbound SPI");
	if (o->message.kind == PLUGIN_LIVENESS && ike_sa->get_version(ike_sa) == IKEV1)
		return are_you_there(this, ike_sa, o, more, ret_status);
	ike_sa->queue_task(ike_sa, task_for(this, ike_sa, o));
	/* without a child to set up, this starts what is queued: charon's own retry does the same */
	*ret_status = ike_sa->initiate(ike_sa, NULL, NULL);
	return PLUGIN_OUTCOMES;
}

/* An exchange that runs may hold a pointer to the child (a rekey, a DELETE); one that is only queued looks it up. */
static enum plugin_outcome drop_child(spimend_t *this, ike_sa_t *ike_sa, const order_t *o, struct plugin_message *more)
{
	enumerator_t *children;
	child_sa_t *child, *found = NULL;
	child_sa_state_t state;

	children = ike_sa->create_child_sa_enumerator(ike_sa);
	while (children->enumerate(children, &child))
		if (child->get_unique_id(child) == o->message.child_id && child->get_spi(child, TRUE) == htonl(o->message.spi))
			found = child;
	children->destroy(children);
	if (!found)
		return PLUGIN_NOT_FOUND;
	if (has_tasks(ike_sa, TASK_QUEUE_ACTIVE) || has_tasks(ike_sa, TASK_QUEUE_PASSIVE))
		return orders_refuse(more, PLUGIN_BUSY, "an exchange of its IKE SA runs");
	state = found->get_state(found);
	DBG1(DBG_CFG, "spimend: dropping CHILD_SA %s{%u}, the peer is not told", found->get_name(found),
	     o->message.child_id);
	reports_closing(this, o->message.ike_id, o->message.child_id, PLUGIN_WHY_DROPPED);
	/* as charon itself does after a DELETE: listeners hear once of each child that was up */
	if (state == CHILD_INSTALLED || state == CHILD_REKEYING || state == CHILD_UPDATING) {
		found->set_state(found, CHILD_DELETED);
		charon->bus->child_updown(charon->bus, found, FALSE);
	}
	more->child_id = o->message.child_id;
	more->present |= HAS(CHILD_ID);
	return ike_sa->destroy_child_sa(ike_sa, found->get_protocol(found), htonl(o->message.spi)) == SUCCESS ?
		       PLUGIN_DONE : PLUGIN_NOT_FOUND;
}

static bool is_still_wanted(spimend_t *this, uint32_t number)
{
	order_t *o;
	bool wanted;

	pthread_mutex_lock(&this->lock);
	o = find_order(this, number);
	wanted = o && o->state == ORDER_RUNS;
	pthread_mutex_unlock(&this->lock);
	return wanted;
}

static void notify_outside(spimend_t *this, const order_t *o)
{
	enum plugin_outcome outcome = PLUGIN_OUTCOMES;
	struct plugin_message more = { 0 };

	if (is_still_wanted(this, o->number))
		outcome = outside_notify(this, &o->message, &more);
	if (outcome != PLUGIN_OUTCOMES)
		orders_end(this, o->number, outcome, &more);
}

static void execute(spimend_t *this, const order_t *o)
{
	ike_sa_manager_t *manager = charon->ike_sa_manager;
	ike_sa_t *ike_sa = manager->checkout_by_id(manager, o->message.ike_id); /* may wait for another thread */
	enum plugin_outcome outcome = PLUGIN_OUTCOMES;
	struct plugin_message more = { 0 };
	status_t status = SUCCESS;

	if (!ike_sa) {
		orders_end(this, o->number, PLUGIN_IKE_GONE, NULL);
		return;
	}
	if (layout_of_ike_sa(ike_sa)) {
		outcome = orders_refuse(&more, PLUGIN_UNSUPPORTED, "this charon has another ike_sa_t");
	} else if (is_still_wanted(this, o->number)) {
		if (o->message.kind == PLUGIN_DROP_CHILD)
			outcome = drop_child(this, ike_sa, o, &more);
		else
			outcome = start_task(this, ike_sa, o, &more, &status);
	}
	if (status == DESTROY_ME) /* the tasks end their orders as they go */
		manager->checkin_and_destroy(manager, ike_sa);
	else
		manager->checkin(manager, ike_sa);
	if (outcome != PLUGIN_OUTCOMES)
		orders_end(this, o->number, outcome, &more);
}

/* Takes the oldest queued order. */
static bool next_order(spimend_t *this, order_t *ret)
{
	order_t *oldest = NULL;

	pthread_mutex_lock(&this->lock);
	for (unsigned i = 0; i < countof(this->orders); i++) {
		order_t *o = &this->orders[i];

		if (o->state == ORDER_QUEUED && (!oldest || o->number - oldest->number > UINT32_MAX / 2))
			oldest = o;
	}
	if (oldest) {
		oldest->state = ORDER_RUNS;
		*ret = *oldest;
	} else {
		this->workers--;
	}
	pthread_mutex_unlock(&this->lock);
	return oldest != NULL;
}

static job_requeue_t work(spimend_t *this)
{
	order_t o;

	while (next_order(this, &o)) {
		if (o.message.kind == PLUGIN_NOTIFY_OUTSIDE)
			notify_outside(this, &o);
		else
			execute(this, &o);
	}
	return JOB_REQUEUE_NONE;
}

static void schedule_deadline(spimend_t *this, uint32_t number, uint32_t ms)
{
	deadline_t *d;

	INIT(d, .this = this, .number = number);
	lib->scheduler->schedule_job_ms(lib->scheduler,
					(job_t *)callback_job_create((callback_job_cb_t)expire, d, free, NULL), ms);
}

void orders_take(spimend_t *this, client_id_t client, const struct plugin_message *m)
{
	bool more_workers = FALSE;
	order_t *o = NULL;
	uint32_t number = 0;

	pthread_mutex_lock(&this->lock);
	for (unsigned i = 0; i < countof(this->orders) && !o && count_orders(this, FALSE) < ORDERS_MAX; i++)
		if (this->orders[i].state == ORDER_FREE)
			o = &this->orders[i];
	if (o) {
		this->numbers = this->numbers == UINT32_MAX ? 1 : this->numbers + 1;
		number = this->numbers;
		*o = (order_t){ .state = ORDER_QUEUED, .number = number, .client = client, .message = *m,
				.began_us = now_us() };
		more_workers = this->workers < WORKERS_MAX;
		this->workers += more_workers;
	}
	pthread_mutex_unlock(&this->lock);
	if (!number) {
		order_t refused = { .message = *m, .began_us = now_us() };
		struct plugin_message full = result_of(&refused, PLUGIN_RESULT, PLUGIN_LIMIT, NULL);

		channel_answer(this, client, &full);
		return;
	}
	schedule_deadline(this, number, plugin_has(m, PLUGIN_HAS_WAIT_MS) ? m->wait_ms : PLUGIN_DROP_WAIT_MS);
	if (more_workers)
		lib->processor->queue_job(lib->processor,
					  (job_t *)callback_job_create((callback_job_cb_t)work, this, NULL, NULL));
}
