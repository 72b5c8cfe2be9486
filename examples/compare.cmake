# Runs PROGRAM (with EMULATOR, if there is one) and compares all that it writes with the file EXPECTED. With ANY_ORDER
# the lines are sorted, and each number in them is an N.
execute_process(COMMAND ${EMULATOR} ${PROGRAM}
                RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE errors)
file(READ ${EXPECTED} expected)
string(REPLACE "\r\n" "\n" output "${output}")
string(REPLACE "\r\n" "\n" expected "${expected}")
if(ANY_ORDER)
    string(REGEX REPLACE "[0-9]+" "N" output "${output}")
    string(REGEX REPLACE "\n$" "" output "${output}")
    string(REPLACE "\n" ";" output "${output}")
    list(SORT output)
    string(REPLACE ";" "\n" output "${output}\n")
endif()

if(NOT result EQUAL 0)
    message(FATAL_ERROR "${PROGRAM} ended with ${result}; it wrote:\n${output}\n${errors}")
endif()
if(NOT output STREQUAL expected)
    message(FATAL_ERROR "${PROGRAM} wrote:\n${output}\nand was to write:\n${expected}")
endif()
if(NOT errors STREQUAL "")
    message(FATAL_ERROR "${PROGRAM} wrote to stderr:\n${errors}")
endif()
