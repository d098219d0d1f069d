//! A worker of ebpf-cts in Rust, all but the runtime: the frames of harness/wire/PROTOCOL.md on
//! standard input and output, the window, and the steps of an item. It shares that page with the
//! harness, and nothing else. A runtime implements [`Machine`]; its main function calls [`main`].

mod protocol;
mod window;
mod worker;

pub use protocol::{Answer, Item, Load, Outcome, Refusal, Rows, Run, Verdict};
pub use window::Window;
pub use worker::{WINDOW_BYTES, Worker};

use protocol::{Frame, Hello, Kind, Malformed, Request, Writer};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::process::ExitCode;

/// What programs may use: bits of `features` in the answer to HELLO.
pub mod feature {
    pub const LOCAL_CALL: u32 = 1 << 0;
    /// The test helpers: see [`crate::HELPERS`].
    pub const HELPER_TEST: u32 = 1 << 9;
    pub const POINTERS: u32 = 1 << 10;
    pub const STACK_UNINIT: u32 = 1 << 11;
    /// Programs are loaded and never run.
    pub const VERDICT_ONLY: u32 = 1 << 12;
    /// A whole program is given memory: see [`crate::Machine::run`].
    pub const MEMORY: u32 = 1 << 16;
    /// Helper 0 to 5 of .data files.
    pub const fn data_helper(number: u32) -> u32 {
        1 << (18 + number)
    }
}

/// What an engine says of itself.
pub struct About {
    pub engine: &'static str,
    pub version: &'static str,
    /// Bits of [`feature`].
    pub features: u32,
    /// The longest program.
    pub max_slots: u32,
    /// Bodies that may share a program.
    pub max_segments: u32,
    /// Where programs find the window.
    pub window_addr: u64,
}

/// A runtime, with one of its engines open.
pub trait Machine: Sized {
    /// Its name, as in runtime.yaml.
    const RUNTIME: &'static str;
    type Program;

    /// "" is the engine that there is always. The window lives longer than the machine.
    fn open(engine: &str, window: &Window) -> Result<Self, Refusal>;
    fn about(&self) -> About;
    /// An error is the runtime's no to the program, in its own words.
    fn load(&self, code: &[u8]) -> Result<Self::Program, String>;
    /// r0, or the fault that stopped the program. With [`feature::MEMORY`] `memory` is what r1 leads
    /// to, and r2 counts its bytes, if there are any; the program may write there.
    fn run(
        &mut self,
        program: &Self::Program,
        window: &Window,
        memory: &[u8],
    ) -> Result<u64, String>;
}

/// A test helper: it takes numbers and gives one, so that a program that runs wild finds nothing
/// here that reaches out of the process.
pub type Helper = fn(u64, u64, u64, u64, u64) -> u64;

/// The test helpers and their numbers.
pub const HELPERS: [(u32, Helper); 3] = [(0x7000, sum), (0x7001, hash), (0x7002, constant)];

pub fn sum(a: u64, b: u64, c: u64, d: u64, e: u64) -> u64 {
    [a, b, c, d, e].iter().rev().fold(0, |sum: u64, r| sum.wrapping_mul(2).wrapping_add(*r))
}

pub fn hash(a: u64, b: u64, c: u64, d: u64, e: u64) -> u64 {
    let mix = |h: u64, r: u64| (h ^ r).rotate_left(13).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    [a, b, c, d, e].into_iter().fold(0, mix)
}

pub fn constant(_: u64, _: u64, _: u64, _: u64, _: u64) -> u64 {
    0x00c0_ffee_00c0_ffee
}

/// Those helpers of .data files that are functions of numbers, and their numbers. The others reach
/// into the program's memory, which is a runtime's own matter.
pub const DATA_HELPERS: [(u32, Helper); 3] = [(0x7100, gather), (0x7102, nothing), (0x7103, root)];

pub fn gather(a: u64, b: u64, c: u64, d: u64, e: u64) -> u64 {
    [a, b, c, d, e].into_iter().fold(0, |all, r| all << 8 | (r & 0xff))
}

pub fn nothing(_: u64, _: u64, _: u64, _: u64, _: u64) -> u64 {
    0
}

pub fn root(a: u64, _: u64, _: u64, _: u64, _: u64) -> u64 {
    a.isqrt()
}

/// The version of a package that a Cargo.lock holds.
pub fn locked_version<'a>(lock: &'a str, package: &str) -> &'a str {
    lock.split("[[package]]")
        .map(str::trim_start)
        .filter_map(|entry| entry.strip_prefix(&format!("name = \"{package}\"\nversion = \"")))
        .find_map(|rest| rest.split('"').next())
        .unwrap_or_else(|| panic!("{package} is in Cargo.lock"))
}

