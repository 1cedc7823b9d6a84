/* SPDX-License-Identifier: MIT */
#include "judge/audit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "judge/audit_private.h"

void *array_add(struct array *array, size_t size)
{
	if (array->count == array->room) {
		uint32_t room = array->room ? array->room * 2 : 64;
		void *more = array->room < UINT32_MAX / 4 ? memory_resize(array->at, room, size) : NULL;

		if (!more)
			return NULL;
		array->at = more;
		array->room = room;
	}
	return memset((char *)array->at + (size_t)array->count++ * size, 0, size);
}

int sa_audit_new(const struct hash_key *key, struct sa_audit **ret)
{
	struct sa_audit *a = memory_new(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->key = *key;
	if (slots_init(&a->device_names, AUDIT_DEVICES_MAX) < 0) {
		memory_free(a);
		return -ENOMEM;
	}
	*ret = a;
	return 0;
}

void sa_audit_free(struct sa_audit *a)
{
	if (!a)
		return;
	for (uint32_t i = 0; i < a->devices.count; i++)
		memory_free(device_at(a, i)->name);
	struct array *const arrays[] = { &a->devices, &a->outputs, &a->flows, &a->sas, &a->ikes, &a->sessions, &a->spis, &a->traces,
					 &a->drops, &a->local_sas, &a->outbounds, &a->tlocs, &a->bfds, &a->states, &a->findings,
					 &a->same, &a->owners };
	struct slots *const slots[] = { &a->device_names, &a->inbound, &a->outbound, &a->locals, &a->pairs, &a->idents };

	for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
		memory_free(arrays[i]->at);
	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++)
		slots_done(slots[i]);
	memory_free(a->clean);
	memory_free(a);
}

uint32_t audit_hash(const struct sa_audit *a, const void *bytes, size_t len)
{
	return (uint32_t)hash_bytes(&a->key, bytes, len);
}

/* One SPI, pair or network so often is no answer any more, and would make the search quadratic. */
#define ALIKE_MAX 256

void audit_index_add(struct slots *slots, uint32_t hash, uint32_t number)
{
	uint32_t cursor = hash;

	for (int i = 0; i < ALIKE_MAX; i++) {
		if (!slots_look(slots, hash, &cursor)) {
			slots_add(slots, hash, number);
			return;
		}
	}
}

int sa_audit_device(struct sa_audit *a, const char *name)
{
	size_t len = strlen(name);
	uint32_t hash = audit_hash(a, name, len), cursor = hash, at;
	struct audit_device *device;

	while ((at = slots_look(&a->device_names, hash, &cursor)))
		if (strcmp(device_at(a, at - 1)->name, name) == 0)
			return (int)at - 1;
	if (a->devices.count == AUDIT_DEVICES_MAX)
		return -E2BIG;
	device = array_add(&a->devices, sizeof(*device));
	if (!device)
		return -ENOMEM;
	device->name = memory_new(len + 1, 1);
	if (!device->name) {
		a->devices.count--;
		return -ENOMEM;
	}
	memcpy(device->name, name, len);
	device->first_output = NONE;
	slots_add(&a->device_names, hash, a->devices.count);
	return (int)a->devices.count - 1;
}

int sa_audit_begin(struct sa_audit *a, int device, const char *file, enum saved_output kind,
		   const struct saved_filter *filter)
{
	struct audit_output *output = array_add(&a->outputs, sizeof(*output));

	if (!output || a->outputs.count > INT32_MAX)
		return -ENOMEM;
	output->device = (uint32_t)device;
	output->file = file;
	output->kind = kind;
	output->filter = *filter;
	a->counts.outputs++;
	return (int)a->outputs.count - 1;
}

void sa_audit_end_output(struct sa_audit *a, int output, bool cut)
{
	output_at(a, (uint32_t)output)->cut = cut;
}

/* ---- records ---- */

