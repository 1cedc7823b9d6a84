/* SPDX-License-Identifier: MIT */
#include "exec/cleared.h"

#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "exec/view.h"

struct row {
	uint16_t daemon;
	uint32_t child;
	uint64_t packets_in, packets_out, bytes_in, bytes_out;
};

struct exec_cleared {
	struct row *rows; /* owns; sorted */
	size_t count;
};

static int compare(const void *a, const void *b)
{
	const struct row *one = a, *other = b;

	if (one->daemon != other->daemon)
		return one->daemon < other->daemon ? -1 : 1;
	return one->child < other->child ? -1 : one->child > other->child;
}

int exec_cleared_new(const struct core *core, struct exec_cleared **ret)
{
	struct exec_cleared *cleared = memory_new(1, sizeof(*cleared));
	struct core_figures figures = core_figures(core, (struct moment){ 0 });
	cleanup(core_walk_done) struct core_walk walk;
	struct core_tunnel tunnel;
	size_t room = 0;

	core_walk_begin(core, &walk);
	for (uint32_t i = 0; i < figures.daemon_count; i++)
		room += figures.daemons[i].children;
	if (cleared)
		cleared->rows = memory_new(room ? room : 1, sizeof(*cleared->rows));
	if (!cleared || !cleared->rows) {
		exec_cleared_free(cleared);
		return -ENOMEM;
	}
	while (cleared->count < room && core_walk_next(&walk, &tunnel)) {
		const struct child_sa *c = &tunnel.child;

		cleared->rows[cleared->count++] =
			(struct row){ c->daemon, c->id, c->packets_in, c->packets_out, c->bytes_in, c->bytes_out };
	}
	qsort(cleared->rows, cleared->count, sizeof(*cleared->rows), compare);
	*ret = cleared;
	return 0;
}

void exec_cleared_free(struct exec_cleared *cleared)
{
	if (!cleared)
		return;
	memory_free(cleared->rows);
	memory_free(cleared);
}

void exec_cleared_apply(const struct exec_cleared *cleared, struct child_sa *child)
{
	struct row key = { .daemon = child->daemon, .child = child->id };
	const struct row *row = cleared ? bsearch(&key, cleared->rows, cleared->count, sizeof(key), compare) : NULL;

	if (!row || child->packets_in < row->packets_in || child->packets_out < row->packets_out ||
	    child->bytes_in < row->bytes_in || child->bytes_out < row->bytes_out)
		return;
	child->packets_in -= row->packets_in;
	child->packets_out -= row->packets_out;
	child->bytes_in -= row->bytes_in;
	child->bytes_out -= row->bytes_out;
}

bool exec_tunnel_next(const struct exec_view *view, struct core_walk *walk, struct core_tunnel *ret)
{
	if (!core_walk_next(walk, ret))
		return false;
	exec_cleared_apply(view->cleared, &ret->child);
	return true;
}
