/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/kind.h"
#include "plan_incident.h"

static void test_matrix_of_b12(void **state)
{
	(void)state;
	assert_int_equal(kind_invalid_spi_recovery(TUNNEL_STATIC_CRYPTO_MAP), RECOVERY_YES);
	assert_int_equal(kind_invalid_spi_recovery(TUNNEL_DYNAMIC_CRYPTO_MAP), RECOVERY_NO);
	assert_int_equal(kind_invalid_spi_recovery(TUNNEL_GRE_P2P), RECOVERY_YES);
	assert_int_equal(kind_invalid_spi_recovery(TUNNEL_MGRE_NHRP_STATIC), RECOVERY_YES);
	assert_int_equal(kind_invalid_spi_recovery(TUNNEL_MGRE_NHRP_DYNAMIC), RECOVERY_NO);
	assert_int_equal(kind_invalid_spi_recovery(TUNNEL_SVTI), RECOVERY_YES);
	assert_int_equal(kind_invalid_spi_recovery(TUNNEL_EZVPN_CLIENT), RECOVERY_NOT_APPLICABLE);
	assert_int_equal(kind_invalid_spi_recovery(TUNNEL_SDWAN), RECOVERY_NOT_APPLICABLE);
	assert_int_equal(kind_invalid_spi_recovery(TUNNEL_IKELESS), RECOVERY_NOT_APPLICABLE);
	assert_int_equal(kind_invalid_spi_recovery(TUNNEL_UNKNOWN), RECOVERY_UNKNOWN);
	for (int kind = 0; kind < TUNNEL_KINDS; kind++)
		assert_int_equal(kind_has_ike((enum tunnel_kind)kind), kind != TUNNEL_SDWAN && kind != TUNNEL_IKELESS);
}

/* The plan follows the matrix: the configuration is proposed where it works, and only there. */
static void test_recovery_is_proposed_where_it_works(void **state)
{
	(void)state;
	for (int kind = 0; kind < TUNNEL_KINDS; kind++) {
		struct incident i = test_incident();
		enum kind_recovery recovery = kind_invalid_spi_recovery((enum tunnel_kind)kind);
		const struct plan_step *step;
		struct plan plan;

		i.tunnel_kind = (enum tunnel_kind)kind;
		plan_build(&i, &plan);
		step = find(&plan, "crypto isakmp invalid-spi-recovery");
		assert_int_equal(step != NULL, recovery == RECOVERY_YES || recovery == RECOVERY_UNKNOWN);
		if (!step)
			continue;
		assert_on(step, "10.10.1.2");
		assert_int_equal(step->role, PLAN_RECEIVER);
		assert_ptr_equal(step, &plan.steps[plan.count - 1]);
		assert_non_null(strstr(step->why, "DoS exposure; a repair, not a cure"));
		assert_int_equal(strstr(step->why, "not for dynamic crypto maps") != NULL, recovery == RECOVERY_UNKNOWN);
	}
}

static void test_interface_names(void **state)
{
	static const struct {
		const char *name;
		enum tunnel_kind kind;
		bool open;
	} cases[] = {
		{ "Tunnel10001", TUNNEL_SDWAN, false }, { "Tunnel10000", TUNNEL_SDWAN, false },   { "Tunnel99999", TUNNEL_SDWAN, false },
		{ "tunnel10001", TUNNEL_SDWAN, false }, { "Tunnel1000", TUNNEL_UNKNOWN, true },   { "Tunnel0", TUNNEL_UNKNOWN, true },
		{ "Tu100", TUNNEL_UNKNOWN, true },      { "Tunnel09999", TUNNEL_UNKNOWN, true },  { "Tunnel100001", TUNNEL_UNKNOWN, true },
		{ "Ethernet0/0", TUNNEL_UNKNOWN, false }, { "", TUNNEL_UNKNOWN, false },          { "Tunnel", TUNNEL_UNKNOWN, false },
		{ "Tunnel10001; reload", TUNNEL_UNKNOWN, false }, { "MyTunnel10001", TUNNEL_UNKNOWN, false },
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		assert_int_equal(kind_from_interface(text_of(cases[c].name)), cases[c].kind);
		assert_int_equal(kind_is_open_tunnel(text_of(cases[c].name)), cases[c].open);
	}
}

