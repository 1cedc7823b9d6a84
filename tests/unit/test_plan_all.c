/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "plan/names.h"
#include "plan_incident.h"

static void test_undecided_says_if_it_comes_again(void **state)
{
	static const char begin[] = "If it comes again: ";
	static const char *const interfaces[] = { "", "Tunnel1000", "Tunnel10001" };

	(void)state;
	for (int kind = 0; kind < TUNNEL_KINDS; kind++) {
		for (int dialect = 0; dialect < DIALECT_COUNT; dialect++) {
			for (size_t n = 0; n < 3; n++) {
				struct incident i = test_incident();
				struct plan undecided, desync;

				i.tunnel_kind = (enum tunnel_kind)kind;
				i.dialect = (enum fact_dialect)dialect;
				i.interface = text_of(interfaces[n]);
				plan_build(&i, &desync);
				i.verdict = VERDICT_UNDECIDED;
				i.rule = RULE_LOG_ONCE_SHORT;
				plan_build(&i, &undecided);
				assert_true(undecided.count > 0);
				assert_int_equal(undecided.count, desync.count);
				for (size_t s = 0; s < undecided.count; s++) {
					assert_string_equal(undecided.steps[s].command, desync.steps[s].command);
					assert_int_equal(strncmp(undecided.steps[s].why, begin, sizeof(begin) - 1), 0);
					assert_int_not_equal(strncmp(desync.steps[s].why, begin, sizeof(begin) - 1), 0);
				}
			}
		}
	}
}

/* The last guard: a command that names what is not known, or does not fit, is no command. */
static void test_commands_refuse_unknown_figures(void **state)
{
	static const char *const templates[] = { "peer $S", "peer $R", "spi $X", "spi $D", "proto $P" };
	struct incident i = test_incident();
	char to[PLAN_COMMAND_MAX], small[8];

	(void)state;
	for (size_t t = 0; t < 5; t++) {
		struct names n = names_of(&i);

		assert_true(names_command(&n, templates[t], to, sizeof(to)));
		n = names_of(&(struct incident){ 0 });
		assert_false(names_command(&n, templates[t], to, sizeof(to)));
		assert_string_equal(to, "");
	}
	{
		struct names n = names_of(&i);

		assert_false(names_command(&n, "peer $S", small, sizeof(small)));
		assert_string_equal(small, "");
		assert_true(names_command(&n, "$S $R $P $X $D", to, sizeof(to)));
		assert_string_equal(to, "10.1.1.1 10.10.1.2 esp 0x1db73bbb 498547643");
	}
}

static const char *const known_commands[] = {
	"clear crypto sa entry 10.10.1.2 esp 0x", "clear crypto sa peer 10.10.1.2", "clear crypto sa peer 10.1.1.1",
	"clear crypto ipsec sa peer 10.1.1.1", "clear crypto session remote 10.10.1.2", "clear crypto session remote 10.1.1.1",
	"crypto isakmp invalid-spi-recovery", "show crypto ipsec sa peer 10.1.1.1",
	"show crypto ipsec sa peer 10.1.1.1 | include map tag|local ident", "show crypto ipsec sa peer 10.10.1.2",
	"show crypto ipsec sa peer 10.10.1.2 | include map tag|local ident", "show crypto ipsec client ezvpn", "clear crypto ipsec "
			"client ezvpn",
	"request platform software sdwan security ipsec-rekey", "request platform software sdwan port_hop", "clear sdwan omp all",
	"clear sdwan control connections", "swanctl --list-sas", "swanctl --rekey --child-id N", "swanctl --initiate --child NAME",
	"swanctl --terminate --ike-id N", "ipsec showstates", "ipsec whack --rekey-child --name CONN", "ipsec whack --initiate "
			"--name CONN",
	"diagnose vpn tunnel list", "diagnose vpn tunnel flush NAME",
};

static bool is_known_command(const char *command)
{
	for (size_t k = 0; k < sizeof(known_commands) / sizeof(known_commands[0]); k++) {
		if (strcmp(command, known_commands[k]) == 0)
			return true;
	}
	return strncmp(command, known_commands[0], strlen(known_commands[0])) == 0 &&
	       strlen(command) == strlen(known_commands[0]) + 8 &&
	       strspn(command + strlen(known_commands[0]), "0123456789abcdef") == 8;
}

