/* Reading what an operation was asked for, all by its tables of types and fields: the JSON, then
 * the constraints of the API's model, then what is wrong with attribute values.
 *
 * The service judges parameter by parameter in an order of its own, whatever the order of the
 * text.  Here that order is: constraints in the order of the fields in their table; values in
 * the order in which an operation asks api_input_is_sound() for its parameters.
 *
 * Threads  pure functions.
 * Memory   what is read borrows from the body and the arena.
 * Errors   false with *error set.
 */
#ifndef COORDINATOR_API_API_INPUT_H
#define COORDINATOR_API_API_INPUT_H

#include "coordinator/api/api_check.h"

/* The JSON alone. */
bool api_input_parse(const struct json_type *type, void *input, struct slice body, struct arena *arena,
		     const struct json_fault **faults_out, struct api_error *error) MUST_CHECK;
/* Note every broken constraint (json_type.rule, json_field.is_required) of an input. */
void api_input_check(struct api_check *check, const struct json_type *type, const void *input);
/* Both. */
bool api_input_read(const struct json_type *type, void *input, struct slice body, struct arena *arena,
		    const struct json_fault **faults_out, struct api_error *error) MUST_CHECK;

/* Is there no fault in this parameter? */
bool api_input_is_sound(const struct json_fault *faults, const char *parameter,
			struct api_error *error) MUST_CHECK;
/* The fault of a parameter; NULL if there is none. */
const struct json_fault *api_input_fault(const struct json_fault *faults, const char *parameter);

#endif
