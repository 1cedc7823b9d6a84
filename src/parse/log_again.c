/* SPDX-License-Identifier: MIT */
/*
 * What a sparse reading passed over, looked up after all: did a host write anything between two places of the log?
 */
#include "base/memory.h"
#include "parse/log_private.h"
#include "parse/mnemonic.h"

#define PIECE 65536u               /* bytes read again at once; a longer line is passed over */
#define AGAIN_MAX (UINT64_C(64) << 20) /* farther back nothing is looked up: the answer is then "it may have" */

static bool is_line_of(struct text line, struct text host)
{
	struct mnemonic name;
	struct framing framing;
	bool has_name;

	if (!text_has(line, host))
		return false;
	line = text_first(line, LOG_LINE_MAX);
	has_name = mnemonic_find(line, 0, &name);
	framing_read(has_name ? text_first(line, name.at) : line, has_name, &framing);
	return text_equal(framing.host, host);
}

static bool has_line_of(struct text bytes, struct text host)
{
	struct text line;

	while (text_take_line(&bytes, &line))
		if (is_line_of(line, host))
			return true;
	return false;
}

bool log_spoke_between(struct log *log, struct text host, uint64_t from, uint64_t to)
{
	char *piece cleanup(memory_free_pointer) = NULL;

	if (from >= to)
		return false;
	if (from >= log->window_offset && to - log->window_offset <= log->window.len)
		return has_line_of(text_first(text_skip(log->window, from - log->window_offset), to - from), host);
	if (!log->rules.read_again || to - from > AGAIN_MAX)
		return true;
	piece = memory_new(PIECE, 1);
	while (piece && from < to) {
		size_t wanted = to - from < PIECE ? (size_t)(to - from) : PIECE;
		size_t got = log->rules.read_again(log->sink.context, from, piece, wanted);
		const char *end = got ? memrchr(piece, '\n', got) : NULL;
		size_t whole = end ? (size_t)(end - piece) + 1 : got;

		if (whole == 0)
			return true;
		if (has_line_of((struct text){ piece, whole }, host))
			return true;
		from += whole;
	}
	return piece == NULL;
}
