/* SPDX-License-Identifier: MIT */
/*
 * An incident between other devices, as the fleet's mind has it: the object of the contract with what was done and by whose
 * word, and the page for people. Beside record/live_fleet.h, which has what logs alone tell. Writes to a buffer.
 */
#ifndef RECORD_FLEET_INCIDENT_H
#define RECORD_FLEET_INCIDENT_H

#include "base/buffer.h"
#include "fleet/fleet.h"

/* One line with its '\n'. In mode observe no plan is in it. */
void record_fleet_json(const struct fleet_incident *incident, enum mode mode, bool explain, struct buffer *out);
/* What `spimend explain` shows of it. */
void record_fleet_explain(const struct fleet_incident *incident, enum mode mode, struct buffer *out);
/* The number of the step that waits for a person's word; 0: none does. */
uint32_t record_fleet_asks(const struct fleet_incident *incident);
/* What it asks, and the lines that say yes and no to it, each behind `indent`; nothing where it asks nothing. */
void record_fleet_ask(const struct fleet_incident *incident, const char *indent, struct buffer *out);

#endif
