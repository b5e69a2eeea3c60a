# What is installed is used by programs outside this tree, by pkg-config in C and by CMake in C++; and the examples run.
bats_require_minimum_version 1.5.0
load helpers

FIRST="0.0900305733 0.244728476 0.665240943"

# links_with_programs: skips under AddressSanitizer, because programs outside are built without it
links_with_programs() {
    ! is_sanitized || skip "AddressSanitizer"
}

install_to() {
    cmake --install "$BUILD" --prefix "$1" >install.log || { cat install.log; return 1; }
    export LD_LIBRARY_PATH
    LD_LIBRARY_PATH=$(dirname "$(find "$1" -name 'libclsoftmax.so')")
    export PKG_CONFIG_PATH="$LD_LIBRARY_PATH/pkgconfig"
}

@test "the README's example compiles in C by pkg-config, shared and static" {
    links_with_programs
    install_to "$PWD/prefix"
    sed -n '/^```c$/,/^```$/{/^```/d;p}' "$SOURCE/README.md" >example.c
    diff <(sed '1,/\*\//d' "$SOURCE/examples/host_memory.c") example.c
    # shellcheck disable=SC2046
    gcc -std=c11 -Wall -Wextra -Werror example.c -o shared $(pkg-config --cflags --libs clsoftmax)
    run ./shared
    [ "$output" = "$FIRST" ]
    # shellcheck disable=SC2046
    gcc -std=c99 example.c -o static -Wl,-Bstatic $(pkg-config --cflags --libs clsoftmax) -Wl,-Bdynamic -lm
    ! ldd static | grep -q libclsoftmax
    run ./static
    [ "$output" = "$FIRST" ]
}

@test "programs in C and C++ find the library by find_package, shared and static" {
    links_with_programs
    install_to "$PWD/prefix"
    cp -r "$SOURCE/examples" examples
    echo 'add_executable(raii_static ../raii.cpp)
target_link_libraries(raii_static PRIVATE clsoftmax::clsoftmax_static)' >>examples/find_package/CMakeLists.txt
    line=$(grep 'cmake -S find_package' examples/README.md) # as it is said there
    (cd examples && CMAKE_PREFIX_PATH=$PWD/../prefix eval "$line") >cmake.log 2>&1 || { cat cmake.log; return 1; }
    for name in host_memory raii raii_static; do
        run "build/find_package/$name"
        [ "$output" = "$FIRST" ]
    done
}

@test "the headers compile alone as C99, C11 and C++17" {
    for header in clsoftmax.h clsoftmax_cl.h; do
        echo "#include \"$SOURCE/host/include/clsoftmax/$header\"" >alone.c
        for standard in c99 c11; do
            gcc -std=$standard -Wall -Wextra -Wpedantic -Werror -fsyntax-only alone.c
        done
        g++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c++ alone.c
    done
}

@test "the shared library exports its public names and no others" {
    install_to "$PWD/prefix"
    run bash -c "nm -D --defined-only '$LD_LIBRARY_PATH/libclsoftmax.so' | awk '{print \$3}' | grep -v '^clsoftmax_'"
    [ -z "$output" ]
    readelf -d "$LD_LIBRARY_PATH/libclsoftmax.so" | grep -q 'SONAME.*libclsoftmax.so.0'
}

@test "the man page is installed, names every option, and has no mistakes" {
    install_to "$PWD/prefix"
    page=$(find prefix -name clsoftmax.1)
    run man --warnings -l -Tutf8 "$page"
    [ "$status" -eq 0 ]
    [[ $output != *"warning"* ]]
    for command in run sweep plot explore loss; do "$CLSOFTMAX" $command --help; done >help.txt
    MANWIDTH=400 man -l "$page" | col -b >page.txt
    for option in $(grep -o -- '--[a-z-]*' help.txt | sort -u); do
        grep -q -- "$option" page.txt || { echo "$option is not in the man page"; return 1; }
    done
}

