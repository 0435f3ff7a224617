//! Attacks published rows. Each attack knows the algorithm and reads only rows. It also runs on rows that were built
//! with a rule disabled, which proves that the attack would find a violation. Attack 1, which adds and subtracts rows,
//! is a test of invariant 6 (`tests/it`).
//!
//! `make attack` prints all results. `SEED` is the seed of the random numbers, and `SCENARIOS` is the number of windows
//! of attack 3. Arguments select attacks by number. `cargo test` runs short attacks with fixed seeds.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a command-line tool")]

mod bench;
mod fakes;
mod figures;
mod intervals;
mod join;
mod likelihood;
mod product;
mod random;
mod rows;
mod scenario;
mod sequence;
mod simplex;
mod successive;
#[cfg(test)]
mod tests;
mod traffic;

/// A function that prints the results of one attack. It takes the seed and the number of windows.
type Figures = fn(u64, u64);

fn main() {
    let (seed, scenarios) = (setting("SEED").unwrap_or(1), setting("SCENARIOS").unwrap_or(2_000));
    println!("seed {seed}, {scenarios} windows of each kind in attack 3");
    let asked = arguments();
    let all: [(u64, Figures); 6] = [
        (2, figures::intervals),
        (3, figures::joins),
        (4, figures::marks),
        (5, figures::fakes),
        (6, figures::successive),
        (7, figures::weak),
    ];
    for (number, attack) in all {
        if asked.is_empty() || asked.contains(&number) {
            attack(seed, scenarios);
        }
    }
}

fn arguments() -> Vec<u64> {
    std::env::args().filter_map(|argument| argument.parse().ok()).collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the size of an attack is not part of the program's configuration"
)]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
