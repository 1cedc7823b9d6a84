/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "judge/audit.h"

/* Records as the readers give them, without any text: what is judged is told apart from how it is written. */

static const struct hash_key key = { 1, 2 };

static struct spimend_address address(const char *text)
{
	struct spimend_address a;

	assert_int_equal(spimend_address_parse(text, strlen(text), &a), 0);
	return a;
}

struct flow {
	const char *local, *peer;
	uint32_t in[4], out[4]; /* ended by 0 */
	bool encap, manual, controller, cut;
	enum sa_block_source source;
	uint32_t child_id;
	const char *local_net, *remote_net;
	uint64_t life;
};

static struct sa_ident ident(const char *net)
{
	return (struct sa_ident){ .known = true, .address = address(net), .prefix = 24 };
}

static struct saved_record record_of(const struct flow *f, uint32_t line)
{
	struct saved_record r = { .kind = SAVED_FLOW, .line = line };
	struct sa_block *b = &r.flow;

	*b = (struct sa_block){ .source = f->source, .local = address(f->local), .peer = address(f->peer), .encap_udp = f->encap,
				.encap_told = true, .manual_or_group = f->manual, .controller_keyed = f->controller, .whole = !f->cut,
				.child_id = f->child_id, .ike_id = f->child_id ? 1 : 0, .line = line, .has_lifetime = f->life > 0,
				.lifetime_s = f->life };
	if (f->local_net) {
		b->local_ident = ident(f->local_net);
		b->remote_ident = ident(f->remote_net);
	}
	for (; b->inbound_count < 4 && f->in[b->inbound_count]; b->inbound_count++)
		b->inbound[b->inbound_count].value = f->in[b->inbound_count];
	for (; b->outbound_count < 4 && f->out[b->outbound_count]; b->outbound_count++)
		b->outbound[b->outbound_count].value = f->out[b->outbound_count];
	return r;
}

/* One output of a device with its flows, each reading a call. */
static void give(struct sa_audit *a, const char *device, const struct flow *flows, size_t count, struct saved_filter filter)
{
	int number = sa_audit_device(a, device);
	int output = sa_audit_begin(a, number, device, count && flows[0].source == SA_BLOCK_SWAN ? OUTPUT_SWANCTL : OUTPUT_IPSEC_SA,
				    &filter);

	assert_true(number >= 0 && output >= 0);
	for (size_t i = 0; i < count; i++) {
		struct saved_record r = record_of(&flows[i], (uint32_t)i + 1);

		assert_int_equal(sa_audit_add(a, output, &r), 0);
	}
	sa_audit_end_output(a, output, false);
}

#define TYPED ((struct saved_filter){ .typed = true })
#define GIVE(a, device, ...)                                                                       \
	do {                                                                                       \
		const struct flow given[] = { __VA_ARGS__ };                                       \
		give(a, device, given, sizeof(given) / sizeof(given[0]), TYPED);                   \
	} while (0)

static struct sa_audit *start(void)
{
	struct sa_audit *a;

	assert_int_equal(sa_audit_new(&key, &a), 0);
	return a;
}

static void judge(struct sa_audit *a)
{
	assert_int_equal(sa_audit_judge(a), 0);
}

/* The codes found, in order, as one word: "sa-missing/likely ". */
static const char *found(struct sa_audit *a, char *to, size_t size)
{
	size_t len = 0;

	to[0] = '\0';
	judge(a);
	for (size_t i = 0; i < sa_audit_findings(a); i++) {
		const struct audit_finding *f = sa_audit_finding(a, i);

		len += (size_t)snprintf(to + len, size - len, "%s%s/%s", i ? " " : "", audit_code_name(f->code),
					confidence_name(f->confidence));
	}
	return to;
}

#define FINDS(a, want)                                                    \
	do {                                                              \
		char got[512];                                            \
		assert_string_equal(found(a, got, sizeof(got)), want);    \
	} while (0)

#define H "198.51.100.1"
#define S "203.0.113.7"

