/* How far a map is. */
#include "pool/progress.h"

#include "arena/slot.h"

#define SECOND_NS ((int64_t)1000000000)
#define MS_NS ((int64_t)1000000)

/* Whose callback the calling thread is in: the innermost. */
static THREAD_LOCAL const struct progress *told;

mproc_status progress_check(int64_t per_second)
{
    if (per_second >= 0 && per_second <= MPROC_PROGRESS_PER_SECOND_MAX) return MPROC_OK;
    return mproc_error(MPROC_INVALID, "a progress callback that is called %lld times a second: %d is the most",
                       (long long)per_second, MPROC_PROGRESS_PER_SECOND_MAX);
}

void progress_begin(struct progress *progress, const mproc_pool *pool, mproc_progress_callback *callback,
                    int64_t per_second, void *context, uint64_t total)
{
    *progress = (struct progress){
        .pool = pool, .callback = callback, .context = context, .total = total, .next_ns = PLAT_FOREVER};
    if (!callback) return;
    if (per_second == 0) per_second = MPROC_PROGRESS_PER_SECOND_DEFAULT;
    progress->interval_ns = SECOND_NS / per_second;
    progress->begin_ns = plat_clock_now_ns();
    progress->next_ns = progress->begin_ns + progress->interval_ns;
}

bool progress_is_due(const struct progress *progress)
{
    return progress->callback && plat_clock_now_ns() >= progress->next_ns;
}

/* The rest of a map of nothing can take longer than can be said. */
static int64_t left_ms(const mproc_progress *news)
{
    double left = (double)(news->total - news->done) * 1000 / news->rate;

    return left < (double)INT64_MAX ? (int64_t)left : INT64_MAX;
}

void progress_end(struct progress *progress, uint64_t done)
{
    mproc_progress news = {.total = progress->total, .left_ms = -1};
    int64_t elapsed_ns;

    if (!progress->callback) return;
    if (done > progress->done) progress->done = done;
    elapsed_ns = plat_clock_now_ns() - progress->begin_ns;
    news.done = progress->done;
    news.elapsed_ms = elapsed_ns / MS_NS;
    if (news.done > 0 && elapsed_ns > 0) {
        news.rate = (double)news.done * (double)SECOND_NS / (double)elapsed_ns;
        news.left_ms = left_ms(&news);
    }
    progress->outer = told;
    told = progress;
    progress->callback(&news, progress->context);
    told = progress->outer;
    progress->next_ns = plat_clock_now_ns() + progress->interval_ns;
}

void progress_tell(struct progress *progress, uint64_t done)
{
    uint64_t request_seen = thread_self.request_seen;
    uint32_t interrupts_seen = thread_self.interrupts_seen;

    progress_end(progress, done);
    thread_self.request_seen = request_seen;
    thread_self.interrupts_seen = interrupts_seen;
}

mproc_status progress_check_waiter(const mproc_pool *pool)
{
    const struct progress *progress = told;

    while (progress && progress->pool != pool) progress = progress->outer;
    if (!progress) return MPROC_OK;
    return mproc_error(MPROC_BAD_STATE, "a progress callback is about to wait until the maps of the pool have ended, "
                                        "and with them its own: it can close the pool, and another thread joins it");
}
