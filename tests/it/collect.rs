//! The collector, as a process, with a real Kafka behind it.

mod client;
mod cmcd;
mod encrypted;
mod end_to_end;
mod ends;
mod hostile;
mod outage;
mod posted;
mod proxies;
mod support;
