/* SPDX-License-Identifier: MIT */
/*
 * TLS 1.3 with a pre-shared key and an ephemeral exchange (RFC 8446 4.2.9, psk_dhe_ke): what evidence between two gateways
 * travels over. No certificate; who has not the key gets no further than the handshake. Called by the roles sense, which is
 * asked, and dial, which asks.
 */
#ifndef SENSE_EVIDENCE_TLS_H
#define SENSE_EVIDENCE_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#define EVIDENCE_KEY_LEAST 16
#define EVIDENCE_KEY_MOST 64

struct evidence_key {
	bool known;
	unsigned char bytes[EVIDENCE_KEY_MOST];
	size_t len;
};

/* From a file of hex digits, EVIDENCE_KEY_LEAST to EVIDENCE_KEY_MOST bytes. NULL, or why not (static). */
const char *evidence_key_read(int fd, struct evidence_key *ret);
void evidence_key_forget(struct evidence_key *key);

/* One context for all connections. NULL: libssl cannot begin. */
SSL_CTX *evidence_tls_client(void);
SSL_CTX *evidence_tls_server(void);
/* On a socket, which stays the caller's; borrows the key for as long as it lives. NULL: no memory. */
SSL *evidence_tls_new(SSL_CTX *context, int fd, const struct evidence_key *key);

#endif
