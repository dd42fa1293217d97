#include "deploy/cleave/tool_cluster.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "deploy/cleave/cleave.h"
#include "proto/base/base64.h"
#include "proto/base/log.h"
#include "proto/wire/methods.h"
#include "proto/wire/proto_arena.h"

enum { US_PER_MS = 1000, WORKERS = 1 };

/* --- waiting --- */

static void on_guard(struct runtime_timer *timer)
{
	(void)timer; /* it only wakes the loop */
}

/* Turn the loop until is_done() or the time is over; false: the latter. */
static bool wait_until(struct tool_cluster *cluster, uint64_t deadline_mono_us,
		       bool (*is_done)(struct tool_cluster *cluster, void *context), void *context)
{
	struct runtime *runtime = &cluster->runtime.base;
	bool done = is_done(cluster, context);

	runtime_timer_start_at(runtime, &cluster->guard, deadline_mono_us);
	while (!done && runtime_mono_us(runtime) < deadline_mono_us) {
		runtime_uv_turn(&cluster->runtime);
		done = is_done(cluster, context);
	}
	runtime_timer_stop(runtime, &cluster->guard);
	return done;
}

static uint64_t deadline_in(const struct tool_cluster *cluster, uint64_t timeout_ms)
{
	return runtime_mono_us(&cluster->runtime.base) + timeout_ms * US_PER_MS;
}

static bool never(struct tool_cluster *cluster, void *context)
{
	(void)cluster;
	(void)context;
	return false;
}

void tool_cluster_pause(struct tool_cluster *cluster, uint32_t pause_ms)
{
	(void)wait_until(cluster, deadline_in(cluster, pause_ms), never, NULL); /* always false */
}

/* --- who refuses us --- */

static void on_refused(void *context, uint64_t peer_id, enum status status)
{
	struct tool_cluster *cluster = context;

	if (hash_map_put(&cluster->refusals, peer_id, (void *)(intptr_t)status) != ST_OK)
		log_warn("tool", "refused", "node=%" PRIu64 " status=%s", peer_id, status_name(status));
}

/* ST_UNREACHABLE unless it refused us. */
static enum status why_unreached(const struct tool_cluster *cluster, uint64_t node_id)
{
	const void *refusal = hash_map_get(&cluster->refusals, node_id);

	return refusal == NULL ? ST_UNREACHABLE : (enum status)(intptr_t)refusal;
}

static const char *advice_on(enum status status)
{
	switch (status) {
	case ST_WRONG_CLUSTER:
		return "it belongs to another cluster: check --cluster-id";
	case ST_DENIED:
		return "it does not accept the certificate, or shows one that is not its own";
	case ST_VERSION:
		return "it speaks another version of the protocol";
	default:
		return "no connection: it does not run there, or asks for a certificate";
	}
}

/* --- opening --- */

static bool is_peer_up(struct tool_cluster *cluster, uint64_t node_id)
{
	return cluster->client.base.ops->is_up(&cluster->client.base, node_id);
}

static bool is_a_seed_up(struct tool_cluster *cluster, void *context)
{
	(void)context;
	for (uint32_t i = 0; i < cluster->seeds.count; i++) {
		if (is_peer_up(cluster, cluster->seeds.items[i].node_id))
			return true;
	}
	return false;
}

/* Waiting does not help against a refusal by all. */
static bool is_decided(struct tool_cluster *cluster, void *context)
{
	uint32_t refused_count = 0;

	for (uint32_t i = 0; i < cluster->seeds.count; i++)
		refused_count += why_unreached(cluster, cluster->seeds.items[i].node_id) != ST_UNREACHABLE;
	return refused_count == cluster->seeds.count || is_a_seed_up(cluster, context);
}

static bool is_loaded(struct tool_cluster *cluster, void *context)
{
	(void)context;
	return cluster->view.state.version != 0;
}

static void explain_not_loaded(struct tool_cluster *cluster)
{
	(void)fprintf(stderr, "%s: the catalog could not be read:\n", cluster->program);
	for (uint32_t i = 0; i < cluster->seeds.count; i++) {
		const struct endpoint_seed *seed = &cluster->seeds.items[i];
		bool is_up = is_peer_up(cluster, seed->node_id);

		(void)fprintf(
			stderr, "  node %" PRIu64 " at %s:%u: %s\n", seed->node_id, seed->place.host,
			seed->place.port,
			is_up ? "it runs, but has no catalog that has a leader: start more of these nodes"
			      : advice_on(why_unreached(cluster, seed->node_id)));
	}
}

