/* Writing to the target: whole rows straight to it where its pixels lie so, else by way of a band of rows. */
#include "resample.h"

#include <string.h>

static uint8_t *pixel_at(const lt_view *view, int row, int column) {
    return view->out + row * view->row + column * view->column;
}

static int is_direct(const lt_view *view) { return !view->transposed && view->column == 1; }

/* A row of the target is in the band alone; one that is a column of it waits for its block. */
static uint8_t *band_row(const lt_target *target, int channel, int row) {
    int place = target->view->transposed ? row % LT_BAND : 0;
    return target->band + (size_t)(channel * LT_BAND + place) * target->band_stride;
}

void lt_target_row(const lt_target *target, int row, uint8_t **out) {
    const lt_view *view = target->view;
    for (int c = 0; c < view->channels; c++)
        out[c] = is_direct(view) ? pixel_at(view, target->down.begin + row, target->across.begin) + c * view->channel
                                 : band_row(target, c, row);
}

/* A constant size is two moves instead of a call: blocks have 16 bytes a row. */
static void copy_bytes(uint8_t *to, const uint8_t *from, int count) {
    if (count == LT_BAND) memcpy(to, from, LT_BAND);
    else memcpy(to, from, (size_t)count);
}

/* Write pixels of one row of the target. */
static void write_pixels(const lt_target *target, const uint8_t *const *from, int count, uint8_t *to) {
    const lt_view *view = target->view;
    if (view->channels == 3 && view->column == 3 && view->channel == 1) {
        target->kernels->interleave(from, count, to);
        return;
    }
    for (int c = 0; c < view->channels; c++) {
        uint8_t *at = to + c * view->channel;
        if (view->column == 1) copy_bytes(at, from[c], count);
        else
            for (int i = 0; i < count; i++) at[i * view->column] = from[c][i];
    }
}

/* Write a block of the band, 16 of its columns from `column` on (at least `wide` are needed), as rows of the target. */
static void write_block(const lt_target *target, int row, int high, int column, int wide) {
    const lt_view *view = target->view;
    uint8_t turned[3][16 * LT_BAND];
    for (int c = 0; c < view->channels; c++)
        target->kernels->transpose(band_row(target, c, 0) + column, target->band_stride, turned[c]);
    for (int i = 0; i < wide; i++) {
        const uint8_t *const from[3] = {turned[0] + i * LT_BAND, turned[1] + i * LT_BAND, turned[2] + i * LT_BAND};
        write_pixels(target, from, high, pixel_at(view, target->across.begin + column + i, target->down.begin + row));
    }
}

static void write_band(const lt_target *target, int row, int high) {
    int count = target->across.end - target->across.begin;
    for (int column = 0; column < count; column += 16)
        write_block(target, row, high, column, count - column < 16 ? count - column : 16);
}

void lt_target_done(const lt_target *target, int row) {
    const lt_view *view = target->view;
    if (is_direct(view)) return;
    int in_band = row % LT_BAND;
    if (view->transposed) {
        if (in_band == LT_BAND - 1 || row == target->down.end - target->down.begin - 1)
            write_band(target, row - in_band, in_band + 1);
        return;
    }
    const uint8_t *const from[3] = {band_row(target, 0, row), band_row(target, 1, row), band_row(target, 2, row)};
    int count = target->across.end - target->across.begin;
    write_pixels(target, from, count, pixel_at(view, target->down.begin + row, target->across.begin));
}

static void paint(const lt_view *view, lt_range rows, lt_range columns) {
    for (int j = rows.begin; j < rows.end; j++)
        for (int c = 0; c < view->channels; c++) {
            uint8_t *at = pixel_at(view, j, columns.begin) + c * view->channel;
            int count = columns.end - columns.begin;
            if (view->column == 1) memset(at, view->background[c], (size_t)count);
            else
                for (int i = 0; i < count; i++) at[i * view->column] = view->background[c];
        }
}

void lt_target_background(const lt_target *target) {
    const lt_view *view = target->view;
    lt_range rows = view->transposed ? target->across : target->down;
    lt_range columns = view->transposed ? target->down : target->across;
    if (rows.begin >= rows.end || columns.begin >= columns.end) rows = (lt_range){0, 0};
    paint(view, (lt_range){0, rows.begin}, (lt_range){0, view->width});
    paint(view, rows, (lt_range){0, columns.begin});
    paint(view, rows, (lt_range){columns.end, view->width});
    paint(view, (lt_range){rows.end, view->height}, (lt_range){0, view->width});
}
