/*
 * A crawler: the workers fetch pages, and a callback in the main process looks which links are new, and has the same
 * pool fetch those. The pages come from a small server, crawler/site.c. (Python: apply_async() with a callback.)
 */
#include <mproc/mproc.h>

#include "crawler/site.h"
#include "crawler/sockets.h"

enum { PAGES = 64, LINKS = 32, PAGE_BYTES = 4096, PATH_BYTES = 64 };

/* ---- in the workers ------------------------------------------------------------------------------- */

static mproc_status get_page(int port, const char *path, char *page, size_t capacity)
{
    intptr_t server = socket_connect(port);
    char request[PATH_BYTES + 32];
    int code = 0;

    if (server < 0) return mproc_error(MPROC_USER, "nobody listens at port %d", port);
    snprintf(request, sizeof request, "GET %s HTTP/1.0\r\n\r\n", path);
    socket_send(server, request);
    socket_receive(server, page, capacity, NULL);
    socket_close(server);
    sscanf(page, "HTTP/%*d.%*d %d", &code);
    return code == 200 ? MPROC_OK : mproc_error(MPROC_USER + code, "GET %s: %d", path, code);
}

static size_t find_links(const char *page, mproc_value links[LINKS])
{
    static const char mark[] = "href=\"";
    size_t count = 0, size;

    while (count < LINKS && (page = strstr(page, mark)) != NULL) {
        page += sizeof mark - 1;
        size = strcspn(page, "\"");
        links[count++] = mproc_string_from(page, size);
    }
    return count;
}

/* Returns the links of a page. */
static mproc_status fetch(mproc_call *call)
{
    char page[PAGE_BYTES];
    mproc_value links[LINKS];
    const char *path;
    int port;

    MPROC_TRY(mproc_unpack(call, &port, &path));
    MPROC_TRY(get_page(port, path, page, sizeof page));
    return mproc_call_return(call, mproc_list_from(links, find_links(page, links)));
}

/* ---- in the main process -------------------------------------------------------------------------- */

/* After the first visit() only callbacks use this, which run one after the other: so there is no lock. */
static struct crawl {
    mproc_pool *pool;
    mproc_event *done;
    int port;
    struct page {
        char path[PATH_BYTES];
        mproc_status status;
        size_t links;
    } pages[PAGES];
    int count;   /* of the pages that were seen */
    int fetched; /* how many of them have come back */
} crawl;

static void fetched(mproc_value links, void *context);
static void failed(mproc_status status, const char *text, void *context);

/* Has a page fetched, if it is seen for the first time. */
static void visit(const char *path)
{
    mproc_task_options options = {.callback = fetched, .error_callback = failed};
    struct page *page = &crawl.pages[crawl.count];

    for (int i = 0; i < crawl.count; i++)
        if (strcmp(crawl.pages[i].path, path) == 0) return;
    if (crawl.count == PAGES) return;
    crawl.count++;
    snprintf(page->path, sizeof page->path, "%s", path);
    options.context = page;
    mproc_check(mproc_pool_apply_async(crawl.pool, fetch, MPROC_ARGS(crawl.port, page->path), &options, NULL));
}

static void came_back(void)
{
    if (++crawl.fetched == crawl.count) mproc_check(mproc_event_set(crawl.done));
}

static void fetched(mproc_value links, void *context)
{
    struct page *page = context;

    page->links = mproc_value_count(links);
    for (size_t i = 0; i < page->links; i++) visit(mproc_value_string(mproc_value_at(links, i)));
    came_back();
}

static void failed(mproc_status status, const char *text, void *context)
{
    struct page *page = context;

    if (status < MPROC_USER) fprintf(stderr, "%s\n", text); /* such as: its worker was killed */
    page->status = status;
    came_back();
}

static int by_path(const void *left, const void *right)
{
    return strcmp(((const struct page *)left)->path, ((const struct page *)right)->path);
}

static void print_pages(void)
{
    qsort(crawl.pages, (size_t)crawl.count, sizeof crawl.pages[0], by_path);
    for (int i = 0; i < crawl.count; i++) {
        const struct page *page = &crawl.pages[i];
        if (page->status == MPROC_OK) printf("%-12s links: %zu\n", page->path, page->links);
        else printf("%-12s error: %d\n", page->path, (int)page->status - MPROC_USER);
    }
}

int main(void)
{
    mproc_process *site;

    sockets_begin(); /* in the workers, too: so it stands before the guard */
    mproc_main_guard();

    mproc_check(site_start(&site, &crawl.port));
    mproc_check(mproc_event_create(&crawl.done));
    mproc_check(mproc_pool_create(&(mproc_pool_options){.workers = 4}, &crawl.pool));
    visit("/");
    mproc_check(mproc_event_wait(crawl.done, MPROC_FOREVER));
    mproc_pool_close(crawl.pool);
    mproc_check(mproc_pool_join(crawl.pool, MPROC_FOREVER));
    mproc_pool_free(crawl.pool);
    mproc_event_free(crawl.done);
    mproc_process_free(site);

    print_pages();
    return 0;
}
