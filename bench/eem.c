/* SPDX-License-Identifier: MIT */
/*
 * eem [PATTERNS]: what it costs to ask of each syslog line which of ten thousand applets wait for it, against vectorscan in
 * the same run. Lines a second on one core by the processor's clock (the best of several rounds), and the time to compile.
 * Both must find the same. Exit status 1 when the goal of DESIGN.md 9 is missed: 3 million lines/s, compiled in 0.5 s.
 *
 * The patterns: 60 % a mnemonic and a detail ("LINK-3-UPDOWN.*Gi0/1"), 15 % a mnemonic alone, 15 % one peer each of a
 * single mnemonic (the note's: "CRYPTO-4-RECVD_PKT_INV_SPI.*srcaddr=10.1.2.3", dots as they are written), 5 % a mnemonic and
 * a choice ("...(up|down)"), 5 % without any mnemonic. 2,000 mnemonics. The lines, about 110 bytes: their mnemonics are
 * drawn from those and as many again that nobody waits for; one in fifty is of the single mnemonic.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "eem/match.h"

#ifdef HAVE_HS
#include <hs/hs.h>
#endif

#define LINES 20000 /* some MiB, one behind the other: as they lie when a socket gave them */
#define LINE_MAX_BYTES 256
#define PATTERN_MAX_BYTES 128
#define MNEMONICS 4000 /* the first half has patterns */
#define ROUNDS 40       /* the best one counts: what disturbs only ever adds */
#define GOAL_LINES 3e6
#define GOAL_SECONDS 0.5

struct work {
	char (*patterns)[PATTERN_MAX_BYTES];
	uint32_t count;
	char *lines;
	struct text *texts;
	uint64_t random;
	uint64_t bytes;
};

static uint64_t draw(struct work *w)
{
	uint64_t x = w->random += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static uint32_t below(struct work *w, uint32_t n)
{
	return (uint32_t)((draw(w) >> 32) * n >> 32);
}

static void *need(void *memory)
{
	if (!memory) {
		fputs("eem: out of memory\n", stderr);
		exit(2);
	}
	return memory;
}

/* Of the processor, so that a busy machine disturbs less. */
static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* "OSPF7-5-ADJ_CHG31": the same for the same number. */
static int mnemonic(uint32_t number, char *to, size_t size)
{
	static const char *const facilities[] = { "LINK", "LINEPROTO", "SYS", "OSPF", "BGP", "DUAL", "CRYPTO", "SEC_LOGIN", "HSRP",
						  "STANDBY", "PLATFORM", "SPANTREE", "ENVMON", "IFMGR", "PARSER", "DHCPD" };
	static const char *const names[] = { "UPDOWN", "CONFIG_I", "ADJCHG", "ADJCHANGE", "NBRCHANGE", "LOGIN_SUCCESS", "STATECHANGE",
					     "TEMP_WARNING", "IKMP_NO_SA", "CPURISINGTHRESHOLD", "MALLOCFAIL", "TOPOTRAP" };

	return snprintf(to, size, "%s%u-%u-%s%u", facilities[number % 16], number / 16 % 8, number * 7 % 8, names[number / 128 % 12],
			number / 1536);
}

static void make_pattern(struct work *w, char *to)
{
	uint32_t kind = below(w, 100);
	char name[64];

	mnemonic(below(w, MNEMONICS / 2), name, sizeof(name));
	if (kind < 60)
		snprintf(to, PATTERN_MAX_BYTES, "%s.*Interface GigabitEthernet%u/%u", name, below(w, 8), below(w, 48));
	else if (kind < 75)
		snprintf(to, PATTERN_MAX_BYTES, "%%%s:", name);
	else if (kind < 90)
		snprintf(to, PATTERN_MAX_BYTES, "CRYPTO-4-RECVD_PKT_INV_SPI.*srcaddr=10.%u.%u.%u", below(w, 4), below(w, 256), below(w, 256));
	else if (kind < 95)
		snprintf(to, PATTERN_MAX_BYTES, "%s.*GigabitEthernet[0-9]/%u, changed state to (up|down)", name, below(w, 48));
	else
		snprintf(to, PATTERN_MAX_BYTES, "neighbor 172.%u.%u.%u is (lost|down)", 16 + below(w, 16), below(w, 256), below(w, 256));
}

static void make_line(struct work *w, char *to, struct text *text)
{
	char name[64];
	int len;

	if (below(w, 50) == 0) {
		len = snprintf(to, LINE_MAX_BYTES, "%%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi for "
			       "destaddr=192.0.2.1, prot=50, spi=0x%X(%u), srcaddr=10.%u.%u.%u, input interface=GigabitEthernet1",
			       (unsigned)draw(w), (unsigned)draw(w), below(w, 4), below(w, 256), below(w, 256));
	} else {
		mnemonic(below(w, MNEMONICS), name, sizeof(name));
		len = snprintf(to, LINE_MAX_BYTES, "Nov 29 12:%02u:%02u: %%%s: Interface GigabitEthernet%u/%u, changed state to %s, neighbor "
			       "172.%u.%u.%u is %s", below(w, 60), below(w, 60), name, below(w, 8), below(w, 48), below(w, 2) ? "up" : "down",
			       16 + below(w, 16), below(w, 256), below(w, 256), below(w, 2) ? "there" : "lost");
	}
	*text = (struct text){ to, (size_t)len };
	w->bytes += (uint64_t)len;
}

static void prepare(struct work *w, uint32_t count)
{
	w->random = 1;
	w->count = count;
	w->patterns = need(calloc(count, sizeof(*w->patterns)));
	w->lines = need(calloc(LINES, LINE_MAX_BYTES));
	w->texts = need(calloc(LINES, sizeof(*w->texts)));
	for (uint32_t i = 0; i < count; i++)
		make_pattern(w, w->patterns[i]);
	for (uint32_t i = 0; i < LINES; i++)
		make_line(w, w->lines + w->bytes, &w->texts[i]);
}

struct result {
	double compile, lines;
	uint64_t matches;
};

static struct result run_spimend(const struct work *w, uint32_t count)
{
	struct eem_pattern **patterns = need(calloc(count, sizeof(*patterns)));
	struct result r = { .lines = 0 };
	struct eem_matcher_figures f;
	struct eem_matcher *m;
	double from = now();
	char why[160];
	size_t offset;

	for (uint32_t i = 0; i < count; i++) {
		if (eem_pattern_new(text_of(w->patterns[i]), why, sizeof(why), &offset, &patterns[i]) < 0) {
			fprintf(stderr, "eem: %s: %s\n", w->patterns[i], why);
			exit(2);
		}
	}
	if (eem_matcher_new(patterns, count, &m) < 0)
		need(NULL);
	r.compile = now() - from;
	for (unsigned round = 0; round < ROUNDS; round++) {
		const uint32_t *hits;
		uint64_t matches = 0;
		double took;

		from = now();
		for (uint32_t i = 0; i < LINES; i++)
			matches += eem_matcher_find(m, w->texts[i], &hits, NULL);
		took = now() - from;
		r.matches = matches;
		if (LINES / took > r.lines)
			r.lines = LINES / took;
	}
	f = eem_matcher_figures(m);
	printf("%u patterns: %u mnemonics, %u found by another text, %u tried on each line; %.2f searches a line\n", f.patterns, f.mnemonics,
	       f.by_text, f.always, (double)f.searches / ROUNDS / LINES);
	eem_matcher_free(m);
	for (uint32_t i = 0; i < count; i++)
		eem_pattern_free(patterns[i]);
	free(patterns);
	return r;
}

#ifdef HAVE_HS
static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
	(void)id;
	(void)from;
	(void)to;
	(void)flags;
	++*(uint64_t *)context;
	return 0;
}

