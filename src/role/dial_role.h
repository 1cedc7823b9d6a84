/* SPDX-License-Identifier: MIT */
/*
 * The role dial in its parts: role/dial_role.c lives with core and the loop, role/dial_log.c sends lines to syslog servers,
 * role/dial_tls.c is their TLS, role/dial_traps.c sends traps, role/dial_informs.c sees to it
 * that informs are answered, role/dial_mail.c sends mail, role/dial_hook.c posts changes of incidents to web servers.
 * Private to the seven.
 */
#ifndef ROLE_DIAL_ROLE_H
#define ROLE_DIAL_ROLE_H

#include <openssl/ssl.h>

#include "eem/eem.h"
#include "parse/evidence_wire.h"
#include "model/dial.h"
#include "role/bucket.h"
#include "role/member.h"
#include "sense/evidence_tls.h"
#include "sense/usm.h"

#define DIAL_QUEUE_MAX 2048              /* lines that wait for one server */
#define DIAL_QUEUE_BYTES (1u << 20)
#define DIAL_LINES_A_SECOND 500          /* to one server, with bursts of twice as many: the rest is dropped, counted */
#define DIAL_TRAPS_A_SECOND 20
#define DIAL_MAILS_A_SECOND 1
#define DIAL_MAILS_MAX 4                 /* at once */
#define DIAL_MAIL_NS (30 * SECOND_NS)    /* for all of one */
#define DIAL_AGAIN_FIRST SECOND_NS       /* back-off of connections */
#define DIAL_AGAIN_MOST (60 * SECOND_NS)
#define DIAL_CONNECT_NS (10 * SECOND_NS) /* for TCP and TLS to come up */

struct dial;

struct dial_queue { /* whole messages, one behind the other */
	char *bytes;            /* owns; DIAL_QUEUE_BYTES */
	size_t begin, len;
	uint32_t lengths[DIAL_QUEUE_MAX]; /* ring */
	uint32_t first, count;
	size_t sent;            /* of the first one: a part that TCP took */
};

enum link_phase { LINK_DOWN, LINK_CONNECTS, LINK_SHAKES_HANDS, LINK_UP };

struct log_link { /* one syslog server */
	struct dial *dial;             /* borrows */
	struct notify_log_host host;
	uint64_t mark;
	bool used;
	enum link_phase phase;
	int fd;                        /* owns; -1: none */
	struct loop_source *source;
	SSL *tls;                      /* owns */
	bool tls_wants_write;
	struct dial_queue queue;
	struct bucket bucket;
	int64_t wait, again, deadline; /* mono; LOOP_NEVER */
	struct dial_state state, told;
	bool said_down;
};

#define DIAL_INFORMS_MAX 25              /* of one host that wait for an answer; IOS's number */
struct inform_link { /* what waits for an SNMP host's answer */
	struct dial *dial;             /* borrows */
	struct loop_source *source;    /* NULL: there is no socket yet */
	struct inform {
		bool used;
		struct dial_trap said;
		int32_t request;
		uint8_t tries;
		int64_t due;           /* mono */
	} at[DIAL_INFORMS_MAX];
	/* v3: the host's engine is the authoritative one (RFC 3414 1.5.1) */
	uint8_t engine[SNMP_ENGINE_MAX];
	size_t engine_len;             /* 0: not known yet */
	int32_t boots, time;           /* as it said at `told` (mono) */
	int64_t told;
	int32_t question;              /* the number of the one that is open */
	uint8_t questions;             /* asked in vain */
	int64_t question_due;          /* mono */
};

struct trap_link { /* one SNMP host */
	struct notify_host host;
	uint64_t mark;
	bool used;
	int fd;                        /* owns; -1: none; connected */
	struct inform_link *informs;   /* owns; NULL: it gets traps */
	struct bucket bucket;
	struct dial_state state, told;
};

/* Of TLS; and the secrets of the webhooks, by their place in the configuration. */
enum dial_file { DIAL_TRUST, DIAL_CERTIFICATE, DIAL_KEY, DIAL_SECRET, DIAL_FILES = DIAL_SECRET + HOOK_WEBS_MAX };

