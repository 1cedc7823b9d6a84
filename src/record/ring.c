/* SPDX-License-Identifier: MIT */
#include "record/ring.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/memory.h"
#include "record/segment_file.h"

#define SUFFIX ".seg"
#define NAME_DIGITS 16
#define NAME_MAX_BYTES (NAME_DIGITS + sizeof(SUFFIX))
#define SHARES 16 /* segments that the ring is cut into */
#define SEGMENT_LEAST (64u << 10)
#define SEGMENT_MOST (16u << 20)
#define STEP_LEAST_NS (250 * INT64_C(1000000)) /* a clock that is slewed is no step: at most 500 ppm (adjtime) ... */
#define STEP_PER_MILLE 1                       /* ... so what is more than twice that, and noticeable */
#define AGE_CHECK_NS MINUTE_NS

struct kept { /* a segment */
	uint64_t number, bytes, records, torn;
	int64_t begun_ns;     /* mono, of this boot */
	bool this_boot, is_read; /* is_read: `records` and `torn` are counted */
	struct instant wall;  /* begun; 0: its header cannot be read */
};

struct ring {
	int folder; /* owns */
	struct ring_limits limits;
	struct ring_self self;
	struct kept kept[RING_SEGMENTS_MAX]; /* oldest first; with the current one while it has a file */
	size_t count;
	uint64_t next_number;
	/* The current segment. It gets its file when it is written first. */
	struct segment_header header;
	int fd;               /* owns; -1: no file yet */
	uint64_t written;     /* bytes of the file */
	unsigned char *pending; /* owns: RING_PENDING_BYTES, what follows */
	size_t pending_len;
	uint64_t pending_records;
	int64_t first_pending_ns, unsynced_ns; /* mono; 0: nothing */
	int64_t retry_ns, age_check_ns;
	uint64_t lost_before; /* lost when the ring last said so in itself */
	bool has_clock;
	int64_t clock_offset_ns, clock_at_ns; /* wall less mono, at that mono */
	struct ring_figures figures; /* written, lost, steps, trouble */
};

static void name_of(uint64_t number, char to[NAME_MAX_BYTES])
{
	snprintf(to, NAME_MAX_BYTES, "%0*" PRIx64 SUFFIX, NAME_DIGITS, number);
}

static bool read_name(const char *name, uint64_t *ret)
{
	struct text t = text_of(name);

	return t.len == NAME_MAX_BYTES - 1 && text_ends(t, TEXT(SUFFIX)) && text_hex64(text_first(t, NAME_DIGITS), ret) == 0;
}

static uint64_t segment_bytes(const struct ring *ring)
{
	uint64_t share = ring->limits.bytes / SHARES;

	return share < SEGMENT_LEAST ? SEGMENT_LEAST : share > SEGMENT_MOST ? SEGMENT_MOST : share;
}

static bool has_current(const struct ring *ring)
{
	return ring->fd >= 0;
}

/* --- Letting go ------------------------------------------------------------------------------------------------------ */

static void drop_oldest(struct ring *ring)
{
	char name[NAME_MAX_BYTES];

	name_of(ring->kept[0].number, name);
	(void)!unlinkat(ring->folder, name, 0); /* where that fails it is found again at the next start */
	ring->count--;
	memmove(ring->kept, ring->kept + 1, ring->count * sizeof(ring->kept[0]));
}

static uint64_t bytes_of(const struct ring *ring)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < ring->count; i++)
		sum += ring->kept[i].bytes;
	return sum;
}

static size_t droppable(const struct ring *ring) /* all but the current one */
{
	return ring->count - (has_current(ring) && ring->count > 0);
}

/* A segment is as old as its end: the beginning of the one after it. Of this boot by the clock that does not step. */
static bool is_too_old(const struct ring *ring, size_t index, struct moment now)
{
	const struct kept *after = &ring->kept[index + 1];

	if (index + 1 >= ring->count)
		return false;
	if (after->this_boot)
		return now.mono_ns - after->begun_ns > ring->limits.age_ns;
	return after->wall.ns > 0 && now.wall.ns - after->wall.ns > ring->limits.age_ns;
}

