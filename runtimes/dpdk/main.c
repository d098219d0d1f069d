#include "dpdk.h"

int main(int argc, char **argv)
{
    return cts_worker_main(argc, argv, &cts_dpdk_adapter);
}
