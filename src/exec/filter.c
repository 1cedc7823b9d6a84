/* SPDX-License-Identifier: MIT */
/* Lines through a pattern. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/memory.h"
#include "exec/pipe.h"

#define MATCH_STEPS_MAX 100000u /* of one line: what takes longer is not worth it, and is said */
#define MATCH_DEPTH_MAX 1000u
#define MATCH_HEAP_KIB 1024u

struct pattern {
	pcre2_general_context *memory; /* own all */
	pcre2_compile_context *compiler;
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *limits;
	uint64_t gave_up; /* lines */
};

static void *take_memory(PCRE2_SIZE size, void *context)
{
	(void)context;
	return memory_new(1, size);
}

static void give_memory(void *memory, void *context)
{
	(void)context;
	memory_free(memory);
}

static void pattern_done(struct pattern *p)
{
	pcre2_match_data_free(p->data);
	pcre2_match_context_free(p->limits);
	pcre2_code_free(p->code);
	pcre2_compile_context_free(p->compiler);
	pcre2_general_context_free(p->memory);
}

static int pattern_init(struct pattern *p, struct text text, struct buffer *why)
{
	PCRE2_UCHAR said[128];
	PCRE2_SIZE offset = 0;
	int error = 0;

	p->memory = pcre2_general_context_create(take_memory, give_memory, NULL);
	p->compiler = p->memory ? pcre2_compile_context_create(p->memory) : NULL;
	if (!p->compiler) {
		buffer_add_string(why, "no memory");
		return -1;
	}
	p->code = pcre2_compile((PCRE2_SPTR)text.at, text.len,
				PCRE2_NO_AUTO_CAPTURE | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &offset,
				p->compiler);
	if (!p->code) {
		pcre2_get_error_message(error, said, sizeof(said));
		buffer_printf(why, "the pattern is none: %s, at its character %zu", (const char *)said, offset + 1);
		return -1;
	}
	p->data = pcre2_match_data_create_from_pattern(p->code, p->memory);
	p->limits = pcre2_match_context_create(p->memory);
	if (!p->data || !p->limits) {
		buffer_add_string(why, "no memory");
		return -1;
	}
	pcre2_set_match_limit(p->limits, MATCH_STEPS_MAX);
	pcre2_set_depth_limit(p->limits, MATCH_DEPTH_MAX);
	pcre2_set_heap_limit(p->limits, MATCH_HEAP_KIB);
	return 0;
}

static bool matches(struct pattern *p, struct text line)
{
	int r = pcre2_match(p->code, (PCRE2_SPTR)(line.at ? line.at : ""), line.len, 0, 0, p->data, p->limits);

	if (r < 0 && r != PCRE2_ERROR_NOMATCH)
		p->gave_up++;
	return r >= 0;
}

static size_t indent_of(struct text line)
{
	size_t n = 0;

	while (n < line.len && line.at[n] == ' ')
		n++;
	return n;
}

struct filter {
	const struct pipe_stage *stage;
	struct pattern pattern;
	bool has_begun;       /* begin; section: we are in one */
	bool is_shown;        /* section: it is one to be shown */
	size_t indent;        /* of the section's head */
	uint64_t counted;
};

/* A section is a line with what is indented below it. */
static bool take_section(struct filter *f, struct text line)
{
	if (f->has_begun && line.len && indent_of(line) > f->indent)
		return f->is_shown;
	f->has_begun = true;
	f->indent = indent_of(line);
	f->is_shown = matches(&f->pattern, line) != f->stage->is_reversed;
	/* A head that does not match has no say about what stands below it. */
	if (!f->is_shown && !f->stage->is_reversed)
		f->has_begun = false;
	return f->is_shown;
}

static bool take_line(struct filter *f, struct text line)
{
	switch (f->stage->verb) {
	case PIPE_BEGIN:
		f->has_begun = f->has_begun || matches(&f->pattern, line);
		return f->has_begun;
	case PIPE_COUNT:
		f->counted += f->stage->pattern.len == 0 || matches(&f->pattern, line);
		return false;
	case PIPE_EXCLUDE:
		return !matches(&f->pattern, line);
	case PIPE_SECTION:
		return take_section(f, line);
	default:
		return matches(&f->pattern, line);
	}
}

int pipe_filter(const struct pipe_stage *stage, struct text in, struct buffer *out, struct buffer *why)
{
	struct filter f = { .stage = stage };
	struct text line;
	int r = stage->pattern.len ? pattern_init(&f.pattern, stage->pattern, why) : 0;

	while (r == 0 && text_take_line(&in, &line)) {
		if (!take_line(&f, line))
			continue;
		buffer_add(out, line);
		buffer_add_char(out, '\n');
	}
	if (r == 0 && stage->verb == PIPE_COUNT)
		buffer_printf(out, "Number of lines which match regexp = %llu\n", (unsigned long long)f.counted);
	if (f.pattern.gave_up)
		buffer_printf(out, "%% %llu lines took the pattern too long: they count as not matching\n",
			      (unsigned long long)f.pattern.gave_up);
	pattern_done(&f.pattern);
	return r;
}
