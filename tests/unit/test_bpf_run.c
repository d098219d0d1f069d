/* uses: base isa wire rt_bpf_run */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "rt_bpf_run/bpf_run.h"

/* What the simulator of GDB 16.3 says, word for word, and what it means. */
static const struct {
    enum cts_child_end end;
    int number;
    const char *out, *err;
    enum bpf_run_kind kind;
    uint64_t r0;
    const char *words;
} runs[] = {
    {CTS_CHILD_EXITED, 0, "exit 5 (0x5)\n", "", BPF_RUN_EXITED, 5, ""},
    {CTS_CHILD_EXITED, 0, "exit -1 (0xffffffffffffffff)\n", "", BPF_RUN_EXITED, UINT64_MAX, ""},
    {CTS_CHILD_EXITED, 0, "exit 9223372036854775807 (0x7fffffffffffffff)\n", "", BPF_RUN_EXITED,
     INT64_MAX, ""},
    {CTS_CHILD_EXITED, 0, "exit -9223372036854775808 (0x8000000000000000)\n", "", BPF_RUN_EXITED,
     UINT64_C(1) << 63, ""},
    {CTS_CHILD_EXITED, 11, "",
     "core: 8 byte read to unmapped address 0x0 at 0x0\n"
     "program stopped with signal 11 (Segmentation fault).\n",
     BPF_RUN_STOPPED, 0, "program stopped with signal 11 (Segmentation fault)."},
    {CTS_CHILD_SIGNALED, 6, "", "couldn' execute instruction at PC 0x8\n", BPF_RUN_NO_INSTRUCTION,
     0, "couldn' execute instruction at PC 0x8"},
    {CTS_CHILD_SIGNALED, 6, "", "couldn't decode instruction at PC 0x8\n", BPF_RUN_NO_INSTRUCTION,
     0, "couldn't decode instruction at PC 0x8"},
    {CTS_CHILD_SIGNALED, 8, "", "", BPF_RUN_CRASHED, 0, "bpf-run: signal 8 (SIGFPE)"},
    {CTS_CHILD_SIGNALED, 8, "exit 5 (0x5)\n", "", BPF_RUN_CRASHED, 0, "bpf-run: signal 8 (SIGFPE)"},
    {CTS_CHILD_TIMED_OUT, 0, "exit 5 (0x5)\n", "", BPF_RUN_ENDLESS, 0,
     "bpf-run: did not end within 1000 ms"},
    {CTS_CHILD_FLOODED, 0, "exit 5 (0x5)\n", "program stopped with signal 11\n", BPF_RUN_BROKE, 0,
     "bpf-run: wrote more than 4194304 bytes: program stopped with signal 11"},
    {CTS_CHILD_EXITED, 0, "", "", BPF_RUN_BROKE, 0, "bpf-run: exit 0"},
    {CTS_CHILD_EXITED, 0, "exit 5\n", "", BPF_RUN_BROKE, 0, "bpf-run: exit 0"},
    {CTS_CHILD_EXITED, 0, "exit 5 (0x6)\n", "", BPF_RUN_BROKE, 0, "bpf-run: exit 0"},
    {CTS_CHILD_EXITED, 0, "an exit 5 (0x5)\n", "", BPF_RUN_BROKE, 0, "bpf-run: exit 0"},
    {CTS_CHILD_EXITED, 0, "exit 5 (0x5) or so\n", "", BPF_RUN_BROKE, 0, "bpf-run: exit 0"},
    {CTS_CHILD_EXITED, 0, "exit 99999999999999999999 (0x7fffffffffffffff)\n", "", BPF_RUN_BROKE, 0,
     "bpf-run: exit 0"},
    {CTS_CHILD_EXITED, 1, "exit 5 (0x5)\n", "no memory\nat all\n", BPF_RUN_BROKE, 0,
     "bpf-run: exit 1: no memory"},
};

static void test_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < CTS_ARRAY_LEN(runs); i++) {
        char out[256], err[256];
        struct bpf_run_said said;
        snprintf(out, sizeof(out), "%s", runs[i].out);
        snprintf(err, sizeof(err), "%s", runs[i].err);
        const struct cts_child run = {.timeout_ms = 1000,
                                      .out = {.text = out, .len = strlen(out)},
                                      .err = {.text = err, .len = strlen(err)},
                                      .end = runs[i].end,
                                      .number = runs[i].number};
        bpf_run_listen(&run, &said);
        if (said.kind != runs[i].kind || said.r0 != runs[i].r0 ||
            strcmp(said.words, runs[i].words) != 0)
            fail_msg("%zu: %d, 0x%llx, %s", i, said.kind, (unsigned long long)said.r0, said.words);
    }
}

/* The object that the simulator gets, and where things are. */
static void test_machine(void **state)
{
    struct bpf_run_machine m = {.code_fd = -1, .window_fd = -1};
    struct cts_err err = {.code = 0};
    uint32_t address;
    (void)state;
    assert_int_equal(bpf_run_machine_open(&m, &err), 0);
    assert_memory_equal(m.elf, "\177ELF\2\1\1", 7);
    assert_int_equal(cts_get16le(m.elf + 18), 247);
    assert_true(cts_get64le(m.elf + 24) == BPF_RUN_CODE_AT);
    assert_true(cts_get64le(m.elf + 40) + 3 * 64 == m.elf_bytes);
    assert_int_equal(m.lead, 4 * CTS_SLOT_BYTES);

    uint8_t *code = bpf_run_machine_clear(&m, 3);
    assert_ptr_equal(code, m.code + m.lead);
    uint8_t *page = bpf_run_machine_page(&m, 3, &address);
    assert_true(page >= code + 4 * CTS_SLOT_BYTES);
    assert_int_equal(address - BPF_RUN_CODE_AT, page - m.code);
    assert_int_equal(address % 4096, 0);
    memset(code, 0xff, 3 * CTS_SLOT_BYTES);
    page[0] = 1;
    code = bpf_run_machine_clear(&m, 3);
    assert_int_equal(code[0], 0);
    assert_int_equal(page[0], 0);
    /* The longest program, and a zero slot behind it. */
    page = bpf_run_machine_page(&m, BPF_RUN_MOST_SLOTS, &address);
    assert_true(page >= m.code + m.lead + (BPF_RUN_MOST_SLOTS + 1) * CTS_SLOT_BYTES);
    bpf_run_machine_clear(&m, BPF_RUN_MOST_SLOTS);
    bpf_run_machine_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
