/* SPDX-License-Identifier: MIT */
/*
 * What core asks of a device, and what becomes of it. Plain data of fixed size between the roles: core orders, the role ssh
 * types, sense reads what comes back. A command is a verb from the list with typed arguments; the text of a `show` that a
 * person typed travels as it is, after device_show_fits().
 *
 * A device is named by its place in struct config_devices and by its mark: what was meant for an older configuration is
 * typed nowhere.
 */
#ifndef MODEL_DEVICE_ORDER_H
#define MODEL_DEVICE_ORDER_H

#include "base/buffer.h"
#include "model/config_device.h"

#define DEVICE_COMMAND_MAX 200
#define DEVICE_REASON_MAX 160
#define DEVICE_PART_MAX 4096
#define DEVICE_SESSIONS_MAX 512          /* logged in at once */
#define DEVICE_WITHIN_MOST INT64_C(300000000000)

enum device_verb {
	DEVICE_SHOW, /* `text`, as a person typed it */
	/* What looks (devices.md 1 and 5). */
	DEVICE_SHOW_IPSEC_SA, /* of `peer`, with counters */
	DEVICE_SHOW_IKEV2_SA,
	DEVICE_SHOW_ISAKMP_SA,
	DEVICE_SHOW_BFD,
	DEVICE_SHOW_CONTROL,
	DEVICE_SHOW_OMP_PEERS,
	DEVICE_SHOW_LOCAL_SA,
	DEVICE_SHOW_OUTBOUND,
	DEVICE_SHOW_DROPS,
	DEVICE_SHOW_TRACE,      /* what it remembers of its SAs */
	DEVICE_SHOW_SPI_LOOKUP, /* what it remembers of its SPIs */
	DEVICE_SHOW_ADDRESSES,
	DEVICE_SHOW_SITE,       /* of an SD-WAN router */
	/* What changes the device (faults.md g). */
	DEVICE_CLEAR_SA_ENTRY, /* `peer`, `protocol`, `spi` */
	DEVICE_CLEAR_SA_PEER,  /* `peer` */
	DEVICE_CLEAR_SESSION,  /* `peer`: its IKE SA too */
	DEVICE_IPSEC_REKEY,
	DEVICE_PORT_HOP,       /* `color` */
	DEVICE_CLEAR_OMP,
	DEVICE_CLEAR_CONTROL,
	DEVICE_VERBS
};
const char *device_verb_name(enum device_verb verb);
bool device_verb_changes(enum device_verb verb); /* else it only looks */
/* A crypto clear: never for a tunnel whose keys come from a controller (B17). */
bool device_verb_clears_sa(enum device_verb verb);

/* It is one of SD-WAN's steps: which. */
bool device_verb_is_sdwan_step(enum device_verb verb, enum sdwan_step *ret);

enum device_color { /* the colours of TLOCs that Cisco knows; a device has no others */
	COLOR_NONE, COLOR_DEFAULT, COLOR_MPLS, COLOR_METRO_ETHERNET, COLOR_BIZ_INTERNET, COLOR_PUBLIC_INTERNET, COLOR_LTE, COLOR_3G,
	COLOR_RED, COLOR_GREEN, COLOR_BLUE, COLOR_GOLD, COLOR_SILVER, COLOR_BRONZE, COLOR_CUSTOM1, COLOR_CUSTOM2, COLOR_CUSTOM3,
	COLOR_PRIVATE1, COLOR_PRIVATE2, COLOR_PRIVATE3, COLOR_PRIVATE4, COLOR_PRIVATE5, COLOR_PRIVATE6,
	DEVICE_COLORS
};
const char *device_color_name(enum device_color color); /* "biz-internet"; "?" for COLOR_NONE */
enum device_color device_color_of(struct text name);     /* COLOR_NONE: none of them */

struct device_order {
	uint64_t request;     /* not 0; unique */
	uint32_t device;
	uint64_t mark;
	enum device_verb verb;
	int64_t within_ns;    /* from its arrival to the prompt behind its output */
	struct spimend_address peer; /* of the verbs that name one; else unknown */
	uint8_t protocol;     /* of DEVICE_CLEAR_SA_ENTRY: ESP or AH; else 0 */
	struct spimend_spi spi; /* the same; else 0 */
	enum device_color color; /* of DEVICE_PORT_HOP; else COLOR_NONE */
	char text[DEVICE_COMMAND_MAX]; /* of DEVICE_SHOW; else empty */
};

