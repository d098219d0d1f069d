//! rbpf: its engines, and a program loaded into one of them.

use crate::protocol::Refusal;
use crate::window::Window;
use rbpf::EbpfVmMbuff;

/// The version of rbpf, as Cargo.lock has it.
pub fn version() -> &'static str {
    include_str!("../Cargo.lock")
        .split("[[package]]")
        .find_map(|package| package.trim_start().strip_prefix("name = \"rbpf\"\nversion = \""))
        .and_then(|rest| rest.split('"').next())
        .expect("rbpf is in Cargo.lock")
}

#[derive(Clone, Copy)]
pub enum Engine {
    Interp,
    Jit,
    #[cfg(feature = "cranelift")]
    Cranelift,
}

impl Engine {
    /// "" is the interpreter.
    pub fn open(name: &str) -> Result<Self, Refusal> {
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

    pub fn name(self) -> &'static str {
        match self {
            Engine::Interp => "interp",
            Engine::Jit => "jit",
            #[cfg(feature = "cranelift")]
            Engine::Cranelift => "cranelift",
        }
    }

    /// rbpf compiles to one page of memory: bodies do not share it.
    pub fn max_segments(self) -> u32 {
        match self {
            Engine::Jit => 1,
            _ => 8,
        }
    }

    /// The compiler with Cranelift takes every call for one of a helper.
    pub fn has_local_calls(self) -> bool {
        matches!(self, Engine::Interp | Engine::Jit)
    }
}

pub struct Program {
    // In this order: the machine borrows the code, and is dropped first.
    vm: EbpfVmMbuff<'static>,
    _code: Vec<u8>,
    engine: Engine,
}

/// What r1 points to when a program begins.
pub type Context = [u64; 8];

impl Program {
    /// An error is rbpf's no to the program, in its own words.
    pub fn load(engine: Engine, code: &[u8]) -> Result<Self, String> {
        let code = code.to_vec();
        // SAFETY: `vm` does not outlive `code`, which is neither changed nor moved to another place.
        let borrowed: &'static [u8] =
            unsafe { std::slice::from_raw_parts(code.as_ptr(), code.len()) };
        let vm = Self::compile(engine, borrowed).map_err(|why| why.to_string())?;
        Ok(Program { vm, _code: code, engine })
    }

    fn compile(engine: Engine, code: &'static [u8]) -> std::io::Result<EbpfVmMbuff<'static>> {
        let mut vm = EbpfVmMbuff::new(Some(code))?;
        for (id, helper) in HELPERS {
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
    pub fn run(&self, window: &Window, context: &mut Context) -> Result<u64, String> {
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

/// The test helpers. They take numbers and give one: a program that runs wild finds nothing here
/// that reaches out of the process.
const HELPERS: [(u32, rbpf::Helper); 3] = [(0x7000, sum), (0x7001, hash), (0x7002, constant)];

fn sum(a: u64, b: u64, c: u64, d: u64, e: u64) -> u64 {
    [a, b, c, d, e].iter().rev().fold(0, |sum: u64, r| sum.wrapping_mul(2).wrapping_add(*r))
}

fn hash(a: u64, b: u64, c: u64, d: u64, e: u64) -> u64 {
    let mix = |h: u64, r: u64| (h ^ r).rotate_left(13).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    [a, b, c, d, e].into_iter().fold(0, mix)
}

fn constant(_: u64, _: u64, _: u64, _: u64, _: u64) -> u64 {
    0x00c0_ffee_00c0_ffee
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helpers_are_those_of_the_reference() {
        assert_eq!(sum(1, 2, 3, 4, 5), 129);
        assert_eq!(constant(1, 2, 3, 4, 5), 0xc0ffee00c0ffee);
        assert_ne!(hash(1, 2, 3, 4, 5), hash(2, 1, 3, 4, 5));
        assert_eq!(hash(0, 0, 0, 0, 1), 0x2000u64.wrapping_mul(0x9e3779b97f4a7c15));
    }

    #[test]
    fn version_is_a_number() {
        assert!(version().split('.').all(|part| part.parse::<u32>().is_ok()), "{}", version());
    }
}
