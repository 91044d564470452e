//! What a simulator drives: time, luck, files, and what threads would do. Of the thread it is called
//! on, always.

pub use crate::edge::simulated::{
    Background, Disk, Due, Handle, JobId, OpenMode, due, elapsed, fill_random, fs, install_disk,
    next_deadline, own, pass, run, seed, set_wall_clock,
};
