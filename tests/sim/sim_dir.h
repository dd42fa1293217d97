/* Temporary folders of a run on real RocksDB, and what a power failure leaves of one.
 *
 * Threads  one; RocksDB's own threads may still work in a folder that is being copied.
 * Errors   abort the process: a simulator without its folders can prove nothing.
 */
#ifndef TESTS_SIM_SIM_DIR_H
#define TESTS_SIM_SIM_DIR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { SIM_DIR_PATH_SIZE = 256 };

/* BASE/cleave-sim-PID, where everything of a process lies; in memory if the machine allows it. */
void sim_dir_of_process(char out[SIM_DIR_PATH_SIZE], pid_t pid);
/* With all that is in it; harmless if it is not there. */
void sim_dir_remove(const char *path);

/* The newest write-ahead log in a RocksDB folder: its number and its size in bytes; zeros if there
 * is none. */
struct sim_dir_log {
	uint64_t number;
	uint64_t size;
};
struct sim_dir_log sim_dir_newest_log(const char *path);

/* Make `to` what `from` is after a power failure that leaves log->size bytes of that log.  Tables
 * are linked, everything else is copied. */
void sim_dir_survive(const char *from, const char *to, const struct sim_dir_log *log);

#endif
