//! The walk: visits bytes, sees what they are, and goes into them.

use crate::bytes::{from, wide};
use crate::expand::{Budget, Codec, Expanded, Failure, PARTS, expand};
use crate::npy::Contents;
use crate::{
    Difference, DifferenceKind, Format, FormatKind, GapKind, Limits, Loader, Member, Visitor, npy,
    recognize, tar, wrapper, zip,
};

/// Visits `bytes`, and everything in them, depth first.
///
/// `path` is the artifact's path as it is to be shown: escape what is not text before. Returns the
/// artifact's own format. The visitor gets every byte string that a loader could be given, the
/// artifact first; data that had to be expanded lives until its visit is over.
///
/// Never panics, never fails: what cannot be read is a gap. Work and memory are bounded by `limits`.
pub fn walk(path: &str, bytes: &[u8], limits: &Limits, visitor: &mut dyn Visitor) -> Format {
    let mut walker = Walker {
        limits: *limits,
        visitor,
        artifact: wide(bytes.len()),
        expanded: 0,
        parts: 0,
        aborted: 0,
        held: 0,
        members: 0,
        overflow: Overflow::No,
    };
    let place = Place {
        location: path.to_owned(),
        loader: Loader::PickleLoad,
        partial: None,
        depth: 0,
        top: true,
    };
    walker.visit(&place, bytes)
}

/// Where bytes stand.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) location: String,
    pub(crate) loader: Loader,
    pub(crate) partial: Option<String>,
    pub(crate) depth: u32,
    pub(crate) top: bool,
}

impl Place {
    /// The place of a member of this one. `name` is escaped already.
    pub(crate) fn inside(&self, name: &str, loader: Loader) -> Self {
        Self {
            location: format!("{}!/{name}", self.location),
            loader,
            partial: None,
            depth: self.depth.saturating_add(1),
            top: false,
        }
    }
}

/// Whether the limit on members was hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Overflow {
    No,
    Reported,
}

/// The state of a walk over one artifact.
pub(crate) struct Walker<'v> {
    pub(crate) limits: Limits,
    visitor: &'v mut dyn Visitor,
    /// The artifact's size.
    artifact: u64,
    /// Bytes expanded so far.
    expanded: u64,
    /// Compressed streams behind others so far.
    parts: u32,
    /// Bytes expanded so far in members that hit a limit.
    aborted: u64,
    /// Expanded bytes that are alive.
    held: u64,
    members: u64,
    overflow: Overflow,
}

