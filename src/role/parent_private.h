/* SPDX-License-Identifier: MIT */
/* The parent in its parts. Private to role/parent*.c. */
#ifndef ROLE_PARENT_PRIVATE_H
#define ROLE_PARENT_PRIVATE_H

#include <sys/types.h>

#include "base/buffer.h"
#include "model/config.h"
#include "role/channel.h"
#include "role/log.h"
#include "role/loop.h"
#include "role/notify.h"
#include "role/parent.h"
#include "sense/packets_kernel.h"

struct parent;

struct child { /* one role's process */
	struct parent *parent; /* borrows */
	enum role role;
	pid_t pid;               /* 0: not running */
	struct channel *channel; /* owns */
	struct loop_timer *timer; /* starts it again */
	int64_t started, wait, answered; /* mono; wait: the next distance */
	uint32_t restarts;
	int64_t wants_since;  /* what it asked for is counted, second by second */
	uint32_t wants;
	bool condemned;       /* it broke the rules: nothing that it says counts any more */
	bool ready, expected; /* expected: we ended it, to start it anew at once */
};

struct hearing { /* one configured interface */
	bool given;       /* the sense that runs has it */
	unsigned ifindex; /* of what was opened last */
	int link_fd;      /* owns; XDP; -1: none */
	int64_t tried;
	int said_error;
	uint32_t neighbors;       /* NEIGHBOR_HEAR_*: what core wants to hear there */
	uint32_t neighbors_given; /* what the sense that runs has sockets for ... */
	unsigned neighbors_index; /* ... on the interface of this index */
	int state;        /* as core was told: 0 heard, negative errno why not; STATE_UNKNOWN */
};
#define STATE_UNKNOWN 1

struct parent_listening { /* one `syslog listen` */
	int fd;           /* owns; -1: none */
	int state;        /* as hearing.state */
};

struct parent_following { /* one `syslog file` */
	int fd;           /* owns; -1: none */
	dev_t dev;
	ino_t ino;
	int state;        /* as hearing.state */
	bool looked;      /* what appears from now on is read from its beginning */
};

struct parent_journald { /* `syslog journald`: journalctl, whose pipe is sense's */
	pid_t pid;                 /* 0: not running */
	struct loop_timer *timer;  /* starts it again */
	int64_t started, wait;     /* mono; wait: the next distance */
	uint64_t position;         /* of the last entry that was read, in microseconds of UNIX time; 0: it never was started */
	int state;                 /* as hearing.state */
};

struct parent {
	const struct parent_options *options; /* borrows */
	char *path;                 /* owns; of the configuration, absolute: the working directory changes */
	struct loop *loop;          /* owns */
	struct log log;
	enum log_sink sink;         /* of the roles */
	struct notify notify;
	struct config *config;      /* owns; as it runs */
	struct notify_user keys[NOTIFY_USERS_MAX]; /* of users whose passwords stand in the file: nowhere else are they */
	struct config *ceiling;     /* owns; as the file has it: what is typed while it runs never goes beyond it */
	struct buffer text, startup; /* what `config` was read from; the file */
	struct buffer incoming;     /* parts of a text from core */
	uint64_t incoming_serial;
	uint64_t serial;            /* of what runs; 0: it is the file */
	uid_t uid, dial_uid, web_uid, hook_uid;
	gid_t gid, dial_gid, web_gid, hook_gid, control_gid, operators_gid;
	bool has_control_gid, has_operators_gid, has_hook_uid;
	struct role_name operators[ROLE_NAMES_MAX];
	uint32_t operator_count;
	uint8_t boot[RECORDED_BOOT_SIZE]; /* the kernel's boot id; zeros where it has none */
	int64_t up_ns;
	struct instant up;
	int state_fd, lock_fd;      /* own; the state directory */
	int control_fd;             /* owns; listening */
	int links_fd;               /* owns; rtnetlink */
	int ready_fd;               /* owns; -1, or where the process that started us waits for a byte */
	struct child children[ROLES];
	struct packets_kernel *kernel; /* owns */
	struct hearing hearings[CONFIG_INTERFACES_MAX];
	struct parent_listening listening[SYSLOG_LISTENERS_MAX];
	struct parent_following following[SYSLOG_FILES_MAX];
	struct parent_journald journald;
	struct parent_listening web[WEB_LISTENERS_MAX];
	struct loop_timer *syslog_timer; /* looks whether a followed file is another one */
	struct loop_timer *ping_timer, *links_timer, *stop_timer, *ready_timer, *watchdog_timer;
	int64_t links_at; /* when links_timer is due */
	bool links_due, stopping, said_ready;
	struct role_summary summary;
	int lacks[RESOURCES];       /* what could not be opened, for `spimend status`: as hearing.state */
	int said_journal, said_kernel; /* why there was none, as said last */
	int status;
};

