/*
 * A tested: a process family for the kill tool's scenarios, made from the arena's own parts: this process is its
 * root; victims, recoverers and peers are forked children that take slots of their own.
 *
 * The state of each scenario begins with a struct test_family.
 */
#ifndef KILL_CLAN_H
#define KILL_CLAN_H

#include "arena/arena.h"
#include "arena/block.h"
#include "step.h"

#define CLAN_PEERS 4

/* `pid` is 0 before it has attached and after it is buried. Written by itself, then by the root. */
struct test_family_member {
    uint32_t slot;
    _Atomic int64_t pid;
};

struct test_family {
    struct test_family_member victim;
    uint32_t owner_ids[2]; /* of the victim's thread, and of a second one that it may have had */
    struct test_family_member recoverer;
    struct test_family_member peers[CLAN_PEERS];
    int peers_count;
    uint64_t blocks_used; /* when the trial began */
    bool crowded;         /* the first slots of both kinds are all taken, see test_family_crowd() */
    /* Peers wait for `go`; their body sets `begun` just before it sleeps, and `went_on` when it need not any more. */
    _Atomic uint32_t go[CLAN_PEERS];
    _Atomic uint32_t begun[CLAN_PEERS];
    _Atomic uint32_t went_on[CLAN_PEERS];
    /* For the scenario's use: a status + 1, or how far somebody has come. */
    _Atomic uint32_t said[CLAN_PEERS];
    _Atomic uint32_t victim_said;
    _Atomic uint32_t root_said;
};

/* What scenarios share and which has to lie in the arena: a block of the root. */
struct test_family_objects {
    arena_lock lock;
    _Atomic uint32_t word;
    _Atomic uint32_t other;
    _Atomic uint64_t owned;
};

extern struct test_family_objects *test_family_objects;
extern uint32_t test_family_root;

/* Once: founds the family, and has the tool watch the arena's memory. */
void test_family_found(void);

/* Has the tool watch, and the walk put back, what is committed now: after a set-up that has committed more. */
void test_family_watch(void);

/*
 * Takes the first slots of both kinds, which need no memory, in the root's name until test_family_end(); says that no
 * others were ever in use, and that no memory is committed for them: committing it again is harmless.
 */
void test_family_crowd(struct test_family *tested);

/* For step_scenario: setup and teardown without more, `enter`, `recover_enter`, `recover`, `check`. */
void test_family_begin(void *state);
void test_family_end(void *state);
void test_family_enter_victim(void *state);
void test_family_enter_recoverer(void *state);
void test_family_recover(void *state);
const char *test_family_check(void *state, bool completed);

/* Makes the calling fork a member of the family, as a child of `parent`. */
void test_family_attach(struct test_family_member *member, uint32_t parent);

/* Recovers a dead child of the root and frees its slot. */
void test_family_bury(struct test_family_member *member);

/* Starts a peer, of the program's `body` for its number, and returns when it has attached. */
int test_family_peer(struct test_family *tested, void (*body)(struct test_family *tested, int number));

/* Sets the peer's `go` and waits until it sleeps in its body. */
bool test_family_peer_asleep(struct test_family *tested, int peer);

/*
 * Whether the peer goes on. A wake-up makes its sleeper runnable before the waker returns, so whoever
 * still sleeps, and has not gone on, was not woken: this needs no time limit to find that out.
 */
bool test_family_went_on(struct test_family *tested, int peer);

/*
 * Whether all peers that were sent to sleep go on, of whom one may have to wait for another. Returns the number of
 * one who does not, or -1.
 */
int test_family_left_asleep(struct test_family *tested);

/* Kills and buries the peers: what they had is given back, too. */
void test_family_disband(struct test_family *tested);

/* Once: from here on values may have objects in them, as those of a member of a real family. */
void test_family_pass_objects(void);

/* The calling thread's intent. */
struct intent *test_family_intent(void);

#endif
