/* cleave local: a node and a coordinator in one process, on one loop, without sockets between. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "coordinator/coordinator.h"
#include "coordinator/credential_file.h"
#include "deploy/cleave/cleave.h"
#include "node/node.h"
#include "node/node_identity.h"
#include "proto/base/config.h"
#include "proto/base/log.h"
#include "proto/net/status_page.h"
#include "proto/rpc/rpc_local.h"

enum {
	POOL_THREADS = 1,
	STOP_GRACE_MS = 1000,
	READY_CHECK_US = 500,
	NODE_ID = 1,
	/* The catalog wants an address; nobody connects to it. */
	NODE_PORT = 1,
	MESSAGE_SIZE_MAX = 64 * 1024,
};

static const char zone[] = "local";

/* The same for every directory of `cleave local`: a cluster's node refuses it, and we a node's. */
static const uint8_t cluster_id[RPC_CLUSTER_ID_SIZE] = { 'c', 'l', 'e', 'a', 'v', 'e', ' ', 'l',
							 'o', 'c', 'a', 'l', ' ', 'd', 'i', 'r' };

/* Flags, as typed. */
struct local_flags {
	uint64_t port;
	const char *host;
	const char *dir;
	bool is_in_memory;
	unsigned auth; /* enum sigv4_mode */
	const char *credentials;
	const char *region;
	const char *https_listen;
	const char *https_cert;
	const char *https_key;
	const char *status;
	const char *log_level;
	uint64_t reserve_bytes;
	uint64_t collection_size_bytes_max;
	bool has_eventual_indexes;
};

#define FLAG(member) offsetof(struct local_flags, member)

static const char *const auth_choices[] = { [SIGV4_STRICT] = "strict", [SIGV4_OPEN] = "open", NULL };

static const struct config_option options[] = {
	{ "port", "PORT", "Where to serve clients over HTTP; 0: any free port", "8000", NULL, CONFIG_U64,
	  false, FLAG(port), 0, UINT16_MAX },
	{ "host", "ADDRESS", "On which address", "127.0.0.1", NULL, CONFIG_STRING, false, FLAG(host), 0, 0 },
	{ "dir", "DIR", "Keep the data here; without it all is in memory", NULL, NULL, CONFIG_STRING, false,
	  FLAG(dir), 0, 0 },
	{ "memory", NULL, "Keep nothing", NULL, NULL, CONFIG_FLAG, false, FLAG(is_in_memory), 0, 0 },
	{ "auth", "MODE", "Take any access key, or check signatures.", "open", auth_choices, CONFIG_CHOICE,
	  false, FLAG(auth), 0, 0 },
	{ "credentials", "FILE", "Lines ACCESS_KEY_ID SECRET, for --auth=strict", NULL, NULL, CONFIG_STRING,
	  false, FLAG(credentials), 0, 0 },
	{ "region", "REGION", "The region's name, in ARNs and signatures", "us-east-1", NULL, CONFIG_STRING,
	  false, FLAG(region), 0, 0 },
	{ "https-listen", "HOST:PORT", "Serve clients over HTTPS too", NULL, NULL, CONFIG_STRING, false,
	  FLAG(https_listen), 0, 0 },
	{ "https-cert", "FILE", "The certificate shown to clients, with its chain", NULL, NULL, CONFIG_STRING,
	  false, FLAG(https_cert), 0, 0 },
	{ "https-key", "FILE", "Its private key", NULL, NULL, CONFIG_STRING, false, FLAG(https_key), 0, 0 },
	{ "status", "HOST:PORT", "Serve /health and /metrics here", NULL, NULL, CONFIG_STRING, false,
	  FLAG(status), 0, 0 },
	{ "log-level", "LEVEL", "debug, info, warn or error", "warn", NULL, CONFIG_STRING, false,
	  FLAG(log_level), 0, 0 },
	{ "reserve", "BYTES", "Refuse writes when less than this is free on the disk", "64MB", NULL,
	  CONFIG_SIZE, false, FLAG(reserve_bytes), 0, 0 },
	{ "collection-limit", "BYTES", "Largest item collection of a table with local indexes", "10GB", NULL,
	  CONFIG_SIZE, false, FLAG(collection_size_bytes_max), 1024, 0 },
	{ "eventual-indexes", NULL, "Answer a write before global indexes have it, as a cluster does", NULL,
	  NULL, CONFIG_FLAG, false, FLAG(has_eventual_indexes), 0, 0 },
};

static const struct config_spec spec = {
	.program = "cleave local",
	.summary = "A whole database in this process, for clients of DynamoDB: one node, one replica,\n"
		   "no certificates.",
	.options = options,
	.option_count = ARRAY_COUNT(options),
};

