/* SPDX-License-Identifier: MIT */
/*
 * `show crypto isakmp sa` (IKEv1) and `show crypto ikev2 sa`, in the layout of IOS. How the ends authenticate each other the
 * IKE daemon does not tell with an SA: it is left out. The IKE SPIs (cookies) are no secrets.
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

uint8_t show_other_version(const struct exec_view *view, uint8_t version)
{
	const struct ike_sa *ike;
	uint8_t other = 0;
	uint32_t at = 0;

	while ((ike = core_ike_next(view->core, &at))) {
		if (ike->version == version)
			return 0;
		other = ike->version;
	}
	return other;
}

static bool read_ikes(struct exec_call *call, unsigned version, struct ikes *ret)
{
	const struct ike_sa *ike;
	size_t room = 0;
	uint32_t at = 0;

	*ret = (struct ikes){ .at = NULL };
	while (core_ike_next(call->view.core, &at))
		room++;
	if (room)
		ret->at = memory_new(room, sizeof(*ret->at));
	if (room && !ret->at) {
		exec_refuse(call, "no memory for the list");
		return false;
	}
	for (at = 0; ret->count < room && (ike = core_ike_next(call->view.core, &at));)
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
	if (ike->has_rekey)
		json_unsigned(&j, "rekey_s", ike->rekey_s);
	else
		json_null(&j, "rekey_s");
	show_put_algorithms(&j, &ike->algorithms);
	json_string(&j, "prf", ike->algorithms.prf[0] ? ike->algorithms.prf : NULL);
	exec_json_end(call, &j);
}

/* What both versions print: per address family a heading and its SAs, each by `add`. */
struct layout {
	unsigned version;
	void (*add_heading)(unsigned family, bool detail, struct buffer *out);
	void (*add)(const struct ike_sa *ike, bool detail, struct buffer *out);
};

static void show_ikes(struct exec_call *call, const struct layout *layout)
{
	bool detail = exec_has(call, "detail") || exec_has(call, "detailed");
	cleanup(ikes_done) struct ikes ikes;

	if (!read_ikes(call, layout->version, &ikes))
		return;
	for (size_t i = 0; call->json && i < ikes.count; i++)
		put_ike(call, ikes.at[i]);
	if (call->json)
		return;
	for (unsigned family = 4; family <= 6; family += 2) {
		layout->add_heading(family, detail, call->out);
		for (size_t i = 0; i < ikes.count; i++)
			if (ikes.at[i]->local.family == family)
				layout->add(ikes.at[i], detail, call->out);
	}
	if (show_other_version(&call->view, (uint8_t)layout->version))
		buffer_printf(call->out, "%% all IKE SAs here are of the other version: 'show crypto %s sa' lists them\n",
			      layout->version == 1 ? "ikev2" : "isakmp");
	show_add_stale(&call->view, call->out);
}

/* "AES-CBC, keysize: 256", "SHA256", "SHA96" */
static const char *plain(const char *name, const char *const names[][2])
{
	for (size_t i = 0; names[i][0]; i++)
		if (strcmp(names[i][0], name) == 0)
			return names[i][1];
	return name[0] ? name : "Unknown";
}

static void add_group(const struct sa_algorithms *a, struct buffer *out)
{
	unsigned group = show_group(a);

	if (group)
		buffer_printf(out, "%u", group);
	else
		buffer_add_string(out, a->group[0] ? a->group : "?");
}

/* --- IKEv1 ------------------------------------------------------------------------------------------------------------ */

static bool is_up(const struct ike_sa *ike)
{
	return ike->state == IKE_ESTABLISHED || ike->state == IKE_REKEYING;
}

static void add_isakmp_heading(unsigned family, bool detail, struct buffer *out)
{
	static const char brief[] = "dst             src             state          conn-id status\n",
			  codes[] = "Codes: C - IKE configuration mode, D - Dead Peer Detection\n"
				    "       K - Keepalives, N - NAT-traversal\n"
				    "       T - cTCP encapsulation, X - IKE Extended Authentication\n"
				    "       psk - Preshared key, rsig - RSA signature\n"
				    "       renc - RSA encryption\n",
			  wide[] = "\nC-id  Local           Remote          I-VRF  Status Encr Hash   Auth DH Lifetime Cap.\n\n";

	if (detail && family == 4)
		buffer_add_string(out, codes);
	buffer_printf(out, "%sIPv%u Crypto ISAKMP SA\n", family == 6 && !detail ? "\n" : "", family);
	if (detail || family == 4)
		buffer_add_string(out, detail ? wide : brief);
}

static void add_isakmp_detail(const struct ike_sa *ike, struct buffer *out)
{
	static const char *const ciphers[][2] = { { "AES_CBC", "aes" }, { "3DES_CBC", "3des" }, { "DES_CBC", "des" }, { NULL, NULL } };
	static const char *const hashes[][2] = { { "HMAC_SHA1_96", "sha" }, { "HMAC_MD5_96", "md5" }, { "HMAC_SHA2_256_128", "sha256" },
						 { "HMAC_SHA2_384_192", "sha384" }, { "HMAC_SHA2_512_256", "sha512" }, { NULL, NULL } };
	char local[SPIMEND_ADDRESS_TEXT_MAX], remote[SPIMEND_ADDRESS_TEXT_MAX];
	uint32_t left = ike->rekey_s;

	buffer_printf(out, "%-5" PRIu32 " %-15s %-15s        %-6s %-4s %-6s ?    ", ike->id, show_address(&ike->local, local),
		      show_address(&ike->remote, remote), is_up(ike) ? "ACTIVE" : "", plain(ike->algorithms.encryption, ciphers),
		      plain(ike->algorithms.integrity, hashes));
	add_group(&ike->algorithms, out);
	if (ike->has_rekey)
		buffer_printf(out, " %02" PRIu32 ":%02" PRIu32 ":%02" PRIu32, left / 3600, left / 60 % 60, left % 60);
	else
		buffer_add_string(out, " unknown ");
	buffer_printf(out, "%s\n       Engine-id:Conn-id =  SW:%" PRIu32 "\n\n", ike->nat ? " N" : "", ike->id);
}

