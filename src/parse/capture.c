/* SPDX-License-Identifier: MIT */
#include "parse/capture.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/memory.h"
#include "parse/capture_private.h"

enum capture_format capture_format_of(struct text first)
{
	/* The last two are pcap as some old systems wrote it: capture_read() says that it is not read. */
	static const uint32_t pcap[] = { 0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1, 0xa1b2cd34, 0x34cdb2a1 };
	uint32_t magic;

	if (first.len < CAPTURE_MAGIC)
		return CAPTURE_NONE;
	memcpy(&magic, first.at, sizeof(magic));
	for (size_t i = 0; i < sizeof(pcap) / sizeof(pcap[0]); i++)
		if (magic == pcap[i])
			return CAPTURE_PCAP;
	return magic == 0x0a0d0d0a ? CAPTURE_PCAPNG : CAPTURE_NONE; /* the same in both byte orders */
}

int capture_new(struct capture_reader **ret)
{
	struct capture_reader *c = memory_new(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	*ret = c;
	return 0;
}

void capture_free(struct capture_reader *c)
{
	if (!c)
		return;
	memory_free(c->interfaces);
	memory_free(c);
}

static void __attribute__((format(printf, 4, 0)))
add_trouble(struct capture_reader *c, enum capture_trouble_kind kind, uint64_t at, const char *format, va_list arguments)
{
	struct capture_trouble *t;

	if (c->trouble_count == TROUBLES_KEPT && kind != CAPTURE_STOPPED)
		return;
	/* That it stopped is always told, in the place of another if need be. */
	t = &c->troubles[c->trouble_count == TROUBLES_KEPT ? TROUBLES_KEPT - 1 : c->trouble_count++];
	if (c->trouble_told > (size_t)(t - c->troubles))
		c->trouble_told = (size_t)(t - c->troubles);
	t->kind = kind;
	t->offset = at;
	vsnprintf(t->reason, sizeof(t->reason), format, arguments);
}

void capture_stop(struct capture_reader *c, size_t at, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add_trouble(c, CAPTURE_STOPPED, c->counts.bytes + at, format, arguments);
	va_end(arguments);
	c->is_over = true;
}

void capture_pass_over(struct capture_reader *c, size_t at, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add_trouble(c, CAPTURE_PASSED_OVER, c->counts.bytes + at, format, arguments);
	va_end(arguments);
}

size_t capture_read(struct capture_reader *c, struct text bytes, struct packet *to, size_t room, size_t *ret_count)
{
	struct capture_batch b = { bytes.at, bytes.at + bytes.len, to, 0, room };

	if (c->format == CAPTURE_NONE && !c->is_over && bytes.len >= CAPTURE_MAGIC) {
		c->format = capture_format_of(bytes);
		if (c->format == CAPTURE_NONE)
			capture_stop(c, 0, "no packet capture: its first bytes are neither pcap's nor pcapng's");
	}
	if (c->format == CAPTURE_PCAP)
		while (!c->is_over && b.count < room && capture_pcap_step(c, &b))
			;
	else if (c->format == CAPTURE_PCAPNG)
		while (!c->is_over && b.count < room && capture_pcapng_step(c, &b))
			;
	*ret_count = b.count;
	return (size_t)(b.at - bytes.at);
}

void capture_end(struct capture_reader *c, size_t rest)
{
	if (c->is_over)
		return;
	if (!c->started)
		capture_stop(c, 0, "the file ends after %zu bytes, inside its header", rest);
	else if (c->skip)
		capture_stop(c, rest, "the file ends inside a block");
	else if (rest)
		capture_stop(c, 0, "the file ends inside a record, of which %zu byte%s there", rest, rest == 1 ? " is" : "s are");
	c->is_over = true;
}

enum capture_format capture_format(const struct capture_reader *c)
{
	return c->format;
}

bool capture_is_over(const struct capture_reader *c)
{
	return c->is_over;
}

const struct capture_counts *capture_counts(const struct capture_reader *c)
{
	return &c->counts;
}

bool capture_trouble(struct capture_reader *c, struct capture_trouble *ret)
{
	if (c->trouble_told == c->trouble_count)
		return false;
	*ret = c->troubles[c->trouble_told++];
	return true;
}
