/* SPDX-License-Identifier: MIT */
#include "sense/evidence_tls.h"

#include <openssl/crypto.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define IDENTITY "spimend-evidence"
#define FILE_MOST 512

/* --- The key --------------------------------------------------------------------------------------------------------- */

static const char *take_hex(struct text text, struct evidence_key *ret)
{
	struct evidence_key key = { .known = true };

	if (text.len % 2 || text.len < 2 * EVIDENCE_KEY_LEAST || text.len > 2 * EVIDENCE_KEY_MOST)
		return "32 to 128 hex digits are expected";
	for (; text.len; text = text_skip(text, 2)) {
		int high = char_hex(text.at[0]), low = char_hex(text.at[1]);

		if (high < 0 || low < 0)
			return "it has something else than hex digits";
		key.bytes[key.len++] = (unsigned char)(high << 4 | low);
	}
	*ret = key;
	OPENSSL_cleanse(&key, sizeof(key));
	return NULL;
}

const char *evidence_key_read(int fd, struct evidence_key *ret)
{
	char text[FILE_MOST];
	size_t len = 0;
	const char *why;
	ssize_t n = 0;

	if (fd < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return "it cannot be read";
	while (len < sizeof(text) && (n = read(fd, text + len, sizeof(text) - len)) > 0)
		len += (size_t)n;
	why = n < 0 ? "it cannot be read" : len == sizeof(text) ? "it is too long" :
	      take_hex(text_trim((struct text){ text, len }), ret);
	OPENSSL_cleanse(text, sizeof(text));
	return why;
}

void evidence_key_forget(struct evidence_key *key)
{
	OPENSSL_cleanse(key, sizeof(*key));
}

/* --- TLS ------------------------------------------------------------------------------------------------------------- */

static unsigned give_key(SSL *ssl, unsigned char *to, unsigned most)
{
	const struct evidence_key *key = SSL_get_app_data(ssl);

	if (!key || !key->known || key->len > most)
		return 0;
	memcpy(to, key->bytes, key->len);
	return (unsigned)key->len;
}

static unsigned for_client(SSL *ssl, const char *hint, char *identity, unsigned identity_most, unsigned char *to,
			   unsigned most)
{
	(void)hint;
	if (identity_most < sizeof(IDENTITY))
		return 0;
	memcpy(identity, IDENTITY, sizeof(IDENTITY));
	return give_key(ssl, to, most);
}

static unsigned for_server(SSL *ssl, const char *identity, unsigned char *to, unsigned most)
{
	return identity && strcmp(identity, IDENTITY) == 0 ? give_key(ssl, to, most) : 0;
}

static SSL_CTX *new_context(const SSL_METHOD *method)
{
	SSL_CTX *context = SSL_CTX_new(method);

	if (!context)
		return NULL;
	/* A key by callback goes with SHA-256 alone. */
	if (SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256") != 1) {
		SSL_CTX_free(context);
		return NULL;
	}
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	return context;
}

SSL_CTX *evidence_tls_client(void)
{
	SSL_CTX *context = new_context(TLS_client_method());

	if (context) {
		SSL_CTX_set_psk_client_callback(context, for_client);
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL); /* a server with a certificate instead of the key is none */
	}
	return context;
}

SSL_CTX *evidence_tls_server(void)
{
	SSL_CTX *context = new_context(TLS_server_method());

	if (context) {
		SSL_CTX_set_psk_server_callback(context, for_server);
		SSL_CTX_set_num_tickets(context, 0); /* a connection serves one request */
	}
	return context;
}

SSL *evidence_tls_new(SSL_CTX *context, int fd, const struct evidence_key *key)
{
	SSL *ssl = SSL_new(context);

	if (!ssl || SSL_set_fd(ssl, fd) != 1 || SSL_set_app_data(ssl, (void *)(uintptr_t)key) != 1) {
		SSL_free(ssl);
		return NULL;
	}
	return ssl;
}
