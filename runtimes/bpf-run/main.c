#include "rt_bpf_run/bpf_run.h"
#include "wire/worker.h"

int main(int argc, char **argv)
{
    return cts_worker_main(argc, argv, &cts_bpf_run_adapter);
}
