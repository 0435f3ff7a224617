#![no_main]

use crowdfold_fuzz::{envelope, plant};
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: plant("envelope", envelope::seeds()),
    |data: &[u8]| envelope::check(data)
);
