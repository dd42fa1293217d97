/* Faults that come in several steps, each aimed by what the cluster is doing just then.
 *
 *   usurp     a leader that only one follower hears, until another voter is about to stand for
 *             election; then that follower starts anew and has forgotten whom it heard.  The clients
 *             rest until then: with an entry that it lacks the other voter could not win
 *   truncate  entries that only a leader and one follower have, neither on disk; the leader loses
 *             them, the next one puts others in their place while the follower still writes, and
 *             the follower dies on the way
 *   heirs     a leader goes while the disks of those who may follow it are slow
 *   install   a node is away until it needs a snapshot, and dies while that is put in place
 *   late      what a leader sends to one node is under way for long, and arrives when the
 *             leader is dead and another one leads; where there are indexes often pages of one
 *   hand over a leader with a lease hands over, and hears no more of it
 *   unplug    all connections between a leader and the other nodes break at once
 *   rush      a new member is cut off together with the leader just when it becomes a voter, and
 *             the old one shall be removed in the same moment
 *   yield     the disk of a leader is full, that of another member too or not: soon it leads no group
 *             any more, and if it is the only one, writes go on before there is room
 *
 * Each function begins or continues such a fault and says how long its step lasts, 0 if it is over.
 *
 * Threads  one.
 */
#ifndef TESTS_SIM_SIM_STAGED_H
#define TESTS_SIM_SIM_STAGED_H

#include "tests/sim/sim_faults.h"

uint64_t sim_staged_begin_usurp(struct sim_fault *fault);
uint64_t sim_staged_continue_usurp(struct sim_fault *fault);
uint64_t sim_staged_begin_truncate(struct sim_fault *fault);
uint64_t sim_staged_continue_truncate(struct sim_fault *fault);
uint64_t sim_staged_begin_heirs(struct sim_fault *fault);
uint64_t sim_staged_begin_install(struct sim_fault *fault);
uint64_t sim_staged_continue_install(struct sim_fault *fault);
uint64_t sim_staged_begin_late(struct sim_fault *fault);
uint64_t sim_staged_continue_late(struct sim_fault *fault);
uint64_t sim_staged_begin_hand_over(struct sim_fault *fault);
uint64_t sim_staged_continue_hand_over(struct sim_fault *fault);
uint64_t sim_staged_begin_unplug(struct sim_fault *fault);
uint64_t sim_staged_begin_rush(struct sim_fault *fault);
uint64_t sim_staged_continue_rush(struct sim_fault *fault);
uint64_t sim_staged_begin_yield(struct sim_fault *fault);
uint64_t sim_staged_continue_yield(struct sim_fault *fault);

#endif
