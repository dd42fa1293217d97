#include "proto/catalog/tag_info.h"

#include "proto/wire/proto_arena.h"

static struct slice slice_of_binary(const ProtobufCBinaryData *data)
{
	return slice_of(data->data, data->len);
}

static Cleave__Tag *find(const Cleave__TagSet *set, size_t count, struct slice key)
{
	for (size_t i = 0; i < count; i++) {
		if (slice_equal(slice_of_binary(&set->tags[i]->key), key))
			return set->tags[i];
	}
	return NULL;
}

static enum status check(const Cleave__TagSet *set)
{
	if (set->n_tags > LIMIT_TAG_COUNT)
		return ST_TOO_BIG;
	for (size_t i = 0; i < set->n_tags; i++) {
		const Cleave__Tag *tag = set->tags[i];

		if (tag->key.len == 0 || tag->key.len > TAG_INFO_KEY_SIZE_BYTES_MAX ||
		    tag->value.len > TAG_INFO_VALUE_SIZE_BYTES_MAX ||
		    find(set, i, slice_of_binary(&tag->key)) != NULL)
			return ST_CORRUPT;
	}
	return ST_OK;
}

enum status tag_info_decode(const ProtobufCBinaryData *packed, struct arena *arena, struct slice *tags_out)
{
	const Cleave__TagSet *set;
	const uint8_t *copy;

	*tags_out = slice_of("", 0);
	if (packed->len == 0)
		return ST_OK;
	if (packed->len > TAG_INFO_SIZE_BYTES_MAX)
		return ST_CORRUPT;
	set = tag_info_unpack(slice_of_binary(packed), arena);
	if (set == NULL || check(set) != ST_OK)
		return ST_CORRUPT;
	copy = arena_copy(arena, slice_of_binary(packed));
	if (copy == NULL)
		return ST_NO_MEMORY;
	*tags_out = slice_of(copy, packed->len);
	return ST_OK;
}

Cleave__TagSet *tag_info_unpack(struct slice tags, struct arena *arena)
{
	ProtobufCAllocator allocator = proto_arena_allocator(arena);

	return cleave__tag_set__unpack(&allocator, tags.size, tags.data);
}

struct slice tag_info_pack(const Cleave__TagSet *set, struct arena *arena)
{
	size_t size = cleave__tag_set__get_packed_size(set);
	uint8_t *bytes = arena_alloc(arena, size + 1);

	if (bytes == NULL)
		return slice_of(NULL, 0);
	(void)cleave__tag_set__pack(set, bytes); /* its size is known */
	return slice_of(bytes, size);
}

static bool is_removed(const Cleave__TagTableRequest *request, struct slice key)
{
	for (size_t i = 0; i < request->n_remove; i++) {
		if (slice_equal(slice_of_binary(&request->remove[i]), key))
			return true;
	}
	return false;
}

/* Put one tag in the place of its key, or at the end. */
static void put(Cleave__TagSet *set, Cleave__Tag *tag)
{
	Cleave__Tag *old = find(set, set->n_tags, slice_of_binary(&tag->key));

	if (old != NULL)
		old->value = tag->value;
	else
		set->tags[set->n_tags++] = tag;
}

enum status tag_info_change(struct slice tags, const Cleave__TagTableRequest *request, struct arena *arena,
			    struct slice *tags_out)
{
	const Cleave__TagSet *old = tag_info_unpack(tags, arena);
	size_t put_count = request->put == NULL ? 0 : request->put->n_tags;
	Cleave__TagSet set = CLEAVE__TAG_SET__INIT;
	enum status status;

	if (old == NULL)
		return ST_CORRUPT;
	set.tags = arena_alloc(arena, (old->n_tags + put_count + 1) * sizeof(*set.tags));
	if (set.tags == NULL)
		return ST_NO_MEMORY;
	for (size_t i = 0; i < old->n_tags; i++) {
		if (!is_removed(request, slice_of_binary(&old->tags[i]->key)))
			set.tags[set.n_tags++] = old->tags[i];
	}
	for (size_t i = 0; i < put_count; i++)
		put(&set, request->put->tags[i]);
	status = check(&set);
	if (status != ST_OK)
		return status;
	*tags_out = tag_info_pack(&set, arena);
	return tags_out->data == NULL ? ST_NO_MEMORY : ST_OK;
}
