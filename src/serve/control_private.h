/* SPDX-License-Identifier: MIT */
/* A request's words, and the line in front of an answer. Private to serve. */
#ifndef SERVE_CONTROL_PRIVATE_H
#define SERVE_CONTROL_PRIVATE_H

#include "serve/control.h"

/* 0, or -1 with what is wrong with it in `why`. */
int control_request_read(struct text line, struct control_request *ret, struct buffer *why);

#endif
