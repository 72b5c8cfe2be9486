/* Namespaces, by one process and by several: what Python's NamespaceProxy can do. */
#include "container/dicts.h"
#include "container/namespace.h"

static mproc_namespace *create(mproc_value values)
{
    mproc_namespace *space = NULL;

    CHECK_OK(mproc_namespace_create(values, &space));
    return containers_served(space);
}

static int64_t number(const mproc_namespace *space, const char *name)
{
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_namespace_get(space, name, &value));
    return got_int(value);
}

/* What print(space) would say, and that it is whole. */
static void check_text(const mproc_namespace *space, const char *expected)
{
    mproc_value text = mproc_nil();

    CHECK_OK(mproc_namespace_text(space, &text));
    got_text(text, expected);
    dicts_check_sound(&space->dict);
}

static void case_values_come_back_by_their_names(void)
{
    mproc_namespace *space = create(mproc_nil());
    mproc_value value = mproc_nil();

    CHECK_OK(mproc_namespace_set(space, "x", mproc_int(10)));
    CHECK_OK(mproc_namespace_set(space, "a name that is long", MPROC_LIST(1, "two")));
    CHECK_OK(mproc_namespace_set(space, "\xc3\xa4", mproc_nil()));
    CHECK_OK(mproc_namespace_set(space, "x", mproc_int(11)));
    CHECK_EQ(number(space, "x"), 11);
    CHECK_OK(mproc_namespace_get(space, "a name that is long", &value));
    CHECK(got_equals(value, MPROC_LIST(1, "two")));
    CHECK(mproc_namespace_has(space, "\xc3\xa4"));
    CHECK_EQ(mproc_namespace_count(space), 3);
    CHECK_OK(mproc_namespace_delete(space, "x"));
    CHECK(!mproc_namespace_has(space, "x"));
    mproc_namespace_free(space);
}

static void case_names_that_are_not_there_are_told(void)
{
    mproc_namespace *space = create(MPROC_MAP("there", 1));
    mproc_value value = mproc_int(7);

    CHECK_SAYS(mproc_namespace_get(space, "gone", &value), MPROC_NOT_FOUND, "the namespace has no name 'gone'");
    CHECK_STATUS(mproc_namespace_delete(space, "gone"), MPROC_NOT_FOUND);
    CHECK(!mproc_namespace_has(space, "gone"));
    CHECK_EQ(mproc_value_int(value), 7);
    CHECK_EQ(mproc_namespace_count(space), 1);
    mproc_namespace_free(space);
}

static void case_copies_have_the_names_in_their_order(void)
{
    mproc_namespace *space = create(MPROC_MAP("b", 1, "a", "x"));
    mproc_value copy = mproc_nil();

    CHECK_OK(mproc_namespace_set(space, "c", mproc_int(3)));
    CHECK_OK(mproc_namespace_copy(space, &copy));
    CHECK(got_equals(copy, MPROC_MAP("b", 1, "a", "x", "c", 3)));
    CHECK_OK(mproc_namespace_names(space, &copy));
    CHECK(got_equals(copy, MPROC_LIST("b", "a", "c")));
    mproc_namespace_free(space);
}

/* Python sorts the pairs as they are printed: '1' comes before '=', and that before 'b'. */
static void case_namespaces_are_printed_as_python_does(void)
{
    mproc_namespace *space = create(mproc_nil());

    check_text(space, "Namespace()");
    CHECK_OK(mproc_namespace_set(space, "y", MPROC_VALUE("it's")));
    CHECK_OK(mproc_namespace_set(space, "ab", MPROC_LIST(1, mproc_nil())));
    CHECK_OK(mproc_namespace_set(space, "a", mproc_double(0.5)));
    CHECK_OK(mproc_namespace_set(space, "a1", mproc_bool(true)));
    check_text(space, "Namespace(a1=True, a=0.5, ab=[1, None], y=\"it's\")");
    CHECK_SAYS(mproc_namespace_text(space, NULL), MPROC_INVALID, "NULL");
    mproc_namespace_free(space);
}

static void check_refused(mproc_namespace *space, const char *name, const char *says)
{
    mproc_value value = mproc_nil();

    CHECK_SAYS(mproc_namespace_set(space, name, mproc_int(1)), MPROC_INVALID, says);
    CHECK_STATUS(mproc_namespace_get(space, name, &value), MPROC_INVALID);
    CHECK_STATUS(mproc_namespace_delete(space, name), MPROC_INVALID);
    CHECK_STATUS(mproc_namespace_increment(space, name, 1, NULL), MPROC_INVALID);
    CHECK(!mproc_namespace_has(space, name));
    CHECK_EQ(mproc_namespace_count(space), 1);
}

