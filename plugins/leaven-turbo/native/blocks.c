#include "blocks.h"

#include "idct.h"
#include "markers.h"
#include "planes.h"
#include "stream.h"

enum { MARKER = 2, SPARE = 64 };

/* What becomes of the blocks of a component. */
typedef struct {
    int log_size;
    int16_t quantisers[64];
    uint8_t *out; /* the first sample of the MCU that is next */
    size_t stride, step;
} component;

typedef struct {
    lt_bytes jpeg;
    const lt_header *header;
    const lt_index *index;
    lt_mcus mcus;
    int interval;    /* MCUs between restart markers; 0: there are none */
    int64_t segment; /* number of the restart segment that the stream is in */
    int64_t mcu;     /* number of the MCU that is next in the stream */
    int64_t dc[3];
    component components[3];
    size_t offset[LT_MOST_BLOCKS]; /* of a block's first sample from that of its MCU */
    const lt_inverse *inverses;
    int waiting[3];                /* blocks of the pairs: 0 or 1 */
    lt_pair pairs[3];              /* by size: 2, 4 and 8 samples */
    uint8_t nowhere[64];
    lt_scan scan;
    lt_stream stream;
} decoding;

static lt_status check(const lt_header *header, const lt_index *index, lt_mcus mcus, lt_error *error);
static lt_status begin(decoding *decoding, int n, lt_error *error);
static lt_status lay_out(decoding *decoding, int n, lt_planes *planes, lt_scratch *scratch, lt_error *error);
static void place_blocks(decoding *decoding);
static lt_status decode_row(decoding *decoding, int row, lt_error *error);
static lt_status go_to(decoding *decoding, int row, lt_error *error);
static lt_status go_to_segment(decoding *decoding, int64_t number, lt_error *error);
static lt_status find_segment(decoding *decoding, int64_t number, lt_error *error);
static lt_status open_marked(decoding *decoding, size_t i, lt_error *error);
static lt_status open_walked(decoding *decoding, int row, lt_error *error);
static lt_status close_walked(decoding *decoding, int row, lt_error *error);
static lt_status next_segment(decoding *decoding, lt_error *error);
static lt_status check_restart(const decoding *decoding, int64_t number, int code, lt_error *error);
static int has_markers(const uint8_t *from, const uint8_t *end);
static void restart(decoding *decoding, int64_t number, const uint8_t *from, const uint8_t *end);
static lt_status decode_mcu(decoding *decoding, lt_error *error);
static int decode_blocks(decoding *decoding);
static void flush(decoding *decoding);

lt_status lt_decode_mcus(lt_bytes jpeg, const lt_header *header, const lt_index *index, lt_mcus mcus, int n,
                         lt_planes *planes, lt_scratch *scratch, lt_error *error) {
    decoding decoding;
    decoding.jpeg = jpeg;
    decoding.header = header;
    decoding.index = index;
    decoding.mcus = mcus;
    lt_status status = check(header, index, mcus, error);
    if (status == LT_OK) status = begin(&decoding, n, error);
    if (status == LT_OK) status = lay_out(&decoding, n, planes, scratch, error);
    for (int row = mcus.top; status == LT_OK && row < mcus.bottom; row++) status = decode_row(&decoding, row, error);
    if (status == LT_OK) flush(&decoding);
    if (status == LT_DAMAGED && index != NULL && index->kind == LT_WALKED) status = LT_BAD_INDEX;
    return status;
}

static lt_status check(const lt_header *header, const lt_index *index, lt_mcus mcus, lt_error *error) {
    if (mcus.left < 0 || mcus.left >= mcus.right || mcus.right > header->mcus_per_row || mcus.top < 0 ||
        mcus.top >= mcus.bottom || mcus.bottom > header->mcu_rows)
        return lt_fail(error, LT_BAD_ARGUMENT, "MCUs %d to %d of %d, rows %d to %d of %d", mcus.left, mcus.right,
                       header->mcus_per_row, mcus.top, mcus.bottom, header->mcu_rows);
    if (index == NULL) return LT_OK;
    int interval = index->interval;
    if (interval >= 1 && header->mcus_per_row % interval == 0 &&
        index->count == (size_t)header->mcu_rows * (size_t)(header->mcus_per_row / interval))
        return LT_OK;
    return lt_fail(error, LT_BAD_INDEX, "%zu segments of %d MCUs, and %d rows of %d", index->count, interval,
                   header->mcu_rows, header->mcus_per_row);
}

