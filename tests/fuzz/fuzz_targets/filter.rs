//! libFuzzer's way into [`wayglass_fuzz::filters`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wayglass_fuzz::filters::run(data));