static void add_isakmp(const struct ike_sa *ike, bool detail, struct buffer *out)
{
	bool gone = ike->state == IKE_REKEYED || ike->state == IKE_DELETING;
	char local[SPIMEND_ADDRESS_TEXT_MAX], remote[SPIMEND_ADDRESS_TEXT_MAX];

	if (detail) {
		add_isakmp_detail(ike, out);
		return;
	}
	show_address(&ike->local, local);
	show_address(&ike->remote, remote);
	/* dst is who answered, src who began. */
	buffer_printf(out, "%-15s %-15s %-14s %7" PRIu32 " ACTIVE%s\n", ike->initiator ? remote : local, ike->initiator ? local : remote,
		      is_up(ike) ? "QM_IDLE" : "MM_NO_STATE", ike->id, gone ? " (deleted)" : "");
}

static void show_isakmp(struct exec_call *call)
{
	show_ikes(call, &(struct layout){ 1, add_isakmp_heading, add_isakmp });
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

static void add_algorithms(const struct sa_algorithms *a, struct buffer *out)
{
	static const char *const ciphers[][2] = { { "AES_CBC", "AES-CBC" }, { "AES_GCM_16", "AES-GCM" }, { "3DES_CBC", "3DES" },
						  { "DES_CBC", "DES" }, { NULL, NULL } };
	static const char *const prfs[][2] = { { "PRF_HMAC_SHA1", "SHA1" }, { "PRF_HMAC_MD5", "MD5" }, { "PRF_HMAC_SHA2_256", "SHA256" },
					       { "PRF_HMAC_SHA2_384", "SHA384" }, { "PRF_HMAC_SHA2_512", "SHA512" }, { NULL, NULL } };
	static const char *const hashes[][2] = { { "HMAC_SHA1_96", "SHA96" }, { "HMAC_MD5_96", "MD596" },
						 { "HMAC_SHA2_256_128", "SHA256" }, { "HMAC_SHA2_384_192", "SHA384" },
						 { "HMAC_SHA2_512_256", "SHA512" }, { NULL, NULL } };

	if (!a->encryption[0])
		return; /* not agreed on yet */
	buffer_printf(out, "      Encr: %s", plain(a->encryption, ciphers));
	if (a->key_bits)
		buffer_printf(out, ", keysize: %u", a->key_bits);
	/* What encrypts and authenticates at once has no hash of its own. */
	buffer_printf(out, ", PRF: %s, Hash: %s, DH Grp:", plain(a->prf, prfs), a->integrity[0] ? plain(a->integrity, hashes) : "None");
	add_group(a, out);
	buffer_add_char(out, '\n');
}

static void add_ikev2(const struct ike_sa *ike, bool detail, struct buffer *out)
{
	add_ends(ike, out);
	add_algorithms(&ike->algorithms, out);
	buffer_add_string(out, "      Life/Active Time: ");
	if (ike->has_rekey)
		buffer_printf(out, "%" PRIu64, (uint64_t)ike->established_s + ike->rekey_s);
	else
		buffer_add_string(out, "unknown");
	buffer_printf(out, "/%" PRIu32 " sec\n      CE id: 0, Session-id: %" PRIu32 "\n", ike->established_s, ike->id);
	if (detail)
		buffer_printf(out, "      Status Description: %s\n",
			      ike->state == IKE_CONNECTING ? "Negotiation in progress" : "Negotiation done");
	buffer_printf(out, "      Local spi: %016" PRIX64 "       Remote spi: %016" PRIX64 "\n", ike->spi_ours, ike->spi_theirs);
	if (detail)
		buffer_printf(out, "      NAT-T is %sdetected\n      Initiator of SA : %s\n", ike->nat ? "" : "not ",
			      ike->initiator ? "Yes" : "No");
	buffer_add_char(out, '\n');
}

static void add_ikev2_heading(unsigned family, bool detail, struct buffer *out)
{
	(void)detail;
	buffer_printf(out, " IPv%u Crypto IKEv2  SA\n\n", family);
}

static void show_ikev2(struct exec_call *call)
{
	show_ikes(call, &(struct layout){ 2, add_ikev2_heading, add_ikev2 });
}

const struct exec_command exec_show_ike_rows[] = {
	{ "show crypto isakmp sa [detail]", "IKEv1 SAs", EXEC_ANYBODY, EXEC_JSON, show_isakmp },
	{ "show crypto ikev2 sa [detailed]", "IKEv2 SAs", EXEC_ANYBODY, EXEC_JSON, show_ikev2 },
};
const size_t exec_show_ike_row_count = EXEC_COUNT(exec_show_ike_rows);
