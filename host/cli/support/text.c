/* Untrusted texts: see text.h. */
#include "support/text.h"

#include <string.h>

/* Returns how many bytes the first byte of a character announces; 0 if it cannot be a first byte. */
static unsigned announced_bytes(unsigned char first)
{
    return first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
}

/* Returns 1 if the second byte may follow the first, by table 3-7 of the Unicode standard: no character is longer than
   need be, half of a pair of UTF-16, or beyond U+10FFFF. */
static int may_follow(unsigned char first, unsigned char second)
{
    unsigned char least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    unsigned char most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    return second >= least && second <= most;
}

/* Returns how many of the announced bytes are there. */
static unsigned bytes_there(const unsigned char *c, unsigned announced)
{
    unsigned there = announced > 0;
    while (there < announced && (there == 1 ? may_follow(c[0], c[1]) : (c[there] & 0xC0) == 0x80))
        there++;
    return there;
}

unsigned text_character_bytes(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    unsigned announced = announced_bytes(*c);
    return bytes_there(c, announced) == announced ? announced : 0;
}

int text_is_utf8(const char *text)
{
    unsigned bytes = 1;
    for (; *text && bytes > 0; text += bytes)
        bytes = text_character_bytes(text);
    return bytes > 0;
}

/* Returns 1 for a character that controls terminals (C0, DEL, C1), or that XML does not have (U+FFFE, U+FFFF). */
static int is_unfit(const unsigned char *c)
{
    return *c < ' ' || *c == 0x7F || (*c == 0xC2 && c[1] < 0xA0) || (*c == 0xEF && c[1] == 0xBF && c[2] >= 0xBE);
}

void text_clean(char *text)
{
    char *to = text;
    for (unsigned bytes; *text; text += bytes) {
        const unsigned char *c = (const unsigned char *)text;
        unsigned announced = announced_bytes(*c), there = bytes_there(c, announced);
        int is_whole = announced > 0 && there == announced;
        if (!is_whole && c[there] == '\0')
            break;
        bytes = is_whole ? announced : 1;
        if (!is_whole)
            *to++ = '?';
        else if (is_unfit(c))
            *to++ = ' ';
        else {
            memmove(to, text, bytes);
            to += bytes;
        }
    }
    *to = '\0';
}
