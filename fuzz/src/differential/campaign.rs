//! Many streams against one or more interpreters, on all cores.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pickleproof_core::Version;

use super::{Difference, Differential, Prepared, Report, Skip, Streams, Verdict};
use crate::oracle::{Implementation, Oracle};

/// So many of each kind of disagreement are made small, for each core.
const KEPT: usize = 6;

/// What is to be done.
#[derive(Debug, Clone)]
pub struct Campaign {
    /// Number of streams.
    pub streams: u64,
    /// What they depend on.
    pub seed: u64,
    /// The interpreters, which take turns; that of the environment if there is none.
    pub pythons: Vec<PathBuf>,
    /// Who is compared.
    pub implementations: Vec<Implementation>,
    /// Number of threads, each with its own interpreters.
    pub jobs: usize,
    /// Streams in a batch.
    pub batch: usize,
}

impl Default for Campaign {
    fn default() -> Self {
        Self {
            streams: 20_000,
            seed: 1,
            pythons: Vec::new(),
            implementations: vec![
                Implementation::C,
                Implementation::Python,
                Implementation::Genops,
            ],
            jobs: std::thread::available_parallelism().map_or(1, usize::from),
            batch: 256,
        }
    }
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Tally {
    /// Streams.
    pub streams: u64,
    /// Bytes of all streams.
    pub bytes: u64,
    /// Comparisons with each implementation, by release.
    pub compared: BTreeMap<(Version, Implementation), u64>,
    /// Those of them in which both sides accept the stream.
    pub accepted: BTreeMap<(Version, Implementation), u64>,
    /// Comparisons that were not made.
    pub skipped: BTreeMap<(Implementation, Skip), u64>,
    /// Disagreements by kind.
    pub different: BTreeMap<String, u64>,
    /// Some of each kind, made small.
    pub reports: Vec<Report>,
    /// How long it took.
    pub elapsed: Duration,
}

impl Tally {
    fn merge(&mut self, other: Self) {
        self.streams = self.streams.saturating_add(other.streams);
        self.bytes = self.bytes.saturating_add(other.bytes);
        add_all(&mut self.compared, other.compared);
        add_all(&mut self.accepted, other.accepted);
        add_all(&mut self.skipped, other.skipped);
        add_all(&mut self.different, other.different);
        self.reports.extend(other.reports);
    }

    fn count(&mut self, prepared: &Prepared, verdicts: Vec<Vec<Verdict>>, by: &Differential) {
        for (stream, verdicts) in prepared.batch.streams.iter().zip(verdicts) {
            self.streams = self.streams.saturating_add(1);
            let length = u64::try_from(stream.len()).unwrap_or(u64::MAX);
            self.bytes = self.bytes.saturating_add(length);
            for (implementation, verdict) in by.implementations().iter().zip(verdicts) {
                let who = (by.version(), *implementation);
                match verdict {
                    Verdict::Skipped(skip) => {
                        add(&mut self.skipped, (*implementation, skip), 1);
                        continue;
                    }
                    Verdict::Same { accepted: true } => add(&mut self.accepted, who, 1),
                    Verdict::Same { accepted: false } => {}
                    Verdict::Different(difference) => {
                        self.keep(prepared, stream, by.version(), *difference);
                    }
                }
                add(&mut self.compared, who, 1);
            }
        }
    }

    fn keep(
        &mut self,
        prepared: &Prepared,
        stream: &[u8],
        version: Version,
        difference: Difference,
    ) {
        let kind = difference.kind();
        let known = self
            .reports
            .iter()
            .filter(|report| report.difference.kind() == kind)
            .count();
        add(&mut self.different, kind, 1);
        if known < KEPT {
            self.reports.push(Report {
                stream: stream.to_vec(),
                original: stream.to_vec(),
                options: prepared.batch.options.clone(),
                version,
                difference,
            });
        }
    }
}

fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K, count: u64) {
    let entry = counts.entry(key).or_default();
    *entry = entry.saturating_add(count);
}

fn add_all<K: Ord>(counts: &mut BTreeMap<K, u64>, others: BTreeMap<K, u64>) {
    for (key, count) in others {
        add(counts, key, count);
    }
}

