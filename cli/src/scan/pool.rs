//! Scans the files, several at a time, and puts the results in order.

use std::io;
use std::sync::Arc;
use std::sync::mpsc;

use pickleproof_analyzers::judgement::ArtifactJudgement;
use pickleproof_reports::v1::{Artifact, Error};
use sha2::{Digest as _, Sha256};

use super::progress::Progress;
use super::walk::Source;
use crate::map::Bytes;

/// How to scan.
#[derive(Debug, Clone)]
pub(super) struct Options {
    /// Threads; as many as cores if none.
    pub(super) jobs: Option<usize>,
    /// Whether to hash the files.
    pub(super) hash: bool,
    /// What judges the bytes of the artifact of a name.
    pub(super) judge: Judge,
}

/// [`pickleproof_analyzers::judge`], with its options.
pub(super) type Judge = fn(&str, &[u8]) -> ArtifactJudgement;

/// What came of the sources; each is in one of the two.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    pub(super) artifacts: Vec<Artifact>,
    pub(super) errors: Vec<Error>,
}

/// All that a job needs.
struct Shared {
    sources: Vec<Source>,
    hash: bool,
    /// Whether there are threads without a file of their own.
    idle: bool,
    judge: Judge,
}

/// Scans every source. The result does not depend on the number of threads.
///
/// A source whose analysis panics is an error, and the others are scanned: a job sends its result
/// as the last thing it does, so that a result that never comes is missed here.
pub(super) fn scan(
    sources: Vec<Source>,
    options: &Options,
    progress: &Progress,
) -> io::Result<Scanned> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.jobs.unwrap_or(0))
        // Without a handler a panic in a spawned job ends the process. The panic's message is on
        // standard error by now.
        .panic_handler(|_| {})
        .build()
        .map_err(io::Error::other)?;
    let count = sources.len();
    let shared = Arc::new(Shared {
        sources,
        hash: options.hash,
        idle: count < pool.current_num_threads(),
        judge: options.judge,
    });
    let (sender, results) = mpsc::channel();
    for index in 0..count {
        let (shared, sender) = (Arc::clone(&shared), sender.clone());
        pool.spawn(move || {
            if let Some(source) = shared.sources.get(index) {
                let result = scan_one(source, &shared);
                // The receiver waits for every sender.
                let _ = sender.send((index, result));
            }
        });
    }
    drop(sender);

    let mut slots: Vec<Option<io::Result<Artifact>>> = Vec::new();
    slots.resize_with(count, || None);
    progress.receive(&results, |(index, result)| {
        if let Some(slot) = slots.get_mut(index) {
            *slot = Some(result);
        }
    });

    let mut scanned = Scanned::default();
    for (slot, source) in slots.into_iter().zip(&shared.sources) {
        let message = match slot {
            Some(Ok(artifact)) => {
                scanned.artifacts.push(artifact);
                continue;
            }
            Some(Err(error)) => error.to_string(),
            None => "the analysis panicked: a bug of this tool, please report it".to_owned(),
        };
        scanned.errors.push(Error {
            path: source.name.clone(),
            message,
        });
    }
    Ok(scanned)
}

fn scan_one(source: &Source, shared: &Shared) -> io::Result<Artifact> {
    let bytes = match &source.file {
        Some(path) => Bytes::of_file(path)?,
        None => Bytes::of_reader(io::stdin().lock())?,
    };
    let judge = || (shared.judge)(&source.name, &bytes);
    let hash = || shared.hash.then(|| sha256(&bytes));
    // The threads of `join` look for other work while they wait, and may take on another file, and
    // in that a third. So only where every file has a thread.
    let (judgement, sha256) = if shared.idle {
        rayon::join(judge, hash)
    } else {
        (judge(), hash())
    };
    Ok(Artifact::new(
        source.name.clone(),
        bytes.len() as u64,
        sha256,
        judgement,
    ))
}

/// The SHA-256 of the bytes in hexadecimal.
fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_and_the_scan_goes_on() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let source = |name: &str| Source {
            name: name.to_owned(),
            file: Some(file.clone()),
        };
        let names = ["a", "bad", "c", "worse"];
        let judge: Judge = |name, bytes| {
            assert!(name.len() == 1, "a test of a panic");
            pickleproof_analyzers::judge(
                name,
                &bytes[..0],
                &pickleproof_analyzers::Options::default(),
            )
        };
        for jobs in [1, 2, 8] {
            let options = Options {
                jobs: Some(jobs),
                hash: true,
                judge,
            };
            let sources = names.into_iter().map(source).collect();
            let scanned = scan(sources, &options, &Progress::new(4, false)).unwrap();
            let artifacts: Vec<_> = scanned.artifacts.iter().map(|a| a.path.as_str()).collect();
            let errors: Vec<_> = scanned.errors.iter().map(|e| e.path.as_str()).collect();
            assert_eq!((artifacts, errors), (vec!["a", "c"], vec!["bad", "worse"]));
            assert!(
                scanned.errors[0]
                    .message
                    .starts_with("the analysis panicked")
            );
        }
    }

    #[test]
    fn the_hash_of_nothing() {
        let expected = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256(b""), expected);
    }
}
