//! What the questions of the harness do: programs are loaded, run and given up.

use crate::protocol::{
    Answer, Caps, Item, Load, Malformed, Outcome, PROGRAMS, Refusal, Rows, Run, Verdict,
};
use crate::vm::{self, Context, Engine, Program};
use crate::window::Window;

const WINDOW_BYTES: u32 = 8 << 20;
const MAX_SLOTS: u32 = rbpf::ebpf::PROG_MAX_INSNS as u32;
const MAX_ITERATIONS: u32 = 1 << 20;

const LOCAL_CALL: u32 = 1 << 0;
const HELPER_TEST: u32 = 1 << 9;
const POINTERS: u32 = 1 << 10;
const STACK_UNINIT: u32 = 1 << 11;

/// An engine that is open.
pub struct Worker {
    engine: Engine,
    window: Window,
    programs: [Option<Program>; PROGRAMS],
    begun: u64,
}

impl Worker {
    pub fn open(engine: &str) -> Result<Self, Refusal> {
        let engine = Engine::open(engine)?;
        let window = Window::open(WINDOW_BYTES as usize)
            .map_err(|why| Refusal::failed(format!("no memory for the window: {why}")))?;
        Ok(Worker { engine, window, programs: [const { None }; PROGRAMS], begun: 0 })
    }

    pub fn caps(&self) -> Caps {
        let local_call = if self.engine.has_local_calls() { LOCAL_CALL } else { 0 };
        Caps {
            engine: self.engine.name().into(),
            version: vm::version().into(),
            window_bytes: WINDOW_BYTES,
            window_fd: self.window.fd(),
            window_addr: self.window.address(),
            features: local_call | HELPER_TEST | POINTERS | STACK_UNINIT,
            max_slots: MAX_SLOTS,
            max_segments: self.engine.max_segments(),
            max_iterations: MAX_ITERATIONS,
        }
    }

    /// Takes the steps of one item.
    pub fn execute(&mut self, item: &Item) -> Result<Answer, Malformed> {
        self.begun += 1;
        self.window.tell_begun(self.begun);
        self.check(item)?;
        let mut answer = Answer::default();
        if let Some(load) = &item.load {
            answer.load = Some(self.load(item.prog, load));
        }
        let Some(program) = &self.programs[item.prog] else {
            return Ok(answer);
        };
        if let Some(run) = &item.run {
            if let Some(Rows { offset, bytes }) = item.rows {
                self.window.put(offset, bytes);
            }
            answer.run = Some(self.run(program, run));
            answer.rows = item.rows.as_ref().map(|r| self.window.get(r.offset, r.bytes.len()));
        }
        if item.unload {
            self.programs[item.prog] = None;
            answer.unloaded = true;
        }
        Ok(answer)
    }

    /// Nothing that an item names may lie outside of the window.
    fn check(&self, item: &Item) -> Result<(), Malformed> {
        let regions = item.load.iter().flat_map(|load| &load.regions);
        let regions = regions.map(|region| (region.offset, region.len));
        let rows = item.rows.iter().map(|rows| (rows.offset, rows.bytes.len()));
        match regions.chain(rows).find(|&(offset, len)| !self.window.holds(offset, len)) {
            None => Ok(()),
            Some((at, len)) => Err(Malformed(format!("{len} bytes at {at} of the window"))),
        }
    }

    fn load(&mut self, prog: usize, load: &Load) -> Verdict {
        self.programs[prog] = None;
        match Program::load(self.engine, load.code) {
            Ok(program) => {
                self.programs[prog] = Some(program);
                Verdict::Accepted
            }
            Err(why) => Verdict::Rejected(why),
        }
    }

    fn run(&self, program: &Program, run: &Run) -> Outcome {
        let mut r0 = 0;
        for done in 0..run.iterations {
            match program.run(&self.window, &mut Context::default()) {
                Ok(result) => r0 = result,
                Err(why) => return Outcome::Faulted { done, why },
            }
        }
        Outcome::Ran { done: run.iterations, r0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXIT: &[u8] = &[0xb7, 0, 0, 0, 7, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]; // r0 = 7; exit

    fn item(load: Option<&[u8]>) -> Item<'_> {
        let load = load.map(|code| Load { code, regions: vec![] });
        Item { prog: 3, load, run: Some(Run { iterations: 2 }), unload: true, rows: None }
    }

    fn worker() -> Worker {
        Worker::open("interp").expect("the interpreter is always there")
    }

    #[test]
    fn all_steps() {
        let mut worker = worker();
        let answer = worker.execute(&item(Some(EXIT))).unwrap();
        assert!(matches!(answer.load, Some(Verdict::Accepted)));
        assert!(matches!(answer.run, Some(Outcome::Ran { done: 2, r0: 7 })));
        assert!(answer.unloaded);
        let again = worker.execute(&item(None)).unwrap();
        assert!(again.load.is_none() && again.run.is_none() && !again.unloaded, "it is gone");
    }

    #[test]
    fn rejected_and_not_run() {
        let answer = worker().execute(&item(Some(&[0xff; 8]))).unwrap();
        assert!(matches!(answer.load, Some(Verdict::Rejected(why)) if why.contains("Verifier")));
        assert!(answer.run.is_none() && !answer.unloaded);
    }

    #[test]
    fn fault() {
        let load_from_null = [0x79, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0];
        let answer = worker().execute(&item(Some(&load_from_null))).unwrap();
        assert!(matches!(answer.run, Some(Outcome::Faulted { done: 0, .. })));
    }

    #[test]
    fn rows_go_in_and_come_out() {
        let mut worker = worker();
        let mut code = vec![0x18, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]; // r1 = the window
        let at = (worker.window.address() + 64).to_le_bytes();
        code[4..8].copy_from_slice(&at[..4]);
        code[12..].copy_from_slice(&at[4..]);
        code.extend([0x71, 0x12, 0, 0, 0, 0, 0, 0]); // r2 = *(u8 *)(r1 + 0)
        code.extend([0x73, 0x21, 1, 0, 0, 0, 0, 0]); // *(u8 *)(r1 + 1) = r2
        code.extend(EXIT);
        let rows = |offset| Rows { offset, bytes: &[5, 6, 7] };
        let asked = Item { rows: Some(rows(64)), ..item(Some(&code)) };
        assert_eq!(worker.execute(&asked).unwrap().rows, Some(vec![5, 5, 7]));
        let outside = Item { rows: Some(rows(WINDOW_BYTES as usize - 2)), ..item(Some(EXIT)) };
        assert!(worker.execute(&outside).is_err());
        assert_eq!(worker.window.get(0, 8), 2u64.to_ne_bytes(), "two were begun");
    }
}
