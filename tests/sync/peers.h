/*
 * What the tests of locks, semaphores, conditions, events and barriers share: peers of the kind that a suite is about
 * - children, or threads of the case's process - that use the case's objects, and a board that all of them see.
 *
 * How a child comes by an object is known to peers.c alone.
 */
#ifndef PEERS_H
#define PEERS_H

#include <stdatomic.h>

#include <mproc/mproc.h>

#include "check.h"
#include "process/process_fixture.h"

/* Setups of twin suites: the family is founded, and has had a child and a thread, before things are counted. */
void peers_of_processes(void);
void peers_of_threads(void);

bool peers_are_threads(void);

/* ---- the board -------------------------------------------------------------------------------- */

typedef fixture_board board;

/* Waits until the word is at least `least`. */
void board_await(_Atomic uint32_t *word, uint32_t least);

/* ---- peers ------------------------------------------------------------------------------------ */

enum { PEERS_MAX = 32 };

/* What a peer has. `number` counts all peers of its crowd, from 0. */
typedef struct peer {
    board *board;
    void *object; /* the case's, by a reference of the peer's process */
    void *other;  /* a second one, or NULL */
    int number;
    int64_t extra;
} peer;

typedef void peer_body(peer *self);

typedef struct peer_member {
    mproc_process *process;
    plat_thread *thread;
    peer self;
    peer_body *body;
    bool killed;
} peer_member;

/* `other`, `extra` and `threads` may be set before peers are added. */
typedef struct peer_crowd {
    board *board;
    void *other;
    int64_t extra;
    int threads; /* of each process; 0: one. Peers that are threads are so many times as many. */
    int peers;
    int members;
    peer_member all[PEERS_MAX];
} peer_crowd;

/* Makes the board. */
void crowd_init(peer_crowd *crowd);

/* Starts so many members, each of them a process of crowd.threads peers, or so many threads. */
void crowd_add(peer_crowd *crowd, int members, peer_body *body, void *object);

/*
 * Tells all who are added from now on of so many objects, BOARD_MANY at most, by the board; in a peer, gives its
 * references to them, and `extra` is their number.
 */
void crowd_tell_many(peer_crowd *crowd, void *const *objects, int count);
void peer_open_many(peer *self, void **objects);
void peer_drop_many(peer *self, void **objects);

/* Kills a member, which must be a process, and waits for its end. */
void crowd_kill(peer_crowd *crowd, int member);

/* Waits for the end of all: those that were not killed end well. */
void crowd_join(peer_crowd *crowd);

/* The same, and gives the board back. */
void crowd_fini(peer_crowd *crowd);

/* ---- a child of a child ---------------------------------------------------------------------------- */

/* What it does with the object; it says by `ready` when its parent may go. */
typedef void peer_holding(void *object, board *its_board);

/* Starts both, and waits until the board is ready; `plain` is then the grandchild's pid. Returns its parent. */
mproc_process *crowd_start_grandchild(peer_crowd *crowd, peer_holding *body, void *object);

/* In such a peer, which is killed. */
void peer_waits_for_ever(void);

/* ---- references ------------------------------------------------------------------------------------ */

/* A reference of this process to the object at this offset; NULL for 0. */
void *peers_open(uint64_t object);

/* A second reference of this process, of the same object. */
void *peers_second(void *object);

/* ---- owners that end ------------------------------------------------------------------------------ */

/* How a peer ends that has something: its `extra`. A thread can only return. */
enum { PEER_RETURNS, PEER_EXITS, PEER_IS_KILLED, PEER_ENDS };

/* How many of these ways there are for the suite's peers. */
int peers_ends(void);

/* In such a peer: says that it is ready, and ends when it may. */
void peer_end(const peer *self);

/* Lets the first member of the crowd end, which will be ready to, and waits for all. */
void crowd_let_end(peer_crowd *crowd);

/* ---- what is asked from the arena ----------------------------------------------------------------- */

/* Waits until so many threads sleep over the object, or over the lock of a shared value or array. */
void peers_await_sleepers(void *object, int count);

/* How many blocks are in use; and waits until it is so many, as recovery may still be at work. */
uint64_t peers_blocks(void);
void peers_await_blocks(uint64_t count);

/* How many bytes of the arena's heap are committed. */
uint64_t peers_committed(void);

#endif
