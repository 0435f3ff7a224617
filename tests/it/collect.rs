//! Tests the collector as a process with a real Kafka.

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
