/*
 * A pool in a program in C++: who frees what is said by unique_ptr, functions are lambdas, and an exception that a task
 * throws comes out of its result as a status with a text. One that leaves a task would end its worker.
 */
#include <mproc/mproc.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

template <class Handle, void (*give_back)(Handle *)> struct freed {
    void operator()(Handle *handle) const
    {
        give_back(handle);
    }
};
using pool_pointer = std::unique_ptr<mproc_pool, freed<mproc_pool, mproc_pool_free>>;
using result_pointer = std::unique_ptr<mproc_result, freed<mproc_result, mproc_result_free>>;

/* A task whose exceptions are failures. */
template <mproc_function *function> static mproc_status caught(mproc_call *call) noexcept
try {
    return function(call);
} catch (const std::exception &why) {
    return mproc_error(static_cast<mproc_status>(MPROC_USER + 1), "%s", why.what());
}

static mproc_status repeat(mproc_call *call)
{
    const char *word;
    int count;
    std::string text;

    MPROC_TRY(mproc_unpack(call, &word, &count));
    if (count < 0) throw std::out_of_range("no text is repeated " + std::to_string(count) + " times");
    while (count-- > 0) text += word;
    return mproc_call_return(call, mproc_string(text.c_str()));
}

static result_pointer submit(const pool_pointer &pool, const char *word, int count)
{
    mproc_result *result;

    mproc_check(mproc_pool_apply_async(pool.get(), caught<repeat>, mproc_args_of(word, count), nullptr, &result));
    return result_pointer(result);
}

int main()
{
    std::vector<double> numbers{1, 4, 9}, halves(3);
    std::vector<result_pointer> results;
    mproc_pool_options options{};
    mproc_pool *created;

    mproc_main_guard();

    options.workers = 2;
    mproc_check(mproc_pool_create(options, &created));
    pool_pointer pool(created);

    mproc_item_function *halve = [](const void *item, void *result, mproc_call *) {
        *static_cast<double *>(result) = *static_cast<const double *>(item) / 2;
        return MPROC_OK;
    };
    mproc_check(mproc_map(pool.get(), halve, numbers.data(), halves.data(), numbers.size(), nullptr));
    for (double half : halves) std::printf("%g\n", half);

    mproc_map_options map_options{};
    mproc_result *halving;
    map_options.chunk_size = 2;
    mproc_check(mproc_map_async(pool.get(), halve, halves.data(), numbers.data(), halves.size(), map_options, &halving));
    result_pointer quarters(halving);
    mproc_check(mproc_result_wait(quarters.get(), MPROC_FOREVER));
    for (double quarter : numbers) std::printf("%g\n", quarter);

    for (int i = 1; i > -2; i--) results.push_back(submit(pool, "spam ", 2 * i));
    for (const result_pointer &result : results) {
        mproc_value value;
        mproc_status status = mproc_result_get(result.get(), &value, MPROC_FOREVER);
        const char *text = mproc_last_error_text();
        if (status == MPROC_OK) std::printf("\"%s\"\n", mproc_value_string(value));
        else std::printf("%s\n", std::string(text).substr(std::string(text).find(": ") + 2).c_str());
    }
}
