//! The compressed protocol: frames as servers write them, and what is wrong with others.
#![allow(clippy::unwrap_used, reason = "test code: a failure is a failed test")]

mod common;

use std::io::{ErrorKind, IoSlice, Read, Write};
use std::os::unix::net::UnixStream;

use common::{noise, packet, pair, read_available, stream_and_peer, would_block, write_all};
use transport::{Compression, Stream};

const BOTH: [Compression; 2] = [Compression::Zlib, Compression::Zstd { level: 3 }];

/// A frame as it was sent.
#[derive(Debug, PartialEq, Eq)]
struct Frame {
    sequence: u8,
    uncompressed: usize,
    data: Vec<u8>,
}

fn number(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) | usize::from(bytes[1]) << 8 | usize::from(bytes[2]) << 16
}

fn frame(sequence: u8, uncompressed: usize, data: &[u8]) -> Vec<u8> {
    let mut bytes = packet(sequence, data);
    bytes.extend(&uncompressed.to_le_bytes()[..3]);
    bytes.extend(data);
    bytes.drain(4..4 + data.len());
    bytes
}

fn frames(mut bytes: &[u8]) -> Vec<Frame> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let (length, sequence, uncompressed) = (number(bytes), bytes[3], number(&bytes[4..]));
        all.push(Frame { sequence, uncompressed, data: bytes[7..7 + length].to_vec() });
        bytes = &bytes[7 + length..];
    }
    all
}

fn compressed_stream(algorithm: Compression) -> (Stream, UnixStream) {
    let (mut stream, peer) = stream_and_peer();
    stream.start_compression(algorithm);
    (stream, peer)
}

/// Writes the bytes, and reads what comes out below, until all is there.
fn written(stream: &mut Stream, mut peer: &UnixStream, bytes: &[u8]) -> Vec<Frame> {
    let mut out = Vec::new();
    let mut chunk = vec![0; 100_000];
    let mut rest = bytes;
    loop {
        if let Ok(count) = stream.write(&[IoSlice::new(rest)]) {
            rest = &rest[count..];
        }
        let is_done = rest.is_empty() && stream.flush().is_ok();
        while let Ok(count) = peer.read(&mut chunk) {
            out.extend(&chunk[..count]);
        }
        if is_done {
            assert!(!stream.wants_to_write());
            return frames(&out);
        }
    }
}

#[test]
fn short_and_random_data_are_stored() {
    for algorithm in BOTH {
        let (mut stream, peer) = compressed_stream(algorithm);
        for payload in [b"".to_vec(), vec![b'a'; 45], noise(5000)] {
            let packet = packet(0, &payload);
            let all = written(&mut stream, &peer, &packet);
            assert_eq!(all.len(), 1);
            assert_eq!(all[0].uncompressed, 0);
            assert_eq!(all[0].data, packet);
        }
        let all = written(&mut stream, &peer, &packet(0, &[b'a'; 46]));
        assert_eq!(all[0].uncompressed, 50);
        assert!(all[0].data.len() < 50);
    }
}

#[test]
fn zlib_data_are_what_servers_understand() {
    let (mut stream, peer) = compressed_stream(Compression::Zlib);
    let packet = packet(0, &[b'a'; 1000]);
    let all = written(&mut stream, &peer, &packet);
    let mut plain = Vec::new();
    flate2::read::ZlibDecoder::new(&all[0].data[..]).read_to_end(&mut plain).unwrap();
    assert_eq!(plain, packet);
    let (mut stream, peer) = compressed_stream(Compression::Zstd { level: 3 });
    let all = written(&mut stream, &peer, &packet);
    assert_eq!(zstd::stream::decode_all(&all[0].data[..]).unwrap(), packet);
}

