/* SPDX-License-Identifier: MIT */
#include "parse/swanctl.h"

/* "net: #1, ESTABLISHED, IKEv2, 4f6a8bc1d2e3f405_i* 9c0d1e2f3a4b5c6d_r", read up to the version. */
static bool take_ike_head(struct text t, struct text *ret_name, struct swanctl *ret)
{
	size_t at = text_find(t, TEXT(": #"));
	struct text state, version, spi;
	uint64_t value;

	if (at == TEXT_NOT_FOUND || at == 0)
		return false;
	*ret_name = text_first(t, at);
	t = text_skip(t, at + 3);
	if (!show_number(text_take_until(&t, ","), &ret->ike.id) || !text_take(&t, TEXT(", ")))
		return false;
	state = text_take_until(&t, ",");
	if (!text_take(&t, TEXT(", IKEv")))
		return false;
	version = text_take_until(&t, ", ");
	ret->ike.version = text_equal(version, TEXT("1")) ? 1 : 2;
	ret->ike.state = text_equal(state, TEXT("ESTABLISHED")) || text_starts(state, TEXT("REKEY")) ? SAVED_IKE_UP :
			 text_equal(state, TEXT("DELETING")) ? SAVED_IKE_DELETED : SAVED_IKE_OTHER;
	text_take_char(&t, ',');
	text_take_blanks(&t);
	spi = text_take_until(&t, "_");
	if (text_hex64(spi, &value) == 0) {
		bool ours = text_take(&t, TEXT("_i*"));
		uint64_t other = 0;

		if (!ours)
			text_take(&t, TEXT("_i"));
		text_take_blanks(&t);
		ret->ike.has_spis = text_hex64(text_take_until(&t, "_"), &other) == 0;
		ret->ike.spi_local = ours ? value : other;
		ret->ike.spi_remote = ours ? other : value;
	}
	return true;
}

bool swanctl_starts(struct text t)
{
	struct swanctl s = { 0 };
	struct text name;

	return take_ike_head(t, &name, &s);
}

static bool is_settling(struct text state)
{
	return !text_equal(state, TEXT("INSTALLED"));
}

/* "net: #1, reqid 1, INSTALLED, TUNNEL-in-UDP, ESP:AES_GCM_16-128" */
static bool take_child_head(struct text t, struct sa_block *ret, bool *ret_ah)
{
	size_t at = text_find(t, TEXT(": #"));
	struct text mode;
	uint32_t reqid;

	if (at == TEXT_NOT_FOUND || at == 0)
		return false;
	text_copy(text_first(t, at), ret->child, sizeof(ret->child));
	t = text_skip(t, at + 3);
	if (!show_number(text_take_until(&t, ","), &ret->child_id) || !text_take(&t, TEXT(", reqid ")) ||
	    !show_number(text_take_until(&t, ","), &reqid) || !text_take(&t, TEXT(", ")))
		return false;
	ret->settling = is_settling(text_take_until(&t, ","));
	if (!text_take(&t, TEXT(", ")))
		return false;
	mode = text_take_until(&t, ",");
	ret->encap_udp = text_ends(mode, TEXT("-in-UDP"));
	ret->encap_told = true;
	text_take(&t, TEXT(", "));
	*ret_ah = text_starts(t, TEXT("AH"));
	return true;
}

/* 10.1.0.0/16, 10.1.0.1/32[udp/500], dynamic: the first of a list */
static void read_selector(struct text t, struct sa_ident *ret)
{
	struct sa_ident ident = { .known = true };
	struct text word = text_take_word(&t), address = text_take_until(&word, "/["), length;
	uint64_t prefix;

	if (!address.len || spimend_address_parse(address.at, address.len, &ident.address) != 0)
		return;
	ident.prefix = ident.address.family == 4 ? 32 : 128;
	if (text_take_char(&word, '/')) {
		length = text_take_until(&word, "[");
		if (text_decimal(length, ident.prefix, &prefix) != 0)
			return;
		ident.prefix = (uint8_t)prefix;
	}
	*ret = ident;
}

static void close_child(struct swanctl *s, struct saved_record *ret)
{
	struct sa_block *b = &s->child;

	b->has_counters = s->has_in && s->has_out;
	if (!b->has_counters)
		b->encaps = b->decaps = 0;
	b->whole = s->has_in && s->has_out;
	b->settling |= s->busy;
	*ret = (struct saved_record){ .kind = SAVED_FLOW, .line = s->child_line, .flow = *b };
	s->child_line = 0;
}

/* What is open and finished by something new: first the IKE SA, which stands above its children. */
static bool give_ike(struct swanctl *s, struct saved_record *ret)
{
	if (!s->ike_line || s->ike_told)
		return false;
	s->ike_told = true;
	if (!spimend_address_known(&s->ike.local) && !spimend_address_known(&s->ike.remote))
		return false;
	*ret = (struct saved_record){ .kind = SAVED_IKE, .line = s->ike_line, .ike = s->ike };
	return true;
}

