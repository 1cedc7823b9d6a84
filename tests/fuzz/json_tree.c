/* SPDX-License-Identifier: MIT */
/* libFuzzer: JSON into a tree. Whatever was read can be walked, and every text lies where it may. */
#include <stdlib.h>

#include "parse/json_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t walk(const struct json_tree *tree, const struct json_node *node, unsigned depth)
{
	size_t n = 1;

	if (depth > JSON_TREE_DEPTH_MAX + 1)
		abort();
	for (size_t i = 0; i < node->text.len; i++) /* the sanitizer knows where it may lie */
		if (node->text.at[i] == '\0' && node->type == JSON_NUMBER)
			abort();
	for (size_t i = 0; i < node->key.len; i++)
		if (node->type > JSON_OBJECT && node->key.at[i] == '\0')
			abort();
	for (const struct json_node *m = json_tree_first(tree, node); m; m = json_tree_next(tree, m))
		n += walk(tree, m, depth + 1);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text text = { (const char *)data, size };
	struct json_tree tree = { 0 };
	size_t offset = 0;

	for (int turn = 0; turn < 2; turn++) { /* used again */
		int result = json_tree_read(&tree, text, &offset);

		if (result < 0 ? offset > size || json_tree_root(&tree) != NULL : walk(&tree, json_tree_root(&tree), 0) + 1 != tree.count)
			abort();
	}
	json_tree_done(&tree);
	return 0;
}
