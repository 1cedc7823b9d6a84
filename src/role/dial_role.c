/* SPDX-License-Identifier: MIT */
#include "role/dial_role.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "role/roles.h"
#include "spimend/error.h"

#define TELL_EVERY SECOND_NS

/* --- For both kinds of receivers ---------------------------------------------------------------------------------- */

void dial_failed(struct dial_state *state, const char *what, int error)
{
	state->failures++;
	memset(state->why, 0, sizeof(state->why));
	snprintf(state->why, sizeof(state->why), error ? "%.60s (%.32s)" : "%.92s", what, error ? spimend_strerror(error) : "");
	for (char *c = state->why; *c; c++) /* a certificate's trouble is told in somebody else's words */
		*c = *c < 0x20 || *c > 0x7e ? '.' : *c;
}

int dial_connect(const struct spimend_address *address, uint16_t port, int kind)
{
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	bool is_six = address->family == 6;
	int fd = socket(is_six ? AF_INET6 : AF_INET, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), r;

	if (fd < 0)
		return -errno;
	memcpy(&four.sin_addr, address->bytes, 4);
	memcpy(&six.sin6_addr, address->bytes, 16);
	if (is_six)
		r = connect(fd, (const struct sockaddr *)&six, sizeof(six));
	else
		r = connect(fd, (const struct sockaddr *)&four, sizeof(four));
	if (r == 0 || errno == EINPROGRESS)
		return fd;
	r = -errno;
	close(fd);
	return r;
}

/* --- Core --------------------------------------------------------------------------------------------------------- */

static void settle(struct dial *dial)
{
	int64_t now = loop_now(dial->member->loop), lines = log_links_tick(dial, now), mails = mails_tick(dial, now);
	int64_t informs = informs_tick(dial, now), hooks = hook_links_tick(dial, now), fetches = fetches_tick(dial, now);
	int64_t first = lines < mails ? lines : mails;

	first = first < hooks ? first : hooks;
	if (fetches < first)
		first = fetches;
	loop_timer_at(dial->timer, first < informs ? first : informs);
}

static void from_core(void *context, struct channel *channel, enum message_type type, const union message_item *item,
		      const int *fds, size_t fd_count)
{
	struct dial *dial = context;

	(void)channel;
	member_close_fds(fds, fd_count);
	if (type == MESSAGE_SEND_LINE)
		log_links_take(dial, &item->send_line);
	else if (type == MESSAGE_EVIDENCE_FETCH)
		fetches_take(dial, &item->evidence_ask, loop_now(dial->member->loop));
	else if (type == MESSAGE_SEND_MAIL)
		mails_take(dial, &item->send_mail, loop_now(dial->member->loop));
	else if (type == MESSAGE_HOOK)
		hook_links_take(dial, &item->hook);
	else if (type == MESSAGE_SEND_TRAP)
		trap_links_take(dial, &item->send_trap, loop_now(dial->member->loop));
}

static void core_turn(void *context, struct channel *channel)
{
	(void)channel;
	settle(context);
}

static void core_closed(void *context, struct channel *channel, const char *why)
{
	struct dial *dial = context;

	if (why) /* that a role ended, the parent says */
		log_say(&dial->member->log, LOG_ERR, "core sent a message %s", why);
	channel_free(channel);
	dial->core = NULL;
}

static void tell(struct dial *dial, struct dial_state *state, struct dial_state *told, bool all)
{
	if (!all && memcmp(state, told, sizeof(*state)) == 0)
		return;
	if (channel_send(dial->core, MESSAGE_DIAL_STATE, state) == 0)
		*told = *state;
}

static void tell_states(struct dial *dial, bool all)
{
	for (uint32_t i = 0; i < NOTIFY_LOG_HOSTS_MAX; i++)
		if (dial->logs[i].used)
			tell(dial, &dial->logs[i].state, &dial->logs[i].told, all);
	for (uint32_t i = 0; i < NOTIFY_HOSTS_MAX; i++)
		if (dial->traps[i].used)
			tell(dial, &dial->traps[i].state, &dial->traps[i].told, all);
	for (uint32_t i = 0; i < HOOK_WEBS_MAX; i++)
		if (dial->hooks[i].used)
			tell(dial, &dial->hooks[i].state, &dial->hooks[i].told, all);
}

static void on_tell(void *context, int64_t now)
{
	(void)now;
	tell_states(context, false);
}

