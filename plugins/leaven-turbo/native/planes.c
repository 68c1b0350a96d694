#include "planes.h"

#include "guard.h"

#include <string.h>

#include <jerror.h>

#if JPEG_LIB_VERSION >= 70
#define DCT_SIZE(component) ((component)->DCT_h_scaled_size)
#define LEAST_DCT_SIZE(info) ((info)->min_DCT_h_scaled_size)
#else
#define DCT_SIZE(component) ((component)->DCT_scaled_size)
#define LEAST_DCT_SIZE(info) ((info)->min_DCT_scaled_size)
#endif

enum { SPARE = 64, MOST_LINES = 4 * DCTSIZE };

/* What libjpeg reads one image with. The next one needs another: the tables of this one would be taken for those that
 * the next one lacks. */
typedef struct {
    lt_guard guard;
    struct jpeg_decompress_struct info;
} reader;

static lt_status read_planes(reader *reader, lt_bytes jpeg, int n, int rows, lt_planes *planes, lt_scratch *scratch);
static void start(struct jpeg_decompress_struct *info, int n);
static void describe(const struct jpeg_decompress_struct *info, lt_planes *planes);
static int allocate(const struct jpeg_decompress_struct *info, lt_planes *planes, lt_scratch *scratch);
static void read_lines(struct jpeg_decompress_struct *info, const lt_planes *planes, JDIMENSION lines);

lt_status lt_decode_planes(lt_bytes jpeg, int n, int rows, lt_planes *planes, lt_scratch *scratch, lt_error *error) {
    reader reader;
    memset(&reader, 0, sizeof reader);
    lt_guard_init(&reader.guard, error);
    lt_status status = read_planes(&reader, jpeg, n, rows, planes, scratch);
    jpeg_destroy_decompress(&reader.info);
    return status;
}

int lt_dct_size(const lt_header *header, int component, int n) {
    int size = n;
    while (size < DCTSIZE && header->max_h * n % (header->h[component] * size * 2) == 0 &&
           header->max_v * n % (header->v[component] * size * 2) == 0)
        size *= 2;
    return size;
}

static lt_status read_planes(reader *reader, lt_bytes jpeg, int n, int rows, lt_planes *planes, lt_scratch *scratch) {
    if (setjmp(reader->guard.back)) return reader->guard.status;
    lt_guard_open(&reader->guard, &reader->info, jpeg, 0);
    start(&reader->info, n);
    describe(&reader->info, planes);
    if (!allocate(&reader->info, planes, scratch))
        lt_guard_stop((j_common_ptr)&reader->info, LT_NO_MEMORY, "no memory for its pixels");
    read_lines(&reader->info, planes, (JDIMENSION)(((int64_t)rows * n + DCTSIZE - 1) / DCTSIZE));
    return LT_OK;
}

static void start(struct jpeg_decompress_struct *info, int n) {
    if (info->num_components != 1 && info->num_components != 3)
        lt_guard_stop((j_common_ptr)info, LT_UNSUPPORTED, "neither 1 nor 3 components");
    info->scale_num = (unsigned)n;
    info->scale_denom = DCTSIZE;
    info->dct_method = JDCT_ISLOW;
    info->do_block_smoothing = FALSE;
    info->out_color_space = info->jpeg_color_space;
    info->raw_data_out = TRUE;
    jpeg_start_decompress(info);
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
    for (JDIMENSION group = 0; info->output_scanline < lines && info->output_scanline < info->output_height; group++) {
        for (int p = 0; p < planes->count; p++) {
            const jpeg_component_info *component = &info->comp_info[p];
            size_t height = (size_t)(component->v_samp_factor * DCT_SIZE(component));
            for (size_t j = 0; j < height; j++) rows[p][j] = planes->data[p] + (group * height + j) * planes->stride[p];
        }
        if (jpeg_read_raw_data(info, arrays, step) == 0) ERREXIT(info, JERR_INPUT_EMPTY);
    }
}