/// Runs a campaign; `progress` is told about every few seconds how many streams are done.
///
/// # Errors
///
/// There is no interpreter, or one keeps dying.
pub fn campaign(campaign: &Campaign, progress: impl Fn(u64, Duration)) -> Result<Tally, String> {
    let begin = Instant::now();
    let streams = Streams::new(campaign.seed)?;
    let next = AtomicU64::new(0);
    let done = AtomicU64::new(0);
    let failed = AtomicBool::new(false);
    let mut tally = Tally::default();
    std::thread::scope(|scope| {
        let work = || {
            let result = work(campaign, &streams, &next, &done, &failed);
            if result.is_err() {
                failed.store(true, Ordering::Relaxed);
            }
            result
        };
        let workers: Vec<_> = (0..campaign.jobs.max(1))
            .map(|_| scope.spawn(work))
            .collect();
        let mut told = Instant::now();
        while !workers
            .iter()
            .all(std::thread::ScopedJoinHandle::is_finished)
        {
            std::thread::sleep(Duration::from_millis(20));
            if told.elapsed() >= Duration::from_secs(5) {
                told = Instant::now();
                progress(done.load(Ordering::Relaxed), begin.elapsed());
            }
        }
        for worker in workers {
            match worker.join() {
                Ok(result) => tally.merge(result?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok::<(), String>(())
    })?;
    shrink(campaign, &mut tally)?;
    tally.elapsed = begin.elapsed();
    Ok(tally)
}

fn start(campaign: &Campaign) -> Result<Vec<Differential>, String> {
    if campaign.pythons.is_empty() {
        return Ok(vec![Differential::start(None, &campaign.implementations)?]);
    }
    campaign
        .pythons
        .iter()
        .map(|python| Differential::start(Some(python), &campaign.implementations))
        .collect()
}

/// One thread: while the interpreter works on a batch, the next one is prepared.
fn work(
    campaign: &Campaign,
    streams: &Streams,
    next: &AtomicU64,
    done: &AtomicU64,
    failed: &AtomicBool,
) -> Result<Tally, String> {
    let mut interpreters = start(campaign)?;
    let mut tally = Tally::default();
    let batch = u64::try_from(campaign.batch.max(1)).unwrap_or(1);
    let mut pending: Option<(usize, Prepared)> = None;
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let left = campaign
            .streams
            .saturating_sub(number.saturating_mul(batch))
            .min(batch);
        let prepared = if left == 0 || failed.load(Ordering::Relaxed) {
            None
        } else {
            let turn = usize::try_from(number)
                .unwrap_or(0)
                .checked_rem(interpreters.len())
                .unwrap_or(0);
            let size = usize::try_from(left).unwrap_or(0);
            let batch = streams.batch(number, size);
            interpreters
                .get(turn)
                .map(|interpreter| (turn, interpreter.prepare(batch)))
        };
        if let Some((turn, prepared)) = pending.take()
            && let Some(interpreter) = interpreters.get_mut(turn)
        {
            let verdicts = match interpreter.finish(&prepared) {
                Ok(verdicts) => verdicts,
                Err(_) => interpreter.again(&prepared)?,
            };
            let count = u64::try_from(verdicts.len()).unwrap_or(0);
            tally.count(&prepared, verdicts, interpreter);
            done.fetch_add(count, Ordering::Relaxed);
        }
        let Some((turn, prepared)) = prepared else {
            return Ok(tally);
        };
        if let Some(interpreter) = interpreters.get_mut(turn) {
            // Where it is gone, reading the answer tells.
            let _ = interpreter.send(&prepared);
        }
        pending = Some((turn, prepared));
    }
}

/// Makes the disagreements small; what becomes equal is kept once.
fn shrink(campaign: &Campaign, tally: &mut Tally) -> Result<(), String> {
    if tally.reports.is_empty() {
        return Ok(());
    }
    let mut interpreters = start(campaign)?;
    let mut known = BTreeSet::new();
    let mut small = Vec::new();
    for mut report in std::mem::take(&mut tally.reports) {
        let interpreter = interpreters
            .iter_mut()
            .find(|interpreter| interpreter.version() == report.version);
        if let Some(interpreter) = interpreter {
            (report.stream, report.difference) =
                interpreter.shrink(&report.options, &report.stream, &report.difference)?;
        }
        if known.insert((report.difference.kind(), report.stream.clone())) {
            small.push(report);
        }
    }
    small.sort_by_key(|report| (report.difference.kind(), report.stream.len()));
    tally.reports = small;
    Ok(())
}

impl Campaign {
    /// The interpreters by themselves, to ask them about disagreements.
    ///
    /// # Errors
    ///
    /// One does not start.
    pub fn oracles(&self) -> Result<Vec<Oracle>, String> {
        if self.pythons.is_empty() {
            return Ok(vec![Oracle::of_environment()?]);
        }
        self.pythons
            .iter()
            .map(|python| Oracle::start(python))
            .collect()
    }
}
