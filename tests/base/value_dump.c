/* Writes one encoding to stdout, for value_format.py to read. */
#include <mproc/mproc.h>

int main(void)
{
    mproc_value value =
        MPROC_MAP("name", "f1", "a longer key", "and longer text, \xC3\xA9", "count", -2, "most", UINT64_MAX, "ratio",
                  0.5, "ok", mproc_bool(true), "none", NULL, "bytes", mproc_bytes("\0\xFF", 2), "tags",
                  MPROC_LIST("a", mproc_list_from(NULL, 0), MPROC_MAP(1, "one")), 7, "seven");
    uint64_t words[256];
    size_t size;

    mproc_check(mproc_value_encode(value, words, sizeof words, &size));
    return fwrite(words, 1, size, stdout) == size ? 0 : 1;
}
