/* SPDX-License-Identifier: MIT */
/*
 * The part of the configuration that names who is told and who is heard: SNMP managers and users, syslog servers, the
 * logging buffer. Part of struct config; messages between the roles name an entry by its index here, and by its mark, so
 * that one that was meant for an older configuration is not sent to whoever stands in that place now.
 */
#ifndef MODEL_CONFIG_NOTIFY_H
#define MODEL_CONFIG_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "model/snmp.h"

#define NOTIFY_HOSTS_MAX 16
#define NOTIFY_COMMUNITIES_MAX 16
#define NOTIFY_USERS_MAX 16
#define NOTIFY_LOG_HOSTS_MAX 8
#define NOTIFY_NAME_MAX 64     /* a community or a user, with its NUL */
#define NOTIFY_PASSWORD_MAX 64
#define NOTIFY_SERVER_MAX 128  /* the name in a certificate */
#define NOTIFY_FILE_MAX 108
#define NOTIFY_ENGINE_MAX 32
#define NOTIFY_BUFFER_LEAST 4096
#define NOTIFY_BUFFER_STANDARD 65536
#define NOTIFY_BUFFER_MOST (64u << 20)

#define SNMP_TRAP_PORT 162
#define SYSLOG_UDP_PORT 514
#define SYSLOG_TCP_PORT 601  /* RFC 3195; IOS has it as its default for TCP */
#define SYSLOG_TLS_PORT 6514 /* RFC 5425 */

enum notify_security { NOTIFY_V2C, NOTIFY_V3_NOAUTH, NOTIFY_V3_AUTH, NOTIFY_V3_PRIV, NOTIFY_SECURITIES };

struct notify_host { /* snmp-server host */
	struct spimend_address address;
	uint16_t port;
	enum notify_security security;
	bool informs;                /* else traps: what is not answered is sent again */
	bool event_manager;          /* it gets the applets' traps; always, where no kind is named */
	char name[NOTIFY_NAME_MAX];  /* the community, or the user */
};

enum notify_hash { NOTIFY_HASH_NONE, NOTIFY_SHA, NOTIFY_SHA224, NOTIFY_SHA256, NOTIFY_SHA384, NOTIFY_SHA512, NOTIFY_HASHES };

struct notify_user { /* snmp-server user */
	char name[NOTIFY_NAME_MAX];
	char key_file[NOTIFY_FILE_MAX];
	bool is_inline;              /* what follows is of the line itself; of the passwords, only the parent has them */
	char group[NOTIFY_NAME_MAX]; /* of the line; it has no meaning without an agent */
	/* What the file holds: filled in for the roles sense and dial, zero for all others and in every text. */
	enum notify_hash hash;
	bool encrypts;               /* AES with 128 bits, RFC 3826 */
	char auth[NOTIFY_PASSWORD_MAX], priv[NOTIFY_PASSWORD_MAX];
};

#define NOTIFY_GROUPS_MAX 16
struct notify_group { /* snmp-server group: kept, since pasted configurations have it; it means nothing without an agent */
	char name[NOTIFY_NAME_MAX];
	enum notify_security security;
};

enum notify_transport { NOTIFY_UDP, NOTIFY_TCP, NOTIFY_TLS, NOTIFY_TRANSPORTS };

struct notify_log_host { /* logging host */
	struct spimend_address address;
	uint16_t port;
	enum notify_transport transport;
	bool rfc5424;                /* else RFC 3164, as IOS sends */
	char server[NOTIFY_SERVER_MAX]; /* the name that its certificate must have; empty: its address */
};

#define NOTIFY_NAMES_MAX 16
struct notify_known { /* ip host: where a mail server is */
	char name[NOTIFY_SERVER_MAX];
	struct spimend_address address;
};

struct config_notify {
	struct notify_known names[NOTIFY_NAMES_MAX];
	uint32_t name_count;
	bool manager;                /* snmp-server manager: hear traps */
	bool enable_event_manager;   /* snmp-server enable traps event-manager */
	uint16_t trap_port;
	struct snmp_oid eem_root;
	uint8_t engine_len;          /* 0: made from the host name */
	uint8_t engine[NOTIFY_ENGINE_MAX];
	struct notify_host hosts[NOTIFY_HOSTS_MAX];
	uint32_t host_count;
	char communities[NOTIFY_COMMUNITIES_MAX][NOTIFY_NAME_MAX];
	uint32_t community_count;
	struct notify_user users[NOTIFY_USERS_MAX];
	uint32_t user_count;
	struct notify_group groups[NOTIFY_GROUPS_MAX];
	uint32_t group_count;
	struct notify_log_host log_hosts[NOTIFY_LOG_HOSTS_MAX];
	uint32_t log_host_count;
	uint8_t log_level;           /* of what goes to log_hosts: this severity and more severe */
	uint8_t buffer_level;
	uint32_t buffer_size;        /* bytes; 0: none is kept */
	char tls_trust[NOTIFY_FILE_MAX], tls_certificate[NOTIFY_FILE_MAX], tls_key[NOTIFY_FILE_MAX];
};

void config_notify_default(struct config_notify *ret);

/* A mark of the entry: another one, or none, after whatever changed in it. */
uint64_t notify_host_mark(const struct notify_host *host);
uint64_t notify_log_host_mark(const struct notify_log_host *host);

const char *notify_security_name(enum notify_security security);    /* "2c", "3 noauth" ... */
const char *notify_host_how(const struct notify_host *host);        /* the same; "2c informs" ... */
const char *notify_hash_name(enum notify_hash hash);                /* "sha", "sha256" ... */
const char *notify_transport_name(enum notify_transport transport); /* "udp" ... */
/* As IOS names syslog's severities: "emergencies" to "debugging". */
const char *notify_level_name(uint8_t level);
uint16_t notify_standard_port(enum notify_transport transport);

#endif
