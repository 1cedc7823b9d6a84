/* SPDX-License-Identifier: MIT */
#include "parse/config.h"

#include <errno.h>
#include <inttypes.h>

#include "base/memory.h"
#include "parse/config_private.h"
#include "parse/prompt.h"
#include "parse/secrets.h"
#include "spimend/error.h"

#define ROWS_MAX 128

struct parser {
	struct config *config;   /* owns: what is read so far */
	struct config *standard; /* owns */
	struct config_report *report; /* borrows */
	struct device_reader *devices; /* owns; NULL until there is one */
	uint32_t line;
	enum config_block block;
	bool in_applet;          /* its lines are the compiler's of src/eem */
	bool is_change;          /* of a configuration that runs: what is said again is meant to be */
	bool eem;                /* a line for that compiler was there */
	uint32_t set_at[ROWS_MAX]; /* line that set a row, 0: none */
};

static void problem(struct parser *p, uint32_t line, bool is_warning, const struct buffer *text)
{
	struct config_report *r = p->report;

	if (is_warning)
		r->warnings++;
	else
		r->errors++;
	if (r->kept == CONFIG_PROBLEMS_MAX)
		return;
	r->problems[r->kept].line = line;
	r->problems[r->kept].is_warning = is_warning;
	text_copy(buffer_text(text), r->problems[r->kept].text, CONFIG_PROBLEM_TEXT_MAX);
	r->kept++;
}

static void say(struct parser *p, uint32_t line, bool is_warning, const char *text)
{
	struct buffer b = { 0 };

	buffer_add_string(&b, text);
	problem(p, line, is_warning, &b);
	buffer_done(&b);
}

/* --- Words ----------------------------------------------------------------------------------------------------- */

/* A '!' at a word's start begins a comment. False: more words than any command has. */
static bool split(struct text line, struct words *ret)
{
	ret->count = 0;
	for (;;) {
		struct text word = text_take_word(&line);

		if (word.len == 0 || word.at[0] == '!')
			return true;
		if (ret->count == CONFIG_WORDS_MAX)
			return false;
		ret->at[ret->count++] = word;
	}
}

/* The keyword number `n` of a row, empty behind the last. */
static struct text keyword_of(const struct config_row *row, size_t n)
{
	struct text rest = text_of(row->keywords), word;

	do
		word = text_take_word(&rest);
	while (n-- > 0 && word.len);
	return word;
}

struct match {
	const struct config_row *row; /* NULL: none */
	size_t used;                  /* words that are keywords, or that were understood before it went wrong */
	bool is_ambiguous, is_incomplete;
	bool candidates[ROWS_MAX];    /* by row: what fitted up to `used` */
};

/*
 * Finds the row whose keywords the words begin, each abbreviated as far as it is unambiguous among the rows that still
 * fit; a keyword written out beats those that only begin like it.
 */
static struct match find_row(const struct words *words, size_t from, enum config_block block)
{
	struct match m = { 0 };

	for (size_t i = 0; i < config_row_count; i++)
		if (config_rows[i].block == block)
			m.candidates[i] = true;
	for (;; m.used++) {
		struct text typed = from + m.used < words->count ? words->at[from + m.used] : TEXT_NONE, chosen = TEXT_NONE;
		bool fits[ROWS_MAX] = { false }, any = false, is_exact = false;

		for (size_t i = 0; i < config_row_count; i++) {
			struct text keyword = keyword_of(&config_rows[i], m.used);

			if (!m.candidates[i])
				continue;
			if (keyword.len == 0) { /* rows are no prefixes of each other: it is the only one left */
				m.row = &config_rows[i];
				return m;
			}
			if (typed.len == 0) {
				m.is_incomplete = true;
				return m;
			}
			if (!text_starts_nocase(keyword, typed) || (is_exact && typed.len != keyword.len))
				continue;
			if (typed.len == keyword.len && !is_exact) {
				is_exact = true;
				m.is_ambiguous = false;
				memset(fits, 0, sizeof(fits));
				chosen = TEXT_NONE;
			}
			m.is_ambiguous = m.is_ambiguous || (chosen.len && !text_equal(chosen, keyword));
			chosen = keyword;
			fits[i] = any = true;
		}
		if (!any)
			return m;
		memcpy(m.candidates, fits, sizeof(fits));
		if (m.is_ambiguous)
			return m;
	}
}

/* --- What was meant? ------------------------------------------------------------------------------------------- */

