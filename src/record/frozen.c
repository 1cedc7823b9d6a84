/* SPDX-License-Identifier: MIT */
#include "record/frozen.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/memory.h"
#include "record/frozen_private.h"

#define SOON_NS (2 * INT64_C(1000000)) /* between two segments that are copied from: others want the processor too */
#define PENDING_MAX (512u << 10)       /* of a window, while the disk takes nothing */
#define WRITE_AT (64u << 10)
#define WRITE_NS (500 * INT64_C(1000000))
#define NEVER INT64_MAX

struct window { /* of an incident that is under way */
	bool is_open, is_cut;
	struct frozen_want want;
	int64_t from_ns, until_ns, latest_ns; /* mono: what is kept; no later than `latest_ns` */
	struct instant from_wall;
	/* The ring's place when it was opened: before it the past copies, behind it frozen_add() takes. */
	uint64_t place_number, place_offset;
	uint64_t past_number; /* the segment to be copied from next, downwards */
	bool past_is_over;
	struct segment_header header;
	uint32_t part;
	int fd;               /* owns */
	uint64_t written, room;
	struct buffer pending;
	int64_t retry_ns, write_ns;
};

struct frozen {
	struct frozen_folder folder;
	struct frozen_limits limits;
	struct ring_self self;
	int64_t clock_offset_ns; /* wall less mono, when it was opened: one that has jumped makes nothing old */
	struct window windows[FROZEN_UNDER_WAY_MAX];
	uint64_t refused;
	int trouble;
};

/* --- What belongs to an incident ----------------------------------------------------------------------------------- */

static bool is_end(const struct frozen_want *want, const struct spimend_address *address)
{
	return spimend_address_equal(address, &want->ends[0]) || spimend_address_equal(address, &want->ends[1]);
}

static bool is_about_devices(const struct frozen_want *want)
{
	return want->hosts[0][0] || want->hosts[1][0];
}

static bool is_host(const struct frozen_want *want, struct text end)
{
	for (int i = 0; i < 2; i++)
		if (want->hosts[i][0] && text_equal(end, text_of(want->hosts[i])))
			return true;
	return false;
}

static bool belongs(const struct frozen *frozen, const struct frozen_want *want, const struct recorded *e)
{
	bool has_src = spimend_address_known(&e->src), has_dst = spimend_address_known(&e->dst);

	if (e->incident.len)
		return text_equal(e->incident, text_of(want->id));
	if (e->kind == RECORDED_CLOCK || e->kind == RECORDED_NOTE)
		return true;
	if (has_src || has_dst)
		return (!has_src || is_end(want, &e->src)) && (!has_dst || is_end(want, &e->dst));
	/* Nobody is named: the daemon's and the kernel's own state, or what a device printed. */
	return is_about_devices(want) ? is_host(want, e->end) : text_equal(e->end, text_of(frozen->self.end));
}

/* --- Writing ------------------------------------------------------------------------------------------------------- */

static struct frozen_kept *kept_of(const struct frozen *frozen, const struct window *w)
{
	return frozen_find(&frozen->folder, w->want.id);
}

static int check_room(const struct frozen *frozen)
{
	struct statvfs fs;

	if (fstatvfs(frozen->folder.fd, &fs) < 0)
		return -errno;
	return (uint64_t)fs.f_bavail * fs.f_frsize < frozen->limits.reserve + PENDING_MAX ? -ENOSPC : 0;
}

