/*
 * Managers: what a program serves to others, of this machine or of another one (Python: BaseManager with get_server()
 * and connect()). A manager has values under names; another program connects to it, with its key, and gets them by
 * their names. Plain values are copies. Objects are proxies: the same pointers, for the same functions, which the
 * manager's program carries out.
 *
 *     mproc_dict *stock;
 *     mproc_manager *manager;
 *     const mproc_manager_options options = {.address = "tcp:127.0.0.1:5000", .authkey = key};
 *     mproc_check(mproc_manager_create(&options, &manager));
 *     mproc_check(mproc_manager_serve(manager, "stock", MPROC_VALUE(stock)));
 *
 * and in the other program:
 *
 *     const mproc_manager_connect_options options = {.authkey = key};
 *     mproc_check(mproc_manager_connect("tcp:127.0.0.1:5000", &options, &manager, 5000));
 *     mproc_check(mproc_manager_get(manager, "stock", &value));
 *     mproc_check(mproc_value_to(value, &stock));
 *     mproc_check(mproc_dict_increment(stock, MPROC_VALUE("apples"), -1, NULL));
 *
 * The two need have nothing in common but the address and the key: they can be other programs, of other builds, and
 * in other languages, see docs/manager-protocol.md. Processes of one family need no manager: they hand each other the
 * objects themselves, with nothing in between.
 *
 * Served are values of all types but functions, and of the objects dicts, lists, sets, namespaces, locks, rlocks,
 * conditions, events, semaphores, barriers, and those of classes (<mproc/object.h>). One that is a value in a served
 * dict or list comes as a proxy, too, and such a proxy may be put into those of its manager: then they have the
 * object itself. What a client got lives as long as it has proxies, or values that were got, whatever becomes of the
 * names. A client's references are dropped when it ends, in whatever way.
 *
 * What else a proxy does differently:
 *   - It belongs to its process: MPROC_NOT_SUPPORTED if it is put into a queue, an argument, or anything else that is
 *     not of its manager. Another process connects by itself.
 *   - mproc_dict_update_with(), mproc_list_update_with(), mproc_namespace_update_with(), and mproc_list_sort() with a
 *     comparison are MPROC_NOT_SUPPORTED, as the function is not there where the object is. Increments,
 *     mproc_dict_setdefault() and a sort without a comparison are one step each, as ever.
 *   - Of two sets that are not of the same connection the other one is copied, and its elements are sent.
 *   - Its calls block until the manager has answered. They return also:
 *       MPROC_PEER_DIED    the manager has ended, or was closed: at once, also if it was killed
 *       MPROC_INTERRUPTED, MPROC_TIMEOUT (call_timeout_ms)   it may be done, or may not
 *       MPROC_TOO_LONG     the call, or what comes of it, has more bytes than the manager allows in a message
 *       MPROC_LIMIT        this client has as many objects as the manager allows
 *       MPROC_CLOSED       this process has shut the connection down
 *     Where a call returns no status it is false, or 0, then.
 *   - Calls that take moments take turns on one connection. One that may wait for others, such as a lock's acquire,
 *     has a connection of its own meanwhile, so that it holds up no other thread: the first such calls of threads at
 *     a time connect, which may return MPROC_LIMIT, and some of these connections are kept.
 *     MPROC_LIMIT also says that the manager can start no more threads.
 *   - What a thread acquires is its own also there, until it releases it or ends: then, and when its process is
 *     killed, it is abandoned (<mproc/lock.h>). So it is when the connection is lost by which it was acquired.
 *   - Time limits count where the object is; call_timeout_ms begins when they are over. A client that ends while it
 *     waits, killed or not, waits no more: a barrier breaks.
 *   - A permit of a semaphore is this process' when the call has returned MPROC_OK: if it ends before, or the
 *     connection is lost, the permit goes back. With mproc_semaphore_options.owned permits belong to the client, and
 *     go back when it ends. A barrier's action runs where the barrier is.
 *   - It cannot be waited for together with others (<mproc/wait.h>), and none of its calls is for signal handlers.
 *   - mproc_interrupt() ends a call that waits: the manager stops it and says how far it has come, so what has been
 *     done is known. If the manager says nothing for a second, MPROC_INTERRUPTED is returned all the same, and what
 *     this thread has acquired by that connection is abandoned. The same is done after call_timeout_ms. A thread that
 *     holds something there waits for the manager's word until it is interrupted once more: a condition's wait takes
 *     the lock back first.
 *
 * Nothing is decoded of what somebody without the key sends. What clients with the key send is checked whole before
 * anything of it is used. One that sends what is no message, more than is allowed, takes no answers, or vanishes,
 * loses its own connection, and nothing else happens. Over TCP everything goes as it is: neither hidden nor signed.
 *
 * A manager can be a process of its own (mproc_manager_start()): then nothing that clients do takes time of the
 * program's processes, and it can be ended, or killed, without them. What it serves is the family's all the same:
 * whoever has started it serves and gets objects with no call in between, and they live on after it.
 *
 * Other objects than these are not there yet.
 */
