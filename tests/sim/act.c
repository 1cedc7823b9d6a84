/* SPDX-License-Identifier: MIT */
/* `act` on the simulated daemon: orders with their journal, lists, dumps of the SAD. As repair/daemon.h describes it. */
#include "sim.h"

#define FORCE_AFTER (2500 * MS) /* an IKE SA whose peer is silent is destroyed after half of terminate_ns */

void act_names(const struct node *n, uint8_t peer, char ike[GATEWAY_NAME_MAX], char child[GATEWAY_NAME_MAX])
{
	(void)n;
	memset(ike, 0, GATEWAY_NAME_MAX);
	memset(child, 0, GATEWAY_NAME_MAX);
	snprintf(ike, GATEWAY_NAME_MAX, "to-%u", peer);
	snprintf(child, GATEWAY_NAME_MAX, "net");
}

uint64_t act_connection_id(const struct node *n, uint8_t peer)
{
	char ike[GATEWAY_NAME_MAX], child[GATEWAY_NAME_MAX];

	act_names(n, peer, ike, child);
	return connection_id(0, text_of(ike), text_of(child));
}

static struct journal_entry *journal_of(struct node *n, uint64_t id)
{
	for (uint32_t i = 0; i < n->g.journal_count; i++)
		if (n->g.journal[i].order.id == id)
			return &n->g.journal[i];
	return NULL;
}

static void finish(struct node *n, struct journal_entry *j, enum order_outcome outcome, const char *text)
{
	j->running = false;
	j->done = true;
	j->result = (struct order_result){ .id = j->order.id, .outcome = outcome, .took_ns = n->w->now - j->began };
	snprintf(j->result.text, sizeof(j->result.text), "%s", text);
	if (n->g.act_up && n->machine_up)
		gateway_told_result(n, &j->result);
}

/* The plugin's answer comes before its task ends, so that act_finished() finds the order ended. */
void act_answered(struct node *n, uint64_t order, enum plugin_outcome answer, uint32_t peer_spi)
{
	struct journal_entry *j = n->g.enabled ? journal_of(n, order) : NULL;
	enum order_outcome outcome = answer == PLUGIN_NO_REPLY ? OUTCOME_TIMEOUT : answer == PLUGIN_IKE_GONE ? OUTCOME_FAILED
				     : answer == PLUGIN_WINDOW_TAKEN || answer == PLUGIN_OURS ? OUTCOME_REFUSED : OUTCOME_DONE;
	const struct child *c = NULL;
	struct order_result result;

	if (!j || (!j->running && !j->late))
		return;
	result = (struct order_result){ .id = order, .outcome = outcome, .took_ns = n->w->now - j->began, .has_answer = true,
					.answer = (uint8_t)answer, .has_peer_spi = peer_spi != 0, .peer_spi = peer_spi,
					.is_late = !j->running };
	snprintf(result.text, sizeof(result.text), "%s", plugin_outcome_name(answer));
	for (uint32_t i = 0; peer_spi && i < n->child_count; i++)
		c = n->children[i].spi_out == peer_spi ? &n->children[i] : c;
	if (c) {
		result.has_child = true;
		result.child_id = c->id;
	}
	if (j->running)
		j->result = result;
	j->late = answer == PLUGIN_NO_REPLY;
	j->done = true;
	j->running = false;
	if (n->g.act_up && n->machine_up)
		gateway_told_result(n, &result);
}

void act_finished(struct node *n, uint64_t order, enum order_outcome outcome, const char *text)
{
	struct journal_entry *j = n->g.enabled ? journal_of(n, order) : NULL;

	if (j && order_takes_plugin(j->order.verb) && (j->running || j->late))
		act_answered(n, order, outcome == OUTCOME_DONE ? PLUGIN_DONE : PLUGIN_IKE_GONE, 0);
	else if (j && j->running)
		finish(n, j, outcome, text);
}

void act_timeout(struct node *n, uint64_t order)
{
	struct journal_entry *j = journal_of(n, order);

	if (!j)
		return;
	if (j->order.verb == ORDER_TERMINATE_IKE && n->w->now - j->began < 2 * FORCE_AFTER && n->daemon_up && j->life == n->life) {
		struct ike *s = ike_find(n, j->order.ike_id);

		if (s) /* by force, whatever it waits for */
			ike_remove(n, s->id, true, END_DELETED);
	}
	if (j->running && order_takes_plugin(j->order.verb))
		act_answered(n, order, daemon_withdraw(n, order) ? PLUGIN_WINDOW_TAKEN : PLUGIN_NO_REPLY, 0);
	else if (j->running)
		finish(n, j, OUTCOME_TIMEOUT, "no answer in time");
}