/* The process: built in order, stopped in reverse. */
struct process {
	struct local_flags flags;
	struct endpoint listen;
	struct endpoint https_listen;
	struct credential_file credentials;
	struct rpc_identity own;
	struct runtime_uv runtime;
	struct engine *engine;
	struct rpc_service service;         /* hands on to the node, which comes after its transport */
	struct rpc_local node_calls;        /* the node's to itself */
	struct rpc_local coordinator_calls; /* the coordinator's to the node */
	struct node *node;
	struct coordinator *coordinator;
	struct status_page status_page;
	bool has_status_page;
	struct runtime_timer ready_timer;
	uv_signal_t signals[2];
	bool is_stopping;
	uint32_t fronts_running; /* what must be closed before the node stops */
};

static struct process process;

__attribute__((noreturn)) static void die(int exit_code, const char *what, const char *subject,
					  const char *advice)
{
	(void)fprintf(stderr, "cleave local: %s%s%s%s%s\n", what, subject[0] == '\0' ? "" : " ", subject,
		      advice[0] == '\0' ? "" : "\n", advice);
	exit(exit_code);
}

/* --- flags --- */

static bool parse_flags(int argc, char **argv, int *exit_code_out)
{
	struct buf message;
	enum status status;

	buf_init(&message, MESSAGE_SIZE_MAX);
	status = config_parse(&spec, argc, argv, &process.flags, &message);
	*exit_code_out = status == ST_CANCELED ? CLEAVE_EXIT_OK : CLEAVE_EXIT_USAGE;
	if (status == ST_CANCELED)
		(void)fwrite(message.data, 1, message.size, stdout);
	else if (status != ST_OK)
		(void)fprintf(stderr, "cleave local: %.*s", (int)message.size, (const char *)message.data);
	buf_close(&message);
	return status == ST_OK;
}

static void check_flags(void)
{
	const struct local_flags *flags = &process.flags;
	enum log_level level;

	if (!log_parse_level(flags->log_level, &level))
		die(CLEAVE_EXIT_USAGE, "--log-level is debug, info, warn or error", "", "");
	log_set_level(level);
	if (flags->is_in_memory && flags->dir != NULL)
		die(CLEAVE_EXIT_USAGE, "--dir and --memory exclude each other:", "leave one out", "");
	if (flags->auth == SIGV4_STRICT && flags->credentials == NULL)
		die(CLEAVE_EXIT_USAGE, "--auth=strict needs --credentials=FILE", "",
		    "The file has lines like: AKIAIOSFODNN7EXAMPLE SECRET");
	if (flags->https_listen != NULL && (flags->https_cert == NULL || flags->https_key == NULL))
		die(CLEAVE_EXIT_USAGE, "--https-listen needs --https-cert and --https-key", "", "");
}

static void parse_places(void)
{
	const struct local_flags *flags = &process.flags;

	if (strlen(flags->host) > ENDPOINT_HOST_SIZE_MAX)
		die(CLEAVE_EXIT_USAGE, "--host is an address like 127.0.0.1", "", "");
	(void)snprintf(process.listen.host, sizeof(process.listen.host), "%s", flags->host);
	process.listen.port = (uint16_t)flags->port;
	if (flags->https_listen != NULL &&
	    endpoint_parse(slice_of_string(flags->https_listen), &process.https_listen) != ST_OK)
		die(CLEAVE_EXIT_USAGE, "--https-listen is HOST:PORT", "", "");
}

static void load_credentials(void)
{
	const char *path = process.flags.credentials;

	credential_file_init(&process.credentials);
	if (path != NULL && credential_file_load(&process.credentials, path) != ST_OK)
		die(CLEAVE_EXIT_FAILED, "cannot use the credentials in", path, "The line above says why.");
}

static bool find_credential(void *context, struct slice access_key_id, struct sigv4_credential *out)
{
	(void)context;
	*out = (struct sigv4_credential){ .expires_epoch_s = 0 };
	return credential_file_find(&process.credentials, access_key_id, &out->secret);
}

/* --- building --- */

static void check_identity(enum status status)
{
	const char *dir = process.flags.dir == NULL ? "" : process.flags.dir;

	if (status == ST_WRONG_CLUSTER || status == ST_EXISTS)
		die(CLEAVE_EXIT_FAILED, "this is the data directory of a cluster's node:", dir,
		    "Start that node with cleave-node, or choose another --dir.");
	if (status == ST_VERSION)
		die(CLEAVE_EXIT_FAILED, "a newer version wrote the data in", dir,
		    "Run that version or a later one, or choose another --dir.");
	if (status != ST_OK)
		die(CLEAVE_EXIT_FAILED, "cannot read whose data this is:", dir, status_name(status));
}

