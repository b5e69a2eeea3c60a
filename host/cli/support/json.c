/* JSON: see json.h. */
#include "support/json.h"

#include "support/text.h"

#include <stdio.h>

void json_string(FILE *file, const char *text)
{
    fputc('"', file);
    for (unsigned bytes; *text; text += bytes > 0 ? bytes : 1) {
        bytes = text_character_bytes(text);
        if (bytes == 0)
            fputs("\\ufffd", file); /* a byte that is not UTF-8 */
        else if (bytes > 1)
            fwrite(text, 1, bytes, file);
        else if (*text == '"' || *text == '\\')
            fprintf(file, "\\%c", *text);
        else if (*text < ' ' || *text == 0x7F || *text == '<') /* "<" could end a page's script */
            fprintf(file, "\\u%04x", *text);
        else
            fputc(*text, file);
    }
    fputc('"', file);
}
