use std::fs;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    ::zstd::encode_all(text, 1).unwrap()
}

/// Writes a file with this name and content, opens it with `open`, and returns the bytes that were read.
fn read(name: &str, content: &[u8]) -> io::Result<Vec<u8>> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    fs::write(&path, content).unwrap();
    let mut all = Vec::new();
    open(&path, &Progress::reading(std::slice::from_ref(&path)))?.read_to_end(&mut all)?;
    Ok(all)
}

#[test]
fn file_is_decompressed_according_to_its_extension() {
    let text = b"a line\n".repeat(10_000);
    for name in ["b.gz", "b.ndjson.gz", "b.GZ", "b.gzip"] {
        assert!(read(name, &gzip(&text)).unwrap() == text, "{name}");
    }
    for name in ["b.zst", "b.ndjson.zst", "b.ZST", "b.zstd"] {
        assert!(read(name, &zstd(&text)).unwrap() == text, "{name}");
    }
    for name in ["b", "b.ndjson", "gz", "b.gz.ndjson"] {
        assert!(read(name, &text).unwrap() == text, "{name}");
    }
}

#[test]
fn gzip_members_and_zstd_frames_are_concatenated() {
    let parts = [&b"one\n"[..], b"", b"two\n", b"three"];
    let whole = parts.concat();
    assert_eq!(read("b.gz", &parts.map(gzip).concat()).unwrap(), whole);
    assert_eq!(read("b.zst", &parts.map(zstd).concat()).unwrap(), whole);
    assert_eq!(read("b.gz", &gzip(b"")).unwrap(), b"");
    assert_eq!(read("b.zst", &zstd(b"")).unwrap(), b"");
}

#[test]
fn compressed_file_that_is_truncated_at_any_length_is_an_error() {
    // Random bytes cannot be compressed, so the compressed file has several blocks.
    let mut state = 1_u64;
    let text: Vec<u8> = (0..200_000)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as u8
        })
        .collect();
    for (name, packed) in [("b.gz", gzip(&text)), ("b.zst", zstd(&text))] {
        let last = packed.len() - 1;
        for length in [0, 1, 5, 12, 1000, last / 2, last - 8, last - 4, last] {
            let error = read(name, &packed[..length]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{name}, {length} bytes: {error}");
        }
        let two = [&packed[..], &packed[..length_of_half(&packed)]].concat();
        assert_eq!(
            read(name, &two).unwrap_err().kind(),
            ErrorKind::UnexpectedEof,
            "{name}: the second part is truncated"
        );
        let mut damaged = packed.clone();
        damaged[last / 2] ^= 1;
        // Only gzip detects the changed byte, because a checksum is at the end of the file. These zstd frames have no
        // checksum, and contain the bytes uncompressed.
        if name == "b.gz" {
            assert!(read(name, &damaged).is_err());
        }
        assert!(read(name, b"{\"ts\":1}\n").is_err(), "{name} is read although it is not compressed");
    }
}

fn length_of_half(bytes: &[u8]) -> usize {
    bytes.len() / 2
}

#[test]
fn zstd_window_larger_than_128_mib_is_an_error() {
    // This is an empty frame with a window of 2 GiB.
    let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0x01, 0x00, 0x00];
    let error = read("b.zst", &frame).unwrap_err();
    assert!(error.to_string().contains("memory"), "{error}");
    // This is an empty frame with a window of 128 MiB.
    let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 17 << 3, 0x01, 0x00, 0x00];
    assert_eq!(read("b.zst", &frame).unwrap(), b"");
}
