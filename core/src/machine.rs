//! The machine: runs a stream symbolically and records every effect that a loader would have.
//!
//! It follows a [`Dialect`] of CPython: same accept or reject, with the same exception class. No
//! Python runs, nothing is imported: what an import or a call gives is an opaque value.

use std::collections::HashMap;

use crate::codec::{Encoding, ErrorHandler};
use crate::decode::{Decoder, Instruction, Operand};
use crate::dialect::{Dialect, Reader, Version};
use crate::effect::{Cost, Effect, EffectKind, End, Trace};
use crate::environment::{Attributes, Environment, OutOfBand, Profile, ProfileOf, Support};
use crate::error::{Error, ErrorKind, Exception};
use crate::graph::Graph;
use crate::limits::{LimitKind, Limits};
use crate::memo::Memo;
use crate::opcode::Opcode;
use crate::pickletools;
use crate::reading::Divergence;
use crate::value::{Value, ValueKind};

mod calls;
mod containers;
mod literals;
mod memory;
mod outside;
mod state;

/// How a stream is to be run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whose behaviour to follow.
    pub dialect: Dialect,
    /// In which release of CPython.
    pub version: Version,
    /// From what the C unpickler reads.
    pub reader: Reader,
    /// `encoding` for Python 2 strings.
    pub encoding: Encoding,
    /// `errors` for Python 2 strings.
    pub errors: ErrorHandler,
    /// What the environment gives.
    pub environment: Environment,
    /// With [`Environment::Exact`]: whether the loader resolves persistent ids.
    pub persistent_load: bool,
    /// With [`Environment::Exact`]: the out-of-band buffers; `None` if there are none.
    pub buffers: Option<Vec<OutOfBand>>,
    /// With [`Environment::Exact`]: copyreg's registered extension codes.
    pub extensions: Vec<(i32, String, String)>,
    /// With [`Environment::Exact`]: what the import of a module's global gives, where that is not
    /// [`Profile::default`].
    pub profile: Option<ProfileOf>,
    /// What the run may spend.
    pub limits: Limits,
}

/// Why a step did not succeed.
#[derive(Debug, Clone, Copy)]
enum Halt {
    Error(Error),
    Limit(LimitKind),
}

impl From<LimitKind> for Halt {
    fn from(which: LimitKind) -> Self {
        Self::Limit(which)
    }
}

type Step<T = ()> = Result<T, Halt>;

/// What one step of a run came to.
#[derive(Debug, Clone, Copy)]
pub struct Advance<'a> {
    /// The instruction, if one could be decoded; it has run unless `end` says otherwise.
    pub instruction: Option<Instruction<'a>>,
    /// How the run ended, if it did.
    pub end: Option<End>,
}

/// A no-execution unpickler.
#[derive(Debug)]
pub struct Machine<'a> {
    decoder: Decoder<'a>,
    options: Options,
    graph: Graph<'a>,
    stack: Vec<Value>,
    /// Heights of the stack at each open mark.
    marks: Vec<usize>,
    /// Height of the stack at the newest mark: nothing below it may be touched.
    fence: usize,
    memo: Memo,
    effects: Vec<Effect>,
    protocol: u8,
    highest_protocol: u8,
    instructions: u64,
    start: usize,
    /// Offset of the instruction that is being run.
    offset: usize,
    cost: Cost,
    /// Number of out-of-band buffers that were given so far.
    buffers: usize,
    extension_cache: Vec<(i32, Value)>,
    views: Vec<Value>,
    /// The globals and objects that do not support everything.
    profiles: HashMap<Value, Profile>,
    supports: HashMap<Value, Support>,
    tolerated: Option<Error>,
    divergence: Divergence,
    /// Items that `pickle.py` took for arguments in the place of a tuple.
    spread: u64,
    /// An entry of the memo stands behind a gap.
    memo_gap: bool,
}

