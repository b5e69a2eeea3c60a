/* The options of run, sweep, plot, explore, loss and distill, parsed and checked. Used by these commands, and by the
   folders run and pictures. */
#ifndef CLSOFTMAX_RUN_OPTIONS_H
#define CLSOFTMAX_RUN_OPTIONS_H

#include "clsoftmax/clsoftmax.h"
#include "files/text_fields.h"
#include "options/temperature_list.h"

/* The commands, as bits, so that an option can name those that take it. */
typedef enum run_command { RUN = 1, SWEEP = 2, PLOT = 4, EXPLORE = 8, LOSS = 16, DISTILL = 32 } run_command;

typedef struct run_options {
    run_command command;
    const char *input;           /* a path, or "-" for standard input; NULL: explore without an input */
    const char *output;          /* "-": .npy on standard output; NULL: text there, or no gradient */
    const char *device;          /* as devices_open takes it; NULL: auto */
    const char *temperatures;    /* run: file with a temperature for each row, or NULL */
    temperature_list sweep;      /* sweep and plot: all of them */
    const char *labels;          /* file with a label for each row, or NULL */
    const char *statistics;      /* .npy file for the statistics, "" for a table on standard output, or NULL */
    const char *teacher;         /* distill: file with the teacher's logits */
    const char *teacher_classes; /* distill: file with the classes that TEACHER lists; NULL: all of them */
    clsoftmax_tail tail;         /* what becomes of all others */
    int has_tail;                /* --tail was given */
    const char *targets;         /* loss: file with the target probabilities, in place of labels, or NULL */
    const char *weights;         /* loss, distill: file with a weight for each row, or NULL */
    const char *class_weights;   /* loss: file with a weight for each class, or NULL */
    const char *losses;          /* loss, distill: file for the loss of each row, or NULL */
    int has_alpha;               /* distill: --alpha was given */
    float alpha;                 /* the share of the labels in a mix of losses */
    float z_loss;                /* the weight of lse^2 in a loss */
    float label_smoothing;       /* loss: the share of a label that all classes have together */
    float teacher_share;         /* distill: of the mixture of a Jensen-Shannon divergence; 0: there is none */
    int is_reversed;             /* distill: the divergence is KL(p || q) */
    int is_sum;                  /* loss, distill: the gradient is that of the sum, not of the mean */
    float temperature;
    int axis;
    int has_probabilities; /* INPUT holds probabilities */
    const char *tensor;    /* which array of INPUT, a file that may hold several, or NULL */
    text_format text;      /* how INPUT and other text files are read */
    int has_input_dtype;   /* input_dtype was given */
    clsoftmax_dtype input_dtype;
    clsoftmax_problem problem;         /* operation, results_dtype, policies, strategy, sweep; the rest is set later */
    uint64_t memory;                   /* bytes that slabs may take */
    int has_rows;                      /* --rows was given: indices [rows_begin, rows_end) of the first axis */
    int64_t rows_begin, rows_end;      /* negative ones count from the end */
    uint64_t shard_index, shard_count; /* count 0: no shards */
    int explain;
    int verify;
    int progress;            /* 1 yes, 0 no, -1 where standard error is a terminal */
    const char *picture;     /* sweep: the file of --plot, "-" for the terminal, or NULL */
    const char *class_names; /* file with a name for each class, or NULL */
    uint64_t row, top;       /* of a picture: the row; how many classes are shown beside "rest" */
    int log_y;               /* curves: 1 a logarithmic axis of probabilities, 0 none, -1 for many classes */
    int is_dark;
} run_options;

/* Parses and checks a command line. EXIT_DONE; EXIT_ANSWERED after --help; or another status after a complaint. The
   options are to be released in any case. */
int run_options_parse(run_command command, int argc, char **argv, run_options *options);
void run_options_release(run_options *options);

/* Returns 1 for the commands that compute a loss for each row. */
int run_options_have_losses(const run_options *options);

#endif
