/* uses: base isa wire reference */
/* A plugin of bpf_conformance over the reference machine, and what else a plugin may be:
 *
 *     cts-fake-plugin [MEMORY] [OPTION...] < PROGRAM
 *
 * --mutant N        one row of the instruction set is wrong: number N of the mutants
 * --basis ROW HOW   one row is wrong wherever it is used: see basis.h
 * --no-loops        refuses jumps backwards
 * --no-calls        refuses local calls
 * --narrow          prints 32 bits of the result
 * --helpers         has helpers 0 to 5 of .data files
 * --no-checks       runs whatever it is given, and passes over what it does not know
 * --elf             the program is an object file
 * --stale           its stack at r10 - 400 holds something else each time
 * --always V        prints V, whatever the program
 * --do WHAT         misbehaves if the program has the mark, rX = 0xdead: see misbehave()
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "basis.h"
#include "generated/mutant.h"
#include "isa/isa.h"
#include "reference.h"

enum { MOST_BYTES = 1 << 23, MARK = 0xdead, ELF_HEADER = 64, ELF_SECTION = 64, PROGBITS = 1 };

struct plugin {
    uint8_t *memory, *input, *code;
    size_t memory_bytes, input_bytes, slots;
    cts_exec_fn exec[CTS_INSN_COUNT];
    bool no_loops, no_calls, narrow, elf, helpers, no_checks, stale;
    const char *always, *deed;
};

_Noreturn static void refuse(const char *why)
{
    printf("%s\n", why);
    exit(1);
}

/* As its model does it: words that are no numbers are passed over. */
static size_t read_hex(const char *text, uint8_t *out)
{
    size_t n = 0;
    while (*text && n < MOST_BYTES) {
        char *end;
        unsigned long v = strtoul(text, &end, 16);
        if (end != text)
            out[n++] = (uint8_t)v;
        text = end + strcspn(end, " ");
        text += *text == ' ';
    }
    return n;
}

/* The code in the first section of program bits that is no string. */
static void read_elf(struct plugin *p)
{
    const uint8_t *e = p->input;
    uint64_t sections = cts_get64_host(e + 40);
    unsigned count = cts_get16_host(e + 60);
    if (p->input_bytes < ELF_HEADER || memcmp(e, "\177ELF", 4) != 0 ||
        cts_get16_host(e + 18) != 247)
        refuse("no object file for BPF");
    for (unsigned i = 0; i < count && sections + ELF_SECTION <= p->input_bytes; i++) {
        const uint8_t *s = e + sections + (size_t)i * ELF_SECTION;
        if (cts_get32_host(s + 4) != PROGBITS)
            continue;
        p->code = p->input + cts_get64_host(s + 24);
        p->slots = cts_get64_host(s + 32) / CTS_SLOT_BYTES;
    }
    if (!p->code)
        refuse("an object file without code");
}

static void read_program(struct plugin *p)
{
    char *text = malloc(4 * (size_t)MOST_BYTES);
    size_t n = text ? fread(text, 1, 4 * (size_t)MOST_BYTES - 1, stdin) : 0;
    p->input = malloc(MOST_BYTES);
    if (!text || !p->input)
        refuse("out of memory");
    text[n] = '\0';
    text[strcspn(text, "\n")] = '\0';
    p->input_bytes = read_hex(text, p->input);
    free(text);
    if (p->elf) {
        read_elf(p);
        return;
    }
    p->code = p->input;
    p->slots = p->input_bytes / CTS_SLOT_BYTES;
}

/* Misbehaving. Those that return go on honestly. */

static void hang(void)
{
    for (;;)
        pause();
}

static void leave_a_child(void)
{
    const char *list = getenv("CTS_FAKE_PIDS");
    pid_t pid = fork();
    if (pid == 0) {
        setsid();
        sleep(1000);
        _exit(0);
    }
    FILE *f = list ? fopen(list, "a") : NULL;
    if (f) {
        fprintf(f, "%d\n", (int)pid);
        fclose(f);
    }
}

_Noreturn static void flood(void)
{
    static char block[1 << 16];
    memset(block, '1', sizeof(block));
    for (unsigned i = 0; i < 1024; i++)
        fwrite(block, 1, sizeof(block), stdout);
    exit(0);
}

_Noreturn static void print(const char *text, int code)
{
    fputs(text, stdout);
    exit(code);
}

_Noreturn static void die(void)
{
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
    exit(3);
}

/* With CTS_FAKE_ONCE in the environment: the first time only, which that file remembers. */
static bool is_time(void)
{
    const char *once = getenv("CTS_FAKE_ONCE");
    int fd = once ? open(once, O_WRONLY | O_CREAT | O_EXCL, 0600) : -1;
    if (fd >= 0)
        close(fd);
    return !once || fd >= 0;
}

