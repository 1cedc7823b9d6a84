/* SPDX-License-Identifier: MIT */
/* IKE SAs: one that the other end has not; and SAs that no IKE SA is there for. */
#include "judge/audit_private.h"

#include <errno.h>

/* An output of the version of the IKE SA: `show crypto ikev2 sa` says nothing of IKEv1. */
static bool speaks_of(const struct audit_output *o, uint8_t version)
{
	return o->kind == OUTPUT_SWANCTL || o->kind == OUTPUT_SWANCTL_RAW ||
	       o->kind == (version == 1 ? OUTPUT_ISAKMP_SA : OUTPUT_IKEV2_SA);
}

/* The last output in which a device lists all its IKE SAs of a version. */
static uint32_t ike_output(const struct sa_audit *a, uint32_t number, uint8_t version)
{
	const struct audit_device *device = device_at(a, number);
	uint32_t found = NONE;

	for (uint32_t i = device->first_output; i != NONE && i <= device->last_output; i++) {
		const struct audit_output *o = output_at(a, i);

		if (o->device == number && speaks_of(o, version) && !o->cut && !o->filter.narrow)
			found = i;
	}
	return found;
}

static uint32_t hash_ends(const struct sa_audit *a, const struct saved_ike *i)
{
	/* The same for both ends and for both ways of writing it. */
	return spimend_address_compare(&i->local, &i->remote) < 0 ? audit_hash_pair(a, &i->local, &i->remote) :
								    audit_hash_pair(a, &i->remote, &i->local);
}

static bool is_same_pair(const struct saved_ike *l, const struct saved_ike *r)
{
	return (spimend_address_equal(&l->local, &r->remote) && spimend_address_equal(&l->remote, &r->local)) ||
	       ((l->undirected || r->undirected) && spimend_address_equal(&l->local, &r->local) &&
		spimend_address_equal(&l->remote, &r->remote));
}

static uint32_t hash_spis(const struct sa_audit *a, uint64_t one, uint64_t other)
{
	uint64_t parts[2] = { one < other ? one : other, one < other ? other : one };

	return audit_hash(a, parts, sizeof(parts));
}

struct index {
	struct slots pairs, spis;
};

static int make_index(const struct sa_audit *a, struct index *x)
{
	const struct audit_ike *ikes = a->ikes.at;

	if (slots_init(&x->pairs, a->ikes.count + 1) < 0 || slots_init(&x->spis, a->ikes.count + 1) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < a->ikes.count; i++) {
		audit_index_add(&x->pairs, hash_ends(a, &ikes[i].is), i + 1);
		if (ikes[i].is.has_spis)
			audit_index_add(&x->spis, hash_spis(a, ikes[i].is.spi_local, ikes[i].is.spi_remote), i + 1);
	}
	return 0;
}

static bool has_counterpart(const struct sa_audit *a, const struct index *x, const struct audit_ike *i)
{
	const struct audit_ike *ikes = a->ikes.at;
	uint32_t hash, cursor, at;

	if (i->is.has_spis) {
		hash = cursor = hash_spis(a, i->is.spi_local, i->is.spi_remote);
		while ((at = slots_look(&x->spis, hash, &cursor)))
			if (ikes[at - 1].device != i->device && ikes[at - 1].is.has_spis &&
			    ikes[at - 1].is.spi_local == i->is.spi_remote && ikes[at - 1].is.spi_remote == i->is.spi_local)
				return true;
	}
	hash = cursor = hash_ends(a, &i->is);
	while ((at = slots_look(&x->pairs, hash, &cursor))) {
		const struct audit_ike *o = &ikes[at - 1];

		/* A pair of addresses may hold several IKE SAs: with both SPIs told it must be the very one. */
		if (o->device != i->device && o->is.state != SAVED_IKE_DELETED && is_same_pair(&o->is, &i->is) &&
		    !(o->is.has_spis && i->is.has_spis))
			return true;
	}
	return false;
}

/* The remote end of an IKE SA; false where a table names the two without saying which is which, and nobody else tells. */
static bool direct(const struct sa_audit *a, const struct audit_ike *i, struct spimend_address *ret_local,
		   struct spimend_address *ret_remote)
{
	uint32_t of_local, of_remote;

	*ret_local = i->is.local;
	*ret_remote = i->is.remote;
	if (!i->is.undirected) /* else dst, src: whichever is not ours is the peer */
		return true;
	of_local = audit_owner(a, &i->is.local, i->device);
	of_remote = audit_owner(a, &i->is.remote, i->device);
	if ((of_local == NONE) == (of_remote == NONE))
		return false;
	if (of_local != NONE) {
		*ret_local = i->is.remote;
		*ret_remote = i->is.local;
	}
	return true;
}