#ifndef MPROC_MANAGER_H
#define MPROC_MANAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mproc/dict.h>
#include <mproc/object.h>
#include <mproc/process.h>
#include <mproc/status.h>
#include <mproc/value.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mproc_manager mproc_manager;

/* Zero in a field is its default. */
typedef struct mproc_manager_options {
    /* Also clients in Python up to 3.11, which know MD5 alone. Default: those are refused. */
    bool allow_md5;
    /* About so many are connected before they are accepted. Default: 128. */
    int backlog;
    /* As in <mproc/listener.h>. Default: a new one that nobody guesses, for this user alone. */
    const char *address;
    /* Bytes, or text, of which a copy is made. Default, nil: mproc_process_authkey(). There is always a key. */
    mproc_value authkey;
    /* How long a client may take to prove that it has the key. Default: 10000. */
    int64_t authkey_timeout_ms;
    /* How long a client may take to receive an answer. Default: 10000. */
    int64_t answer_timeout_ms;
    /* So many connections can there be: each client has one or more, as said above. Default: 1024. */
    uint32_t clients_max;
    /* So many objects can one of them have at a time. Default: 65536. At most 1048575. */
    uint32_t objects_per_client_max;
    /* The most bytes in a message, of calls and of what comes of them. Default: 64 MiB. At most 1 GiB. */
    size_t message_bytes_max;
    /*
     * Of mproc_manager_start() alone: runs in the process before that serves, with these arguments (Python:
     * initializer, initargs). What it takes from them stays until the process ends. If it fails, so does the start.
     */
    mproc_function *initializer;
    mproc_args initializer_args;
    /* The process' name. Default: "Manager-1", and so on. */
    const char *name;
    /* How long the process may take to end, before it is terminated, and then, before it is killed. Default: 1000. */
    int64_t shutdown_timeout_ms;
    /* So many connections can one client have: one, and as many as its threads wait at a time. Default: 256. */
    uint32_t connections_per_client_max;
} mproc_manager_options;

typedef struct mproc_manager_connect_options {
    /* What the manager has. Read during the call. Default, nil: mproc_process_authkey(). */
    mproc_value authkey;
    /* How long each call may take. Default: no limit. */
    int64_t call_timeout_ms;
} mproc_manager_connect_options;

/* ---- serving --------------------------------------------------------------------------------------- */

/*
 * Begins to serve, in this process (Python: get_server().serve_forever()): from now on clients are accepted, and
 * their calls carried out, by threads of the library. One of them does what takes moments. What takes longer, and
 * answers that a client is slow to take, have threads of their own, as many as are at it and one more.
 *
 * Does not block. `*manager` is the caller's: mproc_manager_free().
 *
 * Returns MPROC_OK, or, with nothing done, as mproc_listener_create(). MPROC_INVALID: also if a limit is negative or
 * above what it can be, or there is an initializer.
 */
static inline mproc_status mproc_manager_create(const mproc_manager_options *options, mproc_manager **manager);

/*
 * Starts a process that does nothing else than serve (Python: start()), and takes it from there that it serves, and
 * at which address. It ignores Ctrl-C, and ends with the process that has started it: a daemon.
 *
 * Blocks until it serves, or cannot, at most `timeout_ms`, in which the initializer returns. `*manager` is the
 * caller's: mproc_manager_free(). To the process that starts it the manager is as one that serves here: by it serve,
 * withdraw and get need no call of the process. A manager that has ended, in whatever way, serves nothing: its
 * functions return MPROC_PEER_DIED, or, when it was shut down, MPROC_CLOSED. Another one can be started at the same
 * address at once.
 *
 * Returns MPROC_OK, or, with no process left, as mproc_manager_create() and mproc_process_start(), or what the
 * initializer has returned, with its text; and also:
 *   MPROC_TIMEOUT      it does not serve in time
 *   MPROC_INTERRUPTED  mproc_interrupt() was called
 *   MPROC_PEER_DIED    the process has ended before it served, as the text says: the initializer has ended it, it was
 *                      killed
 *   MPROC_BAD_FUNCTION the initializer lies in no module that the process could open
 */
MPROC_NODISCARD static inline mproc_status mproc_manager_start(const mproc_manager_options *options,
                                                               mproc_manager **manager, int64_t timeout_ms);