static struct result run_vectorscan(const struct work *w)
{
	const char **expressions = need(calloc(w->count, sizeof(*expressions)));
	unsigned *flags = need(calloc(w->count, sizeof(*flags))), *ids = need(calloc(w->count, sizeof(*ids)));
	struct result r = { .lines = 0 };
	hs_compile_error_t *error;
	hs_database_t *database;
	hs_scratch_t *scratch = NULL;
	double from = now();

	for (uint32_t i = 0; i < w->count; i++) {
		expressions[i] = w->patterns[i];
		flags[i] = HS_FLAG_DOTALL | HS_FLAG_SINGLEMATCH;
		ids[i] = i;
	}
	if (hs_compile_multi(expressions, flags, ids, w->count, HS_MODE_BLOCK, NULL, &database, &error) != HS_SUCCESS) {
		fprintf(stderr, "eem: vectorscan: %s\n", error->message);
		exit(2);
	}
	r.compile = now() - from;
	if (hs_alloc_scratch(database, &scratch) != HS_SUCCESS)
		need(NULL);
	for (unsigned round = 0; round < 3; round++) {
		uint64_t matches = 0;
		double took;

		from = now();
		for (uint32_t i = 0; i < LINES; i++)
			hs_scan(database, w->texts[i].at, (unsigned)w->texts[i].len, 0, scratch, on_match, &matches);
		took = now() - from;
		r.matches = matches;
		if (LINES / took > r.lines)
			r.lines = LINES / took;
	}
	hs_free_scratch(scratch);
	hs_free_database(database);
	free(expressions);
	free(flags);
	free(ids);
	return r;
}
#endif

static void print(const char *name, const struct result *r, const struct result *own)
{
	printf("%-24s %12.2f %12.2f %12.2f %12llu\n", name, r->compile, r->lines / 1e6, own->lines / r->lines,
	       (unsigned long long)r->matches);
}

int main(int argc, char **argv)
{
	struct work work = { .count = 0 };
	struct result own, one;
	long count = argc > 1 ? strtol(argv[1], NULL, 10) : 10000;
	bool fast, quick;

	if (argc > 2 || count < 1 || count > 1000000) {
		fputs("usage: eem [PATTERNS]\n", stderr);
		return 2;
	}
	prepare(&work, (uint32_t)count);
	own = run_spimend(&work, work.count);
	one = run_spimend(&work, 1);
	printf("%u lines of %.0f bytes\n\n%-24s %12s %12s %12s %12s\n", LINES, (double)work.bytes / LINES, "", "compile s", "M lines/s",
	       "x slower", "matches");
	print("spimend", &own, &own);
	print("spimend, one pattern", &one, &own);
#ifdef HAVE_HS
	{
		struct result hs = run_vectorscan(&work);

		print("vectorscan", &hs, &own);
		printf("\n%.1f times as fast as vectorscan, compiled %.0f times as fast\n", own.lines / hs.lines, hs.compile / own.compile);
		if (hs.matches != own.matches) {
			fputs("eem: vectorscan finds something else\n", stderr);
			return 2;
		}
	}
#else
	puts("vectorscan               not installed (libvectorscan-dev): scripts/deps bench");
#endif
	fast = own.lines >= GOAL_LINES;
	quick = own.compile <= GOAL_SECONDS;
	printf("\nspeed:   %.2f M lines/s, at least %.0f: %s\ncompile: %.3f s, at most %.1f: %s\n", own.lines / 1e6, GOAL_LINES / 1e6,
	       fast ? "met" : "MISSED", own.compile, GOAL_SECONDS, quick ? "met" : "MISSED");
	free(work.patterns);
	free(work.lines);
	free(work.texts);
	return fast && quick ? 0 : 1;
}
