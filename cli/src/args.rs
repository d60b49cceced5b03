//! The command line.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::LazyLock;

use clap::builder::{OsStringValueParser, PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand, ValueEnum};
use pickleproof_core::{Dialect, Reader, Version};
use pickleproof_reports::Format;
use pickleproof_reports::v1::Risk;

static LONG_VERSION: LazyLock<String> = LazyLock::new(|| {
    let digest = pickleproof_analyzers::knowledge_base_digest();
    let digest = if digest.is_empty() {
        "none"
    } else {
        digest.as_str()
    };
    format!("{}\nknowledge base {digest}", env!("CARGO_PKG_VERSION"))
});

/// Says what loading a Python pickle would do, without loading it.
///
/// Nothing is executed: no Python, no subprocess, no network.
#[derive(Debug, Parser)]
#[command(
    version,
    long_version = LONG_VERSION.as_str(),
    after_help = "Example:\n  pickleproof scan models/"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// When to use colour.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Scan(ScanArgs),
    Dis(DisArgs),
    Rules(RulesArgs),
    Kb(KbArgs),
}

/// Scans files, folders and standard input.
///
/// Folders are walked with all that is in them; .gitignore is not honoured. A symbolic link to a
/// file is followed. A symbolic link to a folder is followed only where it is named here; one that
/// is found and leads elsewhere is an error, for what it leads to was not scanned.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit status:
  0  all was scanned, and nothing is at or above --fail-on
  1  something is at or above --fail-on
  2  wrong usage, or something could not be read or written (and nothing at or above)
  3  nothing to scan

Example:
  pickleproof scan --fail-on suspicious --report json=report.json models/ extra.pkl")]
pub(crate) struct ScanArgs {
    /// Files and folders; `-` is standard input (at most 1 GiB).
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// Knowledge of your own packages, as `scripts/kb/build.py DIR -o FILE` writes it.
    #[arg(long, value_name = "FILE")]
    pub(crate) kb: Option<PathBuf>,

    /// The form of the report on standard output.
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = format())]
    pub(crate) format: Format,

    /// Also write the report to a file, as in `json=report.json`; repeatable.
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = report())]
    pub(crate) reports: Vec<ReportFile>,

    /// The mildest risk that makes the exit status 1.
    #[arg(long, value_name = "RISK", default_value = "review")]
    pub(crate) fail_on: FailOn,

    /// How many files to scan at a time [default: number of cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: Option<u16>,

    /// Leave out the SHA-256 of the files.
    #[arg(long)]
    pub(crate) no_hash: bool,

    /// Show no progress bar.
    #[arg(long)]
    pub(crate) no_progress: bool,
}

/// Lists the instructions of the pickles in a file, with the effects of each.
///
/// Every pickle in the file is listed, those in containers under their location. The lines are those
/// of `pickletools.dis`; below an instruction stand the effects that it would have (`->`). Where
/// the loader gives up and the other of `c` and `python` goes on, the listing follows that one; what
/// neither runs is decoded as far as possible. Below each pickle stands where each dialect stops.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit status:
  0  the pickles are listed, broken ones too
  2  wrong usage, or the file could not be read, or the list not written
  3  no pickle was found

Example:
  pickleproof dis --stack --annotate model.pkl")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct DisArgs {
    /// The file; `-` is standard input (at most 1 GiB).
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Also show the stack and the memo behind each instruction.
    #[arg(long)]
    pub(crate) stack: bool,

    /// Also say what each opcode does.
    #[arg(long)]
    pub(crate) annotate: bool,

    /// Write long operands whole.
    #[arg(long)]
    pub(crate) full: bool,

    /// Write one JSON object a line: operands typed and whole, with stack, memo and effects
    /// (`reports/schema/dis-v1.md` describes them).
    #[arg(long)]
    pub(crate) json: bool,

    /// List the pickle at this offset and no other, whatever the bytes look like.
    #[arg(long, value_name = "N")]
    pub(crate) offset: Option<usize>,

    /// Whose loader to follow.
    #[arg(long, value_name = "DIALECT", default_value = "c", value_parser = dialect())]
    pub(crate) dialect: Dialect,

    /// What `c` reads from, which matters where an operand crosses the end of its frame.
    #[arg(long, value_name = "READER", default_value = "bytes")]
    pub(crate) reader: DisReader,

    /// The release of CPython to follow, such as 3.14 or 3.13.15.
    #[arg(long, value_name = "VERSION", default_value = "3.11", value_parser = python)]
    pub(crate) python: Version,
}

/// Lists the rules, or shows the page of one.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pickleproof rules --schema > report-v1.schema.json")]
pub(crate) struct RulesArgs {
    /// The rule to show.
    #[arg(value_name = "ID")]
    pub(crate) id: Option<String>,

    /// Print the JSON Schema of the report instead.
    #[arg(long, conflicts_with = "id")]
    pub(crate) schema: bool,
}

