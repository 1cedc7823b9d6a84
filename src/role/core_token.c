/* SPDX-License-Identifier: MIT */
/*
 * Personal tokens of the page: made for whom the control socket knows by the kernel's word, told once, kept as SHA-256 with
 * the person's name and an end, in core's own directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "parse/web_token.h"
#include "record/values.h"
#include "role/core_role.h"
#include "role/web_door.h"
#include "spimend/error.h"

#define FILE_NAME "web-tokens"
#define FILE_MOST 16384

/* --- The file: "HASH UID END NAME", a line each ---------------------------------------------------------------------- */

static void name_file(const struct mind *mind, const char *ending, char *to, size_t size)
{
	snprintf(to, size, "%s/" MEMBER_CORE_DIRECTORY "/" FILE_NAME "%s", mind->member->config->state_directory, ending);
}

static int write_file(const char *path, struct text bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600), r = 0;

	if (fd < 0)
		return -errno;
	errno = 0;
	if (write(fd, bytes.at, bytes.len) != (ssize_t)bytes.len || fsync(fd) < 0)
		r = errno ? -errno : -EIO;
	close(fd);
	return r;
}

static int keep_tokens(const struct mind *mind)
{
	char path[CONFIG_PATH_MAX + 64], fresh[CONFIG_PATH_MAX + 64];
	cleanup(buffer_done) struct buffer text = { 0 };
	int r;

	for (size_t i = 0; i < TOKENS_MAX; i++) {
		const struct mind_token *t = &mind->web.tokens[i];

		if (!t->until.ns)
			continue;
		for (size_t k = 0; k < sizeof(t->hash); k++)
			buffer_printf(&text, "%02x", t->hash[k]);
		buffer_printf(&text, " %" PRIu32 " %" PRId64 " %s\n", t->uid, t->until.ns / SECOND_NS, t->who);
	}
	name_file(mind, "", path, sizeof(path));
	name_file(mind, ".new", fresh, sizeof(fresh));
	r = buffer_error(&text);
	if (r == 0)
		r = write_file(fresh, buffer_text(&text));
	if (r == 0 && rename(fresh, path) < 0)
		r = -errno;
	return r;
}

