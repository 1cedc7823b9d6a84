/* SPDX-License-Identifier: MIT */
#include "serve/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/calendar.h"
#include "base/memory.h"

#define ACCEPTS_MAX 32 /* in one turn */
#define NEVER INT64_MAX

enum phase { PHASE_FREE, PHASE_READING, PHASE_ASKED, PHASE_WRITING };

struct client { /* one connection */
	struct http *http;              /* borrows */
	struct MHD_Connection *connection; /* borrows */
	int fd;                         /* borrows: the library closes it */
	enum phase phase;
	bool begun;                     /* a request line came, and the request is not whole */
	bool served;                    /* a whole one came before */
	bool suspended;
	int64_t deadline;
	char who[HTTP_WHO_MAX];
};

struct http_request {
	struct client *client;          /* borrows */
	struct text method, path;       /* borrow the library's */
	struct buffer body, query, address;
	bool is_asked, is_too_large, failed;
	struct MHD_Response *response;  /* owns; NULL: none yet */
	unsigned status;
	struct stream *stream;          /* owns; NULL: it is none */
};

struct stream {
	struct http *http;              /* borrows */
	struct client *client;          /* borrows; NULL: over */
	uint64_t mark;
	struct buffer waits;
	size_t taken;                   /* bytes of it */
	bool lost, ended;
};

struct http {
	struct http_calls calls;
	struct MHD_Daemon *daemon;      /* owns */
	struct client clients[HTTP_CONNECTIONS_MAX];
	struct stream *streams[HTTP_STREAMS_MAX]; /* borrow: each belongs to its response */
	struct http_figures figures;
	int64_t now;                    /* of the latest call */
	bool ends;
};

/* --- Clients ---------------------------------------------------------------------------------------------------------- */

static struct client *find_client(struct http *http, int fd)
{
	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
		if (http->clients[i].phase != PHASE_FREE && http->clients[i].fd == fd)
			return &http->clients[i];
	return NULL;
}

static void resume(struct client *client)
{
	if (!client->suspended)
		return;
	client->suspended = false;
	MHD_resume_connection(client->connection);
}

static void suspend(struct client *client)
{
	if (client->suspended || client->http->ends)
		return;
	client->suspended = true;
	MHD_suspend_connection(client->connection);
}

/* The library notices, and closes. */
static void hang_up(struct client *client)
{
	shutdown(client->fd, SHUT_RDWR);
	client->deadline = NEVER;
	resume(client);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct http *http = context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *is = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
		struct client *client = is ? find_client(http, is->connect_fd) : NULL;

		if (client)
			client->connection = connection;
		*socket_context = client;
	} else if (*socket_context) {
		struct client *client = *socket_context;

		if (client->begun && client->deadline != NEVER)
			http->figures.malformed++;
		http->figures.connections--;
		memset(client, 0, sizeof(*client));
	}
}

static struct client *client_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *is = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return is ? is->socket_context : NULL;
}

static void name_client(struct client *client, const struct sockaddr_storage *from)
{
	char address[INET6_ADDRSTRLEN] = "?";
	struct ucred who;
	socklen_t len = sizeof(who);

	if (from->ss_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)from)->sin_addr, address, sizeof(address));
	else if (from->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, address, sizeof(address));
	else if (getsockopt(client->fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0)
		snprintf(address, sizeof(address), "uid %u", who.uid);
	snprintf(client->who, sizeof(client->who), "%s", address);
}

static struct client *free_client(struct http *http)
{
	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
		if (http->clients[i].phase == PHASE_FREE)
			return &http->clients[i];
	return NULL;
}

void http_accept(struct http *http, int listening, int64_t now_ns)
{
	http->now = now_ns;
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		struct sockaddr_storage from = { .ss_family = AF_UNSPEC };
		socklen_t len = sizeof(from);
		int fd = accept4(listening, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct client *client;

		if (fd < 0)
			return;
		client = free_client(http);
		if (!client) { /* who is in already goes on */
			http->figures.too_many++;
			close(fd);
			continue;
		}
		*client = (struct client){ .http = http, .fd = fd, .phase = PHASE_READING, .deadline = now_ns + HTTP_REQUEST_NS };
		name_client(client, &from);
		http->figures.connections++;
		if (MHD_add_connection(http->daemon, fd, (struct sockaddr *)&from, len) != MHD_YES && client->phase != PHASE_FREE) {
			http->figures.connections--;
			memset(client, 0, sizeof(*client));
		}
	}
}

