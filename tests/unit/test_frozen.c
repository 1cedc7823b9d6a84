/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include "record/frozen.h"

#define START INT64_C(1000000000000)
#define WALL INT64_C(1756820207000000000)

static char folder[64], ring_folder[80], frozen_folder[80];
static const struct ring_limits ring_limits = { .bytes = RING_BYTES_LEAST, .age_ns = 24 * HOUR_NS };
static const struct frozen_limits limits = { .count = 100, .bytes = 64u << 20, .age_ns = 30 * DAY_NS,
					     .before_ns = 300 * SECOND_NS, .after_ns = 60 * SECOND_NS };
static const struct ring_self self = { .end = "hub", .boot = { 1, 2, 3 } };
static struct ring *ring;
static struct frozen *frozen;

static struct moment at(int64_t ns)
{
	return (struct moment){ .mono_ns = START + ns, .wall.ns = WALL + ns };
}

static void open_both(const struct frozen_limits *l, struct moment now)
{
	assert_int_equal(ring_open(ring_folder, &ring_limits, &self, now, &ring), 0);
	assert_int_equal(frozen_open(frozen_folder, l, &self, now, &frozen), 0);
}

static void close_both(struct moment now)
{
	frozen_close(frozen);
	ring_close(ring, now);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/spimend-frozen-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(ring_folder, sizeof(ring_folder), "%s/recorder", folder);
	snprintf(frozen_folder, sizeof(frozen_folder), "%s/evidence", folder);
	return mkdir(ring_folder, 0700) || mkdir(frozen_folder, 0700);
}

static void empty(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		unlinkat(dirfd(d), entry->d_name, 0);
	if (d)
		closedir(d);
	rmdir(path);
}

static int tear_down(void **state)
{
	(void)state;
	empty(ring_folder);
	empty(frozen_folder);
	return rmdir(folder);
}

static struct spimend_address address(const char *text)
{
	struct spimend_address a = { 0 };

	assert_int_equal(spimend_address_parse(text, strlen(text), &a), 0);
	return a;
}

static struct frozen_want want_of(const char *id, const char *a, const char *b)
{
	struct frozen_want want = { .id = "" };

	text_copy(text_of(id), want.id, sizeof(want.id));
	want.ends[0] = address(a);
	want.ends[1] = address(b);
	return want;
}

static void tell(const struct recorded *event, struct moment now) /* as the role core does */
{
	ring_add(ring, event, now);
	frozen_add(frozen, event, now);
}

static void add_packet(const char *src, const char *dst, uint64_t number, struct moment now)
{
	struct recorded e = { .kind = RECORDED_SIGHTING, .has = RECORDED_HAS_SEQUENCE | RECORDED_HAS_MONO | RECORDED_HAS_WALL |
			      RECORDED_HAS_BOOT, .sequence = number, .mono_ns = now.mono_ns, .wall = now.wall, .end = TEXT("hub"),
			      .text = TEXT("a stray"), .src = address(src), .dst = address(dst) };

	memcpy(e.boot, self.boot, sizeof(e.boot));
	tell(&e, now);
}

static void run_until_quiet(struct moment *now)
{
	for (int i = 0; i < 1000; i++) {
		int64_t next = frozen_tick(frozen, ring, *now);

		if (next > now->mono_ns + SECOND_NS)
			return;
		now->wall.ns += next - now->mono_ns;
		now->mono_ns = next;
	}
	fail();
}

static void assert_numbers(const char *id, uint64_t first, uint64_t last)
{
	struct frozen_content content;
	uint64_t expected = first;

	assert_int_equal(frozen_read(frozen, id, &content), 0);
	for (size_t i = 0; i < content.count; i++) {
		if (content.events[i].kind != RECORDED_SIGHTING)
			continue;
		assert_int_equal(content.events[i].sequence, expected++);
	}
	assert_int_equal(expected, last + 1);
	assert_int_equal(content.torn, 0);
	frozen_content_done(&content);
}