static void ends_in_step_are_counted_and_nothing_is_found(void **state)
{
	struct sa_audit *a = start();

	(void)state;
	GIVE(a, "hub", { .local = H, .peer = S, .in = { 0xa1 }, .out = { 0xb1 } });
	GIVE(a, "spoke", { .local = S, .peer = H, .in = { 0xb1 }, .out = { 0xa1 } });
	FINDS(a, "");
	assert_int_equal(sa_audit_counts(a)->tunnels, 1);
	assert_int_equal(sa_audit_counts(a)->in_sync, 1);
	sa_audit_free(a);
}

static void the_sender_of_a_missing_sa_stands_first(void **state)
{
	struct sa_audit *a = start();
	const struct audit_finding *f;

	(void)state;
	GIVE(a, "hub", { .local = H, .peer = S, .in = { 0 }, .out = { 0 } });
	GIVE(a, "spoke", { .local = S, .peer = H, .in = { 0xb1 }, .out = { 0xa1 } });
	FINDS(a, "sa-missing/likely");
	f = sa_audit_finding(a, 0);
	assert_string_equal(f->ends[0].device, "spoke");
	assert_int_equal(f->ends[0].role, AUDIT_SENDER);
	assert_int_equal(f->spi.value, 0xa1);
	assert_int_equal(f->cause, CAUSE_CHILD_MISSING);
	assert_int_equal(f->severity, AUDIT_ERROR);
	sa_audit_free(a);
}

/* devices.md 1: read R, then S, then R again. */
static void a_rekey_between_two_readings_is_no_fault(void **state)
{
	struct sa_audit *a = start();

	(void)state;
	GIVE(a, "hub", { .local = H, .peer = S, .in = { 0xa1 }, .out = { 0xb1 } });
	GIVE(a, "spoke", { .local = S, .peer = H, .in = { 0xb2 }, .out = { 0xa2 } });
	FINDS(a, "tables-disagree/possible");
	sa_audit_free(a);
	a = start();
	GIVE(a, "hub", { .local = H, .peer = S, .in = { 0xa1 }, .out = { 0xb1 } });
	GIVE(a, "spoke", { .local = S, .peer = H, .in = { 0xb2 }, .out = { 0xa2 } });
	GIVE(a, "hub", { .local = H, .peer = S, .in = { 0xa2 }, .out = { 0xb2 } });
	FINDS(a, "");
	sa_audit_free(a);
	a = start();
	GIVE(a, "hub", { .local = H, .peer = S, .in = { 0xa1 }, .out = { 0xb1 } });
	GIVE(a, "spoke", { .local = S, .peer = H, .in = { 0xb2 }, .out = { 0xa2 } });
	GIVE(a, "hub", { .local = H, .peer = S, .in = { 0xa1 }, .out = { 0xb1 } });
	FINDS(a, "sa-missing/certain sa-missing/certain");
	sa_audit_free(a);
}

/* One child of three was rekeyed between the readings; another one is lost. */
static void each_child_of_a_tunnel_is_judged_by_itself(void **state)
{
	struct sa_audit *a = start();

	(void)state;
#define NET(l, r, i, o, ln, rn) { .local = l, .peer = r, .in = { i }, .out = { o }, .local_net = ln, .remote_net = rn }
	GIVE(a, "hub", NET(H, S, 0xa1, 0xb1, "10.1.0.0", "10.2.0.0"), NET(H, S, 0xa2, 0xb2, "10.3.0.0", "10.4.0.0"));
	GIVE(a, "spoke", NET(S, H, 0xb1, 0xa1, "10.2.0.0", "10.1.0.0"), NET(S, H, 0xb9, 0xa9, "10.4.0.0", "10.3.0.0"));
	FINDS(a, "tables-disagree/possible");
	assert_int_equal(sa_audit_finding(a, 0)->evidence_count, 4);
	sa_audit_free(a);
	a = start();
	GIVE(a, "hub", NET(H, S, 0xa1, 0xb1, "10.1.0.0", "10.2.0.0"), NET(H, S, 0, 0, "10.3.0.0", "10.4.0.0"));
	GIVE(a, "spoke", NET(S, H, 0xb1, 0xa1, "10.2.0.0", "10.1.0.0"), NET(S, H, 0xb9, 0xa9, "10.4.0.0", "10.3.0.0"));
	FINDS(a, "sa-missing/likely");
	assert_int_equal(sa_audit_finding(a, 0)->cause, CAUSE_CHILD_MISSING);
	sa_audit_free(a);
	/* half of a pair is there: no rekey leaves that behind */
	a = start();
	GIVE(a, "hub", NET(H, S, 0xa8, 0xb9, "10.3.0.0", "10.4.0.0"));
	GIVE(a, "spoke", NET(S, H, 0xb9, 0xa9, "10.4.0.0", "10.3.0.0"));
	FINDS(a, "sa-missing/likely");
	sa_audit_free(a);
}

