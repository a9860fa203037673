//! libFuzzer's way into [`wayglass_fuzz::owntracks`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wayglass_fuzz::owntracks::run(data));
