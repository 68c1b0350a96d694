/* Bits in the order of a JPEG, the highest of each byte first, and the zeroes that are stuffed in behind each 0xFF. */
#ifndef LEAVEN_TURBO_BITS_H
#define LEAVEN_TURBO_BITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t lt_load64(const uint8_t *bytes) {
    uint64_t word;
    memcpy(&word, bytes, 8);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline void lt_store64(uint8_t *bytes, uint64_t word) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    memcpy(bytes, &word, 8);
}

/* Copy entropy-coded bytes without the stuffed zeroes, at most `room` of them. *stop is where it ended: with the room,
 * with the data, or at a 0xFF that no zero follows (a marker, or the data's last byte). */
static inline size_t lt_unstuff(const uint8_t *from, const uint8_t *end, uint8_t *out, size_t room,
                                const uint8_t **stop) {
    size_t made = 0;
    while (made < room && from < end) {
        size_t most = (size_t)(end - from) < room - made ? (size_t)(end - from) : room - made;
        const uint8_t *found = memchr(from, 0xFF, most);
        size_t plain = found == NULL ? most : (size_t)(found - from);
        memcpy(out + made, from, plain);
        made += plain;
        from += plain;
        if (found == NULL) continue;
        if (end - from < 2 || from[1] != 0) break;
        out[made++] = 0xFF;
        from += 2;
    }
    *stop = from;
    return made;
}

/* Where in stuffed bytes `count` bytes that were not stuffed in have gone by. There have to be as many. */
static inline const uint8_t *lt_skip_stuffed(const uint8_t *from, size_t count) {
    const uint8_t *found;
    while (count > 0 && (found = memchr(from, 0xFF, count)) != NULL) {
        count -= (size_t)(found - from) + 1;
        from = found + 2;
    }
    return from + count;
}

/* Copy bytes and stuff in the zeroes: at most twice as many come out. */
static inline size_t lt_stuff(const uint8_t *from, size_t count, uint8_t *out) {
    uint8_t *start = out;
    const uint8_t *found;
    while (count > 0 && (found = memchr(from, 0xFF, count)) != NULL) {
        size_t plain = (size_t)(found - from) + 1;
        memcpy(out, from, plain);
        out += plain;
        *out++ = 0;
        from += plain;
        count -= plain;
    }
    if (count > 0) memcpy(out, from, count);
    return (size_t)(out + count - start);
}

#endif
