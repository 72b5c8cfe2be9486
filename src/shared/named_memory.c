/* Shared memory, with a name or without. */
#include "shared/named_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* The memory begins on the second page of what has the name; the first has the head. */
#define DATA_AT ((size_t)4096)
#define HEAD_MAGIC 0x6D656D63706F7270u

/* All but `ready` is there before the name is. */
struct named_head {
    uint64_t magic;
    uint32_t abi;
    uint32_t kind;
    uint64_t size;
    uint64_t serial;
    _Atomic uint32_t ready; /* its creator has filled it */
};

/*
 * What a reference has outside of the arena. `next` is guarded by the mutex. `size` and `serial` are the head's,
 * which is read once: other programs may write there at any time, and a size is good only if it was checked.
 */
struct attachment {
    plat_named os;
    uint64_t size;
    uint64_t serial;
    char token[NAMED_TOKEN_BYTES];
    struct attachment *next;
};

/* `owner` is the process that they are of; a fork() copy has none of them. */
static struct {
    plat_mutex mutex;
    struct attachment *first;
    _Atomic int64_t owner;
} attachments;

/* ---- names ------------------------------------------------------------------------------------ */

static mproc_status check_name(const char *name)
{
    if (!name) return mproc_error(MPROC_INVALID, "shared memory is looked for by a name, which is NULL");
    if (strlen(name) - 1 >= NAMED_BYTES_MAX)
        return mproc_error(MPROC_INVALID, "the name of shared memory has %zu bytes: 1 to %d are possible",
                           strlen(name), NAMED_BYTES_MAX);
    if (!text_is_utf8(name)) return mproc_error(MPROC_INVALID, "the name of shared memory is not UTF-8");
    return MPROC_OK;
}

/* The name in characters that every system takes, and tells apart. */
static void make_token(const char *name, char token[NAMED_TOKEN_BYTES])
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

    for (; *name; name++) {
        if (strchr(plain, *name)) *token++ = *name;
        else token += snprintf(token, 4, "%%%02x", (unsigned)(unsigned char)*name);
    }
    *token = 0;
}

/* Tells of whom the platform's words are. */
static mproc_status tell(mproc_status status, const char *name)
{
    char words[512];

    if (status == MPROC_EXISTS)
        return mproc_error(status, "shared memory '%s' is there already: attach to it, or choose another name", name);
    if (status == MPROC_NOT_FOUND)
        return mproc_error(status,
                           "there is no shared memory '%s': it was not created, or was unlinked, or the last process"
                           " that had it has ended",
                           name);
    snprintf(words, sizeof words, "%s", mproc_last_error_text());
    return mproc_error(status, "shared memory '%s': %s", name, words);
}

static struct named_head *head_of(const plat_named *os)
{
    return (struct named_head *)os->base;
}

/* ---- this process' attachments ------------------------------------------------------------------ */

static void enlist(struct reference *reference, struct attachment *attachment)
{
    plat_mutex_lock(&attachments.mutex);
    attachment->next = attachments.first;
    attachments.first = attachment;
    plat_mutex_unlock(&attachments.mutex);
    reference->own = attachment;
}

static void delist(const struct attachment *attachment)
{
    struct attachment **at = &attachments.first;

    plat_mutex_lock(&attachments.mutex);
    while (*at != attachment) at = &(*at)->next;
    *at = attachment->next;
    plat_mutex_unlock(&attachments.mutex);
}

/* At the end of the process. The memory stays where it is: exit handlers of the program may still use it. */
static void leave_all(void)
{
    if (atomic_load(&attachments.owner) != plat_process_id()) return;
    if (plat_mutex_held()) return; /* exit() in a signal handler; what is left over, others remove */
    plat_mutex_lock(&attachments.mutex);
    for (struct attachment *at = attachments.first; at; at = at->next) plat_named_leave(at->token, &at->os);
    plat_mutex_unlock(&attachments.mutex);
}

/*
 * With a process' first name. Names go at its end, whether it has a guard or not. What other families have left over
 * goes now.
 */
static void begin_once(void)
{
    static bool registered;

    plat_mutex_lock(&attachments.mutex);
    if (atomic_load(&attachments.owner) != plat_process_id()) {
        if (!registered) registered = atexit(leave_all) == 0;
        attachments.first = NULL;
        atomic_store(&attachments.owner, plat_process_id());
        plat_named_sweep();
    }
    plat_mutex_unlock(&attachments.mutex);
}

