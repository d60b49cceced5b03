//! A live CPython that says what it makes of streams without loading them: `scripts/oracle.py`.
//!
//! An [`Oracle`] is one Python process, which guards a child of its own. Questions are batches: while
//! Python works on one, the caller can prepare the next. One [`Oracle`] for each core is best.

use std::ffi::OsString;
use std::io::{self, BufReader, Read as _, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use pickleproof_core::Version;
use serde_json::{Value as Json, json};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/oracle.py");

/// The variable that names the interpreter; `python3` otherwise.
pub const PYTHON: &str = "PICKLEPROOF_ORACLE_PYTHON";

/// Which reader of CPython is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Implementation {
    /// `_pickle` with the semantics of `loads`.
    C,
    /// `_pickle` from a file without `peek`.
    CFile,
    /// `_pickle` from a buffered file.
    CBuffered,
    /// `pickle._Unpickler`.
    Python,
    /// `pickletools.genops`.
    Genops,
    /// `pickletools.dis`.
    Dis,
}

impl Implementation {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::C,
        Self::CFile,
        Self::CBuffered,
        Self::Python,
        Self::Genops,
        Self::Dis,
    ];

    /// The oracle's name of it, which is that of the vectors.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::C => "c",
            Self::CFile => "cf",
            Self::CBuffered => "cb",
            Self::Python => "py",
            Self::Genops => "genops",
            Self::Dis => "dis",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|implementation| implementation.name() == name)
    }
}

/// What is asked of a batch of streams.
#[derive(Debug, Clone, Copy)]
pub struct Question<'q> {
    /// Who is asked.
    pub implementations: &'q [Implementation],
    /// The options of the loader, in the form of the vectors.
    pub options: &'q Json,
    /// Whether the operands of `genops` are wanted.
    pub arguments: bool,
    /// Whether the messages of errors are wanted.
    pub messages: bool,
}

/// The results of a batch, as compact JSON.
#[derive(Debug)]
pub struct Answers {
    body: Vec<u8>,
    results: Vec<Range<usize>>,
    implementations: usize,
}

impl Answers {
    /// The result of one implementation, by its place in the question, for one stream.
    #[must_use]
    pub fn get(&self, stream: usize, implementation: usize) -> Option<&[u8]> {
        let place = stream
            .checked_mul(self.implementations)?
            .checked_add(implementation)?;
        self.body.get(self.results.get(place)?.clone())
    }
}

/// A Python process that answers.
#[derive(Debug)]
pub struct Oracle {
    python: OsString,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    version: Version,
    bits: u64,
    implementations: Vec<Implementation>,
    /// Results that the question under way is to give, and implementations of it.
    expected: (usize, usize),
}

impl Oracle {
    /// Starts the interpreter that the environment names, or `python3`.
    ///
    /// # Errors
    ///
    /// Why there is no oracle: no such interpreter, or it does not run the script.
    pub fn of_environment() -> Result<Self, String> {
        let python = std::env::var_os(PYTHON).unwrap_or_else(|| "python3".into());
        Self::start(Path::new(&python))
    }

    /// Starts this interpreter.
    ///
    /// # Errors
    ///
    /// Why there is no oracle.
    pub fn start(python: &Path) -> Result<Self, String> {
        let why = |error: io::Error| format!("{} does not answer: {error}", python.display());
        let mut child = Command::new(python)
            .arg("-I")
            .arg(PathBuf::from(SCRIPT))
            .arg("--serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(why)?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(why(io::ErrorKind::BrokenPipe.into()));
        };
        let mut oracle = Self {
            python: python.into(),
            child,
            input,
            output: BufReader::with_capacity(1 << 20, output),
            version: Version::CLASSIC,
            bits: 64,
            implementations: Vec::new(),
            expected: (0, 0),
        };
        let hello = oracle.read_frame().map_err(why)?;
        let hello: Json = serde_json::from_slice(&hello).map_err(|error| why(error.into()))?;
        let number = |place: usize| {
            hello
                .pointer(&format!("/version/{place}"))
                .and_then(Json::as_u64)
                .and_then(|part| u8::try_from(part).ok())
        };
        let (Some(minor), Some(patch)) = (number(1), number(2)) else {
            return Err(format!("{} does not tell its version", python.display()));
        };
        oracle.version = Version { minor, patch };
        oracle.bits = hello.get("bits").and_then(Json::as_u64).unwrap_or(64);
        let names = hello.get("impls").and_then(Json::as_array);
        oracle.implementations = names
            .into_iter()
            .flatten()
            .filter_map(|name| Implementation::of_name(name.as_str()?))
            .collect();
        Ok(oracle)
    }

