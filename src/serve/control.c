/* SPDX-License-Identifier: MIT */
#include "serve/control.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "serve/control_private.h"
#include "spimend/error.h"

#define EVENTS_MAX 16
#define ACCEPTS_MAX 16             /* in one call: others wait for the next turn of the loop */
#define PEER_GROUPS_MAX 256        /* of a peer; who is in more is known by its first group alone */
#define LISTENING CONTROL_CLIENTS_MAX
#define PAUSE_NS SECOND_NS         /* without descriptors: until then nobody is accepted */
#define WRITE_MAX (1u << 20)       /* bytes to one client in one turn */

/* A session goes from asking to waiting (where its answer comes later) to replying and back to asking. */
enum client_state { CLIENT_FREE, CLIENT_ASKING, CLIENT_ANSWERED, CLIENT_WATCHING, CLIENT_WAITING, CLIENT_REPLYING };

struct client {
	enum client_state state;
	int fd;
	uid_t uid;
	bool is_operator, is_session;
	void *session;     /* of the command line; the role's */
	bool json;
	bool writing;      /* epoll is asked for EPOLLOUT */
	char request[CONTROL_REQUEST_MAX];
	size_t got;
	struct buffer out; /* what it has not taken yet starts at `sent` */
	size_t sent;
	size_t room;       /* of a watcher: so much may wait */
	int64_t deadline;  /* INT64_MAX: none */
};

struct control {
	int listening, epoll; /* owns */
	struct control_rules rules;
	control_answer_fn *answer;
	struct control_exec exec; /* zero: there is no command line */
	void *context; /* borrows */
	struct client clients[CONTROL_CLIENTS_MAX];
	struct control_figures figures;
	int64_t paused_until; /* INT64_MAX: it listens */
};

static void end_client(struct control *c, struct client *client)
{
	if (client->session)
		c->exec.gone(c->context, client->session);
	close(client->fd); /* leaves the epoll set with it */
	buffer_done(&client->out);
	memset(client, 0, sizeof(*client));
}

static size_t waiting(const struct client *client)
{
	return client->out.len - client->sent;
}

static void want(struct control *c, struct client *client, bool writing)
{
	struct epoll_event event = { .data.u32 = (uint32_t)(client - c->clients) };

	event.events = client->state == CLIENT_ASKING ? EPOLLIN : writing ? EPOLLOUT : 0; /* EPOLLHUP comes unasked */
	client->writing = writing;
	epoll_ctl(c->epoll, EPOLL_CTL_MOD, client->fd, &event);
}

/* --- Who asks? ------------------------------------------------------------------------------------------------- */

static bool is_group_allowed(const struct control *c, gid_t group)
{
	for (size_t i = 0; i < c->rules.group_count && i < CONTROL_GROUPS_MAX; i++)
		if (c->rules.groups[i] == group)
			return true;
	return false;
}

static bool is_operator(const struct control *c, gid_t group)
{
	return c->rules.has_operators && c->rules.operators == group;
}

/* By the kernel's word about the process that connected. */
static bool is_allowed(const struct control *c, int fd, uid_t *ret_uid, bool *ret_operator)
{
	gid_t groups[PEER_GROUPS_MAX];
	socklen_t size = sizeof(struct ucred);
	struct ucred who;
	bool allowed;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0 || size != sizeof(who))
		return false;
	*ret_uid = who.uid;
	*ret_operator = who.uid == 0 || is_operator(c, who.gid);
	allowed = *ret_operator || (c->rules.has_user && who.uid == c->rules.user) || is_group_allowed(c, who.gid);
	size = sizeof(groups);
	if (*ret_operator || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
		return allowed;
	for (size_t i = 0; i < size / sizeof(groups[0]); i++) {
		*ret_operator = *ret_operator || is_operator(c, groups[i]);
		allowed = allowed || *ret_operator || is_group_allowed(c, groups[i]);
	}
	return allowed;
}