/* The row whose keywords are nearest to as many typed words, or NULL when none is near. */
static const struct config_row *nearest(const struct words *words, size_t from)
{
	const struct config_row *best = NULL;
	size_t edits = SIZE_MAX;

	for (size_t i = 0; i < config_row_count; i++) {
		char typed[TEXT_RESEMBLES_MAX + 1];
		size_t len = 0;

		for (size_t k = 0; from + k < words->count && keyword_of(&config_rows[i], k).len; k++) {
			struct text word = words->at[from + k];

			if (len + word.len + 1 > TEXT_RESEMBLES_MAX)
				break;
			if (k > 0)
				typed[len++] = ' ';
			memcpy(typed + len, word.at, word.len);
			len += word.len;
		}
		if (text_resembles((struct text){ typed, len }, text_of(config_rows[i].keywords), edits, &edits))
			best = &config_rows[i];
	}
	return best;
}

static void add_syntax(struct buffer *out, const struct config_row *row)
{
	buffer_printf(out, "'%s%s%s'", row->keywords, row->arguments[0] ? " " : "", row->arguments);
}

/* "a, b or c": the distinct keywords that could stand next. */
static void add_choices(struct buffer *out, const struct match *m)
{
	struct text known[ROWS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < config_row_count; i++) {
		struct text keyword = m->candidates[i] ? keyword_of(&config_rows[i], m->used) : TEXT_NONE;

		if (keyword.len && (count == 0 || !text_equal(known[count - 1], keyword)))
			known[count++] = keyword;
	}
	for (size_t i = 0; i < count; i++)
		buffer_printf(out, "%s%.*s", i == 0 ? "" : i + 1 == count ? " or " : ", ", TEXT_ARG(known[i]));
}

static void add_typed(struct buffer *out, const struct words *words, size_t count)
{
	for (size_t i = 0; i < count && i < words->count; i++) {
		buffer_add_string(out, i ? " " : "");
		config_quote(out, words->at[i]);
		/* A key, and problems end in the log. "snmp-server host A COMMUNITY" as well */
		if ((secret_follows(words->at[i]) || (i == 2 && text_equal_nocase(words->at[0], TEXT("snmp-server")))) &&
		    i + 1 < words->count) {
			buffer_add_string(out, " ...");
			return;
		}
	}
}

void config_print_safe(struct text line, struct buffer *out)
{
	struct words words;

	(void)split(line, &words);
	add_typed(out, &words, words.count);
}

static void say_unknown(struct parser *p, const struct words *words, size_t from, const struct match *m)
{
	static const struct {
		enum config_block block;
		const char *opens;
	} blocks[] = { { CONFIG_SPIMEND, "spimend" }, { CONFIG_DEVICE, "device NAME" } };
	const struct config_row *elsewhere = NULL;
	const char *opens = "";
	struct buffer b = { 0 };

	if (p->report->kept == CONFIG_PROBLEMS_MAX) { /* it is counted, and nobody reads it */
		problem(p, p->line, false, &b);
		return;
	}
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]) && !elsewhere; i++) {
		struct match other = { 0 };

		if (blocks[i].block != p->block)
			other = find_row(words, from, blocks[i].block);
		elsewhere = other.row;
		opens = blocks[i].opens;
	}
	if (m->is_ambiguous) {
		buffer_add_char(&b, '\'');
		add_typed(&b, words, from + m->used + 1);
		buffer_add_string(&b, "' may mean ");
		add_choices(&b, m);
	} else if (m->is_incomplete) {
		buffer_add_char(&b, '\'');
		add_typed(&b, words, words->count);
		buffer_add_string(&b, "' is incomplete: ");
		add_choices(&b, m);
		buffer_add_string(&b, " is expected next");
	} else if (elsewhere) {
		add_syntax(&b, elsewhere);
		buffer_printf(&b, " stands inside the block that the line '%s' opens", opens);
	} else {
		const struct config_row *near = nearest(words, from);

		buffer_add_string(&b, "unknown command '");
		add_typed(&b, words, words->count);
		buffer_add_char(&b, '\'');
		if (near) {
			buffer_add_string(&b, "; did you mean ");
			add_syntax(&b, near);
			buffer_add_char(&b, '?');
		} else if (m->used) {
			buffer_add_string(&b, "; after '");
			add_typed(&b, words, from + m->used);
			buffer_add_string(&b, "' stands ");
			add_choices(&b, m);
		}
	}
	problem(p, p->line, false, &b);
	buffer_done(&b);
}