static void on_timer(void *context, int64_t now)
{
	(void)now;
	settle(context);
}

/* --- What the parent hands in ------------------------------------------------------------------------------------- */

static void take_channel(struct dial *dial, int fd)
{
	struct channel_calls calls = { .context = dial, .take = from_core, .closed = core_closed, .turn = core_turn };
	int r;

	channel_free(dial->core);
	dial->core = NULL;
	r = channel_new(dial->member->loop, fd, ROLE_DIAL, ROLE_CORE, &calls, &dial->core);
	if (r < 0)
		log_say(&dial->member->log, LOG_ERR, "no channel to core: %s", spimend_strerror(r));
	else
		tell_states(dial, true);
}

static void take_file(struct dial *dial, const struct role_resource *resource, const int *fds, size_t fd_count)
{
	if (resource->index >= DIAL_FILES) {
		member_close_fds(fds, fd_count);
		return;
	}
	if (dial->files[resource->index] >= 0)
		close(dial->files[resource->index]);
	dial->files[resource->index] = fd_count == 1 ? fds[0] : -1;
	dial->file_errors[resource->index] = resource->error;
	dial_tls_configure(dial);
	for (uint32_t i = 0; i < NOTIFY_LOG_HOSTS_MAX; i++) /* what failed for want of it is tried at once */
		if (dial->logs[i].used && dial->logs[i].phase == LINK_DOWN)
			dial->logs[i].again = 0;
	for (uint32_t i = 0; i < HOOK_WEBS_MAX; i++)
		dial->hooks[i].again = 0;
	settle(dial);
}

static void take_resource(void *context, const struct role_resource *resource, const int *fds, size_t fd_count)
{
	struct dial *dial = context;

	if (resource->kind == RESOURCE_CHANNEL && fd_count == 1)
		take_channel(dial, fds[0]);
	else if (resource->kind == RESOURCE_EVIDENCE_KEY)
		fetches_key(dial, resource, fds, fd_count);
	else if (resource->kind == RESOURCE_TLS_FILE)
		take_file(dial, resource, fds, fd_count);
	else
		member_close_fds(fds, fd_count);
}

/* --- Life --------------------------------------------------------------------------------------------------------- */

static void configure(struct dial *dial)
{
	dial_tls_configure(dial);
	trap_links_configure(dial);
	mails_configure(dial);
	log_links_configure(dial);
	hook_links_configure(dial);
	settle(dial);
}

static int begin(void *context, struct member *member)
{
	struct dial *dial = context;
	int r = usm_begin();

	dial->member = member;
	if (r == 0)
		r = loop_add_timer(member->loop, on_timer, dial, &dial->timer);
	if (r == 0)
		r = loop_add_timer(member->loop, on_tell, dial, &dial->tell_timer);
	if (r < 0)
		return r;
	loop_timer_every(dial->tell_timer, TELL_EVERY);
	configure(dial);
	return 0;
}

static void reload(void *context)
{
	configure(context);
}

static void end(void *context)
{
	struct dial *dial = context;

	tell_states(dial, false);
	mails_done(dial);
	fetches_done(dial);
	channel_flush(dial->core);
	channel_free(dial->core);
	log_links_done(dial);
	trap_links_done(dial);
	hook_links_done(dial);
	SSL_CTX_free(dial->tls);
	for (int i = 0; i < DIAL_FILES; i++)
		if (dial->files[i] >= 0)
			close(dial->files[i]);
}

int dial_role_run(void)
{
	static const struct member_calls calls = { .begin = begin, .resource = take_resource, .reload = reload, .end = end };
	struct dial dial = { 0 };

	for (int i = 0; i < DIAL_FILES; i++)
		dial.files[i] = -1;
	for (uint32_t i = 0; i < NOTIFY_LOG_HOSTS_MAX; i++)
		dial.logs[i].fd = -1;
	for (uint32_t i = 0; i < NOTIFY_HOSTS_MAX; i++)
		dial.traps[i].fd = -1;
	for (uint32_t i = 0; i < HOOK_WEBS_MAX; i++)
		dial.hooks[i].fd = -1;
	for (uint32_t i = 0; i < DIAL_FETCHES_MAX; i++)
		dial.fetches[i].fd = -1;
	return member_run(ROLE_DIAL, &calls, &dial);
}
