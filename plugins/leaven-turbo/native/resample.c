/* Drawing planes into a target: for each row of the target those rows of the planes that it needs are resampled along x
 * (each once, and held as long as needed), then mixed along y, then turned into colours. */
#include "resample.h"

#include <math.h>
#include <string.h>

/* A plane, on its way to the target's resolution. */
typedef struct {
    const lt_kernels *kernels;
    const lt_axis *across, *down;
    const uint8_t *data;
    size_t stride;
    int tame;                /* its resampled rows are within 0 .. 32640, as lerp needs them */
    int slots;               /* rows held, a power of two: row r is in ring + (r & (slots - 1)) * across->padded */
    int16_t *ring;
    int32_t held[LT_RING];   /* which row that is; -1: none yet */
    int16_t *mixed;
    int32_t *sums;           /* NULL but where a target row needs more plane rows than fit into the ring */
} strip;

typedef struct {
    lt_axis axes[6];   /* x and y of each plane; planes of the same geometry share the first one's */
    strip strips[3];
    int planes;        /* that are needed */
    lt_target target;
} job;

lt_status lt_resample(const lt_planes *planes, const lt_view *view, lt_scratch *scratch, lt_error *error) {
    return lt_resample_by(lt_best_kernels(), planes, view, scratch, error);
}

/* ---- arguments ---- */

static int is_step(double step) { return isfinite(step) && step != 0 && fabs(step) <= 1e9; }

static int is_size(double size) { return size > 0 && size <= 65535; }

static lt_status check_view(const lt_view *view, lt_error *error) {
    if (view->width < 1 || view->height < 1 || view->width > 65535 || view->height > 65535)
        return lt_fail(error, LT_BAD_ARGUMENT, "a target of %d x %d pixels: both have to be 1..65535", view->width,
                       view->height);
    if (!is_size(view->source_width) || !is_size(view->source_height))
        return lt_fail(error, LT_BAD_ARGUMENT, "a source of %g x %g pixels: both have to be above 0 and at most 65535",
                       view->source_width, view->source_height);
    if (!is_step(view->dx) || !is_step(view->dy))
        return lt_fail(error, LT_BAD_ARGUMENT, "steps of %g and %g pixels: they have to be at most 1e9 and not zero",
                       view->dx, view->dy);
    if (!isfinite(view->x) || !isfinite(view->y))
        return lt_fail(error, LT_BAD_ARGUMENT, "a view from (%g, %g): both have to be finite", view->x, view->y);
    if (view->method < LT_NEAREST || view->method > LT_AREA)
        return lt_fail(error, LT_BAD_ARGUMENT, "method %d: it has to be one of 0..3", view->method);
    if (view->channels != 1 && view->channels != 3)
        return lt_fail(error, LT_BAD_ARGUMENT, "%d channels: give 1 or 3", view->channels);
    if (view->out == NULL) return lt_fail(error, LT_BAD_ARGUMENT, "no target to draw into");
    return LT_OK;
}

static int is_position(double origin, double sample) {
    return fabs(origin) <= 1e6 && sample >= 0.0625 && sample <= 65536;
}

static lt_status check_planes(const lt_planes *planes, lt_error *error) {
    if (planes->color != LT_GREY && planes->color != LT_YCC && planes->color != LT_RGB)
        return lt_fail(error, LT_BAD_ARGUMENT, "planes of colour %d: it has to be one of 0..2", planes->color);
    if (planes->count != (planes->color == LT_GREY ? 1 : 3))
        return lt_fail(error, LT_BAD_ARGUMENT, "%d planes: one for grey, three for colours", planes->count);
    for (int p = 0; p < planes->count; p++) {
        int width = planes->width[p], height = planes->height[p];
        if (planes->data[p] == NULL || width < 1 || height < 1 || width > 1 << 17 || height > 1 << 17)
            return lt_fail(error, LT_BAD_ARGUMENT, "plane %d of %d x %d samples: both have to be 1..131072", p, width,
                           height);
        if (planes->stride[p] < (size_t)width && height > 1)
            return lt_fail(error, LT_BAD_ARGUMENT, "plane %d: rows of %d samples overlap", p, width);
        if (!is_position(planes->x[p], planes->dx[p]) || !is_position(planes->y[p], planes->dy[p]))
            return lt_fail(error, LT_BAD_ARGUMENT, "plane %d: samples of %g x %g pixels from (%g, %g): out of range",
                           p, planes->dx[p], planes->dy[p], planes->x[p], planes->y[p]);
    }
    return LT_OK;
}

/* ---- setting up ---- */

static lt_axis across_axis(const lt_planes *planes, const lt_view *view, int p, lt_range inside) {
    return (lt_axis){.at = view->x, .step = view->dx, .inside = inside, .origin = planes->x[p], .sample = planes->dx[p],
                     .size = planes->width[p], .method = view->method};
}

