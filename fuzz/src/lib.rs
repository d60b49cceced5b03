//! Fuzz targets as library functions.
//!
//! A target takes any bytes and returns, or panics where something that must always hold does not.
//! Engines call them through the binaries in `fuzz_targets/`; `cargo test` calls them on the
//! corpus and on every regression; without an engine the binaries replay the files that they are
//! given.

#![forbid(unsafe_code)]
#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a target reports what it finds by panicking"
)]

mod analyze;
pub mod differential;
pub mod generate;
mod loads;
pub mod oracle;
mod readings;

use std::io::Write as _;
use std::process::ExitCode;

pub use analyze::analyze;
pub use loads::{loads, loads_structured};
pub use readings::readings;

/// Runs a target on each file named on the command line.
#[must_use]
pub fn replay(target: fn(&[u8])) -> ExitCode {
    let mut status = ExitCode::SUCCESS;
    for path in std::env::args_os().skip(1) {
        match std::fs::read(&path) {
            Ok(bytes) => target(&bytes),
            Err(error) => {
                // Nothing better can be done where standard error is gone too.
                let _ = writeln!(std::io::stderr(), "{}: {error}", path.to_string_lossy());
                status = ExitCode::from(2);
            }
        }
    }
    status
}
