/* SPDX-License-Identifier: MIT */
#include "parse/scan.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/*
 * What makes a line a candidate, and the offset of its three rarest bytes: the window that the wide search looks for.
 * A needle costs little; a window that ordinary logs are full of costs much. Needles share eight buckets, and a bucket
 * takes any mixture of its windows' nibbles, or low six bits, for a hit: which needle lies in which bucket, and with which
 * window, was searched for the fewest false hits on a syslog server's day, device logs and prose. Nearly none are left in
 * the first, 0.2 % of all positions in the last.
 */
static const struct needle {
	struct text text;
	uint8_t window;
	uint8_t bucket;
	uint8_t mark;
} needles[] = {
	{ TEXT("SPI"), 0, 0, SCAN_CANDIDATE },           /* every vendor's unknown, bad, invalid SPI; ASA 402114 */
	{ TEXT("invalid spi"), 8, 0, SCAN_CANDIDATE },   /* RECVD_PKT_INV_SPI without its name */
	{ TEXT("op=SA"), 2, 3, SCAN_CANDIDATE },         /* Linux audit: SA-notfound and sisters */
	{ TEXT("CHILD_SA"), 0, 0, SCAN_CANDIDATE },      /* strongSwan */
	{ TEXT("IKE_SA"), 1, 2, SCAN_CANDIDATE },
	{ TEXT("%CRYPTO"), 1, 5, SCAN_CANDIDATE },
	{ TEXT("%>CRYPTO"), 2, 5, SCAN_CANDIDATE },      /* quoted mail */
	{ TEXT("%IPSEC"), 0, 4, SCAN_CANDIDATE },
	{ TEXT("%IKE"), 0, 4, SCAN_CANDIDATE },
	{ TEXT("%PIX-4-402"), 1, 7, SCAN_CANDIDATE },
	{ TEXT("%DMVPN"), 0, 4, SCAN_SURROUNDING },
	{ TEXT("%SYS-5-RE"), 5, 2, SCAN_CANDIDATE },     /* RESTART, RELOAD */
	{ TEXT("%SYS-5-CONFIG"), 10, 6, SCAN_DISTANT },
	{ TEXT("%HA_EM"), 3, 1, SCAN_DISTANT },
	{ TEXT("HW_VPN"), 0, 6, SCAN_CANDIDATE },
	{ TEXT("ISAKMP"), 1, 0, SCAN_CANDIDATE },
	{ TEXT("IPSec packet"), 1, 7, SCAN_CANDIDATE },  /* ZyXEL */
	{ TEXT("IPsec"), 1, 7, SCAN_CANDIDATE },         /* FortiGate's SA life, pluto */
	{ TEXT("No ESP SA"), 3, 3, SCAN_CANDIDATE },     /* Nortel */
	{ TEXT("ESP packet"), 0, 3, SCAN_CANDIDATE },     /* charon's stray in user space */
	{ TEXT("repeated "), 2, 3, SCAN_CANDIDATE },
	{ TEXT("Interface Tunnel"), 8, 2, SCAN_SURROUNDING }, /* line protocol */
	{ TEXT("IKE charon"), 1, 3, SCAN_CANDIDATE },    /* its start */
	{ TEXT("IKE version"), 1, 3, SCAN_CANDIDATE },   /* ESP taken for IKE */
	{ TEXT("SAD entry"), 0, 0, SCAN_CANDIDATE },
	{ TEXT("Child SA"), 0, 7, SCAN_CANDIDATE },      /* pluto */
	{ TEXT("not responding"), 6, 0, SCAN_CANDIDATE },
	{ TEXT("retransmits"), 1, 4, SCAN_CANDIDATE },
	{ TEXT("TEMPORARY_FAILURE"), 1, 4, SCAN_CANDIDATE },
	{ TEXT("TEMP_FAIL"), 1, 4, SCAN_CANDIDATE },
	{ TEXT("INIT_CONTACT"), 4, 1, SCAN_CANDIDATE },
	{ TEXT("INITIAL_CONTACT"), 7, 1, SCAN_CANDIDATE },
	{ TEXT("INVAL"), 2, 1, SCAN_CANDIDATE },         /* notifies */
	{ TEXT("Crypto map tag"), 0, 5, SCAN_CANDIDATE }, /* a saved show crypto ipsec sa */
	{ TEXT("interface: "), 7, 5, SCAN_CANDIDATE },
	{ TEXT("crypto "), 0, 5, SCAN_CANDIDATE },       /* a typed clear, a saved show */
	{ TEXT("sa_spi"), 3, 0, SCAN_CANDIDATE },        /* IOS debugs */
	{ TEXT("anti-replay drop"), 3, 1, SCAN_CANDIDATE },
	{ TEXT("bfd-state"), 1, 6, SCAN_SURROUNDING },
	{ TEXT("BFD_SESS"), 1, 6, SCAN_SURROUNDING },
};

