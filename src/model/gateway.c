/* SPDX-License-Identifier: MIT */
#include "model/gateway.h"

#include "base/hash.h"
#include "base/memory.h"

#define IP_PROTOCOL_ESP 50
#define IP_PROTOCOL_AH 51

static const char *const verb_names[ORDER_VERBS] = {
	[ORDER_NONE] = "none",
	[ORDER_REKEY_CHILD] = "rekey-child",
	[ORDER_TERMINATE_CHILD] = "terminate-child",
	[ORDER_TERMINATE_IKE] = "terminate-ike",
	[ORDER_INITIATE] = "initiate",
	[ORDER_DELETE_SPI] = "delete-spi",
	[ORDER_LIVENESS] = "liveness",
	[ORDER_NOTIFY_SPI] = "notify-spi",
};

static const char *const outcome_names[OUTCOMES] = {
	[OUTCOME_DONE] = "done",
	[OUTCOME_REFUSED] = "refused",
	[OUTCOME_FAILED] = "failed",
	[OUTCOME_TIMEOUT] = "timeout",
	[OUTCOME_OVER_BUDGET] = "over-budget",
	[OUTCOME_UNKNOWN] = "unknown",
};

/* As in /proc/net/xfrm_stat. */
static const char *const counter_names[XFRM_COUNTERS] = {
	[XFRM_IN_NO_STATES] = "XfrmInNoStates",
	[XFRM_IN_STATE_MISMATCH] = "XfrmInStateMismatch",
	[XFRM_IN_STATE_PROTO_ERROR] = "XfrmInStateProtoError",
	[XFRM_IN_STATE_SEQ_ERROR] = "XfrmInStateSeqError",
	[XFRM_IN_STATE_EXPIRED] = "XfrmInStateExpired",
	[XFRM_IN_STATE_INVALID] = "XfrmInStateInvalid",
	[XFRM_IN_TMPL_MISMATCH] = "XfrmInTmplMismatch",
	[XFRM_IN_NO_POLS] = "XfrmInNoPols",
};

const char *order_verb_name(enum order_verb verb)
{
	return (unsigned)verb < ORDER_VERBS ? verb_names[verb] : "?";
}

bool order_takes_plugin(enum order_verb verb)
{
	return verb == ORDER_DELETE_SPI || verb == ORDER_LIVENESS || verb == ORDER_NOTIFY_SPI;
}

const char *order_outcome_name(enum order_outcome outcome)
{
	return (unsigned)outcome < OUTCOMES ? outcome_names[outcome] : "?";
}

const char *xfrm_counter_name(enum xfrm_counter counter)
{
	return (unsigned)counter < XFRM_COUNTERS ? counter_names[counter] : "?";
}

struct sa_key sa_key_of(const struct spimend_address *dst, uint8_t protocol, uint32_t spi)
{
	struct sa_key key;

	memset(&key, 0, sizeof(key));
	key.dst.family = dst->family;
	memcpy(key.dst.bytes, dst->bytes, dst->family == 4 ? 4 : dst->family == 6 ? 16 : 0);
	key.protocol = protocol;
	key.spi = spi;
	return key;
}

bool sa_key_equal(const struct sa_key *a, const struct sa_key *b)
{
	return a->spi == b->spi && a->protocol == b->protocol && spimend_address_equal(&a->dst, &b->dst);
}

/* The hash of the names' hashes: no name runs into its neighbour, whatever bytes and lengths they have. */
uint64_t connection_id(uint16_t daemon, struct text ike, struct text child)
{
	static const struct hash_key stable = { 0, 0 };
	uint64_t parts[3] = { daemon, hash_bytes(&stable, ike.at, ike.len), hash_bytes(&stable, child.at, child.len) };
	unsigned char bytes[sizeof(parts)];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(parts[i / 8] >> (8 * (i % 8))); /* the same on every machine */
	return hash_bytes(&stable, bytes, sizeof(bytes));
}