static lt_status begin(decoding *decoding, int n, lt_error *error) {
    const lt_header *header = decoding->header;
    int16_t quantisers[3][64];
    lt_status status = lt_open_scan(decoding->jpeg, header, LT_STEPS | LT_COEFFICIENTS, &decoding->scan, error);
    if (status == LT_OK) status = lt_read_quantisers(decoding->jpeg, header, quantisers, error);
    if (status != LT_OK) return status;
    for (int i = 0; i < header->components; i++) {
        component *component = &decoding->components[i];
        int size = lt_dct_size(header, i, n);
        component->log_size = size == 8 ? 3 : size / 2;
        memcpy(component->quantisers, quantisers[i], sizeof component->quantisers);
    }
    const lt_index *index = decoding->index;
    decoding->interval = index == NULL ? header->restart_interval : index->kind == LT_MARKED ? index->interval : 0;
    decoding->inverses = lt_best_inverses();
    memset(decoding->waiting, 0, sizeof decoding->waiting);
    memset(decoding->pairs, 0, sizeof decoding->pairs);
    lt_stream_init(&decoding->stream, decoding->jpeg);
    restart(decoding, 0, decoding->jpeg.data + header->scan_at, decoding->jpeg.data + decoding->jpeg.size);
    return LT_OK;
}

/* Lay the planes out in the scratch: whole MCUs in both directions. */
static lt_status lay_out(decoding *decoding, int n, lt_planes *planes, lt_scratch *scratch, lt_error *error) {
    const lt_header *header = decoding->header;
    lt_mcus mcus = decoding->mcus;
    int left = mcus.left * header->mcu_width, top = mcus.top * header->mcu_height;
    int right = mcus.right * header->mcu_width, bottom = mcus.bottom * header->mcu_height;
    if (right > (int)header->width) right = (int)header->width;
    if (bottom > (int)header->height) bottom = (int)header->height;
    planes->count = header->components;
    planes->color = header->color;
    size_t total = 0, starts[3];
    for (int i = 0; i < header->components; i++) {
        component *component = &decoding->components[i];
        int size = 1 << component->log_size, h = header->h[i] * size, v = header->v[i] * size;
        int most_h = 8 * header->max_h, most_v = 8 * header->max_v;
        planes->x[i] = left;
        planes->y[i] = top;
        planes->dx[i] = (double)most_h / h;
        planes->dy[i] = (double)most_v / v;
        planes->width[i] = (int)(((int64_t)(right - left) * h + most_h - 1) / most_h);
        planes->height[i] = (int)(((int64_t)(bottom - top) * v + most_v - 1) / most_v);
        component->step = (size_t)(header->components == 1 ? size : h);
        component->stride = (component->step * (size_t)(mcus.right - mcus.left) + 63) & ~(size_t)63;
        planes->stride[i] = component->stride;
        starts[i] = total;
        total += component->stride * (size_t)(mcus.bottom - mcus.top) * (size_t)(header->components == 1 ? size : v);
        total += SPARE;
    }
    uint8_t *room = lt_scratch_room(scratch, total);
    if (room == NULL) return lt_fail(error, LT_NO_MEMORY, "no memory for an image of %d x %d pixels", bottom - top, right - left);
    for (int i = 0; i < header->components; i++) planes->data[i] = decoding->components[i].out = room + starts[i];
    place_blocks(decoding);
    return LT_OK;
}

static void place_blocks(decoding *decoding) {
    const lt_header *header = decoding->header;
    size_t *offset = decoding->offset;
    for (int i = 0; i < header->components; i++) {
        const component *component = &decoding->components[i];
        int across = header->components == 1 ? 1 : header->h[i], down = header->components == 1 ? 1 : header->v[i];
        for (int row = 0; row < down; row++)
            for (int column = 0; column < across; column++)
                *offset++ = ((size_t)row * component->stride + (size_t)column) << component->log_size;
    }
}

static lt_status decode_row(decoding *decoding, int row, lt_error *error) {
    const lt_header *header = decoding->header;
    lt_mcus mcus = decoding->mcus;
    uint8_t *starts[3];
    for (int i = 0; i < header->components; i++) starts[i] = decoding->components[i].out;
    lt_status status = go_to(decoding, row, error);
    for (int column = mcus.left; status == LT_OK && column < mcus.right; column++) {
        if (decoding->interval != 0 && decoding->mcu == (decoding->segment + 1) * decoding->interval)
            status = next_segment(decoding, error);
        if (status == LT_OK) status = decode_mcu(decoding, error);
    }
    for (int i = 0; i < header->components; i++) {
        component *component = &decoding->components[i];
        size_t lines = (size_t)(header->components == 1 ? 1 : header->v[i]) << component->log_size;
        component->out = starts[i] + lines * component->stride;
    }
    if (status == LT_OK && decoding->index != NULL && decoding->index->kind == LT_WALKED)
        status = close_walked(decoding, row, error);
    return status;
}

