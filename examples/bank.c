/*
 * Tellers move coins between the accounts of a bank, and are killed at work, at any instruction. No coin is lost: a
 * teller writes down what it is about to do before it does it, and whoever finds the lock abandoned finishes that.
 * docs/locks.md tells why each step is needed.
 */
#include <mproc/mproc.h>

#include <stdlib.h>

enum { ACCOUNTS = 8, COINS = 1000, TELLERS = 4, KILLS = 12 };

/*
 * `after` is what the two accounts have when the transfer is done; `under_way` says that all of it is written.
 * Volatile, so that the compiler stores in the order that the program says.
 */
struct bank {
    volatile int coins[ACCOUNTS];
    volatile int account[2];
    volatile int after[2];
    volatile int under_way;
};

/* Can be done again from any point: whoever repairs may be killed, too. */
static void finish(struct bank *bank)
{
    if (!bank->under_way) return;
    for (int i = 0; i < 2; i++) bank->coins[bank->account[i]] = bank->after[i];
    bank->under_way = 0;
}

static mproc_status enter(mproc_shared_value *value)
{
    mproc_status status = mproc_shared_value_acquire(value, MPROC_FOREVER);

    if (status != MPROC_OWNER_DIED) return status;
    MPROC_TRY(mproc_shared_value_recover(value, MPROC_FOREVER));
    finish(mproc_shared_value_data(value));
    return MPROC_OK;
}

static void write_down(struct bank *bank, int from, int to, int coins)
{
    bank->account[0] = from;
    bank->account[1] = to;
    bank->after[0] = bank->coins[from] - coins;
    bank->after[1] = bank->coins[to] + coins;
    bank->under_way = 1;
}

/* Until it is killed. */
static mproc_status teller(mproc_call *call)
{
    mproc_shared_value *value;
    unsigned number;

    MPROC_TRY(mproc_unpack(call, &value, &number));
    for (;;) {
        struct bank *bank = mproc_shared_value_data(value);
        int from, to;
        number = number * 1664525u + 1013904223u;
        from = (int)(number >> 16) % ACCOUNTS;
        to = (from + 1 + (int)(number >> 24) % (ACCOUNTS - 1)) % ACCOUNTS;
        MPROC_TRY(enter(value));
        if (bank->coins[from] > 0) {
            write_down(bank, from, to, 1);
            finish(bank);
        }
        MPROC_TRY(mproc_shared_value_release(value));
    }
}

/* Ends in the middle of a transfer. */
static mproc_status clumsy_teller(mproc_call *call)
{
    mproc_shared_value *value;
    struct bank *bank;

    MPROC_TRY(mproc_unpack(call, &value));
    MPROC_TRY(enter(value));
    bank = mproc_shared_value_data(value);
    write_down(bank, 0, 1, 100);
    bank->coins[0] = bank->after[0];
    exit(1);
}

static int count(const struct bank *bank)
{
    int sum = 0;

    for (int i = 0; i < ACCOUNTS; i++) sum += bank->coins[i];
    return sum;
}

static void lose_a_clumsy_one(mproc_shared_value *value)
{
    mproc_process *process;

    mproc_check(mproc_process_create(clumsy_teller, MPROC_ARGS(value), NULL, &process));
    mproc_check(mproc_process_start(process));
    mproc_check(mproc_process_join(process, MPROC_FOREVER));
    mproc_process_free(process);
    printf("a teller ended at work: %d coins\n", count(mproc_shared_value_data(value)));
    mproc_check(enter(value));
    printf("its work is finished: %d coins\n", count(mproc_shared_value_data(value)));
    mproc_check(mproc_shared_value_release(value));
}

static void hire(mproc_shared_value *value, unsigned number, mproc_process **out)
{
    mproc_check(mproc_process_create(teller, MPROC_ARGS(value, number), NULL, out));
    mproc_check(mproc_process_start(*out));
}

static void kill_teller(mproc_process *process)
{
    mproc_check(mproc_process_kill(process));
    mproc_check(mproc_process_join(process, MPROC_FOREVER));
    mproc_process_free(process);
}

int main(void)
{
    mproc_process *tellers[TELLERS];
    mproc_shared_value *value;
    struct bank first = {.under_way = 0};

    mproc_main_guard();

    for (int i = 0; i < ACCOUNTS; i++) first.coins[i] = COINS;
    mproc_check(mproc_shared_value_create(sizeof first, &first, NULL, &value));
    lose_a_clumsy_one(value);

    for (unsigned i = 0; i < TELLERS; i++) hire(value, i, &tellers[i]);
    for (unsigned i = 0; i < KILLS; i++) {
        mproc_check(mproc_sleep_ms(5));
        kill_teller(tellers[i % TELLERS]);
        hire(value, TELLERS + i, &tellers[i % TELLERS]);
    }
    for (int i = 0; i < TELLERS; i++) kill_teller(tellers[i]);

    mproc_check(enter(value));
    printf("%d tellers were killed: %d coins\n", KILLS + TELLERS, count(mproc_shared_value_data(value)));
    mproc_check(mproc_shared_value_release(value));
    mproc_shared_value_free(value);
    return 0;
}
