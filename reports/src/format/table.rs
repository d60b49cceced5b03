//! For a person at a terminal: a row for each artifact, worst first; below it what there is to say
//! about those that need a reader; then one line that sums up.

mod details;
mod grid;
mod paint;

use std::io::{self, Write};

use self::paint::Paint;
use crate::format::Style;
use crate::v1::{Artifact, Report, Risk};

pub(super) fn render(report: &Report, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let paint = Paint::new(style.color);
    let mut artifacts: Vec<&Artifact> = report.artifacts.iter().collect();
    // Stable, so that artifacts of one risk stay in the report's order: by path.
    artifacts.sort_by_key(|artifact| core::cmp::Reverse(artifact.risk));
    if !artifacts.is_empty() {
        grid::write(&artifacts, out, style, paint)?;
        writeln!(out)?;
    }
    for artifact in artifacts {
        if artifact.risk >= Risk::Review {
            details::write(artifact, out, style, paint)?;
            writeln!(out)?;
        }
    }
    if !report.errors.is_empty() {
        details::write_errors(&report.errors, out, style, paint)?;
        writeln!(out)?;
    }
    writeln!(out, "{}", summary(report, paint))
}

/// `42 artifacts, 51 streams: 12 malicious, 30 inert; 1 error`.
fn summary(report: &Report, paint: Paint) -> String {
    let numbers = &report.summary;
    let mut line = format!(
        "{}, {}",
        counted(numbers.artifacts, "artifact"),
        counted(numbers.streams, "stream"),
    );
    let risks: Vec<String> = Risk::ALL
        .iter()
        .rev()
        .filter(|&&risk| numbers.by_risk.of(risk) > 0)
        .map(|&risk| {
            paint
                .risk(risk)
                .paint(&format!("{} {}", numbers.by_risk.of(risk), risk.name()))
        })
        .collect();
    if !risks.is_empty() {
        line.push_str(": ");
        line.push_str(&risks.join(", "));
    }
    if !report.errors.is_empty() {
        line.push_str("; ");
        let errors = counted(report.errors.len() as u64, "error");
        line.push_str(&paint.error().paint(&errors));
    }
    line
}

fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
