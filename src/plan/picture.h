/* SPDX-License-Identifier: MIT */
/*
 * From an incident to its picture: which end did what when, and which SA lived how long where. Pure; decides nothing, and
 * draws nothing: record does.
 *
 * Called by cmd, for what logs tell.
 */
#ifndef PLAN_PICTURE_H
#define PLAN_PICTURE_H

#include "model/incident.h"
#include "model/picture.h"

/* Fills a zeroed picture from what an incident rests on. To be freed by picture_done(), also when it failed. */
void picture_of_incident(const struct incident *incident, struct picture *ret);

/* A few words for what a message says, for a picture: "IKE SA lost", "restarted". */
const char *picture_words(enum fact_kind kind);

#endif
