//! rbpf under test: a worker of ebpf-cts.
//!
//!     cts-worker-rbpf [ENGINE]

mod vm;

fn main() -> std::process::ExitCode {
    ebpf_cts_worker::main::<vm::Rbpf>()
}