/* DESIGN.md 6: the first step of its example. */
static void test_first_step_is_the_peer_at_the_sender(void **state)
{
	struct incident i = test_incident();
	struct plan plan;

	(void)state;
	plan_build(&i, &plan);
	assert_true(plan.count >= 3);
	assert_string_equal(plan.steps[0].command, "clear crypto sa peer 10.10.1.2");
	assert_on(&plan.steps[0], "10.1.1.1");
	assert_int_equal(plan.steps[0].role, PLAN_SENDER);
	assert_string_equal(plan_role_name(plan.steps[0].role), "sender");
	assert_non_null(strstr(plan.steps[0].blast_radius, "the SAs with this peer"));
	assert_non_null(strstr(plan.steps[0].why, "first confirm here with `show crypto ipsec sa peer 10.10.1.2` that the current "
						  "outbound spi is 0x1db73bbb (498547643)"));
	assert_true(strncmp(plan.steps[0].why, "Where 10.1.1.1 is yours", 23) == 0);
	/* then the receiver, for the case that the sender is out of reach, with its good SAs as the price */
	assert_string_equal(plan.steps[1].command, "clear crypto sa peer 10.1.1.1");
	assert_on(&plan.steps[1], "10.10.1.2");
	assert_int_equal(plan.steps[1].role, PLAN_RECEIVER);
	assert_true(strncmp(plan.steps[1].why, "Where 10.1.1.1 is foreign or cannot be reached", 46) == 0);
	assert_non_null(strstr(plan.steps[1].blast_radius, "the good SAs of 10.10.1.2"));
	/* and only then the session, which a person has to agree to */
	assert_string_equal(plan.steps[2].command, "clear crypto session remote 10.10.1.2");
	assert_on(&plan.steps[2], "10.1.1.1");
	assert_true(plan.steps[2].needs_approval);
	assert_false(has_command_like(&plan, "entry"));
}

static void test_exact_sa_when_the_table_confirms_it(void **state)
{
	struct incident i = test_incident();
	struct plan plan;

	(void)state;
	i.confirmed_at_sender = true;
	plan_build(&i, &plan);
	assert_string_equal(plan.steps[0].command, "clear crypto sa entry 10.10.1.2 esp 0x1db73bbb");
	assert_on(&plan.steps[0], "10.1.1.1");
	assert_non_null(strstr(plan.steps[0].why, "498547643"));
	assert_string_equal(plan.steps[1].command, "clear crypto sa peer 10.10.1.2");
	assert_null(strstr(plan.steps[1].why, "irst confirm"));

	i.protocol = SPIMEND_PROTOCOL_AH;
	i.dst = test_address("2001:db8::2");
	plan_build(&i, &plan);
	assert_string_equal(plan.steps[0].command, "clear crypto sa entry 2001:db8::2 ah 0x1db73bbb");

	i.protocol = SPIMEND_PROTOCOL_UNKNOWN; /* neither esp nor ah can be typed */
	plan_build(&i, &plan);
	assert_string_equal(plan.steps[0].command, "clear crypto sa peer 2001:db8::2");
	assert_non_null(strstr(plan.steps[0].why, "first confirm"));
}

static void test_sender_ours(void **state)
{
	struct incident i = test_incident();
	struct plan plan;

	(void)state;
	i.src_owner = OWNERSHIP_OURS;
	plan_build(&i, &plan);
	assert_string_equal(plan.steps[0].command, "clear crypto sa peer 10.10.1.2");
	assert_true(strncmp(plan.steps[0].why, "First confirm", 13) == 0);
	assert_null(find(&plan, "clear crypto sa peer 10.1.1.1"));
	assert_false(says(&plan, "foreign"));
}

static void test_sender_foreign(void **state)
{
	struct incident i = test_incident();
	struct plan plan;

	(void)state;
	i.src_owner = OWNERSHIP_FOREIGN;
	i.confirmed_at_sender = true; /* its operator sent us the table; we still cannot type there */
	plan_build(&i, &plan);
	assert_string_equal(plan.steps[0].command, "clear crypto sa peer 10.1.1.1");
	assert_on(&plan.steps[0], "10.10.1.2");
	assert_non_null(strstr(plan.steps[0].why, "ask its operator to clear the outbound SA 0x1db73bbb"));
	assert_false(has_role(&plan, PLAN_SENDER));
	assert_non_null(find(&plan, "clear crypto session remote 10.1.1.1"));
	for (size_t s = 0; s < plan.count; s++)
		assert_on(&plan.steps[s], "10.10.1.2");
}

