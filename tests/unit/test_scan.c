/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* The source itself: its table of needles is the reference's too. */
#include "../../src/parse/scan.c"

static const enum scan_width widths[] = { SCAN_PORTABLE, SCAN_AVX2, SCAN_AVX512, SCAN_AVX512_VBMI };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LINES_MAX 4096
#define EXACT (SCAN_CANDIDATE | SCAN_SURROUNDING | SCAN_DISTANT)

struct seen {
	struct text line;
	uint64_t number;
	unsigned marks;
};

struct lines {
	struct seen seen[LINES_MAX];
	size_t count;
	unsigned want_every; /* the callback asks for the next line after each n-th */
};

static bool keep_line(void *context, struct text line, uint64_t number, unsigned marks)
{
	struct lines *lines = context;

	assert_true(lines->count < LINES_MAX);
	lines->seen[lines->count++] = (struct seen){ line, number, marks };
	return lines->want_every && number % lines->want_every == 0;
}

static unsigned naive_marks(struct text line)
{
	unsigned marks = 0;

	for (size_t i = 0; i < NEEDLES; i++)
		if (text_has(line, needles[i].text))
			marks |= needles[i].mark;
	for (size_t i = 0; i < line.len; i++)
		marks |= line.at[i] == '\0' ? SCAN_NUL : (unsigned char)line.at[i] >= 0x80 ? SCAN_HIGH : 0;
	return marks;
}

static void naive_lines(struct text bytes, struct lines *ret)
{
	uint64_t number = 0;

	ret->count = 0;
	while (bytes.len) {
		size_t end = text_find_char(bytes, '\n');
		struct text line = text_first(bytes, end);

		keep_line(ret, line, number++, naive_marks(line));
		bytes = text_skip(bytes, end == TEXT_NOT_FOUND ? bytes.len : end + 1);
	}
}

/* Odd bytes are told for 64 bytes at a time; a line that is a candidate needs no further mark. */
static bool marks_agree(unsigned found, unsigned expected)
{
	if ((found & SCAN_CANDIDATE) != (expected & SCAN_CANDIDATE))
		return false;
	if (!(expected & SCAN_CANDIDATE) && (found & SCAN_SURROUNDING) != (expected & SCAN_SURROUNDING))
		return false;
	return (found & expected & (SCAN_HIGH | SCAN_NUL)) == (expected & (SCAN_HIGH | SCAN_NUL));
}

static void check(const char *at, size_t len)
{
	static struct lines expected, found;
	char *exact = malloc(len ? len : 1); /* a read past the end is seen */
	struct text bytes = { exact, len };

	memcpy(exact, at, len);
	naive_lines(bytes, &expected);
	for (size_t w = 0; w < COUNT(widths) && widths[w] <= scan_best_width(); w++) {
		struct scan scan;

		scan_init_width(&scan, widths[w]);
		found.count = 0;
		assert_int_equal(scan_lines(&scan, bytes, SCAN_EVERY, keep_line, &found), expected.count);
		assert_int_equal(found.count, expected.count);
		for (size_t i = 0; i < found.count; i++) {
			struct seen *f = &found.seen[i], *e = &expected.seen[i];

			if (f->line.at != e->line.at || f->line.len != e->line.len || f->number != i || !marks_agree(f->marks, e->marks))
				fail_msg("width %d, %zu bytes, line %zu \"%.*s\": marks %u where %u was expected", widths[w], len, i,
					TEXT_ARG(e->line), f->marks, e->marks);
		}
		/* Only marked lines, those asked for, and the first: each where it belongs. */
		for (unsigned mode = 0; mode < 4; mode++) {
			enum scan_which which = mode & 1 ? SCAN_MARKED_AND_FIRST : SCAN_MARKED;
			bool wanted = which == SCAN_MARKED_AND_FIRST;
			size_t next = 0;

			found.count = 0;
			found.want_every = mode & 2 ? 3 : 0;
			assert_int_equal(scan_lines(&scan, bytes, which, keep_line, &found), expected.count);
			for (size_t i = 0; i < expected.count; i++) {
				bool given = next < found.count && found.seen[next].number == i;

				if ((wanted || expected.seen[i].marks & ~(unsigned)SCAN_DISTANT) && !given)
					fail_msg("width %d, mode %u: line %zu was passed over", widths[w], mode, i);
				wanted = given && found.want_every && i % found.want_every == 0;
				if (!given)
					continue;
				assert_true(found.seen[next].line.at == expected.seen[i].line.at);
				assert_int_equal(found.seen[next].line.len, expected.seen[i].line.len);
				next++;
			}
			assert_int_equal(next, found.count);
		}
		found.want_every = 0;
	}
	free(exact);
}

static uint64_t state_of_noise = 88172645463325252u;

static unsigned noise(void)
{
	state_of_noise ^= state_of_noise << 13;
	state_of_noise ^= state_of_noise >> 7;
	state_of_noise ^= state_of_noise << 17;
	return (unsigned)(state_of_noise >> 32);
}

