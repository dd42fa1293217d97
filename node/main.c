/* cleave-node: a storage node of a cluster. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "node/node.h"
#include "node/node_identity.h"
#include "proto/base/base64.h"
#include "proto/base/config.h"
#include "proto/base/fault.h"
#include "proto/base/huge_pages.h"
#include "proto/base/log.h"
#include "proto/base/runtime_uv.h"
#include "proto/net/endpoint.h"
#include "proto/net/status_page.h"
#include "proto/net/tls_context.h"
#include "proto/rpc/rpc_client.h"
#include "proto/rpc/rpc_server.h"

enum {
	POOL_THREADS = 4,
	STOP_GRACE_MS = 2000,
	EXIT_USAGE = 2,
	EXIT_FORGOTTEN = 3,
	CACHE_BYTES = 64 * 1024 * 1024,
	NODE_ID_MAX = 1000000,
	HUGE_PAGES_BYTES = 384 * 1024 * 1024, /* the store's write buffers and cache, and some */
};

/* Flags, as typed. */
struct node_flags {
	const char *dir;
	const char *cluster_id;
	uint64_t node_id;
	const char *zone;
	const char *listen;
	const char *advertise;
	const char *seeds;
	const char *tls_ca;
	const char *tls_cert;
	const char *tls_key;
	const char *status;
	const char *log_level;
	const char *fault;
	bool is_insecure;
	uint64_t reserve_bytes;
	uint64_t cache_bytes;
	uint64_t election_timeout_ms;
	uint64_t heartbeat_ms;
	bool uses_leases;
	uint64_t on_demand_partitions;
	uint64_t log_keep_entries;
	uint64_t collection_size_bytes_max;
};

#define FLAG(member) offsetof(struct node_flags, member)

static const struct config_option options[] = {
	{ "dir", "DIR", "Where the data lives", NULL, NULL, CONFIG_STRING, true, FLAG(dir), 0, 0 },
	{ "cluster-id", "HEX", "32 hexadecimal digits, the same for all processes of the cluster", NULL, NULL,
	  CONFIG_STRING, true, FLAG(cluster_id), 0, 0 },
	{ "node-id", "N", "This node's number, never used again", NULL, NULL, CONFIG_U64, true, FLAG(node_id),
	  1, NODE_ID_MAX },
	{ "zone", "ZONE", "The availability zone it stands in", NULL, NULL, CONFIG_STRING, true, FLAG(zone),
	  0, 0 },
	{ "listen", "HOST:PORT", "Where to listen for the other processes", NULL, NULL, CONFIG_STRING, true,
	  FLAG(listen), 0, 0 },
	{ "advertise", "HOST:PORT", "How others reach it, if not by --listen", NULL, NULL, CONFIG_STRING,
	  false, FLAG(advertise), 0, 0 },
	{ "seeds", "LIST", "The nodes that hold the catalog: 1@HOST:PORT,2@HOST:PORT,...", NULL, NULL,
	  CONFIG_STRING, true, FLAG(seeds), 0, 0 },
	{ "tls-ca", "FILE", "The cluster's certificate authority", NULL, NULL, CONFIG_STRING, false,
	  FLAG(tls_ca), 0, 0 },
	{ "tls-cert", "FILE",
	  "This node's certificate (common name node-N); all three are read again on SIGHUP", NULL, NULL,
	  CONFIG_STRING, false, FLAG(tls_cert), 0, 0 },
	{ "tls-key", "FILE", "Its private key", NULL, NULL, CONFIG_STRING, false, FLAG(tls_key), 0, 0 },
	{ "status", "HOST:PORT", "Serve /health and /metrics here", NULL, NULL, CONFIG_STRING, false,
	  FLAG(status), 0, 0 },
	{ "log-level", "LEVEL", "debug, info, warn or error", "info", NULL, CONFIG_STRING, false,
	  FLAG(log_level), 0, 0 },
	{ "fault", "POINT=PER_MILLION:DELAY_MS", "Arm a fault point from the start, for drills", NULL, NULL,
	  CONFIG_STRING, false, FLAG(fault), 0, 0 },
	{ "insecure", NULL, "Plain TCP without certificates, for tests only", NULL, NULL, CONFIG_FLAG, false,
	  FLAG(is_insecure), 0, 0 },
	{ "reserve", "BYTES", "Refuse writes when less than this is free on the disk", "256MB", NULL,
	  CONFIG_SIZE, false, FLAG(reserve_bytes), 0, 0 },
	{ "cache", "BYTES", "Block cache", "256MB", NULL, CONFIG_SIZE, false, FLAG(cache_bytes), 1024 * 1024,
	  0 },
	{ "election-timeout", "TIME", "The same on every node", "600ms", NULL, CONFIG_MS, false,
	  FLAG(election_timeout_ms), 100, 60000 },
	{ "heartbeat", "TIME", "The same on every node", "100ms", NULL, CONFIG_MS, false, FLAG(heartbeat_ms),
	  10, 10000 },
	{ "leases", NULL, "Answer strong reads under a leader's lease: trusts the machines' clock rates",
	  NULL, NULL, CONFIG_FLAG, false, FLAG(uses_leases), 0, 0 },
	{ "on-demand-partitions", "N", "Partitions of a new on-demand table", "4", NULL, CONFIG_U64, false,
	  FLAG(on_demand_partitions), 1, 1000 },
	{ "log-keep", "ENTRIES", "Log kept for a replica that is behind; further back it needs a snapshot",
	  "65536", NULL, CONFIG_U64, false, FLAG(log_keep_entries), 16, 1000000 },
	{ "collection-limit", "BYTES", "Largest item collection of a table with local indexes", "10GB", NULL,
	  CONFIG_SIZE, false, FLAG(collection_size_bytes_max), 1024, 0 },
};

