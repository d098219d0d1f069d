# cmake --install BUILD --prefix PREFIX: a tree that names no place and can be moved.
#
#   bin/ebpf-cts            libexec/ebpf-cts/    the workers that were built
#   share/ebpf-cts/         vectors, spec, runtimes (what they are, without their sources), the example of an adapter
#   include/ebpf-cts/, lib/libebpf-cts-worker.a, lib/pkgconfig/ebpf-cts-worker.pc    to write an adapter with
#   share/doc/ebpf-cts/, the manual page, completion for bash
set(share share/ebpf-cts)

install(TARGETS ebpf-cts RUNTIME DESTINATION bin)
# Some are made by cargo, and some of those later than the others: whatever stands beside ebpf-cts.
install(CODE "
    file(GLOB workers \"${CMAKE_BINARY_DIR}/cts-worker-*\")
    file(INSTALL \${workers} DESTINATION \"\${CMAKE_INSTALL_PREFIX}/libexec/ebpf-cts\" TYPE PROGRAM)")

install(DIRECTORY vectors DESTINATION ${share})
foreach(folder spec runtimes)
    file(GLOB_RECURSE files CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} ${folder}/*.yaml ${folder}/*.tsv ${folder}/*.json ${folder}/*.md)
    foreach(file ${files})
        get_filename_component(place ${file} DIRECTORY)
        install(FILES ${file} DESTINATION ${share}/${place})
    endforeach()
endforeach()
install(FILES reports/schema.json DESTINATION ${share}/reports)
install(DIRECTORY runtimes/example DESTINATION ${share} FILES_MATCHING PATTERN "*.[ch]")
# There the worker is what is built in that folder.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS runtimes/example/runtime.yaml)
file(READ runtimes/example/runtime.yaml description)
string(REPLACE "worker: cts-worker-example\n" "worker: ./worker\n" description "${description}")
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/example/runtime.yaml CONTENT "${description}" @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/example/runtime.yaml DESTINATION ${share}/example)
install(FILES README.md LICENSE harness/wire/PROTOCOL.md DESTINATION share/doc/ebpf-cts)
install(FILES runtimes/README.md DESTINATION share/doc/ebpf-cts RENAME runtimes.md)
install(CODE "
    foreach(page \"--man;share/man/man1/ebpf-cts.1\" \"--bash;share/bash-completion/completions/ebpf-cts\")
        list(GET page 0 what)
        list(GET page 1 file)
        get_filename_component(folder \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/\${file}\" DIRECTORY)
        file(MAKE_DIRECTORY \"\${folder}\")
        execute_process(COMMAND \"${CMAKE_BINARY_DIR}/ebpf-cts\" help \${what}
            OUTPUT_FILE \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/\${file}\" RESULT_VARIABLE status)
        if(status)
            message(FATAL_ERROR \"ebpf-cts help \${what}: \${status}\")
        endif()
    endforeach()")

# The kit: the boxes that an adapter may use, as one library.
set(kit base isa wire)
set(objects)
foreach(box ${kit})
    list(APPEND objects $<TARGET_OBJECTS:cts_${box}>)
    install(DIRECTORY harness/${box} DESTINATION include/ebpf-cts FILES_MATCHING PATTERN "*.h")
endforeach()
add_library(ebpf-cts-worker STATIC ${objects})
set_target_properties(ebpf-cts-worker PROPERTIES LINKER_LANGUAGE C)
install(FILES spec/generated/isa_insns.h DESTINATION include/ebpf-cts/generated)
install(TARGETS ebpf-cts-worker ARCHIVE DESTINATION lib)
set(CTS_KIT_FLAGS)
if(CTS_SANITIZE)
    set(CTS_KIT_FLAGS -fsanitize=address,undefined)
endif()
configure_file(cmake/ebpf-cts-worker.pc.in ${CMAKE_BINARY_DIR}/ebpf-cts-worker.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/ebpf-cts-worker.pc DESTINATION lib/pkgconfig)
