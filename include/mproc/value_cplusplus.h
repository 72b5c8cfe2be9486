/*
 * Values in C++: what the macros of <mproc/value_generic.h> are in C are overloads here. The macros have the same
 * names; MPROC_LIST(1, 2) is mproc_list_of(1, 2).
 *
 * A list or map that is made here keeps its elements, also lists in lists, as long as it lives, and becomes a value
 * that borrows them. It may be given to a function where it is made; what lives longer needs a name:
 *
 *     mproc_process_create(task, mproc_args_of("f1", mproc_list_of(1, 2)), nullptr, &process);
 *     auto args = mproc_args_of(7);
 *     options.args = args;
 *
 * `options.args = mproc_args_of(7)` does not compile: the elements would be gone at the end of the line. Texts are
 * borrowed, as in C: they stay where they are, and must stay there as long as the value is used.
 */
#ifndef MPROC_VALUE_CPLUSPLUS_H
#define MPROC_VALUE_CPLUSPLUS_H

#include <mproc/value_generic.h>

#ifdef __cplusplus

/* ---- values by the type of what is written ---------------------------------------------------- */

/* A function that throws nothing has a type of its own. */
typedef mproc_status (*mproc_value_function_quiet_)(struct mproc_call *call) noexcept;

#define MPROC_VALUE_OVERLOAD(type, make)                \
    static inline mproc_value mproc_value_of(type from) \
    {                                                   \
        return make(from);                              \
    }
MPROC_VALUE_TABLE(MPROC_VALUE_OVERLOAD)

