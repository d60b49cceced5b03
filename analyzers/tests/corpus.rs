//! The verdict on every sample of the corpus is the one that its manifest expects.

use std::fmt::Write as _;

use pickleproof_analyzers::{Options, judge};
use pickleproof_corpus::samples;

#[test]
fn every_sample_gets_the_verdict_that_is_expected() {
    let mut wrong = String::new();
    for sample in samples().unwrap() {
        let judgement = judge(&sample.name, &sample.bytes, &Options::default());
        let found = (judgement.risk.name(), judgement.integrity.name());
        let expected = (sample.risk.name(), sample.integrity.name());
        if found != expected {
            let findings: Vec<&str> = judgement
                .findings
                .iter()
                .map(|finding| finding.message.as_str())
                .collect();
            let _ = writeln!(
                wrong,
                "{}: {found:?}, expected {expected:?}: {findings:?} {:?}",
                sample.name, judgement.gaps
            );
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
