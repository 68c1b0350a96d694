/* What the parts of splicing have in common: the file that is being put together. */
#ifndef LEAVEN_TURBO_SPLICE_H
#define LEAVEN_TURBO_SPLICE_H

#include "huffman.h"
#include "turbo.h"

typedef struct {
    uint8_t *data;
    size_t room, size;
} lt_out;

/* Where `count` more bytes can be written: NULL where there is no room. They count as written. */
uint8_t *lt_out_more(lt_out *out, size_t count);
lt_status lt_out_full(const lt_out *out, lt_error *error);

/* splice_head.c: write all markers as far as the scan: those that decoding needs, and no others. `interval` is that of
 * the restart markers, 0 for none. */
typedef struct {
    uint32_t width, height;
    int interval;
} lt_head;
size_t lt_head_bound(const lt_header *header);
lt_status lt_write_head(lt_bytes jpeg, const lt_header *header, const lt_all_codes *codes, const lt_head *head,
                        lt_out *out, lt_error *error);

/* splice_run.c: write the MCUs of a run as a restart segment, which begins on a byte and counts its DC from 0.
 * LT_BAD_INDEX: there are no such MCUs. LT_UNSUPPORTED: a DC difference that has no code. */
lt_status lt_write_run(lt_bytes jpeg, const lt_header *header, const lt_scan *scan, const lt_run *run, lt_out *out,
                       lt_error *error);

#endif
