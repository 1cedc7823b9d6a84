/* SPDX-License-Identifier: MIT */
/* What the IKE daemon is told to do: the target is read afresh, then the verb runs, then its end is awaited. */
#include <stdio.h>

#include "parse/vici.h"
#include "parse/vici_field.h"
#include "repair/daemon_private.h"

#define MILLISECOND_NS INT64_C(1000000)

static struct wait *wait_of(struct ike_daemon *d, uint64_t order)
{
	for (size_t i = 0; i < WAITS_MAX; i++)
		if (d->waits[i].used && d->waits[i].order == order)
			return &d->waits[i];
	return NULL;
}

static struct wait *free_wait(struct ike_daemon *d)
{
	for (size_t i = 0; i < WAITS_MAX; i++)
		if (!d->waits[i].used)
			return &d->waits[i];
	return NULL;
}

static void give_result(struct ike_daemon *d, uint64_t order, enum order_outcome outcome, int64_t began, struct text text)
{
	struct order_result result;

	memset(&result, 0, sizeof(result));
	result.id = order;
	result.outcome = outcome;
	result.took_ns = d->now - began;
	vici_copy_ascii(text, result.text, sizeof(result.text));
	d->calls.result(d->calls.context, &result);
}

static void finish(struct ike_daemon *d, enum order_outcome outcome, struct text text)
{
	uint64_t order = d->running.order.id;
	int64_t began = d->running.began;
	struct wait *w = wait_of(d, order);

	if (w)
		w->used = false;
	d->running = (struct running){ .phase = PHASE_NONE };
	give_result(d, order, outcome, began, text);
}

static void refuse(struct ike_daemon *d, const char *why)
{
	finish(d, OUTCOME_REFUSED, text_of(why));
}

/* --- Requests --------------------------------------------------------------------------------------------------- */

static int send_request(struct ike_daemon *d, const char *command, struct buffer *message, int64_t within)
{
	int r = buffer_error(message);

	if (!r)
		r = vici_client_request(d->clients[IKE_DAEMON_ORDERS], text_of(command), buffer_text(message), d->now + within);
	buffer_done(message);
	return r;
}

static void start(struct ike_daemon *d, enum phase phase, const char *command, struct buffer *message, int64_t within)
{
	int r;

	d->running.phase = phase;
	d->running.found = false;
	r = send_request(d, command, message, within);
	if (r)
		refuse(d, "could not be sent to the IKE daemon");
}

static const struct known_connection *connection_of(const struct ike_daemon *d)
{
	return known_find(&d->known, d->running.order.connection);
}

static bool names_ike(const struct order *o)
{
	return o->verb == ORDER_TERMINATE_IKE || order_takes_plugin(o->verb);
}

static void check_sa(struct ike_daemon *d, enum phase phase)
{
	const struct order *o = &d->running.order;
	const struct known_connection *c = connection_of(d);
	struct buffer message = { 0 };

	if (o->verb == ORDER_INITIATE && c)
		vici_write_key(&message, TEXT("ike"), text_of(c->ike));
	else if (names_ike(o))
		vici_write_number(&message, TEXT("ike-id"), o->ike_id);
	else /* an IKE SA that was rekeyed has another id: the child's is enough */
		vici_write_number(&message, TEXT("child-id"), o->child_id);
	start(d, phase, "list-sas", &message, d->limits.list_ns);
}

static void run_verb(struct ike_daemon *d)
{
	const struct order *o = &d->running.order;
	const struct known_connection *c = connection_of(d);
	struct buffer message = { 0 };
	struct wait *w;

	switch (o->verb) {
	case ORDER_REKEY_CHILD:
		w = free_wait(d);
		if (!w) { /* orders_pump() saw to it that there is one */
			refuse(d, "too many rekeys are queued");
			return;
		}
		*w = (struct wait){ .used = true, .order = o->id, .child_id = o->child_id, .began = d->running.began,
				    .deadline = d->running.began + d->limits.rekey_ns };
		vici_write_number(&message, TEXT("child-id"), o->child_id);
		start(d, PHASE_VERB, "rekey", &message, SETUP_NS);
		return;
	case ORDER_TERMINATE_CHILD:
		vici_write_number(&message, TEXT("child-id"), o->child_id);
		vici_write_number(&message, TEXT("timeout"), (uint64_t)(d->limits.terminate_ns / MILLISECOND_NS));
		start(d, PHASE_VERB, "terminate", &message, d->limits.terminate_ns + MARGIN_NS);
		return;
	case ORDER_TERMINATE_IKE: /* with a timeout, force destroys only what the peer did not let go of in that time */
		vici_write_number(&message, TEXT("ike-id"), o->ike_id);
		vici_write_key(&message, TEXT("force"), TEXT("yes"));
		vici_write_number(&message, TEXT("timeout"), (uint64_t)(d->limits.terminate_ns / 2 / MILLISECOND_NS));
		start(d, PHASE_VERB, "terminate", &message, d->limits.terminate_ns + MARGIN_NS);
		return;
	case ORDER_INITIATE:
		if (!c) {
			refuse(d, "the connection is gone");
			return;
		}
		vici_write_key(&message, TEXT("child"), text_of(c->child));
		vici_write_key(&message, TEXT("ike"), text_of(c->ike));
		vici_write_number(&message, TEXT("timeout"), (uint64_t)(d->limits.initiate_ns / MILLISECOND_NS));
		start(d, PHASE_VERB, "initiate", &message, d->limits.initiate_ns + MARGIN_NS);
		return;
	default:
		refuse(d, "no such verb");
		return;
	}
}