static void test_the_window_before_and_after_is_kept_and_nothing_else(void **state)
{
	struct frozen_want want = want_of("k3v9q2", "10.1.1.1", "10.2.2.2");
	struct recorded other = { .kind = RECORDED_IKE, .text = TEXT("the IKE daemon restarted"), .end = TEXT("hub") };
	struct moment now = at(0);
	struct frozen_content content;
	uint64_t number = 0;

	(void)state;
	open_both(&limits, now);
	for (int second = 0; second < 900; second++, now = at(second * SECOND_NS)) {
		number++;
		add_packet(number % 2 ? "10.1.1.1" : "10.2.2.2", number % 2 ? "10.2.2.2" : "10.1.1.1", number, now);
		add_packet("10.9.9.9", "10.2.2.2", 777777, now); /* of another peer */
		ring_tick(ring, now);
	}
	tell(&other, now);
	assert_int_equal(frozen_begin(frozen, ring, &want, NULL, NULL, now), 0);
	for (int i = 0; i < 200; i++) { /* a packet a second goes on, while the past is copied */
		number++;
		add_packet("10.1.1.1", "10.2.2.2", number, now);
		add_packet("10.1.1.1", "10.9.9.9", 777777, now);
		ring_tick(ring, now);
		frozen_tick(frozen, ring, now);
		now = at((900 + i + 1) * SECOND_NS);
	}
	run_until_quiet(&now);
	assert_int_equal(frozen_figures(frozen).under_way, 0);
	assert_numbers("k3v9q2", 601, 961); /* 300 s before, 60 s after */
	assert_int_equal(frozen_read(frozen, "k3v9q2", &content), 0);
	for (size_t i = 1; i < content.count; i++)
		assert_true(recorded_compare(&content.events[i - 1], &content.events[i]) <= 0);
	frozen_content_done(&content);
	assert_int_equal(frozen_read(frozen, "nothin", &content), -ENOENT);
	close_both(now);
	/* It is there for the next life, when the ring is not. */
	empty(ring_folder);
	assert_int_equal(mkdir(ring_folder, 0700), 0);
	open_both(&limits, at(2000 * SECOND_NS));
	assert_true(frozen_has(frozen, "k3v9q2"));
	assert_numbers("k3v9q2", 601, 961);
	close_both(now);
}

static void test_a_daemon_that_was_started_again_goes_on_and_tells_nothing_twice(void **state)
{
	struct frozen_want want = want_of("k3v9q2", "10.1.1.1", "10.2.2.2");
	struct moment now = at(0);
	uint64_t number = 0;

	(void)state;
	open_both(&limits, now);
	for (; number < 10; now = at((int64_t)number * SECOND_NS))
		add_packet("10.1.1.1", "10.2.2.2", ++number, now);
	assert_int_equal(frozen_begin(frozen, ring, &want, NULL, NULL, now), 0);
	for (; number < 20; now = at((int64_t)number * SECOND_NS)) {
		add_packet("10.1.1.1", "10.2.2.2", ++number, now);
		frozen_tick(frozen, ring, now);
	}
	close_both(now);
	open_both(&limits, now);
	assert_int_equal(frozen_begin(frozen, ring, &want, NULL, NULL, now), 0);
	for (; number < 30; now = at((int64_t)number * SECOND_NS)) {
		add_packet("10.1.1.1", "10.2.2.2", ++number, now);
		frozen_tick(frozen, ring, now);
	}
	assert_numbers("k3v9q2", 1, 30);
	assert_int_equal(frozen_figures(frozen).incidents, 1);
	close_both(now);
}

