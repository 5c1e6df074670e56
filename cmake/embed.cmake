# embed_files(TABLE FILE...): an object library TABLE that defines the table of that name declared in
# vinculo/embedded.h and TABLE_count. The whole table is assembled, because only the assembler knows
# the lengths at build time; rows are in the order of the file names.
function(embed_files table)
  list(SORT ARGN COMPARE FILE_BASENAME)
  set(texts "")
  set(rows "")
  set(index 0)
  foreach(file IN LISTS ARGN)
    get_filename_component(name ${file} NAME)
    string(APPEND texts "name_${index}:\n    .asciz \"${name}\"\n"
                        "text_${index}:\n    .incbin \"${file}\"\nend_${index}:\n    .byte 0\n")
    string(APPEND rows "    .quad name_${index}, text_${index}, end_${index} - text_${index}\n")
    math(EXPR index "${index} + 1")
  endforeach()

  set(source ${CMAKE_BINARY_DIR}/${table}.S)
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT [[
/* Made by cmake/embed.cmake. */
    .section .rodata
@texts@
    .section .data.rel.ro, "aw"
    .balign 8
    .globl @table@, @table@_count
    .type @table@, %object
    .type @table@_count, %object
@table@:
@rows@    .size @table@, . - @table@
@table@_count:
    .quad @index@
    .size @table@_count, 8
    .section .note.GNU-stack, "", %progbits
]])
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS "${ARGN}")
  add_library(${table} STATIC ${source})
endfunction()
