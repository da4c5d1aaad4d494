//! Requests one after the other, and the law that the borders of pieces mean nothing.

mod chunks;
mod heads;

use proptest::prelude::*;

use super::*;

const LIMITS: FramingLimits =
    FramingLimits { head_bytes_max: 512, headers_max: 8, chunk_line_bytes_max: 32, trailer_bytes_max: 64 };

/// All bytes that may go on, the empty lines that were left out, and why nothing more may.
fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<u8>, u64, Stop) {
    let mut stream = RequestStream::new(LIMITS);
    let (mut passed, mut held) = (Vec::new(), Vec::new());
    let mut stop = Stop::Hungry;
    for piece in pieces {
        held.extend_from_slice(piece);
        loop {
            let found = stream.pass(&held);
            passed.extend(held.drain(..found.bytes));
            stop = found.stop;
            if stop != Stop::EmptyLine {
                break;
            }
            held.drain(..2);
            stream.line_dropped();
        }
    }
    (passed, stream.heads(), stop)
}

/// Reads `text` in one piece, and holds every other way of cutting it in two, and into bytes, to the same outcome.
#[track_caller]
fn read_cut(text: &[u8]) -> (Vec<u8>, u64, Stop) {
    let whole = read([text]);
    for at in 0..text.len() {
        let (start, end) = text.split_at(at);
        assert_eq!(read([start, end]), whole, "{:?} cut at {at}", text.escape_ascii().to_string());
    }
    assert_eq!(read(text.chunks(1)), whole, "{:?} in bytes", text.escape_ascii().to_string());
    whole
}

#[test]
fn one_empty_line_before_a_head_is_left_out() {
    let head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let (passed, heads, stop) = read_cut(format!("\r\n{head}\r\n{head}\r\n").as_bytes());
    assert_eq!((passed, heads, stop), (format!("{head}{head}").into_bytes(), 2, Stop::Hungry));
    let (passed, heads, stop) = read_cut(format!("{head}\r\n\r\n{head}").as_bytes());
    assert_eq!((passed, heads, stop), (head.as_bytes().to_vec(), 1, Stop::Head(Defect::EmptyLines)));
}

#[test]
fn a_body_of_a_length_ends_there() {
    let sized = "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n\r\n\n\0";
    let (passed, heads, stop) = read_cut(format!("{sized}{sized}X\n").as_bytes());
    assert_eq!((passed, heads, stop), (sized.repeat(2).into_bytes(), 2, Stop::Head(Defect::BareLineFeed)));
}

#[test]
fn nothing_passes_behind_an_upgrade_until_it_is_decided() {
    let head = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: upgrade\r\nContent-Length: 1\r\n\r\nb";
    let (passed, _, stop) = read_cut(format!("{head}\x00\x01").as_bytes());
    assert_eq!((passed, stop), (head.as_bytes().to_vec(), Stop::Upgrade));
    let mut stream = RequestStream::new(LIMITS);
    assert_eq!(stream.pass(head.as_bytes()).bytes, head.len());
    assert!(stream.awaits_upgrade());
    stream.not_upgraded();
    assert_eq!(stream.pass(b"\0").stop, Stop::Head(Defect::Method));
    stream.upgraded();
    assert_eq!(stream.pass(b"\0\0"), Passed { bytes: 2, stop: Stop::Hungry });
}

#[test]
fn a_refusal_has_the_status_of_its_cause() {
    assert_eq!(Defect::Version.status(), 505);
    assert_eq!(Defect::TransferEncodingUnknown.status(), 501);
    assert_eq!(Defect::HeadTooLarge.status(), 431);
    assert_eq!(Defect::HostMissing.status(), 400);
}

/// Pieces from which sound requests can come about, and near misses.
fn fragment() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "GET / HTTP/1.1\r\n",
        "POST /a?b HTTP/1.1\r\n",
        "PUT / HTTP/1.0\r\n",
        "Host: a\r\n",
        "Host: a\r\n\r\n",
        "Content-Length: 3\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Upgrade: x\r\nConnection: upgrade\r\n",
        "A: b\r\n",
        "\r\n",
        "\r",
        "\n",
        "abc",
        "3\r\nabc\r\n",
        "0\r\n\r\n",
        "0\r\n",
        "5;a=\"b\"\r\n",
        "\0",
        " ",
        ":",
        "\t",
    ])
}

proptest! {
    #[test]
    fn the_borders_of_pieces_change_nothing(
        fragments in prop::collection::vec(fragment(), 0..24),
        cuts in prop::collection::vec(1_usize..40, 1..12),
    ) {
        let text = fragments.concat().into_bytes();
        let mut rest = text.as_slice();
        let mut pieces = Vec::new();
        for bytes in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, tail) = rest.split_at((*bytes).min(rest.len()));
            pieces.push(piece);
            rest = tail;
        }
        prop_assert_eq!(read(pieces), read([text.as_slice()]));
    }

    #[test]
    fn what_passes_passes_again(fragments in prop::collection::vec(fragment(), 0..24)) {
        let (passed, heads, _) = read([fragments.concat().as_bytes()]);
        prop_assert_eq!(read([passed.as_slice()]).0, passed.clone());
        prop_assert_eq!(read([passed.as_slice()]).1, heads);
    }
}