static void every_needle_at_every_offset(void **state)
{
	(void)state;
	for (size_t n = 0; n < NEEDLES; n++) {
		struct text needle = needles[n].text;

		for (size_t at = 0; at < 140; at++) {
			char bytes[300];

			/* at the very end; with more behind it; on a line of its own */
			memset(bytes, '.', sizeof(bytes));
			memcpy(bytes + at, needle.at, needle.len);
			check(bytes, at + needle.len);
			check(bytes, at + needle.len + 1);
			bytes[at + needle.len] = '\n';
			if (at)
				bytes[at - 1] = '\n';
			check(bytes, 200);
			/* cut in two by a line break, and by one byte that is wrong */
			bytes[at + needle.len / 2] = '\n';
			check(bytes, 200);
			bytes[at + needle.len / 2] = '#';
			check(bytes, 200);
		}
	}
}

static void random_bytes(void **state)
{
	static const char few[] = "SPIinvald \n%CRYTOxop=A_HKE\0\xc3\xa9";
	char bytes[1024];

	(void)state;
	for (int round = 0; round < 300; round++) {
		size_t len = noise() % sizeof(bytes);

		for (size_t i = 0; i < len; i++)
			bytes[i] = (char)(round % 2 ? noise() : (unsigned char)few[noise() % (sizeof(few) - 1)]);
		for (int i = 0; i < 8; i++) {
			struct text needle = needles[noise() % NEEDLES].text;
			size_t at = noise() % sizeof(bytes);

			if (at + needle.len < len)
				memcpy(bytes + at, needle.at, needle.len);
		}
		check(bytes, len);
	}
}

static void every_length(void **state)
{
	char bytes[300];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = i % 37 == 36 ? '\n' : i % 11 ? 'x' : ' ';
	memcpy(bytes + 60, "a bad SPI", 9);
	memcpy(bytes + 250, "%HA_EM", 6);
	for (size_t len = 0; len <= sizeof(bytes); len++)
		check(bytes, len);
	memset(bytes, '\n', sizeof(bytes));
	for (size_t len = 0; len <= sizeof(bytes); len++)
		check(bytes, len);
	memset(bytes, '\0', sizeof(bytes));
	check(bytes, sizeof(bytes));
	memset(bytes, 0xff, sizeof(bytes));
	check(bytes, sizeof(bytes));
}

/* Each form of message that we read is a candidate or a surrounding: else it would be passed over unread. */
static void what_we_read_is_found(void **state)
{
	static const struct {
		const char *line;
		unsigned mark;
	} rows[] = {
		{ "x: %CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd", SCAN_CANDIDATE },
		{ "x: %CRYPTO-4-RECVD PKT INV SPI: decaps: rec'd", SCAN_CANDIDATE },
		{ "x: %>CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd", SCAN_CANDIDATE },
		{ "decaps: rec'd IPSEC packet has invalid spi for destaddr=", SCAN_CANDIDATE },
		{ "%PIX-4-402101: decaps: rec'd", SCAN_CANDIDATE },
		{ "%ASA-4-402114: IPSEC: Received an ESP packet (SPI= 0x1A2B3C4D,", SCAN_CANDIDATE },
		{ "%IPSEC-3-HMAC_ERROR: IPSec SA receives HMAC error", SCAN_CANDIDATE },
		{ "HW_VPN-1-HPRXERR: Hardware VPN0/1", SCAN_CANDIDATE },
		{ "ISAKMP-ERROR: (0):ignoring request to send delete notify", SCAN_CANDIDATE },
		{ "rt7: last message repeated 12 times", SCAN_CANDIDATE },
		{ "rt7: message repeated 12 times: [ x]", SCAN_CANDIDATE },
		{ "hub#clear crypto sa peer 192.0.2.1", SCAN_CANDIDATE },
		{ "%SYS-5-RESTART: System restarted --", SCAN_CANDIDATE },
		{ "type=1415 audit(1:2): op=SA-notfound src=192.0.2.1", SCAN_CANDIDATE },
		{ "%SYS-5-CONFIG_I: Configured from console", SCAN_DISTANT },
		{ "%HA_EM-6-LOG: command_hub: x", SCAN_DISTANT },
		{ "%DMVPN-5-NHRP_NHC_DOWN: Tunnel0:", SCAN_SURROUNDING },
		{ "%LINEPROTO-5-UPDOWN: Line protocol on Interface Tunnel10, changed", SCAN_SURROUNDING },
		{ "%LINEPROTO-5-UPDOWN: Line protocol on Interface GigabitEthernet1, changed", 0 },
		{ "sshd[1]: Accepted publickey for root", 0 },
	};
	struct scan scan;

	(void)state;
	scan_init(&scan);
	for (size_t i = 0; i < COUNT(rows); i++) {
		static struct lines found;

		found.count = 0;
		scan_lines(&scan, text_of(rows[i].line), SCAN_EVERY, keep_line, &found);
		assert_int_equal(found.count, 1);
		if ((found.seen[0].marks & EXACT) != rows[i].mark)
			fail_msg("%s: %u", rows[i].line, found.seen[0].marks);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_needle_at_every_offset),
		cmocka_unit_test(random_bytes),
		cmocka_unit_test(every_length),
		cmocka_unit_test(what_we_read_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
