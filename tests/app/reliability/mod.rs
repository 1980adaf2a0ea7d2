//! What is still there when the machine, the disk or the operator interferes: the real binary.

mod backup;
mod full;
mod instance;
mod kill;
mod nginx;
mod proxy;
mod stop;
mod together;
mod writers;
