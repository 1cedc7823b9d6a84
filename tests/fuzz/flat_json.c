/* SPDX-License-Identifier: MIT */
/* libFuzzer: the flat JSON object of the control socket. What is read is text that ends and is UTF-8. */
#include <stdlib.h>

#include "parse/flat_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct flat_json object;

	if (flat_json_read((struct text){ (const char *)data, size }, &object) < 0)
		return 0;
	must(object.count <= FLAT_JSON_MEMBERS_MAX);
	for (size_t i = 0; i < object.count; i++) {
		const struct flat_json_member *m = &object.members[i];

		must(strnlen(m->name, sizeof(m->name)) < sizeof(m->name));
		must(flat_json_find(&object, m->name) == m);
		must(m->type != FLAT_STRING || text_is_utf8(text_of(m->text)));
	}
	return 0;
}
