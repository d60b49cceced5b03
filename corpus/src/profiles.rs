//! The stubs of recorded runs and of the oracle that lack some of what a stub usually supports, by their module.

use pickleproof_core::{Attributes, Exception, Profile, Support};

/// What the oracle's stub of a module supports, for those of [`pickleproof_core::ProfileOf`] that lack
/// something: their names begin with `P_`.
#[must_use]
pub fn profile(module: &[u8]) -> Option<Profile> {
    let whole = Profile::default();
    let class = Support {
        attributes: Attributes::OfClass,
        ..Support::NONE
    };
    let appends = |support| Support {
        append: true,
        ..support
    };
    Some(match module {
        b"P_attrerr" => Profile {
            raises: Some(Exception::AttributeError),
            ..whole
        },
        b"P_noimport" => Profile {
            raises: Some(Exception::ModuleNotFoundError),
            ..whole
        },
        b"P_initargs" => Profile {
            init_args: true,
            ..whole
        },
        // A callable that is no class; what it gives supports everything.
        b"P_func" => Profile {
            class: false,
            itself: Support::NONE,
            ..whole
        },
        b"P_plain" => Profile {
            itself: class,
            instance: Support {
                attributes: Attributes::Writable,
                ..Support::NONE
            },
            ..whole
        },
        b"P_bare" => Profile {
            itself: class,
            instance: Support::NONE,
            ..whole
        },
        b"P_append" => Profile {
            itself: appends(class),
            instance: appends(Support::NONE),
            ..whole
        },
        _ => return None,
    })
}
