//! See `gavel_fuzz::reply_ping`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gavel_fuzz::reply_ping(data));
