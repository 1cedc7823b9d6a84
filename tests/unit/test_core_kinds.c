/* SPDX-License-Identifier: MIT */
/* Tunnel kinds (B12), as core tells them from connections, SAs and GRE devices, and what follows from them. */
#include "core_case.h"
#include "model/kind.h"

#define X 0xc0000001

struct told { /* what a gateway is told, beside the plain case of core_case.h */
	bool gre, dynamic_peer, virtual_address;
	uint32_t mark, if_id;
	const char *remote; /* of the one GRE device; "any"; NULL: there is none */
	enum tunnel_kind kind;
};

static void tell_connection(struct gateway *g, const struct told *told)
{
	struct connection connection = gateway_connection();

	connection.gre = connection.transport_mode = told->gre;
	connection.dynamic_peer = told->dynamic_peer;
	connection.remote_count = told->dynamic_peer ? 0 : 1;
	if (told->dynamic_peer)
		connection.remote[0] = (struct spimend_address){ 0 };
	core_connections_begin(g->core, 0);
	core_connection(g->core, &connection);
	core_connections_end(g->core, 0, g->now);
}

static void tell_devices(struct gateway *g, const char *remote)
{
	struct gre_device other = { .name = "gre7", .local = own_address, .remote = stranger_address };
	struct gre_device device = { .name = "gre1", .local = own_address };

	core_gre_begin(g->core);
	core_gre_device(g->core, &other);
	if (remote && strcmp(remote, "any") != 0)
		assert_int_equal(spimend_address_parse(remote, strlen(remote), &device.remote), 0);
	if (remote)
		core_gre_device(g->core, &device);
	core_gre_end(g->core, g->now);
}

static void begin(struct gateway *g, const struct told *told)
{
	struct child_sa child = gateway_child(2, 0xc0000002);

	gateway_new(g, MODE_REPAIR);
	tell_devices(g, told->remote);
	tell_connection(g, told);
	child.gre = told->gre;
	child.virtual_address = told->virtual_address;
	child.mark_in = told->mark;
	child.if_id_in = told->if_id;
	g->child_count = 0;
	gateway_child_up(g, child);
	g->children[0].packets_in = g->children[0].packets_out = 100;
	gateway_pass(g, 6 * SECOND_NS);
}

static const struct told kinds[] = {
	{ .kind = TUNNEL_STATIC_CRYPTO_MAP },
	{ .dynamic_peer = true, .kind = TUNNEL_DYNAMIC_CRYPTO_MAP },
	{ .gre = true, .remote = "10.1.1.1", .kind = TUNNEL_GRE_P2P },
	{ .gre = true, .remote = "any", .kind = TUNNEL_MGRE_NHRP_STATIC },
	{ .gre = true, .dynamic_peer = true, .remote = "any", .kind = TUNNEL_MGRE_NHRP_DYNAMIC },
	{ .gre = true, .dynamic_peer = true, .remote = "10.1.1.1", .kind = TUNNEL_DYNAMIC_CRYPTO_MAP },
	{ .gre = true, .remote = NULL, .kind = TUNNEL_UNKNOWN },
	{ .remote = "10.1.1.1", .kind = TUNNEL_STATIC_CRYPTO_MAP }, /* a GRE device beside it is none of its business */
	{ .mark = 42, .kind = TUNNEL_SVTI },
	{ .if_id = 7, .kind = TUNNEL_SVTI },
	{ .dynamic_peer = true, .if_id = 7, .kind = TUNNEL_DYNAMIC_CRYPTO_MAP },
	{ .virtual_address = true, .kind = TUNNEL_EZVPN_CLIENT },
};

/* A child that is gone, its IKE SA too: what is left to tell the kind by are configuration, devices, and the ledger. Who may
 * not be called is not called. */
