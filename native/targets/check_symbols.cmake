# Fails where an object of a target exports anything outside its own namespace.
#
#   cmake -DNM=nm -DISA=avx512 -DOBJECT=avx512.cpp.o -P check_symbols.cmake
#
# An inline function of a shared header (std::vector's, say) is compiled once for each target, with that target's
# instructions; the linker keeps one copy of it, and when that is AVX-512's, the baseline crashes on a machine without.
# A mangled name that contains the target's namespace exists in no other target, and is safe.
execute_process(COMMAND "${NM}" -g --defined-only "${OBJECT}" OUTPUT_VARIABLE listing RESULT_VARIABLE failed ERROR_VARIABLE said)
if(failed)
  message(FATAL_ERROR "${NM} cannot read ${OBJECT}: ${said}")
endif()
string(LENGTH "${ISA}" length)
string(REGEX MATCHALL "[^\n]+" lines "${listing}")
set(leaked "")
foreach(line IN LISTS lines)
  if(line MATCHES "^[0-9a-fA-F]* *[A-Za-z] " AND NOT line MATCHES "7recurra${length}${ISA}")
    string(APPEND leaked "\n  ${line}")
  endif()
endforeach()
if(leaked)
  message(FATAL_ERROR "${OBJECT} exports names outside recurra::${ISA}; a target may include <cstdint>, <cstddef>, <cstring> "
                      "and headers whose every function is static or in that namespace:${leaked}")
endif()
