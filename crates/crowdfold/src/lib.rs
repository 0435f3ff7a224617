//! Player beacons in, crowds out: the command line, the configuration, and the wiring of the worker.
#![forbid(unsafe_code)]

pub mod config;