static const struct config_spec spec = {
	.program = "cleave-node",
	.summary = "A storage node of a Cleave cluster.",
	.options = options,
	.option_count = ARRAY_COUNT(options),
};

/* The process: built in order, stopped in reverse. */
struct process {
	struct node_flags flags;
	struct node_options node_options;
	struct rpc_identity own;
	struct endpoint listen;
	struct endpoint advertise;
	struct endpoint_seeds seeds;
	struct runtime_uv runtime;
	struct tls_context *tls;
	struct engine *engine;
	struct rpc_client client;
	struct rpc_server server;
	struct status_page status_page;
	bool has_status_page;
	struct node *node;
	uv_signal_t sigterm;
	uv_signal_t sigint;
	uv_signal_t sighup;
	bool is_stopping;
	uint32_t parts_running;
};

static struct process process;

static void die(const char *what, const char *advice)
{
	(void)fprintf(stderr, "cleave-node: %s\n%s%s", what, advice, advice[0] == '\0' ? "" : "\n");
	exit(EXIT_FAILURE);
}

/* --- flags --- */

static void parse_flags(int argc, char **argv)
{
	struct buf message;
	enum log_level level;
	enum status status;

	buf_init(&message, 64 * 1024);
	status = config_parse(&spec, argc, argv, &process.flags, &message);
	if (status == ST_CANCELED) {
		(void)fwrite(message.data, 1, message.size, stdout);
		exit(EXIT_SUCCESS);
	}
	if (status != ST_OK) {
		(void)fwrite(message.data, 1, message.size, stderr);
		exit(EXIT_USAGE);
	}
	buf_close(&message);
	if (!log_parse_level(process.flags.log_level, &level))
		die("--log-level is debug, info, warn or error", "");
	log_set_level(level);
}

static void parse_identity(void)
{
	struct buf id;

	buf_init(&id, RPC_CLUSTER_ID_SIZE);
	if (hex_decode(&id, slice_of_string(process.flags.cluster_id)) != ST_OK ||
	    id.size != RPC_CLUSTER_ID_SIZE)
		die("--cluster-id is 32 hexadecimal digits", "");
	memcpy(process.own.cluster_id, id.data, RPC_CLUSTER_ID_SIZE);
	buf_close(&id);
	process.own.role = RPC_ROLE_NODE;
	process.own.node_id = process.flags.node_id;
}

