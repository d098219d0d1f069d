#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>

#include <linux/capability.h>

#include "lx.h"

#ifndef CAP_BPF
#define CAP_BPF 39
#endif

enum { WORDS = _LINUX_CAPABILITY_U32S_3 };

int cts_lx_keep_cap_bpf(struct cts_err *err)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[WORDS];
    const uint32_t bit = 1u << (CAP_BPF % 32);

    memset(data, 0, sizeof(data));
    if (syscall(SYS_capget, &header, data) < 0)
        return cts_err_set(err, CTS_E_IO, "capget failed");
    if ((data[CAP_BPF / 32].permitted & bit) == 0)
        return cts_err_set(err, CTS_E_UNSUPPORTED, "CAP_BPF is unavailable: run with sudo");
    memset(data, 0, sizeof(data));
    data[CAP_BPF / 32].permitted = bit;
    data[CAP_BPF / 32].effective = bit;
    if (syscall(SYS_capset, &header, data) < 0)
        return cts_err_set(err, CTS_E_IO, "capset failed: capabilities cannot be given up");
    return 0;
}