static bool add_sa(struct sa_audit *a, uint32_t flow, bool inbound, uint32_t spi, uint8_t protocol, bool in_use)
{
	struct audit_sa *sa = array_add(&a->sas, sizeof(*sa));

	if (!sa)
		return false;
	*sa = (struct audit_sa){ .spi = spi, .flow = flow, .protocol = protocol, .inbound = inbound, .in_use = in_use };
	return true;
}

static void note_peer(struct audit_output *output, const struct spimend_address *peer)
{
	if (!spimend_address_known(&output->first_peer))
		output->first_peer = *peer;
	else if (!spimend_address_equal(&output->first_peer, peer))
		output->several_peers = true;
}

static int add_flow(struct sa_audit *a, uint32_t output, const struct sa_block *b, uint32_t line)
{
	struct audit_output *out = output_at(a, output);
	struct audit_flow *f = array_add(&a->flows, sizeof(*f));
	uint32_t number = a->flows.count - 1;
	bool fine = true;

	if (!f)
		return -ENOMEM;
	*f = (struct audit_flow){
		.device = out->device, .output = output, .line = line, .sa = a->sas.count, .local = b->local, .peer = b->peer,
		.local_ident = b->local_ident, .remote_ident = b->remote_ident, .child_id = b->child_id, .ike_id = b->ike_id,
		.partner = NONE, .tunnel = NONE, .outbound_line = b->outbound_line, .inbound_line = b->inbound_line,
		.encaps = b->encaps, .decaps = b->decaps, .lifetime_s = b->lifetime_s, .lifetime_kb = b->lifetime_kb,
		.source = (enum audit_source)b->source, .encap = b->encap_udp, .encap_told = b->encap_told,
		.controller = b->controller_keyed, .manual = b->manual_or_group && !b->controller_keyed, .whole = b->whole,
		.settling = b->settling, .has_counters = b->has_counters, .has_lifetime = b->has_lifetime,
		.has_lifetime_kb = b->has_lifetime_kb, .in_unread = b->inbound_dropped > 0, .out_unread = b->outbound_dropped > 0,
	};
	for (size_t i = 0; i < b->inbound_count; i++)
		fine &= add_sa(a, number, true, b->inbound[i].value, b->inbound_ah >> i & 1 ? 51 : 50, true);
	for (size_t i = 0; i < b->outbound_count; i++)
		fine &= add_sa(a, number, false, b->outbound[i].value, b->outbound_ah >> i & 1 ? 51 : 50, i == 0 && !b->settling);
	f->sa_count = a->sas.count - f->sa;
	note_peer(out, &f->peer);
	a->counts.flows++;
	a->counts.sas += f->sa_count;
	return fine ? 0 : -ENOMEM;
}

#define KEEP(list, type, field)                                                                            \
	do {                                                                                                \
		type *kept = array_add(&a->list, sizeof(*kept));                                            \
		if (!kept)                                                                                  \
			return -ENOMEM;                                                                     \
		*kept = (type){ .device = device, .output = output, .line = r->line, .is = r->field };      \
		return 0;                                                                                   \
	} while (0)

static int keep(struct sa_audit *a, uint32_t output, const struct saved_record *r)
{
	uint32_t device = output_at(a, output)->device;

	switch (r->kind) {
	case SAVED_FLOW:
		return add_flow(a, output, &r->flow, r->line);
	case SAVED_IKE:
		a->counts.ike_sas++;
		KEEP(ikes, struct audit_ike, ike);
	case SAVED_SESSION:
		KEEP(sessions, struct kept_session, session);
	case SAVED_SPI:
		KEEP(spis, struct kept_spi, spi);
	case SAVED_TRACE:
		KEEP(traces, struct kept_trace, trace);
	case SAVED_DROP:
		KEEP(drops, struct kept_drop, drop);
	case SAVED_LOCAL_SA:
		KEEP(local_sas, struct kept_local_sa, local_sa);
	case SAVED_OUTBOUND:
		KEEP(outbounds, struct kept_outbound, outbound);
	case SAVED_TLOC:
		KEEP(tlocs, struct kept_tloc, tloc);
	case SAVED_BFD:
		KEEP(bfds, struct kept_bfd, bfd);
	case SAVED_STATE:
		KEEP(states, struct kept_state, state);
	case SAVED_CONTROL: /* what one device has with its controllers is its own */
	case SAVED_OMP_PEER:
	case SAVED_INTERFACE:
	case SAVED_EDGE:
	case SAVED_NONE:
	case SAVED_KINDS:
		break;
	}
	return 0;
}

