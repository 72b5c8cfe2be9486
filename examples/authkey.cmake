# SERVER serve | PYTHON CLIENT, and what the client must write.
set(md5)
if(OLD)
    set(md5 md5)
endif()
execute_process(COMMAND ${SERVER} serve ${md5} COMMAND ${PYTHON} ${CLIENT}
                RESULTS_VARIABLE results OUTPUT_VARIABLE output)
string(REPLACE "\r\n" "\n" output "${output}")
if(NOT results STREQUAL "0;0" OR
   NOT output STREQUAL "'is anybody there?': 'IS ANYBODY THERE?'\n'and who?': 'AND WHO?'\n")
    message(FATAL_ERROR "They ended with ${results}; the client wrote:\n${output}")
endif()
