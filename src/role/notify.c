/* SPDX-License-Identifier: MIT */
#include "role/notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"

void notify_init(struct notify *notify)
{
	const char *path = getenv("NOTIFY_SOCKET"), *watchdog = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	uint64_t microseconds = 0, number = 0;
	socklen_t len;

	*notify = (struct notify){ .fd = -1 };
	if (path && (path[0] == '/' || path[0] == '@') && strlen(path) < sizeof(address.sun_path)) {
		text_copy(text_of(path), address.sun_path, sizeof(address.sun_path));
		len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + (path[0] == '/'));
		if (path[0] == '@') /* the abstract name space */
			address.sun_path[0] = 0;
		notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (notify->fd >= 0 && connect(notify->fd, (struct sockaddr *)&address, len) < 0)
			notify_done(notify);
	}
	if (watchdog && (!pid || (text_decimal(text_of(pid), INT32_MAX, &number) == 0 && number == (uint64_t)getpid())) &&
	    text_decimal(text_of(watchdog), INT64_MAX / 1000, &microseconds) == 0)
		notify->watchdog_ns = (int64_t)microseconds * 1000;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void notify_done(struct notify *notify)
{
	if (notify->fd >= 0)
		close(notify->fd);
	notify->fd = -1;
}

void notify_say(struct notify *notify, const char *format, ...)
{
	char text[512];
	va_list arguments;
	int n;

	if (notify->fd < 0)
		return;
	va_start(arguments, format);
	n = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (n > 0)
		(void)!send(notify->fd, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
}
