# One list of warnings for every target; both compilers.
option(CTS_WERROR "Warnings are errors" OFF)
option(CTS_SANITIZE "Address and undefined-behaviour sanitizers" OFF)
option(CTS_FUZZ "Build the fuzzers (clang), everything instrumented for them" OFF)

if(CTS_FUZZ AND NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "CTS_FUZZ needs clang")
endif()

function(cts_warnings target)
    target_compile_options(${target} PRIVATE
        -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef
        -Wwrite-strings -Wpointer-arith -Wcast-qual -Wformat=2)
    if(CTS_WERROR)
        target_compile_options(${target} PRIVATE -Werror)
    endif()
    if(CTS_SANITIZE)
        target_compile_options(${target} PRIVATE -fsanitize=address,undefined
            -fno-sanitize-recover=all -fno-omit-frame-pointer)
        target_link_options(${target} PRIVATE -fsanitize=address,undefined)
    elseif(CTS_FUZZ)
        target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link,address,undefined
            -fno-sanitize-recover=all)
        target_link_options(${target} PRIVATE -fsanitize=fuzzer-no-link,address,undefined)
    endif()
    target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
endfunction()
