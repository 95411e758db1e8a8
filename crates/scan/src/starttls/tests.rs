use std::time::{Duration, Instant};

use audit::Unknown;

use super::scripted::{Act, dialer, peer};
use super::*;

/// What a peer says that agrees, and before what of it it waits for something.
struct Agreement {
    protocol: Protocol,
    answers: &'static [&'static [u8]],
    requests: &'static [&'static [u8]],
}

const OWN_NAME: &str = "[192.0.2.1]";
const LDAP_YES: &[u8] = b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00";
const MYSQL_GREETING: &[u8] = b"\x26\x00\x00\x00\x0a8.4.0\x00\x07\x00\x00\x00abcdefgh\x00\xff\xff\
    \x2d\x02\x00\xff\xdf\x15\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00";

fn agreements() -> Vec<Agreement> {
    let agreement = |protocol, answers, requests| Agreement {
        protocol,
        answers,
        requests,
    };
    vec![
        agreement(
            Protocol::Smtp,
            &[
                b"220-mx.example.test ESMTP\r\n220 ready\r\n",
                b"250-mx.example.test\r\n250-SIZE 1000\r\n250-starttls\r\n250 HELP\r\n",
                b"220 go ahead\r\n",
            ],
            &[b"", b"EHLO [192.0.2.1]\r\n", b"STARTTLS\r\n"],
        ),
        agreement(
            Protocol::Imap,
            &[
                b"* OK [CAPABILITY IMAP4rev1] ready\r\n",
                b"* CAPABILITY IMAP4rev1 STARTTLS\r\n* 1 EXISTS\r\na1 OK done\r\n",
                b"a2 OK begin\r\n",
            ],
            &[b"", b"a1 CAPABILITY\r\n", b"a2 STARTTLS\r\n"],
        ),
        agreement(
            Protocol::Pop3,
            &[
                b"+OK ready\r\n",
                b"+OK list\r\nUSER\r\nSTLS\r\n.\r\n",
                b"+OK begin\r\n",
            ],
            &[b"", b"CAPA\r\n", b"STLS\r\n"],
        ),
        agreement(Protocol::Ldap, &[LDAP_YES], &[START_TLS]),
        agreement(
            Protocol::Postgresql,
            &[b"S"],
            &[&[0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f]],
        ),
        agreement(Protocol::Mysql, &[MYSQL_GREETING], &[b""]),
    ]
}

const START_TLS: &[u8] = &[
    0x30, 0x1d, 0x02, 0x01, 0x01, 0x77, 0x18, 0x80, 0x16, b'1', b'.', b'3', b'.', b'6', b'.', b'1',
    b'.', b'4', b'.', b'1', b'.', b'1', b'4', b'6', b'6', b'.', b'2', b'0', b'0', b'3', b'7',
];

/// Plays the answers in pieces of so many bytes; gives what was sent.
fn play(protocol: Protocol, answers: &[&[u8]], piece: usize) -> Result<Vec<Vec<u8>>, Stopped> {
    let mut prelude = Prelude::of(protocol, OWN_NAME.to_owned()).unwrap();
    let mut sent = Vec::new();
    let mut received = Vec::new();
    for answer in answers {
        for piece in answer.chunks(piece) {
            while let Step::Write(bytes) = prelude.step(&mut received)? {
                sent.push(bytes);
            }
            received.extend(piece);
        }
    }
    loop {
        match prelude.step(&mut received)? {
            Step::Write(bytes) => sent.push(bytes),
            Step::Begin => return Ok(sent),
            Step::Read => return Err(Stopped::unknown(Cause::Timeout, "")),
        }
    }
}

fn unknown(stopped: Stopped) -> Unknown {
    match stopped {
        Stopped::Unknown(unknown) => unknown,
        Stopped::Refused(refusal) => panic!("refused: {refusal:?}"),
    }
}

#[test]
fn agreements_are_reached_whole_and_byte_by_byte() {
    for Agreement {
        protocol,
        answers,
        requests,
    } in agreements()
    {
        for piece in [1, 2, 7, 4096] {
            let sent = play(protocol, answers, piece).unwrap();
            let mut expected: Vec<_> = requests
                .iter()
                .filter(|request| !request.is_empty())
                .collect();
            let ssl_request;
            if protocol == Protocol::Mysql {
                ssl_request = &sent[0][..];
                assert_eq!(
                    (ssl_request.len(), &ssl_request[..4]),
                    (36, &[32, 0, 0, 1][..])
                );
                assert_ne!(ssl_request[5] & 0x08, 0, "CLIENT_SSL");
                expected.push(&ssl_request);
            }
            let sent: Vec<_> = sent.iter().map(Vec::as_slice).collect();
            let expected: Vec<_> = expected.into_iter().copied().collect();
            assert_eq!(sent, expected, "{protocol}");
        }
    }
}

