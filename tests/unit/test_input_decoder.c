/* SPDX-License-Identifier: MIT */
#include <zlib.h>
#include <zstd.h>

#include "input_folder.h"
#include "spimend/error.h"

static void add_gzip(struct buffer *b, struct text t)
{
	static char out[1 << 20];
	z_stream z = { .next_in = (Bytef *)(uintptr_t)t.at, .avail_in = (uInt)t.len };

	z.next_out = (Bytef *)out;
	z.avail_out = sizeof(out);
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	buffer_add(b, (struct text){ out, sizeof(out) - z.avail_out });
	deflateEnd(&z);
}

static void add_zstd(struct buffer *b, struct text t, int window_log)
{
	static char out[1 << 20];
	ZSTD_CCtx *z = ZSTD_createCCtx();
	ZSTD_inBuffer in = { t.at, t.len, 0 };
	ZSTD_outBuffer to = { out, sizeof(out), 0 };

	ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
	ZSTD_CCtx_setParameter(z, ZSTD_c_windowLog, window_log);
	/* In two steps, so that the size is not known in advance and the window is as asked. */
	assert_int_equal(ZSTD_compressStream2(z, &to, &in, ZSTD_e_flush), 0);
	assert_int_equal(ZSTD_compressStream2(z, &to, &in, ZSTD_e_end), 0);
	buffer_add(b, (struct text){ out, to.pos });
	ZSTD_freeCCtx(z);
}

#define ZSTD_SKIPPABLE TEXT("\x5a\x2a\x4d\x18\x03\0\0\0abc")

struct compressed {
	struct buffer plain;
	struct buffer raw;
	size_t first; /* raw bytes of the first of two members */
	size_t first_plain;
};

static void compressed_make(struct compressed *c, bool zstd)
{
	*c = (struct compressed){ 0 };
	make_lines(&c->plain, 20);
	c->first_plain = c->plain.len;
	make_lines(&c->plain, 3);
	buffer_add_repeat(&c->plain, 'r', 700); /* comes out of few raw bytes */
	if (zstd) {
		buffer_add(&c->raw, ZSTD_SKIPPABLE);
		add_zstd(&c->raw, text_first(buffer_text(&c->plain), c->first_plain), 10);
		buffer_add(&c->raw, ZSTD_SKIPPABLE);
		c->first = c->raw.len;
		add_zstd(&c->raw, text_skip(buffer_text(&c->plain), c->first_plain), 10);
	} else {
		add_gzip(&c->raw, text_first(buffer_text(&c->plain), c->first_plain));
		c->first = c->raw.len;
		add_gzip(&c->raw, text_skip(buffer_text(&c->plain), c->first_plain));
	}
}

static void compressed_done(struct compressed *c)
{
	buffer_done(&c->plain);
	buffer_done(&c->raw);
}

/* Damaged data: what is given is the start of `want`, at least `least` of it, then comes `result`. */
static void assert_reads_start(const char *path, size_t window, struct text want, size_t least, int result)
{
	struct buffer all = { 0 };

	assert_int_equal(read_all(path, window, 4096, &all), result);
	assert_true(all.len >= least && all.len <= want.len);
	assert_text(buffer_text(&all), text_first(want, all.len));
	buffer_done(&all);
}

static void check_compressed(struct folder *f, bool zstd)
{
	struct compressed c;
	struct text raw, plain;

	compressed_make(&c, zstd);
	raw = buffer_text(&c.raw);
	plain = buffer_text(&c.plain);
	put_file(f->file, O_TRUNC, raw);
	for (size_t window = 1; window <= 64; window++)
		assert_reads(f->file, window, LINE_MAX_SMALL, plain, 0);
	assert_reads(f->file, INPUT_WINDOW, INPUT_LINE_MAX, plain, 0);

	/* Cut at each byte: all of the complete members is given. One byte is no magic number, three are no zstd's. */
	for (size_t len = zstd ? 4 : 2; len < raw.len; len++) {
		bool between = len == c.first || (zstd && (len == c.first - ZSTD_SKIPPABLE.len || len == ZSTD_SKIPPABLE.len));
		size_t least = len >= c.first ? c.first_plain : 0;

		put_file(f->file, O_TRUNC, text_first(raw, len));
		assert_reads_start(f->file, 1 + len % 300, plain, least, between ? 0 : SPIMEND_E_COMPRESSED);
	}
	compressed_done(&c);
}