@test "the examples run" {
    run "$BUILD/example_host_memory"
    [ "$output" = "$FIRST" ]
    run "$BUILD/example_per_row_temperature"
    [ "${lines[0]}" = "T = 0: ln p = -inf -inf 0, entropy 0, -ln p[2] = 0" ]
    [ "${lines[1]}" = "T = 1: ln p = -2.40761 -1.40761 -0.407606, entropy 0.832396, -ln p[2] = 0.407606" ]
    run "$BUILD/example_training" "$SOURCE"/tests/data/digits_val_{student_logits,labels}.npy
    [ "${lines[0]}" = "step   0: loss 2.3026, 69 of 700 right" ] # ln 10: nothing has been learnt
    [[ ${lines[4]} == "step 200: loss 0.80"*", 54"?" of 700 right" ]]
    run "$BUILD/example_distillation" "$SOURCE"/tests/data/digits_val_{student_logits,logits}.npy 4
    [[ ${lines[0]} == "step   0: loss 26.47"*", 64 of 700 as the teacher" ]]
    [[ ${lines[4]} == "step 200: loss 9.75"*", 52"?" of 700 as the teacher" ]]
    needs_device
    run "$BUILD/example_device_buffers"
    [ "$output" = "$FIRST | -1" ]
    links_with_programs
    g++ -std=c++11 -Wall -Wextra -Werror -I"$SOURCE/host/include" "$SOURCE/examples/raii.cpp" \
        "$BUILD/host/libclsoftmax.a" -o raii
    run ./raii
    [ "$output" = "$FIRST" ]
    sed 's/"auto"/"nothing"/' "$SOURCE/examples/raii.cpp" >nothing.cpp
    g++ -I"$SOURCE/host/include" nothing.cpp "$BUILD/host/libclsoftmax.a" -o nothing
    run ./nothing
    [ "$status" -eq 1 ]
    [[ $output == *'"nothing"'* ]]
}

@test "a project takes the library in by add_subdirectory, and installs it beside its own program" {
    links_with_programs
    cat >CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.22)
project(outside C)
include(GNUInstallDirs)
add_subdirectory("${CLSOFTMAX_SOURCE}" clsoftmax)
add_executable(outside outside.c)
target_link_libraries(outside PRIVATE clsoftmax::clsoftmax)
add_executable(outside_static outside.c)
target_link_libraries(outside_static PRIVATE clsoftmax::clsoftmax_static)
install(TARGETS outside outside_static)
get_target_property(options outside COMPILE_OPTIONS)
get_directory_property(flags COMPILE_OPTIONS)
if(options OR flags OR TARGET clsoftmax_command OR TARGET test_support)
  message(FATAL_ERROR "forced on the parent: ${options} ${flags}, or more than the library")
endif()
CMAKE
    sed '1,/\*\//d' "$SOURCE/examples/host_memory.c" >outside.c
    cmake -S . -B build -DCLSOFTMAX_SOURCE="$SOURCE" -DCMAKE_BUILD_TYPE=Debug >cmake.log || { cat cmake.log; false; }
    cmake --build build --parallel 2 >build.log || { cat build.log; false; }
    run build/outside
    [ "$output" = "$FIRST" ]
    cmake --install build --prefix prefix >/dev/null
    run env LD_LIBRARY_PATH="$(dirname "$(find "$PWD/prefix" -name libclsoftmax.so)")" prefix/bin/outside
    [ "$output" = "$FIRST" ]
    run prefix/bin/outside_static
    [ "$output" = "$FIRST" ]
    [ -s prefix/include/clsoftmax/clsoftmax.h ]
}

# dev_without_apt CMAKE ARGUMENT...: runs ./dev where there is neither apt-get nor dpkg, and cmake is this command
dev_without_apt() {
    local tool cmake=$1
    shift
    mkdir -p bin checkout
    for tool in bash cat dirname env mktemp nproc rm uname; do
        ln -sf "$(command -v $tool)" bin
    done
    printf '#!/bin/bash\n%s\n' "$cmake" >bin/cmake
    chmod +x bin/cmake
    cp "$SOURCE/dev" checkout
    run --separate-stderr env PATH="$PWD/bin" checkout/dev "$@"
}

@test "./dev on a system without apt builds without the tests, or names the packages of other systems" {
    local package
    dev_without_apt 'echo "$*" >>../calls' build
    [ "$status" -eq 0 ]
    echo "$output$stderr"
    [ -z "$output$stderr" ]
    [[ $(head -n 1 calls) == *"--preset release -DCLSOFTMAX_TESTS=OFF"* ]] # in the folder of dev
    [[ $(tail -n 1 calls) == *"--build build"* ]]
    dev_without_apt 'echo "CMake Error: no CL/cl.h" >&2; exit 1' build
    [ "$status" -eq 1 ]
    echo "$stderr"
    for package in "CMake Error: no CL/cl.h" "Fedora *sudo dnf install .*opencl-headers" \
        "Arch *sudo pacman -S .*opencl-headers" "Alpine *sudo apk add .*musl-dev" "openSUSE *sudo zypper install" \
        "cmake --preset release -DCLSOFTMAX_TESTS=OFF && cmake --build build"; do
        grep -q "$package" <<<"$stderr"
    done
    dev_without_apt true setup
    [ "$status" -eq 1 ]
    grep -q "dnf install" <<<"$stderr"
}
