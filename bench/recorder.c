/* SPDX-License-Identifier: MIT */
/*
 * recorder [FOLDER]: what the flight recorder costs a core at 10,000 events a second, beside what else could keep them.
 *
 * Each keeps the same events in the same run and folder: of five, two sightings, a counter, a child's rekey (four
 * records) and a line of a device. Measured is the processor's time, user and system, for EVENTS of them under a clock
 * that goes on by 100 us an event; the percentage is what that would be of one core at 10,000 a second. Everything is
 * counted: from the noun that a role tells to bytes in the page cache, and the forcing onto the disk as the daemon does
 * it, each 5 s.
 *
 *   ring           record/recorded_of, record/ring, and record/frozen with an incident's window open, as the role core does
 *   paced          the same, in real time: 10,000 a second, handed in as they come, each 20 ms
 *   JSON lines     spimend.recorded/1, appended each 100 ms
 *   log lines      one write(2) a line, as a logger does
 *   SQLite         WAL, synchronous NORMAL, a transaction each 100 ms, one index by time
 *
 * Exit status 1 when the ring, paced or not, takes more than 2 %.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "record/frozen.h"
#include "record/recorded_json.h"
#include "record/recorded_of.h"

#define EVENTS 500000
#define RATE 10000
#define BATCH_NS (100 * INT64_C(1000000))
#define PACED_S 5
#define GOAL_PERCENT 2.0

struct keeper { /* one way to keep events */
	const char *name;
	int (*begin)(struct keeper *k, const char *folder);
	void (*keep)(struct keeper *k, const struct recorded *e, struct moment now);
	void (*tick)(struct keeper *k, struct moment now);
	void (*end)(struct keeper *k, struct moment now);
	uint64_t records;
	struct moment now;
	struct ring *ring;
	struct frozen *frozen;
	struct buffer lines;
	int fd;
	sqlite3 *db;
	sqlite3_stmt *insert;
	int64_t batch_ns, sync_ns;
};

static double processor_ns(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return ((double)used.ru_utime.tv_sec + (double)used.ru_stime.tv_sec) * 1e9 +
	       ((double)used.ru_utime.tv_usec + (double)used.ru_stime.tv_usec) * 1e3;
}

static struct moment clock_of(void)
{
	struct timespec mono, wall;

	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_REALTIME, &wall);
	return (struct moment){ (int64_t)mono.tv_sec * SECOND_NS + mono.tv_nsec,
				{ (int64_t)wall.tv_sec * SECOND_NS + wall.tv_nsec } };
}

/* --- What is kept ---------------------------------------------------------------------------------------------------- */

static const struct spimend_address hub = { 4, { 192, 0, 2, 1 } };

static struct spimend_address peer_of(uint64_t number)
{
	return (struct spimend_address){ 4, { 198, 51, (uint8_t)(100 + number % 50), (uint8_t)(number / 50) } };
}

static void keep(void *context, const struct recorded *event)
{
	struct keeper *k = context;
	struct recorded e = *event;

	e.has |= RECORDED_HAS_MONO | RECORDED_HAS_WALL | RECORDED_HAS_BOOT;
	e.mono_ns = k->now.mono_ns;
	e.wall = k->now.wall;
	if (e.end.len == 0)
		e.end = TEXT("hub");
	k->keep(k, &e, k->now);
	k->records++;
}

static void tell(struct keeper *k, uint64_t number)
{
	struct sighting s = { .src = peer_of(number), .dst = hub, .protocol = 50, .spi = 0xc0000000u + (uint32_t)number,
			      .packets = 12, .first_ns = k->now.mono_ns - 15000000, .last_ns = k->now.mono_ns, .sequence_first = 100,
			      .sequence_last = 112, .interface = "eth0", .in_ledger = true };
	struct spi_count count = { .key = sa_key_of(&hub, 50, 0xc0000000u + (uint32_t)number), .packets = number,
				   .sequence_highest = (uint32_t)number };
	struct child_event rekey = { .change = CHILD_REKEY, .has_successor = true };
	struct recorded line = { .kind = RECORDED_OUTPUT, .end = TEXT("spoke1"),
				 .text = TEXT("    #pkts encaps: 81233, #pkts encrypt: 81233, #pkts digest: 81233") };

	switch (number % 5) {
	case 0:
	case 1:
		recorded_of_sighting(&s, keep, k);
		break;
	case 2:
		recorded_of_count(&count, keep, k);
		break;
	case 3:
		rekey.child = (struct child_sa){ .id = (uint32_t)number, .protocol = 50, .has_spi_in = true, .has_spi_out = true,
						 .spi_in = 1000 + (uint32_t)number, .spi_out = 2000, .local = hub,
						 .remote = peer_of(number), .has_counters = true, .ike = "gw", .child = "net" };
		rekey.successor = rekey.child;
		recorded_of_child(&rekey, keep, k);
		break;
	default:
		keep(k, &line);
		break;
	}
}

/* --- The ring -------------------------------------------------------------------------------------------------------- */

