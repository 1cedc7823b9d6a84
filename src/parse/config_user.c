/* SPDX-License-Identifier: MIT */
/*
 * Users of SNMPv3: the lines that name them, the keys in a file of their own, and keys in the line itself as IOS has it,
 * which the parent alone ever sees: everybody else's text has CONFIG_HIDDEN in their place.
 */
#include "parse/config_private.h"
#include "parse/prompt.h"
#include "spimend/error.h"

#define SNMP_USER_NAME_MAX 32 /* RFC 3414 2.4 */
#define PASSWORD_LEAST 8      /* RFC 3414 11.2 */

static bool is_word(struct text t, const char *word)
{
	return text_equal_nocase(t, text_of(word));
}

static bool is_hidden(struct text t)
{
	return text_equal(t, TEXT(CONFIG_HIDDEN));
}

/* --- Hashes and passwords ----------------------------------------------------------------------------------------- */

static bool take_hash(struct text how, enum notify_hash *ret)
{
	for (int hash = NOTIFY_SHA; hash < NOTIFY_HASHES; hash++) {
		if (!is_word(how, notify_hash_name((enum notify_hash)hash)))
			continue;
		*ret = (enum notify_hash)hash;
		return true;
	}
	return false;
}

static bool take_password(struct text t, char to[NOTIFY_PASSWORD_MAX], const char *what, struct buffer *why)
{
	return config_take_word(t, PASSWORD_LEAST, to, NOTIFY_PASSWORD_MAX, what, why);
}

/* --- IOS's line ---------------------------------------------------------------------------------------------------- */

struct line { /* what is left of it */
	const struct text *words;
	size_t count;
};

static struct text next(struct line *l)
{
	if (l->count == 0)
		return TEXT_NONE;
	l->count--;
	return *l->words++;
}

static bool take(struct line *l, const char *word)
{
	if (l->count == 0 || !is_word(l->words[0], word))
		return false;
	(void)next(l);
	return true;
}

static bool fail(struct buffer *why, const char *text)
{
	buffer_add_string(why, text);
	return false;
}

/* A word out of place may be a password: none is repeated. */
static bool read_auth(struct line *l, struct notify_user *user, struct buffer *why)
{
	static const struct {
		const char *bits;
		enum notify_hash hash;
	} sha2[] = { { "224", NOTIFY_SHA224 }, { "256", NOTIFY_SHA256 }, { "384", NOTIFY_SHA384 }, { "512", NOTIFY_SHA512 } };

	if (!take(l, "auth"))
		return fail(why, "'auth sha PASSWORD' is expected behind v3: a user without a password is anybody");
	if (take(l, "md5"))
		return fail(why, "'auth md5' is not used: MD5 is broken; sha and sha-2 224|256|384|512 are");
	if (take(l, "sha-2") || take(l, "sha2")) {
		for (size_t i = 0; i < sizeof(sha2) / sizeof(sha2[0]); i++)
			if (take(l, sha2[i].bits))
				user->hash = sha2[i].hash;
	} else if (l->count && take_hash(l->words[0], &user->hash)) {
		(void)next(l);
	}
	if (user->hash == NOTIFY_HASH_NONE)
		return fail(why, "sha, or sha-2 with 224, 256, 384 or 512, is expected behind 'auth'");
	if (l->count && is_hidden(l->words[0]))
		return (void)next(l), true;
	return take_password(next(l), user->auth, "the password of auth", why);
}

static bool read_priv(struct line *l, struct notify_user *user, struct buffer *why)
{
	if (l->count == 0)
		return true;
	if (take(l, "access"))
		return fail(why, "'access' bounds who may ask an agent, and there is none: 'snmp-server host' says whose traps are heard");
	if (!take(l, "priv"))
		return fail(why, "'priv aes 128 PASSWORD' or the end of the line is expected behind the password of auth");
	if (take(l, "des") || take(l, "3des"))
		return fail(why, "'priv des' and '3des' are not used: 'priv aes 128 PASSWORD' is");
	if (!take(l, "aes128")) {
		if (!take(l, "aes"))
			return fail(why, "'aes 128' is expected behind 'priv'");
		if (take(l, "192") || take(l, "256"))
			return fail(why, "'priv aes' has a standard with 128 bits alone (RFC 3826); 192 and 256 are not used");
		if (!take(l, "128"))
			return fail(why, "'128' is expected behind 'priv aes'");
	}
	user->encrypts = true;
	if (l->count && is_hidden(l->words[0]))
		(void)next(l);
	else if (!take_password(next(l), user->priv, "the password of priv", why))
		return false;
	if (take(l, "access"))
		return fail(why, "'access' bounds who may ask an agent, and there is none: 'snmp-server host' says whose traps are heard");
	return l->count == 0 || fail(why, "the end of the line is expected behind the password of priv");
}