static void let_go(struct ring *ring, uint64_t room, struct moment now)
{
	while (droppable(ring) > 0 && (bytes_of(ring) + room > ring->limits.bytes || ring->count >= RING_SEGMENTS_MAX))
		drop_oldest(ring);
	while (droppable(ring) > 0 && is_too_old(ring, 0, now))
		drop_oldest(ring);
}

/* --- Writing --------------------------------------------------------------------------------------------------------- */

/* In memory: a new one, which gets its file later. */
static void begin_segment(struct ring *ring, struct moment now)
{
	struct segment_header *h = &ring->header;

	*h = (struct segment_header){ .wall = now.wall, .mono_ns = now.mono_ns };
	memcpy(h->boot, ring->self.boot, sizeof(h->boot));
	memcpy(h->end, ring->self.end, sizeof(h->end));
	if (getrandom(&h->salt, sizeof(h->salt), 0) != (ssize_t)sizeof(h->salt)) /* another one than before will do */
		h->salt = (uint64_t)now.mono_ns ^ (uint64_t)now.wall.ns << 1;
	segment_write_header(h, ring->pending);
	ring->pending_len = SEGMENT_HEADER_BYTES;
	ring->pending_records = 0;
	ring->written = 0;
}

static int check_room(const struct ring *ring)
{
	struct statvfs fs;

	if (fstatvfs(ring->folder, &fs) < 0)
		return -errno;
	if ((uint64_t)fs.f_bavail * fs.f_frsize < ring->limits.reserve + segment_bytes(ring))
		return -ENOSPC;
	return 0;
}

