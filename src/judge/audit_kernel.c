/* SPDX-License-Identifier: MIT */
/* What one device says against itself: its IKE daemon and its kernel, its tables and its own memory of SPIs. */
#include "judge/audit_private.h"

static const char *drop_word(enum saved_drop_kind kind)
{
	return kind == DROP_NO_SA ? "packets without an SA" : kind == DROP_INVALID_SA ? "packets on an SA that is ending" :
	       "replay drops";
}

bool audit_add_memory(struct sa_audit *a, struct audit_finding *f, uint32_t device, uint32_t spi)
{
	const struct kept_spi *spis = a->spis.at;
	const struct kept_trace *traces = a->traces.at, *last = NULL;
	const struct kept_drop *drops = a->drops.at;
	const struct kept_spi *known = NULL;

	/* Few devices are asked for these, and findings are few: no index is worth it. */
	for (uint32_t i = 0; i < a->traces.count; i++)
		if (traces[i].device == device && traces[i].is.spi.value == spi)
			last = &traces[i];
	for (uint32_t i = 0; i < a->spis.count && !known; i++)
		if (spis[i].device == device && spis[i].is.spi.value == spi)
			known = &spis[i];
	if (last)
		audit_say(a, f, last->output, last->line, "its event trace: 0x%x was %s here", spi, last->is.deleted ? "deleted" : "created");
	if (known)
		audit_say(a, f, known->output, known->line, "its %s SPI table knows 0x%x", known->is.transient ? "transient" : "active", spi);
	for (uint32_t i = 0; i < a->drops.count; i++)
		if (drops[i].device == device && drops[i].is.kind == DROP_NO_SA && drops[i].is.packets)
			audit_say(a, f, drops[i].output, drops[i].line, "%s %llu: %s, since the last clear", drops[i].is.name,
				  (unsigned long long)drops[i].is.packets, drop_word(drops[i].is.kind));
	return last && last->is.deleted;
}

/* Does a device's daemon and its kernel both speak? The last output of each. */
static void last_outputs(const struct sa_audit *a, const struct audit_device *device, uint32_t number, uint32_t *ret_swan,
			 uint32_t *ret_kernel)
{
	*ret_swan = *ret_kernel = NONE;
	for (uint32_t i = device->first_output; i != NONE && i <= device->last_output; i++) {
		const struct audit_output *o = output_at(a, i);

		if (o->device != number || o->cut || o->filter.narrow)
			continue;
		if (o->kind == OUTPUT_SWANCTL || o->kind == OUTPUT_SWANCTL_RAW)
			*ret_swan = i;
		else if (o->kind == OUTPUT_XFRM)
			*ret_kernel = i;
	}
}

static bool lists(const struct sa_audit *a, const struct slots *slots, uint32_t output, const struct audit_sa *sa)
{
	uint32_t hash = audit_hash_spi(a, sa->spi, sa->protocol), cursor = hash, at;

	while ((at = slots_look(slots, hash, &cursor))) {
		const struct audit_sa *other = sa_at(a, at - 1);

		if (other->spi == sa->spi && other->protocol == sa->protocol && flow_at(a, other->flow)->output == output)
			return true;
	}
	return false;
}

static void compare_sa(struct sa_audit *a, const struct audit_sa *sa, uint32_t swan, uint32_t kernel)
{
	const struct audit_flow *flow = flow_at(a, sa->flow);
	bool daemon = flow->output == swan;
	struct audit_finding *f;

	if (flow->settling || lists(a, sa->inbound ? &a->inbound : &a->outbound, daemon ? kernel : swan, sa))
		return;
	f = audit_find(a, daemon ? AUDIT_KERNEL_LOST : AUDIT_KERNEL_ONLY, CONFIDENCE_LIKELY);
	if (!f)
		return;
	if (flow->tunnel != NONE)
		a->clean[flow->tunnel] = 0;
	audit_set_end(a, f, 0, flow->device, AUDIT_BOTH, flow);
	if (flow->partner != NONE)
		audit_set_end(a, f, 1, flow->partner, AUDIT_BOTH, NULL);
	f->ends[1].address = flow->peer;
	f->tunnel = flow->tunnel;
	f->has_spi = true;
	f->spi.value = sa->spi;
	f->protocol = sa->protocol == 51 ? SPIMEND_PROTOCOL_AH : SPIMEND_PROTOCOL_ESP;
	f->cause = daemon ? CAUSE_CHILD_MISSING : CAUSE_UNKNOWN;
	audit_say(a, f, flow->output, flow->line, daemon ? "the IKE daemon lists %s 0x%x" : "the kernel has %s 0x%x",
		  sa->inbound ? "inbound" : "outbound", sa->spi);
	audit_say(a, f, daemon ? kernel : swan, 0, daemon ? "the kernel does not have it" : "the IKE daemon does not list it");
}

void audit_compare_kernels(struct sa_audit *a)
{
	for (uint32_t d = 0; d < a->devices.count; d++) {
		const struct audit_device *device = device_at(a, d);
		uint32_t swan, kernel;

		last_outputs(a, device, d, &swan, &kernel);
		/* A daemon with ESP in user space has nothing in the kernel at all: that proves nothing. */
		if (swan == NONE || kernel == NONE || output_at(a, kernel)->records == 0 || device->ignored)
			continue;
		device_at(a, d)->compared = true;
	}
	for (uint32_t i = 0, d = NONE, swan = NONE, kernel = NONE; i < a->sas.count; i++) {
		const struct audit_flow *flow = flow_at(a, sa_at(a, i)->flow);

		if (!device_at(a, flow->device)->compared)
			continue;
		if (flow->device != d) {
			d = flow->device;
			last_outputs(a, device_at(a, d), d, &swan, &kernel);
		}
		if (flow->output == swan || flow->output == kernel)
			compare_sa(a, sa_at(a, i), swan, kernel);
	}
}
