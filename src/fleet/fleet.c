/* SPDX-License-Identifier: MIT */
/* Life, time, and the outputs. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "fleet/fleet_private.h"

void fleet_settings_default(struct fleet_settings *ret)
{
	*ret = (struct fleet_settings){
		.gather_ns = 3 * SECOND_NS, .burst_ns = 10 * SECOND_NS, .burst_pairs = 6, .burst_wait_ns = 30 * SECOND_NS,
		.wait_ns = 30 * SECOND_NS, .look_gap_ns = MINUTE_NS, .looks_at_once = 8, .looks_a_minute = 60,
		.within_ns = 30 * SECOND_NS, .verify_first_ns = 5 * SECOND_NS, .verify_gap_ns = 10 * SECOND_NS,
		.verify_ns = 2 * MINUTE_NS, .offer_ns = HOUR_NS, .approval_ns = 10 * MINUTE_NS, .recheck_ns = 10 * MINUTE_NS,
		.rechecks = 6, .case_most_ns = 4 * HOUR_NS,
	};
}

void fleet_settings_of(const struct config *config, struct fleet_settings *ret)
{
	fleet_settings_default(ret);
	ret->wait_ns = config->fleet_wait_ns;
	ret->burst_wait_ns = config->fleet_burst_wait_ns;
	ret->verify_ns = config->fleet_verify_ns;
}

void fleet_set(struct fleet *f, const struct fleet_settings *settings)
{
	f->settings = *settings;
}

/* --- Outputs ---------------------------------------------------------------------------------------------------- */

/* What comes for its own sake never takes the room of an order and what belongs to it. */
struct fleet_output *fleet_emit(struct fleet *f, enum fleet_output_kind kind)
{
	struct fleet_output *output;
	uint32_t limit = kind == FLEET_NOTICE ? FLEET_OUTPUTS_MAX - FLEET_OUTPUTS_RESERVE : FLEET_OUTPUTS_MAX;

	if (f->output_count >= limit) {
		f->figures.outputs_dropped++;
		return NULL;
	}
	output = &f->outputs[(f->output_first + f->output_count++) % FLEET_OUTPUTS_MAX];
	memset(output, 0, sizeof(*output));
	output->kind = kind;
	return output;
}

bool fleet_may_order(const struct fleet *f)
{
	return f->output_count < FLEET_OUTPUTS_MAX - FLEET_OUTPUTS_RESERVE;
}

bool fleet_next(struct fleet *f, struct fleet_output *ret)
{
	if (!f->output_count)
		return false;
	*ret = f->outputs[f->output_first];
	f->output_first = (f->output_first + 1) % FLEET_OUTPUTS_MAX;
	f->output_count--;
	return true;
}

void fleet_notice(struct fleet *f, int severity, const char *format, ...)
{
	struct fleet_output *output = fleet_emit(f, FLEET_NOTICE);
	va_list args;

	if (!output)
		return;
	output->notice.severity = severity;
	va_start(args, format);
	vsnprintf(output->notice.text, sizeof(output->notice.text), format, args);
	va_end(args);
}

void fleet_journal(struct fleet *f, uint32_t device, const char *format, ...)
{
	struct fleet_output *output = fleet_emit(f, FLEET_JOURNAL);
	va_list args;

	if (!output)
		return;
	output->journal.device = device;
	output->journal.at = f->now.wall;
	va_start(args, format);
	vsnprintf(output->journal.text, sizeof(output->journal.text), format, args);
	va_end(args);
}

uint64_t fleet_hash_pair(const struct fleet *f, uint32_t device, const struct spimend_address *src,
			 const struct spimend_address *dst)
{
	struct {
		uint32_t device;
		struct spimend_address src, dst;
	} key;
	uint64_t hash;

	memset(&key, 0, sizeof(key));
	key.device = device;
	key.src = *src;
	key.dst = *dst;
	hash = hash_bytes(&f->key, &key, sizeof(key));
	return hash ? hash : 1;
}

/* --- What is told ----------------------------------------------------------------------------------------------- */

static struct case_file *case_of_request(struct fleet *f, uint64_t request)
{
	for (uint32_t n = f->oldest; request && n; n = f->cases[n - 1]->newer)
		if (f->cases[n - 1]->pending.request == request)
			return f->cases[n - 1];
	return NULL;
}

static void answered(struct fleet *f, struct case_file *c)
{
	if (!order_is_answered(&c->pending))
		return;
	if (c->phase == PHASE_ORDERED)
		mend_step_over(f, c);
	else
		round_answered(f, c);
}

