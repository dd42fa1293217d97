/* cleave: the operator's tool, and `cleave local`, the whole of Cleave in one process. */
#include "deploy/cleave/cleave.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "proto/base/check.h"

struct command {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
	{ "local", "A whole database in this process: no cluster, no certificates", tool_local_run },
	{ "status", "What a cluster is, and what is wrong with it", tool_status_run },
	{ "nodes", "Its nodes", tool_nodes_run },
	{ "tables", "Its tables", tool_tables_run },
	{ "indexes", "Their global indexes, and how far those being made are filled", tool_indexes_run },
	{ "partitions", "Its partitions and where their replicas stand", tool_partitions_run },
	{ "transfer", "Let another node lead a partition", tool_transfer_run },
	{ "fault", "Make a step of a node fail or wait, for drills", tool_fault_run },
	{ "member", "One step of a change of a partition's replicas, for drills", tool_member_run },
	{ "bench", "Load an endpoint and measure it", tool_bench_run },
};

static void print_help(FILE *to)
{
	(void)fputs("usage: cleave COMMAND [flags]\n\n", to);
	for (size_t i = 0; i < ARRAY_COUNT(commands); i++)
		(void)fprintf(to, "  %-12s %s\n", commands[i].name, commands[i].summary);
	(void)fputs("  help         This text; cleave COMMAND --help lists the flags of one command\n\n"
		    "A database to try:  cleave local --port 8000\n"
		    "A cluster:          cleave status --lab lab/lab.env\n",
		    to);
}

static int print_help_of(const struct command *command)
{
	char name[] = "";
	char flag[] = "--help";
	char *argv[] = { name, flag, NULL };

	return command->run(2, argv);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

static int refuse(const char *name)
{
	(void)fprintf(stderr, "cleave: there is no command '%s'; see: cleave help\n", name);
	return CLEAVE_EXIT_USAGE;
}

static int help(int argc, char **argv)
{
	const struct command *command;

	if (argc < 3) {
		print_help(stdout);
		return CLEAVE_EXIT_OK;
	}
	command = find_command(argv[2]);
	return command == NULL ? refuse(argv[2]) : print_help_of(command);
}

static bool is_one_of(const char *word, const char *a, const char *b)
{
	return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

int main(int argc, char **argv)
{
	const struct command *command;

	(void)signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		print_help(stderr);
		return CLEAVE_EXIT_USAGE;
	}
	if (is_one_of(argv[1], "help", "--help") || strcmp(argv[1], "-h") == 0)
		return help(argc, argv);
	if (is_one_of(argv[1], "version", "--version")) {
		(void)printf("cleave %s\n", CLEAVE_VERSION);
		return CLEAVE_EXIT_OK;
	}
	command = find_command(argv[1]);
	return command == NULL ? refuse(argv[1]) : command->run(argc - 1, argv + 1);
}
