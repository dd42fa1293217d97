#include "coordinator/credential_file.h"

#include <stdio.h>
#include <stdlib.h>

#include "coordinator/auth/sigv4_verify.h"
#include "proto/base/log.h"

enum { READ_STEP = 4096 };

void credential_file_init(struct credential_file *file)
{
	*file = (struct credential_file){ .count = 0 };
	buf_init(&file->content, CREDENTIAL_FILE_SIZE_MAX);
}

void credential_file_close(struct credential_file *file)
{
	if (file->content.size > 0)
		explicit_bzero(file->content.data, file->content.size);
	buf_close(&file->content);
	free(file->pairs);
	file->pairs = NULL;
	file->count = 0;
}

static enum status read_content(const char *path, struct buf *out)
{
	FILE *stream = fopen(path, "re");
	char block[READ_STEP];
	enum status status;
	size_t size;

	if (stream == NULL)
		return ST_IO;
	while ((size = fread(block, 1, sizeof(block), stream)) > 0)
		buf_append(out, block, size);
	status = ferror(stream) ? ST_IO : out->status;
	(void)fclose(stream); /* nothing was written */
	explicit_bzero(block, sizeof(block));
	return status;
}

static bool is_blank(uint8_t byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r';
}

/* The next word of a line, empty at its end or at a comment. */
static struct slice take_word(struct slice *line)
{
	const uint8_t *end = line->data + line->size;
	const uint8_t *start = line->data;
	const uint8_t *at;

	while (start < end && is_blank(*start))
		start++;
	if (start < end && *start == '#')
		start = end;
	for (at = start; at < end && !is_blank(*at); at++)
		;
	*line = slice_of(at, (size_t)(end - at));
	return slice_of(start, (size_t)(at - start));
}

static struct slice take_line(struct slice *text)
{
	const uint8_t *newline = memchr(text->data, '\n', text->size);
	size_t size = newline == NULL ? text->size : (size_t)(newline - text->data);
	struct slice line = slice_of(text->data, size);
	size_t step = newline == NULL ? size : size + 1;

	*text = slice_of(text->data + step, text->size - step);
	return line;
}

static enum status take_pair(struct credential_file *file, struct slice line)
{
	struct slice key_id = take_word(&line);
	struct slice secret = take_word(&line);

	if (key_id.size == 0)
		return ST_OK;
	if (secret.size == 0 || take_word(&line).size > 0 || key_id.size > SIGV4_ACCESS_KEY_ID_SIZE_MAX ||
	    secret.size > SIGV4_SECRET_SIZE_MAX)
		return ST_INVALID;
	if (file->count == CREDENTIAL_FILE_COUNT_MAX)
		return ST_TOO_BIG;
	file->pairs[file->count++] = (struct credential_pair){ key_id, secret };
	return ST_OK;
}

static int compare(const void *a, const void *b)
{
	const struct credential_pair *left = a;
	const struct credential_pair *right = b;

	return slice_compare(left->key_id, right->key_id);
}

static enum status sort_pairs(struct credential_file *file)
{
	qsort(file->pairs, file->count, sizeof(*file->pairs), compare);
	for (size_t i = 1; i < file->count; i++) {
		if (compare(&file->pairs[i - 1], &file->pairs[i]) == 0)
			return ST_EXISTS;
	}
	return ST_OK;
}

static enum status take_pairs(struct credential_file *file, const char *path)
{
	struct slice text = buf_slice(&file->content);
	unsigned line_number = 0;

	file->pairs = calloc(CREDENTIAL_FILE_COUNT_MAX, sizeof(*file->pairs));
	if (file->pairs == NULL)
		return ST_NO_MEMORY;
	while (text.size > 0) {
		enum status status = take_pair(file, take_line(&text));

		line_number++;
		if (status != ST_OK) {
			log_error("auth", "bad credentials", "file=%s line=%u status=%s", path, line_number,
				  status_name(status));
			return status;
		}
	}
	return sort_pairs(file);
}

enum status credential_file_load(struct credential_file *file, const char *path)
{
	struct credential_file fresh;
	enum status status;

	credential_file_init(&fresh);
	status = read_content(path, &fresh.content);
	if (status == ST_OK)
		status = take_pairs(&fresh, path);
	if (status != ST_OK) {
		log_error("auth", "credentials not read", "file=%s status=%s", path, status_name(status));
		credential_file_close(&fresh);
		return status;
	}
	credential_file_close(file);
	*file = fresh;
	log_info("auth", "credentials read", "file=%s count=%zu", path, file->count);
	return ST_OK;
}

bool credential_file_find(const struct credential_file *file, struct slice key_id, struct slice *secret_out)
{
	struct credential_pair wanted = { .key_id = key_id };
	const struct credential_pair *found;

	if (file->count == 0)
		return false;
	found = bsearch(&wanted, file->pairs, file->count, sizeof(*file->pairs), compare);
	if (found == NULL)
		return false;
	*secret_out = found->secret;
	return true;
}