static void case_what_is_no_name_is_refused(void)
{
    mproc_namespace *space = create(MPROC_MAP("a", 1)), *none = space;

    check_refused(space, "_z", "is '_z': names are text");
    check_refused(space, "", "is ''");
    check_refused(space, NULL, "is None");
    check_refused(space, "\xff\xff\xff\xff\xff\xff\xff\xff", "not UTF-8");
    CHECK_SAYS(mproc_namespace_create(MPROC_MAP("x", 1, "_z", 2), &none), MPROC_INVALID, "is '_z'");
    CHECK_SAYS(mproc_namespace_create(MPROC_MAP(1, 2), &none), MPROC_INVALID, "is 1");
    CHECK_SAYS(mproc_namespace_create(MPROC_LIST(1), &none), MPROC_INVALID, "not of a list");
    CHECK_SAYS(mproc_namespace_create(mproc_nil(), NULL), MPROC_INVALID, "out is NULL");
    CHECK_SAYS(mproc_namespace_set(space, "b", MPROC_LIST(1, space)), MPROC_INVALID,
               "a namespace is no value in itself");
    CHECK(none == space);
    check_text(space, "Namespace(a=1)");
    mproc_namespace_free(space);
}

/* ---- by several --------------------------------------------------------------------------------------------- */

static void changes_what_it_gets(peer *self)
{
    mproc_value value = mproc_nil();
    mproc_queue *queue = NULL;

    CHECK_OK(mproc_namespace_set(self->object, "text", MPROC_VALUE("a text that is long enough")));
    CHECK_OK(mproc_namespace_update_with(self->object, "n", adds, MPROC_ARGS(3)));
    CHECK_OK(mproc_namespace_get(self->object, "queue", &value));
    CHECK_OK(mproc_value_to(value, &queue));
    mproc_value_clear(&value);
    CHECK_OK(mproc_namespace_delete(self->object, "queue"));
    CHECK_OK(mproc_queue_put(queue, mproc_int(1), 0));
    mproc_queue_free(queue);
}

static void case_what_a_peer_does_is_seen(void)
{
    mproc_namespace *space = create(MPROC_MAP("n", 1));
    mproc_queue *queue = NULL;

    CHECK_OK(mproc_queue_create(NULL, &queue));
    CHECK_OK(mproc_namespace_set(space, "queue", MPROC_VALUE(queue)));
    mproc_queue_free(queue);
    peers_use(space, 1, 0, changes_what_it_gets);
    check_text(space, "Namespace(n=4, text='a text that is long enough')");
    mproc_namespace_free(space);
}

static void counts(peer *self)
{
    for (int64_t i = 0; i < self->extra; i++) {
        CHECK_OK(mproc_namespace_increment(self->object, "incremented", 1, NULL));
        CHECK_OK(mproc_namespace_update_with(self->object, "updated", adds, MPROC_ARGS(1)));
    }
}

static void case_changes_of_all_add_up(void)
{
    mproc_namespace *space = create(MPROC_MAP("updated", 0));
    int64_t times = check_many(5000, 500);

    peers_use(space, 4, times, counts);
    CHECK_EQ(number(space, "incremented"), 4 * times);
    CHECK_EQ(number(space, "updated"), 4 * times);
    mproc_namespace_free(space);
}

CHECK_SUITE_SETUP(namespace, peers_of_threads,
    CASE(values_come_back_by_their_names),
    CASE(names_that_are_not_there_are_told),
    CASE(copies_have_the_names_in_their_order),
    CASE(namespaces_are_printed_as_python_does),
    CASE(what_is_no_name_is_refused)
);

CHECK_TWINS(namespace_shared, peers_of_processes, namespace_shared_threads, peers_of_threads,
    CASE(what_a_peer_does_is_seen),
    CASE(changes_of_all_add_up)
);

/* ---- in a manager --------------------------------------------------------------------------------------------- */

static void case_functions_do_not_go_there(void)
{
    mproc_namespace *space = create(MPROC_MAP("n", 1));

    CHECK_SAYS(mproc_namespace_update_with(space, "n", adds, MPROC_ARGS(1)), MPROC_NOT_SUPPORTED,
               "mproc_namespace_increment()");
    CHECK_OK(mproc_namespace_increment(space, "n", 2, NULL));
    CHECK_EQ(number(space, "n"), 3);
    mproc_namespace_free(space);
}

CHECK_SUITE_SETUP(namespace_served, containers_of_a_manager,
    CASE_SERVED(values_come_back_by_their_names),
    CASE_SERVED(names_that_are_not_there_are_told),
    CASE_SERVED(copies_have_the_names_in_their_order),
    CASE_SERVED(namespaces_are_printed_as_python_does),
    CASE_SERVED(what_is_no_name_is_refused),
    CASE_SERVED(functions_do_not_go_there)
);