static bool read_inline(struct line *l, struct notify_user *user, struct buffer *why)
{
	user->is_inline = true;
	if (!config_take_word(next(l), 1, user->group, sizeof(user->group), "the group", why))
		return false;
	if (is_word(text_of(user->group), "remote") || take(l, "remote"))
		return fail(why, "'remote' is not taken: a user is one for whatever engine its traps come from");
	if (!take(l, "v3"))
		return fail(why, "'key-file PATH', or IOS's 'GROUP v3 auth sha PASSWORD priv aes 128 PASSWORD', is expected behind the user's name");
	if (take(l, "encrypted"))
		return fail(why, "'encrypted' is not taken: such a key fits one engine alone, and this gateway is another one; write the password");
	return read_auth(l, user, why) && read_priv(l, user, why);
}

static bool read_user(struct line *l, struct notify_user *user, struct buffer *why)
{
	memset(user, 0, sizeof(*user));
	if (!config_take_word(next(l), 1, user->name, SNMP_USER_NAME_MAX + 1, "the user", why))
		return false;
	if (!take(l, "key-file"))
		return read_inline(l, user, why);
	if (l->count == 0 || !config_is_path(l->words[0]))
		return config_say_expected(why, "file", next(l), "an absolute path of at most 107 bytes without blanks is expected");
	text_copy(next(l), user->key_file, sizeof(user->key_file));
	return l->count == 0 || config_say_expected(why, "word", next(l), "the end of the line is expected");
}

static uint32_t find_user(const struct config_notify *n, struct text name)
{
	uint32_t i = 0;

	while (i < n->user_count && !text_equal(text_of(n->users[i].name), name))
		i++;
	return i;
}

bool config_user_set(const struct text *words, size_t count, struct config_notify *n, struct buffer *why, bool *again)
{
	struct line l = { words, count };
	struct notify_user user;
	uint32_t i;

	if (!read_user(&l, &user, why))
		return false;
	i = find_user(n, text_of(user.name));
	if (i == NOTIFY_USERS_MAX) {
		buffer_printf(why, "at most %u SNMP users", NOTIFY_USERS_MAX);
		return false;
	}
	*again = i < n->user_count && memcmp(&n->users[i], &user, sizeof(user)) != 0;
	n->users[i] = user;
	n->user_count += i == n->user_count;
	return true;
}

bool config_user_unset(struct text name, struct config_notify *n, struct buffer *why)
{
	uint32_t i = find_user(n, name);

	if (i == n->user_count)
		return config_say_expected(why, "nothing to take back:", name, "no line before names it");
	n->user_count--;
	memmove(&n->users[i], &n->users[i + 1], (n->user_count - i) * sizeof(n->users[0]));
	memset(&n->users[n->user_count], 0, sizeof(n->users[0]));
	return true;
}

/* Passwords are never printed: what is says that there are some. */
void config_user_print(const struct config_row *row, const struct config_notify *n, struct buffer *out)
{
	for (uint32_t i = 0; i < n->user_count; i++) {
		const struct notify_user *user = &n->users[i];

		if (!user->is_inline) {
			buffer_printf(out, "%s %s key-file %s\n", row->keywords, user->name, user->key_file);
			continue;
		}
		buffer_printf(out, "%s %s %s v3 auth %s " CONFIG_HIDDEN, row->keywords, user->name, user->group,
			      notify_hash_name(user->hash));
		buffer_add_string(out, user->encrypts ? " priv aes 128 " CONFIG_HIDDEN "\n" : "\n");
	}
}