static void test_receiver_foreign(void **state)
{
	struct incident i = test_incident();
	struct plan plan;

	(void)state;
	i.dst_owner = OWNERSHIP_FOREIGN;
	plan_build(&i, &plan);
	assert_string_equal(plan.steps[0].command, "clear crypto sa peer 10.10.1.2");
	assert_false(has_role(&plan, PLAN_RECEIVER));
	i.interface = TEXT("Tunnel7");
	plan_build(&i, &plan); /* the show that decides, at the end where it can be typed */
	assert_string_equal(plan.steps[0].command, "show crypto ipsec sa peer 10.10.1.2 | include map tag|local ident");
	assert_on(&plan.steps[0], "10.1.1.1");
	i.interface = TEXT_NONE;

	i.src_owner = OWNERSHIP_FOREIGN;
	plan_build(&i, &plan);
	assert_int_equal(plan.count, 1);
	assert_string_equal(plan.steps[0].command, "");
	assert_non_null(strstr(plan.steps[0].why, "Ask the operator of 10.1.1.1"));
}

/* B12: nothing that needs R to start IKE. */
static void test_dynamic_kinds(void **state)
{
	static const enum tunnel_kind kinds[] = { TUNNEL_DYNAMIC_CRYPTO_MAP, TUNNEL_MGRE_NHRP_DYNAMIC };

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct incident i = test_incident();
		struct plan plan;

		i.tunnel_kind = kinds[k];
		plan_build(&i, &plan);
		assert_string_equal(plan.steps[0].command, "clear crypto sa peer 10.10.1.2");
		assert_null(find(&plan, "clear crypto sa peer 10.1.1.1"));
		assert_null(find(&plan, "clear crypto session remote 10.1.1.1"));
		assert_false(says(&plan, "invalid-spi-recovery"));
		assert_true(plan.steps[plan.count - 1].disturbs_nothing);
		assert_non_null(strstr(plan.steps[plan.count - 1].why, "DPD at 10.1.1.1 fires"));

		i.src_owner = OWNERSHIP_FOREIGN;
		plan_build(&i, &plan);
		assert_int_equal(plan.count, 1);
		assert_string_equal(plan.steps[0].command, "");
		assert_non_null(strstr(plan.steps[0].why, "Ask the operator of 10.1.1.1"));
	}
}

static void test_nothing_where_nothing_is_needed(void **state)
{
	static const enum verdict verdicts[] = { VERDICT_TRANSIENT, VERDICT_NOISE };

	(void)state;
	for (size_t v = 0; v < 2; v++) {
		for (int kind = 0; kind < TUNNEL_KINDS; kind++) {
			struct incident i = test_incident();
			struct plan plan = { .count = 7 };

			i.verdict = verdicts[v];
			i.tunnel_kind = (enum tunnel_kind)kind;
			plan_build(&i, &plan);
			assert_int_equal(plan.count, 0);
		}
	}
}

static void test_healed_needs_nothing(void **state)
{
	struct incident i = test_incident();
	struct plan plan;

	(void)state;
	i.state = STATE_HEALED;
	plan_build(&i, &plan);
	assert_int_equal(plan.count, 0);
}

/* faults.md c: causes whose repair is "none". */
static void test_causes_without_repair(void **state)
{
	static const enum cause causes[] = { CAUSE_WRONG_NODE, CAUSE_LOOKUP_KEY_MISMATCH, CAUSE_SCAN_OR_SPOOF, CAUSE_CLONED_PEER,
					     CAUSE_EARLY_USE,  CAUSE_NAT_PORT_COLLISION,  CAUSE_ENCAP_MISMATCH };

	(void)state;
	for (size_t c = 0; c < sizeof(causes) / sizeof(causes[0]); c++) {
		struct incident i = test_incident();
		struct plan plan;

		i.cause = causes[c];
		plan_build(&i, &plan);
		assert_int_equal(plan.count, 0);
	}
}