static mproc_status make_attachment(const char *name, struct attachment **out)
{
    struct attachment *attachment = calloc(1, sizeof *attachment);

    begin_once();
    *out = attachment;
    if (!attachment) return mproc_error(MPROC_NO_MEMORY, "no memory to attach shared memory '%s'", name);
    make_token(name, attachment->token);
    return MPROC_OK;
}

static void give_up(struct attachment *attachment)
{
    plat_named_close(attachment->token, &attachment->os);
    free(attachment);
}

static mproc_status refuse_cut(const char *name)
{
    return mproc_error(MPROC_MISMATCH, "shared memory '%s' was cut short", name);
}

static mproc_status read_head(struct attachment *attachment, enum object_kind kind, const char *name)
{
    const plat_named *os = &attachment->os;
    const volatile struct named_head *head = head_of(os);
    uint32_t named;

    if (os->size < DATA_AT || head->magic != HEAD_MAGIC || head->abi != ARENA_ABI)
        return mproc_error(MPROC_MISMATCH,
                           "shared memory '%s' is of another version of the library, or somebody has made it smaller",
                           name);
    if ((named = head->kind) != (uint32_t)kind)
        return mproc_error(MPROC_MISMATCH, "'%s' is %s, not %s", name, handle_name(named), handle_name(kind));
    attachment->size = head->size;
    attachment->serial = head->serial;
    if (attachment->size > os->size - DATA_AT) return refuse_cut(name);
    return atomic_load(&head->ready) ? MPROC_OK : tell(MPROC_NOT_FOUND, name);
}

static mproc_status attach(enum object_kind kind, const char *name, struct attachment **out)
{
    struct attachment *attachment;
    mproc_status status;

    if ((status = make_attachment(name, &attachment)) != MPROC_OK) return status;
    if ((status = plat_named_attach(attachment->token, &attachment->os)) != MPROC_OK) {
        free(attachment);
        return tell(status, name);
    }
    if ((status = read_head(attachment, kind, name)) == MPROC_OK) *out = attachment;
    else give_up(attachment);
    return status;
}

static mproc_status create(const struct named_head *head, const char *name, struct attachment **out)
{
    struct attachment *attachment;
    mproc_status status;

    if ((status = make_attachment(name, &attachment)) != MPROC_OK) return status;
    status = plat_named_create(attachment->token, DATA_AT + (size_t)head->size, head, sizeof *head, &attachment->os);
    if (status == MPROC_OK) {
        attachment->size = head->size;
        attachment->serial = head->serial;
        *out = attachment;
        return MPROC_OK;
    }
    free(attachment);
    return tell(status, name);
}

/* ---- objects ---------------------------------------------------------------------------------- */

/* It is an object, with its name, before there is anything else: from now on a name is not left behind. */
static mproc_status make_object(enum object_kind kind, const char *name, uint64_t serial, struct reference **out)
{
    struct memory_object *object;
    mproc_status status;

    if ((status = check_name(name)) != MPROC_OK) return status;
    if ((status = reference_create(kind, sizeof *object, out)) != MPROC_OK) return status;
    object = (struct memory_object *)(*out)->at;
    object->serial = serial;
    memcpy(object->name, name, strlen(name) + 1);
    reference_publish(*out);
    return MPROC_OK;
}

/* The object gets what was attached for it, or goes. */
static mproc_status complete(mproc_status status, struct attachment *attachment, struct reference *reference,
                             struct reference **out)
{
    struct memory_object *object = (struct memory_object *)reference->at;

    if (status != MPROC_OK) {
        reference_free(reference);
        return status;
    }
    assert(attachment);
    object->size = attachment->size;
    object->serial = attachment->serial;
    enlist(reference, attachment);
    *out = reference;
    return MPROC_OK;
}

static mproc_status create_in_arena(enum object_kind kind, uint64_t size, struct reference **out)
{
    mproc_status status;

    if ((status = reference_create(kind, sizeof(struct memory_object) + ARENA_LINE + size, out)) != MPROC_OK)
        return status;
    ((struct memory_object *)(*out)->at)->size = size;
    reference_publish(*out);
    return MPROC_OK;
}

