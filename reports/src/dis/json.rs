//! The listing for a program: one JSON object a line, as `schema/dis-v1.md` describes them.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};

use pickleproof_analyzers::render::Room;
use pickleproof_containers::Loader;
use pickleproof_core::{Dialect, Integer};
use serde::{Serialize, Serializer};

use super::operand::Argument;
use super::sink::{EFFECT, Entry, Head, Next, Note, Ran, Sink, Step, Turn, Why};
use super::summary::{Ended, Outcome, Summary};
use crate::format::json::write_line;

/// The name of this form.
const SCHEMA: &str = "pickleproof/dis/v1";

/// The greatest number that every reader of JSON keeps.
const MAX_SAFE: i64 = (1 << 53) - 1;

/// Writes JSON lines.
pub(super) struct Json<'o> {
    out: &'o mut dyn Write,
    annotate: bool,
}

impl<'o> Json<'o> {
    pub(super) fn new(out: &'o mut dyn Write, annotate: bool) -> Self {
        Self { out, annotate }
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Record<'r> {
    Stream {
        schema: &'static str,
        location: &'r str,
        offset: usize,
        loader: Option<&'static str>,
        carved: bool,
        weak: bool,
    },
    Instruction(Box<Instruction<'r>>),
    Turn {
        dialect: Option<&'static str>,
        error: Failure,
        next: &'static str,
        goes_on: Option<&'static str>,
    },
    Summary {
        highest_protocol: Option<u8>,
        loaders: Vec<LoaderEnd<'r>>,
    },
    Note {
        location: &'r str,
        offset: u64,
        text: &'r str,
    },
}

#[derive(Serialize)]
struct Instruction<'r> {
    offset: usize,
    end: usize,
    code: u8,
    opcode: &'static str,
    protocol: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    doc: Option<&'static str>,
    operand: Option<Operand<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_as: Option<Operand<'r>>,
    /// Number of open marks before it.
    marks: usize,
    mark: Option<usize>,
    run: Option<&'static str>,
    failed: bool,
    memo_written: Option<u64>,
    effects: Vec<Effect>,
    stack: Option<Shown<Option<String>>>,
    memo: Option<Shown<(u64, String)>>,
}

/// Some of a number of entries.
#[derive(Serialize)]
struct Shown<T> {
    shown: Vec<T>,
    more: u64,
}

#[derive(Serialize)]
struct Effect {
    kind: &'static str,
    text: String,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Operand<'r> {
    Bool {
        value: bool,
    },
    Int {
        value: Int<'r>,
    },
    Float {
        value: Option<f64>,
        bits: String,
    },
    Str {
        value: Cow<'r, str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        utf8: Option<Hex<'r>>,
    },
    Bytes {
        value: Hex<'r>,
    },
    ByteArray {
        value: Hex<'r>,
    },
    Global {
        module: Cow<'r, str>,
        name: Cow<'r, str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        utf8: Option<(Hex<'r>, Hex<'r>)>,
    },
    Raw {
        value: Hex<'r>,
    },
}

/// A number, or hexadecimal text where a reader could lose digits of it.
enum Int<'r> {
    Small(i64),
    Big(Cow<'r, Integer>),
}

impl Serialize for Int<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Small(number) => serializer.serialize_i64(*number),
            Self::Big(number) => serializer.serialize_str(&number.to_hex()),
        }
    }
}

/// Bytes in hexadecimal.
struct Hex<'r>(&'r [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[derive(Serialize)]
struct Failure {
    offset: usize,
    exception: Option<&'static str>,
    kind: &'static str,
    message: String,
}

#[derive(Serialize)]
struct LoaderEnd<'r> {
    loader: &'static str,
    readers: Option<&'r str>,
    /// Offset of the STOP.
    stop: Option<usize>,
    error: Option<Failure>,
    consumed: Option<usize>,
    effects: Option<usize>,
    tolerated: Option<Failure>,
    other_effects: &'r [String],
}

