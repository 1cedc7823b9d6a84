/* SPDX-License-Identifier: MIT */
/*
 * SNMPv3's User-based Security Model (RFC 3414, RFC 7860 for SHA-2, RFC 3826 for AES): keys from passwords, hashes, and the
 * cipher, with libcrypto's primitives. No file, no state, no engine of its own.
 *
 * Called by sense/traps for what comes in and by the role dial for what goes out. It decides nothing: who may send, and
 * whether a message is fresh, its callers judge.
 */
#ifndef SENSE_USM_H
#define SENSE_USM_H

#include "base/calendar.h"
#include "model/config_notify.h"
#include "parse/snmp_message.h"

#define USM_KEY_MAX 64  /* bytes of the longest hash */
#define USM_AUTH_MAX 48 /* bytes of the longest hash as it is sent */
#define USM_SALT 8

struct usm_key {
	uint8_t bytes[USM_KEY_MAX];
	uint8_t len; /* 0: none */
};

struct usm_user { /* a user's keys, before any engine */
	char name[SNMP_USER_MAX + 1];
	enum notify_hash hash;
	bool encrypts;
	struct usm_key auth, priv;
};

struct usm_engine { /* this gateway's own (RFC 3411 5): the same in every role, and after a role was started anew */
	uint8_t name[NOTIFY_ENGINE_MAX], len;
	int32_t boots;
	int64_t began_ns; /* mono */
};
/* `up` and `up_ns`: when the daemon started, wall and mono. */
void usm_engine_of(const struct config_notify *notify, const char *hostname, struct instant up, int64_t up_ns,
		   struct usm_engine *ret);
int32_t usm_engine_time(const struct usm_engine *engine, int64_t now_ns);

/* Once in a process, before the first call: libcrypto reads no file, also later. 0 or -EIO. */
int usm_begin(void);

/* Hashes a megabyte for each password, which is slow on purpose: some milliseconds (RFC 3414 A.2). 0 or -EIO. */
int usm_user_of(const struct notify_user *user, struct usm_user *ret);
void usm_user_forget(struct usm_user *user); /* overwrites the keys */

size_t usm_auth_bytes(enum notify_hash hash); /* as sent: 12 to 48; 0 for none */

enum usm_result { USM_FINE, USM_WRONG_HASH, USM_CANNOT_DECRYPT, USM_BROKEN /* libcrypto failed */ };

/* Checks the hash over the whole message, whose bytes are at `bytes`; they are changed and put back meanwhile. */
enum usm_result usm_check(const struct usm_user *user, const struct snmp_message *message, uint8_t *bytes);
/* Decrypts message->encrypted into `to`, of as many bytes. What comes out may be anything where the key was another. */
enum usm_result usm_decrypt(const struct usm_user *user, const struct snmp_message *message, uint8_t *to);

struct usm_sender { /* this gateway as an engine that sends */
	struct text engine;
	int32_t boots, time;
	uint64_t salt; /* never the same twice for one boots and time */
};
/* Around the scoped PDU that stands at the front of `w`, written since `end`; it is encrypted where the level says so. `id`
 * is the message's number, `flags` are added. As usm_put(). */
int usm_seal(struct ber_writer *w, size_t end, const struct usm_user *user, enum notify_security security,
	     const struct usm_sender *sender, int32_t id, uint8_t flags);
/* The whole message in `w`, for a user and a level. 0; -ENOBUFS: no room; -EINVAL: the user has no such keys; -EIO. */
int usm_put(struct ber_writer *w, const struct usm_user *user, enum notify_security security,
	    const struct usm_sender *sender, const struct snmp_trap *trap);

#endif
