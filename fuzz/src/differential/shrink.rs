//! The smallest stream on which two sides still disagree in the same way.

use serde_json::Value as Json;

use super::mutate::boundaries;
use super::{Batch, Difference, Differential, Verdict};
use crate::oracle::Implementation;

/// So many candidates are asked about at once.
const CANDIDATES: usize = 64;

impl Differential {
    /// Removes instructions, then bytes, as long as the difference stays of the same kind.
    ///
    /// # Errors
    ///
    /// There is no oracle any more.
    pub fn shrink(
        &mut self,
        options: &Json,
        stream: &[u8],
        difference: &Difference,
    ) -> Result<(Vec<u8>, Difference), String> {
        let wanted = (difference.implementation, difference.kind());
        let mut best = (stream.to_vec(), difference.clone());
        loop {
            let before = best.0.len();
            for by_bytes in [false, true] {
                let mut size = best.0.len().max(1).next_power_of_two();
                while size > 0 {
                    let candidates = without(&best.0, size, by_bytes);
                    match self.first_of_kind(options, &candidates, &wanted)? {
                        Some((place, found)) => {
                            let stream = candidates.into_iter().nth(place).unwrap_or_default();
                            best = (stream, found);
                        }
                        None => size >>= 1,
                    }
                }
            }
            if best.0.len() == before {
                return Ok(best);
            }
        }
    }

    fn first_of_kind(
        &mut self,
        options: &Json,
        candidates: &[Vec<u8>],
        wanted: &(Implementation, String),
    ) -> Result<Option<(usize, Difference)>, String> {
        let mut place = 0_usize;
        for batch in candidates.chunks(CANDIDATES) {
            let batch = Batch {
                options: options.clone(),
                streams: batch.to_vec(),
            };
            for verdicts in self.compare(batch)? {
                for verdict in verdicts {
                    if let Verdict::Different(found) = verdict
                        && found.implementation == wanted.0
                        && found.kind() == wanted.1
                    {
                        return Ok(Some((place, *found)));
                    }
                }
                place = place.saturating_add(1);
            }
        }
        Ok(None)
    }
}

/// The stream without each run of `size` instructions, or bytes.
fn without(stream: &[u8], size: usize, by_bytes: bool) -> Vec<Vec<u8>> {
    let mut cuts = if by_bytes {
        (0..=stream.len()).collect()
    } else {
        boundaries(stream)
    };
    if cuts.last() != Some(&stream.len()) {
        cuts.push(stream.len());
    }
    let last = cuts.len().saturating_sub(1);
    let mut candidates = Vec::new();
    for first in (0..last).step_by(size.div_ceil(2).max(1)) {
        let end = first.saturating_add(size).min(last);
        if let (Some(&start), Some(&end)) = (cuts.get(first), cuts.get(end)) {
            let (head, tail) = (stream.get(..start), stream.get(end..));
            candidates.push([head.unwrap_or_default(), tail.unwrap_or_default()].concat());
        }
    }
    candidates
}
