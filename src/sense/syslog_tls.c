/* SPDX-License-Identifier: MIT */
#include "sense/syslog_tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <unistd.h>

#include "base/memory.h"

#define FILE_MOST (4u << 20)

struct syslog_tls {
	SSL_CTX *context; /* owns */
};

/* The whole file as memory of libcrypto's, which opens none itself. NULL: it cannot be read. */
static BIO *read_file(int fd)
{
	BIO *all = fd < 0 || lseek(fd, 0, SEEK_SET) < 0 ? NULL : BIO_new(BIO_s_mem());
	char part[16384];
	size_t len = 0;
	ssize_t n = 0;

	while (all && (n = read(fd, part, sizeof(part))) > 0) {
		len += (size_t)n;
		if (len > FILE_MOST || BIO_write(all, part, (int)n) != (int)n)
			n = -1;
		if (n < 0)
			break;
	}
	OPENSSL_cleanse(part, sizeof(part));
	if (all && n == 0)
		return all;
	BIO_free(all);
	return NULL;
}

static bool take_own(SSL_CTX *context, int certificate, int key)
{
	BIO *chain = read_file(certificate), *secrets = read_file(key);
	X509 *own = chain ? PEM_read_bio_X509(chain, NULL, NULL, NULL) : NULL, *more;
	EVP_PKEY *secret = secrets ? PEM_read_bio_PrivateKey(secrets, NULL, NULL, NULL) : NULL;
	bool fine = own && secret && SSL_CTX_use_certificate(context, own) == 1 && SSL_CTX_use_PrivateKey(context, secret) == 1 &&
		    SSL_CTX_check_private_key(context) == 1;

	while (fine && (more = PEM_read_bio_X509(chain, NULL, NULL, NULL)))
		if (SSL_CTX_add_extra_chain_cert(context, more) != 1)
			X509_free(more);
	X509_free(own);
	EVP_PKEY_free(secret);
	BIO_free(chain);
	BIO_free(secrets);
	return fine;
}

/* Who connects must have a certificate that one of these signed. Their names are told, for the client to choose by. */
static bool take_clients(SSL_CTX *context, int client_ca)
{
	BIO *file = read_file(client_ca);
	X509 *one;
	int count = 0;

	while (file && (one = PEM_read_bio_X509(file, NULL, NULL, NULL))) {
		count += X509_STORE_add_cert(SSL_CTX_get_cert_store(context), one) == 1 && SSL_CTX_add_client_CA(context, one) == 1;
		X509_free(one);
	}
	BIO_free(file);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return count > 0;
}

int syslog_tls_new(int certificate, int key, int client_ca, struct syslog_tls **ret, const char **ret_why)
{
	struct syslog_tls *tls = memory_new(1, sizeof(*tls));
	static const unsigned char name[] = "spimend";

	*ret_why = "no memory";
	if (!tls)
		return -EINVAL;
	tls->context = SSL_CTX_new(TLS_server_method());
	if (!tls->context)
		goto fail;
	*ret_why = "its certificate and its key do not belong together, or are no PEM";
	SSL_CTX_set_session_cache_mode(tls->context, SSL_SESS_CACHE_OFF); /* nothing grows with who comes by */
	SSL_CTX_set_options(tls->context, SSL_OP_NO_RENEGOTIATION);
	if (SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_session_id_context(tls->context, name, sizeof(name) - 1) != 1 || !take_own(tls->context, certificate, key))
		goto fail;
	*ret_why = "no certificate in its 'client-ca'";
	if (client_ca >= 0 && !take_clients(tls->context, client_ca))
		goto fail;
	ERR_clear_error(); /* the end of a file is one */
	*ret = tls;
	return 0;
fail:
	ERR_clear_error();
	syslog_tls_free(tls);
	return -EINVAL;
}

void syslog_tls_free(struct syslog_tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->context);
	memory_free(tls);
}

SSL *syslog_tls_accept(struct syslog_tls *tls, int fd)
{
	SSL *ssl = SSL_new(tls->context);

	if (!ssl || SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_accept_state(ssl);
	return ssl;
}
