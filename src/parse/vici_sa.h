/* SPDX-License-Identifier: MIT */
/*
 * What charon tells of its SAs over VICI, into the nouns of model/gateway: list-sa, child-updown, child-rekey, ike-updown,
 * ike-rekey, ike-update. Called by repair/daemon.
 *
 * Keys that are absent are normal: flags appear only when true, counters only for children that are installed. What a later
 * charon calls differently becomes *_OTHER. An error is a message that VICI's grammar does not allow, or an SA without its
 * unique id; ret_ parameters are untouched then.
 *
 * Measured with 5.9.8: an IKEv2 child that was rekeyed is listed as DELETED for delete_rekeyed_delay and takes packets
 * until then; the old child in IKEv1's child-rekey is REKEYING and stays listed as REKEYED. Neither gets a child-updown.
 */
#ifndef PARSE_VICI_SA_H
#define PARSE_VICI_SA_H

#include "model/gateway.h"
#include "parse/vici.h"

struct vici_reading {
	struct vici_failure failure; /* after SPIMEND_E_SYNTAX */
	uint32_t ignored;            /* values that could not be read, SAs of a list that could not be used */
};

/* The IKE SA of any of these messages (its first section). Reads the whole message, so that one that ends early is
 * refused before anything of it counts. SPIMEND_E_CUT: there is no IKE SA in it (a filter matched none). */
int vici_read_ike(uint16_t daemon, struct text message, struct ike_sa *ret, struct vici_reading *ret_reading);

/* Its children, of list-sa and child-updown; `ike` is what vici_read_ike() told. */
int vici_each_child(uint16_t daemon, struct text message, const struct ike_sa *ike,
		    void (*each)(void *context, const struct child_sa *child), void *context,
		    struct vici_reading *ret_reading);

/* Events. SPIMEND_E_CUT: well-formed, but no SA is in it. An IKE_UPDATE has the SA with its old addresses in `ike` and the
 * same SA with the new ones as its successor. */
int vici_read_child_updown(uint16_t daemon, struct text message, struct child_event *ret, struct vici_reading *ret_reading);
int vici_read_child_rekey(uint16_t daemon, struct text message, struct child_event *ret, struct vici_reading *ret_reading);
int vici_read_ike_updown(uint16_t daemon, struct text message, struct ike_event *ret, struct vici_reading *ret_reading);
int vici_read_ike_rekey(uint16_t daemon, struct text message, struct ike_event *ret, struct vici_reading *ret_reading);
int vici_read_ike_update(uint16_t daemon, struct text message, struct ike_event *ret, struct vici_reading *ret_reading);

#endif