int sa_audit_add(struct sa_audit *a, int output, const struct saved_record *record)
{
	if (a->sas.count >= AUDIT_RECORDS_MAX || a->flows.count >= AUDIT_RECORDS_MAX)
		return -E2BIG;
	output_at(a, (uint32_t)output)->records++;
	return keep(a, (uint32_t)output, record);
}

/* ---- findings ---- */

static enum audit_severity severity_of(enum audit_code code)
{
	switch (code) {
	case AUDIT_SA_MISSING:
	case AUDIT_KERNEL_LOST:
	case AUDIT_ENCAP_DIFFERS:
	case AUDIT_SDWAN_SA_MISSING:
	case AUDIT_SDWAN_KEY_DIFFERS:
	case AUDIT_SDWAN_SA_CLEARED:
		return AUDIT_ERROR;
	case AUDIT_SA_LEFTOVER:
	case AUDIT_SA_UNUSED:
	case AUDIT_KERNEL_ONLY:
	case AUDIT_FLOW_WITHOUT_SAS:
		return AUDIT_NOTE;
	default:
		return AUDIT_WARNING;
	}
}

struct audit_finding *audit_find(struct sa_audit *a, enum audit_code code, enum confidence confidence)
{
	struct audit_finding *f;
	enum audit_severity severity = severity_of(code);

	a->counts.severity[severity]++;
	if (a->findings.count >= AUDIT_FINDINGS_MAX) {
		a->counts.limit++;
		return NULL;
	}
	f = array_add(&a->findings, sizeof(*f));
	if (!f) {
		a->failed = true;
		return NULL;
	}
	f->code = code;
	f->severity = severity;
	f->confidence = confidence;
	f->tunnel = NONE;
	f->protocol = SPIMEND_PROTOCOL_UNKNOWN;
	return f;
}

void audit_set_end(const struct sa_audit *a, struct audit_finding *f, int end, uint32_t device, enum audit_role role,
		   const struct audit_flow *flow)
{
	struct audit_end *e = &f->ends[end];

	e->device = device == NONE ? NULL : device_at(a, device)->name;
	e->role = role;
	if (!flow)
		return;
	e->address = flow->local;
	e->source = flow->source == SOURCE_XFRM ? SA_BLOCK_SWAN : (enum sa_block_source)flow->source;
	e->child_id = flow->child_id;
	e->ike_id = flow->ike_id;
}

void audit_say(const struct sa_audit *a, struct audit_finding *f, uint32_t output, uint32_t line, const char *format, ...)
{
	struct audit_evidence *e;
	va_list arguments;

	if (f->evidence_count == AUDIT_EVIDENCE_MAX)
		return;
	e = &f->evidence[f->evidence_count++];
	e->device = device_at(a, output_at(a, output)->device)->name;
	e->file = output_at(a, output)->file;
	e->line = line;
	va_start(arguments, format);
	vsnprintf(e->says, sizeof(e->says), format, arguments);
	va_end(arguments);
}

/* Worst tunnel first: findings carry their tunnel's worst severity while they are sorted. */
struct ranked {
	uint32_t finding, tunnel;
	enum audit_severity worst, severity;
	const char *device;
};