static void test_gzip(void **state)
{
	check_compressed(*state, false);
}

static void test_zstd(void **state)
{
	check_compressed(*state, true);
}

static void test_gzip_trailer(void **state)
{
	struct folder *f = *state;
	struct compressed c;
	size_t sound;

	compressed_make(&c, false);
	sound = c.raw.len;
	buffer_add_repeat(&c.raw, '\0', 5000);
	put_file(f->file, O_TRUNC, buffer_text(&c.raw));
	for (size_t window = 1; window < 9000; window = window * 3 + 1)
		assert_reads(f->file, window, 9000, buffer_text(&c.plain), 0);

	buffer_add_char(&c.raw, 'x');
	put_file(f->file, O_TRUNC, buffer_text(&c.raw));
	assert_reads(f->file, 100, 9000, buffer_text(&c.plain), SPIMEND_E_COMPRESSED);

	c.raw.len--;
	add_gzip(&c.raw, TEXT("behind\n"));
	buffer_add_string(&c.plain, "behind\n");
	put_file(f->file, O_TRUNC, buffer_text(&c.raw));
	assert_reads(f->file, 100, 9000, buffer_text(&c.plain), 0);
	c.plain.len -= strlen("behind\n");

	c.raw.len = sound;
	buffer_add_string(&c.raw, "garbage");
	put_file(f->file, O_TRUNC, buffer_text(&c.raw));
	assert_reads(f->file, 100, 9000, buffer_text(&c.plain), SPIMEND_E_COMPRESSED);

	c.raw.len = sound;
	c.raw.bytes[sound - 6] ^= 1; /* the second member's CRC: its bytes are given nevertheless */
	put_file(f->file, O_TRUNC, buffer_text(&c.raw));
	assert_reads(f->file, 100, 9000, buffer_text(&c.plain), SPIMEND_E_COMPRESSED);
	compressed_done(&c);
}

/* Each byte damaged in turn: it never does worse than wrong bytes and an error. */
static void test_damaged_anywhere(void **state)
{
	struct folder *f = *state;

	for (int zstd = 0; zstd < 2; zstd++) {
		struct compressed c;

		compressed_make(&c, zstd);
		for (size_t i = zstd ? 4 : 2; i < c.raw.len; i++) {
			struct buffer all = { 0 };
			int r;

			c.raw.bytes[i] ^= 0x55;
			put_file(f->file, O_TRUNC, buffer_text(&c.raw));
			r = read_all(f->file, 100, 4096, &all);
			assert_true(r == 0 || r == SPIMEND_E_COMPRESSED || r == SPIMEND_E_LIMIT);
			if (i >= c.first)
				assert_true(all.len >= c.first_plain && !memcmp(all.bytes, c.plain.bytes, c.first_plain));
			buffer_done(&all);
			c.raw.bytes[i] ^= 0x55;
		}
		compressed_done(&c);
	}
}

/* Bytes before the damage in the same read are given: libzstd would keep them for itself. */
static void test_zstd_block_before_damage(void **state)
{
	struct folder *f = *state;
	struct buffer plain = { 0 }, raw = { 0 };

	for (size_t i = 0; i < 60000; i++)
		buffer_printf(&plain, "%%CRYPTO-4-RECVD_PKT_INV_SPI: %zu\n", i * i);
	add_zstd(&raw, buffer_text(&plain), 17);
	raw.bytes[raw.len - 1] ^= 1; /* the checksum */
	put_file(f->file, 0, buffer_text(&raw));
	assert_reads(f->file, INPUT_WINDOW, INPUT_LINE_MAX, buffer_text(&plain), SPIMEND_E_COMPRESSED);
	buffer_done(&plain);
	buffer_done(&raw);
}

