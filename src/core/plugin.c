/* SPDX-License-Identifier: MIT */
/* What spimend's plugin inside an IKE daemon tells beyond VICI. */
#include "core/core_private.h"

void core_plugin(struct core *c, const struct plugin_state *state, struct moment now)
{
	struct mirror_daemon *d;

	c->now = now;
	if (state->daemon >= GATEWAY_DAEMONS_MAX)
		return;
	d = &c->daemons[state->daemon];
	if (d->plugin.up != state->up)
		say_notice(c, state->up ? 6 : 4, "the plugin in IKE daemon %s %s", c->config.daemons[state->daemon],
			   state->up ? "takes orders" : "is gone: repairs go on without it");
	d->plugin = *state;
	if (state->up)
		mend_tick(c);
}

void core_plugin_reports(struct core *c, const struct plugin_state *state, struct moment now)
{
	c->now = now;
	if (state->daemon < GATEWAY_DAEMONS_MAX)
		c->daemons[state->daemon].reports = *state;
}

void core_report(struct core *c, const struct plugin_report *report, struct moment now)
{
	(void)report;
	c->now = now;
}