mproc_status named_create(enum object_kind kind, uint64_t size, const char *name, struct reference **out)
{
    struct named_head head = {.magic = HEAD_MAGIC, .abi = ARENA_ABI, .kind = (uint32_t)kind, .size = size};
    struct attachment *attachment = NULL;
    struct reference *reference;
    mproc_status status;

    if (size > SIZE_MAX / 4)
        return mproc_error(MPROC_NO_MEMORY, "%llu bytes of shared memory are more than memory can hold",
                           (unsigned long long)size);
    if (!name) return create_in_arena(kind, size, out);
    if ((status = plat_system_random(&head.serial, sizeof head.serial)) != MPROC_OK) return status;
    head.serial |= 1; /* 0 is none */
    if ((status = make_object(kind, name, head.serial, &reference)) != MPROC_OK) return status;
    status = create(&head, name, &attachment);
    return complete(status, attachment, reference, out);
}

void named_publish(const struct reference *reference)
{
    const struct attachment *attachment = reference->own;

    if (attachment) atomic_store(&head_of(&attachment->os)->ready, 1);
}

static mproc_status attach_at_least(enum object_kind kind, uint64_t least, const char *name, struct attachment **out)
{
    struct attachment *attachment = NULL;
    mproc_status status;

    if ((status = attach(kind, name, &attachment)) != MPROC_OK) return status;
    assert(attachment);
    if (attachment->size >= least) {
        *out = attachment;
        return MPROC_OK;
    }
    give_up(attachment);
    return mproc_error(MPROC_MISMATCH, "'%s' is too small for %s", name, handle_name(kind));
}

mproc_status named_attach(enum object_kind kind, uint64_t least, const char *name, struct reference **out)
{
    struct attachment *attachment = NULL;
    struct reference *reference;
    mproc_status status;

    if ((status = make_object(kind, name, 1, &reference)) != MPROC_OK) return status;
    status = attach_at_least(kind, least, name, &attachment);
    return complete(status, attachment, reference, out);
}

/* In the arena: from the next cache line behind the object on. */
void *named_memory(const struct reference *reference)
{
    const struct attachment *attachment = reference->own;
    uintptr_t behind = (uintptr_t)reference->at + sizeof(struct memory_object);

    if (attachment) return (unsigned char *)attachment->os.base + DATA_AT;
    return (void *)((behind + ARENA_LINE - 1) & ~(uintptr_t)(ARENA_LINE - 1));
}

mproc_status named_unlink(const struct reference *reference)
{
    const struct attachment *attachment = reference->own;
    const char *name = named_object(reference)->name;
    mproc_status status;

    if (!attachment)
        return mproc_error(MPROC_NOT_SUPPORTED, "this object, %s, has no name that could be unlinked",
                           handle_name(reference->ref.kind));
    status = plat_named_unlink(attachment->token, &attachment->os);
    return status == MPROC_OK ? MPROC_OK : tell(status, name);
}

/* ---- other processes' objects ------------------------------------------------------------------- */

mproc_status named_open(struct reference *reference, uint64_t by)
{
    const struct memory_object *object = named_object(reference);
    enum object_kind kind = (enum object_kind)reference->ref.kind;
    struct attachment *attachment = NULL;
    mproc_status status;
    bool other;

    (void)by;                                 /* nothing stands for it */
    if (object->serial == 0) return MPROC_OK; /* it is in the arena */
    if ((status = attach(kind, object->name, &attachment)) != MPROC_OK) return status;
    assert(attachment);
    if (attachment->serial == object->serial && attachment->size >= object->size) {
        enlist(reference, attachment);
        return MPROC_OK;
    }
    other = attachment->serial != object->serial;
    give_up(attachment);
    return other ? tell(MPROC_NOT_FOUND, object->name) : refuse_cut(object->name);
}

void named_close(struct reference *reference)
{
    struct attachment *attachment = reference->own;

    if (!attachment) return;
    delist(attachment);
    give_up(attachment);
    reference->own = NULL;
}

void named_forked(void)
{
    memset(&attachments.mutex, 0, sizeof attachments.mutex);
}

/* Its user's lock on the file went with the user; if nobody else has one, the name goes now. */
void named_holder_died(struct intent *intent, uint64_t object)
{
    const struct memory_object *dead = (const struct memory_object *)arena_at(object);
    char token[NAMED_TOKEN_BYTES];

    (void)intent;
    if (dead->serial == 0) return;
    make_token(dead->name, token);
    plat_named_tidy(token);
}