static lt_axis down_axis(const lt_planes *planes, const lt_view *view, int p, lt_range inside) {
    return (lt_axis){.at = view->y, .step = view->dy, .inside = inside, .origin = planes->y[p], .sample = planes->dy[p],
                     .size = planes->height[p], .method = view->method};
}

static int same_axis(const lt_axis *one, const lt_axis *other) {
    return one->origin == other->origin && one->sample == other->sample && one->size == other->size;
}

/* The axis at `index`, or an earlier one of the same direction that is the same. */
static lt_axis *shared_axis(lt_axis *axes, int index) {
    for (int i = index % 2; i < index; i += 2)
        if (same_axis(&axes[i], &axes[index])) return &axes[i];
    return &axes[index];
}

/* LT_LINEAR and LT_CUBIC would pass over samples of the first plane, the finest one, from a ratio of 2 on. */
static int is_coarse(const lt_axis *first) { return fabs(first->step) / first->sample >= 2; }

static int power_of_two(int least) {
    int power = 1;
    while (power < least) power *= 2;
    return power;
}

static void set_up(job *job, const lt_kernels *kernels, const lt_planes *planes, const lt_view *view) {
    job->planes = planes->color == LT_RGB || (planes->color == LT_YCC && view->channels == 3) ? 3 : 1;
    for (int p = 0; p < job->planes; p++) {
        job->axes[2 * p] = across_axis(planes, view, p, job->target.across);
        job->axes[2 * p + 1] = down_axis(planes, view, p, job->target.down);
        lt_axis *across = shared_axis(job->axes, 2 * p), *down = shared_axis(job->axes, 2 * p + 1);
        job->strips[p] = (strip){.kernels = kernels, .across = across, .down = down, .data = planes->data[p],
                                 .stride = planes->stride[p]};
    }
    int by_area[2] = {is_coarse(&job->axes[0]), is_coarse(&job->axes[1])};
    for (int i = 0; i < 2 * job->planes; i++) lt_axis_measure(&job->axes[i], by_area[i % 2]);
    for (int p = 0; p < job->planes; p++) {
        strip *strip = &job->strips[p];
        strip->tame = strip->across->method != LT_CUBIC;
        strip->slots = strip->down->room <= LT_RING ? power_of_two(strip->down->room) : 2;
        for (int i = 0; i < LT_RING; i++) strip->held[i] = -1;
    }
}

/* ---- memory ---- */

/* Pieces of one block, each at a multiple of 64; only counted while there is no block. */
typedef struct {
    uint8_t *block;
    uint64_t used;
} pieces;

static void *take(pieces *pieces, uint64_t count, size_t size) {
    void *piece = pieces->block == NULL ? NULL : pieces->block + pieces->used;
    pieces->used += (count * size + 63) & ~(uint64_t)63; /* counts are below 2^36 */
    return piece;
}

static void place_axis(lt_axis *axis, pieces *pieces) {
    uint64_t padded = (uint64_t)axis->padded, room = (uint64_t)axis->room;
    axis->first = take(pieces, padded, sizeof *axis->first);
    axis->weights = take(pieces, padded * room, sizeof *axis->weights);
    int is_short = axis->room <= LT_SHORT_TAPS;
    axis->base = take(pieces, is_short ? padded : 0, sizeof *axis->base);
    axis->shuffle = take(pieces, is_short ? 4 * padded : 0, 1);
    axis->factors = take(pieces, is_short ? padded * (room + 1) : 0, sizeof *axis->factors);
}

static void place_strip(strip *strip, pieces *pieces) {
    uint64_t padded = (uint64_t)strip->across->padded;
    strip->ring = take(pieces, padded * (uint64_t)strip->slots, sizeof *strip->ring);
    strip->mixed = take(pieces, padded, sizeof *strip->mixed);
    strip->sums = strip->down->room > LT_RING ? take(pieces, padded, sizeof *strip->sums) : NULL;
}

static void place(job *job, pieces *pieces) {
    for (int i = 0; i < 2 * job->planes; i++) place_axis(&job->axes[i], pieces);
    for (int p = 0; p < job->planes; p++) place_strip(&job->strips[p], pieces);
    job->target.band_stride = (size_t)job->strips[0].across->padded;
    job->target.band = take(pieces, 3 * (uint64_t)LT_BAND * job->target.band_stride, 1);
}

static int find_room(job *job, lt_scratch *scratch) {
    pieces pieces = {NULL, 0};
    place(job, &pieces);
    if (pieces.used > SIZE_MAX / 2) return 0;
    pieces.block = lt_scratch_room(scratch, (size_t)pieces.used);
    pieces.used = 0;
    if (pieces.block == NULL) return 0;
    place(job, &pieces);
    return 1;
}

static void fill_axes(job *job, const lt_kernels *kernels) {
    for (int i = 0; i < 2 * job->planes; i++) {
        if (shared_axis(job->axes, i) != &job->axes[i]) continue;
        lt_axis_fill(&job->axes[i]);
        if (i % 2 == 0) kernels->plan(&job->axes[i]);
    }
}