static void test_many_incidents_at_once_are_bounded_and_the_oldest_that_is_over_goes(void **state)
{
	struct frozen_limits few = limits;
	struct moment now = at(0);
	char id[INCIDENT_ID_MAX], ip[32];
	uint32_t done = 0;

	(void)state;
	few.count = 10;
	few.after_ns = SECOND_NS;
	open_both(&few, now);
	for (int i = 0; i < 100; i++) {
		struct frozen_want want;

		snprintf(id, sizeof(id), "id%04u", (unsigned)i % 10000);
		snprintf(ip, sizeof(ip), "10.1.0.%d", i + 1);
		want = want_of(id, ip, "10.2.2.2");
		add_packet(ip, "10.2.2.2", 1, now);
		done += frozen_begin(frozen, ring, &want, NULL, NULL, now) == 0;
		assert_in_range(frozen_figures(frozen).under_way, 1, FROZEN_UNDER_WAY_MAX);
	}
	assert_int_equal(done, FROZEN_UNDER_WAY_MAX); /* none that is under way makes room */
	assert_int_equal(frozen_figures(frozen).refused, 100 - FROZEN_UNDER_WAY_MAX);
	run_until_quiet(&now);
	now = at(10 * SECOND_NS);
	run_until_quiet(&now);
	assert_int_equal(frozen_figures(frozen).under_way, 0);
	assert_numbers("id0000", 1, 1);
	for (int i = 0; i < 20; i++) { /* one at a time now */
		struct frozen_want want;

		snprintf(id, sizeof(id), "jd%04u", (unsigned)i % 10000);
		want = want_of(id, "10.3.3.3", "10.2.2.2");
		now = at((20 + i * 5) * SECOND_NS);
		add_packet("10.3.3.3", "10.2.2.2", 1, now);
		assert_int_equal(frozen_begin(frozen, ring, &want, NULL, NULL, now), 0);
		now = at((22 + i * 5) * SECOND_NS);
		run_until_quiet(&now);
	}
	assert_int_equal(frozen_figures(frozen).incidents, 10);
	assert_false(frozen_has(frozen, "id0000"));
	assert_false(frozen_has(frozen, "jd0009"));
	assert_true(frozen_has(frozen, "jd0010"));
	close_both(now);
}

static bool is_not_zero(void *context, const char *id) /* an open incident is kept before closed ones */
{
	(void)context;
	return strcmp(id, "zero") != 0;
}

static void test_what_is_over_goes_before_what_is_open(void **state)
{
	static const char *const ids[] = { "zero", "one", "two", "three" };
	struct frozen_limits few = limits;
	struct moment now = at(0);

	(void)state;
	few.count = 3;
	few.after_ns = SECOND_NS;
	open_both(&few, now);
	for (int i = 0; i < 4; i++) {
		struct frozen_want want = want_of(ids[i], "10.3.3.3", "10.2.2.2");

		now = at(i * 10 * SECOND_NS);
		assert_int_equal(frozen_begin(frozen, ring, &want, is_not_zero, NULL, now), 0);
		now = at((i * 10 + 5) * SECOND_NS);
		run_until_quiet(&now);
	}
	assert_true(frozen_has(frozen, "zero"));
	assert_false(frozen_has(frozen, "one"));
	close_both(now);
}

static void test_an_incident_that_floods_is_cut_and_says_so(void **state)
{
	struct frozen_want want = want_of("k3v9q2", "10.1.1.1", "10.2.2.2");
	struct moment now = at(0);
	struct frozen_content content;
	uint64_t notes = 0;
	struct stat found;
	char path[128];

	(void)state;
	open_both(&limits, now);
	assert_int_equal(frozen_begin(frozen, ring, &want, NULL, NULL, now), 0);
	for (int i = 0; i < 150000; i++)
		add_packet("10.1.1.1", "10.2.2.2", (uint64_t)i, at(i));
	now = at(100 * SECOND_NS);
	run_until_quiet(&now);
	snprintf(path, sizeof(path), "%s/k3v9q2", frozen_folder);
	assert_int_equal(stat(path, &found), 0);
	assert_in_range(found.st_size, FROZEN_BYTES_EACH / 2, FROZEN_BYTES_EACH);
	assert_int_equal(frozen_read(frozen, "k3v9q2", &content), 0);
	for (size_t i = 0; i < content.count; i++)
		notes += content.events[i].kind == RECORDED_NOTE;
	assert_int_equal(notes, 1);
	frozen_content_done(&content);
	close_both(now);
}

