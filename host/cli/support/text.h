/* Untrusted texts, made fit to be shown: UTF-8 without characters that a terminal obeys. Used for messages,
   for names of classes, and for pictures and pages. */
#ifndef CLSOFTMAX_TEXT_H
#define CLSOFTMAX_TEXT_H

/* Returns the bytes of the UTF-8 character at `text`; 0 if there is none. */
unsigned text_character_bytes(const char *text);

/* Returns 1 if all of the text is UTF-8. */
int text_is_utf8(const char *text);

/* Returns how many columns of a terminal the UTF-8 character at `text` takes: 0 for marks that stand upon the one
   before them, 2 for those of East Asia and emoji, else 1. */
unsigned text_character_columns(const char *text);

/* Cleans a text in place. Characters that control terminals (C0, DEL, C1), or that XML does not have (U+FFFE, U+FFFF),
   become a space each. Bytes that are not UTF-8 become a "?" each. A character that the end of the text cuts off is
   removed. */
void text_clean(char *text);

#endif
