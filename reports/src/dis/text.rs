//! The listing for a person, in the form of `pickletools.dis`: what stands before an effect or a
//! note reads as its lines do.

use std::borrow::Cow;
use std::io::{self, Write};

use pickleproof_analyzers::render::{Expressions, Room};
use pickleproof_core::{Dialect, Opcode, Value};

use super::Options;
use super::quote;
use super::sink::{EFFECT, Entry, Head, Next, Note, Ran, Sink, Step, Turn, Why};
use super::summary::{Ended, Outcome, Summary};
use crate::escape;

/// Columns of an open mark.
const INDENT: usize = 4;
/// So many open marks are shown by indentation; more by their number.
const MAX_INDENTED: usize = 10;
/// Where what belongs to an instruction begins.
const MARGIN: &str = "            ";

/// Writes lines.
pub(super) struct Text<'o> {
    out: &'o mut dyn Write,
    options: &'o Options,
    /// Something was written before.
    begun: bool,
}

impl<'o> Text<'o> {
    pub(super) fn new(out: &'o mut dyn Write, options: &'o Options) -> Self {
        Self {
            out,
            options,
            begun: false,
        }
    }

    /// A blank line between parts.
    fn part(&mut self) -> io::Result<()> {
        if self.begun {
            writeln!(self.out)?;
        }
        self.begun = true;
        Ok(())
    }

    fn line(&mut self, step: &Step<'_, '_>) -> io::Result<()> {
        let opcode = step.instruction.opcode;
        write!(
            self.out,
            "{:5}: {:4} ",
            step.instruction.offset,
            code(opcode)
        )?;
        let indent = step.marks.min(MAX_INDENTED).saturating_mul(INDENT);
        write!(self.out, "{:indent$}", "")?;
        if step.marks > MAX_INDENTED {
            let more = step.marks.saturating_sub(MAX_INDENTED);
            write!(self.out, "+{more} ")?;
        }
        let written = match (opcode, &step.run) {
            (Opcode::Memoize, Some(ran)) => ran.written,
            _ => None,
        };
        if step.operand.is_none() && step.mark.is_none() && written.is_none() {
            return writeln!(self.out, "{opcode}");
        }
        write!(self.out, "{opcode:10}")?;
        if let Some(operand) = &step.operand {
            self.out.write_all(b" ")?;
            quote::argument(operand, self.options.full, self.out)?;
        }
        if let Some(mark) = step.mark {
            write!(self.out, " (MARK at {mark})")?;
        }
        if let Some(index) = written {
            write!(self.out, " (as {index})")?;
        }
        if let (Some(read_as), Some(ran)) = (&step.read_as, &step.run) {
            write!(self.out, " ({} reads ", ran.dialect.name())?;
            quote::argument(read_as, self.options.full, self.out)?;
            self.out.write_all(b")")?;
        }
        writeln!(self.out)
    }

    fn state(&mut self, ran: &Ran<'_, '_>) -> io::Result<()> {
        let renderer = ran.renderer(Room::NARROW);
        let (entries, more) = ran.stack();
        let mut parts: Vec<String> = Vec::new();
        if more > 0 {
            parts.push(format!("... {more} more"));
        }
        parts.extend(entries.iter().map(|entry| match entry {
            Entry::Mark => "MARK".to_owned(),
            Entry::Object(value) => shown(&renderer, *value),
        }));
        writeln!(self.out, "{MARGIN} stack: {}", joined(&parts))?;
        let (entries, more) = ran.memo();
        let mut parts: Vec<String> = entries
            .iter()
            .map(|(index, value)| format!("{index}: {}", shown(&renderer, *value)))
            .collect();
        if more > 0 {
            parts.push(format!("... {more} more"));
        }
        writeln!(self.out, "{MARGIN} memo:  {}", joined(&parts))
    }

