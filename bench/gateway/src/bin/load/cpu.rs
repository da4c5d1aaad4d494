//! CPU time of other processes.

use std::{fs, io, time::Duration};

/// The kernel reports times in hundredths of a second to user space on every machine (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// The time that all threads of the processes have spent, in user and in system mode.
pub(crate) fn spent(processes: &[u32]) -> io::Result<Duration> {
    processes.iter().map(|process| spent_by(*process)).sum()
}

fn spent_by(process: u32) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name, in parentheses, may hold anything; utime and stime are fields 14 and 15, and the name is the second.
    let fields = stat.rsplit_once(") ").map(|(_, fields)| fields.split(' ').skip(11).take(2));
    let ticks = fields.and_then(|fields| fields.map(|ticks| ticks.parse::<u32>().ok()).sum::<Option<u32>>());
    ticks.map(|ticks| TICK * ticks).ok_or_else(|| io::Error::other(format!("/proc/{process}/stat cannot be read")))
}
