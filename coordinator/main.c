/* cleave-coordinator: an HTTP front end of a cluster. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "coordinator/coordinator.h"
#include "coordinator/credential_file.h"
#include "proto/base/base64.h"
#include "proto/base/config.h"
#include "proto/base/log.h"
#include "proto/net/status_page.h"
#include "proto/rpc/rpc_client.h"

enum { POOL_THREADS = 2, STOP_GRACE_MS = 5000, EXIT_USAGE = 2 };

/* Flags, as typed. */
struct coordinator_flags {
	const char *cluster_id;
	const char *zone;
	const char *region;
	const char *listen;
	const char *https_listen;
	const char *https_cert;
	const char *https_key;
	const char *seeds;
	unsigned auth; /* enum sigv4_mode */
	const char *credentials;
	const char *tls_ca;
	const char *tls_cert;
	const char *tls_key;
	const char *status;
	const char *log_level;
	bool is_insecure;
	uint64_t connections_max;
};

#define FLAG(member) offsetof(struct coordinator_flags, member)

static const char *const auth_choices[] = { [SIGV4_STRICT] = "strict", [SIGV4_OPEN] = "open", NULL };

static const struct config_option options[] = {
	{ "cluster-id", "HEX", "32 hexadecimal digits, the same for all processes of the cluster", NULL, NULL,
	  CONFIG_STRING, true, FLAG(cluster_id), 0, 0 },
	{ "zone", "ZONE", "The availability zone it stands in", NULL, NULL, CONFIG_STRING, true, FLAG(zone),
	  0, 0 },
	{ "region", "REGION", "The region's name, in ARNs and signatures", "us-east-1", NULL, CONFIG_STRING,
	  false, FLAG(region), 0, 0 },
	{ "listen", "HOST:PORT", "Where to serve clients over HTTP", NULL, NULL, CONFIG_STRING, false,
	  FLAG(listen), 0, 0 },
	{ "https-listen", "HOST:PORT", "Where to serve clients over HTTPS", NULL, NULL, CONFIG_STRING, false,
	  FLAG(https_listen), 0, 0 },
	{ "https-cert", "FILE", "The certificate shown to clients, with its chain; read again on SIGHUP",
	  NULL, NULL, CONFIG_STRING, false, FLAG(https_cert), 0, 0 },
	{ "https-key", "FILE", "Its private key", NULL, NULL, CONFIG_STRING, false, FLAG(https_key), 0, 0 },
	{ "seeds", "LIST", "The nodes that hold the catalog: 1@HOST:PORT,2@HOST:PORT,...", NULL, NULL,
	  CONFIG_STRING, true, FLAG(seeds), 0, 0 },
	{ "auth", "MODE", "Check signatures, or take any access key.", "strict", auth_choices, CONFIG_CHOICE,
	  false, FLAG(auth), 0, 0 },
	{ "credentials", "FILE", "Lines ACCESS_KEY_ID SECRET; read again on SIGHUP", NULL, NULL,
	  CONFIG_STRING, false, FLAG(credentials), 0, 0 },
	{ "tls-ca", "FILE", "The cluster's certificate authority", NULL, NULL, CONFIG_STRING, false,
	  FLAG(tls_ca), 0, 0 },
	{ "tls-cert", "FILE", "This process's certificate (common name coordinator)", NULL, NULL,
	  CONFIG_STRING, false, FLAG(tls_cert), 0, 0 },
	{ "tls-key", "FILE", "Its private key", NULL, NULL, CONFIG_STRING, false, FLAG(tls_key), 0, 0 },
	{ "status", "HOST:PORT", "Serve /health and /metrics here", NULL, NULL, CONFIG_STRING, false,
	  FLAG(status), 0, 0 },
	{ "log-level", "LEVEL", "debug, info, warn or error", "info", NULL, CONFIG_STRING, false,
	  FLAG(log_level), 0, 0 },
	{ "insecure", NULL, "Plain TCP to the nodes without certificates, for tests only", NULL, NULL,
	  CONFIG_FLAG, false, FLAG(is_insecure), 0, 0 },
	{ "connections", "N", "Client connections at most, on each listener", "4096", NULL, CONFIG_U64, false,
	  FLAG(connections_max), 1, 1000000 },
};