    fn outcome(&mut self, outcome: &Outcome) -> io::Result<()> {
        match &outcome.readers {
            Some(readers) => write!(self.out, "otherwise {readers}: ")?,
            None => write!(self.out, "{}: ", outcome.loader.name())?,
        }
        match outcome.end {
            Ended::Stop(offset) => {
                write!(self.out, "stops at {offset} STOP")?;
                let read = offset.saturating_add(1);
                if let Some(consumed) = outcome.consumed.filter(|consumed| *consumed > read) {
                    write!(self.out, ", has read up to {consumed}")?;
                }
            }
            Ended::Early(end) => {
                if let Some(why) = Why::of(end) {
                    self.out.write_all(reason(why).as_bytes())?;
                }
            }
        }
        if let Some(effects) = outcome.effects.filter(|effects| *effects > 0) {
            let plural = if effects == 1 { "" } else { "s" };
            write!(self.out, ", {effects} effect{plural}")?;
        }
        if let Some(error) = outcome.tolerated {
            write!(self.out, "; other releases: {}", reason(Why::Error(error)))?;
        }
        writeln!(self.out)?;
        for effect in &outcome.extra {
            writeln!(self.out, "{MARGIN} -> {}", escape::terminal(effect))?;
        }
        Ok(())
    }
}

impl Sink for Text<'_> {
    fn head(&mut self, head: &Head<'_>) -> io::Result<()> {
        self.part()?;
        let location = escape::terminal(head.location);
        write!(self.out, "{location}: stream at {}", head.offset)?;
        if let Some(loader) = head.loader {
            write!(self.out, ", for {}", loader.name())?;
        }
        if head.carved {
            self.out.write_all(b", where no loader gets by itself")?;
        }
        if head.weak {
            self.out.write_all(b", if it is no mere text")?;
        }
        writeln!(self.out)
    }

    fn step(&mut self, step: &Step<'_, '_>) -> io::Result<()> {
        self.line(step)?;
        if self.options.annotate {
            writeln!(self.out, "{MARGIN} # {}", step.instruction.opcode.doc())?;
        }
        let Some(ran) = &step.run else {
            return Ok(());
        };
        let renderer = ran.renderer(EFFECT);
        for effect in ran.effects {
            let effect = renderer.effect(effect);
            writeln!(self.out, "{MARGIN} -> {}", escape::terminal(&effect))?;
        }
        if self.options.stack && !ran.failed && ran.dialect != Dialect::PickleTools {
            self.state(ran)?;
        }
        Ok(())
    }

    fn turn(&mut self, turn: &Turn) -> io::Result<()> {
        match turn.dialect {
            Some(dialect) => write!(self.out, "-- {}: {}", dialect.name(), reason(turn.why))?,
            None => write!(self.out, "-- {}", reason(turn.why))?,
        }
        match turn.next {
            Next::Run(dialect) => writeln!(self.out, "; {} goes on:", dialect.name()),
            Next::Decode => writeln!(self.out, "; what follows is decoded, not run:"),
            Next::End => writeln!(self.out, "; the stream ends here"),
            Next::Nothing => writeln!(self.out, "; nothing more can be decoded"),
        }
    }

    fn summary(&mut self, summary: &Summary) -> io::Result<()> {
        if let Some(highest) = summary.highest {
            writeln!(self.out, "highest protocol among opcodes = {highest}")?;
        }
        for outcome in &summary.outcomes {
            self.outcome(outcome)?;
        }
        Ok(())
    }

    fn note(&mut self, note: &Note<'_>) -> io::Result<()> {
        self.part()?;
        let (location, text) = (escape::terminal(note.location), escape::terminal(note.text));
        writeln!(self.out, "{location} at {}: {text}", note.offset)
    }
}

/// The opcode's byte as pickletools shows it.
fn code(opcode: Opcode) -> String {
    let byte = opcode.byte();
    if byte.is_ascii_graphic() {
        char::from(byte).to_string()
    } else {
        format!("\\x{byte:02x}")
    }
}

fn joined(parts: &[String]) -> Cow<'static, str> {
    if parts.is_empty() {
        "empty".into()
    } else {
        parts.join(" | ").into()
    }
}

fn shown(renderer: &Expressions<'_, '_>, value: Value) -> String {
    escape::terminal(&renderer.expression(value)).into_owned()
}

fn reason(why: Why) -> String {
    match why {
        Why::Error(error) => format!(
            "{} at {}: {}",
            error.exception.name(),
            error.offset,
            error.kind
        ),
        Why::Limit(which, offset) => format!("the limit on {which} is reached at {offset}"),
    }
}