/* --- Is it what it claims to be ------------------------------------------------------------------------------------ */

static bool ends(const char *name, size_t size)
{
	return memchr(name, '\0', size) != NULL;
}

static bool is_daemon(uint16_t daemon)
{
	return daemon < GATEWAY_DAEMONS_MAX;
}

static bool is_address(const struct spimend_address *a)
{
	return spimend_address_valid(a);
}

static bool is_protocol(uint8_t protocol)
{
	return protocol == IP_PROTOCOL_ESP || protocol == IP_PROTOCOL_AH;
}

static bool is_key(const struct sa_key *key)
{
	return is_address(&key->dst) && is_protocol(key->protocol) && key->zero[0] == 0 && key->zero[1] == 0;
}

bool gateway_valid_daemon(const struct daemon_state *d)
{
	return is_daemon(d->daemon) && is_bool(&d->up) && is_bool(&d->user_space_esp) && is_bool(&d->has_boot) &&
	       ends(d->version, sizeof(d->version));
}

bool gateway_valid_connection(const struct connection *c)
{
	if (!is_daemon(c->daemon) || !ends(c->ike, sizeof(c->ike)) || !ends(c->child, sizeof(c->child)) ||
	    c->ike_version > 2 || !is_bool(&c->dynamic_peer) || !is_bool(&c->unique_never) ||
	    !is_bool(&c->transport_mode) || !is_bool(&c->gre) || c->remote_count > GATEWAY_REMOTES_MAX)
		return false;
	for (size_t i = 0; i < GATEWAY_REMOTES_MAX; i++)
		if (!is_address(&c->remote[i]) || (i < c->remote_count && !spimend_address_known(&c->remote[i])))
			return false;
	return true;
}

static bool is_algorithms(const struct sa_algorithms *a)
{
	return text_is_string(a->encryption, sizeof(a->encryption)) && text_is_string(a->integrity, sizeof(a->integrity)) &&
	       text_is_string(a->prf, sizeof(a->prf)) && text_is_string(a->group, sizeof(a->group)) && is_bool(&a->esn);
}

static bool is_selectors(const struct selector_list *list)
{
	if (list->count > GATEWAY_SELECTORS_MAX)
		return false;
	for (size_t i = 0; i < list->count; i++) {
		const struct selector *s = &list->at[i];

		if (!is_address(&s->from) || !is_address(&s->to) || !spimend_address_known(&s->from) ||
		    s->from.family != s->to.family || !text_is_string(s->port, sizeof(s->port)))
			return false;
	}
	return true;
}

bool gateway_valid_ike(const struct ike_sa *s)
{
	return is_daemon(s->daemon) && ends(s->name, sizeof(s->name)) && s->version <= 2 && (unsigned)s->state < IKE_STATES &&
	       is_bool(&s->initiator) && is_bool(&s->nat) && is_bool(&s->busy) && is_bool(&s->child_task) &&
	       is_bool(&s->virtual_address) && is_address(&s->local) && is_address(&s->remote) && is_bool(&s->has_rekey) &&
	       is_algorithms(&s->algorithms);
}

bool gateway_valid_child(const struct child_sa *s)
{
	return is_daemon(s->daemon) && ends(s->ike, sizeof(s->ike)) && ends(s->child, sizeof(s->child)) &&
	       (unsigned)s->state < CHILD_STATES && is_protocol(s->protocol) && is_bool(&s->encap_udp) &&
	       is_bool(&s->gre) && is_bool(&s->virtual_address) && is_bool(&s->has_spi_in) && is_bool(&s->has_spi_out) &&
	       is_bool(&s->has_counters) && is_bool(&s->has_use_in) && is_bool(&s->has_install) && is_bool(&s->has_life) &&
	       is_address(&s->local) && is_address(&s->remote) && (unsigned)s->mode < CHILD_MODES &&
	       is_algorithms(&s->algorithms) && is_selectors(&s->local_ts) && is_selectors(&s->remote_ts);
}