static void on_synced(struct catalog_sync *sync)
{
	struct tool_cluster *cluster = CONTAINER_OF(sync, struct tool_cluster, sync);

	cluster->is_sync_over = true;
}

/* What a seed told may be behind.  Without a leader that is the best there is. */
static void catch_up(struct tool_cluster *cluster)
{
	catalog_view_sync(&cluster->view, &cluster->sync, TOOL_CLUSTER_SYNC_MS, on_synced);
	while (!cluster->is_sync_over)
		runtime_uv_turn(&cluster->runtime); /* it has a deadline of its own */
	if (cluster->sync.status != ST_OK)
		(void)fprintf(stderr, "%s: the catalog's leader does not answer: what follows may be old\n",
			      cluster->program);
}

static bool load_catalog(struct tool_cluster *cluster)
{
	uint64_t deadline_mono_us = deadline_in(cluster, TOOL_CLUSTER_LOAD_MS);

	/* A watch started before there is a connection would only go through its pauses. */
	if (wait_until(cluster, deadline_mono_us, is_decided, NULL) && is_a_seed_up(cluster, NULL)) {
		catalog_view_start(&cluster->view);
		if (wait_until(cluster, deadline_mono_us, is_loaded, NULL)) {
			catch_up(cluster);
			return true;
		}
	}
	explain_not_loaded(cluster);
	return false;
}

static bool parse_flags(struct tool_cluster *cluster, const struct tool_flags *flags,
			struct rpc_identity *own)
{
	struct buf id;
	bool is_id;

	buf_init(&id, RPC_CLUSTER_ID_SIZE);
	is_id = hex_decode(&id, slice_of_string(flags->cluster_id)) == ST_OK &&
		id.size == RPC_CLUSTER_ID_SIZE;
	*own = (struct rpc_identity){ .role = RPC_ROLE_TOOL };
	if (is_id)
		memcpy(own->cluster_id, id.data, RPC_CLUSTER_ID_SIZE);
	buf_close(&id);
	if (!is_id)
		(void)fprintf(stderr, "%s: --cluster-id is 32 hexadecimal digits\n", cluster->program);
	else if (endpoint_parse_seeds(slice_of_string(flags->seeds), &cluster->seeds) != ST_OK)
		(void)fprintf(stderr, "%s: --seeds is a list like 1@127.0.0.1:7001,2@127.0.0.1:7002\n",
			      cluster->program);
	else
		return true;
	return false;
}

static bool open_tls(struct tool_cluster *cluster, const struct tool_flags *flags)
{
	struct tls_files files = { flags->tls_ca, flags->tls_cert, flags->tls_key };

	if (flags->is_insecure)
		return true;
	if (tls_context_create(&files, &cluster->tls) == ST_OK)
		return true;
	(void)fprintf(stderr, "%s: the certificates cannot be used: see the line above\n", cluster->program);
	return false;
}

static void connect_seeds(struct tool_cluster *cluster, const struct rpc_identity *own)
{
	struct rpc_client_options options = {
		.runtime = &cluster->runtime,
		.own = *own,
		.tls = cluster->tls,
		.is_insecure = cluster->tls == NULL,
		.refused = on_refused,
		.context = cluster,
	};
	uint64_t node_ids[ENDPOINT_SEEDS_MAX];

	CHECK(rpc_client_init(&cluster->client, &options) == ST_OK);
	for (uint32_t i = 0; i < cluster->seeds.count; i++) {
		const struct endpoint_seed *seed = &cluster->seeds.items[i];

		node_ids[i] = seed->node_id;
		cluster->client.base.ops->set_peer(&cluster->client.base, seed->node_id, seed->place.host,
						   seed->place.port);
	}
	catalog_view_init(&cluster->view, &cluster->runtime.base, &cluster->client.base, node_ids,
			  cluster->seeds.count);
}

bool tool_cluster_open(struct tool_cluster *cluster, const char *program, const struct tool_flags *flags)
{
	struct rpc_identity own;

	log_set_level(LOG_ERROR); /* what matters is said in our own words */
	*cluster = (struct tool_cluster){ .program = program };
	if (!parse_flags(cluster, flags, &own) || !open_tls(cluster, flags))
		return false;
	if (runtime_uv_init(&cluster->runtime, WORKERS) != ST_OK) {
		(void)fprintf(stderr, "%s: cannot start threads\n", program);
		tls_context_destroy(cluster->tls);
		return false;
	}
	runtime_timer_init(&cluster->guard, on_guard);
	hash_map_init(&cluster->refusals, RPC_PEERS_MAX);
	arena_init(&cluster->arena, TOOL_CLUSTER_ARENA_BYTES_MAX);
	connect_seeds(cluster, &own);
	if (load_catalog(cluster))
		return true;
	tool_cluster_close(cluster);
	return false;
}

