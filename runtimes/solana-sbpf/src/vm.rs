//! solana-sbpf: its engines, and a program loaded into one of them.

use ebpf_cts_worker::{About, DATA_HELPERS, HELPERS, Helper, Machine, Refusal, Window, feature};
use solana_sbpf::aligned_memory::AlignedMemory;
use solana_sbpf::ebpf;
use solana_sbpf::elf::Executable;
use solana_sbpf::error::EbpfError;
use solana_sbpf::memory_region::{MemoryMapping, MemoryRegion};
use solana_sbpf::program::{
    BuiltinFunctionDefinition, BuiltinProgram, FunctionRegistry, SBPFVersion,
};
use solana_sbpf::verifier::{LocalVerifier, RequisiteVerifier};
use solana_sbpf::vm::{CallFrame, Config, ContextObject, EbpfVm, ExecutionMode};
use std::ptr::NonNull;
use std::sync::Arc;

/// The version whose instructions are to be those of eBPF.
const SBPF: SBPFVersion = SBPFVersion::V3;

/// Nothing in the crate limits the length of a program (ebpf.rs, PROG_MAX_INSNS, is not looked at);
/// a worker must have a limit.
const MAX_SLOTS: u32 = 1 << 20;

/// Where r1 points when a program begins: what Solana gives its programs as input is there.
const INPUT: u64 = ebpf::MM_INPUT_START;
/// Where programs find the window.
const WINDOW: u64 = ebpf::MM_HEAP_START;
const INPUT_BYTES: usize = 64;

/// What a program may spend, in instructions: more than any of those that come to an end takes, and
/// no more than a second's worth.
const BUDGET: u64 = 1 << 28;

#[derive(Clone, Copy, PartialEq)]
enum Engine {
    Interp,
    Jit,
    Verifier,
}

impl Engine {
    /// "" is the interpreter.
    fn named(name: &str) -> Result<Self, Refusal> {
        if cfg!(target_endian = "big") {
            return Err(Refusal::unsupported("solana-sbpf is for little-endian machines"));
        }
        match name {
            "" | "interp" => Ok(Engine::Interp),
            "verifier" => Ok(Engine::Verifier),
            "jit" if cfg!(target_arch = "x86_64") => Ok(Engine::Jit),
            "jit" => Err(Refusal::unsupported(format!(
                "solana-sbpf compiles for x86_64 only, and this machine is {}",
                std::env::consts::ARCH
            ))),
            _ => Err(Refusal::unsupported(format!("solana-sbpf has no engine '{name}'"))),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Engine::Interp => "interp",
            Engine::Jit => "jit",
            Engine::Verifier => "verifier",
        }
    }
}

/// What a running program belongs to: its memory, and what it may still spend.
pub struct Context {
    mapping: MemoryMapping,
    remaining: u64,
}

impl ContextObject for Context {
    fn consume(&mut self, amount: u64) {
        self.remaining = self.remaining.saturating_sub(amount);
    }

    fn get_remaining(&self) -> u64 {
        self.remaining
    }

    fn active_mapping_ptr(&mut self) -> NonNull<MemoryMapping> {
        NonNull::from(&mut self.mapping)
    }
}

/// solana-sbpf with one of its engines open.
pub struct Sbpf {
    engine: Engine,
    loader: Arc<BuiltinProgram<Context>>,
    // The mapping in it leads to the memory behind it, and is dropped first.
    context: Context,
    stack: AlignedMemory<{ ebpf::HOST_ALIGN }>,
    input: Box<[u8; INPUT_BYTES]>,
    call_frames: Vec<CallFrame>,
}

impl Machine for Sbpf {
    const RUNTIME: &'static str = "solana-sbpf";
    type Program = Executable<Context>;

    fn open(engine: &str, window: &Window) -> Result<Self, Refusal> {
        let engine = Engine::named(engine)?;
        let loader = loader().map_err(|why| Refusal::failed(why.to_string()))?;
        let config = loader.get_config();
        let mut stack = AlignedMemory::zero_filled(config.stack_size());
        let mut input = Box::new([0; INPUT_BYTES]);
        let mapping = mapping(&mut stack, window, input.as_mut_slice(), config);
        let mapping = mapping.map_err(Refusal::failed)?;
        let call_frames = vec![CallFrame::default(); config.max_call_depth];
        let context = Context { mapping, remaining: 0 };
        Ok(Sbpf { engine, loader, context, stack, input, call_frames })
    }