static void test_zstd_window_limit(void **state)
{
	struct folder *f = *state;

	for (int over = 0; over < 2; over++) {
		struct buffer raw = { 0 };

		add_zstd(&raw, TEXT("sound\n"), 20);
		add_zstd(&raw, TEXT("large\n"), INPUT_ZSTD_WINDOW_LOG_MAX + over);
		put_file(f->file, O_TRUNC, buffer_text(&raw));
		assert_reads(f->file, 100, 1000, over ? TEXT("sound\n") : TEXT("sound\nlarge\n"), over ? SPIMEND_E_LIMIT : 0);
		buffer_done(&raw);
	}
}

static void test_stdin_zstd(void **state)
{
	int to = pipe_to_stdin();
	struct buffer raw = { 0 };
	struct input *in;

	(void)state;
	add_zstd(&raw, TEXT("one\n"), 10);
	assert_int_equal(input_open("-", &in), 0);
	for (size_t i = 0; i + 1 < raw.len; i++)
		put_all(to, (struct text){ raw.bytes + i, 1 });
	assert_next(in, "one\n");
	close(to); /* the checksum's last byte is missing */
	assert_int_equal(input_next(in, &(struct text){ 0 }), SPIMEND_E_COMPRESSED);
	input_close(in);
	buffer_done(&raw);
}

/* Follows standard input, where only these raw bytes have come so far. */
static void read_so_far(struct text raw, size_t window, struct buffer *got)
{
	int to = pipe_to_stdin();
	struct input *in = NULL;
	struct text t;

	put_all(to, raw);
	assert_int_equal(input_open_sized("-", true, window, 4096, &in), 0);
	while (input_next(in, &t) == 1)
		buffer_add(got, t);
	assert_false(input_ended(in));
	input_close(in);
	close(to);
}

static size_t flush_gzip(struct text t, char *out, size_t room)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)t.at, .avail_in = (uInt)t.len };

	z.next_out = (Bytef *)out;
	z.avail_out = (uInt)room;
	deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
	assert_int_equal(deflate(&z, Z_SYNC_FLUSH), Z_OK);
	deflateEnd(&z);
	return room - z.avail_out;
}

static size_t flush_zstd(struct text t, char *out, size_t room)
{
	ZSTD_CCtx *z = ZSTD_createCCtx();
	ZSTD_inBuffer from = { t.at, t.len, 0 };
	ZSTD_outBuffer raw = { out, room, 0 };

	assert_int_equal(ZSTD_compressStream2(z, &raw, &from, ZSTD_e_flush), 0);
	ZSTD_freeCCtx(z);
	return raw.pos;
}

/* All that can be decoded of what came is given, also when the decoder has more of it than there is room for at once. */
static void test_flushed_bytes_do_not_wait(void **state)
{
	struct buffer plain = { 0 };
	char out[4096];

	(void)state;
	for (int i = 0; i < 30; i++)
		buffer_add_string(&plain, "the same line\n");
	for (int zstd = 0; zstd < 2; zstd++) {
		size_t len = (zstd ? flush_zstd : flush_gzip)(buffer_text(&plain), out, sizeof(out));

		for (size_t cut = 0; cut + 4 < len; cut++) {
			struct buffer few = { 0 }, many = { 0 };

			read_so_far((struct text){ out, len - cut }, 16, &few);
			read_so_far((struct text){ out, len - cut }, 4096, &many);
			assert_text(buffer_text(&few), buffer_text(&many));
			if (cut == 0)
				assert_text(buffer_text(&few), buffer_text(&plain));
			buffer_done(&few);
			buffer_done(&many);
		}
	}
	buffer_done(&plain);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_gzip),
		TEST(test_zstd),
		TEST(test_gzip_trailer),
		TEST(test_damaged_anywhere),
		TEST(test_zstd_block_before_damage),
		TEST(test_zstd_window_limit),
		TEST(test_stdin_zstd),
		TEST(test_flushed_bytes_do_not_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
