/*
 * Ten processes want six tickets. The stock is a JSON file, and a lock keeps two of them from selling the last ticket
 * twice: read, decide and write is one step only under it. (Python: Lock, Process.)
 *
 *     tickets [FILE]        the stock, tickets.json by default, is written anew
 */
#include <mproc/mproc.h>

static mproc_status read_stock(const char *path, int *count)
{
    FILE *file = fopen(path, "r");
    int found = file ? fscanf(file, "{\"count\": %d}", count) : 0;

    if (file) fclose(file);
    return found == 1 ? MPROC_OK : mproc_error(MPROC_USER, "there is no stock in '%s'", path);
}

static mproc_status write_stock(const char *path, int count)
{
    FILE *file = fopen(path, "w");

    if (!file) return mproc_error(MPROC_USER, "'%s' cannot be written", path);
    fprintf(file, "{\"count\": %d}\n", count);
    return fclose(file) == 0 ? MPROC_OK : mproc_error(MPROC_USER, "'%s' cannot be written", path);
}

static mproc_status buy(const char *path)
{
    int count;

    MPROC_TRY(read_stock(path, &count));
    if (count > 0) MPROC_TRY(write_stock(path, count - 1));
    printf("process %lld %s\n", (long long)mproc_getpid(), count > 0 ? "has bought a ticket" : "came too late");
    return MPROC_OK;
}

static mproc_status look(const char *path)
{
    int count;

    MPROC_TRY(read_stock(path, &count));
    printf("process %lld sees %d tickets\n", (long long)mproc_getpid(), count);
    return MPROC_OK;
}

static mproc_status under(mproc_lock *lock, mproc_status (*step)(const char *path), const char *path)
{
    mproc_status status;

    MPROC_TRY(mproc_lock_acquire(lock, MPROC_FOREVER));
    status = step(path);
    MPROC_TRY(mproc_lock_release(lock));
    return status;
}

static mproc_status customer(mproc_call *call)
{
    mproc_lock *lock;
    const char *path;

    MPROC_TRY(mproc_unpack(call, &lock, &path));
    MPROC_TRY(under(lock, look, path));
    return under(lock, buy, path);
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "tickets.json";
    mproc_process *customers[10];
    mproc_lock *lock;
    int left;

    mproc_main_guard();

    mproc_check(write_stock(path, 6));
    mproc_check(mproc_lock_create(NULL, &lock));
    for (int i = 0; i < 10; i++) {
        mproc_check(mproc_process_create(customer, MPROC_ARGS(lock, path), NULL, &customers[i]));
        mproc_check(mproc_process_start(customers[i]));
    }
    for (int i = 0; i < 10; i++) {
        mproc_check(mproc_process_join(customers[i], MPROC_FOREVER));
        mproc_process_free(customers[i]);
    }
    mproc_lock_free(lock);

    mproc_check(read_stock(path, &left));
    printf("%d tickets are left\n", left);
    return 0;
}