    fn about(&self) -> About {
        let only = if self.engine == Engine::Verifier { feature::VERDICT_ONLY } else { 0 };
        About {
            engine: self.engine.name(),
            version: ebpf_cts_worker::locked_version(include_str!("../Cargo.lock"), "solana-sbpf"),
            features: only
                | [0, 1, 2, 3, 4].map(feature::data_helper).into_iter().sum::<u32>()
                | feature::LOCAL_CALL
                | feature::MEMORY
                | feature::HELPER_TEST
                | feature::POINTERS
                | feature::STACK_UNINIT,
            max_slots: MAX_SLOTS,
            max_segments: 8,
            window_addr: WINDOW,
        }
    }

    fn load(&self, code: &[u8]) -> Result<Executable<Context>, String> {
        if code.len() / ebpf::INSN_SIZE > MAX_SLOTS as usize {
            return Err(format!("the worker takes programs of {MAX_SLOTS} slots"));
        }
        self.verified(code).map_err(|why| why.to_string())
    }

    fn run(
        &mut self,
        program: &Executable<Context>,
        window: &Window,
        memory: &[u8],
    ) -> Result<u64, String> {
        if memory.is_empty() {
            return self.run_mapped(program, 0);
        }
        let mut given = memory.to_vec();
        let config = program.get_config();
        let with_it = mapping(&mut self.stack, window, &mut given, config)?;
        let before = std::mem::replace(&mut self.context.mapping, with_it);
        let result = self.run_mapped(program, memory.len() as u64);
        self.context.mapping = before; // the other one leads to what ends here
        result
    }
}

impl Sbpf {
    /// Where r1 leads to is mapped.
    fn run_mapped(&mut self, program: &Executable<Context>, bytes: u64) -> Result<u64, String> {
        let frame = program.get_config().stack_frame_size;
        self.stack.as_slice_mut()[..frame].fill(0);
        self.input.fill(0);
        self.context.remaining = BUDGET;
        let mut mode = match self.engine {
            Engine::Jit => ExecutionMode::Jit,
            Engine::Interp | Engine::Verifier => ExecutionMode::Interpreted,
        };
        let mut vm = EbpfVm::new(self.loader.clone(), SBPF, &mut self.context, self.stack.len());
        vm.registers[1] = INPUT;
        vm.registers[2] = bytes;
        let (_, result) = vm.execute_program(program, &mut mode, &mut self.call_frames);
        Result::from(result).map_err(|why| why.to_string())
    }

    /// A program that the crate's verifier accepts, compiled if the engine is the compiler. What
    /// the verifier of `solana deploy` refuses, the chain runs: only the engine `verifier` asks it.
    fn verified(&self, code: &[u8]) -> Result<Executable<Context>, EbpfError> {
        let functions = FunctionRegistry::default();
        let program = Executable::from_text_bytes(code, self.loader.clone(), SBPF, functions)?;
        program.verify::<RequisiteVerifier>()?;
        match self.engine {
            Engine::Interp => {}
            Engine::Verifier => program.verify::<LocalVerifier>()?,
            #[cfg(target_arch = "x86_64")]
            Engine::Jit => program.jit_compile()?,
            #[cfg(not(target_arch = "x86_64"))]
            Engine::Jit => unreachable!("it is not opened"),
        }
        Ok(program)
    }
}

/// What a program reaches. Stack and input must not move, and must live as long as the mapping; the
/// window lives longer than the machine.
fn mapping(
    stack: &mut AlignedMemory<{ ebpf::HOST_ALIGN }>,
    window: &Window,
    input: &mut [u8],
    config: &Config,
) -> Result<MemoryMapping, String> {
    let regions = vec![
        MemoryRegion::new(&raw mut *stack.as_slice_mut(), ebpf::MM_STACK_START),
        MemoryRegion::new(&raw mut *window.as_memory(), WINDOW),
        MemoryRegion::new(&raw mut *input, INPUT),
    ];
    // SAFETY: as above. Any bytes may be written to all three.
    unsafe { MemoryMapping::new(regions, config, SBPF) }.map_err(|why| why.to_string())
}

