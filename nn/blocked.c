/* blocked: the layout of activations (see conv.h). */
#include "nn/conv.h"

static size_t block_of(isa_t isa, size_t channels)
{
    return channels == 1 ? 1 : isa_block(isa);
}

size_t blocked_size(isa_t isa, size_t channels, const size_t extent[3])
{
    size_t b = block_of(isa, channels);
    return (channels + b - 1) / b * b * extent[0] * extent[1] * extent[2];
}

void blocked_pack(isa_t isa, const float *plain, size_t channels, const size_t extent[3], float *blocked)
{
    size_t b = block_of(isa, channels), len = extent[0] * extent[1] * extent[2];
    for (size_t c0 = 0; c0 < channels; c0 += b, blocked += len * b) {
        size_t m = channels - c0 < b ? channels - c0 : b;
        for (size_t i = 0; i < len; i++) {
            for (size_t c = 0; c < m; c++) blocked[i * b + c] = plain[(c0 + c) * len + i];
            for (size_t c = m; c < b; c++) blocked[i * b + c] = 0;
        }
    }
}

void blocked_unpack(isa_t isa, const float *blocked, size_t channels, const size_t extent[3], float *plain)
{
    size_t b = block_of(isa, channels), len = extent[0] * extent[1] * extent[2];
    for (size_t c = 0; c < channels; c++) {
        const float *from = blocked + c / b * b * len + c % b;
        for (size_t i = 0; i < len; i++) plain[c * len + i] = from[i * b];
    }
}