#[test]
fn cut_anywhere_it_waits_for_more() {
    for Agreement {
        protocol, answers, ..
    } in agreements()
    {
        for (count, last) in answers.iter().enumerate() {
            for cut in 0..last.len() {
                let mut cut_answers = answers[..count].to_vec();
                cut_answers.push(&last[..cut]);
                let stopped = unknown(play(protocol, &cut_answers, 4096).unwrap_err());
                // The play's own word for "it would read".
                assert_eq!(
                    stopped.cause,
                    Cause::Timeout,
                    "{protocol} {count} {cut}: {stopped}"
                );
            }
        }
    }
}

/// A stranger on the path may add lines before TLS begins, hoping that they are taken for ones
/// that came within.
#[test]
fn what_follows_the_agreement_in_the_clear_is_told() {
    for Agreement {
        protocol, answers, ..
    } in agreements()
    {
        let mut answers = answers.to_vec();
        let last = [answers.pop().unwrap(), b"250 injected\r\n"].concat();
        answers.push(&last);
        let stopped = unknown(play(protocol, &answers, 4096).unwrap_err());
        assert_eq!(stopped.cause, Cause::Garbage);
        assert!(stopped.detail.contains("250 injected"), "{stopped}");
    }
}

#[test]
fn only_a_no_to_tls_is_a_refusal() {
    let ldap = |id: u8, code: u8| -> &'static [u8] {
        vec![
            0x30, 0x0e, 2, 1, id, 0x78, 9, 0x0a, 1, code, 4, 0, 4, 2, b'n', b'o',
        ]
        .leak()
    };
    let hello: &[u8] = b"220 mx.example.test\r\n";
    let offers: &[u8] = b"250-mx.example.test\r\n250 STARTTLS\r\n";
    let imap: &[u8] = b"* OK ready\r\n";
    let imap_offers: &[u8] = b"* CAPABILITY IMAP4rev1 STARTTLS\r\na1 OK\r\n";
    let pop: &[u8] = b"+OK\r\n";
    let pop_offers: &[u8] = b"+OK\r\nSTLS\r\n.\r\n";
    let no_tls = [&MYSQL_GREETING[..24], b"\xff\xf7", &MYSQL_GREETING[26..]].concat();
    let refusals: &[(Protocol, &[&[u8]])] = &[
        (Protocol::Smtp, &[hello, b"250 mx.example.test\r\n"]),
        (Protocol::Smtp, &[hello, b"250-mx\r\n250 XSTARTTLS\r\n"]),
        (Protocol::Smtp, &[hello, b"502 what?\r\n"]),
        (Protocol::Smtp, &[hello, offers, b"502 not here\r\n"]),
        (Protocol::Imap, &[b"* PREAUTH welcome\r\n"]),
        (
            Protocol::Imap,
            &[imap, b"* CAPABILITY IMAP4rev1\r\na1 OK\r\n"],
        ),
        (Protocol::Imap, &[imap, imap_offers, b"a2 NO never\r\n"]),
        (Protocol::Imap, &[imap, imap_offers, b"a2 BAD what?\r\n"]),
        (Protocol::Pop3, &[pop, b"+OK\r\nUSER\r\n.\r\n"]),
        (Protocol::Pop3, &[pop, pop_offers, b"-ERR never\r\n"]),
        (
            Protocol::Pop3,
            &[pop, b"-ERR no CAPA\r\n", b"-ERR what?\r\n"],
        ),
        (Protocol::Ldap, &[ldap(1, 2)]),
        (Protocol::Ldap, &[ldap(1, 53)]),
        (Protocol::Postgresql, &[b"N"]),
        (Protocol::Mysql, &[&no_tls]),
    ];
    for (protocol, answers) in refusals {
        let stopped = play(*protocol, answers, 4096).unwrap_err();
        assert!(
            matches!(stopped, Stopped::Refused(_)),
            "{protocol} {stopped:?}"
        );
    }
    let others: &[(Protocol, &[&[u8]])] = &[
        (Protocol::Smtp, &[b"421 too many\r\n"]),
        (Protocol::Smtp, &[b"554 you are on a list\r\n"]),
        (Protocol::Smtp, &[hello, b"550 you are on a list\r\n"]),
        (Protocol::Smtp, &[hello, b"450 later\r\n"]),
        (
            Protocol::Smtp,
            &[hello, offers, b"454 TLS not available now\r\n"],
        ),
        (Protocol::Imap, &[b"* BYE too many\r\n"]),
        (
            Protocol::Imap,
            &[imap, imap_offers, b"a2 NO [UNAVAILABLE] later\r\n"],
        ),
        (Protocol::Imap, &[imap, b"* BYE\r\n"]),
        (Protocol::Pop3, &[b"-ERR [SYS/TEMP] too many\r\n"]),
        (
            Protocol::Pop3,
            &[pop, pop_offers, b"-ERR [SYS/TEMP] later\r\n"],
        ),
        (Protocol::Ldap, &[ldap(1, 52)]),
        (Protocol::Ldap, &[ldap(0, 52)]),
        (
            Protocol::Postgresql,
            &[b"E\0\0\0\x20SFATAL\0Mtoo many clients\0\0"],
        ),
        (Protocol::Mysql, &[b"\x10\0\0\0\xff\x69\x04Host blocked."]),
    ];
    for (protocol, answers) in others {
        let stopped = unknown(play(*protocol, answers, 4096).unwrap_err());
        assert_eq!(stopped.cause, Cause::Alert, "{protocol} {stopped}");
    }
}