bool swanctl_end(struct swanctl *s, struct saved_record *ret)
{
	if (give_ike(s, ret))
		return true;
	if (s->child_line) {
		close_child(s, ret);
		return true;
	}
	*s = (struct swanctl){ 0 };
	return false;
}

static void open_child(struct swanctl *s, uint32_t number)
{
	s->child = (struct sa_block){ .source = SA_BLOCK_SWAN, .line = number, .ike_id = s->ike.id, .local = s->ike.local,
				      .peer = s->ike.remote, .peer_port = s->ike.remote_port };
	memcpy(s->child.map_tag, s->ike_name, sizeof(s->child.map_tag));
	s->child_line = number;
	s->has_in = s->has_out = false;
}

static void set_spi(struct swanctl *s, bool inbound, struct spimend_spi spi, bool ah, uint32_t number)
{
	struct sa_block *b = &s->child;

	if (spi.value == 0)
		return;
	if (inbound) {
		b->inbound[0] = spi;
		b->inbound_count = 1;
		b->inbound_ah = ah;
		b->inbound_line = number;
	} else {
		b->outbound[0] = spi;
		b->outbound_count = 1;
		b->outbound_ah = ah;
		b->outbound_line = number;
	}
}

/* "in  c1a2b3c4 (-|0x00000042),    840 bytes,    10 packets,     1s ago" */
static bool read_direction(struct swanctl *s, struct text t, uint32_t number)
{
	bool inbound = text_take(&t, TEXT("in "));
	struct spimend_spi spi;
	struct text word;
	size_t at;

	if (!inbound && !text_take(&t, TEXT("out ")))
		return false;
	text_take_blanks(&t);
	word = text_take_until(&t, " ,/(");
	if (word.len != 8 || text_hex32(word, &spi.value) != 0)
		return false;
	set_spi(s, inbound, spi, s->child.inbound_ah, number);
	*(inbound ? &s->has_in : &s->has_out) = true;
	at = text_find(t, TEXT(" bytes,"));
	if (at != TEXT_NOT_FOUND) {
		t = text_skip(t, at + 7);
		text_take_blanks(&t);
		text_take_digits(&t, 19, inbound ? &s->child.decaps : &s->child.encaps, NULL);
	}
	return true;
}

static void read_times(struct swanctl *s, struct text t)
{
	size_t at = text_find(t, TEXT("expires in "));

	if (at == TEXT_NOT_FOUND)
		return;
	t = text_skip(t, at + 11);
	s->child.has_lifetime = text_take_digits(&t, 10, &s->child.lifetime_s, NULL);
}

/* "local  'a.example' @ 192.0.2.1[4500] [10.0.0.1]" */
static bool read_host(struct swanctl *s, struct text t)
{
	bool local = text_take(&t, TEXT("local "));
	size_t at = TEXT_NOT_FOUND;

	if (!local && !text_take(&t, TEXT("remote ")))
		return false;
	/* An identity may hold anything: the address stands behind the last "' @ ". */
	for (struct text rest = t;;) {
		size_t next = text_find(rest, TEXT("' @ "));

		if (next == TEXT_NOT_FOUND)
			break;
		rest = text_skip(rest, next + 4);
		at = (size_t)(rest.at - t.at);
	}
	if (at == TEXT_NOT_FOUND)
		return false;
	t = text_skip(t, at);
	return show_address_port(text_take_word(&t), local ? &s->ike.local : &s->ike.remote,
				 local ? &s->ike.local_port : &s->ike.remote_port);
}

static enum show_result open_ike(struct swanctl *s, struct text t, uint32_t number, struct saved_record *ret)
{
	struct swanctl next = { 0 };
	struct text name;
	bool gave;

	if (!take_ike_head(t, &name, &next))
		return SHOW_NOTHING;
	gave = give_ike(s, ret);
	if (!gave && s->child_line) {
		close_child(s, ret);
		gave = true;
	}
	text_copy(name, next.ike_name, sizeof(next.ike_name));
	next.ike_line = number;
	*s = next;
	return gave ? SHOW_RECORD : SHOW_TAKEN;
}

static enum show_result next_child(struct swanctl *s, const struct sa_block *head, bool ah, uint32_t number,
				   struct saved_record *ret)
{
	bool gave = give_ike(s, ret);

	if (!gave && s->child_line) {
		close_child(s, ret);
		gave = true;
	}
	open_child(s, number);
	memcpy(s->child.child, head->child, sizeof(head->child));
	s->child.child_id = head->child_id;
	s->child.settling = head->settling;
	s->child.encap_udp = head->encap_udp;
	s->child.encap_told = true;
	s->child.inbound_ah = s->child.outbound_ah = ah;
	return gave ? SHOW_RECORD : SHOW_TAKEN;
}

