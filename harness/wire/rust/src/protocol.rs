//! The frame protocol of harness/wire/PROTOCOL.md: what goes over the pipe, as types.
//!
//! Whatever is not as that page says is `Malformed`; nothing here trusts a length that it reads.

use std::io::{self, Read, Write};

/// The one version of the protocol that is spoken here.
pub const VERSION: u32 = 1;
/// The longest payload of a frame.
pub const FRAME_MAX: u32 = 64 << 20;
/// Programs that may be loaded at a time.
pub const PROGRAMS: usize = 64;

/// The types that frames have, whoever sends them.
const TYPES: std::ops::RangeInclusive<u16> = 1..=5;

const HEADER: usize = 12;
const LAYOUT: usize = 81;
const REGION_HEADER: usize = 64;
const MOST_IN_A_LIST: u32 = 16;
const NAME_MAX: usize = 63;
const TEXT_MAX: usize = 2047;

const OP_LOAD: u8 = 1;
const OP_RUN: u8 = 2;
const OP_UNLOAD: u8 = 4;
const OP_ROWS: u8 = 8;

/// Why a frame was not understood.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed(pub String);

impl Malformed {
    const CODE: i32 = -8;

    pub fn write(&self, w: &mut Writer) {
        w.i32(Self::CODE);
        w.text(&self.0);
    }
}

pub type Result<T> = std::result::Result<T, Malformed>;

fn malformed<T>(what: impl Into<String>) -> Result<T> {
    Err(Malformed(what.into()))
}

// ---- Frames ----

#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    pub kind: u16,
    pub seq: u32,
    pub payload: Vec<u8>,
}

/// What an answer is, by its number.
#[derive(Clone, Copy)]
pub enum Kind {
    Caps = 2,
    Done = 4,
    Failed = 5,
}

/// The next frame; none at the end of the input. A header that makes no sense is an error: where
/// the next frame begins is not known then.
pub fn read_frame(input: &mut impl Read) -> io::Result<Option<Frame>> {
    let mut header = [0; HEADER];
    if input.read(&mut header[..1])? == 0 {
        return Ok(None);
    }
    input.read_exact(&mut header[1..])?;
    let mut r = Reader::new(&header);
    let (Ok(bytes), Ok(kind), Ok(0), Ok(seq)) = (r.u32(), r.u16(), r.u16(), r.u32()) else {
        return Err(io::Error::other("a frame's header has no zero where it should"));
    };
    if bytes > FRAME_MAX || !TYPES.contains(&kind) {
        return Err(io::Error::other(format!("a frame of {bytes} bytes and type {kind}")));
    }
    let mut payload = vec![0; bytes as usize];
    input.read_exact(&mut payload)?;
    Ok(Some(Frame { kind, seq, payload }))
}

/// Header and payload leave in one piece.
pub fn write_frame(out: &mut impl Write, kind: Kind, seq: u32, payload: Writer) -> io::Result<()> {
    let mut frame = Writer::default();
    frame.u32(u32::try_from(payload.bytes.len()).map_err(io::Error::other)?);
    frame.u16(kind as u16);
    frame.u16(0);
    frame.u32(seq);
    frame.bytes.extend(payload.bytes);
    out.write_all(&frame.bytes)
}

// ---- Numbers and bytes ----

pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(payload: &'a [u8]) -> Self {
        Reader { rest: payload }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let Some((taken, rest)) = self.rest.split_at_checked(len) else {
            return malformed("the frame ends too early");
        };
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        Ok(self.take(N)?.try_into().expect("N bytes were taken"))
    }

    pub fn u8(&mut self) -> Result<u8> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub fn bool(&mut self) -> Result<bool> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            other => malformed(format!("a boolean that is {other}")),
        }
    }

    pub fn bytes(&mut self) -> Result<&'a [u8]> {
        let len = self.u32()?;
        self.take(len as usize)
    }

    pub fn string(&mut self) -> Result<&'a str> {
        std::str::from_utf8(self.bytes()?).or(malformed("a string that is no UTF-8"))
    }

    /// The length of a list.
    fn count(&mut self, what: &str) -> Result<u32> {
        match self.u32()? {
            n if n <= MOST_IN_A_LIST => Ok(n),
            n => malformed(format!("{n} {what}")),
        }
    }

    /// Nothing may stand behind the last field.
    pub fn end(&self) -> Result<()> {
        match self.rest.len() {
            0 => Ok(()),
            n => malformed(format!("{n} bytes behind the last field")),
        }
    }
}