static void an_overlap_is_counted_until_it_stays(void **state)
{
	struct sa_audit *a = start();

	(void)state;
	GIVE(a, "hub", { .local = H, .peer = S, .in = { 0xa2, 0xa1 }, .out = { 0xb2, 0xb1 } });
	GIVE(a, "spoke", { .local = S, .peer = H, .in = { 0xb2 }, .out = { 0xa2 } });
	FINDS(a, "");
	assert_true(sa_audit_counts(a)->overlaps > 0);
	sa_audit_free(a);
	a = start();
	GIVE(a, "hub", { .local = H, .peer = S, .in = { 0xa2, 0xa1 }, .out = { 0xb2, 0xb1 } });
	GIVE(a, "spoke", { .local = S, .peer = H, .in = { 0xb2 }, .out = { 0xa2 } });
	GIVE(a, "hub", { .local = H, .peer = S, .in = { 0xa2, 0xa1 }, .out = { 0xb2, 0xb1 } });
	FINDS(a, "sa-unused/likely sa-leftover/certain");
	sa_audit_free(a);
}

static void what_no_table_speaks_of_is_not_absent(void **state)
{
	struct sa_audit *a = start();
	const struct flow spoke = { .local = S, .peer = H, .in = { 0xb1 }, .out = { 0xa1 } };
	const struct flow other = { .local = H, .peer = "192.0.2.99", .in = { 1 }, .out = { 2 } };
	struct flow cut = { .local = H, .peer = S, .in = { 0xa9 }, .out = { 0xb1 } };

	(void)state;
	/* a table of another peer alone */
	give(a, "hub", &other, 1, (struct saved_filter){ .typed = true, .narrow = true, .peer = address("192.0.2.99") });
	give(a, "spoke", &spoke, 1, TYPED);
	FINDS(a, "");
	assert_int_equal(sa_audit_counts(a)->not_covered, 1);
	sa_audit_free(a);
	/* one peer, and nobody knows what was asked for */
	a = start();
	give(a, "hub", &other, 1, (struct saved_filter){ 0 });
	give(a, "spoke", &spoke, 1, TYPED);
	FINDS(a, "");
	sa_audit_free(a);
	/* a flow that is not whole */
	a = start();
	cut.cut = true;
	give(a, "hub", &cut, 1, TYPED);
	give(a, "spoke", &spoke, 1, TYPED);
	FINDS(a, "");
	assert_int_equal(sa_audit_counts(a)->not_covered, 1);
	sa_audit_free(a);
	/* the other end was not given at all */
	a = start();
	give(a, "spoke", &spoke, 1, TYPED);
	FINDS(a, "");
	assert_int_equal(sa_audit_counts(a)->other_end_absent, 1);
	sa_audit_free(a);
}

static void keys_by_hand_and_of_groups_are_left_alone(void **state)
{
	struct sa_audit *a = start();

	(void)state;
	GIVE(a, "a", { .local = H, .peer = S, .in = { 0x100 }, .out = { 0x100 }, .manual = true });
	GIVE(a, "b", { .local = S, .peer = H, .in = { 0x200 }, .out = { 0x200 }, .manual = true });
	FINDS(a, "");
	assert_int_equal(sa_audit_counts(a)->left_alone, 2);
	sa_audit_free(a);
}

