/* Texts that strangers wrote, as people are to see them: UTF-8, of which no terminal obeys a character. */
#ifndef CLSOFTMAX_TEXT_H
#define CLSOFTMAX_TEXT_H

/* Bytes of the character of UTF-8 at `text`; 0 for what is none. */
unsigned text_character_bytes(const char *text);

int text_is_utf8(const char *text);

/* In place. Characters that control terminals (C0, DEL, C1), or that XML has not (U+FFFE, U+FFFF), become a space each, and bytes that are
   no UTF-8 a "?"; of a character that the text's end cuts, nothing stays. */
void text_clean(char *text);

#endif