/* One try: whoever is turned away gets a reason if it fits, and nothing waits for him. */
static void turn_away(int fd, const char *why)
{
	struct buffer out = { 0 };

	control_head_print(2, text_of(why), &out);
	if (!out.failed)
		(void)!send(fd, out.bytes, out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	buffer_done(&out);
	close(fd);
}

static struct client *free_client(struct control *c)
{
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (c->clients[i].state == CLIENT_FREE)
			return &c->clients[i];
	return NULL;
}

static void listen_again(struct control *c, bool on)
{
	struct epoll_event event = { .events = on ? EPOLLIN : 0, .data.u32 = LISTENING };

	epoll_ctl(c->epoll, EPOLL_CTL_MOD, c->listening, &event);
}

static int accept_clients(struct control *c, int64_t now)
{
	for (int turn = 0; turn < ACCEPTS_MAX; turn++) {
		int fd = accept4(c->listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct client *client = free_client(c);
		struct epoll_event event = { .events = EPOLLIN };
		bool is_one = false;
		uid_t uid = 0;

		if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return 0;
		if (fd < 0 && (errno == ECONNABORTED || errno == EINTR))
			continue;
		if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
			c->paused_until = now + PAUSE_NS; /* it would be told again at once, for ever */
			listen_again(c, false);
			return 0;
		}
		if (fd < 0)
			return -errno;
		c->figures.accepted++;
		if (!is_allowed(c, fd, &uid, &is_one)) {
			c->figures.refused++;
			turn_away(fd, "permission denied: root may ask, the configured user, and the members of control-group");
			continue;
		}
		if (!client) {
			c->figures.full++;
			turn_away(fd, "too many ask at once; try again");
			continue;
		}
		event.data.u32 = (uint32_t)(client - c->clients);
		if (epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
			close(fd);
			continue;
		}
		client->state = CLIENT_ASKING;
		client->fd = fd;
		client->uid = uid;
		client->is_operator = is_one;
		client->deadline = now + CONTROL_REQUEST_NS;
	}
	return 0;
}

/* --- Answers --------------------------------------------------------------------------------------------------- */

/* Writes what it takes now; ends it when it has all and nothing more will come, or when it is gone. */
static void write_client(struct control *c, struct client *client, int64_t now)
{
	size_t most = WRITE_MAX;

	while (waiting(client) && most) {
		size_t size = waiting(client) < most ? waiting(client) : most;
		ssize_t n = send(client->fd, client->out.bytes + client->sent, size, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n <= 0) {
			end_client(c, client);
			return;
		}
		client->sent += (size_t)n;
		most -= (size_t)n;
		if (client->state == CLIENT_WATCHING)
			client->deadline = now + CONTROL_ANSWER_NS;
	}
	if (waiting(client)) {
		if (!client->writing)
			want(c, client, true);
		return;
	}
	if (client->state == CLIENT_ANSWERED) {
		end_client(c, client);
		return;
	}
	buffer_clear(&client->out);
	client->sent = 0;
	if (client->state == CLIENT_REPLYING) { /* what it asks next may be here already */
		client->state = CLIENT_ASKING;
		client->deadline = now + CONTROL_IDLE_NS;
		want(c, client, false);
		return;
	}
	client->room = CONTROL_WATCH_MAX;
	client->deadline = INT64_MAX;
	if (client->writing)
		want(c, client, false);
}

static void answer_error(struct control *c, struct client *client, struct text error, int64_t now)
{
	buffer_clear(&client->out);
	control_head_print(2, error, &client->out);
	client->state = CLIENT_ANSWERED;
	client->deadline = now + CONTROL_ANSWER_NS;
	want(c, client, false);
	write_client(c, client, now);
}

static void answer_request(struct control *c, struct client *client, const struct control_request *request, int64_t now)
{
	struct buffer body = { 0 }, why = { 0 };
	int status = c->answer(c->context, request, &body);

	if (status >= 0 && (body.failed || body.len > CONTROL_ANSWER_MAX))
		status = body.failed ? -ENOMEM : -EFBIG;
	if (status == CONTROL_REFUSED) {
		answer_error(c, client, buffer_text(&body), now);
	} else if (status < 0) {
		if (status == -ENOENT)
			buffer_printf(&why, "no incident %s: 'spimend incidents' lists them", request->id);
		else if (status == -ENOTUNIQ)
			buffer_printf(&why, "several incidents begin with %s: type more of the id", request->id);
		else
			buffer_add_string(&why, spimend_strerror(status));
		answer_error(c, client, buffer_text(&why), now);
	} else {
		control_head_print(status > 1 ? 1 : status, TEXT_NONE, &client->out);
		buffer_add(&client->out, buffer_text(&body));
		client->state = request->command == CONTROL_WATCH ? CLIENT_WATCHING : CLIENT_ANSWERED;
		client->json = request->json;
		client->room = client->out.len + CONTROL_WATCH_MAX; /* what it is to see first may be more */
		client->deadline = now + CONTROL_ANSWER_NS;
		c->figures.answered++;
		if (client->out.failed) {
			end_client(c, client);
		} else {
			want(c, client, false);
			write_client(c, client, now);
		}
	}
	buffer_done(&body);
	buffer_done(&why);
}

/* --- Sessions --------------------------------------------------------------------------------------------------------- */

static uint32_t count_sessions(const struct control *c)
{
	uint32_t count = 0;

	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		count += c->clients[i].is_session;
	return count;
}

static void reply(struct control *c, struct client *client, int status, const struct control_state *state, struct text text,
		  int64_t now)
{
	if (text.len > CONTROL_ANSWER_MAX)
		text = TEXT("% the output is too long\n");
	control_state_print(status, state, text.len, &client->out);
	buffer_add(&client->out, text);
	client->state = state->over ? CLIENT_ANSWERED : CLIENT_REPLYING;
	client->deadline = now + CONTROL_ANSWER_NS;
	c->figures.answered++;
	if (client->out.failed) {
		end_client(c, client);
		return;
	}
	want(c, client, false);
	write_client(c, client, now);
}

static void run_session(struct control *c, struct client *client, const struct control_request *request, int64_t now)
{
	struct control_state state = { .page = 0 };
	struct buffer out = { 0 };
	int status;

	if (!client->is_session && (!c->exec.run || count_sessions(c) >= CONTROL_SESSIONS_MAX)) {
		answer_error(c, client, c->exec.run ? TEXT("too many sessions at once; try again") : TEXT("there is no command line here"),
			     now);
		return;
	}
	client->is_session = true;
	status = c->exec.run(c->context, request, &client->session, &state, &out);
	if (status == CONTROL_LATER) {
		client->state = CLIENT_WAITING;
		client->deadline = now + CONTROL_IDLE_NS;
		buffer_add(&client->out, buffer_text(&out)); /* goes in front of what comes */
		want(c, client, false);
	} else {
		reply(c, client, status, &state, buffer_text(&out), now);
	}
	buffer_done(&out);
}

void control_serve_exec(struct control *c, const struct control_exec *exec)
{
	c->exec = *exec;
}

/* The first whole line of what came; false: there is none yet, or it was answered with an error. */
static bool take_line(struct control *c, struct client *client, int64_t now)
{
	struct text line = { client->request, client->got };
	size_t end = text_find_char(line, '\n');
	struct control_request request;
	struct buffer why = { 0 };

	if (end == TEXT_NOT_FOUND) {
		if (client->got == sizeof(client->request)) {
			c->figures.malformed++;
			answer_error(c, client, TEXT("the request is longer than any that is known"), now);
		}
		return false;
	}
	if (control_request_read(text_first(line, end), &request, &why) < 0 ||
	    (client->is_session && request.command != CONTROL_EXEC)) {
		c->figures.malformed++;
		if (why.len == 0)
			buffer_add_string(&why, "a session has only exec requests");
		answer_error(c, client, buffer_text(&why), now);
		buffer_done(&why);
		return false;
	}
	buffer_done(&why);
	client->got -= end + 1;
	memmove(client->request, client->request + end + 1, client->got);
	request.uid = client->uid;
	request.is_operator = client->is_operator;
	if (request.command == CONTROL_EXEC) {
		run_session(c, client, &request, now);
	} else if (!client->is_operator && (request.command == CONTROL_APPROVE || request.command == CONTROL_DENY ||
					    request.command == CONTROL_JOURNAL || request.command == CONTROL_TOKEN)) {
		c->figures.refused++;
		answer_error(c, client, request.command == CONTROL_JOURNAL ?
			     TEXT("permission denied: root may read it, and the members of the operators' group") :
			     TEXT("permission denied: root may say so, and the members of the operators' group"), now);
	} else {
		answer_request(c, client, &request, now);
	}
	return client->state == CLIENT_ASKING;
}

bool control_say(struct control *c, const void *session, struct text text)
{
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		struct client *client = &c->clients[i];

		if (client->state != CLIENT_WAITING || client->session != session)
			continue;
		if (client->out.len < CONTROL_ANSWER_MAX)
			buffer_add(&client->out, text);
		return true;
	}
	return false;
}