bool gateway_valid_child_event(const struct child_event *e)
{
	return (unsigned)e->change < CHILD_CHANGES && gateway_valid_child(&e->child) && is_bool(&e->has_successor) &&
	       (!e->has_successor || gateway_valid_child(&e->successor));
}

bool gateway_valid_ike_event(const struct ike_event *e)
{
	return (unsigned)e->change < IKE_CHANGES && gateway_valid_ike(&e->ike) && is_bool(&e->has_successor) &&
	       (!e->has_successor || gateway_valid_ike(&e->successor));
}

bool gateway_valid_hint(const struct daemon_hint *h)
{
	return is_daemon(h->daemon) && (unsigned)h->kind < HINT_KINDS && is_bool(&h->has_spi) && is_bool(&h->has_ike);
}

bool gateway_valid_kernel_event(const struct kernel_event *e)
{
	const struct kernel_sa *s = &e->sa;

	if ((unsigned)e->change >= KERNEL_CHANGES || !is_bool(&e->by_volume) || !is_bool(&s->encap_udp) ||
	    !is_bool(&s->larval) || !is_bool(&s->outbound) || !is_address(&s->src))
		return false;
	return e->change == KERNEL_FLUSHED ? is_address(&s->key.dst) : is_key(&s->key);
}

bool gateway_valid_gre_device(const struct gre_device *d)
{
	return d->name[0] && ends(d->name, sizeof(d->name)) && is_address(&d->local) && is_address(&d->remote);
}

bool gateway_valid_sighting(const struct sighting *s)
{
	return (unsigned)s->witness < WITNESSES && is_address(&s->src) && is_address(&s->dst) && is_protocol(s->protocol) &&
	       is_bool(&s->encap_udp) && is_bool(&s->in_ledger) && ends(s->interface, sizeof(s->interface)) &&
	       s->first_ns <= s->last_ns;
}

bool gateway_valid_spi_count(const struct spi_count *c)
{
	return is_key(&c->key) && is_bool(&c->encap_udp);
}

bool gateway_valid_watch_spi(const struct watch_spi *w)
{
	return is_key(&w->key) && (unsigned)w->state < WATCH_STATES;
}

bool gateway_valid_watch_peer(const struct watch_peer *w)
{
	return is_address(&w->address) && spimend_address_known(&w->address) && is_bool(&w->forget);
}

bool gateway_valid_order(const struct order *o)
{
	bool outside = o->verb == ORDER_NOTIFY_SPI, names_spi = o->verb == ORDER_DELETE_SPI || outside;

	return o->id && o->verb != ORDER_NONE && (unsigned)o->verb < ORDER_VERBS && is_daemon(o->daemon) &&
	       is_address(&o->peer) && is_bool(&o->opens_ike) &&
	       (names_spi ? is_protocol(o->protocol) && o->spi : o->protocol == 0 && o->spi == 0) &&
	       (!order_takes_plugin(o->verb) || outside || o->ike_id) &&
	       (outside ? o->local.family && o->local.family == o->peer.family && is_address(&o->local)
			: o->local.family == 0 && !o->peer_port);
}

bool gateway_valid_result(const struct order_result *r)
{
	return (unsigned)r->outcome < OUTCOMES && text_is_string(r->text, sizeof(r->text)) && is_bool(&r->has_answer) &&
	       is_bool(&r->has_peer_spi) && is_bool(&r->has_child) && is_bool(&r->is_late) && r->answer < PLUGIN_OUTCOMES;
}

bool gateway_valid_plugin(const struct plugin_state *p)
{
	return is_daemon(p->daemon) && is_bool(&p->up) && is_bool(&p->crash_detection) && p->error <= 0 && p->error > -4096 &&
	       text_is_string(p->version, sizeof(p->version));
}

bool gateway_valid_report(const struct plugin_report *r)
{
	return is_daemon(r->daemon) && plugin_is_report(r->is.kind) && plugin_valid(&r->is);
}
