//! The ways in which loaders in use read a stream: dialects, releases and readers.
//!
//! CPython changed the reading of frames, integer text, the memo and empty operations between 3.8
//! and 3.15, and the C unpickler reads frames differently from memory and from files. One stream can
//! call different things in two of them. A run as [`Dialect::C`] in [`Version::CLASSIC`] notes in
//! its [`Divergence`] whether anything in it could; where nothing could and it ends with STOP, every
//! other reading has the same effects.

use crate::dialect::{Dialect, Reader, Version};

/// The first instruction of each kind at which readings part ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Divergence {
    /// It crosses the end of its frame, or begins a frame inside another. No pickler writes one
    /// (gh-154848).
    pub frame: Option<usize>,
    /// It can't be read, and stands in a frame behind which another reader may find its operand.
    pub broken_in_frame: Option<usize>,
    /// The text of an INT or LONG is worth something else in another release or to `pickle.py`.
    pub integer: Option<usize>,
    /// MEMOIZE, or a GET of nothing, behind a gap in the memo that 3.15 does not count.
    pub memo: Option<usize>,
    /// Nothing is appended or added to something that takes nothing.
    pub nothing: Option<usize>,
    /// A number or a length that `pickle.py` reads otherwise.
    pub text: Option<usize>,
    /// A name or a string that pickletools reads otherwise; the loaders agree on it.
    pub pickletools: Option<usize>,
}

impl Divergence {
    /// The first at which loaders part ways.
    #[must_use]
    pub fn first(&self) -> Option<usize> {
        let all = [
            self.frame,
            self.broken_in_frame,
            self.integer,
            self.memo,
            self.nothing,
            self.text,
        ];
        all.into_iter().flatten().min()
    }
}

/// One way of reading a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Reading {
    /// Whose behaviour.
    pub dialect: Dialect,
    /// In which release; it stands for all that behave so.
    pub version: Version,
    /// From what it reads.
    pub reader: Reader,
}

/// The releases that behave differently, and which ones they stand for.
const RELEASES: [(Version, &str); 5] = [
    (Version::CLASSIC, "3.8 to 3.13.14"),
    (version(13, 15), "3.13.15 and later 3.13"),
    (version(14, 0), "3.14.0 to 3.14.6"),
    (version(14, 7), "3.14.7 and later 3.14"),
    (version(15, 0), "3.15"),
];

/// The releases of `pickle.py` and pickletools, which the changes of patch releases do not touch.
const PYTHON_RELEASES: [(Version, &str); 3] = [
    (Version::CLASSIC, "3.8 to 3.13"),
    (version(14, 0), "3.14"),
    (version(15, 0), "3.15"),
];

/// Files that are read into a buffer of the size of a block, as `open` did before 3.14, of 8 KiB, and
/// of 128 KiB.
const READERS: [Reader; 5] = [
    Reader::Bytes,
    Reader::Stream,
    Reader::Buffered(4096),
    Reader::Buffered(8192),
    Reader::Buffered(131_072),
];

const fn version(minor: u8, patch: u8) -> Version {
    Version { minor, patch }
}

impl Reading {
    /// Every reading of a dialect that differs from another in some stream.
    #[must_use]
    pub fn all(dialect: Dialect) -> Vec<Self> {
        let mut readings = Vec::new();
        for (version, _) in Self::releases(dialect) {
            // Frames that are enforced are read the same from everywhere.
            let readers = match dialect {
                Dialect::C if !version.enforces_frames() => &READERS[..],
                _ => &READERS[..1],
            };
            readings.extend(readers.iter().map(|reader| Self {
                dialect,
                version: *version,
                reader: *reader,
            }));
        }
        readings
    }

    const fn releases(dialect: Dialect) -> &'static [(Version, &'static str)] {
        match dialect {
            Dialect::C => &RELEASES,
            Dialect::Python | Dialect::PickleTools => &PYTHON_RELEASES,
        }
    }

    /// Who would have this reading, without the release, where not all readers of the release have it.
    const fn reader(self) -> &'static str {
        match self.reader {
            Reader::Bytes => "pickle.loads",
            Reader::Stream => "pickle.load(BytesIO)",
            Reader::Buffered(0..=4096) => "pickle.load(file, buffer of 4 KiB)",
            Reader::Buffered(4097..=8192) => "pickle.load(file, buffer of 8 KiB)",
            Reader::Buffered(_) => "pickle.load(file, buffer of 128 KiB)",
        }
    }

    /// Readings in words: `pickle.loads of 3.8 to 3.13.14; _pickle of 3.15`.
    #[must_use]
    pub fn describe(readings: &[Self]) -> String {
        let mut parts: Vec<(&'static str, Vec<&'static str>)> = Vec::new();
        let mut add = |name, release| match parts.iter_mut().find(|(known, _)| *known == name) {
            Some((_, releases)) => releases.push(release),
            None => parts.push((name, vec![release])),
        };
        for dialect in Dialect::ALL {
            let everyone = match dialect {
                Dialect::C => "_pickle",
                Dialect::Python => "pickle._Unpickler",
                Dialect::PickleTools => "pickletools.genops",
            };
            let all = Self::all(dialect);
            if all.iter().all(|reading| readings.contains(reading)) {
                add(everyone, "every release");
                continue;
            }
            for (version, release) in Self::releases(dialect).iter().copied() {
                let of_release = |reading: &&Self| reading.version == version;
                let have: Vec<&Self> = all
                    .iter()
                    .filter(of_release)
                    .filter(|reading| readings.contains(reading))
                    .collect();
                if have.len() == all.iter().filter(of_release).count() {
                    if !have.is_empty() {
                        add(everyone, release);
                    }
                } else {
                    for reading in have {
                        add(reading.reader(), release);
                    }
                }
            }
        }
        // Who reads so in the same releases is named together.
        let mut together: Vec<(Vec<&'static str>, Vec<&'static str>)> = Vec::new();
        for (name, releases) in parts {
            match together.iter_mut().find(|(_, known)| *known == releases) {
                Some((names, _)) => names.push(name),
                None => together.push((vec![name], releases)),
            }
        }
        let texts: Vec<String> = together
            .into_iter()
            .map(|(names, releases)| format!("{} of {}", names.join(" and "), releases.join(", ")))
            .collect();
        texts.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_are_distinct_and_described() {
        let c = Reading::all(Dialect::C);
        let python = Reading::all(Dialect::Python);
        assert_eq!((c.len(), python.len()), (13, 3));
        assert_eq!(Reading::describe(&c), "_pickle of every release");
        let some = [c[0], python[2]];
        assert_eq!(
            Reading::describe(&some),
            "pickle.loads of 3.8 to 3.13.14; pickle._Unpickler of 3.15"
        );
        let of_one_release: Vec<Reading> = c
            .into_iter()
            .filter(|reading| reading.version == Version::CLASSIC)
            .collect();
        assert_eq!(
            Reading::describe(&of_one_release),
            "_pickle of 3.8 to 3.13.14"
        );
    }
}