/* "event manager policy" is in the plan, and not in this version: an honest answer instead of "unknown". */
static bool is_later(struct parser *p, const struct words *words, size_t from)
{
	static const char *const later[] = { "event", "manager", "policy" };

	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
		if (from + i >= words->count || !text_equal_nocase(words->at[from + i], text_of(later[i])))
			return false;
	say(p, p->line, false, "'event manager policy' is not in this version yet");
	p->block = CONFIG_TOP;
	return true;
}

/* --- Lines ----------------------------------------------------------------------------------------------------- */

static void note_again(struct parser *p, const struct config_row *row, bool list_again)
{
	uint32_t *set_at = &p->set_at[row - config_rows];
	bool is_list = config_is_list(row);
	struct buffer b = { 0 };

	if (p->is_change || row->type == VALUE_EEM || row->type == VALUE_APPLET)
		return;
	if (row->type != VALUE_BLOCK && row->type != VALUE_FLAG && (is_list ? list_again : *set_at != 0)) {
		buffer_printf(&b, "'%s' is said twice", row->keywords);
		if (!is_list)
			buffer_printf(&b, ", before in line %" PRIu32, *set_at);
		buffer_add_string(&b, "; this one counts");
		problem(p, p->line, true, &b);
	}
	buffer_done(&b);
	*set_at = p->line;
}

static bool run_device(struct parser *p, const struct words *words, size_t from, const struct config_row *row, bool is_no,
		       bool *again, struct buffer *why)
{
	if (!p->devices)
		p->devices = config_device_reader_new(p->config);
	if (!p->devices) {
		buffer_add_string(why, "no memory");
		return false;
	}
	if (!config_check_words(row, words, from, is_no, why))
		return false;
	if (is_no)
		return config_device_unset(row, from < words->count ? words->at[from] : TEXT_NONE, p->devices, why);
	return config_device_set(row, words->at + from, words->count - from, p->devices, p->line, why, again);
}

static void run_row(struct parser *p, const struct words *words, size_t from, const struct config_row *row, bool is_no)
{
	struct buffer why = { 0 };
	bool again = false, fine;

	p->block = row->block;
	if (!is_no && (row->type == VALUE_BLOCK || row->type == VALUE_DEVICE))
		p->block = row->type == VALUE_BLOCK ? CONFIG_SPIMEND : CONFIG_DEVICE;
	p->in_applet = row->type == VALUE_APPLET && !is_no;
	p->eem = p->eem || row->type == VALUE_APPLET || row->type == VALUE_EEM;
	if (config_device_is_row(row))
		fine = run_device(p, words, from, row, is_no, &again, &why);
	else if (is_no)
		fine = config_value_unset(row, words, from, p->config, p->standard, &why);
	else
		fine = config_value_set(row, words, from, p->config, &why, &again);
	if (!fine)
		problem(p, p->line, false, &why);
	else if (is_no)
		p->set_at[row - config_rows] = 0;
	else
		note_again(p, row, again);
	buffer_done(&why);
}

/* "conf t" */
static bool is_configure(const struct words *words)
{
	return words->count == 2 && words->at[0].len >= 4 && text_starts_nocase(TEXT("configure"), words->at[0]) &&
	       text_starts_nocase(TEXT("terminal"), words->at[1]);
}

/* How an applet's line begins, or what it goes on with where a document broke it. Anything else behind an applet is a
 * command of the configuration, or a mistake: the compiler of src/eem passes other lines over, and nobody else would say so.
 */
static bool is_applet_word(struct text word)
{
	static const struct text begins[] = { TEXT("action"), TEXT("attribute"), TEXT("correlate"), TEXT("description"),
					      TEXT("event"), TEXT("trigger"), TEXT("spimend") };
	static const char goes_on[] =
		" oid oid-val op src-ip-address dest-ip-address maxrun occurs period priority pattern poll-interval entry-op "
		"entry-val entry-type exit-op exit-val exit-comb exit-time get-type skip sync ratelimit mode state name time "
		"direction msg-op cron-entry interface cdp lldp and or andnot msg facility intdata1 intdata2 strdata server to from "
		"subject body cc command ";
	char spaced[32];

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (word.len >= 2 && text_starts_nocase(begins[i], word))
			return true;
	if (word.len == 0 || word.at[0] == '"' || (unsigned char)word.at[0] >= 0x80) /* quotes, straight or not */
		return true;
	text_copy(word, spaced + 1, sizeof(spaced) - 2);
	spaced[0] = ' ';
	memcpy(spaced + strlen(spaced), " ", 2);
	return text_has(TEXT(goes_on), text_of(spaced));
}

