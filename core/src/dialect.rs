//! Which unpickler's byte-level behaviour a run follows, and in which version of CPython.

/// A loader's byte-level behaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Dialect {
    /// CPython's `_pickle`, which `pickle.load` and `torch.load` use.
    #[default]
    C,
    /// `pickle._Unpickler` of `Lib/pickle.py`, which joblib subclasses.
    Python,
    /// `pickletools.genops`: decodes, runs nothing, has no stack.
    PickleTools,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 3] = [Self::C, Self::Python, Self::PickleTools];

    /// The word of the reports, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::C => "c",
            Self::Python => "python",
            Self::PickleTools => "pickletools",
        }
    }
}

/// From what the C unpickler reads. Before gh-154848 it reads frames differently from each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Reader {
    /// Bytes in memory: `pickle.loads`.
    #[default]
    Bytes,
    /// A file without `peek`: `BytesIO`, as `torch.load` uses it, raw files and most wrappers.
    Stream,
    /// A file with `peek` and a buffer of so many bytes: `open(path, 'rb')`.
    Buffered(usize),
}

/// A release of CPython 3, `(minor, patch)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The 11 of 3.11.7.
    pub minor: u8,
    /// The 7 of 3.11.7.
    pub patch: u8,
}

impl Version {
    /// The release that stands for those before the changes of 3.14 and 3.15.
    pub const CLASSIC: Self = Self {
        minor: 11,
        patch: 7,
    };

    /// FRAME limits are enforced by C (gh-154848).
    #[must_use]
    pub const fn enforces_frames(self) -> bool {
        match self.minor {
            0..=12 => false,
            13 => self.patch >= 15,
            14 => self.patch >= 7,
            _ => true,
        }
    }

    /// INT and LONG text is read in base 10, no longer in base 0.
    #[must_use]
    pub const fn reads_base_10(self) -> bool {
        self.minor >= 14
    }

    /// Only `00` and `01` of INT are bools.
    #[must_use]
    pub const fn exact_bools(self) -> bool {
        self.minor >= 15
    }

    /// APPENDS and ADDITEMS of nothing still look up the method.
    #[must_use]
    pub const fn looks_up_for_nothing(self) -> bool {
        self.minor >= 15
    }

    /// The C memo has a sparse part that MEMOIZE does not count.
    #[must_use]
    pub const fn has_sparse_memo(self) -> bool {
        self.minor >= 15
    }

    /// A missing memo entry is a `KeyError`.
    #[must_use]
    pub const fn raises_key_error(self) -> bool {
        self.minor <= 8
    }

    /// A bytearray looks at the index before the value that is set there.
    #[must_use]
    pub const fn checks_index_first(self) -> bool {
        self.minor <= 9
    }

    /// C looks the codec up even for an empty Python 2 string.
    #[must_use]
    pub const fn decodes_nothing(self) -> bool {
        self.minor <= 8
    }

    /// pickletools reads STRING as Latin-1 and names as UTF-8, no longer both as ASCII (gh-126997).
    #[must_use]
    pub const fn pickletools_reads_latin1(self) -> bool {
        match self.minor {
            0..=11 => false,
            12 => self.patch >= 8,
            13 => self.patch >= 1,
            _ => true,
        }
    }

    /// `pickletools.dis` lets a memo entry be stored twice.
    #[must_use]
    pub const fn dis_allows_redefinition(self) -> bool {
        self.minor >= 14
    }

    /// `pickle.py` refuses a frame that is longer than what is left.
    #[must_use]
    pub const fn python_checks_frame_length(self) -> bool {
        self.minor >= 15
    }
}

impl Default for Version {
    fn default() -> Self {
        Self::CLASSIC
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_turn_on_once_and_stay_on() {
        let switches: [fn(Version) -> bool; 5] = [
            Version::reads_base_10,
            Version::exact_bools,
            Version::looks_up_for_nothing,
            Version::has_sparse_memo,
            Version::python_checks_frame_length,
        ];
        for switch in switches {
            let states: Vec<bool> = (8..=15)
                .map(|minor| switch(Version { minor, patch: 0 }))
                .collect();
            assert!(states.is_sorted());
        }
        assert!(
            !Version {
                minor: 13,
                patch: 0
            }
            .enforces_frames()
        );
        assert!(
            Version {
                minor: 13,
                patch: 18
            }
            .enforces_frames()
        );
        assert!(
            !Version {
                minor: 14,
                patch: 2
            }
            .enforces_frames()
        );
    }
}
