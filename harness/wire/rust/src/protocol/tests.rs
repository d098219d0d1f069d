//! The bytes that PROTOCOL.md shows, read from that page itself, so that the two cannot drift.

use super::*;

const PAGE: &str = include_str!("../../../PROTOCOL.md");

/// The bytes of the first block behind this text: what stands on the left of each line.
fn shown_behind(text: &str) -> Vec<u8> {
    let block = PAGE.split_once(text).expect(text).1.split("```").nth(1).expect("a block");
    let left = |line: &'static str| line.split("   ").next().unwrap_or("").split_whitespace();
    block.lines().flat_map(left).map(|byte| u8::from_str_radix(byte, 16).expect(byte)).collect()
}

fn example_item() -> Vec<u8> {
    shown_behind("run it once, unload it: ")
}

fn exec(items: &[&[u8]]) -> Frame {
    let mut w = Writer::default();
    w.u32(items.len() as u32);
    w.bytes.extend(items.concat());
    Frame { kind: 3, seq: 2, payload: w.bytes }
}

fn request_fails(kind: u16, payload: &[u8]) -> bool {
    Request::read(&Frame { kind, seq: 1, payload: payload.to_vec() }).is_err()
}

#[test]
fn greeting() {
    let mut bytes: &[u8] = b"\x0d\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0x";
    let shown = "0d 00 00 00 01 00 00 00 01 00 00 00  01 00 00 00 01 00 00 00 01 00 00 00 'x'";
    assert!(PAGE.contains(shown));
    let frame = read_frame(&mut bytes).unwrap().unwrap();
    assert_eq!((frame.kind, frame.seq), (1, 1));
    let hello = Hello { lowest: 1, highest: 1, engine: "x" };
    assert_eq!(Request::read(&frame), Ok(Request::Hello(hello)));
    assert_eq!(read_frame(&mut bytes).unwrap(), None);
}

#[test]
fn item() {
    let bytes = example_item();
    let said = PAGE.split_once("run it once, unload it: ").unwrap().1.split(' ').next().unwrap();
    assert_eq!(said.parse(), Ok(bytes.len()));
    let frame = exec(&[&bytes]);
    let code = [0xb7, 0, 0, 0, 1, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0];
    let item = Item {
        prog: 5,
        load: Some(Load { code: &code, regions: vec![] }),
        run: Some(Run { iterations: 1, memory: &[] }),
        unload: true,
        rows: None,
    };
    assert_eq!(Request::read(&frame), Ok(Request::Exec(vec![item])));
}

#[test]
fn answer() {
    let answer = Answer {
        load: Some(Verdict::Accepted),
        run: Some(Outcome::Ran { done: 1, r0: 1 }),
        unloaded: true,
        rows: None,
    };
    let mut w = Writer::default();
    answer.write(&mut w);
    assert_eq!(w.bytes, shown_behind("The answer to the example"));
}

#[test]
fn rejected_and_faulted() {
    let mut w = Writer::default();
    Answer { load: Some(Verdict::Rejected("no".into())), ..Answer::default() }.write(&mut w);
    assert_eq!(w.bytes, b"\x01\x01\0\0\0\0\0\0\0\0\x02\0\0\0no");
    let mut w = Writer::default();
    let run = Some(Outcome::Faulted { done: 3, why: "x".into() });
    Answer { run, rows: Some(vec![7, 8]), ..Answer::default() }.write(&mut w);
    assert_eq!(w.bytes, b"\x0a\x01\x03\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0x\x02\0\0\0\x07\x08");
}

#[test]
fn answers_are_framed() {
    let mut out = Vec::new();
    let mut w = Writer::default();
    w.u64(0x0807_0605_0403_0201);
    write_frame(&mut out, Kind::Done, 0x0201, w).unwrap();
    assert_eq!(out, b"\x08\0\0\0\x04\0\0\0\x01\x02\0\0\x01\x02\x03\x04\x05\x06\x07\x08");
}

#[test]
fn cut_short() {
    let item = example_item();
    let whole = exec(&[&item, &item]).payload;
    assert!(!request_fails(3, &whole));
    for len in 0..whole.len() {
        assert!(request_fails(3, &whole[..len]), "{len} bytes");
    }
    let mut longer = whole;
    longer.push(0);
    assert!(request_fails(3, &longer));
}

#[test]
fn nonsense() {
    let mut item = example_item();
    let with = |at: usize, value: u8, item: &mut Vec<u8>| {
        let before = std::mem::replace(&mut item[at], value);
        let fails = request_fails(3, &exec(&[item]).payload);
        item[at] = before;
        fails
    };
    assert!(with(0, 0x17, &mut item), "a step that is none");
    assert!(with(1, 64, &mut item), "a program beyond the last");
    assert!(with(2, 2, &mut item), "a kind that is none");
    assert!(with(3, 2, &mut item), "a boolean that is none");
    assert!(with(5, 0x0f, &mut item), "code that is no multiple of 8");
    assert!(with(2, 0, &mut item), "rows without a layout");
    assert!(with(25, 17, &mut item), "more layouts than may be");
    assert!(with(45, 0, &mut item), "no iteration");
    assert!(!with(45, 2, &mut item), "two iterations");
    assert!(with(53, 2, &mut item), "two threads");
    assert!(with(53, 0, &mut item), "no thread");
    assert!(with(53, 2, &mut item), "two threads");
    assert!(request_fails(2, &[]), "a response for a request");
}

#[test]
fn layouts() {
    let layout = |offset: u32, rows: u32, stride: u32| {
        let mut bytes = [offset, rows, stride].map(u32::to_le_bytes).concat();
        bytes.resize(LAYOUT, 0);
        Region::read(&mut Reader::new(&bytes))
    };
    assert_eq!(layout(128, 4, 256), Ok(Region { offset: 128, len: 64 + 4 * 256 }));
    assert!(layout(130, 4, 256).is_err(), "a region between the places for regions");
    assert!(layout(128, 3, 256).is_err() && layout(128, 4, 0).is_err(), "no powers of two");
}

#[test]
fn headers() {
    assert!(read_frame(&mut &[0u8; 11][..]).is_err(), "broken off");
    assert!(read_frame(&mut &[0, 0, 0, 0, 3, 0, 1, 0, 0, 0, 0, 0][..]).is_err(), "no zero");
    assert!(read_frame(&mut &[1, 0, 0, 4, 3, 0, 0, 0, 0, 0, 0, 0][..]).is_err(), "too long");
    assert!(read_frame(&mut &[1, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0][..]).is_err(), "no payload");
}

#[test]
fn long_texts_lose_their_beginning() {
    let mut w = Writer::default();
    w.text(&format!("{}ä{}end", "x".repeat(100), "y".repeat(TEXT_MAX - 4)));
    let text = Reader::new(&w.bytes).string().unwrap().to_owned();
    assert_eq!(text.len(), TEXT_MAX - 1, "half a letter is left out, too");
    assert!(text.starts_with('y') && text.ends_with("end"));
}
