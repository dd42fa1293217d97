/* cleave transfer: let another node lead a partition, and wait until it does. */
#include <inttypes.h>
#include <stdio.h>

#include "deploy/cleave/cleave.h"
#include "deploy/cleave/tool_cluster.h"
#include "proto/wire/methods.h"

enum { ROUNDS_MAX = 50, ROUND_PAUSE_MS = 100, BODY_SIZE_MAX = 64 };

static const struct config_option options[] = {
	{ "partition", "ID", "Which partition; 1 is the catalog", NULL, NULL, CONFIG_U64, true,
	  TOOL_FLAG(partition_id), 1, 0 },
	{ "to", "NODE", "The node to lead it; any other one if left out", NULL, NULL, CONFIG_U64, false,
	  TOOL_FLAG(to_node_id), 1, 0 },
};

static const struct config_spec spec = {
	.program = "cleave transfer",
	.summary = "Let another node lead a partition.",
	.options = options,
	.option_count = ARRAY_COUNT(options),
};

static enum status ask_leader(struct tool_cluster *cluster, uint64_t leader_node_id,
			      const struct tool_flags *flags)
{
	Cleave__TransferRequest request = CLEAVE__TRANSFER_REQUEST__INIT;
	uint8_t body[BODY_SIZE_MAX];

	request.partition_id = flags->partition_id;
	request.to_node_id = flags->to_node_id;
	CHECK(cleave__transfer_request__get_packed_size(&request) <= sizeof(body));
	return tool_cluster_call(cluster, leader_node_id, METHOD_NODE_TRANSFER,
				 slice_of(body, cleave__transfer_request__pack(&request, body)));
}

static bool has_moved(const struct tool_partition *partition, uint64_t from_node_id,
		      const struct tool_flags *flags)
{
	if (partition == NULL || partition->leader_node_id == 0)
		return false;
	return flags->to_node_id == 0 ? partition->leader_node_id != from_node_id
				      : partition->leader_node_id == flags->to_node_id;
}

static int wait_for_leader(struct tool_cluster *cluster, uint64_t from_node_id,
			   const struct tool_flags *flags)
{
	struct tool_survey survey;

	for (size_t round = 0; round < ROUNDS_MAX; round++) {
		const struct tool_partition *partition;

		tool_cluster_pause(cluster, ROUND_PAUSE_MS);
		if (!tool_cluster_survey(cluster, &survey))
			return CLEAVE_EXIT_FAILED;
		partition = tool_survey_find(&survey, flags->partition_id);
		if (has_moved(partition, from_node_id, flags)) {
			(void)printf("partition %" PRIu64 ": led by node %" PRIu64
				     " now, before by node %" PRIu64 "\n",
				     flags->partition_id, partition->leader_node_id, from_node_id);
			return CLEAVE_EXIT_OK;
		}
	}
	(void)fprintf(stderr,
		      "%s: node %" PRIu64 " took the request, but still leads partition %" PRIu64 "\n",
		      spec.program, from_node_id, flags->partition_id);
	return CLEAVE_EXIT_FAILED;
}

static int transfer(struct tool_cluster *cluster, const struct tool_flags *flags)
{
	const struct tool_partition *partition;
	struct tool_survey survey;
	uint64_t from_node_id;
	enum status status;

	if (!tool_cluster_survey(cluster, &survey))
		return CLEAVE_EXIT_FAILED;
	partition = tool_survey_find(&survey, flags->partition_id);
	if (partition == NULL || partition->leader_node_id == 0) {
		(void)fprintf(stderr, "%s: %s %" PRIu64 "; see: cleave partitions\n", spec.program,
			      partition == NULL ? "there is no partition" : "nobody leads partition",
			      flags->partition_id);
		return CLEAVE_EXIT_FAILED;
	}
	from_node_id = partition->leader_node_id;
	if (from_node_id == flags->to_node_id) {
		(void)printf("partition %" PRIu64 ": node %" PRIu64 " leads it already\n",
			     flags->partition_id, from_node_id);
		return CLEAVE_EXIT_OK;
	}
	status = ask_leader(cluster, from_node_id, flags);
	if (status != ST_OK)
		return tool_cluster_report(cluster, from_node_id, status);
	return wait_for_leader(cluster, from_node_id, flags);
}

int tool_transfer_run(int argc, char **argv)
{
	struct tool_flags flags = { .lab = NULL };
	struct tool_cluster cluster;
	int exit_code;

	if (!tool_flags_parse(&spec, argc, argv, &flags, &exit_code))
		return exit_code;
	if (!tool_cluster_open(&cluster, spec.program, &flags))
		return CLEAVE_EXIT_FAILED;
	exit_code = transfer(&cluster, &flags);
	tool_cluster_close(&cluster);
	return exit_code;
}
