//! libFuzzer's way into [`wayglass_fuzz::gt06_session`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wayglass_fuzz::gt06_session::run(data));