/* Bring the stream to the first MCU of a row of the rectangle. */
static lt_status go_to(decoding *decoding, int row, lt_error *error) {
    int64_t target = (int64_t)row * decoding->header->mcus_per_row + decoding->mcus.left;
    lt_status status = LT_OK;
    if (decoding->index != NULL && decoding->index->kind == LT_WALKED) status = open_walked(decoding, row, error);
    else if (decoding->interval != 0) status = go_to_segment(decoding, target / decoding->interval, error);
    if (status != LT_OK) return status;
    int count = (int)(target - decoding->mcu);
    decoding->mcu = target;
    return lt_stream_skip(&decoding->stream, &decoding->scan, count, decoding->dc, error);
}

static lt_status go_to_segment(decoding *decoding, int64_t number, lt_error *error) {
    if (decoding->index != NULL) return open_marked(decoding, (size_t)number, error);
    return number == decoding->segment ? LT_OK : find_segment(decoding, number, error);
}

/* Search for the restart marker that a later segment begins with. */
static lt_status find_segment(decoding *decoding, int64_t number, lt_error *error) {
    const uint8_t *from = decoding->stream.stop, *end = decoding->jpeg.data + decoding->jpeg.size;
    int64_t found = decoding->segment;
    while (found < number) {
        from = memchr(from, 0xFF, (size_t)(end - from));
        if (from == NULL || end - from < 2) return lt_fail(error, LT_DAMAGED, "its data end before the picture does");
        from++;
        if (*from == 0 || *from == 0xFF) continue;
        lt_status status = check_restart(decoding, ++found, *from++, error);
        if (status != LT_OK) return status;
    }
    restart(decoding, number, from, end);
    return LT_OK;
}

/* Begin a segment that lies where the index says: between the two markers that it has to, and with none within. */
static lt_status open_marked(decoding *decoding, size_t i, lt_error *error) {
    const lt_index *index = decoding->index;
    lt_bytes jpeg = decoding->jpeg;
    uint64_t begin = index->at[i], end = index->at[i + 1];
    if (begin < decoding->header->scan_at || end > jpeg.size || end < MARKER || end - MARKER < begin)
        return lt_fail(error, LT_BAD_INDEX, "segment %zu does not lie within the file", i);
    const uint8_t *from = jpeg.data + begin, *stop = jpeg.data + end - MARKER;
    int is_first = i == 0, is_last = i + 1 == index->count;
    int begins = is_first ? begin == decoding->header->scan_at
                          : from[-2] == 0xFF && from[-1] == LT_RST0 + (int)((i - 1) & 7);
    int ends = stop[0] == 0xFF && (is_last ? lt_ends_scan(stop[1]) : stop[1] == LT_RST0 + (int)(i & 7));
    if (!begins || !ends) return lt_fail(error, LT_BAD_INDEX, "segment %zu does not lie between its markers", i);
    restart(decoding, (int64_t)i, from, stop + MARKER);
    if (has_markers(decoding->stream.stop, stop))
        return lt_fail(error, LT_BAD_INDEX, "segment %zu has markers within", i);
    return LT_OK;
}

static int has_markers(const uint8_t *from, const uint8_t *end) {
    while (from < end && (from = memchr(from, 0xFF, (size_t)(end - from))) != NULL) {
        if (from[1] != 0 && from[1] != 0xFF) return 1;
        from++;
    }
    return 0;
}

static lt_status open_walked(decoding *decoding, int row, lt_error *error) {
    const lt_index *index = decoding->index;
    lt_bytes jpeg = decoding->jpeg;
    int per_row = decoding->header->mcus_per_row / index->interval;
    size_t i = (size_t)row * (size_t)per_row + (size_t)(decoding->mcus.left / index->interval);
    size_t next = (size_t)row * (size_t)per_row + (size_t)((decoding->mcus.right - 1) / index->interval) + 1;
    uint64_t begin = index->at[i] / 8, end = index->at[next] / 8;
    if (begin < decoding->header->scan_at || begin > end || end > jpeg.size)
        return lt_fail(error, LT_BAD_INDEX, "segment %zu does not lie within the file", i);
    end = jpeg.size - end < 2 ? jpeg.size : end + 2; /* with the last byte, and what is stuffed in behind it */
    lt_stream_open(&decoding->stream, jpeg.data + begin, jpeg.data + end);
    decoding->stream.at = index->at[i] % 8;
    for (int c = 0; c < 3; c++) decoding->dc[c] = index->dc[i][c];
    decoding->mcu = (int64_t)i * index->interval;
    return LT_OK;
}

