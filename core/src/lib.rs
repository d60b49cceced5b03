//! A no-execution pickle virtual machine.
//!
//! It says what loading a pickle *would do*: it runs the stream symbolically, imports nothing,
//! calls nothing, and records every effect that a real loader would have.
//!
//! ```
//! use pickleproof_core::{EffectKind, Machine, Options};
//!
//! let trace = Machine::new(b"cos\nsystem\n(S'echo pickleproof'\ntR.", 0, Options::default()).run();
//! assert!(matches!(trace.effects[0].kind, EffectKind::Import { .. }));
//! assert!(matches!(trace.effects[1].kind, EffectKind::Call { .. }));
//! ```
//!
//! Never panics, whatever the input: a fault is an [`Error`] with its offset, a limit that is hit
//! is said with its offset, and both keep what ran before.

#![forbid(unsafe_code)]

mod codec;
mod decode;
mod dialect;
mod effect;
mod environment;
mod equality;
mod error;
mod fingerprint;
mod graph;
mod limits;
mod machine;
mod memo;
mod number;
mod opcode;
pub mod pickletools;
mod reading;
pub mod text;
mod value;

pub use codec::{Encoding, ErrorHandler};
pub use decode::{Decoder, Instruction, Operand, line_text};
pub use dialect::{Dialect, Reader, Version};
pub use effect::{Cost, Effect, EffectKind, End, Trace};
pub use environment::{Attributes, Environment, OutOfBand, Profile, ProfileOf, Support};
pub use equality::{Equality, nested_last};
pub use error::{Error, ErrorKind, Exception};
pub use fingerprint::Fingerprints;
pub use graph::{Global, GlobalId, Graph, Items, Span};
pub use limits::{LimitKind, Limits};
pub use machine::{Advance, Machine, Options};
pub use number::Integer;
pub use opcode::{Opcode, OperandKind, StackItem};
pub use reading::{Divergence, Reading};
pub use value::{Value, ValueKind};
