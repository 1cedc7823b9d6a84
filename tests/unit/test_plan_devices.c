/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "plan_incident.h"

static void test_ezvpn_acts_at_the_client(void **state)
{
	struct incident i = test_incident();
	struct plan plan;

	(void)state;
	i.tunnel_kind = TUNNEL_EZVPN_CLIENT;
	plan_build(&i, &plan);
	assert_int_equal(plan.count, 2);
	for (size_t s = 0; s < plan.count; s++)
		assert_int_equal(plan.steps[s].role, PLAN_CLIENT);
	assert_non_null(find(&plan, "clear crypto ipsec client ezvpn"));
	assert_true(plan.steps[1].needs_approval);
}

static void test_ikeless_reports(void **state)
{
	struct incident i = test_incident();
	struct plan plan;

	(void)state;
	i.tunnel_kind = TUNNEL_IKELESS;
	plan_build(&i, &plan);
	assert_int_equal(plan.count, 1);
	assert_int_equal(plan.steps[0].role, PLAN_CONTROLLER);
	assert_string_equal(plan.steps[0].command, "");
	assert_false(says(&plan, "clear"));
}

static const char *const sdwan_ladder[] = {
	"request platform software sdwan security ipsec-rekey",
	"request platform software sdwan port_hop",
	"clear sdwan omp all",
	"clear sdwan control connections",
};

static void test_sdwan_ladder(void **state)
{
	struct incident i = test_incident();
	struct plan plan;

	(void)state;
	i.tunnel_kind = TUNNEL_SDWAN;
	i.interface = TEXT("Tunnel10001");
	plan_build(&i, &plan);
	assert_int_equal(plan.count, 5);
	assert_true(plan.steps[0].disturbs_nothing);
	assert_string_equal(plan.steps[0].command, "");
	assert_non_null(strstr(plan.steps[0].why, "BFD detection time"));
	for (size_t s = 0; s < 4; s++) {
		const struct plan_step *step = &plan.steps[s + 1];

		assert_string_equal(step->command, sdwan_ladder[s]);
		assert_on(step, "10.10.1.2");
		assert_int_equal(step->role, PLAN_RECEIVER);
		assert_true(step->needs_approval);
		assert_false(step->disturbs_nothing);
	}
	assert_non_null(strstr(plan.steps[1].blast_radius, "all SD-WAN tunnels of the device"));
	assert_non_null(strstr(plan.steps[1].blast_radius, "IKE tunnels are not touched"));
	assert_non_null(strstr(plan.steps[2].why, "color COLOUR"));
	assert_non_null(strstr(plan.steps[2].blast_radius, "one colour"));
	assert_non_null(strstr(plan.steps[3].blast_radius, "all BFD sessions of the device"));
	assert_non_null(strstr(plan.steps[4].blast_radius, "all control connections and all BFD sessions"));
	assert_false(says(&plan, "clear crypto"));
	assert_false(has_role(&plan, PLAN_SENDER));
}

/* B17, T23: ipsec-rekey does nothing any more. */
static void test_sdwan_cleared_starts_at_port_hop(void **state)
{
	struct incident i = test_incident();
	struct plan plan;

	(void)state;
	i.tunnel_kind = TUNNEL_SDWAN;
	i.cause = CAUSE_CONTROLLER_SA_CLEARED;
	for (int by_rule = 0; by_rule < 2; by_rule++) {
		plan_build(&i, &plan);
		assert_int_equal(plan.count, 3);
		for (size_t s = 0; s < 3; s++)
			assert_string_equal(plan.steps[s].command, sdwan_ladder[s + 1]);
		assert_non_null(strstr(plan.steps[0].why, "ipsec-rekey does nothing"));
		assert_false(says(&plan, "clear crypto"));
		i.cause = CAUSE_UNKNOWN;
		i.rule = RULE_SDWAN_CLEARED;
	}
}

