//! The edge for players, as a process, with a real Kafka behind it.

mod client;
mod cmcd;
mod posted;
mod support;
mod whole_way;
