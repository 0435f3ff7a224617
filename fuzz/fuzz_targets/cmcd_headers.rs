#![no_main]

use crowdfold_fuzz::{cmcd, plant};
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: plant("cmcd_headers", cmcd::header_seeds()),
    |data: &[u8]| cmcd::check_headers(data)
);