#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub fn u8(&mut self, v: u8) {
        self.bytes.push(v);
    }

    pub fn u16(&mut self, v: u16) {
        self.bytes.extend(v.to_le_bytes());
    }

    pub fn u32(&mut self, v: u32) {
        self.bytes.extend(v.to_le_bytes());
    }

    pub fn i32(&mut self, v: i32) {
        self.bytes.extend(v.to_le_bytes());
    }

    pub fn u64(&mut self, v: u64) {
        self.bytes.extend(v.to_le_bytes());
    }

    pub fn bool(&mut self, v: bool) {
        self.u8(v.into());
    }

    /// Lists and frames are far shorter than 4 GiB.
    pub fn bytes(&mut self, v: &[u8]) {
        self.u32(u32::try_from(v.len()).expect("shorter than 4 GiB"));
        self.bytes.extend(v);
    }

    pub fn string(&mut self, v: &str) {
        self.bytes(v.as_bytes());
    }

    /// The end of a text says most.
    fn text(&mut self, v: &str) {
        let from = (v.len().saturating_sub(TEXT_MAX)..v.len())
            .find(|&i| v.is_char_boundary(i))
            .unwrap_or(0);
        self.string(&v[from..]);
    }
}

// ---- Requests ----

#[derive(Debug, PartialEq, Eq)]
pub enum Request<'a> {
    Hello(Hello<'a>),
    Exec(Vec<Item<'a>>),
}

#[derive(Debug, PartialEq, Eq)]
pub struct Hello<'a> {
    pub lowest: u32,
    pub highest: u32,
    pub engine: &'a str,
}

/// Steps to take, in the order of the fields.
#[derive(Debug, PartialEq, Eq)]
pub struct Item<'a> {
    pub prog: usize,
    pub load: Option<Load<'a>>,
    pub run: Option<Run<'a>>,
    pub unload: bool,
    pub rows: Option<Rows<'a>>,
}

/// Of a program that brings its own environment, what matters is the code, and that its regions lie
/// in the window. Maps, names and ELF objects are for features that this worker does not
/// have.
#[derive(Debug, PartialEq, Eq)]
pub struct Load<'a> {
    pub code: &'a [u8],
    pub regions: Vec<Region>,
}

/// A piece of the window.
#[derive(Debug, PartialEq, Eq)]
pub struct Region {
    pub offset: usize,
    pub len: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run<'a> {
    pub iterations: u32,
    /// What a whole program is given, where that is a feature.
    pub memory: &'a [u8],
}

/// What to put into the window before the run, and to answer after it.
#[derive(Debug, PartialEq, Eq)]
pub struct Rows<'a> {
    pub offset: usize,
    pub bytes: &'a [u8],
}

impl<'a> Request<'a> {
    pub fn read(frame: &'a Frame) -> Result<Self> {
        let mut r = Reader::new(&frame.payload);
        let request = match frame.kind {
            1 => Request::Hello(Hello::read(&mut r)?),
            3 => {
                let n = r.u32()?;
                Request::Exec((0..n).map(|_| Item::read(&mut r)).collect::<Result<_>>()?)
            }
            other => return malformed(format!("frame type {other} is no request")),
        };
        r.end()?;
        Ok(request)
    }
}

impl<'a> Hello<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self> {
        Ok(Hello { lowest: r.u32()?, highest: r.u32()?, engine: r.string()? })
    }
}

impl<'a> Item<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self> {
        let ops = r.u8()?;
        let prog = usize::from(r.u8()?);
        if ops & !(OP_LOAD | OP_RUN | OP_UNLOAD | OP_ROWS) != 0 || prog >= PROGRAMS {
            return malformed(format!("steps {ops:#x} on program {prog}"));
        }
        Ok(Item {
            prog,
            load: (ops & OP_LOAD != 0).then(|| Load::read(r)).transpose()?,
            run: (ops & OP_RUN != 0).then(|| Run::read(r)).transpose()?,
            unload: ops & OP_UNLOAD != 0,
            rows: (ops & OP_ROWS != 0).then(|| Rows::read(r)).transpose()?,
        })
    }
}

impl<'a> Load<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self> {
        let kind = r.u8()?;
        let (_packet, _log) = (r.bool()?, r.bool()?);
        let code = r.bytes()?;
        if kind > 1 || code.len() % 8 != 0 {
            return malformed(format!("a program of kind {kind} and {} bytes", code.len()));
        }
        let layouts = r.count("layouts")?;
        let regions = (0..layouts).map(|_| Region::read(r)).collect::<Result<Vec<_>>>()?;
        if (kind == 1) != regions.is_empty() {
            return malformed(format!("{layouts} layouts for a program of kind {kind}"));
        }
        for _ in 0..r.count("maps")? {
            let (value_bytes, entries, data) = (r.u32()?, r.u32()?, r.bytes()?);
            let whole = u64::from(value_bytes) * u64::from(entries);
            if whole > FRAME_MAX.into() || !(data.is_empty() || data.len() as u64 == whole) {
                return malformed(format!("{} bytes of a map that has {whole}", data.len()));
            }
        }
        for _ in 0..r.count("names")? {
            if r.string()?.len() > NAME_MAX {
                return malformed("a name that is too long");
            }
        }
        let _elf = r.bytes()?;
        Ok(Load { code, regions })
    }
}

