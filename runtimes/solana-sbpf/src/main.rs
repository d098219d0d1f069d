//! solana-sbpf under test: a worker of ebpf-cts.
//!
//!     cts-worker-solana-sbpf [ENGINE]

mod vm;

fn main() -> std::process::ExitCode {
    ebpf_cts_worker::main::<vm::Sbpf>()
}