static void test_open_tunnel_gives_both_plans(void **state)
{
	struct incident i = test_incident();
	struct plan plan;

	(void)state;
	i.interface = TEXT("Tunnel1000");
	i.confirmed_at_sender = true; /* the longest ladder there is */
	plan_build(&i, &plan);
	assert_int_equal(plan.count, PLAN_STEPS_MAX);
	assert_string_equal(plan.steps[0].command, "show crypto ipsec sa peer 10.1.1.1 | include map tag|local ident");
	assert_on(&plan.steps[0], "10.10.1.2");
	assert_true(plan.steps[0].disturbs_nothing);
	assert_true(position(&plan, "clear crypto sa peer 10.10.1.2") < position(&plan, sdwan_ladder[0]));
	for (size_t s = 1; s < plan.count; s++) {
		bool sdwan = strstr(plan.steps[s].command, "sdwan") != NULL;
		const char *begin = sdwan ? "If `-vesen-head-` is in the map tag (SD-WAN)" : "If it is an IKE tunnel";

		assert_int_equal(strncmp(plan.steps[s].why, begin, strlen(begin)), 0);
	}
	for (size_t s = 0; s < 4; s++)
		assert_true(find(&plan, sdwan_ladder[s])->needs_approval);

	/* the longest address still fits the command */
	i.src = test_address("2001:db8:1111:2222:3333:4444:5555:6666");
	plan_build(&i, &plan);
	assert_string_equal(plan.steps[0].command,
			    "show crypto ipsec sa peer 2001:db8:1111:2222:3333:4444:5555:6666 | include map tag|local ident");

	/* a kind that is known closes the question */
	i.tunnel_kind = TUNNEL_GRE_P2P;
	plan_build(&i, &plan);
	assert_false(has_command_like(&plan, "sdwan"));
}

static void test_strongswan_gateway(void **state)
{
	static const enum fact_dialect dialects[] = { DIALECT_LINUX_AUDIT, DIALECT_STRONGSWAN };

	(void)state;
	for (size_t d = 0; d < 2; d++) {
		struct incident i = test_incident();
		struct plan plan;

		i.dialect = dialects[d];
		plan_build(&i, &plan);
		assert_string_equal(plan.steps[0].command, "swanctl --list-sas");
		assert_true(plan.steps[0].disturbs_nothing);
		assert_on(&plan.steps[0], "10.10.1.2");
		assert_string_equal(plan.steps[1].command, "swanctl --rekey --child-id N");
		assert_string_equal(plan.steps[2].command, "swanctl --initiate --child NAME");
		assert_non_null(strstr(plan.steps[2].blast_radius, "keeps the stale SA until it expires"));
		assert_true(find(&plan, "swanctl --terminate --ike-id N")->needs_approval);
		assert_int_equal(strncmp(find(&plan, "clear crypto sa peer 10.10.1.2")->why, "On a Cisco sender", 17), 0);
		assert_false(has_command_like(&plan, "invalid-spi-recovery"));

		i.tunnel_kind = TUNNEL_DYNAMIC_CRYPTO_MAP;
		plan_build(&i, &plan);
		assert_false(has_command_like(&plan, "--initiate"));

		i.src_owner = OWNERSHIP_FOREIGN;
		plan_build(&i, &plan);
		assert_false(has_role(&plan, PLAN_SENDER));

		i.dst_owner = OWNERSHIP_FOREIGN;
		plan_build(&i, &plan);
		assert_false(has_command_like(&plan, "swanctl"));
		assert_int_equal(plan.count, 1);
	}
}