static void parse_places(void)
{
	const struct node_flags *flags = &process.flags;

	if (endpoint_parse(slice_of_string(flags->listen), &process.listen) != ST_OK)
		die("--listen is HOST:PORT", "");
	if (endpoint_parse(slice_of_string(flags->advertise == NULL ? flags->listen : flags->advertise),
			   &process.advertise) != ST_OK)
		die("--advertise is HOST:PORT", "");
	if (endpoint_parse_seeds(slice_of_string(flags->seeds), &process.seeds) != ST_OK)
		die("--seeds is a list like 1@127.0.0.1:7001,2@127.0.0.1:7002", "");
}

/* POINT=PER_MILLION:DELAY_MS */
static void arm_fault(void)
{
	char name[64];
	unsigned per_million;
	unsigned delay_ms;

	if (process.flags.fault == NULL)
		return;
	if (sscanf(process.flags.fault, "%63[^=]=%u:%u", name, &per_million, &delay_ms) != 3 ||
	    fault_parse(name) == FAULT_NONE)
		die("--fault is POINT=PER_MILLION:DELAY_MS, like apply-delay=0:3000", "");
	fault_set(fault_parse(name), per_million, delay_ms);
}

/* --- building --- */

static void open_tls(void)
{
	const struct node_flags *flags = &process.flags;
	struct tls_files files = { flags->tls_ca, flags->tls_cert, flags->tls_key };

	if (flags->is_insecure)
		return;
	if (files.ca_path == NULL || files.cert_path == NULL || files.key_path == NULL)
		die("--tls-ca, --tls-cert and --tls-key are needed",
		    "Nodes talk to nobody without a certificate.  For a test: --insecure.");
	if (tls_context_create(&files, &process.tls) != ST_OK)
		die("the certificates cannot be used: see the line above", "");
}

static void open_engine(void)
{
	struct engine_options engine_options = { .dir = process.flags.dir,
						 .cache_bytes = process.flags.cache_bytes };
	uint64_t found_node_id;
	enum status status = engine_rocksdb_open(&engine_options, &process.engine);

	if (status == ST_BUSY)
		die("the data directory is in use by another process",
		    "Stop that process, or give this node a --dir of its own.");
	if (status == ST_CORRUPT)
		die("the data directory is damaged: see the line above",
		    "What this node had acknowledged is not all there, so it must not take part again.\n"
		    "Keep the directory for study; deploy/runbook/damaged-directory.md says how to go on.");
	if (status != ST_OK)
		die("the data directory cannot be opened: see the line above", "");
	status = node_identity_open(process.engine, &process.runtime.base.rng, &process.own, &found_node_id);
	if (status == ST_WRONG_CLUSTER)
		die("the data directory belongs to another cluster",
		    "Check --dir and --cluster-id; to reuse the directory, empty it first.");
	if (status == ST_EXISTS) {
		(void)fprintf(stderr, "cleave-node: the data directory belongs to node %" PRIu64 "\n",
			      found_node_id);
		die("check --dir and --node-id", "");
	}
	if (status == ST_VERSION)
		die("the data directory was written by a newer version", "Run that version or a later one.");
	if (status != ST_OK)
		die("the data directory's identity cannot be read", status_name(status));
}

static void on_fatal(void *context, enum status status)
{
	(void)context;
	log_error("node", "cannot go on", "status=%s", status_name(status));
	/* What the disk holds is unknown from here on: no clean-up may write anything more. */
	_exit(EXIT_FAILURE);
}

