/* SPDX-License-Identifier: MIT */
#include "repair/journal.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/memory.h"

/* A slot, little-endian, so that a disk can change machines:
 *    0 magic 8       8 sequence 8    16 kind 1, verb or outcome 1, daemon 2, peer family 1, opens_ike 1, protocol 1, zero 1
 *   24 order 8      32 wall ns 8     40 ike id 4, child id 4     48 connection 8, or took ns 8
 *   56 peer 16      72 SPI 4, or text 128
 *  200 what of the plugin's answer is there 1, answer 1, zero 2, peer SPI 4, child id 4, zero 36
 *  248 SipHash of the 248 bytes before */
#define SLOT_BYTES 256
#define SUM_AT 248
#define HAS_ANSWER 1
#define HAS_PEER_SPI 2
#define HAS_CHILD 4
static const char magic[8] = { 's', 'p', 'i', 'm', 'j', 'r', 'n', '1' };

enum kind { KIND_EMPTY, KIND_INTENT, KIND_RESULT };

struct record { /* a slot in memory */
	enum kind kind;
	uint64_t sequence;
	struct instant wall;
	struct order order;         /* KIND_INTENT; for a result only its id */
	struct order_result result; /* KIND_RESULT */
};

struct journal {
	int fd; /* owns */
	struct record *records; /* owns: JOURNAL_RECORDS_MAX, in the places of the file */
	uint64_t next;          /* sequence number of the next record; its place is the remainder */
	struct journal_counts counts;
};

static void put64(unsigned char *to, uint64_t v)
{
	v = htole64(v);
	memcpy(to, &v, sizeof(v));
}

static uint64_t get64(const unsigned char *from)
{
	uint64_t v;

	memcpy(&v, from, sizeof(v));
	return le64toh(v);
}

static void put32(unsigned char *to, uint32_t v)
{
	v = htole32(v);
	memcpy(to, &v, sizeof(v));
}

static uint32_t get32(const unsigned char *from)
{
	uint32_t v;

	memcpy(&v, from, sizeof(v));
	return le32toh(v);
}

/* Against a torn write and a bad disk; whoever may write the file may forge it. */
static uint64_t sum_of(const unsigned char slot[SLOT_BYTES])
{
	static const struct hash_key key = { UINT64_C(0x7370696d656e6421), 1 };

	return hash_bytes(&key, slot, SUM_AT);
}

static void encode(const struct record *r, unsigned char slot[SLOT_BYTES])
{
	memset(slot, 0, SLOT_BYTES);
	memcpy(slot, magic, sizeof(magic));
	put64(slot + 8, r->sequence);
	slot[16] = (unsigned char)r->kind;
	put64(slot + 32, (uint64_t)r->wall.ns);
	if (r->kind == KIND_INTENT) {
		slot[17] = (unsigned char)r->order.verb;
		slot[18] = (unsigned char)r->order.daemon;
		slot[19] = (unsigned char)(r->order.daemon >> 8);
		slot[20] = r->order.peer.family;
		slot[21] = r->order.opens_ike;
		slot[22] = r->order.protocol;
		slot[23] = r->order.local.family;
		put32(slot + 72, r->order.spi);
		put32(slot + 76, r->order.peer_port);
		memcpy(slot + 80, r->order.local.bytes, sizeof(r->order.local.bytes));
		put64(slot + 24, r->order.id);
		put32(slot + 40, r->order.ike_id);
		put32(slot + 44, r->order.child_id);
		put64(slot + 48, r->order.connection);
		memcpy(slot + 56, r->order.peer.bytes, sizeof(r->order.peer.bytes));
	} else {
		slot[17] = (unsigned char)r->result.outcome;
		put64(slot + 24, r->result.id);
		put64(slot + 48, (uint64_t)r->result.took_ns);
		memcpy(slot + 72, r->result.text, sizeof(r->result.text));
		slot[200] = (unsigned char)(r->result.has_answer * HAS_ANSWER + r->result.has_peer_spi * HAS_PEER_SPI +
					    r->result.has_child * HAS_CHILD);
		slot[201] = r->result.answer;
		put32(slot + 204, r->result.peer_spi);
		put32(slot + 208, r->result.child_id);
	}
	put64(slot + SUM_AT, sum_of(slot));
}

