//! libFuzzer's way into [`wayglass_fuzz::import_files`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wayglass_fuzz::import_files::run(data));