/* What is typed for it on that platform, without a line feed. False: that platform has no such command. */
bool device_command(const struct device_order *order, enum platform platform, struct buffer *out);
/* A `show` that may be typed on a device: "show" however short, words of letters, digits and . , : / - _ ( ), no pipe, no
 * file, nothing that clears by reading (devices.md 2). */
bool device_show_fits(struct text line);

enum device_outcome {
	DEVICE_DONE,      /* the prompt came back; what was printed is sense's to tell */
	DEVICE_REFUSED,   /* the same, but the device did not take the command: `why` is its word for it */
	DEVICE_STALE,     /* no such device in this configuration, or another one by now */
	DEVICE_FULL,      /* too many orders wait */
	DEVICE_NO_LOGIN,  /* ssh ended before there was a prompt */
	DEVICE_NO_ENABLE, /* the device did not give privileged mode */
	DEVICE_LATE,      /* no prompt in time: what was typed may have been done */
	DEVICE_LOST,      /* the connection ended behind the command: the same */
	DEVICE_UNCLEAR,   /* what it prints is not understood, or asks something: the session was ended */
	DEVICE_OUTCOMES
};
const char *device_outcome_name(enum device_outcome outcome);

struct device_result { /* of the role ssh: how it ended */
	uint64_t request;
	enum device_outcome outcome;
	bool typed;           /* the command itself reached the device */
	char why[DEVICE_REASON_MAX]; /* printable ASCII; empty where the outcome says all */
};

/* --- Between ssh and sense: a session is a number that is not used again soon; sense keeps it in its slot ------- */

#define DEVICE_SLOT(session) ((session) % DEVICE_SESSIONS_MAX)

struct device_open {
	uint32_t session;
	enum platform platform;
	uint32_t device;
	uint64_t mark, request; /* of the device; whose order it is begun for */
};
struct device_typed { /* comes before the bytes of its echo */
	uint32_t session;
	uint64_t request;     /* 0: of the log-in; nobody is told what it prints */
	char command[DEVICE_COMMAND_MAX]; /* and Enter; empty: a password, unless there is a key */
	char key;             /* a single key, which answers what the device asks: ' ' or '\r'; 0: none */
};
struct device_part { /* as it came */
	uint32_t session, len;
	bool of_ssh;          /* said by ssh itself, not printed by the device */
	char bytes[DEVICE_PART_MAX];
};
struct device_closed {
	uint32_t session;
	char why[DEVICE_REASON_MAX]; /* empty: nothing to add */
};

enum device_sight { DEVICE_SAW_PROMPT, DEVICE_SAW_MORE, DEVICE_SAW_PASSWORD, DEVICE_SAW_CONFIRM, DEVICE_SAW_QUESTION,
		    DEVICE_SAW_NONSENSE, DEVICE_SIGHTS };
struct device_seen { /* what the bytes mean */
	uint32_t session;
	uint64_t request;     /* whose command stands in front of it; 0: none, or one of the log-in */
	enum device_sight sight;
	bool privileged, refused; /* of a prompt */
	char why[DEVICE_REASON_MAX]; /* refused: the device's word */
};

/* --- sense to core ---------------------------------------------------------------------------------------------- */

struct device_printed { /* what a command printed, part by part: clean text, secrets taken out */
	uint64_t request;
	uint32_t len;
	bool last;            /* with it the flags count */
	bool known;           /* sense read it row by row: model/device_row.h, model/sa_block.h went in front of this */
	uint32_t bad_rows;    /* of which it could not read so many */
	bool paged;           /* a page prompt stood in it (devices.md 3: no evidence) */
	bool cut;             /* longer than is kept */
	uint32_t log_lines;   /* of the device's own log, taken out of it */
	char bytes[DEVICE_PART_MAX];
};

bool device_valid_order(const struct device_order *order);
bool device_valid_result(const struct device_result *result);
bool device_valid_open(const struct device_open *open);
bool device_valid_typed(const struct device_typed *typed);
bool device_valid_part(const struct device_part *part);
bool device_valid_closed(const struct device_closed *closed);
bool device_valid_seen(const struct device_seen *seen);
bool device_valid_printed(const struct device_printed *output);

#endif
