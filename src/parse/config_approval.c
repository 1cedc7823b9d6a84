/* SPDX-License-Identifier: MIT */
/* `repair sdwan approval` of a device, and the same in the block `spimend` for all that say nothing: which of SD-WAN's steps
 * are taken without a person being asked. */
#include <string.h>

#include "parse/config_private.h"

static const char keywords_usual[] = "repair sdwan approval";

static bool read_step(struct text t, enum sdwan_step *ret, struct buffer *why)
{
	for (int step = 0; step < SDWAN_STEPS; step++) {
		if (!text_equal_nocase(t, text_of(sdwan_step_name((enum sdwan_step)step))))
			continue;
		*ret = (enum sdwan_step)step;
		return true;
	}
	return config_say_expected(why, "step", t, "ipsec-rekey, port-hop, clear-omp or clear-control is expected, each by its whole name");
}

bool config_approval_set(const struct text *words, size_t count, struct sdwan_approval *approval, struct buffer *why,
			 bool *again)
{
	static const char *const choices[] = { "required", "not-required" };
	struct sdwan_approval now = *approval;
	int choice = words[0].len > 2 ? config_read_choice(words[0], choices, 2) : -1;

	if (choice < 0)
		return config_say_expected(why, "approval", words[0], "required or not-required is expected");
	for (size_t i = 1; i < count; i++) {
		enum sdwan_step step = SDWAN_IPSEC_REKEY;
		uint8_t bit;

		if (!read_step(words[i], &step, why))
			return false;
		bit = (uint8_t)(1u << step);
		*again |= now.told & bit && !(now.unattended & bit) != (choice == 0);
		now.told |= bit;
		now.unattended = (uint8_t)(choice ? now.unattended | bit : now.unattended & ~bit);
	}
	*approval = now;
	return true;
}

void config_approval_print(const char *keywords, const struct sdwan_approval *approval, struct buffer *out)
{
	for (int unattended = 0; unattended < 2; unattended++) {
		unsigned steps = approval->told & (unattended ? approval->unattended : ~approval->unattended);

		if (!steps)
			continue;
		buffer_printf(out, " %s %s", keywords, unattended ? "not-required" : "required");
		for (int step = 0; step < SDWAN_STEPS; step++)
			if (steps & 1u << step)
				buffer_printf(out, " %s", sdwan_step_name((enum sdwan_step)step));
		buffer_add_char(out, '\n');
	}
}

/* --- What it means, for `spimendd -n` ------------------------------------------------------------------------------ */

static const char *const means[SDWAN_STEPS] = {
	[SDWAN_IPSEC_REKEY] = "new keys for all SD-WAN tunnels of the device, whose BFD may flap",
	[SDWAN_PORT_HOP] = "all BFD sessions and control connections of a colour flap",
	[SDWAN_CLEAR_OMP] = "all BFD sessions of the device flap",
	[SDWAN_CLEAR_CONTROL] = "all control connections and all BFD sessions of the device flap",
};

static void check_step(const struct config *c, enum sdwan_step step, config_device_say *say, void *context)
{
	const struct config_device *first = NULL;
	struct buffer why = { 0 };
	uint32_t count = 0;

	for (uint32_t i = 0; i < c->devices.count; i++) {
		const struct config_device *d = &c->devices.at[i];

		if (d->platform != PLATFORM_SDWAN || !d->may_repair || !device_is_unattended(&c->devices, d, step))
			continue;
		first = first ? first : d;
		count++;
	}
	if (count == 0 && !(c->devices.usual_approval.told & c->devices.usual_approval.unattended & 1u << step))
		return;
	if (count == 0)
		buffer_printf(&why, "'%s not-required %s' is of no effect: no 'platform sd-wan' device with 'rights repair' takes it from there",
			      keywords_usual, sdwan_step_name(step));
	else
		buffer_printf(&why, "'%s not-required': %s is typed on %s%s without a person being asked%s: %s", keywords_usual,
			      sdwan_step_name(step), first->name, count > 1 ? " and others" : "",
			      c->mode == MODE_REPAIR ? "" : ", once the mode is repair", means[step]);
	say(context, 0, buffer_text(&why));
	buffer_done(&why);
}

void config_approval_check(const struct config *config, config_device_say *say, void *context)
{
	for (int step = 0; step < SDWAN_STEPS; step++)
		check_step(config, (enum sdwan_step)step, say, context);
}
