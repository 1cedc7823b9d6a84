/* SPDX-License-Identifier: MIT */
#include "parse/secrets.h"

static bool is_one_of(struct text word, const char *const *list)
{
	for (; *list; list++)
		if (text_equal_nocase(word, text_of(*list)))
			return true;
	return false;
}

bool secret_follows(struct text word)
{
	static const char *const before[] = { "key", "secret", "password", "community", "md5", "key-string", "pre-shared-key",
					      "authentication", "psk", "passphrase", "wpa-psk", "authentication-key",
					      "message-digest-key", "auth-password", "priv-password", "passwd", "hmac", "hmac-sha-256",
					      "server-key", "area-password", "domain-password", "password-encrypt", NULL };

	return is_one_of(word, before);
}

/* Between such a word and its secret: the type of what follows, which end, how it is written. */
static bool is_of_kind(struct text word)
{
	static const char *const kinds[] = { "encrypted", "ascii", "hex", "local", "remote", "text", "md5", "sha", "sha256",
					     "hmac-sha-256", "sha-2", "256", "384", "512", "128", "192", "aes", "3des", "des",
					     "key-string", "message-digest", "clear-text", "set-key", NULL };

	return (word.len == 1 && char_is_digit(word.at[0])) || is_one_of(word, kinds);
}

/* "key" stands in tables and sentences too; and what is authenticated is mostly said without a secret. */
static bool counts_here(struct text word, struct text first, struct text previous)
{
	/* Also behind a prompt, a number, who typed it: `show archive log config`. */
	static const char *const right_before[] = { "isakmp", "pre-share", "tacacs-server", "radius-server", "failover", NULL };
	static const char *const ours[] = { "crypto", "tacacs-server", "radius-server", "tacacs", "radius", "key", "server-private", "server",
					    "address-family", "aaa-server", "isakmp", "authentication", NULL };
	static const char *const groups[] = { "standby", "vrrp", "glbp", "ip", "ipv6", "neighbor", "area", NULL };

	if (text_equal_nocase(word, TEXT("key"))) /* "authentication local pre-share key ..." is of an IKEv2 profile */
		return is_one_of(first, ours) || is_one_of(previous, right_before);
	if (text_equal_nocase(word, TEXT("hmac-sha-256"))) /* elsewhere it is only a name */
		return text_equal_nocase(first, TEXT("authentication"));
	return !text_equal_nocase(word, TEXT("authentication")) || is_one_of(first, groups);
}

/* "set session-key inbound esp SPI cipher KEY authenticator KEY", "... ah SPI KEY": the keys of an SA by hand. */
#define SESSION_KEY_FROM 5
static bool is_of_session_key(struct text word)
{
	static const char *const known[] = { "cipher", "authenticator", NULL };

	return is_one_of(word, known);
}

/* "snmp-server host A [version 2c] COMMUNITY ..." names the community without a word in front of it. */
static bool is_of_snmp_host(struct text word)
{
	static const char *const known[] = { "traps", "informs", "version", "1", "2c", "3", "auth", "noauth", "priv", "trap", NULL };

	return is_one_of(word, known);
}

struct place {
	bool next;            /* the next word that is none of a kind is a secret */
	bool is_snmp, is_host, is_user, is_set, is_session;
	bool is_keyring;      /* "pre-shared-key address A [MASK] key SECRET": the next "key" is one */
	unsigned skip;        /* words that are no community: the address, a VRF's name */
};

/* Of a keyring of ISAKMP. */
static bool is_whose(struct text word)
{
	static const char *const whose[] = { "address", "hostname", NULL };

	return is_one_of(word, whose);
}

/* "scp://joe:hunter2@192.0.2.9/" */
static bool has_login(struct text word)
{
	size_t at = text_find_nocase(word, TEXT("://")), user;

	if (at == TEXT_NOT_FOUND)
		return false;
	word = text_skip(word, at + 3);
	user = text_find_char(word, '@');
	return user != TEXT_NOT_FOUND && text_find_char(text_first(word, user), ':') != TEXT_NOT_FOUND;
}

static bool is_secret(struct place *p, struct text word, struct text first, struct text previous, size_t index)
{
	if (has_login(word))
		return true;
	if (p->next && is_whose(word) && text_equal_nocase(previous, TEXT("pre-shared-key"))) {
		p->next = false;
		p->is_keyring = true;
		return false;
	}
	if (p->next && !is_of_kind(word)) {
		p->next = false;
		return true;
	}
	if (p->is_session && index >= SESSION_KEY_FROM)
		return !is_of_session_key(word);
	p->is_session = p->is_session || (index == 1 && p->is_set && text_equal_nocase(word, TEXT("session-key")));
	if (index == 0) {
		p->is_snmp = text_equal_nocase(word, TEXT("snmp-server"));
		p->is_set = text_equal_nocase(word, TEXT("set"));
	} else if (index == 1 && p->is_snmp) {
		p->is_host = text_equal_nocase(word, TEXT("host"));
		p->is_user = text_equal_nocase(word, TEXT("user"));
		p->skip = 1;
	} else if (p->is_host && p->skip) {
		p->skip--;
		return false;
	} else if (p->is_host) {
		if (text_equal_nocase(word, TEXT("vrf")))
			p->skip = 1;
		else if (!is_of_snmp_host(word)) {
			p->is_host = false;
			return true;
		}
		return false;
	}
	if (p->is_user && (text_equal_nocase(word, TEXT("auth")) || text_equal_nocase(word, TEXT("priv"))))
		p->next = true;
	if (secret_follows(word) && (counts_here(word, first, previous) || p->is_keyring))
		p->next = true;
	return false;
}

static void remove_from(struct text line, struct buffer *out)
{
	struct text rest = line, first = TEXT_NONE, previous = TEXT_NONE, word;
	const char *done = line.at;
	struct place place = { 0 };
	size_t index = 0;

	for (; (word = text_take_word(&rest)).len; previous = word) {
		if (index == 0 && text_equal_nocase(word, TEXT("no")))
			continue;
		if (index == 0)
			first = word;
		if (!is_secret(&place, word, first, previous, index++))
			continue;
		buffer_add(out, text_between(done, word.at));
		buffer_add_string(out, "<removed>");
		done = word.at + word.len;
	}
	buffer_add(out, text_between(done, line.at + line.len));
}

void secrets_remove(struct text line, struct buffer *out)
{
	const struct text logged = TEXT("logged command:"); /* %PARSER-5-CFGLOG_LOGGEDCMD: a line within a line */
	size_t at = text_find_nocase(line, logged), begin = at == TEXT_NOT_FOUND ? 0 : at + logged.len;

	if (line.len == 0)
		return;
	buffer_add(out, text_first(line, begin));
	remove_from(text_skip(line, begin), out);
}
