/* uses: base host */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/share.h"

/* BPF_MAP_TYPE_ARENA and BPF_F_SEGV_ON_FAULT are newer than some headers. */
enum { PAGE = 4096, BYTES = 4 * PAGE, ARENA = 33, SEGV_ON_FAULT = 1 << 17 };

/* What may be shared. */

static int memory_file(unsigned flags, size_t bytes)
{
    int fd = memfd_create("test", MFD_CLOEXEC | flags);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
    return fd;
}

static int plain_file(size_t bytes)
{
    char path[] = "/tmp/cts-test-share-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
    return fd;
}

/* Below 0 where maps, or this kind, are not to be had. */
static int bpf_map(unsigned type, unsigned value_bytes, unsigned entries, unsigned flags)
{
    union bpf_attr attr;
    memset(&attr, 0, sizeof(attr));
    attr.map_type = type;
    attr.key_size = type == ARENA ? 0 : 4;
    attr.value_size = value_bytes;
    attr.max_entries = entries;
    attr.map_flags = flags;
    return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}

static void refused(int fd, const char *why)
{
    struct cts_share s;
    struct cts_err err = {0};
    assert_true(fd >= 0);
    int rc = cts_share_map(&s, fd, BYTES, &err);
    if (rc != CTS_E_UNSUPPORTED || !strstr(err.msg, why))
        fail_msg("%d '%s', not '%s'", rc, err.msg, why);
    assert_null(s.data);
    close(fd);
}

static void shared(int fd)
{
    struct cts_share s;
    struct cts_err err = {0};
    assert_true(fd >= 0);
    if (cts_share_map(&s, fd, BYTES, &err) != 0)
        fail_msg("%s", err.msg);
    close(fd);
    memset(s.data, 0x55, BYTES);
    cts_share_touch(&s, 0, BYTES);
    assert_false(cts_share_is_gone(&s));
    cts_share_unmap(&s);
    assert_null(s.data);
}

static void test_files(void **state)
{
    (void)state;
    shared(memory_file(MFD_ALLOW_SEALING, BYTES));
    shared(memory_file(MFD_ALLOW_SEALING, BYTES + 1));
    refused(memory_file(MFD_ALLOW_SEALING, BYTES - 1), "fewer than 16384 bytes");
    refused(memory_file(0, BYTES), "can shrink");
    refused(plain_file(BYTES), "neither a memory file nor a BPF map");
    refused(open("/dev/zero", O_RDWR | O_CLOEXEC), "neither a memory file nor a BPF map");
    refused(eventfd(0, EFD_CLOEXEC), "neither a memory file nor a BPF map");
    /* Sealed already, and for good. */
    int fd = memory_file(MFD_ALLOW_SEALING, BYTES);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
    shared(fd);
    /* One that nobody may write to any more. */
    fd = memory_file(MFD_ALLOW_SEALING, BYTES);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
    refused(fd, "cannot be mapped");
}

/* Pages that are not there need not be to be had when they are touched first. */
static void test_huge_pages(void **state)
{
    (void)state;
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB);
    if (fd < 0) {
        print_message("no huge pages here: %s\n", strerror(errno));
        skip();
    }
    assert_int_equal(ftruncate(fd, 2 << 20), 0);
    refused(fd, "huge pages");
}

/* Memory that only the process itself can read. */
static void test_secret(void **state)
{
    enum { MEMFD_SECRET = 447 };
    (void)state;
    int fd = (int)syscall(MEMFD_SECRET, 0);
    if (fd < 0) {
        print_message("no secret memory here: %s\n", strerror(errno));
        skip();
    }
    assert_int_equal(ftruncate(fd, BYTES), 0);
    refused(fd, "neither a memory file nor a BPF map");
}

/* Once it is shared it cannot be cut off. */
static void test_sealed(void **state)
{
    struct cts_share s;
    struct cts_err err = {0};
    int fd = memory_file(MFD_ALLOW_SEALING, BYTES);
    (void)state;
    assert_int_equal(cts_share_map(&s, fd, BYTES, &err), 0);
    assert_int_equal(ftruncate(fd, PAGE), -1);
    assert_int_equal(errno, EPERM);
    cts_share_unmap(&s);
    close(fd);
}

static void test_maps(void **state)
{
    (void)state;
    int fd = bpf_map(BPF_MAP_TYPE_ARRAY, 8, BYTES / 8, BPF_F_MMAPABLE);
    if (fd < 0) {
        print_message("no BPF maps here: %s\n", strerror(errno));
        skip();
    }
    shared(fd);
    shared(bpf_map(BPF_MAP_TYPE_ARRAY, BYTES, 1, BPF_F_MMAPABLE));
    refused(bpf_map(BPF_MAP_TYPE_ARRAY, 8, BYTES / 8 - 1, BPF_F_MMAPABLE), "fewer than");
    refused(bpf_map(BPF_MAP_TYPE_ARRAY, BYTES, 1, 0), "no array with BPF_F_MMAPABLE");
    refused(bpf_map(BPF_MAP_TYPE_HASH, BYTES / 8, 8, 0), "no array with BPF_F_MMAPABLE");
}

static void test_arena(void **state)
{
    (void)state;
    int fd = bpf_map(ARENA, 0, BYTES / PAGE, BPF_F_MMAPABLE | SEGV_ON_FAULT);
    if (fd < 0) {
        print_message("no arenas here: %s\n", strerror(errno));
        skip();
    }
    refused(fd, "no array with BPF_F_MMAPABLE (type 33");
}