/* What stands behind "event manager applet" belongs to it, up to `exit`, `end` or another command of the configuration: the
 * compiler of src/eem ends it there as well. */
static bool is_of_applet(struct parser *p, const struct words *words)
{
	bool is_no = text_equal_nocase(words->at[0], TEXT("no"));
	struct match m;

	if (!p->in_applet || is_configure(words) ||
	    (words->count == 1 && (text_equal_nocase(words->at[0], TEXT("exit")) || text_equal_nocase(words->at[0], TEXT("end")))))
		return false;
	m = find_row(words, is_no ? 1 : 0, CONFIG_TOP);
	/* "spimend device NAME" is a line of applets, "spimend" alone a block. */
	if (m.row)
		return m.row->type == VALUE_BLOCK && words->count > 1;
	return is_applet_word(words->at[is_no ? 1 : 0]);
}

static void read_words(struct parser *p, const struct words *words)
{
	bool is_no = text_equal_nocase(words->at[0], TEXT("no"));
	size_t from = is_no ? 1 : 0;
	struct match m, top;

	if (is_no && words->count == 1) {
		say(p, p->line, false, "'no' needs the command that it takes back");
		return;
	}
	if (words->count == 1 && (text_equal_nocase(words->at[0], TEXT("exit")) || text_equal_nocase(words->at[0], TEXT("end")))) {
		p->block = CONFIG_TOP;
		p->in_applet = false;
		return;
	}
	if (is_configure(words)) /* at the head of pasted text */
		return;
	m = find_row(words, from, p->block);
	/* As IOS does: what the block does not know is tried outside. */
	if (!m.row && p->block != CONFIG_TOP && m.used == 0 && !m.is_ambiguous) {
		top = find_row(words, from, CONFIG_TOP);
		if (top.row)
			m = top;
	}
	if (m.row)
		run_row(p, words, from + m.used, m.row, is_no);
	else if (!is_later(p, words, from))
		say_unknown(p, words, from, &m);
}

static void read_line(struct parser *p, struct text line)
{
	struct words words;

	if (line.len && memchr(line.at, '\0', line.len)) {
		say(p, p->line, false, "a NUL byte: is this a text file?");
		return;
	}
	if (line.len > CONFIG_LINE_MAX) {
		struct buffer b = { 0 };

		buffer_printf(&b, "the line has %zu bytes; at most %d are read", line.len, CONFIG_LINE_MAX);
		problem(p, p->line, false, &b);
		buffer_done(&b);
		return;
	}
	if (!split(prompt_skip(line), &words) && !p->in_applet) {
		say(p, p->line, false, "more words than any command has");
		return;
	}
	if (words.count && !is_of_applet(p, &words))
		read_words(p, &words);
}

static bool has_plugin(const struct config *c)
{
	for (uint32_t i = 0; i < c->daemon_count; i++)
		if (c->plugins[i][0])
			return true;
	return false;
}

static bool has_user(const struct config_notify *n, const char *name)
{
	for (uint32_t i = 0; i < n->user_count; i++)
		if (strcmp(n->users[i].name, name) == 0)
			return true;
	return false;
}

static bool is_well_known(const char *community)
{
	return text_equal_nocase(text_of(community), TEXT("public")) || text_equal_nocase(text_of(community), TEXT("private"));
}

/* Pasted configuration has communities in it: it works as it stands, and is not praised. */
static void check_snmp(struct parser *p)
{
	const struct config_notify *n = &p->config->notify;
	bool clear = n->community_count > 0, known = false;

	for (uint32_t i = 0; i < n->community_count; i++)
		known = known || is_well_known(n->communities[i]);
	for (uint32_t i = 0; i < n->host_count; i++) {
		clear = clear || n->hosts[i].security == NOTIFY_V2C;
		known = known || (n->hosts[i].security == NOTIFY_V2C && is_well_known(n->hosts[i].name));
	}
	for (uint32_t i = 0; i < n->host_count; i++)
		if (n->hosts[i].security > NOTIFY_V3_NOAUTH && !has_user(n, n->hosts[i].name))
			say(p, 0, false, "'snmp-server host' names a user of version 3 that no 'snmp-server user' has");
	if (n->manager && n->host_count == 0)
		say(p, 0, true, "'snmp-server manager' hears those that 'snmp-server host' names, and there is none");
	if (known)
		say(p, 0, true, "an SNMP community that everybody knows: traps with it are as good as anybody's");
	else if (clear)
		say(p, 0, true, "SNMP version 2c shows its community to whoever reads the network: 'version 3 priv' does not");
}

