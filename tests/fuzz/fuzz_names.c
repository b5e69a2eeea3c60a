/* Files of class names, and untrusted texts: the first byte chooses how many classes there are, the rest is the file.
   The oracle of UTF-8 is iconv(). */
#include "pictures/class_names.h"
#include "support/messages.h"
#include "fuzz.h"
#include "support/json.h"
#include "support/text.h"

#include <iconv.h>
#include <stdio.h>

const char program_name[] = "fuzz";

/* Reads the characters of a text. Returns their number, or -1 if iconv does not take it for UTF-8. */
static long decode(const char *text, uint32_t *characters, size_t room)
{
    iconv_t decoder = iconv_open("UTF-32LE", "UTF-8");
    char *from = (char *)(uintptr_t)text, *to = (char *)characters;
    size_t length = strlen(text), left = room * sizeof *characters;
    FUZZ_CHECK(decoder != (iconv_t)-1);
    size_t status = iconv(decoder, &from, &length, &to, &left);
    iconv_close(decoder);
    return status == (size_t)-1 ? -1 : (long)(room - left / sizeof *characters);
}

static int is_unfit(uint32_t character)
{
    return character < 0x20 || (character >= 0x7F && character < 0xA0) || character == 0xFFFE || character == 0xFFFF;
}

/* Checks that a text has no characters that control a terminal or are not allowed in XML. */
static void check_clean(const char *text, uint32_t *characters, size_t room)
{
    long count = decode(text, characters, room);
    FUZZ_CHECK(count >= 0);
    for (long i = 0; i < count; i++)
        FUZZ_CHECK(!is_unfit(characters[i]));
}

/* Checks that a text becomes a JSON string that ends at its end and cannot end the script of a page. */
static void check_json(const char *text, uint32_t *characters, size_t room)
{
    char *json = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&json, &length);
    json_string(stream, text);
    fclose(stream);
    FUZZ_CHECK(length >= 2 && json[0] == '"' && json[length - 1] == '"');
    FUZZ_CHECK(decode(json, characters, room) >= 0 && !strchr(json, '<'));
    for (size_t i = 1; i + 1 < length; i++) {
        FUZZ_CHECK(json[i] != '"' && (unsigned char)json[i] >= ' ');
        i += json[i] == '\\';
        FUZZ_CHECK(i + 1 < length);
    }
    free(json);
}

static void check_file(const uint8_t *data, size_t size, uint64_t classes, uint32_t *characters, size_t room)
{
    char path[FUZZ_PATH_BYTES];
    const array no_header = {0};
    class_names names;
    int file = fuzz_file(data, size, path);
    int status = class_names_read(path, &no_header, classes, &names);
    close(file);
    FUZZ_CHECK(status == EXIT_DONE || (status == EXIT_WRONG && names.count == 0));
    FUZZ_CHECK(status != EXIT_DONE || (names.count == classes && !memchr(data, '\0', size)));
    for (uint64_t i = 0; i < names.count; i++)
        check_clean(names.names[i], characters, room);
    class_names_release(&names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const size_t room = 8 * size + 8; /* also for the characters of its JSON */
    uint32_t *characters = malloc(room * sizeof *characters);
    char *text = malloc(size);
    if (!characters || !text)
        abort();
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    FUZZ_CHECK(text_is_utf8(text) == (decode(text, characters, room) >= 0));
    check_json(text, characters, room);
    text_clean(text);
    check_clean(text, characters, room);
    check_file(data + 1, size - 1, 1 + data[0] % 8, characters, room);
    free(text);
    free(characters);
    return 0;
}
