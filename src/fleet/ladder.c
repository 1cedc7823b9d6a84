/* SPDX-License-Identifier: MIT */
/*
 * Which step comes next (faults.md g). IKE: at S, which holds the stale SA; the exact SA, then the peer's, then, with a
 * person's word, the session. SD-WAN: at R, which makes the key that the others use; each with a person's word, unless the
 * configuration says that none is asked; ipsec-rekey is left out where the SA was cleared by hand (T23: it does nothing
 * there). Pure.
 */
#include <string.h>

#include "fleet/fleet_private.h"

static bool was_tried(const struct case_file *c, const struct fleet_step *like)
{
	for (uint32_t i = 0; i < c->is.step_count; i++) {
		const struct fleet_step *step = &c->is.steps[i];

		if (step->verb == like->verb && spimend_address_equal(&step->peer, &like->peer) &&
		    strcmp(step->on, like->on) == 0 && (step->state == FLEET_STEP_DONE || step->state == FLEET_STEP_ORDERED ||
		    step->state == FLEET_STEP_REFUSED))
			return true;
	}
	return false;
}

static bool render(const struct fleet *f, uint32_t device, struct fleet_step *step)
{
	struct device_order order = { .verb = step->verb, .peer = step->peer, .protocol = step->protocol, .spi = step->spi,
				      .color = step->color };
	struct buffer out = { 0 };
	bool has = device_command(&order, device_config(f, device)->platform, &out) && !out.failed && out.len < DEVICE_COMMAND_MAX;

	if (has)
		text_copy(buffer_text(&out), step->command, sizeof(step->command));
	buffer_done(&out);
	return has;
}

static struct fleet_blast blast_of(const struct fleet_step *step, const struct round *round)
{
	struct fleet_blast blast = { .told = true };

	if (device_verb_clears_sa(step->verb)) {
		blast.flows = round->s.flows;
		return blast;
	}
	blast.told = round->bfd_read && round->control_read;
	blast.bfd_up = step->verb == DEVICE_PORT_HOP ? round->bfd_of[step->color] : round->bfd_all;
	if (step->verb == DEVICE_PORT_HOP)
		blast.control_up = round->control_of[step->color];
	else if (step->verb == DEVICE_CLEAR_CONTROL)
		blast.control_up = round->control_all;
	return blast;
}

bool blast_equal(const struct fleet_blast *a, const struct fleet_blast *b)
{
	return a->told && b->told && a->bfd_up == b->bfd_up && a->control_up == b->control_up && a->flows == b->flows;
}

void blast_say(const struct fleet_step *step, struct buffer *out)
{
	const struct fleet_blast *b = &step->blast;

	if (device_verb_clears_sa(step->verb)) {
		buffer_printf(out, "%u flow%s with this peer%s", b->flows, b->flows == 1 ? "" : "s",
			      step->verb == DEVICE_CLEAR_SESSION ? ", and the IKE SA" : "");
		return;
	}
	if (!b->told)
		buffer_add_string(out, "not counted: the device did not show it; ");
	if (step->verb == DEVICE_IPSEC_REKEY)
		buffer_printf(out, "new keys for all SD-WAN tunnels of %s: %u BFD sessions are up, and may flap", step->on, b->bfd_up);
	else if (step->verb == DEVICE_PORT_HOP)
		buffer_printf(out, "%u BFD sessions and %u control connections of the colour %s flap", b->bfd_up, b->control_up,
			      device_color_name(step->color));
	else if (step->verb == DEVICE_CLEAR_OMP)
		buffer_printf(out, "all %u BFD sessions of %s flap", b->bfd_up, step->on);
	else
		buffer_printf(out, "all %u control connections and all %u BFD sessions of %s flap", b->control_up, b->bfd_up, step->on);
}

static bool fits(const struct fleet *f, const struct case_file *c, const struct finding *finding, uint32_t device,
		 enum device_verb verb, struct fleet_step *step)
{
	enum sdwan_step sdwan;

	memset(step, 0, sizeof(*step));
	step->verb = verb;
	memcpy(step->on, device_config(f, device)->name, sizeof(step->on));
	if (device_verb_clears_sa(verb)) {
		if (finding->keys != KEYS_IKE)
			return false; /* B17, whatever brought us here */
		step->peer = c->is.dst;
		step->needs_person = verb == DEVICE_CLEAR_SESSION;
	} else {
		step->needs_person = !device_verb_is_sdwan_step(verb, &sdwan) ||
				     !device_is_unattended(&f->config->devices, device_config(f, device), sdwan);
	}
	if (verb == DEVICE_CLEAR_SA_ENTRY) {
		/* Which protocol that SPI is of, the tables do not tell: the message did, if it named this one. */
		if (!table_has(c->is.spis, c->is.spi_count, finding->stale))
			return false;
		step->protocol = c->is.protocol;
		step->spi = finding->stale;
	}
	if (verb == DEVICE_PORT_HOP) {
		step->color = c->now.color;
		if (step->color == COLOR_NONE)
			return false;
	}
	step->blast = blast_of(step, &c->now);
	return !was_tried(c, step) && render(f, device, step);
}

bool ladder_next(const struct fleet *f, const struct case_file *c, const struct finding *finding, struct fleet_step *ret,
		 uint32_t *ret_device)
{
	static const enum device_verb ike[] = { DEVICE_CLEAR_SA_ENTRY, DEVICE_CLEAR_SA_PEER, DEVICE_CLEAR_SESSION };
	static const enum device_verb sdwan[] = { DEVICE_IPSEC_REKEY, DEVICE_PORT_HOP, DEVICE_CLEAR_OMP, DEVICE_CLEAR_CONTROL };
	bool is_sdwan = finding->keys == KEYS_CONTROLLER, cleared = c->is.cause == CAUSE_CONTROLLER_SA_CLEARED;
	uint32_t device = is_sdwan ? c->r : c->s;
	struct fleet_step step;

	if (device == NONE || (!is_sdwan && finding->keys != KEYS_IKE))
		return false;
	if (finding->proof != PROOF_DESYNC && finding->proof != PROOF_CLEARED && finding->proof != PROOF_BFD_DOWN)
		return false;
	for (uint32_t i = 0; i < (is_sdwan ? 4u : 3u); i++) {
		enum device_verb verb = is_sdwan ? sdwan[i] : ike[i];

		if (verb == DEVICE_IPSEC_REKEY && cleared)
			continue;
		if (!fits(f, c, finding, device, verb, &step))
			continue;
		*ret = step;
		*ret_device = device;
		return true;
	}
	return false;
}
