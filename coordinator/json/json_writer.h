/* Write JSON into a bounded buf.  Commas are the writer's business.
 *
 * Threads  a writer belongs to one thread.
 * Memory   the buf is the caller's.
 * Errors   sticky, in the buf: check out->status once at the end.  Text is taken to be UTF-8.
 */
#ifndef COORDINATOR_JSON_JSON_WRITER_H
#define COORDINATOR_JSON_JSON_WRITER_H

#include "proto/base/bytes.h"

struct json_writer {
	struct buf *out;
	bool needs_comma;
};

void json_writer_init(struct json_writer *writer, struct buf *out);
void json_writer_object_start(struct json_writer *writer);
void json_writer_object_end(struct json_writer *writer);
void json_writer_list_start(struct json_writer *writer);
void json_writer_list_end(struct json_writer *writer);
/* Before each value in an object. */
void json_writer_name(struct json_writer *writer, struct slice name);
void json_writer_string(struct json_writer *writer, struct slice text);
void json_writer_bool(struct json_writer *writer, bool is_true);
void json_writer_null(struct json_writer *writer);
void json_writer_int(struct json_writer *writer, int64_t value);
/* Text that is JSON already: a number, or a whole value. */
void json_writer_raw(struct json_writer *writer, struct slice json);
/* Account for a value that somebody else appends to out (json_item_write()) now. */
void json_writer_begin_value(struct json_writer *writer);

/* name and value in one; names are plain text. */
void json_writer_member_string(struct json_writer *writer, const char *name, struct slice text);
void json_writer_member_text(struct json_writer *writer, const char *name, const char *text);
void json_writer_member_bool(struct json_writer *writer, const char *name, bool is_true);
void json_writer_member_int(struct json_writer *writer, const char *name, int64_t value);
void json_writer_member_raw(struct json_writer *writer, const char *name, struct slice json);
void json_writer_key(struct json_writer *writer, const char *name);

/* Quotes and escapes only, without comma. */
void json_writer_quote(struct buf *out, struct slice text);

#endif
