//! rbpf: its engines, and a program loaded into one of them.

use ebpf_cts_worker::{About, DATA_HELPERS, HELPERS, Machine, Refusal, Window, feature};
use rbpf::EbpfVmMbuff;

#[derive(Clone, Copy)]
pub enum Engine {
    Interp,
    Jit,
    #[cfg(feature = "cranelift")]
    Cranelift,
}

impl Engine {
    /// "" is the interpreter.
    fn named(name: &str) -> Result<Self, Refusal> {
        if cfg!(target_endian = "big") {
            return Err(Refusal::unsupported("rbpf reads programs as little-endian machines do"));
        }
        match name {
            "" | "interp" => Ok(Engine::Interp),
            "jit" if cfg!(target_arch = "x86_64") => Ok(Engine::Jit),
            "jit" => Err(Refusal::unsupported(format!(
                "rbpf compiles for x86_64 only, and this machine is {}",
                std::env::consts::ARCH
            ))),
            #[cfg(feature = "cranelift")]
            "cranelift" => Ok(Engine::Cranelift),
            #[cfg(not(feature = "cranelift"))]
            "cranelift" => Err(Refusal::unsupported(
                "the worker is built without it: cmake -DCTS_RBPF_CRANELIFT=ON and build again",
            )),
            _ => Err(Refusal::unsupported(format!("rbpf has no engine '{name}'"))),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Engine::Interp => "interp",
            Engine::Jit => "jit",
            #[cfg(feature = "cranelift")]
            Engine::Cranelift => "cranelift",
        }
    }

    /// rbpf compiles to one page of memory: bodies do not share it.
    fn max_segments(self) -> u32 {
        match self {
            Engine::Jit => 1,
            _ => 8,
        }
    }

    /// The compiler with Cranelift takes every call for one of a helper.
    fn has_local_calls(self) -> bool {
        matches!(self, Engine::Interp | Engine::Jit)
    }
}

/// rbpf with one of its engines open.
pub struct Rbpf {
    engine: Engine,
    window_addr: u64,
}

impl Machine for Rbpf {
    const RUNTIME: &'static str = "rbpf";
    type Program = Program;

    fn open(engine: &str, window: &Window) -> Result<Self, Refusal> {
        Ok(Rbpf { engine: Engine::named(engine)?, window_addr: window.address() })
    }

    fn about(&self) -> About {
        let helpers = [0, 2, 3].map(feature::data_helper).into_iter().sum::<u32>();
        let local_call = if self.engine.has_local_calls() { feature::LOCAL_CALL } else { 0 };
        About {
            engine: self.engine.name(),
            version: ebpf_cts_worker::locked_version(include_str!("../Cargo.lock"), "rbpf"),
            features: local_call
                | helpers
                | feature::HELPER_TEST
                | feature::POINTERS
                | feature::STACK_UNINIT,
            max_slots: rbpf::ebpf::PROG_MAX_INSNS as u32,
            max_segments: self.engine.max_segments(),
            window_addr: self.window_addr,
        }
    }

    fn load(&self, code: &[u8]) -> Result<Program, String> {
        Program::load(self.engine, code)
    }

    fn run(&mut self, program: &Program, window: &Window, _: &[u8]) -> Result<u64, String> {
        program.run(window, &mut Context::default())
    }
}

pub struct Program {
    // In this order: the machine borrows the code, and is dropped first.
    vm: EbpfVmMbuff<'static>,
    _code: Vec<u8>,
    engine: Engine,
}

/// What r1 points to when a program begins.
type Context = [u64; 8];

impl Program {
    /// An error is rbpf's no to the program, in its own words.
    fn load(engine: Engine, code: &[u8]) -> Result<Self, String> {
        let code = code.to_vec();
        // SAFETY: `vm` does not outlive `code`, which is neither changed nor moved to another place.
        let borrowed: &'static [u8] =
            unsafe { std::slice::from_raw_parts(code.as_ptr(), code.len()) };
        let vm = Self::compile(engine, borrowed).map_err(|why| why.to_string())?;
        Ok(Program { vm, _code: code, engine })
    }

    fn compile(engine: Engine, code: &'static [u8]) -> std::io::Result<EbpfVmMbuff<'static>> {
        let mut vm = EbpfVmMbuff::new(Some(code))?;
        for (id, helper) in HELPERS.into_iter().chain(DATA_HELPERS) {
            vm.register_helper(id, helper)?;
        }
        match engine {
            Engine::Interp => {}
            Engine::Jit => vm.jit_compile()?,
            #[cfg(feature = "cranelift")]
            Engine::Cranelift => vm.cranelift_compile()?,
        }
        Ok(vm)
    }

    /// r0, or the fault that stopped the program.
    fn run(&self, window: &Window, context: &mut Context) -> Result<u64, String> {
        let memory = window.as_memory();
        // SAFETY: any bytes are a valid u8; rbpf keeps the reference no longer than the call, though
        // its type says so.
        let context: &'static mut [u8] = unsafe {
            std::slice::from_raw_parts_mut(
                context.as_mut_ptr().cast(),
                std::mem::size_of_val(context),
            )
        };
        let result = match self.engine {
            Engine::Interp => self.vm.execute_program(memory, context),
            // SAFETY: there is none. Compiled programs may do to this process what they like, which
            // is why it is a process of its own.
            Engine::Jit => unsafe { self.vm.execute_program_jit(memory, context) },
            #[cfg(feature = "cranelift")]
            Engine::Cranelift => self.vm.execute_program_cranelift(memory, context),
        };
        result.map_err(|why| why.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ebpf_cts_worker::{Item, Load, Outcome, Rows, Run, Verdict, Worker};

    const EXIT: &[u8] = &[0xb7, 0, 0, 0, 7, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]; // r0 = 7; exit

    fn item(load: Option<&[u8]>) -> Item<'_> {
        let load = load.map(|code| Load { code, regions: vec![] });
        Item {
            prog: 3,
            load,
            run: Some(Run { iterations: 2, memory: &[] }),
            unload: true,
            rows: None,
        }
    }

    fn worker() -> Worker<Rbpf> {
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
        let at = (worker.window().address() + 64).to_le_bytes();
        code[4..8].copy_from_slice(&at[..4]);
        code[12..].copy_from_slice(&at[4..]);
        code.extend([0x71, 0x12, 0, 0, 0, 0, 0, 0]); // r2 = *(u8 *)(r1 + 0)
        code.extend([0x73, 0x21, 1, 0, 0, 0, 0, 0]); // *(u8 *)(r1 + 1) = r2
        code.extend(EXIT);
        let rows = |offset| Rows { offset, bytes: &[5, 6, 7] };
        let asked = Item { rows: Some(rows(64)), ..item(Some(&code)) };
        assert_eq!(worker.execute(&asked).unwrap().rows, Some(vec![5, 5, 7]));
        let outside = Item {
            rows: Some(rows(ebpf_cts_worker::WINDOW_BYTES as usize - 2)),
            ..item(Some(EXIT))
        };
        assert!(worker.execute(&outside).is_err());
        assert_eq!(worker.window().get(0, 8), 2u64.to_ne_bytes(), "two were begun");
    }

    #[test]
    fn version_is_a_number() {
        let version = Rbpf { engine: Engine::Interp, window_addr: 0 }.about().version;
        assert!(version.split('.').all(|part| part.parse::<u32>().is_ok()), "{version}");
    }
}