enum show_result swanctl_line(struct swanctl *s, struct text t, uint32_t number, struct saved_record *ret)
{
	struct sa_block head = { 0 };
	enum show_result result;
	struct text rest = t;
	bool ah = false;

	if (t.len == 0)
		return SHOW_TAKEN;
	if (!s->ike_line || text_has(t, TEXT(", IKEv"))) {
		result = open_ike(s, t, number, ret);
		if (result != SHOW_NOTHING || !s->ike_line)
			return result;
	}
	if (take_child_head(t, &head, &ah))
		return next_child(s, &head, ah, number, ret);
	if (!s->child_line) {
		if (text_take(&rest, TEXT("active:")) || text_take(&rest, TEXT("queued:")))
			s->busy |= text_has(rest, TEXT("CHILD_")) || text_has(rest, TEXT("QUICK_"));
		else
			read_host(s, t);
		return SHOW_TAKEN;
	}
	if (read_direction(s, t, number))
		return SHOW_TAKEN;
	if (text_starts(t, TEXT("installed "))) {
		read_times(s, t);
	} else if (text_take(&rest, TEXT("local "))) {
		read_selector(rest, &s->child.local_ident);
	} else if (text_take(&rest, TEXT("remote "))) {
		read_selector(rest, &s->child.remote_ident);
	} else if (text_has(t, TEXT(": #"))) {
		*ret = (struct saved_record){ .line = number, .reason = "a CHILD_SA whose first line is not known" };
		return SHOW_BAD;
	}
	return SHOW_TAKEN;
}

/* ---- --raw ---- */

bool swanctl_raw_starts(struct text t)
{
	return text_starts(t, TEXT("list-sa event"));
}

static void raw_ike_value(struct swanctl *s, struct text key, struct text value)
{
	uint64_t number;

	if (text_equal(key, TEXT("uniqueid"))) {
		show_number(value, &s->ike.id);
	} else if (text_equal(key, TEXT("version"))) {
		s->ike.version = text_equal(value, TEXT("1")) ? 1 : 2;
	} else if (text_equal(key, TEXT("state"))) {
		s->ike.state = text_equal(value, TEXT("ESTABLISHED")) || text_starts(value, TEXT("REKEY")) ? SAVED_IKE_UP :
			       text_equal(value, TEXT("DELETING")) ? SAVED_IKE_DELETED : SAVED_IKE_OTHER;
	} else if (text_equal(key, TEXT("local-host")) && !s->seen_local) {
		/* The first counts: an identity behind it may hold anything. */
		s->seen_local = show_address_port(value, &s->ike.local, &s->ike.local_port);
	} else if (text_equal(key, TEXT("remote-host")) && !s->seen_remote) {
		s->seen_remote = show_address_port(value, &s->ike.remote, &s->ike.remote_port);
	} else if (text_equal(key, TEXT("remote-port")) && !s->ike.remote_port && text_decimal(value, UINT16_MAX, &number) == 0) {
		s->ike.remote_port = (uint16_t)number;
	} else if (text_equal(key, TEXT("initiator-spi")) && text_hex64(value, &number) == 0) {
		s->ike.spi_local = number; /* put right by "initiator" below, which stands in front of it */
		if (!s->ike.undirected) {
			s->ike.spi_remote = number;
			s->ike.spi_local = 0;
		}
	} else if (text_equal(key, TEXT("responder-spi")) && text_hex64(value, &number) == 0) {
		*(s->ike.undirected ? &s->ike.spi_remote : &s->ike.spi_local) = number;
		s->ike.has_spis = true;
	} else if (text_equal(key, TEXT("initiator"))) {
		s->ike.undirected = text_equal(value, TEXT("yes")); /* borrowed for "we initiated"; cleared when given back */
	} else if (text_starts(value, TEXT("CHILD_")) || text_starts(value, TEXT("[CHILD_"))) {
		s->busy = true;
	}
}

