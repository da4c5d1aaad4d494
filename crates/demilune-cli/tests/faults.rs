//! What is broken or hostile around a server: a crash on a full disk, damaged files, clients that never finish.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    fs::{self, File},
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use support::{Server, demilune, is_root, operation, stderr};

/// How long a command that must fail may take to say so.
const FAIL_MAX: Duration = Duration::from_secs(30);

/// A file system of four mebibytes, unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: PathBuf) -> Self {
        fs::create_dir(&folder).unwrap();
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", "size=4m,mode=0700", "tmpfs"]).arg(&folder).status().unwrap();
        assert!(mounted.success(), "this test mounts a tmpfs, which takes root and the right to mount");
        Self(folder)
    }

    /// Takes all the space that is left.
    fn fill(&self) {
        let mut filler = File::create(self.filler()).unwrap();
        for size in [64 * 1024, 1024, 1] {
            while filler.write_all(&vec![0; size]).is_ok() {}
        }
    }

    /// Gives back what [`Self::fill`] took.
    fn free(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// Adds an operation that takes several pages, so that it does not fit into space already taken.
fn add(server: &Server, zone: &str, number: usize) -> (u16, Value) {
    let endpoint = format!("/{}/{number}", "x".repeat(3000));
    let path = format!("/zones/{zone}/api_gateway/operations/item");
    server.call("POST", &path, Some(&operation("GET", "www.example.com", &endpoint)))
}

fn total(server: &Server, zone: &str) -> Value {
    let (status, body) = server.call("GET", &format!("/zones/{zone}/api_gateway/operations"), None);
    assert_eq!(status, 200, "{body}");
    body["result_info"]["total_count"].clone()
}

#[test]
fn a_crash_on_a_full_disk_loses_nothing_that_was_acknowledged() {
    if !is_root() {
        // Only root may mount; others have nothing to try here.
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let disk = SmallDisk::mount(folder.path().join("data"));
    let mut server = Server::start_in(folder, &[], &[]);
    let zone = server.zone();
    let mut kept = 0;
    while kept < 20 {
        assert_eq!(add(&server, &zone, kept).0, 200);
        kept += 1;
    }
    disk.fill();
    let (status, body) = loop {
        let answer = add(&server, &zone, kept);
        if answer.0 != 200 {
            break answer;
        }
        kept += 1;
        assert!(kept < 200, "a full disk does not hold that");
    };
    assert_eq!((status, &body["errors"][0]["code"]), (503, &Value::from(10503)), "{body}");
    server.kill9();
    let output = start_that_may_fail(&server.data());
    check_no_panic(&output);
    disk.free();
    server.start_again();
    assert_eq!(total(&server, &zone), kept);
    assert_eq!(add(&server, &zone, kept).0, 200);
    assert!(!server.log().contains("panicked"), "{}", server.log());
    drop(server);
}

/// Starts a server that may serve or refuse to; one that still serves after a moment is killed.
fn start_that_may_fail(data: &Path) -> Output {
    let mut child = demilune()
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let give_up = Instant::now() + FAIL_MAX;
    while child.try_wait().unwrap().is_none() && !data.join("control.sock").exists() && Instant::now() < give_up {
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(Duration::from_millis(300));
    let _ = child.kill();
    child.wait_with_output().unwrap()
}

/// Checks that a server that ended by itself said why, in one sentence and with a code other than zero.
fn check_no_panic(output: &Output) {
    let text = stderr(output);
    assert!(!text.contains("panicked"), "{text}");
    assert_ne!(output.status.code(), Some(0), "{text}");
    if output.status.code().is_some() {
        assert_eq!(text.lines().filter(|line| line.starts_with("demilune: ")).count(), 1, "{text}");
    }
}

/// A database with a hundred operations, whose server has ended in order.
fn filled() -> (Server, String) {
    let mut server = Server::start(&[]);
    let zone = server.zone();
    for number in 0..100 {
        assert_eq!(add(&server, &zone, number).0, 200);
    }
    assert!(server.stop().success());
    (server, zone)
}

/// Overwrites the middle half of the database file: the head, which names the tables, stays.
fn damage_the_middle(server: &Server) {
    let file = File::options().write(true).open(server.data().join("demilune.db")).unwrap();
    let length = file.metadata().unwrap().len();
    assert!(length > 128 * 1024, "{length}");
    let middle = vec![0x5a; usize::try_from(length / 2).unwrap()];
    file.write_all_at(&middle, length / 4).unwrap();
}

#[test]
fn a_damaged_middle_is_noticed_at_the_start_or_answered_with_a_failure() {
    let (mut server, zone) = filled();
    damage_the_middle(&server);
    let output = start_that_may_fail(&server.data());
    check_no_panic(&output);
    if output.status.code().is_some() {
        return;
    }
    server.start_again();
    check_damaged_answers(&mut server, &zone);
}

#[test]
fn a_file_damaged_under_a_running_server_does_not_end_it() {
    let (mut server, zone) = filled();
    server.start_again();
    damage_the_middle(&server);
    check_damaged_answers(&mut server, &zone);
}

/// Reads every page and adds each operation again: each answer is whole, and one of them at least says that the
/// server failed.
fn check_damaged_answers(server: &mut Server, zone: &str) {
    let mut failures = 0;
    let mut check = |(status, body): (u16, Value)| {
        if status == 200 {
            assert_eq!(body["success"], true, "{body}");
        } else {
            assert!(status == 500 || status == 503, "{status}: {body}");
            assert_eq!(body["success"], false);
            assert!(body["errors"][0]["code"].is_u64(), "{body}");
            failures += 1;
        }
    };
    for page in 1..=2 {
        let path = format!("/zones/{zone}/api_gateway/operations?per_page=50&page={page}");
        check(server.call("GET", &path, None));
    }
    for number in 0..100 {
        check(add(server, zone, number));
    }
    assert_ne!(failures, 0, "the damage was not noticed");
    assert!(server.is_running());
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// The head of a request that adds an operation, up to the headers about its body.
fn head(server: &Server) -> String {
    format!(
        "POST /client/v4/zones/{}/api_gateway/operations/item HTTP/1.1\r\nHost: localhost\r\n\
         Authorization: Bearer {}\r\nContent-Type: application/json\r\n",
        server.zone(),
        server.token()
    )
}

#[test]
fn bodies_that_stall_do_not_hold_up_others() {
    let server = Server::start(&[]);
    let start = format!("{}Content-Length: 80\r\n\r\n{{\"method\":", head(&server));
    let stalled: Vec<_> = (0..200)
        .map(|_| {
            let mut stream = connect(&server);
            stream.write_all(start.as_bytes()).unwrap();
            stream
        })
        .collect();
    let zone = server.zone();
    let asked = Instant::now();
    assert_eq!(add(&server, &zone, 0).0, 200);
    assert!(asked.elapsed() < Duration::from_secs(5));
    drop(stalled);
}

#[test]
fn eight_mebibytes_in_chunks_get_an_answer_that_can_be_read() {
    let server = Server::start(&[]);
    let mut stream = connect(&server);
    stream.write_all(format!("{}Transfer-Encoding: chunked\r\n\r\n", head(&server)).as_bytes()).unwrap();
    let chunk = [b"10000\r\n".as_slice(), &vec![b' '; 0x10000], b"\r\n"].concat();
    for _ in 0..128 {
        stream.write_all(&chunk).unwrap();
    }
    check_too_large(stream);
}

#[test]
fn a_body_that_never_ends_gets_an_answer_while_it_is_still_being_sent() {
    let server = Server::start(&[]);
    let mut stream = connect(&server);
    stream.write_all(format!("{}Transfer-Encoding: chunked\r\n\r\n", head(&server)).as_bytes()).unwrap();
    let mut sending = stream.try_clone().unwrap();
    let sender = thread::spawn(move || {
        // About three mebibytes a second: more than the limit, and never the end.
        let chunk = [b"4000\r\n".as_slice(), &[b' '; 0x4000], b"\r\n"].concat();
        while sending.write_all(&chunk).is_ok() {
            thread::sleep(Duration::from_millis(5));
        }
    });
    check_too_large(stream);
    sender.join().unwrap();
}

fn check_too_large(mut stream: TcpStream) {
    let mut answer = Vec::new();
    // The connection may be reset after the answer; what counts is that the answer came whole.
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer:?}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["errors"][0]["code"], 10413, "{body}");
}
