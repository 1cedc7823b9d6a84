/* SPDX-License-Identifier: MIT */
#include "role/log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/calendar.h"
#include "base/text.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define SYSLOG_SOCKET "/dev/log"
#define TAG "spimendd"

/* JOURNAL_STREAM names the device and inode of the journal's end of our stderr: systemd.exec(5). */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat found;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(STDERR_FILENO, &found) == 0 &&
	       found.st_dev == device && found.st_ino == inode;
}

void log_init(struct log *log, const char *role)
{
	*log = (struct log){ .sink = SINK_STDERR, .fd = STDERR_FILENO, .role = role, .marks = stderr_is_journal() };
	log->times = !log->marks && !isatty(STDERR_FILENO);
	if (gethostname(log->host, sizeof(log->host) - 1) < 0 || !log->host[0])
		text_copy(TEXT("localhost"), log->host, sizeof(log->host));
	/* Read now, while files may be opened still; without a name the C library would look for a change at each mktime(). */
	setenv("TZ", ":/etc/localtime", 0);
	tzset();
}

void log_done(struct log *log)
{
	if (log->sink != SINK_STDERR && log->fd >= 0)
		close(log->fd);
	log->fd = -1;
}

enum log_sink log_choose(void)
{
	return getenv("JOURNAL_STREAM") && access(JOURNAL_SOCKET, W_OK) == 0 ? SINK_JOURNAL : SINK_SYSLOG;
}

int log_open(enum log_sink sink, int *ret_fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, r;

	text_copy(text_of(sink == SINK_JOURNAL ? JOURNAL_SOCKET : SYSLOG_SOCKET), address.sun_path, sizeof(address.sun_path));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

void log_use(struct log *log, enum log_sink sink, int fd)
{
	log_done(log);
	log->sink = sink;
	log->fd = fd;
	log->broken = false;
}

static void put(struct log *log, const char *bytes, size_t len)
{
	struct pollfd ready = { .fd = log->fd, .events = POLLOUT };
	ssize_t n = -1;

	if (log->sink == SINK_STDERR) /* a pipe that is ready takes PIPE_BUF bytes, which is more than a line */
		n = poll(&ready, 1, 0) == 1 ? write(log->fd, bytes, len) : -1;
	else
		n = send(log->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n >= 0)
		return;
	log->lost++;
	if (log->sink != SINK_STDERR && errno != EAGAIN && errno != ENOBUFS && errno != EMSGSIZE)
		log->broken = true;
}

static void clean(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || (unsigned char)*text == 0x7f)
			*text = ' ';
}

static void put_journal(struct log *log, int priority, const char *text, const struct log_field *fields, size_t count)
{
	char line[LOG_TEXT_MAX + 512];
	int n = snprintf(line, sizeof(line), "MESSAGE=%s\nPRIORITY=%d\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=" TAG
			 "\nSPIMEND_ROLE=%s\n", text, priority & LOG_PRIMASK, LOG_FAC(priority), log->role);

	for (size_t i = 0; i < count && n > 0 && (size_t)n < sizeof(line); i++)
		n += snprintf(line + n, sizeof(line) - (size_t)n, "%s=%s\n", fields[i].name, fields[i].value);
	if (n > 0 && (size_t)n < sizeof(line))
		put(log, line, (size_t)n);
}

static void put_syslog(struct log *log, int priority, const char *text)
{
	char line[LOG_TEXT_MAX + 128];
	time_t now = time(NULL);
	struct tm at;
	int n;

	if (!localtime_r(&now, &at))
		return;
	n = snprintf(line, sizeof(line), "<%d>%s %2d %02d:%02d:%02d " TAG "[%ld]: %s", priority, calendar_month_name(at.tm_mon + 1),
		     at.tm_mday, at.tm_hour, at.tm_min, at.tm_sec, (long)getpid(), text);
	if (n > 0)
		put(log, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

/* RFC 3339, for `spimend analyze` as for people. */
static void add_time(const struct log *log, char *to, size_t size)
{
	struct timespec now;
	struct tm at;

	clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &at))
		snprintf(to, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %s ", at.tm_year + 1900, at.tm_mon + 1, at.tm_mday,
			 at.tm_hour, at.tm_min, at.tm_sec, now.tv_nsec / 1000000, log->host);
}

static void put_stderr(struct log *log, int priority, const char *text, bool device)
{
	char line[LOG_TEXT_MAX + 192], mark[128] = "";
	int n;

	if (log->marks)
		snprintf(mark, sizeof(mark), "<%d>", priority & LOG_PRIMASK);
	else if (log->times)
		add_time(log, mark, sizeof(mark));
	if (device && !log->times)
		n = snprintf(line, sizeof(line), "%s%s\n", mark, text);
	else
		n = snprintf(line, sizeof(line), "%s" TAG "[%s]: %s\n", mark, log->role, text);
	if (n > 0)
		put(log, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

void log_say(struct log *log, int severity, const char *format, ...)
{
	char text[LOG_TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	clean(text);
	switch (log->sink) {
	case SINK_JOURNAL:
		put_journal(log, LOG_DAEMON | severity, text, NULL, 0);
		break;
	case SINK_SYSLOG:
		put_syslog(log, LOG_DAEMON | severity, text);
		break;
	default:
		put_stderr(log, severity, text, false);
	}
}

void log_device_line(struct log *log, int severity, const char *line, const struct log_field *more, size_t count)
{
	char text[LOG_TEXT_MAX], mnemonic[64];
	struct text rest, word = TEXT_NONE;
	size_t percent;
	struct log_field fields[LOG_FIELDS_MAX] = { { "SPIMEND_MNEMONIC", mnemonic } };

	if (count > LOG_FIELDS_MAX - 1)
		count = LOG_FIELDS_MAX - 1;
	if (count)
		memcpy(fields + 1, more, count * sizeof(*more));

	text_copy(text_of(line), text, sizeof(text));
	clean(text);
	percent = text_find_char(text_of(text), '%');
	if (percent != TEXT_NOT_FOUND) {
		rest = text_skip(text_of(text), percent + 1);
		word = text_take_until(&rest, ": ");
	}
	text_copy(word, mnemonic, sizeof(mnemonic));
	switch (log->sink) {
	case SINK_JOURNAL:
		put_journal(log, LOG_LOCAL7 | severity, text, fields, 1 + count);
		break;
	case SINK_SYSLOG:
		put_syslog(log, LOG_LOCAL7 | severity, text);
		break;
	default:
		put_stderr(log, severity, text, true);
	}
}
