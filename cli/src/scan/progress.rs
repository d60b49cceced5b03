//! A progress bar on standard error, for those who wait at a terminal.

use std::io::{self, IsTerminal as _};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A scan that is over before this needs no bar.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often the bar moves while nothing happens.
const TICK: Duration = Duration::from_millis(100);

/// A bar that appears when the wait is long.
#[derive(Debug)]
pub(super) struct Progress {
    /// None where nobody would see it.
    bar: Option<ProgressBar>,
    started: Instant,
}

impl Progress {
    /// A bar for this many files, if it is wanted and there is a terminal.
    pub(super) fn new(files: usize, wanted: bool) -> Self {
        let bar = (wanted && io::stderr().is_terminal()).then(|| {
            let hidden = ProgressDrawTarget::hidden();
            let template = "{spinner} {pos}/{len} files {wide_bar} {elapsed}";
            let style = ProgressStyle::with_template(template);
            ProgressBar::with_draw_target(Some(files as u64), hidden)
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self {
            bar,
            started: Instant::now(),
        }
    }

    /// Takes every result until there are no more senders.
    pub(super) fn receive<T>(&self, results: &Receiver<T>, mut take: impl FnMut(T)) {
        let Some(bar) = &self.bar else {
            return results.iter().for_each(take);
        };
        loop {
            match results.recv_timeout(TICK) {
                Ok(result) => {
                    take(result);
                    bar.inc(1);
                }
                Err(RecvTimeoutError::Timeout) => bar.tick(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if bar.is_hidden() && self.started.elapsed() >= PATIENCE {
                bar.set_draw_target(ProgressDrawTarget::stderr());
            }
        }
    }

    /// Takes the bar away, before the results are shown.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
