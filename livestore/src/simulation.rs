//! The parts that a simulator drives: time, randomness, files, and the work of threads. Each thread
//! has its own.

pub use crate::edge::simulated::{
    Background, Disk, Due, Handle, JobId, OpenMode, due, elapsed, fill_random, fs, install_disk,
    next_deadline, own, pass, run, seed, set_wall_clock,
};
