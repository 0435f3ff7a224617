#![no_main]

use crowdfold_fuzz::{partials, plant};
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: plant("partials", partials::seeds()),
    |data: &[u8]| partials::check(data)
);
