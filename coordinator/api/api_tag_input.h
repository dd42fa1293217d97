/* Tags and the operations on them: from JSON to checked parameters.
 *
 * Threads  pure functions.
 * Memory   an input borrows from the body and the arena.
 * Errors   false with *error set.
 * Source   "TagResource", "UntagResource" and "ListTagsOfResource", Amazon DynamoDB API reference.
 */
#ifndef COORDINATOR_API_API_TAG_INPUT_H
#define COORDINATOR_API_API_TAG_INPUT_H

#include "coordinator/api/api_error.h"
#include "coordinator/json/json_reader.h"
#include "proto/wire/catalog.pb-c.h"

enum api_tag_kind { API_TAG, API_UNTAG, API_TAG_LIST };

struct api_tag_input {
	struct slice resource;      /* the ARN as given: it has the form of a table's */
	Cleave__TagSet *put;        /* API_TAG */
	const struct slice *remove; /* API_UNTAG */
	uint32_t remove_count;
};

bool api_tag_input_read(enum api_tag_kind kind, struct slice body, struct arena *arena,
			struct api_tag_input *input_out, struct api_error *error) MUST_CHECK;

/* The tags of CreateTable (a list of api_table_raw_tags), packed; of no bytes if there are none. */
bool api_tag_input_pack(const struct json_list *tags, struct arena *arena, struct slice *packed_out,
			struct api_error *error) MUST_CHECK;

#endif
