/* SPDX-License-Identifier: MIT */
/* The static files of the page (web/), compiled in by scripts/embed: read by the role web, which has no file system. */
#ifndef SERVE_WEB_FILES_H
#define SERVE_WEB_FILES_H

#include <stddef.h>

struct web_file {
	const char *path; /* "/index.html" */
	const char *type; /* Content-Type */
	const char *etag; /* with its quotes */
	const unsigned char *bytes;
	size_t len;
};

extern const struct web_file web_files[];
extern const size_t web_file_count;

#endif
