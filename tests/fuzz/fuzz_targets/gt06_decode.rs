//! libFuzzer's way into [`wayglass_fuzz::gt06_decode`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wayglass_fuzz::gt06_decode::run(data));