#[test]
fn a_frame_has_whole_packets() {
    for algorithm in BOTH {
        let (mut stream, peer) = compressed_stream(algorithm);
        let small: Vec<u8> =
            (0..2000u16).flat_map(|n| packet(1, &noise(usize::from(n % 50)))).collect();
        let mut bytes = small.clone();
        bytes.extend(packet(2, &noise(300_000)));
        bytes.extend(&small);
        let mut plain = Vec::new();
        for frame in written(&mut stream, &peer, &bytes) {
            let data = match (frame.uncompressed, algorithm) {
                (0, _) => frame.data,
                (_, Compression::Zlib) => {
                    let mut data = Vec::new();
                    flate2::read::ZlibDecoder::new(&frame.data[..]).read_to_end(&mut data).unwrap();
                    data
                }
                (..) => zstd::stream::decode_all(&frame.data[..]).unwrap(),
            };
            let mut rest = &data[..];
            while !rest.is_empty() {
                rest = rest.get(4 + number(rest)..).expect("no packet is cut");
            }
            plain.extend(data);
        }
        assert!(plain == bytes);
    }
}

#[test]
fn a_packet_larger_than_a_frame_has_two() {
    let (mut stream, peer) = compressed_stream(Compression::Zlib);
    let mut bytes = packet(0, b"before");
    bytes.extend(packet(1, &vec![0; 0xff_ffff]));
    bytes.extend(packet(2, b"behind"));
    let all = written(&mut stream, &peer, &bytes);
    let lengths: Vec<_> = all
        .iter()
        .map(|frame| if frame.uncompressed > 0 { frame.uncompressed } else { frame.data.len() })
        .collect();
    assert_eq!(lengths, [10, 16_384, 0xff_ffff + 4 - 16_384, 10]);
}

#[test]
fn a_packet_is_held_back_until_it_is_complete() {
    let (mut stream, mut peer) = compressed_stream(Compression::Zlib);
    let packet = packet(0, b"a query");
    write_all(&mut stream, &packet[..2]);
    write_all(&mut stream, &packet[2..6]);
    assert!(!stream.wants_to_write(), "flushing would not help");
    assert!(would_block(peer.read(&mut [0; 10])));
    assert_eq!(written(&mut stream, &peer, &packet[6..])[0].data, packet);
}

#[test]
fn sequences_continue_those_of_the_peer() {
    let (mut stream, mut peer) = compressed_stream(Compression::Zlib);
    let one = packet(0, b"x");
    let mut sent = || {
        let all = written(&mut stream, &peer, &one);
        all.iter().map(|frame| frame.sequence).collect::<Vec<_>>()
    };
    assert_eq!(sent(), [0]);
    assert_eq!(sent(), [1]);
    peer.write_all(&frame(254, 0, &one)).unwrap();
    assert_eq!(read_available(&mut stream), one);
    let mut sent = || {
        let all = written(&mut stream, &peer, &one);
        all.iter().map(|frame| frame.sequence).collect::<Vec<_>>()
    };
    assert_eq!(sent(), [255]);
    assert_eq!(sent(), [0]);
    assert_eq!(sent(), [1]);
    stream.new_exchange();
    let all = written(&mut stream, &peer, &one);
    assert_eq!(all[0].sequence, 0);
}

#[test]
fn what_was_written_before_an_exchange_keeps_its_sequence() {
    let (mut stream, peer) = compressed_stream(Compression::Zlib);
    let one = packet(0, b"x");
    written(&mut stream, &peer, &one);
    assert_eq!(stream.write(&[IoSlice::new(&one)]).unwrap(), 5);
    stream.new_exchange();
    let all = written(&mut stream, &peer, &one);
    assert_eq!(all.iter().map(|frame| frame.sequence).collect::<Vec<_>>(), [1, 0]);
}

#[test]
fn frames_may_be_cut_anywhere() {
    let (mut stream, mut peer) = compressed_stream(Compression::Zlib);
    let plain = b"the same text again and again, the same text again and again".repeat(3);
    let mut data = Vec::new();
    flate2::read::ZlibEncoder::new(&plain[..], flate2::Compression::default())
        .read_to_end(&mut data)
        .unwrap();
    let mut bytes = frame(0, plain.len(), &data);
    bytes.extend(frame(1, 0, b"stored"));
    bytes.extend(frame(2, 0, b""));
    bytes.extend(frame(3, 0, b"end"));
    let mut read = Vec::new();
    for byte in bytes {
        peer.write_all(&[byte]).unwrap();
        read.extend(read_available(&mut stream));
    }
    assert_eq!(read, [&plain[..], b"stored", b"end"].concat());
    assert!(stream.is_quiet());
}