/* --- Requests --------------------------------------------------------------------------------------------------------- */

/* Called for each request line: the address as it came, before anybody understood it. */
static void *on_address(void *context, const char *address, struct MHD_Connection *connection)
{
	struct http_request *request = memory_new(1, sizeof(*request));
	struct client *client = client_of(connection);
	size_t mark = strcspn(address, "?");

	(void)context;
	if (!request || !client) {
		memory_free(request);
		return NULL;
	}
	client->begun = true;
	request->client = client;
	buffer_add(&request->address, (struct text){ address, mark });
	if (address[mark])
		buffer_add_string(&request->query, address + mark + 1);
	request->path = buffer_text(&request->address);
	return request;
}

static void free_request(struct http_request *request)
{
	buffer_done(&request->body);
	buffer_done(&request->query);
	buffer_done(&request->address);
	if (request->response)
		MHD_destroy_response(request->response);
	memory_free(request);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **of_request,
			 enum MHD_RequestTerminationCode code)
{
	struct http *http = context;
	struct http_request *request = *of_request;

	(void)connection;
	(void)code;
	if (!request)
		return;
	request->client->phase = PHASE_READING;
	if (request->client->deadline != NEVER)
		request->client->deadline = http->now + HTTP_REQUEST_NS;
	free_request(request);
	*of_request = NULL;
}

static enum MHD_Result queue(struct MHD_Connection *connection, struct http_request *request)
{
	request->client->phase = PHASE_WRITING;
	return MHD_queue_response(connection, request->status, request->response);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *address, const char *method,
				  const char *version, const char *upload, size_t *upload_size, void **of_request)
{
	struct http *http = context;
	struct http_request *request = *of_request;

	(void)address;
	(void)version;
	if (!request || request->failed || buffer_error(&request->address) || buffer_error(&request->query))
		return MHD_NO;
	request->method = text_of(method);
	if (*upload_size) {
		if (request->body.len + *upload_size > HTTP_BODY_MAX)
			request->is_too_large = true;
		else
			buffer_add(&request->body, (struct text){ upload, *upload_size });
		*upload_size = 0;
		return MHD_YES;
	}
	if (request->response)
		return queue(connection, request);
	if (!request->is_asked) { /* the headers alone: a body may follow */
		request->is_asked = true;
		return MHD_YES;
	}
	if (request->client->phase == PHASE_ASKED) { /* resumed without an answer */
		suspend(request->client);
		return MHD_YES;
	}
	request->client->begun = false;
	request->client->served = true;
	request->client->phase = PHASE_ASKED;
	request->client->deadline = NEVER - 1; /* whose turn it is now answers in time itself */
	http->calls.request(http->calls.context, request);
	if (request->response)
		return queue(connection, request);
	suspend(request->client);
	return MHD_YES;
}

struct text http_method(const struct http_request *request)
{
	return request->method;
}

struct text http_path(const struct http_request *request)
{
	return request->path;
}

struct text http_query(const struct http_request *request)
{
	return buffer_text(&request->query);
}

struct text http_header(const struct http_request *request, const char *name)
{
	return text_of(MHD_lookup_connection_value(request->client->connection, MHD_HEADER_KIND, name));
}

struct text http_body(const struct http_request *request)
{
	return request->is_too_large ? TEXT_NONE : buffer_text(&request->body);
}

bool http_is_too_large(const struct http_request *request)
{
	return request->is_too_large;
}

const char *http_who(const struct http_request *request)
{
	return request->client->who;
}

/* --- Answers ---------------------------------------------------------------------------------------------------------- */

static void add(struct MHD_Response *response, const char *name, const char *value)
{
	if (value)
		(void)MHD_add_response_header(response, name, value);
}

