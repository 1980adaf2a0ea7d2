//! What a server and its children use, from /proc.

use std::path::Path;

/// Ticks of a second in /proc, the same on every Linux machine of today.
const TICKS: f64 = 100.0;

#[derive(Clone, Copy, Default)]
pub struct Usage {
    /// Seconds of CPU time.
    pub cpu: f64,
    /// Resident megabytes.
    pub memory: f64,
}

impl Usage {
    /// Of a process and all below it.
    pub fn of(pid: u32) -> Usage {
        let all: Vec<(u32, u32)> = std::fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter_map(|pid| Some((pid, parent(pid)?)))
            .collect();
        let mut family = vec![pid];
        let mut next = 0;
        while let Some(&one) = family.get(next) {
            family.extend(all.iter().filter(|(_, parent)| *parent == one).map(|(child, _)| child));
            next += 1;
        }
        family.into_iter().filter_map(of_one).fold(Usage::default(), |sum, one| Usage {
            cpu: sum.cpu + one.cpu,
            memory: sum.memory + one.memory,
        })
    }
}

/// The fields of `stat` after the name, which may contain anything.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text =
        std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).ok()?;
    Some(text.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}

fn parent(pid: u32) -> Option<u32> {
    stat(pid)?.get(1)?.parse().ok()
}

fn of_one(pid: u32) -> Option<Usage> {
    let fields = stat(pid)?;
    let ticks = |place: usize| fields.get(place)?.parse::<f64>().ok();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = resident
        .and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok())
        .unwrap_or_default();
    Some(Usage { cpu: (ticks(11)? + ticks(12)?) / TICKS, memory: kilobytes * 1024.0 / 1e6 })
}