/// The crate's own configuration, and the test helpers.
fn loader() -> Result<Arc<BuiltinProgram<Context>>, Box<dyn std::error::Error>> {
    let mut loader = BuiltinProgram::new_loader(Default::default());
    Sum::register(&mut loader, Sum::NAME)?;
    Hash::register(&mut loader, Hash::NAME)?;
    Constant::register(&mut loader, Constant::NAME)?;
    Gather::register(&mut loader, Gather::NAME)?;
    Frob::register(&mut loader, Frob::NAME)?;
    Nothing::register(&mut loader, Nothing::NAME)?;
    Root::register(&mut loader, Root::NAME)?;
    Compare::register(&mut loader, Compare::NAME)?;
    Ok(Arc::new(loader))
}

type Arguments = [u64; 5];

/// helper!(TYPE, NAME, FUNCTION): a helper. Helpers are registered by name and called by the hash of
/// it, so its name is one whose hash is its number.
macro_rules! helper {
    ($type:ident, $name:literal, $function:expr) => {
        struct $type;

        impl $type {
            const NAME: &str = $name;
        }

        impl BuiltinFunctionDefinition<Context> for $type {
            type Error = EbpfError;

            fn rust(
                context: &mut Context,
                a: u64,
                b: u64,
                c: u64,
                d: u64,
                e: u64,
            ) -> Result<u64, Self::Error> {
                let function: fn(&mut MemoryMapping, Arguments) -> Result<u64, EbpfError> =
                    $function;
                function(&mut context.mapping, [a, b, c, d, e])
            }
        }
    };
}

helper!(Sum, "ageuzsyf", |_, r| number(HELPERS[0].1, r));
helper!(Hash, "akbgyeqr", |_, r| number(HELPERS[1].1, r));
helper!(Constant, "btlbwvrb", |_, r| number(HELPERS[2].1, r));
helper!(Gather, "akeayrvo", |_, r| number(DATA_HELPERS[0].1, r));
helper!(Frob, "bdygfbzq", frob);
helper!(Nothing, "bmbsbguk", |_, r| number(DATA_HELPERS[1].1, r));
helper!(Root, "ahblfvlj", |_, r| number(DATA_HELPERS[2].1, r));
helper!(Compare, "asytcmun", compare);

/// How far helpers go through memory.
const MOST_BYTES: u64 = 4096;

fn number(helper: Helper, [a, b, c, d, e]: Arguments) -> Result<u64, EbpfError> {
    Ok(helper(a, b, c, d, e))
}

fn byte_at(memory: &mut MemoryMapping, at: u64) -> Result<u8, EbpfError> {
    Result::from(memory.load::<u8>(at)).map(|byte| byte as u8)
}

fn frob(memory: &mut MemoryMapping, [at, bytes, ..]: Arguments) -> Result<u64, EbpfError> {
    for at in (0..bytes.min(MOST_BYTES)).map(|i| at.wrapping_add(i)) {
        let byte = byte_at(memory, at)? ^ 42;
        Result::from(memory.store(byte, at))?;
    }
    Ok(0)
}