impl Sink for Json<'_> {
    fn head(&mut self, head: &Head<'_>) -> io::Result<()> {
        let record = Record::Stream {
            schema: SCHEMA,
            location: head.location,
            offset: head.offset,
            loader: head.loader.map(Loader::name),
            carved: head.carved,
            weak: head.weak,
        };
        write_line(&record, self.out)
    }

    fn step(&mut self, step: &Step<'_, '_>) -> io::Result<()> {
        let ran = step.run.as_ref();
        let instruction = &step.instruction;
        let opcode = instruction.opcode;
        // Behind an instruction that failed there is no state that means anything.
        let state = ran.filter(|ran| !ran.failed);
        let record = Record::Instruction(Box::new(Instruction {
            offset: instruction.offset,
            end: instruction.end,
            code: opcode.byte(),
            opcode: opcode.name(),
            protocol: opcode.protocol(),
            doc: self.annotate.then(|| opcode.doc()),
            operand: step.operand.as_ref().map(operand),
            read_as: step.read_as.as_ref().map(operand),
            marks: step.marks,
            mark: step.mark,
            run: ran.map(|ran| ran.dialect.name()),
            failed: ran.is_some_and(|ran| ran.failed),
            memo_written: ran.and_then(|ran| ran.written),
            effects: ran.map(effects).unwrap_or_default(),
            stack: state.map(stack),
            memo: state.map(memo),
        }));
        write_line(&record, self.out)
    }

    fn turn(&mut self, turn: &Turn) -> io::Result<()> {
        let (next, goes_on) = match turn.next {
            Next::Run(dialect) => ("run", Some(dialect.name())),
            Next::Decode => ("decode", None),
            Next::End => ("end", None),
            Next::Nothing => ("nothing", None),
        };
        let record = Record::Turn {
            dialect: turn.dialect.map(Dialect::name),
            error: failure(turn.why),
            next,
            goes_on,
        };
        write_line(&record, self.out)
    }

    fn summary(&mut self, summary: &Summary) -> io::Result<()> {
        let record = Record::Summary {
            highest_protocol: summary.highest,
            loaders: summary.outcomes.iter().map(loader_end).collect(),
        };
        write_line(&record, self.out)
    }

    fn note(&mut self, note: &Note<'_>) -> io::Result<()> {
        let record = Record::Note {
            location: note.location,
            offset: note.offset,
            text: note.text,
        };
        write_line(&record, self.out)
    }
}

fn operand<'r>(argument: &'r Argument<'_>) -> Operand<'r> {
    match argument {
        Argument::Bool(value) => Operand::Bool { value: *value },
        Argument::Int(number) if (-MAX_SAFE..=MAX_SAFE).contains(number) => Operand::Int {
            value: Int::Small(*number),
        },
        Argument::Int(number) => Operand::Int {
            value: Int::Big(Cow::Owned(Integer::from(*number))),
        },
        Argument::Big(number) => Operand::Int {
            value: Int::Big(Cow::Borrowed(number)),
        },
        Argument::Float(bits) => Operand::Float {
            value: Some(f64::from_bits(*bits)).filter(|value| value.is_finite()),
            bits: format!("{bits:016x}"),
        },
        Argument::Text(text) => {
            let value = String::from_utf8_lossy(text);
            Operand::Str {
                utf8: matches!(value, Cow::Owned(_)).then_some(Hex(text)),
                value,
            }
        }
        Argument::Bytes(bytes) => Operand::Bytes { value: Hex(bytes) },
        Argument::ByteArray(bytes) => Operand::ByteArray { value: Hex(bytes) },
        Argument::Names(module, name) => {
            let texts = (
                String::from_utf8_lossy(module),
                String::from_utf8_lossy(name),
            );
            let lossy = matches!(texts, (Cow::Owned(_), _) | (_, Cow::Owned(_)));
            Operand::Global {
                utf8: lossy.then_some((Hex(module), Hex(name))),
                module: texts.0,
                name: texts.1,
            }
        }
        Argument::Raw(bytes) => Operand::Raw { value: Hex(bytes) },
    }
}

fn effects(ran: &Ran<'_, '_>) -> Vec<Effect> {
    let renderer = ran.renderer(EFFECT);
    ran.effects
        .iter()
        .map(|effect| Effect {
            kind: effect.kind.name(),
            text: renderer.effect(effect),
        })
        .collect()
}

fn stack(ran: &Ran<'_, '_>) -> Shown<Option<String>> {
    let renderer = ran.renderer(Room::NARROW);
    let (entries, more) = ran.stack();
    Shown {
        shown: entries
            .iter()
            .map(|entry| match entry {
                Entry::Mark => None,
                Entry::Object(value) => Some(renderer.expression(*value)),
            })
            .collect(),
        more: more as u64,
    }
}

fn memo(ran: &Ran<'_, '_>) -> Shown<(u64, String)> {
    let renderer = ran.renderer(Room::NARROW);
    let (entries, more) = ran.memo();
    Shown {
        shown: entries
            .iter()
            .map(|(index, value)| (*index, renderer.expression(*value)))
            .collect(),
        more,
    }
}

fn failure(why: Why) -> Failure {
    match why {
        Why::Error(error) => Failure {
            offset: error.offset,
            exception: Some(error.exception.name()),
            kind: error.kind.name(),
            message: error.kind.to_string(),
        },
        Why::Limit(which, offset) => Failure {
            offset,
            exception: None,
            kind: "limit",
            message: format!("the limit on {which} is reached"),
        },
    }
}

fn loader_end(outcome: &Outcome) -> LoaderEnd<'_> {
    let (stop, error) = match outcome.end {
        Ended::Stop(offset) => (Some(offset), None),
        Ended::Early(end) => (None, Why::of(end).map(failure)),
    };
    LoaderEnd {
        loader: outcome.loader.name(),
        readers: outcome.readers.as_deref(),
        stop,
        error,
        consumed: outcome.consumed,
        effects: outcome.effects,
        tolerated: outcome.tolerated.map(|error| failure(Why::Error(error))),
        other_effects: &outcome.extra,
    }
}
