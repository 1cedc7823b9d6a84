/* SPDX-License-Identifier: MIT */
/*
 * The part of the configuration that says where the fleet's syslog is heard, and from whom: listeners, allowed sources,
 * files that are followed, journald's journal. Part of struct config; plain data of fixed size.
 */
#ifndef MODEL_CONFIG_SYSLOG_H
#define MODEL_CONFIG_SYSLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "model/config_notify.h"

#define SYSLOG_LISTENERS_MAX 8
#define SYSLOG_SOURCES_MAX 4096
#define SYSLOG_FILES_MAX 8
#define SYSLOG_FLOWS_STANDARD 32768

struct syslog_listener { /* syslog listen */
	struct spimend_address address; /* family 0: every address of this machine */
	uint16_t port;
	enum notify_transport transport;
	/* Of TLS: PEM files. Without client_ca anybody among the sources may connect, with it only who has a certificate of it. */
	char certificate[NOTIFY_FILE_MAX], key[NOTIFY_FILE_MAX], client_ca[NOTIFY_FILE_MAX];
};

struct syslog_source { /* syslog source: the bits behind the prefix are zero */
	struct spimend_address address;
	uint8_t prefix; /* 0..32 or 0..128 */
	bool relay;     /* it forwards what others wrote: their names are taken from its lines */
};

struct config_syslog {
	struct syslog_listener listeners[SYSLOG_LISTENERS_MAX];
	uint32_t listener_count;
	struct syslog_source sources[SYSLOG_SOURCES_MAX]; /* sorted by address, then prefix; each once */
	uint32_t source_count;
	char files[SYSLOG_FILES_MAX][NOTIFY_FILE_MAX];
	uint32_t file_count;
	bool has_journald; /* syslog journald */
	char journald_directory[NOTIFY_FILE_MAX]; /* empty: this machine's own journal */
	uint32_t flows_max; /* limit syslog-flows */
};

/* Orders sources. */
int syslog_source_compare(const struct syslog_source *a, const struct syslog_source *b);
/* Anything at all is heard. */
bool syslog_is_wanted(const struct config_syslog *s);

#endif
