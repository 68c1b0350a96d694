/* Lossless transcoding: the quantised coefficients of any Huffman-coded JPEG, written anew as a baseline one. */
#include "guard.h"
#include "segments.h"

#include <stdlib.h>
#include <string.h>

/* A JPEG whose coefficients have been read. `planes` belong to `info`. */
typedef struct {
    struct jpeg_decompress_struct info;
    jvirt_barray_ptr *planes;
} source;

/* Where a JPEG is written to: memory from malloc that grows. */
typedef struct {
    struct jpeg_destination_mgr manager; /* the first, as libjpeg hands this one back */
    uint8_t *data;
    size_t room;
} sink;

typedef struct {
    lt_guard guard;
    source from;
    struct jpeg_compress_struct to;
    sink sink;
} transcoding;

typedef struct {
    lt_guard guard;
    source one, other;
} comparison;

static lt_status transcode(transcoding *job, lt_bytes jpeg, const lt_repacking *how);
static lt_status compare(comparison *job, lt_bytes one, lt_bytes other, int *same);
static void read_coefficients(source *from, lt_guard *guard, lt_bytes jpeg);
static void check_tail(source *from);
static void write_coefficients(transcoding *job, size_t room, const lt_repacking *how);
static int are_same(source *one, source *other);

lt_status lt_repack(lt_bytes jpeg, const lt_repacking *how, uint8_t **out, size_t *size, lt_error *error) {
    if (how->interval < 1 || how->interval > 65535)
        return lt_fail(error, LT_BAD_ARGUMENT, "interval must be 1 to 65535 MCUs, not %d", how->interval);
    transcoding *job = calloc(1, sizeof *job);
    if (job == NULL) return lt_fail(error, LT_NO_MEMORY, "no memory");
    lt_guard_init(&job->guard, error);
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
    lt_guard_init(&job->guard, error);
    lt_status status = compare(job, one, other, same);
    jpeg_destroy_decompress(&job->one.info);
    jpeg_destroy_decompress(&job->other.info);
    free(job);
    return status;
}

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

/* ---- reading ---- */

/* libjpeg takes a bit pattern that is no code for a 0, and often says nothing. */
static void check_codes(j_decompress_ptr info, lt_bytes jpeg) {
    lt_header header;
    lt_error error = {""};
    if (lt_read_header(jpeg, &header, &error) != LT_OK) return; /* libjpeg says why */
    if (lt_check_codes(jpeg, &header, &error) == LT_DAMAGED) lt_guard_stop((j_common_ptr)info, LT_DAMAGED, error.text);
}

static void read_coefficients(source *from, lt_guard *guard, lt_bytes jpeg) {
    j_decompress_ptr info = &from->info;
    lt_guard_open(guard, info, jpeg, 1);
    if (info->arith_code) lt_guard_stop((j_common_ptr)info, LT_UNSUPPORTED, "arithmetic coding");
    if (info->data_precision != 8) lt_guard_stop((j_common_ptr)info, LT_UNSUPPORTED, "not 8 bits per sample");
    check_codes(info, jpeg);
    from->planes = jpeg_read_coefficients(info);
    for (int i = 0; i < info->num_components; i++)
        if (info->comp_info[i].quant_table == NULL)
            lt_guard_stop((j_common_ptr)info, LT_DAMAGED, "a component without a scan");
}

/* What lies behind the end, such as the film of a moving photograph, is not a part of the JPEG and would be lost. */
static void check_tail(source *from) {
    const struct jpeg_source_mgr *rest = from->info.src;
    for (size_t i = 0; i < rest->bytes_in_buffer; i++)
        if (rest->next_input_byte[i] != 0)
            lt_guard_stop((j_common_ptr)&from->info, LT_UNSUPPORTED, "other data follow the end of the image");
}

/* ---- writing ---- */

static void begin_sink(j_compress_ptr info) { (void)info; }

static boolean grow_sink(j_compress_ptr info) {
    sink *to = (sink *)info->dest;
    uint8_t *grown = to->room > SIZE_MAX / 2 ? NULL : realloc(to->data, 2 * to->room);
    if (grown == NULL) lt_guard_stop((j_common_ptr)info, LT_NO_MEMORY, "no memory");
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
    if (to->data == NULL) lt_guard_stop((j_common_ptr)&job->to, LT_NO_MEMORY, "no memory");
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
    for (jpeg_saved_marker_ptr marker = job->from.info.marker_list; marker != NULL; marker = marker->next)
        if (is_kept(marker, how)) jpeg_write_marker(info, marker->marker, marker->data, marker->data_length);
    jpeg_finish_compress(info);
}

/* ---- comparing ---- */

static int has_same_layout(const source *one, const source *other, int i) {
    const jpeg_component_info *mine = &one->info.comp_info[i], *theirs = &other->info.comp_info[i];
    const JQUANT_TBL *my_table = mine->quant_table, *their_table = theirs->quant_table;
    return mine->h_samp_factor == theirs->h_samp_factor && mine->v_samp_factor == theirs->v_samp_factor &&
           mine->width_in_blocks == theirs->width_in_blocks && mine->height_in_blocks == theirs->height_in_blocks &&
           memcmp(my_table->quantval, their_table->quantval, sizeof my_table->quantval) == 0;
}

/* Of two components that have the same layout. */
static int has_same_blocks(source *one, source *other, int i) {
    const jpeg_component_info *component = &one->info.comp_info[i];
    j_common_ptr mine = (j_common_ptr)&one->info, theirs = (j_common_ptr)&other->info;
    for (JDIMENSION y = 0; y < component->height_in_blocks; y++) {
        JBLOCKARRAY my_row = mine->mem->access_virt_barray(mine, one->planes[i], y, 1, FALSE);
        JBLOCKARRAY their_row = theirs->mem->access_virt_barray(theirs, other->planes[i], y, 1, FALSE);
        if (memcmp(my_row[0], their_row[0], component->width_in_blocks * sizeof(JBLOCK)) != 0) return 0;
    }
    return 1;
}

/* A component's blocks depend on the sampling of all: the layouts come first. */
static int are_same(source *one, source *other) {
    const struct jpeg_decompress_struct *mine = &one->info, *theirs = &other->info;
    int count = mine->num_components;
    if (mine->image_width != theirs->image_width || mine->image_height != theirs->image_height) return 0;
    if (count != theirs->num_components || mine->jpeg_color_space != theirs->jpeg_color_space) return 0;
    for (int i = 0; i < count; i++)
        if (!has_same_layout(one, other, i)) return 0;
    for (int i = 0; i < count; i++)
        if (!has_same_blocks(one, other, i)) return 0;
    return 1;
}