#define NEEDLES (sizeof(needles) / sizeof(needles[0]))
_Static_assert(NEEDLES <= SCAN_NEEDLES_MAX, "raise SCAN_NEEDLES_MAX");

static void set_add(struct scan_set *set, uint8_t needle)
{
	const struct needle *n = &needles[needle];
	const unsigned char *window = (const unsigned char *)n->text.at + n->window;
	unsigned pair = (unsigned)window[0] << 8 | window[1];
	uint8_t place_in_bucket = set->bucket_count[n->bucket]++;

	for (int place = 0; place < 3; place++) {
		set->nibbles[place].low[window[place] & 15] |= (uint8_t)(1 << n->bucket);
		set->nibbles[place].high[window[place] >> 4] |= (uint8_t)(1 << n->bucket);
		set->sixes[place][window[place] & 63] |= (uint8_t)(1 << n->bucket);
	}
	set->pair[pair / 8] |= (uint8_t)(1 << pair % 8);
	memcpy(&set->bucket_windows[n->bucket][place_in_bucket], window, 3);
	set->bucket_needles[n->bucket][place_in_bucket] = needle;
}

void scan_init_width(struct scan *scan, enum scan_width width)
{
	memset(scan, 0, sizeof(*scan));
	scan->width = width;
	for (uint8_t i = 0; i < NEEDLES; i++) {
		set_add(&scan->all, i);
		if (needles[i].mark != SCAN_DISTANT)
			set_add(&scan->near, i);
	}
}

enum scan_width scan_best_width(void)
{
#if defined(__x86_64__)
	if (!__builtin_cpu_supports("popcnt"))
		return SCAN_PORTABLE;
	if (__builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512bw"))
		return SCAN_AVX512_VBMI;
	if (__builtin_cpu_supports("avx512bw"))
		return SCAN_AVX512;
	if (__builtin_cpu_supports("avx2"))
		return SCAN_AVX2;
#endif
	return SCAN_PORTABLE;
}

void scan_init(struct scan *scan)
{
	scan_init_width(scan, scan_best_width());
}

/* The mark of a needle of one of these buckets that has its window at `at`, or 0. */
static unsigned is_needle(const struct scan_set *set, struct text bytes, size_t at, unsigned buckets)
{
	uint32_t here = 0;

	memcpy(&here, bytes.at + at, 3); /* a hit leaves two more bytes */
	for (; buckets; buckets &= buckets - 1) {
		int bucket = __builtin_ctz(buckets);

		for (unsigned i = 0; i < set->bucket_count[bucket]; i++) {
			const struct needle *n = &needles[set->bucket_needles[bucket][i]];

			if (set->bucket_windows[bucket][i] == here && at >= n->window && at - n->window + n->text.len <= bytes.len &&
			    memcmp(bytes.at + at - n->window, n->text.at, n->text.len) == 0)
				return n->mark;
		}
	}
	return 0;
}

/* The processor's own prefetching stops at each page; this far ahead was the best of 512, 2048 and 4096. */
#define PREFETCH 2048

struct cutter {
	const struct scan_set *set;
	struct text bytes;
	size_t line_start; /* of the line at hand, unless... */
	bool passed;       /* ... blocks were passed since: line_find_start() */
	unsigned marks;    /* of the line at hand */
	bool every;     /* all lines are wanted */
	bool wanted;    /* the line at hand is */
	uint64_t lines;
	scan_line_fn *fn;
	void *context;
};

/* Passing a block notes nothing but its lines: whether one starts in it cannot be predicted, and few are asked for. */
static void line_find_start(struct cutter *c, size_t at)
{
	const char *newline = at ? memrchr(c->bytes.at, '\n', at) : NULL;

	c->line_start = newline ? (size_t)(newline - c->bytes.at) + 1 : 0;
	c->passed = false;
}

static inline void cut_line(struct cutter *c, size_t end)
{
	if (c->marks || c->wanted || c->every)
		c->wanted = c->fn(c->context, text_between(c->bytes.at + c->line_start, c->bytes.at + end), c->lines, c->marks);
	c->lines++;
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

			if (c->set->pair[pair / 8] >> pair % 8 & 1)
				c->marks |= is_needle(c->set, c->bytes, i, 0xff);
		}
	}
}

#if defined(__x86_64__)

