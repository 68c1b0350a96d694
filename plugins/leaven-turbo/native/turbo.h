/* What the parts of leaven-turbo have in common: status codes, headers, indices, planes and views.
 *
 * Nothing here keeps state between calls, and nothing calls Python but bind_*.c and module.c, so that all of it runs
 * without the interpreter's lock, in as many threads as there are. Every function that can fail returns an lt_status
 * and says why in lt_error; no input makes it read or write outside of what it was given. */
#ifndef LEAVEN_TURBO_H
#define LEAVEN_TURBO_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
    LT_OK = 0,
    LT_DAMAGED,     /* not a JPEG, cut off, or its content contradicts itself */
    LT_UNSUPPORTED, /* a JPEG that this library does not do (CMYK, 12 bits, arithmetic, ...): others may */
    LT_BAD_INDEX,   /* the index is none, or is not that of this file */
    LT_NO_MEMORY,
    LT_BAD_ARGUMENT
} lt_status;

typedef struct {
    char text[160]; /* lower-case, without a full stop; "" while there is no error */
} lt_error;

/* Write the message (printf's format) and return the status, so that one can `return lt_fail(...)`. */
lt_status lt_fail(lt_error *error, lt_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

int64_t lt_now(void); /* status.c: nanoseconds, of a clock that only goes on */

/* The bytes of a file. */
typedef struct {
    const uint8_t *data;
    size_t size;
} lt_bytes;

enum { LT_GREY, LT_YCC, LT_RGB };

/* What the markers of a JPEG say, up to and including the first SOS. Sizes are those of stored pixels, before the
 * orientation is applied. */
typedef struct {
    uint32_t width, height;      /* 1..65535 */
    int components;              /* as many as the file has; only 1 and 3 are ever drawn */
    int color;                   /* LT_GREY, LT_YCC or LT_RGB, by JFIF, Adobe's APP14 and ids, as libjpeg does */
    uint8_t h[4], v[4];          /* sampling factors, 1..4 */
    int max_h, max_v;
    int orientation;             /* EXIF, 1..8; 1 where there is none, or none that makes sense */
    int precision;               /* bits: 8, 12, ... */
    int baseline;                /* sequential, Huffman (SOF0 or SOF1) */
    int progressive;             /* SOF2 */
    int arithmetic;              /* SOF9 and above */
    int one_scan;                /* sequential, and the first scan holds all of all components */
    int restart_interval;        /* MCUs; 0: none */
    int complete;                /* an EOI was found after the scan's start, looking from the end of the file */
    size_t sof_at;               /* of the SOFn marker's 0xFF */
    size_t sos_at;               /* of the SOS marker's 0xFF */
    size_t scan_at;              /* first byte of entropy-coded data */
    size_t end_at;               /* of the EOI marker's 0xFF; the file's size where it is not complete */
    int mcu_width, mcu_height;   /* pixels of an MCU: 8 * max_h, 8 * max_v (8 x 8 for one component) */
    int mcus_per_row, mcu_rows;
} lt_header;

/* header.c: read the markers. LT_DAMAGED where there is no picture to be had; LT_UNSUPPORTED is never returned: what is
 * odd is said in the fields. Works in one pass over the markers, allocates nothing. */
lt_status lt_read_header(lt_bytes jpeg, lt_header *header, lt_error *error);

/* Whether the pixels can be drawn by this library at all: 8 bits, Huffman, 1 or 3 components in grey, YCbCr or RGB,
 * with sampling factors that divide the largest ones, and sides of at most 65500 pixels, as in libjpeg. LT_OK, or
 * LT_UNSUPPORTED with the reason. */
lt_status lt_check_supported(const lt_header *header, lt_error *error);

/* ---- where in the entropy-coded data each group of MCUs begins ---- */

enum { LT_MARKED, LT_WALKED };

/* Segments of `interval` MCUs, row after row of MCUs; `interval` divides mcus_per_row, so that each lies in one row.
 *
 * LT_MARKED: the file has restart markers every `interval` MCUs. at[i] is the byte offset of the first byte of
 * segment i; at[count] that of the byte after the end marker's first byte plus one, as if another segment began
 * there: the bytes of segment i are at[i] .. at[i + 1] - 2.
 *
 * LT_WALKED: the file has none (or others); at[i] is 8 * byte offset + bit (0 = the highest) of the segment's first
 * bit, where a stuffed zero byte counts as a byte that no bit lies in; at[count] is that of the first bit after the
 * last. dc[i] are the DC predictors of the components at the start of segment i. */
typedef struct {
    int kind;
    int interval;
    size_t count;
    uint64_t *at;       /* count + 1 */
    int16_t (*dc)[3];   /* count, for LT_WALKED; else NULL */
} lt_index;

void lt_index_free(lt_index *index);

/* index.c: whether restart markers lie between the MCUs; an interval may be longer than the picture. */
int lt_has_restarts(const lt_header *header);

/* index.c: find the restart markers of a file (LT_UNSUPPORTED: it has none, or their interval divides no row). */
lt_status lt_index_marked(lt_bytes jpeg, const lt_header *header, lt_index *index, lt_error *error);

/* walk.c: walk over all of the entropy-coded data of a baseline file, one interleaved scan (LT_UNSUPPORTED: it is
 * another kind of file; LT_DAMAGED: it does not hold what it promises). `interval` has to divide mcus_per_row. */
lt_status lt_index_walked(lt_bytes jpeg, const lt_header *header, int interval, lt_index *index, lt_error *error);

/* index_file.c: an index as bytes, to be stored beside the image. It holds a version, the size of the JPEG, a checksum
 * of itself and a fingerprint of the file (its markers up to the scan, and samples of the rest), so that one that is
 * damaged, or that of another file, is LT_BAD_INDEX. `lt_index_write` allocates *bytes with malloc. */
lt_status lt_index_write(const lt_index *index, lt_bytes jpeg, const lt_header *header, uint8_t **bytes, size_t *size,
                         lt_error *error);
lt_status lt_index_read(lt_bytes stored, lt_bytes jpeg, const lt_header *header, lt_index *index, lt_error *error);

/* ---- pixels ---- */

/* The samples of the components as they come out of the inverse DCT, before any upsampling or colour conversion. Sample
 * (i, j) of plane p covers, in pixels of the stored image at full resolution with (0, 0) the corner of the first pixel,
 * columns x[p] + i * dx[p] to x[p] + (i + 1) * dx[p], and rows y[p] + j * dy[p] to ... likewise.
 *
 * Planes are libjpeg's, bit by bit; upsampling is linear for all sampling factors, while libjpeg repeats the samples
 * where a component is not reduced by 2x1, 1x2 or 2x2. */
typedef struct {
    int count;           /* 1 or 3 */
    int color;           /* LT_GREY, LT_YCC or LT_RGB */
    uint8_t *data[3];    /* 64 readable bytes follow the last sample of each plane */
    size_t stride[3];
    int width[3], height[3];
    double x[3], y[3], dx[3], dy[3];
} lt_planes;

enum { LT_NEAREST, LT_LINEAR, LT_CUBIC, LT_AREA };

/* How the target lies over the stored image: the middle of target column i is at x + dx * (i + 0.5) of the source's
 * columns, that of row j at y + dy * (j + 0.5) of its rows; negative steps mirror. If `transposed`, target rows run
 * along source columns instead: row j is at x + dx * (j + 0.5) of the source's columns, column i at
 * y + dy * (i + 0.5) of its rows. */
typedef struct {
    int width, height;                  /* of the target */
    double x, y, dx, dy;
    int transposed;
    double source_width, source_height; /* what lies outside of these is background */
    int method;                         /* LT_NEAREST ... */
    int channels;                       /* 1: grey (the first plane of YCbCr), 3: RGB */
    uint8_t background[3];
    uint8_t *out;                       /* first byte of the first pixel */
    ptrdiff_t row, column, channel;     /* steps in bytes */
} lt_view;

/* Which part of the source, in full-resolution pixels of the stored image, the view reads: [left, right) x [top,
 * bottom), within the source; empty where it shows background only. `step_x`, `step_y` are how many source pixels a
 * sample of the planes stands for (the largest of all planes). resample_axis.c */
typedef struct {
    int left, top, right, bottom;
} lt_box;
lt_box lt_view_box(const lt_view *view, double step_x, double step_y);

/* resample.c: draw the planes into the target. `scratch` is used for rows; it grows as needed and is kept for the next
 * call; the caller frees scratch->data. */
typedef struct {
    uint8_t *data;
    size_t size;
} lt_scratch;
uint8_t *lt_scratch_room(lt_scratch *scratch, size_t size); /* status.c; NULL: no memory. 64-byte aligned */
lt_status lt_resample(const lt_planes *planes, const lt_view *view, lt_scratch *scratch, lt_error *error);

/* ---- repack.c ---- */

typedef struct {
    int interval;     /* at most so many MCUs between restart markers: the largest divisor of mcus_per_row is taken */
    int keep_exif, keep_icc, keep_others; /* which APPn and COM markers stay; JFIF and Adobe's always do */
} lt_repacking;

/* Transcode losslessly to a baseline JPEG with restart markers and optimised Huffman tables. *out is malloc'ed. */
lt_status lt_repack(lt_bytes jpeg, const lt_repacking *how, uint8_t **out, size_t *size, lt_error *error);

/* Whether both decode to the same quantised coefficients under the same quantisation tables, sampling and size. */
lt_status lt_same_coefficients(lt_bytes one, lt_bytes other, int *same, lt_error *error);

#endif
