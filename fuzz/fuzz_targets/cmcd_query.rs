#![no_main]

use crowdfold_fuzz::{cmcd, plant};
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: plant("cmcd_query", cmcd::query_seeds()),
    |data: &[u8]| cmcd::check_query(data)
);
