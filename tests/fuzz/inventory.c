/* SPDX-License-Identifier: MIT */
/* libFuzzer: any text as an inventory. What is printed must be a configuration, but for jumps in circles, one behind the
 * other and too many, and logins of too many kinds. */
#include <stdlib.h>

#include "../../src/cmd/inventory_yaml.c" /* the fuzzers are one source each */
#include "parse/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void on_say(void *context, uint32_t file, uint32_t line, struct text why)
{
	(void)context;
	(void)line;
	must(file == 0 && why.len > 0);
}

static bool is_of_the_whole(const char *problem)
{
	return strstr(problem, "in a circle") || strstr(problem, "to jump through") || strstr(problem, "ways as are kept") ||
	       strstr(problem, "reached through another");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config config;
	static struct config_report report;
	struct inventory_tree tree = { 0 };
	struct inventory *inventory = inventory_new(size % 2 ? PLATFORM_IOS : PLATFORM_UNKNOWN, on_say, NULL);
	struct buffer why = { 0 }, out = { 0 };
	uint32_t line;

	must(inventory);
	if (inventory_yaml_read((struct text){ (const char *)data, size }, &tree, &line, &why) == 0)
		(void)inventory_read(inventory, &tree, 0);
	must(tree.count <= INVENTORY_NODES_MAX);
	must(inventory_finish(inventory) == 0);
	inventory_print(inventory, &out);
	must(inventory_count(inventory).devices <= DEVICES_MAX);
	if (config_parse(buffer_text(&out), &config, &report) < 0)
		for (uint32_t i = 0; i < report.kept; i++)
			must(report.problems[i].is_warning || is_of_the_whole(report.problems[i].text));
	inventory_free(inventory);
	inventory_tree_done(&tree);
	buffer_done(&why);
	buffer_done(&out);
	return 0;
}
