//! HTTP/1 messages read from raw bytes so strictly that a gateway's slip shows: one framing, one host, nothing between.

/// A message that is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) line: String,
    pub(crate) fields: Vec<(String, String)>,
    /// Without the lines of its chunks.
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, String)>,
}

impl Message {
    /// Reads the request at the front of `bytes`, and says how long it is; none while it is incomplete. Panics where
    /// two readers could read two things.
    pub(crate) fn request(bytes: &[u8]) -> Option<(Self, usize)> {
        let (message, length) = Self::answer(bytes)?;
        let count = |name| message.values(name).len();
        assert_eq!(count("host"), 1, "a request has one host: {message:?}");
        assert!(count("content-length") + count("transfer-encoding") <= 1, "a request has one framing: {message:?}");
        Some((message, length))
    }

    /// Reads the answer at the front of `bytes`; one whose length nothing says has no body.
    pub(crate) fn answer(bytes: &[u8]) -> Option<(Self, usize)> {
        let end = super::find(bytes, b"\r\n\r\n")?;
        let mut lines = lines(&bytes[..end]);
        let line = lines.remove(0);
        let fields = lines.iter().map(|line| field(line)).collect();
        let mut message = Self { line, fields, body: Vec::new(), trailers: Vec::new() };
        let body_bytes = message.read_body(&bytes[end + 4..])?;
        Some((message, end + 4 + body_bytes))
    }

    /// Reads answers as long as there are complete ones, the interim ones among them.
    pub(crate) fn answers(mut bytes: &[u8]) -> Vec<Self> {
        let mut answers = Vec::new();
        while let Some((answer, length)) = Self::answer(bytes) {
            answers.push(answer);
            bytes = &bytes[length..];
        }
        answers
    }

    /// The status of an answer.
    pub(crate) fn status(&self) -> u16 {
        super::status(&self.line)
    }

    /// The values of a field, which is named in lower case.
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn read_body(&mut self, bytes: &[u8]) -> Option<usize> {
        match self.values("transfer-encoding").as_slice() {
            [] => {
                let length = self.values("content-length").first().map_or(0, |length| length.parse().unwrap());
                self.body = bytes.get(..length)?.to_vec();
                Some(length)
            }
            ["chunked"] => self.read_chunks(bytes),
            codings => panic!("unknown codings {codings:?}"),
        }
    }

    fn read_chunks(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            let line = super::find(&bytes[at..], b"\r\n")?;
            let size = std::str::from_utf8(&bytes[at..at + line]).unwrap();
            let size = usize::from_str_radix(size, 16).unwrap_or_else(|_| panic!("chunk size {size:?}"));
            at += line + 2;
            if size == 0 {
                break;
            }
            self.body.extend_from_slice(bytes.get(at..at + size)?);
            assert_eq!(bytes.get(at + size..at + size + 2)?, b"\r\n", "a chunk ends where its size says");
            at += size + 2;
        }
        if bytes.get(at..at + 2)? == b"\r\n" {
            return Some(at + 2);
        }
        let end = super::find(&bytes[at..], b"\r\n\r\n")?;
        self.trailers = lines(&bytes[at..at + end]).iter().map(|line| field(line)).collect();
        Some(at + end + 4)
    }
}

fn lines(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<String> = text.split("\r\n").map(str::to_owned).collect();
    for line in &lines {
        assert!(!line.chars().any(|char| char.is_control() && char != '\t'), "controls in {line:?}");
    }
    lines
}

fn field(line: &str) -> (String, String) {
    let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("no field: {line:?}"));
    assert_eq!(name.trim(), name, "{line:?}");
    (name.to_ascii_lowercase(), value.trim().to_owned())
}