#[test]
fn a_sentence_of_mysql_is_told() {
    let stopped = play(
        Protocol::Mysql,
        &[b"\x10\0\0\0\xff\x69\x04Host blocked."],
        1,
    )
    .unwrap_err();
    let detail = unknown(stopped).detail;
    assert!(
        detail.contains("1129") && detail.contains("Host blocked."),
        "{detail}"
    );
}

#[test]
fn garbage_is_garbage() {
    let long = [b"220 ", &[b'x'; 5000][..]].concat();
    let many = b"220-hello\r\n".repeat(200);
    let early: &[u8] = b"220 mx\r\n250 STARTTLS\r\n220 go ahead\r\n";
    let binary: &[u8] = b"\x15\x03\x01\x00\x02\x02\x28";
    let all: &[(Protocol, &[&[u8]])] = &[
        (Protocol::Smtp, &[&long]),
        (Protocol::Smtp, &[&many]),
        (Protocol::Smtp, &[early]),
        (Protocol::Smtp, &[binary]),
        (Protocol::Smtp, &[b"HTTP/1.1 400 Bad Request\r\n"]),
        (Protocol::Smtp, &[b"\xc3\xa9\xc3\xa9\r\n"]),
        (Protocol::Smtp, &[b"22\r\n"]),
        (Protocol::Smtp, &[b"250 mx\r\n"]),
        (Protocol::Imap, &[&long]),
        (Protocol::Imap, &[binary]),
        (Protocol::Imap, &[b"220 mx\r\n"]),
        (Protocol::Imap, &[b"* OK\r\n", b"a2 OK\r\n"]),
        (Protocol::Pop3, &[&many]),
        (Protocol::Pop3, &[b"220 mx\r\n"]),
        (Protocol::Ldap, &[binary]),
        (Protocol::Ldap, &[b"\x30\x84\x7f\xff\xff\xff\x02"]),
        (Protocol::Ldap, &[b"\x30\x80\x02\x01\x01"]),
        (Protocol::Ldap, &[b"\x30\x03\x02\x01\x01"]),
        (
            Protocol::Ldap,
            &[b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x7f\x04\x00"],
        ),
        (
            Protocol::Ldap,
            &[b"\x30\x0c\x02\x01\x02\x78\x07\x0a\x01\x00\x04\x00\x04\x00"],
        ),
        (Protocol::Postgresql, &[binary]),
        (Protocol::Mysql, &[b"\xff\xff\xff\x00\x0a"]),
        (Protocol::Mysql, &[b"\x05\x00\x00\x00\x0a8.4\x00"]),
        (Protocol::Mysql, &[b"\x05\x00\x00\x00\x098.4\x00"]),
        (Protocol::Mysql, &[b"220 mx.example.test\r\n"]),
    ];
    for (protocol, answers) in all {
        let stopped = unknown(play(*protocol, answers, 4096).unwrap_err());
        assert_eq!(stopped.cause, Cause::Garbage, "{protocol} {stopped}");
    }
}

async fn dialed(protocol: Protocol, acts: Vec<Act>) -> Result<Dialed, Stopped> {
    let limit = Duration::from_millis(400);
    let dialer = dialer(peer(acts).await, protocol, limit);
    let begin = Instant::now();
    let dialed = dialer.dial().await;
    // Generous: the machine may be busy; what is shown is that it ends.
    assert!(
        begin.elapsed() < 20 * limit,
        "{protocol}: {:?}",
        begin.elapsed()
    );
    dialed
}

#[tokio::test]
async fn over_a_socket_too() {
    for Agreement {
        protocol,
        answers,
        requests,
    } in agreements()
    {
        let mut acts = Vec::new();
        for (answer, request) in answers.iter().zip(requests) {
            // The own name depends on the socket.
            let request = if request.starts_with(b"EHLO") {
                b"EHLO [127.0.0.1]\r\n"
            } else {
                *request
            };
            if !request.is_empty() {
                acts.push(Act::wait(request));
            }
            acts.push(Act::Drip(answer.to_vec()));
        }
        acts.push(Act::Stall);
        dialed(protocol, acts).await.map(|_| ()).unwrap();
    }
}

#[tokio::test]
async fn peers_that_do_not_answer_are_unknown_in_time() {
    let protocols = agreements().into_iter().map(|agreement| agreement.protocol);
    for protocol in protocols {
        for (acts, cause) in [
            (vec![Act::Stall], Cause::Timeout),
            (Vec::new(), Cause::Closed),
            (vec![Act::Forever(vec![b'x'; 1000])], Cause::Garbage),
            (vec![Act::Reset], Cause::Reset),
        ] {
            let stopped = dialed(protocol, acts).await.err().map(unknown);
            assert_eq!(
                stopped.map(|unknown| unknown.cause),
                Some(cause),
                "{protocol}"
            );
        }
    }
}
