//! What leaves the house says nothing of persons: the same rows whatever the addresses and ids, and nothing of either
//! in any byte that is written.

mod canaries;
mod same_bytes;
