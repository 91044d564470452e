//! The real client and the real server on a disk, a clock and a network that a seed decides.
//!
//! ```sh
//! RUSTFLAGS="--cfg simulation" cargo test -p livestore-simulation --target-dir target/simulation
//! ```
#![cfg(simulation)]

pub mod disk;
