/* SPDX-License-Identifier: MIT */
#include "judge/settings.h"

#include <errno.h>

#include "spimend/error.h"

enum row_type {
	ROW_DURATION, /* int64_t nanoseconds, shown in seconds */
	ROW_COUNT64,
	ROW_COUNT32,
	ROW_GAP, /* one duration for all dialects of a group */
};

enum gap_group { GAP_MINUTE, GAP_ASA, GAP_SCREENOS, GAP_PER_PACKET };

struct row {
	struct judge_setting_help help;
	enum row_type type;
	size_t at; /* offset in struct judge_settings, or enum gap_group */
};

#define AT(member) offsetof(struct judge_settings, member)
#define DAY_S 86400

static const struct row rows[] = {
	{ { "gap-ios", "s", 50, 1, DAY_S,
	    "IOS and IOS XE write the message at most once a minute (B3): the same flow and SPI so much later is a desync (B7)" },
	  ROW_GAP, GAP_MINUTE },
	{ { "gap-asa", "s", 5, 1, DAY_S, "the same for ASA and FTD, which write at most one in 5 s" }, ROW_GAP, GAP_ASA },
	{ { "gap-screenos", "s", 10, 1, DAY_S, "the same for ScreenOS, which writes at most one in 10 s and tunnel" },
	  ROW_GAP, GAP_SCREENOS },
	{ { "gap-per-packet", "s", 7, 1, DAY_S,
	    "the same for logs that write every packet: overlap and 2 s, with a rising sequence number where it is told" },
	  ROW_GAP, GAP_PER_PACKET },
	{ { "overlap", "s", 5, 0, 3600, "how long an SA stays usable after its rekey (strongSwan: delete_rekeyed_delay)" },
	  ROW_DURATION, AT(overlap_ns) },
	{ { "quiet", "s", 300, 1, DAY_S, "seen once, and so much further log from that observer: a transient (B6)" },
	  ROW_DURATION, AT(quiet_ns) },
	{ { "repeat-window", "s", DAY_S, 60, 30 * DAY_S, "repeats count within this" }, ROW_DURATION, AT(repeat_window_ns) },
	{ { "reused-window", "s", 600, 60, DAY_S, "the same for SD-WAN tunnels and SPIs below 4096, whose SPIs recur" },
	  ROW_DURATION, AT(reused_window_ns) },
	{ { "evidence-window", "s", 900, 0, DAY_S, "neighbouring messages this long before and after belong to the incident" },
	  ROW_DURATION, AT(evidence_window_ns) },
	{ { "restart-window", "s", 3600, 0, DAY_S, "a restart of the observer this long before the first sighting explains it" },
	  ROW_DURATION, AT(restart_window_ns) },
	{ { "noise-window", "s", 600, 1, DAY_S, "the window of the next three" }, ROW_DURATION, AT(noise_window_ns) },
	{ { "noise-spis", "count", 8, 2, 1000000, "so many SPIs from one source, none of them repeated: noise" },
	  ROW_COUNT64, AT(noise_spis) },
	{ { "noise-sources", "count", 2, 2, 1000000,
	    "one SPI from so many sources: noise, but not where keys are shared (SD-WAN, SPIs below 4096)" },
	  ROW_COUNT64, AT(noise_sources) },
	{ { "flood-flows", "count", 8192, 16, 1000000,
	    "so many flows, each seen once: noise, one incident (no hub has so many tunnels)" },
	  ROW_COUNT64, AT(flood_flows) },
	{ { "noise-listed", "count", 16, 1, 1000000, "more noise incidents of one rule than this are reported as one" },
	  ROW_COUNT64, AT(noise_sources_listed) },
	{ { "many-peers", "count", 5, 2, 1000000, "so many flows of different peers that fell within many-peers-window: one cause" },
	  ROW_COUNT64, AT(many_peers) },
	{ { "many-peers-window", "s", 120, 1, DAY_S, "the window of many-peers" }, ROW_DURATION, AT(many_peers_window_ns) },
	{ { "flows", "count", 32768, 16, 1000000, "flows held at once; the oldest seen once makes room, and is counted" },
	  ROW_COUNT32, AT(flows_max) },
	{ { "ghosts", "count", 1048576, 16, 1 << 24, "flows that made room and whose repeat is still noticed" },
	  ROW_COUNT32, AT(ghosts_max) },
	{ { "sightings", "count", 40960, 16, 1000000, "messages kept as evidence" }, ROW_COUNT32, AT(sightings_max) },
	{ { "neighbours", "count", 16384, 16, 1000000, "neighbouring messages kept as evidence; the oldest make room" },
	  ROW_COUNT32, AT(neighbours_max) },
	{ { "sa-tables", "count", 2048, 16, 100000, "flows of saved SA tables kept; the oldest make room" },
	  ROW_COUNT32, AT(blocks_max) },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static enum gap_group group_of(enum fact_dialect dialect)
{
	switch (dialect) {
	case DIALECT_ASA:
		return GAP_ASA;
	case DIALECT_SCREENOS:
		return GAP_SCREENOS;
	case DIALECT_FORTIGATE:
	case DIALECT_LINUX_AUDIT:
	case DIALECT_STRONGSWAN:
	case DIALECT_LIBRESWAN:
		return GAP_PER_PACKET;
	default: /* unknown writers are taken for the slowest */
		return GAP_MINUTE;
	}
}

static void put(struct judge_settings *s, const struct row *row, int64_t value)
{
	char *member = (char *)s + row->at;
	int64_t ns = value * SECOND_NS;
	uint64_t count64 = (uint64_t)value;
	uint32_t count32 = (uint32_t)value;

	switch (row->type) {
	case ROW_DURATION:
		memcpy(member, &ns, sizeof(ns));
		break;
	case ROW_COUNT64:
		memcpy(member, &count64, sizeof(count64));
		break;
	case ROW_COUNT32:
		memcpy(member, &count32, sizeof(count32));
		break;
	case ROW_GAP:
		for (int dialect = 0; dialect < DIALECT_COUNT; dialect++)
			if (group_of((enum fact_dialect)dialect) == (enum gap_group)row->at)
				s->gap_ns[dialect] = ns;
		break;
	}
}

void judge_settings_default(struct judge_settings *ret)
{
	*ret = (struct judge_settings){ 0 };
	for (size_t i = 0; i < ROWS; i++)
		put(ret, &rows[i], rows[i].help.value);
}

size_t judge_setting_count(void)
{
	return ROWS;
}

void judge_setting_help(size_t index, struct judge_setting_help *ret)
{
	*ret = rows[index].help;
}

int judge_setting_set(struct judge_settings *settings, struct text name, int64_t value)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (!text_equal(name, text_of(rows[i].help.name)))
			continue;
		if (value < rows[i].help.least || value > rows[i].help.most)
			return SPIMEND_E_RANGE;
		put(settings, &rows[i], value);
		return 0;
	}
	return -ENOENT;
}
