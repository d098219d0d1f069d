#include "rt_prevail/prevail.h"
#include "wire/worker.h"

int main(int argc, char **argv)
{
    return cts_worker_main(argc, argv, &cts_prevail_adapter);
}