static const struct config_spec spec = {
	.program = "cleave-coordinator",
	.summary = "An HTTP front end of a Cleave cluster, for clients of DynamoDB.",
	.options = options,
	.option_count = ARRAY_COUNT(options),
};

/* The process: built in order, stopped in reverse. */
struct process {
	struct coordinator_flags flags;
	struct rpc_identity own;
	struct endpoint listen;
	struct endpoint https_listen;
	struct endpoint_seeds seeds;
	struct credential_file credentials;
	struct runtime_uv runtime;
	struct tls_context *tls;
	struct rpc_client client;
	struct coordinator *coordinator;
	struct status_page status_page;
	bool has_status_page;
	uv_signal_t signals[3];
	bool is_stopping;
	uint32_t parts_running;
};

static struct process process;

static void die(const char *what, const char *advice)
{
	(void)fprintf(stderr, "cleave-coordinator: %s\n%s%s", what, advice, advice[0] == '\0' ? "" : "\n");
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
	process.own.role = RPC_ROLE_COORDINATOR;
}

static void parse_places(void)
{
	const struct coordinator_flags *flags = &process.flags;

	if (flags->listen == NULL && flags->https_listen == NULL)
		die("--listen or --https-listen is needed", "");
	if (flags->listen != NULL && endpoint_parse(slice_of_string(flags->listen), &process.listen) != ST_OK)
		die("--listen is HOST:PORT", "");
	if (flags->https_listen != NULL &&
	    endpoint_parse(slice_of_string(flags->https_listen), &process.https_listen) != ST_OK)
		die("--https-listen is HOST:PORT", "");
	if (flags->https_listen != NULL && (flags->https_cert == NULL || flags->https_key == NULL))
		die("--https-listen needs --https-cert and --https-key", "");
	if (endpoint_parse_seeds(slice_of_string(flags->seeds), &process.seeds) != ST_OK)
		die("--seeds is a list like 1@127.0.0.1:7001,2@127.0.0.1:7002", "");
}

/* --- credentials --- */

static void load_credentials(void)
{
	const struct coordinator_flags *flags = &process.flags;

	credential_file_init(&process.credentials);
	if (flags->credentials == NULL && flags->auth == SIGV4_STRICT)
		die("--credentials is needed with --auth strict", "");
	if (flags->credentials != NULL &&
	    credential_file_load(&process.credentials, flags->credentials) != ST_OK)
		die("--credentials cannot be used: see the line above", "");
}

static bool find_credential(void *context, struct slice access_key_id, struct sigv4_credential *out)
{
	(void)context;
	*out = (struct sigv4_credential){ .expires_epoch_s = 0 };
	return credential_file_find(&process.credentials, access_key_id, &out->secret);
}

/* --- building --- */

static struct tls_files tls_files(void)
{
	return (struct tls_files){ process.flags.tls_ca, process.flags.tls_cert, process.flags.tls_key };
}

static void open_tls(void)
{
	struct tls_files files = tls_files();

	if (process.flags.is_insecure)
		return;
	if (files.ca_path == NULL || files.cert_path == NULL || files.key_path == NULL)
		die("--tls-ca, --tls-cert and --tls-key are needed",
		    "Nodes talk to nobody without a certificate.  For a test: --insecure.");
	if (tls_context_create(&files, &process.tls) != ST_OK)
		die("the certificates cannot be used: see the line above", "");
}

