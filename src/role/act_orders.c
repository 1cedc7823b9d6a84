/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "role/act_role.h"
#include "spimend/error.h"

#define SAY_REFUSED_EVERY SECOND_NS
#define TORN_DOWN_NS (10 * MINUTE_NS) /* what was terminated so lately is set up again, whatever the mode says by now */

/* act's budget counts orders, core's counts repairs: a repair may climb this many orders before act puts its foot down. */
#define ORDERS_PER_REPAIR 10

static struct instant wall_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (struct instant){ (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec };
}

static bool is_under_way(const struct act *act, uint64_t id)
{
	for (size_t i = 0; i < act->under_way_count; i++)
		if (act->under_way[i] == id)
			return true;
	return false;
}

void act_tell_journal(struct act *act)
{
	struct role_journal said = { .error = act->journal_error };

	if (act->journal) {
		struct journal_counts counts = journal_count(act->journal);

		said.kept = counts.kept;
		said.damaged = counts.damaged;
		said.write_failures = act->journal_failures = counts.write_failures;
	}
	act_tell(act, MESSAGE_JOURNAL, &said);
}

static void tell_result(struct act *act, const struct order_result *result)
{
	bool says_more = result->text[0] && strcmp(result->text, order_outcome_name(result->outcome)) != 0;
	int r = act->journal ? journal_result(act->journal, result, wall_now()) : 0;

	if (r < 0)
		log_say(&act->member->log, LOG_ERR, "the journal cannot be written: %s", spimend_strerror(r));
	if (act->journal && journal_count(act->journal).write_failures != act->journal_failures)
		act_tell_journal(act);
	log_say(&act->member->log, LOG_NOTICE, "order %llu: %s%s%s", (unsigned long long)result->id,
		order_outcome_name(result->outcome), says_more ? ": " : "", says_more ? result->text : "");
	act_tell(act, MESSAGE_RESULT, result);
}

static void forget(struct act *act, uint64_t id)
{
	for (size_t i = 0; i < act->under_way_count; i++)
		if (act->under_way[i] == id)
			act->under_way[i] = act->under_way[--act->under_way_count];
}

void act_on_result(struct act *act, const struct order_result *result)
{
	forget(act, result->id);
	tell_result(act, result);
}

static struct order_result result_of(const struct order *order, enum order_outcome outcome, const char *text)
{
	struct order_result result = { .id = order->id, .outcome = outcome };

	text_copy(text_of(text), result.text, sizeof(result.text));
	return result;
}

/* Nothing was done, so nothing is written: or whoever has taken core over could drive what was done out of the journal, and
 * fill the log. */
static void refuse(struct act *act, const struct order *order, enum order_outcome outcome, const char *why)
{
	struct order_result result = result_of(order, outcome, why);
	int64_t now = loop_now(act->member->loop);

	act->refused++;
	if (now >= act->refused_said + SAY_REFUSED_EVERY) {
		act->refused_said = now;
		log_say(&act->member->log, LOG_NOTICE, "order %llu is not carried out: %s (%llu so far)",
			(unsigned long long)order->id, why, (unsigned long long)act->refused);
	}
	act_tell(act, MESSAGE_RESULT, &result);
}

/* --- Is it allowed at all? What core decides by is looked at here once more ------------------------------------------- */

struct torn_down {
	const struct order *order;
	struct instant now;
	bool found;
};

static void look_for_end(void *context, const struct order *done, struct instant wall)
{
	struct torn_down *look = context;

	if ((done->verb == ORDER_TERMINATE_CHILD || done->verb == ORDER_TERMINATE_IKE || done->verb == ORDER_DELETE_SPI) &&
	    spimend_address_equal(&done->peer, &look->order->peer) && done->daemon == look->order->daemon &&
	    look->now.ns - wall.ns < TORN_DOWN_NS)
		look->found = true;
}

/* A tunnel that we took down ourselves is never left lying. */
static bool was_torn_down(const struct act *act, const struct order *order)
{
	struct torn_down look = { order, wall_now(), false };

	if (order->verb == ORDER_INITIATE)
		journal_each_intent(act->journal, look_for_end, &look);
	return look.found;
}

