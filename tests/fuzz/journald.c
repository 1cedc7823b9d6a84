/* SPDX-License-Identifier: MIT */
/* libFuzzer: journalctl's export format, in pieces: the entries are the same however it is cut. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "parse/journald.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* A hash of all lines, and of how it ended. */
static uint64_t read_all(const uint8_t *data, size_t size, size_t piece)
{
	static char line[JOURNALD_MESSAGE_MAX + 4 + JOURNALD_LINE_EXTRA];
	static struct journald reader;
	struct hash_key key = { 1, 2 };
	const char *why = NULL;

	memset(&reader, 0, sizeof(reader));
	for (size_t at = 0; at < size; at += piece) {
		struct text part = { (const char *)data + at, size - at < piece ? size - at : piece };
		struct journald_entry entry;
		enum journald_step step;

		while ((step = journald_take(&reader, &part, &entry, &why)) == JOURNALD_ENTRY) {
			size_t n = journald_print(&entry, TEXT("here"), line);

			must(n <= entry.message.len + 4 + JOURNALD_LINE_EXTRA && entry.message.len <= JOURNALD_MESSAGE_MAX);
			must(!memchr(line, '\n', n) && !memchr(line, '\0', n));
			key.k0 ^= hash_bytes(&key, line, n);
			key.k1 += entry.dropped + entry.taken_us;
		}
		if (step == JOURNALD_BROKEN) {
			must(why != NULL);
			key.k1 ^= 7;
			break;
		}
		must(step == JOURNALD_MORE && part.len == 0);
	}
	return hash_bytes(&key, "", 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	must(read_all(data, size, size ? size : 1) == read_all(data, size, size ? 1 + data[0] % 97u : 1));
	return 0;
}