#define DIAL_HOOKS_MAX 128               /* changes that wait for one web server; then the oldest makes room */
#define DIAL_HOOK_TRIES 10               /* of one change, from a second to a minute apart: about six minutes in all */
#define DIAL_HOOK_NS (15 * SECOND_NS)    /* for all of one try */
#define DIAL_SECRET_MAX 256              /* bytes of a secret that count */
enum hook_phase { HOOK_IDLE, HOOK_CONNECTS, HOOK_SHAKES_HANDS, HOOK_ASKS };
struct hook_link { /* one web server */
	struct dial *dial;             /* borrows */
	struct hook_web web;
	uint64_t mark;
	uint32_t place;                /* in the configuration */
	bool used, said_down;
	struct hook_change {
		char id[DIAL_HOOK_ID_MAX];
		char *body;            /* owns */
		uint32_t length, tries;
	} waiting[DIAL_HOOKS_MAX];     /* ring; the first one is under way unless the link is idle */
	uint32_t first, count;
	enum hook_phase phase;
	int fd;                        /* owns; -1: none */
	struct loop_source *source;
	SSL *tls;                      /* owns */
	bool tls_wants_write;
	struct buffer out;             /* the request */
	size_t sent;
	char in[128];                  /* of the answer: its first line is all that counts */
	size_t in_len;
	int64_t deadline, again, wait; /* mono */
	struct dial_state state, told;
};

enum mail_phase { MAIL_CONNECTS, MAIL_GREETING, MAIL_HELLO, MAIL_SENDER, MAIL_RECIPIENT, MAIL_DATA, MAIL_MESSAGE };

struct mail { /* one on its way */
	struct dial *dial;             /* borrows */
	uint64_t request;              /* core's; 0: this place is free */
	struct dial_mail *what;        /* owns */
	struct text to, cc;            /* what of its recipients was not told yet */
	enum mail_phase phase;
	bool old;                      /* the server knows no EHLO */
	int fd;                        /* owns; -1: none */
	struct loop_source *source;
	struct buffer out;
	size_t sent;
	char in[2048];                 /* what it said: RFC 5321 has lines of up to 512 bytes */
	size_t in_len;
	int64_t deadline;              /* mono */
};

#define DIAL_FETCHES_MAX 8
#define DIAL_EVIDENCE_NS (35 * SECOND_NS) /* for all of one: the peer copies what it froze first */

enum fetch_phase { FETCH_CONNECTS, FETCH_SHAKES_HANDS, FETCH_ASKS, FETCH_STAMPS, FETCH_LENGTH, FETCH_BODY };

struct evidence_fetch { /* a peer that is asked for evidence */
	struct dial *dial;             /* borrows; NULL: this place is free */
	struct evidence_ask ask;
	enum fetch_phase phase;
	int fd;                        /* owns; -1: none */
	struct loop_source *source;
	SSL *ssl;                      /* owns */
	struct buffer in, out;
	size_t length;
	int64_t t1, t4;                /* wall: asked, and heard first */
	bool has_clock;
	int64_t offset_ns, error_ns;
	int64_t deadline;              /* mono */
};

struct dial {
	struct member *member; /* borrows */
	struct channel *core;  /* owns */
	struct loop_timer *timer, *tell_timer;
	SSL_CTX *tls;          /* owns; NULL: none, see tls_why */
	char tls_why[DIAL_WHY_MAX];
	int files[DIAL_FILES]; /* own; PEM, as the parent opened them; -1: none */
	int file_errors[DIAL_FILES];
	struct log_link logs[NOTIFY_LOG_HOSTS_MAX];
	struct trap_link traps[NOTIFY_HOSTS_MAX];
	struct mail mails[DIAL_MAILS_MAX];
	struct hook_link hooks[HOOK_WEBS_MAX];
	struct bucket mail_bucket;
	struct eem_policies *policies; /* owns; NULL: none compiled yet */
	struct usm_user users[NOTIFY_USERS_MAX];
	uint32_t user_count;
	struct usm_engine engine;
	uint64_t salt;
	int32_t request;
	uint64_t stale;        /* messages for an older configuration */
	SSL_CTX *evidence_context; /* owns; NULL: none yet */
	struct evidence_key evidence_keys[EVIDENCE_PEERS_MAX];
	struct evidence_fetch fetches[DIAL_FETCHES_MAX];
};

