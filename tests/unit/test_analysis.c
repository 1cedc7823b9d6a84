/* SPDX-License-Identifier: MIT */
/*
 * The straight line as a whole: bytes in, incidents out. Above all: a log that is read sparsely, with a second look where a
 * verdict hangs on it, gives exactly what a log gives whose every line was read.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/buffer.h"
#include "cmd/analysis.h"
#include "record/incident_json.h"

struct generator {
	uint64_t state;
	struct buffer log;
	int64_t second; /* since midnight of Nov 2 */
};

static uint64_t draw(struct generator *g, uint64_t below)
{
	g->state ^= g->state << 13;
	g->state ^= g->state >> 7;
	g->state ^= g->state << 17;
	return g->state % below;
}

static void add_line(struct generator *g, unsigned hosts)
{
	char stamp[32];
	unsigned host = (unsigned)draw(g, hosts);
	unsigned peer = (unsigned)draw(g, 3) + 1, spi = (unsigned)draw(g, 6);

	g->second += (int64_t)draw(g, 40);
	snprintf(stamp, sizeof(stamp), "Nov %2d %02d:%02d:%02d", (int)(2 + g->second / 86400), (int)(g->second / 3600 % 24),
		 (int)(g->second / 60 % 60), (int)(g->second % 60));
	switch (draw(g, 12)) {
	case 0:
	case 1:
		buffer_printf(&g->log,
			      "%s rt%u %" PRIu64 ": %s.120: %%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid "
			      "spi for destaddr=192.0.2.%u, prot=50, spi=0xC0FFEE%02X(3), srcaddr=198.51.100.%u\n",
			      stamp, host, draw(g, 9999), stamp, host + 1, spi, peer);
		break;
	case 2:
		buffer_printf(&g->log, "%s rt%u last message repeated %" PRIu64 " times\n", stamp, host, draw(g, 4) + 1);
		break;
	case 3:
		buffer_printf(&g->log,
			      "%s rt%u 7: %s.1: %%LINEPROTO-5-UPDOWN: Line protocol on Interface Tunnel%" PRIu64
			      ", changed state to down\n",
			      stamp, host, stamp, draw(g, 3));
		break;
	case 4: /* a relay in front: the inner host counts */
		buffer_printf(&g->log, "%s relay 77: rt%u: *%s: %%SYS-6-LOGOUT: User netops has exited tty session 6\n", stamp,
			      host, stamp);
		break;
	case 5:
		buffer_printf(&g->log, "%s rt%u sshd[28462]: Accepted publickey for netops\n", stamp, host);
		break;
	case 6: /* wrapped over two lines */
		buffer_printf(&g->log,
			      "%s rt%u 9: %s.5: %%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi for\n"
			      "   destaddr=192.0.2.%u, prot=50, spi=0xFACE00%02X(3), srcaddr=198.51.100.%u\n",
			      stamp, host, stamp, host + 1, spi, peer);
		break;
	case 7: /* without a host */
		buffer_printf(&g->log, "*%s.700: %%SYS-5-CONFIG_I: Configured from console by vty0\n", stamp);
		break;
	default:
		buffer_printf(&g->log, "%s rt%u %" PRIu64 ": %s.9: %%LINK-3-UPDOWN: Interface Gi0/1, changed state to up\n",
			      stamp, host, draw(g, 9999), stamp);
		break;
	}
}

static size_t again(void *context, uint64_t offset, char *to, size_t size)
{
	struct text log = *(struct text *)context;

	log = text_first(text_skip(log, (size_t)offset), size);
	memcpy(to, log.at, log.len);
	return log.len;
}

/* Whole lines of about `piece` bytes at a time. */
static void feed(struct analysis *a, int log, struct text bytes, size_t piece)
{
	while (bytes.len) {
		const char *end = piece < bytes.len ? memchr(bytes.at + piece, '\n', bytes.len - piece) : NULL;
		size_t n = end ? (size_t)(end - bytes.at) + 1 : bytes.len;

		analysis_feed(a, log, text_first(bytes, n));
		bytes = text_skip(bytes, n);
	}
}

