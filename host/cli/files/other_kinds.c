/* Kinds of files that are not read: see other_kinds.h. */
#include "files/other_kinds.h"

#include "support/messages.h"
#include "support/values.h"

#include <stddef.h>
#include <stdio.h>

/* A kind, the modules of Python that read it, and the expression for its array, in which %s is the file. */
typedef struct other_kind {
    const char *suffix, *modules, *array;
} other_kind;

static const other_kind by_python[] = {
#ifndef CLSOFTMAX_WITH_LIBZIP
    {".npz", "numpy", "numpy.load(\"%s\")[\"NAME\"]"},
#endif
#ifndef CLSOFTMAX_WITH_JANSSON
    {".safetensors", "numpy, safetensors.numpy", "safetensors.numpy.load_file(\"%s\")[\"NAME\"]"},
#endif
    {".pt", "numpy, torch", "torch.load(\"%s\", map_location=\"cpu\").detach().float().numpy()"},
    {".pth", "numpy, torch", "torch.load(\"%s\", map_location=\"cpu\").detach().float().numpy()"},
    {".pkl", "numpy, pickle", "numpy.asarray(pickle.load(open(\"%s\", \"rb\")))"},
    {".parquet", "numpy, pandas", "pandas.read_parquet(\"%s\").to_numpy()"},
    {".feather", "numpy, pandas", "pandas.read_feather(\"%s\").to_numpy()"},
    {".xlsx", "numpy, pandas", "pandas.read_excel(\"%s\", header=None).to_numpy()"},
    {".h5", "numpy, h5py", "h5py.File(\"%s\")[\"NAME\"]"},
    {".hdf5", "numpy, h5py", "h5py.File(\"%s\")[\"NAME\"]"},
    {".mat", "numpy, scipy.io", "scipy.io.loadmat(\"%s\")[\"NAME\"]"},
    {".json", "numpy, json", "numpy.asarray(json.load(open(\"%s\")))"},
};

/* Compressed files, whose contents go through a pipe. */
static const struct {
    const char *suffix, *program;
} by_pipe[] = {{".gz", "gzip"}, {".xz", "xz"}, {".bz2", "bzip2"}, {".zst", "zstd"}};

int complain_if_known_kind(const char *path)
{
    for (size_t i = 0; i < sizeof by_python / sizeof *by_python; i++) {
        const other_kind *kind = &by_python[i];
        char array[4200];
        if (!ends_with(path, kind->suffix))
            continue;
        snprintf(array, sizeof array, kind->array, path);
        return complain(EXIT_WRONG, "%s: %s files are not read; python3 -c 'import %s; numpy.save(\"logits.npy\", %s)'",
                        path, kind->suffix, kind->modules, array);
    }
    for (size_t i = 0; i < sizeof by_pipe / sizeof *by_pipe; i++)
        COMPLAIN_IF(ends_with(path, by_pipe[i].suffix), EXIT_WRONG,
                    "%s: compressed files are not read; %s -dc %s | clsoftmax ... -", path, by_pipe[i].program, path);
    return EXIT_DONE;
}