static void misbehave(const char *deed, uint64_t *r0)
{
    static const struct {
        const char *deed, *says;
        int code;
    } says[] = {
        {"trailing", "3 trailing garbage\n", 0},
        {"negative", "-1\n", 0},
        {"word", "add\n", 0},
        {"nothing", "", 0},
        {"failing", "2a\n", 1},
    };
    for (size_t i = 0; i < CTS_ARRAY_LEN(says); i++)
        if (strcmp(deed, says[i].deed) == 0)
            print(says[i].says, says[i].code);
    if (strcmp(deed, "hang") == 0)
        hang();
    else if (strcmp(deed, "child") == 0)
        leave_a_child();
    else if (strcmp(deed, "flood") == 0)
        flood();
    else if (strcmp(deed, "segv") == 0)
        die();
    else if (strcmp(deed, "unsteady") == 0)
        *r0 ^= (uint64_t)getpid();
}

/* Running. */

static bool jumps_back(const struct cts_insn *in)
{
    unsigned class = in->opcode & 7, op = in->opcode & 0xf0;
    if ((class != 5 && class != 6) || op == 0x80 || op == 0x90)
        return false;
    return class == 6 && op == 0 ? in->imm < 0 : in->off < 0;
}

/* The reference lets it be written. */
static bool writes_r10(const struct cts_insn *in)
{
    unsigned class = in->opcode & 7;
    if ((in->opcode & 0xe7) == 0xc3) /* atomic: fetched values, but not those of cmpxchg */
        return in->src == 10 && in->imm & 1 && in->imm != 0xf1;
    return in->dst == 10 && (class == 0 || class == 1 || class == 4 || class == 7);
}

static void check_program(const struct plugin *p)
{
    for (size_t i = 0; i < p->slots; i++) {
        struct cts_insn in;
        cts_slot_get(p->code + i * CTS_SLOT_BYTES, CTS_HOST_IS_BE, &in);
        if (p->no_loops && jumps_back(&in))
            refuse("back-edge");
        if (p->no_calls && in.opcode == 0x85 && in.src == 1)
            refuse("unknown call");
        if (writes_r10(&in))
            refuse("the frame pointer is read-only");
        i += in.opcode == 0x18;
    }
}

static struct cts_insn insn_at(const struct plugin *p, size_t i)
{
    struct cts_insn in;
    cts_slot_get(p->code + i * CTS_SLOT_BYTES, CTS_HOST_IS_BE, &in);
    return in;
}

static void put(struct plugin *p, size_t i, const struct cts_insn *in)
{
    cts_slot_put(p->code + i * CTS_SLOT_BYTES, CTS_HOST_IS_BE, in);
}

/* The reference knows them by other numbers, and has no helper 5: `exit` takes its place. */
static void number_helpers(struct plugin *p)
{
    for (size_t i = 0; i < p->slots; i++) {
        struct cts_insn in = insn_at(p, i);
        bool call = in.opcode == 0x85 && in.src == 0;
        if (call && in.imm >= 0 && in.imm < 5)
            in.imm += 0x7100;
        else if (call && in.imm == 5)
            in = (struct cts_insn){.opcode = 0x95};
        put(p, i, &in);
        i += in.opcode == 0x18;
    }
}

/* Where an instruction may jump to; false: it does not. */
static bool target_of(const struct cts_insn *in, size_t at, int64_t *target, bool *in_imm)
{
    unsigned class = in->opcode & 7, op = in->opcode & 0xf0;
    *in_imm = (class == 6 && op == 0) || (in->opcode == 0x85 && in->src == 1);
    *target = (int64_t)at + 1 + (*in_imm ? in->imm : in->off);
    return *in_imm || ((class == 5 || class == 6) && op != 0x80 && op != 0x90);
}

static void aim(struct cts_insn *in, size_t at, size_t target, bool in_imm)
{
    int64_t off = (int64_t)target - (int64_t)at - 1;
    if (in_imm)
        in->imm = (int32_t)off;
    else
        in->off = (int16_t)off;
}

/* What is no instruction does nothing; where the program is left, it stops, as a helper is called
 * that is not there. */
static void let_everything_pass(struct plugin *p)
{
    const struct cts_insn nothing = {.opcode = 0x05}, left = {.opcode = 0x85, .imm = 0x6fff};
    const struct cts_insn end = {.opcode = 0x95};
    size_t slots = p->slots;
    put(p, slots, &left);
    put(p, slots + 1, &end);
    p->slots += 2;
    for (size_t i = 0; i < slots; i++) {
        struct cts_insn in;
        enum cts_insn_id row;
        int64_t target;
        bool in_imm;
        int n =
            cts_decode(p->code + i * CTS_SLOT_BYTES, slots - i, CTS_HOST_IS_BE, &in, &row, NULL);
        if (n <= 0 || writes_r10(&in)) {
            put(p, i, &nothing);
        } else if (target_of(&in, i, &target, &in_imm)) {
            bool inside = target >= 0 && (uint64_t)target < slots &&
                          !(target > 0 && insn_at(p, (size_t)target - 1).opcode == 0x18);
            if (!inside)
                aim(&in, i, slots, in_imm);
            put(p, i, &in);
        }
        i += n == 2;
    }
}