static const char *why_not(const struct act *act, const struct order *order)
{
	const struct config *config = act->member->config;
	enum peer_mode mode = PEER_DEFAULT;

	if (order->daemon >= act->daemon_count)
		return "no such IKE daemon";
	if (!spimend_address_known(&order->peer))
		return "it names no peer";
	for (uint32_t i = 0; i < config->peer_count; i++)
		if (spimend_address_equal(&config->peers[i].address, &order->peer))
			mode = config->peers[i].mode;
	if (order_takes_plugin(order->verb) && !act_has_plugin(&act->daemons[order->daemon]))
		return "the plugin is not there";
	if (order->verb == ORDER_NOTIFY_SPI && !config->notify_invalid_spi)
		return "'notify invalid-spi' is not configured";
	if ((config->mode != MODE_REPAIR || mode == PEER_IGNORE || mode == PEER_OBSERVE) && !was_torn_down(act, order))
		return config->mode != MODE_REPAIR ? "the mode is not repair" : "the configuration lets this peer alone";
	return act->under_way_count >= UNDER_WAY_MAX ? "too many orders are under way" : NULL;
}

/* The order of these steps is that of repair/journal.h: known, allowed, written down, done. */
void act_take_order(struct act *act, const struct order *order)
{
	int64_t now = loop_now(act->member->loop);
	struct order_result known;
	const char *why;
	int r;

	if (is_under_way(act, order->id))
		return; /* its result is on the way */
	if (!act->journal) {
		refuse(act, order, OUTCOME_FAILED, "there is no journal");
		return;
	}
	memset(&known, 0, sizeof(known));
	if (journal_find(act->journal, order->id, &known) != JOURNAL_NEVER) {
		act_tell(act, MESSAGE_RESULT, &known);
		return;
	}
	why = why_not(act, order);
	if (why) {
		refuse(act, order, OUTCOME_REFUSED, why);
		return;
	}
	if (!act_budget_allows(act->budget, &order->peer, now)) {
		refuse(act, order, OUTCOME_OVER_BUDGET, "act's own budget");
		return;
	}
	r = journal_intent(act->journal, order, wall_now());
	if (r < 0) {
		act_tell_journal(act);
		refuse(act, order, OUTCOME_FAILED, "the journal cannot be written");
		return;
	}
	act_budget_note(act->budget, &order->peer, now);
	log_say(&act->member->log, LOG_NOTICE, "order %llu: %s", (unsigned long long)order->id, order_verb_name(order->verb));
	act->under_way[act->under_way_count++] = order->id;
	r = ike_daemon_order(act->daemons[order->daemon].daemon, order, now);
	if (r < 0 && is_under_way(act, order->id)) {
		struct order_result result = result_of(order, OUTCOME_REFUSED, spimend_strerror(r));

		forget(act, order->id);
		tell_result(act, &result);
	}
}

struct act_budget_settings act_budget_of(const struct config *config)
{
	uint32_t factor = ORDERS_PER_REPAIR * (config->step_attempts ? config->step_attempts : 1);

	return (struct act_budget_settings){
		.per_peer = config->per_peer_count * factor,
		.total = config->global_count * factor,
		.window_ns = config->per_peer_ns > config->global_ns ? config->per_peer_ns : config->global_ns,
	};
}

static void replay(void *context, const struct order *order, struct instant wall)
{
	struct act *act = context;

	act_budget_replay(act->budget, &order->peer, wall, wall_now(), loop_now(act->member->loop));
}

void act_take_journal(struct act *act, int fd)
{
	int r;

	journal_free(act->journal);
	act->journal = NULL;
	r = journal_new(fd, &act->journal);
	if (r < 0 && r != act->journal_error)
		log_say(&act->member->log, LOG_ERR, "the journal cannot be used, so nothing will be carried out: %s",
			spimend_strerror(r));
	act->journal_error = r;
	if (r == 0)
		journal_each_intent(act->journal, replay, act);
	act_tell_journal(act);
}
