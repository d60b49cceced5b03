//! Below the table: the findings of an artifact, why a loader would give up, what was not looked
//! at; and what could not be read.

use std::io::{self, Write};

use super::counted;
use super::paint::{Brush, Paint};
use crate::escape;
use crate::format::Style;
use crate::v1::{Artifact, Error};

/// Findings that are listed for an artifact.
const FINDINGS: usize = 10;
/// Broken streams, and gaps, that are listed for an artifact.
const OTHERS: usize = 5;
/// Lines that a message may take.
const LINES: usize = 4;
/// Columns that a line may take where it has no end.
const UNBOUNDED: usize = 2_000;

/// Writes what there is to say about an artifact.
pub(super) fn write(
    artifact: &Artifact,
    out: &mut dyn Write,
    style: &Style,
    paint: Paint,
) -> io::Result<()> {
    let width = style.width.unwrap_or(UNBOUNDED);
    let verdict = format!("{}, {}", artifact.risk, artifact.integrity);
    let path = escape::clip(
        &artifact.path,
        width.saturating_sub(verdict.len()).saturating_sub(2),
    );
    let verdict = paint.risk(artifact.risk).paint(&verdict);
    writeln!(out, "{}: {verdict}", paint.strong().paint(&path))?;

    let list = &mut List {
        artifact,
        out,
        width,
    };
    for finding in artifact.findings.iter().take(FINDINGS) {
        list.entry(
            (finding.severity.name(), paint.severity(finding.severity)),
            &finding.rule,
            (&finding.location, finding.offset),
            &finding.message,
        )?;
    }
    list.more(artifact.findings.len(), FINDINGS, "finding")?;

    let broken = || {
        let streams = artifact.streams.iter();
        streams.filter_map(|stream| Some((stream, stream.error.as_ref()?)))
    };
    for (stream, error) in broken().take(OTHERS) {
        list.entry(
            (stream.integrity.name(), paint.error()),
            &error.python_exception,
            (&stream.location, error.offset),
            &error.message,
        )?;
    }
    list.more(broken().count(), OTHERS, "broken stream")?;

    for gap in artifact.gaps.iter().take(OTHERS) {
        let place = (gap.location.as_str(), gap.offset);
        list.entry(("gap", paint.error()), "not looked at", place, &gap.reason)?;
    }
    list.more(artifact.gaps.len(), OTHERS, "gap")
}

/// Writes what could not be read. Every one is listed: a part that was not looked at is never
/// hidden.
pub(super) fn write_errors(
    errors: &[Error],
    out: &mut dyn Write,
    style: &Style,
    paint: Paint,
) -> io::Result<()> {
    let width = style.width.unwrap_or(UNBOUNDED);
    for error in errors {
        let label = "error";
        let text = format!("{}: {}", escape::terminal(&error.path), error.message);
        let indent = label.len().saturating_add(2);
        // As many lines as it takes: a cut path would name nothing.
        let lines = escape::wrap(&text, width.saturating_sub(indent), usize::MAX);
        for (number, line) in lines.iter().enumerate() {
            if number == 0 {
                writeln!(out, "{}: {line}", paint.error().paint(label))?;
            } else {
                writeln!(out, "{:indent$}{line}", "")?;
            }
        }
    }
    Ok(())
}

/// The entries below an artifact.
struct List<'a> {
    artifact: &'a Artifact,
    out: &'a mut dyn Write,
    width: usize,
}

impl List<'_> {
    /// Two lines or more: what and where, then why.
    fn entry(
        &mut self,
        (label, brush): (&str, Brush),
        what: &str,
        (location, offset): (&str, u64),
        message: &str,
    ) -> io::Result<()> {
        const LABEL: usize = 10;
        const INDENT: usize = 4;
        // The artifact's path stands above. Here it would hide the member and the offset where it
        // is long.
        let member = match location.strip_prefix(self.artifact.path.as_str()) {
            Some(member) if member.is_empty() || member.starts_with('!') => member,
            _ => location,
        };
        let what = escape::clip(what, 40);
        let room = self
            .width
            .saturating_sub(LABEL)
            .saturating_sub(escape::width(&what, 40))
            .saturating_sub(6);
        let offset = format!("@{offset}");
        let member = match member {
            "" => String::new(),
            member => escape::clip(member, room.saturating_sub(offset.len())),
        };
        let pad = LABEL.saturating_sub(label.len());
        let label = brush.paint(label);
        writeln!(self.out, "  {label}{:pad$}  {what}  {member}{offset}", "")?;
        for line in escape::wrap(message, self.width.saturating_sub(INDENT), LINES) {
            writeln!(self.out, "{:INDENT$}{line}", "")?;
        }
        Ok(())
    }

    /// Says how many entries were left out.
    fn more(&mut self, total: usize, shown: usize, what: &str) -> io::Result<()> {
        match total.checked_sub(shown) {
            None | Some(0) => Ok(()),
            Some(more) => {
                let what = counted(more as u64, &format!("more {what}"));
                writeln!(self.out, "  … and {what}")
            }
        }
    }
}
