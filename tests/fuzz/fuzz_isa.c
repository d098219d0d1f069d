/* uses: base isa */
/* Bytes to instructions and back: what decodes encodes to the same bytes; anything can be printed.
 */
#include <stdlib.h>
#include <string.h>

#include "isa/isa.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void one(const uint8_t *at, size_t slots, bool be)
{
    struct cts_insn in;
    enum cts_insn_id row;
    uint8_t bytes[16];
    char text[256];
    int taken = cts_decode(at, slots, be, &in, &row, NULL);
    int printed = cts_disasm(at, slots, be, text, sizeof(text));
    if (printed < 1 || strlen(text) >= sizeof(text))
        abort();
    if (taken < 0)
        return;
    if (cts_encode(row, &in, be, bytes, NULL) != taken ||
        memcmp(bytes, at, (size_t)taken * CTS_SLOT_BYTES) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t at = 0; at + CTS_SLOT_BYTES <= size; at += CTS_SLOT_BYTES) {
        one(data + at, (size - at) / CTS_SLOT_BYTES, false);
        one(data + at, (size - at) / CTS_SLOT_BYTES, true);
    }
    return 0;
}
