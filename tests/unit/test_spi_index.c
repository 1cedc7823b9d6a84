/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "judge/spi_index.h"

static const struct hash_key secret = { 0x1234567890abcdef, 0xfedcba0987654321 };

static uint64_t next(uint64_t *state)
{
	uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static struct sa_key key_of(const char *dst, uint8_t protocol, uint32_t spi)
{
	struct spimend_address address;

	assert_int_equal(spimend_address_parse(dst, strlen(dst), &address), 0);
	return sa_key_of(&address, protocol, spi);
}

static void tells_keys_apart_by_every_part(void **state)
{
	struct sa_key keys[] = {
		key_of("192.0.2.1", 50, 0xc0000001), key_of("192.0.2.1", 51, 0xc0000001), key_of("192.0.2.1", 50, 0xc0000002),
		key_of("192.0.2.2", 50, 0xc0000001), key_of("2001:db8::1", 50, 0xc0000001), key_of("2001:db8::2", 50, 0xc0000001),
		key_of("2001:db8::1", 51, 0xffffffff), key_of("0.0.0.0", 50, 0), key_of("::", 50, 0),
	};
	struct spi_index *index;
	uint32_t value;

	(void)state;
	assert_int_equal(spi_index_new(100, 100, &secret, &index), 0);
	for (uint32_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		assert_false(spi_index_find(index, &keys[i], &value));
		assert_int_equal(spi_index_put(index, &keys[i], i), 0);
	}
	for (uint32_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		assert_true(spi_index_find(index, &keys[i], &value));
		assert_int_equal(value, i);
		assert_int_equal(spi_index_put(index, &keys[i], UINT32_MAX - i), 0);
	}
	assert_int_equal(spi_index_figures(index).count, sizeof(keys) / sizeof(*keys));
	assert_int_equal(spi_index_figures(index).destinations, 6);
	for (uint32_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		assert_true(spi_index_find(index, &keys[i], &value));
		assert_int_equal(value, UINT32_MAX - i);
		assert_true(spi_index_remove(index, &keys[i]));
		assert_false(spi_index_remove(index, &keys[i]));
		assert_false(spi_index_find(index, &keys[i], &value));
	}
	assert_int_equal(spi_index_figures(index).count, 0);
	assert_int_equal(spi_index_figures(index).destinations, 0);
	spi_index_free(index);
	spi_index_free(NULL);
}

static void refuses_beyond_its_limits_and_counts(void **state)
{
	struct spi_index *index;
	struct sa_key key;
	uint32_t value;

	(void)state;
	assert_int_equal(spi_index_new(3, 2, &secret, &index), 0);
	assert_int_equal(spi_index_reserve(index, 4), -ENOSPC);
	key = key_of("192.0.2.1", 50, 1);
	assert_int_equal(spi_index_put(index, &key, 1), 0);
	key = key_of("192.0.2.2", 50, 1);
	assert_int_equal(spi_index_put(index, &key, 2), 0);
	key = key_of("192.0.2.3", 50, 1);
	assert_int_equal(spi_index_put(index, &key, 3), -ENOSPC); /* a third own address */
	key = key_of("192.0.2.2", 50, 2);
	assert_int_equal(spi_index_put(index, &key, 3), 0);
	key = key_of("192.0.2.2", 50, 3);
	assert_int_equal(spi_index_put(index, &key, 4), -ENOSPC); /* a fourth SA */
	assert_int_equal(spi_index_figures(index).refused, 2);
	key = key_of("192.0.2.1", 50, 1);
	assert_int_equal(spi_index_put(index, &key, 9), 0); /* replacing takes no room */
	assert_true(spi_index_remove(index, &key));
	key = key_of("192.0.2.3", 50, 1);
	assert_int_equal(spi_index_put(index, &key, 3), 0); /* 192.0.2.1 has made room */
	assert_true(spi_index_find(index, &key, &value));
	assert_int_equal(spi_index_figures(index).destinations, 2);
	spi_index_free(index);
}

/* Against a plain array; few buckets, so that they overflow, at up to the limit, long enough for any decay to show. */
static void stays_right_and_quick_while_sas_come_and_go(void **state)
{
	enum { KEYS = 3000, LIMIT = 2000 };
	static const char *const own[] = { "192.0.2.1", "198.51.100.1", "2001:db8::1" };
	struct sa_key *keys = memory_new(KEYS, sizeof(*keys));
	uint32_t *values = memory_new(KEYS, sizeof(*values)), count = 0, value, *found = memory_new(KEYS, sizeof(*found));
	bool *present = memory_new(KEYS, sizeof(*present)), *seen = memory_new(KEYS, sizeof(*seen));
	struct spi_index_figures figures;
	struct spi_index *index;
	uint64_t random = 42;

	(void)state;
	assert_int_equal(spi_index_new(LIMIT, 8, &secret, &index), 0);
	for (uint32_t i = 0; i < KEYS; i++)
		keys[i] = key_of(own[i % 3], i % 7 ? 50 : 51, 0xc0000000 + i);
	for (int step = 0; step < 400000; step++) {
		uint32_t i = (uint32_t)(next(&random) % KEYS);

		assert_int_equal(spi_index_find(index, &keys[i], &value), present[i]);
		assert_true(!present[i] || value == values[i]);
		if (present[i]) {
			assert_true(spi_index_remove(index, &keys[i]));
			present[i] = false;
			count--;
		} else if (count < LIMIT) {
			values[i] = (uint32_t)step;
			assert_int_equal(spi_index_put(index, &keys[i], values[i]), 0);
			present[i] = true;
			count++;
		} else {
			assert_int_equal(spi_index_put(index, &keys[i], 0), -ENOSPC);
		}
	}
	assert_int_equal(spi_index_find_many(index, keys, KEYS, found, seen), count);
	for (uint32_t i = 0; i < KEYS; i++) {
		assert_int_equal(seen[i], present[i]);
		assert_true(!seen[i] || found[i] == values[i]);
	}
	figures = spi_index_figures(index);
	assert_int_equal(figures.count, count);
	assert_true(figures.longest < 20);
	for (uint32_t i = 0; i < KEYS; i++)
		assert_int_equal(spi_index_remove(index, &keys[i]), present[i]);
	figures = spi_index_figures(index);
	assert_int_equal(figures.overflowed, 0); /* nothing of the dead is left in the way */
	assert_int_equal(figures.longest, 1);
	spi_index_free(index);
	memory_free(keys);
	memory_free(values);
	memory_free(found);
	memory_free(present);
	memory_free(seen);
}

static void takes_little_memory(void **state)
{
	struct spi_index *index;
	uint64_t random = 7, before = 0;

	(void)state;
	assert_int_equal(spi_index_new(300000, 16, &secret, &index), 0);
	for (uint32_t i = 1; i <= 300000; i++) {
		struct sa_key key = key_of("192.0.2.1", 50, (uint32_t)next(&random));

		assert_int_equal(spi_index_put(index, &key, i), 0);
		if (i % 1000 == 0) {
			uint64_t bytes = spi_index_figures(index).bytes;

			/* when it has grown, both were there for a moment */
			assert_true(i < 10000 || (bytes != before ? before + bytes : bytes) <= (uint64_t)i * 40);
			assert_true(i < 10000 || bytes <= (uint64_t)i * 24);
			before = bytes;
		}
	}
	assert_true(spi_index_figures(index).count > 299980); /* but for SPIs drawn twice */
	assert_true(spi_index_figures(index).longest < 64);
	spi_index_free(index);
}

static void depends_on_its_key(void **state)
{
	static const struct hash_key other = { 1, 2 };
	struct spi_index *a, *b;
	struct spi_index_figures of_a, of_b;
	uint64_t random = 3;

	(void)state;
	assert_int_equal(spi_index_new(10000, 1, &secret, &a), 0);
	assert_int_equal(spi_index_new(10000, 1, &other, &b), 0);
	for (uint32_t i = 0; i < 10000; i++) {
		struct sa_key key = key_of("192.0.2.1", 50, (uint32_t)next(&random));

		assert_int_equal(spi_index_put(a, &key, i), 0);
		assert_int_equal(spi_index_put(b, &key, i), 0);
	}
	of_a = spi_index_figures(a);
	of_b = spi_index_figures(b);
	assert_int_equal(of_a.buckets, of_b.buckets);
	assert_true(of_a.overflowed != of_b.overflowed || of_a.longest != of_b.longest);
	spi_index_free(a);
	spi_index_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_keys_apart_by_every_part),
		cmocka_unit_test(refuses_beyond_its_limits_and_counts),
		cmocka_unit_test(stays_right_and_quick_while_sas_come_and_go),
		cmocka_unit_test(takes_little_memory),
		cmocka_unit_test(depends_on_its_key),
	};

	return cmocka_run_group_tests_name("spi_index", tests, NULL, NULL);
}