static int write_bytes(int fd, struct text bytes, uint64_t at)
{
	while (bytes.len) {
		ssize_t n = pwrite(fd, bytes.at, bytes.len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENOSPC;
		bytes = text_skip(bytes, (size_t)n);
		at += (uint64_t)n;
	}
	return 0;
}

/* Of the disk, and of what evidence may take of it: windows that are open at once fill it together. Moves what is kept. */
static int make_room(struct frozen *frozen, uint64_t bytes, struct instant wall)
{
	int r = check_room(frozen);

	if (r < 0 || frozen_folder_bytes(&frozen->folder) + bytes <= frozen->limits.bytes)
		return r;
	frozen_let_go(&frozen->folder, &frozen->limits, bytes, 0, false, NULL, NULL, wall);
	return frozen_folder_bytes(&frozen->folder) + bytes <= frozen->limits.bytes ? 0 : -EDQUOT;
}

/* Now, whether it may be tried again or not. */
static int try_window(struct frozen *frozen, struct window *w, struct instant wall)
{
	struct frozen_kept *kept;
	int r;

	if (w->pending.len == 0)
		return 0;
	r = make_room(frozen, w->pending.len, wall);
	kept = kept_of(frozen, w);
	if (r == 0)
		r = write_bytes(w->fd, buffer_text(&w->pending), w->written);
	frozen->trouble = r;
	if (r < 0) { /* what got there is no record of the file, and is written over */
		(void)!ftruncate(w->fd, (off_t)w->written);
		return r;
	}
	w->written += w->pending.len;
	if (kept) {
		kept->bytes += w->pending.len;
		kept->written = wall;
	}
	buffer_clear(&w->pending);
	w->write_ns = w->retry_ns = 0;
	return 0;
}

static void write_window(struct frozen *frozen, struct window *w, struct moment now)
{
	if (w->pending.len && w->retry_ns <= now.mono_ns && try_window(frozen, w, now.wall) < 0)
		w->retry_ns = now.mono_ns + RING_RETRY_NS;
}

static void put(struct window *w, const struct recorded *e, struct moment now)
{
	unsigned char bytes[SEGMENT_RECORD_MAX];
	size_t len = segment_write_record(&w->header, w->written + w->pending.len, e, bytes);

	buffer_add(&w->pending, (struct text){ (const char *)bytes, len });
	if (!w->write_ns)
		w->write_ns = now.mono_ns + WRITE_NS;
}

/* `most`: the past must leave room for what comes. */
static void take(struct window *w, const struct recorded *e, uint64_t most, struct moment now)
{
	struct recorded note = { .kind = RECORDED_NOTE, .has = RECORDED_HAS_MONO | RECORDED_HAS_WALL | RECORDED_HAS_BOOT,
				 .mono_ns = now.mono_ns, .wall = now.wall, .incident = text_of(w->want.id),
				 .text = TEXT("more belongs to this incident than is kept: here something is missing") };

	if (w->written + w->pending.len + 2 * SEGMENT_RECORD_MAX <= most && w->pending.len + SEGMENT_RECORD_MAX <= PENDING_MAX) {
		put(w, e, now);
	} else if (!w->is_cut) {
		w->is_cut = true;
		memcpy(note.boot, w->header.boot, sizeof(note.boot));
		note.end = text_of(w->header.end);
		put(w, &note, now);
	}
}

void frozen_add(struct frozen *frozen, const struct recorded *event, struct moment now)
{
	for (size_t i = 0; i < FROZEN_UNDER_WAY_MAX; i++) {
		struct window *w = &frozen->windows[i];

		if (!w->is_open || now.mono_ns > w->until_ns || !belongs(frozen, &w->want, event))
			continue;
		take(w, event, w->room, now);
		if (w->pending.len >= WRITE_AT)
			write_window(frozen, w, now);
	}
}

static void end_window(struct frozen *frozen, struct window *w)
{
	struct frozen_kept *kept = kept_of(frozen, w);

	if (w->pending.len) /* the disk never took it */
		frozen->refused++;
	(void)!fdatasync(w->fd);
	close(w->fd);
	buffer_done(&w->pending);
	if (kept)
		kept->is_under_way = false;
	*w = (struct window){ .fd = -1 };
}

/* --- The part before ----------------------------------------------------------------------------------------------- */

static bool is_in_time(const struct frozen *frozen, const struct window *w, const struct recorded *e)
{
	if (e->has & RECORDED_HAS_MONO && memcmp(e->boot, frozen->self.boot, sizeof(e->boot)) == 0)
		return e->mono_ns >= w->from_ns;
	return e->has & RECORDED_HAS_WALL && e->wall.ns >= w->from_wall.ns;
}

/* From one segment, into every window that is there. */
static void copy_segment(struct frozen *frozen, uint64_t number, struct text bytes, struct moment now)
{
	struct segment_reader reader;
	struct recorded e;

	if (segment_begin(&reader, bytes) < 0)
		return; /* damaged: the ring counts it */
	for (size_t at = reader.at; segment_next(&reader, &e); at = reader.at) {
		for (size_t i = 0; i < FROZEN_UNDER_WAY_MAX; i++) {
			struct window *w = &frozen->windows[i];

			if (!w->is_open || w->past_is_over || w->past_number != number ||
			    (number == w->place_number && at >= w->place_offset))
				continue;
			if (!is_in_time(frozen, w, &e) || !belongs(frozen, &w->want, &e))
				continue;
			take(w, &e, w->room / 2, now);
			if (w->pending.len >= WRITE_AT)
				write_window(frozen, w, now);
		}
	}
	for (size_t i = 0; i < FROZEN_UNDER_WAY_MAX; i++) {
		struct window *w = &frozen->windows[i];

		if (w->is_open && w->past_number == number && memcmp(reader.header.boot, frozen->self.boot, RECORDED_BOOT_SIZE) == 0)
			w->past_is_over = w->past_is_over || reader.header.mono_ns < w->from_ns; /* it began before the window */
		else if (w->is_open && w->past_number == number)
			w->past_is_over = w->past_is_over || reader.header.wall.ns < w->from_wall.ns;
	}
}

/* The highest number that a window waits for. */
static bool find_past(const struct frozen *frozen, uint64_t *ret)
{
	bool found = false;

	for (size_t i = 0; i < FROZEN_UNDER_WAY_MAX; i++) {
		const struct window *w = &frozen->windows[i];

		if (!w->is_open || w->past_is_over || (found && w->past_number <= *ret))
			continue;
		found = true;
		*ret = w->past_number;
	}
	return found;
}

/* One segment. False: nothing is left of the past. */
static bool copy_past(struct frozen *frozen, struct ring *ring, struct moment now)
{
	cleanup(buffer_done) struct buffer bytes = { 0 };
	uint64_t number = 0, next = 0;
	size_t index;

	if (!find_past(frozen, &number))
		return false;
	index = ring_segments(ring);
	while (index > 0 && ring_number(ring, index - 1) > number)
		index--;
	if (index > 0 && ring_number(ring, index - 1) == number) {
		if (ring_read(ring, index - 1, &bytes) == 0)
			copy_segment(frozen, number, buffer_text(&bytes), now);
		index--;
	}
	if (index > 0)
		next = ring_number(ring, index - 1);
	for (size_t i = 0; i < FROZEN_UNDER_WAY_MAX; i++) {
		struct window *w = &frozen->windows[i];

		if (!w->is_open || w->past_number != number)
			continue;
		w->past_number = next;
		w->past_is_over = w->past_is_over || next == 0;
	}
	return true;
}

int64_t frozen_tick(struct frozen *frozen, struct ring *ring, struct moment now)
{
	int64_t next = copy_past(frozen, ring, now) ? now.mono_ns + SOON_NS : NEVER;

	for (size_t i = 0; i < FROZEN_UNDER_WAY_MAX; i++) {
		struct window *w = &frozen->windows[i];
		int64_t due;

		if (!w->is_open)
			continue;
		if (w->pending.len && (w->write_ns <= now.mono_ns || now.mono_ns > w->until_ns))
			write_window(frozen, w, now);
		if (now.mono_ns > w->until_ns && w->past_is_over) { /* what the disk does not take now it never will */
			end_window(frozen, w);
			continue;
		}
		due = w->pending.len ? (w->retry_ns > w->write_ns ? w->retry_ns : w->write_ns) : w->until_ns + 1;
		if (due > w->until_ns)
			due = w->until_ns + 1;
		if (w->past_is_over && due < next)
			next = due;
	}
	return next;
}

/* --- Beginning ----------------------------------------------------------------------------------------------------- */

static struct window *window_of(struct frozen *frozen, const char *id)
{
	for (size_t i = 0; i < FROZEN_UNDER_WAY_MAX; i++)
		if (frozen->windows[i].is_open && strcmp(frozen->windows[i].want.id, id) == 0)
			return &frozen->windows[i];
	return NULL;
}

static bool believes_clock(const struct frozen *frozen, struct moment now)
{
	int64_t moved = now.wall.ns - now.mono_ns - frozen->clock_offset_ns;

	return moved > -HOUR_NS && moved < HOUR_NS;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int make_file(struct frozen *frozen, struct window *w, struct frozen_kept *kept)
{
	char name[FROZEN_NAME_MAX];

	for (w->part = 0; w->part < FROZEN_PARTS_MAX; w->part++)
		if (!(kept->parts >> w->part & 1))
			break;
	if (w->part == FROZEN_PARTS_MAX)
		return -EMFILE;
	if (!frozen_name(w->want.id, w->part, name))
		return -EINVAL;
	w->fd = openat(frozen->folder.fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (w->fd < 0)
		return -errno;
	kept->parts |= 1u << w->part;
	(void)!fsync(frozen->folder.fd);
	return 0;
}

static void begin_header(const struct frozen *frozen, struct segment_header *header, struct moment now)
{
	*header = (struct segment_header){ .wall = now.wall, .mono_ns = now.mono_ns };
	memcpy(header->boot, frozen->self.boot, sizeof(header->boot));
	memcpy(header->end, frozen->self.end, sizeof(header->end));
	if (getrandom(&header->salt, sizeof(header->salt), 0) != (ssize_t)sizeof(header->salt))
		header->salt = (uint64_t)now.mono_ns ^ (uint64_t)now.wall.ns << 1;
}

static int begin_window(struct frozen *frozen, struct ring *ring, const struct frozen_want *want, struct window *w,
			struct moment now)
{
	unsigned char header[SEGMENT_HEADER_BYTES];
	bool is_new = !frozen_find(&frozen->folder, want->id);
	struct frozen_kept *kept = frozen_find_or_add(&frozen->folder, want->id);
	int r;

	if (!kept)
		return -ENOSPC;
	if (kept->bytes + 4 * SEGMENT_RECORD_MAX > FROZEN_BYTES_EACH)
		return -EFBIG;
	*w = (struct window){ .want = *want, .fd = -1, .room = FROZEN_BYTES_EACH - kept->bytes };
	r = make_file(frozen, w, kept);
	if (r < 0) {
		if (kept->parts == 0)
			frozen_drop(&frozen->folder, kept);
		return r;
	}
	w->is_open = kept->is_under_way = true;
	kept->is_foreign = want->is_foreign && (is_new || kept->is_foreign);
	kept->written = now.wall;
	w->from_ns = now.mono_ns - frozen->limits.before_ns;
	w->from_wall.ns = now.wall.ns - frozen->limits.before_ns;
	w->latest_ns = now.mono_ns + FROZEN_LONGEST_NS;
	w->until_ns = earlier(now.mono_ns + frozen->limits.after_ns, w->latest_ns);
	ring_place(ring, &w->place_number, &w->place_offset);
	w->past_number = w->place_number;
	begin_header(frozen, &w->header, now);
	segment_write_header(&w->header, header);
	buffer_add(&w->pending, (struct text){ (const char *)header, sizeof(header) });
	(void)ring_flush(ring, now); /* what it remembers is of the past, and read from its file */
	return 0;
}

int frozen_begin(struct frozen *frozen, struct ring *ring, const struct frozen_want *want,
		    frozen_over_fn *is_over, void *context, struct moment now)
{
	struct window *w = window_of(frozen, want->id);
	char name[FROZEN_NAME_MAX];
	uint32_t foreign = 0;
	int r = -EBUSY;

	if (w) {
		w->until_ns = earlier(now.mono_ns + frozen->limits.after_ns, w->latest_ns);
		return 0;
	}
	if (!frozen_name(want->id, 0, name))
		return -EINVAL;
	for (size_t i = 0; i < FROZEN_UNDER_WAY_MAX; i++) {
		foreign += frozen->windows[i].is_open && frozen->windows[i].want.is_foreign;
		if (!frozen->windows[i].is_open && !w)
			w = &frozen->windows[i];
	}
	if (w && !(want->is_foreign && foreign >= FROZEN_UNDER_WAY_MAX / 2)) {
		frozen_let_go(&frozen->folder, &frozen->limits, FROZEN_BYTES_EACH / 2,
				!frozen_find(&frozen->folder, want->id), believes_clock(frozen, now), is_over, context, now.wall);
		r = begin_window(frozen, ring, want, w, now);
	}
	frozen->refused += r < 0;
	if (r < 0 && r != -EBUSY && r != -EFBIG && r != -EMFILE)
		frozen->trouble = r;
	return r;
}

int frozen_put_peer(struct frozen *frozen, const char *id, const struct recorded *events, size_t count,
		      struct moment now)
{
	cleanup(buffer_done) struct buffer bytes = { 0 };
	unsigned char record[SEGMENT_RECORD_MAX], head[SEGMENT_HEADER_BYTES];
	struct frozen_kept *kept = frozen_find(&frozen->folder, id);
	bool is_under_way = kept && kept->is_under_way;
	char name[FROZEN_NAME_MAX];
	struct segment_header header;
	int fd, r;

	if (!kept || !frozen_name(id, FROZEN_PEER, name))
		return -ENOENT;
	begin_header(frozen, &header, now);
	segment_write_header(&header, head);
	buffer_add(&bytes, (struct text){ (const char *)head, sizeof(head) });
	for (size_t i = 0; i < count && bytes.len + SEGMENT_RECORD_MAX <= FROZEN_BYTES_PEER; i++) {
		size_t len = segment_write_record(&header, bytes.len, &events[i], record);

		buffer_add(&bytes, (struct text){ (const char *)record, len });
	}
	if (bytes.failed)
		return -ENOMEM;
	kept->is_under_way = true; /* it does not make room for itself */
	r = make_room(frozen, bytes.len, now.wall);
	kept = frozen_find(&frozen->folder, id);
	kept->is_under_way = is_under_way;
	if (r < 0)
		return r;
	(void)!unlinkat(frozen->folder.fd, name, 0);
	fd = openat(frozen->folder.fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = write_bytes(fd, buffer_text(&bytes), 0);
	if (r == 0 && fdatasync(fd) < 0)
		r = -errno;
	close(fd);
	kept->parts |= 1u << FROZEN_PEER;
	kept->peer_bytes = r == 0 ? bytes.len : 0;
	kept->written = now.wall;
	return r;
}

/* --- Reading ------------------------------------------------------------------------------------------------------- */

static const struct window *open_window(const struct frozen *frozen, const char *id)
{
	for (size_t i = 0; i < FROZEN_UNDER_WAY_MAX; i++)
		if (frozen->windows[i].is_open && strcmp(frozen->windows[i].want.id, id) == 0)
			return &frozen->windows[i];
	return NULL;
}

bool frozen_is_under_way(const struct frozen *frozen, const char *id)
{
	return open_window(frozen, id);
}

bool frozen_copies_past(const struct frozen *frozen, const char *id)
{
	const struct window *w = open_window(frozen, id);

	return w && !w->past_is_over;
}

bool frozen_has(const struct frozen *frozen, const char *id)
{
	return frozen_find(&frozen->folder, id);
}

static int read_part(struct frozen_content *content, uint32_t part, size_t *room)
{
	struct segment_reader *reader = &content->readers[part];
	struct recorded *more;

	if (segment_begin(reader, buffer_text(&content->bytes[part])) < 0) {
		content->torn++;
		return 0;
	}
	for (;;) {
		if (content->count == *room) {
			size_t larger = *room ? 2 * *room : 256;

			more = memory_resize(content->events, larger, sizeof(*more));
			if (!more)
				return -ENOMEM;
			content->events = more;
			*room = larger;
		}
		if (!segment_next(reader, &content->events[content->count]))
			break;
		content->count++;
	}
	content->torn += reader->torn;
	return 0;
}

int frozen_read(struct frozen *frozen, const char *id, struct frozen_content *ret)
{
	const struct frozen_kept *kept;
	size_t room = 0;
	int r = 0;

	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < FROZEN_UNDER_WAY_MAX; i++) /* with what is not written yet */
		if (frozen->windows[i].is_open && strcmp(frozen->windows[i].want.id, id) == 0) {
			kept = kept_of(frozen, &frozen->windows[i]);
			(void)try_window(frozen, &frozen->windows[i], kept ? kept->written : frozen->windows[i].header.wall);
		}
	kept = frozen_find(&frozen->folder, id);
	if (!kept)
		return -ENOENT;
	for (uint32_t part = 0; part <= FROZEN_PEER && r == 0; part++) {
		if (!(kept->parts >> part & 1))
			continue;
		r = frozen_read_file(&frozen->folder, id, part, &ret->bytes[part]);
		if (r == -ENOENT) { /* somebody took it away */
			ret->torn++;
			r = 0;
			continue;
		}
		if (r == 0)
			r = read_part(ret, part, &room);
	}
	if (r == 0)
		r = frozen_order(ret);
	if (r < 0)
		frozen_content_done(ret);
	return r;
}

void frozen_content_done(struct frozen_content *content)
{
	memory_free(content->events);
	for (uint32_t part = 0; part <= FROZEN_PEER; part++)
		buffer_done(&content->bytes[part]);
	content->events = NULL;
	content->count = 0;
}

/* --- Life ---------------------------------------------------------------------------------------------------------- */

int frozen_open(const char *folder, const struct frozen_limits *limits, const struct ring_self *self, struct moment now,
		  struct frozen **ret)
{
	struct frozen *frozen = memory_new(1, sizeof(*frozen));
	int r;

	if (!frozen)
		return -ENOMEM;
	frozen->limits = *limits;
	frozen->self = *self;
	frozen->clock_offset_ns = now.wall.ns - now.mono_ns;
	r = frozen_folder_open(folder, &frozen->folder);
	if (r < 0) {
		frozen_close(frozen);
		return r;
	}
	*ret = frozen;
	return 0;
}

void frozen_close(struct frozen *frozen)
{
	if (!frozen)
		return;
	for (size_t i = 0; i < FROZEN_UNDER_WAY_MAX; i++) {
		struct window *w = &frozen->windows[i];

		if (!w->is_open)
			continue;
		(void)try_window(frozen, w, w->header.wall);
		end_window(frozen, w);
	}
	frozen_folder_close(&frozen->folder);
	memory_free(frozen);
}

void frozen_change(struct frozen *frozen, const struct frozen_limits *limits)
{
	frozen->limits = *limits;
}

struct frozen_figures frozen_figures(const struct frozen *frozen)
{
	struct frozen_figures f = { .incidents = frozen->folder.count, .bytes = frozen_folder_bytes(&frozen->folder),
				      .refused = frozen->refused, .let_go = frozen->folder.let_go, .trouble = frozen->trouble };

	for (size_t i = 0; i < FROZEN_UNDER_WAY_MAX; i++)
		f.under_way += frozen->windows[i].is_open;
	return f;
}
