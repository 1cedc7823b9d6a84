/* SPDX-License-Identifier: MIT */
/* The kernel's own ESP: what it lists, what its audit records and counters tell, beside an IKE daemon that lists its own. */
#include "core_case.h"

#define X 0xc0000001
#define AH 0xc0000002

static struct kernel_sa kernel_sa(bool encap_udp)
{
	return (struct kernel_sa){ .key = sa_key_of(&own_address, 50, X), .src = peer_address, .encap_udp = encap_udp };
}

static void kernel_lists(struct gateway *g, const struct kernel_sa *sas, unsigned n)
{
	core_kernel_begin(g->core, g->now);
	for (unsigned i = 0; i < n; i++) {
		struct kernel_event e = { .change = KERNEL_LISTED, .sa = sas[i] };

		core_kernel(g->core, &e, g->now);
	}
	core_kernel_end(g->core, true, g->now);
	gateway_drain(g);
}

/* A daemon without user-space ESP, with one child that carried packets both ways. */
static void kernel_gateway(struct gateway *g, bool encap_udp)
{
	struct daemon_state d = { .up = true, .has_boot = true };
	struct kernel_sa sa = kernel_sa(encap_udp);

	gateway_new(g, MODE_REPAIR);
	d.boot.ns = g->now.wall.ns - HOUR_NS;
	core_daemon(g->core, &d, g->now);
	kernel_lists(g, &sa, 1);
	gateway_pass(g, 6 * SECOND_NS);
	kernel_lists(g, &sa, 1);
	gateway_pass(g, 6 * SECOND_NS);
	assert_int_equal(g->orders, 0);
}

static void audit(struct gateway *g, uint32_t sequence)
{
	struct sighting s = { .witness = WITNESS_AUDIT, .src = peer_address, .dst = own_address, .protocol = 50, .spi = AH,
			      .packets = 1, .first_ns = g->now.mono_ns, .last_ns = g->now.mono_ns, .sequence_first = sequence,
			      .sequence_last = sequence, .sequence_highest = sequence };

	core_sighting(g->core, &s, g->now);
	gateway_drain(g);
}

/* The record names no protocol. */
static void test_audit_of_an_ah_sa(void **state)
{
	struct kernel_sa sas[2] = { kernel_sa(true), kernel_sa(false) };
	struct child_sa child = gateway_child(2, AH);
	struct gateway g;
	unsigned incidents = 0;

	(void)state;
	kernel_gateway(&g, true);
	child.protocol = 51;
	child.encap_udp = false;
	sas[1].key = sa_key_of(&own_address, 51, AH);
	gateway_child_up(&g, child);
	kernel_lists(&g, sas, 2);
	gateway_pass(&g, 6 * SECOND_NS);
	kernel_lists(&g, sas, 1);
	gateway_pass(&g, SECOND_NS);
	for (unsigned i = 0; i < 20; i++) {
		audit(&g, 101 + i);
		gateway_pass(&g, 100 * MS);
		kernel_lists(&g, sas, 1);
	}
	for (size_t i = 0; core_incident_at(g.core, i); i++)
		incidents++;
	assert_int_equal(incidents, 1);
	assert_int_equal(gateway_incident(&g)->key.protocol, 51);
	assert_int_equal(gateway_incident(&g)->verdict, VERDICT_DESYNC);
	assert_int_equal(gateway_incident(&g)->cause, CAUSE_CHILD_MISSING);
	assert_int_equal(g.order.verb, ORDER_REKEY_CHILD);
	gateway_done(&g);
}

/* Packets in UDP arrive on the SA and the kernel refuses them, as many as come. */
static void refuse_packets(struct gateway *g, enum xfrm_counter counter)
{
	struct xfrm_counters counters = { .present = (1u << XFRM_COUNTERS) - 1 };
	struct spi_count count = { .key = sa_key_of(&own_address, 50, X), .packets = 100, .sequence_highest = 100,
				   .encap_udp = true };

	for (unsigned i = 0; i < 40; i++) {
		counters.value[counter]++;
		count.packets++;
		count.sequence_highest++;
		count.last_ns = g->now.mono_ns;
		core_spi_count(g->core, &count, g->now);
		core_counters(g->core, &counters, g->now);
		gateway_pass(g, 100 * MS);
	}
}

/* T9: what the kernel has counts, not what the daemon thinks that it installed. */
static void test_encapsulation_as_the_kernel_has_it(void **state)
{
	struct gateway g;

	(void)state;
	kernel_gateway(&g, false);
	refuse_packets(&g, XFRM_IN_STATE_MISMATCH);
	assert_int_equal(gateway_incident(&g)->verdict, VERDICT_OTHER_FAULT);
	assert_int_equal(gateway_incident(&g)->cause, CAUSE_ENCAP_MISMATCH);
	assert_int_equal(g.order.verb, ORDER_TERMINATE_IKE);
	gateway_done(&g);
	kernel_gateway(&g, true);
	refuse_packets(&g, XFRM_IN_STATE_MISMATCH);
	assert_null(gateway_incident(&g));
	gateway_done(&g);
}

