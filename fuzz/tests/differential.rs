//! The machine agrees with the Python of this machine on some thousand generated and mutated
//! streams: the campaign of `scripts/differential`, small enough for every run of the tests.

use pickleproof_fuzz::differential::{Campaign, campaign, required};
use pickleproof_fuzz::oracle::Oracle;

#[test]
fn the_machine_agrees_with_the_python_of_this_machine() {
    if let Err(why) = Oracle::of_environment() {
        assert!(!required(), "no comparison with CPython: {why}");
        println!("skipped, no comparison with CPython: {why}");
        return;
    }
    let options = Campaign::default();
    let tally = campaign(&options, |_, _| {}).expect("the oracle answers");
    println!(
        "{} streams in {:.1} s, compared {:?}, skipped {:?}",
        tally.streams,
        tally.elapsed.as_secs_f64(),
        tally.compared,
        tally.skipped
    );
    let shown: String = tally
        .reports
        .iter()
        .map(|report| report.text() + "\n")
        .collect();
    assert!(tally.different.is_empty(), "{:?}\n{shown}", tally.different);
    let skipped: u64 = tally.skipped.values().sum();
    let compared: u64 = tally.compared.values().sum();
    assert!(
        skipped.saturating_mul(33) < compared,
        "{skipped} were skipped, {compared} compared"
    );
}
