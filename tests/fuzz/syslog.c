/* SPDX-License-Identifier: MIT */
/* libFuzzer: a stream of syslog in both framings, cut anywhere, and each message of it as a line of a log. */
#include <stdlib.h>
#include <string.h>

#include "parse/syslog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static char room[SYSLOG_FRAME_MAX + 8], line[SYSLOG_FRAME_MAX + 8 + SYSLOG_LINE_EXTRA];

static void check_message(struct text message)
{
	char stamp[SYSLOG_STAMP_LEN];
	bool odd;
	size_t n;

	must(message.len <= SYSLOG_FRAME_MAX);
	must(message.len == 0 || (message.at >= room && message.at + message.len <= room + sizeof(room)));
	syslog_print_stamp((int64_t)message.len * 86399, stamp);
	n = syslog_rewrite(message, stamp, TEXT("src00001"), line, &odd);
	must(n >= SYSLOG_STAMP_LEN + 9 && n <= message.len + 8 + SYSLOG_LINE_EXTRA);
	must(memcmp(line, stamp, sizeof(stamp)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct syslog_stream stream = { 0 };
	size_t len = 0, at = 0, piece = size ? 1 + data[0] % 97 : 1;
	const char *why = NULL;

	while (at < size) {
		size_t n = size - at < piece ? size - at : piece;
		enum syslog_step step;
		struct text left, message;

		n = n < sizeof(room) - len ? n : sizeof(room) - len;
		must(n > 0); /* a full room never waits for more */
		memcpy(room + len, data + at, n);
		at += n;
		left = (struct text){ room, len + n };
		do {
			size_t before = left.len;

			step = syslog_take(&stream, &left, &message, &why);
			must(left.at >= room && left.at + left.len == room + len + n);
			if (step == SYSLOG_STEP_BROKEN) {
				must(why != NULL);
				return 0;
			}
			must(step == SYSLOG_STEP_MORE || left.len < before);
			if (step != SYSLOG_STEP_MORE)
				check_message(message);
		} while (step != SYSLOG_STEP_MORE);
		memmove(room, left.at, left.len);
		len = left.len;
	}
	return 0;
}