void control_finish(struct control *c, const void *session, int status, const struct control_state *state, struct text text,
		    int64_t now)
{
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		struct client *client = &c->clients[i];
		struct buffer whole = { 0 };

		if (client->state != CLIENT_WAITING || client->session != session)
			continue;
		buffer_add(&whole, buffer_text(&client->out));
		buffer_add(&whole, text);
		buffer_clear(&client->out);
		reply(c, client, status, state, buffer_text(&whole), now);
		buffer_done(&whole);
		while (client->state == CLIENT_ASKING && client->got && take_line(c, client, now))
			; /* what it had sent meanwhile */
	}
}

static void read_client(struct control *c, struct client *client, int64_t now)
{
	ssize_t n = recv(client->fd, client->request + client->got, sizeof(client->request) - client->got, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	if (n <= 0) { /* gone; before it had asked, or in the middle of a line, that is worth counting */
		c->figures.malformed += !client->is_session || client->got > 0;
		end_client(c, client);
		return;
	}
	client->got += (size_t)n;
	while (take_line(c, client, now))
		;
}

static void serve_client(struct control *c, struct client *client, uint32_t events, int64_t now)
{
	if (client->state == CLIENT_FREE) /* ended earlier in this turn */
		return;
	if (client->state == CLIENT_ASKING)
		read_client(c, client, now);
	else if (events & (EPOLLHUP | EPOLLERR))
		end_client(c, client);
	else
		write_client(c, client, now);
	while (client->state == CLIENT_ASKING && client->got && take_line(c, client, now))
		; /* what it had sent while it was answered */
}

/* --- For the role ---------------------------------------------------------------------------------------------- */

int control_new(int listening, const struct control_rules *rules, control_answer_fn *answer, void *context,
		struct control **ret)
{
	struct control *c = memory_new(1, sizeof(*c));
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = LISTENING };
	int error = 0;

	if (!c) {
		close(listening);
		return -ENOMEM;
	}
	c->listening = listening;
	c->rules = *rules;
	c->answer = answer;
	c->context = context;
	c->paused_until = INT64_MAX;
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (c->epoll < 0 || epoll_ctl(c->epoll, EPOLL_CTL_ADD, listening, &event) < 0)
		error = -errno;
	if (error < 0) {
		control_free(c);
		return error;
	}
	*ret = c;
	return 0;
}

