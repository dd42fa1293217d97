/* The commands of the operator's tool.
 *
 * Each has a file of its own, takes its own name as argv[0] and returns the exit code.
 *
 * Threads  one.
 * Errors   text on standard error: what is wrong and what to do about it.
 */
#ifndef DEPLOY_CLEAVE_CLEAVE_H
#define DEPLOY_CLEAVE_CLEAVE_H

enum {
	CLEAVE_EXIT_OK = 0,
	CLEAVE_EXIT_FAILED = 1, /* it could not be done; for status: something is wrong */
	CLEAVE_EXIT_USAGE = 2,
};

int tool_local_run(int argc, char **argv);
int tool_status_run(int argc, char **argv);
int tool_nodes_run(int argc, char **argv);
int tool_tables_run(int argc, char **argv);
int tool_indexes_run(int argc, char **argv);
int tool_partitions_run(int argc, char **argv);
int tool_transfer_run(int argc, char **argv);
int tool_fault_run(int argc, char **argv);
int tool_member_run(int argc, char **argv);
int tool_bench_run(int argc, char **argv);

#endif
