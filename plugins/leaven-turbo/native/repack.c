/* Lossless transcoding: the quantised coefficients of any Huffman-coded JPEG, written anew as a baseline one. */
#include "turbo.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#define MOST_SCANS 500          /* honest progressive files have some 10; each scan may cost a pass over all blocks */
#define MOST_BLOCKS (1u << 25)  /* 4 GiB of coefficients */
#define SMALL_BLOCKS (1u << 20) /* 128 MiB: up to here, no matter how few bytes there are */

/* libjpeg reports errors and warnings here. Every warning is an error: what libjpeg made up in place of data that are
 * missing or damaged would be written as if it had been there. */
typedef struct {
    struct jpeg_error_mgr manager; /* the first, as libjpeg hands this one back */
    jmp_buf back;
    lt_status status;
    lt_error *error;
} guard;

/* A JPEG whose coefficients have been read. `planes` belong to `info`. */
typedef struct {
    struct jpeg_decompress_struct info;
    struct jpeg_progress_mgr progress;
    jvirt_barray_ptr *planes;
} source;

/* Where a JPEG is written to: memory from malloc that grows. */
typedef struct {
    struct jpeg_destination_mgr manager; /* the first, as libjpeg hands this one back */
    uint8_t *data;
    size_t room;
} sink;

typedef struct {
    guard guard;
    source from;
    struct jpeg_compress_struct to;
    sink sink;
} transcoding;

typedef struct {
    guard guard;
    source one, other;
} comparison;

static lt_status transcode(transcoding *job, lt_bytes jpeg, const lt_repacking *how);
static lt_status compare(comparison *job, lt_bytes one, lt_bytes other, int *same);
static void set_up(guard *trap, lt_error *error);
static void read_coefficients(source *from, guard *trap, lt_bytes jpeg);
static void check_tail(source *from);
static void write_coefficients(transcoding *job, size_t room, const lt_repacking *how);
static int are_same(source *one, source *other);

lt_status lt_repack(lt_bytes jpeg, const lt_repacking *how, uint8_t **out, size_t *size, lt_error *error) {
    if (how->interval < 1 || how->interval > 65535) {
        return lt_fail(error, LT_BAD_ARGUMENT, "interval must be 1 to 65535 MCUs, not %d", how->interval);
    }
    transcoding *job = calloc(1, sizeof *job);
    if (job == NULL) return lt_fail(error, LT_NO_MEMORY, "no memory");
    set_up(&job->guard, error);
    lt_status status = transcode(job, jpeg, how);
    if (status == LT_OK) {
        *out = job->sink.data;
        *size = job->sink.room - job->sink.manager.free_in_buffer;
    } else {
        free(job->sink.data);
    }
    jpeg_destroy_compress(&job->to);
    jpeg_destroy_decompress(&job->from.info);
    free(job);
    return status;
}

lt_status lt_same_coefficients(lt_bytes one, lt_bytes other, int *same, lt_error *error) {
    comparison *job = calloc(1, sizeof *job);
    if (job == NULL) return lt_fail(error, LT_NO_MEMORY, "no memory");
    set_up(&job->guard, error);
    lt_status status = compare(job, one, other, same);
    jpeg_destroy_decompress(&job->one.info);
    jpeg_destroy_decompress(&job->other.info);
    free(job);
    return status;
}

/* Whoever calls setjmp has no variables of its own here: a jump back cannot spoil any. */
static lt_status transcode(transcoding *job, lt_bytes jpeg, const lt_repacking *how) {
    if (setjmp(job->guard.back)) return job->guard.status;
    read_coefficients(&job->from, &job->guard, jpeg);
    if (how->keep_others) check_tail(&job->from);
    write_coefficients(job, jpeg.size, how);
    return LT_OK;
}

static lt_status compare(comparison *job, lt_bytes one, lt_bytes other, int *same) {
    if (setjmp(job->guard.back)) return job->guard.status;
    read_coefficients(&job->one, &job->guard, one);
    read_coefficients(&job->other, &job->guard, other);
    *same = are_same(&job->one, &job->other);
    return LT_OK;
}

/* ---- errors ---- */

static lt_status status_of(int code) {
    switch (code) {
        case JERR_OUT_OF_MEMORY: return LT_NO_MEMORY;
        case JERR_ARITH_NOTIMPL:
        case JERR_BAD_MCU_SIZE:
        case JERR_BAD_PRECISION:
        case JERR_COMPONENT_COUNT:
        case JERR_MISMATCHED_QUANT_TABLE:
        case JERR_NOTIMPL:
        case JERR_NOT_COMPILED:
        case JERR_SOF_UNSUPPORTED: return LT_UNSUPPORTED;
        default: return LT_DAMAGED;
    }
}