static void test_a_torn_file_loses_what_is_torn(void **state)
{
	struct frozen_want want = want_of("k3v9q2", "10.1.1.1", "10.2.2.2");
	struct moment now = at(0);
	struct frozen_content content;
	struct stat found;
	char path[128];

	(void)state;
	open_both(&limits, now);
	assert_int_equal(frozen_begin(frozen, ring, &want, NULL, NULL, now), 0);
	for (uint64_t i = 1; i <= 50; i++)
		add_packet("10.1.1.1", "10.2.2.2", i, at((int64_t)i));
	close_both(now);
	snprintf(path, sizeof(path), "%s/k3v9q2", frozen_folder);
	assert_int_equal(stat(path, &found), 0);
	assert_int_equal(truncate(path, found.st_size - 20), 0);
	open_both(&limits, now);
	assert_int_equal(frozen_read(frozen, "k3v9q2", &content), 0);
	assert_int_equal(content.count, 49);
	assert_int_equal(content.torn, 1);
	frozen_content_done(&content);
	close_both(now);
}

static void test_the_two_ends_are_joined_by_their_clocks(void **state)
{
	struct frozen_want want = want_of("k3v9q2", "10.1.1.1", "10.2.2.2");
	struct recorded theirs[4], *e;
	struct moment now = at(0);
	struct frozen_content content;

	(void)state;
	open_both(&limits, now);
	assert_int_equal(frozen_put_peer(frozen, "k3v9q2", NULL, 0, now), -ENOENT); /* nothing of ours: whose would it be? */
	assert_int_equal(frozen_begin(frozen, ring, &want, NULL, NULL, now), 0);
	add_packet("10.1.1.1", "10.2.2.2", 1, at(1 * SECOND_NS));
	add_packet("10.1.1.1", "10.2.2.2", 3, at(3 * SECOND_NS));
	for (int i = 0; i < 4; i++) { /* its clock is 1000 s ahead, and it booted at another time */
		e = &theirs[i];
		*e = (struct recorded){ .kind = RECORDED_SIGHTING, .end = TEXT("spoke"), .boot = { 9 },
					.has = RECORDED_HAS_MONO | RECORDED_HAS_WALL | RECORDED_HAS_BOOT | RECORDED_HAS_SEQUENCE };
		e->mono_ns = (2 + 2 * i) * SECOND_NS;
		e->wall.ns = WALL + (1002 + 2 * i) * SECOND_NS;
		e->sequence = (uint64_t)(2 + 2 * i);
	}
	theirs[3].kind = RECORDED_CLOCK;
	theirs[3].has |= RECORDED_HAS_OFFSET | RECORDED_HAS_ERROR;
	theirs[3].offset_ns = 1000 * SECOND_NS;
	theirs[3].error_ns = 1000000;
	theirs[1].wall.ns -= HOUR_NS; /* its clock was wrong for a while: the order is that of its mono */
	add_packet("10.1.1.1", "10.2.2.2", 5, at(5 * SECOND_NS));
	assert_int_equal(frozen_put_peer(frozen, "k3v9q2", theirs, 4, now), 0);
	assert_int_equal(frozen_put_peer(frozen, "k3v9q2", theirs, 4, now), 0); /* in place of the one before */
	assert_int_equal(frozen_read(frozen, "k3v9q2", &content), 0);
	assert_int_equal(content.count, 7);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(content.events[i].sequence, i + 1);
		assert_true(text_equal(content.events[i].end, i % 2 ? TEXT("spoke") : TEXT("hub")));
	}
	assert_int_equal(content.events[6].kind, RECORDED_CLOCK);
	frozen_content_done(&content);
	close_both(now);
}

static void test_devices_are_told_apart_by_name(void **state)
{
	struct frozen_want want = want_of("k3v9q2", "10.1.1.1", "10.2.2.2");
	struct recorded e = { .kind = RECORDED_OUTPUT, .end = TEXT("spoke1"), .text = TEXT("interface: Tunnel0") };
	struct moment now = at(0);
	struct frozen_content content;

	(void)state;
	open_both(&limits, now);
	text_copy(TEXT("spoke1"), want.hosts[0], sizeof(want.hosts[0]));
	tell(&e, now);
	e.end = TEXT("spoke2");
	tell(&e, now);
	e.end = TEXT("hub"); /* what this gateway itself types is no affair of two other devices */
	tell(&e, now);
	e.end = TEXT("spoke3"); /* but what was typed for it is */
	e.incident = TEXT("k3v9q2");
	tell(&e, now);
	e.end = TEXT("spoke1"); /* and what was typed there for another one is not */
	e.incident = TEXT("other1");
	tell(&e, now);
	assert_int_equal(frozen_begin(frozen, ring, &want, NULL, NULL, at(1)), 0);
	now = at(2);
	run_until_quiet(&now);
	assert_int_equal(frozen_read(frozen, "k3v9q2", &content), 0);
	assert_int_equal(content.count, 2);
	frozen_content_done(&content);
	close_both(now);
}