/* Of the last program, as it were. */
static void leave_on_stack(struct plugin *p)
{
    const struct cts_insn in = {.opcode = 0x7a, .dst = 10, .off = -400, .imm = (int32_t)getpid()};
    uint8_t *longer = malloc((p->slots + 1) * CTS_SLOT_BYTES);
    if (!longer)
        refuse("out of memory");
    memcpy(longer + CTS_SLOT_BYTES, p->code, p->slots * CTS_SLOT_BYTES);
    p->code = longer;
    p->slots++;
    put(p, 0, &in);
}

static bool has_mark(const struct plugin *p)
{
    for (size_t i = 0; i < p->slots; i++) {
        struct cts_insn in;
        cts_slot_get(p->code + i * CTS_SLOT_BYTES, CTS_HOST_IS_BE, &in);
        if (in.opcode == 0xb7 && in.imm == MARK)
            return true;
    }
    return false;
}

static uint64_t run(struct plugin *p)
{
    static struct cts_load_res loaded;
    static struct cts_run_res ran;
    static void *self, *prog; /* the process ends with them: kept in sight of leak checkers */
    struct cts_caps caps;
    struct cts_err err = {0};
    const struct cts_load_req load = {
        .kind = CTS_PROG_WHOLE, .code = p->code, .slots = (uint32_t)p->slots};
    const struct cts_run_req request = {.iterations = 1,
                                        .packet = p->memory_bytes ? p->memory : NULL,
                                        .packet_bytes = (uint32_t)p->memory_bytes};
    if (cts_reference_open(p->exec, &self, CTS_HOST_IS_BE ? CTS_REFERENCE_BE : CTS_REFERENCE_LE,
                           &caps, &err))
        refuse(err.msg);
    cts_reference_adapter.load(self, &load, &prog, &loaded);
    if (loaded.verdict != CTS_LOAD_ACCEPTED)
        refuse(loaded.text);
    cts_reference_adapter.run(self, prog, &request, &ran);
    if (ran.status != CTS_RUN_COMPLETED)
        refuse(ran.text);
    return ran.r0;
}

static void take_mutant(struct plugin *p, const char *text)
{
    unsigned long n = strtoul(text, NULL, 10);
    if (n >= cts_mutant_count)
        refuse("no such mutant");
    p->exec[cts_mutants[n].row] = cts_mutants[n].fn;
}

static void take_broken_row(struct plugin *p, char ***arg)
{
    if (cts_break_insn(p->exec, (*arg)[1], (*arg)[2]))
        refuse("no such row, or no such way");
    *arg += 2;
}

static void take_options(struct plugin *p, char **arg)
{
    for (; *arg; arg++) {
        if (strcmp(*arg, "--no-loops") == 0)
            p->no_loops = true;
        else if (strcmp(*arg, "--no-calls") == 0)
            p->no_calls = true;
        else if (strcmp(*arg, "--narrow") == 0)
            p->narrow = true;
        else if (strcmp(*arg, "--helpers") == 0)
            p->helpers = true;
        else if (strcmp(*arg, "--no-checks") == 0)
            p->no_checks = true;
        else if (strcmp(*arg, "--stale") == 0)
            p->stale = true;
        else if (strcmp(*arg, "--elf") == 0)
            p->elf = true;
        else if (arg[1] && strcmp(*arg, "--mutant") == 0)
            take_mutant(p, *++arg);
        else if (arg[1] && arg[2] && strcmp(*arg, "--basis") == 0)
            take_broken_row(p, &arg);
        else if (arg[1] && strcmp(*arg, "--always") == 0)
            p->always = *++arg;
        else if (arg[1] && strcmp(*arg, "--do") == 0)
            p->deed = *++arg;
        else
            refuse("no such option, or one without its value");
    }
}

int main(int argc, char **argv)
{
    static struct plugin p;
    char **options = argv + (argc > 0);
    memcpy(p.exec, cts_exec_table, sizeof(p.exec));
    if (*options && strncmp(*options, "--", 2) != 0) {
        p.memory = malloc(strlen(*options) + 1);
        if (!p.memory)
            refuse("out of memory");
        p.memory_bytes = read_hex(*options++, p.memory);
    }
    take_options(&p, options);
    if (p.always)
        print(p.always, 0);
    read_program(&p);
    if (p.helpers)
        number_helpers(&p);
    if (p.no_checks)
        let_everything_pass(&p);
    else
        check_program(&p);
    if (p.stale)
        leave_on_stack(&p);
    uint64_t r0 = run(&p);
    if (p.deed && has_mark(&p) && is_time())
        misbehave(p.deed, &r0);
    printf("%llx\n", (unsigned long long)(p.narrow ? (uint32_t)r0 : r0));
    return 0;
}