/* T18: seen, said, and nothing is done. */
static void test_another_mark(void **state)
{
	struct kernel_sa sa = kernel_sa(true);
	struct kernel_event e = { .change = KERNEL_DELETED, .sa = sa };
	struct gateway g;

	(void)state;
	kernel_gateway(&g, true);
	core_kernel(g.core, &e, g.now);
	e.change = KERNEL_ADDED;
	e.sa.mark = 7;
	e.sa.mark_mask = 0xff;
	core_kernel(g.core, &e, g.now);
	gateway_drain(&g);
	refuse_packets(&g, XFRM_IN_NO_STATES);
	assert_int_equal(gateway_incident(&g)->verdict, VERDICT_OTHER_FAULT);
	assert_int_equal(gateway_incident(&g)->cause, CAUSE_LOOKUP_KEY_MISMATCH);
	assert_int_equal(g.orders, 0);
	gateway_done(&g);
}

/* A stranger alone makes the kernel be asked, once: nobody is called a stranger by an old list. */
static void test_strangers_and_the_kernel(void **state)
{
	struct kernel_sa sa = kernel_sa(true);
	struct gateway g;
	unsigned before;

	(void)state;
	kernel_gateway(&g, true);
	before = g.kernel_refreshes;
	for (unsigned i = 0; i < 30; i++) {
		gateway_see(&g, &stranger_address, 0x1234567 * (i + 1), 1 + i);
		gateway_pass(&g, 50 * MS);
	}
	assert_int_equal(g.kernel_refreshes, before + 1);
	assert_null(gateway_incident(&g));
	kernel_lists(&g, &sa, 1);
	gateway_pass(&g, 7 * SECOND_NS);
	assert_non_null(gateway_incident(&g));
	assert_int_equal(gateway_incident(&g)->verdict, VERDICT_NOISE);
	assert_int_equal(gateway_incident(&g)->cause, CAUSE_SCAN_OR_SPOOF);
	assert_int_equal(g.orders, 0);
	gateway_done(&g);
}

/* What comes in on an SA with an interface id is counted, and then refused for want of a policy; `out` packets are sent. */
static void come_in(struct gateway *g, uint64_t refused, uint64_t out)
{
	struct xfrm_counters counters = { .present = (1u << XFRM_COUNTERS) - 1 };

	for (unsigned i = 0; i < 150; i++) {
		counters.value[XFRM_IN_NO_POLS] += refused;
		g->children[0].packets_in++;
		g->children[0].packets_out += out;
		core_counters(g->core, &counters, g->now);
		gateway_pass(g, 100 * MS);
	}
}

/* T18 by an interface id: the kernel accepts the packets, and has no policy for them. */
static void test_interface_that_is_gone(void **state)
{
	static const struct {
		uint32_t if_id;
		uint64_t refused, out;
		bool is_fault;
	} cases[] = {
		{ 43, 1, 0, true },
		{ 0, 1, 0, false },  /* the packets of another SA */
		{ 43, 1, 1, false }, /* it answers, so it works */
		{ 43, 0, 0, false }, /* a flow one way */
		{ 43, 3, 0, false }, /* not its packets alone, so perhaps not its packets at all */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gateway g;

		kernel_gateway(&g, true);
		g.children[0].if_id_in = cases[i].if_id;
		come_in(&g, cases[i].refused, cases[i].out);
		assert_int_equal(!!gateway_incident(&g), cases[i].is_fault);
		if (cases[i].is_fault) {
			assert_int_equal(gateway_incident(&g)->verdict, VERDICT_OTHER_FAULT);
			assert_int_equal(gateway_incident(&g)->cause, CAUSE_LOOKUP_KEY_MISMATCH);
		}
		assert_int_equal(g.orders, 0);
		gateway_done(&g);
	}
}

/* The same where the daemon does not see what comes in: the kernel's SA has another interface id than the daemon gave it. */
static void test_another_interface_id(void **state)
{
	struct kernel_sa sa = kernel_sa(true);
	struct kernel_event e = { .change = KERNEL_DELETED, .sa = sa };
	struct gateway g;

	(void)state;
	kernel_gateway(&g, true);
	core_kernel(g.core, &e, g.now);
	e.change = KERNEL_ADDED;
	e.sa.if_id = 5;
	core_kernel(g.core, &e, g.now);
	gateway_drain(&g);
	refuse_packets(&g, XFRM_IN_NO_POLS);
	assert_int_equal(gateway_incident(&g)->verdict, VERDICT_OTHER_FAULT);
	assert_int_equal(gateway_incident(&g)->cause, CAUSE_LOOKUP_KEY_MISMATCH);
	assert_int_equal(g.orders, 0);
	gateway_done(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_audit_of_an_ah_sa),
		cmocka_unit_test(test_encapsulation_as_the_kernel_has_it),
		cmocka_unit_test(test_another_mark),
		cmocka_unit_test(test_strangers_and_the_kernel),
		cmocka_unit_test(test_interface_that_is_gone),
		cmocka_unit_test(test_another_interface_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
