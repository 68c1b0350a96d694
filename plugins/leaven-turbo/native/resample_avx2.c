/* The kernels in AVX2, to the same bits as the plain ones.
 *
 * Resampling a row is a matter of shuffles: 16 bytes are loaded from where a group of pixels begins, and the bytes that
 * each pixel needs are brought to its place by a table that is the same for all rows. */
#include "resample.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>
#include <string.h>

#define AVX2 __attribute__((target("avx2")))

/* ---- tables ---- */

enum { NOTHING = 0x80 }; /* shuffles a zero in */

/* The least `first` of the pixels, or -1 where they do not all read within 16 bytes of it. */
static int group_base(const lt_axis *axis, int begin, int pixels) {
    int low = axis->first[begin], high = low;
    for (int i = begin + 1; i < begin + pixels; i++) {
        if (axis->first[i] < low) low = axis->first[i];
        if (axis->first[i] > high) high = axis->first[i];
    }
    return high - low <= 14 ? low : -1; /* that one and the one after it */
}

static int find_bases(lt_axis *axis, int pixels) {
    for (int i = 0; i < axis->padded; i += pixels) {
        axis->base[i / pixels] = group_base(axis, i, pixels);
        if (axis->base[i / pixels] < 0) return 0;
    }
    return 1;
}

static int plan_widen(lt_axis *axis) {
    if (axis->taps != 1) return 0;
    for (int i = 0; i < axis->count; i++)
        if (axis->first[i] != axis->first[0] + i) return 0;
    axis->row_kind = LT_ROW_WIDEN;
    return 1;
}

/* At most two samples a pixel, the weights not negative: 8 pixels of a group, by the bytes of both samples. */
static int plan_pair(lt_axis *axis) {
    if (axis->taps > 2 || axis->method == LT_CUBIC || !find_bases(axis, 8)) return 0;
    for (int i = 0; i < axis->padded; i++) {
        int at = axis->first[i] - axis->base[i / 8];
        axis->shuffle[2 * i] = (uint8_t)at;
        axis->shuffle[2 * i + 1] = (uint8_t)(at + 1);
        int weight = axis->taps == 1 ? 0 : axis->weights[(size_t)i * (size_t)axis->room + 1];
        axis->factors[i] = (int16_t)(2 * weight); /* below 2^15, as a first weight is never zero */
    }
    axis->row_kind = LT_ROW_PAIR;
    return 1;
}

/* Where the vector is that holds a group of 4 pixels, in units of its lanes: groups 0 and 2 of 16 pixels make the first
 * vector, 1 and 3 the second one, so that packing both restores the order. */
static int short_lane(int group) { return group / 4 * 4 + (group & 1) * 2 + (group >> 1 & 1); }

static int short_pairs(const lt_axis *axis) { return (axis->taps + 1) / 2; }

static void plan_short_pixel(lt_axis *axis, int pixel) {
    int group = pixel / 4, lane = short_lane(group), place = pixel % 4, pairs = short_pairs(axis);
    const int16_t *weights = axis->weights + (size_t)pixel * (size_t)axis->room;
    uint8_t *shuffle = axis->shuffle + 16 * lane + 4 * place;
    int at = axis->first[pixel] - axis->base[group];
    shuffle[0] = (uint8_t)at;
    shuffle[2] = (uint8_t)(at + 1);
    shuffle[1] = shuffle[3] = NOTHING;
    for (int k = 0; k < pairs; k++) {
        int16_t *factors = axis->factors + 32 * pairs * (lane / 4) + 32 * k + 8 * (lane % 4) + 2 * place;
        factors[0] = weights[2 * k];
        factors[1] = 2 * k + 1 < axis->room ? weights[2 * k + 1] : 0;
    }
}

/* Up to LT_SHORT_TAPS samples a pixel: 4 pixels of a group, by pairs of samples; the next pair lies 2 bytes further. */
static int plan_short(lt_axis *axis) {
    if (axis->room > LT_SHORT_TAPS || !find_bases(axis, 4)) return 0;
    for (int i = 0; i < axis->padded; i++) plan_short_pixel(axis, i);
    axis->row_kind = LT_ROW_SHORT;
    return 1;
}

static void plan(lt_axis *axis) {
    if (plan_widen(axis)) return;
    if (axis->room <= LT_SHORT_TAPS && (plan_pair(axis) || plan_short(axis))) return;
    axis->row_kind = LT_ROW_PLAIN;
}

/* ---- rows ---- */

AVX2 static inline __m256i load(const void *at) { return _mm256_loadu_si256((const __m256i *)at); }

AVX2 static inline void store(void *at, __m256i value) { _mm256_storeu_si256((__m256i *)at, value); }

AVX2 static inline __m256i load_two(const uint8_t *low, const uint8_t *high) {
    __m256i value = _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)low));
    return _mm256_inserti128_si256(value, _mm_loadu_si128((const __m128i *)high), 1);
}

AVX2 static void row_widen(const lt_axis *axis, const uint8_t *source, int16_t *out) {
    source += axis->first[0];
    for (int i = 0; i < axis->padded; i += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(source + i));
        store(out + i, _mm256_slli_epi16(_mm256_cvtepu8_epi16(bytes), 7));
    }
}

