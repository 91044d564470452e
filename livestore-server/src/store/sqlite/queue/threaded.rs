use std::io;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use super::super::writer::{Job, Writer};
use crate::store::StoreError;

/// A writer on a thread of its own.
#[derive(Debug)]
pub(in super::super) struct Queue {
    jobs: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
}

impl Queue {
    pub(in super::super) fn start(mut writer: Writer) -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let run = move || {
            while let Ok(first) = queue.recv() {
                writer.turn(first, || queue.try_recv().ok());
            }
        };
        let writer = thread::Builder::new().name("livestore-writer".into()).spawn(run)?;
        Ok(Self { jobs: Some(jobs), writer: Some(writer) })
    }

    pub(in super::super) fn put(&self, job: Job) {
        match &self.jobs {
            Some(jobs) => {
                if let Err(mpsc::SendError(job)) = jobs.send(job) {
                    job.fail(&StoreError::Closed);
                }
            }
            None => job.fail(&StoreError::Closed),
        }
    }
}

/// Waits until everything that was handed over is durable and answered.
impl Drop for Queue {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has nothing more to finish.
            let _ = writer.join();
        }
    }
}
