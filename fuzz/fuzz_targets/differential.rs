//! `cargo fuzz run differential`
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pickleproof_fuzz::differential::target(bytes));

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    pickleproof_fuzz::replay(pickleproof_fuzz::differential::target)
}