static void run(struct text log, size_t piece, bool sparse, struct buffer *out)
{
	struct log_rules rules = { .stamps.year = 2026 };
	struct judge_settings settings;
	struct analysis *a = NULL;
	struct incident incident;
	int number;

	judge_settings_default(&settings);
	settings.flows_max = 512;
	settings.ghosts_max = 512;
	assert_int_equal(analysis_new(&settings, &rules, NULL, NULL, &a), 0);
	number = analysis_add_log(a, TEXT("test.log"), sparse ? again : NULL, &log);
	assert_int_equal(number, 0);
	feed(a, number, log, piece);
	analysis_flush(a, number);
	analysis_catch_up(a, number);
	assert_int_equal(analysis_settle(a), 0);
	for (size_t i = 0; i < judge_incidents(analysis_judge(a)); i++) {
		struct plan plan;

		judge_incident(analysis_judge(a), i, &incident);
		/* Surroundings are shown where they were read; no verdict hangs on them. */
		incident.evidence_count = 0;
		incident.flags &= ~(uint32_t)(FLAG_EVIDENCE_CUT | FLAG_BOTH_ENDS);
		plan_build(&incident, &plan);
		record_incident_json(&incident, &plan, false, out);
	}
	analysis_free(a);
}

static void sparse_is_exact(void **state)
{
	const char *given = getenv("SPIMEND_TEST_SEED");
	uint64_t first = given ? strtoull(given, NULL, 10) : 1;
	int rounds = given ? 1 : 150;

	(void)state;
	for (int i = 0; i < rounds; i++) {
		struct generator g = { .state = (first + (uint64_t)i) * UINT64_C(0x9e3779b97f4a7c15) | 1 };
		unsigned hosts = (unsigned)draw(&g, 12) + 1;
		unsigned lines = (unsigned)draw(&g, 400) + 1;
		struct buffer exact = { 0 }, sparse = { 0 };

		for (unsigned n = 0; n < lines; n++)
			add_line(&g, hosts);
		run(buffer_text(&g.log), SIZE_MAX, false, &exact);
		run(buffer_text(&g.log), 100 + draw(&g, 5000), true, &sparse);
		if (!text_equal(buffer_text(&exact), buffer_text(&sparse))) {
			fprintf(stderr, "SPIMEND_TEST_SEED=%" PRIu64 "\n--- every line\n%.*s--- sparse\n%.*s", first + (uint64_t)i,
				      TEXT_ARG(buffer_text(&exact)), TEXT_ARG(buffer_text(&sparse)));
			fail();
		}
		assert_true(lines < 100 || exact.len > 0);
		buffer_done(&exact);
		buffer_done(&sparse);
		buffer_done(&g.log);
	}
}

/* The first sighting lies far back, its host fell silent, another talks on: only the former is undecided. */
static void catching_up_stops_at_the_right_host(void **state)
{
	struct buffer log = { 0 }, out = { 0 };

	(void)state;
	for (int host = 1; host <= 2; host++)
		buffer_printf(&log,
			      "Nov  2 04:00:0%d rt%d 1: %%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi for "
			      "destaddr=192.0.2.%d, prot=50, spi=0xC0FFEE0%d(3), srcaddr=198.51.100.%d\n",
			      host, host, host, host, host);
	for (int i = 0; i < 60000; i++)
		buffer_printf(&log, "Nov  2 %02d:%02d:%02d rt2 %d: %%LINK-3-UPDOWN: Interface Gi0/1, changed state to up\n",
			      4 + (i + 10) / 3600, (i + 10) / 60 % 60, (i + 10) % 60, i);
	run(buffer_text(&log), 1 << 18, true, &out);
	buffer_add_char(&out, '\0');
	assert_true(text_has(buffer_text(&out), TEXT("\"spi\":\"0xc0ffee01\"")));
	assert_non_null(strstr(strstr(out.bytes, "0xc0ffee01"), "\"verdict\":\"undecided\""));
	assert_true(text_has(text_skip(buffer_text(&out), text_find(buffer_text(&out), TEXT("\"spi\":\"0xc0ffee02\""))),
			     TEXT("\"verdict\":\"transient\"")));
	buffer_done(&log);
	buffer_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sparse_is_exact),
		cmocka_unit_test(catching_up_stops_at_the_right_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