static void behind_nat_shared_spis_tell_the_ends_then_their_networks(void **state)
{
	struct sa_audit *a = start();
	const struct audit_finding *f;

	(void)state;
	/* two clients with the same private address behind two NATs */
	GIVE(a, "hub", { .local = H, .peer = "203.0.113.50", .in = { 0xa1 }, .out = { 0xb1 }, .encap = true,
	       .local_net = "10.1.0.0", .remote_net = "10.2.0.0" },
	     { .local = H, .peer = "203.0.113.60", .in = { 0xc1 }, .out = { 0xd1 }, .encap = true,
	       .local_net = "10.1.0.0", .remote_net = "10.3.0.0" });
	GIVE(a, "one", { .local = "192.168.1.2", .peer = H, .in = { 0xb1 }, .out = { 0xa1 }, .encap = true,
	       .local_net = "10.2.0.0", .remote_net = "10.1.0.0" });
	GIVE(a, "two", { .local = "192.168.1.2", .peer = H, .in = { 0xd9 }, .out = { 0xc9 }, .encap = true,
	       .local_net = "10.3.0.0", .remote_net = "10.1.0.0" });
	FINDS(a, "tables-disagree/possible");
	f = sa_audit_finding(a, 0);
	assert_true(strcmp(f->ends[0].device, "two") == 0 || strcmp(f->ends[1].device, "two") == 0);
	assert_int_equal(sa_audit_counts(a)->in_sync, 1);
	sa_audit_free(a);
	/* neither: said, not guessed */
	a = start();
	GIVE(a, "hub", { .local = H, .peer = "203.0.113.50", .in = { 0xa1 }, .out = { 0xb1 }, .encap = true });
	GIVE(a, "one", { .local = "192.168.1.2", .peer = H, .in = { 0xb7 }, .out = { 0xa7 }, .encap = true });
	FINDS(a, "");
	assert_int_equal(sa_audit_counts(a)->ambiguous, 1);
	sa_audit_free(a);
}

static void the_extra_child_is_named_by_its_number(void **state)
{
	struct sa_audit *a = start();
	const struct audit_finding *f;

	(void)state;
#define CHILD(l, r, i, o, n, ln, rn) { .local = l, .peer = r, .in = { i }, .out = { o }, \
					 .source = SA_BLOCK_SWAN, .child_id = n, .local_net = ln, .remote_net = rn }
	GIVE(a, "left", CHILD(H, S, 0xa1, 0xb1, 4, "10.1.0.0", "10.2.0.0"), CHILD(H, S, 0xa2, 0xb2, 9, "10.1.0.0", "10.2.0.0"));
	GIVE(a, "right", CHILD(S, H, 0xb1, 0xa1, 7, "10.2.0.0", "10.1.0.0"));
	FINDS(a, "sa-missing/likely duplicate-child/likely");
	f = sa_audit_finding(a, 0);
	assert_int_equal(f->ends[0].child_id, 9);
	assert_int_equal(sa_audit_finding(a, 1)->ends[0].child_id, 9);
	sa_audit_free(a);
}

static void encapsulation_and_lifetimes_must_agree(void **state)
{
	struct sa_audit *a = start();

	(void)state;
	GIVE(a, "hub", { .local = H, .peer = S, .in = { 0xa1 }, .out = { 0xb1 }, .encap = true, .life = 3500 });
	GIVE(a, "spoke", { .local = S, .peer = H, .in = { 0xb1 }, .out = { 0xa1 }, .life = 3400 });
	FINDS(a, "encap-differs/certain");
	sa_audit_free(a);
	a = start();
	GIVE(a, "hub", { .local = H, .peer = S, .in = { 0xa1 }, .out = { 0xb1 }, .life = 28000 });
	GIVE(a, "spoke", { .local = S, .peer = H, .in = { 0xb1 }, .out = { 0xa1 }, .life = 3000 });
	FINDS(a, "lifetime-differs/possible");
	sa_audit_free(a);
}