/* The shuffle takes the low nibble by itself, and nothing for bytes from 0x80 on, which are in no needle. */
__attribute__((target("avx2"))) static inline __m256i place_mask(const struct scan_set *set, int place, __m256i bytes)
{
	const __m256i nibble = _mm256_set1_epi8(15);
	__m256i low = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)set->nibbles[place].low));
	__m256i high = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)set->nibbles[place].high));

	return _mm256_and_si256(_mm256_shuffle_epi8(low, bytes),
				_mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble)));
}

/* Bits of the 32 positions from `at` where a window may stand; the bucket bits of each go to `buckets`. */
__attribute__((target("avx2"))) static inline uint32_t find_windows(const struct scan_set *set, const char *at,
								    uint8_t buckets[32])
{
	__m256i first = place_mask(set, 0, _mm256_loadu_si256((const __m256i *)at));
	__m256i second = place_mask(set, 1, _mm256_loadu_si256((const __m256i *)(at + 1)));
	__m256i third = place_mask(set, 2, _mm256_loadu_si256((const __m256i *)(at + 2)));
	__m256i all = _mm256_and_si256(first, _mm256_and_si256(second, third));
	uint32_t none = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(all, _mm256_setzero_si256()));

	if (none != UINT32_MAX)
		_mm256_storeu_si256((__m256i *)buckets, all);
	return ~none;
}

/* One look-up by the low six bits instead of two by nibbles: characters 64 apart share an entry, which hardly matters. */
__attribute__((target("avx512bw,avx512vbmi"))) static inline __m512i place_mask_vbmi(const struct scan_set *set, int place,
										     const char *at)
{
	return _mm512_permutexvar_epi8(_mm512_loadu_si512(at), _mm512_loadu_si512(set->sixes[place]));
}

/* What one 64-byte block holds; bit n is byte n. Which buckets a window hit stands beside it, in 64 bytes of its own. */
struct block {
	uint64_t ends, windows;
	unsigned odd; /* SCAN_HIGH, SCAN_NUL: of the whole block */
};

__attribute__((target("avx2"))) static inline struct block look_at_block(const struct scan_set *set, const char *at,
										uint8_t buckets[64])
{
	const __m256i newline = _mm256_set1_epi8('\n');
	__m256i a = _mm256_loadu_si256((const __m256i *)at);
	__m256i b = _mm256_loadu_si256((const __m256i *)(at + 32));
	__m256i smallest = _mm256_min_epu8(a, b);
	struct block ret;

	ret.ends = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, newline)) |
		   (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, newline)) << 32;
	ret.odd = (_mm256_movemask_epi8(_mm256_or_si256(a, b)) ? SCAN_HIGH : 0) |
		  (_mm256_movemask_epi8(_mm256_cmpeq_epi8(smallest, _mm256_setzero_si256())) ? SCAN_NUL : 0);
	ret.windows = find_windows(set, at, buckets);
	ret.windows |= (uint64_t)find_windows(set, at + 32, buckets + 32) << 32;
	return ret;
}

__attribute__((target("avx512bw"))) static inline __m512i place_mask512(const struct scan_set *set, int place, const char *at)
{
	const __m512i nibble = _mm512_set1_epi8(15);
	__m512i bytes = _mm512_loadu_si512(at);
	__m512i low = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)set->nibbles[place].low));
	__m512i high = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)set->nibbles[place].high));

	return _mm512_and_si512(_mm512_shuffle_epi8(low, bytes),
				_mm512_shuffle_epi8(high, _mm512_and_si512(_mm512_srli_epi16(bytes, 4), nibble)));
}

__attribute__((target("avx512bw"))) static inline struct block look_at_block512(const struct scan_set *set, const char *at,
									       uint8_t buckets[64])
{
	__m512i bytes = _mm512_loadu_si512(at);
	__m512i all = _mm512_and_si512(place_mask512(set, 0, at),
				       _mm512_and_si512(place_mask512(set, 1, at + 1), place_mask512(set, 2, at + 2)));
	struct block ret;

	ret.ends = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('\n'));
	ret.odd = (_mm512_movepi8_mask(bytes) ? SCAN_HIGH : 0) | (_mm512_testn_epi8_mask(bytes, bytes) ? SCAN_NUL : 0);
	ret.windows = _mm512_test_epi8_mask(all, all);
	if (ret.windows)
		_mm512_storeu_si512(buckets, all);
	return ret;
}