static void open_engine(void)
{
	const char *dir = process.flags.dir;
	struct engine_options engine_options = { .dir = dir, .is_small = true };
	enum status status = engine_rocksdb_open(&engine_options, &process.engine);
	uint64_t found_node_id;

	if (status == ST_BUSY)
		die(CLEAVE_EXIT_FAILED, "another process uses the data in", dir,
		    "Stop that process, or choose another --dir.");
	if (status == ST_CORRUPT)
		die(CLEAVE_EXIT_FAILED, "this data cannot be understood:", dir,
		    "The line above says why.  It may be damaged, or written by a newer version.");
	if (status != ST_OK)
		die(CLEAVE_EXIT_FAILED, "cannot open the data directory", dir == NULL ? "" : dir,
		    "The line above says why.");
	memcpy(process.own.cluster_id, cluster_id, sizeof(cluster_id));
	process.own.role = RPC_ROLE_NODE;
	process.own.node_id = NODE_ID;
	check_identity(
		node_identity_open(process.engine, &process.runtime.base.rng, &process.own, &found_node_id));
}

static void on_request(struct rpc_service *service, struct rpc_request *request)
{
	(void)service;
	process.node->server.service.handle(&process.node->server.service, request);
}

static void on_fatal(void *context, enum status status)
{
	(void)context;
	log_error("local", "cannot go on", "status=%s", status_name(status));
	/* What the disk holds is unknown from here on: no clean-up may write anything more. */
	_exit(CLEAVE_EXIT_FAILED);
}

static void start_node(void)
{
	struct runtime *runtime = &process.runtime.base;
	struct node_options wanted = {
		.node_id = NODE_ID,
		.zone = zone,
		.host = "localhost",
		.port = NODE_PORT,
		.seed_node_ids = { NODE_ID },
		.seed_count = 1,
		.settings = catalog_default_settings(1),
		.reserve_bytes = process.flags.reserve_bytes,
		.collection_size_bytes_max = process.flags.collection_size_bytes_max,
		.waits_for_indexes = !process.flags.has_eventual_indexes,
		.fatal = on_fatal,
	};
	enum status status;

	memcpy(wanted.incarnation, process.own.incarnation, sizeof(wanted.incarnation));
	wanted.settings.on_demand_partitions = 1;
	wanted.settings.replica_count = 1;
	process.service.handle = on_request;
	rpc_local_init(&process.node_calls, runtime, NODE_ID, NODE_ID, &process.service);
	rpc_local_init(&process.coordinator_calls, runtime, NODE_ID, 0, &process.service);
	status = node_create(runtime, &process.node_calls.base, process.engine, &wanted, &process.node);
	if (status != ST_OK)
		die(CLEAVE_EXIT_FAILED, "cannot start on this data:", status_name(status),
		    "The lines above say why.");
}

static void start_coordinator(void)
{
	static const uint64_t seed_node_ids[] = { NODE_ID };
	const struct local_flags *flags = &process.flags;
	struct coordinator_options wanted = {
		.runtime = &process.runtime,
		.transport = &process.coordinator_calls.base,
		.seed_node_ids = seed_node_ids,
		.seed_count = ARRAY_COUNT(seed_node_ids),
		.zone = zone,
		.region = flags->region,
		.auth = (enum sigv4_mode)flags->auth,
		.credential_cb = find_credential,
		.listen = &process.listen,
		.https_listen = flags->https_listen == NULL ? NULL : &process.https_listen,
		.https_cert_path = flags->https_cert,
		.https_key_path = flags->https_key,
	};
	enum status status = coordinator_start(&wanted, &process.coordinator);

	if (status == ST_IO)
		die(CLEAVE_EXIT_FAILED,
		    "cannot listen: the port is in use, or the address is not this machine's.", "",
		    "Stop what uses it, or choose another --port, --host or --https-listen.");
	if (status == ST_INVALID)
		die(CLEAVE_EXIT_USAGE,
		    "--host is no address of this machine, or --region or the HTTPS certificate",
		    "cannot be used", "");
	if (status != ST_OK)
		die(CLEAVE_EXIT_FAILED, "cannot start:", status_name(status), "");
	process.fronts_running++;
}

static const char *problem(void *context)
{
	const char *what = node_problem(process.node);

	(void)context;
	return what == NULL ? coordinator_problem(process.coordinator) : what;
}

static void before_metrics(void *context)
{
	(void)context;
	node_update_metrics(process.node);
}

