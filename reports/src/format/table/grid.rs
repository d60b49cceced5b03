//! The table itself: risk, integrity, format, path and the main finding of each artifact.

use std::io::{self, Write};

use tabled::builder::Builder;
use tabled::settings::object::Cell;
use tabled::settings::{Color, Padding, Style as Borders};

use super::paint::Paint;
use crate::escape;
use crate::format::Style;
use crate::v1::{Artifact, Finding, Integrity};

/// Columns between two columns.
const GAP: usize = 2;
/// Lines that a cell may take.
const LINES: usize = 3;
/// Columns that a cell may take where a line has no end.
const UNBOUNDED: usize = 512;
/// The narrowest that a path or a finding is shown: as narrow as an escape and a few characters.
const NARROW: usize = 16;
/// Columns that the name of a format may take.
const FORMAT: usize = 16;
const HEAD: [&str; 5] = ["RISK", "INTEGRITY", "FORMAT", "PATH", "FINDING"];

pub(super) fn write(
    artifacts: &[&Artifact],
    out: &mut dyn Write,
    style: &Style,
    paint: Paint,
) -> io::Result<()> {
    let findings: Vec<String> = artifacts
        .iter()
        .map(|artifact| main_finding(artifact))
        .collect();
    let columns = Columns::fit(artifacts, &findings, style.width);

    let mut builder = Builder::default();
    builder.push_record(columns.select(HEAD.map(str::to_owned)));
    for (artifact, finding) in artifacts.iter().zip(&findings) {
        builder.push_record(columns.select([
            artifact.risk.name().to_owned(),
            artifact.integrity.name().to_owned(),
            escape::clip(&artifact.format, FORMAT),
            escape::wrap(&artifact.path, columns.path, LINES).join("\n"),
            escape::wrap(finding, columns.finding, LINES).join("\n"),
        ]));
    }

    let mut table = builder.build();
    table
        .with(Borders::empty())
        .with(Padding::new(0, GAP, 0, 0));
    // Colour is a property of a cell, never part of its text, so that no escape is ever cut.
    for column in 0..HEAD.len() {
        if let Some((before, after)) = paint.strong().around() {
            table.modify(Cell::new(0, column), Color::new(before, after));
        }
    }
    for (row, artifact) in (1..).zip(artifacts) {
        if let Some((before, after)) = paint.risk(artifact.risk).around() {
            table.modify(Cell::new(row, 0), Color::new(before, after));
        }
    }
    for line in table.to_string().lines() {
        writeln!(out, "{}", line.trim_end_matches(' '))?;
    }
    Ok(())
}

/// The columns that are shown, and how wide.
struct Columns {
    /// Whether integrity and format have a column.
    all: bool,
    path: usize,
    finding: usize,
}

impl Columns {
    /// Shares out a terminal's width. What does not fit is wrapped and then cut; integrity and
    /// format go first.
    fn fit(artifacts: &[&Artifact], findings: &[String], width: Option<usize>) -> Self {
        let limit = width.unwrap_or(UNBOUNDED);
        let widest = |head: &str, texts: &mut dyn Iterator<Item = &str>| {
            texts
                .map(|text| escape::width(text, limit))
                .fold(head.len(), usize::max)
        };
        let [risk, integrity, format, path, finding] = HEAD;
        let risk = widest(
            risk,
            &mut artifacts.iter().map(|artifact| artifact.risk.name()),
        );
        let integrity = widest(
            integrity,
            &mut artifacts.iter().map(|artifact| artifact.integrity.name()),
        );
        let format = widest(
            format,
            &mut artifacts.iter().map(|artifact| &*artifact.format),
        );
        let path = widest(path, &mut artifacts.iter().map(|artifact| &*artifact.path));
        let finding = widest(finding, &mut findings.iter().map(String::as_str));
        let Some(width) = width else {
            return Self {
                all: true,
                path,
                finding,
            };
        };

        // Risk, path and finding are always there. The last column's gap is cut off.
        let least = width
            .saturating_sub(risk)
            .saturating_sub(GAP.saturating_mul(2));
        let most = least
            .saturating_sub(integrity)
            .saturating_sub(format.min(FORMAT))
            .saturating_sub(GAP.saturating_mul(2));
        let all = most >= path.saturating_add(finding) || most >= NARROW.saturating_mul(3);
        let room = if all { most } else { least }.max(NARROW.saturating_mul(2));
        let half = room / 2;
        let (path, finding) = if path <= half || path.saturating_add(finding) <= room {
            (path, finding.min(room.saturating_sub(path)))
        } else if finding <= half {
            (room.saturating_sub(finding), finding)
        } else {
            (half, room.saturating_sub(half))
        };
        Self { all, path, finding }
    }

    fn select(&self, cells: [String; 5]) -> Vec<String> {
        let [risk, integrity, format, path, finding] = cells;
        if self.all {
            vec![risk, integrity, format, path, finding]
        } else {
            vec![risk, path, finding]
        }
    }
}

/// The one thing to know about an artifact, in a few words; not yet escaped.
fn main_finding(artifact: &Artifact) -> String {
    if let Some(finding) = artifact.findings.first() {
        let what = effect_of(artifact, finding).unwrap_or(&finding.message);
        return format!("{} @{}", excerpt(what), finding.offset);
    }
    let mut streams = artifact.streams.iter();
    if let Some(error) = streams.find_map(|stream| stream.error.as_ref()) {
        return format!("{} @{}", error.python_exception, error.offset);
    }
    if let Some(gap) = artifact.gaps.first() {
        return excerpt(&gap.reason);
    }
    match artifact.integrity {
        Integrity::Complete => String::new(),
        integrity => integrity.name().to_owned(),
    }
}

/// What the code that a finding is about would do, `os.system('echo pickleproof')`.
fn effect_of<'a>(artifact: &'a Artifact, finding: &Finding) -> Option<&'a str> {
    artifact
        .streams
        .iter()
        .filter(|stream| stream.location == finding.location)
        .flat_map(|stream| &stream.effects)
        // INST imports and calls: the call stands last.
        .rfind(|effect| effect.offset == finding.offset)
        .map(|effect| effect.text.as_str())
}

/// The beginning of a text, short enough that an offset after it is seen.
fn excerpt(text: &str) -> String {
    const CHARACTERS: usize = 80;
    let mut characters = text.chars();
    let mut short: String = characters.by_ref().take(CHARACTERS).collect();
    if characters.next().is_some() {
        short.push('…');
    }
    short
}
