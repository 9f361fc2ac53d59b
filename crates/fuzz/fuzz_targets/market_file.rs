//! See `gavel_fuzz::market_file`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gavel_fuzz::market_file(data));