/* What goes away. */

/* cmocka has handlers of its own during a test. */
static struct sigaction ours[2];

static void take_faults(void)
{
    sigaction(SIGBUS, &ours[0], NULL);
    sigaction(SIGSEGV, &ours[1], NULL);
}

struct lost {
    struct cts_share share;
    uint8_t *at;
    int fd;
};

static void watch_file(struct lost *l)
{
    struct cts_err err = {0};
    l->fd = plain_file(BYTES);
    l->at = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, l->fd, 0);
    assert_true(l->at != MAP_FAILED);
    memset(l->at, 0x55, BYTES);
    assert_int_equal(cts_share_watch(&l->share, l->at, BYTES, &err), 0);
}

static void forget(struct lost *l)
{
    cts_share_forget(&l->share);
    munmap(l->at, BYTES);
    close(l->fd);
}

static void test_cut_off(void **state)
{
    struct lost one, other;
    (void)state;
    take_faults();
    watch_file(&one);
    watch_file(&other);
    assert_int_equal(ftruncate(one.fd, PAGE), 0);
    cts_share_touch(&one.share, 0, PAGE); /* this page is there */
    assert_false(cts_share_is_gone(&one.share));
    assert_int_equal(((volatile uint8_t *)one.at)[PAGE], 0);
    assert_true(cts_share_is_gone(&one.share));
    assert_int_equal(one.at[0], 0); /* all of it has gone */
    memset(one.at, 1, BYTES);
    assert_false(cts_share_is_gone(&other.share));
    assert_int_equal(other.at[BYTES - 1], 0x55);
    forget(&one);
    assert_int_equal(ftruncate(other.fd, 0), 0);
    ((volatile uint8_t *)other.at)[BYTES - 1] = 7; /* writing is noticed, too */
    assert_true(cts_share_is_gone(&other.share));
    assert_int_equal(other.at[BYTES - 1], 7);
    forget(&other);
}

/* What cannot be reached any more ends in SIGSEGV. */
static void test_no_access(void **state)
{
    struct lost one;
    (void)state;
    take_faults();
    watch_file(&one);
    assert_int_equal(mprotect(one.at + PAGE, PAGE, PROT_NONE), 0);
    cts_share_touch(&one.share, 2 * PAGE, PAGE);
    assert_false(cts_share_is_gone(&one.share));
    cts_share_touch(&one.share, PAGE - 1, 2);
    assert_true(cts_share_is_gone(&one.share));
    forget(&one);
}

static void *lose_many(void *arg)
{
    bool *right = arg;
    *right = true;
    for (unsigned i = 0; i < 50; i++) {
        struct lost one;
        watch_file(&one);
        *right = *right && !cts_share_is_gone(&one.share);
        *right = *right && ftruncate(one.fd, 0) == 0;
        cts_share_touch(&one.share, 0, BYTES);
        *right = *right && cts_share_is_gone(&one.share) && one.at[PAGE] == 0;
        forget(&one);
    }
    return NULL;
}

static void test_threads(void **state)
{
    enum { THREADS = 4 };
    pthread_t thread[THREADS];
    bool right[THREADS];
    (void)state;
    take_faults();
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, lose_many, &right[i]), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        assert_true(right[i]);
    }
}

/* What is no shared memory ends the process, as ever. */

static void no_memory(struct lost *l)
{
    (void)l;
    mprotect(l->at, PAGE, PROT_NONE);
    cts_share_forget(&l->share);
    *(volatile uint8_t *)l->at = 1;
}

static void cut_file(struct lost *l)
{
    cts_share_forget(&l->share);
    (void)!ftruncate(l->fd, 0);
    *(volatile uint8_t *)l->at = 1;
}

static void behind_it(struct lost *l)
{
    mprotect(l->at + PAGE, PAGE, PROT_NONE);
    cts_share_forget(&l->share);
    cts_share_watch(&l->share, l->at, PAGE, NULL);
    ((volatile uint8_t *)l->at)[PAGE] = 1;
}

static void raised(struct lost *l)
{
    (void)l;
    raise(SIGSEGV);
}

static void test_other_faults(void **state)
{
    static const struct {
        void (*what)(struct lost *l);
        int signal;
    } faults[] = {
        {no_memory, SIGSEGV}, {cut_file, SIGBUS}, {behind_it, SIGSEGV}, {raised, SIGSEGV}};
    (void)state;
    take_faults();
    for (unsigned i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        struct lost one;
        int status;
        watch_file(&one);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            faults[i].what(&one);
            _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), faults[i].signal);
        forget(&one);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),   cmocka_unit_test(test_huge_pages),
        cmocka_unit_test(test_secret),  cmocka_unit_test(test_sealed),
        cmocka_unit_test(test_maps),    cmocka_unit_test(test_arena),
        cmocka_unit_test(test_cut_off), cmocka_unit_test(test_no_access),
        cmocka_unit_test(test_threads), cmocka_unit_test(test_other_faults),
    };
    struct cts_share s;
    uint8_t none[1];
    /* A sanitizer would make something else of a fault than what it is. */
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
    cts_share_watch(&s, none, 1, NULL);
    cts_share_forget(&s);
    sigaction(SIGBUS, NULL, &ours[0]);
    sigaction(SIGSEGV, NULL, &ours[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