static void on_refused(void *context, uint64_t peer_id, enum status status)
{
	(void)context;
	log_error("node", "refused", "by=%" PRIu64 " status=%s", peer_id, status_name(status));
	if (status != ST_FORGOTTEN)
		return;
	(void)fprintf(
		stderr,
		"cleave-node: node %" PRIu64 " knows this node by another data directory.\n"
		"This directory is empty or not the one it used to have, so the node has forgotten its\n"
		"votes and must not come back under its old number.  Put the old directory back, or give\n"
		"the node a --node-id that was never used and let it join as a new one.\n",
		peer_id);
	_exit(EXIT_FORGOTTEN);
}

static enum status on_hello(void *context, const struct rpc_identity *peer)
{
	enum status status = node_identity_admit(&process.node->groups.commit, peer);

	(void)context;
	if (status == ST_OK && peer->role == RPC_ROLE_NODE)
		rpc_client_hurry(&process.client, peer->node_id);
	return status;
}

static void start_client(void)
{
	struct rpc_client_options client_options = {
		.runtime = &process.runtime,
		.own = process.own,
		.tls = process.tls,
		.is_insecure = process.flags.is_insecure,
		.refused = on_refused,
	};
	struct rpc_transport *transport = &process.client.base;

	CHECK(rpc_client_init(&process.client, &client_options) == ST_OK);
	for (uint32_t i = 0; i < process.seeds.count; i++)
		transport->ops->set_peer(transport, process.seeds.items[i].node_id,
					 process.seeds.items[i].place.host,
					 process.seeds.items[i].place.port);
}

static void start_node(void)
{
	const struct node_flags *flags = &process.flags;
	struct node_options *wanted = &process.node_options;

	wanted->node_id = flags->node_id;
	wanted->zone = flags->zone;
	wanted->host = process.advertise.host;
	wanted->port = process.advertise.port;
	memcpy(wanted->incarnation, process.own.incarnation, sizeof(wanted->incarnation));
	wanted->seed_count = process.seeds.count;
	for (uint32_t i = 0; i < process.seeds.count; i++)
		wanted->seed_node_ids[i] = process.seeds.items[i].node_id;
	wanted->settings = catalog_default_settings(process.seeds.count);
	wanted->settings.election_timeout_ms = (uint32_t)flags->election_timeout_ms;
	wanted->settings.heartbeat_ms = (uint32_t)flags->heartbeat_ms;
	wanted->settings.leases = flags->uses_leases;
	wanted->settings.on_demand_partitions = (uint32_t)flags->on_demand_partitions;
	wanted->reserve_bytes = flags->reserve_bytes;
	wanted->log_keep_entries = (uint32_t)flags->log_keep_entries;
	wanted->collection_size_bytes_max = flags->collection_size_bytes_max;
	wanted->fatal = on_fatal;
	if (node_create(&process.runtime.base, &process.client.base, process.engine, wanted, &process.node) !=
	    ST_OK)
		die("the node cannot start: see the lines above", "");
}

static void start_server(void)
{
	struct rpc_server_options server_options = {
		.runtime = &process.runtime,
		.host = process.listen.host,
		.port = process.listen.port,
		.own = process.own,
		.tls = process.tls,
		.is_insecure = process.flags.is_insecure,
		.service = &process.node->server.service,
		.admit = on_hello,
	};

	if (rpc_server_start(&process.server, &server_options) != ST_OK)
		die("cannot listen on --listen: is the port in use?", process.flags.listen);
	process.parts_running++;
}

static const char *problem(void *context)
{
	(void)context;
	return node_problem(process.node);
}

static void before_metrics(void *context)
{
	(void)context;
	node_update_metrics(process.node);
}

static void start_status_page(void)
{
	struct endpoint place;
	struct status_page_options page = {
		.runtime = &process.runtime,
		.problem = problem,
		.before_metrics = before_metrics,
	};

	if (process.flags.status == NULL)
		return;
	if (endpoint_parse(slice_of_string(process.flags.status), &place) != ST_OK)
		die("--status is HOST:PORT", "");
	page.host = place.host;
	page.port = place.port;
	if (status_page_start(&process.status_page, &page) != ST_OK)
		die("cannot listen on --status: is the port in use?", process.flags.status);
	process.has_status_page = true;
	process.parts_running++;
}

