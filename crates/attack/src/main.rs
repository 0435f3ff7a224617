//! Attacks on published rows. Each reads rows and nothing else, knows how they are made, and is also run on rows that
//! were made with its rule off, to see that it would find the breach. The first attack, by adding and subtracting rows,
//! is beside invariant 6 in the suite.
//!
//! `make attack` prints all figures: `SEED` is where random numbers begin, `SCENARIOS` how many windows the third
//! attack is made on, and numbers as arguments choose attacks. `cargo test` runs the short ones on fixed seeds.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it prints its figures")]

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

/// Prints the figures of one attack, for a seed and a number of windows.
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

#[expect(clippy::disallowed_methods, reason = "how long to attack is not the program's configuration")]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