fn compare(memory: &mut MemoryMapping, [one, other, ..]: Arguments) -> Result<u64, EbpfError> {
    for i in 0..MOST_BYTES {
        let a = byte_at(memory, one.wrapping_add(i))?;
        let b = byte_at(memory, other.wrapping_add(i))?;
        if a != b || a == 0 {
            return Ok(u64::from(a).wrapping_sub(b.into()));
        }
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ebpf_cts_worker::{Item, Load, Outcome, Rows, Run, Verdict, WINDOW_BYTES, Worker};

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

    fn workers() -> Vec<Worker<Sbpf>> {
        let engines = if cfg!(target_arch = "x86_64") { vec!["interp", "jit"] } else { vec![""] };
        engines.into_iter().map(|name| Worker::open(name).expect(name)).collect()
    }

    #[test]
    fn names_of_helpers_hash_to_their_numbers() {
        let names = [
            (Sum::NAME, 0x7000),
            (Hash::NAME, 0x7001),
            (Constant::NAME, 0x7002),
            (Gather::NAME, 0x7100),
            (Frob::NAME, 0x7101),
            (Nothing::NAME, 0x7102),
            (Root::NAME, 0x7103),
            (Compare::NAME, 0x7104),
        ];
        for (name, id) in names {
            assert_eq!(ebpf::hash_symbol_name(name.as_bytes()), id, "{name}");
        }
    }

    #[test]
    fn helpers_are_called() {
        let mut code = vec![];
        for register in 1..=5 {
            code.extend([0xb7, register, 0, 0, register, 0, 0, 0]); // r1 = 1, ...
        }
        code.extend([0x85, 0, 0, 0, 0, 0x70, 0, 0]); // call 0x7000
        code.extend([0x95, 0, 0, 0, 0, 0, 0, 0]);
        for mut worker in workers() {
            let answer = worker.execute(&item(Some(&code))).unwrap();
            assert!(matches!(answer.run, Some(Outcome::Ran { done: 2, r0: 129 })));
        }
    }

    #[test]
    fn the_verifier_alone_refuses_what_deploying_would() {
        let unknown = [0x85, 0, 0, 0, 9, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]; // call 9; exit
        let asked = |_| Item { run: None, ..item(Some(&unknown)) };
        for mut worker in workers() {
            assert!(matches!(worker.execute(&asked(())).unwrap().load, Some(Verdict::Accepted)));
        }
        let mut verifier = Worker::<Sbpf>::open("verifier").unwrap();
        let answer = verifier.execute(&asked(())).unwrap();
        assert!(matches!(answer.load, Some(Verdict::Rejected(why)) if why.contains("syscall")));
    }

    #[test]
    fn faults_are_told_and_forgotten() {
        let load_from_null = [0x79, 0x10, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0];
        let mut null = vec![0xb7, 1, 0, 0, 0, 0, 0, 0]; // r1 = 0
        null.extend(load_from_null);
        for mut worker in workers() {
            let answer = worker.execute(&item(Some(&null))).unwrap();
            assert!(matches!(answer.run,
                Some(Outcome::Faulted { done: 0, why }) if why.contains("Access violation")));
            let answer = worker.execute(&item(Some(EXIT))).unwrap();
            assert!(matches!(answer.run, Some(Outcome::Ran { done: 2, r0: 7 })));
        }
    }

    #[test]
    fn rows_go_in_and_come_out() {
        let mut code = vec![0x18, 1, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0]; // r1 = the window
        code.extend([0x71, 0x12, 0, 0, 0, 0, 0, 0]); // r2 = *(u8 *)(r1 + 0)
        code.extend([0x73, 0x21, 1, 0, 0, 0, 0, 0]); // *(u8 *)(r1 + 1) = r2
        code.extend(EXIT);
        for mut worker in workers() {
            let rows = Some(Rows { offset: 64, bytes: &[5, 6, 7] });
            let asked = Item { rows, ..item(Some(&code)) };
            assert_eq!(worker.execute(&asked).unwrap().rows, Some(vec![5, 5, 7]));
            let rows = Some(Rows { offset: WINDOW_BYTES as usize - 2, bytes: &[5, 6, 7] });
            let outside = Item { rows, ..item(Some(EXIT)) };
            assert!(worker.execute(&outside).is_err());
        }
    }

    #[test]
    fn memory_is_what_r1_and_r2_say() {
        // r0 = *(u8 *)(r1 + 1); r0 += r2; *(u8 *)(r1 + 0) = r0; r3 = *(u8 *)(r1 + 2)
        let mut code = vec![0x71, 0x10, 1, 0, 0, 0, 0, 0, 0x0f, 0x20, 0, 0, 0, 0, 0, 0];
        code.extend([0x73, 0x01, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);
        let mut beyond = vec![0x71, 0x13, 2, 0, 0, 0, 0, 0];
        beyond.extend(&code);
        let run = Some(Run { iterations: 2, memory: &[5, 6] });
        for mut worker in workers() {
            let asked = Item { run: run.clone(), ..item(Some(&code)) };
            assert!(matches!(
                worker.execute(&asked).unwrap().run,
                Some(Outcome::Ran { done: 2, r0: 8 })
            ));
            let asked = Item { run: run.clone(), ..item(Some(&beyond)) };
            assert!(matches!(worker.execute(&asked).unwrap().run,
                Some(Outcome::Faulted { done: 0, why }) if why.contains("Access violation")));
            let answer = worker.execute(&item(Some(EXIT))).unwrap();
            assert!(matches!(answer.run, Some(Outcome::Ran { done: 2, r0: 7 })));
        }
    }

    #[test]
    fn version_is_a_number() {
        let version = Sbpf::open("", &Window::open(4096).unwrap()).unwrap().about().version;
        assert!(version.split('.').all(|part| part.parse::<u32>().is_ok()), "{version}");
    }
}
