/* Text in lines that a terminal of 100 columns holds. See wrapped.h. */
#include "wrapped.h"

#include <string.h>

void write_wrapped(FILE *file, const char *text, int indent)
{
    int column = 0;
    for (const char *word = text; *word;) {
        int length = (int)strcspn(word, " ");
        int is_first = word == text;
        if (!is_first && column + 1 + length > TABLE_COLUMNS) {
            fprintf(file, "\n%*s", indent, "");
            column = indent;
        } else if (!is_first) {
            fputc(' ', file);
            column++;
        }
        fprintf(file, "%.*s", length, word);
        column += length;
        word += length;
        word += *word == ' ';
    }
    fputc('\n', file);
}
