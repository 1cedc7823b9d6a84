/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer: any bytes as what a device's terminal prints, with commands, answers and waits in between: a byte 0xf0 to 0xf5
 * in the data is one of them. Twice: in the chunks that are between those, and byte by byte. What is told must be the same.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "parse/device_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

struct told {
	struct hash_key hash; /* of all that was told */
	unsigned events;
};

static void add(struct told *told, const void *bytes, size_t len)
{
	told->hash.k0 ^= hash_bytes(&told->hash, bytes, len);
}

static void hear(struct told *told, const struct device_event *e)
{
	told->events++;
	add(told, &e->kind, sizeof(e->kind));
	if (e->kind != DEVICE_EVENT_PROMPT)
		return;
	must(e->name.len > 0 && e->name.len < DEVICE_TEXT_NAME_MAX);
	must(e->output.len <= DEVICE_TEXT_OUTPUT_MAX && e->logs.len <= DEVICE_TEXT_LOGS_MAX);
	must(e->output.len == 0 || e->output.at[e->output.len - 1] == '\n');
	must(e->level <= DEVICE_LEVEL_OTHER && e->error <= DEVICE_ERROR_BAD_SECRET);
	for (size_t i = 0; i < e->output.len; i++) /* nothing that moves a cursor */
		must((unsigned char)e->output.at[i] >= 0x20 || strchr("\n\t", e->output.at[i]));
	add(told, e->name.at, e->name.len);
	add(told, e->output.at ? e->output.at : "", e->output.len);
	add(told, e->logs.at ? e->logs.at : "", e->logs.len);
	add(told, (const unsigned[]){ e->level, e->error, e->echoed, e->paged, e->cut, e->moved, e->log_lines, e->unasked_lines },
	    8 * sizeof(unsigned));
	add(told, &e->controls, sizeof(e->controls));
}

static void act(struct device_text *t, unsigned char what, int64_t *now, struct told *told)
{
	static const char *const commands[] = { "show crypto ipsec sa peer 192.0.2.1 detail", "show logging", "enable" };
	struct device_event e;

	if (what < 0xf3) {
		device_text_command(t, text_of(commands[what - 0xf0]), what == 0xf1);
	} else if (what < 0xf5) {
		device_text_answer(t, what == 0xf4);
	} else {
		*now += 1000000000;
		if (device_text_event(t, *now, &e))
			hear(told, &e);
		must(!device_text_event(t, *now, &e));
	}
}

static struct told run(const uint8_t *data, size_t size, bool bytewise)
{
	struct device_text *t = device_text_new();
	struct told told = { .events = 0 };
	struct device_event e;
	int64_t now = 0;

	must(t);
	for (size_t i = 0, n; i < size; i += n) {
		n = 1;
		if (data[i] >= 0xf0 && data[i] <= 0xf5) {
			act(t, data[i], &now, &told);
			continue;
		}
		while (!bytewise && i + n < size && (data[i + n] < 0xf0 || data[i + n] > 0xf5))
			n++;
		device_text_bytes(t, (struct text){ (const char *)data + i, n }, now);
		if (device_text_event(t, now, &e))
			hear(&told, &e);
		must(device_text_unfinished(t).len <= DEVICE_TEXT_LINE_MAX);
	}
	device_text_free(t);
	return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct told whole = run(data, size, false), bytes = run(data, size, true);

	must(whole.events == bytes.events && memcmp(&whole.hash, &bytes.hash, sizeof(whole.hash)) == 0);
	return 0;
}
