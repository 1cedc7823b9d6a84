/* SPDX-License-Identifier: MIT */
/* What another device says about its end of a tunnel, by a trap. A hint of somebody who may be forged: it is said, and it is
 * evidence where an incident is open already; it opens none, and nothing is ever done for it alone. */
#include "core/core_private.h"
#include "model/report.h"

#define SAID_WINDOW_NS MINUTE_NS
#define SAID_MOST 10 /* notices in that; the rest is only counted */

/* The child that encrypts with that SPI, towards that device. */
static struct mirror_child *child_towards(struct core *c, const struct spimend_address *device, uint32_t spi)
{
	for (uint32_t i = 0; i < c->child_table.count; i++) {
		struct mirror_child *child = &c->children[i];

		if (child->used && child->sa.has_spi_out && child->sa.spi_out == spi &&
		    spimend_address_equal(&child->sa.remote, device))
			return child;
	}
	return NULL;
}

static bool may_say(struct core *c)
{
	if (!c->said_devices_ns || c->now.mono_ns - c->said_devices_ns >= SAID_WINDOW_NS) {
		c->said_devices_ns = c->now.mono_ns ? c->now.mono_ns : 1;
		c->said_devices = 0;
	}
	return c->said_devices++ < SAID_MOST;
}

static void add_evidence(struct core *c, const struct mirror_child *child, const struct device_report *report,
			 const char *from)
{
	struct trouble *t = trouble_of_child(c, child, false);

	if (!t || !trouble_is_open(t))
		return;
	trouble_evidence(c, t, FACT_STRAY, "a trap from %s%s says that it has no SA for 0x%08x, which we encrypt with", from,
			 report->authenticated ? " (authenticated)" : "", report->spi);
	trouble_changed(c, t);
}

void core_device_report(struct core *c, const struct device_report *report, struct moment now)
{
	char from[SPIMEND_ADDRESS_TEXT_MAX];
	const struct mirror_child *child;

	c->now = now;
	c->device_reports++;
	spimend_address_print(&report->device, from);
	if (report->has_spi) {
		child = child_towards(c, &report->device, report->spi);
		if (child)
			add_evidence(c, child, report, from);
		if (may_say(c))
			say_notice(c, child ? 4 : 5, "a trap from %s says that packets come with SPI 0x%08x, which it has no SA for%s", from,
				   report->spi, child ? ": one that we encrypt with" : "; it is none that we encrypt with towards it");
	} else if (report->kind == REPORT_NO_SA || report->kind == REPORT_NO_IKE_SA) {
		if (may_say(c))
			say_notice(c, 5, "a trap from %s says that %s come for an SA that it has not; the trap does not say which", from,
				   report->kind == REPORT_NO_SA ? "packets" : "IKE messages");
	}
}
