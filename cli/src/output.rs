//! Where results and messages go.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use pickleproof_reports::v1::Report;
use pickleproof_reports::{Format, Style, escape};

use crate::args::{Color, ReportFile};

/// Says something on standard error, escaped. Nothing can be done where that fails.
pub(crate) fn complain(message: fmt::Arguments<'_>) {
    let message = message.to_string();
    let _ = writeln!(
        io::stderr().lock(),
        "pickleproof: {}",
        escape::terminal(&message)
    );
}

/// Writes to standard output all that `write` writes, and makes sure that it got there.
///
/// Rust has SIGPIPE ignored, so that a closed pipe is an error here like any other. The reader
/// went on purpose, so that it is told nothing; the exit status still says that the output is
/// incomplete.
pub(crate) fn to_stdout(
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failed> {
    let mut out = BufWriter::new(io::stdout().lock());
    write(&mut out).and_then(|()| out.flush()).map_err(|error| {
        if error.kind() != io::ErrorKind::BrokenPipe {
            complain(format_args!("standard output: {error}"));
        }
        Failed
    })
}

/// The output is incomplete. If there is something to say about it, it has been said.
#[derive(Debug)]
pub(crate) struct Failed;

/// How to write to standard output.
pub(crate) fn style(color: Color) -> Style {
    let (_, columns) = console::Term::stdout().size_checked().unzip();
    let color = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never,
    };
    Style {
        width: columns.map(usize::from),
        color,
    }
}

/// A file that a report will be written to.
#[derive(Debug)]
pub(crate) struct Target {
    format: Format,
    file: PathBuf,
}

impl Target {
    /// Finds the place for a report, before the scan: an hour later would be late to learn that the
    /// folder does not exist.
    pub(crate) fn new(report: &ReportFile) -> io::Result<Self> {
        let mut file = report.file.clone();
        match fs::metadata(&file) {
            // To replace a device or a pipe by a file would be a surprise.
            Ok(metadata) if !metadata.is_file() => {
                return Err(io::Error::other("is not a regular file"));
            }
            // Of a link the file that it leads to is replaced, not the link.
            Ok(_) => file = fs::canonicalize(&file)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if !fs::metadata(folder(&file))?.is_dir() {
                    return Err(io::ErrorKind::NotADirectory.into());
                }
            }
            Err(error) => return Err(error),
        }
        Ok(Self {
            format: report.format,
            file,
        })
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.file
    }

    /// Writes the report under another name in the same folder, then gives it its name: a reader
    /// sees the whole report or none of it.
    pub(crate) fn write(&self, report: &Report) -> io::Result<()> {
        let (file, temporary) = self.create()?;
        let written = self
            .fill(file, report)
            .and_then(|()| fs::rename(&temporary, &self.file));
        if written.is_err() {
            // The first error is the one to tell.
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    fn create(&self) -> io::Result<(File, PathBuf)> {
        let mut name = std::ffi::OsString::from(".");
        name.push(
            self.file
                .file_name()
                .ok_or(io::ErrorKind::InvalidFilename)?,
        );
        name.push(format!(".{}.tmp", std::process::id()));
        let temporary = folder(&self.file).join(name);
        // Never through a link that someone has left there.
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary)?;
        Ok((file, temporary))
    }

    fn fill(&self, file: File, report: &Report) -> io::Result<()> {
        let mut out = BufWriter::new(file);
        self.format.render(report, &mut out, &Style::default())?;
        out.into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()
    }
}

fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
