# Runtimes that come as a crate.
#
# cts_cargo(NAME CRATE folder ARTIFACT file [SOURCE_FILES package:path ...] [OUT_FILES package:path ...] [ENV NAME=value ...]
#     [OLDEST version] [FEATURES name ...])
#
# Builds the crate in `folder` as its Cargo.lock says, when the target cts-cargo-NAME is built, and puts into the folder
# ${NAME_PRODUCTS}:
#   ARTIFACT      the program or library that the crate builds, by its file name
#   SOURCE_FILES  files of the sources of a package the crate depends on
#   OUT_FILES     files that the build script of such a package has made
#   packages.h    #define CTS_CRATE_NAME "version" for each package named above
# OLDEST is the oldest cargo that can build it: with an older one it is left out. FEATURES are the crate's own.
# ${NAME_FOUND} says whether the artifact is there. What cargo has not built yet is built by the target cts-runtimes alone, which nothing
# depends on (./cts runtimes), so that an ordinary build waits for no cargo; what is there is kept up to date by whatever uses it.
#
# cts_cargo_worker(NAME): the artifact is a worker, cts-worker-NAME. It stands beside ebpf-cts once it is built.
set(CTS_RUNTIMES "auto" CACHE STRING "Optional runtimes: auto, those that are installed or were built by ./cts runtimes; off, none")
set_property(CACHE CTS_RUNTIMES PROPERTY STRINGS auto off)
set(CTS_CARGO_DIR "${CMAKE_BINARY_DIR}/cargo" CACHE PATH "Where crates are built; several builds may share it")
set(CTS_CARGO "" CACHE FILEPATH "cargo; empty: the one on the path")
set(CTS_CARGO_OLDEST 1.78) # it reads the lock files of this tree
option(CTS_CARGO_STRICT "A crate that cannot be brought up to date fails the build, even if an older one is there" OFF)

if(NOT CTS_RUNTIMES MATCHES "^(auto|off)$")
    message(FATAL_ERROR "CTS_RUNTIMES is auto or off, not '${CTS_RUNTIMES}'")
endif()
add_custom_target(cts-runtimes)
file(REMOVE ${CMAKE_BINARY_DIR}/cargo.txt)

function(cts_cargo name)
    cmake_parse_arguments(ARG "" "CRATE;ARTIFACT;OLDEST" "FEATURES;SOURCE_FILES;OUT_FILES;ENV" ${ARGN})
    if(NOT ARG_OLDEST)
        set(ARG_OLDEST ${CTS_CARGO_OLDEST})
    endif()
    set(products ${CTS_CARGO_DIR}/products/${name})
    set(stamp ${CMAKE_CURRENT_BINARY_DIR}/cargo-${name}.stamp)
    set(made ${products}/${ARG_ARTIFACT})
    file(GLOB_RECURSE inputs CONFIGURE_DEPENDS
        ${ARG_CRATE}/*.toml ${ARG_CRATE}/*.lock ${ARG_CRATE}/*.rs
        ${CMAKE_SOURCE_DIR}/harness/wire/rust/*.toml ${CMAKE_SOURCE_DIR}/harness/wire/rust/*.rs)
    set(files)
    if(ARG_SOURCE_FILES OR ARG_OUT_FILES)
        list(APPEND files ${products}/packages.h)
    endif()
    foreach(file ${ARG_SOURCE_FILES} ${ARG_OUT_FILES})
        string(REGEX REPLACE ".*[/:]" "" file "${file}")
        list(APPEND files ${products}/${file})
    endforeach()
    string(REPLACE ";" "|" source_files "${ARG_SOURCE_FILES}")
    string(REPLACE ";" "|" out_files "${ARG_OUT_FILES}")
    string(REPLACE ";" "," features "${ARG_FEATURES}")
    set(script ${CMAKE_SOURCE_DIR}/cmake/CtsCargoBuild.cmake)
    add_custom_command(OUTPUT ${stamp}
        BYPRODUCTS ${made} ${files}
        COMMAND ${CMAKE_COMMAND} -E env ${ARG_ENV}
            ${CMAKE_COMMAND} -DNAME=${name} -DCRATE=${ARG_CRATE} -DARTIFACT=${ARG_ARTIFACT}
            -DSOURCE_FILES=${source_files} -DOUT_FILES=${out_files} -DCARGO=${CTS_CARGO}
            -DOLDEST=${ARG_OLDEST} -DFEATURES=${features}
            -DWORK=${CTS_CARGO_DIR} -DSTAMP=${stamp} -DSTRICT=${CTS_CARGO_STRICT} -P ${script}
        DEPENDS ${inputs} ${script}
        COMMENT "Building the crate of the runtime ${name}"
        VERBATIM)
    add_custom_target(cts-cargo-${name} DEPENDS ${stamp})
    if(NOT CTS_RUNTIMES STREQUAL "off")
        add_dependencies(cts-runtimes cts-cargo-${name})
        # Read by the script `cts`: what can be built, and what tells that it is there.
        file(APPEND ${CMAKE_BINARY_DIR}/cargo.txt "${name} ${made}\n")
    endif()
    set(found OFF)
    if(EXISTS ${made} AND NOT CTS_RUNTIMES STREQUAL "off")
        set(found ON)
    endif()
    set(${name}_FOUND ${found} PARENT_SCOPE)
    set(${name}_PRODUCTS ${products} PARENT_SCOPE)
    set_property(GLOBAL PROPERTY CTS_CARGO_MADE_${name} ${made})
    set_property(GLOBAL PROPERTY CTS_CARGO_FOUND_${name} ${found})
endfunction()

function(cts_cargo_worker name)
    get_property(made GLOBAL PROPERTY CTS_CARGO_MADE_${name})
    get_property(found GLOBAL PROPERTY CTS_CARGO_FOUND_${name})
    if(NOT found)
        return()
    endif()
    set(worker ${CMAKE_BINARY_DIR}/cts-worker-${name})
    add_custom_command(OUTPUT ${worker}
        COMMAND ${CMAKE_COMMAND} -E copy ${made} ${worker}
        DEPENDS cts-cargo-${name} ${made} VERBATIM)
    add_custom_target(cts-worker-${name} ALL DEPENDS ${worker})
endfunction()
