/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "parse/log.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What came out, a line each: "LINE kind 0xspi xCOUNT host TIME", "LINE !trouble", "LINE =table". */
struct record {
	struct buffer out;
	bool with_texts;
};

static void record_fact(void *context, const struct log_fact *f)
{
	struct record *r = context;

	buffer_printf(&r->out, "%d %s", (int)f->line, fact_kind_name(f->fact.kind));
	if (f->fact.has & FACT_HAS_SPI)
		buffer_printf(&r->out, " 0x%x", f->fact.spi.value);
	if (f->fact.count != 1)
		buffer_printf(&r->out, " x%d", (int)f->fact.count);
	if (f->is_repeat)
		buffer_printf(&r->out, " again");
	if (f->fact.interface[0])
		buffer_printf(&r->out, " %s", f->fact.interface);
	if (f->host.len)
		buffer_printf(&r->out, " %.*s", TEXT_ARG(f->host));
	if (f->has_at) {
		struct civil c = calendar_from_instant(f->at);

		buffer_printf(&r->out, " %02d:%02d:%02d", c.hour, c.minute, c.second);
	}
	if (r->with_texts)
		buffer_printf(&r->out, " [%.*s]", TEXT_ARG(f->text));
	buffer_add_char(&r->out, '\n');
}

static void record_block(void *context, const struct sa_block *block, uint64_t line)
{
	struct record *r = context;
	char peer[SPIMEND_ADDRESS_TEXT_MAX];

	buffer_printf(&r->out, "%d =%s in %zu out %zu\n", (int)line, spimend_address_print(&block->peer, peer), block->inbound_count,
		block->outbound_count);
}

static void record_trouble(void *context, const struct log_trouble *t)
{
	struct record *r = context;

	assert_non_null(t->reason);
	assert_true(t->offset <= t->text.len || t->kind == TROUBLE_LONG);
	buffer_printf(&r->out, "%d !%s\n", (int)t->line, log_trouble_name(t->kind));
}

static struct scan scan;
static const struct hash_key key = { 1, 2 };

#define SPARSE UINT_MAX /* for a column: a plain log, read sparsely */

static struct log_rules rules_of_2026(unsigned column)
{
	if (column == SPARSE)
		return (struct log_rules){ .stamps = { .year = 2026 }, .sparse = true };
	return (struct log_rules){ .stamps = { .year = 2026 }, .column = column };
}

/* `cut` bytes of whole lines first, then the rest; 0 feeds all at once. */
static void run(struct text text, size_t cut, unsigned column, struct record *ret)
{
	struct log_sink sink = { ret, record_fact, record_block, record_trouble };
	struct log_rules rules = rules_of_2026(column);
	struct hosts hosts;
	struct log *log;
	char *first = malloc(cut ? cut : 1), *rest = malloc(text.len - cut ? text.len - cut : 1);

	assert_int_equal(hosts_init(&hosts, &key), 0);
	assert_int_equal(log_new(&rules, &scan, &hosts, &sink, &log), 0);
	if (cut) {
		memcpy(first, text.at, cut);
		log_feed(log, (struct text){ first, cut });
		memset(first, '#', cut); /* nothing of it may be kept */
	}
	free(first);
	memcpy(rest, text.at + cut, text.len - cut);
	log_feed(log, (struct text){ rest, text.len - cut });
	log_flush(log);
	free(rest);
	log_free(log);
	hosts_done(&hosts);
}

/* False, and said why, when something else came out. */
static bool gives(const char *name, struct text text, unsigned column, const char *expected)
{
	struct record whole = { 0 };
	bool good;

	run(text, 0, column, &whole);
	buffer_add_char(&whole.out, '\0');
	good = strcmp(whole.out.bytes, expected) == 0;
	if (!good)
		print_error("%s gave\n%swhere expected\n%s", name, whole.out.bytes, expected);
	/* In two pieces, at every line boundary: the same. */
	for (size_t i = 0; i + 1 < text.len; i++) {
		struct record pieces = { 0 };

		if (text.at[i] != '\n')
			continue;
		run(text, i + 1, column, &pieces);
		buffer_add_char(&pieces.out, '\0');
		if (strcmp(pieces.out.bytes, whole.out.bytes) != 0) {
			print_error("%s, fed in two at byte %zu, gave\n%s", name, i + 1, pieces.out.bytes);
			good = false;
		}
		buffer_done(&pieces.out);
	}
	buffer_done(&whole.out);
	return good;
}

