/* SPDX-License-Identifier: MIT */
#include "cmd/report_source.h"

#include <errno.h>

#include "base/memory.h"
#include "sense/input.h"

static void close_input(struct input **input)
{
	input_close(*input);
}

int report_source_file(const char *path, report_line_fn *take, void *context)
{
	struct input *input cleanup(close_input) = NULL;
	struct text bytes, line;
	int result = input_open(path, &input);

	while (result >= 0) {
		result = input_next(input, &bytes);
		if (result == -EINTR) {
			result = 0;
			continue;
		}
		if (result <= 0)
			break;
		while (result > 0 && text_take_line(&bytes, &line)) {
			int taken = take(context, line);

			result = taken < 0 ? taken : result;
		}
	}
	return result;
}