/* --- stopping --- */

static void on_client_stopped(struct rpc_client *client)
{
	(void)client;
	runtime_uv_stop(&process.runtime);
}

static void part_stopped(void)
{
	process.parts_running--;
	if (process.parts_running > 0)
		return;
	rpc_client_stop(&process.client, on_client_stopped);
}

static void on_node_stopped(struct node *node)
{
	(void)node;
	part_stopped();
}

static void on_server_stopped(struct rpc_server *server)
{
	(void)server;
	part_stopped();
}

static void on_page_stopped(struct status_page *page)
{
	(void)page;
	part_stopped();
}

static void on_signal(uv_signal_t *handle, int number)
{
	(void)handle;
	if (process.is_stopping)
		return;
	process.is_stopping = true;
	log_info("node", "stopping", "signal=%d", number);
	uv_close((uv_handle_t *)&process.sigterm, NULL);
	uv_close((uv_handle_t *)&process.sigint, NULL);
	uv_close((uv_handle_t *)&process.sighup, NULL);
	process.parts_running++; /* the node */
	node_stop(process.node, on_node_stopped);
	rpc_server_stop(&process.server, STOP_GRACE_MS, on_server_stopped);
	if (process.has_status_page)
		status_page_stop(&process.status_page, on_page_stopped);
}

/* Connections that stand keep the certificate that they were made with; what cannot be read
 * anew stays as it was, and the log says so. */
static void on_reload(uv_signal_t *handle, int number)
{
	const struct node_flags *flags = &process.flags;
	struct tls_files files = { flags->tls_ca, flags->tls_cert, flags->tls_key };
	enum status status;

	(void)handle;
	(void)number;
	if (process.tls == NULL)
		return;
	status = tls_context_reload(process.tls, &files);
	if (status == ST_OK)
		log_info("node", "certificates read again", "cert=%s", flags->tls_cert);
	else
		log_error("node", "certificates kept", "cert=%s status=%s", flags->tls_cert,
			  status_name(status));
}

static void watch_signals(void)
{
	int rc = uv_signal_init(&process.runtime.loop, &process.sigterm);

	rc |= uv_signal_init(&process.runtime.loop, &process.sigint);
	rc |= uv_signal_init(&process.runtime.loop, &process.sighup);
	rc |= uv_signal_start(&process.sighup, on_reload, SIGHUP);
	rc |= uv_signal_start(&process.sigterm, on_signal, SIGTERM);
	rc |= uv_signal_start(&process.sigint, on_signal, SIGINT);
	CHECK(rc == 0);
	(void)signal(SIGPIPE, SIG_IGN);
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* best effort: the bound on connections is our own */
}

static void prepare_memory(void)
{
#ifdef CLEAVE_ALLOCATOR_KEEPS_MEMORY
	huge_pages_prepare(HUGE_PAGES_BYTES);
#endif
}

int main(int argc, char **argv)
{
	parse_flags(argc, argv);
	parse_identity();
	parse_places();
	arm_fault();
	raise_descriptor_limit();
	prepare_memory();
	if (runtime_uv_init(&process.runtime, POOL_THREADS) != ST_OK)
		die("cannot start threads", "");
	open_tls();
	open_engine();
	start_client();
	start_node();
	start_server();
	start_status_page();
	watch_signals();
	log_info("node", "started", "node=%" PRIu64 " zone=%s listen=%s version=%s", process.flags.node_id,
		 process.flags.zone, process.flags.listen, CLEAVE_VERSION);

	runtime_uv_run(&process.runtime);

	node_destroy(process.node);
	engine_close(process.engine);
	tls_context_destroy(process.tls);
	runtime_uv_close(&process.runtime);
	log_info("node", "stopped", "node=%" PRIu64, process.flags.node_id);
	return EXIT_SUCCESS;
}
