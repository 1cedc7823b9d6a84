/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "role/log.h"

struct room {
	struct log log;
	int other;
	char said[4096];
};

static void open_log(struct room *room, enum log_sink sink)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends), 0);
	memset(room, 0, sizeof(*room));
	log_init(&room->log, "core");
	log_use(&room->log, sink, ends[0]);
	room->other = ends[1];
}

static const char *heard(struct room *room)
{
	ssize_t len = recv(room->other, room->said, sizeof(room->said) - 1, MSG_DONTWAIT);

	room->said[len > 0 ? len : 0] = 0;
	return room->said;
}

static void close_log(struct room *room)
{
	log_done(&room->log);
	if (room->other >= 0)
		close(room->other);
}

static void the_journal_gets_fields(void **state)
{
	struct room room;

	(void)state;
	open_log(&room, SINK_JOURNAL);
	log_say(&room.log, LOG_WARNING, "%s is away", "act");
	assert_string_equal(heard(&room), "MESSAGE=act is away\nPRIORITY=4\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=spimendd\n"
					  "SPIMEND_ROLE=core\n");
	log_device_line(&room.log, LOG_WARNING, "%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd", NULL, 0);
	assert_string_equal(heard(&room), "MESSAGE=%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd\nPRIORITY=4\nSYSLOG_FACILITY=23\n"
					  "SYSLOG_IDENTIFIER=spimendd\nSPIMEND_ROLE=core\n"
					  "SPIMEND_MNEMONIC=CRYPTO-4-RECVD_PKT_INV_SPI\n");
	close_log(&room);
}

static void an_incident_has_fields_of_its_own(void **state)
{
	struct log_field fields[LOG_FIELDS_MAX + 4];
	struct room room;

	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		fields[i] = (struct log_field){ "SPIMEND_OTHER", "x" };
	fields[0] = (struct log_field){ "SPIMEND_INCIDENT", "k3v9q2" };
	fields[1] = (struct log_field){ "SPIMEND_VERDICT", "desync" };
	open_log(&room, SINK_JOURNAL);
	log_device_line(&room.log, LOG_WARNING, "%SPIMEND-4-INCIDENT: k3v9q2 desync, open", fields, 2);
	assert_string_equal(heard(&room), "MESSAGE=%SPIMEND-4-INCIDENT: k3v9q2 desync, open\nPRIORITY=4\nSYSLOG_FACILITY=23\n"
					  "SYSLOG_IDENTIFIER=spimendd\nSPIMEND_ROLE=core\nSPIMEND_MNEMONIC=SPIMEND-4-INCIDENT\n"
					  "SPIMEND_INCIDENT=k3v9q2\nSPIMEND_VERDICT=desync\n");
	log_device_line(&room.log, LOG_WARNING, "%A: x", fields, LOG_FIELDS_MAX + 4); /* bounded */
	assert_non_null(strstr(heard(&room), "SPIMEND_VERDICT=desync\n"));
	close_log(&room);
}

static void syslog_gets_priority_time_and_tag(void **state)
{
	struct room room;

	(void)state;
	open_log(&room, SINK_SYSLOG);
	log_say(&room.log, LOG_ERR, "the disk");
	assert_memory_equal(heard(&room), "<27>", 4);
	assert_non_null(strstr(room.said, " spimendd["));
	assert_non_null(strstr(room.said, "]: the disk"));
	log_device_line(&room.log, LOG_WARNING, "%CRYPTO-4-RECVD_PKT_INV_SPI: x", NULL, 0);
	assert_memory_equal(heard(&room), "<188>", 5); /* local7.warning */
	close_log(&room);
}

static void nothing_from_outside_adds_a_line_or_a_field(void **state)
{
	struct room room;

	(void)state;
	open_log(&room, SINK_JOURNAL);
	log_say(&room.log, LOG_ERR, "%s", "peer said\nPRIORITY=0\x1b[2J");
	assert_memory_equal(heard(&room), "MESSAGE=peer said PRIORITY=0 [2J\nPRIORITY=3\n", 43);
	log_device_line(&room.log, LOG_ERR, "%A\nB=1: x", NULL, 0);
	assert_null(strstr(heard(&room), "\nB=1"));
	close_log(&room);
}

/* `spimendd -f 2>file`: what a syslog server would have written, for `spimend analyze`. */
static void lines_in_a_file_have_time_and_host(void **state)
{
	int ends[2], kept = dup(STDERR_FILENO);
	char said[512] = "";
	struct log log;

	(void)state;
	unsetenv("JOURNAL_STREAM");
	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	log_init(&log, "core");
	log_say(&log, LOG_ERR, "the disk");
	log_device_line(&log, LOG_WARNING, "%CRYPTO-4-RECVD_PKT_INV_SPI: x", NULL, 0);
	dup2(kept, STDERR_FILENO);
	assert_true(read(ends[0], said, sizeof(said) - 1) > 0);
	for (size_t i = 0; i < 24; i++) /* 2026-11-22T11:42:03.123Z */
		assert_true(i == 10 ? said[i] == 'T' : i == 23 ? said[i] == 'Z' : strchr("0123456789-:.", said[i]) != NULL);
	assert_non_null(strstr(said, log.host));
	assert_non_null(strstr(said, " spimendd[core]: the disk\n20"));
	assert_non_null(strstr(said, " spimendd[core]: %CRYPTO-4-RECVD_PKT_INV_SPI: x\n"));
	close(kept);
	close(ends[0]);
	close(ends[1]);
}

static void a_long_line_is_cut(void **state)
{
	char longest[8000];
	struct room room;

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	open_log(&room, SINK_SYSLOG);
	log_say(&room.log, LOG_ERR, "%s", longest);
	assert_true(strlen(heard(&room)) > 1000);
	assert_true(strlen(room.said) < LOG_TEXT_MAX + 128);
	close_log(&room);
}

static void who_does_not_listen_costs_no_time_and_is_counted(void **state)
{
	struct room room;

	(void)state;
	open_log(&room, SINK_JOURNAL);
	for (int i = 0; i < 20000; i++)
		log_say(&room.log, LOG_INFO, "line %d", i);
	assert_true(room.log.lost > 0);
	assert_false(room.log.broken); /* full is not broken */
	close(room.other);
	room.other = -1;
	log_say(&room.log, LOG_INFO, "to nobody");
	assert_true(room.log.broken);
	close_log(&room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_journal_gets_fields),
		cmocka_unit_test(an_incident_has_fields_of_its_own),
		cmocka_unit_test(syslog_gets_priority_time_and_tag),
		cmocka_unit_test(nothing_from_outside_adds_a_line_or_a_field),
		cmocka_unit_test(lines_in_a_file_have_time_and_host),
		cmocka_unit_test(a_long_line_is_cut),
		cmocka_unit_test(who_does_not_listen_costs_no_time_and_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