static _Noreturn void stop(j_common_ptr info, lt_status status, const char *text) {
    guard *guarded = (guard *)info->err;
    char first = text[0] >= 'A' && text[0] <= 'Z' ? (char)(text[0] - 'A' + 'a') : text[0];
    guarded->status = lt_fail(guarded->error, status, "%c%.150s", first, first == '\0' ? "" : text + 1);
    longjmp(guarded->back, 1);
}

static void on_error(j_common_ptr info) {
    char text[JMSG_LENGTH_MAX];
    info->err->format_message(info, text);
    stop(info, status_of(info->err->msg_code), text);
}

static void on_message(j_common_ptr info, int level) {
    if (level < 0) on_error(info);
}

static void print_nothing(j_common_ptr info) { (void)info; }

static void set_up(guard *trap, lt_error *error) {
    jpeg_std_error(&trap->manager);
    trap->manager.error_exit = on_error;
    trap->manager.emit_message = on_message;
    trap->manager.output_message = print_nothing;
    trap->error = error;
}

/* ---- reading ---- */

static void count_scans(j_common_ptr info) {
    if (((j_decompress_ptr)info)->input_scan_number > MOST_SCANS) stop(info, LT_DAMAGED, "more than 500 scans");
}

/* Refuse what libjpeg would reserve memory for, though the file cannot hold it: a block takes a bit at least. */
static void check_size(j_decompress_ptr info, size_t nbytes) {
    uint64_t blocks = 0;
    for (int i = 0; i < info->num_components; i++) {
        blocks += (uint64_t)info->comp_info[i].width_in_blocks * info->comp_info[i].height_in_blocks;
    }
    if (blocks > SMALL_BLOCKS && blocks / 8 > nbytes) {
        stop((j_common_ptr)info, LT_DAMAGED, "far too short for the size that its header says");
    }
    if (blocks > MOST_BLOCKS) stop((j_common_ptr)info, LT_UNSUPPORTED, "too large: over 4 GiB of coefficients");
}

static void read_coefficients(source *from, guard *trap, lt_bytes jpeg) {
    j_decompress_ptr info = &from->info;
    info->err = &trap->manager;
    jpeg_create_decompress(info);
    from->progress.progress_monitor = count_scans;
    info->progress = &from->progress;
    jpeg_mem_src(info, jpeg.data, (unsigned long)jpeg.size);
    jpeg_save_markers(info, JPEG_COM, 0xFFFF);
    for (int i = 0; i < 16; i++) jpeg_save_markers(info, JPEG_APP0 + i, 0xFFFF);
    jpeg_read_header(info, TRUE);
    if (info->arith_code) stop((j_common_ptr)info, LT_UNSUPPORTED, "arithmetic coding");
    if (info->data_precision != 8) stop((j_common_ptr)info, LT_UNSUPPORTED, "not 8 bits per sample");
    check_size(info, jpeg.size);
    from->planes = jpeg_read_coefficients(info);
    for (int i = 0; i < info->num_components; i++) {
        if (info->comp_info[i].quant_table == NULL) stop((j_common_ptr)info, LT_DAMAGED, "a component without a scan");
    }
}

/* What lies behind the end, such as the film of a moving photograph, is not a part of the JPEG and would be lost. */
static void check_tail(source *from) {
    const struct jpeg_source_mgr *rest = from->info.src;
    for (size_t i = 0; i < rest->bytes_in_buffer; i++) {
        if (rest->next_input_byte[i] != 0) {
            stop((j_common_ptr)&from->info, LT_UNSUPPORTED, "other data follow the end of the image");
        }
    }
}

/* ---- writing ---- */

static void begin_sink(j_compress_ptr info) { (void)info; }

static boolean grow_sink(j_compress_ptr info) {
    sink *to = (sink *)info->dest;
    uint8_t *grown = to->room > SIZE_MAX / 2 ? NULL : realloc(to->data, 2 * to->room);
    if (grown == NULL) stop((j_common_ptr)info, LT_NO_MEMORY, "no memory");
    to->data = grown;
    to->manager.next_output_byte = grown + to->room; /* libjpeg asks for more when every byte is taken */
    to->manager.free_in_buffer = to->room;
    to->room *= 2;
    return TRUE;
}

static void end_sink(j_compress_ptr info) { (void)info; }

