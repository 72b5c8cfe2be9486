/* Boost.Interprocess' message queue: items of 64 bytes, one process puts and another gets. */
#include <cstdint>
#include <cstdlib>
#include <string>

#include <unistd.h>

#include <boost/interprocess/ipc/message_queue.hpp>

extern "C" {
#include "measure.h"
}

using boost::interprocess::message_queue;

namespace
{

constexpr std::size_t messages = 1024;

struct message {
    std::uint64_t number;
    char rest[56];
};

void put(void *context, std::size_t repeats)
{
    message item = {};

    for (item.number = 0; item.number < repeats; item.number++)
        static_cast<message_queue *>(context)->send(&item, sizeof item, 0);
}

void get(void *context, std::size_t repeats)
{
    message item;
    message_queue::size_type size;
    unsigned priority;

    for (std::uint64_t i = 0; i < repeats; i++) {
        static_cast<message_queue *>(context)->receive(&item, sizeof item, size, priority);
        if (item.number != i) std::abort();
    }
}

/* The name is gone before anybody puts: the children have the memory from their parent. */
void measure(const order *order, double values[2])
{
    std::string name = "bench-" + std::to_string(getpid());
    message_queue queue(boost::interprocess::create_only, name.c_str(), messages, sizeof(message));

    message_queue::remove(name.c_str());
    values[0] = measure_forked(get, put, &queue, order->repeats);
}

const task tasks[] = {{"queue", measure}, {nullptr, nullptr}};

} // namespace

int main(int count, char **arguments)
{
    return measure_main(count, arguments, tasks);
}
