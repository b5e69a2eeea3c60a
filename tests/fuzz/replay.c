/* replay FILE...: gives each file to the fuzz target once, in place of libFuzzer. The tests do it with the corpora. */
#include "fuzz.h"

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        uint8_t *data = malloc(1 << 20);
        size_t size = file && data ? fread(data, 1, 1 << 20, file) : 0;
        if (!file || !data) {
            perror(argv[i]);
            return 1;
        }
        fclose(file);
        uint8_t *exact = malloc(size > 0 ? size : 1); /* so that a read behind the end is one behind the block */
        memcpy(exact, data, size);
        LLVMFuzzerTestOneInput(exact, size);
        free(exact);
        free(data);
    }
    printf("%d inputs\n", argc - 1);
    return argc > 1 ? 0 : 1;
}