static void test_an_id_never_leads_out_of_the_folder(void **state)
{
	static const char *const ids[] = { "", "../x", "a/b", ".", "a.b", "a b" };
	struct frozen_want want = want_of("x", "10.1.1.1", "10.2.2.2");
	struct frozen_content content;

	(void)state;
	open_both(&limits, at(0));
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		text_copy(text_of(ids[i]), want.id, sizeof(want.id));
		assert_int_equal(frozen_begin(frozen, ring, &want, NULL, NULL, at(0)), -EINVAL);
		assert_int_equal(frozen_read(frozen, ids[i], &content), -ENOENT);
	}
	close_both(at(0));
}

static void test_a_full_disk_is_waited_for(void **state)
{
	struct frozen_want want = want_of("k3v9q2", "10.1.1.1", "10.2.2.2");
	struct frozen_limits greedy = limits;
	struct frozen_content content;
	struct moment now = at(0);

	(void)state;
	greedy.reserve = UINT64_MAX / 2;
	open_both(&greedy, now);
	add_packet("10.1.1.1", "10.2.2.2", 1, now);
	assert_int_equal(frozen_begin(frozen, ring, &want, NULL, NULL, now), 0);
	frozen_tick(frozen, ring, now); /* copies the past */
	now = at(SECOND_NS);
	frozen_tick(frozen, ring, now);
	assert_int_equal(frozen_figures(frozen).trouble, -ENOSPC);
	assert_int_equal(frozen_read(frozen, "k3v9q2", &content), 0); /* tries at once */
	assert_int_equal(content.count, 0);
	frozen_content_done(&content);
	assert_int_equal(frozen_figures(frozen).trouble, -ENOSPC);
	frozen_change(frozen, &limits);
	add_packet("10.1.1.1", "10.2.2.2", 2, now);
	now = at(SECOND_NS + RING_RETRY_NS);
	frozen_tick(frozen, ring, now);
	assert_int_equal(frozen_figures(frozen).trouble, 0);
	assert_numbers("k3v9q2", 1, 2);
	close_both(now);
}

static void begin(const char *id, bool is_foreign, int expected, struct moment now)
{
	struct frozen_want want = want_of(id, "10.1.1.1", "10.2.2.2");

	want.is_foreign = is_foreign;
	assert_int_equal(frozen_begin(frozen, ring, &want, NULL, NULL, now), expected);
}

/* A peer that asks and asks takes neither all windows nor the evidence of our own incidents away. */
static void test_another_gateways_incidents_make_room_first(void **state)
{
	struct frozen_limits few = limits;
	struct moment now = at(0);
	char id[INCIDENT_ID_MAX];

	(void)state;
	few.count = 40;
	open_both(&few, now);
	begin("own111", false, 0, now);
	now = at(100 * SECOND_NS);
	run_until_quiet(&now);
	assert_int_equal(frozen_figures(frozen).under_way, 0);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < FROZEN_UNDER_WAY_MAX; i++) {
			snprintf(id, sizeof(id), "p%u%02u", (unsigned)round % 10, (unsigned)i % 100);
			begin(id, true, i < FROZEN_UNDER_WAY_MAX / 2 ? 0 : -EBUSY, now);
		}
		assert_int_equal(frozen_figures(frozen).under_way, FROZEN_UNDER_WAY_MAX / 2);
		now = at((200 + 100 * round) * SECOND_NS);
		run_until_quiet(&now);
	}
	assert_true(frozen_has(frozen, "own111")); /* the oldest of all */
	assert_in_range(frozen_figures(frozen).incidents, 30, few.count);
	/* What is ours stays ours, whoever asks for it as well. */
	begin("own111", true, 0, now);
	now = at(600 * SECOND_NS);
	run_until_quiet(&now);
	for (int i = 0; i < 20; i++) {
		snprintf(id, sizeof(id), "q%02u", (unsigned)i % 100);
		begin(id, true, 0, now);
	}
	assert_true(frozen_has(frozen, "own111"));
	close_both(now);
}

