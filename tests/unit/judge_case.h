/* SPDX-License-Identifier: MIT */
/* A judge under test and claims to feed it. Include after cmocka.h. Times are seconds after a day's midnight. */
#ifndef TESTS_JUDGE_CASE_H
#define TESTS_JUDGE_CASE_H

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "judge/judge.h"

#define CASE_DAY (INT64_C(1762041600) * SECOND_NS) /* 2025-11-02 00:00 UTC */
#define SECONDS(s) ((int64_t)((s) * 1000.0 + 0.5) * (SECOND_NS / 1000))

static inline struct spimend_address address_of(const char *text)
{
	struct spimend_address address = { 0 };

	if (text)
		assert_int_equal(spimend_address_parse(text, strlen(text), &address), 0);
	return address;
}

static inline struct spimend_address address_v4(uint32_t value)
{
	struct spimend_address a = { .family = 4 };

	for (int i = 0; i < 4; i++)
		a.bytes[i] = (uint8_t)(value >> (24 - 8 * i));
	return a;
}

static inline struct judge_settings settings_default(void)
{
	struct judge_settings s;

	judge_settings_default(&s);
	return s;
}

static inline struct judge *judge_with(const struct judge_settings *s, uint64_t key)
{
	struct hash_key k = { key, ~key };
	struct judge *j = NULL;

	assert_int_equal(judge_new(s, &k, &j), 0);
	return j;
}

static inline struct judge *judge_plain(void)
{
	struct judge_settings s = settings_default();

	return judge_with(&s, 1);
}

static inline struct fact fact_stray(const char *src, const char *dst, uint32_t spi)
{
	struct fact f = fact_of(FACT_STRAY, DIALECT_IOS);

	f.src = address_of(src);
	f.dst = address_of(dst);
	f.protocol = SPIMEND_PROTOCOL_ESP;
	f.spi.value = spi;
	f.has = FACT_HAS_SPI;
	fact_flag_spi(&f);
	return f;
}

/* A claim of `host` at `at` seconds; a negative time is none. */
static inline struct judge_claim claim_of(const struct fact *f, const char *host, double at)
{
	static uint64_t line;
	struct judge_claim c = { .fact = f, .host = text_of(host), .source = 1, .line = ++line, .text = TEXT("a message") };

	c.has_at = c.has_heard_at = at >= 0;
	c.at.ns = c.heard_at.ns = at >= 0 ? CASE_DAY + SECONDS(at) : 0;
	return c;
}

static inline void say(struct judge *j, const struct fact *f, const char *host, double at)
{
	struct judge_claim c = claim_of(f, host, at);

	judge_claim(j, &c);
}

static inline void say_stray(struct judge *j, const char *src, const char *dst, uint32_t spi, double at)
{
	struct fact f = fact_stray(src, dst, spi);

	say(j, &f, "hub", at);
}

/* The hub's log ends so late. */
static inline void hear(struct judge *j, double at)
{
	judge_hear(j, TEXT("hub"), (struct instant){ CASE_DAY + SECONDS(at) });
}

/* Settles, and gives the only incident. */
static inline struct incident only(struct judge *j)
{
	struct incident i;

	assert_int_equal(judge_settle(j), 0);
	assert_int_equal(judge_incidents(j), 1);
	judge_incident(j, 0, &i);
	return i;
}

/* The incident of that SPI; it must exist. Call after judge_settle(). */
static inline struct incident of_spi(struct judge *j, uint32_t spi)
{
	struct incident i;

	for (size_t n = 0; n < judge_incidents(j); n++) {
		judge_incident(j, n, &i);
		if (i.has_spi && i.spi.value == spi)
			return i;
	}
	fail_msg("no incident of SPI 0x%x", spi);
	return i;
}

static inline uint64_t count_of(struct judge *j, enum verdict verdict)
{
	uint64_t counts[VERDICT_OTHER_FAULT + 1];

	judge_verdicts(j, counts);
	return counts[verdict];
}

static inline void add_peer(struct judge *j, const char *network, unsigned prefix)
{
	struct judge_peer p = { .address = address_of(network), .prefix = prefix, .owner = OWNERSHIP_OURS };

	assert_int_equal(judge_add_peer(j, &p), 0);
}

#define assert_judged(i, v, r) \
	do { \
		assert_string_equal(verdict_name((i).verdict), verdict_name(v)); \
		assert_string_equal(rule_name((i).rule), rule_name(r)); \
	} while (0)

static inline uint64_t draw(uint64_t *state) /* splitmix64 */
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Another one in every run, printed; SPIMEND_TEST_SEED repeats one. */
static inline uint64_t random_seed(void)
{
	const char *given = getenv("SPIMEND_TEST_SEED");
	struct timespec now;
	uint64_t seed;

	clock_gettime(CLOCK_REALTIME, &now);
	seed = given ? strtoull(given, NULL, 10) : (uint64_t)now.tv_sec * 1000000007u + (uint64_t)now.tv_nsec;
	print_message("SPIMEND_TEST_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

#endif
