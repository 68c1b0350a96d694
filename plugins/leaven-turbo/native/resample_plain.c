/* The kernels in plain C: what they give is what is meant. Loops over pixels are written for compilers to vectorise. */
#include "resample.h"

#include <string.h>

static int16_t to_int16(int32_t value) {
    return (int16_t)(value < INT16_MIN ? INT16_MIN : value > INT16_MAX ? INT16_MAX : value);
}

static uint8_t to_byte(int32_t value) { return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value); }

static void plan(lt_axis *axis) { axis->row_kind = LT_ROW_PLAIN; }

static void row_of_one(const lt_axis *axis, const uint8_t *source, int16_t *out) {
    for (int i = 0; i < axis->padded; i++) out[i] = (int16_t)(source[axis->first[i]] * 128);
}

/* The second sample may be one beyond the row, with a weight of zero. */
static void row_of_two(const lt_axis *axis, const uint8_t *source, int16_t *out) {
    const int16_t *weights = axis->weights;
    size_t room = (size_t)axis->room;
    for (int i = 0; i < axis->padded; i++, weights += room) {
        const uint8_t *from = source + axis->first[i];
        out[i] = to_int16((from[0] * weights[0] + from[1] * weights[1] + 64) >> 7);
    }
}

static void row_of_many(const lt_axis *axis, const uint8_t *source, int16_t *out) {
    const int16_t *weights = axis->weights;
    size_t room = (size_t)axis->room;
    for (int i = 0; i < axis->padded; i++, weights += room) {
        const uint8_t *from = source + axis->first[i];
        int taps = axis->size - axis->first[i];
        if (taps > axis->taps) taps = axis->taps;
        int32_t sum = 64;
        for (int k = 0; k < taps; k++) sum += from[k] * weights[k];
        out[i] = to_int16(sum >> 7);
    }
}

static void row(const lt_axis *axis, const uint8_t *source, int16_t *out) {
    if (axis->taps == 1) row_of_one(axis, source, out);
    else if (axis->taps == 2) row_of_two(axis, source, out);
    else row_of_many(axis, source, out);
}

static void lerp(const int16_t *a, const int16_t *b, int weight, int count, int16_t *out) {
    for (int i = 0; i < count; i++) out[i] = (int16_t)(a[i] + (((b[i] - a[i]) * weight + LT_ONE / 2) >> 14));
}

static void blend(const int16_t *const *rows, const int16_t *weights, int taps, int count, int16_t *out) {
    for (int at = 0; at < count; at += LT_LANES) {
        int32_t sums[LT_LANES];
        for (int i = 0; i < LT_LANES; i++) sums[i] = LT_ONE / 2;
        for (int k = 0; k < taps; k++)
            for (int i = 0; i < LT_LANES; i++) sums[i] += rows[k][at + i] * weights[k];
        for (int i = 0; i < LT_LANES; i++) out[at + i] = to_int16(sums[i] >> 14);
    }
}

/* JFIF's full-range BT.601. Sums that leave the range of int16 end as 0 or 255 either way, so that it does not matter
 * whether they saturate. */
static void color(const int16_t *const *rows, int count, uint8_t *const *out) {
    const int16_t *luma = rows[0], *blue = rows[1], *red = rows[2];
    uint8_t *r = out[0], *g = out[1], *b = out[2];
    for (int i = 0; i < count; i++) {
        int32_t y = luma[i], cb = to_int16(blue[i] - (128 << 7)), cr = to_int16(red[i] - (128 << 7));
        r[i] = to_byte((y + cr + ((cr * 13173 + LT_ONE) >> 15) + 64) >> 7); /* 0.402 */
        int32_t green = ((cb * 11277 + LT_ONE) >> 15) + ((cr * 23401 + LT_ONE) >> 15); /* 0.344136, 0.714136 */
        g[i] = to_byte((y - green + 64) >> 7);
        b[i] = to_byte((y + cb + ((cb * 25297 + LT_ONE) >> 15) + 64) >> 7); /* 0.772 */
    }
}

static void narrow(const int16_t *row, int count, uint8_t *out) {
    for (int i = 0; i < count; i++) out[i] = to_byte((row[i] + 64) >> 7);
}

static void interleave(const uint8_t *const *rows, int count, uint8_t *out) {
    const uint8_t *r = rows[0], *g = rows[1], *b = rows[2];
    for (int i = 0; i < count; i++) {
        out[3 * i] = r[i];
        out[3 * i + 1] = g[i];
        out[3 * i + 2] = b[i];
    }
}

static void transpose(const uint8_t *block, size_t stride, uint8_t *out) {
    for (size_t i = 0; i < 16; i++)
        for (size_t k = 0; k < 16; k++) out[16 * i + k] = block[k * stride + i];
}

const lt_kernels lt_plain_kernels = {plan, row, lerp, blend, color, narrow, interleave, transpose};
