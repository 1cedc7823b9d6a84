/* SPDX-License-Identifier: MIT */
#include "sense/usm.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "parse/snmp_write.h"

#define EXPANDED (1u << 20) /* bytes of a repeated password, RFC 3414 A.2.1 */
#define AES_KEY 16
#define AES_BLOCK 16

int usm_begin(void)
{
	return OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL) == 1 ? 0 : -EIO;
}

static const EVP_MD *digest_of(enum notify_hash hash)
{
	switch (hash) {
	case NOTIFY_SHA:
		return EVP_sha1();
	case NOTIFY_SHA224:
		return EVP_sha224();
	case NOTIFY_SHA256:
		return EVP_sha256();
	case NOTIFY_SHA384:
		return EVP_sha384();
	case NOTIFY_SHA512:
		return EVP_sha512();
	default:
		return NULL;
	}
}

size_t usm_auth_bytes(enum notify_hash hash)
{
	static const uint8_t bytes[NOTIFY_HASHES] = { 0, 12, 16, 24, 32, 48 }; /* RFC 3414 6, RFC 7860 4.2 */

	return (unsigned)hash < NOTIFY_HASHES ? bytes[hash] : 0;
}

/* --- Keys --------------------------------------------------------------------------------------------------------- */

static int key_of(enum notify_hash hash, const char *password, struct usm_key *ret)
{
	size_t len = strlen(password), done = 0;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	char block[4096];
	unsigned got = 0;
	int r = -EIO;

	if (len == 0 || !context || EVP_DigestInit_ex(context, digest_of(hash), NULL) != 1)
		goto out;
	while (done < EXPANDED) {
		for (size_t i = 0; i < sizeof(block); i++)
			block[i] = password[done++ % len];
		if (EVP_DigestUpdate(context, block, sizeof(block)) != 1)
			goto out;
	}
	if (EVP_DigestFinal_ex(context, ret->bytes, &got) != 1)
		goto out;
	ret->len = (uint8_t)got;
	r = 0;
out:
	OPENSSL_cleanse(block, sizeof(block));
	EVP_MD_CTX_free(context);
	return r;
}

int usm_user_of(const struct notify_user *user, struct usm_user *ret)
{
	int r = 0;

	memset(ret, 0, sizeof(*ret));
	text_copy(text_of(user->name), ret->name, sizeof(ret->name));
	ret->hash = user->hash;
	ret->encrypts = user->encrypts;
	if (user->hash != NOTIFY_HASH_NONE)
		r = key_of(user->hash, user->auth, &ret->auth);
	if (r == 0 && user->encrypts)
		r = key_of(user->hash, user->priv, &ret->priv);
	if (r < 0)
		usm_user_forget(ret);
	return r;
}

void usm_user_forget(struct usm_user *user)
{
	OPENSSL_cleanse(user, sizeof(*user));
}

/* A.2.2: the user's key as one engine has it. */
static bool localize(enum notify_hash hash, const struct usm_key *key, struct text engine, struct usm_key *ret)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned got = 0;
	bool fine = context && key->len > 0 && EVP_DigestInit_ex(context, digest_of(hash), NULL) == 1 &&
		    EVP_DigestUpdate(context, key->bytes, key->len) == 1 && EVP_DigestUpdate(context, engine.at, engine.len) == 1 &&
		    EVP_DigestUpdate(context, key->bytes, key->len) == 1 && EVP_DigestFinal_ex(context, ret->bytes, &got) == 1;

	EVP_MD_CTX_free(context);
	ret->len = fine ? (uint8_t)got : 0;
	return fine;
}

static bool hash_message(const struct usm_user *user, struct text engine, const uint8_t *bytes, size_t len,
			 uint8_t ret[EVP_MAX_MD_SIZE])
{
	struct usm_key key;
	unsigned got = 0;
	bool fine = localize(user->hash, &user->auth, engine, &key) &&
		    HMAC(digest_of(user->hash), key.bytes, key.len, bytes, len, ret, &got);

	OPENSSL_cleanse(&key, sizeof(key));
	return fine;
}

/* RFC 3826 3.1.2: the engine's clock and the salt are the initial vector; CFB has no padding. */
static bool crypt(const struct usm_user *user, bool encrypt, struct text engine, int32_t boots, int32_t time,
		  const uint8_t salt[USM_SALT], const uint8_t *from, size_t len, uint8_t *to)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	uint8_t vector[AES_BLOCK];
	struct usm_key key = { .len = 0 };
	int got = 0;
	bool fine;

	for (int i = 0; i < 4; i++) {
		vector[i] = (uint8_t)((uint32_t)boots >> (24 - 8 * i));
		vector[4 + i] = (uint8_t)((uint32_t)time >> (24 - 8 * i));
	}
	memcpy(vector + 8, salt, USM_SALT);
	fine = context && localize(user->hash, &user->priv, engine, &key) && key.len >= AES_KEY &&
	       EVP_CipherInit_ex(context, EVP_aes_128_cfb128(), NULL, key.bytes, vector, encrypt) == 1 &&
	       EVP_CipherUpdate(context, to, &got, from, (int)len) == 1 && (size_t)got == len;
	OPENSSL_cleanse(&key, sizeof(key));
	EVP_CIPHER_CTX_free(context);
	return fine;
}

