/* SPDX-License-Identifier: MIT */
/* src/sense/syslog.c: who is heard, under which name, and how much of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include "parse/journald.h"
#include "sense/syslog.h"

#define NOON (INT64_C(1793620800) * SECOND_NS) /* 2026-11-02 12:00:00 UTC */

static struct config_syslog config;
static struct syslog *s;
static struct syslog_claim claims[64];
static struct syslog_heard heard[16];
static uint32_t claim_count, heard_count;
static bool takes;

static bool on_claim(void *context, const struct syslog_claim *claim)
{
	(void)context;
	if (takes && claim_count < 64)
		claims[claim_count] = *claim;
	claim_count += takes;
	return takes;
}

static void on_heard(void *context, const struct syslog_heard *h)
{
	(void)context;
	if (heard_count < 16)
		heard[heard_count++] = *h;
}

static struct spimend_address address(const char *text)
{
	struct spimend_address a;

	memset(&a, 0, sizeof(a));
	assert_int_equal(spimend_address_parse(text, strlen(text), &a), 0);
	return a;
}

static void allow(const char *text, uint8_t prefix, bool relay)
{
	struct syslog_source *source = &config.sources[config.source_count++];

	source->address = address(text);
	source->prefix = prefix;
	source->relay = relay;
}

static void at(int64_t ns)
{
	syslog_at(s, (struct moment){ .mono_ns = SECOND_NS + ns, .wall.ns = NOON + ns });
}

