/*
 * Objects of the program's own classes, whose state lies in the memory of the process that has made them, and whose
 * methods others call (Python: a class that is registered at a BaseManager, and the proxies of its objects).
 *
 *     static mproc_status increase(mproc_call *call)
 *     {
 *         struct counter *counter = mproc_call_state(call);
 *         int64_t by;
 *
 *         MPROC_TRY(mproc_unpack(call, &by));
 *         counter->value += by;
 *         return mproc_call_return(call, MPROC_VALUE(counter->value));
 *     }
 *
 *     static const mproc_method counter_methods[] = {{"increase", increase}, {"get", get}};
 *     static const mproc_class counter_class = {"Counter", create, destroy, counter_methods, 2, false};
 *
 *     mproc_check(mproc_object_create(&counter_class, MPROC_ARGS(40), &counter));
 *     mproc_check(mproc_object_call(counter, "increase", MPROC_ARGS(2), &value, MPROC_FOREVER));
 *
 * An object is a value as locks and dicts are: it goes in arguments, queues, dicts and results. A method can make an
 * object of another class and return it (Python: method_to_typeid). What <mproc/lock.h> says of the objects that
 * processes share is true for these.
 *
 * A manager serves objects (<mproc/manager.h>): its clients call their methods by name, in any language.
 *
 * A method runs in the process that has the object: in the calling thread if that is of this process, otherwise in
 * one of the library's, of which there are as many as are in methods, and up to four more. What a method keeps of
 * what it was given is a copy (mproc_value_copy()); objects that it unpacks are its own until it returns.
 */
#ifndef MPROC_OBJECT_H
#define MPROC_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mproc/call.h>
#include <mproc/status.h>
#include <mproc/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of the name of a class or a method, at most, without the NUL. */
#define MPROC_CLASS_NAME_BYTES_MAX 63

/* A method: it sees its call as a task does (<mproc/call.h>), and the object's state by mproc_call_state(). */
typedef struct mproc_method {
    const char *name;
    mproc_function *function;
} mproc_method;

/*
 * A class. All of it is copied when an object is made, so that it may be static, or made by the program.
 *
 *   name        as messages call it: text of 1 to MPROC_CLASS_NAME_BYTES_MAX bytes
 *   create      makes the state of a new object from the arguments, and gives it by mproc_call_set_state(). NULL:
 *               there is no state, and no arguments
 *   destroy     ends the state, in the process that has the object: when nobody refers to it any more, in the thread
 *               that has given up the last reference, or in one of the library's; or when that process exits as
 *               mproc_main_guard() knows it. Never while a method runs. NULL: nothing is to be done
 *   methods     these alone can be called. Names as the class', each once
 *   concurrent  calls of one object may run at the same time: its methods see to themselves, and what they give by
 *               mproc_call_set_state() is not kept. Otherwise one runs at a time, and the others wait
 */
typedef struct mproc_class {
    const char *name;
    mproc_function *create;
    mproc_function *destroy;
    const mproc_method *methods;
    size_t method_count;
    bool concurrent;
} mproc_class;

/*
 * Makes an object, which lives in this process, and calls `create` in this thread (Python: the registered callable).
 * The first one starts two threads of the library, which stay: one ends objects, and one runs what others call.
 *
 * Blocks as long as `create` does. `args` as for a task.
 *
 * Returns MPROC_OK, or, with `*object` unchanged:
 *   MPROC_INVALID     `class_` or `object` is NULL; a name or a function of the class is missing, a name is too long
 *                     or there twice; or the arguments cannot be
 *   MPROC_LIMIT       this process has 262,144 objects already, or can have no more threads
 *   MPROC_NO_MEMORY
 *   other statuses    of `create`: the text names the class; `destroy` is not called
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_object_create(const mproc_class *class_, mproc_args args,
                                                           mproc_object **object);

/* Drops this process' reference; see <mproc/lock.h>. NULL is fine. A method may free its own object. */
MPROC_API void mproc_object_free(mproc_object *object);

/*
 * Calls a method (Python: proxy.method(*args)). `args` are a list, a map or bytes, as for a task: MPROC_ARGS(...),
 * mproc_no_args().
 *
 * Blocks until the method has returned, at most `timeout_ms` milliseconds. In the process that has the object the
 * limit is for the wait until its turn comes, and not for the method, which runs in this thread.
 *
 * `*result`, unless `result` is NULL, is what the method has given to mproc_call_return(), or nil. It is the
 * caller's: mproc_value_clear().
 *
 * Returns MPROC_OK, or, with `*result` unchanged:
 *   MPROC_NOT_SUPPORTED  the class has no such method: the text lists those that it has
 *   MPROC_TIMEOUT        other calls of the object have taken all the time; of an object in another program: the
 *                        answer has not come in time, and the method may have run, or may yet
 *   MPROC_BAD_STATE      one of the object's methods calls another of it, in the same thread, and it is not
 *                        concurrent: the call would wait for itself. In a circle over several processes it
 *                        does, until its time limit
 *   MPROC_INTERRUPTED    mproc_interrupt() was called while it waited
 *   MPROC_PEER_DIED      the process that had the object has ended, or the thread that ran the method: it may be
 *                        done, or not
 *   MPROC_INVALID        `method` is NULL, the arguments cannot be, or `timeout_ms` is negative
 *   MPROC_CLOSED         an object among the arguments has been freed
 *   MPROC_NO_MEMORY
 *   other statuses       the method's: the text names class, method, process and pid, and has the method's own
 *   of an object in another program also those that <mproc/manager.h> names
 *
 * A thread that ends inside a method (pthread_exit()) lets others go on; the object is then destroyed when its
 * process exits. A fork() copy that a method makes ends when the method returns there.
 *
 * Any thread of any process of the family may call this, a method of another object as well. In another process than
 * that which has the object the limit is for the whole call, and when it has passed, or the wait was interrupted, the
 * method may have run, or may yet; 0 is never enough. When the process that has the object ends, killed or not, or
 * the thread ends that is in the method, those who wait get MPROC_PEER_DIED at once. What a caller that ends has
 * called is done, and nobody learns what came of it.
 */
MPROC_NODISCARD MPROC_API mproc_status mproc_object_call(mproc_object *object, const char *method, mproc_args args,
                                                         mproc_value *result, int64_t timeout_ms);

/*
 * Calls the method "next" without arguments: an object whose "next" returns MPROC_END after the last one is an
 * iterator (Python: IteratorProxy). Otherwise as mproc_object_call().
 */
MPROC_NODISCARD static inline mproc_status mproc_object_next(mproc_object *object, mproc_value *value,
                                                             int64_t timeout_ms);

/*
 * Returns the name of the object's class; NULL of an object in another program, of which only the methods are known.
 * Never blocks. The text stays until the object is freed.
 */
MPROC_API const char *mproc_object_class(const mproc_object *object);

/* ---- what is inline -------------------------------------------------------------------------------- */

static inline mproc_status mproc_object_next(mproc_object *object, mproc_value *value, int64_t timeout_ms)
{
    return mproc_object_call(object, "next", mproc_no_args(), value, timeout_ms);
}

#ifdef __cplusplus
}
#endif

#endif