/* a + (b - a) * weight, the difference made of both bytes at once. */
AVX2 static void row_pair(const lt_axis *axis, const uint8_t *source, int16_t *out) {
    const __m256i difference = _mm256_set1_epi16(0x01ff), low = _mm256_set1_epi16(0x00ff);
    for (int i = 0; i < axis->padded; i += 16) {
        __m256i bytes = load_two(source + axis->base[i / 8], source + axis->base[i / 8 + 1]);
        __m256i pairs = _mm256_shuffle_epi8(bytes, load(axis->shuffle + 2 * i));
        __m256i slope = _mm256_slli_epi16(_mm256_maddubs_epi16(pairs, difference), 7);
        __m256i first = _mm256_slli_epi16(_mm256_and_si256(pairs, low), 7);
        store(out + i, _mm256_add_epi16(first, _mm256_mulhrs_epi16(slope, load(axis->factors + i))));
    }
}

AVX2 static void row_short(const lt_axis *axis, const uint8_t *source, int16_t *out) {
    int pairs = short_pairs(axis);
    const int16_t *factors = axis->factors;
    for (int i = 0; i < axis->padded; i += 16) {
        const int32_t *base = axis->base + i / 4;
        __m256i even = _mm256_set1_epi32(64), odd = even;
        __m256i even_shuffle = load(axis->shuffle + 4 * i), odd_shuffle = load(axis->shuffle + 4 * i + 32);
        for (int k = 0; k < pairs; k++, factors += 32) {
            const uint8_t *from = source + 2 * k;
            __m256i one = _mm256_shuffle_epi8(load_two(from + base[0], from + base[2]), even_shuffle);
            __m256i other = _mm256_shuffle_epi8(load_two(from + base[1], from + base[3]), odd_shuffle);
            even = _mm256_add_epi32(even, _mm256_madd_epi16(one, load(factors)));
            odd = _mm256_add_epi32(odd, _mm256_madd_epi16(other, load(factors + 16)));
        }
        store(out + i, _mm256_packs_epi32(_mm256_srai_epi32(even, 7), _mm256_srai_epi32(odd, 7)));
    }
}

static void row(const lt_axis *axis, const uint8_t *source, int16_t *out) {
    if (axis->row_kind == LT_ROW_WIDEN) row_widen(axis, source, out);
    else if (axis->row_kind == LT_ROW_PAIR) row_pair(axis, source, out);
    else if (axis->row_kind == LT_ROW_SHORT) row_short(axis, source, out);
    else lt_plain_kernels.row(axis, source, out);
}

/* ---- between rows ---- */

AVX2 static void lerp(const int16_t *a, const int16_t *b, int weight, int count, int16_t *out) {
    const __m256i factor = _mm256_set1_epi16((int16_t)(2 * weight));
    for (int i = 0; i < count; i += 16) {
        __m256i from = load(a + i), slope = _mm256_sub_epi16(load(b + i), from);
        store(out + i, _mm256_add_epi16(from, _mm256_mulhrs_epi16(slope, factor)));
    }
}

AVX2 static void blend(const int16_t *const *rows, const int16_t *weights, int taps, int count, int16_t *out) {
    for (int i = 0; i < count; i += 16) {
        __m256i low = _mm256_set1_epi32(LT_ONE / 2), high = low;
        for (int k = 0; k < taps; k += 2) {
            int has_two = k + 1 < taps;
            uint32_t second = has_two ? (uint32_t)(uint16_t)weights[k + 1] : 0;
            __m256i factors = _mm256_set1_epi32((int32_t)(second << 16 | (uint16_t)weights[k]));
            __m256i one = load(rows[k] + i), other = has_two ? load(rows[k + 1] + i) : one;
            low = _mm256_add_epi32(low, _mm256_madd_epi16(_mm256_unpacklo_epi16(one, other), factors));
            high = _mm256_add_epi32(high, _mm256_madd_epi16(_mm256_unpackhi_epi16(one, other), factors));
        }
        store(out + i, _mm256_packs_epi32(_mm256_srai_epi32(low, 14), _mm256_srai_epi32(high, 14)));
    }
}

/* ---- colours ---- */

/* Where a vector begins that ends no later than the row: the last one overlaps the one before. */
static inline int vector_at(int i, int count) { return i + 16 <= count ? i : count - 16; }

AVX2 static inline __m256i whole(__m256i value) {
    return _mm256_srai_epi16(_mm256_adds_epi16(value, _mm256_set1_epi16(64)), 7);
}

