/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer: any bytes as what a device prints and ssh says, with commands, passwords and keys in between: a byte 0xf0 to
 * 0xf4 in the data is one of them. Twice: in the chunks that are between those, and byte by byte. What is written must be
 * the same, of printable ASCII, and bounded.
 */
#include <stdlib.h>

#include "base/buffer.h"
#include "parse/device_tape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void take_line(void *context, enum tape_way way, struct text line)
{
	struct buffer *out = context;

	must(line.len <= TAPE_LINE_MAX);
	for (size_t i = 0; i < line.len; i++)
		must(line.at[i] >= 0x20 && line.at[i] < 0x7f);
	buffer_printf(out, "%c %.*s\n", tape_way_sign(way), TEXT_ARG(line));
}

static void act(struct device_tape *tape, uint8_t what)
{
	if (what == 0xf0)
		device_tape_sent(tape, TEXT("enable secret 0"), false);
	else if (what == 0xf1)
		device_tape_sent(tape, TEXT_NONE, true);
	else if (what == 0xf2)
		device_tape_ssh(tape, TEXT("Host key\r\n"));
	else
		device_tape_key(tape, what == 0xf3 ? ' ' : '\r');
}

static void run(const uint8_t *data, size_t size, bool by_byte, struct buffer *out)
{
	struct device_tape *tape = device_tape_new(take_line, out);
	struct device_tape_counts counts;

	must(tape);
	for (size_t i = 0, from = 0; i <= size; i++) {
		bool acts = i < size && data[i] >= 0xf0 && data[i] <= 0xf4;

		if (i > from && (by_byte || acts || i == size))
			device_tape_received(tape, (struct text){ (const char *)data + from, i - from });
		if (i > from && (by_byte || acts || i == size))
			from = i;
		if (acts)
			act(tape, data[i]);
		if (acts)
			from = i + 1;
	}
	device_tape_flush(tape);
	counts = device_tape_count(tape);
	must(counts.kept <= size && counts.left_out <= size);
	device_tape_free(tape);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer whole = { 0 }, bytes = { 0 };

	run(data, size, false, &whole);
	run(data, size, true, &bytes);
	must(text_equal(buffer_text(&whole), buffer_text(&bytes)));
	buffer_done(&whole);
	buffer_done(&bytes);
	return 0;
}