static void check_hooks(struct parser *p)
{
	const struct config *c = p->config;
	struct spimend_address address;

	for (uint32_t i = 0; i < c->hooks.web_count; i++) {
		const struct hook_web *web = &c->hooks.webs[i];

		if (!hook_web_address(web, &c->notify, &address))
			say(p, 0, false, "'hook webhook' names a host that no 'ip host' line knows: names are not looked up");
		else if (!web->tls && address.bytes[0] != 127)
			say(p, 0, true, "'hook webhook http://...' is read by whoever reads the network: 'https://' is not");
	}
	if (c->hooks.program[0] && (!c->hooks.user[0] || strcmp(c->hooks.user, "root") == 0 || strcmp(c->hooks.user, c->user) == 0 ||
				    strcmp(c->hooks.user, c->dial_user) == 0))
		say(p, 0, false, "'hook exec' needs 'hook user NAME', an account of its own: what it runs must reach no process or file of "
				 "the other roles");
}

/* What no single line shows. */
static void check_whole(struct parser *p)
{
	const struct config *c = p->config;

	if (c->backoff_most_ns < c->backoff_ns)
		say(p, 0, false, "'repair back-off-most' is less than 'repair back-off'");
	if (c->invalid_spi_recovery && c->mode != MODE_REPAIR) /* B11 */
		say(p, 0, true, "'crypto isakmp invalid-spi-recovery' is only planned: that takes 'mode repair'");
	check_snmp(p);
	check_hooks(p);
	if (c->crash_detection && !has_plugin(c))
		say(p, 0, true, "'crash-detection' is done by the plugin: that takes 'sense strongswan PATH plugin PATH'");
	if (c->crash_detection && c->mode != MODE_REPAIR)
		say(p, 0, true, "'crash-detection' is off until 'mode repair': it sends tokens and drops IKE SAs");
	if (c->notify_invalid_spi && !has_plugin(c))
		say(p, 0, true, "'notify invalid-spi' is done by the plugin: that takes 'sense strongswan PATH plugin PATH'");
	if (c->syslog.listener_count && c->syslog.source_count == 0 && c->devices.count == 0)
		say(p, 0, true, "'syslog listen' hears those that 'syslog source' and 'device' name, and there is none");
	if (c->syslog.source_count && c->syslog.listener_count == 0)
		say(p, 0, true, "'syslog source' without 'syslog listen': nothing is heard of them");
	if (syslog_is_wanted(&c->syslog) && c->daemon_count == 0 && c->interface_count == 0)
		return; /* no gateway: it watches a fleet */
	if (c->daemon_count == 0)
		say(p, 0, true, "no 'sense strongswan PATH': without an IKE daemon there is no ledger, and nothing can be repaired");
	if (c->interface_count == 0)
		say(p, 0, true, "no 'sense interface NAME': stray packets are not seen");
}

static void on_approval(void *context, uint32_t line, struct text what)
{
	struct parser *p = context;
	struct buffer b = { 0 };

	buffer_add(&b, what);
	problem(p, line, true, &b);
	buffer_done(&b);
}

static void on_device_problem(void *context, uint32_t line, struct text why)
{
	struct parser *p = context;
	struct buffer b = { 0 };

	buffer_add(&b, why);
	problem(p, line, false, &b);
	buffer_done(&b);
}

static void parser_done(struct parser *p)
{
	config_device_reader_free(p->devices);
}

/* `was` NULL: over the defaults. */
static int parse(struct text file, const struct config *was, enum config_block block, struct config *ret,
		 struct config_report *report, bool *ret_eem)
{
	struct config *config cleanup(memory_free_pointer) = memory_new(1, sizeof(*config));
	struct config *standard cleanup(memory_free_pointer) = memory_new(1, sizeof(*standard));
	struct parser p cleanup(parser_done) = {
		.config = config, .standard = standard, .report = report, .block = block, .is_change = was,
	};
	struct text line;