impl Region {
    /// A layout: a header, then rows.
    fn read(r: &mut Reader) -> Result<Self> {
        let mut layout = Reader::new(r.take(LAYOUT)?);
        let (offset, rows, stride) = (layout.u32()?, layout.u32()?, layout.u32()?);
        if offset % 64 != 0 || !rows.is_power_of_two() || !stride.is_power_of_two() {
            return malformed(format!("a layout of {rows} rows of {stride} bytes at {offset}"));
        }
        let len = (rows as usize).checked_mul(stride as usize);
        match len.and_then(|len| len.checked_add(REGION_HEADER)) {
            Some(len) => Ok(Region { offset: offset as usize, len }),
            None => malformed("a layout that is larger than memory"),
        }
    }
}

impl<'a> Run<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self> {
        let (_first_row, iterations, memory) = (r.u32()?, r.u32()?, r.bytes()?);
        let threads = r.u32()?;
        let _guess = r.bytes()?;
        match (iterations, threads) {
            (0, _) => malformed("a run of no iterations"),
            (iterations, 1) => Ok(Run { iterations, memory }),
            (_, threads) => malformed(format!("a run of {threads} threads")),
        }
    }
}

impl<'a> Rows<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self> {
        Ok(Rows { offset: r.u32()? as usize, bytes: r.bytes()? })
    }
}

// ---- Answers ----

pub struct Caps<'a> {
    pub runtime: &'a str,
    pub engine: &'a str,
    pub version: &'a str,
    pub window_bytes: u32,
    pub window_fd: i32,
    pub window_addr: u64,
    pub features: u32,
    pub max_slots: u32,
    pub max_segments: u32,
    pub max_iterations: u32,
}

impl Caps<'_> {
    const LITTLE_ENDIAN: bool = false;
    const WINDOW_ABSOLUTE: u8 = 3;
    const R0_BITS: u8 = 64;

    pub fn write(&self, w: &mut Writer) {
        w.u32(VERSION);
        w.i32(0);
        w.string("");
        w.string(self.runtime);
        w.string(self.engine);
        w.string(self.version);
        w.bool(Self::LITTLE_ENDIAN);
        w.u8(Self::WINDOW_ABSOLUTE);
        w.u32(self.window_bytes);
        w.i32(self.window_fd);
        w.u64(self.window_addr);
        w.u32(self.features);
        w.u32(self.max_slots);
        w.u32(self.max_segments);
        w.u32(self.max_iterations);
        w.u8(Self::R0_BITS);
    }
}

/// Why there are no capabilities.
#[derive(Debug)]
pub struct Refusal {
    pub code: i32,
    pub reason: String,
}

impl Refusal {
    /// The engine is unavailable on this machine, and `reason` says what would help.
    pub fn unsupported(reason: impl Into<String>) -> Self {
        Refusal { code: -11, reason: reason.into() }
    }

    pub fn failed(reason: impl Into<String>) -> Self {
        Refusal { code: -1, reason: reason.into() }
    }

    pub fn write(&self, w: &mut Writer) {
        w.u32(VERSION);
        w.i32(self.code);
        w.text(&self.reason);
    }
}

/// The steps that were taken.
#[derive(Default)]
pub struct Answer {
    pub load: Option<Verdict>,
    pub run: Option<Outcome>,
    pub unloaded: bool,
    pub rows: Option<Vec<u8>>,
}

pub enum Verdict {
    Accepted,
    Rejected(String),
}

/// `done` iterations were completed; a fault happened in the one after them.
pub enum Outcome {
    Ran { done: u32, r0: u64 },
    Faulted { done: u32, why: String },
}

impl Answer {
    pub fn write(&self, w: &mut Writer) {
        let op = |done: bool, bit: u8| if done { bit } else { 0 };
        w.u8(op(self.load.is_some(), OP_LOAD)
            | op(self.run.is_some(), OP_RUN)
            | op(self.unloaded, OP_UNLOAD)
            | op(self.rows.is_some(), OP_ROWS));
        if let Some(verdict) = &self.load {
            verdict.write(w);
        }
        if let Some(outcome) = &self.run {
            outcome.write(w);
        }
        if let Some(rows) = &self.rows {
            w.bytes(rows);
        }
    }
}

impl Verdict {
    fn write(&self, w: &mut Writer) {
        let (verdict, text) = match self {
            Verdict::Accepted => (0, ""),
            Verdict::Rejected(why) => (1, why.as_str()),
        };
        w.u8(verdict);
        w.i32(0); // There are no error numbers,
        w.u32(0); // and the size of what is compiled is not told.
        w.text(text);
    }
}

impl Outcome {
    fn write(&self, w: &mut Writer) {
        let (status, done, r0, text) = match self {
            Outcome::Ran { done, r0 } => (0, *done, *r0, ""),
            Outcome::Faulted { done, why } => (1, *done, 0, why.as_str()),
        };
        w.u8(status);
        w.u32(done);
        w.u64(r0);
        w.text(text);
    }
}

#[cfg(test)]
mod tests;
