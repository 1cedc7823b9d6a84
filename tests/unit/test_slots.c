/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/slots.h"

static bool is_there(const struct slots *slots, uint32_t hash, uint32_t number)
{
	uint32_t cursor = hash, found;

	while ((found = slots_look(slots, hash, &cursor))) {
		if (found == number)
			return true;
	}
	return false;
}

static void tells_all_numbers_of_a_hash(void **state)
{
	struct slots slots;
	uint32_t cursor = 7;

	(void)state;
	assert_int_equal(slots_init(&slots, 4), 0);
	assert_int_equal(slots_look(&slots, 7, &cursor), 0);
	slots_add(&slots, 7, 1);
	slots_add(&slots, 7, 2);
	slots_add(&slots, 7 + 16, 3); /* the same place, another hash */
	cursor = 7;
	assert_int_equal(slots_look(&slots, 7, &cursor), 1);
	assert_int_equal(slots_look(&slots, 7, &cursor), 2);
	assert_int_equal(slots_look(&slots, 7, &cursor), 0);
	slots_replace(&slots, 7, 1, 9);
	assert_true(is_there(&slots, 7, 9));
	assert_true(slots_remove(&slots, 7, 9));
	assert_false(slots_remove(&slots, 7, 9));
	assert_true(is_there(&slots, 7, 2));
	assert_true(is_there(&slots, 23, 3));
	slots_done(&slots);
	slots_done(&slots);
}

/* Hashes of few values, so that runs are long and go round the end of the table. */
static void stays_right_while_things_come_and_go(void **state)
{
	enum { LIMIT = 60 };
	struct slots slots;
	uint32_t hash[LIMIT + 1];
	bool present[LIMIT + 1] = { false };
	uint64_t random = 1;

	(void)state;
	assert_int_equal(slots_init(&slots, LIMIT), 0);
	for (int step = 0; step < 20000; step++) {
		uint32_t number;

		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		number = (uint32_t)(random >> 33) % LIMIT + 1;
		if (present[number]) {
			assert_true(slots_remove(&slots, hash[number], number));
		} else {
			hash[number] = (uint32_t)(random >> 50) % 5 + 120;
			slots_add(&slots, hash[number], number);
		}
		present[number] = !present[number];
		for (uint32_t i = 1; i <= LIMIT; i++)
			assert_true(!present[i] || is_there(&slots, hash[i], i));
	}
	for (uint32_t i = 1; i <= LIMIT; i++)
		assert_int_equal(slots_remove(&slots, hash[i], i), present[i]);
	for (uint32_t i = 0; i <= slots.mask; i++)
		assert_int_equal(slots.at[i].number, 0);
	slots_done(&slots);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_all_numbers_of_a_hash),
		cmocka_unit_test(stays_right_while_things_come_and_go),
	};

	return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
