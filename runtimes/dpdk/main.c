#include "dp.h"
#include "dpdk.h"

static int no_fence(void **self, unsigned engine, struct cts_caps *caps, struct cts_err *err)
{
    (void)engine, (void)caps;
    *self = NULL;
    return cts_err_set(err, CTS_E_UNSUPPORTED,
                       "this build has a heap of its own, in which what the library writes behind "
                       "its arrays shows now and then: build without a sanitizer");
}

int main(int argc, char **argv)
{
    struct cts_adapter adapter = cts_dpdk_adapter;
    if (!dp_fence(false))
        adapter.probe = no_fence;
    return cts_worker_main(argc, argv, &adapter);
}
