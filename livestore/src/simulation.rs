//! The parts that a simulator drives: time, randomness, files, and the work of threads. Each thread
//! has its own.

pub use crate::edge::simulated::{
    Background, Disk, Due, Handle, JobId, OpenMode, cut_lines, due, elapsed, end, fill_random, fs,
    hang, has_ended, install_disk, listener_of, next_deadline, own, owner, pass, run, seed,
    set_line_delay, set_wall_clock,
};
