//! What a loader would do: the effects of a stream, in order.

use crate::error::Error;
use crate::graph::{GlobalId, Graph, Span};
use crate::limits::LimitKind;
use crate::opcode::Opcode;
use crate::reading::Divergence;
use crate::value::Value;

/// One thing that a loader would do, and the instruction that makes it.
///
/// Operations on the machine's own lists, dicts and sets are no effects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effect {
    /// Offset of the opcode.
    pub offset: usize,
    /// The opcode.
    pub opcode: Opcode,
    /// What it does.
    pub kind: EffectKind,
}

/// What an effect does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EffectKind {
    /// `find_class(module, name)`: imports the module and looks the name up.
    Import {
        /// The global it gives.
        global: GlobalId,
        /// Module and name on the stack, for STACK_GLOBAL.
        operands: Option<(Value, Value)>,
        /// The protocol in force: below 3 Python 2 names are mapped, from 4 on dots are walked.
        protocol: u8,
    },
    /// As `Import`, of names that the stream does not hold: what calls gave.
    ComputedImport {
        /// The module.
        module: Value,
        /// The qualified name.
        name: Value,
        /// What it gives.
        object: Value,
        /// The protocol in force.
        protocol: u8,
    },
    /// A call by REDUCE, NEWOBJ, NEWOBJ_EX, OBJ or INST.
    Call {
        /// What is called.
        callable: Value,
        /// The positional arguments: a tuple, or what `pickle.py` accepts in its place.
        arguments: Value,
        /// The keyword arguments of NEWOBJ_EX: a dict.
        keywords: Option<Value>,
        /// What it gives.
        object: Value,
        /// Only `__new__` runs, not `__init__`: NEWOBJ, NEWOBJ_EX, or a class without arguments.
        only_new: bool,
    },
    /// BUILD: `__setstate__`, or items of `__dict__` and attributes.
    Build {
        /// Whose state is set.
        object: Value,
        /// The state.
        state: Value,
    },
    /// `object[key] = value` on an opaque object.
    SetItem {
        /// The object.
        object: Value,
        /// The key.
        key: Value,
        /// The value.
        value: Value,
    },
    /// `object.append(item)` on an opaque object.
    Append {
        /// The object.
        object: Value,
        /// The item.
        item: Value,
    },
    /// `object.extend(items)` on an opaque object.
    Extend {
        /// The object.
        object: Value,
        /// The items.
        items: Span,
    },
    /// `object.add(item)` on an opaque object.
    Add {
        /// The object.
        object: Value,
        /// The item.
        item: Value,
    },
    /// `persistent_load(id)`.
    PersistentLoad {
        /// The id; `None` for PERSID, whose id is its operand.
        id: Option<Value>,
        /// What it gives.
        object: Value,
    },
    /// The global that copyreg's registry holds under a code.
    Extension {
        /// The code.
        code: i32,
        /// What it gives.
        object: Value,
    },
    /// The next out-of-band buffer.
    Buffer {
        /// What it gives.
        object: Value,
    },
}

impl EffectKind {
    /// Its name in reports, `import`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Import { .. } | Self::ComputedImport { .. } => "import",
            Self::Call { .. } => "call",
            Self::Build { .. } => "build",
            Self::SetItem { .. } => "setitem",
            Self::Append { .. } => "append",
            Self::Extend { .. } => "extend",
            Self::Add { .. } => "add",
            Self::PersistentLoad { .. } => "persistent_load",
            Self::Extension { .. } => "extension",
            Self::Buffer { .. } => "buffer",
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// STOP was reached.
    Stop {
        /// Offset of the STOP opcode.
        offset: usize,
        /// The result.
        root: Value,
    },
    /// A loader would have raised here. What ran before has run.
    Broken(Error),
    /// A limit of ours was hit; what follows was not looked at.
    Limit {
        /// Which limit.
        which: LimitKind,
        /// Offset of the instruction that was not run.
        offset: usize,
    },
}

/// What loading would cost without calling anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Bytes that the classic C unpickler allocates for its memo, which is an array.
    pub memo_bytes: u64,
    /// Objects that hashing of keys visits; shared tuples are visited once for each path.
    pub hash_steps: u64,
    /// Offset of the most expensive instruction so far.
    pub offset: usize,
}

/// All effects of a stream, the graph of its values, and how it ended.
#[derive(Debug)]
pub struct Trace<'a> {
    /// The effects, in the order in which a loader would have them.
    pub effects: Vec<Effect>,
    /// The values.
    pub graph: Graph<'a>,
    /// How the run ended.
    pub end: End,
    /// Offset at which the run started.
    pub start: usize,
    /// Where the loader's file would stand after the run.
    pub consumed: usize,
    /// Number of instructions that were run, STOP included.
    pub instructions: u64,
    /// The highest protocol that PROTO declared; 0 without one.
    pub protocol: u8,
    /// What loading would cost.
    pub cost: Cost,
    /// Where other readings part ways; noted by [`Dialect::C`](crate::Dialect::C) only, but for
    /// frames.
    pub divergence: Divergence,
    /// The end of the frame that STOP stands in, where that lies behind STOP: some readers lose what
    /// is left of it, and others go on in it. `None` for a run that did not come to STOP.
    pub frame_end: Option<usize>,
    /// First fault at which some releases stop, and behind which the run went on.
    pub tolerated: Option<Error>,
}

impl Trace<'_> {
    /// The error that broke the run, if one did.
    #[must_use]
    pub const fn error(&self) -> Option<Error> {
        match self.end {
            End::Broken(error) => Some(error),
            End::Stop { .. } | End::Limit { .. } => None,
        }
    }
}