static bool read_hash(struct text word, uint8_t ret[WEB_HASH_SIZE])
{
	if (word.len != 2 * WEB_HASH_SIZE)
		return false;
	for (size_t i = 0; i < WEB_HASH_SIZE; i++) {
		int high = char_hex(word.at[2 * i]), low = char_hex(word.at[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool read_token(struct text line, struct mind_token *ret)
{
	struct mind_token t = { .uid = 0 };
	uint64_t uid, until;

	if (!read_hash(text_take_word(&line), t.hash) || text_decimal(text_take_word(&line), UINT32_MAX, &uid) != 0 ||
	    text_decimal(text_take_word(&line), UINT64_C(9000000000), &until) != 0 || until == 0)
		return false;
	line = text_trim(line);
	if (line.len == 0 || line.len >= sizeof(t.who))
		return false;
	text_copy(line, t.who, sizeof(t.who));
	t.uid = (uint32_t)uid;
	t.until.ns = (int64_t)until * SECOND_NS;
	*ret = t;
	return text_is_string(t.who, sizeof(t.who));
}

void mind_read_tokens(struct mind *mind)
{
	char path[CONFIG_PATH_MAX + 64], bytes[FILE_MOST];
	struct text rest = { bytes, 0 }, line;
	size_t count = 0, bad = 0;
	struct stat found;
	ssize_t n;
	int fd;

	name_file(mind, "", path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return; /* there was none yet */
	n = fstat(fd, &found) == 0 && S_ISREG(found.st_mode) ? read(fd, bytes, sizeof(bytes)) : -1;
	close(fd);
	rest.len = n > 0 ? (size_t)n : 0;
	while (text_take_line(&rest, &line)) {
		if (count < TOKENS_MAX && read_token(line, &mind->web.tokens[count]))
			count++;
		else
			bad++;
	}
	if (n < 0 || bad)
		log_say(&mind->member->log, LOG_WARNING, "%s: %zu lines are no tokens and count for nothing", path, bad);
}

/* --- Tokens ----------------------------------------------------------------------------------------------------------- */

const struct mind_token *mind_find_token(const struct mind *mind, const uint8_t hash[WEB_HASH_SIZE])
{
	const struct mind_token *found = NULL;
	struct instant now = mind_now(mind).wall;

	for (size_t i = 0; i < TOKENS_MAX; i++) { /* all of them, each time */
		const struct mind_token *t = &mind->web.tokens[i];

		if (CRYPTO_memcmp(t->hash, hash, WEB_HASH_SIZE) == 0 && t->until.ns > now.ns && t->until.ns - now.ns <= TOKEN_LIFE_NS)
			found = t;
	}
	return found;
}

/* A free place; of somebody who has many already, or where all are taken, that of the token that ends first. */
static struct mind_token *place_for(struct mind *mind, uint32_t uid)
{
	struct mind_token *place = NULL, *oldest = &mind->web.tokens[0], *own = NULL;
	int64_t now = mind_now(mind).wall.ns;
	size_t owned = 0;

	for (size_t i = 0; i < TOKENS_MAX; i++) {
		struct mind_token *t = &mind->web.tokens[i];

		if (t->until.ns <= now) {
			place = t;
			continue;
		}
		if (t->until.ns < oldest->until.ns)
			oldest = t;
		if (t->uid != uid)
			continue;
		owned++;
		if (!own || t->until.ns < own->until.ns)
			own = t;
	}
	return owned >= TOKENS_OF_ONE_MAX ? own : place ? place : oldest;
}

static void print_token(const struct mind_token *t, const char *text, bool json, struct buffer *out)
{
	struct json j;

	if (!json) {
		buffer_printf(out, "%s\n", text);
		return;
	}
	json_init(&j, out);
	json_object(&j, NULL);
	json_string(&j, "schema", "spimend.token/1");
	json_string(&j, "token", text);
	json_string(&j, "name", t->who);
	record_put_time(&j, "expires", true, t->until);
	json_object_end(&j);
	buffer_add_char(out, '\n');
}

/* Root's word is for everybody's: of one who is no operator any more, or who lost his. */
static int take_back(struct mind *mind, uint32_t uid, const char *who, struct buffer *out)
{
	const char *whose = uid == 0 ? ", everybody's" : "";
	size_t count = 0;
	int r;

	for (size_t i = 0; i < TOKENS_MAX; i++) {
		struct mind_token *t = &mind->web.tokens[i];

		if (!t->until.ns || (uid != 0 && t->uid != uid))
			continue;
		count += t->until.ns > mind_now(mind).wall.ns;
		memset(t, 0, sizeof(*t));
	}
	r = keep_tokens(mind);
	log_say(&mind->member->log, LOG_NOTICE, "%s takes back %zu token%s of the page%s", who, count, text_plural(count), whose);
	if (r < 0)
		buffer_printf(out, "they count no more, but that cannot be kept over a restart: %s", spimend_strerror(r));
	else
		buffer_printf(out, "%zu token%s taken back%s\n", count, text_plural(count), whose);
	return r < 0 ? CONTROL_REFUSED : 0;
}

int mind_token_request(struct mind *mind, const struct control_request *request, struct buffer *out)
{
	struct mind_token token = { .uid = request->uid }, *place;
	char text[WEB_TOKEN_TEXT_MAX], who[FLEET_WHO_MAX];
	uint8_t bytes[WEB_TOKEN_BYTES];
	int r;

	mind_name_who(mind, request->uid, who);
	if (request->revoke)
		return take_back(mind, request->uid, who, out);
	if (!web_is_wanted(&mind->member->config->web)) {
		buffer_add_string(out, "there is no page to use a token for: 'web listen' is not configured");
		return CONTROL_REFUSED;
	}
	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -EIO;
	web_token_print(bytes, true, text);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	text_copy(text_of(who), token.who, sizeof(token.who));
	token.until.ns = (mind_now(mind).wall.ns + TOKEN_LIFE_NS) / SECOND_NS * SECOND_NS;
	r = web_hash(text_of(text), token.hash);
	if (r < 0)
		return r;
	place = place_for(mind, request->uid);
	*place = token;
	r = keep_tokens(mind);
	if (r < 0) /* it counts until core ends */
		log_say(&mind->member->log, LOG_WARNING, "tokens of the page cannot be kept over a restart: %s", spimend_strerror(r));
	log_say(&mind->member->log, LOG_NOTICE, "%s got a personal token for the page", who);
	print_token(&token, text, request->json, out);
	OPENSSL_cleanse(text, sizeof(text));
	return 0;
}