static int ring_begin(struct keeper *k, const char *folder)
{
	const struct ring_limits limits = { .bytes = 64u << 20, .age_ns = DAY_NS };
	const struct frozen_limits kept = { .count = 100, .bytes = 256u << 20, .age_ns = DAY_NS, .before_ns = 300 * SECOND_NS,
					    .after_ns = 120 * SECOND_NS };
	const struct ring_self self = { .end = "hub" };
	struct frozen_want want = { .id = "k3v9q2", .ends = { hub, peer_of(1) } };
	char path[512];
	int r;

	snprintf(path, sizeof(path), "%s/recorder", folder);
	mkdir(path, 0700);
	r = ring_open(path, &limits, &self, k->now, &k->ring);
	snprintf(path, sizeof(path), "%s/evidence", folder);
	mkdir(path, 0700);
	if (r == 0)
		r = frozen_open(path, &kept, &self, k->now, &k->frozen);
	return r == 0 ? frozen_begin(k->frozen, k->ring, &want, NULL, NULL, k->now) : r;
}

static void ring_keep(struct keeper *k, const struct recorded *e, struct moment now)
{
	ring_add(k->ring, e, now);
	frozen_add(k->frozen, e, now);
}

static void ring_turn(struct keeper *k, struct moment now)
{
	ring_tick(k->ring, now);
	frozen_tick(k->frozen, k->ring, now);
}

static void ring_end(struct keeper *k, struct moment now)
{
	struct ring_figures f = ring_figures(k->ring);

	if (f.lost)
		printf("the ring lost %" PRIu64 " of them\n", f.lost);
	frozen_close(k->frozen);
	ring_close(k->ring, now);
}

/* --- Lines ----------------------------------------------------------------------------------------------------------- */

static int file_begin(struct keeper *k, const char *folder)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/lines", folder);
	k->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	return k->fd < 0 ? -errno : 0;
}

static void write_lines(struct keeper *k)
{
	if (k->lines.len && write(k->fd, k->lines.bytes, k->lines.len) != (ssize_t)k->lines.len)
		perror("write");
	buffer_clear(&k->lines);
}

static void json_keep(struct keeper *k, const struct recorded *e, struct moment now)
{
	(void)now;
	record_recorded_json(e, &k->lines);
}

static void file_sync(struct keeper *k, struct moment now)
{
	if (now.mono_ns < k->sync_ns)
		return;
	k->sync_ns = now.mono_ns + RING_SYNC_NS;
	(void)!fdatasync(k->fd);
}

static void json_tick(struct keeper *k, struct moment now)
{
	write_lines(k);
	file_sync(k, now);
}

static void log_keep(struct keeper *k, const struct recorded *e, struct moment now)
{
	char src[SPIMEND_ADDRESS_TEXT_MAX], dst[SPIMEND_ADDRESS_TEXT_MAX];

	calendar_print(&k->lines, now.wall);
	buffer_printf(&k->lines, " hub spimendd: %s %s -> %s 0x%08" PRIx32 " %.*s/%.*s %.*s\n", recorded_kind_name(e->kind),
		      spimend_address_print(&e->src, src), spimend_address_print(&e->dst, dst), e->spi.value,
		      TEXT_ARG(e->connection), TEXT_ARG(e->child), TEXT_ARG(e->text));
	write_lines(k);
}

static void file_end(struct keeper *k, struct moment now)
{
	(void)now;
	write_lines(k);
	buffer_done(&k->lines);
	close(k->fd);
}

/* --- SQLite ---------------------------------------------------------------------------------------------------------- */