static int make_file(struct ring *ring, struct moment now)
{
	char name[NAME_MAX_BYTES];
	int r = check_room(ring);

	if (r < 0)
		return r;
	let_go(ring, segment_bytes(ring), now);
	if (ring->count >= RING_SEGMENTS_MAX)
		return -ENOSPC;
	name_of(ring->next_number, name);
	ring->fd = openat(ring->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (ring->fd < 0)
		return -errno;
	ring->kept[ring->count++] = (struct kept){ .number = ring->next_number++, .begun_ns = ring->header.mono_ns,
						    .this_boot = true, .is_read = true, .wall = ring->header.wall };
	(void)!fsync(ring->folder); /* its name is to be there after a power failure; its bytes are RING_SYNC_NS's affair */
	return 0;
}

/* All of it or nothing that counts: what stands behind `written` is no record yet, and is written over. */
static int write_pending(struct ring *ring)
{
	size_t done = 0;

	while (done < ring->pending_len) {
		ssize_t n = pwrite(ring->fd, ring->pending + done, ring->pending_len - done, (off_t)(ring->written + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int r = n < 0 ? -errno : -ENOSPC;

			(void)!ftruncate(ring->fd, (off_t)ring->written);
			return r;
		}
		done += (size_t)n;
	}
	return 0;
}

static int flush(struct ring *ring, struct moment now)
{
	struct kept *current;
	int r = 0;

	if (ring->pending_records == 0)
		return 0;
	if (ring->fd < 0)
		r = make_file(ring, now);
	if (r == 0)
		r = write_pending(ring);
	ring->figures.trouble = r;
	if (r < 0) {
		ring->retry_ns = now.mono_ns + RING_RETRY_NS;
		return r;
	}
	ring->written += ring->pending_len;
	ring->figures.written += ring->pending_records;
	current = &ring->kept[ring->count - 1];
	current->bytes = ring->written;
	current->records += ring->pending_records;
	ring->pending_len = 0;
	ring->pending_records = 0;
	ring->first_pending_ns = 0;
	if (!ring->unsynced_ns)
		ring->unsynced_ns = now.mono_ns;
	(void)!sync_file_range(ring->fd, 0, 0, SYNC_FILE_RANGE_WRITE); /* begins it, waits for nothing */
	return 0;
}

static void sync_current(struct ring *ring)
{
	if (ring->fd >= 0 && ring->unsynced_ns)
		(void)!fdatasync(ring->fd); /* an error shows at the next write, or when it is read */
	ring->unsynced_ns = 0;
}

static void end_segment(struct ring *ring)
{
	sync_current(ring);
	if (ring->fd >= 0)
		close(ring->fd);
	ring->fd = -1;
}

int ring_flush(struct ring *ring, struct moment now)
{
	return flush(ring, now);
}

/* --- What is added --------------------------------------------------------------------------------------------------- */

static bool is_full(const struct ring *ring)
{
	return ring->written + ring->pending_len + SEGMENT_RECORD_MAX > segment_bytes(ring);
}

/* A segment lasts no longer than a share of the age, or old events would not go. */
static bool is_long(const struct ring *ring, struct moment now)
{
	int64_t share = ring->limits.age_ns / SHARES;

	return now.mono_ns - ring->header.mono_ns > (share > MINUTE_NS ? share : MINUTE_NS);
}

/* False: nothing more fits until the disk takes what is remembered. */
static bool make_place(struct ring *ring, struct moment now)
{
	bool waits = ring->figures.trouble && now.mono_ns < ring->retry_ns;

	if (is_full(ring) || is_long(ring, now)) {
		if (!waits && flush(ring, now) == 0) {
			end_segment(ring);
			begin_segment(ring, now);
		} else if (is_full(ring)) {
			return false;
		}
	} else if (ring->pending_len >= RING_BATCH_BYTES && !waits) {
		(void)flush(ring, now);
	}
	return ring->pending_len + SEGMENT_RECORD_MAX <= RING_PENDING_BYTES;
}

static void add(struct ring *ring, const struct recorded *event, struct moment now)
{
	if (!make_place(ring, now)) {
		ring->figures.lost++;
		return;
	}
	ring->pending_len += segment_write_record(&ring->header, ring->written + ring->pending_len, event,
						  ring->pending + ring->pending_len);
	ring->pending_records++;
	if (!ring->first_pending_ns)
		ring->first_pending_ns = now.mono_ns;
}

static struct recorded own_event(const struct ring *ring, enum recorded_kind kind, struct text text, struct moment now)
{
	struct recorded e = { .kind = kind, .has = RECORDED_HAS_MONO | RECORDED_HAS_WALL | RECORDED_HAS_BOOT, .wall = now.wall,
			      .mono_ns = now.mono_ns, .end = text_of(ring->self.end), .text = text };

	memcpy(e.boot, ring->self.boot, sizeof(e.boot));
	return e;
}

static void note_lost(struct ring *ring, struct moment now)
{
	char text[160];
	struct recorded e;
	uint64_t lost = ring->figures.lost - ring->lost_before;

	if (lost == 0 || ring->figures.trouble)
		return;
	snprintf(text, sizeof(text), "%" PRIu64 " event%s are missing in front of this: the disk did not take them", lost,
		 text_plural(lost));
	ring->lost_before = ring->figures.lost;
	e = own_event(ring, RECORDED_NOTE, text_of(text), now);
	add(ring, &e, now);
}

static void note_clock(struct ring *ring, struct moment now)
{
	int64_t offset = now.wall.ns - now.mono_ns, moved = offset - ring->clock_offset_ns;
	int64_t allowed = STEP_LEAST_NS + (now.mono_ns - ring->clock_at_ns) / 1000 * STEP_PER_MILLE;
	char text[160];
	struct recorded e;

	if (ring->has_clock && moved >= -allowed && moved <= allowed) {
		ring->clock_offset_ns = offset;
		ring->clock_at_ns = now.mono_ns;
		return;
	}
	if (ring->has_clock) {
		ring->figures.steps++;
		snprintf(text, sizeof(text), "the wall clock went %s by %" PRId64 ".%03" PRId64 " s: earlier times are of the clock as it was",
			 moved < 0 ? "back" : "forward", (moved < 0 ? -moved : moved) / SECOND_NS,
			 (moved < 0 ? -moved : moved) % SECOND_NS / 1000000);
		e = own_event(ring, RECORDED_CLOCK, text_of(text), now);
		e.has |= RECORDED_HAS_OFFSET;
		e.offset_ns = moved;
		add(ring, &e, now);
	}
	ring->has_clock = true;
	ring->clock_offset_ns = offset;
	ring->clock_at_ns = now.mono_ns;
}

void ring_add(struct ring *ring, const struct recorded *event, struct moment now)
{
	struct recorded e = *event;

	note_clock(ring, now);
	note_lost(ring, now);
	if (!(e.has & (RECORDED_HAS_MONO | RECORDED_HAS_WALL))) {
		e.has |= RECORDED_HAS_MONO | RECORDED_HAS_WALL;
		e.mono_ns = now.mono_ns;
		e.wall = now.wall;
	}
	if (!(e.has & RECORDED_HAS_BOOT) && e.has & RECORDED_HAS_MONO) {
		e.has |= RECORDED_HAS_BOOT;
		memcpy(e.boot, ring->self.boot, sizeof(e.boot));
	}
	if (e.end.len == 0)
		e.end = text_of(ring->self.end);
	add(ring, &e, now);
}

int64_t ring_tick(struct ring *ring, struct moment now)
{
	int64_t next = now.mono_ns + AGE_CHECK_NS, due;

	if (ring->pending_records) {
		due = ring->figures.trouble ? ring->retry_ns : ring->first_pending_ns + RING_BATCH_NS;
		if (due <= now.mono_ns && flush(ring, now) == 0)
			note_lost(ring, now);
		if (ring->pending_records) {
			due = ring->figures.trouble ? ring->retry_ns : ring->first_pending_ns + RING_BATCH_NS;
			next = due < next ? due : next;
		}
	}
	if (ring->unsynced_ns && ring->unsynced_ns + RING_SYNC_NS <= now.mono_ns)
		sync_current(ring);
	if (ring->unsynced_ns && ring->unsynced_ns + RING_SYNC_NS < next)
		next = ring->unsynced_ns + RING_SYNC_NS;
	if (ring->age_check_ns <= now.mono_ns) {
		ring->age_check_ns = now.mono_ns + AGE_CHECK_NS;
		if (ring->fd >= 0 && is_long(ring, now) && flush(ring, now) == 0) {
			end_segment(ring);
			begin_segment(ring, now);
		}
		let_go(ring, 0, now);
	}
	return next;
}

/* --- Reading --------------------------------------------------------------------------------------------------------- */

size_t ring_segments(const struct ring *ring)
{
	return ring->count;
}

uint64_t ring_number(const struct ring *ring, size_t index)
{
	return ring->kept[index].number;
}

void ring_place(const struct ring *ring, uint64_t *ret_number, uint64_t *ret_offset)
{
	*ret_number = has_current(ring) ? ring->kept[ring->count - 1].number : ring->next_number;
	*ret_offset = ring->written + ring->pending_len;
}

static int read_file(int folder, uint64_t number, size_t most, struct buffer *out)
{
	char name[NAME_MAX_BYTES];

	name_of(number, name);
	return segment_file_read(folder, name, most, out);
}

int ring_read(struct ring *ring, size_t index, struct buffer *out)
{
	if (index >= ring->count)
		return -ENOENT;
	buffer_clear(out);
	return read_file(ring->folder, ring->kept[index].number, SEGMENT_MOST, out);
}

bool ring_scan(struct ring *ring)
{
	cleanup(buffer_done) struct buffer bytes = { 0 };
	struct segment_reader reader;
	struct recorded e;
	size_t i = ring->count;

	while (i > 0 && ring->kept[i - 1].is_read) /* the latest first: a crash tore that one */
		i--;
	if (i == 0)
		return false;
	i--;
	ring->kept[i].is_read = true;
	if (ring_read(ring, i, &bytes) == 0 && segment_begin(&reader, buffer_text(&bytes)) == 0) {
		while (segment_next(&reader, &e))
			;
		ring->kept[i].records = reader.records;
		ring->kept[i].torn = reader.torn;
	} else {
		ring->kept[i].torn = 1;
	}
	while (i > 0 && ring->kept[i - 1].is_read)
		i--;
	return i > 0;
}

struct ring_figures ring_figures(const struct ring *ring)
{
	struct ring_figures f = ring->figures;

	f.segments = ring->count;
	f.bytes = bytes_of(ring);
	for (size_t i = 0; i < ring->count; i++) {
		f.records += ring->kept[i].records;
		f.torn += ring->kept[i].torn;
		if (!f.has_oldest && ring->kept[i].wall.ns > 0) {
			f.has_oldest = true;
			f.oldest = ring->kept[i].wall;
		}
	}
	return f;
}

/* --- Life ------------------------------------------------------------------------------------------------------------ */

static int compare_kept(const void *a, const void *b)
{
	uint64_t x = ((const struct kept *)a)->number, y = ((const struct kept *)b)->number;

	return x < y ? -1 : x > y;
}

/* What its header tells. */
static void look_at(struct ring *ring, struct kept *k)
{
	cleanup(buffer_done) struct buffer bytes = { 0 };
	struct segment_header header;
	char name[NAME_MAX_BYTES];
	struct stat found;

	name_of(k->number, name);
	if (fstatat(ring->folder, name, &found, AT_SYMLINK_NOFOLLOW) == 0)
		k->bytes = (uint64_t)found.st_size;
	if (read_file(ring->folder, k->number, SEGMENT_HEADER_BYTES, &bytes) < 0 ||
	    segment_read_header(buffer_text(&bytes), &header) < 0)
		return;
	k->wall = header.wall;
	k->begun_ns = header.mono_ns;
	k->this_boot = memcmp(header.boot, ring->self.boot, sizeof(header.boot)) == 0;
}

/* The names that are there. More than RING_SEGMENTS_MAX, the oldest make room. */
static int list_folder(struct ring *ring)
{
	cleanup(memory_free_pointer) struct kept *found = NULL;
	size_t count = 0, room = 0;
	int fd = openat(ring->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	uint64_t number;

	if (!folder) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return r;
	}
	while (r == 0 && (entry = readdir(folder))) {
		struct kept *more;

		if (!read_name(entry->d_name, &number) || number == UINT64_MAX)
			continue;
		if (count == room) {
			room = room ? 2 * room : 64;
			more = memory_resize(found, room, sizeof(*found));
			r = more ? 0 : -ENOMEM;
			found = more ? more : found;
		}
		if (r == 0)
			found[count++] = (struct kept){ .number = number };
	}
	closedir(folder);
	if (r < 0)
		return r;
	if (count)
		qsort(found, count, sizeof(*found), compare_kept);
	for (size_t i = 0; i < count; i++) {
		if (ring->count >= RING_SEGMENTS_MAX)
			drop_oldest(ring);
		look_at(ring, &found[i]);
		ring->kept[ring->count++] = found[i];
	}
	ring->next_number = count ? found[count - 1].number + 1 : 1;
	return 0;
}

int ring_open(const char *folder, const struct ring_limits *limits, const struct ring_self *self, struct moment now,
	      struct ring **ret)
{
	struct ring *ring = memory_new(1, sizeof(*ring));
	int r = 0;

	if (!ring)
		return -ENOMEM;
	ring->fd = -1;
	ring->limits = *limits;
	ring->self = *self;
	ring->pending = memory_new(RING_PENDING_BYTES, 1);
	ring->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (ring->folder < 0)
		r = -errno;
	else if (!ring->pending)
		r = -ENOMEM;
	else
		r = list_folder(ring);
	if (r < 0) {
		ring_close(ring, now);
		return r;
	}
	begin_segment(ring, now);
	*ret = ring;
	return 0;
}

void ring_close(struct ring *ring, struct moment now)
{
	if (!ring)
		return;
	if (ring->pending && ring->folder >= 0)
		(void)flush(ring, now);
	end_segment(ring);
	if (ring->folder >= 0)
		close(ring->folder);
	memory_free(ring->pending);
	memory_free(ring);
}

void ring_change(struct ring *ring, const struct ring_limits *limits, const char *end)
{
	ring->limits = *limits;
	text_copy(text_of(end), ring->self.end, sizeof(ring->self.end));
}