static void a_receiver_that_lost_all_knows_the_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct gateway g;

		begin(&g, &kinds[i]);
		gateway_restart(&g);
		tell_connection(&g, &kinds[i]);
		gateway_strays(&g, 0xc0000002, 101, 6);
		assert_int_equal(gateway_incident(&g)->verdict, VERDICT_DESYNC);
		assert_string_equal(tunnel_kind_name(gateway_incident(&g)->tunnel_kind), tunnel_kind_name(kinds[i].kind));
		if (kinds[i].dynamic_peer) {
			assert_int_equal(g.orders, 0);
			assert_int_equal(gateway_incident(&g)->next.refusal, REFUSE_DYNAMIC);
		} else {
			assert_int_equal(g.orders, 1);
			assert_int_equal(g.order.verb, ORDER_INITIATE);
			assert_true(g.order.opens_ike);
		}
		gateway_done(&g);
	}
}

/* B12 asks for a peer that is known in advance; one that holds a living IKE SA is known. */
static void over_a_living_ike_sa_every_kind_is_repaired(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct child_event down = { .change = CHILD_DOWN };
		struct gateway g;

		begin(&g, &kinds[i]);
		down.child = g.children[0];
		g.child_count = 0;
		core_child_event(g.core, &down, g.now);
		gateway_drain(&g);
		gateway_pass(&g, SECOND_NS);
		gateway_strays(&g, 0xc0000002, 101, 6);
		assert_string_equal(tunnel_kind_name(gateway_incident(&g)->tunnel_kind), tunnel_kind_name(kinds[i].kind));
		assert_int_equal(g.orders, 1);
		assert_int_equal(g.order.verb, ORDER_INITIATE);
		assert_false(g.order.opens_ike);
		gateway_done(&g);
	}
}

/* What only a living SA tells outlives spimendd, too. */
static void the_ledger_remembers_the_kind(void **state)
{
	static const struct told told = { .virtual_address = true, .kind = TUNNEL_EZVPN_CLIENT };
	struct ledger_entry kept = { .kind = TUNNEL_UNKNOWN };
	struct gateway g;

	(void)state;
	begin(&g, &told);
	for (unsigned i = 0; i < g.ledger_count; i++)
		if (g.ledger[i].key.spi == 0xc0000002)
			kept = g.ledger[i];
	assert_int_equal(kept.kind, TUNNEL_EZVPN_CLIENT);
	gateway_done(&g);
	gateway_new(&g, MODE_ADVISE);
	core_restore_ledger(g.core, &kept, g.now);
	gateway_restart(&g);
	gateway_strays(&g, 0xc0000002, 101, 6);
	assert_int_equal(gateway_incident(&g)->tunnel_kind, TUNNEL_EZVPN_CLIENT);
	gateway_done(&g);
}

/* Each list is all there is; one that does not come to its end changes nothing. */
static void devices_come_and_go(void **state)
{
	static const struct told told = { .gre = true, .remote = "any", .kind = TUNNEL_MGRE_NHRP_STATIC };
	struct gateway g;

	(void)state;
	begin(&g, &told);
	core_gre_begin(g.core);
	gateway_restart(&g);
	tell_connection(&g, &told);
	gateway_strays(&g, 0xc0000002, 101, 6);
	assert_int_equal(gateway_incident(&g)->tunnel_kind, TUNNEL_MGRE_NHRP_STATIC);
	gateway_done(&g);
	begin(&g, &told);
	tell_devices(&g, NULL);
	gateway_restart(&g);
	tell_connection(&g, &told);
	gateway_strays(&g, 0xc0000002, 101, 6);
	assert_int_equal(gateway_incident(&g)->tunnel_kind, TUNNEL_UNKNOWN);
	gateway_done(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_receiver_that_lost_all_knows_the_kind),
		cmocka_unit_test(over_a_living_ike_sa_every_kind_is_repaired),
		cmocka_unit_test(the_ledger_remembers_the_kind),
		cmocka_unit_test(devices_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
