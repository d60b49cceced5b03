//! `pickleproof scan`: from paths to a report and an exit status.

mod pool;
mod progress;
mod walk;

use std::time::SystemTime;

use pickleproof_analyzers::judge;
use pickleproof_reports::v1::{Report, Tool};
use pickleproof_reports::{Format, escape, rfc3339};

use self::progress::Progress;
use crate::args::{Color, ScanArgs};
use crate::output::{self, Target, complain};
use crate::status::Status;

pub(crate) fn run(args: &ScanArgs, color: Color) -> Status {
    let started = rfc3339(SystemTime::now());
    if let Some(file) = &args.kb {
        let added = std::fs::read(file).map(pickleproof_analyzers::add_knowledge);
        let why = match added {
            Ok(true) => None,
            Ok(false) => Some("this is no knowledge base".to_owned()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(why) = why {
            complain(format_args!("{}: {why}", escape::path(file)));
            return Status::Incomplete;
        }
    }
    let mut targets = Vec::new();
    for report in &args.reports {
        match Target::new(report) {
            Ok(target) => targets.push(target),
            Err(error) => {
                complain(format_args!("{}: {error}", escape::path(&report.file)));
                return Status::Incomplete;
            }
        }
    }

    let walk::Found {
        sources,
        mut errors,
    } = walk::find(&args.paths);
    let progress = Progress::new(sources.len(), !args.no_progress);
    let options = pool::Options {
        jobs: args.jobs.map(usize::from),
        hash: !args.no_hash,
        judge: |name, bytes| judge(name, bytes, &pickleproof_analyzers::Options::default()),
    };
    let artifacts = match pool::scan(sources, &options, &progress) {
        Ok(scanned) => {
            errors.extend(scanned.errors);
            scanned.artifacts
        }
        Err(error) => {
            complain(format_args!("the threads did not start: {error}"));
            return Status::Incomplete;
        }
    };
    progress.finish();

    let times = (started, rfc3339(SystemTime::now()));
    let report = Report::new(tool(), times, artifacts, errors);
    let written = write(&report, args, &targets, color);
    status(&report, args, written)
}

/// What the verdicts depend on besides the bytes.
fn tool() -> Tool {
    Tool {
        name: env!("CARGO_PKG_NAME").into(),
        version: env!("CARGO_PKG_VERSION").into(),
        knowledge_base: pickleproof_analyzers::knowledge_base_digest().into(),
    }
}

/// Writes the report to all places, and says whether it got there.
fn write(report: &Report, args: &ScanArgs, targets: &[Target], color: Color) -> bool {
    let mut written = true;
    // The files first: they are complete even if the reader of standard output goes.
    for target in targets {
        if let Err(error) = target.write(report) {
            complain(format_args!("{}: {error}", escape::path(target.path())));
            written = false;
        }
    }
    // The table shows the errors itself. From other forms nobody reads them at the terminal.
    if args.format != Format::Table {
        for error in &report.errors {
            complain(format_args!("{}: {}", error.path, error.message));
        }
    }
    if report.artifacts.is_empty() && report.errors.is_empty() {
        complain(format_args!("nothing to scan"));
    }
    let style = output::style(color);
    written & output::to_stdout(|out| args.format.render(report, out, &style)).is_ok()
}

fn status(report: &Report, args: &ScanArgs, written: bool) -> Status {
    let worst = report.artifacts.iter().map(|artifact| artifact.risk).max();
    let found = |threshold| worst.is_some_and(|worst| worst >= threshold);
    if args.fail_on.threshold().is_some_and(found) {
        Status::Found
    } else if !written || !report.errors.is_empty() {
        Status::Incomplete
    } else if report.artifacts.is_empty() {
        Status::Nothing
    } else {
        Status::Clean
    }
}