void fleet_result(struct fleet *f, const struct device_result *result, struct moment now)
{
	struct case_file *c = case_of_request(f, result->request);

	f->now = now;
	if (!c || c->pending.has_result)
		return;
	c->pending.has_result = true;
	c->pending.result = *result;
	answered(f, c);
}

void fleet_output_end(struct fleet *f, const struct fleet_output_end *end, struct moment now)
{
	struct case_file *c = case_of_request(f, end->request);

	f->now = now;
	if (!c || c->pending.has_end)
		return;
	c->pending.has_end = true;
	c->pending.end = *end;
	answered(f, c);
}

static void give_up_pending(struct fleet *f, struct case_file *c, const char *why)
{
	struct pending *p = &c->pending;

	f->figures.unanswered++;
	if (!p->has_result) {
		p->has_result = true;
		p->result = (struct device_result){ .request = p->request, .outcome = DEVICE_LOST, .typed = true };
		text_copy(text_of(why), p->result.why, sizeof(p->result.why));
	}
	if (!p->has_end) /* what was printed and not read is no evidence */
		p->end = (struct fleet_output_end){ .request = p->request };
	p->has_end = true;
	answered(f, c);
}

void fleet_lost(struct fleet *f, struct moment now)
{
	uint32_t next;

	f->now = now;
	for (uint32_t n = f->oldest; n; n = next) {
		next = f->cases[n - 1]->newer;
		if (f->cases[n - 1]->pending.request)
			give_up_pending(f, f->cases[n - 1], "the role that spoke with it, or read it, ended");
	}
}

void fleet_sa(struct fleet *f, uint64_t request, const struct sa_block *block)
{
	struct case_file *c = case_of_request(f, request);
	struct table *t = c ? round_table(c) : NULL;

	if (!t)
		return;
	device_learn_address(f, c->pending.device, &block->local);
	/* Asked for one peer: a block of another one is none of this tunnel's. */
	if (!spimend_address_equal(&block->peer, t == &c->now.s ? &c->is.dst : &c->is.src))
		return;
	if (t != &c->now.s)
		nat_block(f, c, block);
	t->flows++;
	t->flows_without += !block->inbound_count && !block->outbound_count;
	t->controller |= block->controller_keyed;
	t->other_keys |= block->manual_or_group;
	t->has_counters |= block->has_counters;
	t->encaps += block->encaps;
	t->decaps += block->decaps;
	t->overfull |= block->inbound_dropped || block->outbound_dropped || !block->whole;
	for (size_t i = 0; i < block->inbound_count && i < SA_BLOCK_SPIS_MAX; i++) {
		if (t->in_count == FLEET_TABLE_SPIS_MAX) {
			t->overfull = true;
			break;
		}
		t->decaps_in[t->in_count] = block->decaps;
		t->in[t->in_count++] = block->inbound[i];
	}
	if (block->outbound_count && t->out_count < FLEET_TABLE_SPIS_MAX) {
		t->left_s[t->out_count] = block->has_lifetime ? block->lifetime_s : 0;
		t->out[t->out_count++] = block->outbound[0];
	} else if (block->outbound_count) {
		t->overfull = true;
	}
	if (block->interface[0] && kind_from_interface(text_of(block->interface)) == TUNNEL_SDWAN)
		t->sdwan_interface = true;
}

static bool row_is_of_tunnel(const struct case_file *c, const struct device_row *row, bool at_sender)
{
	const struct spimend_address *ours = at_sender ? &c->is.src : &c->is.dst, *theirs = at_sender ? &c->is.dst : &c->is.src;

	return spimend_address_equal(&row->remote, theirs) && (!row->local.family || spimend_address_equal(&row->local, ours));
}

static void take_ike(struct case_file *c, const struct device_row *row)
{
	bool names_src = spimend_address_equal(&row->local, &c->is.src) || spimend_address_equal(&row->remote, &c->is.src);
	bool names_dst = spimend_address_equal(&row->local, &c->is.dst) || spimend_address_equal(&row->remote, &c->is.dst);

	if (nat_is_behind(c)) /* under the address of a NAT R may list another device's: S's own word counts, which names R */
		names_src = c->pending.device == c->s;
	if (row->up && names_src && names_dst)
		c->now.ike_up = true;
}

static void take_outbound(struct case_file *c, const struct device_row *row)
{
	struct round *r = &c->now;

	if (!row_is_of_tunnel(c, row, true))
		return;
	if (r->outbound_found && r->outbound.value != row->spi.value)
		r->outbound_many = true;
	r->outbound_found = true;
	r->outbound = row->spi;
}

