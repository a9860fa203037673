//! libFuzzer's way into [`wayglass_fuzz::words`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wayglass_fuzz::words::run(data));
