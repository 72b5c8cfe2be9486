/* A library that the tests open at run time. */
#if defined(_WIN32)
__declspec(dllexport)
#elif defined(__GNUC__)
__attribute__((visibility("default")))
#endif
    int module_library_answer(int number);

int module_library_answer(int number)
{
    return number + 41;
}
