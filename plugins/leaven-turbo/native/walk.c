#include "huffman.h"
#include "markers.h"

#include <stdlib.h>

enum { WINDOW = 16384 };

/* A walk over entropy-coded data, of which the next part lies in the window, without its stuffed zeroes. */
typedef struct {
    lt_bytes jpeg;
    const lt_header *header;
    lt_scan scan;
    int64_t dc[3];
    size_t at;           /* bits of the window that have been walked over */
    size_t filled;       /* bytes of the window */
    int last;            /* where the window ends, the data do: by a marker, or with the file */
    const uint8_t *stop; /* the place in the file where the window ends */
    const uint8_t *mark; /* the place in the file of the byte `marked` of the window, at or before `at` */
    size_t marked;
    uint8_t window[WINDOW + LT_MOST_MCU_BYTES + LT_AHEAD];
} walk;

static int has_markers(const lt_header *header);
static lt_status begin(lt_bytes jpeg, const lt_header *header, walk *walk, lt_error *error);
static lt_status begin_row(walk *walk, int row, lt_error *error);
static lt_status walk_mcus(walk *walk, int count, lt_error *error);
static int walk_mcu(walk *walk);
static uint64_t place(walk *walk);
static lt_status note(walk *walk, uint64_t *at, int16_t *dc, lt_error *error);
static lt_status finish(walk *walk, lt_error *error);
static void fill(walk *walk, const uint8_t *from);
static void move_on(walk *walk);

lt_status lt_index_walked(lt_bytes jpeg, const lt_header *header, int interval, lt_index *index, lt_error *error) {
    *index = (lt_index){.kind = LT_WALKED, .interval = interval};
    if (interval < 1 || header->mcus_per_row % interval != 0)
        return lt_fail(error, LT_BAD_ARGUMENT, "an interval of %d MCUs, in rows of %d", interval, header->mcus_per_row);
    if (has_markers(header))
        return lt_fail(error, LT_UNSUPPORTED, "it has restart markers, every %d MCUs", header->restart_interval);
    walk walk;
    lt_status status = begin(jpeg, header, &walk, error);
    if (status != LT_OK) return status;
    index->count = (size_t)header->mcu_rows * (size_t)(header->mcus_per_row / interval);
    index->at = malloc((index->count + 1) * sizeof *index->at);
    index->dc = malloc(index->count * sizeof *index->dc);
    if (index->at == NULL || index->dc == NULL)
        status = lt_fail(error, LT_NO_MEMORY, "no memory for an index of %zu segments", index->count);
    for (size_t i = 0; status == LT_OK && i < index->count; i++) {
        status = note(&walk, &index->at[i], index->dc[i], error);
        if (status == LT_OK) status = walk_mcus(&walk, interval, error);
    }
    if (status == LT_OK) index->at[index->count] = place(&walk);
    if (status == LT_OK) status = finish(&walk, error);
    if (status == LT_OK && !lt_ends_scan(*walk.stop))
        status = lt_fail(error, LT_DAMAGED, "marker 0x%02x at the end of its data", *walk.stop);
    if (status != LT_OK) lt_index_free(index);
    return status;
}

lt_status lt_walk_runs(lt_bytes jpeg, const lt_header *header, lt_mcus mcus, lt_run *runs, lt_error *error) {
    if (mcus.left < 0 || mcus.left >= mcus.right || mcus.right > header->mcus_per_row || mcus.top < 0 ||
        mcus.top >= mcus.bottom || mcus.bottom > header->mcu_rows)
        return lt_fail(error, LT_BAD_ARGUMENT, "MCUs %d to %d of %d, rows %d to %d of %d", mcus.left, mcus.right,
                       header->mcus_per_row, mcus.top, mcus.bottom, header->mcu_rows);
    if (has_markers(header) && header->restart_interval % header->mcus_per_row != 0)
        return lt_fail(error, LT_UNSUPPORTED, "restart markers every %d MCUs, in rows of %d", header->restart_interval,
                       header->mcus_per_row);
    walk walk;
    lt_status status = begin(jpeg, header, &walk, error);
    for (int row = 0; status == LT_OK && row < mcus.bottom; row++) {
        lt_run *run = runs + (row - mcus.top);
        status = begin_row(&walk, row, error);
        if (row < mcus.top) {
            if (status == LT_OK) status = walk_mcus(&walk, header->mcus_per_row, error);
            continue;
        }
        if (status == LT_OK) status = walk_mcus(&walk, mcus.left, error);
        if (status == LT_OK) status = note(&walk, &run->begin, run->dc, error);
        if (status == LT_OK) status = walk_mcus(&walk, mcus.right - mcus.left, error);
        if (status == LT_OK) run->end = place(&walk);
        if (status == LT_OK && row + 1 < mcus.bottom)
            status = walk_mcus(&walk, header->mcus_per_row - mcus.right, error);
    }
    return status;
}

/* An interval may be longer than the picture. */
static int has_markers(const lt_header *header) {
    return header->restart_interval != 0 && header->restart_interval < header->mcus_per_row * header->mcu_rows;
}

