/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * spimend's plugin inside charon: the protocol of doc/plugin-protocol.md over a unix socket. It uses charon's headers, hence
 * its licence; it stays apart from everything else and shares only the two MIT files that say what a message is.
 *
 *   plugin.c   loading, settings            layout.c   is this the charon that we were built for?
 *   channel.c  socket, connections, queues  orders.c   orders that wait, run and end
 *   tasks.c    what is put into an exchange reports.c  what charon's bus tells   outside.c  unprotected INFORMATIONALs
 *   crash.c, crash_outside.c  quick crash detection (RFC 6290)   secret.c  what its tokens are made of
 *   limits.c   what anybody on the network can cause has a rate
 *
 * Threads: any of charon's may be in here. `lock` guards all that changes in spimend_t; nothing of charon is called and
 * nothing is logged while it is held, but the scheduler and the processor, which call nobody back.
 */
#ifndef SPIMEND_H_
#define SPIMEND_H_

#include <library.h>
#include <daemon.h>
#include <bus/listeners/listener.h>
#include <plugins/plugin.h>
#include <pthread.h>

#include "parse/plugin_message.h"

/* Debian builds charon so; without it members of ike_sa_t and daemon_t lie elsewhere, and we would read wrong ones. */
#ifndef ME
#error "configure strongSwan with --enable-mediation, as Debian does"
#endif

#define CLIENTS_MAX 4
#define REPORTS_MAX 1024   /* that wait for one connection */
#define RESULTS_MAX 256    /* that wait for one connection: one that reads none of them is closed */
#define MALFORMED_MAX 16   /* messages of a connection that cannot be read */
#define READ_AT_ONCE 16    /* datagrams of a connection before the others get their turn */
#define ORDERS_MAX 32      /* that wait or run */
#define LATE_MAX 32        /* that ended as no-reply while their exchange goes on */
#define WORKERS_MAX 2      /* of charon's threads that may wait for IKE SAs for us */
#define CLOSING_MAX 128    /* SAs of which we heard why they will die */
#define FORGEABLE_RATE 20  /* reports a second of one kind that anybody can cause */
#define FORGEABLE_BURST 40
#define FORGEABLE_KINDS 5
#define LIMIT_SLOTS 256    /* buckets that addresses share */
#define PLUGIN_DROP_WAIT_MS 5000 /* that a drop may wait for its IKE SA to be free */
#define SPIS_MAX 64        /* that are reported of one message's DELETEs */
#define SECRET_BYTES 32
#define SECRET_PATH_MAX 256
#define TOKENS_AT_ONCE 4   /* that one message presents (RFC 6290 4.5) */

#define HAS(field) (UINT32_C(1) << PLUGIN_HAS_##field)

/* One connection at one time: slot numbers are used again, generations are not. */
typedef struct {
	unsigned slot;
	uint64_t generation; /* 0: none */
} client_id_t;

typedef struct queued_message_t queued_message_t;

typedef struct {
	bool used, greeted, wants_reports, reports_only, closing;
	client_id_t id;
	int fd;
	unsigned malformed;
	queued_message_t *first, **last; /* owns; what the socket did not take yet */
	unsigned reports, results;       /* of those */
	uint32_t lost;                   /* reports without room that were not told yet */
	bool retry;                      /* a job that sends again is scheduled */
} client_t;

typedef enum { ORDER_FREE, ORDER_QUEUED, ORDER_RUNS, ORDER_SENT, ORDER_LATE } order_state_t;

typedef struct {
	order_state_t state;
	uint32_t number;   /* rising; never 0 */
	client_id_t client;
	struct plugin_message message;
	uint64_t began_us;
	bool v1;           /* its exchange, once it is known */
} order_t;

typedef struct {
	uint32_t ike_id, child_id; /* child_id 0: the IKE SA itself */
	enum plugin_reason reason;
} closing_t;

typedef struct {
	uint64_t at_us;
	uint32_t tokens; /* thousandths */
} bucket_t;

typedef struct {
	bucket_t total, by_address[LIMIT_SLOTS];
} limit_t;

typedef struct {
	uint32_t per_1000_s, burst;
} rate_t;

typedef struct crash_t crash_t; /* crash.h */