static void hand_over(struct ike_daemon *d)
{
	struct order order = d->running.order;

	d->running = (struct running){ .phase = PHASE_NONE };
	d->calls.checked(d->calls.context, &order);
}

static void begin(struct ike_daemon *d, const struct order *order)
{
	const struct known_connection *c;
	struct buffer message = { 0 };

	d->running = (struct running){ .order = *order, .began = d->now };
	if (order->verb == ORDER_NOTIFY_SPI) { /* its target is nothing that VICI lists; the plugin looks for an IKE SA itself */
		hand_over(d);
		return;
	}
	if (order->verb != ORDER_INITIATE) {
		if (names_ike(order) ? order->ike_id == 0 : order->child_id == 0)
			refuse(d, "no id is given"); /* to VICI 0 is no filter: it would mean all */
		else
			check_sa(d, PHASE_CHECK_SA);
		return;
	}
	c = connection_of(d);
	if (!c) {
		refuse(d, "no such connection is configured");
		return;
	}
	vici_write_key(&message, TEXT("ike"), text_of(c->ike));
	start(d, PHASE_CHECK_CONNECTION, "list-conns", &message, d->limits.list_ns);
}

/* The events that the checks' lists come as. */
static const char *const registrations[] = { "list-sa", "list-conn" };
#define REGISTRATIONS (sizeof(registrations) / sizeof(registrations[0]))

void orders_pump(struct ike_daemon *d)
{
	struct vici_client *c = d->clients[IKE_DAEMON_ORDERS];
	struct order next;

	while (c && !vici_client_lost(c) && !vici_client_is_busy(c) && d->running.phase == PHASE_NONE) {
		if (!d->orders_ready) {
			vici_client_register(c, text_of(registrations[d->orders_step]), d->now + SETUP_NS);
			return;
		}
		if (!d->told_up || !d->queue_count)
			return;
		next = d->queue[d->queue_first];
		if (next.verb == ORDER_REKEY_CHILD && !free_wait(d))
			return; /* one of those that wait is over soon, or too late */
		d->queue_first = (d->queue_first + 1) % IKE_DAEMON_ORDERS_MAX;
		d->queue_count--;
		begin(d, &next);
	}
}

/* --- The checks ------------------------------------------------------------------------------------------------- */

static void object(struct ike_daemon *d, const char *why)
{
	if (!d->running.objection)
		d->running.objection = why;
}

/* Ids begin anew with the IKE daemon, and whoever has taken core over may name any: the SA must be that peer's. */
static void check_peer(struct ike_daemon *d, const struct spimend_address *remote)
{
	const struct spimend_address *peer = &d->running.order.peer;

	if (spimend_address_known(peer) && spimend_address_known(remote) && !spimend_address_equal(peer, remote))
		object(d, "gone: that id is an SA of another peer");
}

/* The peer sends with what it may be told to close: no SA of ours accepts it, and we do not send with it either, since some
 * peers take a DELETE for either half of a pair. */
static void check_spi(void *context, const struct child_sa *child)
{
	struct ike_daemon *d = context;
	const struct order *o = &d->running.order;

	if (child->has_spi_in && child->spi_in == o->spi && child->protocol == o->protocol)
		object(d, "ours: that SPI is a child's inbound one");
	if (child->has_spi_out && child->spi_out == o->spi && child->protocol == o->protocol)
		object(d, "theirs: that SPI is a child's outbound one");
}

static void check_over_ike(struct ike_daemon *d, struct text message, const struct ike_sa *ike)
{
	const struct order *o = &d->running.order;
	struct vici_reading reading;

	if (ike->id != o->ike_id)
		return;
	d->running.found = true;
	check_peer(d, &ike->remote);
	if (ike->state != IKE_ESTABLISHED)
		object(d, "busy: the IKE SA is being made, rekeyed or deleted");
	if (o->verb != ORDER_DELETE_SPI)
		return;
	if (ike->child_task) /* its SPI may be the one that is being agreed on */
		object(d, "busy: a child is being made, rekeyed or deleted");
	ike_daemon_told(d, &reading, vici_each_child(d->index, message, ike, check_spi, d, &reading));
}