/*
 * Returns the process that was started, as any other one: its id, its end to wait for, how it ended. It is the
 * manager's, which frees it. NULL if the manager was not started. Does not block.
 */
MPROC_API mproc_process *mproc_manager_process(mproc_manager *manager);

/*
 * Waits for the end of the process that was started (Python: join()). Blocks and returns as mproc_process_join();
 * MPROC_BAD_STATE: it was not started.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_manager_join(mproc_manager *manager, int64_t timeout_ms);

/*
 * Gives clients a value under a name, from now on and in place of what was there. Objects in it live as long as it is
 * served. `name` is text. Does not block.
 *
 * Returns MPROC_OK, or, with nothing changed:
 *   MPROC_NOT_SUPPORTED  there is an object or a function in the value that cannot be served, as the text says
 *   MPROC_BAD_STATE      `manager` is a connection to one: serving is done where it was created
 *   MPROC_INVALID        the name, or the value, cannot be one
 *   MPROC_CLOSED         an object in the value has been freed
 *   MPROC_NO_MEMORY      the family's shared memory has no room
 *   MPROC_FORKED         this process is a fork() copy of the manager's
 */
MPROC_API mproc_status mproc_manager_serve(mproc_manager *manager, const char *name, mproc_value value);

/*
 * Serves the name no longer. What clients have got stays theirs. Does not block. Returns as mproc_manager_serve();
 * MPROC_NOT_FOUND: nothing has this name.
 */
MPROC_API mproc_status mproc_manager_withdraw(mproc_manager *manager, const char *name);

/*
 * Has objects of a class of the program made by its name, as of the types that mproc_manager_new() names (Python:
 * register()), by the process that serves: there its functions run. It takes the place of a class of the same name,
 * whose objects stay as they are. The class is copied. Does not block.
 *
 * Returns MPROC_OK, or, with nothing changed, as mproc_manager_serve(); and also:
 *   MPROC_INVALID       the class cannot be one, as for mproc_object_create(), or has the name of such a type
 *   MPROC_BAD_FUNCTION  one of its functions lies in no module
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_manager_register(mproc_manager *manager, const mproc_class *class_);

/* Returns how many clients are connected; 0 for a connection. Does not block. */
MPROC_API size_t mproc_manager_clients(const mproc_manager *manager);

/* ---- using ------------------------------------------------------------------------------------------ */

/*
 * Connects to a manager (Python: connect()). Blocks until both sides have proved that they have the key, and the
 * manager has accepted, at most `timeout_ms`. `*manager` is the caller's: mproc_manager_free(). No thread is started.
 *
 * Returns MPROC_OK, or, with nothing done:
 *   MPROC_LIMIT      it has as many clients as it allows; or there are too many open files
 *   MPROC_MISMATCH   what answers there is no manager, or one of another version of the protocol
 *   MPROC_PEER_DIED  it has ended meanwhile
 *   MPROC_INVALID    a limit is negative, or as mproc_client()
 *   and as mproc_client()
 */
MPROC_NODISCARD static inline mproc_status mproc_manager_connect(const char *address,
                                                                 const mproc_manager_connect_options *options,
                                                                 mproc_manager **manager, int64_t timeout_ms);

/*
 * Gets a copy of what is served under a name, with proxies for the objects in it; where the manager was created, with
 * the objects themselves. `*value` is the caller's: mproc_value_clear(). What mproc_value_to() made of it stays.
 *
 * Blocks and returns as said above for proxies; or, with `*value` unchanged:
 *   MPROC_NOT_FOUND  nothing has this name
 *   MPROC_INVALID    `name` is no text, or `value` is NULL
 *   MPROC_NO_MEMORY  here, or there, is no room for the copy
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_manager_get(mproc_manager *manager, const char *name,
                                                         mproc_value *value);

/*
 * Makes an object by the name of its type, and gives it (Python: SyncManager's methods of these names). `args` is a
 * list of what the object is made of, or nil for nothing:
 *
 *     "Lock", "RLock", "Event"             nothing
 *     "Semaphore", "BoundedSemaphore"      the number of permits; default: 1
 *     "Condition"                          a lock or an rlock; default: an rlock of its own
 *     "Barrier"                            for how many it waits
 *     "Queue", "JoinableQueue"             the most items that are in it; default: any number
 *     "dict", "Namespace"                  a map, or as the function that creates one; default: empty
 *     "list", "set"                        a list, or as the function that creates one; default: empty
 *     "Value"                              its bytes, or the number of them, which are 0
 *     "Array"                              the size of an item; and the bytes of all items, or the number of items
 *     the name of a registered class       what its create function takes
 *
 * For what serves it is an object of this family like any other one, of which the manager keeps nothing; one of a
 * class has its state in the process that serves. For a connection it is made in the manager's program, which has it
 * as long as this process, or what it was put into. `*value` is the caller's:
 * mproc_value_clear(). What mproc_value_to() made of it stays.
 *
 * Blocks and returns as mproc_manager_get(); or, with `*value` unchanged:
 *   MPROC_NOT_FOUND      there is no such type
 *   MPROC_INVALID        it is not made of these values; `type` or `value` is NULL
 *   MPROC_NOT_SUPPORTED  the connection cannot have objects of this type
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_manager_new(mproc_manager *manager, const char *type, mproc_args args,
                                                         mproc_value *value);

/* ---- both ------------------------------------------------------------------------------------------- */

