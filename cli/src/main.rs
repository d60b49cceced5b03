//! The `pickleproof` binary: arguments, the walk over files, output and exit status.
//!
//! [`args`] is what can be asked for, [`scan`], [`dis`] and [`rules`] do it, [`status`] is what they come to.
//! Results go to standard output, all else to standard error.

mod args;
mod dis;
mod kb;
mod map;
mod output;
mod rules;
mod scan;
mod status;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Args, Command};
use crate::status::Status;

fn main() -> ExitCode {
    let status = match Args::try_parse() {
        Ok(Args {
            command: Command::Scan(args),
            color,
        }) => scan::run(&args, color),
        Ok(Args {
            command: Command::Dis(args),
            ..
        }) => dis::run(&args),
        Ok(Args {
            command: Command::Rules(args),
            ..
        }) => rules::run(&args),
        Ok(Args {
            command: Command::Kb(args),
            ..
        }) => kb::run(&args),
        Err(answer) => say(&answer),
    };
    status.into()
}

/// Shows what the parser answers instead of arguments: help, the version or a usage error.
fn say(answer: &clap::Error) -> Status {
    let printed = answer.print().and_then(|()| io::stdout().flush());
    // Help that nobody could read is no success.
    if answer.use_stderr() || printed.is_err() {
        Status::Incomplete
    } else {
        Status::Clean
    }
}
