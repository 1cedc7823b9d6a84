/* SPDX-License-Identifier: MIT */
#include "role/sense_tape.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "parse/device_tape.h"

struct sense_tape {
	struct sense_tapes *tapes; /* borrows */
	struct device_tape *tape;  /* owns */
	struct tape_piece piece;   /* what is gathered */
	uint64_t lost;             /* pieces that core was not told */
};

/* --- To core ------------------------------------------------------------------------------------------------------- */

void sense_tapes_done(struct sense_tapes *t)
{
	memory_free(t->behind);
	memset(t, 0, sizeof(*t));
}

void sense_tapes_drain(struct sense_tapes *t)
{
	while (t->count && !channel_is_full(t->core) && channel_send(t->core, MESSAGE_DEVICE_TAPE, &t->behind[t->first]) == 0) {
		t->first = (t->first + 1) % SENSE_TAPES_BEHIND_MAX;
		t->count--;
	}
	if (t->count)
		return;
	memory_free(t->behind);
	t->behind = NULL;
	t->first = 0;
}

/* False: it is lost. */
static bool send_piece(struct sense_tapes *t, const struct tape_piece *piece)
{
	if (!t->core)
		return false;
	sense_tapes_drain(t);
	if (!t->count && !channel_is_full(t->core))
		return channel_send(t->core, MESSAGE_DEVICE_TAPE, piece) == 0;
	if (!t->behind)
		t->behind = memory_new(SENSE_TAPES_BEHIND_MAX, sizeof(*t->behind));
	if (!t->behind || t->count == SENSE_TAPES_BEHIND_MAX)
		return false;
	t->behind[(t->first + t->count) % SENSE_TAPES_BEHIND_MAX] = *piece;
	t->count++;
	return true;
}

static void push(struct sense_tape *t)
{
	if (t->piece.len == 0)
		return;
	memset(t->piece.bytes + t->piece.len, 0, sizeof(t->piece.bytes) - t->piece.len);
	t->lost += !send_piece(t->tapes, &t->piece);
	t->piece.len = 0;
}

static void add_line(struct sense_tape *t, enum tape_way way, struct text line)
{
	if (t->piece.len && (t->piece.way != way || t->piece.len + line.len + 1 > sizeof(t->piece.bytes)))
		push(t);
	t->piece.way = way;
	if (line.len)
		memcpy(t->piece.bytes + t->piece.len, line.at, line.len);
	t->piece.bytes[t->piece.len + line.len] = '\n';
	t->piece.len += (uint32_t)line.len + 1;
}

static void take_line(void *context, enum tape_way way, struct text line)
{
	struct sense_tape *t = context;
	uint64_t lost = t->lost;

	if (lost && !channel_is_full(t->tapes->core)) {
		char note[80];
		int n = snprintf(note, sizeof(note), "%" PRIu64 " pieces of up to %d bytes lost: core did not keep up", lost, TAPE_PIECE_MAX);

		t->lost = 0;
		push(t);
		add_line(t, TAPE_NOTE, (struct text){ note, (size_t)n });
	}
	add_line(t, way, line);
}

/* --- A session ----------------------------------------------------------------------------------------------------- */

static void note_time(struct sense_tape *t)
{
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	t->piece.at.ns = (int64_t)wall.tv_sec * SECOND_NS + wall.tv_nsec;
}

struct sense_tape *sense_tape_new(struct sense_tapes *tapes, const struct device_open *open)
{
	struct sense_tape *t = memory_new(1, sizeof(*t));

	if (!t)
		return NULL;
	t->tapes = tapes;
	t->tape = device_tape_new(take_line, t);
	if (!t->tape) {
		memory_free(t);
		return NULL;
	}
	t->piece.device = open->device;
	t->piece.mark = open->mark;
	t->piece.request = open->request;
	note_time(t);
	device_tape_note(t->tape, TEXT("a session begins"));
	push(t);
	return t;
}

void sense_tape_end(struct sense_tape *t, const char *why)
{
	char note[DEVICE_REASON_MAX + 32];
	int n;

	if (!t)
		return;
	note_time(t);
	device_tape_flush(t->tape);
	n = snprintf(note, sizeof(note), "the session ends%s%s", why[0] ? ": " : "", why);
	device_tape_note(t->tape, (struct text){ note, (size_t)n });
	push(t);
	device_tape_free(t->tape);
	memory_free(t);
}

void sense_tape_typed(struct sense_tape *t, const struct device_typed *typed)
{
	if (!t)
		return;
	note_time(t);
	if (typed->key) {
		device_tape_key(t->tape, typed->key);
		push(t);
		return;
	}
	device_tape_flush(t->tape); /* that was the one before's */
	push(t);
	if (typed->request)
		t->piece.request = typed->request;
	device_tape_sent(t->tape, text_of(typed->command), !typed->command[0]);
	push(t);
}

void sense_tape_part(struct sense_tape *t, const struct device_part *part)
{
	struct text bytes = { part->bytes, part->len };

	if (!t)
		return;
	note_time(t);
	if (part->of_ssh)
		device_tape_ssh(t->tape, bytes);
	else
		device_tape_received(t->tape, bytes);
	push(t);
}