/* The segment behind the last one that was touched has to begin where the index says. */
static lt_status close_walked(decoding *decoding, int row, lt_error *error) {
    const lt_index *index = decoding->index;
    size_t next = (size_t)((decoding->mcu + index->interval - 1) / index->interval);
    int count = (int)((int64_t)next * index->interval - decoding->mcu);
    lt_status status = lt_stream_skip(&decoding->stream, &decoding->scan, count, decoding->dc, error);
    if (status == LT_OK && lt_stream_place(&decoding->stream) != index->at[next])
        status = lt_fail(error, LT_BAD_INDEX, "segment %zu does not begin where the one before ends, in row %d", next, row);
    return status;
}

/* Pass over the restart marker that the stream has come to. */
static lt_status next_segment(decoding *decoding, lt_error *error) {
    lt_stream *stream = &decoding->stream;
    int64_t number = decoding->segment + 1;
    lt_status status = lt_stream_finish(stream, error);
    if (status != LT_OK) return status;
    if (decoding->index != NULL) return open_marked(decoding, (size_t)number, error);
    status = check_restart(decoding, number, *stream->stop, error);
    if (status == LT_OK) restart(decoding, number, stream->stop + 1, decoding->jpeg.data + decoding->jpeg.size);
    return status;
}

static lt_status check_restart(const decoding *decoding, int64_t number, int code, lt_error *error) {
    int expected = (int)((number - 1) & 7);
    (void)decoding;
    if (code == LT_RST0 + expected) return LT_OK;
    return lt_fail(error, LT_DAMAGED, "marker 0x%02x in the place of restart marker %d", code, expected);
}

static void restart(decoding *decoding, int64_t number, const uint8_t *from, const uint8_t *end) {
    decoding->segment = number;
    decoding->mcu = number * decoding->interval;
    memset(decoding->dc, 0, sizeof decoding->dc);
    lt_stream_open(&decoding->stream, from, end);
}

static lt_status decode_mcu(decoding *decoding, lt_error *error) {
    lt_stream *stream = &decoding->stream;
    lt_stream_need(stream);
    if (!decode_blocks(decoding)) return lt_fail(error, LT_DAMAGED, "a bit pattern that is no code");
    if (lt_stream_overrun(stream)) return lt_fail(error, LT_DAMAGED, "its data end before the picture does");
    decoding->mcu++;
    for (int i = 0; i < decoding->header->components; i++) decoding->components[i].out += decoding->components[i].step;
    return LT_OK;
}

/* 0: no code */
static int decode_blocks(decoding *decoding) {
    static const uint8_t PLACES[64] = {
        0,  1,  16, 32, 17, 2,  3,  18, 33, 48, 64, 49, 34, 19, 4,  5,   20,  35, 50,  65,  80,  96,
        81, 66, 51, 36, 21, 6,  7,  22, 37, 52, 67, 82, 97, 112, 113, 98, 83, 68, 53, 38, 23, 39,
        54, 69, 84, 99, 114, 115, 100, 85, 70, 55, 71, 86, 101, 116, 117, 102, 87, 103, 118, 119};
    lt_stream *stream = &decoding->stream;
    const lt_scan *scan = &decoding->scan;
    lt_bits bits = lt_bits_at(stream->window, stream->at);
    for (int i = 0; i < scan->blocks; i++) {
        int c = scan->block[i].component, difference;
        component *component = &decoding->components[c];
        uint8_t *out = component->out + decoding->offset[i];
        if (!lt_step_dc(&bits, scan->block[i].dc, &difference)) return 0;
        int16_t dc = (int16_t)(uint16_t)(decoding->dc[c] += difference);
        if (component->log_size == 0) {
            if (!lt_step_ac(&bits, scan->block[i].ac)) return 0;
            lt_fill_block(dc, component->quantisers[0], 0, out, component->stride);
            continue;
        }
        int which = component->log_size - 1, lane = decoding->waiting[which];
        lt_pair *pair = &decoding->pairs[which];
        int16_t *block = pair->coefficients + 8 * lane;
        unsigned last;
        if (!lt_read_ac(&bits, scan->block[i].ac, PLACES, block, &last)) return 0;
        if (last == 0) {
            lt_fill_block(dc, component->quantisers[0], component->log_size, out, component->stride);
            continue;
        }
        block[0] = dc;
        pair->quantisers[lane] = component->quantisers;
        pair->out[lane] = out;
        pair->stride[lane] = component->stride;
        if (lane == 1) decoding->inverses[which](pair);
        decoding->waiting[which] = !lane;
    }
    stream->at = lt_bits_place(&bits, stream->window);
    return 1;
}

/* Transform the blocks that are still waiting for another one. */
static void flush(decoding *decoding) {
    for (int which = 0; which < 3; which++) {
        lt_pair *pair = &decoding->pairs[which];
        if (decoding->waiting[which] == 0) continue;
        pair->quantisers[1] = pair->quantisers[0];
        pair->out[1] = decoding->nowhere;
        pair->stride[1] = 8;
        decoding->inverses[which](pair);
    }
}