static void start_status_page(void)
{
	const char *where = process.flags.status;
	struct endpoint place;
	struct status_page_options page = {
		.runtime = &process.runtime,
		.problem = problem,
		.before_metrics = before_metrics,
	};

	if (where == NULL)
		return;
	if (endpoint_parse(slice_of_string(where), &place) != ST_OK)
		die(CLEAVE_EXIT_USAGE, "--status is HOST:PORT", "", "");
	page.host = place.host;
	page.port = place.port;
	if (status_page_start(&process.status_page, &page) != ST_OK)
		die(CLEAVE_EXIT_FAILED, "cannot listen for --status on", where,
		    "Something else uses the port: choose another one.");
	process.has_status_page = true;
	process.fronts_running++;
}

/* --- being ready --- */

static void say_ready(void)
{
	const struct local_flags *flags = &process.flags;
	bool is_v6 = strchr(flags->host, ':') != NULL;

	(void)printf("cleave local: ready on http://%s%s%s:%u ", is_v6 ? "[" : "", flags->host,
		     is_v6 ? "]" : "", coordinator_port(process.coordinator));
	if (flags->https_listen != NULL)
		(void)printf("and https://%s:%u ", process.https_listen.host,
			     coordinator_https_port(process.coordinator));
	if (flags->dir != NULL)
		(void)printf("(data in %s)\n", flags->dir);
	else
		(void)printf("(in memory%s)\n", flags->is_in_memory ? "" : "; --dir=DIR keeps the data");
	(void)fflush(stdout); /* a closed standard output is the user's choice */
}

static void on_ready_timer(struct runtime_timer *timer)
{
	if (problem(NULL) == NULL)
		say_ready();
	else
		runtime_timer_start(&process.runtime.base, timer, READY_CHECK_US);
}

/* --- stopping --- */

static void on_node_stopped(struct node *node)
{
	(void)node;
	runtime_uv_stop(&process.runtime);
}

static void front_stopped(void)
{
	process.fronts_running--;
	if (process.fronts_running == 0)
		node_stop(process.node, on_node_stopped);
}

static void on_coordinator_stopped(void *context)
{
	(void)context;
	front_stopped();
}

static void on_page_stopped(struct status_page *page)
{
	(void)page;
	front_stopped();
}

/* A second signal finds no handler any more, and ends the process. */
static void on_signal(uv_signal_t *handle, int number)
{
	(void)handle;
	if (process.is_stopping)
		return;
	process.is_stopping = true;
	log_info("local", "stopping", "signal=%d", number);
	for (size_t i = 0; i < ARRAY_COUNT(process.signals); i++)
		uv_close((uv_handle_t *)&process.signals[i], NULL);
	runtime_timer_stop(&process.runtime.base, &process.ready_timer);
	if (process.has_status_page)
		status_page_stop(&process.status_page, on_page_stopped);
	coordinator_stop(process.coordinator, STOP_GRACE_MS, on_coordinator_stopped, NULL);
}

static void watch_signals(void)
{
	static const int numbers[] = { SIGTERM, SIGINT };

	_Static_assert(ARRAY_COUNT(numbers) == ARRAY_COUNT(process.signals), "a handle for each signal");
	for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
		int rc = uv_signal_init(&process.runtime.loop, &process.signals[i]);

		rc |= uv_signal_start(&process.signals[i], on_signal, numbers[i]);
		CHECK(rc == 0);
	}
}

static bool is_busy(const struct rpc_local *local)
{
	return local->request_count > 0 || !queue_is_empty(&local->finished);
}

static void tear_down(void)
{
	while (is_busy(&process.coordinator_calls) || is_busy(&process.node_calls))
		runtime_uv_turn(&process.runtime);
	coordinator_destroy(process.coordinator);
	node_destroy(process.node);
	rpc_local_close(&process.coordinator_calls);
	rpc_local_close(&process.node_calls);
	engine_close(process.engine);
	runtime_uv_close(&process.runtime);
	credential_file_close(&process.credentials);
}

/* --- the command --- */

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* best effort: the bound on connections is our own */
}

int tool_local_run(int argc, char **argv)
{
	int exit_code;

	if (!parse_flags(argc, argv, &exit_code))
		return exit_code;
	check_flags();
	parse_places();
	load_credentials();
	raise_descriptor_limit();
	if (runtime_uv_init(&process.runtime, POOL_THREADS) != ST_OK)
		die(CLEAVE_EXIT_FAILED, "cannot start threads", "", "");
	open_engine();
	start_node();
	start_coordinator();
	start_status_page();
	watch_signals();
	runtime_timer_init(&process.ready_timer, on_ready_timer);
	runtime_timer_start(&process.runtime.base, &process.ready_timer, 0);

	runtime_uv_run(&process.runtime);

	tear_down();
	return CLEAVE_EXIT_OK;
}
