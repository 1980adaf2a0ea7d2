//! Where the server writes its log: to a buffer, which a thread of its own writes to standard error.
//! No request waits for whoever reads the log, and many lines go out at once.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// How long the line of a request waits for others.
const DELAY: Duration = Duration::from_millis(10);
/// How long whoever logs another line waits at most until it is written.
const GRACE: Duration = Duration::from_millis(200);
/// Where these lines come from. All others are rare, and go out at once.
const REQUESTS: &str = "postly::web::request_log";
/// How much may wait, in bytes. When whoever reads the log is that far behind, lines are lost.
const MAX_WAITING: usize = 4 * 1024 * 1024;
/// How long the end of the process waits for its last lines to be read.
const PATIENCE: Duration = Duration::from_secs(2);

/// Lines that wait to be written. Cheap to clone.
#[derive(Clone)]
pub struct LogWriter(Arc<Shared>);

/// Writes what is still waiting when it is dropped.
pub struct LogGuard(LogWriter);

struct Shared {
    queue: Mutex<Queue>,
    /// There is a line, an urgent one, or the end.
    changed: Condvar,
    /// Something was written.
    written: Condvar,
}

#[derive(Default)]
struct Queue {
    lines: Vec<u8>,
    /// How many bytes were ever put here, and how many of them have been written.
    accepted: u64,
    written: u64,
    lost: u64,
    is_urgent: bool,
    is_ending: bool,
    is_finished: bool,
}

/// Writes the lines of a log to `target`, in a thread.
///
/// # Errors
/// When there can be no more threads.
pub fn start(target: impl Write + Send + 'static) -> io::Result<(LogWriter, LogGuard)> {
    let shared =
        Shared { queue: Mutex::default(), changed: Condvar::new(), written: Condvar::new() };
    let writer = LogWriter(Arc::new(shared));
    let writing = writer.clone();
    thread::Builder::new().name("log".to_owned()).spawn(move || writing.0.write_to(target))?;
    Ok((writer.clone(), LogGuard(writer)))
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_to(&self, mut target: impl Write) {
        let mut lines = Vec::new();
        loop {
            let queue = self.queue();
            let is_idle = |queue: &mut Queue| queue.lines.is_empty() && !queue.is_ending;
            let queue =
                self.changed.wait_while(queue, is_idle).unwrap_or_else(PoisonError::into_inner);
            let may_wait = |queue: &mut Queue| !queue.is_urgent && !queue.is_ending;
            let (mut queue, _) = self
                .changed
                .wait_timeout_while(queue, DELAY, may_wait)
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut queue.lines, &mut lines);
            let lost = std::mem::take(&mut queue.lost);
            let accepted = queue.accepted;
            queue.is_urgent = false;
            let is_ending = queue.is_ending;
            drop(queue);
            // Nobody can be told that the log cannot be written.
            let _ = target.write_all(&lines);
            if lost > 0 {
                let _ =
                    writeln!(target, "{lost} lines of the log were lost: it is read too slowly");
            }
            let _ = target.flush();
            lines.clear();
            // One flood of lines does not keep its memory for ever.
            lines.shrink_to(256 * 1024);
            let mut queue = self.queue();
            queue.written = accepted;
            queue.is_finished = is_ending;
            drop(queue);
            self.written.notify_all();
            if is_ending {
                return;
            }
        }
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        let shared = &self.0.0;
        let mut queue = shared.queue();
        queue.is_ending = true;
        shared.changed.notify_all();
        let _ = shared.written.wait_timeout_while(queue, PATIENCE, |queue| !queue.is_finished);
    }
}

/// One line.
pub struct Line<'a> {
    shared: &'a Shared,
    is_urgent: bool,
}

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut queue = self.shared.queue();
        if queue.lines.len() + line.len() > MAX_WAITING {
            queue.lost += 1;
            return Ok(line.len());
        }
        let is_first = queue.lines.is_empty();
        queue.lines.extend_from_slice(line);
        queue.accepted += line.len() as u64;
        queue.is_urgent |= self.is_urgent;
        // Otherwise it is about to wake up anyway.
        if is_first || self.is_urgent {
            self.shared.changed.notify_one();
        }
        if self.is_urgent {
            // What is done next may be seen earlier than the line about it.
            let own = queue.accepted;
            let is_waiting = |queue: &mut Queue| queue.written < own && !queue.is_finished;
            let _ = self.shared.written.wait_timeout_while(queue, GRACE, is_waiting);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { shared: &self.0, is_urgent: false }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Line<'a> {
        let is_request = metadata.target() == REQUESTS && *metadata.level() == Level::INFO;
        Line { shared: &self.0, is_urgent: !is_request }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Passes on what is written, if anybody receives it.
    struct Target(mpsc::SyncSender<Vec<u8>>);

    impl Write for Target {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_last_lines_are_written_in_order_before_the_end() {
        let (sender, receiver) = mpsc::sync_channel(100_000);
        let (writer, guard) = start(Target(sender)).unwrap();
        for number in 0..10_000 {
            writeln!(writer.make_writer(), "{number}").unwrap();
        }
        drop(guard);
        let written: Vec<u8> = receiver.try_iter().flatten().collect();
        let written = String::from_utf8(written).unwrap();
        assert!(written.lines().map(|line| line.parse::<u32>().unwrap()).eq(0..10_000));
    }

    #[test]
    fn what_is_no_request_is_written_when_it_is_logged() {
        let (sender, receiver) = mpsc::sync_channel(10);
        let (writer, _guard) = start(Target(sender)).unwrap();
        let mut line = Line { shared: &writer.0, is_urgent: true };
        line.write_all(b"the database is gone\n").unwrap();
        assert_eq!(receiver.try_recv().unwrap(), b"the database is gone\n");
    }

    #[test]
    fn nobody_waits_for_a_reader_who_has_stopped() {
        let (sender, receiver) = mpsc::sync_channel(0);
        let (writer, guard) = start(Target(sender)).unwrap();
        let line = format!("{}\n", "x".repeat(999));
        for _ in 0..20_000 {
            writer.make_writer().write_all(line.as_bytes()).unwrap();
        }
        let read = thread::spawn(move || receiver.into_iter().flatten().collect::<Vec<u8>>());
        drop(guard);
        drop(writer);
        let read = String::from_utf8(read.join().unwrap()).unwrap();
        let kept = read.lines().filter(|read| read.len() == 999).count();
        let told = read.lines().filter_map(|line| {
            line.strip_suffix(" lines of the log were lost: it is read too slowly")
        });
        let lost: usize = told.map(|count| count.parse::<usize>().unwrap()).sum();
        assert!(kept >= MAX_WAITING / 1_000 - 1 && lost > 0, "{kept} kept, {lost} lost");
        assert_eq!(kept + lost, 20_000);
    }
}
