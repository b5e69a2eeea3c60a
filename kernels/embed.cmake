# cmake -DOUTPUT=file.c -DSOURCES=a.cl;b.h -P embed.cmake: the files as byte arrays, in a table {name, data, length}, which HEADER
# declares and TABLE names with its type; by default those of the kernels.
# Bytes, not string literals: ISO C guarantees only 4,095 characters of those, and they would have to be quoted.
if(NOT DEFINED HEADER)
  set(HEADER kernel_sources.h)
  set(TABLE "cls_kernel_source cls_kernel_sources")
endif()
set(arrays "")
set(table "")
set(index 0)
foreach(source IN LISTS SOURCES)
  get_filename_component(name "${source}" NAME)
  file(READ "${source}" hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes
                       "${bytes}")
  string(APPEND arrays "static const unsigned char source_${index}[] = { /* ${name} */\n${bytes}\n};\n")
  string(APPEND table "    {\"${name}\", source_${index}, sizeof source_${index}},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE "${OUTPUT}" "/* Made by kernels/embed.cmake; do not edit. */\n#include \"${HEADER}\"\n\n${arrays}\n"
                       "const ${TABLE}[] = {\n${table}    {0, 0, 0},\n};\n")
