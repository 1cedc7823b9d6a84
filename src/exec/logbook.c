/* SPDX-License-Identifier: MIT */
/* A ring of bytes: each line a head and its text; what would run over the end begins anew at the start. */
#include "exec/logbook.h"

#include <errno.h>

#include "base/memory.h"

struct head {
	int64_t at;
	uint16_t len;
	int8_t severity;
	bool is_debug;
};

struct logbook {
	char *ring;        /* owns */
	size_t room, from, used; /* bytes; the oldest line begins at `from` */
	uint64_t lines, dropped;
};

struct logbook *logbook_new(size_t bytes)
{
	struct logbook *book = memory_new(1, sizeof(*book));

	if (!book)
		return NULL;
	book->room = bytes < LOGBOOK_BYTES_MIN ? LOGBOOK_BYTES_MIN : bytes > LOGBOOK_BYTES_MAX ? LOGBOOK_BYTES_MAX : bytes;
	book->ring = memory_new(1, book->room);
	if (!book->ring) {
		memory_free(book);
		return NULL;
	}
	return book;
}

void logbook_free(struct logbook *book)
{
	if (!book)
		return;
	memory_free(book->ring);
	memory_free(book);
}

static void copy_out(const struct logbook *book, size_t at, void *to, size_t len)
{
	size_t start = (book->from + at) % book->room, first = book->room - start < len ? book->room - start : len;

	memcpy(to, book->ring + start, first);
	memcpy((char *)to + first, book->ring, len - first);
}

static void copy_in(struct logbook *book, const void *from, size_t len)
{
	size_t start = (book->from + book->used) % book->room, first = book->room - start < len ? book->room - start : len;

	memcpy(book->ring + start, from, first);
	memcpy(book->ring, (const char *)from + first, len - first);
	book->used += len;
}

static void drop_oldest(struct logbook *book)
{
	struct head head;

	copy_out(book, 0, &head, sizeof(head));
	book->from = (book->from + sizeof(head) + head.len) % book->room;
	book->used -= sizeof(head) + head.len;
	book->dropped++;
}

void logbook_add(struct logbook *book, struct instant at, int severity, bool is_debug, struct text text)
{
	struct head head;

	text = text_first(text, LOGBOOK_LINE_MAX);
	memset(&head, 0, sizeof(head));
	head.at = at.ns;
	head.len = (uint16_t)text.len;
	head.severity = (int8_t)severity;
	head.is_debug = is_debug;
	while (book->used + sizeof(head) + text.len > book->room)
		drop_oldest(book);
	copy_in(book, &head, sizeof(head));
	copy_in(book, text.at ? text.at : "", text.len);
	book->lines++;
}

void logbook_clear(struct logbook *book)
{
	book->from = book->used = 0;
}

bool logbook_next(const struct logbook *book, size_t *cursor, char room[LOGBOOK_LINE_MAX], struct logbook_line *ret)
{
	struct head head;

	if (*cursor >= book->used)
		return false;
	copy_out(book, *cursor, &head, sizeof(head));
	copy_out(book, *cursor + sizeof(head), room, head.len);
	*ret = (struct logbook_line){ .at = { head.at }, .severity = head.severity, .is_debug = head.is_debug,
				      .text = { room, head.len } };
	*cursor += sizeof(head) + head.len;
	return true;
}

int logbook_resize(struct logbook *book, size_t bytes)
{
	struct logbook *other = logbook_new(bytes);
	char room[LOGBOOK_LINE_MAX];
	struct logbook_line line;
	size_t cursor = 0;

	if (!other)
		return -ENOMEM;
	while (logbook_next(book, &cursor, room, &line))
		logbook_add(other, line.at, line.severity, line.is_debug, line.text);
	other->lines = book->lines;
	other->dropped += book->dropped;
	memory_free(book->ring);
	*book = *other;
	memory_free(other);
	return 0;
}

struct logbook_counts logbook_count(const struct logbook *book)
{
	return (struct logbook_counts){ book->lines, book->dropped, book->used, book->room };
}
