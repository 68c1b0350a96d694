/* The markers of a JPEG, one after the other, as far as its first scan. */
#ifndef LEAVEN_TURBO_MARKERS_H
#define LEAVEN_TURBO_MARKERS_H

#include "turbo.h"

enum {
    LT_SOF0 = 0xC0,
    LT_SOF2 = 0xC2,
    LT_DHT = 0xC4,
    LT_JPG = 0xC8,
    LT_RST0 = 0xD0,
    LT_SOI = 0xD8,
    LT_EOI = 0xD9,
    LT_SOS = 0xDA,
    LT_DQT = 0xDB,
    LT_DRI = 0xDD,
    LT_DHP = 0xDE,
    LT_EXP = 0xDF,
    LT_APP0 = 0xE0,
    LT_APP1 = 0xE1,
    LT_APP14 = 0xEE,
    LT_APP15 = 0xEF,
    LT_COM = 0xFE
};

typedef struct {
    int code;
    size_t at;           /* of the 0xFF right before the code */
    const uint8_t *body; /* what follows the length */
    size_t size;         /* of the body */
} lt_marker;

/* Read the marker at *at, which moves behind it. Fill bytes, and markers that have no body, are passed over.
 * LT_DAMAGED: there is none, it reaches beyond the file, or it is one that cannot come before a scan. */
lt_status lt_next_marker(lt_bytes jpeg, size_t *at, lt_marker *marker, lt_error *error);

/* Whether a marker begins a frame: SOF0 to SOF15, but for DHT, JPG and DAC, which lie among them. */
int lt_begins_frame(int code);

/* Whether it is one that libjpeg decides the colour by. */
int lt_is_jfif(const lt_marker *marker);
int lt_is_adobe(const lt_marker *marker);

/* Whether a byte after 0xFF is that of a restart marker, or of one that entropy-coded data can end with. */
int lt_is_restart(int code);
int lt_ends_scan(int code);

/* The two bytes at `bytes` as a number. */
static inline uint32_t lt_u16(const uint8_t *bytes) { return (uint32_t)bytes[0] << 8 | bytes[1]; }

#endif