impl<'a> Machine<'a> {
    /// A machine over the stream that starts at `start` of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8], start: usize, options: Options) -> Self {
        let Options {
            dialect,
            version,
            reader,
            encoding,
            errors,
            ..
        } = options;
        Self {
            decoder: Decoder::new(bytes, start, dialect, version).with_reader(reader),
            graph: Graph::new(bytes, dialect, version, (encoding, errors), &options.limits),
            stack: Vec::new(),
            marks: Vec::new(),
            fence: 0,
            memo: Memo::new(dialect == Dialect::C && version.has_sparse_memo()),
            effects: Vec::new(),
            protocol: 0,
            highest_protocol: 0,
            instructions: 0,
            start,
            offset: start,
            cost: Cost::default(),
            buffers: 0,
            extension_cache: Vec::new(),
            views: Vec::new(),
            profiles: HashMap::new(),
            supports: HashMap::new(),
            tolerated: None,
            divergence: Divergence::default(),
            spread: 0,
            memo_gap: false,
            options,
        }
    }

    /// Runs one stream to its end, as one call of `Unpickler.load()`.
    ///
    /// Called again, it goes on behind the last instruction with the same memo, as a second
    /// `load()` of the same unpickler does.
    pub fn load(&mut self) -> End {
        self.stack.clear();
        self.marks.clear();
        self.fence = 0;
        self.protocol = 0;
        self.decoder.begin_load();
        loop {
            if let Some(end) = self.advance().end {
                return end;
            }
        }
    }

    /// Runs the next instruction.
    ///
    /// [`Machine::load`] is this in a loop. Who wants to look at the stack and the effects on the way
    /// calls it instead.
    #[inline]
    pub fn advance(&mut self) -> Advance<'a> {
        self.offset = self.decoder.position();
        if self.instructions >= self.options.limits.instructions {
            return Advance {
                instruction: None,
                end: Some(End::Limit {
                    which: LimitKind::Instructions,
                    offset: self.offset,
                }),
            };
        }
        let apart = self.decoder.reads_apart();
        let instruction = match self.decoder.read() {
            Ok(instruction) => instruction,
            Err(error) => {
                return Advance {
                    instruction: None,
                    end: Some(End::Broken(self.first_check(error))),
                };
            }
        };
        if apart {
            self.graph.displace(&instruction);
        }
        let end = match self.step(&instruction) {
            Ok(root) => {
                self.instructions = self.instructions.saturating_add(1);
                root.map(|root| End::Stop {
                    offset: self.offset,
                    root,
                })
            }
            Err(Halt::Error(error)) => Some(End::Broken(error)),
            Err(Halt::Limit(which)) => Some(End::Limit {
                which,
                offset: self.offset,
            }),
        };
        Advance {
            instruction: Some(instruction),
            end,
        }
    }

    /// Where the loader's file stands.
    #[must_use]
    pub fn file_position(&self) -> usize {
        self.decoder.file_position()
    }

    /// Moves the file on by `count` bytes that the loader reads by itself, as joblib's does behind a
    /// BUILD: see [`Decoder::skip`].
    ///
    /// # Errors
    ///
    /// Fewer bytes are left; nothing is skipped.
    pub fn skip(&mut self, count: usize) -> Result<(), Error> {
        self.decoder.skip(count)
    }

    /// Runs one stream and gives its trace.
    #[must_use]
    pub fn run(mut self) -> Trace<'a> {
        let end = self.load();
        self.finish(end)
    }

    /// The trace of all that was run so far, which ended so.
    #[must_use]
    pub fn finish(self, end: End) -> Trace<'a> {
        Trace {
            effects: self.effects,
            graph: self.graph,
            end,
            start: self.start,
            consumed: self.decoder.file_position(),
            instructions: self.instructions,
            protocol: self.highest_protocol,
            cost: self.cost,
            divergence: Divergence {
                frame: self.decoder.frame_overrun(),
                broken_in_frame: self.decoder.broken_in_frame(),
                ..self.divergence
            },
            frame_end: match end {
                End::Stop { .. } => self.decoder.frame_end(),
                End::Broken(_) | End::Limit { .. } => None,
            },
            tolerated: self.tolerated,
        }
    }

    /// Offset of the next instruction.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.decoder.position()
    }

    /// The effects so far.
    #[must_use]
    pub fn effects(&self) -> &[Effect] {
        &self.effects
    }

    /// The values so far.
    #[must_use]
    pub const fn graph(&self) -> &Graph<'a> {
        &self.graph
    }

    /// The objects on the stack, the top last.
    #[must_use]
    pub fn stack(&self) -> &[Value] {
        &self.stack
    }

    /// The heights of the stack at each open mark.
    #[must_use]
    pub fn marks(&self) -> &[usize] {
        &self.marks
    }

    /// The memo's entry of this index. Indices beyond 64 bits, which `pickle.py` knows, have none.
    #[must_use]
    pub fn memo_entry(&self, index: u64) -> Option<Value> {
        self.memo.get(index)
    }

    /// Number of entries in the memo.
    #[must_use]
    pub const fn memo_len(&self) -> u64 {
        self.memo.len()
    }

    /// The index that the line of a PUT names to this loader, if 64 bits hold it.
    #[must_use]
    pub fn put_index(&self, line: &[u8]) -> Option<u64> {
        self.line_index(line)
    }

    /// The index that MEMOIZE would write to.
    #[must_use]
    pub fn next_memo_index(&self) -> u64 {
        self.memo.next()
    }

    /// C looks for a mark or a `persistent_load` before it reads the operand.
    fn first_check(&self, error: Error) -> Error {
        if self.options.dialect != Dialect::C {
            return error;
        }
        match self.decoder.peek().and_then(Opcode::from_byte) {
            Some(Opcode::Inst) if self.marks.is_empty() => {
                Error::new(ErrorKind::MissingMark, error.offset)
            }
            Some(Opcode::PersId) if !self.resolves_persistent_ids() => {
                Error::new(ErrorKind::MissingPersistentLoad, error.offset)
            }
            _ => error,
        }
    }

    #[cold]
    fn fault<T>(&self, kind: ErrorKind) -> Step<T> {
        Err(Halt::Error(Error::new(kind, self.offset)))
    }

    /// Takes note of a fault that not every release finds, and goes on.
    fn tolerate(&mut self, kind: ErrorKind) {
        self.tolerated.get_or_insert(Error::new(kind, self.offset));
    }

    /// A fault for which `pickle.py` raises another class.
    #[cold]
    fn fault_or<T>(&self, kind: ErrorKind, python: Exception) -> Step<T> {
        let error = Error::new(kind, self.offset);
        Err(Halt::Error(if self.is_python() {
            error.raised_as(python)
        } else {
            error
        }))
    }

    fn is_python(&self) -> bool {
        self.options.dialect == Dialect::Python
    }

    /// Runs one instruction; `Some` is the result of the stream.
    #[inline]
    fn step(&mut self, instruction: &Instruction<'a>) -> Step<Option<Value>> {
        if self.options.dialect == Dialect::PickleTools {
            return self.step_pickletools(instruction);
        }
        match instruction.opcode {
            Opcode::Mark => self.push_mark()?,
            Opcode::Stop => return self.pop().map(Some),
            Opcode::Pop => self.pop_object_or_mark()?,
            Opcode::PopMark => {
                let mark = self.pop_mark()?;
                self.stack.truncate(mark);
            }
            Opcode::Dup => {
                let top = self.top()?;
                self.push(top)?;
            }

            Opcode::None => self.push(Value::NONE)?,
            Opcode::NewTrue => self.push(Value::TRUE)?,
            Opcode::NewFalse => self.push(Value::FALSE)?,
            Opcode::BinInt | Opcode::BinInt1 | Opcode::BinInt2 => {
                self.push_small_int(instruction)?;
            }
            Opcode::Int => self.push_int_line(instruction)?,
            Opcode::Long => self.push_long_line(instruction)?,
            Opcode::Long1 | Opcode::Long4 => self.push_long(instruction)?,
            Opcode::Float => self.push_float_line(instruction)?,
            Opcode::BinFloat => self.push_literal(ValueKind::Float)?,
            Opcode::String | Opcode::BinString | Opcode::ShortBinString => {
                self.push_python_2_string(instruction)?;
            }
            Opcode::Unicode
            | Opcode::BinUnicode
            | Opcode::ShortBinUnicode
            | Opcode::BinUnicode8 => {
                self.push_text(instruction)?;
            }
            Opcode::BinBytes | Opcode::ShortBinBytes | Opcode::BinBytes8 => {
                self.push_literal(ValueKind::Bytes)?;
            }
            Opcode::ByteArray8 => self.push_new(ValueKind::ByteArray)?,

            Opcode::EmptyTuple => self.push(Value::EMPTY_TUPLE)?,
            Opcode::EmptyList => self.push_new(ValueKind::List)?,
            Opcode::EmptyDict => self.push_new(ValueKind::Dict)?,
            Opcode::EmptySet => self.push_new(ValueKind::Set)?,
            Opcode::Tuple1 => self.push_tuple(1)?,
            Opcode::Tuple2 => self.push_tuple(2)?,
            Opcode::Tuple3 => self.push_tuple(3)?,
            Opcode::Tuple => self.push_tuple_to_mark()?,
            Opcode::List => self.push_list_to_mark()?,
            Opcode::Dict => self.push_dict_to_mark()?,
            Opcode::FrozenSet => self.push_frozenset_to_mark()?,
            Opcode::Append => self.append()?,
            Opcode::Appends => self.appends()?,
            Opcode::SetItem => self.set_item()?,
            Opcode::SetItems => self.set_items()?,
            Opcode::AddItems => self.add_items()?,

            Opcode::Get => self.get_line(instruction)?,
            Opcode::BinGet | Opcode::LongBinGet => self.get(instruction)?,
            Opcode::Put => self.put_line(instruction)?,
            Opcode::BinPut | Opcode::LongBinPut => {
                if let Operand::Uint(index) = instruction.operand {
                    let top = self.top()?;
                    self.put(index, top)?;
                }
            }
            Opcode::Memoize => {
                let top = self.top()?;
                if self.memo_gap {
                    self.divergence.memo.get_or_insert(self.offset);
                }
                self.put(self.memo.next(), top)?;
            }

            Opcode::Global => self.import_lines(instruction)?,
            Opcode::StackGlobal => self.import_operands()?,
            Opcode::Inst => self.inst(instruction)?,
            Opcode::Obj => self.obj()?,
            Opcode::Reduce => self.reduce()?,
            Opcode::NewObj => self.new_object(false)?,
            Opcode::NewObjEx => self.new_object(true)?,
            Opcode::Build => self.build()?,
            Opcode::PersId => self.persistent_id_line(instruction)?,
            Opcode::BinPersId => self.persistent_id()?,
            Opcode::Ext1 | Opcode::Ext2 | Opcode::Ext4 => self.extension(instruction)?,
            Opcode::NextBuffer => self.next_buffer()?,
            Opcode::ReadonlyBuffer => self.readonly_buffer()?,
            Opcode::Proto => self.declare_protocol(instruction)?,
            Opcode::Frame => {}
        }
        Ok(None)
    }

    /// `genops` has no stack: it reports the names of GLOBAL and INST and knows no other effect.
    fn step_pickletools(&mut self, instruction: &Instruction<'a>) -> Step<Option<Value>> {
        let version = self.options.version;
        pickletools::argument(instruction, version).map_err(Halt::Error)?;
        match instruction.opcode {
            Opcode::Stop => return Ok(Some(Value::NONE)),
            Opcode::Global | Opcode::Inst => self.import_unescaped(instruction)?,
            Opcode::Proto => {
                if let Operand::Uint(protocol) = instruction.operand {
                    self.protocol = u8::try_from(protocol).unwrap_or(u8::MAX);
                    self.highest_protocol = self.highest_protocol.max(self.protocol);
                }
            }
            _ => {}
        }
        Ok(None)
    }

    fn declare_protocol(&mut self, instruction: &Instruction<'a>) -> Step {
        if let Operand::Uint(protocol) = instruction.operand {
            let protocol = u8::try_from(protocol).unwrap_or(u8::MAX);
            if protocol > 5 {
                return self.fault(ErrorKind::UnknownProtocol(protocol));
            }
            self.protocol = protocol;
            self.highest_protocol = self.highest_protocol.max(protocol);
        }
        Ok(())
    }

    fn effect(&mut self, opcode: Opcode, kind: EffectKind) -> Step {
        if self.effects.len() as u64 >= self.options.limits.effects {
            return Err(Halt::Limit(LimitKind::Effects));
        }
        self.effects.push(Effect {
            offset: self.offset,
            opcode,
            kind,
        });
        self.graph.tick(self.effects.len());
        Ok(())
    }
}