static void check_child(void *context, const struct child_sa *child)
{
	struct ike_daemon *d = context;

	if (child->id != d->running.order.child_id)
		return;
	d->running.found = true;
	check_peer(d, &child->remote);
	/* One whose rekey was lost may stay in that state without a task (check_ike() looks for those): it can still be ended. */
	if (child->state == CHILD_CREATED || (child->state == CHILD_REKEYING && d->running.order.verb != ORDER_TERMINATE_CHILD))
		object(d, "busy: the child is being made or rekeyed");
	else if (child->state == CHILD_DELETING)
		object(d, "busy: the child is being deleted");
	else if (child->state != CHILD_INSTALLED && d->running.order.verb == ORDER_REKEY_CHILD)
		object(d, "the child is not installed");
}

static void check_ike(struct ike_daemon *d, struct text message)
{
	const struct order *o = &d->running.order;
	struct vici_reading reading;
	struct ike_sa ike;
	bool found_before = d->running.found;
	int r = vici_read_ike(d->index, message, &ike, &reading);

	ike_daemon_told(d, &reading, r);
	if (r)
		return;
	if (order_takes_plugin(o->verb)) {
		check_over_ike(d, message, &ike);
		return;
	}
	if (o->verb == ORDER_TERMINATE_IKE) {
		if (ike.id != o->ike_id)
			return;
		d->running.found = true;
		check_peer(d, &ike.remote);
		/* Tasks are no objection: towards a dead peer there is always one that waits for its answer. */
		if (ike.state == IKE_DELETING)
			object(d, "busy: the IKE SA is being deleted");
		return;
	}
	if (o->verb == ORDER_INITIATE) {
		d->running.found = true;
		d->running.ike_established = d->running.ike_established || ike.state == IKE_ESTABLISHED;
		if (ike.child_task)
			object(d, "busy: a child is being made, rekeyed or deleted");
		return;
	}
	ike_daemon_told(d, &reading, vici_each_child(d->index, message, &ike, check_child, d, &reading));
	if (d->running.found && !found_before && ike.busy)
		object(d, "busy: tasks of its IKE SA are active or queued");
}

static void check_connection(void *context, const struct connection *connection, struct text ike, struct text child)
{
	struct ike_daemon *d = context;

	(void)ike;
	(void)child;
	if (connection->id == d->running.order.connection)
		d->running.found = true;
}

void orders_event(void *context, struct text name, struct text message)
{
	struct ike_daemon *d = context;
	struct vici_reading reading;

	if (text_equal(name, TEXT("list-conn")) && d->running.phase == PHASE_CHECK_CONNECTION)
		ike_daemon_told(d, &reading,
				vici_each_connection(d->index, message, check_connection, d, &reading));
	else if (text_equal(name, TEXT("list-sa")) && (d->running.phase == PHASE_CHECK_SA || d->running.phase == PHASE_AFTER))
		check_ike(d, message);
}

static void end_check_sa(struct ike_daemon *d)
{
	const struct running *r = &d->running;

	if (r->order.verb == ORDER_INITIATE && !r->ike_established && !r->order.opens_ike)
		refuse(d, "it would open an IKE SA, which was not ordered");
	else if (r->objection)
		refuse(d, r->objection);
	else if (r->order.verb != ORDER_INITIATE && !r->found)
		refuse(d, "gone: the daemon does not list it any more");
	else if (order_takes_plugin(r->order.verb))
		hand_over(d);
	else
		run_verb(d);
}

/* --- The end of a verb ------------------------------------------------------------------------------------------ */

static void end_rekey(struct ike_daemon *d, struct wait *w)
{
	struct wait over = *w;

	w->used = false;
	give_result(d, over.order, OUTCOME_DONE, over.began, text_of(over.how));
}

/* The daemon has queued it: the connection is free for others, the result comes with an event, or too late. */
static void await_rekey(struct ike_daemon *d)
{
	struct wait *w = wait_of(d, d->running.order.id);

	d->running = (struct running){ .phase = PHASE_NONE };
	if (!w)
		return;
	w->queued = true;
	if (w->is_over)
		end_rekey(d, w);
}

