//! crowdfold
fn main() {}
