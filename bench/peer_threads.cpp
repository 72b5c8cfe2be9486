/*
 * What a program in C++ writes for itself: two threads that take packaged tasks out of one queue, and futures. Prints
 * the median time for one of ITEMS tasks that work for CHUNK nanoseconds (sized), or return a square (async).
 */
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

extern "C" {
#include "measure.h"
}

namespace
{

constexpr int workers = 2, warm_ups = 2;

using job = std::packaged_task<std::int64_t()>;

class pool
{
  public:
    pool()
    {
        for (int i = 0; i < workers; i++) threads_.emplace_back([this] { run(); });
    }

    ~pool()
    {
        {
            std::lock_guard<std::mutex> lock(mutex_);
            ended_ = true;
        }
        there_is_more_.notify_all();
        for (auto &thread : threads_) thread.join();
    }

    std::future<std::int64_t> submit(job task)
    {
        auto result = task.get_future();
        {
            std::lock_guard<std::mutex> lock(mutex_);
            queue_.push_back(std::move(task));
        }
        there_is_more_.notify_one();
        return result;
    }

  private:
    void run()
    {
        std::unique_lock<std::mutex> lock(mutex_);

        for (;;) {
            there_is_more_.wait(lock, [this] { return ended_ || !queue_.empty(); });
            if (queue_.empty()) return;
            job task = std::move(queue_.front());
            queue_.pop_front();
            lock.unlock();
            task();
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable there_is_more_;
    std::deque<job> queue_;
    bool ended_ = false;
    std::vector<std::thread> threads_;
};

struct round_of {
    pool *threads;
    std::size_t count;
    std::int64_t duration_ns; /* below 0: squares */
};

std::int64_t do_task(std::int64_t number, std::int64_t duration_ns)
{
    if (duration_ns < 0) return number * number;
    measure_work(duration_ns);
    return number;
}

void run_round(void *context)
{
    const auto *own = static_cast<round_of *>(context);
    std::vector<std::future<std::int64_t>> results;
    std::int64_t duration_ns = own->duration_ns;

    results.reserve(own->count);
    for (std::size_t i = 0; i < own->count; i++)
        results.push_back(own->threads->submit(
            job([i, duration_ns] { return do_task(static_cast<std::int64_t>(i), duration_ns); })));
    for (std::size_t i = 0; i < own->count; i++)
        if (results[i].get() != do_task(static_cast<std::int64_t>(i), duration_ns < 0 ? -1 : 0)) std::abort();
}

void measure(const order *order, std::int64_t duration_ns, double values[2])
{
    pool threads;
    round_of own{&threads, order->items, duration_ns};

    for (int i = 0; i < warm_ups; i++) run_round(&own);
    values[0] = measure_median(run_round, &own, order->repeats) / static_cast<double>(order->items);
}

void sized(const order *order, double values[2])
{
    measure(order, static_cast<std::int64_t>(order->chunk), values);
}

void async(const order *order, double values[2])
{
    measure(order, -1, values);
}

const task tasks[] = {{"sized", sized}, {"async", async}, {nullptr, nullptr}};

} // namespace

int main(int count, char **arguments)
{
    return measure_main(count, arguments, tasks);
}