/* Nothing of ours is shown in a frame, run inline, or read by another origin; doc/web-api.md has the list. */
static void add_safety(struct MHD_Response *response)
{
	add(response, "Content-Security-Policy",
	    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
	    "form-action 'self'; frame-ancestors 'none'");
	add(response, "X-Content-Type-Options", "nosniff");
	add(response, "X-Frame-Options", "DENY");
	add(response, "Referrer-Policy", "no-referrer");
	add(response, "Cross-Origin-Resource-Policy", "same-origin");
	add(response, "Cross-Origin-Opener-Policy", "same-origin");
}

static void give(struct http_request *request, struct MHD_Response *response, unsigned status, int64_t now_ns)
{
	request->response = response;
	request->status = status;
	if (request->client->deadline != NEVER)
		request->client->deadline = now_ns + HTTP_ANSWER_NS;
	resume(request->client);
}

void http_answer(struct http_request *request, const struct http_answer *answer, int64_t now_ns)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(answer->body.len, (void *)(uintptr_t)answer->body.at,
									MHD_RESPMEM_MUST_COPY);
	char seconds[16];

	if (!response) { /* no memory: the connection ends */
		request->failed = true;
		hang_up(request->client);
		return;
	}
	add_safety(response);
	add(response, "Content-Type", answer->type);
	add(response, "Cache-Control", answer->cache);
	add(response, "ETag", answer->etag);
	add(response, "Set-Cookie", answer->cookie);
	add(response, "Allow", answer->allow);
	if (answer->status == 401)
		add(response, "WWW-Authenticate", "Bearer");
	snprintf(seconds, sizeof(seconds), "%u", answer->retry_after_s);
	add(response, "Retry-After", answer->retry_after_s ? seconds : NULL);
	give(request, response, answer->status, now_ns);
}

/* --- Streams ---------------------------------------------------------------------------------------------------------- */

static ssize_t read_stream(void *context, uint64_t position, char *to, size_t most)
{
	struct stream *stream = context;
	size_t left = stream->waits.len - stream->taken, n = left < most ? left : most;

	(void)position;
	if (n == 0 && stream->ended)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (n == 0) {
		if (stream->client->deadline != NEVER) /* nothing waits: nobody is late */
			stream->client->deadline = NEVER - 1;
		suspend(stream->client);
		return 0;
	}
	memcpy(to, stream->waits.bytes + stream->taken, n);
	stream->taken += n;
	if (stream->taken == stream->waits.len) {
		stream->taken = 0;
		buffer_clear(&stream->waits);
	} else if (stream->taken >= HTTP_STREAM_MAX) { /* a reader who is always a little late: what he has makes room */
		memmove(stream->waits.bytes, stream->waits.bytes + stream->taken, stream->waits.len - stream->taken);
		stream->waits.len -= stream->taken;
		stream->taken = 0;
	}
	if (stream->client->deadline != NEVER)
		stream->client->deadline = stream->http->now + HTTP_ANSWER_NS;
	return (ssize_t)n;
}

static void free_stream(void *context)
{
	struct stream *stream = context;
	struct http *http = stream->http;

	for (size_t i = 0; i < HTTP_STREAMS_MAX; i++)
		if (http->streams[i] == stream)
			http->streams[i] = NULL;
	http->figures.streams--;
	buffer_done(&stream->waits);
	if (!http->ends)
		http->calls.stream_over(http->calls.context, stream->mark);
	memory_free(stream);
}

bool http_stream(struct http_request *request, uint64_t mark, int64_t now_ns)
{
	struct http *http = request->client->http;
	struct MHD_Response *response;
	struct stream *stream;
	size_t place = 0;

	while (place < HTTP_STREAMS_MAX && http->streams[place])
		place++;
	stream = place < HTTP_STREAMS_MAX ? memory_new(1, sizeof(*stream)) : NULL;
	if (!stream)
		return false;
	*stream = (struct stream){ .http = http, .client = request->client, .mark = mark };
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, read_stream, stream, free_stream);
	if (!response) {
		memory_free(stream);
		return false;
	}
	http->streams[place] = stream;
	http->figures.streams++;
	buffer_add_string(&stream->waits, "retry: 3000\n\n");
	add_safety(response);
	add(response, "Content-Type", "text/event-stream");
	add(response, "Cache-Control", "no-store");
	add(response, "X-Accel-Buffering", "no"); /* proxies that gather would keep events back */
	give(request, response, 200, now_ns);
	return true;
}

