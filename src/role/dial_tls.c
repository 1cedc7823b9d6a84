/* SPDX-License-Identifier: MIT */
/* TLS to syslog servers (RFC 5425) and web servers, with OpenSSL: TLS 1.2 and newer, the server's certificate checked,
 * always. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "role/dial_role.h"

#define FILE_MOST (4u << 20)

static const char *const file_names[DIAL_SECRET] = { "'dial tls trust'", "'dial tls certificate'", "'dial tls key'" };

/* The whole file as memory of libcrypto's: it opens none itself. NULL with the reason in tls_why. */
static BIO *read_file(struct dial *dial, enum dial_file which)
{
	BIO *all = BIO_new(BIO_s_mem());
	char part[16384];
	size_t len = 0;
	ssize_t n;

	if (!all || dial->files[which] < 0 || lseek(dial->files[which], 0, SEEK_SET) < 0)
		goto fail;
	while ((n = read(dial->files[which], part, sizeof(part))) > 0) {
		len += (size_t)n;
		if (len > FILE_MOST || BIO_write(all, part, (int)n) != (int)n)
			goto fail;
	}
	if (n == 0)
		return all;
fail:
	snprintf(dial->tls_why, sizeof(dial->tls_why), "%s: %s", file_names[which],
		 dial->file_errors[which] ? strerror(-dial->file_errors[which]) : "cannot be read");
	BIO_free(all);
	return NULL;
}

static bool take_trust(struct dial *dial, SSL_CTX *tls)
{
	X509_STORE *store = SSL_CTX_get_cert_store(tls);
	BIO *file = read_file(dial, DIAL_TRUST);
	X509 *one;
	int count = 0;

	if (!file)
		return false;
	while ((one = PEM_read_bio_X509(file, NULL, NULL, NULL))) {
		count += X509_STORE_add_cert(store, one) == 1;
		X509_free(one);
	}
	BIO_free(file);
	ERR_clear_error(); /* the end of the file is one */
	if (count == 0)
		snprintf(dial->tls_why, sizeof(dial->tls_why), "%s: no certificate in it", file_names[DIAL_TRUST]);
	return count > 0;
}

static bool take_own(struct dial *dial, SSL_CTX *tls)
{
	BIO *chain = read_file(dial, DIAL_CERTIFICATE), *key = chain ? read_file(dial, DIAL_KEY) : NULL;
	X509 *own = chain ? PEM_read_bio_X509(chain, NULL, NULL, NULL) : NULL, *more;
	EVP_PKEY *secret = key ? PEM_read_bio_PrivateKey(key, NULL, NULL, NULL) : NULL;
	bool fine = own && secret && SSL_CTX_use_certificate(tls, own) == 1 && SSL_CTX_use_PrivateKey(tls, secret) == 1;

	while (fine && (more = PEM_read_bio_X509(chain, NULL, NULL, NULL)))
		if (SSL_CTX_add_extra_chain_cert(tls, more) != 1)
			X509_free(more);
	if (!fine && chain && key)
		snprintf(dial->tls_why, sizeof(dial->tls_why), "our certificate and its key do not belong together, or are no PEM");
	ERR_clear_error();
	X509_free(own);
	EVP_PKEY_free(secret);
	BIO_free(chain);
	BIO_free(key);
	return fine;
}

void dial_tls_configure(struct dial *dial)
{
	const struct config_notify *n = &dial->member->config->notify;
	const struct config_hooks *hooks = &dial->member->config->hooks;
	bool wanted = false;
	SSL_CTX *tls;

	SSL_CTX_free(dial->tls);
	dial->tls = NULL;
	dial->tls_why[0] = 0;
	for (uint32_t i = 0; i < n->log_host_count; i++)
		wanted = wanted || n->log_hosts[i].transport == NOTIFY_TLS;
	for (uint32_t i = 0; i < hooks->web_count; i++)
		wanted = wanted || hooks->webs[i].tls;
	if (!wanted)
		return;
	tls = SSL_CTX_new(TLS_client_method());
	if (!tls) {
		snprintf(dial->tls_why, sizeof(dial->tls_why), "libssl cannot begin");
		return;
	}
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) == 1 && take_trust(dial, tls) &&
	    (!n->tls_certificate[0] || take_own(dial, tls)))
		dial->tls = tls;
	else
		SSL_CTX_free(tls);
}

SSL *dial_tls_new(struct dial *dial, const char *server, const struct spimend_address *address, int fd)
{
	char text[SPIMEND_ADDRESS_TEXT_MAX];
	SSL *tls = dial->tls ? SSL_new(dial->tls) : NULL;
	bool fine = tls && SSL_set_fd(tls, fd) == 1;

	if (fine && server[0]) /* RFC 6125; the same name for the server to choose its certificate by */
		fine = SSL_set1_host(tls, server) == 1 && SSL_set_tlsext_host_name(tls, server) == 1;
	else if (fine)
		fine = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), spimend_address_print(address, text)) == 1;
	if (!fine) {
		SSL_free(tls);
		return NULL;
	}
	SSL_set_connect_state(tls);
	return tls;
}

static void explain(SSL *tls, char *to, size_t size)
{
	long verified = SSL_get_verify_result(tls);
	unsigned long error = ERR_peek_last_error();

	if (verified != X509_V_OK)
		snprintf(to, size, "the server's certificate: %s", X509_verify_cert_error_string(verified));
	else
		snprintf(to, size, "TLS: %s", error ? ERR_reason_error_string(error) : "the server hung up");
	ERR_clear_error();
}

int dial_tls_trouble(SSL *tls, int r, bool *ret_wants_write, char *to, size_t size)
{
	r = SSL_get_error(tls, r);
	*ret_wants_write = r == SSL_ERROR_WANT_WRITE;
	if (r == SSL_ERROR_WANT_WRITE || r == SSL_ERROR_WANT_READ)
		return 0;
	explain(tls, to, size);
	return -EPROTO;
}

void dial_tls_end(SSL **tls, bool says_goodbye)
{
	if (*tls && says_goodbye)
		(void)SSL_shutdown(*tls); /* what the socket takes of it */
	SSL_free(*tls);
	ERR_clear_error();
	*tls = NULL;
}