typedef struct {
	plugin_t plugin;
	listener_t listener; /* its methods get &listener as "this" */
	pthread_mutex_t lock;
	char path[108];
	uid_t user;
	int fd;
	client_t clients[CLIENTS_MAX];
	uint64_t generations;
	order_t orders[ORDERS_MAX + LATE_MAX];
	uint32_t numbers;
	unsigned workers;
	closing_t closing[CLOSING_MAX];
	unsigned closing_next;
	bucket_t forgeable[FORGEABLE_KINDS];
	limit_t notifies;
	crash_t *crash; /* owns */
} spimend_t;

/* layout.c: NULL, or why this charon must not be touched. */
const char *layout_of_libraries(void);  /* while plugins load */
const char *layout_of_daemon(void);     /* once all of charon exists */
const char *layout_of_ike_sa(ike_sa_t *ike_sa);

/* channel.c */
bool channel_bind(spimend_t *this); /* while plugins load */
bool channel_open(spimend_t *this); /* from the first job */
void channel_close(spimend_t *this);
void channel_answer(spimend_t *this, client_id_t client, const struct plugin_message *m);
void channel_report(spimend_t *this, const struct plugin_message *m);
void channel_count_lost(spimend_t *this); /* a report that was not even made */

/* orders.c */
void orders_take(spimend_t *this, client_id_t client, const struct plugin_message *m);
void orders_forget_client(spimend_t *this, client_id_t client);
/* Whether the order may still go out: true exactly once, and from then on it counts as sent. */
bool orders_send(spimend_t *this, uint32_t number, bool v1);
/* The order has ended; `more` has what else is known. Ends it once: later ends are ignored. */
void orders_end(spimend_t *this, uint32_t number, enum plugin_outcome outcome, const struct plugin_message *more);
/* IKEv1, whose R-U-THERE leaves no task behind: it was acknowledged, or its IKE SA goes. */
void orders_ike_heard(spimend_t *this, uint32_t ike_id, enum plugin_outcome outcome);

/* tasks.c */
task_t *task_for(spimend_t *this, ike_sa_t *ike_sa, const order_t *order);

/* reports.c */
listener_t reports_listener(void);
void reports_closing(spimend_t *this, uint32_t ike_id, uint32_t child_id, enum plugin_reason reason);

/* outside.c */
const char *outside_hook(spimend_t *this);
void outside_unhook(void);
/* A message that was not protected: for what charon gives to listeners instead of the hook. */
void outside_look(spimend_t *this, message_t *message);
/* One IKE message, from and to those ports; charon adds the non-ESP marker where it belongs. */
void outside_send(host_t *from, host_t *to, chunk_t bytes);
/* PLUGIN_NOTIFY_OUTSIDE: at most one message, within our own limits. */
enum plugin_outcome outside_notify(spimend_t *this, const struct plugin_message *order, struct plugin_message *more);

/* limits.c */
bool limit_take(limit_t *limit, const rate_t *each, const rate_t *total, host_t *address); /* under the lock */
bool limit_allow(spimend_t *this, limit_t *limit, const rate_t *each, const rate_t *total, host_t *address);
bool limit_allow_report(spimend_t *this, enum plugin_kind kind); /* one that anybody can cause; else it counts as lost */

/* secret.c: each says in the log what is wrong */
bool secret_is_there(const char *path);
bool secret_load(const char *path, unsigned char to[SECRET_BYTES]); /* makes one where none is */
void secret_put_away(const char *path);

/* crash.c */
crash_t *crash_create(void); /* NULL: the system gives no randomness */
void crash_destroy(crash_t *crash);
bool crash_begin(spimend_t *this); /* while plugins load */
bool crash_is_on(spimend_t *this);
bool crash_switch(spimend_t *this, bool on); /* whether it is on now */
void crash_message(spimend_t *this, ike_sa_t *ike_sa, message_t *message, bool incoming); /* plain */
void crash_rekeyed(spimend_t *this, ike_sa_t *old, ike_sa_t *new);
void crash_ike_gone(spimend_t *this, ike_sa_t *ike_sa);

/* crash_outside.c */
void crash_asked(spimend_t *this, message_t *message); /* it is for an IKE SA that charon does not find */
void crash_presented(spimend_t *this, message_t *message, const chunk_t *tokens, unsigned count);

/* orders.c, too: the outcome, and why */
enum plugin_outcome orders_refuse(struct plugin_message *more, enum plugin_outcome outcome, const char *why);

/* plugin.c: small things for all */
uint64_t now_us(void);
struct spimend_address address_of(host_t *host);
uint8_t ip_protocol_of(protocol_id_t protocol); /* 0: neither ESP nor AH */

#endif