static void two_names_of_one_device_are_told(void **state)
{
	struct sa_audit *a = start();
	const char *first, *second;

	(void)state;
	GIVE(a, "hub", { .local = H, .peer = S, .in = { 0xa1 }, .out = { 0xb1 } });
	GIVE(a, "core", { .local = H, .peer = S, .in = { 0xa1 }, .out = { 0xb1 } });
	GIVE(a, "spoke", { .local = S, .peer = H, .in = { 0xb1 }, .out = { 0xa1 } });
	FINDS(a, "");
	assert_true(sa_audit_same_device(a, 0, &first, &second));
	assert_string_equal(first, "hub");
	assert_string_equal(second, "core");
	assert_false(sa_audit_same_device(a, 1, &first, &second));
	sa_audit_free(a);
}

static void controller_keys_are_judged_by_the_pair_never_by_spi(void **state)
{
	struct sa_audit *a = start();

	(void)state;
	/* the same small SPIs everywhere: no device is another one for it */
	GIVE(a, "e1", { .local = "192.0.2.1", .peer = "192.0.2.2", .in = { 260 }, .out = { 271 }, .controller = true });
	GIVE(a, "e2", { .local = "192.0.2.2", .peer = "192.0.2.1", .in = { 271 }, .out = { 260 }, .controller = true },
	     { .local = "192.0.2.2", .peer = "192.0.2.3", .in = { 271 }, .out = { 260 }, .controller = true });
	GIVE(a, "e3", { .local = "192.0.2.3", .peer = "192.0.2.2", .in = { 0 }, .out = { 0 }, .controller = true });
	FINDS(a, "sdwan-sa-cleared/likely");
	assert_int_equal(sa_audit_finding(a, 0)->kind, TUNNEL_SDWAN);
	assert_string_equal(sa_audit_finding(a, 0)->ends[1].device, "e3");
	sa_audit_free(a);
}