#define MPROC_OBJECT_OVERLOAD(number, name, constant, text)     \
    MPROC_VALUE_OVERLOAD(mproc_##name *, mproc_value_##name##_) \
    MPROC_VALUE_OVERLOAD(const mproc_##name *, mproc_value_##name##_)
MPROC_OBJECT_TABLE(MPROC_OBJECT_OVERLOAD)
MPROC_VALUE_OVERLOAD(mproc_value_function_quiet_, mproc_function_from)
#undef MPROC_OBJECT_OVERLOAD
#undef MPROC_VALUE_OVERLOAD

static inline mproc_value mproc_value_of(const mproc_value &value)
{
    return value;
}

/* NULL is a number in C++: write nullptr. */
static inline mproc_value mproc_value_of(decltype(nullptr))
{
    return mproc_nil();
}

/* All other pointers. */
template <class Any> mproc_value mproc_value_of(Any *)
{
    static_assert(sizeof(Any *) == 0,
                  "mproc: a pointer means nothing to another process. Values can be: text, objects "
                  "of mproc, functions of the type mproc_function, and what a pointer points to, "
                  "as mproc_bytes(data, size)");
    return mproc_nil();
}

/* std::string and its likes. */
template <class Text, class = decltype(static_cast<const Text *>(nullptr)->c_str())>
mproc_value mproc_value_of(const Text &)
{
    static_assert(sizeof(Text) == 0, "mproc: give the text's c_str(): it must live as long as the value");
    return mproc_nil();
}

/* ---- variables that take a value -------------------------------------------------------------- */

#define MPROC_TARGET_OVERLOAD(type, target)                          \
    static inline mproc_target mproc_target_of(type *address)        \
    {                                                                \
        return mproc_target_make_(target, sizeof *address, address); \
    }
MPROC_TARGET_TABLE(MPROC_TARGET_OVERLOAD)
MPROC_TARGET_OVERLOAD(mproc_value, MPROC_TARGET_VALUE)
#define MPROC_TARGET_OBJECT_OVERLOAD(number, name, constant, text) \
    MPROC_TARGET_OVERLOAD(mproc_##name *, MPROC_TARGET_OBJECT + (number))
MPROC_OBJECT_TABLE(MPROC_TARGET_OBJECT_OVERLOAD)
#undef MPROC_TARGET_OBJECT_OVERLOAD
#undef MPROC_TARGET_OVERLOAD

template <class Address> struct mproc_is_text_ {
    static const bool yes = false;
};
template <> struct mproc_is_text_<char **> {
    static const bool yes = true;
};
template <> struct mproc_is_text_<signed char **> {
    static const bool yes = true;
};
template <> struct mproc_is_text_<unsigned char **> {
    static const bool yes = true;
};

/* All other addresses, and what is none. */
template <class Address> mproc_target mproc_target_of(Address)
{
    static_assert(!mproc_is_text_<Address>::yes,
                  "mproc: text is taken into a variable of the type const char *, not char *");
    static_assert(mproc_is_text_<Address>::yes || sizeof(Address) == 0,
                  "mproc: give the address of a variable that can take a value: an integer, bool, float, double, "
                  "const char *, mproc_value, mproc_function *, or a pointer to an object of mproc");
    return mproc_target();
}

/* Puts the value into a variable: as the macro of this name in C. */
template <class Address> MPROC_NODISCARD mproc_status mproc_value_to(mproc_value value, Address address)
{
    return mproc_value_store(value, mproc_target_of(address));
}

/* Puts the elements of a list into variables: as the macro of this name in C. */
template <class... Address> MPROC_NODISCARD mproc_status mproc_value_unpack(mproc_value list, Address... address)
{
    const mproc_target targets[] = {mproc_target_of(address)...};

    static_assert(sizeof...(Address) <= 32, "mproc: up to 32 variables can be unpacked");
    return mproc_value_unpack_targets(list, targets, sizeof...(Address));
}

/* ---- lists and maps --------------------------------------------------------------------------- */

template <bool map, class... Kept> class mproc_values;

/* What is kept of an element: its value, or a list or map as it is. */
template <class Any> struct mproc_kept_ {
    typedef mproc_value type;

    static mproc_value of(const Any &element)
    {
        return mproc_value_of(element);
    }

    static mproc_value borrow(const mproc_value &kept)
    {
        return kept;
    }
};

template <bool map, class... Kept> struct mproc_kept_<mproc_values<map, Kept...>> {
    typedef mproc_values<map, Kept...> type;

    static const type &of(const type &element)
    {
        return element;
    }

    static mproc_value borrow(const type &kept)
    {
        return kept.borrow();
    }
};

template <class... Kept> struct mproc_elements_ {
    void borrow(mproc_value *) const
    {
    }
};

template <class First, class... Rest> struct mproc_elements_<First, Rest...> {
    First first;
    mproc_elements_<Rest...> rest;

    void borrow(mproc_value *items) const
    {
        *items = mproc_kept_<First>::borrow(first);
        rest.borrow(items + 1);
    }
};

static inline mproc_elements_<> mproc_keep_()
{
    return mproc_elements_<>();
}

template <class First, class... Rest>
mproc_elements_<typename mproc_kept_<First>::type, typename mproc_kept_<Rest>::type...>
mproc_keep_(const First &first, const Rest &...rest)
{
    return {mproc_kept_<First>::of(first), mproc_keep_(rest...)};
}

/*
 * What mproc_list_of() and mproc_map_of() return: its elements, and their values side by side. Those of lists in it
 * borrow from this copy, not from the one that it was made of.
 */
template <bool map, class... Kept> class mproc_values
{
    mproc_elements_<Kept...> elements;
    mproc_value items[sizeof...(Kept) + 1];

  public:
    explicit mproc_values(const mproc_elements_<Kept...> &from) : elements(from)
    {
        elements.borrow(items);
    }

    mproc_values(const mproc_values &from) : elements(from.elements)
    {
        elements.borrow(items);
    }

    mproc_values &operator=(const mproc_values &from)
    {
        elements = from.elements;
        elements.borrow(items);
        return *this;
    }

    /* A value that is valid as long as this is. */
    mproc_value borrow() const
    {
        return map ? mproc_value_pairs_(items, sizeof...(Kept)) : mproc_list_from(items, sizeof...(Kept));
    }

    operator mproc_value() const &
    {
        return borrow();
    }

    operator mproc_value() &&
    {
        static_assert(sizeof...(Kept) == static_cast<size_t>(-1),
                      "mproc: the elements would be gone when the line ends. Give them a name: "
                      "auto list = mproc_list_of(...), and use that");
        return mproc_nil();
    }
};

template <bool map, class... Kept> mproc_value mproc_value_of(const mproc_values<map, Kept...> &values)
{
    return values;
}

template <bool map, class... Kept> mproc_value mproc_value_of(mproc_values<map, Kept...> &&values)
{
    return static_cast<mproc_values<map, Kept...> &&>(values);
}

template <class... Any> using mproc_list_of_ = mproc_values<false, typename mproc_kept_<Any>::type...>;
template <class... Any> using mproc_map_of_ = mproc_values<true, typename mproc_kept_<Any>::type...>;

/* A list of its arguments. */
template <class... Any> mproc_list_of_<Any...> mproc_list_of(const Any &...any)
{
    return mproc_list_of_<Any...>(mproc_keep_(any...));
}

/* A map of its arguments: key, value, key, value and so on. */
template <class... Any> mproc_map_of_<Any...> mproc_map_of(const Any &...any)
{
    static_assert(sizeof...(Any) % 2 == 0, "mproc: a map is made of keys and values");
    return mproc_map_of_<Any...>(mproc_keep_(any...));
}

/* The arguments of a task, in their order; none is fine. */
template <class... Any> mproc_list_of_<Any...> mproc_args_of(const Any &...any)
{
    return mproc_list_of<Any...>(any...);
}

/* ---- functions that are given a list where it is made ------------------------------------------ */

template <bool map, class... Kept>
MPROC_NODISCARD mproc_status mproc_value_copy(const mproc_values<map, Kept...> &value, mproc_value *copy)
{
    return mproc_value_copy(value.borrow(), copy);
}

template <bool map, class... Kept>
MPROC_NODISCARD mproc_status mproc_value_encoded_size(const mproc_values<map, Kept...> &value, size_t *size)
{
    return mproc_value_encoded_size(value.borrow(), size);
}

template <bool map, class... Kept>
MPROC_NODISCARD mproc_status mproc_value_encode(const mproc_values<map, Kept...> &value, void *buffer,
                                                size_t capacity, size_t *size)
{
    return mproc_value_encode(value.borrow(), buffer, capacity, size);
}

template <bool map, class... Kept>
size_t mproc_value_print(const mproc_values<map, Kept...> &value, char *text, size_t capacity)
{
    return mproc_value_print(value.borrow(), text, capacity);
}

template <bool map, class... Kept> bool mproc_value_equal(mproc_value left, const mproc_values<map, Kept...> &right)
{
    return mproc_value_equal(left, right.borrow());
}

#define MPROC_VALUE(x) mproc_value_of(x)
#define MPROC_LIST(...) mproc_list_of(__VA_ARGS__)
#define MPROC_MAP(...) mproc_map_of(__VA_ARGS__)
#define MPROC_ARGS(...) mproc_args_of(__VA_ARGS__)

#endif

#endif