/* --- snmp-server group ------------------------------------------------------------------------------------------------ */

static uint32_t find_group(const struct config_notify *n, struct text name)
{
	uint32_t i = 0;

	while (i < n->group_count && !text_equal(text_of(n->groups[i].name), name))
		i++;
	return i;
}

/* Views, contexts and access lists bound what an agent tells: they are read, and mean nothing here. */
static bool pass_bounds(struct line *l, struct buffer *why)
{
	static const char *const bounds[] = { "read", "write", "notify", "context", "access", "match" };

	while (l->count) {
		size_t i = 0;

		while (i < sizeof(bounds) / sizeof(bounds[0]) && !is_word(l->words[0], bounds[i]))
			i++;
		if (i == sizeof(bounds) / sizeof(bounds[0]) || l->count < 2)
			return config_say_expected(why, "word", l->words[0], "'read VIEW', 'write VIEW', 'notify VIEW', 'context NAME', 'match "
						   "exact|prefix' or 'access LIST' is expected, of which none bounds anything here");
		(void)next(l), (void)next(l);
	}
	return true;
}

bool config_group_set(const struct text *words, size_t count, struct config_notify *n, struct buffer *why)
{
	static const char *const levels[] = { "noauth", "auth", "priv" };
	struct line l = { words, count };
	struct notify_group group;
	int level = -1;
	uint32_t i;

	memset(&group, 0, sizeof(group));
	if (!config_take_word(next(&l), 1, group.name, sizeof(group.name), "the group", why))
		return false;
	if (!take(&l, "v3"))
		return config_say_expected(why, "version", next(&l), "v3 is expected: v1 and v2c have communities");
	for (int k = 0; k < 3 && level < 0; k++)
		level = take(&l, levels[k]) ? k : -1;
	if (level < 0)
		return config_say_expected(why, "level", next(&l), "auth, noauth or priv is expected");
	group.security = (enum notify_security)(NOTIFY_V3_NOAUTH + level);
	if (!pass_bounds(&l, why))
		return false;
	i = find_group(n, text_of(group.name));
	if (i == NOTIFY_GROUPS_MAX) {
		buffer_printf(why, "at most %u SNMP groups", NOTIFY_GROUPS_MAX);
		return false;
	}
	n->groups[i] = group;
	n->group_count += i == n->group_count;
	return true;
}

bool config_group_unset(struct text name, struct config_notify *n, struct buffer *why)
{
	uint32_t i = find_group(n, name);

	if (i == n->group_count)
		return config_say_expected(why, "nothing to take back:", name, "no line before names it");
	n->group_count--;
	memmove(&n->groups[i], &n->groups[i + 1], (n->group_count - i) * sizeof(n->groups[0]));
	memset(&n->groups[n->group_count], 0, sizeof(n->groups[0]));
	return true;
}

void config_group_print(const struct config_row *row, const struct config_notify *n, struct buffer *out)
{
	for (uint32_t i = 0; i < n->group_count; i++)
		buffer_printf(out, "%s %s v%s\n", row->keywords, n->groups[i].name, notify_security_name(n->groups[i].security));
}

/* --- Hiding and putting back ---------------------------------------------------------------------------------------- */

void config_hide_keys(struct config_notify *n, struct notify_user ret[NOTIFY_USERS_MAX])
{
	memset(ret, 0, NOTIFY_USERS_MAX * sizeof(ret[0]));
	for (uint32_t i = 0; i < n->user_count; i++) {
		if (!n->users[i].is_inline)
			continue;
		ret[i] = n->users[i];
		memset(n->users[i].auth, 0, sizeof(n->users[i].auth));
		memset(n->users[i].priv, 0, sizeof(n->users[i].priv));
	}
}

const struct notify_user *config_hidden_keys(const struct notify_user hidden[NOTIFY_USERS_MAX], struct text name)
{
	for (uint32_t i = 0; i < NOTIFY_USERS_MAX; i++)
		if (hidden[i].auth[0] && (!hidden[i].encrypts || hidden[i].priv[0]) && text_equal(text_of(hidden[i].name), name))
			return &hidden[i];
	return NULL;
}