static void take_bfd(struct case_file *c, const struct device_row *row)
{
	struct round *r = &c->now;

	if (row->up) {
		r->bfd_all++;
		r->bfd_of[row->color]++;
	}
	if (!row_is_of_tunnel(c, row, false))
		return;
	r->bfd_up = r->bfd_found ? r->bfd_up && row->up : row->up;
	r->bfd_found = true;
	r->color = row->color;
}

void fleet_row(struct fleet *f, uint64_t request, const struct device_row *row)
{
	struct case_file *c = case_of_request(f, request);
	enum device_verb verb = c ? c->pending.verb : DEVICE_SHOW;
	bool is_after;

	if (!c || c->phase != PHASE_READING || (unsigned)row->color >= DEVICE_COLORS)
		return;
	if (row->kind == ROW_IKE && (verb == DEVICE_SHOW_IKEV2_SA || verb == DEVICE_SHOW_ISAKMP_SA)) {
		take_ike(c, row);
	} else if (row->kind == ROW_OUTBOUND_SA && verb == DEVICE_SHOW_OUTBOUND) {
		take_outbound(c, row);
	} else if (row->kind == ROW_LOCAL_SA && verb == DEVICE_SHOW_LOCAL_SA) {
		if (row->local.family && !spimend_address_equal(&row->local, &c->is.dst))
			return;
		if (c->now.local_count < FLEET_TABLE_SPIS_MAX)
			c->now.local[c->now.local_count++] = row->spi;
		else
			c->now.local_overfull = true;
	} else if (row->kind == ROW_BFD && verb == DEVICE_SHOW_BFD) {
		take_bfd(c, row);
	} else if (row->kind == ROW_CONTROL && verb == DEVICE_SHOW_CONTROL && row->up) {
		c->now.control_all++;
		c->now.control_of[row->color]++;
	} else if (row->kind == ROW_SITE && verb == DEVICE_SHOW_SITE) {
		fleet_site(f, c->pending.device, (uint32_t)row->count);
	} else if (row->kind == ROW_SPI && round_lists_spis(c, &is_after)) {
		nat_row(c, row, is_after);
	} else if ((row->kind == ROW_TRACE && verb == DEVICE_SHOW_TRACE) ||
		   (row->kind == ROW_SPI && verb == DEVICE_SHOW_SPI_LOOKUP) ||
		   ((row->kind == ROW_DROP_NO_SA || row->kind == ROW_DROP_REPLAY) && verb == DEVICE_SHOW_DROPS) ||
		   (row->kind == ROW_OMP_PEER && verb == DEVICE_SHOW_OMP_PEERS)) {
		memory_row(c, row);
	}
}

/* --- Time ------------------------------------------------------------------------------------------------------- */

static void tick_case(struct fleet *f, struct case_file *c)
{
	int64_t now = f->now.mono_ns;

	if (c->pending.request && now >= c->pending.deadline_ns)
		give_up_pending(f, c, "nothing came back in time");
	if (c->phase == PHASE_ORDERED && !c->pending.request) /* it could not be sent: whatever is there now is looked at */
		case_wait(c, LOOK_VERIFY, now);
	if (c->phase == PHASE_READING && !c->pending.request)
		round_go_on(f, c);
	if (c->phase == PHASE_WAITING && now >= c->due_ns)
		round_begin(f, c);
	if (c->phase == PHASE_AWAITING && now >= c->due_ns)
		mend_offer_over(f, c);
	if ((c->phase == PHASE_WAITING || c->phase == PHASE_AWAITING) && !c->awaits_window &&
	    now - c->began_ns >= f->settings.case_most_ns) {
		case_say(c, "It was open for too long: a person has to look at it.");
		case_end(f, c, STATE_GAVE_UP);
	}
}

static int64_t case_due(const struct fleet *f, const struct case_file *c)
{
	if (c->phase == PHASE_DONE)
		return NEVER;
	if (c->pending.request)
		return c->pending.deadline_ns;
	if (c->phase == PHASE_WAITING || c->phase == PHASE_AWAITING)
		return c->due_ns > f->now.mono_ns ? c->due_ns : f->now.mono_ns + SECOND_NS;
	return f->now.mono_ns + SECOND_NS; /* its device is busy with another one's reading */
}