static int table_begin(struct keeper *k, const char *folder)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/events.db", folder);
	if (sqlite3_open(path, &k->db) != SQLITE_OK ||
	    sqlite3_exec(k->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE event (mono INTEGER, wall INTEGER, "
			 "kind INTEGER, src BLOB, dst BLOB, spi INTEGER, connection TEXT, child TEXT, reason TEXT, packets INTEGER, "
			 "seq INTEGER, text TEXT); CREATE INDEX event_mono ON event (mono)", NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(k->db, "INSERT INTO event VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", -1, &k->insert, NULL) != SQLITE_OK ||
	    sqlite3_exec(k->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
		return -EIO;
	return 0;
}

static void bind_text(struct keeper *k, int at, struct text t)
{
	sqlite3_bind_text(k->insert, at, t.at, (int)t.len, SQLITE_STATIC);
}

static void table_keep(struct keeper *k, const struct recorded *e, struct moment now)
{
	(void)now;
	sqlite3_bind_int64(k->insert, 1, e->mono_ns);
	sqlite3_bind_int64(k->insert, 2, e->wall.ns);
	sqlite3_bind_int(k->insert, 3, e->kind);
	sqlite3_bind_blob(k->insert, 4, e->src.bytes, 4, SQLITE_STATIC);
	sqlite3_bind_blob(k->insert, 5, e->dst.bytes, 4, SQLITE_STATIC);
	sqlite3_bind_int64(k->insert, 6, e->spi.value);
	bind_text(k, 7, e->connection);
	bind_text(k, 8, e->child);
	bind_text(k, 9, e->reason);
	sqlite3_bind_int64(k->insert, 10, (int64_t)e->packets);
	sqlite3_bind_int64(k->insert, 11, (int64_t)e->sequence);
	bind_text(k, 12, e->text);
	if (sqlite3_step(k->insert) != SQLITE_DONE)
		fputs("SQLite refuses\n", stderr);
	sqlite3_reset(k->insert);
}

static void table_tick(struct keeper *k, struct moment now)
{
	(void)now;
	sqlite3_exec(k->db, "COMMIT; BEGIN", NULL, NULL, NULL);
}

static void table_end(struct keeper *k, struct moment now)
{
	table_tick(k, now);
	sqlite3_finalize(k->insert);
	sqlite3_close(k->db);
}

/* --- Measuring ------------------------------------------------------------------------------------------------------- */

static void show(const struct keeper *k, double used, uint64_t events)
{
	double each = used / (double)events;

	printf("%-12s %8" PRIu64 " events, %8" PRIu64 " records, %7.0f ns an event, %9.0f events/s of one core, %6.2f %% of a core at %d/s\n",
	       k->name, events, k->records, each, 1e9 / each, each * RATE / 1e7, RATE);
}

/* Percent of a core at RATE, or negative. */
static double measure(struct keeper *k, const char *folder)
{
	struct moment start = clock_of();
	double before, used;

	k->now = start;
	if (k->begin(k, folder) < 0) {
		fprintf(stderr, "bench/recorder: %s cannot begin in %s\n", k->name, folder);
		return -1;
	}
	before = processor_ns();
	k->batch_ns = start.mono_ns + BATCH_NS;
	for (uint64_t i = 0; i < EVENTS; i++) {
		k->now.mono_ns = start.mono_ns + (int64_t)i * SECOND_NS / RATE;
		k->now.wall.ns = start.wall.ns + (int64_t)i * SECOND_NS / RATE;
		tell(k, i);
		if (k->now.mono_ns >= k->batch_ns) {
			k->tick(k, k->now);
			k->batch_ns = k->now.mono_ns + BATCH_NS;
		}
	}
	k->end(k, k->now);
	used = processor_ns() - before;
	show(k, used, EVENTS);
	return used / EVENTS * RATE / 1e7;
}

/* In real time, as many wake-ups as there would be. */
static double measure_paced(struct keeper *k, const char *folder)
{
	const struct timespec nap = { 0, 20000000 };
	struct moment start = clock_of();
	uint64_t told = 0, due = 0;
	double before, used, seconds;

	k->now = start;
	if (k->begin(k, folder) < 0)
		return -1;
	before = processor_ns();
	while (due < (uint64_t)PACED_S * RATE) {
		nanosleep(&nap, NULL);
		k->now = clock_of();
		due = (uint64_t)(k->now.mono_ns - start.mono_ns) * RATE / SECOND_NS;
		for (; told < due; told++)
			tell(k, told);
		k->tick(k, k->now);
	}
	k->end(k, k->now);
	used = processor_ns() - before;
	seconds = (double)(clock_of().mono_ns - start.mono_ns) / 1e9;
	show(k, used, told);
	printf("%-12s %8.2f s at %.0f events/s: %.2f %% of a core\n", "", seconds, (double)told / seconds, used / seconds / 1e7);
	return used / seconds / 1e7;
}

int main(int argc, char **argv)
{
	struct keeper all[] = {
		{ .name = "ring", .begin = ring_begin, .keep = ring_keep, .tick = ring_turn, .end = ring_end },
		{ .name = "JSON lines", .begin = file_begin, .keep = json_keep, .tick = json_tick, .end = file_end },
		{ .name = "log lines", .begin = file_begin, .keep = log_keep, .tick = file_sync, .end = file_end },
		{ .name = "SQLite", .begin = table_begin, .keep = table_keep, .tick = table_tick, .end = table_end },
	};
	struct keeper paced = { .name = "paced", .begin = ring_begin, .keep = ring_keep, .tick = ring_turn, .end = ring_end };
	const char *place = argc > 1 ? argv[1] : getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
	char folder[400], command[1024];
	double ring = -1, at_rate;

	snprintf(folder, sizeof(folder), "%s/bench-recorder-XXXXXX", place);
	if (!mkdtemp(folder)) {
		perror(folder);
		return 2;
	}
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		double percent = measure(&all[i], folder);

		if (i == 0)
			ring = percent;
	}
	snprintf(command, sizeof(command), "rm -rf '%s/recorder' '%s/evidence'", folder, folder);
	if (system(command) != 0)
		perror("rm");
	at_rate = measure_paced(&paced, folder);
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	if (system(command) != 0)
		perror("rm");
	if (ring < 0 || at_rate < 0)
		return 2;
	if (ring > GOAL_PERCENT || at_rate > GOAL_PERCENT) {
		printf("more than %.0f %% of a core\n", GOAL_PERCENT);
		return 1;
	}
	return 0;
}
