//! Finds the bytes that a pickle loader could be given: in the artifact itself, in archives, in
//! compressed data and in array files, at any depth, without ever trusting a name or a declared size.
//!
//! Start at [`walk`]: it takes the artifact's bytes and hands every member to a [`Visitor`],
//! containers included, because one file can be a pickle at its start and a zip by its end. What
//! could not be looked at is a *gap*; where the views of a container disagree, so that two readers get
//! different bytes from one file, that is a *difference*.
//!
//! Nothing here executes, writes or allocates by what the input declares. Work is bounded by
//! [`Limits`].
//!
//! ```
//! use pickleproof_containers::{Difference, GapKind, Limits, Member, Visitor, walk};
//!
//! struct Names(Vec<String>);
//!
//! impl Visitor for Names {
//!     fn member(&mut self, member: &Member<'_>) {
//!         self.0.push(format!("{} {}", member.location, member.format));
//!     }
//!     fn gap(&mut self, _: &str, _: u64, _: &str, _: GapKind) {}
//!     fn difference(&mut self, _: &str, _: u64, _: &Difference) {}
//! }
//!
//! let mut names = Names(Vec::new());
//! let zlib_data = b"x\x9ck`\xf2\xd3\x03\x00\x02\xd4\x00\xff";
//! walk("weights.z", zlib_data, &Limits::default(), &mut names);
//! assert_eq!(names.0, ["weights.z zlib", "weights.z!/content pickle"]);
//! ```

#![forbid(unsafe_code)]

mod bytes;
mod expand;
mod format;
mod limits;
mod member;
mod name;
mod npy;
mod recognize;
mod streams;
mod tar;
mod walk;
mod wrapper;
mod zip;

#[cfg(test)]
mod testing;

pub use format::{Format, FormatKind};
pub use limits::Limits;
pub use member::{Difference, DifferenceKind, GapKind, Loader, Member, Visitor};
pub use recognize::recognize;
pub use streams::{Found, Other, Stream, Strength, Unread, streams};
pub use walk::walk;
