//! One stream, an instruction at a time: run as far as a loader goes, then decoded as far as there
//! is something to decode.

use std::collections::{HashSet, VecDeque};
use std::io;

use pickleproof_core::{
    Advance, Decoder, Dialect, End, Instruction, Machine, Opcode, Operand, Options, StackItem,
};

use super::operand;
use super::sink::{Next, Ran, Sink, Step, Turn, Why, remember};
use super::summary::{Outcome, Recorder, Summary};

/// Lists the stream that begins at `start`, and what comes of it in each dialect.
pub(super) fn stream(
    bytes: &[u8],
    start: usize,
    options: &Options,
    sink: &mut dyn Sink,
) -> io::Result<()> {
    let mut listing = Listing {
        bytes,
        start,
        options,
        sink,
        highest: None,
        recorder: Recorder::default(),
    };
    let ran = listing.run()?;
    let highest = listing.highest;
    let outcomes = listing.recorder.all(bytes, start, options, ran);
    sink.summary(&Summary { highest, outcomes })
}

/// The dialect whose loader may go on where this one's gives up.
const fn other(dialect: Dialect) -> Option<Dialect> {
    match dialect {
        Dialect::C => Some(Dialect::Python),
        Dialect::Python => Some(Dialect::C),
        Dialect::PickleTools => None,
    }
}

struct Listing<'l, 'a> {
    bytes: &'a [u8],
    start: usize,
    options: &'l Options,
    sink: &'l mut dyn Sink,
    /// Highest protocol among the opcodes so far.
    highest: Option<u8>,
    recorder: Recorder,
}

impl<'a> Listing<'_, 'a> {
    /// Lists the stream. Gives what came of the runs that went to their end.
    fn run(&mut self) -> io::Result<Vec<Outcome>> {
        let mut runner = Runner::new(self.bytes, self.start, self.options.clone());
        let mut outcomes = Vec::new();
        let mut other = other(runner.dialect);
        let mut stepped = runner.step();
        loop {
            if let Some(instruction) = stepped.advance.instruction {
                self.emit(&runner, &stepped, instruction)?;
            }
            let Some(end) = stepped.advance.end else {
                stepped = runner.step();
                continue;
            };
            let (dialect, marks) = (runner.dialect, runner.marks);
            let trace = runner.machine.finish(end);
            outcomes.push(self.recorder.outcome(dialect, &trace));
            let Some(why) = Why::of(end) else {
                return Ok(outcomes);
            };
            // Whose loader gives up at the same instruction, or before, does not go on.
            let goes_on = match why {
                Why::Error(_) => other.take(),
                Why::Limit(..) => None,
            }
            .and_then(|dialect| {
                let options = Options {
                    dialect,
                    ..self.options.clone()
                };
                Runner::new(self.bytes, self.start, options).catch_up(why.offset())
            });
            let turn = |next| Turn {
                dialect: Some(dialect),
                why,
                next,
            };
            if let Some((next, first)) = goes_on {
                self.sink.turn(&turn(Next::Run(next.dialect)))?;
                (runner, stepped) = (next, first);
                continue;
            }
            match stepped.advance.instruction {
                Some(Instruction {
                    opcode: Opcode::Stop,
                    ..
                }) => self.sink.turn(&turn(Next::End))?,
                Some(instruction) => self.decode(instruction.end, marks, &turn)?,
                None => self.decode(why.offset(), marks, &turn)?,
            }
            return Ok(outcomes);
        }
    }

    /// Lists an instruction that was run, or failed.
    fn emit(
        &mut self,
        runner: &Runner<'a>,
        stepped: &Stepped<'a>,
        instruction: Instruction<'a>,
    ) -> io::Result<()> {
        self.count(&instruction);
        let failed = stepped
            .advance
            .end
            .is_some_and(|end| Why::of(end).is_some());
        let by_pickletools = operand::pickletools(&instruction, self.options.version);
        let loaded = if failed {
            None
        } else {
            operand::as_loaded(&instruction, &runner.machine)
        };
        let (operand, read_as) = match (by_pickletools, loaded) {
            (Some(operand), Some(loaded)) if operand != loaded => (Some(operand), Some(loaded)),
            (None, None) => (operand::raw(&instruction), None),
            (operand, loaded) => (operand.or(loaded), None),
        };
        let effects = runner.machine.effects();
        self.sink.step(&Step {
            instruction,
            operand,
            read_as,
            marks: stepped.marks,
            mark: stepped.mark,
            run: Some(Ran {
                machine: &runner.machine,
                dialect: runner.dialect,
                failed,
                effects: effects.get(stepped.effects..).unwrap_or_default(),
                written: stepped.written,
                recent: &runner.recent,
            }),
        })
    }

    fn count(&mut self, instruction: &Instruction<'_>) {
        self.highest = self.highest.max(Some(instruction.opcode.protocol()));
    }

    /// Lists what can be decoded from `position` on, and that it was not run.
    fn decode(
        &mut self,
        position: usize,
        mut marks: Vec<usize>,
        turn: &dyn Fn(Next) -> Turn,
    ) -> io::Result<()> {
        let version = self.options.version;
        let mut decoder = Decoder::new(self.bytes, position, Dialect::PickleTools, version);
        let mut read = decoder.read();
        self.sink.turn(&turn(match read {
            Ok(_) => Next::Decode,
            Err(_) => Next::Nothing,
        }))?;
        if read.is_err() {
            return Ok(());
        }
        loop {
            let instruction = match read {
                Ok(instruction) => instruction,
                Err(error) => {
                    return self.sink.turn(&Turn {
                        dialect: None,
                        why: Why::Error(error),
                        next: Next::Nothing,
                    });
                }
            };
            self.count(&instruction);
            let open = marks.len();
            let mark = if takes_mark(instruction.opcode) {
                marks.pop()
            } else {
                None
            };
            self.sink.step(&Step {
                instruction,
                operand: operand::pickletools(&instruction, self.options.version)
                    .or_else(|| operand::raw(&instruction)),
                read_as: None,
                marks: open,
                mark,
                run: None,
            })?;
            match instruction.opcode {
                Opcode::Stop => return Ok(()),
                Opcode::Mark => marks.push(instruction.offset),
                _ => {}
            }
            read = decoder.read();
        }
    }
}

