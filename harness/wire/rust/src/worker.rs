//! What the requests of the harness do: programs are loaded, run and given up.

use crate::protocol::{
    Answer, Caps, Item, Load, Malformed, Outcome, PROGRAMS, Refusal, Rows, Run, Verdict,
};
use crate::window::Window;
use crate::{About, Machine};

/// How much memory the window is.
pub const WINDOW_BYTES: u32 = 8 << 20;
const MAX_ITERATIONS: u32 = 1 << 20;

/// An engine that is open.
pub struct Worker<M: Machine> {
    // In this order: the window is given back last.
    programs: [Option<M::Program>; PROGRAMS],
    machine: M,
    window: Window,
    begun: u64,
}

impl<M: Machine> Worker<M> {
    pub fn open(engine: &str) -> Result<Self, Refusal> {
        let window = Window::open(WINDOW_BYTES as usize)
            .map_err(|why| Refusal::failed(format!("no memory for the window: {why}")))?;
        let machine = M::open(engine, &window)?;
        Ok(Worker { programs: [const { None }; PROGRAMS], machine, window, begun: 0 })
    }

    pub fn window(&self) -> &Window {
        &self.window
    }

    pub(crate) fn caps(&self) -> Caps<'static> {
        let About { engine, version, features, max_slots, max_segments, window_addr } =
            self.machine.about();
        Caps {
            runtime: M::RUNTIME,
            engine,
            version,
            window_bytes: WINDOW_BYTES,
            window_fd: self.window.fd(),
            window_addr,
            features,
            max_slots,
            max_segments,
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
            answer.run = Some(run_program(&mut self.machine, program, &self.window, run));
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
        match self.machine.load(load.code) {
            Ok(program) => {
                self.programs[prog] = Some(program);
                Verdict::Accepted
            }
            Err(why) => Verdict::Rejected(why),
        }
    }
}

fn run_program<M: Machine>(
    machine: &mut M,
    program: &M::Program,
    window: &Window,
    run: &Run,
) -> Outcome {
    let mut r0 = 0;
    for done in 0..run.iterations {
        match machine.run(program, window, run.memory) {
            Ok(result) => r0 = result,
            Err(why) => return Outcome::Faulted { done, why },
        }
    }
    Outcome::Ran { done: run.iterations, r0 }
}
