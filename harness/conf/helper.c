#include "base/limits.h"
#include "conf/impl.h"

int32_t cts_conf_helper_from(int32_t number)
{
    bool ours = number >= 0 && number < CTS_DATA_HELPERS_COUNT;
    return ours ? number + CTS_DATA_HELPERS : number;
}

int32_t cts_conf_helper_to(int32_t id)
{
    bool ours = id >= CTS_DATA_HELPERS && id < CTS_DATA_HELPERS + CTS_DATA_HELPERS_COUNT;
    return ours ? id - CTS_DATA_HELPERS : id;
}

bool cts_conf_is_helper_call(const struct cts_insn *in)
{
    return in->opcode == CTS_OPCODE_CALL_HELPER && in->src == 0;
}