/* --- closing --- */

static void on_view_closed(struct catalog_view *view)
{
	struct tool_cluster *cluster = CONTAINER_OF(view, struct tool_cluster, view);

	cluster->is_view_closed = true;
}

static void on_client_stopped(struct rpc_client *client)
{
	struct tool_cluster *cluster = CONTAINER_OF(client, struct tool_cluster, client);

	cluster->is_client_stopped = true;
}

void tool_cluster_close(struct tool_cluster *cluster)
{
	catalog_view_stop(&cluster->view, on_view_closed);
	while (!cluster->is_view_closed)
		runtime_uv_turn(&cluster->runtime);
	catalog_view_close(&cluster->view);
	rpc_client_stop(&cluster->client, on_client_stopped);
	while (!cluster->is_client_stopped)
		runtime_uv_turn(&cluster->runtime);
	runtime_uv_close(&cluster->runtime);
	tls_context_destroy(cluster->tls);
	hash_map_close(&cluster->refusals);
	arena_close(&cluster->arena);
}

/* --- questions --- */

bool tool_cluster_connect(struct tool_cluster *cluster, uint64_t node_id)
{
	const struct node_info *info = catalog_state_node(&cluster->view.state, node_id);

	for (uint32_t i = 0; i < cluster->seeds.count; i++) {
		if (cluster->seeds.items[i].node_id == node_id)
			return true;
	}
	if (info == NULL) {
		(void)fprintf(stderr, "%s: there is no node %" PRIu64 "; see: cleave nodes\n",
			      cluster->program, node_id);
		return false;
	}
	cluster->client.base.ops->set_peer(&cluster->client.base, node_id, info->host, info->port);
	return true;
}

struct tool_question {
	struct rpc_call call;
	struct arena *arena;
	struct tool_node *node; /* NULL: the answer's body is dropped */
	bool is_asked;
	bool is_answered;
	enum status status;
};

static void keep_reply(struct tool_question *question)
{
	ProtobufCAllocator allocator = proto_arena_allocator(question->arena);

	question->node->reply = cleave__node_status_reply__unpack(&allocator, question->call.reply.size,
								  question->call.reply.data);
	if (question->node->reply == NULL)
		question->status = ST_CORRUPT;
}

static void on_answer(struct rpc_call *call)
{
	struct tool_question *question = CONTAINER_OF(call, struct tool_question, call);

	question->is_answered = true;
	question->status = call->status;
	if (question->node != NULL && call->status == ST_OK)
		keep_reply(question);
}

/* As soon as its node is connected. */
static void ask_when_up(struct tool_cluster *cluster, struct tool_question *question)
{
	if (question->is_asked || !is_peer_up(cluster, question->call.peer_id))
		return;
	question->is_asked = true;
	question->call.done = on_answer;
	rpc_call_start(&cluster->client.base, &question->call); /* on_answer() resumes */
}

struct round {
	struct tool_question *questions;
	size_t count;
};

static bool is_round_over(struct tool_cluster *cluster, void *context)
{
	struct round *round = context;
	bool is_over = true;

	for (size_t i = 0; i < round->count; i++) {
		ask_when_up(cluster, &round->questions[i]);
		is_over = is_over && round->questions[i].is_answered;
	}
	return is_over;
}

static bool are_asked_answered(struct tool_cluster *cluster, void *context)
{
	const struct round *round = context;

	(void)cluster;
	for (size_t i = 0; i < round->count; i++) {
		if (round->questions[i].is_asked && !round->questions[i].is_answered)
			return false;
	}
	return true;
}

/* Ask all; who was never connected within the time is left with why. */
static void run_round(struct tool_cluster *cluster, struct tool_question *questions, size_t count,
		      uint32_t timeout_ms)
{
	struct round round = { questions, count };

	(void)wait_until(cluster, deadline_in(cluster, timeout_ms), is_round_over, &round); /* seen below */
	for (size_t i = 0; i < count; i++)
		rpc_call_cancel(&questions[i].call);
	/* A canceled call still answers, once: the questions must outlive that. */
	while (!are_asked_answered(cluster, &round))
		runtime_uv_turn(&cluster->runtime);
	for (size_t i = 0; i < count; i++) {
		if (!questions[i].is_asked)
			questions[i].status = why_unreached(cluster, questions[i].call.peer_id);
		else if (questions[i].status == ST_CANCELED)
			questions[i].status = ST_TIMEOUT;
	}
}