static lt_status begin(lt_bytes jpeg, const lt_header *header, walk *walk, lt_error *error) {
    lt_all_codes codes;
    lt_status status = lt_read_codes(jpeg, header, &codes, error);
    if (status == LT_OK) status = lt_open_scan(jpeg, header, &codes, &walk->scan, error);
    if (status != LT_OK) return status;
    uint64_t blocks = (uint64_t)header->mcus_per_row * (uint64_t)header->mcu_rows * (uint64_t)walk->scan.blocks;
    if (blocks > (uint64_t)(jpeg.size - header->scan_at) * 4) /* each takes two bits at least */
        return lt_fail(error, LT_DAMAGED, "%llu blocks are promised, and there are %zu bytes for them",
                       (unsigned long long)blocks, jpeg.size - header->scan_at);
    walk->jpeg = jpeg;
    walk->header = header;
    memset(walk->dc, 0, sizeof walk->dc);
    fill(walk, jpeg.data + header->scan_at);
    return LT_OK;
}

/* Pass over the restart marker that stands before a row, if there is one. */
static lt_status begin_row(walk *walk, int row, lt_error *error) {
    int interval = walk->header->restart_interval;
    if (row == 0 || interval == 0) return LT_OK;
    int64_t mcus = (int64_t)row * walk->header->mcus_per_row;
    if (mcus % interval != 0) return LT_OK;
    lt_status status = finish(walk, error);
    if (status != LT_OK) return status;
    int number = (int)((mcus / interval - 1) & 7), code = *walk->stop;
    if (code != LT_RST0 + number)
        return lt_fail(error, LT_DAMAGED, "marker 0x%02x in the place of restart marker %d", code, number);
    memset(walk->dc, 0, sizeof walk->dc);
    fill(walk, walk->stop + 1);
    return LT_OK;
}

static lt_status walk_mcus(walk *walk, int count, lt_error *error) {
    for (int i = 0; i < count; i++) {
        if (!walk->last && (walk->at >> 3) + LT_MOST_MCU_BYTES > walk->filled) move_on(walk);
        if (!walk_mcu(walk)) return lt_fail(error, LT_DAMAGED, "a bit pattern that is no code");
        if (walk->at > walk->filled * 8) return lt_fail(error, LT_DAMAGED, "its data end before the picture does");
    }
    return LT_OK;
}

static int walk_mcu(walk *walk) {
    const lt_scan *scan = &walk->scan;
    lt_bits bits = lt_bits_at(walk->window, walk->at);
    for (int i = 0; i < scan->blocks; i++) {
        int difference;
        if (!lt_step_dc(&bits, scan->block[i].dc, &difference)) return 0;
        walk->dc[scan->block[i].component] += difference;
        if (!lt_step_ac(&bits, scan->block[i].ac)) return 0;
    }
    walk->at = lt_bits_place(&bits);
    return 1;
}

/* Where the walk is, as 8 * byte offset + bit. */
static uint64_t place(walk *walk) {
    walk->mark = lt_skip_stuffed(walk->mark, (walk->at >> 3) - walk->marked);
    walk->marked = walk->at >> 3;
    return (uint64_t)(walk->mark - walk->jpeg.data) * 8 + (walk->at & 7);
}

static lt_status note(walk *walk, uint64_t *at, int16_t *dc, lt_error *error) {
    *at = place(walk);
    for (int i = 0; i < 3; i++) {
        if (walk->dc[i] < INT16_MIN || walk->dc[i] > INT16_MAX)
            return lt_fail(error, LT_DAMAGED, "a DC coefficient of %lld", (long long)walk->dc[i]);
        dc[i] = (int16_t)walk->dc[i];
    }
    return LT_OK;
}

/* At the end of data, before a marker, there may be some bits left of a byte, and fill bytes. `stop` then is at the
 * byte that says which marker it is. */
static lt_status finish(walk *walk, lt_error *error) {
    if (!walk->last) move_on(walk);
    if (!walk->last || walk->filled * 8 - walk->at >= 8)
        return lt_fail(error, LT_DAMAGED, "more data than there are MCUs");
    const uint8_t *end = walk->jpeg.data + walk->jpeg.size;
    while (walk->stop < end && *walk->stop == 0xFF) walk->stop++;
    return walk->stop < end ? LT_OK : lt_fail(error, LT_DAMAGED, "its data end without a marker");
}

static void fill(walk *walk, const uint8_t *from) {
    const uint8_t *end = walk->jpeg.data + walk->jpeg.size;
    walk->at = walk->marked = 0;
    walk->mark = from;
    walk->filled = lt_unstuff(from, end, walk->window, WINDOW, &walk->stop);
    walk->last = walk->filled < WINDOW;
    memset(walk->window + walk->filled, 0, LT_MOST_MCU_BYTES + LT_AHEAD);
}

/* Let the window begin with the byte that the walk has come to. */
static void move_on(walk *walk) {
    size_t bit = walk->at & 7;
    place(walk);
    fill(walk, walk->mark);
    walk->at = bit;
}