#[test]
fn what_was_read_too_far_belongs_to_the_frames() {
    let (mut stream, mut peer) = stream_and_peer();
    stream.unread(&frame(0, 0, b"early")[..9]);
    stream.start_compression(Compression::Zlib);
    assert!(stream.has_buffered());
    peer.write_all(&frame(0, 0, b"early")[9..]).unwrap();
    assert_eq!(read_available(&mut stream), b"early");
}

#[test]
fn an_unfinished_frame_is_not_quiet_and_its_end_an_error() {
    let (mut stream, mut peer) = compressed_stream(Compression::Zlib);
    peer.write_all(&frame(0, 0, b"stored")[..9]).unwrap();
    assert_eq!(read_available(&mut stream), b"st");
    assert!(!stream.is_quiet());
    drop(peer);
    assert_eq!(stream.read(&mut [0; 10]).unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn broken_frames_are_errors() {
    let plain = vec![b'a'; 1000];
    for algorithm in BOTH {
        let (mut writer, peer) = compressed_stream(algorithm);
        let data = written(&mut writer, &peer, &packet(0, &plain)).remove(0).data;
        let mut damaged = data.clone();
        damaged[3] ^= 0xff;
        let mut longer = data.clone();
        longer.push(0);
        for (bytes, expected) in [
            (frame(0, 1003, &data), "longer than announced"),
            (frame(0, 1, &data), "longer than announced"),
            (frame(0, 1005, &data), "not those announced"),
            (frame(0, 1004, &longer), "not those announced"),
            (frame(0, 1004, &data[..data.len() - 1]), "shorter than announced"),
            (frame(0, 1004, b""), "shorter than announced"),
            (frame(0, 1004, &damaged), "broken"),
            (frame(0, 1004, b"no compressed data at all"), "broken"),
        ] {
            let (mut stream, mut peer) = compressed_stream(algorithm);
            peer.write_all(&bytes).unwrap();
            let mut buffer = [0; 100];
            let error = loop {
                if let Err(error) = stream.read(&mut buffer) {
                    break error;
                }
            };
            assert_eq!(error.kind(), ErrorKind::InvalidData, "{algorithm:?}");
            assert!(error.to_string().contains(expected), "{algorithm:?}: {error}");
        }
    }
}

#[test]
fn a_bomb_is_defused_by_what_was_announced() {
    for algorithm in BOTH {
        let bomb = match algorithm {
            Compression::Zlib => {
                let mut data = Vec::new();
                let zeros = std::io::repeat(0).take(20_000_000);
                flate2::read::ZlibEncoder::new(zeros, flate2::Compression::fast())
                    .read_to_end(&mut data)
                    .unwrap();
                data
            }
            Compression::Zstd { .. } => {
                zstd::stream::encode_all(std::io::repeat(0).take(20_000_000), 3).unwrap()
            }
        };
        let (mut stream, mut peer) = compressed_stream(algorithm);
        peer.write_all(&frame(0, 100_000, &bomb)).unwrap();
        let mut buffer = vec![0; 1_000_000];
        let error = loop {
            match stream.read(&mut buffer) {
                Ok(count) => assert!(count <= 100_000),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    }
}

#[test]
fn random_bytes_are_never_a_panic() {
    for algorithm in BOTH {
        for seed in 0..200 {
            let (mut stream, mut peer) = compressed_stream(algorithm);
            peer.write_all(&noise(3000)[seed..]).unwrap();
            drop(peer);
            let mut buffer = [0; 100];
            while stream.read(&mut buffer).is_ok_and(|count| count > 0) {}
        }
    }
}

#[test]
fn a_reader_that_stops_stops_the_writer() {
    let (mut one, mut other) = pair();
    one.start_compression(Compression::Zlib);
    other.start_compression(Compression::Zlib);
    let packet = packet(0, &noise(3000));
    let mut written = 0;
    let mut rest = &packet[..];
    while let Ok(count) = one.write(&[IoSlice::new(rest)]) {
        written += count;
        rest = if count == rest.len() { &packet } else { &rest[count..] };
        assert!(written < 10_000_000, "it is not bounded");
    }
    assert!(one.wants_to_write());
    let mut read = 0;
    while read < written / packet.len() * packet.len() {
        read += read_available(&mut other).len();
        let _ = one.flush();
    }
}