/* ---- drawing ---- */

static const int16_t *held_row(strip *strip, int row) {
    int slot = row & (strip->slots - 1);
    int16_t *at = strip->ring + (size_t)slot * (size_t)strip->across->padded;
    if (strip->held[slot] != row) {
        strip->kernels->row(strip->across, strip->data + (size_t)row * strip->stride, at);
        strip->held[slot] = row;
    }
    return at;
}

/* As blend, but one row after the other. */
static const int16_t *mix_long(strip *strip, int first, const int16_t *weights) {
    int padded = strip->across->padded;
    int32_t *sums = strip->sums;
    for (int i = 0; i < padded; i++) sums[i] = LT_ONE / 2;
    for (int k = 0; k < strip->down->taps; k++) {
        if (weights[k] == 0) continue;
        const int16_t *row = held_row(strip, first + k);
        for (int i = 0; i < padded; i++) sums[i] += row[i] * weights[k];
    }
    for (int i = 0; i < padded; i++) strip->mixed[i] = (int16_t)(sums[i] >> 14); /* areas do not overshoot */
    return strip->mixed;
}

static const int16_t *mix(strip *strip, int row) {
    const lt_axis *down = strip->down;
    const int16_t *weights = down->weights + (size_t)row * (size_t)down->room;
    if (down->room > LT_RING) return mix_long(strip, down->first[row], weights);
    const int16_t *rows[LT_RING];
    int16_t used[LT_RING];
    int count = 0;
    for (int k = 0; k < down->taps; k++) {
        if (weights[k] == 0) continue;
        rows[count] = held_row(strip, down->first[row] + k);
        used[count++] = weights[k];
    }
    if (count == 1) return rows[0];
    if (count == 2 && strip->tame && down->method != LT_CUBIC)
        strip->kernels->lerp(rows[0], rows[1], used[1], strip->across->padded, strip->mixed);
    else strip->kernels->blend(rows, used, count, strip->across->padded, strip->mixed);
    return strip->mixed;
}

static void mix_grey(const int16_t *const *rows, int count, uint8_t *out) {
    const int16_t *r = rows[0], *g = rows[1], *b = rows[2];
    for (int i = 0; i < count; i++) {
        int32_t grey = (9798 * r[i] + 19235 * g[i] + 3735 * b[i] + (1 << 21)) >> 22; /* 0.299, 0.587, 0.114 of 2^15 */
        out[i] = (uint8_t)(grey < 0 ? 0 : grey > 255 ? 255 : grey);
    }
}

static void paint_row(const lt_kernels *kernels, int color, int channels, const int16_t *const *rows, int count,
                      uint8_t *const *out) {
    if (color == LT_YCC && channels == 3) {
        kernels->color(rows, count, out);
    } else if (color == LT_RGB && channels == 3) {
        for (int c = 0; c < 3; c++) kernels->narrow(rows[c], count, out[c]);
    } else if (color == LT_RGB) {
        mix_grey(rows, count, out[0]);
    } else {
        kernels->narrow(rows[0], count, out[0]);
        for (int c = 1; c < channels; c++) memcpy(out[c], out[0], (size_t)count);
    }
}

static void draw(job *job, const lt_kernels *kernels, int color) {
    const lt_target *target = &job->target;
    int count = target->across.end - target->across.begin, height = target->down.end - target->down.begin;
    for (int row = 0; row < height; row++) {
        const int16_t *rows[3] = {NULL, NULL, NULL};
        uint8_t *out[3] = {NULL, NULL, NULL};
        for (int p = 0; p < job->planes; p++) rows[p] = mix(&job->strips[p], row);
        lt_target_row(target, row, out);
        paint_row(kernels, color, target->view->channels, rows, count, out);
        lt_target_done(target, row);
    }
}

lt_status lt_resample_by(const lt_kernels *kernels, const lt_planes *planes, const lt_view *view, lt_scratch *scratch,
                         lt_error *error) {
    lt_status status = check_view(view, error);
    if (status != LT_OK) return status;
    job job = {.target = {.kernels = kernels, .view = view}};
    lt_target *target = &job.target;
    target->across = lt_inside(view->x, view->dx, view->transposed ? view->height : view->width, view->source_width);
    target->down = lt_inside(view->y, view->dy, view->transposed ? view->width : view->height, view->source_height);
    int is_empty = target->across.begin >= target->across.end || target->down.begin >= target->down.end;
    if (!is_empty) status = check_planes(planes, error);
    if (status != LT_OK) return status;
    lt_target_background(target);
    if (is_empty) return LT_OK;
    set_up(&job, kernels, planes, view);
    if (!find_room(&job, scratch)) return lt_fail(error, LT_NO_MEMORY, "no memory to resample");
    fill_axes(&job, kernels);
    draw(&job, kernels, planes->color);
    return LT_OK;
}