/* The line is one of 'snmp-server user', also abbreviated, behind a prompt or 'no'. */
static bool is_user_line(struct text line)
{
	struct text rest = prompt_skip(line), first = text_take_word(&rest), second;

	if (is_word(first, "no"))
		first = text_take_word(&rest);
	second = text_take_word(&rest);
	return first.len && second.len && text_starts_nocase(TEXT("snmp-server"), first) && text_starts_nocase(TEXT("user"), second);
}

/* Behind v3 whatever is as long as a password may be one: keywords are shorter. */
static void hide_line(struct text line, struct buffer *out)
{
	bool behind = false;

	while (line.len) {
		struct text blanks = line, word;

		text_take_blanks(&line);
		buffer_add(out, text_first(blanks, blanks.len - line.len));
		word = text_take_word(&line);
		buffer_add(out, behind && word.len >= PASSWORD_LEAST && !is_word(word, "encrypted") ? TEXT(CONFIG_HIDDEN) : word);
		behind = behind || is_word(word, "v3");
	}
}

void config_hide_text(struct text text, struct buffer *out)
{
	while (text.len) {
		size_t end = text_find_char(text, '\n'), len = end == TEXT_NOT_FOUND ? text.len : end + 1;
		struct text line = text_first(text, len);

		if (is_user_line(line))
			hide_line(line, out);
		else
			buffer_add(out, line);
		text = text_skip(text, len);
	}
}

bool config_unhide_text(struct text text, const struct notify_user hidden[NOTIFY_USERS_MAX], struct buffer *out,
			bool *ret_any)
{
	struct text line;

	*ret_any = false;
	while (text_take_line(&text, &line)) {
		struct text rest = line, name;
		const struct notify_user *keys;
		size_t at;

		if (!is_user_line(line) || !text_has(line, TEXT(CONFIG_HIDDEN))) {
			buffer_add(out, line);
			buffer_add_char(out, '\n');
			continue;
		}
		(void)text_take_word(&rest), (void)text_take_word(&rest);
		name = text_take_word(&rest);
		keys = config_hidden_keys(hidden, name);
		if (!keys)
			return false;
		for (int i = 0; (at = text_find(line, TEXT(CONFIG_HIDDEN))) != TEXT_NOT_FOUND; i++) {
			buffer_add(out, text_first(line, at));
			buffer_add_string(out, i == 0 ? keys->auth : keys->priv);
			line = text_skip(line, at + strlen(CONFIG_HIDDEN));
		}
		buffer_add(out, line);
		buffer_add_char(out, '\n');
		*ret_any = true;
	}
	return true;
}

/* --- A user's keys ------------------------------------------------------------------------------------------------ */

static bool read_key(struct text line, struct notify_user *user, struct buffer *why)
{
	struct text verb = text_take_word(&line), how = text_take_word(&line), password = text_take_word(&line);

	if (text_take_word(&line).len || !password.len) {
		buffer_add_string(why, "'auth sha256 PASSWORD' and 'priv aes128 PASSWORD' are expected");
		return false;
	}
	if (is_word(verb, "auth")) {
		user->hash = NOTIFY_HASH_NONE;
		if (!take_hash(how, &user->hash))
			return config_say_expected(why, "hash", how, "sha, sha224, sha256, sha384 or sha512 is expected; md5 is broken");
		return take_password(password, user->auth, "the password of auth", why);
	}
	if (!is_word(verb, "priv") || !is_word(how, "aes128")) {
		buffer_add_string(why, "'priv aes128 PASSWORD' is expected; des is not used, longer keys have no standard");
		return false;
	}
	user->encrypts = true;
	return take_password(password, user->priv, "the password of priv", why);
}

int config_read_keys(struct text file, struct notify_user *user, struct buffer *why)
{
	struct text line, rest;

	while (text_take_line(&file, &line)) {
		rest = text_trim(line);
		if (rest.len && rest.at[0] != '!' && rest.at[0] != '#' && !read_key(rest, user, why))
			return SPIMEND_E_SYNTAX;
	}
	if (user->hash != NOTIFY_HASH_NONE)
		return 0;
	buffer_add_string(why, "there is no line 'auth'");
	return SPIMEND_E_SYNTAX;
}
