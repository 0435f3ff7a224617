#![no_main]

use crowdfold_fuzz::{plant, scan};
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: plant("scan", scan::seeds()),
    |data: &[u8]| scan::check(data)
);
