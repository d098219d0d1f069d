/* uses: base isa wire reference */
/* The reference runtime without one feature, or several: `--without FEATURE`. It says that it does
 * not have it, and rejects programs that use it. What uses it is found here by a way of its own,
 * and not by that of the harness. What follows is the worker's own command line. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "reference.h"
#include "wire/wire.h"

struct form {
    uint32_t feature;
    uint8_t opcode, src;
    bool any_imm; /* whatever the immediate */
    uint32_t first, last;
};

static const struct form forms[] = {
    {CTS_FEAT_LOCAL_CALL, 0x85, 1, true, 0, 0},
    {CTS_FEAT_MAP_FD, 0x18, 1, true, 0, 0},
    {CTS_FEAT_MAP_FD, 0x18, 2, true, 0, 0},
    {CTS_FEAT_VAR, 0x18, 3, true, 0, 0},
    {CTS_FEAT_CODE, 0x18, 4, true, 0, 0},
    {CTS_FEAT_CODE, 0x85, 0, false, 181, 181},
    {CTS_FEAT_MAP_IDX, 0x18, 5, true, 0, 0},
    {CTS_FEAT_MAP_IDX, 0x18, 6, true, 0, 0},
    {CTS_FEAT_BTF_CALL, 0x85, 2, true, 0, 0},
    {CTS_FEAT_PACKET, 0x20, 0, true, 0, 0},
    {CTS_FEAT_PACKET, 0x28, 0, true, 0, 0},
    {CTS_FEAT_PACKET, 0x30, 0, true, 0, 0},
    {CTS_FEAT_PACKET, 0x40, 255, true, 0, 0},
    {CTS_FEAT_PACKET, 0x48, 255, true, 0, 0},
    {CTS_FEAT_PACKET, 0x50, 255, true, 0, 0},
    {CTS_FEAT_HELPER_MAP, 0x85, 0, false, 1, 1},
    {CTS_FEAT_HELPER_CSUM, 0x85, 0, false, 28, 28},
    {CTS_FEAT_HELPER_TEST, 0x85, 0, false, 0x7000, 0x70ff},
    {CTS_FEAT_DATA_HELPER, 0x85, 0, false, CTS_DATA_HELPERS, CTS_DATA_HELPERS},
    {CTS_FEAT_TAIL_CALL, 0x85, 0, false, 12, 12},
    {CTS_FEAT_CALLX, 0x8d, 255, true, 0, 0},
    {CTS_FEAT_GOTOX, 0x0d, 255, true, 0, 0},
    {CTS_FEAT_STACK_ARGS, 0x79, 11, true, 0, 0},
};

/* A probe gets no argument of ours, so the choice has to stand here. */
static uint32_t without;
static bool be;

static int probe(void **self, unsigned engine, struct cts_caps *caps, struct cts_err *err)
{
    int rc = cts_reference_adapter.probe(self, engine, caps, err);
    if (rc == 0) {
        caps->features &= ~without;
        be = caps->be;
    }
    return rc;
}

static bool is_form(const struct form *f, const uint8_t *slot)
{
    uint8_t src = be ? slot[1] & 15 : slot[1] >> 4;
    uint32_t imm = be ? cts_get32be(slot + 4) : cts_get32le(slot + 4);
    return f->feature & without && f->opcode == slot[0] && (f->src == 255 || f->src == src) &&
           (f->any_imm || (imm >= f->first && imm <= f->last));
}

static bool is_refused(const struct cts_load_req *req)
{
    if (without & CTS_FEAT_PACKET && req->packet)
        return true;
    for (uint32_t i = 0; i < req->slots; i++) {
        for (size_t k = 0; k < CTS_ARRAY_LEN(forms); k++)
            if (is_form(&forms[k], req->code + (size_t)i * 8))
                return true;
        i += req->code[(size_t)i * 8] == 0x18;
    }
    return false;
}

static void load(void *self, const struct cts_load_req *req, void **prog, struct cts_load_res *res)
{
    if (is_refused(req)) {
        res->verdict = CTS_LOAD_REJECTED;
        snprintf(res->text, sizeof(res->text), "no such feature here");
    } else {
        cts_reference_adapter.load(self, req, prog, res);
    }
}

int main(int argc, char **argv)
{
    struct cts_adapter adapter = cts_reference_adapter;
    while (argc > 2 && strcmp(argv[1], "--without") == 0) {
        uint32_t feature = cts_feature_find(argv[2]);
        without |= feature;
        if (!feature) {
            fprintf(stderr, "--without %s: no such feature\n", argv[2]);
            return 2;
        }
        argv[2] = argv[0];
        argv += 2;
        argc -= 2;
    }
    adapter.probe = probe;
    adapter.load = load;
    return cts_worker_main(argc, argv, &adapter);
}
