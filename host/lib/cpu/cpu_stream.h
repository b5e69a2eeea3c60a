/*
 * Writes runs of results: through the caches as usual, or past them where no cache would hold the results. Past the
 * caches go whole lines of 64 bytes, which are not read from memory before they are written. Used by cpu_dtype.h,
 * cpu_block.h and cpu_panel.h.
 */
#ifndef CLSOFTMAX_CPU_STREAM_H
#define CLSOFTMAX_CPU_STREAM_H

#include "cpu_rows.h"

#ifdef __SSE2__
#include <immintrin.h>
#endif

#define CPU_LINE 64

/* What a thread writes past the caches: one run after another, which need not end where lines do. The line in which a
   run ends waits for the next run, which is most often the row behind. (To write half a line, the processor would have
   to read it, and the caches would hold it.) */
typedef struct cpu_stream {
    _Alignas(CPU_LINE) char waiting[CPU_LINE];
    char *line;        /* address of the line that waits; NULL: none */
    size_t begin, end; /* which of its bytes are there */
} cpu_stream;

/* Copies 1 to CPU_LINE bytes. */
static inline void cpu_copy_part(void *to, const void *from, size_t bytes)
{
#ifdef __AVX512BW__
    __mmask64 mask = ~0ull >> (CPU_LINE - bytes);
    _mm512_mask_storeu_epi8(to, mask, _mm512_maskz_loadu_epi8(mask, from));
#else
    memcpy(to, from, bytes);
#endif
}

/* Writes a line, past the caches if there is a stream. A NULL stream writes through the caches, here and below. */
static inline void cpu_write_line(const cpu_stream *stream, void *to_, const void *from_)
{
    char *to = to_;
    const char *from = from_;
    if (!stream) {
        memcpy(to, from, CPU_LINE);
        return;
    }
#ifdef __AVX512F__
    _mm512_stream_si512((void *)to, _mm512_loadu_si512(from));
#elif defined(__AVX2__)
    for (int k = 0; k < CPU_LINE; k += 32)
        _mm256_stream_si256((__m256i *)(to + k), _mm256_loadu_si256((const __m256i *)(from + k)));
#elif defined(__SSE2__)
    for (int k = 0; k < CPU_LINE; k += 16)
        _mm_stream_si128((__m128i *)(to + k), _mm_loadu_si128((const __m128i *)(from + k)));
#else
    memcpy(to, from, CPU_LINE);
#endif
}

/* Writes the line that waits, through the caches if it did not become whole. */
static inline void cpu_stream_flush(cpu_stream *stream)
{
    if (stream->line && stream->end - stream->begin == CPU_LINE)
        cpu_write_line(stream, stream->line, stream->waiting);
    else if (stream->line)
        cpu_copy_part(stream->line + stream->begin, stream->waiting + stream->begin, stream->end - stream->begin);
    stream->line = NULL;
}

/* Writes fewer bytes than a line has, all of them within one line. */
static inline void cpu_write_part(cpu_stream *stream, void *to, const void *from, size_t bytes)
{
    if (bytes == 0)
        return;
    if (!stream) {
        cpu_copy_part(to, from, bytes);
        return;
    }
    const size_t begin = (uintptr_t)to % CPU_LINE;
    char *line = (char *)to - begin;
    if (stream->line != line || stream->end != begin) {
        cpu_stream_flush(stream);
        stream->line = line;
        stream->begin = begin;
    }
#ifdef __AVX512BW__ /* by one store, so that the whole line can be read at once */
    const __mmask64 mask = (~0ull >> (CPU_LINE - bytes)) << begin;
    const __m512i waiting = _mm512_load_si512(stream->waiting);
    _mm512_store_si512(stream->waiting, _mm512_mask_loadu_epi8(waiting, mask, (const char *)from - begin));
#else
    memcpy(stream->waiting + begin, from, bytes);
#endif
    stream->end = begin + bytes;
    if (stream->end == CPU_LINE)
        cpu_stream_flush(stream);
}

/* Returns the bytes up to where a line begins, but at most `bytes`. Returns 0 without a stream, for which lines may
   begin anywhere. */
static inline size_t cpu_write_head(const cpu_stream *stream, const void *to, size_t bytes)
{
    const size_t head = stream ? -(uintptr_t)to % CPU_LINE : 0;
    return head < bytes ? head : bytes;
}

/* Writes a run of bytes. */
static inline void cpu_write(cpu_stream *stream, void *to, const void *from, size_t bytes)
{
    if (!stream) {
        memcpy(to, from, bytes);
        return;
    }
    char *p = to;
    const char *x = from;
    size_t done = cpu_write_head(stream, p, bytes);
    cpu_write_part(stream, p, x, done);
    for (; bytes - done >= CPU_LINE; done += CPU_LINE)
        cpu_write_line(stream, p + done, x + done);
    cpu_write_part(stream, p + done, x + done, bytes - done);
}

/* Ends the last run, so that a reader on another thread sees everything. */
static inline void cpu_stream_end(cpu_stream *stream)
{
    cpu_stream_flush(stream);
#ifdef __SSE2__
    _mm_sfence();
#endif
}

#endif
