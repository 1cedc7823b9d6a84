/* SPDX-License-Identifier: MIT */
#include "parse/scan.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/*
 * What makes a line a candidate, and the offset of its three rarest bytes: the window that the wide search looks for.
 * A needle costs little; a window that ordinary logs are full of costs much.
 */
static const struct needle {
	struct text text;
	uint8_t window;
	uint8_t bucket;
} needles[] = {
	{ TEXT("SPI"), 0, 0 },             /* every vendor's unknown, bad, invalid SPI; IPSEC-... SPI; ASA 402114 */
	{ TEXT("invalid spi"), 8, 0 },     /* RECVD_PKT_INV_SPI without its name */
	{ TEXT("op=SA"), 2, 1 },           /* Linux audit: SA-notfound and sisters */
	{ TEXT("CHILD_SA"), 5, 1 },        /* strongSwan */
	{ TEXT("IKE_SA"), 3, 1 },
	{ TEXT("%CRYPTO"), 0, 2 },
	{ TEXT("%>CRYPTO"), 0, 2 },        /* quoted mail */
	{ TEXT("%IPSEC"), 0, 2 },
	{ TEXT("%IKE"), 0, 2 },
	{ TEXT("%PIX-4-402"), 0, 2 },
	{ TEXT("%DMVPN"), 0, 3 },
	{ TEXT("%SYS-5-RE"), 5, 3 },       /* RESTART, RELOAD */
	{ TEXT("%SYS-5-CONFIG"), 6, 3 },
	{ TEXT("%HA_EM"), 1, 3 },
	{ TEXT("HW_VPN"), 1, 3 },
	{ TEXT("ISAKMP"), 2, 4 },
	{ TEXT("IPSec packet"), 1, 4 },    /* ZyXEL */
	{ TEXT("IPsec"), 1, 4 },           /* FortiGate's SA life */
	{ TEXT("No ESP SA"), 3, 4 },       /* Nortel */
	{ TEXT("repeated "), 3, 5 },
	{ TEXT("Interface Tunnel"), 10, 5 }, /* line protocol */
	{ TEXT("charon"), 2, 5 },
	{ TEXT("pluto["), 2, 6 },
	{ TEXT("retransmits"), 5, 6 },
	{ TEXT("TEMPORARY_FAILURE"), 9, 6 },
	{ TEXT("TEMP_FAIL"), 4, 6 },
	{ TEXT("INITIAL_CONTACT"), 8, 6 },
	{ TEXT("INVAL"), 1, 6 },           /* notifies */
	{ TEXT("Crypto map tag"), 11, 7 }, /* a saved show crypto ipsec sa */
	{ TEXT("interface: "), 7, 7 },
	{ TEXT("crypto "), 1, 7 },         /* a typed clear, a saved show */
	{ TEXT("sa_spi"), 1, 7 },          /* IOS debugs */
	{ TEXT("anti-replay drop"), 3, 7 },
	{ TEXT("sdwan"), 0, 7 },
	{ TEXT("bfd-state"), 3, 7 },
	{ TEXT("BFD_SESS"), 3, 7 },
};

#define NEEDLES (sizeof(needles) / sizeof(needles[0]))
_Static_assert(NEEDLES <= SCAN_NEEDLES_MAX, "raise SCAN_NEEDLES_MAX");

void scan_init_portable(struct scan *scan)
{
	memset(scan, 0, sizeof(*scan));
	for (uint8_t i = 0; i < NEEDLES; i++) {
		const struct needle *n = &needles[i];
		const unsigned char *window = (const unsigned char *)n->text.at + n->window;
		unsigned pair = (unsigned)window[0] << 8 | window[1];

		for (int place = 0; place < 3; place++) {
			scan->nibbles[place].low[window[place] & 15] |= (uint8_t)(1 << n->bucket);
			scan->nibbles[place].high[window[place] >> 4] |= (uint8_t)(1 << n->bucket);
		}
		scan->pair[pair / 8] |= (uint8_t)(1 << pair % 8);
		scan->bucket_needles[n->bucket][scan->bucket_count[n->bucket]++] = i;
	}
}

void scan_init(struct scan *scan)
{
	scan_init_portable(scan);
#if defined(__x86_64__)
	scan->wide = __builtin_cpu_supports("avx2");
#endif
}

/* Does a needle of one of these buckets have its window at `at`? */
static bool is_needle(const struct scan *scan, struct text bytes, size_t at, unsigned buckets)
{
	for (; buckets; buckets &= buckets - 1) {
		int bucket = __builtin_ctz(buckets);

		for (unsigned i = 0; i < scan->bucket_count[bucket]; i++) {
			const struct needle *n = &needles[scan->bucket_needles[bucket][i]];

			if (at >= n->window && at - n->window + n->text.len <= bytes.len &&
			    memcmp(bytes.at + at - n->window, n->text.at, n->text.len) == 0)
				return true;
		}
	}
	return false;
}

struct cutter {
	const struct scan *scan;
	struct text bytes;
	size_t line_start;
	unsigned marks;
	uint64_t lines;
	scan_line_fn *fn;
	void *context;
};

