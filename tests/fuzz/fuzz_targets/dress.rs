//! libFuzzer's way into [`wayglass_fuzz::dress`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wayglass_fuzz::dress::run(data));
