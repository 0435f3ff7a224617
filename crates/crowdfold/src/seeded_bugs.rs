//! The program with seeded bugs (`crowdfold_engine::seeded_bugs`). It is used only in tests, and never released.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    crowdfold::process::main()
}
