//! Tests of the collector, which runs as a process and writes to a real Kafka.

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
