/*
 * A clan: a process family for the kill tool's scenarios, made from the arena's own parts: this process is its
 * root; victims, recoverers and peers are forked children that take slots of their own.
 *
 * The state of each scenario begins with a struct clan.
 */
#ifndef KILL_CLAN_H
#define KILL_CLAN_H

#include "arena/arena.h"
#include "arena/block.h"
#include "step.h"

#define CLAN_PEERS 4

/* `pid` is 0 before it has attached and after it is buried. Written by itself, then by the root. */
struct clan_member {
    uint32_t slot;
    _Atomic int64_t pid;
};

struct clan {
    struct clan_member victim;
    uint32_t tags[2]; /* of the victim's thread, and of a second one that it may have had */
    struct clan_member recoverer;
    struct clan_member peers[CLAN_PEERS];
    int peers_count;
    uint64_t blocks_used; /* when the trial began */
    bool crowded;         /* the first slots of both kinds are all taken, see clan_crowd() */
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
struct clan_objects {
    arena_lock lock;
    _Atomic uint32_t word;
    _Atomic uint32_t other;
    _Atomic uint64_t cell;
};

extern struct clan_objects *clan_objects;
extern uint32_t clan_root;

/* Once: founds the family, and has the tool watch the arena's memory. */
void clan_found(void);

/*
 * Takes the first slots of both kinds, which need no memory, in the root's name until clan_end(); says that no
 * others were ever in use, and that no memory is committed for them: committing it again is harmless.
 */
void clan_crowd(struct clan *clan);

/* For step_scenario: setup and teardown without more, `enter`, `recover_enter`, `recover`, `check`. */
void clan_begin(void *state);
void clan_end(void *state);
void clan_enter_victim(void *state);
void clan_enter_recoverer(void *state);
void clan_recover(void *state);
const char *clan_check(void *state, bool completed);

/* Makes the calling fork a member of the family, as a child of `parent`. */
void clan_attach(struct clan_member *member, uint32_t parent);

/* Recovers a dead child of the root and frees its slot. */
void clan_bury(struct clan_member *member);

/* Starts a peer, of the program's `body` for its number, and returns when it has attached. */
int clan_peer(struct clan *clan, void (*body)(struct clan *clan, int number));

/* Sets the peer's `go` and waits until it sleeps in its body. */
bool clan_peer_asleep(struct clan *clan, int peer);

/*
 * Whether the peer goes on. A wake-up makes its sleeper runnable before the waker returns, so whoever
 * still sleeps, and has not gone on, was not woken: this needs no time limit to find that out.
 */
bool clan_went_on(struct clan *clan, int peer);

/*
 * Whether all peers that were sent to sleep go on, of whom one may have to wait for another. Returns the number of
 * one who does not, or -1.
 */
int clan_left_asleep(struct clan *clan);

/* Kills and buries the peers: what they had is given back, too. */
void clan_disband(struct clan *clan);

/* The calling thread's intent. */
struct intent *clan_intent(void);

#endif