static inline void cut_line(struct cutter *c, size_t end)
{
	c->lines++;
	c->fn(c->context, text_between(c->bytes.at + c->line_start, c->bytes.at + end), c->marks);
	c->line_start = end + 1;
	c->marks = 0;
}

/* A needle never spans lines, so a hit belongs to the line that its window is in. */
static void scan_narrow(struct cutter *c, size_t from)
{
	const unsigned char *b = (const unsigned char *)c->bytes.at;

	for (size_t i = from; i < c->bytes.len; i++) {
		if (b[i] == '\n') {
			cut_line(c, i);
			continue;
		}
		if (b[i] >= 0x80)
			c->marks |= SCAN_HIGH;
		else if (b[i] == 0)
			c->marks |= SCAN_NUL;
		if (!(c->marks & SCAN_CANDIDATE) && i + 2 < c->bytes.len) {
			unsigned pair = (unsigned)b[i] << 8 | b[i + 1];

			if (c->scan->pair[pair / 8] >> pair % 8 & 1 && is_needle(c->scan, c->bytes, i, 0xff))
				c->marks |= SCAN_CANDIDATE;
		}
	}
}

#if defined(__x86_64__)

__attribute__((target("avx2"))) static inline __m256i place_mask(const struct scan *scan, int place, __m256i bytes)
{
	const __m256i nibble = _mm256_set1_epi8(15);
	__m256i low = _mm256_broadcastsi128_si256(_mm_load_si128((const __m128i *)scan->nibbles[place].low));
	__m256i high = _mm256_broadcastsi128_si256(_mm_load_si128((const __m128i *)scan->nibbles[place].high));

	return _mm256_and_si256(_mm256_shuffle_epi8(low, _mm256_and_si256(bytes, nibble)),
				_mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble)));
}

/* Bits of the 32 positions from `at` where a window may stand; the bucket bits of each go to `buckets`. */
__attribute__((target("avx2"))) static inline uint32_t find_windows(const struct scan *scan, const char *at,
								    uint8_t buckets[32])
{
	__m256i first = place_mask(scan, 0, _mm256_loadu_si256((const __m256i *)at));
	__m256i second = place_mask(scan, 1, _mm256_loadu_si256((const __m256i *)(at + 1)));
	__m256i third = place_mask(scan, 2, _mm256_loadu_si256((const __m256i *)(at + 2)));
	__m256i all = _mm256_and_si256(first, _mm256_and_si256(second, third));
	uint32_t none = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(all, _mm256_setzero_si256()));

	if (none != UINT32_MAX)
		_mm256_storeu_si256((__m256i *)buckets, all);
	return ~none;
}

/* All whole 64-byte blocks that leave two more bytes to look at; returns where it stopped. */
__attribute__((target("avx2"))) static size_t scan_wide(struct cutter *c)
{
	const __m256i newline = _mm256_set1_epi8('\n');
	size_t at = 0;

	for (; at + 66 <= c->bytes.len; at += 64) {
		const char *block = c->bytes.at + at;
		__m256i a = _mm256_loadu_si256((const __m256i *)block);
		__m256i b = _mm256_loadu_si256((const __m256i *)(block + 32));
		uint64_t ends = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, newline)) |
				(uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, newline)) << 32;
		__m256i smallest = _mm256_min_epu8(a, b);
		unsigned odd = (_mm256_movemask_epi8(_mm256_or_si256(a, b)) ? SCAN_HIGH : 0) |
			       (_mm256_movemask_epi8(_mm256_cmpeq_epi8(smallest, _mm256_setzero_si256())) ? SCAN_NUL : 0);
		uint8_t buckets[64];
		uint64_t windows = find_windows(c->scan, block, buckets);

		windows |= (uint64_t)find_windows(c->scan, block + 32, buckets + 32) << 32;
		for (;;) {
			uint64_t before_end = ends ? (ends & -ends) - 1 : UINT64_MAX;
			uint64_t here = windows & before_end;

			for (; here && !(c->marks & SCAN_CANDIDATE); here &= here - 1) {
				unsigned bit = (unsigned)__builtin_ctzll(here);

				if (is_needle(c->scan, c->bytes, at + bit, buckets[bit]))
					c->marks |= SCAN_CANDIDATE;
			}
			c->marks |= odd;
			if (!ends)
				break;
			windows &= ~before_end;
			cut_line(c, at + (unsigned)__builtin_ctzll(ends));
			ends &= ends - 1;
		}
	}
	return at;
}

#endif

uint64_t scan_lines(const struct scan *scan, struct text bytes, scan_line_fn *fn, void *context)
{
	struct cutter c = { .scan = scan, .bytes = bytes, .fn = fn, .context = context };
	size_t at = 0;

#if defined(__x86_64__)
	if (scan->wide)
		at = scan_wide(&c);
#endif
	scan_narrow(&c, at);
	if (c.line_start < bytes.len)
		cut_line(&c, bytes.len);
	return c.lines;
}