/// A machine, and what it does not keep.
struct Runner<'a> {
    machine: Machine<'a>,
    dialect: Dialect,
    /// Offsets of the open marks.
    marks: Vec<usize>,
    /// Indices of the memo that were written last.
    recent: VecDeque<u64>,
    /// The memo of `pickletools.dis`, for which nothing is run.
    crude_memo: HashSet<u64>,
}

/// A step, and what was there before it.
struct Stepped<'a> {
    advance: Advance<'a>,
    /// Number of open marks.
    marks: usize,
    /// Number of effects.
    effects: usize,
    /// Offset of the mark that the instruction takes.
    mark: Option<usize>,
    /// The memo's index that it wrote.
    written: Option<u64>,
}

impl<'a> Runner<'a> {
    fn new(bytes: &'a [u8], start: usize, options: Options) -> Self {
        Self {
            dialect: options.dialect,
            machine: Machine::new(bytes, start, options),
            marks: Vec::new(),
            recent: VecDeque::new(),
            crude_memo: HashSet::new(),
        }
    }

    fn step(&mut self) -> Stepped<'a> {
        let machine = &mut self.machine;
        let marks = self.marks.len();
        let effects = machine.effects().len();
        let mark_on_top = machine.marks().last() == Some(&machine.stack().len());
        let newest = self.marks.last().copied();
        let next_index = match self.dialect {
            Dialect::PickleTools => self.crude_memo.len() as u64,
            Dialect::C | Dialect::Python => machine.next_memo_index(),
        };
        let advance = machine.advance();
        let mut stepped = Stepped {
            advance,
            marks,
            effects,
            mark: None,
            written: None,
        };
        if let Some(instruction) = advance.instruction {
            let opcode = instruction.opcode;
            if takes_mark(opcode) || (opcode == Opcode::Pop && mark_on_top) {
                stepped.mark = newest;
            }
            let failed = advance
                .end
                .is_some_and(|end| !matches!(end, End::Stop { .. }));
            if self.dialect == Dialect::PickleTools && stepped.mark.is_some() {
                self.marks.pop();
            }
            if opcode == Opcode::Mark && !failed {
                self.marks.push(instruction.offset);
            }
            if self.dialect != Dialect::PickleTools {
                self.marks.truncate(self.machine.marks().len());
            }
            if !failed && let Some(index) = self.written(&instruction, next_index) {
                stepped.written = Some(index);
                if self.dialect == Dialect::PickleTools {
                    self.crude_memo.insert(index);
                }
                remember(&mut self.recent, index);
            }
        }
        stepped
    }

    fn written(&self, instruction: &Instruction<'_>, next_index: u64) -> Option<u64> {
        match (instruction.opcode, instruction.operand) {
            (Opcode::Memoize, _) => Some(next_index),
            (Opcode::BinPut | Opcode::LongBinPut, Operand::Uint(index)) => Some(index),
            (Opcode::Put, Operand::Line(line)) => self.machine.put_index(line),
            _ => None,
        }
    }

    /// Runs up to and with the instruction at `offset`; `None` if it does not get that far.
    fn catch_up(mut self, offset: usize) -> Option<(Self, Stepped<'a>)> {
        loop {
            let stepped = self.step();
            let failed = stepped
                .advance
                .end
                .is_some_and(|end| Why::of(end).is_some());
            let instruction = stepped.advance.instruction?;
            if failed || instruction.offset > offset {
                return None;
            }
            if instruction.offset == offset {
                return Some((self, stepped));
            }
            stepped.advance.end.is_none().then_some(())?;
        }
    }
}

fn takes_mark(opcode: Opcode) -> bool {
    opcode.stack_before().contains(&StackItem::Mark)
}
