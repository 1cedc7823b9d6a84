/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What crash.c and crash_outside.c share, and nobody else sees: quick crash detection (RFC 6290). */
#ifndef CRASH_H_
#define CRASH_H_

#include "spimend.h"

#include <sys/random.h>

#define SECRET_DEFAULT "/var/lib/strongswan/spimend.secret"
#define TOKEN_BYTES 16         /* ours: an answer with it is three bytes longer than the shortest question */
#define TOKEN_BYTES_MIN 16     /* theirs (RFC 6290 5) */
#define TOKEN_BYTES_MAX 256
#define DIGEST_BYTES HASH_SIZE_SHA256
#define TOKEN_SLOTS 1024
#define ANSWERING_MAX 2        /* of charon's threads, which may wait for the IKE SA that is asked about */
#define QUESTIONS_MAX 512      /* that wait for them: all peers ask at once when a hub comes back */
#define TOKENS_MAX 65536       /* of peers that are kept */

typedef struct token_t token_t;
typedef struct question_t question_t;

struct token_t {
	token_t *next; /* owns */
	uint64_t spi_i, spi_r; /* as charon has them: in network order */
	bool initiator; /* we are, of that IKE SA */
	host_t *remote; /* owns; whose drops it counts among, from wherever the token comes */
	unsigned char digest[DIGEST_BYTES];
};

struct crash_t {
	pthread_mutex_t switching;
	char path[SECRET_PATH_MAX];
	bool on;
	unsigned char secret[SECRET_BYTES];
	unsigned char pepper[SECRET_BYTES]; /* of this process: what the digests are made with */
	token_t *tokens[TOKEN_SLOTS];
	unsigned count;
	limit_t answers, presented, drops;
	question_t *questions, **last_question; /* owns; of those `asked` wait */
	unsigned asked, answering;
};

bool crash_mac(const unsigned char key[SECRET_BYTES], chunk_t data, unsigned char to[DIGEST_BYTES]);
/* Our token for that IKE SA, as its initiator or responder. False: crash detection is off, or has no HMAC. */
bool crash_token(spimend_t *this, uint64_t spi_i, uint64_t spi_r, bool initiator, unsigned char to[TOKEN_BYTES]);
token_t **crash_find(crash_t *crash, uint64_t spi_i, uint64_t spi_r);
void crash_forget(crash_t *crash, token_t **at);
/* The IKEv2 SA with both SPIs of which we are that end, or NULL. May wait for another thread. */
void crash_free_questions(crash_t *crash); /* nobody else is in here any more */
ike_sa_t *crash_checkout(uint64_t spi_i, uint64_t spi_r, bool initiator);

#endif
