# Writes files as byte arrays into a C file, so that the library carries its kernels with it, and the command its pages:
#
#   cmake -DOUTPUT=out.c -DFOLDER=folder "-DSOURCES=a/b.h;c.cl" -DHEADER=declares.h "-DTABLE=type name" -P embed.cmake
#
# The table has a row {name, data, length} for each file, whose name is its path in FOLDER; HEADER declares the type of
# the table. The files become bytes and not string literals, of which ISO C guarantees only 4,095 characters, and which
# would have to be quoted.
set(arrays "")
set(table "")
set(index 0)
foreach(source IN LISTS SOURCES)
  file(READ "${FOLDER}/${source}" hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(REPEAT "." 80 line)
  string(REGEX REPLACE "(${line})" "\\1\n" bytes "${bytes}")
  string(APPEND arrays "static const unsigned char source_${index}[] = { /* ${source} */\n${bytes}\n};\n")
  string(APPEND table "    {\"${source}\", source_${index}, sizeof source_${index}},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE "${OUTPUT}" "/* Made by kernels/embed.cmake; do not edit. */\n#include \"${HEADER}\"\n\n${arrays}\n"
                       "const ${TABLE}[] = {\n${table}    {0, 0, 0},\n};\n")
