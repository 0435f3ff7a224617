//! The worker as users run it: the program itself, as a process, against a real broker.

mod support;

mod killed;
mod poison;
mod same;
mod whole_way;