static void test_other_observers(void **state)
{
	struct incident i = test_incident();
	struct plan plan;

	(void)state;
	i.dialect = DIALECT_LIBRESWAN;
	plan_build(&i, &plan);
	assert_string_equal(plan.steps[0].command, "ipsec showstates");
	assert_non_null(find(&plan, "ipsec whack --rekey-child --name CONN"));
	assert_non_null(find(&plan, "ipsec whack --initiate --name CONN"));

	i.dialect = DIALECT_LINUX_AUDIT; /* the kernel's line, and pluto's log beside it */
	i.daemon = DIALECT_LIBRESWAN;
	plan_build(&i, &plan);
	assert_string_equal(plan.steps[0].command, "ipsec showstates");
	assert_false(says(&plan, "swanctl"));
	i.daemon = DIALECT_UNKNOWN;

	i.dialect = DIALECT_ASA;
	plan_build(&i, &plan);
	assert_string_equal(find(&plan, "clear crypto ipsec sa peer 10.1.1.1")->command, plan.steps[1].command);
	assert_on(&plan.steps[1], "10.10.1.2");
	assert_false(has_command_like(&plan, "invalid-spi-recovery"));

	i.dialect = DIALECT_FORTIGATE;
	plan_build(&i, &plan);
	assert_string_equal(plan.steps[0].command, "diagnose vpn tunnel list");
	assert_non_null(strstr(find(&plan, "diagnose vpn tunnel flush NAME")->why, "Never without a name"));

	i.dialect = DIALECT_CHECKPOINT; /* no command that we are sure of */
	plan_build(&i, &plan);
	for (size_t s = 0; s < plan.count; s++)
		assert_true(plan.steps[s].role == PLAN_SENDER || plan.steps[s].command[0] == '\0');
	assert_true(has_role(&plan, PLAN_RECEIVER));
}

static void test_other_faults_stay_small(void **state)
{
	struct incident i = test_incident();
	struct plan plan;

	(void)state;
	i.verdict = VERDICT_OTHER_FAULT;
	i.rule = RULE_SA_FOUND;
	i.saw[FACT_REPLAY] = true;
	plan_build(&i, &plan);
	assert_int_equal(plan.count, 0);

	i.saw[FACT_INTEGRITY] = true; /* its own kind leads, whatever stands beside it */
	i.kind = FACT_INTEGRITY;
	plan_build(&i, &plan);
	assert_true(says(&plan, "possible, not proved"));
	i.kind = FACT_REPLAY;
	plan_build(&i, &plan);
	assert_int_equal(plan.count, 0);

	i.tunnel_kind = TUNNEL_SDWAN; /* C15: at the remote end */
	plan_build(&i, &plan);
	assert_int_equal(plan.count, 1);
	assert_string_equal(plan.steps[0].command, sdwan_ladder[0]);
	assert_on(&plan.steps[0], "10.1.1.1");
	assert_true(plan.steps[0].needs_approval);

	i = test_incident();
	i.verdict = VERDICT_OTHER_FAULT;
	i.rule = RULE_SA_FOUND;
	i.saw[FACT_INTEGRITY] = true;
	plan_build(&i, &plan);
	assert_int_equal(plan.count, 1);
	assert_string_equal(plan.steps[0].command, "");
	assert_true(plan.steps[0].needs_approval);
	assert_non_null(strstr(plan.steps[0].why, "possible, not proved"));

	i.saw[FACT_INTEGRITY] = false;
	i.saw[FACT_NOT_IPSEC] = true;
	plan_build(&i, &plan);
	assert_int_equal(plan.count, 0);

	i.saw[FACT_NOT_IPSEC] = false;
	i.cause = CAUSE_SPI_0XFF;
	i.spi.value = 0xff001234;
	plan_build(&i, &plan);
	assert_string_equal(plan.steps[0].command, "show crypto ipsec sa peer 10.1.1.1");
	assert_string_equal(plan.steps[1].command, "clear crypto sa peer 10.10.1.2");
	assert_non_null(strstr(plan.steps[1].why, "new random SPI"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ezvpn_acts_at_the_client),
		cmocka_unit_test(test_ikeless_reports),
		cmocka_unit_test(test_sdwan_ladder),
		cmocka_unit_test(test_sdwan_cleared_starts_at_port_hop),
		cmocka_unit_test(test_open_tunnel_gives_both_plans),
		cmocka_unit_test(test_strongswan_gateway),
		cmocka_unit_test(test_other_observers),
		cmocka_unit_test(test_other_faults_stay_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