static void on_refused(void *context, uint64_t peer_id, enum status status)
{
	(void)context;
	log_error("coordinator", "refused", "by=%" PRIu64 " status=%s", peer_id, status_name(status));
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

static void start_coordinator(void)
{
	const struct coordinator_flags *flags = &process.flags;
	uint64_t seed_node_ids[ENDPOINT_SEEDS_MAX];
	struct coordinator_options wanted = {
		.runtime = &process.runtime,
		.transport = &process.client.base,
		.seed_node_ids = seed_node_ids,
		.seed_count = process.seeds.count,
		.zone = flags->zone,
		.region = flags->region,
		.auth = (enum sigv4_mode)flags->auth,
		.credential_cb = find_credential,
		.listen = flags->listen == NULL ? NULL : &process.listen,
		.https_listen = flags->https_listen == NULL ? NULL : &process.https_listen,
		.https_cert_path = flags->https_cert,
		.https_key_path = flags->https_key,
		.connections_max = (uint32_t)flags->connections_max,
	};
	enum status status;

	for (uint32_t i = 0; i < process.seeds.count; i++)
		seed_node_ids[i] = process.seeds.items[i].node_id;
	status = coordinator_start(&wanted, &process.coordinator);
	if (status == ST_IO)
		die("cannot listen: is the port in use?", "");
	if (status != ST_OK)
		die("cannot start: check --listen, --region and the HTTPS certificate", status_name(status));
	process.parts_running++;
}

static const char *problem(void *context)
{
	(void)context;
	return coordinator_problem(process.coordinator);
}

static void start_status_page(void)
{
	struct endpoint place;
	struct status_page_options page = { .runtime = &process.runtime, .problem = problem };

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
	if (process.parts_running == 0)
		rpc_client_stop(&process.client, on_client_stopped);
}

static void on_coordinator_stopped(void *context)
{
	(void)context;
	part_stopped();
}

static void on_page_stopped(struct status_page *page)
{
	(void)page;
	part_stopped();
}

static void stop(int number)
{
	if (process.is_stopping)
		return;
	process.is_stopping = true;
	log_info("coordinator", "stopping", "signal=%d", number);
	for (size_t i = 0; i < ARRAY_COUNT(process.signals); i++)
		uv_close((uv_handle_t *)&process.signals[i], NULL);
	coordinator_stop(process.coordinator, STOP_GRACE_MS, on_coordinator_stopped, NULL);
	if (process.has_status_page)
		status_page_stop(&process.status_page, on_page_stopped);
}

/* What cannot be read anew stays as it was; the log says so. */
static void reload(void)
{
	struct tls_files files = tls_files();

	if (process.flags.credentials != NULL)
		(void)!credential_file_load(&process.credentials, process.flags.credentials);
	if (process.tls != NULL)
		(void)!tls_context_reload(process.tls, &files);
	(void)!coordinator_reload_https(process.coordinator, process.flags.https_cert,
					process.flags.https_key);
	log_info("coordinator", "files read again", "zone=%s", process.flags.zone);
}

static void on_signal(uv_signal_t *handle, int number)
{
	(void)handle;
	if (number == SIGHUP)
		reload();
	else
		stop(number);
}

static void watch_signals(void)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };

	_Static_assert(ARRAY_COUNT(numbers) == ARRAY_COUNT(process.signals), "a handle for each signal");
	for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
		int rc = uv_signal_init(&process.runtime.loop, &process.signals[i]);

		rc |= uv_signal_start(&process.signals[i], on_signal, numbers[i]);
		CHECK(rc == 0);
	}
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* best effort: the bound on connections is our own */
}

int main(int argc, char **argv)
{
	parse_flags(argc, argv);
	parse_identity();
	parse_places();
	load_credentials();
	(void)signal(SIGPIPE, SIG_IGN);
	raise_descriptor_limit();
	if (runtime_uv_init(&process.runtime, POOL_THREADS) != ST_OK)
		die("cannot start threads", "");
	open_tls();
	start_client();
	start_coordinator();
	start_status_page();
	watch_signals();
	log_info("coordinator", "started", "zone=%s region=%s port=%u https_port=%u version=%s",
		 process.flags.zone, process.flags.region, coordinator_port(process.coordinator),
		 coordinator_https_port(process.coordinator), CLEAVE_VERSION);

	runtime_uv_run(&process.runtime);

	coordinator_destroy(process.coordinator);
	tls_context_destroy(process.tls);
	credential_file_close(&process.credentials);
	runtime_uv_close(&process.runtime);
	log_info("coordinator", "stopped", "zone=%s", process.flags.zone);
	return EXIT_SUCCESS;
}
