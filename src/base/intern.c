/* SPDX-License-Identifier: MIT */
#include "base/intern.h"

#include <errno.h>

#include "base/memory.h"

int intern_init(struct intern *in, const struct hash_key *key, uint32_t limit)
{
	*in = (struct intern){ .key = *key, .limit = limit, .room = 64 };
	while (in->room < (size_t)limit * 2)
		in->room *= 2;
	in->slots = memory_new(in->room, sizeof(*in->slots));
	in->texts = memory_new(limit, sizeof(*in->texts));
	if (!in->slots || !in->texts) {
		intern_done(in);
		return -ENOMEM;
	}
	return 0;
}

void intern_done(struct intern *in)
{
	for (uint32_t i = 0; i < in->count; i++)
		memory_free(in->texts[i].bytes);
	memory_free(in->texts);
	memory_free(in->slots);
	*in = (struct intern){ 0 };
}

static uint32_t *find_slot(const struct intern *in, struct text t)
{
	size_t i = hash_bytes(&in->key, t.at, t.len) & (in->room - 1);

	while (in->slots[i] && !text_equal(intern_text(in, in->slots[i]), t))
		i = (i + 1) & (in->room - 1);
	return &in->slots[i];
}

uint32_t intern_find(const struct intern *in, struct text t)
{
	t = text_first(t, INTERN_TEXT_MAX);
	return t.len ? *find_slot(in, t) : 0;
}

uint32_t intern_get(struct intern *in, struct text t)
{
	uint32_t *slot;
	char *bytes;

	t = text_first(t, INTERN_TEXT_MAX);
	if (t.len == 0)
		return 0;
	slot = find_slot(in, t);
	if (*slot)
		return *slot;
	bytes = in->count < in->limit ? memory_new(t.len, 1) : NULL;
	if (!bytes) {
		in->refused++;
		return 0;
	}
	memcpy(bytes, t.at, t.len);
	in->texts[in->count].bytes = bytes;
	in->texts[in->count].len = (uint32_t)t.len;
	*slot = ++in->count;
	return *slot;
}

struct text intern_text(const struct intern *in, uint32_t id)
{
	if (id == 0 || id > in->count)
		return TEXT_NONE;
	return (struct text){ in->texts[id - 1].bytes, in->texts[id - 1].len };
}