static void end_verb(struct ike_daemon *d, struct text message)
{
	const struct order *o = &d->running.order;
	struct vici_reading reading;
	struct vici_result result;
	int64_t limit = o->verb == ORDER_INITIATE ? d->limits.initiate_ns : d->limits.terminate_ns;
	int r = vici_read_result(message, &result, &reading);

	ike_daemon_told(d, &reading, r);
	if (r)
		finish(d, OUTCOME_UNKNOWN, TEXT("the daemon's answer could not be read"));
	else if (result.success && o->verb == ORDER_REKEY_CHILD)
		await_rekey(d);
	else if (result.success)
		finish(d, OUTCOME_DONE, TEXT("done"));
	else if (o->verb == ORDER_TERMINATE_IKE)
		check_sa(d, PHASE_AFTER); /* a forced end is told as a failure */
	else
		finish(d, d->now - d->running.began >= limit ? OUTCOME_TIMEOUT : OUTCOME_FAILED,
		       result.errmsg.len ? result.errmsg : TEXT("the daemon gave no reason"));
}

void orders_answer(void *context, enum vici_answer answer, struct text message)
{
	struct ike_daemon *d = context;

	if (!d->orders_ready) {
		d->orders_step++;
		d->orders_ready = d->orders_step == REGISTRATIONS;
		return;
	}
	if (answer == VICI_UNKNOWN) {
		finish(d, OUTCOME_FAILED, TEXT("the daemon knows no such command"));
		return;
	}
	switch (d->running.phase) {
	case PHASE_CHECK_CONNECTION:
		if (d->running.found)
			check_sa(d, PHASE_CHECK_SA);
		else
			refuse(d, "gone: the connection is not configured any more");
		return;
	case PHASE_CHECK_SA:
		end_check_sa(d);
		return;
	case PHASE_AFTER:
		if (d->running.found)
			finish(d, OUTCOME_FAILED, TEXT("the IKE SA is still there"));
		else
			finish(d, OUTCOME_DONE, TEXT("destroyed; the peer did not answer"));
		return;
	default:
		end_verb(d, message);
		return;
	}
}

/* What an event means for a rekey: how it ended, or NULL when it did not. */
static const char *rekey_end(struct wait *w, const struct child_event *event, int64_t now)
{
	if (event->change == CHILD_UP)
		return w->closed && event->child.connection == w->connection ? "the peer had lost the child: made anew" : NULL;
	if (event->child.id != w->child_id)
		return NULL;
	if (event->change == CHILD_REKEY)
		return "done";
	w->closed = true;
	w->connection = event->child.connection;
	if (w->deadline > now + ANEW_NS)
		w->deadline = now + ANEW_NS;
	return NULL;
}

void orders_child_event(struct ike_daemon *d, const struct child_event *event)
{
	for (size_t i = 0; i < WAITS_MAX; i++) {
		struct wait *w = &d->waits[i];
		const char *how;

		if (!w->used || w->is_over)
			continue;
		how = rekey_end(w, event, d->now);
		if (!how)
			continue;
		w->is_over = true;
		w->how = how;
		if (w->queued)
			end_rekey(d, w);
		/* else await_rekey() tells it */
	}
}

void orders_tick(struct ike_daemon *d)
{
	for (size_t i = 0; i < WAITS_MAX; i++) {
		struct wait *w = &d->waits[i], late = *w;

		if (!w->used || !w->queued || d->now < w->deadline)
			continue;
		w->used = false;
		if (late.closed)
			give_result(d, late.order, OUTCOME_FAILED, late.began, TEXT("the child was closed instead"));
		else
			give_result(d, late.order, OUTCOME_TIMEOUT, late.began,
				    TEXT("queued, but the peer did not answer yet"));
	}
}

int64_t orders_deadline(const struct ike_daemon *d)
{
	int64_t deadline = INT64_MAX;

	for (size_t i = 0; i < WAITS_MAX; i++)
		if (d->waits[i].used && d->waits[i].queued && d->waits[i].deadline < deadline)
			deadline = d->waits[i].deadline;
	return deadline;
}

void orders_down(struct ike_daemon *d)
{
	if (d->running.phase == PHASE_VERB || d->running.phase == PHASE_AFTER)
		finish(d, OUTCOME_UNKNOWN, TEXT("the IKE daemon was lost while it ran"));
	else if (d->running.phase != PHASE_NONE)
		refuse(d, "the IKE daemon was lost before it ran");
	for (size_t i = 0; i < WAITS_MAX; i++) {
		struct wait w = d->waits[i];

		d->waits[i].used = false;
		if (w.used)
			give_result(d, w.order, OUTCOME_UNKNOWN, w.began, TEXT("queued; then the IKE daemon was lost"));
	}
	while (d->queue_count) {
		struct order order = d->queue[d->queue_first];

		d->queue_first = (d->queue_first + 1) % IKE_DAEMON_ORDERS_MAX;
		d->queue_count--;
		give_result(d, order.id, OUTCOME_REFUSED, d->now, TEXT("the IKE daemon was lost before it ran"));
	}
}
