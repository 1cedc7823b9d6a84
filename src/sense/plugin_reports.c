/* SPDX-License-Identifier: MIT */
#include "sense/plugin_reports.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "parse/plugin_message.h"

struct plugin_reports {
	uint16_t daemon;
	int fd; /* owns */
	struct plugin_reports_calls calls;
	bool welcomed;
	char version[PLUGIN_TEXT_MAX];
	uint64_t reports, lost, malformed;
};

int plugin_reports_new(uint16_t daemon, int fd, const struct plugin_reports_calls *calls, struct plugin_reports **ret)
{
	struct plugin_reports *p = memory_new(1, sizeof(*p));

	if (!p) {
		close(fd);
		return -ENOMEM;
	}
	p->daemon = daemon;
	p->fd = fd;
	p->calls = *calls;
	*ret = p;
	return 0;
}

void plugin_reports_free(struct plugin_reports *p)
{
	if (!p)
		return;
	close(p->fd);
	memory_free(p);
}

static void take(struct plugin_reports *p, const struct plugin_message *m)
{
	struct plugin_report report;

	if (m->kind == PLUGIN_WELCOME && !p->welcomed) {
		p->welcomed = true;
		memcpy(p->version, m->text, sizeof(p->version));
	} else if (plugin_is_report(m->kind)) {
		p->reports += m->kind != PLUGIN_LOST;
		p->lost += m->kind == PLUGIN_LOST ? m->count : 0;
		memset(&report, 0, sizeof(report));
		report.daemon = p->daemon;
		report.is = *m;
		p->calls.report(p->calls.context, &report);
	} else {
		p->malformed++;
	}
}

int plugin_reports_read(struct plugin_reports *p)
{
	for (int i = 0; i < PLUGIN_REPORTS_READ_AT_ONCE; i++) {
		unsigned char bytes[PLUGIN_MESSAGE_MAX + 1]; /* one more: a longer one shows */
		ssize_t len = recv(p->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		struct plugin_failure failure;
		struct plugin_message m;

		if (len < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (len <= 0)
			return len < 0 ? -errno : -EPIPE;
		if (plugin_message_read(bytes, (size_t)len, &m, &failure))
			p->malformed++;
		else
			take(p, &m);
		if (p->malformed >= PLUGIN_REPORTS_MALFORMED_MAX)
			return -EPROTO;
	}
	return 0;
}

void plugin_reports_state(const struct plugin_reports *p, struct plugin_state *state)
{
	state->daemon = p->daemon;
	state->up = p->welcomed;
	memset(state->version, 0, sizeof(state->version));
	memcpy(state->version, p->version, strnlen(p->version, sizeof(state->version) - 1));
	state->reports += p->reports;
	state->lost += p->lost;
	state->malformed += p->malformed;
}
