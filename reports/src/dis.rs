//! The disassembly of every pickle stream in an artifact: each instruction with its operand, the
//! mark it matches, the memo slot it writes and the effects that a loader would have there.
//!
//! Start at [`list`]. The streams are those that a scan finds. Each is run by the machine, one
//! instruction at a time; where the loader in question gives up and the other goes on, the listing
//! follows the other, and where both give up, what can still be decoded is listed as not run. Below
//! each stream stands where each loader stops.
//!
//! Nothing is held back: a line is written as soon as its instruction has run.

mod json;
mod operand;
mod quote;
mod run;
mod sink;
mod summary;
mod text;

use std::io::{self, Write};

use pickleproof_containers::{
    Difference, FormatKind, GapKind, Limits, Member, Strength, Visitor, streams, walk,
};
use pickleproof_core::{Dialect, End, Reader};

use self::sink::{Head, Note, Sink};

/// How a listing is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// Lines for a person, in the form of `pickletools.dis`.
    #[default]
    Text,
    /// One JSON object a line; `schema/dis-v1.md` describes them.
    Json,
}

/// What to list, and how.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whose behaviour to follow, and what a run may spend.
    pub machine: pickleproof_core::Options,
    /// What the walk through containers may spend.
    pub containers: Limits,
    /// How it is written.
    pub form: Form,
    /// With the stack and the memo behind each instruction. JSON always has them.
    pub stack: bool,
    /// With a sentence on each opcode.
    pub annotate: bool,
    /// Long operands are written whole. In JSON they always are.
    pub full: bool,
    /// Only the stream that begins here, whatever the bytes look like.
    pub offset: Option<usize>,
}

/// Lists every stream of the bytes of an artifact that the user knows as `path`, and says how many
/// there were.
///
/// # Errors
///
/// Those of the writer.
pub fn list(path: &str, bytes: &[u8], options: &Options, out: &mut dyn Write) -> io::Result<u64> {
    let mut text;
    let mut json;
    let sink: &mut dyn Sink = match options.form {
        Form::Text => {
            text = text::Text::new(out, options);
            &mut text
        }
        Form::Json => {
            json = json::Json::new(out, options.annotate);
            &mut json
        }
    };
    if let Some(offset) = options.offset {
        sink.head(&Head {
            location: path,
            offset,
            loader: None,
            carved: false,
            weak: false,
        })?;
        run::stream(bytes, offset, &options.machine, sink)?;
        return Ok(1);
    }
    let mut lister = Lister {
        options,
        sink,
        listed: 0,
        result: Ok(()),
    };
    walk(path, bytes, &options.containers, &mut lister);
    lister.result.map(|()| lister.listed)
}

struct Lister<'o, 's> {
    options: &'o Options,
    sink: &'s mut dyn Sink,
    listed: u64,
    /// The walk can't be ended: once writing failed, nothing is done any more.
    result: io::Result<()>,
}

impl Lister<'_, '_> {
    fn streams(&mut self, member: &Member<'_>) -> io::Result<()> {
        // The runs that find the streams are over before the first is listed, and only what tells
        // where they stand is kept of them.
        let mut heads = Vec::new();
        let mut skipped = false;
        let mut whole = false;
        // Where streams stand does not depend on whose loader is followed.
        let search = pickleproof_core::Options {
            dialect: Dialect::C,
            reader: Reader::Bytes,
            ..self.options.machine.clone()
        };
        let found = streams(member, &search, &mut |stream| {
            let weak = stream.strength == Strength::Weak;
            whole = matches!(stream.trace.end, End::Stop { .. });
            if weak && member.depth > 0 {
                skipped = true;
                return;
            }
            heads.push(Head {
                location: member.location,
                offset: stream.trace.start,
                loader: Some(stream.loader),
                carved: stream.carved,
                weak,
            });
        });
        for head in &heads {
            self.sink.head(head)?;
            self.listed = self.listed.saturating_add(1);
            run::stream(member.bytes, head.offset, &self.options.machine, self.sink)?;
        }
        let note = |offset, text| Note {
            location: member.location,
            offset,
            text,
        };
        if skipped {
            let text = "text that could be taken for pickle opcodes is not listed";
            self.sink.note(&note(0, text))?;
        }
        if let Some(offset) = found.unread {
            let text = "there are more streams than are looked for";
            self.sink.note(&note(offset as u64, text))?;
        }
        let contained = member.format.kind() == FormatKind::Container;
        if let Some(offset) = found.trailing
            && whole
            && !contained
        {
            let length = member.bytes.len().saturating_sub(offset);
            let text = format!("of the rest, {length} bytes, nothing is a stream");
            self.sink.note(&note(offset as u64, &text))?;
        }
        Ok(())
    }
}

impl Visitor for Lister<'_, '_> {
    fn member(&mut self, member: &Member<'_>) {
        if self.result.is_ok() {
            self.result = self.streams(member);
        }
    }

    fn gap(&mut self, location: &str, offset: u64, reason: &str, _: GapKind) {
        if self.result.is_ok() {
            self.result = self.sink.note(&Note {
                location,
                offset,
                text: reason,
            });
        }
    }

    fn difference(&mut self, location: &str, offset: u64, difference: &Difference) {
        if self.result.is_ok() {
            self.result = self.sink.note(&Note {
                location,
                offset,
                text: &difference.text,
            });
        }
    }
}