void control_free(struct control *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (c->clients[i].state != CLIENT_FREE)
			end_client(c, &c->clients[i]);
	if (c->epoll >= 0)
		close(c->epoll);
	close(c->listening);
	memory_free(c);
}

void control_allow(struct control *c, const struct control_rules *rules)
{
	c->rules = *rules;
}

int control_fd(const struct control *c)
{
	return c->epoll;
}

int control_read(struct control *c, int64_t now)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(c->epoll, events, EVENTS_MAX, 0), result = 0;

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		uint32_t which = events[i].data.u32;

		if (which < CONTROL_CLIENTS_MAX)
			serve_client(c, &c->clients[which], events[i].events, now);
	}
	/* New ones last: a place that became free above must not take an event meant for who had it before. */
	for (int i = 0; i < n; i++)
		if (events[i].data.u32 == LISTENING)
			result = accept_clients(c, now);
	return result;
}

int64_t control_tick(struct control *c, int64_t now)
{
	int64_t next = INT64_MAX;

	if (c->paused_until <= now) {
		c->paused_until = INT64_MAX;
		listen_again(c, true);
	}
	if (c->paused_until < next)
		next = c->paused_until;
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		struct client *client = &c->clients[i];

		if (client->state == CLIENT_FREE)
			continue;
		if (client->deadline <= now) {
			c->figures.slow++;
			end_client(c, client);
		} else if (client->deadline < next) {
			next = client->deadline;
		}
	}
	return next;
}

bool control_is_watched(const struct control *c)
{
	return control_figures(c).watchers > 0;
}

void control_publish(struct control *c, struct text text, struct text json, int64_t now)
{
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		struct client *client = &c->clients[i];
		struct text one = client->json ? json : text;

		if (client->state != CLIENT_WATCHING)
			continue;
		if (client->sent > CONTROL_WATCH_MAX) { /* what it took needs no room any more */
			struct buffer rest = { 0 };

			buffer_add(&rest, text_skip(buffer_text(&client->out), client->sent));
			buffer_done(&client->out);
			client->out = rest;
			client->sent = 0;
		}
		if (waiting(client) == 0)
			client->deadline = now + CONTROL_ANSWER_NS;
		buffer_add(&client->out, one);
		if (client->out.failed || waiting(client) > client->room) {
			c->figures.slow++;
			end_client(c, client);
			continue;
		}
		write_client(c, client, now);
	}
}

struct control_figures control_figures(const struct control *c)
{
	struct control_figures figures = c->figures;

	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		figures.clients += c->clients[i].state != CLIENT_FREE;
		figures.watchers += c->clients[i].state == CLIENT_WATCHING;
		figures.sessions += c->clients[i].is_session;
	}
	return figures;
}