struct row {
	const char *name, *text, *expected;
};

static void check_rows_in(const struct row *rows, size_t count, unsigned column)
{
	bool good = true;

	for (size_t i = 0; i < count; i++)
		good &= gives(rows[i].name, text_of(rows[i].text), column, rows[i].expected);
	assert_true(good);
}

static void check_rows(const struct row *rows, size_t count)
{
	check_rows_in(rows, count, 0);
}

#define NAME "%CRYPTO-4-RECVD_PKT_INV_SPI: "
#define SAID "decaps: rec'd IPSEC packet has invalid spi for "
#define FIELDS(spi) "destaddr=192.0.2.1, prot=50, spi=0x" spi ", srcaddr=198.51.100.7"
#define STRAY(spi) NAME SAID FIELDS(spi)

static void wrapped_messages(void **state)
{
	static const struct row rows[] = {
		{ "one line", "Nov  2 04:00:48: " STRAY("abcd1234") "\n", "1 unknown-spi 0xabcd1234 04:00:48\n" },
		{ "without a line break", "Nov  2 04:00:48: " STRAY("abcd1234"), "1 unknown-spi 0xabcd1234 04:00:48\n" },
		{ "over two", "x\nNov  2 04:00:48: " NAME "decaps: rec'd IPSEC packet\nhas invalid spi for " FIELDS("abcd1234") "\nNov  2 04:00:50: x\n",
			"2 unknown-spi 0xabcd1234 04:00:48\n" },
		{ "over three, indented",
			"Nov  2 04:00:48: " NAME "decaps: rec'd IPSEC packet\n   has invalid spi for destaddr=192.0.2.1, prot=50, spi=0xabcd1234,\n"
			"   srcaddr=198.51.100.7\n", "1 unknown-spi 0xabcd1234 04:00:48\n" },
		{ "over three, empty lines between",
			"Nov  2 04:00:48: " NAME "decaps: rec'd IPSEC packet\n\nhas invalid spi for destaddr=192.0.2.1, prot=50, spi=0xabcd1234,\n \n\n"
			"srcaddr=198.51.100.7\n\ntext\n", "1 unknown-spi 0xabcd1234 04:00:48\n" },
		{ "CRLF", "Nov  2 04:00:48: " NAME "decaps: rec'd IPSEC packet\r\n\r\nhas invalid spi for\r\n" FIELDS("abcd1234") "\r\n",
			"1 unknown-spi 0xabcd1234 04:00:48\n" },
		{ "a relay's header on each part",
			"Nov  2 04:00:48 rt7 " NAME "decaps: rec'd IPSEC packet has invalid spi for\nNov  2 04:00:48 rt7 destaddr=192.0.2.1, prot=50,\n"
			"Nov  2 04:00:48 rt7 spi=0xabcd1234, srcaddr=198.51.100.7\n", "1 unknown-spi 0xabcd1234 rt7 04:00:48\n" },
		{ "hard wrap in the SPI", "Nov  2 04:00:48: " NAME SAID "destaddr=192.0.2.1, prot=50, spi=0xabcd\n1234(2882343476), srcaddr=198.51.100.7\n",
			"1 unknown-spi 0xabcd1234 04:00:48\n" },
		{ "hard wrap in a word", "Nov  2 04:00:48: " NAME "decaps: rec'd IPSEC pac\nket has invalid spi for " FIELDS("abcd1234") "\n",
			"1 unknown-spi 0xabcd1234 04:00:48\n" },
		{ "hard wrap in the first word", "Nov  2 04:00:48: " NAME "dec\naps: rec'd IPSEC packet has invalid spi for " FIELDS("abcd1234") "\n",
			"1 unknown-spi 0xabcd1234 04:00:48\n" },
		{ "hard wrap in the source", "Nov  2 04:00:48: " NAME SAID "destaddr=192.0.2.1, prot=50, spi=0xabcd1234, srcaddr=198.51\n.100.7\n",
			"1 unknown-spi 0xabcd1234 04:00:48\n" },
		{ "hard wrap in prot", "Nov  2 04:00:48: " NAME SAID "destaddr=192.0.2.1, prot=5\n0, spi=0xabcd1234, srcaddr=198.51.100.7\n",
			"1 unknown-spi 0xabcd1234 04:00:48\n" },
		{ "the interface on the next line", "Nov  2 04:00:48: " STRAY("abcd1234") ",\ninput interface=Tunnel0\n",
			"1 unknown-spi 0xabcd1234 Tunnel0 04:00:48\n" },
		{ "a comma that promised nothing", "Nov  2 04:00:48: " STRAY("abcd1234") ",\nNov  2 04:00:49: x\n", "1 unknown-spi 0xabcd1234 04:00:48\n" },
		{ "replay, as IOS breaks it", "*Sep 14 06:00:45.693: %CRYPTO-4-PKT_REPLAY_ERR: decrypt: replay check failed\n        connection id=29, sequence number=219\n",
			"1 replay 06:00:45\n" },
		{ "cut at the end", "x\nNov  2 04:00:48: " NAME SAID "destaddr=192.0.2.1,", "2 !unparsed\n" },
		{ "cut, then a new one", "Nov  2 04:00:48: " NAME SAID "\nNov  2 04:00:50: " STRAY("abcd1234") "\n",
			"1 !unparsed\n2 unknown-spi 0xabcd1234 04:00:50\n" },
		{ "cut, then prose for ever", "Nov  2 04:00:48: " NAME SAID "\na\nb\nc\nd\ne\nf\ng\nh\nsrcaddr=198.51.100.7\n", "1 !unparsed\n" },
		/* source note 001's form */
		{ "two run together over wrapped lines",
			"Sep  2 13:36:47.287: " NAME "decaps: rec'd IPSEC packet\n\nhas invalid spi for destaddr=192.0.2.1, prot=50, spi=0x1DB73BBB(498547643),\n\n"
			"srcaddr=198.51.100.7 Sep 2 13:37:48.039: " NAME "decaps: rec'd IPSEC packet\n\nhas invalid spi for destaddr=192.0.2.1, prot=50, "
			"spi=0x1DB73BBB(498547643),\n\nsrcaddr=198.51.100.7\n\nprose\n",
			"1 unknown-spi 0x1db73bbb 13:36:47\n1 unknown-spi 0x1db73bbb 13:37:48\n" },
		{ "two run together on one line", "Nov  2 04:00:48: " STRAY("a1") " Nov 2 04:01:49: " STRAY("a2") "\nNov  2 04:03:00: " STRAY("a3") "\n",
			"1 unknown-spi 0xa1 04:00:48\n1 unknown-spi 0xa2 04:01:49\n2 unknown-spi 0xa3 04:03:00\n" },
		{ "without a blank between", "Nov  2 04:00:48: " STRAY("a1") "*Nov 2 04:01:49: " STRAY("a2") "\n",
			"1 unknown-spi 0xa1 04:00:48\n1 unknown-spi 0xa2 04:01:49\n" },
		{ "cut in the middle of a line, then another",
			"Nov  2 04:00:48: " NAME "decaps: rec'd IPSEC Nov  2 04:01:49: " STRAY("a2") "\n", "1 !unparsed\n1 unknown-spi 0xa2 04:01:49\n" },
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

static void interleaved_hosts(void **state)
{
	static const struct row rows[] = {
		{ "another host's line between",
			"Nov  2 04:00:48 rt7 " NAME SAID "\nNov  2 04:00:48 rt8 %SYS-6-X: y\nNov  2 04:00:48 rt7 " FIELDS("a1") "\n",
			"1 unknown-spi 0xa1 rt7 04:00:48\n" },
		{ "two wait at once",
			"Nov  2 04:00:48 rt7 " NAME SAID "\nNov  2 04:00:48 rt8 " NAME SAID "\nNov  2 04:00:49 rt7 " FIELDS("a1")
			"\nNov  2 04:00:49 rt8 " FIELDS("a2") "\n", "1 unknown-spi 0xa1 rt7 04:00:48\n2 unknown-spi 0xa2 rt8 04:00:48\n" },
		{ "a new message of the same host ends the wait", "Nov  2 04:00:48 rt7 " NAME SAID "\nNov  2 04:00:49 rt7 %SYS-6-X: y\n", "1 !unparsed\n" },
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

static void repeated_messages(void **state)
{
	static const struct row rows[] = {
		{ "of the same host", "Nov  2 04:00:48 rt7 " STRAY("a1") "\nNov  2 04:05:00 rt7 last message repeated 3 times\n",
			"1 unknown-spi 0xa1 rt7 04:00:48\n2 unknown-spi 0xa1 x3 again rt7 04:05:00\n" },
		{ "as the router says it", "<188>: rt7: Nov 22 03:10:04.461 CET: " STRAY("a1") "\n<191>: rt7: Nov 22 03:15:04.461 CET: last message repeated 12 times\n",
			"1 unknown-spi 0xa1 rt7 02:10:04\n2 unknown-spi 0xa1 x12 again rt7 02:15:04\n" },
		{ "another host between",
			"Nov  2 04:00:48 rt7 " STRAY("a1") "\nNov  2 04:00:49 rt8 sshd[1]: x\nNov  2 04:05:00 rt7 last message repeated 3 times\n",
			"1 unknown-spi 0xa1 rt7 04:00:48\n3 unknown-spi 0xa1 x3 again rt7 04:05:00\n" },
		{ "of another line", "Nov  2 04:00:48 rt7 " STRAY("a1") "\nNov  2 04:00:49 rt7 %SYS-6-X: y\nNov  2 04:05:00 rt7 last message repeated 3 times\n",
			"1 unknown-spi 0xa1 rt7 04:00:48\n" },
		{ "of another host", "Nov  2 04:00:48 rt7 " STRAY("a1") "\nNov  2 04:05:00 rt8 last message repeated 3 times\n",
			"1 unknown-spi 0xa1 rt7 04:00:48\n" },
		{ "twice", "Nov  2 04:00:48 rt7 " STRAY("a1") "\nNov  2 04:05:00 rt7 last message repeated 3 times\nNov  2 04:06:00 rt7 last message repeated 1 time\n",
			"1 unknown-spi 0xa1 rt7 04:00:48\n2 unknown-spi 0xa1 x3 again rt7 04:05:00\n3 unknown-spi 0xa1 again rt7 04:06:00\n" },
		{ "absurdly often", "Nov  2 04:00:48 rt7 " STRAY("a1") "\nNov  2 04:05:00 rt7 last message repeated 999999999 times\n",
			"1 unknown-spi 0xa1 rt7 04:00:48\n2 unknown-spi 0xa1 x1000000 again rt7 04:05:00\n" },
		{ "zero times", "Nov  2 04:00:48 rt7 " STRAY("a1") "\nNov  2 04:05:00 rt7 last message repeated 0 times\n",
			"1 unknown-spi 0xa1 rt7 04:00:48\n" },
		{ "rsyslog's form", "Nov  2 04:00:48 rt7 message repeated 3 times: [ " STRAY("a1") "]\n", "1 unknown-spi 0xa1 x3 rt7 04:00:48\n" },
		{ "rsyslog's form, with an interface", "Nov  2 04:00:48 rt7 message repeated 3 times: [ " STRAY("a1") ", input interface=Gi1]\n",
			"1 unknown-spi 0xa1 x3 Gi1 rt7 04:00:48\n" },
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

static void odd_bytes(void **state)
{
	static const struct row rows[] = {
		{ "U+00A0 for blanks", "Nov\xc2\xa0 2 04:00:48: %CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd\xc2\xa0IPSEC packet has invalid spi for\xc2\xa0"
			FIELDS("a1") "\n", "1 unknown-spi 0xa1 04:00:48\n" },
		{ "a byte order mark", "\xef\xbb\xbfNov  2 04:00:48: " STRAY("a1") "\n", "1 unknown-spi 0xa1 04:00:48\n" },
		{ "no UTF-8 behind", "Nov  2 04:00:48: " STRAY("a1") " caf\xe9\n", "1 !no-utf8\n1 unknown-spi 0xa1 04:00:48\n" },
		{ "no UTF-8 on an ordinary line", "Nov  2 04:00:48 rt7 caf\xe9\n", "1 !no-utf8\n" },
		{ "quoted mail", "> > Nov  2 04:00:48: " NAME "decaps: rec'd IPSEC packet\n> > has invalid spi for " FIELDS("a1") "\n",
			"1 unknown-spi 0xa1 04:00:48\n" },
		{ "prose", "The message " NAME "appears when\nRECVD_PKT_INV_SPI is only a word here: SPI\n", "1 !unparsed\n2 !unparsed\n" },
		{ "a template", NAME SAID "destaddr=[IP_address], prot=[dec], spi=[hex]([dec])\n", "1 !unparsed\n" },
		{ "ours without a rule", "Nov  2 04:00:48 rt7 %CRYPTO-6-SOMETHING: x\n", "1 !unmatched\n" },
		{ "an impossible date", "Feb 30 04:00:48 rt7 " STRAY("a1") "\n", "1 !impossible-time\n1 unknown-spi 0xa1 rt7\n" },
		{ "no time", STRAY("a1") "\n", "1 unknown-spi 0xa1\n" },
		{ "uptime", "<188>99: 43w2d: " STRAY("a1") "\n", "1 unknown-spi 0xa1\n" },
		{ "nothing", "\n", "" },
	};
	static const struct text nul = TEXT("\0\0Nov  2 04:00:48 rt7 x\nNov  2 04:00:49 rt7 " STRAY("a1") "\n");

	(void)state;
	check_rows(rows, COUNT(rows));
	assert_true(gives("NUL", nul, 0, "1 !nul-bytes\n2 unknown-spi 0xa1 rt7 04:00:49\n"));
}

static void what_engineers_paste(void **state)
{
	static const struct row rows[] = {
		{ "show logging with its header",
			"hub#show logging\nSyslog logging: enabled (0 messages dropped, 3 messages rate-limited, 0 flushes, 0 overruns, xml disabled)\n"
			"\nNo Active Message Discriminator.\n\n    Console logging: level debugging, 64 messages logged, xml disabled\n"
			"Log Buffer (8192 bytes):\n\n*Nov  2 04:00:48.123: " STRAY("a1") "\n*Nov  2 04:01:49.123: " STRAY("a1") "\nhub#\n",
			"9 unknown-spi 0xa1 04:00:48\n10 unknown-spi 0xa1 04:01:49\n" },
		{ "a terminal capture", "hub#\n*Nov  2 04:00:48.123: " STRAY("a1") "\nhub#clear crypto sa peer 198.51.100.7\nhub#\n",
			"2 unknown-spi 0xa1 04:00:48\n3 crypto-cleared hub\n" },
		{ "out of grep", "rt7.log:118:Nov  2 04:00:48 rt7 " STRAY("a1") "\nrt8.log:Nov  2 04:00:50 rt8 " STRAY("a2") "\n",
			"1 unknown-spi 0xa1 rt7 04:00:48\n2 unknown-spi 0xa2 rt8 04:00:50\n" },
		{ "RFC 5424", "<188>1 2026-11-02T05:00:48.1+01:00 rt7 - - - - " STRAY("a1") "\n", "1 unknown-spi 0xa1 rt7 04:00:48\n" },
		{ "JSON lines", "{\"host\":\"rt7\",\"message\":\"" STRAY("a1") "\",\"x\":1}\n", "1 unknown-spi 0xa1\n" },
		{ "the IOS XE wrapper", "Nov 26 12:28:42.111: %IOSXE-3-PLATFORM: SIP0: cpp_cp: QFP:0.0 Thread:000 TS:00000182801541574367 %IPSEC-3-HMAC_ERROR: "
			"IPSec SA receives HMAC error, DP Handle 349, src_addr 198.51.100.7, dest_addr 192.0.2.1, SPI 0xdad10535\n",
			"1 integrity-failure 0xdad10535 12:28:42\n" },
		{ "the IOS XE wrapper without its first percent sign", "Nov 26 12:28:42.111: IOSXE-3-PLATFORM: R0/0: cpp_cp: QFP:0.0 Thread:000 TS:0018 "
			"%IPSEC-3-REPLAY_ERROR: IPSec SA receives anti-replay error, DP Handle 41, src_addr 192.0.2.1, dest_addr 198.51.100.7, SPI 0x203\n",
			"1 replay 0x203 12:28:42\n" },
		{ "our message inside the wrapper", "Nov 26 12:28:42.111: %IOSXE-3-PLATFORM: R0/0: cpp_cp: QFP:0.0 Thread:000 TS:0018 " STRAY("a1") "\n",
			"1 unknown-spi 0xa1 12:28:42\n" },
		{ "our message inside the wrapper, over two lines", "Nov 26 12:28:42.111: %IOSXE-3-PLATFORM: R0/0: cpp_cp: QFP:0.0 " NAME
			"decaps: rec'd IPSEC packet\n   has invalid spi for " FIELDS("a1") "\n", "1 unknown-spi 0xa1 12:28:42\n" },
		{ "our message inside the wrapper, cut", "Nov 26 12:28:42.111: %IOSXE-3-PLATFORM: R0/0: cpp_cp: QFP:0.0 " NAME "decaps:\n",
			"1 !unparsed\n" },
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

static void surroundings(void **state)
{
	static const struct row rows[] = {
		{ "nobody asks without a sighting", "Nov  2 04:00:40 rt7 %LINEPROTO-5-UPDOWN: Line protocol on Interface Tunnel10, changed state to down\n", "" },
		{ "before and after",
			"Nov  2 04:00:40 rt7 %LINEPROTO-5-UPDOWN: Line protocol on Interface Tunnel10, changed state to down\n"
			"Nov  2 04:00:41 rt8 %LINEPROTO-5-UPDOWN: Line protocol on Interface Tunnel11, changed state to down\n"
			"Nov  2 04:00:48 rt7 " STRAY("a1") "\n"
			"Nov  2 04:01:40 rt7 %LINEPROTO-5-UPDOWN: Line protocol on Interface Tunnel10, changed state to up\n",
			"3 unknown-spi 0xa1 rt7 04:00:48\n1 line-down Tunnel10 rt7 04:00:40\n4 line-up Tunnel10 rt7 04:01:40\n" },
		{ "too long after",
			"Nov  2 04:00:48 rt7 " STRAY("a1") "\nNov  2 05:01:40 rt7 %LINEPROTO-5-UPDOWN: Line protocol on Interface Tunnel10, changed state to up\n",
			"1 unknown-spi 0xa1 rt7 04:00:48\n" },
		{ "a saved table between",
			"Nov  2 04:00:48 rt7 " STRAY("a1") "\n"
			"interface: GigabitEthernet1\n    Crypto map tag: vpn, local addr 192.0.2.1\n   current_peer 198.51.100.7 port 500\n"
			"     inbound esp sas:\n      spi: 0x1234ABCD(305441741)\n     outbound esp sas:\n      spi: 0xABCD1234(2882343476)\n"
			"Nov  2 04:02:48 rt7 " STRAY("a1") "\n",
			"1 unknown-spi 0xa1 rt7 04:00:48\n9 unknown-spi 0xa1 rt7 04:02:48\n2 =198.51.100.7 in 1 out 1\n" }, /* logged into it: it goes on */
		{ "interleaved with one", "interface: GigabitEthernet1\n    Crypto map tag: vpn, local addr 192.0.2.1\n   current_peer 198.51.100.7 port 500\n"
			"     inbound esp sas:\n*Nov  2 04:00:48.123: " STRAY("a1") "\n      spi: 0x1234ABCD(305441741)\n",
			"5 unknown-spi 0xa1 04:00:48\n1 =198.51.100.7 in 1 out 0\n" },
	};

	(void)state;
	check_rows_in(rows, COUNT(rows), SPARSE);
}

/* Of a log that is not sparse every one is read: a sender's own log may hold nothing else. */
static void surroundings_of_a_small_log(void **state)
{
	static const struct row rows[] = {
		{ "without a sighting",
			"Nov  2 04:00:40 rt7 %LINEPROTO-5-UPDOWN: Line protocol on Interface Tunnel10, changed state to down\n",
			"1 line-down Tunnel10 rt7 04:00:40\n" },
		{ "an applet that quotes our message", "Nov  2 04:00:48 rt7 %HA_EM-6-LOG: hub: " STRAY("a1") "\n", "1 applet rt7 04:00:48\n" },
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

static void clocks(void **state)
{
	static const struct row rows[] = {
		{ "back by more than the tolerance", "Nov  2 04:00:48 rt7 x[1]: y\nNov  2 04:00:37 rt7 x[1]: y\nNov  2 04:00:38 rt7 x[1]: y\n", "2 !clock-back\n" },
		{ "back within the tolerance", "Nov  2 04:00:48 rt7 x[1]: y\nNov  2 04:00:39 rt7 x[1]: y\n", "" },
		{ "each host has its clock", "Nov  2 04:00:48 rt7 x[1]: y\nNov  2 03:00:48 rt8 x[1]: y\nNov  2 04:00:49 rt7 x[1]: y\n", "" },
		{ "the unset clock gives way to the relay's", "Nov  2 04:00:48 192.0.2.9 88: *Mar  1 00:31:55.431: " STRAY("a1") "\n",
			"1 unknown-spi 0xa1 192.0.2.9 04:00:48\n" },
		{ "a set one does not", "Nov  2 04:00:48 192.0.2.9 88: Nov  2 04:00:40: " STRAY("a1") "\n", "1 unknown-spi 0xa1 192.0.2.9 04:00:40\n" },
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

static void records_of_a_table(void **state)
{
	(void)state;
	assert_true(gives("a header names the column", TEXT("vendor\turl\traw\nios\tx\tNov  2 04:00:48: " STRAY("a1") "\nios\tx\tplain\n"), 0,
		"2 unknown-spi 0xa1 04:00:48\n"));
	assert_true(gives("the column is asked for", TEXT("ios\tNov  2 04:00:48: " STRAY("a1") "\tmore\n"), 2, "1 unknown-spi 0xa1 04:00:48\n"));
	assert_true(gives("line breaks are escaped", TEXT("ios\tNov  2 04:00:48: " NAME "decaps: rec'd IPSEC packet\\nhas invalid spi for " FIELDS("a1") "\n"), 2,
		"1 unknown-spi 0xa1 04:00:48\n"));
	assert_true(gives("records stand alone", TEXT("a\t" NAME SAID "\nb\t" FIELDS("a1") "\n"), 2, "1 !unparsed\n"));
	assert_true(gives("too few columns", TEXT("Nov  2 04:00:48: " STRAY("a1") "\n"), 3, "1 !unparsed\n"));
	assert_true(gives("CRLF", TEXT("ios\tNov  2 04:00:48: " STRAY("a1") ", input interface=Gi1\r\n"), 2, "1 unknown-spi 0xa1 Gi1 04:00:48\n"));
}

static void long_lines(void **state)
{
	enum { MIB = 1024 * 1024 };
	static const char ours[] = "Nov  2 04:00:48: " STRAY("a1") " ";
	struct buffer b = { 0 };

	(void)state;
	/* Ours at the start of a line of 1 MiB, ours at its end (beyond what is read), and ours on the next line. */
	buffer_add(&b, TEXT(ours));
	buffer_add_repeat(&b, 'x', MIB);
	buffer_add(&b, TEXT("\n"));
	buffer_add_repeat(&b, 'x', MIB);
	buffer_add(&b, TEXT(ours));
	buffer_add(&b, TEXT("\nNov  2 04:01:49: " STRAY("a2") "\n"));
	assert_true(gives("1 MiB", buffer_text(&b), 0,
		"1 !long-line\n1 unknown-spi 0xa1 04:00:48\n2 !long-line\n3 unknown-spi 0xa2 04:01:49\n"));
	buffer_done(&b);
}

static void evidence_keeps_its_text(void **state)
{
	struct record r = { .with_texts = true };

	(void)state;
	run(TEXT("<188>77: rt7: *Nov 02 23:59:58: " NAME "decaps: rec'd IPSEC packet\n   has invalid spi for " FIELDS("a1") "  \n"), 0, 0, &r);
	buffer_add_char(&r.out, '\0');
	assert_string_equal(r.out.bytes, "1 unknown-spi 0xa1 rt7 23:59:58 [<188>77: rt7: *Nov 02 23:59:58: " STRAY("a1") "]\n");
	buffer_done(&r.out);
}

static void who_was_heard_until_when(void **state)
{
	static const struct {
		const char *host;
		int hour, minute, second;
	} rows[] = { { "rt7", 4, 30, 0 }, { "rt8", 4, 10, 0 }, { "192.0.2.9", 5, 0, 0 } };
	struct record r = { 0 };
	struct log_sink sink = { &r, record_fact, record_block, record_trouble };
	struct log_rules rules = rules_of_2026(0);
	struct hosts hosts;
	struct log *log;

	(void)state;
	assert_int_equal(hosts_init(&hosts, &key), 0);
	assert_int_equal(log_new(&rules, &scan, &hosts, &sink, &log), 0);
	log_feed(log, TEXT("Nov  2 04:00:48 rt7 " STRAY("a1") "\n"
			   "Nov  2 04:10:00 rt8 sshd[1]: x\n"
			   "Nov  2 04:30:00 rt7 %SYS-6-X: y\n"
			   "Nov  2 05:00:00 192.0.2.9 88: *Nov  2 03:00:00: %SYS-6-X: y\n"));
	log_flush(log);
	assert_int_equal(log_counts(log)->lines, 4);
	assert_int_equal(log_counts(log)->strays, 1);
	assert_int_equal(hosts.count, COUNT(rows));
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct host *host = hosts_get(&hosts, text_of(rows[i].host));
		struct civil c;

		assert_true(host && host->heard);
		c = calendar_from_instant(host->last);
		if (c.hour != rows[i].hour || c.minute != rows[i].minute || c.second != rows[i].second)
			fail_msg("%s was heard until %02d:%02d:%02d", rows[i].host, c.hour, c.minute, c.second);
	}
	log_free(log);
	hosts_done(&hosts);
	buffer_done(&r.out);
}

static int prepare(void **state)
{
	(void)state;
	scan_init(&scan);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrapped_messages),
		cmocka_unit_test(interleaved_hosts),
		cmocka_unit_test(repeated_messages),
		cmocka_unit_test(odd_bytes),
		cmocka_unit_test(what_engineers_paste),
		cmocka_unit_test(surroundings),
		cmocka_unit_test(surroundings_of_a_small_log),
		cmocka_unit_test(clocks),
		cmocka_unit_test(records_of_a_table),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(evidence_keeps_its_text),
		cmocka_unit_test(who_was_heard_until_when),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