/* Returns the address to which clients connect, or this one has. It is the manager's. Does not block. */
MPROC_API const char *mproc_manager_address(const mproc_manager *manager);

/*
 * Returns how many objects clients have, each counted for each client (Python: _number_of_objects()); for a
 * connection, how many of its manager's objects this process has by it. Does not block.
 */
MPROC_API size_t mproc_manager_objects(const mproc_manager *manager);

/*
 * Gives a text for people that says what each client has: how many connections, and each object with its number, its
 * kind and how many references the client has (Python: _debug_info()). Its form may change. `*info` is the caller's:
 * mproc_value_clear(). Blocks and returns as mproc_manager_get().
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_manager_debug_info(mproc_manager *manager, mproc_value *info);

/*
 * Ends serving: no client is accepted any more, those that are connected find the manager ended, and their references
 * are dropped. Blocks until calls that were begun are done. To shut down again does nothing. mproc_manager_free() is
 * still to be called.
 *
 * One that was started is asked to do that, and waited for (Python: shutdown()); if its process has not ended within
 * shutdown_timeout_ms, it is terminated, and if it has not ended within another, killed. Its exit code is 0, or tells
 * the signal. A process that exits does the same with its managers, but has no more than a second for them.
 *
 * For a connection: ends it, and calls by it, also those that wait, return MPROC_CLOSED.
 */
MPROC_API void mproc_manager_shutdown(mproc_manager *manager);

/*
 * Shuts down what serves, and frees it. A connection stays, unless it was shut down, until the last proxy, and the
 * last value with a proxy in it, is given back. NULL is fine.
 */
MPROC_API void mproc_manager_free(mproc_manager *manager);

/* ---- what the inline functions above call; not for direct use --------------------------------- */

MPROC_API mproc_status mproc_manager_create_sized(const mproc_manager_options *options, size_t options_size,
                                                  mproc_manager **manager);

MPROC_NODISCARD MPROC_API mproc_status mproc_manager_start_sized(const mproc_manager_options *options,
                                                                 size_t options_size, mproc_manager **manager,
                                                                 int64_t timeout_ms);

MPROC_NODISCARD MPROC_API mproc_status mproc_manager_connect_sized(const char *address,
                                                                   const mproc_manager_connect_options *options,
                                                                   size_t options_size, mproc_manager **manager,
                                                                   int64_t timeout_ms);

static inline mproc_status mproc_manager_create(const mproc_manager_options *options, mproc_manager **manager)
{
    return mproc_manager_create_sized(options, sizeof(mproc_manager_options), manager);
}

static inline mproc_status mproc_manager_start(const mproc_manager_options *options, mproc_manager **manager,
                                               int64_t timeout_ms)
{
    return mproc_manager_start_sized(options, sizeof(mproc_manager_options), manager, timeout_ms);
}

static inline mproc_status mproc_manager_connect(const char *address, const mproc_manager_connect_options *options,
                                                 mproc_manager **manager, int64_t timeout_ms)
{
    return mproc_manager_connect_sized(address, options, sizeof(mproc_manager_connect_options), manager, timeout_ms);
}

#ifdef __cplusplus
}

static inline mproc_status mproc_manager_create(const mproc_manager_options &options, mproc_manager **manager)
{
    return mproc_manager_create_sized(&options, sizeof options, manager);
}

static inline mproc_status mproc_manager_start(const mproc_manager_options &options, mproc_manager **manager,
                                               int64_t timeout_ms)
{
    return mproc_manager_start_sized(&options, sizeof options, manager, timeout_ms);
}

static inline mproc_status mproc_manager_connect(const char *address, const mproc_manager_connect_options &options,
                                                 mproc_manager **manager, int64_t timeout_ms)
{
    return mproc_manager_connect_sized(address, &options, sizeof options, manager, timeout_ms);
}
#endif

#endif
