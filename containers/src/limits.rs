//! How much work one artifact may cause. Every hit limit is reported through
//! [`Visitor::gap`](crate::Visitor::gap); nothing stops silently.

macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $field:ident: $type:ty = $default:expr,)+) => {
        /// How much work [`walk`](crate::walk) may do on one artifact.
        ///
        /// The defaults let a model of any size through and end every known kind of decompression
        /// bomb within about a second and 256 MiB of memory.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct Limits {
            $($(#[doc = $doc])+ pub $field: $type,)+
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }
    };
}

const MIB: u64 = 1 << 20;

limits! {
    /// How many containers may be nested (8). The artifact is at depth 0. Values above
    /// [`Limits::DEEPEST`] count as that.
    depth: u32 = 8,
    /// Members of one artifact that are visited, at all depths (200,000).
    members: u64 = 200_000,
    /// Bytes of one expanded member (1 GiB).
    member_bytes: u64 = 1024 * MIB,
    /// Expanded bytes for each compressed byte (200). Looked at only past `ratio_floor`.
    ratio: u64 = 200,
    /// Bytes that one member may expand to, whatever its ratio is (64 MiB).
    ratio_floor: u64 = 64 * MIB,
    /// Expanded bytes of members that hit a limit, after which nothing more is expanded in this
    /// artifact (256 MiB). Also the least that all members together may expand to before their
    /// total is held against `ratio` times the size of the artifact.
    aborted_bytes: u64 = 256 * MIB,
    /// Expanded bytes that may be in memory at one time, over all nested containers (2 GiB).
    held_bytes: u64 = 2048 * MIB,
    /// Bytes that a decoder may use for its dictionary or window (128 MiB, which covers the highest
    /// presets of `xz` and `zstd`). Data that needs more is reported, not expanded.
    window_bytes: u64 = 128 * MIB,
}

impl Limits {
    /// The greatest depth that is walked whatever `depth` says: each level uses some of the
    /// thread's stack.
    pub const DEEPEST: u32 = 32;
}
