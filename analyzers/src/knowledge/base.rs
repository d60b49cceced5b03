//! The compiled table of globals: fixed-size records that are sorted by name, looked up where they lie.
//!
//! Its form is described in `kb/README.md`. Nothing is parsed or copied beforehand: a lookup is two binary searches.

use core::cmp::Ordering;
use core::ops::Range;

const MAGIC: &[u8] = b"pickleproof-kb/2";
const DIGEST: usize = 32;
const COUNTS: usize = 7;
const MODULE: usize = 10;
const GLOBAL: usize = 12;
const META: usize = 8;
const TEXT: usize = 6;
const NO_HOP: u32 = 0xFFFF_FFFF;
const IS_TEXT: u32 = 0x8000_0000;

/// A compiled table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Base {
    digest: &'static [u8],
    modules: &'static [u8],
    globals: &'static [u8],
    metas: &'static [u8],
    notes: &'static [u8],
    provenances: &'static [u8],
    sources: &'static [u8],
    blob: &'static [u8],
}

/// What a record holds, as the numbers that it holds it by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    pub(super) kind: u8,
    pub(super) trust: u8,
    pub(super) guard: u8,
    pub(super) roles: u8,
    pub(super) capabilities: u16,
    pub(super) provenance: &'static str,
    pub(super) hop: Hop,
}

/// The next step from a global to the harm.
#[derive(Debug, Clone, Copy)]
pub(super) enum Hop {
    /// There is none.
    None,
    /// Another global, by its number.
    Global(u32),
    /// A few words, or a path that leads out of the table.
    Text(&'static str),
}

impl Base {
    /// The table in these bytes, if they are one.
    pub(super) fn new(bytes: &'static [u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (digest, mut rest) = rest.split_at_checked(DIGEST)?;
        let mut sizes = [0; COUNTS];
        let units = [MODULE, GLOBAL, META, TEXT, TEXT, TEXT, 1];
        for (size, unit) in sizes.iter_mut().zip(units) {
            let (count, after) = rest.split_first_chunk()?;
            *size = usize::try_from(u32::from_le_bytes(*count))
                .ok()?
                .checked_mul(unit)?;
            rest = after;
        }
        let mut parts = [rest; COUNTS];
        for (part, size) in parts.iter_mut().zip(sizes) {
            (*part, rest) = rest.split_at_checked(size)?;
        }
        let [modules, globals, metas, notes, provenances, sources, blob] = parts;
        rest.is_empty().then_some(Self {
            digest,
            modules,
            globals,
            metas,
            notes,
            provenances,
            sources,
            blob,
        })
    }

    /// SHA-256 over all that follows it.
    pub(super) fn digest(&self) -> &'static [u8] {
        self.digest
    }

    /// The record of this very name.
    pub(super) fn find(&self, module: &str, name: &str) -> Option<Record> {
        let number = search(0..self.modules.len().checked_div(MODULE)?, |number| {
            Some(self.module(number)?.cmp(module))
        })?;
        let number = search(self.members(number)?, |number| {
            Some(self.name(number)?.cmp(name))
        })?;
        self.record(number)
    }

