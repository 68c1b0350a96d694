/* What the parts of the resampler have in common: axes (which samples make a target pixel, by which weights) and
 * kernels (what is done to whole rows). The plain C kernels define every result; others have to give the same bits. */
#ifndef LEAVEN_TURBO_RESAMPLE_H
#define LEAVEN_TURBO_RESAMPLE_H

#include "turbo.h"

enum {
    LT_ONE = 1 << 14,   /* the weights of a pixel sum up to this */
    LT_LANES = 16,      /* rows of int16 hold a multiple of so many pixels */
    LT_RING = 16,       /* at most so many resampled rows of a plane are held at once */
    LT_SHORT_TAPS = 8   /* axes of more weights a pixel are left to the plain kernels */
};

/* The target pixels whose middles lie within the source: begin .. end - 1. */
typedef struct {
    int begin, end;
} lt_range;

lt_range lt_inside(double at, double step, int count, double source);

/* How lt_kernels.row goes about an axis. */
enum { LT_ROW_PLAIN, LT_ROW_WIDEN, LT_ROW_PAIR, LT_ROW_SHORT };

/* How one axis of the target is made of one axis of a plane. Pixel i (counted from inside.begin) is the sum of
 * weights[i * room + k] * sample[first[i] + k] over k < taps. 0 <= first < size; weights beyond the plane are zero. */
typedef struct {
    double at, step;        /* the middle of target pixel i is at + step * (i + 0.5) of the source */
    lt_range inside;
    double origin, sample;  /* sample k of the plane begins at origin + k * sample of the source */
    int size;               /* samples of the plane */
    int method;             /* as asked for; after lt_axis_measure what the weights really are */
    int count, padded;      /* pixels; the same as a multiple of LT_LANES, the last one being repeated */
    int room, taps;         /* weights kept for a pixel; how many of them are not zero at most */
    int32_t *first;         /* padded */
    int16_t *weights;       /* padded * room */
    int row_kind;           /* what follows is up to lt_kernels.plan */
    int32_t *base;          /* padded: where a group of pixels reads */
    uint8_t *shuffle;       /* 4 * padded: which byte goes where */
    int16_t *factors;       /* padded * (room + 1) */
} lt_axis;

/* Settle method, count, padded and room. `by_area`: take the area where the method would pass over samples. */
void lt_axis_measure(lt_axis *axis, int by_area);

/* Fill first and weights, and settle taps. */
void lt_axis_fill(lt_axis *axis);

/* Rows of int16 have 7 fractional bits; those that make such rows take a `count` that is a multiple of LT_LANES. Rows
 * of uint8 are written just as far as `count` says. `row` may read up to 32 bytes beyond the samples of its row. */
typedef struct {
    void (*plan)(lt_axis *axis);
    void (*row)(const lt_axis *axis, const uint8_t *source, int16_t *out);
    /* Between two rows of 0 .. 32640: weight / LT_ONE of `b`; 0 < weight < LT_ONE. */
    void (*lerp)(const int16_t *a, const int16_t *b, int weight, int count, int16_t *out);
    void (*blend)(const int16_t *const *rows, const int16_t *weights, int taps, int count, int16_t *out);
    void (*color)(const int16_t *const *rows, int count, uint8_t *const *out); /* YCbCr to RGB */
    void (*narrow)(const int16_t *row, int count, uint8_t *out);
    void (*interleave)(const uint8_t *const *rows, int count, uint8_t *out);
    void (*transpose)(const uint8_t *block, size_t stride, uint8_t *out); /* 16 x 16 bytes; out is contiguous */
} lt_kernels;

extern const lt_kernels lt_plain_kernels; /* resample_plain.c */
const lt_kernels *lt_best_kernels(void);  /* resample_avx2.c: what suits this processor */

/* resample_target.c: where the rows of pixels go. They run along the source's rows: where view->transposed, they are
 * the target's columns, and gathered until they make a block. */
enum { LT_BAND = 16 };

typedef struct {
    const lt_kernels *kernels;
    const lt_view *view;
    lt_range across, down; /* the part of the target that shows the source */
    uint8_t *band;         /* 3 * LT_BAND rows of band_stride bytes, those of each channel together */
    size_t band_stride;
} lt_target;

/* Where the channels of a row (counted from down.begin) are to be written before lt_target_done is called for it. */
void lt_target_row(const lt_target *target, int row, uint8_t **out);
void lt_target_done(const lt_target *target, int row);

/* Paint what lies around the part that shows the source. */
void lt_target_background(const lt_target *target);

/* resample.c: as lt_resample, by these kernels. */
lt_status lt_resample_by(const lt_kernels *kernels, const lt_planes *planes, const lt_view *view, lt_scratch *scratch,
                         lt_error *error);

#endif