    /// The release of CPython that answers.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Whether sizes have fewer than 64 bits, so that large ones are refused that others take.
    #[must_use]
    pub const fn is_narrow(&self) -> bool {
        self.bits < 64
    }

    /// Who can be asked.
    #[must_use]
    pub fn implementations(&self) -> &[Implementation] {
        &self.implementations
    }

    /// Sends a question; the answers are read with [`Oracle::receive`], before the next question.
    ///
    /// # Errors
    ///
    /// The process is gone.
    pub fn send(&mut self, question: Question<'_>, streams: &[&[u8]]) -> io::Result<()> {
        let names: Vec<&str> = question
            .implementations
            .iter()
            .map(|implementation| implementation.name())
            .collect();
        let header = json!({
            "arguments": question.arguments,
            "impls": names,
            "messages": question.messages,
            "options": question.options,
            "streams": streams.len(),
        });
        self.expected = (streams.len().saturating_mul(names.len()), names.len());
        let mut frame = vec![0; 4];
        put(&mut frame, header.to_string().as_bytes())?;
        for stream in streams {
            put(&mut frame, stream)?;
        }
        let size = frame.len().saturating_sub(4);
        if let Some(field) = frame.get_mut(..4) {
            field.copy_from_slice(&length(size)?.to_le_bytes());
        }
        self.input.write_all(&frame)?;
        self.input.flush()
    }

    /// The answers to the question that was sent.
    ///
    /// # Errors
    ///
    /// The process is gone, or what it says makes no sense.
    pub fn receive(&mut self) -> io::Result<Answers> {
        let body = self.read_frame()?;
        let mut results = Vec::with_capacity(self.expected.0);
        let mut position = 0_usize;
        while position < body.len() {
            let start = position.saturating_add(4);
            let size = body
                .get(position..start)
                .and_then(|field| field.first_chunk())
                .map_or(0, |field| u32::from_le_bytes(*field));
            position = start.saturating_add(usize::try_from(size).unwrap_or(usize::MAX));
            results.push(start..position);
        }
        if position != body.len() || results.len() != self.expected.0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(Answers {
            body,
            results,
            implementations: self.expected.1,
        })
    }

    /// Asks about one batch and waits for the answers.
    ///
    /// # Errors
    ///
    /// As [`Oracle::receive`].
    pub fn ask(&mut self, question: Question<'_>, streams: &[&[u8]]) -> io::Result<Answers> {
        self.send(question, streams)?;
        self.receive()
    }

    /// Another process of the same interpreter in place of one that is gone.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn restart(&mut self) -> Result<(), String> {
        let python = self.python.clone();
        *self = Self::start(Path::new(&python))?;
        Ok(())
    }

    fn read_frame(&mut self) -> io::Result<Vec<u8>> {
        let mut field = [0; 4];
        self.output.read_exact(&mut field)?;
        let size = usize::try_from(u32::from_le_bytes(field)).unwrap_or(usize::MAX);
        let mut body = vec![0; size];
        self.output.read_exact(&mut body)?;
        Ok(body)
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // It may be gone already, and nobody is left to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn length(size: usize) -> io::Result<u32> {
    u32::try_from(size).map_err(|_| io::ErrorKind::InvalidInput.into())
}

fn put(frame: &mut Vec<u8>, data: &[u8]) -> io::Result<()> {
    frame.extend_from_slice(&length(data.len())?.to_le_bytes());
    frame.extend_from_slice(data);
    Ok(())
}
