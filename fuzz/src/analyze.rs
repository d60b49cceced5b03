//! The whole pipeline: containers, machine, judgement.

use pickleproof_analyzers::judgement::{Integrity, Risk};
use pickleproof_analyzers::{Options, judge};
use pickleproof_core::Limits;

/// Judges `bytes` as an artifact.
///
/// # Panics
///
/// Where a judgement contradicts itself: an artifact is not the worst of what is inside, something
/// broken or not looked at is below `review`, a finding lies outside its member.
pub fn analyze(bytes: &[u8]) {
    let mut options = Options {
        listed: 100,
        ..Options::default()
    };
    options.machine.limits = Limits {
        instructions: 1 << 16,
        stack: 1 << 14,
        marks: 1 << 14,
        memo: 1 << 14,
        nodes: 1 << 14,
        items: 1 << 16,
        effects: 1 << 12,
    };
    options.containers.member_bytes = 1 << 20;
    options.containers.ratio_floor = 1 << 18;
    options.containers.aborted_bytes = 1 << 20;
    options.containers.members = 1000;
    let judgement = judge("input", bytes, &options);
    for stream in &judgement.streams {
        assert!(
            judgement.risk >= stream.risk,
            "the artifact is better than a stream in it"
        );
        assert!(
            judgement.integrity >= stream.integrity,
            "the artifact is more whole than a stream in it"
        );
        if matches!(stream.integrity, Integrity::Corrupt | Integrity::Limited) {
            assert!(
                stream.risk >= Risk::Review,
                "a stream that was not understood is trusted"
            );
        }
        let worst = stream.effects.iter().map(|effect| effect.risk).max();
        assert!(
            worst <= Some(stream.risk),
            "a stream is better than an effect of it"
        );
        if stream.effects_total > 0 {
            assert!(stream.risk > Risk::Inert, "a stream with effects is inert");
        }
    }
    if !judgement.gaps.is_empty() {
        assert!(
            judgement.risk >= Risk::Review,
            "an artifact with a gap is clean"
        );
    }
    assert!(
        judgement
            .findings
            .is_sorted_by(|left, right| left.severity >= right.severity),
        "findings are not sorted"
    );
    assert_eq!(
        judge("input", bytes, &options),
        judgement,
        "two judgements differ"
    );
}