static void test_a_peers_times_may_be_anything(void **state)
{
	const struct recorded absurd = { .kind = RECORDED_SA_BORN, .end = TEXT("spoke"), .src = address("10.1.1.1"),
					 .dst = address("10.2.2.2"), .boot = { 9 }, .wall.ns = INT64_MAX, .mono_ns = -INT64_MAX,
					 .has = RECORDED_HAS_WALL | RECORDED_HAS_MONO | RECORDED_HAS_BOOT };
	struct frozen_content content;
	struct moment now = at(0);

	(void)state;
	open_both(&limits, now);
	begin("k3v9q2", false, 0, now);
	run_until_quiet(&now);
	assert_int_equal(frozen_put_peer(frozen, "k3v9q2", &absurd, 1, now), 0);
	assert_int_equal(frozen_read(frozen, "k3v9q2", &content), 0);
	assert_int_equal(content.count, 1);
	assert_true(content.events[0].wall.ns == INT64_MAX && content.events[0].mono_ns == -INT64_MAX);
	frozen_content_done(&content);
	close_both(now);
}

/* Windows that are open at once are all of evidence as well: together they keep to its size. */
static void test_open_windows_keep_to_the_size_together(void **state)
{
	static const char *const ids[] = { "aaaaa1", "aaaaa2", "aaaaa3" };
	struct frozen_limits small = limits;
	struct frozen_want want;
	static char text[RECORDED_TEXT_MAX];
	struct recorded e = { .kind = RECORDED_NOTE, .text = { text, sizeof(text) } };
	struct recorded of_peer = { .kind = RECORDED_SA_BORN, .src = address("10.1.1.1"), .dst = address("10.2.2.2"),
				    .end = TEXT("spoke"), .text = { text, sizeof(text) } };
	struct recorded part[100];
	struct moment now = at(0);

	(void)state;
	memset(text, 'x', sizeof(text));
	small.bytes = 1u << 20;
	open_both(&small, now);
	for (size_t i = 0; i < 3; i++) {
		want = want_of(ids[i], "10.1.1.1", "10.2.2.2");
		assert_int_equal(frozen_begin(frozen, ring, &want, NULL, NULL, now), 0);
	}
	for (int i = 0; i < 200; i++) {
		now = at(i * (SECOND_NS / 10));
		frozen_add(frozen, &e, now);
		frozen_tick(frozen, ring, now);
		assert_in_range(frozen_figures(frozen).bytes, 0, small.bytes);
	}
	assert_in_range(frozen_figures(frozen).bytes, small.bytes / 2, small.bytes);
	assert_int_equal(frozen_figures(frozen).trouble, -EDQUOT);
	for (size_t i = 0; i < 3; i++)
		assert_true(frozen_has(frozen, ids[i]));
	/* When their windows are over the older ones go, for what the latest still had and for its peer's part; never itself. */
	now = at(200 * SECOND_NS);
	run_until_quiet(&now);
	for (size_t i = 0; i < 100; i++)
		part[i] = of_peer;
	assert_int_equal(frozen_put_peer(frozen, "aaaaa3", part, 100, now), -EDQUOT);
	assert_int_equal(frozen_put_peer(frozen, "aaaaa3", part, 20, now), 0);
	assert_true(frozen_has(frozen, "aaaaa3"));
	assert_in_range(frozen_figures(frozen).bytes, 1, small.bytes);
	close_both(now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_window_before_and_after_is_kept_and_nothing_else, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_daemon_that_was_started_again_goes_on_and_tells_nothing_twice, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many_incidents_at_once_are_bounded_and_the_oldest_that_is_over_goes, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_over_goes_before_what_is_open, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_an_incident_that_floods_is_cut_and_says_so, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_torn_file_loses_what_is_torn, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_two_ends_are_joined_by_their_clocks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_devices_are_told_apart_by_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_an_id_never_leads_out_of_the_folder, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_full_disk_is_waited_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_another_gateways_incidents_make_room_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_peers_times_may_be_anything, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_open_windows_keep_to_the_size_together, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