static void open_sink(transcoding *job, size_t room) {
    sink *to = &job->sink;
    to->data = malloc(room);
    if (to->data == NULL) stop((j_common_ptr)&job->to, LT_NO_MEMORY, "no memory");
    to->room = room;
    to->manager.next_output_byte = to->data;
    to->manager.free_in_buffer = room;
    to->manager.init_destination = begin_sink;
    to->manager.empty_output_buffer = grow_sink;
    to->manager.term_destination = end_sink;
    job->to.dest = &to->manager;
}

/* The largest number of MCUs, at most `most`, that divides a row, so that no segment reaches into the next one. */
static unsigned int interval_of(const source *from, int most) {
    const struct jpeg_decompress_struct *info = &from->info;
    unsigned int width = 8u * (unsigned int)info->max_h_samp_factor;
    unsigned int row = info->num_components == 1 ? info->comp_info[0].width_in_blocks
                                                 : (info->image_width + width - 1) / width;
    unsigned int interval = row < (unsigned int)most ? row : (unsigned int)most;
    while (row % interval != 0) interval--;
    return interval;
}

static int begins_with(jpeg_saved_marker_ptr marker, const char *name, unsigned int length, unsigned int least) {
    return marker->data_length >= least && memcmp(marker->data, name, length) == 0;
}

static int is_kept(jpeg_saved_marker_ptr marker, const lt_repacking *how) {
    switch (marker->marker) { /* those that decide on colours always are; at these lengths libjpeg takes them as such */
        case JPEG_APP0:
            if (begins_with(marker, "JFIF", 5, 14)) return 1;
            break;
        case JPEG_APP0 + 1:
            if (begins_with(marker, "Exif", 5, 6)) return how->keep_exif;
            break;
        case JPEG_APP0 + 2:
            if (begins_with(marker, "ICC_PROFILE", 12, 12)) return how->keep_icc;
            break;
        case JPEG_APP0 + 14:
            if (begins_with(marker, "Adobe", 5, 12)) return 1;
            break;
        default: break;
    }
    return how->keep_others;
}

static void write_coefficients(transcoding *job, size_t room, const lt_repacking *how) {
    j_compress_ptr info = &job->to;
    info->err = &job->guard.manager;
    jpeg_create_compress(info);
    open_sink(job, room + 4096);
    jpeg_copy_critical_parameters(&job->from.info, info);
    info->restart_interval = interval_of(&job->from, how->interval);
    info->optimize_coding = TRUE;
    info->write_JFIF_header = FALSE; /* they are copied as they are */
    info->write_Adobe_marker = FALSE;
    jpeg_write_coefficients(info, job->from.planes);
    for (jpeg_saved_marker_ptr marker = job->from.info.marker_list; marker != NULL; marker = marker->next) {
        if (is_kept(marker, how)) jpeg_write_marker(info, marker->marker, marker->data, marker->data_length);
    }
    jpeg_finish_compress(info);
}

/* ---- comparing ---- */

static int is_same_component(source *one, source *other, int i) {
    const jpeg_component_info *mine = &one->info.comp_info[i], *theirs = &other->info.comp_info[i];
    if (mine->h_samp_factor != theirs->h_samp_factor || mine->v_samp_factor != theirs->v_samp_factor) return 0;
    if (memcmp(mine->quant_table->quantval, theirs->quant_table->quantval, sizeof mine->quant_table->quantval) != 0) {
        return 0;
    }
    for (JDIMENSION y = 0; y < mine->height_in_blocks; y++) {
        j_common_ptr infos[2] = {(j_common_ptr)&one->info, (j_common_ptr)&other->info};
        JBLOCKARRAY first = infos[0]->mem->access_virt_barray(infos[0], one->planes[i], y, 1, FALSE);
        JBLOCKARRAY second = infos[1]->mem->access_virt_barray(infos[1], other->planes[i], y, 1, FALSE);
        if (memcmp(first[0], second[0], mine->width_in_blocks * sizeof(JBLOCK)) != 0) return 0;
    }
    return 1;
}

static int are_same(source *one, source *other) {
    const struct jpeg_decompress_struct *mine = &one->info, *theirs = &other->info;
    if (mine->image_width != theirs->image_width || mine->image_height != theirs->image_height) return 0;
    if (mine->num_components != theirs->num_components) return 0;
    if (mine->jpeg_color_space != theirs->jpeg_color_space) return 0;
    for (int i = 0; i < mine->num_components; i++) {
        if (!is_same_component(one, other, i)) return 0;
    }
    return 1;
}