static uint8_t peer_of_connection(struct node *n, uint64_t connection)
{
	for (uint8_t i = 0; i < n->w->node_count; i++)
		if (n->setup[i].exists && act_connection_id(n, i) == connection)
			return i;
	return NODE_NONE;
}

/* Before its verb runs the target is read afresh (repair/daemon.h). NULL: no objection. */
static const char *objection(struct node *n, const struct order *order)
{
	const struct child *c = child_find(n, order->child_id);
	bool by_ike = order->verb == ORDER_TERMINATE_IKE || order_takes_plugin(order->verb);
	const struct ike *s = ike_find(n, by_ike ? order->ike_id : c ? c->ike_id : 0);
	uint8_t peer = peer_of_connection(n, order->connection);

	if (order->verb == ORDER_INITIATE) {
		s = peer == NODE_NONE ? NULL : ike_of_peer(n, peer);
		if (peer == NODE_NONE)
			return "no such connection";
		if (!s && !order->opens_ike)
			return "it would open an IKE SA, which was not ordered";
		return s && daemon_ike_view(n, s).child_task ? "busy: a child is being made, rekeyed or deleted" : NULL;
	}
	if (!s)
		return "gone: the daemon does not list it any more";
	if (order_takes_plugin(order->verb)) {
		for (uint32_t i = 0; i < n->child_count; i++)
			if (order->verb == ORDER_DELETE_SPI && n->children[i].ike_id == s->id
			    && (n->children[i].spi_in == order->spi || n->children[i].spi_out == order->spi))
				return "that SPI is a child's";
		if (!n->plugin)
			return "the plugin is not there";
		return s->state != IKE_ESTABLISHED || daemon_ike_view(n, s).child_task ? "busy: the IKE SA or a child is being made" : NULL;
	}
	if (order->verb == ORDER_TERMINATE_IKE)
		return s->state == IKE_DELETING ? "busy: the IKE SA is being deleted" : NULL;
	if ((c->state == CHILD_REKEYING && order->verb != ORDER_TERMINATE_CHILD) || c->state == CHILD_CREATED
	    || c->state == CHILD_DELETING)
		return "busy: the child is being made, rekeyed or deleted";
	if (c->state != CHILD_INSTALLED && order->verb == ORDER_REKEY_CHILD)
		return "the child is not installed";
	return s->task_count ? "busy: tasks of its IKE SA are active or queued" : NULL;
}

static bool execute(struct node *n, const struct order *order, const char **ret_why)
{
	*ret_why = objection(n, order);
	if (*ret_why)
		return false;
	*ret_why = "the daemon refused";
	switch (order->verb) {
	case ORDER_REKEY_CHILD:
		return daemon_rekey(n, order->child_id, order->id);
	case ORDER_TERMINATE_CHILD:
		return daemon_terminate_child(n, order->child_id, order->id);
	case ORDER_TERMINATE_IKE:
		return daemon_terminate_ike(n, order->ike_id, order->id);
	case ORDER_DELETE_SPI:
		return daemon_delete_spi(n, order->ike_id, order->spi, order->id);
	case ORDER_LIVENESS:
		return daemon_liveness(n, order->ike_id, order->id);
	case ORDER_INITIATE:
		return daemon_initiate(n, peer_of_connection(n, order->connection), order->id, ret_why);
	default:
		return false;
	}
}

void act_order(struct node *n, const struct order *order)
{
	struct gateway *g = &n->g;
	struct journal_entry *j = journal_of(n, order->id);
	int64_t limit = order->verb == ORDER_INITIATE ? 10 * SEC : order->verb == ORDER_TERMINATE_IKE ? FORCE_AFTER : 5 * SEC;
	const char *why;

	if (j) { /* asked again: never done twice */
		if (j->done)
			gateway_told_result(n, &j->result);
		else if (!j->running)
			finish(n, j, OUTCOME_UNKNOWN, "begun before a restart");
		return;
	}
	if (g->journal_count == JOURNAL_MAX) {
		violate(n->w, "bounded", "node %u: more than %d orders", n->index, JOURNAL_MAX);
		return;
	}
	j = &g->journal[g->journal_count++];
	*j = (struct journal_entry){ .order = *order, .running = true, .at = n->w->now, .began = n->w->now, .life = n->life };
	if (!n->daemon_up) {
		finish(n, j, OUTCOME_FAILED, "the IKE daemon is down");
		return;
	}
	post(n->w, limit, EV_ORDER_TIMEOUT, n->index, 0, 0, order->id, NULL);
	if (!execute(n, order, &why) && j->running)
		finish(n, j, OUTCOME_REFUSED, why);
}