#define PARENT_TRY_AGAIN SECOND_NS /* an interface that could not be opened */

/* --- parent_start.c: before the loop ---------------------------------------------------------------------------------- */

/* Reads and parses; errors and warnings go to `out` as "FILE:LINE: text". Passwords in it are taken out, into `ret_keys`: no
 * text that is handed on has them. 0, or negative: nothing of ret* was changed. */
int parent_read_config(const char *path, struct config **ret, struct notify_user ret_keys[NOTIFY_USERS_MAX],
		       struct buffer *ret_text, struct buffer *out);
/* The directory of the hook's program. False, and said: it cannot be had. */
bool parent_make_hook_place(struct parent *parent);
/* Looks up the user and the group of the configuration. 0, or negative with the reason in `out`. */
int parent_find_user(struct parent *parent, const struct config *config, struct buffer *out);
/* That of the page, where there is one. 0, or negative with the reason in `out`: nothing was changed. */
int parent_find_web_user(struct parent *parent, const struct config *config, struct buffer *out);
/* A unix socket that listens, in the place of one that nobody listens on any more. */
int parent_listen_unix(const char *path, uid_t uid, gid_t gid, mode_t mode, int *ret_fd, struct buffer *out);
/* Makes the state directory, takes its lock, makes the control socket. 0, or negative with the reason in `out`. */
int parent_take_place(struct parent *parent, struct buffer *out);
void parent_leave_place(struct parent *parent);

/* --- parent_open.c: what the roles need ------------------------------------------------------------------------------- */

/* A sealed memfd with the configuration as that role gets it. The descriptor, or negative errno. */
int parent_config_fd(struct parent *parent, enum role role, uint32_t *ret_size);
void parent_give_sense(struct parent *parent);
void parent_give_core(struct parent *parent);
void parent_give_act(struct parent *parent);
void parent_give_dial(struct parent *parent);
/* After a reload: another trap port, or none; other TLS files. */
void parent_change_traps(struct parent *parent, const struct config *old);
void parent_give_wanted(struct parent *parent, struct child *child, const struct role_want *want);
/* What core wants to hear of neighbours on one interface; and whatever of that sense has not, or has and should not. */
void parent_hear_neighbors(struct parent *parent, const struct neighbor_hearing *hear);
void parent_check_neighbors(struct parent *parent);
/* Opens what is configured, there, and not open. */
void parent_check_interfaces(struct parent *parent);
/* Other interfaces than `old` had: those that stay are heard on without a gap. False: the sensor must be made anew. */
bool parent_change_interfaces(struct parent *parent, const struct config *old);
/* Everything of the packet sensor is let go: for a changed configuration, and for the end. */
void parent_close_sensor(struct parent *parent);
/* The timer of links: what rtnetlink told, and what is to be tried again. */
void parent_on_links_timer(void *context, int64_t now);
/* Hears of changes of interfaces and addresses. */
int parent_watch_links(struct parent *parent);