enum status tool_cluster_call(struct tool_cluster *cluster, uint64_t node_id, uint16_t method,
			      struct slice body)
{
	struct tool_question question = {
		.call = { .peer_id = node_id,
			  .method = method,
			  .timeout_ms = TOOL_CLUSTER_CALL_MS,
			  .body = body },
	};

	run_round(cluster, &question, 1, TOOL_CLUSTER_CALL_MS);
	return question.status;
}

int tool_cluster_report(const struct tool_cluster *cluster, uint64_t node_id, enum status status)
{
	const char *reason = status_name(status);

	if (status == ST_OK)
		return CLEAVE_EXIT_OK;
	if (status == ST_NOT_LEADER)
		reason = "it does not lead that partition (any more): try again";
	else if (status == ST_NOT_FOUND)
		reason = "it knows nothing of that name or number";
	else if (status == ST_BUSY)
		reason = "another change is under way, or the replica has not caught up: try again";
	else if (status == ST_TIMEOUT || status == ST_CLOSED)
		reason = "no answer came: it may have been done all the same";
	else if (status == ST_UNREACHABLE)
		reason = "it cannot be reached";
	(void)fprintf(stderr, "%s: node %" PRIu64 ": %s (%s)\n", cluster->program, node_id, reason,
		      status_name(status));
	return CLEAVE_EXIT_FAILED;
}

/* --- the survey --- */

static void describe_node(const struct node_info *info, struct tool_node *node)
{
	*node = (struct tool_node){ .node_id = info->node_id, .port = info->port };
	memcpy(node->zone, info->zone, sizeof(node->zone));
	memcpy(node->host, info->host, sizeof(node->host));
}

/* A seed counts even if it never told the catalog of itself. */
static size_t add_seeds(const struct tool_cluster *cluster, struct tool_node *nodes, size_t count)
{
	for (uint32_t s = 0; s < cluster->seeds.count; s++) {
		const struct endpoint_seed *seed = &cluster->seeds.items[s];
		size_t at = 0;

		while (at < count && nodes[at].node_id != seed->node_id)
			at++;
		if (at == count) {
			nodes[count++] = (struct tool_node){ .node_id = seed->node_id,
							     .port = seed->place.port };
			(void)snprintf(nodes[at].host, sizeof(nodes[at].host), "%s", seed->place.host);
		}
		nodes[at].is_seed = true;
	}
	return count;
}

static struct tool_node *list_nodes(struct tool_cluster *cluster, size_t *count_out)
{
	const struct catalog_state *state = &cluster->view.state;
	size_t count_max = state->nodes.count + cluster->seeds.count;
	struct tool_node *nodes = arena_alloc(&cluster->arena, count_max * sizeof(*nodes));
	const struct node_info *info;
	size_t cursor = 0;
	size_t count = 0;

	if (nodes == NULL)
		return NULL;
	while ((info = catalog_state_next_node(state, &cursor)) != NULL)
		describe_node(info, &nodes[count++]);
	*count_out = add_seeds(cluster, nodes, count);
	return nodes;
}

/* Seeds stay connected where the operator said they are. */
static void connect_others(struct tool_cluster *cluster, const struct tool_node *nodes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!nodes[i].is_seed)
			cluster->client.base.ops->set_peer(&cluster->client.base, nodes[i].node_id,
							   nodes[i].host, nodes[i].port);
	}
}

static bool ask_nodes(struct tool_cluster *cluster, struct tool_node *nodes, size_t count)
{
	struct tool_question *questions = calloc(count, sizeof(*questions));

	if (questions == NULL)
		return false;
	connect_others(cluster, nodes, count);
	for (size_t i = 0; i < count; i++) {
		questions[i].node = &nodes[i];
		questions[i].arena = &cluster->arena;
		questions[i].call.peer_id = nodes[i].node_id;
		questions[i].call.method = METHOD_NODE_STATUS;
		questions[i].call.timeout_ms = TOOL_CLUSTER_STATUS_MS;
	}
	run_round(cluster, questions, count, TOOL_CLUSTER_STATUS_MS);
	for (size_t i = 0; i < count; i++)
		nodes[i].status = questions[i].status;
	free(questions);
	return true;
}

bool tool_cluster_survey(struct tool_cluster *cluster, struct tool_survey *survey)
{
	struct tool_node *nodes;
	size_t count = 0;

	arena_reset(&cluster->arena);
	nodes = list_nodes(cluster, &count);
	if (nodes != NULL && ask_nodes(cluster, nodes, count) &&
	    tool_survey_build(survey, &cluster->view.state, nodes, count, &cluster->arena) == ST_OK)
		return true;
	(void)fprintf(stderr, "%s: not enough memory\n", cluster->program);
	return false;
}
