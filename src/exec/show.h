/* SPDX-License-Identifier: MIT */
/* What the show commands of tunnels share. Private to exec: show_*.c. */
#ifndef EXEC_SHOW_H
#define EXEC_SHOW_H

#include "exec/private.h"

/* The SAs of core, sorted: by interface, local address, IKE connection, peer, child, and those of one flow by age,
 * the oldest first. */
struct show_row {
	struct core_tunnel tunnel; /* counters less what was cleared */
	const char *interface;     /* borrows the view; "unknown" */
	const struct gre_device *device; /* whose GRE it carries, a multipoint one where none leads to its peer alone; NULL: none
					  * is known. Borrowed from core */
	uint32_t mtu;              /* 0: unknown */
};
struct show_rows {
	struct show_row *at; /* owns */
	size_t count;
};
/* Those with `peer`, all when it is NULL. 0 or -ENOMEM. */
int show_rows_new(const struct exec_view *view, const struct spimend_address *peer, struct show_rows *ret);
void show_rows_done(struct show_rows *rows); /* for cleanup() */
/* How many rows from `first` on are SAs of one flow: one connection between two ends. 0 beyond the end. */
size_t show_rows_flow(const struct show_rows *rows, size_t first);

/* As routers write it: IPv6 in capitals. Returns `to`. */
const char *show_address(const struct spimend_address *address, char to[SPIMEND_ADDRESS_TEXT_MAX]);
/* The interface that has this address; NULL: none, or interfaces cannot be read. Borrows the view. */
const struct link *show_link_of(const struct exec_view *view, const struct spimend_address *address);
/* "(10.1.0.0/255.255.0.0/6/443)", "(2001:DB8::/64/0/0)"; `port_first`: port and protocol change places. */
void show_add_ident(struct buffer *out, const struct selector *s, bool port_first);
/* "10.1.0.0/255.255.0.0", "host 192.0.2.1 port 443" */
void show_add_permit(struct buffer *out, const struct selector *s);
void show_put_selectors(struct json *j, const char *key, const struct selector_list *list);
/* "esp-256-aes esp-sha256-hmac", as routers name what a child uses; "unknown". */
void show_add_transform(struct buffer *out, const struct child_sa *child);
/* The number of IKE's registry; 0: none is known. */
unsigned show_group(const struct sa_algorithms *algorithms);
void show_put_algorithms(struct json *j, const struct sa_algorithms *algorithms);
/* KiB until the limit of bytes; false: there is none, or the kernel does not tell. */
bool show_kilobytes_left(const struct core_tunnel *t, bool inbound, uint64_t *ret);
void show_add_uptime(struct buffer *out, uint32_t seconds); /* "4w2d", "3d05h", "01:10:00" */
/* "permit 47 host A host B" and what goes through it; `detail` with counters and lifetimes. SAs of one flow. */
void show_add_ipsec_flow(const struct show_row *rows, size_t count, bool detail, struct buffer *out);
/* 0 while an IKE SA of that version is listed, or none at all; else the version of those that are. */
uint8_t show_other_version(const struct exec_view *view, uint8_t version);
void show_add_ike_of_session(const struct ike_sa *ike, bool detail, struct buffer *out);
bool show_child_is_active(const struct child_sa *child); /* it takes packets */
/* What IKE daemons listed before they went down, said in a line each, beginning with "% ". */
void show_add_stale(const struct exec_view *view, struct buffer *out);
void show_put_address(struct json *j, const char *key, const struct spimend_address *address); /* null when unknown */
void show_put_spi(struct json *j, const char *key, bool has, uint32_t spi); /* "0xc0de0001" or null */

/* Tables of show_*.c, for graph.c. */
extern const struct exec_command exec_show_ipsec_rows[], exec_show_ike_rows[], exec_show_session_rows[],
	exec_show_tunnel_rows[], exec_show_interface_rows[], exec_show_qfp_rows[], exec_show_event_rows[], exec_show_track_rows[],
	exec_show_logging_rows[], exec_show_device_rows[];
extern const size_t exec_show_ipsec_row_count, exec_show_ike_row_count, exec_show_session_row_count,
	exec_show_tunnel_row_count, exec_show_interface_row_count, exec_show_qfp_row_count, exec_show_event_row_count,
	exec_show_track_row_count, exec_show_logging_row_count, exec_show_device_row_count;

#endif