	memset(report, 0, sizeof(*report));
	if (!config || !standard)
		return -ENOMEM;
	config_default(config);
	config_default(standard);
	if (was)
		memcpy(config, was, sizeof(*config));
	text_take(&file, TEXT("\xef\xbb\xbf")); /* an editor's byte order mark */
	while (text_take_line(&file, &line)) {
		p.line++;
		read_line(&p, line);
	}
	if (p.devices && config_device_finish(p.devices, !was, on_device_problem, &p) < 0)
		return -ENOMEM;
	if (!was) {
		check_whole(&p);
		config_approval_check(config, on_approval, &p);
	}
	if (report->errors)
		return SPIMEND_E_SYNTAX;
	memcpy(ret, config, sizeof(*ret));
	*ret_eem = p.eem;
	return 0;
}

int config_parse(struct text file, struct config *ret, struct config_report *report)
{
	bool eem;

	return parse(file, NULL, CONFIG_TOP, ret, report, &eem);
}

int config_change(const struct config *was, struct text lines, enum config_block block, struct config *ret, bool *ret_eem,
		  struct config_report *report)
{
	return parse(lines, was, block, ret, report, ret_eem);
}

void config_print(const struct config *config, struct buffer *out)
{
	struct config *standard cleanup(memory_free_pointer) = memory_new(1, sizeof(*standard));
	struct buffer block = { 0 };

	if (!standard) {
		out->failed = true;
		return;
	}
	config_default(standard);
	for (size_t i = 0; i < config_row_count; i++)
		if (config_rows[i].type != VALUE_BLOCK)
			config_value_print(&config_rows[i], config, standard, config_rows[i].block == CONFIG_SPIMEND ? &block : out);
	if (block.len) {
		buffer_add_string(out, "spimend\n");
		buffer_add(out, buffer_text(&block));
	}
	config_device_print(&config->devices, out);
	out->failed |= block.failed;
	buffer_done(&block);
}

void config_report_print(const struct config_report *report, struct text name, struct buffer *out)
{
	uint64_t all = report->errors + report->warnings;

	for (uint32_t i = 0; i < report->kept; i++) {
		const struct config_problem *one = &report->problems[i];

		buffer_add(out, name);
		if (one->line)
			buffer_printf(out, ":%" PRIu32, one->line);
		buffer_printf(out, ": %s%s\n", one->is_warning ? "warning: " : "", one->text);
	}
	if (all > report->kept)
		buffer_printf(out, "%.*s: and %" PRIu64 " more\n", TEXT_ARG(name), all - report->kept);
}

size_t config_command_count(void)
{
	return config_row_count;
}

bool config_syntax_at(size_t index, struct config_syntax *ret)
{
	const struct config_row *row = &config_rows[index];

	if (index >= config_row_count)
		return false;
	*ret = (struct config_syntax){ row->keywords, row->arguments, row->help, row->block };
	return true;
}

bool config_command_at(size_t index, struct config_command *ret)
{
	struct config *standard cleanup(memory_free_pointer) = memory_new(1, sizeof(*standard));
	const struct config_row *row = &config_rows[index];
	struct buffer value = { 0 };

	if (index >= config_row_count || !standard)
		return false;
	memset(ret, 0, sizeof(*ret));
	config_default(standard);
	ret->keywords = row->keywords;
	ret->arguments = row->arguments;
	ret->block = row->block;
	ret->help = row->help;
	if (row->most > 0) {
		buffer_printf(&value, "%.15g to %.15g", row->least, row->most);
		text_copy(buffer_text(&value), ret->range, sizeof(ret->range));
		buffer_clear(&value);
	}
	config_value_print_one(row, standard, &value);
	text_copy(buffer_text(&value), ret->standard, sizeof(ret->standard));
	buffer_done(&value);
	return true;
}

void config_help(struct buffer *out)
{
	struct config_command c;

	for (size_t i = 0; config_command_at(i, &c); i++) {
		buffer_printf(out, "%s%s%s%s\n", c.block == CONFIG_TOP ? "" : " ", c.keywords, c.arguments[0] ? " " : "", c.arguments);
		buffer_printf(out, "        %s", c.help);
		if (c.range[0])
			buffer_printf(out, "; %s", c.range);
		if (c.standard[0])
			buffer_printf(out, "; %s unless said otherwise", c.standard);
		buffer_add_char(out, '\n');
	}
}