static void assert_sane_step(const struct plan_step *step, const struct incident *i)
{
	const char *texts[] = { step->command, step->blast_radius, step->why };

	if (step->command[0] && !is_known_command(step->command))
		fail_msg("a command nobody listed: %s", step->command);
	if (i->tunnel_kind == TUNNEL_SDWAN || i->tunnel_kind == TUNNEL_IKELESS) {
		for (size_t t = 0; t < 3; t++)
			assert_null(strstr(texts[t], "clear crypto"));
	}
	for (size_t t = 0; t < 3; t++) {
		assert_null(strstr(texts[t], "(null)"));
		assert_null(strstr(texts[t], "reload"));
		assert_null(strchr(texts[t], '$'));
		assert_null(strstr(texts[t], "peer the ")); /* words are no address */
		for (const char *c = texts[t]; *c; c++)
			assert_true(*c >= 0x20 && *c < 0x7f);
	}
	assert_true(strlen(step->why) > 20 && strlen(step->why) < PLAN_TEXT_MAX - 1);
	assert_int_equal(step->why[strlen(step->why) - 1], '.');
	assert_true(step->when_len <= strlen(step->why) && plan_step_when(step).len > 10);
	assert_true(plan_step_when(step).len < 420);
	assert_true(strlen(step->blast_radius) > 3 && strlen(step->blast_radius) < PLAN_TEXT_MAX - 1);
	assert_false(step->disturbs_nothing && step->needs_approval);
	/* whoever only looks must not change anything */
	if (step->disturbs_nothing && step->command[0])
		assert_true(strstr(step->command, "show") || strstr(step->command, "list"));
	if (step->has_on)
		assert_true(spimend_address_known(&step->on));
	/* nobody is sent to type where he cannot */
	if (i->src_owner == OWNERSHIP_FOREIGN)
		assert_false(step->role == PLAN_SENDER || (step->has_on && spimend_address_equal(&step->on, &i->src)));
	if (i->dst_owner == OWNERSHIP_FOREIGN)
		assert_false(step->has_on && spimend_address_equal(&step->on, &i->dst));
}

static size_t walk_kind(struct incident *i)
{
	size_t seen = 0;

	for (int dialect = 0; dialect < DIALECT_COUNT; dialect++) {
		for (int owners = 0; owners < 9; owners++) {
			for (int known = 0; known < (dialect == DIALECT_IOS && owners == 0 ? 8 : 1); known++) {
				struct plan plan;

				i->dialect = (enum fact_dialect)dialect;
				i->src_owner = (enum ownership)(owners / 3);
				i->dst_owner = (enum ownership)(owners % 3);
				i->src.family = known & 1 ? 0 : 4;
				i->dst.family = known & 2 ? 0 : 4;
				i->has_spi = !(known & 4);
				plan_build(i, &plan);
				assert_true(plan.count <= PLAN_STEPS_MAX);
				for (size_t s = 0; s < plan.count; s++)
					assert_sane_step(&plan.steps[s], i);
				seen += plan.count;
			}
		}
	}
	return seen;
}

/* Hostile names in the line never reach a step; every command is one of a closed list. */
static void test_every_combination(void **state)
{
	static const char *const interfaces[] = { "", "Tunnel10; reload", "Tunnel10", "Tunnel10001" };
	static const uint32_t flags[] = { 0, FLAG_SPI_SMALL, FLAG_MANY_PEERS | FLAG_NAT_T };
	size_t seen = 0;

	(void)state;
	for (int kind = 0; kind < TUNNEL_KINDS; kind++) {
		for (int cause = 0; cause < CAUSE_COUNT; cause++) {
			for (int more = 0; more < 60; more++) {
				struct incident i = test_incident();

				i.observer = TEXT("; reload");
				i.tunnel_kind = (enum tunnel_kind)kind;
				i.cause = (enum cause)cause;
				i.interface = text_of(interfaces[more % 4]);
				i.flags = flags[more / 4 % 3];
				i.verdict = (enum verdict)(more / 12);
				i.rule = (enum rule)((more * 7 + cause) % RULE_COUNT);
				i.confirmed_at_sender = more % 2;
				i.saw[FACT_NO_DELETE] = more % 5 == 0;
				i.saw[FACT_INTEGRITY] = more % 3 == 0;
				i.saw[FACT_REPLAY] = more % 7 == 0;
				seen += walk_kind(&i);
			}
		}
	}
	assert_true(seen > 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_undecided_says_if_it_comes_again),
		cmocka_unit_test(test_commands_refuse_unknown_figures),
		cmocka_unit_test(test_every_combination),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