    /// A module's name, by its number.
    fn module(&self, number: usize) -> Option<&'static str> {
        self.text(chunk(self.modules, MODULE, number)?)
    }

    /// The numbers of a module's globals.
    fn members(&self, number: usize) -> Option<Range<usize>> {
        let first = |number| {
            let (_, first) = chunk(self.modules, MODULE, number)?.split_at_checked(TEXT)?;
            number_at(first)
        };
        let end = self.globals.len().checked_div(GLOBAL)?;
        Some(first(number)?..first(number.checked_add(1)?).unwrap_or(end))
    }

    fn name(&self, number: usize) -> Option<&'static str> {
        self.text(chunk(self.globals, GLOBAL, number)?)
    }

    /// `module.name` of a global, by its number.
    pub(super) fn shown(&self, number: u32) -> Option<String> {
        let number = usize::try_from(number).ok()?;
        let modules = self.modules.len().checked_div(MODULE)?;
        let module = search(0..modules, |at| {
            let members = self.members(at)?;
            Some(if members.contains(&number) {
                Ordering::Equal
            } else {
                members.start.cmp(&number)
            })
        })?;
        Some(format!("{}.{}", self.module(module)?, self.name(number)?))
    }

    /// What the record of a number holds.
    pub(super) fn record(&self, number: usize) -> Option<Record> {
        let (_, rest) = chunk(self.globals, GLOBAL, number)?.split_at_checked(TEXT)?;
        let (meta, hop) = rest.split_first_chunk()?;
        let meta = chunk(self.metas, META, usize::from(u16::from_le_bytes(*meta)))?;
        let [kind, trust, guard, roles, low, high, of_low, of_high] = meta.try_into().ok()?;
        let provenance = usize::from(u16::from_le_bytes([of_low, of_high]));
        let hop = u32::from_le_bytes(hop.try_into().ok()?);
        Some(Record {
            kind,
            trust,
            guard,
            roles,
            capabilities: u16::from_le_bytes([low, high]),
            provenance: self.text(chunk(self.provenances, TEXT, provenance)?)?,
            hop: match hop {
                NO_HOP => Hop::None,
                text if text & IS_TEXT != 0 => {
                    let note = usize::try_from(text & !IS_TEXT).ok()?;
                    Hop::Text(self.text(chunk(self.notes, TEXT, note)?)?)
                }
                number => Hop::Global(number),
            },
        })
    }

    /// Name, version and digest of each source.
    pub(super) fn sources(&self) -> impl Iterator<Item = &'static str> {
        let count = self.sources.len().checked_div(TEXT).unwrap_or(0);
        let (base, sources) = (*self, self.sources);
        (0..count).filter_map(move |number| base.text(chunk(sources, TEXT, number)?))
    }

    /// Module and name of every global, in order.
    #[cfg(test)]
    pub(super) fn all(&self) -> impl Iterator<Item = (&'static str, &'static str, usize)> {
        let base = *self;
        (0..self.modules.len() / MODULE).flat_map(move |module| {
            base.members(module).unwrap().map(move |number| {
                (
                    base.module(module).unwrap(),
                    base.name(number).unwrap(),
                    number,
                )
            })
        })
    }

    /// The text that a place and a length at the start of `bytes` refer to.
    fn text(&self, bytes: &[u8]) -> Option<&'static str> {
        let (start, rest) = bytes.split_first_chunk()?;
        let (length, _) = rest.split_first_chunk()?;
        let start = usize::try_from(u32::from_le_bytes(*start)).ok()?;
        let end = start.checked_add(usize::from(u16::from_le_bytes(*length)))?;
        core::str::from_utf8(self.blob.get(start..end)?).ok()
    }
}

fn chunk(bytes: &'static [u8], size: usize, number: usize) -> Option<&'static [u8]> {
    let start = number.checked_mul(size)?;
    bytes.get(start..start.checked_add(size)?)
}

fn number_at(bytes: &[u8]) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
}

/// The number in the range that compares as equal.
fn search(mut range: Range<usize>, compare: impl Fn(usize) -> Option<Ordering>) -> Option<usize> {
    while !range.is_empty() {
        let middle = range.start.midpoint(range.end);
        match compare(middle)? {
            Ordering::Less => range.start = middle.saturating_add(1),
            Ordering::Greater => range.end = middle,
            Ordering::Equal => return Some(middle),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_table_is_refused() {
        for bytes in [
            &b""[..],
            b"pickleproof-kb/2",
            b"pickleproof-kb/2 and then something that is no table at all, but longer than a header",
        ] {
            assert!(Base::new(bytes).is_none());
        }
    }

    #[test]
    fn search_finds_first_middle_and_last_and_nothing_else() {
        for wanted in 0..7 {
            assert_eq!(
                search(0..7, |at| Some(at.cmp(&wanted))),
                Some(wanted),
                "{wanted}"
            );
        }
        assert_eq!(search(0..7, |at| Some(at.cmp(&9))), None);
        assert_eq!(search(0..0, |at| Some(at.cmp(&0))), None);
    }
}
