//! What happens at the edges of a machine: a full disk, bodies without end, clients that dawdle.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use support::{Server, is_root, operation};

/// A file system of four mebibytes, unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: PathBuf) -> Self {
        fs::create_dir(&folder).unwrap();
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", "size=4m,mode=0700", "tmpfs"]).arg(&folder).status().unwrap();
        assert!(mounted.success(), "this test mounts a tmpfs, which takes root");
        Self(folder)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_refuses_writes_and_goes_on_reading() {
    if !is_root() {
        // Only root may mount, as in CI; others have nothing to try here.
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let disk = SmallDisk::mount(folder.path().join("data"));
    let server = Server::start_in(folder, &[], &["--operations-per-zone-max", "1000000"]);
    let zone = server.zone();
    let add = |number: u32| {
        let endpoint = format!("/{}/{number}", "x".repeat(3000));
        let path = format!("/zones/{zone}/api_gateway/operations/item");
        server.call("POST", &path, Some(&operation("GET", "www.example.com", &endpoint)))
    };
    let mut kept = 0;
    let refused = loop {
        let (status, body) = add(kept);
        if status != 200 {
            break (status, body);
        }
        kept += 1;
        assert!(kept < 5_000, "four mebibytes do not hold that");
    };
    assert_eq!(refused.0, 503, "{}", refused.1);
    assert_eq!(refused.1["errors"][0]["code"], 10503);
    let (status, listed) = server.call("GET", &format!("/zones/{zone}/api_gateway/operations"), None);
    assert_eq!(status, 200, "{listed}");
    assert_eq!(listed["result_info"]["total_count"], kept);
    // Space comes back, and with it the writes: no restart is needed.
    let remount = Command::new("mount").args(["-o", "remount,size=32m"]).arg(&disk.0).status().unwrap();
    assert!(remount.success());
    let (status, body) = add(kept);
    assert_eq!(status, 200, "{body}");
    assert!(!server.log().contains("panicked"), "{}", server.log());
    drop(server);
}

/// Sends a head, then bytes for as long as the server takes them, then reads what it has to say.
fn send_much(server: &Server, head: &str, chunk: &[u8], bytes: usize) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let path = format!("/client/v4/zones/{}/api_gateway/operations/item", server.zone());
    let start = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\n{head}\r\n\r\n",
        server.token()
    );
    stream.write_all(start.as_bytes()).unwrap();
    let mut sent = 0;
    while sent < bytes && stream.write_all(chunk).is_ok() {
        sent += chunk.len();
    }
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

fn check_too_large(answer: &str) {
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("\"code\":10413"), "{answer}");
}

#[test]
fn a_body_over_the_limit_gets_an_answer_that_can_be_read() {
    let server = Server::start(&[]);
    let length = 3 * 1024 * 1024;
    let spaces = vec![b' '; 64 * 1024];
    check_too_large(&send_much(&server, &format!("Content-Length: {length}"), &spaces, length));
}

#[test]
fn a_body_without_a_length_gets_an_answer_that_can_be_read() {
    let server = Server::start(&[]);
    let chunk = [b"1000\r\n".as_slice(), &[b' '; 0x1000], b"\r\n"].concat();
    check_too_large(&send_much(&server, "Transfer-Encoding: chunked", &chunk, 5 * 1024 * 1024));
}

#[test]
fn a_client_that_waits_for_leave_to_send_too_much_is_told_at_once() {
    let server = Server::start(&[]);
    let asked = Instant::now();
    let head = "Content-Length: 100000000\r\nExpect: 100-continue";
    check_too_large(&send_much(&server, head, b"", 0));
    assert!(asked.elapsed() < Duration::from_secs(2));
}

#[test]
fn clients_that_dawdle_do_not_hold_up_others() {
    let server = Server::start(&[]);
    let dawdlers: Vec<_> = (0..200)
        .map(|number| {
            let mut stream = TcpStream::connect(server.address()).unwrap();
            let start =
                if number % 2 == 0 { "GET /healthz HT" } else { "POST /client/v4/zones HTTP/1.1\r\nHost: x\r\n" };
            stream.write_all(start.as_bytes()).unwrap();
            stream
        })
        .collect();
    let asked = Instant::now();
    assert_eq!(server.call("GET", "/zones", None).0, 200);
    assert!(asked.elapsed() < Duration::from_secs(2));
    drop(dawdlers);
}
