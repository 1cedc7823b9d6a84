/* SPDX-License-Identifier: MIT */
/*
 * `show crypto isakmp sa` (IKEv1) and `show crypto ikev2 sa`, in the layout of IOS. Algorithms and lifetimes of IKE SAs are
 * not known to core: they are left out, or said to be unknown. The IKE SPIs (cookies) are no secrets.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "exec/show.h"

struct ikes {
	const struct ike_sa **at; /* owns; the SAs are borrowed from core */
	size_t count;
};

static void ikes_done(struct ikes *ikes)
{
	memory_free(ikes->at);
}

static int compare(const void *a, const void *b)
{
	const struct ike_sa *x = *(const struct ike_sa *const *)a, *y = *(const struct ike_sa *const *)b;

	if (x->daemon != y->daemon)
		return x->daemon < y->daemon ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static bool read_ikes(struct exec_call *call, unsigned version, struct ikes *ret)
{
	const struct ike_sa *ike;
	size_t room = 0;

	*ret = (struct ikes){ .at = NULL };
	for (size_t i = 0; core_ike_at(call->view.core, i); i++)
		room++;
	if (room)
		ret->at = memory_new(room, sizeof(*ret->at));
	if (room && !ret->at) {
		exec_refuse(call, "no memory for the list");
		return false;
	}
	for (size_t i = 0; i < room && (ike = core_ike_at(call->view.core, i)); i++)
		if (ike->version == version)
			ret->at[ret->count++] = ike;
	if (ret->count)
		qsort(ret->at, ret->count, sizeof(*ret->at), compare);
	return true;
}

static const char *const states[] = { [IKE_OTHER] = "other", [IKE_CONNECTING] = "connecting", [IKE_ESTABLISHED] = "established",
				      [IKE_REKEYING] = "rekeying", [IKE_REKEYED] = "rekeyed", [IKE_DELETING] = "deleting" };

static void put_ike(struct exec_call *call, const struct ike_sa *ike)
{
	char ours[24], theirs[24];
	struct json j;

	snprintf(ours, sizeof(ours), "%016" PRIx64, ike->spi_ours);
	snprintf(theirs, sizeof(theirs), "%016" PRIx64, ike->spi_theirs);
	exec_json_begin(call, &j, ike->version == 1 ? "spimend.isakmp-sa/1" : "spimend.ikev2-sa/1");
	json_string(&j, "ike", ike->name);
	json_unsigned(&j, "id", ike->id);
	json_string(&j, "state", states[ike->state]);
	show_put_address(&j, "local", &ike->local);
	json_unsigned(&j, "local_port", ike->local_port);
	show_put_address(&j, "peer", &ike->remote);
	json_unsigned(&j, "peer_port", ike->remote_port);
	json_string(&j, "spi_local", ours);
	json_string(&j, "spi_remote", theirs);
	json_bool(&j, "initiator", ike->initiator);
	json_bool(&j, "nat", ike->nat);
	json_unsigned(&j, "established_s", ike->established_s);
	exec_json_end(call, &j);
}

/* --- IKEv1 ------------------------------------------------------------------------------------------------------------ */

static void add_isakmp(const struct ike_sa *ike, struct buffer *out)
{
	bool gone = ike->state == IKE_REKEYED || ike->state == IKE_DELETING;
	bool up = ike->state == IKE_ESTABLISHED || ike->state == IKE_REKEYING;
	char local[SPIMEND_ADDRESS_TEXT_MAX], remote[SPIMEND_ADDRESS_TEXT_MAX];

	show_address(&ike->local, local);
	show_address(&ike->remote, remote);
	/* dst is who answered, src who began. */
	buffer_printf(out, "%-15s %-15s %-14s %7" PRIu32 " ACTIVE%s\n", ike->initiator ? remote : local, ike->initiator ? local : remote,
		      up ? "QM_IDLE" : "MM_NO_STATE", ike->id, gone ? " (deleted)" : "");
}

static void show_isakmp(struct exec_call *call)
{
	static const char head[] = "dst             src             state          conn-id status\n";
	cleanup(ikes_done) struct ikes ikes;

	if (!read_ikes(call, 1, &ikes))
		return;
	for (size_t i = 0; call->json && i < ikes.count; i++)
		put_ike(call, ikes.at[i]);
	if (call->json)
		return;
	for (unsigned family = 4; family <= 6; family += 2) {
		buffer_printf(call->out, "%sIPv%u Crypto ISAKMP SA\n%s", family == 6 ? "\n" : "", family, family == 4 ? head : "");
		for (size_t i = 0; i < ikes.count; i++)
			if (ikes.at[i]->local.family == family)
				add_isakmp(ikes.at[i], call->out);
	}
	show_add_stale(&call->view, call->out);
}

/* --- IKEv2 ------------------------------------------------------------------------------------------------------------ */

static const char *status_of(enum ike_state state)
{
	switch (state) {
	case IKE_ESTABLISHED:
	case IKE_REKEYING:
		return "READY";
	case IKE_CONNECTING:
		return "IN-NEG";
	case IKE_REKEYED:
	case IKE_DELETING:
		return "DELETE";
	default:
		return "UNKNOWN";
	}
}

static void add_ends(const struct ike_sa *ike, struct buffer *out)
{
	char text[SPIMEND_ADDRESS_TEXT_MAX], local[SPIMEND_ADDRESS_TEXT_MAX + 8], remote[SPIMEND_ADDRESS_TEXT_MAX + 8];

	snprintf(local, sizeof(local), "%s/%u", show_address(&ike->local, text), ike->local_port);
	snprintf(remote, sizeof(remote), "%s/%u", show_address(&ike->remote, text), ike->remote_port);
	if (ike->local.family == 6)
		buffer_printf(out, "Tunnel-id    fvrf/ivrf              Status\n%-10" PRIu32 " none/none             %s\nLocal  %s\nRemote  %s\n",
			      ike->id, status_of(ike->state), local, remote);
	else
		buffer_printf(out, "Tunnel-id Local                 Remote                fvrf/ivrf            Status\n"
				   "%-9" PRIu32 " %-21s %-21s none/none            %s\n", ike->id, local, remote, status_of(ike->state));
}

static void add_ikev2(const struct ike_sa *ike, bool detail, struct buffer *out)
{
	add_ends(ike, out);
	buffer_printf(out, "      Life/Active Time: unknown/%" PRIu32 " sec\n      CE id: 0, Session-id: %" PRIu32 "\n", ike->established_s,
		      ike->id);
	if (detail)
		buffer_printf(out, "      Status Description: %s\n",
			      ike->state == IKE_CONNECTING ? "Negotiation in progress" : "Negotiation done");
	buffer_printf(out, "      Local spi: %016" PRIX64 "       Remote spi: %016" PRIX64 "\n", ike->spi_ours, ike->spi_theirs);
	if (detail)
		buffer_printf(out, "      NAT-T is %sdetected\n      Initiator of SA : %s\n", ike->nat ? "" : "not ",
			      ike->initiator ? "Yes" : "No");
	buffer_add_char(out, '\n');
}

static void show_ikev2(struct exec_call *call)
{
	cleanup(ikes_done) struct ikes ikes;

	if (!read_ikes(call, 2, &ikes))
		return;
	for (size_t i = 0; call->json && i < ikes.count; i++)
		put_ike(call, ikes.at[i]);
	if (call->json)
		return;
	for (unsigned family = 4; family <= 6; family += 2) {
		buffer_printf(call->out, " IPv%u Crypto IKEv2  SA\n\n", family);
		for (size_t i = 0; i < ikes.count; i++)
			if (ikes.at[i]->local.family == family)
				add_ikev2(ikes.at[i], exec_has(call, "detail"), call->out);
	}
	show_add_stale(&call->view, call->out);
}

const struct exec_command exec_show_ike_rows[] = {
	{ "show crypto isakmp sa", "IKEv1 SAs", EXEC_ANYBODY, EXEC_JSON, show_isakmp },
	{ "show crypto ikev2 sa [detail]", "IKEv2 SAs", EXEC_ANYBODY, EXEC_JSON, show_ikev2 },
};
const size_t exec_show_ike_row_count = EXEC_COUNT(exec_show_ike_rows);
