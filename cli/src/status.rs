//! What a run comes to, as the exit status says it.

use std::process::ExitCode;

/// The exit status. Where several apply, [`Found`](Self::Found) wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// 0: all was scanned, and nothing is at or above `--fail-on`.
    Clean,
    /// 1: something is at or above `--fail-on`.
    Found,
    /// 2: the arguments are wrong, or something could not be read or written.
    Incomplete,
    /// 3: there was nothing to scan.
    Nothing,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(match status {
            Status::Clean => 0,
            Status::Found => 1,
            Status::Incomplete => 2,
            Status::Nothing => 3,
        })
    }
}
