/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "parse/framing.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A stamp in short: "*" for an unset clock, then MM-DD hh:mm:ss or "up". */
static void print_stamp(bool has, const struct stamp *s, char to[48])
{
	if (!has)
		strcpy(to, "");
	else if (s->is_uptime)
		snprintf(to, 48, "%sup", s->clock_unset ? "*" : "");
	else
		snprintf(to, 48, "%s%02d-%02d %02d:%02d:%02d%s%s", s->clock_unset ? "*" : "", s->civil.month, s->civil.day, s->civil.hour,
			s->civil.minute, s->civil.second, s->has_year ? " year" : "", s->has_zone ? " zone" : "");
}

static void check(const char *line, size_t len, bool closed, const char *host, const char *outer, const char *inner,
	const char *rest)
{
	char *exact = malloc(len ? len : 1), first[48], last[48];
	struct text t = { exact, len };
	struct framing f;

	memcpy(exact, line, len);
	framing_read(t, closed, &f);
	print_stamp(f.has_outer, &f.outer, first);
	print_stamp(f.has_inner, &f.inner, last);
	if (!text_equal(f.host, text_of(host)) || strcmp(first, outer) != 0 || strcmp(last, inner) != 0)
		fail_msg("%s: host \"%.*s\", outer \"%s\", inner \"%s\"", line, TEXT_ARG(f.host), first, last);
	if (f.used > len || (rest && !text_equal(text_skip(t, f.used), text_of(rest))))
		fail_msg("%s: rest \"%.*s\"", line, TEXT_ARG(text_skip(t, f.used)));
	free(exact);
}

