#include "ub.h"

int main(int argc, char **argv)
{
    return cts_worker_main(argc, argv, &cts_ub_adapter);
}
