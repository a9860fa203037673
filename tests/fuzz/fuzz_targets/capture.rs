//! libFuzzer's way into [`wayglass_fuzz::captures`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wayglass_fuzz::captures::run(data));