AVX2 static inline void color16(const int16_t *const *rows, int at, uint8_t *const *out) {
    const __m256i middle = _mm256_set1_epi16(128 << 7);
    __m256i y = load(rows[0] + at), cb = _mm256_subs_epi16(load(rows[1] + at), middle);
    __m256i cr = _mm256_subs_epi16(load(rows[2] + at), middle);
    __m256i red = _mm256_adds_epi16(cr, _mm256_mulhrs_epi16(cr, _mm256_set1_epi16(13173)));
    __m256i blue = _mm256_adds_epi16(cb, _mm256_mulhrs_epi16(cb, _mm256_set1_epi16(25297)));
    __m256i green = _mm256_adds_epi16(_mm256_mulhrs_epi16(cb, _mm256_set1_epi16(11277)),
                                      _mm256_mulhrs_epi16(cr, _mm256_set1_epi16(23401)));
    __m256i r = whole(_mm256_adds_epi16(y, red)), b = whole(_mm256_adds_epi16(y, blue));
    __m256i g = whole(_mm256_subs_epi16(y, green));
    __m256i rg = _mm256_permute4x64_epi64(_mm256_packus_epi16(r, g), 0xd8);
    __m256i bb = _mm256_permute4x64_epi64(_mm256_packus_epi16(b, b), 0xd8);
    _mm_storeu_si128((__m128i *)(out[0] + at), _mm256_castsi256_si128(rg));
    _mm_storeu_si128((__m128i *)(out[1] + at), _mm256_extracti128_si256(rg, 1));
    _mm_storeu_si128((__m128i *)(out[2] + at), _mm256_castsi256_si128(bb));
}

AVX2 static void color(const int16_t *const *rows, int count, uint8_t *const *out) {
    if (count < 16) {
        lt_plain_kernels.color(rows, count, out);
        return;
    }
    for (int i = 0; i < count; i += 16) color16(rows, vector_at(i, count), out);
}

AVX2 static void narrow(const int16_t *row, int count, uint8_t *out) {
    if (count < 16) {
        lt_plain_kernels.narrow(row, count, out);
        return;
    }
    for (int i = 0; i < count; i += 16) {
        int at = vector_at(i, count);
        __m256i value = whole(load(row + at));
        __m256i bytes = _mm256_permute4x64_epi64(_mm256_packus_epi16(value, value), 0xd8);
        _mm_storeu_si128((__m128i *)(out + at), _mm256_castsi256_si128(bytes));
    }
}

/* ---- bytes ---- */

/* Each channel's bytes are brought to the places modulo 16 that they have in the 48 bytes; then it is a choice. */
AVX2 static inline void interleave16(const uint8_t *red, const uint8_t *green, const uint8_t *blue, uint8_t *out) {
    const __m128i r_order = _mm_setr_epi8(0, 11, 6, 1, 12, 7, 2, 13, 8, 3, 14, 9, 4, 15, 10, 5);
    const __m128i g_order = _mm_setr_epi8(5, 0, 11, 6, 1, 12, 7, 2, 13, 8, 3, 14, 9, 4, 15, 10);
    const __m128i b_order = _mm_setr_epi8(10, 5, 0, 11, 6, 1, 12, 7, 2, 13, 8, 3, 14, 9, 4, 15);
    const __m128i first = _mm_setr_epi8(0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0);
    const __m128i second = _mm_setr_epi8(0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0);
    __m128i r = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)red), r_order);
    __m128i g = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)green), g_order);
    __m128i b = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)blue), b_order);
    __m128i one = _mm_blendv_epi8(_mm_blendv_epi8(r, g, second), b, first);
    __m128i two = _mm_blendv_epi8(_mm_blendv_epi8(g, b, second), r, first);
    __m128i three = _mm_blendv_epi8(_mm_blendv_epi8(b, r, second), g, first);
    _mm_storeu_si128((__m128i *)out, one);
    _mm_storeu_si128((__m128i *)(out + 16), two);
    _mm_storeu_si128((__m128i *)(out + 32), three);
}

AVX2 static void interleave(const uint8_t *const *rows, int count, uint8_t *out) {
    if (count < 16) {
        lt_plain_kernels.interleave(rows, count, out);
        return;
    }
    for (int i = 0; i < count; i += 16) {
        int at = vector_at(i, count);
        interleave16(rows[0] + at, rows[1] + at, rows[2] + at, out + 3 * (size_t)at);
    }
}

/* Four rounds of weaving row i with row i + 8 double the length of what stays together, up to whole columns. */
AVX2 static void transpose(const uint8_t *block, size_t stride, uint8_t *out) {
    __m128i from[16], to[16];
    for (size_t i = 0; i < 16; i++) from[i] = _mm_loadu_si128((const __m128i *)(block + i * stride));
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 8; i++) {
            to[2 * i] = _mm_unpacklo_epi8(from[i], from[i + 8]);
            to[2 * i + 1] = _mm_unpackhi_epi8(from[i], from[i + 8]);
        }
        memcpy(from, to, sizeof from);
    }
    for (size_t i = 0; i < 16; i++) _mm_storeu_si128((__m128i *)(out + 16 * i), from[i]);
}

static const lt_kernels AVX2_KERNELS = {plan, row, lerp, blend, color, narrow, interleave, transpose};

const lt_kernels *lt_best_kernels(void) {
    return __builtin_cpu_supports("avx2") ? &AVX2_KERNELS : &lt_plain_kernels;
}

#else

const lt_kernels *lt_best_kernels(void) { return &lt_plain_kernels; }

#endif
