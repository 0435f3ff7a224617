#![no_main]

use crowdfold_fuzz::{json, plant};
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: plant("json", json::seeds()),
    |data: &[u8]| json::check(data)
);
