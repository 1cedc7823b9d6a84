/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/core_private.h"

#define LOG_WINDOW_NS MINUTE_NS

void say_notice(struct core *c, int severity, const char *format, ...)
{
	struct core_output *output = core_emit(c, CORE_NOTICE);
	va_list args;

	if (!output)
		return;
	output->line.severity = severity;
	va_start(args, format);
	vsnprintf(output->line.text, sizeof(output->line.text), format, args);
	va_end(args);
}

/* At most so many lines a minute; what was held back is said with the next one. */
static bool may_log(struct core *c)
{
	if (!c->log_window_ns || c->now.mono_ns - c->log_window_ns >= LOG_WINDOW_NS) {
		if (c->log_held)
			say_notice(c, 5, "%u more lines about unknown SPIs were held back by the limit of %u a minute", c->log_held,
				   c->config.log_per_minute);
		c->log_window_ns = c->now.mono_ns;
		c->log_lines = c->log_held = 0;
	}
	if (c->log_lines >= c->config.log_per_minute) {
		c->log_held++;
		return false;
	}
	c->log_lines++;
	return true;
}

/* B1, B2: the words of IOS, so that what reads routers reads this gateway too. */
static void log_line(struct core *c, const struct sa_key *key, const struct spimend_address *src, const char *interface)
{
	char to[SPIMEND_ADDRESS_TEXT_MAX], from[SPIMEND_ADDRESS_TEXT_MAX];
	struct core_output *output = core_emit(c, CORE_LOG_LINE);

	if (!output)
		return;
	output->line.severity = 4;
	snprintf(output->line.text, sizeof(output->line.text),
		 "%%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi for destaddr=%s, prot=%u, "
		 "spi=0x%08X(%u), srcaddr=%s%s%.15s", spimend_address_print(&key->dst, to), key->protocol, key->spi, key->spi,
		 spimend_address_print(src, from), interface[0] ? ", input interface=" : "", interface);
}

void say_stray(struct core *c, struct flow *flow)
{
	if (flow->logged_ns && c->now.mono_ns - flow->logged_ns < c->config.log_gap_ns)
		return;
	/* B3: one a minute for each flow, also of those that the limit holds back. */
	flow->logged_ns = c->now.mono_ns;
	if (may_log(c))
		log_line(c, &flow->key, &flow->src, flow->interface);
}

void say_stranger(struct core *c, const struct sighting *s)
{
	struct sa_key key = sa_key_of(&s->dst, s->protocol, s->spi);

	if (c->strangers_logged_ns && c->now.mono_ns - c->strangers_logged_ns < c->config.log_gap_ns)
		return;
	c->strangers_logged_ns = c->now.mono_ns;
	if (may_log(c))
		log_line(c, &key, &s->src, s->interface);
}