static void add_event(struct stream *stream, const char *name, struct text data)
{
	if (!name)
		buffer_add_string(&stream->waits, ":\n\n");
	else
		buffer_printf(&stream->waits, "event: %s\ndata: %.*s\n\n", name, TEXT_ARG(data));
}

static void tell(struct stream *stream, const char *name, struct text data)
{
	struct http *http = stream->http;

	if (stream->ended)
		return;
	if (stream->waits.len - stream->taken + data.len > HTTP_STREAM_MAX) {
		stream->lost = true;
		http->figures.lost++;
		return;
	}
	if (stream->waits.len == 0 && stream->client->deadline != NEVER) /* from now on somebody is waited for */
		stream->client->deadline = http->now + HTTP_ANSWER_NS;
	if (stream->lost)
		add_event(stream, "lost", TEXT("{\"schema\":\"spimend.lost/1\"}"));
	stream->lost = false;
	add_event(stream, name, data);
	if (buffer_error(&stream->waits))
		stream->ended = true;
	resume(stream->client);
}

void http_event(struct http *http, uint64_t mark, const char *name, struct text data)
{
	for (size_t i = 0; i < HTTP_STREAMS_MAX; i++)
		if (http->streams[i] && (mark == 0 || http->streams[i]->mark == mark))
			tell(http->streams[i], name, data);
}

void http_stream_end(struct http *http, uint64_t mark)
{
	for (size_t i = 0; i < HTTP_STREAMS_MAX; i++) {
		if (!http->streams[i] || http->streams[i]->mark != mark)
			continue;
		http->streams[i]->ended = true;
		resume(http->streams[i]->client);
	}
}

/* --- Life ------------------------------------------------------------------------------------------------------------- */

/* The address is understood by us: what is escaped in it stays so here. */
static size_t keep_escapes(void *context, struct MHD_Connection *connection, char *text)
{
	(void)context;
	(void)connection;
	return strlen(text);
}

int http_new(const struct http_calls *calls, struct http **ret)
{
	struct http *http = memory_new(1, sizeof(*http));

	if (!http)
		return -ENOMEM;
	http->calls = *calls;
	http->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
					on_request, http, MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MAX,
					MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_MEMORY_MAX,
					MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,
					MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,
					MHD_OPTION_URI_LOG_CALLBACK, on_address, http,
					MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, http,
					MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	if (!http->daemon) {
		memory_free(http);
		return errno ? -errno : -EIO;
	}
	*ret = http;
	return 0;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	http->ends = true;
	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
		if (http->clients[i].phase != PHASE_FREE)
			hang_up(&http->clients[i]);
	(void)MHD_run(http->daemon);
	MHD_stop_daemon(http->daemon);
	memory_free(http);
}

int http_fd(const struct http *http)
{
	const union MHD_DaemonInfo *is = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);

	return is ? is->epoll_fd : -1;
}

int64_t http_run(struct http *http, int64_t now_ns)
{
	int64_t next = NEVER;
	MHD_UNSIGNED_LONG_LONG wait;

	http->now = now_ns;
	(void)MHD_run(http->daemon);
	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
		struct client *client = &http->clients[i];

		if (client->phase == PHASE_FREE)
			continue;
		if (client->deadline <= now_ns) {
			/* One that has asked and asks nothing more is no trouble: it is only closed. */
			if (client->phase == PHASE_WRITING || client->begun || !client->served)
				http->figures.timed_out++;
			hang_up(client);
			next = now_ns;
		} else if (client->deadline < next) {
			next = client->deadline;
		}
	}
	if (MHD_get_timeout(http->daemon, &wait) == MHD_YES && now_ns + (int64_t)wait * 1000000 < next)
		next = now_ns + (int64_t)wait * 1000000;
	return next;
}

struct http_figures http_figures(const struct http *http)
{
	return http->figures;
}
