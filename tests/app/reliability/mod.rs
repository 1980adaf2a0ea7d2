//! What survives when the machine, the disk or the operator interferes, with the real binary.

mod backup;
mod full_disk;
mod kill;
mod proxy;
mod start;
mod stop;
mod writers;
