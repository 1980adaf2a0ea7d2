//! Crashes, full disks, backups, restarts and proxies, with the real binary.

mod backup;
mod balancing;
mod counts;
mod faults;
mod feed_plans;
mod file;
mod full_disk;
mod group_commit;
mod kill;
mod kill_writing;
pub mod meter;
pub mod plans;
mod proxy;
mod restore;
mod retries;
mod rolling;
mod series_plans;
mod shared_cache;
mod start;
mod stop;
mod waiting;
mod writers;