static void test_missing_figures_clear_nothing(void **state)
{
	static const char *const named[] = { "the source address", "the destination address", "the SPI" };

	(void)state;
	for (int missing = 0; missing < 3; missing++) {
		struct incident i = test_incident();
		struct plan plan;

		if (missing == 0)
			i.src = (struct spimend_address){ 0 };
		else if (missing == 1)
			i.dst = (struct spimend_address){ 0 };
		else
			i.has_spi = false;
		plan_build(&i, &plan);
		assert_string_equal(plan.steps[0].command, "");
		assert_non_null(strstr(plan.steps[0].why, named[missing]));
		assert_false(has_command_like(&plan, "clear"));
		assert_false(has_command_like(&plan, "?"));
		assert_int_equal(plan.count, missing == 2 ? 2 : 1);
	}
	/* SD-WAN commands name nobody: they do not need the figures */
	{
		struct incident i = test_incident();
		struct plan plan;

		i.tunnel_kind = TUNNEL_SDWAN;
		i.src = i.dst = (struct spimend_address){ 0 };
		i.has_spi = false;
		plan_build(&i, &plan);
		assert_int_equal(plan.count, 5);
		assert_false(plan.steps[1].has_on);
	}
}

static void test_small_spis_are_not_cleared(void **state)
{
	struct incident i = test_incident();
	struct plan plan;

	(void)state;
	i.spi.value = 0x100;
	i.flags = FLAG_SPI_SMALL;
	plan_build(&i, &plan);
	assert_int_equal(plan.count, 1);
	assert_string_equal(plan.steps[0].command, "show crypto ipsec sa peer 10.1.1.1");
	assert_non_null(strstr(plan.steps[0].why, "OSPFv3"));
	assert_non_null(strstr(plan.steps[0].why, "show crypto gdoi"));

	i.interface = TEXT("Tunnel100");
	plan_build(&i, &plan);
	assert_int_equal(plan.count, 5);
	assert_false(has_command_like(&plan, "clear crypto"));
	assert_non_null(find(&plan, "request platform software sdwan security ipsec-rekey"));

	i.tunnel_kind = TUNNEL_SDWAN; /* small SPIs are normal there */
	plan_build(&i, &plan);
	assert_int_equal(plan.count, 5);
}

static void test_many_peers_are_paced(void **state)
{
	struct incident i = test_incident();
	struct plan plan;

	(void)state;
	plan_build(&i, &plan);
	assert_false(says(&plan, "one peer first"));
	i.flags = FLAG_MANY_PEERS;
	plan_build(&i, &plan);
	assert_non_null(strstr(plan.steps[0].why, "one peer first"));
	i.cause = CAUSE_HA_FAILOVER;
	plan_build(&i, &plan);
	assert_non_null(strstr(plan.steps[0].why, "restore the SA sync"));
}

static void test_no_ike_sa_points_to_b11(void **state)
{
	static const enum fact_kind kinds[] = { FACT_NO_DELETE, FACT_NO_IKE_SA };

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct incident i = test_incident();
		struct plan plan;

		plan_build(&i, &plan);
		assert_false(says(&plan, "(B10)"));
		i.saw[kinds[k]] = true;
		plan_build(&i, &plan);
		assert_non_null(strstr(find(&plan, "crypto isakmp invalid-spi-recovery")->why, "the DELETE that IOS sends without this "
				"line (B10) could not go out"));
	}
}

static void test_nat_names_the_neighbours(void **state)
{
	struct incident i = test_incident();
	struct plan plan;

	(void)state;
	i.encap_udp = true;
	plan_build(&i, &plan);
	assert_non_null(strstr(plan.steps[0].blast_radius, "behind the same NAT address"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matrix_of_b12),
		cmocka_unit_test(test_recovery_is_proposed_where_it_works),
		cmocka_unit_test(test_interface_names),
		cmocka_unit_test(test_first_step_is_the_peer_at_the_sender),
		cmocka_unit_test(test_exact_sa_when_the_table_confirms_it),
		cmocka_unit_test(test_sender_ours),
		cmocka_unit_test(test_sender_foreign),
		cmocka_unit_test(test_receiver_foreign),
		cmocka_unit_test(test_dynamic_kinds),
		cmocka_unit_test(test_nothing_where_nothing_is_needed),
		cmocka_unit_test(test_healed_needs_nothing),
		cmocka_unit_test(test_causes_without_repair),
		cmocka_unit_test(test_missing_figures_clear_nothing),
		cmocka_unit_test(test_small_spis_are_not_cleared),
		cmocka_unit_test(test_many_peers_are_paced),
		cmocka_unit_test(test_no_ike_sa_points_to_b11),
		cmocka_unit_test(test_nat_names_the_neighbours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
