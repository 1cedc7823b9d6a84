/* SPDX-License-Identifier: MIT */
/* How text for people is printed here: colour on a terminal without NO_COLOR, and its width, else COLUMNS'. */
#ifndef CMD_STYLE_H
#define CMD_STYLE_H

#include "record/incident_text.h"

/* Sets colour and width; leaves the rest. */
void style_of_output(struct text_style *style);

#endif