static int compare_ranked(const void *left, const void *right)
{
	const struct ranked *l = left, *r = right;
	int order;

	if (l->worst != r->worst)
		return l->worst > r->worst ? -1 : 1;
	order = strcmp(l->device ? l->device : "", r->device ? r->device : "");
	if (l->tunnel != r->tunnel) {
		if (l->tunnel != NONE && r->tunnel != NONE)
			return l->tunnel < r->tunnel ? -1 : 1;
		if (order)
			return order;
		return l->tunnel < r->tunnel ? -1 : 1;
	}
	if (l->tunnel == NONE && order)
		return order;
	if (l->severity != r->severity)
		return l->severity > r->severity ? -1 : 1;
	return l->finding < r->finding ? -1 : 1;
}

static int sort_findings(struct sa_audit *a)
{
	uint32_t n = a->findings.count;
	struct audit_finding *all = a->findings.at, *sorted = n ? memory_new(n, sizeof(*sorted)) : NULL;
	struct ranked *ranked = n ? memory_new(n, sizeof(*ranked)) : NULL;
	uint8_t *worst = memory_new((size_t)a->tunnels + 1, 1);
	int result = -ENOMEM;

	if (n && (!sorted || !ranked))
		goto out;
	if (!worst)
		goto out;
	for (uint32_t i = 0; i < n; i++)
		if (all[i].tunnel != NONE && all[i].severity > worst[all[i].tunnel])
			worst[all[i].tunnel] = (uint8_t)all[i].severity;
	for (uint32_t i = 0; i < n; i++)
		ranked[i] = (struct ranked){ i, all[i].tunnel, all[i].tunnel != NONE ? worst[all[i].tunnel] : all[i].severity,
					     all[i].severity, all[i].ends[0].device };
	if (n)
		qsort(ranked, n, sizeof(*ranked), compare_ranked);
	for (uint32_t i = 0; i < n; i++)
		sorted[i] = all[ranked[i].finding];
	if (n) {
		memory_free(a->findings.at);
		a->findings.at = sorted;
		a->findings.room = n;
		sorted = NULL;
	}
	result = 0;
out:
	memory_free(sorted);
	memory_free(ranked);
	memory_free(worst);
	return result;
}

void audit_note_outputs(struct sa_audit *a)
{
	for (uint32_t i = 0; i < a->outputs.count; i++) {
		struct audit_device *device = device_at(a, output_at(a, i)->device);

		if (device->first_output == NONE)
			device->first_output = i;
		device->last_output = i;
		device->last[output_at(a, i)->kind] = i + 1;
	}
}

int sa_audit_judge(struct sa_audit *a)
{
	int result;

	a->counts.devices = a->devices.count;
	audit_note_outputs(a);
	if ((result = audit_direct_states(a)) < 0 || (result = audit_index(a)) < 0 || (result = audit_link(a)) < 0 ||
	    (result = audit_compare_tunnels(a)) < 0)
		return result;
	audit_compare_kernels(a);
	for (uint32_t i = 0; i < a->tunnels; i++)
		a->counts.in_sync += a->clean[i];
	if ((result = audit_compare_ike(a)) < 0 || (result = audit_compare_sdwan(a)) < 0)
		return result;
	return a->failed ? -ENOMEM : sort_findings(a);
}

const struct audit_counts *sa_audit_counts(const struct sa_audit *a)
{
	return &a->counts;
}

size_t sa_audit_findings(const struct sa_audit *a)
{
	return a->findings.count;
}

const struct audit_finding *sa_audit_finding(const struct sa_audit *a, size_t at)
{
	return (const struct audit_finding *)a->findings.at + at;
}

bool sa_audit_same_device(const struct sa_audit *a, size_t at, const char **ret_first, const char **ret_second)
{
	const struct same_pair *pair = (const struct same_pair *)a->same.at + at;

	if (at >= a->same.count)
		return false;
	*ret_first = device_at(a, pair->first)->name;
	*ret_second = device_at(a, pair->second)->name;
	return true;
}
