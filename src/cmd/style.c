/* SPDX-License-Identifier: MIT */
#include "cmd/style.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

void style_of_output(struct text_style *style)
{
	const char *no_colour = getenv("NO_COLOR"), *columns = getenv("COLUMNS");
	bool terminal = isatty(STDOUT_FILENO);
	struct winsize size;
	uint64_t width = 100;

	style->colour = terminal && !(no_colour && no_colour[0]);
	if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
		width = size.ws_col;
	else if (columns)
		text_decimal(text_of(columns), 1000, &width);
	style->width = width < 60 ? 60 : width > 140 ? 140 : (size_t)width;
}