/* In front of a mnemonic: all up to the '%' is framing. */
static void closed_by_a_mnemonic(void **state)
{
	static const struct {
		const char *line, *host, *outer, *inner;
	} rows[] = {
		/* syslog.md 2 and the corpus' framing rows */
		{ "<187>364241: May 19 16:58:44.814 GMT: %ADJ-3-RESOLVE_REQ: x", "", "05-19 16:58:44 zone", "" },
		{ "<189>1578041: .Mar 26 20:49:19KST: %CLEAR-5-COUNTERS: x", "", "03-26 20:49:19 zone", "" },
		{ "<190>511: 43w2d: %SYS-6-CLOCKUPDATE: x", "", "up", "" },
		{ "30: foo: 6340004: *Mar  4 11:45:20: %SEC-6-IPACCESSLOGP: x", "foo", "*03-04 11:45:20", "" },
		{ "30: foo: *Apr 29 13:58:46.411: %SYS-6-X: x", "foo", "*04-29 13:58:46", "" },
		{ "foo: *Apr 29 13:58:46.411: %SYSMGR-STANDBY-3-SHUTDOWN_START: x", "foo", "*04-29 13:58:46", "" },
		{ "30: foo: Apr 29 13:58:46.000001: %SYS-6-X: x", "foo", "04-29 13:58:46", "" },
		{ "foo: 00:01:01: %SYSMGR-STANDBY-3-SHUTDOWN_START: x", "foo", "up", "" },
		{ "101 21: %SYSMGR-STANDBY-3-SHUTDOWN_START: x", "", "", "" },
		{ "*Mar  1 18:48:50.483 UTC: %SYS-5-CONFIG_I: x", "", "*03-01 18:48:50 zone", "" },
		{ "RP/0/RP0/CPU0:Oct 20 17:14:37.407 UTC: config[65539]: %MGBL-SYS-5-CONFIG_I : x", "", "10-20 17:14:37 zone", "" },
		{ "<190>290692: HOST_NAME RP/0/RSP0/CPU0:Mar 26 14:47:02.754 : SSHD_[65935]: %SECURITY-SSHD-6-X : x", "HOST_NAME",
			"03-26 14:47:02", "" },
		{ "Jan  8 15:00:23.723 EDT: : %CRYPTO-4-X: x", "", "01-08 15:00:23 zone", "" },
		{ "<188>77: rt7.example.net: *Nov 02 23:59:58: %CRYPTO-4-X: x", "rt7.example.net", "*11-02 23:59:58", "" },
		{ "<189>2026-01-10T12:18:43.404+01:00 rt7 988: Jan 10 11:18:43.404 UTC: %CRYPTO-4-X: x", "rt7", "01-10 12:18:43 year zone",
			"01-10 11:18:43 zone" },
		{ "Jun  5 05:09:30.838 EST: %IP-4-DUPADDR: x", "", "06-05 05:09:30 zone", "" },
		{ "<164>Jan 31 2020 17:24:03: %ASA-4-402119: x", "", "01-31 17:24:03 year", "" },
		{ "<164>Jan 31 2020 17:24:03 fw1 : %ASA-4-402119: x", "fw1", "01-31 17:24:03 year", "" },
		/* each part missing or doubled */
		{ "%CRYPTO-4-X: x", "", "", "" },
		{ "<189>: %CRYPTO-4-X: x", "", "", "" },
		{ "<0>%CRYPTO-4-X: x", "", "", "" },
		{ "<187>%CRYPTO-4-X: x", "", "", "" },
		{ "4711: 4729: %CRYPTO-4-X: x", "", "", "" },
		{ "<189>123 Nov  2 04:00:48: %CRYPTO-4-X: x", "", "11-02 04:00:48", "" }, /* number without its colon */
		{ "rt7 Nov  2 04:00:48: %CRYPTO-4-X: x", "rt7", "11-02 04:00:48", "" },
		{ "rt7: Nov  2 04:00:48: %CRYPTO-4-X: x", "rt7", "11-02 04:00:48", "" },
		{ "Nov  2 04:00:48 rt7 %CRYPTO-4-X: x", "rt7", "11-02 04:00:48", "" },
		{ "Nov  2 04:00:48 rt7: %CRYPTO-4-X: x", "rt7", "11-02 04:00:48", "" },
		{ "Nov  2 04:00:48 HUB: %CRYPTO-4-X: x", "HUB", "11-02 04:00:48", "" },
		{ "Nov  2 04:00:48 192.0.2.9 %CRYPTO-4-X: x", "192.0.2.9", "11-02 04:00:48", "" },
		{ "Nov  2 04:00:48 2001:db8::9 %CRYPTO-4-X: x", "2001:db8::9", "11-02 04:00:48", "" },
		{ "Nov  2 04:00:48 192.0.2.9 4711: rt7: *Nov  2 03:00:47.123: %CRYPTO-4-X: x", "rt7", "11-02 04:00:48", "*11-02 03:00:47" },
		{ "Nov  2 04:00:48 192.0.2.9 4711: *Nov  2 03:00:47.123: %CRYPTO-4-X: x", "192.0.2.9", "11-02 04:00:48", "*11-02 03:00:47" },
		{ "Nov  2 04:00:48 192.0.2.9 2012: Nov  2 03:00:47: %CRYPTO-4-X: x", "192.0.2.9", "11-02 04:00:48", "11-02 03:00:47" },
		/* a relay behind a relay: the first stamp and the last */
		{ "Nov  2 04:00:48 log1 Nov  2 04:00:47 192.0.2.9 88: Nov  2 04:00:46.5: %CRYPTO-4-X: x", "192.0.2.9", "11-02 04:00:48",
			"11-02 04:00:46" },
		{ "<13>Nov  2 04:00:48 log1 <187>88: Nov  2 04:00:46.5: %CRYPTO-4-X: x", "log1", "11-02 04:00:48", "11-02 04:00:46" },
		/* RFC 5424 */
		{ "<189>1 2026-11-02T10:15:31Z rt7 - - - - %CRYPTO-4-X: x", "rt7", "11-02 10:15:31 year zone", "" },
		{ "<189>1 2026-11-02T10:15:31.123+01:00 192.0.2.9 cisco 12 ID47 [meta a=\"x ] y\"][b] 88: Nov  2 09:15:30: %CRYPTO-4-X: x",
			"192.0.2.9", "11-02 10:15:31 year zone", "11-02 09:15:30" },
		{ "<189>1 - - - - - - rt7: Nov  2 09:15:30: %CRYPTO-4-X: x", "rt7", "11-02 09:15:30", "" },
		{ "1 2026-11-02T10:15:31Z rt7 app - - \xef\xbb\xbf%CRYPTO-4-X: x", "rt7", "11-02 10:15:31 year zone", "" },
		/* what grep puts in front */
		{ "rt7.log:Nov  2 04:00:48 rt7 %CRYPTO-4-X: x", "rt7", "11-02 04:00:48", "" },
		{ "/var/log/net/rt7.log:Nov  2 04:00:48 rt7 %CRYPTO-4-X: x", "rt7", "11-02 04:00:48", "" },
		{ "./messages-20261102:118:Nov  2 04:00:48 rt7 %CRYPTO-4-X: x", "rt7", "11-02 04:00:48", "" },
		{ "118:*Nov  2 04:00:48.123: %CRYPTO-4-X: x", "", "*11-02 04:00:48", "" },
		{ "messages:<189>88: Nov  2 04:00:48: %CRYPTO-4-X: x", "", "11-02 04:00:48", "" },
		{ "118:2026-11-02T10:15:31Z rt7 %CRYPTO-4-X: x", "rt7", "11-02 10:15:31 year zone", "" },
		/* a terminal */
		{ "hub#*Nov  2 04:00:48.123: %CRYPTO-4-X: x", "", "*11-02 04:00:48", "" },
		{ "hub(config-if)# Nov  2 04:00:48.123: %CRYPTO-4-X: x", "", "11-02 04:00:48", "" },
		/* no hosts */
		{ "14:01:03 %CRYPTO-4-X: x", "", "", "" },
		{ "2026-11-02T10:15:31Z rt7 4711 - %CRYPTO-4-X: x", "rt7", "11-02 10:15:31 year zone", "" },
		/* IOS XE's wrapper: words that are no host */
		{ "Nov 26 12:28:42.111: IOSXE-3-PLATFORM: SIP0: cpp_cp: QFP:0.0 Thread:000 TS:0000018 %IPSEC-3-HMAC_ERROR: x", "",
			"11-26 12:28:42", "" },
		{ "see what the router said there about %CRYPTO-4-X: x", "", "", "" },
		/* a tag without its colon, right in front: no byte outside is looked at */
		{ "charon[123] %CRYPTO-4-X: x", "", "", "" },
		{ "charon[123]%CRYPTO-4-X: x", "", "", "" },
		{ "\t  Nov  2 04:00:48: %CRYPTO-4-X: x", "", "11-02 04:00:48", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check(rows[i].line, strcspn(rows[i].line, "%"), true, rows[i].host, rows[i].outer, rows[i].inner, NULL);
}

/* Lines without a mnemonic: a word is a host only where something proves it. */
static void open_lines(void **state)
{
	static const struct {
		const char *line, *host, *outer, *inner, *rest;
	} rows[] = {
		{ "Nov 28 22:23:00 fw-1A charon[61694]: 06[ENC] <490> parsed", "fw-1A", "11-28 22:23:00", "", "charon[61694]: 06[ENC] <490> parsed" },
		{ "Nov 28 22:23:00 fw1 kernel: audit: type=1415", "fw1", "11-28 22:23:00", "", "kernel: audit: type=1415" },
		{ "Nov 28 22:23:00 fw1 sshd[12]: error", "fw1", "11-28 22:23:00", "", "sshd[12]: error" },
		{ "2026-11-02T10:15:31.208321-05:00 fw1 charon: 06[ENC] parsed", "fw1", "11-02 10:15:31 year zone", "", "charon: 06[ENC] parsed" },
		{ "Mon 2026-11-02 10:15:31 UTC fw1 charon[1]: parsed", "fw1", "11-02 10:15:31 year zone", "", "charon[1]: parsed" },
		{ "<30>Nov  2 04:00:48 charon: 06[ENC] parsed", "", "11-02 04:00:48", "", "charon: 06[ENC] parsed" },
		{ "Sep  8 11:18:20 CHILD_SA host-host{34850} state change", "", "09-08 11:18:20", "", "CHILD_SA host-host{34850} state change" },
		{ "Nov  2 04:00:48 192.0.2.9 date=2026-11-02 time=04:00:47 devname=fg1", "192.0.2.9", "11-02 04:00:48", "",
			"date=2026-11-02 time=04:00:47 devname=fg1" },
		{ "<189>date=2026-11-02 time=04:00:47", "", "", "", "date=2026-11-02 time=04:00:47" },
		{ "<189>1 2026-11-02T10:15:31Z fw1 charon 12 - - 06[ENC] parsed", "fw1", "11-02 10:15:31 year zone", "", "06[ENC] parsed" },
		{ "Nov  2 04:00:48 rt7 last message repeated 3 times", "rt7", "11-02 04:00:48", "", "last message repeated 3 times" },
		{ "<191>: rt7: Nov 22 03:15:04.461 CET: last message repeated 12 times", "rt7", "11-22 03:15:04 zone", "",
			"last message repeated 12 times" },
		{ "rt7: last message repeated 3 times", "rt7", "", "", "last message repeated 3 times" },
		{ "Nov  2 04:00:48 rt7 88: *Nov  2 03:00:00.1: ISAKMP-ERROR: (0):ignoring", "rt7", "11-02 04:00:48", "*11-02 03:00:00",
			"ISAKMP-ERROR: (0):ignoring" },
		{ "*Nov  2 03:00:00.1: ISAKMP-ERROR: (0):ignoring", "", "*11-02 03:00:00", "", "ISAKMP-ERROR: (0):ignoring" },
		{ "messages:Nov  2 04:00:48 fw1 charon[1]: parsed", "fw1", "11-02 04:00:48", "", "charon[1]: parsed" },
		{ "08:50:52.934611 IP 192.0.2.1 > 198.51.100.7: ESP(spi=0xca900858,seq=0xfe36), length 100", "", "", "",
			"08:50:52.934611 IP 192.0.2.1 > 198.51.100.7: ESP(spi=0xca900858,seq=0xfe36), length 100" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check(rows[i].line, strlen(rows[i].line), false, rows[i].host, rows[i].outer, rows[i].inner, rows[i].rest);
}

static void what_continues_a_message(void **state)
{
	static const struct {
		const char *line;
		bool is_continuation;
	} rows[] = {
		{ "has invalid spi for destaddr=192.0.2.1, prot=50, spi=0x3D0012AB(1023414955),", true },
		{ "   srcaddr=198.51.100.7", true },
		{ "srcaddr=198.51.100.7, input interface=Tunnel0", true },
		{ "863E(3076621886), srcaddr=198.51.100.7", true },
		{ "2.1, prot=50, spi=0x3D0012AB(1023414955), srcaddr=198.51.100.7", true },
		{ "50, spi=0x3D0012AB(1023414955), srcaddr=198.51.100.7", true },
		{ "192.0.2.1, prot=50", true },
		{ "", true },
		{ "Router# show platform hardware qfp active statistics drop", true },
		{ "connection id=29, sequence number=219", true },
		{ "Nov  2 04:00:48 rt7 has invalid spi for destaddr=192.0.2.1", false },
		{ "Nov  2 04:00:48: something else", false },
		{ "<189>88: has invalid spi for", false },
		{ "43w2d: something", false },
		{ "2026-11-02T10:15:31Z rt7 srcaddr=198.51.100.7", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct framing f;

		framing_read(text_of(rows[i].line), false, &f);
		if (f.is_continuation_shape != rows[i].is_continuation)
			fail_msg("%s", rows[i].line);
	}
}

/* A host of more than 255 bytes, a flood of words, digits, brackets: nothing crashes, nothing is a host. */
static void hostile_ones(void **state)
{
	char line[4096];
	struct framing f;

	(void)state;
	memset(line, 'a', sizeof(line));
	framing_read((struct text){ line, sizeof(line) }, true, &f);
	assert_int_equal(f.host.len, 0);
	for (size_t i = 1; i < sizeof(line); i += 2)
		line[i] = ' ';
	framing_read((struct text){ line, sizeof(line) }, true, &f);
	assert_int_equal(f.host.len, 0);
	memset(line, '9', sizeof(line));
	framing_read((struct text){ line, sizeof(line) }, true, &f);
	assert_false(f.has_outer);
	memset(line, '<', sizeof(line));
	framing_read((struct text){ line, sizeof(line) }, true, &f);
	assert_int_equal(f.used, 0);
	memset(line, ':', sizeof(line));
	framing_read((struct text){ line, sizeof(line) }, true, &f);
	assert_int_equal(f.used, sizeof(line));
	framing_read(TEXT("<189>1 2026-11-02T10:15:31Z rt7 app - - [never closed \\"), true, &f);
	assert_true(text_equal(f.host, TEXT("rt7")));
	framing_read(TEXT_NONE, true, &f);
	assert_int_equal(f.used, 0);
}

static void cut_at_every_byte(void **state)
{
	static const char *const rows[] = {
		"<189>1 2026-11-02T10:15:31.123+01:00 192.0.2.9 cisco[1]: 12 ID47 [meta a=\"x \\] y\"][b] 88: Nov  2 09:15:30: ",
		"./messages:118:<190>290692: rt7: RP/0/RSP0/CPU0:Mar 26 14:47:02.754 UTC: : SSHD_[65935]: ",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t len = 0; len <= strlen(rows[i]); len++) {
			char *exact = malloc(len ? len : 1);

			memcpy(exact, rows[i], len);
			for (int closed = 0; closed < 2; closed++) {
				struct framing f;

				framing_read((struct text){ exact, len }, closed, &f);
				assert_true(f.used <= len);
				assert_true(f.host.len == 0 || (f.host.at >= exact && f.host.at + f.host.len <= exact + len));
				assert_true(f.has_outer || !f.has_inner);
			}
			free(exact);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closed_by_a_mnemonic),
		cmocka_unit_test(open_lines),
		cmocka_unit_test(what_continues_a_message),
		cmocka_unit_test(hostile_ones),
		cmocka_unit_test(cut_at_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
