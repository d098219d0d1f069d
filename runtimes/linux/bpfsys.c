#include "bpfsys.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>

#include "base/bytes.h"

enum { LOAD_TRIES = 6 };

static int sys_bpf(int cmd, union bpf_attr *attr)
{
    long rc = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

    return rc < 0 ? -errno : (int)rc;
}

static uint64_t ptr_u64(const void *p)
{
    return (uint64_t)(uintptr_t)p;
}

static int new_map(uint32_t type, uint32_t value_bytes, uint32_t entries, uint32_t flags)
{
    union bpf_attr attr;

    memset(&attr, 0, sizeof(attr));
    attr.map_type = type;
    attr.key_size = 4;
    attr.value_size = value_bytes;
    attr.max_entries = entries;
    attr.map_flags = flags;
    return sys_bpf(BPF_MAP_CREATE, &attr);
}

int cts_lx_map_new(uint32_t value_bytes, uint32_t entries, uint32_t flags)
{
    return new_map(BPF_MAP_TYPE_ARRAY, value_bytes, entries, flags);
}

/* Since Linux 6.19: newer than the headers that this may be built with. */
enum { MAP_TYPE_INSN_ARRAY = 34 };
struct insn_array_value {
    uint32_t slot, now, compiled, unused;
};

int cts_lx_map_of_insns(uint32_t entries)
{
    return new_map(MAP_TYPE_INSN_ARRAY, sizeof(struct insn_array_value), entries, 0);
}

int cts_lx_insn_set(int map_fd, uint32_t key, uint32_t slot)
{
    const struct insn_array_value value = {.slot = slot};

    return cts_lx_map_set(map_fd, key, &value);
}

int cts_lx_map_freeze(int map_fd)
{
    union bpf_attr attr;

    memset(&attr, 0, sizeof(attr));
    attr.map_fd = (uint32_t)map_fd;
    return sys_bpf(BPF_MAP_FREEZE, &attr);
}

int cts_lx_map_of_programs(uint32_t entries)
{
    return new_map(BPF_MAP_TYPE_PROG_ARRAY, sizeof(uint32_t), entries, 0);
}

int cts_lx_map_set(int map_fd, uint32_t key, const void *value)
{
    union bpf_attr attr;

    memset(&attr, 0, sizeof(attr));
    attr.map_fd = (uint32_t)map_fd;
    attr.key = ptr_u64(&key);
    attr.value = ptr_u64(value);
    return sys_bpf(BPF_MAP_UPDATE_ELEM, &attr);
}

int cts_lx_prog_load(const struct cts_lx_prog_spec *spec)
{
    union bpf_attr attr;
    int rc = -EAGAIN;

    memset(&attr, 0, sizeof(attr));
    attr.prog_type = spec->type;
    attr.insn_cnt = spec->slots;
    attr.insns = ptr_u64(spec->code);
    attr.license = ptr_u64("GPL");
    attr.fd_array = ptr_u64(spec->fd_array);
    if (spec->funcs) {
        attr.prog_btf_fd = (uint32_t)spec->btf_fd;
        attr.func_info_rec_size = sizeof(*spec->funcs);
        attr.func_info = ptr_u64(spec->funcs);
        attr.func_info_cnt = spec->func_count;
    }
    if (spec->log) {
        attr.log_buf = ptr_u64(spec->log);
        attr.log_size = spec->log_bytes;
        attr.log_level = spec->log_level;
    }
    for (int i = 0; i < LOAD_TRIES && rc == -EAGAIN; i++)
        rc = sys_bpf(BPF_PROG_LOAD, &attr);
    return rc;
}

int cts_lx_prog_sizes(int prog_fd, uint32_t *native_bytes, uint32_t *slots)
{
    union bpf_attr attr;
    struct bpf_prog_info info;
    int rc;

    *native_bytes = *slots = 0;
    memset(&attr, 0, sizeof(attr));
    memset(&info, 0, sizeof(info));
    attr.info.bpf_fd = (uint32_t)prog_fd;
    /* The kernel fills what it knows and says how much; all that is wanted stands near the front.
     */
    attr.info.info_len = offsetof(struct bpf_prog_info, load_time);
    attr.info.info = ptr_u64(&info);
    rc = sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
    if (rc < 0)
        return rc;
    *native_bytes = info.jited_prog_len;
    *slots = info.xlated_prog_len / 8;
    return 0;
}

static int test_run(const struct cts_lx_run_spec *spec, uint32_t repeat, uint32_t *retval)
{
    union bpf_attr attr;
    int rc;

    memset(&attr, 0, sizeof(attr));
    attr.test.prog_fd = (uint32_t)spec->prog_fd;
    attr.test.repeat = repeat;
    attr.test.data_in = ptr_u64(spec->data);
    attr.test.data_size_in = spec->data_bytes;
    attr.test.ctx_in = ptr_u64(spec->ctx);
    attr.test.ctx_size_in = spec->ctx_bytes;
    rc = sys_bpf(BPF_PROG_TEST_RUN, &attr);
    *retval = attr.test.retval;
    return rc < 0 ? rc : 0;
}

int cts_lx_prog_run(const struct cts_lx_run_spec *spec, uint32_t *retval)
{
    int rc = 0;

    if (spec->data)
        return test_run(spec, spec->repeat, retval);
    /* Programs that take no packet are not repeated by the kernel. */
    for (uint32_t i = 0; rc == 0 && i < spec->repeat; i++)
        rc = test_run(spec, 0, retval);
    return rc;
}

int cts_lx_btf_load(const void *blob, uint32_t bytes)
{
    union bpf_attr attr;

    memset(&attr, 0, sizeof(attr));
    attr.btf = ptr_u64(blob);
    attr.btf_size = bytes;
    return sys_bpf(BPF_BTF_LOAD, &attr);
}

int cts_lx_fd_up(int fd, int least)
{
    int up;

    if (fd < 0 || fd >= least)
        return fd;
    up = fcntl(fd, F_DUPFD_CLOEXEC, least);
    if (up < 0)
        return fd;
    close(fd);
    return up;
}

const char *cts_lx_errno_name(int number)
{
    static const struct {
        int number;
        const char *name;
    } names[] = {
        {EPERM, "EPERM"},   {ENOENT, "ENOENT"},         {EINTR, "EINTR"},
        {E2BIG, "E2BIG"},   {EBADF, "EBADF"},           {EAGAIN, "EAGAIN"},
        {ENOMEM, "ENOMEM"}, {EACCES, "EACCES"},         {EFAULT, "EFAULT"},
        {EBUSY, "EBUSY"},   {EEXIST, "EEXIST"},         {EINVAL, "EINVAL"},
        {ENFILE, "ENFILE"}, {EMFILE, "EMFILE"},         {ENOSPC, "ENOSPC"},
        {ERANGE, "ERANGE"}, {ENOSYS, "ENOSYS"},         {EPROTO, "EPROTO"},
        {ELOOP, "ELOOP"},   {EOPNOTSUPP, "EOPNOTSUPP"}, {CTS_LX_ENOTSUPP, "ENOTSUPP"},
    };

    for (size_t i = 0; i < CTS_ARRAY_LEN(names); i++) {
        if (names[i].number == number)
            return names[i].name;
    }
    return "errno";
}