__attribute__((target("avx512bw,avx512vbmi"))) static inline struct block look_at_block_vbmi(const struct scan_set *set,
										      const char *at, uint8_t buckets[64])
{
	__m512i bytes = _mm512_loadu_si512(at);
	__m512i all = _mm512_and_si512(
		place_mask_vbmi(set, 0, at),
		_mm512_and_si512(place_mask_vbmi(set, 1, at + 1), place_mask_vbmi(set, 2, at + 2)));
	struct block ret;

	ret.ends = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('\n'));
	ret.odd = (_mm512_movepi8_mask(bytes) ? SCAN_HIGH : 0) | (_mm512_testn_epi8_mask(bytes, bytes) ? SCAN_NUL : 0);
	ret.windows = _mm512_test_epi8_mask(all, all);
	if (ret.windows)
		_mm512_storeu_si512(buckets, all);
	return ret;
}

/* Nothing in the block concerns anybody: only its lines are counted. */
static inline bool pass_block(struct cutter *c, struct block b)
{
	if ((b.windows | b.odd | c->marks | c->wanted | c->every) != 0)
		return false;
	c->lines += (unsigned)__builtin_popcountll(b.ends);
	c->passed = true;
	return true;
}

static bool has_needle(const struct cutter *c, size_t at, uint64_t windows, const uint8_t buckets[64])
{
	for (; windows; windows &= windows - 1) {
		unsigned bit = (unsigned)__builtin_ctzll(windows);

		if (is_needle(c->set, c->bytes, at + bit, buckets[bit]))
			return true;
	}
	return false;
}

/* Lines that end in the block, and needles in it. Apart, so that the loop that passes blocks keeps its registers. */
__attribute__((noinline)) static void take_block(struct cutter *c, size_t at, struct block b,
						 const uint8_t buckets[64])
{
	if (c->passed) { /* no line is marked or wanted so far: a false hit leaves it at that */
		if (!b.odd && !has_needle(c, at, b.windows, buckets)) {
			c->lines += (unsigned)__builtin_popcountll(b.ends);
			return;
		}
		line_find_start(c, at);
	}
	for (;;) {
		uint64_t before_end = b.ends ? (b.ends & -b.ends) - 1 : UINT64_MAX;
		uint64_t here = b.windows & before_end;

		for (; here && !(c->marks & SCAN_CANDIDATE); here &= here - 1) {
			unsigned bit = (unsigned)__builtin_ctzll(here);

			c->marks |= is_needle(c->set, c->bytes, at + bit, buckets[bit]);
		}
		c->marks |= b.odd;
		if (!b.ends)
			return;
		b.windows &= ~before_end;
		cut_line(c, at + (unsigned)__builtin_ctzll(b.ends));
		b.ends &= b.ends - 1;
	}
}

/* All whole blocks that leave two more bytes to look at; returns where it stopped. A macro, since what looks at a block can
 * only be inlined into a function for the same instructions. */
#define SCAN_BLOCKS(name, instructions, look)                                          \
	__attribute__((target(instructions))) static size_t name(struct cutter *c)     \
	{                                                                              \
		uint8_t buckets[64];                                                   \
		size_t at = 0;                                                         \
                                                                                       \
		for (; at + 66 <= c->bytes.len; at += 64) {                            \
			struct block b = look(c->set, c->bytes.at + at, buckets);     \
                                                                                       \
			__builtin_prefetch(c->bytes.at + at + PREFETCH);               \
			if (!pass_block(c, b))                                         \
				take_block(c, at, b, buckets);                         \
		}                                                                      \
		return at;                                                             \
	}

SCAN_BLOCKS(scan_wide, "avx2,popcnt", look_at_block)
SCAN_BLOCKS(scan_wide512, "avx512bw,popcnt", look_at_block512)
SCAN_BLOCKS(scan_wide_vbmi, "avx512bw,avx512vbmi,popcnt", look_at_block_vbmi)

#endif

uint64_t scan_lines(const struct scan *scan, struct text bytes, enum scan_which which, scan_line_fn *fn, void *context)
{
	struct cutter c = {
		.set = which == SCAN_EVERY ? &scan->all : &scan->near,
		.bytes = bytes,
		.every = which == SCAN_EVERY,
		.wanted = which == SCAN_MARKED_AND_FIRST,
		.fn = fn,
		.context = context,
	};
	size_t at = 0;

#if defined(__x86_64__)
	if (scan->width == SCAN_AVX512_VBMI)
		at = scan_wide_vbmi(&c);
	else if (scan->width == SCAN_AVX512)
		at = scan_wide512(&c);
	else if (scan->width == SCAN_AVX2)
		at = scan_wide(&c);
#endif
	if (c.passed)
		line_find_start(&c, at);
	scan_narrow(&c, at);
	if (c.line_start < bytes.len)
		cut_line(&c, bytes.len);
	return c.lines;
}
