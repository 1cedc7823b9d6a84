/* SPDX-License-Identifier: MIT */
/* Packets as charon 5.9.8 sent them (lab addresses), which are the fuzz target's seeds as well: tests/fuzz/corpus/vici/. */
#ifndef TESTS_VICI_FIXTURE_H
#define TESTS_VICI_FIXTURE_H

#include <stdio.h>

#include "parse/vici.h"

struct fixture {
	char bytes[8192];
	size_t len;
};

static inline struct vici_packet fixture_read(struct fixture *f, const char *folder, const char *name)
{
	struct vici_packet packet = { .name = TEXT_NONE };
	struct vici_failure failure;
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "tests/fuzz/corpus/%s/%s", folder, name);
	file = fopen(path, "rb");
	if (!file)
		fail_msg("cannot open %s", path);
	f->len = fread(f->bytes, 1, sizeof(f->bytes), file);
	fclose(file);
	if (strcmp(folder, "vici") == 0)
		assert_int_equal(vici_packet_read((struct text){ f->bytes, f->len }, &packet, &failure), 0);
	return packet;
}

#endif
