//! The loop: which request goes out when, on which connection, and how long each took.

use std::{
    collections::VecDeque,
    io,
    iter::Cycle,
    os::fd::OwnedFd,
    slice::Iter,
    time::{Duration, Instant},
};

use rustix::{
    buffer::spare_capacity,
    event::{Timespec, epoll},
};

use crate::{
    connection::{Connection, Connector},
    cpu,
};

/// What to send.
pub(crate) struct Load<'a> {
    pub(crate) requests: &'a [Vec<u8>],
    /// Requests a second; 0 for as many as will go.
    pub(crate) rate: f64,
    /// Requests answered in this time do not count.
    pub(crate) warm_up: Duration,
    pub(crate) duration: Duration,
    /// Processes whose CPU time counts.
    pub(crate) processes: &'a [u32],
}

/// What came of it, between the end of the warm-up and the end.
pub(crate) struct Outcome {
    /// In ascending order, one for each answer.
    pub(crate) latencies: Vec<Duration>,
    pub(crate) elapsed: Duration,
    pub(crate) cpu: Duration,
}

impl Outcome {
    pub(crate) fn quantile_us(&self, quantile: f64) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an index"
        )]
        let index = (self.latencies.len() as f64 * quantile) as usize;
        self.latencies.get(index).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e6)
    }
}

impl Load<'_> {
    pub(crate) fn run(&self, connector: &Connector, connections: usize) -> io::Result<Outcome> {
        let mut sending = Sending::new(self, connector, connections)?;
        sending.until(self.warm_up)?;
        sending.latencies.clear();
        let (began, cpu_before) = (Instant::now(), cpu::spent(self.processes)?);
        sending.until(self.warm_up + self.duration)?;
        let (elapsed, cpu_after) = (began.elapsed(), cpu::spent(self.processes)?);
        let mut latencies = sending.latencies;
        latencies.sort_unstable();
        Ok(Outcome { latencies, elapsed, cpu: cpu_after.saturating_sub(cpu_before) })
    }
}

struct Sending<'a> {
    requests: Cycle<Iter<'a, Vec<u8>>>,
    connections: Vec<Kept>,
    /// Connections without a request, the one that waits longest first.
    free: VecDeque<usize>,
    schedule: Schedule,
    events: OwnedFd,
    latencies: Vec<Duration>,
}

struct Kept {
    connection: Connection,
    /// When its request should have gone out.
    due: Instant,
}

impl<'a> Sending<'a> {
    fn new(load: &Load<'a>, connector: &Connector, count: usize) -> io::Result<Self> {
        let events = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let mut connections = Vec::with_capacity(count);
        for number in 0..count {
            let connection = connector.connect()?;
            epoll::add(&events, &connection, epoll::EventData::new_u64(number as u64), epoll::EventFlags::IN)?;
            connections.push(Kept { connection, due: Instant::now() });
        }
        Ok(Self {
            requests: load.requests.iter().cycle(),
            connections,
            free: (0..count).collect(),
            schedule: Schedule::new(load.rate),
            events,
            latencies: Vec::with_capacity(1 << 20),
        })
    }

    /// Sends and receives until so long after the start.
    fn until(&mut self, end: Duration) -> io::Result<()> {
        let end = self.schedule.began + end;
        let mut ready = Vec::with_capacity(1024);
        loop {
            let now = Instant::now();
            if now >= end {
                return Ok(());
            }
            self.send_due(now)?;
            let wait = self.schedule.next().filter(|_| !self.free.is_empty()).map_or(end, |due| due.min(end));
            let wait = wait.saturating_duration_since(Instant::now());
            let wait = Timespec::try_from(wait).map_err(io::Error::other)?;
            epoll::wait(&self.events, spare_capacity(&mut ready), Some(&wait))?;
            for event in ready.drain(..) {
                let number = usize::try_from(event.data.u64()).map_err(io::Error::other)?;
                self.receive(number)?;
            }
        }
    }

    fn send_due(&mut self, now: Instant) -> io::Result<()> {
        while let Some(number) = self.free.front().copied()
            && let Some(due) = self.schedule.take(now)
        {
            self.free.pop_front();
            let kept = &mut self.connections[number];
            kept.due = due;
            kept.connection.send(self.requests.next().expect("a cycle has no end"))?;
        }
        Ok(())
    }

    fn receive(&mut self, number: usize) -> io::Result<()> {
        let kept = &mut self.connections[number];
        if kept.connection.receive()? {
            self.latencies.push(kept.due.elapsed());
            self.free.push_back(number);
        }
        Ok(())
    }
}

/// When requests are due.
struct Schedule {
    began: Instant,
    /// Between one and the next; none where one is always due.
    gap: Option<Duration>,
    taken: u32,
}

impl Schedule {
    fn new(rate: f64) -> Self {
        Self { began: Instant::now(), gap: (rate > 0.0).then(|| Duration::from_secs_f64(rate.recip())), taken: 0 }
    }

    /// When the next one is due.
    fn next(&self) -> Option<Instant> {
        self.gap.map(|gap| self.began + gap * self.taken)
    }

    /// Takes the next one if it is due.
    fn take(&mut self, now: Instant) -> Option<Instant> {
        let Some(due) = self.next() else { return Some(now) };
        (due <= now).then(|| {
            self.taken += 1;
            due
        })
    }
}