static void raw_child_value(struct swanctl *s, struct text key, struct text value, uint32_t number)
{
	struct spimend_spi spi;
	bool ah = s->child.inbound_ah || s->child.outbound_ah;

	if (text_equal(key, TEXT("name"))) {
		text_copy(value, s->child.child, sizeof(s->child.child));
	} else if (text_equal(key, TEXT("uniqueid"))) {
		show_number(value, &s->child.child_id);
	} else if (text_equal(key, TEXT("state"))) {
		s->child.settling = is_settling(value);
	} else if (text_equal(key, TEXT("protocol"))) {
		s->child.inbound_ah = s->child.outbound_ah = text_equal(value, TEXT("AH"));
	} else if (text_equal(key, TEXT("encap"))) {
		s->child.encap_udp = text_equal(value, TEXT("yes"));
	} else if (text_equal(key, TEXT("spi-in")) && text_hex32(value, &spi.value) == 0) {
		set_spi(s, true, spi, ah, number);
		s->has_in = true;
	} else if (text_equal(key, TEXT("spi-out")) && text_hex32(value, &spi.value) == 0) {
		set_spi(s, false, spi, ah, number);
		s->has_out = true;
	} else if (text_equal(key, TEXT("packets-in"))) {
		text_decimal(value, UINT64_MAX, &s->child.decaps);
	} else if (text_equal(key, TEXT("packets-out"))) {
		text_decimal(value, UINT64_MAX, &s->child.encaps);
	} else if (text_equal(key, TEXT("life-time"))) {
		s->child.has_lifetime = text_decimal(value, UINT32_MAX, &s->child.lifetime_s) == 0;
	} else if (text_equal(key, TEXT("local-ts"))) {
		text_take_char(&value, '[');
		read_selector(text_take_until(&value, "]"), &s->child.local_ident);
	} else if (text_equal(key, TEXT("remote-ts"))) {
		text_take_char(&value, '[');
		read_selector(text_take_until(&value, "]"), &s->child.remote_ident);
	}
}

/* A section's name stands in front of its brace: what opened at depth 2 is an IKE SA, at 4 below child-sas a child. */
static void raw_open(struct swanctl *s, struct text name, uint32_t number)
{
	s->depth++;
	if (s->depth == 2) {
		*s = (struct swanctl){ .depth = 2, .ike_line = number };
		text_copy(name, s->ike_name, sizeof(s->ike_name));
	} else if (s->depth == 3 && text_equal(name, TEXT("child-sas"))) {
		s->in_children = true;
	} else if (s->depth == 4 && s->in_children) {
		open_child(s, number);
		s->child.encap_told = true;
	}
}

static bool raw_close(struct swanctl *s, struct saved_record *ret)
{
	bool gave = false;

	if (s->depth == 4 && s->child_line) {
		close_child(s, ret);
		gave = true;
	} else if (s->depth == 3) {
		s->in_children = false;
	} else if (s->depth == 2) {
		s->ike.undirected = false;
		gave = give_ike(s, ret);
		s->ike_line = 0;
	}
	if (s->depth > 0)
		s->depth--;
	return gave;
}

/* With --pretty each item of a list stands on a line of its own. */
static void raw_open_list(struct swanctl *s, struct text key)
{
	s->list = text_equal(key, TEXT("local-ts")) ? SWANCTL_LIST_LOCAL : text_equal(key, TEXT("remote-ts")) ? SWANCTL_LIST_REMOTE :
		  SWANCTL_LIST_OTHER;
}

static void raw_list_item(struct swanctl *s, struct text item)
{
	struct sa_ident *ident = s->list == SWANCTL_LIST_LOCAL ? &s->child.local_ident : &s->child.remote_ident;

	item = text_trim(item);
	if (text_ends(item, TEXT("]")))
		s->list = SWANCTL_NO_LIST;
	else if (s->list == SWANCTL_LIST_OTHER)
		s->busy |= text_starts(item, TEXT("CHILD_"));
	else if (s->child_line && !ident->known)
		read_selector(item, ident);
}

enum show_result swanctl_raw_line(struct swanctl *s, struct text *line, uint32_t number, struct saved_record *ret)
{
	struct text name = TEXT_NONE, word, key;

	if (s->list != SWANCTL_NO_LIST) {
		raw_list_item(s, *line);
		*line = TEXT_NONE;
	}
	while ((text_take_blanks(line), line->len) > 0) {
		if (line->at[0] == '{' || line->at[0] == '}') {
			bool opens = line->at[0] == '{';

			*line = text_skip(*line, 1);
			if (opens)
				raw_open(s, name, number);
			else if (raw_close(s, ret))
				return SHOW_RECORD;
			continue;
		}
		word = text_take_until(line, " {}=");
		name = word;
		key = word;
		text_take_blanks(line);
		if (!text_take_char(line, '=')) { /* a section's name, or a piece of an identity */
			if (word.len == 0)
				*line = text_skip(*line, 1);
			continue;
		}
		text_take_blanks(line);
		if (line->len && line->at[0] == '[') {
			word = text_take_until(line, "]");
			if (!text_take_char(line, ']'))
				raw_open_list(s, key);
		} else {
			word = text_take_until(line, " }");
		}
		if (s->depth == 4 && s->child_line)
			raw_child_value(s, key, word, number);
		else if (s->depth == 2)
			raw_ike_value(s, key, word);
	}
	return SHOW_TAKEN;
}