static void add(struct sa_audit *a, const char *device, enum saved_output kind, const struct saved_record *records,
		size_t count)
{
	struct saved_filter filter = TYPED;
	int output = sa_audit_begin(a, sa_audit_device(a, device), device, kind, &filter);

	assert_true(output >= 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(sa_audit_add(a, output, &records[i]), 0);
	sa_audit_end_output(a, output, false);
}

static struct saved_record accepted(uint32_t spi, const char *digest)
{
	struct saved_record r = { .kind = SAVED_LOCAL_SA, .line = 5 };

	r.local_sa = (struct saved_local_sa){ .tloc = address("10.0.0.2"), .source = address("192.0.2.2"), .color = "gold",
					      .port = 12346, .spi = { spi } };
	snprintf(r.local_sa.key, sizeof(r.local_sa.key), "%s", digest);
	return r;
}

static struct saved_record used(uint32_t spi, const char *digest)
{
	struct saved_record r = { .kind = SAVED_OUTBOUND, .line = 7 };

	r.outbound = (struct saved_outbound){ .source = address("192.0.2.1"), .destination = address("192.0.2.2"),
					      .tloc = address("10.0.0.2"), .color = "gold", .spi = { spi } };
	snprintf(r.outbound.key, sizeof(r.outbound.key), "%s", digest);
	return r;
}

static struct saved_record copy(uint32_t spi)
{
	struct saved_record r = { .kind = SAVED_TLOC, .line = 9 };

	r.tloc = (struct saved_tloc){ .tloc = address("10.0.0.2"), .from = address("10.0.0.250"), .color = "gold", .has_spi = true,
				      .spi = { spi } };
	return r;
}

/* devices.md 5: three places must agree. */
static void sdwan_says_who_is_late(void **state)
{
	static const struct {
		uint32_t used, told, accepted[2];
		const char *want, *says;
	} cases[] = {
		{ 260, 260, { 259, 260 }, "", NULL },
		{ 259, 260, { 259, 260 }, "", NULL }, /* make before break */
		{ 258, 260, { 259, 260 }, "sdwan-sa-missing/likely", "this end is late" },
		{ 258, 258, { 259, 260 }, "sdwan-sa-missing/likely sdwan-copy-stale/possible", "OMP is late" },
		{ 260, 258, { 259, 260 }, "sdwan-copy-stale/possible", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sa_audit *a = start();
		struct saved_record local[2] = { accepted(cases[i].accepted[0], "*1"), accepted(cases[i].accepted[1], "*1") };
		struct saved_record out = used(cases[i].used, "*1"), told = copy(cases[i].told);
		bool said = cases[i].says == NULL;

		add(a, "edge1", OUTPUT_SDWAN_OUTBOUND, &out, 1);
		add(a, "edge1", OUTPUT_SDWAN_TLOCS, &told, 1);
		add(a, "edge2", OUTPUT_SDWAN_LOCAL_SA, local, 2);
		FINDS(a, cases[i].want);
		for (size_t k = 0; !said && k < sa_audit_finding(a, 0)->evidence_count; k++)
			said = strstr(sa_audit_finding(a, 0)->evidence[k].says, cases[i].says) != NULL;
		assert_true(said);
		sa_audit_free(a);
	}
}

static void sdwan_compares_the_keys_digests(void **state)
{
	struct sa_audit *a = start();
	struct saved_record local = accepted(260, "*1"), out = used(260, "*2");

	(void)state;
	add(a, "edge1", OUTPUT_SDWAN_OUTBOUND, &out, 1);
	add(a, "edge2", OUTPUT_SDWAN_LOCAL_SA, &local, 1);
	FINDS(a, "sdwan-key-differs/likely");
	sa_audit_free(a);
	/* R was read before S: what is newer than R's newest may have been made since */
	a = start();
	out = used(261, "*2");
	add(a, "edge2", OUTPUT_SDWAN_LOCAL_SA, &local, 1);
	add(a, "edge1", OUTPUT_SDWAN_OUTBOUND, &out, 1);
	FINDS(a, "sdwan-sa-missing/possible");
	sa_audit_free(a);
}

static struct saved_record ike(const char *local, const char *remote, uint64_t ours, uint64_t theirs)
{
	struct saved_record r = { .kind = SAVED_IKE, .line = 3 };

	r.ike = (struct saved_ike){ .version = 2, .state = SAVED_IKE_UP, .local = address(local), .remote = address(remote),
				    .has_spis = ours != 0, .spi_local = ours, .spi_remote = theirs };
	return r;
}

static void an_ike_sa_that_one_end_lists_alone(void **state)
{
	struct sa_audit *a = start();
	struct saved_record hub[2] = { ike(H, S, 1, 2), ike(H, S, 3, 4) }, spoke = ike(S, H, 2, 1);

	(void)state;
	add(a, "hub", OUTPUT_IKEV2_SA, hub, 2);
	add(a, "spoke", OUTPUT_IKEV2_SA, &spoke, 1);
	FINDS(a, "ike-one-sided/likely");
	assert_string_equal(sa_audit_finding(a, 0)->ends[0].device, "hub");
	sa_audit_free(a);
	/* behind NAT: one of the hub's strangers, without IKE SPIs, may be the spoke */
	a = start();
	hub[0] = ike(H, "203.0.113.50", 0, 0);
	spoke = ike("192.168.1.2", H, 2, 1);
	add(a, "hub", OUTPUT_IKEV2_SA, hub, 1);
	add(a, "spoke", OUTPUT_IKEV2_SA, &spoke, 1);
	FINDS(a, "");
	assert_int_equal(sa_audit_counts(a)->ambiguous, 1);
	sa_audit_free(a);
	/* with them it is not */
	a = start();
	hub[0] = ike(H, "203.0.113.50", 7, 8);
	add(a, "hub", OUTPUT_IKEV2_SA, hub, 1);
	add(a, "spoke", OUTPUT_IKEV2_SA, &spoke, 1);
	FINDS(a, "ike-one-sided/likely");
	sa_audit_free(a);
	hub[0] = ike(H, S, 1, 2);
	spoke = ike(S, H, 2, 1);
	/* a table of the other version says nothing of it */
	a = start();
	add(a, "hub", OUTPUT_IKEV2_SA, hub, 1);
	add(a, "spoke", OUTPUT_ISAKMP_SA, &spoke, 0);
	GIVE(a, "spoke", { .local = S, .peer = H, .in = { 0xb1 }, .out = { 0 } });
	FINDS(a, "");
	sa_audit_free(a);
}

/* One SPI in every flow of a large table must not make the search quadratic, and must not be believed. */
static void one_spi_everywhere_ends_soon(void **state)
{
	struct sa_audit *a = start();
	struct saved_filter filter = TYPED;
	struct flow f = { .local = H, .peer = S, .in = { 0x77 }, .out = { 0x78 } };
	struct saved_record r = record_of(&f, 1);
	int output = sa_audit_begin(a, sa_audit_device(a, "hub"), "hub", OUTPUT_IPSEC_SA, &filter);

	(void)state;
	for (uint32_t i = 0; i < 100000; i++) {
		r.flow.peer.bytes[1] = (uint8_t)(i >> 16);
		r.flow.peer.bytes[2] = (uint8_t)(i >> 8);
		r.flow.peer.bytes[3] = (uint8_t)i;
		assert_int_equal(sa_audit_add(a, output, &r), 0);
	}
	sa_audit_end_output(a, output, false);
	FINDS(a, "");
	assert_int_equal(sa_audit_counts(a)->other_end_absent, 100000);
	sa_audit_free(a);
}

/* A tunnel of flows for the same networks, each with SAs that the other end has not: bounded, and counted. */
static void a_tunnel_of_very_many_flows_ends_soon(void **state)
{
	struct sa_audit *a = start();

	(void)state;
	for (int end = 0; end < 2; end++) {
		struct flow f = NET(end ? S : H, end ? H : S, 1, 2, "10.1.0.0", "10.1.0.0");
		struct saved_record r = record_of(&f, 1);
		struct saved_filter filter = TYPED;
		const char *name = end ? "spoke" : "hub";
		int output = sa_audit_begin(a, sa_audit_device(a, name), name, OUTPUT_IPSEC_SA, &filter);

		for (uint32_t i = 0; i < 30000; i++) {
			r.flow.inbound[0].value = 0x1000000 * (uint32_t)(1 + 2 * end) + i;
			r.flow.outbound[0].value = 0x1000000 * (uint32_t)(2 + 2 * end) + i;
			assert_int_equal(sa_audit_add(a, output, &r), 0);
		}
		sa_audit_end_output(a, output, false);
	}
	FINDS(a, "tables-disagree/possible");
	sa_audit_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_in_step_are_counted_and_nothing_is_found),
		cmocka_unit_test(the_sender_of_a_missing_sa_stands_first),
		cmocka_unit_test(a_rekey_between_two_readings_is_no_fault),
		cmocka_unit_test(each_child_of_a_tunnel_is_judged_by_itself),
		cmocka_unit_test(an_overlap_is_counted_until_it_stays),
		cmocka_unit_test(what_no_table_speaks_of_is_not_absent),
		cmocka_unit_test(keys_by_hand_and_of_groups_are_left_alone),
		cmocka_unit_test(behind_nat_shared_spis_tell_the_ends_then_their_networks),
		cmocka_unit_test(the_extra_child_is_named_by_its_number),
		cmocka_unit_test(encapsulation_and_lifetimes_must_agree),
		cmocka_unit_test(two_names_of_one_device_are_told),
		cmocka_unit_test(controller_keys_are_judged_by_the_pair_never_by_spi),
		cmocka_unit_test(sdwan_says_who_is_late),
		cmocka_unit_test(sdwan_compares_the_keys_digests),
		cmocka_unit_test(an_ike_sa_that_one_end_lists_alone),
		cmocka_unit_test(one_spi_everywhere_ends_soon),
		cmocka_unit_test(a_tunnel_of_very_many_flows_ends_soon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
