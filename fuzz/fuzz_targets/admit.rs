#![no_main]

use crowdfold_fuzz::{admit, plant};
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: plant("admit", admit::seeds()),
    |data: &[u8]| admit::check(data)
);
