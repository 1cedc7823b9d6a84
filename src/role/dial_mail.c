/* SPDX-License-Identifier: MIT */
/*
 * Mail of applets (RFC 5321), one message a connection, plain text. To servers that the configuration names: the message
 * names its action, and the action's server is worked out here again. Each step is bounded, and so is the whole.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "role/applets_check.h"
#include "role/dial_role.h"
#include "spimend/error.h"

#define RECIPIENTS_MAX 32
#define ADDRESS_MAX 254 /* RFC 5321 4.5.3.1.3 */

static void watch(struct mail *m)
{
	loop_set_events(m->source, m->phase == MAIL_CONNECTS || m->sent < m->out.len ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void finish(struct mail *m, const char *why)
{
	struct dial_mailed done = { .request = m->request, .sent = why == NULL };

	snprintf(done.why, sizeof(done.why), "%s", why ? why : "");
	for (char *c = done.why; *c; c++) /* a server's words */
		*c = *c < 0x20 || *c > 0x7e ? '.' : *c;
	channel_send(m->dial->core, MESSAGE_MAILED, &done);
	loop_remove(m->source);
	if (m->fd >= 0)
		close(m->fd);
	buffer_done(&m->out);
	memory_free(m->what);
	*m = (struct mail){ .dial = m->dial, .fd = -1 };
}

/* --- What is said ------------------------------------------------------------------------------------------------- */

/* "a@b, c@d" or with blanks: the next address. False: none is left. */
static bool take_address(struct text *rest, struct text *ret)
{
	while (rest->len && (rest->at[0] == ' ' || rest->at[0] == ',' || rest->at[0] == ';'))
		*rest = text_skip(*rest, 1);
	*ret = text_take_until(rest, " ,;");
	return ret->len > 0;
}

static bool is_address(struct text t)
{
	for (size_t i = 0; i < t.len; i++)
		if (t.at[i] == '<' || t.at[i] == '>' || t.at[i] == '"' || t.at[i] == '\\')
			return false;
	return t.len > 0 && t.len <= ADDRESS_MAX;
}

static bool take_recipient(struct mail *m, struct text *ret)
{
	return take_address(&m->to, ret) || take_address(&m->cc, ret);
}

static const char *check_addresses(const struct dial_mail *what)
{
	struct text lists[3] = { text_of(what->from), text_of(what->to), text_of(what->cc) }, one;
	uint32_t counts[3] = { 0, 0, 0 };

	for (int i = 0; i < 3; i++) {
		while (take_address(&lists[i], &one)) {
			if (!is_address(one))
				return "an address of it is none: only user@host is known";
			counts[i]++;
		}
	}
	if (counts[0] != 1 || counts[1] == 0)
		return "it needs one sender and a recipient";
	return counts[1] + counts[2] > RECIPIENTS_MAX ? "it has too many recipients" : NULL;
}

static void add_list(struct buffer *out, const char *name, struct text list)
{
	struct text one;
	bool any = false;

	while (take_address(&list, &one)) {
		buffer_printf(out, "%s%.*s", any ? ",\r\n " : name, TEXT_ARG(one));
		any = true;
	}
	if (any)
		buffer_add_string(out, "\r\n");
}

/* RFC 5322; a line that begins with a dot gets another one (RFC 5321 4.5.2). */
static void add_message(struct mail *m)
{
	const struct dial_mail *what = m->what;
	struct civil at = calendar_from_instant(what->at);
	struct text body = text_of(what->body), line;
	struct buffer *out = &m->out;

	buffer_printf(out, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000\r\n", calendar_weekday_name(what->at.ns / DAY_NS), at.day,
		      calendar_month_name(at.month), at.year, at.hour, at.minute, at.second);
	add_list(out, "From: ", text_of(what->from));
	add_list(out, "To: ", text_of(what->to));
	add_list(out, "Cc: ", text_of(what->cc));
	buffer_printf(out, "Subject: %s\r\nMessage-ID: <%" PRIu64 ".%" PRId64 "@%s>\r\nMIME-Version: 1.0\r\n"
		      "Content-Type: text/plain; charset=us-ascii\r\nAuto-Submitted: auto-generated\r\n\r\n", what->subject, m->request,
		      what->at.ns, m->dial->member->config->hostname);
	while (text_take_line(&body, &line)) {
		while (line.len > 990) { /* RFC 5321 4.5.3.1.6 */
			buffer_printf(out, "%s%.*s\r\n", line.at[0] == '.' ? "." : "", 990, line.at);
			line = text_skip(line, 990);
		}
		buffer_printf(out, "%s%.*s\r\n", line.len && line.at[0] == '.' ? "." : "", TEXT_ARG(line));
	}
	buffer_add_string(out, ".\r\n");
}

/* --- What is answered --------------------------------------------------------------------------------------------- */

static void refused(struct mail *m, const char *by, struct text line)
{
	char why[DIAL_WHY_MAX];

	snprintf(why, sizeof(why), "the mail server refuses %s: %.*s", by, (int)(line.len < 60 ? line.len : 60), line.at);
	finish(m, why);
}

static void say_recipient(struct mail *m)
{
	struct text one;

	m->phase = MAIL_RECIPIENT;
	if (take_recipient(m, &one)) {
		buffer_printf(&m->out, "RCPT TO:<%.*s>\r\n", TEXT_ARG(one));
		return;
	}
	m->phase = MAIL_DATA;
	buffer_add_string(&m->out, "DATA\r\n");
}

static void take_reply(struct mail *m, int code, struct text line)
{
	const char *hostname = m->dial->member->config->hostname;

	switch (m->phase) {
	case MAIL_GREETING:
		if (code != 220) {
			refused(m, "us", line);
			return;
		}
		m->phase = MAIL_HELLO;
		buffer_printf(&m->out, "EHLO %s\r\n", hostname);
		return;
	case MAIL_HELLO:
		if (code >= 500 && !m->old) { /* an old one */
			m->old = true;
			buffer_printf(&m->out, "HELO %s\r\n", hostname);
			return;
		}
		if (code != 250) {
			refused(m, "the greeting", line);
			return;
		}
		m->phase = MAIL_SENDER;
		buffer_printf(&m->out, "MAIL FROM:<%.*s>\r\n", TEXT_ARG(text_trim(text_of(m->what->from))));
		return;
	case MAIL_SENDER:
	case MAIL_RECIPIENT:
		if (code != 250 && code != 251)
			refused(m, m->phase == MAIL_SENDER ? "the sender" : "a recipient", line);
		else
			say_recipient(m);
		return;
	case MAIL_DATA:
		if (code != 354) {
			refused(m, "the message", line);
			return;
		}
		m->phase = MAIL_MESSAGE;
		add_message(m);
		return;
	default:
		if (code != 250) {
			refused(m, "the message", line);
			return;
		}
		(void)send(m->fd, "QUIT\r\n", 6, MSG_DONTWAIT | MSG_NOSIGNAL); /* it has the message: what it says to this does not matter */
		finish(m, NULL);
	}
}

/* Lines "250-..." go on, "250 ..." ends. False: the mail is over. */
static bool take_lines(struct mail *m)
{
	for (;;) {
		struct text all = { m->in, m->in_len }, line;
		size_t end = text_find_char(all, '\n');
		uint64_t request = m->request, code;

		if (end == TEXT_NOT_FOUND)
			return true;
		line = text_trim(text_first(all, end));
		if (line.len < 3 || text_decimal(text_first(line, 3), 599, &code) < 0 || code < 200) {
			finish(m, "what answers is no mail server");
			return false;
		}
		if (line.len == 3 || line.at[3] != '-')
			take_reply(m, (int)code, line);
		if (m->request != request)
			return false;
		m->in_len -= end + 1;
		memmove(m->in, m->in + end + 1, m->in_len);
	}
}

/* --- The connection ----------------------------------------------------------------------------------------------- */

static void flush(struct mail *m)
{
	while (m->sent < m->out.len) {
		ssize_t n = send(m->fd, m->out.bytes + m->sent, m->out.len - m->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			finish(m, "the connection to the mail server is lost");
			return;
		}
		m->sent += (size_t)n;
	}
	if (m->out.failed) {
		finish(m, "no memory");
		return;
	}
	if (m->sent == m->out.len) {
		buffer_clear(&m->out);
		m->sent = 0;
	}
	watch(m);
}

static bool connected(struct mail *m)
{
	int error = 0;
	socklen_t len = sizeof(error);
	char why[DIAL_WHY_MAX];

	if (getsockopt(m->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error) {
		snprintf(why, sizeof(why), "the mail server cannot be reached: %.40s", spimend_strerror(-error));
		finish(m, why);
		return false;
	}
	m->phase = MAIL_GREETING;
	return true;
}

static void on_socket(void *context, uint32_t events)
{
	struct mail *m = context;
	ssize_t n;

	if (m->phase == MAIL_CONNECTS && !(events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
		return;
	if (m->phase == MAIL_CONNECTS && !connected(m))
		return;
	n = recv(m->fd, m->in + m->in_len, sizeof(m->in) - m->in_len, MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		finish(m, "the connection to the mail server is lost");
		return;
	}
	if (n == 0) {
		finish(m, m->in_len == sizeof(m->in) ? "the mail server's line has no end" : "the mail server closed the connection");
		return;
	}
	m->in_len += n > 0 ? (size_t)n : 0;
	if (take_lines(m))
		flush(m);
}

/* --- From core ---------------------------------------------------------------------------------------------------- */

/* As core compiled them, out of the same text: once for each configuration, when the first mail comes. */
static const struct eem_policies *policies_of(struct dial *dial)
{
	struct eem_report report = { 0 };

	if (!dial->policies && eem_compile(buffer_text(&dial->member->text), &dial->policies, &report) < 0)
		dial->policies = NULL;
	eem_report_done(&report);
	return dial->policies;
}

static const char *begin(struct mail *m, const struct dial_mail *what, int64_t now)
{
	cleanup(buffer_done) struct buffer why = { 0 };
	const struct eem_policies *policies = policies_of(m->dial);
	struct mail_target target;
	const char *bad = check_addresses(what);

	if (bad)
		return bad;
	if (!policies || mail_target_of(m->dial->member->config, policies, what->policy, what->action, &target, &why) < 0 ||
	    target.mark != what->mark)
		return "it belongs to another configuration";
	m->what = memory_new(1, sizeof(*m->what));
	if (!m->what)
		return "no memory";
	*m->what = *what;
	m->to = text_of(m->what->to);
	m->cc = text_of(m->what->cc);
	m->deadline = now + DIAL_MAIL_NS;
	m->phase = MAIL_CONNECTS;
	m->fd = dial_connect(&target.address, target.port, SOCK_STREAM);
	if (m->fd < 0 || loop_add(m->dial->member->loop, m->fd, EPOLLIN | EPOLLOUT, on_socket, m, &m->source) < 0)
		return "no connection to the mail server can be made";
	return NULL;
}

void mails_take(struct dial *dial, const struct dial_mail *what, int64_t now)
{
	struct mail busy = { .dial = dial, .fd = -1, .request = what->request }, *m = &busy;
	const char *why = "too many mails at once";

	for (uint32_t i = 0; i < DIAL_MAILS_MAX && m == &busy; i++)
		if (!dial->mails[i].request)
			m = &dial->mails[i];
	if (m != &busy && !bucket_may(&dial->mail_bucket, now, DIAL_MAILS_A_SECOND)) {
		m = &busy;
		why = "more than one mail a second";
	} else if (m != &busy) {
		*m = (struct mail){ .dial = dial, .fd = -1, .request = what->request };
		why = begin(m, what, now);
	}
	if (why)
		finish(m, why);
}

void mails_configure(struct dial *dial)
{
	eem_policies_release(dial->policies);
	dial->policies = NULL;
}

int64_t mails_tick(struct dial *dial, int64_t now)
{
	int64_t again = LOOP_NEVER;

	for (uint32_t i = 0; i < DIAL_MAILS_MAX; i++) {
		struct mail *m = &dial->mails[i];

		if (m->request && now >= m->deadline)
			finish(m, m->phase == MAIL_CONNECTS ? "the mail server does not answer" : "the mail server takes too long");
		if (m->request && m->deadline < again)
			again = m->deadline;
	}
	return again;
}

void mails_done(struct dial *dial)
{
	for (uint32_t i = 0; i < DIAL_MAILS_MAX; i++)
		if (dial->mails[i].request)
			finish(&dial->mails[i], "spimend ends");
	mails_configure(dial);
}