int64_t fleet_tick(struct fleet *f, struct moment now)
{
	int64_t due = NEVER, at;
	uint32_t next;

	f->now = now;
	for (uint32_t n = f->oldest; n; n = next) {
		next = f->cases[n - 1]->newer;
		tick_case(f, f->cases[n - 1]);
	}
	for (uint32_t n = f->oldest; n; n = f->cases[n - 1]->newer) {
		at = case_due(f, f->cases[n - 1]);
		due = at < due ? at : due;
	}
	return due;
}

/* --- Life ------------------------------------------------------------------------------------------------------- */

static void take_devices(struct fleet *f)
{
	const struct config_devices *devices = &f->config->devices;

	f->host_count = 0;
	for (uint32_t i = 0; i < devices->count; i++) {
		f->devices[i].mark = device_mark(devices, &devices->at[i]);
		device_learn_address(f, i, &devices->at[i].address);
	}
}

int fleet_new(const struct config *config, const struct fleet_settings *settings, const struct hash_key *key,
	      uint64_t next_request, struct moment now, struct fleet **ret)
{
	struct fleet *f = memory_new(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->key = *key;
	f->now = now;
	f->next_request = next_request ? next_request : 1;
	f->jitter = (uint32_t)(key->k0 >> 16) | 1;
	if (settings)
		f->settings = *settings;
	else
		fleet_settings_default(&f->settings);
	f->config = memory_new(1, sizeof(*f->config));
	f->hosts = memory_new(FLEET_ADDRESSES_MAX, sizeof(*f->hosts));
	f->cases = memory_new(FLEET_CASES_MAX, sizeof(struct case_file *));
	f->looked = memory_new(FLEET_PAIRS_MAX, sizeof(*f->looked));
	f->known = memory_new(FLEET_KNOWN_MAX, sizeof(*f->known));
	f->outputs = memory_new(FLEET_OUTPUTS_MAX, sizeof(*f->outputs));
	f->devices = memory_new(config->devices.count + 1, sizeof(*f->devices));
	if (!f->config || !f->devices || !f->hosts || !f->cases || !f->looked || !f->known || !f->outputs ||
	    slots_init(&f->by_address, FLEET_ADDRESSES_MAX) < 0 || slots_init(&f->by_pair, FLEET_CASES_MAX) < 0 ||
	    budget_new(config, key, &f->budget) < 0) {
		fleet_free(f);
		return -ENOMEM;
	}
	*f->config = *config;
	take_devices(f);
	*ret = f;
	return 0;
}

void fleet_free(struct fleet *f)
{
	if (!f)
		return;
	for (uint32_t i = 0; f->cases && i < FLEET_CASES_MAX; i++)
		memory_free(f->cases[i]);
	budget_free(f->budget);
	slots_done(&f->by_address);
	slots_done(&f->by_pair);
	memory_free(f->outputs);
	memory_free(f->known);
	memory_free(f->looked);
	memory_free(f->cases);
	memory_free(f->hosts);
	memory_free(f->devices);
	memory_free(f->config);
	memory_free(f);
}

/* What is under way is over before the devices are numbered anew: nothing of an old numbering is answered or ordered
 * later. */
static void settle_case(struct fleet *f, struct case_file *c)
{
	if (c->phase == PHASE_ORDERED)
		give_up_pending(f, c, "the configuration changed meanwhile");
	if (!case_is_open(c))
		return;
	c->pending.request = 0;
	if (c->phase == PHASE_READING)
		case_wait(c, c->purpose, f->now.mono_ns);
	if (c->phase == PHASE_WAITING && c->awaits_window) /* there may be other windows now; the role ssh starts anew first */
		c->due_ns = f->now.mono_ns + f->settings.gather_ns;
	f->under_way -= c->counted_look;
	c->counted_look = false;
	c->locks_again = c->locked;
	devices_unlock(f, c);
	if (c->nat.trying) /* by an old number */
		c->s = NONE;
	c->nat = (struct nat){ 0 };
	slots_remove(&f->by_pair, (uint32_t)fleet_hash_pair(f, c->r, &c->is.src, &c->is.dst), c->number);
}

static void settle_cases(struct fleet *f, struct fleet *old)
{
	struct fleet fresh = *f;
	uint32_t next;

	f->config = old->config; /* what ends now, ends by the numbers that it began with */
	f->devices = old->devices;
	for (uint32_t n = f->oldest; n; n = next) {
		next = f->cases[n - 1]->newer;
		settle_case(f, f->cases[n - 1]);
	}
	f->config = fresh.config;
	f->devices = fresh.devices;
}

/* The journals' lines of what ended just now are of devices by their old numbers. Of one that is gone it is a notice. */
static void renumber_outputs(struct fleet *f, const struct config_devices *were)
{
	for (uint32_t i = 0; i < f->output_count; i++) {
		struct fleet_output *output = &f->outputs[(f->output_first + i) % FLEET_OUTPUTS_MAX];
		char text[FLEET_TEXT_MAX];
		int32_t at;

		if (output->kind != FLEET_JOURNAL)
			continue;
		at = device_find(&f->config->devices, text_of(were->at[output->journal.device].name));
		if (at >= 0) {
			output->journal.device = (uint32_t)at;
			continue;
		}
		memcpy(text, output->journal.text, sizeof(text));
		output->kind = FLEET_NOTICE;
		output->notice.severity = 5;
		memcpy(output->notice.text, text, sizeof(text));
	}
}

/* What was learned of a device that is the same stays; the configuration's own addresses stand already. */
static void resume_addresses(struct fleet *f, const struct fleet_host *hosts, uint32_t count, const struct fleet_device *old,
			     const struct config_devices *were)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t was = hosts[i].device;
		int32_t at = was == NONE ? -1 : device_find(&f->config->devices, text_of(were->at[was].name));

		if (was == NONE)
			device_share_address(f, &hosts[i].address);
		else if (at >= 0 && f->devices[at].mark == old[was].mark)
			device_learn_address(f, (uint32_t)at, &hosts[i].address);
	}
}

