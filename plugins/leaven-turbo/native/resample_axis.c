/* The weights of an axis, and what part of the source a view reads.
 *
 * Positions are taken in samples of the whole plane, made into a sample's number and weights, and only then counted
 * from where the plane at hand begins: so a view draws the same bits from a cut-out as from the whole. */
#include "resample.h"

#include <math.h>
#include <string.h>

static int is_inside(double at, double step, int pixel, double source) {
    double middle = at + step * (pixel + 0.5);
    return middle >= 0 && middle < source;
}

lt_range lt_inside(double at, double step, int count, double source) {
    lt_range inside = {0, count};
    while (inside.begin < inside.end && !is_inside(at, step, inside.begin, source)) inside.begin++;
    while (inside.begin < inside.end && !is_inside(at, step, inside.end - 1, source)) inside.end--;
    return inside;
}

/* ---- the box ---- */

static int is_usable(double at, double step, double source, double sample) {
    return isfinite(at) && isfinite(step) && source > 0 && source <= 65535 && sample > 0 && isfinite(sample);
}

/* How far from a pixel's middle the samples may begin that have a weight. */
static double reach(int method, double step, double sample) {
    if (method == LT_NEAREST) return 0;
    if (method == LT_CUBIC) return fmax(1.5 * sample, 0.5 * fabs(step));
    return fmax(0.5 * sample, 0.5 * fabs(step)); /* LT_LINEAR may turn to areas: see lt_axis_measure */
}

static void box_axis(double at, double step, int count, double source, double sample, int method, int *low, int *high) {
    *low = *high = 0;
    if (count < 1 || count > 65535 || !is_usable(at, step, source, sample)) return;
    lt_range inside = lt_inside(at, step, count, source);
    if (inside.begin >= inside.end) return;
    double one = at + step * (inside.begin + 0.5), other = at + step * (inside.end - 0.5);
    /* A sample that is touched by so little gets a weight of zero, but the nearest sample is all or nothing. */
    double margin = method == LT_NEAREST ? 1e-6 : -1e-6;
    double wide = reach(method, step, sample) + margin;
    *low = (int)fmax(floor(fmin(one, other) - wide), 0);
    *high = (int)fmin(ceil(fmax(one, other) + wide), ceil(source));
}

lt_box lt_view_box(const lt_view *view, double step_x, double step_y) {
    lt_box box;
    int across = view->transposed ? view->height : view->width, down = view->transposed ? view->width : view->height;
    box_axis(view->x, view->dx, across, view->source_width, step_x, view->method, &box.left, &box.right);
    box_axis(view->y, view->dy, down, view->source_height, step_y, view->method, &box.top, &box.bottom);
    if (box.left >= box.right || box.top >= box.bottom) box = (lt_box){0, 0, 0, 0};
    return box;
}

/* ---- the weights ---- */

static double ratio(const lt_axis *axis) { return fabs(axis->step) / axis->sample; }

static int area_room(const lt_axis *axis) {
    double most = ceil(ratio(axis)) + 1;
    return most < axis->size ? (int)most : axis->size;
}

void lt_axis_measure(lt_axis *axis, int by_area) {
    if (by_area && axis->method != LT_NEAREST) axis->method = LT_AREA;
    if (axis->method == LT_AREA && ratio(axis) < 1) axis->method = LT_LINEAR;
    axis->count = axis->inside.end - axis->inside.begin;
    axis->padded = (axis->count + LT_LANES - 1) / LT_LANES * LT_LANES;
    axis->room = axis->method == LT_NEAREST ? 1 : axis->method == LT_LINEAR ? 2 : 4;
    if (axis->method == LT_AREA) axis->room = area_room(axis);
}

/* The middle of a pixel in samples of the whole plane is (at + step * (pixel + 0.5)) * scale - rest. */
typedef struct {
    double at, step, scale, rest;
    int first; /* number of the first sample that is at hand */
} grid;

static grid plane_grid(const lt_axis *axis) {
    double offset = axis->origin / axis->sample, whole = floor(offset + 0.5);
    double rest = fabs(offset - whole) < 1e-6 ? 0 : offset - whole; /* zero in all planes of a JPEG */
    return (grid){axis->at, axis->step, 1 / axis->sample, rest, (int)whole};
}

static double middle(const lt_axis *axis, const grid *grid, int pixel) {
    return (grid->at + grid->step * (axis->inside.begin + pixel + 0.5)) * grid->scale - grid->rest;
}

static int clamp(double sample, int size) { return sample <= 0 ? 0 : sample >= size - 1 ? size - 1 : (int)sample; }

static void fill_nearest(const lt_axis *axis, const grid *grid) {
    for (int i = 0; i < axis->count; i++) {
        axis->first[i] = clamp(floor(middle(axis, grid, i)) - grid->first, axis->size);
        axis->weights[i] = LT_ONE;
    }
}

