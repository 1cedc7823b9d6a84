/* SPDX-License-Identifier: MIT */
/* A terminal's prompt in front of pasted text: "hub#", "hub(config-applet)#", "hub>". Pure. */
#ifndef PARSE_PROMPT_H
#define PARSE_PROMPT_H

#include "base/text.h"

/* The line behind its prompt, as it is where there is none. Blanks in front of what is left stay. */
struct text prompt_skip(struct text line);

#endif