static bool is_all_zero(const unsigned char slot[SLOT_BYTES])
{
	for (size_t i = 0; i < SLOT_BYTES; i++)
		if (slot[i])
			return false;
	return true;
}

/* False when it is damaged, or is not at the place of its sequence number. */
static bool decode(const unsigned char slot[SLOT_BYTES], size_t place, struct record *ret)
{
	struct record r;

	memset(&r, 0, sizeof(r));
	if (memcmp(slot, magic, sizeof(magic)) != 0 || get64(slot + SUM_AT) != sum_of(slot))
		return false;
	r.sequence = get64(slot + 8);
	r.kind = (enum kind)slot[16];
	r.wall.ns = (int64_t)get64(slot + 32);
	if (r.sequence % JOURNAL_RECORDS_MAX != place || (r.kind != KIND_INTENT && r.kind != KIND_RESULT))
		return false;
	r.order.id = get64(slot + 24);
	if (r.kind == KIND_INTENT) {
		r.order.verb = (enum order_verb)slot[17];
		r.order.daemon = (uint16_t)(slot[18] | slot[19] << 8);
		r.order.peer.family = slot[20];
		r.order.opens_ike = slot[21] != 0;
		r.order.protocol = slot[22];
		r.order.local.family = slot[23];
		r.order.spi = get32(slot + 72);
		r.order.peer_port = (uint16_t)get32(slot + 76);
		memcpy(r.order.local.bytes, slot + 80, sizeof(r.order.local.bytes));
		r.order.ike_id = get32(slot + 40);
		r.order.child_id = get32(slot + 44);
		r.order.connection = get64(slot + 48);
		memcpy(r.order.peer.bytes, slot + 56, sizeof(r.order.peer.bytes));
		if (!gateway_valid_order(&r.order))
			return false;
	} else {
		r.result.id = r.order.id;
		r.result.outcome = (enum order_outcome)slot[17];
		r.result.took_ns = (int64_t)get64(slot + 48);
		memcpy(r.result.text, slot + 72, sizeof(r.result.text));
		r.result.has_answer = slot[200] & HAS_ANSWER;
		r.result.has_peer_spi = slot[200] & HAS_PEER_SPI;
		r.result.has_child = slot[200] & HAS_CHILD;
		r.result.answer = slot[201];
		r.result.peer_spi = get32(slot + 204);
		r.result.child_id = get32(slot + 208);
		if (!gateway_valid_result(&r.result))
			return false;
	}
	*ret = r;
	return true;
}

/* --- Reading it at start ---------------------------------------------------------------------------------------- */