/// Shows what the knowledge base holds.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pickleproof kb show os.system")]
pub(crate) struct KbArgs {
    #[command(subcommand)]
    pub(crate) command: KbCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KbCommand {
    /// Shows kind, capabilities, roles, the way to the harm and the sources of a global.
    Show {
        /// The global, `MODULE.NAME` or `MODULE:NAME`.
        #[arg(value_name = "GLOBAL")]
        global: String,
    },
    /// Lists name, version and SHA-256 of the sources that it was derived from.
    Sources,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// When standard output is a terminal that shows colour, and `NO_COLOR` is not set.
    Auto,
    Always,
    Never,
}

/// What `_pickle` reads from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DisReader {
    /// Bytes in memory: `pickle.loads`.
    Bytes,
    /// A file without `peek`: `BytesIO`, as torch does.
    Bytesio,
    /// A file that `open` gave.
    Open,
}

impl DisReader {
    pub(crate) const fn reader(self) -> Reader {
        match self {
            Self::Bytes => Reader::Bytes,
            Self::Bytesio => Reader::Stream,
            Self::Open => Reader::Buffered(8192),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    Review,
    Suspicious,
    Malicious,
    /// The exit status is 1 for no risk.
    Never,
}

impl FailOn {
    /// The mildest risk that counts, if any does.
    pub(crate) const fn threshold(self) -> Option<Risk> {
        match self {
            Self::Review => Some(Risk::Review),
            Self::Suspicious => Some(Risk::Suspicious),
            Self::Malicious => Some(Risk::Malicious),
            Self::Never => None,
        }
    }
}

/// A value of `--report`.
#[derive(Debug, Clone)]
pub(crate) struct ReportFile {
    pub(crate) format: Format,
    pub(crate) file: PathBuf,
}

impl ReportFile {
    fn parse(value: &OsStr) -> Result<Self, String> {
        let wrong = || "expected FORMAT=FILE".to_owned();
        let (format, file) = split(value).ok_or_else(wrong)?;
        if file.as_os_str().is_empty() {
            return Err("expected a file after `=`".to_owned());
        }
        let format = Format::from_name(&format).ok_or_else(|| {
            let names: Vec<_> = Format::ALL.iter().map(|format| format.name()).collect();
            format!("no such format; there are {}", names.join(", "))
        })?;
        Ok(Self { format, file })
    }
}

/// What is before the first `=`, and what is after it.
#[cfg(unix)]
fn split(value: &OsStr) -> Option<(String, PathBuf)> {
    use std::os::unix::ffi::OsStrExt as _;

    let mut parts = value.as_bytes().splitn(2, |&byte| byte == b'=');
    let (name, file) = (parts.next()?, parts.next()?);
    Some((
        String::from_utf8_lossy(name).into_owned(),
        OsStr::from_bytes(file).into(),
    ))
}

/// What is before the first `=`, and what is after it.
#[cfg(not(unix))]
fn split(value: &OsStr) -> Option<(String, PathBuf)> {
    let (name, file) = value.to_str()?.split_once('=')?;
    Some((name.to_owned(), file.into()))
}

fn report() -> impl TypedValueParser<Value = ReportFile> {
    OsStringValueParser::new().try_map(|value| ReportFile::parse(&value))
}

fn dialect() -> impl TypedValueParser<Value = Dialect> {
    PossibleValuesParser::new(Dialect::ALL.map(Dialect::name)).try_map(|name| {
        let mut all = Dialect::ALL.into_iter();
        all.find(|dialect| dialect.name() == name)
            .ok_or("no such dialect")
    })
}

/// A release, `3.14` or `3.13.15`; without a third number the first of its line.
fn python(text: &str) -> Result<Version, String> {
    let wrong = || "expected 3.8 to 3.15, as in 3.14 or 3.13.15".to_owned();
    let mut parts = text.split('.').map(str::parse::<u8>);
    let (major, minor) = (parts.next(), parts.next());
    let (Some(Ok(3)), Some(Ok(minor @ 8..=15))) = (major, minor) else {
        return Err(wrong());
    };
    let patch = match (parts.next(), parts.next()) {
        (None, None) => 0,
        (Some(Ok(patch)), None) => patch,
        _ => return Err(wrong()),
    };
    Ok(Version { minor, patch })
}

fn format() -> impl TypedValueParser<Value = Format> {
    let values = Format::ALL
        .iter()
        .map(|format| PossibleValue::new(format.name()).help(format.about()));
    PossibleValuesParser::new(values)
        .try_map(|name| Format::from_name(&name).ok_or("no such format"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn releases() {
        let version = |minor, patch| Ok(Version { minor, patch });
        assert_eq!(python("3.14"), version(14, 0));
        assert_eq!(python("3.13.15"), version(13, 15));
        for wrong in ["", "3", "2.7", "3.7", "3.16", "3.11.", "3.11.x", "3.11.7.1"] {
            assert!(python(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn report_files() {
        let parse = |text: &str| ReportFile::parse(OsStr::new(text));
        let parsed = parse("json=a=b.json").unwrap();
        assert_eq!(
            (parsed.format, parsed.file),
            (Format::Json, "a=b.json".into())
        );
        assert!(parse("json").is_err());
        assert!(parse("json=").is_err());
        assert!(parse("xml=a").unwrap_err().contains("table, json"));
    }
}
