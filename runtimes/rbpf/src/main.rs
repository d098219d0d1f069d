//! rbpf under test: a worker of ebpf-cts. It speaks the frames of harness/wire/PROTOCOL.md on its
//! standard input and output, and is the example of a worker that is not written in C.
//!
//!     cts-worker-rbpf [ENGINE]

mod protocol;
mod vm;
mod window;
mod worker;

use protocol::{Frame, Hello, Item, Kind, Malformed, Question, Refusal, Writer};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::process::ExitCode;
use worker::Worker;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(die_of_panic));
    let served = take_stdout().and_then(|out| {
        let engine = std::env::args().nth(1).unwrap_or_default();
        serve(&mut io::stdin().lock(), out, &engine)
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// A panic is rbpf's crash, and the harness finds out which program it died of. All there is to do
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

/// Answers every question until there are no more.
fn serve(questions: &mut impl io::Read, mut out: impl Write, engine: &str) -> io::Result<()> {
    let mut worker = None;
    while let Some(frame) = protocol::read_frame(questions)? {
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

fn answer(
    worker: &mut Option<Worker>,
    engine: &str,
    frame: &Frame,
    payload: &mut Writer,
) -> protocol::Result<Kind> {
    match (Question::read(frame)?, worker) {
        (Question::Hello(hello), worker @ None) => {
            match open(&hello, engine) {
                Ok(opened) => worker.insert(opened).caps().write(payload),
                Err(refusal) => refusal.write(payload),
            }
            Ok(Kind::Caps)
        }
        (Question::Hello(_), Some(_)) => Err(Malformed("a second greeting".into())),
        (Question::Exec(items), Some(worker)) => {
            execute(worker, &items, payload)?;
            Ok(Kind::Done)
        }
        (Question::Exec(_), None) => Err(Malformed("no engine is open".into())),
    }
}

fn open(hello: &Hello, engine: &str) -> Result<Worker, Refusal> {
    if !(hello.lowest..=hello.highest).contains(&protocol::VERSION) {
        let spoken = protocol::VERSION;
        return Err(Refusal::failed(format!("this worker speaks version {spoken}")));
    }
    Worker::open(if hello.engine.is_empty() { engine } else { hello.engine })
}

fn execute(worker: &mut Worker, items: &[Item], payload: &mut Writer) -> protocol::Result<()> {
    payload.u32(items.len() as u32);
    for item in items {
        worker.execute(item)?.write(payload);
    }
    Ok(())
}