/* Bytes read; short at the end of the file only. */
static ssize_t read_all(int fd, unsigned char *to, size_t size, off_t at)
{
	size_t have = 0;

	while (have < size) {
		ssize_t got = pread(fd, to + have, size - have, at + (off_t)have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

static int replay(struct journal *j)
{
	unsigned char slot[SLOT_BYTES];

	for (size_t place = 0; place < JOURNAL_RECORDS_MAX; place++) {
		ssize_t got = read_all(j->fd, slot, sizeof(slot), (off_t)(place * SLOT_BYTES));

		if (got < 0)
			return (int)got;
		if (got == 0)
			break;
		if (place == 0 && got >= (ssize_t)sizeof(magic) && memcmp(slot, magic, 7) == 0 && slot[7] != (unsigned char)magic[7])
			return -EPROTO;
		memset(slot + got, 0, sizeof(slot) - (size_t)got);
		if (!decode(slot, place, &j->records[place])) {
			j->counts.damaged += !is_all_zero(slot);
			continue;
		}
		j->counts.kept++;
		if (j->records[place].sequence >= j->next)
			j->next = j->records[place].sequence + 1;
	}
	return 0;
}

int journal_new(int fd, struct journal **ret)
{
	struct journal *j = memory_new(1, sizeof(*j));
	struct stat st;
	int r = 0;

	if (j)
		j->records = memory_new(JOURNAL_RECORDS_MAX, sizeof(*j->records));
	if (!j || !j->records)
		r = -ENOMEM;
	else if (fstat(fd, &st))
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = -EINVAL;
	if (r) {
		close(fd);
		if (j)
			memory_free(j->records);
		memory_free(j);
		return r;
	}
	j->fd = fd;
	j->next = 1; /* no record has number 0 */
	r = replay(j);
	if (r) {
		journal_free(j);
		return r;
	}
	*ret = j;
	return 0;
}

void journal_free(struct journal *j)
{
	if (!j)
		return;
	close(j->fd);
	memory_free(j->records);
	memory_free(j);
}

/* --- Use -------------------------------------------------------------------------------------------------------- */

enum journal_known journal_find(const struct journal *j, uint64_t order, struct order_result *ret)
{
	enum journal_known known = JOURNAL_NEVER;
	struct order_result result;

	memset(&result, 0, sizeof(result));
	result.id = order;
	result.outcome = OUTCOME_UNKNOWN;
	for (size_t i = 0; i < JOURNAL_RECORDS_MAX; i++) {
		const struct record *r = &j->records[i];

		if (r->kind == KIND_EMPTY || r->order.id != order)
			continue;
		if (r->kind == KIND_RESULT) {
			*ret = r->result;
			return JOURNAL_RESULT;
		}
		known = JOURNAL_INTENT;
	}
	if (known == JOURNAL_INTENT) {
		strcpy(result.text, "it was begun; what came of it is not known");
		*ret = result;
	}
	return known;
}

static int append(struct journal *j, struct record *r, bool sync)
{
	size_t place = j->next % JOURNAL_RECORDS_MAX;
	unsigned char slot[SLOT_BYTES];
	size_t done = 0;

	r->sequence = j->next;
	encode(r, slot);
	while (done < sizeof(slot)) {
		ssize_t put = pwrite(j->fd, slot + done, sizeof(slot) - done, (off_t)(place * SLOT_BYTES + done));

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0) {
			j->counts.write_failures++;
			return put < 0 ? -errno : -ENOSPC;
		}
		done += (size_t)put;
	}
	if (sync && fdatasync(j->fd)) {
		j->counts.write_failures++;
		return -errno;
	}
	j->counts.overwritten += j->records[place].kind != KIND_EMPTY;
	j->counts.kept += j->records[place].kind == KIND_EMPTY;
	j->records[place] = *r;
	j->next++;
	return 0;
}

int journal_intent(struct journal *j, const struct order *order, struct instant wall)
{
	struct record r = { .kind = KIND_INTENT, .wall = wall, .order = *order };

	return gateway_valid_order(order) ? append(j, &r, true) : -EINVAL;
}

int journal_result(struct journal *j, const struct order_result *result, struct instant wall)
{
	struct record r = { .kind = KIND_RESULT, .wall = wall, .order = { .id = result->id }, .result = *result };

	return gateway_valid_result(result) ? append(j, &r, false) : -EINVAL;
}

void journal_each_intent(const struct journal *j,
			 void (*each)(void *context, const struct order *order, struct instant wall), void *context)
{
	for (uint64_t i = 0; i < JOURNAL_RECORDS_MAX; i++) {
		const struct record *r = &j->records[(j->next + i) % JOURNAL_RECORDS_MAX];

		if (r->kind == KIND_INTENT)
			each(context, &r->order, r->wall);
	}
}

struct journal_counts journal_count(const struct journal *j)
{
	return j->counts;
}