static int set_up(void **state)
{
	static const struct hash_key key = { 1, 2 };
	const struct syslog_events events = { .claim = on_claim, .heard = on_heard };

	(void)state;
	memset(&config, 0, sizeof(config));
	allow("192.0.2.0", 24, true);
	allow("192.0.2.7", 32, false);
	allow("198.51.100.0", 24, false);
	allow("2001:db8::", 32, false);
	claim_count = heard_count = 0;
	takes = true;
	assert_int_equal(syslog_new(&config, &key, &events, &s), 0);
	at(0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	syslog_free(s);
	return 0;
}

static void send(const char *from, const char *message)
{
	struct spimend_address source = address(from);

	syslog_message(s, &source, SYSLOG_UDP, text_of(message), false);
}

static const char *stray(const char *host, const char *stamp, uint32_t spi)
{
	static char text[512];

	snprintf(text, sizeof(text), "<188>77: %s%s%s%%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi for "
		 "destaddr=203.0.113.1, prot=50, spi=0x%08X(%u), srcaddr=203.0.113.2", host, host[0] ? ": " : "", stamp, spi, spi);
	return text;
}

static void test_who_is_no_source_is_counted_and_not_read(void **state)
{
	const struct syslog_counts *c = syslog_counts(s);

	(void)state;
	send("203.0.113.9", stray("hub", "", 0x11111111));
	send("10.1.1.1", stray("hub", "", 0x11111111));
	send("127.0.0.1", "x");
	send("fe80::1", "x");
	send("fd00::1", "x");
	send("2001:db9::1", "x");
	syslog_settle(s);
	assert_int_equal(claim_count, 0);
	assert_int_equal(c->received, 6);
	assert_int_equal(c->fates[SYSLOG_FOREIGN], 6);
	assert_int_equal(c->foreign[SYSLOG_PUBLIC], 2);
	assert_int_equal(c->foreign[SYSLOG_PRIVATE], 2);
	assert_int_equal(c->foreign[SYSLOG_LOOPBACK], 1);
	assert_int_equal(c->foreign[SYSLOG_LINK_LOCAL], 1);
	assert_int_equal(c->lines, 0);
	assert_int_equal(c->sources, 0);
}

static void test_a_name_is_its_first_speakers(void **state)
{
	(void)state;
	send("198.51.100.1", stray("hub", "", 0x11111111));
	send("198.51.100.2", stray("hub", "", 0x22222222)); /* says that it is the hub */
	send("198.51.100.2", stray("rt2", "", 0x33333333));
	send("198.51.100.3", stray("", "", 0x44444444));    /* as IOS sends it */
	send("2001:db8::5", stray("", "", 0x55555555));
	syslog_settle(s);
	assert_int_equal(claim_count, 5);
	assert_string_equal(claims[0].host, "hub");
	assert_string_equal(claims[1].host, "198.51.100.2");
	assert_string_equal(claims[2].host, "rt2");
	assert_string_equal(claims[3].host, "198.51.100.3");
	assert_string_equal(claims[4].host, "2001:db8::5");
	assert_int_equal(syslog_counts(s)->borrowed, 1);
	assert_int_equal(claims[1].fact.spi.value, 0x22222222);
	assert_true(spimend_address_equal(&claims[1].source, &(struct spimend_address){ 4, { 198, 51, 100, 2 } }));
	assert_memory_equal(claims[3].text, "77: %CRYPTO", 11); /* as it was sent */
}

static void test_a_secret_in_a_line_goes_no_further(void **state)
{
	(void)state;
	send("198.51.100.3", "<189>77: *Nov  3 11:02:44.058: %HA_EM-6-LOG: fix : DEBUG(cli_lib) : : IN  : hub(config)#crypto isakmp key "
			     "S3cret address 192.0.2.1");
	send("198.51.100.3", stray("", "", 0x44444444));
	syslog_settle(s);
	assert_int_equal(claim_count, 2);
	assert_int_equal(claims[0].fact.kind, FACT_APPLET);
	assert_null(strstr(claims[0].text, "S3cret"));
	assert_non_null(strstr(claims[0].text, "key <removed> address 192.0.2.1"));
	assert_memory_equal(claims[1].text, "77: %CRYPTO", 11);
}

static void test_the_narrowest_source_counts_and_a_relay_is_believed(void **state)
{
	(void)state;
	send("192.0.2.1", stray("hub", "", 0x11111111));
	send("192.0.2.2", stray("hub", "", 0x22222222));
	send("192.0.2.7", stray("hub", "", 0x33333333)); /* in the relays' network, and none itself */
	syslog_settle(s);
	assert_string_equal(claims[0].host, "hub");
	assert_string_equal(claims[1].host, "hub");
	assert_string_equal(claims[2].host, "192.0.2.7");
}

static void test_devices_are_heard_by_their_addresses(void **state)
{
	static struct config_devices devices;

	(void)state;
	memset(&devices, 0, sizeof(devices));
	devices.count = 4;
	devices.at[0].address = address("203.0.113.9");
	devices.at[1].address = address("192.0.2.1"); /* in the relays' network */
	devices.at[3].address = address("192.0.2.7"); /* and 2 has none yet */
	assert_int_equal(syslog_set_devices(s, &devices), 0);
	syslog_configure(s, &config);
	send("203.0.113.9", stray("hub", "", 0x11111111));
	send("192.0.2.1", stray("hub", "", 0x22222222));
	send("203.0.113.8", stray("hub", "", 0x33333333));
	syslog_settle(s);
	assert_int_equal(claim_count, 2);
	assert_string_equal(claims[0].host, "hub");
	assert_string_equal(claims[1].host, "192.0.2.1");
	assert_int_equal(syslog_counts(s)->fates[SYSLOG_FOREIGN], 1);
	devices.count = 0;
	assert_int_equal(syslog_set_devices(s, &devices), 0);
	syslog_configure(s, &config);
	send("203.0.113.9", stray("hub", "", 0x11111111));
	assert_int_equal(syslog_counts(s)->fates[SYSLOG_FOREIGN], 2);
}

static void test_times_count_where_they_are_near(void **state)
{
	(void)state;
	send("198.51.100.1", stray("a", "Nov  2 11:59:58.250: ", 1 << 28));
	send("198.51.100.1", stray("a", "Nov  2 09:00:00.000: ", 2 << 28)); /* another zone, or off */
	send("198.51.100.1", stray("a", "", 3 << 28));
	send("192.0.2.1", stray("b", "Nov  2 09:00:00.000: ", 4 << 28));    /* a relay kept it a while */
	send("192.0.2.1", stray("b", "Nov  2 13:00:00.000: ", 5 << 28));    /* and none comes from the future */
	syslog_settle(s);
	assert_int_equal(claim_count, 5);
	assert_true(claims[0].at.ns == NOON - 1750000000);
	assert_true(claims[0].heard.ns == NOON);
	assert_true(claims[1].at.ns == NOON);
	assert_true(claims[2].at.ns == NOON);
	assert_true(claims[3].at.ns == NOON - 3 * HOUR_NS);
	assert_true(claims[4].at.ns == NOON);
	assert_int_equal(syslog_counts(s)->clock_off, 2);
}

static void test_repeats_belong_to_their_host(void **state)
{
	(void)state;
	send("198.51.100.1", stray("a", "", 1 << 28));
	send("198.51.100.2", stray("", "", 2 << 28));
	send("198.51.100.2", "<188>last message repeated 3 times");
	send("198.51.100.1", "<188>a: Nov  2 12:00:00: last message repeated 4 times");
	syslog_settle(s);
	assert_int_equal(claim_count, 4);
	assert_true(claims[2].is_repeat && claims[2].fact.count == 3 && claims[2].fact.spi.value == 2u << 28);
	assert_true(claims[3].is_repeat && claims[3].fact.count == 4 && claims[3].fact.spi.value == 1u << 28);
}

static void test_each_message_has_one_fate(void **state)
{
	static char big[3 * SYSLOG_MESSAGE_MAX];
	const struct syslog_counts *c = syslog_counts(s);
	struct spimend_address source = address("198.51.100.1");

	(void)state;
	memset(big, 'x', sizeof(big));
	syslog_message(s, &source, SYSLOG_UDP, (struct text){ big, sizeof(big) }, false);
	memset(big, '\n', sizeof(big));
	syslog_message(s, &source, SYSLOG_UDP, (struct text){ big, sizeof(big) }, true);
	big[SYSLOG_MESSAGE_MAX - 1] = 'y'; /* 8191 empty lines and one */
	syslog_message(s, &source, SYSLOG_UDP, (struct text){ big, SYSLOG_MESSAGE_MAX }, false);
	syslog_message(s, &source, SYSLOG_UDP, TEXT("\0\0\0"), false);
	syslog_message(s, &source, SYSLOG_UDP, TEXT(""), false);
	syslog_message(s, &source, SYSLOG_UDP, TEXT("<999>\xff\xfe\0%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd"), false);
	send("198.51.100.1", "<188>ok");
	syslog_settle(s);
	assert_int_equal(c->received, 7);
	assert_int_equal(c->fates[SYSLOG_TAKEN], 4);
	assert_int_equal(c->fates[SYSLOG_EMPTY], 3);
	assert_true(c->cut >= 1);
	assert_true(c->odd >= 2);
	syslog_tick(s); /* half a message of ours is given up, and counted */
	assert_int_equal(c->unread, 1);
	assert_int_equal(claim_count, 0);
}

static void test_a_source_has_a_rate_and_gets_it_back(void **state)
{
	const struct syslog_counts *c = syslog_counts(s);

	(void)state;
	for (uint32_t i = 0; i < SYSLOG_BURST + 100; i++)
		send("198.51.100.1", stray("a", "", 0x10000000 + i));
	send("198.51.100.2", stray("b", "", 0x20000000)); /* another one is not held back by that */
	syslog_settle(s);
	assert_int_equal(claim_count, SYSLOG_BURST + 1);
	assert_int_equal(c->over_rate, 100);
	assert_int_equal(c->claims, SYSLOG_BURST + 101);
	at(SECOND_NS);
	for (uint32_t i = 0; i < SYSLOG_RATE + 50; i++)
		send("198.51.100.1", stray("a", "", 0x30000000 + i));
	syslog_settle(s);
	assert_int_equal(c->over_rate, 150);
	takes = false;
	send("198.51.100.2", stray("b", "", 0x40000000));
	syslog_settle(s);
	assert_int_equal(c->not_told, 1);
}

static void test_hosts_with_claims_are_told_of(void **state)
{
	(void)state;
	send("198.51.100.1", stray("a", "", 1 << 28));
	send("192.0.2.1", stray("b", "", 2 << 28));
	send("198.51.100.9", "<189>c: nothing of ours");
	syslog_settle(s);
	for (int i = 0; i < 8; i++)
		syslog_tick(s);
	assert_int_equal(heard_count, 2);
	at(400 * SECOND_NS);
	send("198.51.100.1", "<189>80: a: %SYS-5-CONFIG_I: Configured");
	send("192.0.2.1", "<189>80: b: Nov  2 12:06:40.000: %SYS-6-LOGGINGHOST: x");
	for (int i = 0; i < 8; i++)
		syslog_tick(s);
	assert_int_equal(heard_count, 4);
	for (int i = 2; i < 4; i++)
		assert_true(heard[i].last.ns == NOON + 400 * SECOND_NS);
	for (int i = 0; i < 8; i++)
		syslog_tick(s); /* nothing is new */
	assert_int_equal(heard_count, 4);
}

static void test_a_new_year_does_not_move_stamps(void **state)
{
	const int64_t later = 60 * DAY_NS; /* 2027-01-01 */

	(void)state;
	at(0);
	at(later);
	send("198.51.100.1", stray("a", "Jan  1 11:59:59.000: ", 1 << 28));
	syslog_settle(s);
	assert_int_equal(claim_count, 1);
	assert_true(claims[0].at.ns == NOON + later - SECOND_NS);
	assert_int_equal(syslog_counts(s)->clock_off, 0);
}

static void test_connections_are_bounded(void **state)
{
	struct spimend_address one = address("198.51.100.1"), relay = address("192.0.2.1"), other = address("203.0.113.9");
	const struct syslog_counts *c = syslog_counts(s);

	(void)state;
	assert_false(syslog_connect(s, &other));
	for (int i = 0; i < 32; i++)
		assert_true(syslog_connect(s, &one));
	assert_false(syslog_connect(s, &one));
	syslog_disconnect(s, &one);
	assert_true(syslog_connect(s, &one));
	for (int i = 32; i < 1024; i++)
		assert_true(syslog_connect(s, &relay));
	assert_false(syslog_connect(s, &relay));
	assert_int_equal(c->open, 1024);
	assert_int_equal(c->refused, 3);
	syslog_configure(s, &config);
	for (int i = 0; i < 1024; i++)
		syslog_disconnect(s, &one);
	assert_int_equal(c->open, 0);
}

static void log_entry(const char *host, const char *identifier, const char *message, uint64_t dropped)
{
	struct journald_entry entry = { .message = text_of(message), .host = text_of(host), .identifier = text_of(identifier),
					.said_us = NOON / 1000, .taken_us = NOON / 1000, .dropped = dropped };

	syslog_journald(s, &entry, TEXT("here"));
}

static void test_the_journal_is_heard_as_a_file_and_not_what_we_said_ourselves(void **state)
{
	static const char body[] = "%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi for destaddr=10.1.1.1, "
				   "prot=50, spi=0x10000000(268435456), srcaddr=10.1.1.2";
	const struct syslog_counts *c = syslog_counts(s);

	(void)state;
	log_entry("gw1", "rtlog", body, 0);
	assert_int_equal(c->received, 0); /* nobody asked for it */
	config.has_journald = true;
	syslog_configure(s, &config);
	log_entry("gw1", "rtlog", body, 0);
	log_entry("", "rtlog", body, 0);
	log_entry("gw1", "spimendd", body, 0);
	log_entry("gw1", "rtlog", "", 0);
	log_entry("gw1", "systemd-journald", "Suppressed 12 messages from x.service", 12);
	syslog_tick(s);
	assert_int_equal(claim_count, 2);
	assert_string_equal(claims[0].host, "gw1");
	assert_string_equal(claims[1].host, "here");
	assert_int_equal(claims[0].way, SYSLOG_JOURNALD);
	assert_true(claims[0].at.ns == NOON);
	assert_int_equal(claims[1].line, 2);
	assert_int_equal(c->received, 5);
	assert_int_equal(c->fates[SYSLOG_TAKEN], 3);
	assert_int_equal(c->fates[SYSLOG_OWN], 1);
	assert_int_equal(c->fates[SYSLOG_EMPTY], 1);
	assert_int_equal(c->dropped, 12);
	assert_int_equal(c->sources, 0); /* no address was heard */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_who_is_no_source_is_counted_and_not_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_name_is_its_first_speakers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_secret_in_a_line_goes_no_further, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_narrowest_source_counts_and_a_relay_is_believed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_devices_are_heard_by_their_addresses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_times_count_where_they_are_near, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_repeats_belong_to_their_host, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_each_message_has_one_fate, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_source_has_a_rate_and_gets_it_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hosts_with_claims_are_told_of, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_new_year_does_not_move_stamps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_connections_are_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_journal_is_heard_as_a_file_and_not_what_we_said_ourselves, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
