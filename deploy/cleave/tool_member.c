/* cleave member: one step of a change of a partition's replicas, at its leader. */
#include <inttypes.h>
#include <stdio.h>

#include "deploy/cleave/cleave.h"
#include "deploy/cleave/tool_cluster.h"
#include "proto/wire/methods.h"

enum { BODY_SIZE_MAX = 128 };

/* In the order of MemberRequest.Action. */
static const char *const actions[] = { "add-standby", "promote", "remove", NULL };

static const struct config_option options[] = {
	{ "partition", "ID", "Which partition; 1 is the catalog", NULL, NULL, CONFIG_U64, true,
	  TOOL_FLAG(partition_id), 1, 0 },
	{ "action", "ACTION", "What to do.", NULL, actions, CONFIG_CHOICE, true, TOOL_FLAG(action), 0, 0 },
	{ "replica", "R", "The replica's number; a new one was never used before", NULL, NULL, CONFIG_U64,
	  true, TOOL_FLAG(replica_id), 1, 0 },
	{ "node", "N", "The node it is on, or shall be", NULL, NULL, CONFIG_U64, true, TOOL_FLAG(node_id), 1,
	  0 },
};

static const struct config_spec spec = {
	.program = "cleave member",
	.summary = "One step of a change of a partition's replicas, for drills.",
	.options = options,
	.option_count = ARRAY_COUNT(options),
};

static enum status ask_leader(struct tool_cluster *cluster, uint64_t leader_node_id,
			      const struct tool_flags *flags)
{
	Cleave__MemberRequest request = CLEAVE__MEMBER_REQUEST__INIT;
	uint8_t body[BODY_SIZE_MAX];

	request.partition_id = flags->partition_id;
	request.action = (Cleave__MemberRequest__Action)flags->action;
	request.replica_id = flags->replica_id;
	request.node_id = flags->node_id;
	CHECK(cleave__member_request__get_packed_size(&request) <= sizeof(body));
	return tool_cluster_call(cluster, leader_node_id, METHOD_NODE_MEMBER,
				 slice_of(body, cleave__member_request__pack(&request, body)));
}

/* The leader looks at the replica's number alone: a slip must not hit another node's. */
static bool is_on_node(const struct tool_partition *partition, const struct tool_flags *flags)
{
	for (size_t i = 0; i < partition->replica_count; i++) {
		const struct tool_replica *replica = &partition->replicas[i];

		if (replica->replica_id != flags->replica_id || replica->node_id == flags->node_id)
			continue;
		(void)fprintf(stderr,
			      "%s: replica %" PRIu64 " is on node %" PRIu64 ", not on node %" PRIu64 "\n",
			      spec.program, flags->replica_id, replica->node_id, flags->node_id);
		return false;
	}
	return true;
}

static int change(struct tool_cluster *cluster, const struct tool_flags *flags)
{
	const struct tool_partition *partition;
	struct tool_survey survey;
	int exit_code;

	if (!tool_cluster_survey(cluster, &survey))
		return CLEAVE_EXIT_FAILED;
	partition = tool_survey_find(&survey, flags->partition_id);
	if (partition == NULL || partition->leader_node_id == 0) {
		(void)fprintf(stderr, "%s: %s %" PRIu64 "; see: cleave partitions\n", spec.program,
			      partition == NULL ? "there is no partition" : "nobody leads partition",
			      flags->partition_id);
		return CLEAVE_EXIT_FAILED;
	}
	if (!is_on_node(partition, flags))
		return CLEAVE_EXIT_FAILED;
	exit_code = tool_cluster_report(cluster, partition->leader_node_id,
					ask_leader(cluster, partition->leader_node_id, flags));
	if (exit_code == CLEAVE_EXIT_OK)
		(void)printf("partition %" PRIu64 ": %s of replica %" PRIu64 " on node %" PRIu64
			     " was accepted\n",
			     flags->partition_id, actions[flags->action], flags->replica_id, flags->node_id);
	return exit_code;
}

int tool_member_run(int argc, char **argv)
{
	struct tool_flags flags = { .lab = NULL };
	struct tool_cluster cluster;
	int exit_code;

	if (!tool_flags_parse(&spec, argc, argv, &flags, &exit_code))
		return exit_code;
	if (!tool_cluster_open(&cluster, spec.program, &flags))
		return CLEAVE_EXIT_FAILED;
	exit_code = change(&cluster, &flags);
	tool_cluster_close(&cluster);
	return exit_code;
}
