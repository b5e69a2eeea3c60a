/* Untrusted texts: see text.h. */
#include "support/text.h"

#include <stdint.h>
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

/* Returns the code point of a UTF-8 character of so many bytes. */
static uint32_t code_point(const char *text, unsigned bytes)
{
    const unsigned char *c = (const unsigned char *)text;
    uint32_t code = bytes > 1 ? *c & (0x7Fu >> bytes) : *c;
    for (unsigned i = 1; i < bytes; i++)
        code = code << 6 | (c[i] & 0x3Fu);
    return code;
}

/* The blocks of Unicode whose characters do not take one column: East_Asian_Width W and F of annex 11, by blocks, and
   combining marks. */
static const struct blocks {
    uint32_t first, last;
    unsigned columns;
} blocks[] = {{0x0300, 0x036F, 0},   {0x1100, 0x115F, 2},   {0x200B, 0x200F, 0},  {0x20D0, 0x20FF, 0},
              {0x2E80, 0xA4CF, 2},   {0xAC00, 0xD7A3, 2},   {0xF900, 0xFAFF, 2},  {0xFE00, 0xFE0F, 0},
              {0xFE30, 0xFE6F, 2},   {0xFF00, 0xFF60, 2},   {0xFFE0, 0xFFE6, 2},  {0x1F300, 0x1F64F, 2},
              {0x1F680, 0x1F6FF, 2}, {0x1F900, 0x1F9FF, 2}, {0x20000, 0x3FFFD, 2}};

unsigned text_character_columns(const char *text)
{
    uint32_t code = code_point(text, text_character_bytes(text));
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        if (code >= blocks[i].first && code <= blocks[i].last)
            return blocks[i].columns;
    return 1;
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
