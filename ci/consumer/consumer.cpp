// Uses every form of call that the headers offer to C++. Ends with 0 if all answered as they should.
#include <mproc/mproc.h>

#include <string.h>

static mproc_status doubled(const void *item, void *result, mproc_call *)
{
    *static_cast<int *>(result) = *static_cast<const int *>(item) * 2;
    return MPROC_OK;
}

static mproc_status nothing(const void *item, void *result, mproc_call *)
{
    return item || result ? MPROC_USER : MPROC_OK;
}

static mproc_status doubled_range(size_t, size_t count, const void *items, void *results, mproc_call *)
{
    for (size_t i = 0; i < count; i++) static_cast<int *>(results)[i] = static_cast<const int *>(items)[i] * 2;
    return MPROC_OK;
}

static mproc_status leave_with(mproc_call *call)
{
    int code;
    MPROC_TRY(mproc_unpack_bytes(call, &code, sizeof code));
    if (code != 0) exit(code);
    return MPROC_OK;
}

static mproc_status leave_with_values(mproc_call *call)
{
    mproc_function *function;
    const char *text;
    mproc_value map;
    int code;
    bool minus;

    MPROC_TRY(mproc_unpack(call, &text, &code, &minus, &map, &function));
    if (function != leave_with_values) return MPROC_USER;
    code += static_cast<int>(mproc_value_count(mproc_value_get(map, "list")));
    exit(minus ? code - static_cast<int>(strlen(text)) : code);
    return MPROC_OK;
}

static bool values_arrive()
{
    auto list = mproc_list_of(1, 2.5, "three");
    auto map = mproc_map_of("list", list, "nothing", nullptr);
    mproc_process *process;
    mproc_value copy;
    uint64_t number = 0;

    mproc_check(mproc_process_create(leave_with_values, MPROC_ARGS("four", 5, true, map, leave_with_values), nullptr,
                                     &process));
    mproc_check(mproc_process_start(process));
    mproc_check(mproc_process_join(process, MPROC_FOREVER));
    mproc_exit_status status = mproc_process_exit_status(process);
    mproc_process_free(process);
    mproc_check(mproc_value_copy(map, &copy));
    mproc_check(mproc_value_to(mproc_value_at(mproc_value_get(copy, "list"), 0), &number));
    mproc_value_clear(&copy);
    return status.kind == MPROC_EXIT_EXITED && status.code == 4 && number == 1;
}

static bool process_ends_with(int code)
{
    mproc_process_options options{};
    mproc_process *process;

    options.name = "leaver";
    mproc_check(mproc_process_create(leave_with, mproc_bytes(&code, sizeof code), options, &process));
    mproc_check(mproc_process_start(process));
    mproc_check(mproc_process_join(process, MPROC_FOREVER));
    mproc_exit_status status = mproc_process_exit_status(process);
    mproc_process_free(process);
    return status.kind == MPROC_EXIT_EXITED && status.code == code;
}

static bool pool_doubles()
{
    int inputs[3] = {1, 2, 3}, outputs[3] = {}, range_outputs[3] = {};
    mproc_pool *pool;
    mproc_pool_options pool_options{};
    mproc_map_options options{};

    pool_options.workers = 2;
    options.chunk_size = 2;
    mproc_check(mproc_pool_create(pool_options, &pool));
    mproc_check(mproc_map(pool, doubled, inputs, outputs, 3, nullptr));
    mproc_check(mproc_map_range(pool, doubled_range, inputs, range_outputs, 3, options));
    mproc_check(mproc_map(pool, nothing, nullptr, nullptr, 3, &options));
    mproc_check(mproc_pool_map(pool, doubled, inputs, sizeof inputs[0], outputs, sizeof outputs[0], 3, nullptr));
    mproc_pool_free(pool);
    return outputs[0] == 2 && outputs[2] == 6 && memcmp(outputs, range_outputs, sizeof outputs) == 0;
}

int main()
{
    mproc_main_guard();
    return strcmp(mproc_version(), MPROC_VERSION) == 0 && process_ends_with(7) && values_arrive() &&
                   pool_doubles() ? 0 : 1;
}