static void resume_devices(struct fleet *f, const struct fleet_device *old, const struct config_devices *were)
{
	const struct config_devices *devices = &f->config->devices;

	for (uint32_t i = 0; i < devices->count; i++) {
		int32_t at = device_find(were, text_of(devices->at[i].name));

		if (at < 0 || old[at].mark != f->devices[i].mark)
			continue;
		f->devices[i] = old[at];
		f->devices[i].request = 0;
		f->devices[i].lock = f->devices[i].burst = 0;
	}
}

/* Until it is known whether a step of this one helped, nobody else takes one there: a reload changes nothing in that. */
static void resume_lock(struct fleet *f, struct case_file *c)
{
	if (c->locks_again)
		(void)devices_lock(f, c, c->is.tunnel_kind == TUNNEL_SDWAN); /* false: of a device that may be of any site by now */
	c->locks_again = false;
}

static void resume_cases(struct fleet *f)
{
	const struct config_devices *devices = &f->config->devices;
	uint32_t next;

	for (uint32_t n = f->oldest; n; n = next) {
		struct case_file *c = f->cases[n - 1];
		int32_t r = device_find(devices, text_of(c->is.receiver));

		next = c->newer;
		if (!case_is_open(c))
			continue;
		c->r = r < 0 ? NONE : (uint32_t)r;
		c->s = c->is.sender[0] ? (uint32_t)device_find(devices, text_of(c->is.sender)) : NONE;
		slots_add(&f->by_pair, (uint32_t)fleet_hash_pair(f, c->r, &c->is.src, &c->is.dst), c->number);
		if (c->r != NONE && (c->s != NONE || !c->is.sender[0])) {
			if (c->is.is_burst)
				f->devices[c->r].burst = c->number;
			resume_lock(f, c);
			continue;
		}
		case_say(c, "A device of it is not in the configuration any more.");
		case_end(f, c, STATE_CLOSED);
	}
}

int fleet_reconfigure(struct fleet *f, const struct config *config, struct moment now)
{
	struct fleet old = *f;

	f->now = now;
	f->config = memory_new(1, sizeof(*f->config));
	f->hosts = memory_new(FLEET_ADDRESSES_MAX, sizeof(*f->hosts));
	f->devices = memory_new(config->devices.count + 1, sizeof(*f->devices));
	f->by_address = (struct slots){ 0 };
	if (!f->config || !f->hosts || !f->devices || slots_init(&f->by_address, FLEET_ADDRESSES_MAX) < 0) {
		memory_free(f->config);
		memory_free(f->hosts);
		memory_free(f->devices);
		*f = old;
		return -ENOMEM;
	}
	*f->config = *config;
	settle_cases(f, &old);
	renumber_outputs(f, &old.config->devices);
	take_devices(f);
	resume_devices(f, old.devices, &old.config->devices);
	resume_addresses(f, old.hosts, old.host_count, old.devices, &old.config->devices);
	memset(f->known, 0, FLEET_KNOWN_MAX * sizeof(*f->known));
	resume_cases(f);
	budget_reconfigure(f->budget, config);
	slots_done(&old.by_address);
	memory_free(old.devices);
	memory_free(old.hosts);
	memory_free(old.config);
	return 0;
}
