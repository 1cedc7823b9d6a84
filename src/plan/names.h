/* SPDX-License-Identifier: MIT */
/*
 * The figures of one incident, printed from their types, and templates that name them. Private to the plan room.
 *
 * Templates: $S the sender's address, $R the receiver's, $X the SPI in hex, $D the SPI in decimal,
 * $W the SPI with its bytes swapped, $P "esp" or "ah".
 * In sentences an unknown figure becomes words ("the sender"); in commands it makes names_command() refuse. Nothing
 * else can enter a command: no template takes text from a message.
 */
#ifndef PLAN_NAMES_H
#define PLAN_NAMES_H

#include "base/buffer.h"
#include "model/incident.h"

#define NAME_MAX_BYTES 64

struct names {
	bool has_src, has_dst, has_spi, has_protocol;
	char src[NAME_MAX_BYTES], dst[NAME_MAX_BYTES];
	char spi[NAME_MAX_BYTES], decimal[NAME_MAX_BYTES], swapped[NAME_MAX_BYTES];
	const char *protocol;
};

struct names names_of(const struct incident *incident);

/* Whose commands the receiver takes: those of its IKE daemon where the kernel wrote the message. */
enum fact_dialect names_device(const struct incident *incident);
/* Which of the faults that look alike: the incident's own, where it has none that of its evidence; else FACT_NONE. */
enum fact_kind names_fault(const struct incident *incident);
/* A desync whose observer logged on without it for as long as a transient needs: it may have ended. */
bool names_gone_quiet(const struct incident *incident);
/* The SPI is printed with its bytes swapped, and the log shows its SA created and not deleted: early use (C11). */
bool names_early_swapped(const struct incident *incident);

/* Appends to a NUL-terminated array; cuts what does not fit. */
void names_append(const struct names *n, const char *template, char *to, size_t size);
/* The same into a buffer. */
void names_say(const struct names *n, struct buffer *out, const char *template);
/* Fills `to`, or leaves it empty when the template names a figure that is not known or the room is too small. */
bool names_command(const struct names *n, const char *template, char *to, size_t size);

/* Foreign text for a sentence: printable ASCII only, the rest as '.', cut at `max` bytes with "...". */
void names_quote(struct buffer *out, struct text foreign, size_t max);

#endif