/* By truncation instead of floor, which is a call where SSE4.1 is not to be had: `place` is never negative, as middles
 * lie within the source and `rest` is at most 0.5. */
static void fill_linear(const lt_axis *axis, const grid *grid) {
    int last = axis->size - 1;
    for (int i = 0; i < axis->count; i++) {
        double place = middle(axis, grid, i) + 0.5;
        int sample = (int)place;
        int weight = (int)((place - sample) * LT_ONE + 0.5);
        int first = sample - 1 - grid->first + (weight == LT_ONE);
        if (weight == LT_ONE || first < 0 || first >= last) weight = 0;
        axis->first[i] = first < 0 ? 0 : first > last ? last : first;
        axis->weights[2 * i] = (int16_t)(LT_ONE - weight);
        axis->weights[2 * i + 1] = (int16_t)weight;
    }
}

static void cubic_weights(double x, int weights[4]) {
    const double a = -0.75;
    double y = 1 - x;
    weights[0] = (int)lrint(LT_ONE * a * x * y * y);
    weights[3] = (int)lrint(LT_ONE * a * y * x * x);
    weights[1] = (int)lrint(LT_ONE * (((a + 2) * x - (a + 3)) * x * x + 1));
    weights[2] = LT_ONE - weights[0] - weights[1] - weights[3];
}

/* Keep the weights of samples first, first + 1, ...: those outside of the plane go to its edge. */
static void keep_weights(const lt_axis *axis, int pixel, int64_t first, const int *weights, int count) {
    int16_t *kept = axis->weights + (size_t)pixel * (size_t)axis->room;
    memset(kept, 0, sizeof *kept * (size_t)axis->room);
    while (count > 1 && weights[0] == 0) first++, weights++, count--;
    int begin = clamp((double)first, axis->size);
    axis->first[pixel] = begin;
    for (int k = 0; k < count; k++) {
        int at = clamp((double)(first + k), axis->size) - begin;
        kept[at] = (int16_t)(kept[at] + weights[k]);
    }
}

static void fill_cubic(const lt_axis *axis, const grid *grid) {
    for (int i = 0; i < axis->count; i++) {
        double place = middle(axis, grid, i) - 0.5, sample = floor(place);
        int weights[4];
        cubic_weights(place - sample, weights);
        keep_weights(axis, i, (int64_t)sample - 1 - grid->first, weights, 4);
    }
}

/* The weights are differences of the rounded share that all samples so far have, so that they sum up to one, and that
 * the first and the last one take what lies outside of the plane. */
static void fill_area(const lt_axis *axis, const grid *grid) {
    double wide = ratio(axis), scale = LT_ONE / wide;
    for (int i = 0; i < axis->count; i++) {
        double u = middle(axis, grid, i), low = u - 0.5 * wide, high = u + 0.5 * wide;
        int first = clamp(floor(low) - grid->first, axis->size), last = clamp(ceil(high) - 1 - grid->first, axis->size);
        int16_t *kept = axis->weights + (size_t)i * (size_t)axis->room;
        memset(kept, 0, sizeof *kept * (size_t)axis->room);
        axis->first[i] = -1;
        for (int k = first, before = 0; k <= last; k++) {
            double share = (k + 1 + (double)grid->first - low) * scale;
            int until = k == last || share >= LT_ONE ? LT_ONE : share <= 0 ? 0 : (int)(share + 0.5);
            if (axis->first[i] < 0 && until > 0) axis->first[i] = k;
            if (until > before) kept[k - axis->first[i]] = (int16_t)(until - before);
            before = until;
        }
    }
}

static int used_taps(const lt_axis *axis) {
    for (int taps = axis->room; taps > 1; taps--)
        for (int i = 0; i < axis->count; i++)
            if (axis->weights[(size_t)i * (size_t)axis->room + (size_t)taps - 1] != 0) return taps;
    return 1;
}

static void pad(const lt_axis *axis) {
    size_t room = (size_t)axis->room;
    const int16_t *last = axis->weights + (size_t)(axis->count - 1) * room;
    for (int i = axis->count; i < axis->padded; i++) {
        axis->first[i] = axis->first[axis->count - 1];
        memcpy(axis->weights + (size_t)i * room, last, sizeof *last * room);
    }
}

void lt_axis_fill(lt_axis *axis) {
    grid grid = plane_grid(axis);
    if (axis->method == LT_NEAREST) fill_nearest(axis, &grid);
    if (axis->method == LT_LINEAR) fill_linear(axis, &grid);
    if (axis->method == LT_CUBIC) fill_cubic(axis, &grid);
    if (axis->method == LT_AREA) fill_area(axis, &grid);
    axis->taps = used_taps(axis);
    pad(axis);
}