/* A peer behind NAT stands in R's table with an address that no device calls its own. */
static void count_strangers(struct sa_audit *a)
{
	const struct audit_ike *ikes = a->ikes.at;

	for (uint32_t i = 0; i < a->ikes.count; i++) {
		struct audit_device *device = device_at(a, ikes[i].device);
		struct spimend_address local, remote;

		if (ikes[i].is.state != SAVED_IKE_UP ||
		    (direct(a, &ikes[i], &local, &remote) && audit_owner(a, &remote, ikes[i].device) != NONE))
			continue;
		device->ike_strangers++;
		device->ike_strangers_bare += !ikes[i].is.has_spis;
	}
}

static void compare_ike(struct sa_audit *a, const struct index *x, const struct audit_ike *i)
{
	uint32_t owner, output;
	struct audit_finding *f;
	struct spimend_address local, remote;

	output = ike_output(a, i->device, i->is.version);
	/* A later reading of the same device speaks instead of this one. */
	if (i->is.state != SAVED_IKE_UP || device_at(a, i->device)->ignored || (output != NONE && output > i->output))
		return;
	if (!direct(a, i, &local, &remote)) {
		a->counts.undirected++;
		return;
	}
	if (has_counterpart(a, x, i))
		return;
	owner = audit_owner(a, &remote, i->device);
	output = owner == NONE ? NONE : ike_output(a, owner, i->is.version);
	/* Behind NAT only the IKE SPIs tell which is which: one of R's strangers may be this end. */
	if (output == NONE)
		return;
	if (i->is.has_spis ? device_at(a, owner)->ike_strangers_bare : device_at(a, owner)->ike_strangers) {
		a->counts.ambiguous++;
		return;
	}
	f = audit_find(a, AUDIT_IKE_ONE_SIDED, CONFIDENCE_LIKELY);
	if (!f)
		return;
	audit_set_end(a, f, 0, i->device, AUDIT_BOTH, NULL);
	audit_set_end(a, f, 1, owner, AUDIT_BOTH, NULL);
	f->ends[0].address = local;
	f->ends[1].address = remote;
	f->ends[0].ike_id = i->is.id;
	f->ends[0].source = output_at(a, i->output)->kind == OUTPUT_SWANCTL || output_at(a, i->output)->kind == OUTPUT_SWANCTL_RAW ?
				    SA_BLOCK_SWAN : SA_BLOCK_CISCO;
	f->ike_version = i->is.version;
	f->cause = CAUSE_RECEIVER_LOST_STATE;
	if (i->is.has_spis)
		audit_say(a, f, i->output, i->line, "IKE SA up, IKEv%u, SPIs %016llx and %016llx", i->is.version,
			  (unsigned long long)i->is.spi_local, (unsigned long long)i->is.spi_remote);
	else
		audit_say(a, f, i->output, i->line, "IKE SA up, IKEv%u", i->is.version);
	audit_say(a, f, output, 0, "no such IKE SA here");
}

static void look_at_session(struct sa_audit *a, const struct kept_session *s)
{
	struct audit_finding *f;
	uint32_t owner;

	if (s->is.status != SESSION_UP_NO_IKE || device_at(a, s->device)->ignored)
		return;
	f = audit_find(a, AUDIT_NO_IKE, CONFIDENCE_LIKELY);
	if (!f)
		return;
	owner = audit_owner(a, &s->is.peer, s->device);
	audit_set_end(a, f, 0, s->device, AUDIT_BOTH, NULL);
	if (owner != NONE)
		audit_set_end(a, f, 1, owner, AUDIT_BOTH, NULL);
	f->ends[0].address = s->is.local;
	f->ends[1].address = s->is.peer;
	f->cause = CAUSE_IKEV1_DANGLING_CHILD;
	audit_say(a, f, s->output, s->line, "session UP-NO-IKE: %u SAs, and no IKE SA to carry a DELETE", s->is.active_sas);
}

int audit_compare_ike(struct sa_audit *a)
{
	const struct audit_ike *ikes = a->ikes.at;
	const struct kept_session *sessions = a->sessions.at;
	struct index x = { 0 };
	int result = make_index(a, &x);

	count_strangers(a);
	for (uint32_t i = 0; i < a->ikes.count && result == 0; i++)
		compare_ike(a, &x, &ikes[i]);
	for (uint32_t i = 0; i < a->sessions.count && result == 0; i++)
		look_at_session(a, &sessions[i]);
	slots_done(&x.pairs);
	slots_done(&x.spis);
	return result;
}
