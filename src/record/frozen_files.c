/* SPDX-License-Identifier: MIT */
/* The folder of evidence: whose files are there, and which go. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "record/frozen_private.h"
#include "record/segment_file.h"

#define PEER_SUFFIX ".peer"

bool frozen_name(const char *id, uint32_t part, char to[FROZEN_NAME_MAX])
{
	size_t len = strnlen(id, INCIDENT_ID_MAX);

	if (len == 0 || len >= INCIDENT_ID_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!char_is_alpha(id[i]) && !char_is_digit(id[i]))
			return false;
	if (part == 0)
		snprintf(to, FROZEN_NAME_MAX, "%s", id);
	else if (part == FROZEN_PEER)
		snprintf(to, FROZEN_NAME_MAX, "%s" PEER_SUFFIX, id);
	else
		snprintf(to, FROZEN_NAME_MAX, "%s.%u", id, part % FROZEN_PARTS_MAX);
	return true;
}

/* Of a name that frozen_name() made. */
static bool read_name(const char *name, char id[INCIDENT_ID_MAX], uint32_t *ret_part)
{
	struct text rest = text_of(name), word = text_take_until(&rest, ".");
	char again[FROZEN_NAME_MAX];

	if (word.len == 0 || word.len >= INCIDENT_ID_MAX)
		return false;
	text_copy(word, id, INCIDENT_ID_MAX);
	if (rest.len == 0)
		*ret_part = 0;
	else if (text_equal(rest, TEXT(PEER_SUFFIX)))
		*ret_part = FROZEN_PEER;
	else if (rest.len == 2 && rest.at[1] > '0' && rest.at[1] <= '9')
		*ret_part = (uint32_t)(rest.at[1] - '0');
	else
		return false;
	return frozen_name(id, *ret_part, again) && strcmp(again, name) == 0;
}

struct frozen_kept *frozen_find(const struct frozen_folder *folder, const char *id)
{
	for (uint32_t i = 0; i < folder->count; i++)
		if (strcmp(folder->kept[i].id, id) == 0)
			return &folder->kept[i];
	return NULL;
}

struct frozen_kept *frozen_find_or_add(struct frozen_folder *folder, const char *id)
{
	struct frozen_kept *kept = frozen_find(folder, id);

	if (kept || folder->count >= FROZEN_INCIDENTS_MAX)
		return kept;
	kept = &folder->kept[folder->count++];
	*kept = (struct frozen_kept){ .bytes = 0 };
	text_copy(text_of(id), kept->id, sizeof(kept->id));
	return kept;
}

void frozen_drop(struct frozen_folder *folder, struct frozen_kept *kept)
{
	char name[FROZEN_NAME_MAX];

	for (uint32_t part = 0; part <= FROZEN_PEER; part++)
		if (kept->parts >> part & 1 && frozen_name(kept->id, part, name))
			(void)!unlinkat(folder->fd, name, 0); /* where that fails it is found again at the next start */
	*kept = folder->kept[--folder->count];
}

uint64_t frozen_folder_bytes(const struct frozen_folder *folder)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < folder->count; i++)
		sum += folder->kept[i].bytes + folder->kept[i].peer_bytes;
	return sum;
}

/* The oldest of those that were kept for another gateway, else of those that are over, else of all; never one whose window
 * is open. NULL: none may go. */
static struct frozen_kept *find_victim(const struct frozen_folder *folder, frozen_over_fn *is_over, void *context)
{
	struct frozen_kept *found = NULL;
	int found_rank = 0;

	for (uint32_t i = 0; i < folder->count; i++) {
		struct frozen_kept *kept = &folder->kept[i];
		int rank;

		if (kept->is_under_way)
			continue;
		rank = kept->is_foreign ? 2 : !is_over || is_over(context, kept->id);
		if (!found || rank > found_rank || (rank == found_rank && kept->written.ns < found->written.ns)) {
			found = kept;
			found_rank = rank;
		}
	}
	return found;
}

void frozen_let_go(struct frozen_folder *folder, const struct frozen_limits *limits, uint64_t room, uint32_t more,
		     bool believes_clock, frozen_over_fn *is_over, void *context, struct instant now)
{
	struct frozen_kept *victim;

	for (uint32_t i = folder->count; believes_clock && i > 0; i--) {
		victim = &folder->kept[i - 1];
		if (!victim->is_under_way && now.ns - victim->written.ns > limits->age_ns) {
			frozen_drop(folder, victim);
			folder->let_go++;
		}
	}
	while (folder->count + more > limits->count || frozen_folder_bytes(folder) + room > limits->bytes) {
		victim = find_victim(folder, is_over, context);
		if (!victim)
			return;
		frozen_drop(folder, victim);
		folder->let_go++;
	}
}

int frozen_read_file(const struct frozen_folder *folder, const char *id, uint32_t part, struct buffer *out)
{
	char name[FROZEN_NAME_MAX];

	return frozen_name(id, part, name) ? segment_file_read(folder->fd, name, FROZEN_BYTES_EACH, out) : -EINVAL;
}

static void note_file(struct frozen_folder *folder, const char *name)
{
	struct frozen_kept *kept;
	char id[INCIDENT_ID_MAX];
	struct stat found;
	uint32_t part;

	if (!read_name(name, id, &part) || fstatat(folder->fd, name, &found, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(found.st_mode))
		return;
	kept = frozen_find_or_add(folder, id);
	if (!kept) /* more than were ever kept: somebody put them there */
		return;
	kept->parts |= 1u << part;
	*(part == FROZEN_PEER ? &kept->peer_bytes : &kept->bytes) += (uint64_t)found.st_size;
	if (found.st_mtim.tv_sec * SECOND_NS > kept->written.ns)
		kept->written.ns = found.st_mtim.tv_sec * SECOND_NS;
}

int frozen_folder_open(const char *path, struct frozen_folder *ret)
{
	DIR *list = NULL;
	struct dirent *entry;
	int fd, r;

	*ret = (struct frozen_folder){ .fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW) };
	if (ret->fd < 0)
		return -errno;
	ret->kept = memory_new(FROZEN_INCIDENTS_MAX, sizeof(*ret->kept));
	fd = ret->kept ? openat(ret->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd >= 0)
		list = fdopendir(fd);
	if (!list) {
		r = ret->kept ? -errno : -ENOMEM;
		if (fd >= 0)
			close(fd);
		return r;
	}
	while ((entry = readdir(list)))
		note_file(ret, entry->d_name);
	closedir(list);
	return 0;
}

void frozen_folder_close(struct frozen_folder *folder)
{
	if (folder->fd >= 0)
		close(folder->fd);
	memory_free(folder->kept);
}