/* What that role takes under resource.kind; the descriptors stay the caller's. */
void parent_hand(struct parent *parent, enum role role, struct role_resource resource, const int *fds, size_t fd_count);

/* --- parent_evidence.c ----------------------------------------------------------------------------------------- */

/* To sense or dial: the keys of evidence peers; to sense the socket too. */
void parent_give_evidence(struct parent *parent, enum role role);

/* --- parent_heads.c ------------------------------------------------------------------------------------------- */

void parent_give_heads(struct parent *parent, const char *interface);

/* --- parent_syslog.c: sockets and files of the fleet's syslog ----------------------------------------------------- */

/* To sense: all of them; that listener, once more. To core: which of them could be had. */
void parent_give_syslog(struct parent *parent);
void parent_give_listener(struct parent *parent, uint32_t index);
/* TLS listeners once more: a certificate may be a new one in the same place. */
void parent_renew_certificates(struct parent *parent);
void parent_tell_syslog(struct parent *parent);
void parent_on_syslog_timer(void *context, int64_t now);
/* Everything is closed; first of all, it becomes nothing. */
void parent_close_syslog(struct parent *parent, bool is_first);
/* The same sockets and files. */
bool parent_same_syslog(const struct config *a, const struct config *b);

/* --- parent_journald.c: journalctl, which reads journald's journal for sense ------------------------------------------ */

/* To sense: another pipe, from the position on that was told last. To core: whether it could be had. */
void parent_give_journald(struct parent *parent);
void parent_tell_journald(struct parent *parent);
void parent_on_journald_timer(void *context, int64_t now);
/* sense has read up to there: microseconds of UNIX time. */
void parent_journald_at(struct parent *parent, uint64_t position);
/* When it ended it is noted, and will be started again. */
void parent_reap_journald(struct parent *parent);
/* It is ended. */
void parent_close_journald(struct parent *parent);
/* --- parent_web.c: sockets and token of the page ------------------------------------------------------------------ */

/* To web: the token's hash and all of its sockets; that one, once more. To core: which of them could be had. */
void parent_give_web(struct parent *parent);
void parent_give_web_listener(struct parent *parent, uint32_t index);
void parent_tell_web(struct parent *parent);
/* Closes what was opened for `config`; NULL: nothing was yet, it becomes nothing. */
void parent_close_web(struct parent *parent, const struct config *config);

/* --- parent_child.c: the roles' processes ----------------------------------------------------------------------------- */

void parent_start_child(struct parent *parent, struct child *child);
/* ssh runs where a device is configured that somebody may log in to, web where it may listen, the others always. */
bool parent_wants(const struct parent *parent, enum role role);
/* Those that ended are noted, and will be started again. */
void parent_reap(struct parent *parent);
/* Ends it and starts it anew at once, where it is wanted: its configuration changed. */
void parent_renew_child(struct parent *parent, enum role role);
bool parent_has_children(const struct parent *parent);
/* It breaks the rules: it is killed, and not listened to any more. */
void parent_condemn(struct parent *parent, enum role role, const char *why);
/* Who does not answer is killed. */
void parent_ping(struct parent *parent);

/* --- parent_config.c: what core sends of the configuration ------------------------------------------------------------ */

/* A part of the text as it is to run. With the last one it is taken, or refused and said. */
void parent_take_text(struct parent *parent, const struct role_text *part);
/* What runs becomes the startup file. */
void parent_save(struct parent *parent, const struct role_ping *save);
/* After parent->config and parent->startup were read out of the file: it is the ceiling. 0 or -ENOMEM. */
int parent_note_file(struct parent *parent);
/* Reads the file again. */
void parent_reload(struct parent *parent);

/* --- parent.c --------------------------------------------------------------------------------------------------------- */

void parent_say_status(struct parent *parent);
/* Standard input, output and error become /dev/null. 0 or negative errno. */
int parent_leave_terminal(void);
void parent_child_is_ready(struct parent *parent, struct child *child);

#endif
