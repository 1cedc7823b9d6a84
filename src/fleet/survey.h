/* SPDX-License-Identifier: MIT */
/*
 * Which address is whose, and which SD-WAN router is of which site: every device is asked once, and again from time to
 * time, one after another and never many at once. Without the first, a tunnel that ends at another address than the one
 * that its device is logged in to is nobody's; without the second, all of SD-WAN counts as one site, which is changed at one
 * device at a time. Pure: says whom to ask what, and is told what came of it. Called by the role core.
 */
#ifndef FLEET_SURVEY_H
#define FLEET_SURVEY_H

#include <stdbool.h>
#include <stdint.h>

#include "model/config_device.h"

#define SURVEY_FIRST_NS INT64_C(5000000000)       /* after a start the ones who log lines are more urgent */
#define SURVEY_GAP_NS INT64_C(500000000)          /* between two devices */
#define SURVEY_AT_ONCE 4                          /* questions under way */
#define SURVEY_AGAIN_NS (24 * INT64_C(3600000000000))
#define SURVEY_RETRY_NS (10 * INT64_C(60000000000)) /* of one that did not answer: doubled each time up to a day */

enum survey_question { SURVEY_ADDRESSES, SURVEY_SITE, SURVEY_QUESTIONS }; /* the second of SD-WAN's routers alone */

struct survey;

/* 0 or -ENOMEM. */
int survey_new(const struct config_devices *devices, int64_t now, struct survey **ret);
void survey_free(struct survey *s); /* NULL is fine */
/* The next to be asked now; false: none yet, and *ret_due says when to look again. It is under way until survey_told(). */
bool survey_next(struct survey *s, int64_t now, uint32_t *ret_device, enum survey_question *ret_question, int64_t *ret_due);
void survey_told(struct survey *s, uint32_t device, enum survey_question question, bool answered, int64_t now);
/* Nobody will tell what became of those under way. */
void survey_lost(struct survey *s, int64_t now);
/* How many devices have answered that, of how many that can be asked. */
void survey_figures(const struct survey *s, enum survey_question question, uint32_t *ret_known, uint32_t *ret_all);

#endif