/* A failure of a receiver: kept for `spimend status`, counted. `what` is static, `error` negative errno or 0. */
void dial_failed(struct dial_state *state, const char *what, int error);
/* A connected, non-blocking socket. The descriptor, or negative errno. A stream may be connecting still. */
int dial_connect(const struct spimend_address *address, uint16_t port, int kind);

/* --- dial_log.c --- */
void log_links_configure(struct dial *dial);
void log_links_take(struct dial *dial, const struct dial_line *line);
/* Whatever is due. Returns when it wants to be called again. */
int64_t log_links_tick(struct dial *dial, int64_t now);
void log_links_done(struct dial *dial);
/* One message in its server's form, without its length in front: RFC 3164 as IOS writes it, or RFC 5424. */
size_t log_format(const struct dial_line *line, const struct notify_log_host *host, const char *hostname, char *to,
		  size_t size);

/* --- dial_tls.c --- */
/* From dial->files. A context that cannot be made leaves NULL and says why in tls_why. */
void dial_tls_configure(struct dial *dial);
/* For a socket that is connected: the certificate must have that name, or where it is empty that address. NULL: no TLS, see
 * tls_why. */
SSL *dial_tls_new(struct dial *dial, const char *server, const struct spimend_address *address, int fd);
/* What a call of libssl that returned `r` means. 0: not now, and whether it waits for room to write; else -EPROTO, and what
 * went wrong in words: of the certificate, where it was that. */
int dial_tls_trouble(SSL *tls, int r, bool *ret_wants_write, char *to, size_t size);
/* Ends it, where it is, with TLS's good-bye if that is due; NULL afterwards. */
void dial_tls_end(SSL **tls, bool says_goodbye);

/* --- dial_traps.c --- */
void trap_links_configure(struct dial *dial);
void trap_links_take(struct dial *dial, const struct dial_trap *trap, int64_t now);
void trap_links_done(struct dial *dial);
const struct usm_user *trap_user_of(const struct dial *dial, const char *name); /* NULL: there is none */
/* What core said, as it is sent: without its number. */
void trap_make(const struct dial *dial, const struct dial_trap *said, struct snmp_trap *ret);
/* 0 or negative errno, which is kept as the link's state. */
int trap_link_send(struct trap_link *link, const struct ber_writer *w);
int32_t dial_next_number(struct dial *dial);

/* --- dial_informs.c --- */
/* A place among those that wait, and sent by the next tick. */
void informs_take(struct dial *dial, struct trap_link *link, const struct dial_trap *said, int64_t now);
/* Sends what is due, and gives up. Returns when it wants to be called again. */
int64_t informs_tick(struct dial *dial, int64_t now);
void informs_free(struct trap_link *link);

/* --- dial_hook.c --- */
void hook_links_configure(struct dial *dial);
void hook_links_take(struct dial *dial, const struct dial_hook *hook);
/* Whatever is due. Returns when it wants to be called again. */
int64_t hook_links_tick(struct dial *dial, int64_t now);
void hook_links_done(struct dial *dial);

/* --- dial_evidence.c --- */
void fetches_take(struct dial *dial, const struct evidence_ask *ask, int64_t now);
void fetches_key(struct dial *dial, const struct role_resource *resource, const int *fds, size_t fd_count);
/* Ends what takes too long. Returns when it wants to be called again. */
int64_t fetches_tick(struct dial *dial, int64_t now);
void fetches_done(struct dial *dial);

/* --- dial_mail.c --- */
void mails_configure(struct dial *dial);
void mails_take(struct dial *dial, const struct dial_mail *mail, int64_t now);
/* Ends what takes too long. Returns when it wants to be called again. */
int64_t mails_tick(struct dial *dial, int64_t now);
void mails_done(struct dial *dial);

#endif