impl Walker<'_> {
    /// Visits bytes and what is in them.
    ///
    /// Calls itself through the readers of containers, at most [`Limits::DEEPEST`] deep.
    pub(crate) fn visit(&mut self, place: &Place, bytes: &[u8]) -> Format {
        let mut format = recognize(bytes);
        if self.members >= self.limits.members {
            if self.overflow == Overflow::No {
                self.overflow = Overflow::Reported;
                let reason = format!("the artifact has more than {} members", self.members);
                self.gap(place, 0, &reason, GapKind::Limited);
            }
            return format;
        }
        self.members = self.members.saturating_add(1);

        let inner = wrapper::codec(format);
        let archive = (format == Format::Zip || recognize::has_zip_end(bytes))
            .then(|| zip::read(bytes, &self.limits))
            .flatten();
        if let Some(archive) = &archive
            && inner.is_none()
            && !matches!(format, Format::Npy | Format::Tar)
        {
            format = archive.format();
        }
        self.visitor.member(&Member {
            location: &place.location,
            format,
            loader: place.loader,
            bytes,
            partial: place.partial.as_deref(),
            depth: place.depth,
            top: place.top,
        });

        let goes_in = archive.is_some() || format.kind() == FormatKind::Container;
        if goes_in && place.depth >= self.limits.depth.min(Limits::DEEPEST) {
            let reason = format!("containers are nested more than {} deep", place.depth);
            self.gap(place, 0, &reason, GapKind::Limited);
            return format;
        }
        if let Some(codec) = inner {
            wrapper::walk(self, place, bytes, format, codec);
        }
        match format {
            Format::Npy => self.array(place, bytes),
            Format::Tar => tar::walk(self, place, bytes),
            Format::SevenZip | Format::Rar => {
                let reason = format!("{format} archives are not read");
                self.gap(place, 0, &reason, GapKind::Unsupported);
            }
            Format::Zip | Format::TorchZip | Format::Npz if archive.is_none() => {
                let reason = "the signature of a zip archive without any entry that can be read";
                self.gap(place, 0, reason, GapKind::Corrupt);
            }
            _ => {}
        }
        // A tar archive whose last members are small zip archives ends like one; they are walked.
        let archive = archive.filter(|archive| {
            let extents = archive.extents();
            format != Format::Tar
                || extents.is_empty()
                || !extents
                    .iter()
                    .all(|extent| tar::has_member_around(bytes, *extent))
        });
        if let Some(archive) = archive {
            if !matches!(format, Format::Zip | Format::TorchZip | Format::Npz) {
                let text = format!(
                    "these bytes are {format} by their start and a zip archive by their end: a \
                     loader takes one or the other"
                );
                self.difference(place, 0, DifferenceKind::Polyglot, text);
            }
            zip::walk(self, place, bytes, &archive);
        }
        format
    }

    /// The contents of an array file.
    fn array(&mut self, place: &Place, bytes: &[u8]) {
        match npy::contents(bytes) {
            Contents::Objects { at } => {
                let place = place.inside("object-array", Loader::NumpyLoad);
                self.visit(&place, from(bytes, wide(at)));
            }
            Contents::Data { end } => {
                if let Some(rest) = npy::trailing(bytes, end) {
                    let text = format!(
                        "{} bytes follow the array's data, which numpy.load does not read",
                        rest.len()
                    );
                    self.difference(place, end, DifferenceKind::Trailing, text);
                    let place = place.inside("trailing", place.loader);
                    self.visit(&place, rest);
                }
            }
            Contents::Unsized => {}
            Contents::Broken => {
                let reason =
                    "the header of the array is truncated, too long or of an unknown version";
                self.gap(place, 0, reason, GapKind::Corrupt);
            }
        }
    }

    /// Expands within what the artifact has left. `None` when nothing more may be expanded; the
    /// caller reports that as a gap, as it does the expansion's own failure.
    pub(crate) fn expand(&mut self, codec: Codec, input: &[u8]) -> Option<Expanded> {
        let most = self
            .limits
            .aborted_bytes
            .max(self.limits.ratio.saturating_mul(self.artifact));
        if self.aborted > self.limits.aborted_bytes || self.expanded > most {
            return None;
        }
        let room = self.limits.held_bytes.saturating_sub(self.held);
        let parts = PARTS.saturating_mul(4).saturating_sub(self.parts);
        let expanded = expand(codec, input, Budget::new(&self.limits, room, parts));
        self.parts = self.parts.saturating_add(expanded.parts.saturating_sub(8));
        let length = wide(expanded.bytes.len());
        self.expanded = self.expanded.saturating_add(length);
        if matches!(expanded.failure, Some(Failure::Limit(_))) {
            self.aborted = self.aborted.saturating_add(length);
        }
        Some(expanded)
    }

    /// Visits expanded bytes, which count as held meanwhile.
    pub(crate) fn visit_expanded(&mut self, place: &Place, bytes: &[u8]) {
        let length = wide(bytes.len());
        self.held = self.held.saturating_add(length);
        self.visit(place, bytes);
        self.held = self.held.saturating_sub(length);
    }

    /// Whether the limit on members was hit, so that going on makes no sense.
    pub(crate) fn is_full(&self) -> bool {
        self.overflow != Overflow::No
    }

    pub(crate) fn gap(&mut self, place: &Place, offset: u64, reason: &str, kind: GapKind) {
        self.visitor.gap(&place.location, offset, reason, kind);
    }

    /// Reports why an expansion ended early.
    pub(crate) fn failed(&mut self, place: &Place, offset: u64, failure: &Failure) {
        let kind = match failure {
            Failure::Truncated | Failure::Corrupt(_) => GapKind::Corrupt,
            Failure::Limit(_) => GapKind::Limited,
            Failure::Unsupported(_) => GapKind::Unsupported,
        };
        self.gap(place, offset, &failure.text(), kind);
    }

    pub(crate) fn difference(
        &mut self,
        place: &Place,
        offset: u64,
        kind: DifferenceKind,
        text: String,
    ) {
        let difference = Difference { kind, text };
        self.visitor
            .difference(&place.location, offset, &difference);
    }
}

/// The reason of the gap when nothing more may be expanded.
pub(crate) const EXHAUSTED: &str =
    "too much came out of this artifact's compressed data already; this part was not expanded";

#[cfg(test)]
mod tests;