/* --- What comes in ------------------------------------------------------------------------------------------------ */

enum usm_result usm_check(const struct usm_user *user, const struct snmp_message *message, uint8_t *bytes)
{
	uint8_t hash[EVP_MAX_MD_SIZE], got[USM_AUTH_MAX];
	size_t len = usm_auth_bytes(user->hash), at;
	bool fine;

	if (len == 0 || message->auth.len != len)
		return USM_WRONG_HASH;
	at = (size_t)((const uint8_t *)message->auth.at - bytes);
	memcpy(got, bytes + at, len);
	memset(bytes + at, 0, len);
	fine = hash_message(user, message->engine, bytes, message->whole, hash);
	memcpy(bytes + at, got, len);
	if (!fine)
		return USM_BROKEN;
	return CRYPTO_memcmp(hash, got, len) == 0 ? USM_FINE : USM_WRONG_HASH;
}

enum usm_result usm_decrypt(const struct usm_user *user, const struct snmp_message *message, uint8_t *to)
{
	if (!user->encrypts || message->salt.len != USM_SALT)
		return USM_CANNOT_DECRYPT;
	return crypt(user, false, message->engine, message->boots, message->time, (const uint8_t *)message->salt.at,
		     (const uint8_t *)message->encrypted.at, message->encrypted.len, to) ? USM_FINE : USM_BROKEN;
}

/* --- What goes out ------------------------------------------------------------------------------------------------ */

int usm_seal(struct ber_writer *w, size_t end, const struct usm_user *user, enum notify_security security,
	     const struct usm_sender *sender, int32_t id, uint8_t flags)
{
	struct snmp_v3_frame frame = { .id = id, .boots = sender->boots, .time = sender->time, .engine = sender->engine,
				       .user = text_of(user->name) };
	bool signs = security == NOTIFY_V3_AUTH || security == NOTIFY_V3_PRIV, encrypts = security == NOTIFY_V3_PRIV;
	uint8_t hash[EVP_MAX_MD_SIZE], salt[USM_SALT];
	size_t at;

	if ((signs && user->hash == NOTIFY_HASH_NONE) || (encrypts && !user->encrypts))
		return -EINVAL;
	frame.flags = (uint8_t)((signs ? SNMP_FLAG_AUTH : 0) | (encrypts ? SNMP_FLAG_PRIV : 0) | flags);
	frame.auth_len = signs ? usm_auth_bytes(user->hash) : 0;
	if (encrypts && !w->overflow) {
		for (int i = 0; i < USM_SALT; i++)
			salt[i] = (uint8_t)(sender->salt >> (56 - 8 * i));
		frame.salt = (struct text){ (const char *)salt, USM_SALT };
		if (!crypt(user, true, sender->engine, sender->boots, sender->time, salt, w->bytes + w->at, end - w->at,
			   w->bytes + w->at))
			return -EIO;
		ber_put_head(w, BER_OCTETS, end);
	}
	snmp_put_v3(w, &frame, &at);
	if (w->overflow)
		return -ENOBUFS;
	if (signs && !hash_message(user, sender->engine, w->bytes + w->at, w->room - w->at, hash))
		return -EIO;
	if (signs)
		memcpy(w->bytes + w->room - at, hash, frame.auth_len);
	return 0;
}

int usm_put(struct ber_writer *w, const struct usm_user *user, enum notify_security security,
	    const struct usm_sender *sender, const struct snmp_trap *trap)
{
	size_t end = w->at;

	snmp_put_scoped(w, trap, sender->engine);
	return usm_seal(w, end, user, security, sender, trap->request, trap->inform ? SNMP_FLAG_REPORT : 0);
}

/* --- This gateway as an engine ------------------------------------------------------------------------------------ */

#define BOOTS_BEGIN INT64_C(1577836800) /* 2020-01-01: seconds since then fit into 31 bits until 2088 */

void usm_engine_of(const struct config_notify *notify, const char *hostname, struct instant up, int64_t up_ns,
		   struct usm_engine *ret)
{
	/* RFC 3411 5: the number for documentation (RFC 5612), since we have none, and a text */
	static const uint8_t head[] = { 0x80, 0x00, 0x7e, 0xd9, 0x04 };
	struct text name = text_first(text_of(hostname), NOTIFY_ENGINE_MAX - sizeof(head));
	int64_t since = up.ns / SECOND_NS - BOOTS_BEGIN;

	/* The count of starts must rise with each, and there is no file to keep it in: the clock's seconds do, as long as nobody
	 * sets it back, which makes the others deaf until it has caught up (RFC 3414 2.2.2). */
	*ret = (struct usm_engine){ .boots = since > 0 ? (int32_t)since : 1, .began_ns = up_ns, .len = notify->engine_len };
	if (notify->engine_len) {
		memcpy(ret->name, notify->engine, notify->engine_len);
		return;
	}
	memcpy(ret->name, head, sizeof(head));
	memcpy(ret->name + sizeof(head), name.at, name.len);
	ret->len = (uint8_t)(sizeof(head) + name.len);
}

int32_t usm_engine_time(const struct usm_engine *engine, int64_t now_ns)
{
	return (int32_t)((now_ns - engine->began_ns) / SECOND_NS);
}
