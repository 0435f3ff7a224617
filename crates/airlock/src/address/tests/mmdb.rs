//! Writes small MMDB files (version 2.0 of MaxMind's specification) for tests. Files with real addresses must not be
//! distributed.

#![allow(dead_code, reason = "several tests share this module, and none uses all of it")]

use std::net::{Ipv4Addr, Ipv6Addr};

/// A value in the data section of a file.
pub(crate) enum Data {
    Text(&'static str),
    Number(u32),
    Map(Vec<(&'static str, Data)>),
    List(Vec<Data>),
}

impl Data {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => control(2, text.len(), out, text.as_bytes()),
            Self::Number(number) => control(6, 4, out, &number.to_be_bytes()),
            Self::List(values) => {
                // The type of this value is in a second byte, which contains the type minus 7.
                out.extend([values.len() as u8, 11 - 7]);
                values.iter().for_each(|value| value.write(out));
            }
            Self::Map(entries) => {
                control(7, entries.len(), out, &[]);
                for (key, value) in entries {
                    Self::Text(key).write(out);
                    value.write(out);
                }
            }
        }
    }
}

fn control(kind: u8, size: usize, out: &mut Vec<u8>, payload: &[u8]) {
    assert!(size < 29, "longer payloads are not supported");
    out.push(kind << 5 | size as u8);
    out.extend(payload);
}

#[derive(Clone, Copy)]
enum Slot {
    Empty,
    Node(usize),
    Data(usize),
}

/// Returns the bytes of a file with these IPv4 or IPv6 networks, each with its prefix length and its record.
pub(crate) fn file(networks: &[(&str, u8, Data)]) -> Vec<u8> {
    written(networks, 6)
}

/// Returns the bytes of a file that contains only IPv4 networks.
pub(crate) fn file_of_ipv4(networks: &[(&str, u8, Data)]) -> Vec<u8> {
    written(networks, 4)
}

fn written(networks: &[(&str, u8, Data)], ip_version: u16) -> Vec<u8> {
    let mut nodes = vec![[Slot::Empty; 2]];
    let mut data = Vec::new();
    for (first, length, value) in networks {
        let offset = data.len();
        value.write(&mut data);
        let (bits, length) = match first.parse::<Ipv4Addr>() {
            Ok(v4) if ip_version == 4 => (u128::from(v4.to_bits()) << 96, *length),
            Ok(v4) => (u128::from(v4.to_bits()), length + 96),
            Err(_) => (first.parse::<Ipv6Addr>().unwrap().to_bits(), *length),
        };
        let mut node = 0;
        for depth in 0..length {
            let bit = (bits >> (127 - depth) & 1) as usize;
            if depth + 1 == length {
                nodes[node][bit] = Slot::Data(offset);
            } else if let Slot::Node(next) = nodes[node][bit] {
                node = next;
            } else {
                nodes.push([Slot::Empty; 2]);
                nodes[node][bit] = Slot::Node(nodes.len() - 1);
                node = nodes.len() - 1;
            }
        }
    }
    let count = nodes.len();
    let mut out = Vec::new();
    for slot in nodes.iter().flatten() {
        let record = match slot {
            Slot::Empty => count,
            Slot::Node(index) => *index,
            Slot::Data(offset) => count + 16 + offset,
        };
        out.extend(&(record as u32).to_be_bytes()[1..]);
    }
    out.extend([0; 16]);
    out.extend(data);
    out.extend(b"\xab\xcd\xefMaxMind.com");
    let short = |out: &mut Vec<u8>, key: &'static str, value: u16| {
        Data::Text(key).write(out);
        control(5, 2, out, &value.to_be_bytes());
    };
    control(7, 9, &mut out, &[]);
    short(&mut out, "binary_format_major_version", 2);
    short(&mut out, "binary_format_minor_version", 0);
    short(&mut out, "ip_version", ip_version);
    short(&mut out, "record_size", 24);
    Data::Text("node_count").write(&mut out);
    Data::Number(count as u32).write(&mut out);
    Data::Text("build_epoch").write(&mut out);
    out.extend([8, 2, 0, 0, 0, 0, 0, 0, 0, 1]);
    Data::Text("database_type").write(&mut out);
    Data::Text("Test").write(&mut out);
    Data::Text("languages").write(&mut out);
    out.extend([0, 4]);
    Data::Text("description").write(&mut out);
    Data::Map(vec![("en", Data::Text("made for a test"))]).write(&mut out);
    out
}
