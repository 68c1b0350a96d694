#include "guard.h"

#include <jerror.h>

/* Honest progressive files have some 10 scans. As each may cost a pass over all blocks, and next to no bytes, there may
 * be the fewer the larger the image is: 500 up to a million blocks, 250 for two million, 30 at least. Of 1.5 million
 * blocks, 336 scans of next to no bytes take 7 s. */
enum { MANY_SCANS = 500, FEW_SCANS = 30 };
enum {
    SMALL_BLOCKS = 1 << 20, /* 128 MiB of coefficients: up to here, no matter how few bytes there are */
    MOST_BLOCKS = 1 << 25   /* 4 GiB */
};

static void on_error(j_common_ptr info);
static void on_message(j_common_ptr info, int level);
static void on_progress(j_common_ptr info);
static void print_nothing(j_common_ptr info);
static lt_status status_of(int code);
static void check_size(j_decompress_ptr info, size_t size);
static uint64_t blocks_of(const struct jpeg_decompress_struct *info);

void lt_guard_init(lt_guard *guard, lt_error *error) {
    jpeg_std_error(&guard->manager);
    guard->manager.error_exit = on_error;
    guard->manager.emit_message = on_message;
    guard->manager.output_message = print_nothing;
    guard->progress.progress_monitor = on_progress;
    guard->status = LT_OK;
    guard->error = error;
}

_Noreturn void lt_guard_stop(j_common_ptr info, lt_status status, const char *text) {
    lt_guard *guard = (lt_guard *)info->err;
    int begins_word = text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a' && text[1] <= 'z'; /* and is no abbreviation */
    char first = begins_word ? (char)(text[0] - 'A' + 'a') : text[0];
    guard->status = lt_fail(guard->error, status, "%c%.150s", first, first == '\0' ? "" : text + 1);
    longjmp(guard->back, 1);
}

void lt_guard_open(lt_guard *guard, j_decompress_ptr info, lt_bytes jpeg, int keep_markers) {
    info->err = &guard->manager;
    jpeg_create_decompress(info);
    info->progress = &guard->progress;
    jpeg_mem_src(info, jpeg.data, (unsigned long)jpeg.size);
    if (keep_markers) {
        jpeg_save_markers(info, JPEG_COM, 0xFFFF);
        for (int i = 0; i < 16; i++) jpeg_save_markers(info, JPEG_APP0 + i, 0xFFFF);
    }
    jpeg_read_header(info, TRUE);
    check_size(info, jpeg.size);
}

static void on_error(j_common_ptr info) {
    char text[JMSG_LENGTH_MAX];
    info->err->format_message(info, text);
    lt_guard_stop(info, status_of(info->err->msg_code), text);
}

static void on_message(j_common_ptr info, int level) {
    if (level < 0) on_error(info); /* a warning */
}

static void on_progress(j_common_ptr info) {
    if (!info->is_decompressor) return;
    const struct jpeg_decompress_struct *reader = (j_decompress_ptr)info;
    if (reader->input_scan_number <= FEW_SCANS) return;
    uint64_t passes = (uint64_t)reader->input_scan_number * blocks_of(reader);
    if (reader->input_scan_number > MANY_SCANS || passes > (uint64_t)MANY_SCANS * SMALL_BLOCKS)
        lt_guard_stop(info, LT_DAMAGED, "too many scans for an image of its size");
}

static void print_nothing(j_common_ptr info) { (void)info; }

static lt_status status_of(int code) {
    switch (code) {
        case JERR_OUT_OF_MEMORY: return LT_NO_MEMORY;
        case JERR_ARITH_NOTIMPL:
        case JERR_BAD_MCU_SIZE:
        case JERR_BAD_PRECISION:
        case JERR_COMPONENT_COUNT:
        case JERR_IMAGE_TOO_BIG:
        case JERR_MISMATCHED_QUANT_TABLE:
        case JERR_NOTIMPL:
        case JERR_NOT_COMPILED:
        case JERR_SOF_UNSUPPORTED:
        case JWRN_NOT_SEQUENTIAL: return LT_UNSUPPORTED;
        default: return LT_DAMAGED;
    }
}

/* Refuse what libjpeg would reserve memory for, though the file cannot hold it: a block takes a bit at least. */
static void check_size(j_decompress_ptr info, size_t size) {
    uint64_t blocks = blocks_of(info);
    if (blocks > SMALL_BLOCKS && blocks / 8 > size)
        lt_guard_stop((j_common_ptr)info, LT_DAMAGED, "far too short for the size that its header says");
    if (blocks > MOST_BLOCKS)
        lt_guard_stop((j_common_ptr)info, LT_UNSUPPORTED, "too large: over 4 GiB of coefficients");
}

static uint64_t blocks_of(const struct jpeg_decompress_struct *info) {
    uint64_t blocks = 0;
    for (int i = 0; i < info->num_components; i++)
        blocks += (uint64_t)info->comp_info[i].width_in_blocks * info->comp_info[i].height_in_blocks;
    return blocks;
}
