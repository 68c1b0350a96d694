#include "planes.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

#if JPEG_LIB_VERSION >= 70
#define DCT_SIZE(component) ((component)->DCT_h_scaled_size)
#define LEAST_DCT_SIZE(info) ((info)->min_DCT_h_scaled_size)
#else
#define DCT_SIZE(component) ((component)->DCT_scaled_size)
#define LEAST_DCT_SIZE(info) ((info)->min_DCT_scaled_size)
#endif

enum { MOST_SCANS = 500, SPARE = 64, MOST_LINES = 4 * DCTSIZE };

struct lt_reader {
    struct jpeg_decompress_struct info;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
};

static void on_error(j_common_ptr info) {
    struct lt_reader *reader = info->client_data;
    longjmp(reader->escape, 1);
}

static void on_message(j_common_ptr info, int level) {
    if (level < 0) on_error(info); /* a warning: data are missing or wrong */
}

static void on_progress(j_common_ptr info) {
    const struct lt_reader *reader = info->client_data;
    if (reader->info.input_scan_number > MOST_SCANS) on_error(info); /* each costs as much as the image is large */
}

static void say_nothing(j_common_ptr info) { (void)info; }

lt_reader *lt_reader_new(void) {
    lt_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) return NULL;
    reader->info.err = jpeg_std_error(&reader->errors);
    reader->errors.error_exit = on_error;
    reader->errors.emit_message = on_message;
    reader->errors.output_message = say_nothing;
    reader->info.client_data = reader;
    if (setjmp(reader->escape)) {
        lt_reader_free(reader);
        return NULL;
    }
    jpeg_create_decompress(&reader->info);
    reader->progress.progress_monitor = on_progress;
    reader->info.progress = &reader->progress;
    return reader;
}

void lt_reader_free(lt_reader *reader) {
    if (reader == NULL) return;
    jpeg_destroy_decompress(&reader->info);
    free(reader);
}

int lt_dct_size(const lt_header *header, int component, int n) {
    int size = n;
    while (size < DCTSIZE && header->max_h * n % (header->h[component] * size * 2) == 0 &&
           header->max_v * n % (header->v[component] * size * 2) == 0)
        size *= 2;
    return size;
}

static void describe(const struct jpeg_decompress_struct *info, lt_planes *planes) {
    planes->count = info->num_components;
    planes->color = info->jpeg_color_space == JCS_GRAYSCALE ? LT_GREY
                    : info->jpeg_color_space == JCS_RGB     ? LT_RGB
                                                            : LT_YCC;
    for (int p = 0; p < planes->count; p++) {
        const jpeg_component_info *component = &info->comp_info[p];
        planes->width[p] = (int)component->downsampled_width;
        planes->height[p] = (int)component->downsampled_height;
        planes->x[p] = planes->y[p] = 0;
        planes->dx[p] = (double)(DCTSIZE * info->max_h_samp_factor) / (component->h_samp_factor * DCT_SIZE(component));
        planes->dy[p] = (double)(DCTSIZE * info->max_v_samp_factor) / (component->v_samp_factor * DCT_SIZE(component));
    }
}

/* Lay the planes out in the scratch: whole blocks in both directions, as libjpeg writes no others. */
static int allocate(const struct jpeg_decompress_struct *info, lt_planes *planes, lt_scratch *scratch) {
    size_t total = 0, starts[3];
    for (int p = 0; p < planes->count; p++) {
        const jpeg_component_info *component = &info->comp_info[p];
        size_t columns = (size_t)component->width_in_blocks * (size_t)DCT_SIZE(component);
        size_t lines = (size_t)info->total_iMCU_rows * (size_t)(component->v_samp_factor * DCT_SIZE(component));
        planes->stride[p] = (columns + 63) & ~(size_t)63;
        starts[p] = total;
        total += planes->stride[p] * lines + SPARE;
        total = (total + 63) & ~(size_t)63;
    }
    uint8_t *room = lt_scratch_room(scratch, total);
    if (room == NULL) return 0;
    for (int p = 0; p < planes->count; p++) planes->data[p] = room + starts[p];
    return 1;
}

static void read_lines(struct jpeg_decompress_struct *info, const lt_planes *planes, JDIMENSION lines) {
    JSAMPROW rows[3][MOST_LINES];
    JSAMPARRAY arrays[3] = {rows[0], rows[1], rows[2]};
    JDIMENSION step = (JDIMENSION)(info->max_v_samp_factor * LEAST_DCT_SIZE(info));
    for (JDIMENSION group = 0; info->output_scanline < lines; group++) {
        for (int p = 0; p < planes->count; p++) {
            const jpeg_component_info *component = &info->comp_info[p];
            size_t height = (size_t)(component->v_samp_factor * DCT_SIZE(component));
            for (size_t j = 0; j < height; j++) rows[p][j] = planes->data[p] + (group * height + j) * planes->stride[p];
        }
        if (jpeg_read_raw_data(info, arrays, step) == 0) ERREXIT(info, JERR_INPUT_EMPTY);
    }
}

/* What setjmp comes back to is not to live in registers: all of it is here, and nothing is changed after setjmp. */
lt_status lt_decode_planes(lt_reader *reader, lt_bytes jpeg, int n, int rows, lt_planes *planes, lt_scratch *scratch,
                           lt_error *error) {
    struct jpeg_decompress_struct *info = &reader->info;
    if (setjmp(reader->escape)) {
        char text[JMSG_LENGTH_MAX];
        info->err->format_message((j_common_ptr)info, text);
        int code = info->err->msg_code;
        jpeg_abort_decompress(info);
        if (code == JERR_OUT_OF_MEMORY) return lt_fail(error, LT_NO_MEMORY, "no memory to decode a JPEG");
        return lt_fail(error, LT_DAMAGED, "damaged: %.120s", text);
    }
    jpeg_mem_src(info, jpeg.data, jpeg.size);
    jpeg_read_header(info, TRUE);
    if (info->num_components != 1 && info->num_components != 3) {
        jpeg_abort_decompress(info);
        return lt_fail(error, LT_UNSUPPORTED, "%d components", info->num_components);
    }
    info->scale_num = (unsigned)n;
    info->scale_denom = DCTSIZE;
    info->dct_method = JDCT_ISLOW;
    info->do_block_smoothing = FALSE;
    info->out_color_space = info->jpeg_color_space;
    info->raw_data_out = TRUE;
    jpeg_start_decompress(info);
    describe(info, planes);
    if (!allocate(info, planes, scratch)) {
        jpeg_abort_decompress(info);
        return lt_fail(error, LT_NO_MEMORY, "no memory for an image of %u x %u pixels", info->image_height,
                       info->image_width);
    }
    JDIMENSION wanted = (JDIMENSION)(((int64_t)rows * n + DCTSIZE - 1) / DCTSIZE);
    read_lines(info, planes, wanted < info->output_height ? wanted : info->output_height);
    jpeg_abort_decompress(info);
    return LT_OK;
}