/* --- Lists --------------------------------------------------------------------------------------------------------- */

static void list_connections(struct node *n)
{
	struct inbox *in = inbox_new(n, IN_CONNECTIONS);
	struct connection *list = calloc(NODES_MAX, sizeof(*list));

	if (!list)
		abort();
	for (uint8_t i = 0; i < n->w->node_count; i++) {
		const struct connection_setup *setup = &n->setup[i];
		struct connection *c = &list[in->count];

		if (!setup->exists)
			continue;
		c->id = act_connection_id(n, i);
		act_names(n, i, c->ike, c->child);
		c->ike_version = setup->version;
		c->dynamic_peer = setup->dynamic_peer;
		c->unique_never = setup->unique_never;
		if (!setup->dynamic_peer)
			c->remote[c->remote_count++] = n->w->nodes[i].address;
		in->count++;
	}
	in->list = list;
	inbox_post(n, CHANNEL_ACT, in, MS / 2);
}

void act_list(struct node *n, uint64_t serial)
{
	struct inbox *in;
	struct child_sa *list;
	uint32_t children = n->child_count;

	if (!n->daemon_up)
		return;
	list_connections(n);
	in = inbox_new(n, IN_SNAPSHOT);
	in->serial = serial;
	list = calloc(CHILDREN_MAX, sizeof(*list));
	if (!list)
		abort();
	for (uint32_t i = 0; i < n->ike_count; i++)
		in->ikes[in->more++] = daemon_ike_view(n, &n->ikes[i]);
	if (n->w->incomplete_lists && chance(n->w, 1000)) {
		in->complete = false;
		children = rnd_below(n->w, children + 1);
	}
	for (uint32_t i = 0; i < children; i++) {
		if (n->children[i].state == CHILD_CREATED)
			continue; /* charon lists it when it is installed */
		list[in->count++] = daemon_child_view(n, &n->children[i]);
		if (!plane_in(n, n->children[i].spi_in) && n->children[i].state == CHILD_INSTALLED)
			hint_tell(n, HINT_KERNEL_LOST, n->children[i].spi_in, n->children[i].ike_id);
	}
	in->list = list;
	inbox_post(n, CHANNEL_ACT, in, rnd_between(n->w, MS, 6 * MS));
}

void act_dump(struct node *n)
{
	struct inbox *in;
	struct kernel_event *list = calloc(SAS_MAX, sizeof(*list));

	if (!list)
		abort();
	if (!n->g.config->sense_xfrm) {
		free(list);
		return;
	}
	in = inbox_new(n, IN_DUMP);
	for (uint32_t i = 0; i < n->sa_count && !n->user_space; i++) {
		list[in->count].change = KERNEL_LISTED;
		list[in->count++].sa = plane_view(n, &n->sas[i]);
	}
	in->list = list;
	if (n->w->incomplete_lists && chance(n->w, 500))
		in->complete = false;
	inbox_post(n, CHANNEL_KERNEL, in, rnd_between(n->w, MS / 2, 3 * MS));
}

void act_hello(struct node *n)
{
	struct inbox *in = inbox_new(n, IN_DAEMON);

	in->daemon.up = n->daemon_up;
	in->daemon.user_space_esp = n->user_space;
	if (n->daemon_up) {
		in->daemon.has_boot = true;
		/* uptime.since has whole seconds */
		in->daemon.boot.ns = (node_wall(n).ns - (n->w->now - n->daemon_boot)) / SEC * SEC;
		snprintf(in->daemon.version, sizeof(in->daemon.version), "5.9.8");
	}
	inbox_post(n, CHANNEL_ACT, in, MS / 2);
	in = inbox_new(n, IN_PLUGIN);
	in->plugin.up = n->daemon_up && n->plugin;
	inbox_post(n, CHANNEL_ACT, in, MS / 2);
	act_list(n, 0);
	act_dump(n);
}