/// Serves until there are no more requests. The engine is the first argument, if the greeting
/// names none.
pub fn main<M: Machine>() -> ExitCode {
    std::panic::set_hook(Box::new(die_of_panic));
    let served = take_stdout().and_then(|out| {
        let engine = std::env::args().nth(1).unwrap_or_default();
        serve::<M>(&mut io::stdin().lock(), out, &engine)
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// A panic is the runtime's crash, and the harness finds out which program it died of. All there is to do
/// is to say why in the one line that it quotes. Unwinding is of no use: it would have to go through
/// compiled programs, and what the panic left behind could make the next program fail.
fn die_of_panic(panic: &std::panic::PanicHookInfo) {
    let text = panic.payload().downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.payload().downcast_ref::<&str>().copied());
    let why = text.unwrap_or("no message").replace('\n', " ");
    let place = panic.location().map(|at| format!(" ({}:{})", in_crate(at.file()), at.line()));
    eprintln!("panic: {why}{}", place.unwrap_or_default());
    std::process::abort();
}

/// "rbpf-0.4.1/src/jit.rs" of wherever Cargo keeps sources.
fn in_crate(file: &str) -> &str {
    file.rmatch_indices('/').nth(2).map_or(file, |(at, _)| &file[at + 1..])
}

/// Standard output is for frames alone: whoever prints, prints to standard error.
fn take_stdout() -> io::Result<File> {
    let frames = io::stdout().as_fd().try_clone_to_owned()?;
    // SAFETY: both descriptors are open.
    match unsafe { libc::dup2(io::stderr().as_raw_fd(), io::stdout().as_raw_fd()) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(frames.into()),
    }
}

/// Answers every request until there are no more.
fn serve<M: Machine>(
    requests: &mut impl io::Read,
    mut out: impl Write,
    engine: &str,
) -> io::Result<()> {
    let mut worker: Option<Worker<M>> = None;
    while let Some(frame) = protocol::read_frame(requests)? {
        let mut payload = Writer::default();
        let kind = answer(&mut worker, engine, &frame, &mut payload).unwrap_or_else(|why| {
            payload = Writer::default();
            why.write(&mut payload);
            Kind::Failed
        });
        protocol::write_frame(&mut out, kind, frame.seq, payload)?;
    }
    Ok(())
}

fn answer<M: Machine>(
    worker: &mut Option<Worker<M>>,
    engine: &str,
    frame: &Frame,
    payload: &mut Writer,
) -> protocol::Result<Kind> {
    match (Request::read(frame)?, worker) {
        (Request::Hello(hello), worker @ None) => {
            match open(&hello, engine) {
                Ok(opened) => worker.insert(opened).caps().write(payload),
                Err(refusal) => refusal.write(payload),
            }
            Ok(Kind::Caps)
        }
        (Request::Hello(_), Some(_)) => Err(Malformed("a second greeting".into())),
        (Request::Exec(items), Some(worker)) => {
            execute(worker, &items, payload)?;
            Ok(Kind::Done)
        }
        (Request::Exec(_), None) => Err(Malformed("no engine is open".into())),
    }
}

fn open<M: Machine>(hello: &Hello, engine: &str) -> Result<Worker<M>, Refusal> {
    if !(hello.lowest..=hello.highest).contains(&protocol::VERSION) {
        let spoken = protocol::VERSION;
        return Err(Refusal::failed(format!("this worker speaks version {spoken}")));
    }
    Worker::open(if hello.engine.is_empty() { engine } else { hello.engine })
}

fn execute<M: Machine>(
    worker: &mut Worker<M>,
    items: &[Item],
    payload: &mut Writer,
) -> protocol::Result<()> {
    payload.u32(items.len() as u32);
    for item in items {
        worker.execute(item)?.write(payload);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helpers_are_those_of_the_reference() {
        assert_eq!(sum(1, 2, 3, 4, 5), 129);
        assert_eq!(constant(1, 2, 3, 4, 5), 0xc0ffee00c0ffee);
        assert_ne!(hash(1, 2, 3, 4, 5), hash(2, 1, 3, 4, 5));
        assert_eq!(gather(0x101, 2, 3, 4, 5), 0x0102030405);
        assert_eq!(root(u64::MAX, 0, 0, 0, 0), u32::MAX.into());
        assert_eq!(hash(0, 0, 0, 0, 1), 0x2000u64.wrapping_mul(0x9e3779b97f4a7c15));
    }

    #[test]
    fn versions_are_found() {
        let lock = "version = 4\n\n[[package]]\nname = \"ab\"\nversion = \"1.2\"\n\n\
                    [[package]]\nname = \"a\"\nversion = \"3.4.5\"\nsource = \"x\"\n";
        assert_eq!(locked_version(lock, "a"), "3.4.5");
    }
}
