/* SPDX-License-Identifier: MIT */
/*
 * Inside repair/daemon*: the state of one IKE daemon. daemon.c connects and goes down, daemon_news.c hears and lists,
 * daemon_order.c does. Nobody else includes it.
 */
#ifndef REPAIR_DAEMON_PRIVATE_H
#define REPAIR_DAEMON_PRIVATE_H

#include "parse/daemon_hint.h"
#include "parse/vici_info.h"
#include "repair/daemon.h"
#include "repair/vici.h"

#define WAITS_MAX 16            /* rekeys that are queued in the daemon and not done yet */
#define SETUP_NS (5 * SECOND_NS) /* for a question that needs no peer */
#define MARGIN_NS (3 * SECOND_NS) /* what the daemon may take longer than it was told to */
#define ANEW_NS SECOND_NS /* for a child that was closed instead of rekeyed to be made anew */
#define CONNECTIONS_AGE_NS (30 * SECOND_NS) /* a refresh lists the connections again when they are older */
#define CONNECTIONS_NONE_NS (SECOND_NS / 5) /* the same while there are none: a daemon starts first and reads them then */

struct known_connection {
	uint64_t id;
	char *ike, *child; /* own: full names, with NUL */
};

struct known_connections {
	struct known_connection *all; /* owns */
	size_t count, room;
};

enum listing { LIST_NOTHING, LIST_CONNECTIONS, LIST_SAS };

enum phase { PHASE_NONE, PHASE_CHECK_CONNECTION, PHASE_CHECK_SA, PHASE_VERB, PHASE_AFTER };

struct running { /* the order that has the orders' connection */
	struct order order;
	enum phase phase;
	int64_t began;
	bool found;               /* the target, in the check at hand */
	const char *objection;    /* static: why not, where the check found a reason */
	bool ike_established;     /* ORDER_INITIATE: there is an IKE SA to do it in */
};

struct wait { /* a rekey: from before it is asked for, since its event may overtake the answer, until it is done */
	bool used;
	bool queued;   /* the daemon said that it took it */
	bool is_over;  /* its event came before that */
	bool closed;   /* the child went down: a peer that had lost it lets charon make a new one at once */
	const char *how; /* static: what to say of it when it is over */
	uint64_t order, connection;
	uint32_t child_id;
	int64_t began, deadline;
};

struct ike_daemon {
	uint16_t index;
	struct ike_daemon_calls calls;
	struct ike_daemon_limits limits;
	struct ike_daemon_counts counts;
	struct vici_client *clients[IKE_DAEMON_FDS]; /* own; NULL while down */
	bool told_up;
	unsigned depth; /* of our own calls within our calls */
	int64_t now, down_since;
	char why[160];
	unsigned step;                /* of the questions after connecting */
	bool events_ready, orders_ready;
	unsigned orders_step;
	struct daemon_state state;
	struct daemon_since {
		bool known;
		struct civil printed; /* what it prints of its start */
		struct instant boot;  /* what that was found to mean: the same after each connection */
	} since;

	enum listing listing;
	bool list_sound;
	bool want_sas, want_connections;
	uint32_t want_serial, list_serial;
	int64_t connections_at;
	struct daemon_hint_memory hints;
	bool tells_lines;
	struct known_connections known, fresh;

	struct order queue[IKE_DAEMON_ORDERS_MAX];
	size_t queue_first, queue_count;
	struct running running;
	struct wait waits[WAITS_MAX];
};

/* daemon.c */
void ike_daemon_told(struct ike_daemon *d, const struct vici_reading *reading, int status); /* counts what was odd */

/* daemon_news.c: the events' connection */
void news_event(void *context, struct text name, struct text message);
void news_answer(void *context, enum vici_answer answer, struct text message);
void news_pump(struct ike_daemon *d); /* asks the next question, if there is one and the connection is free */
void news_down(struct ike_daemon *d);
void known_done(struct known_connections *known);
const struct known_connection *known_find(const struct known_connections *known, uint64_t id);

/* daemon_order.c: the orders' connection */
void orders_event(void *context, struct text name, struct text message);
void orders_answer(void *context, enum vici_answer answer, struct text message);
void orders_pump(struct ike_daemon *d);
void orders_child_event(struct ike_daemon *d, const struct child_event *event); /* a queued rekey may be over */
void orders_tick(struct ike_daemon *d);
int64_t orders_deadline(const struct ike_daemon *d);
void orders_down(struct ike_daemon *d);

#endif
