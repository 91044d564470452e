use std::future::pending;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::{Feed, News};
use crate::store::{StoreError, StoredEvent, Watcher};

/// An engine that passes on the first announcement, and none that come later.
struct Fading {
    announced: watch::Sender<Vec<String>>,
}

impl Feed for Fading {
    type Key = u64;

    async fn next(&self, _: &u64, _: u64) -> Result<Vec<StoredEvent>, StoreError> {
        Ok(Vec::new())
    }

    async fn heads(&self, keys: Vec<u64>) -> Result<Vec<(u64, u64)>, StoreError> {
        Ok(keys.into_iter().map(|key| (key, 0)).collect())
    }

    async fn announce(&self, texts: Vec<String>) -> Result<(), StoreError> {
        self.announced.send_modify(|announced| announced.extend(texts));
        Ok(())
    }

    async fn listen(
        &self,
        ready: impl Fn() + Send + Sync,
        receive: impl Fn(&str) + Send + Sync,
    ) -> String {
        ready();
        let mut announced = self.announced.subscribe();
        let first = announced.wait_for(|announced| !announced.is_empty()).await;
        let first = first.ok().and_then(|announced| announced.first().cloned());
        receive(&first.unwrap_or_default());
        pending().await
    }
}

struct Nobody;

impl Watcher for Nobody {
    fn head(&self) -> u64 {
        0
    }

    fn appended(&self, _: Arc<[StoredEvent]>) {}

    fn lost(&self, _: StoreError) {}
}

/// As behind a PgBouncer, where one may arrive by chance, through a connection that another server has left.
#[tokio::test]
async fn announcements_that_arrived_once_are_not_relied_on_for_ever() {
    let feed = Arc::new(Fading { announced: watch::Sender::default() });
    let mut announced = feed.announced.subscribe();
    let news = News::start(feed);
    let watcher: Arc<dyn Watcher> = Arc::new(Nobody);
    news.watch(1, Arc::downgrade(&watcher) as Weak<dyn Watcher>);
    // Whoever relies on them makes no more than two.
    let tries = announced.wait_for(|announced| announced.len() > 4);
    assert!(timeout(Duration::from_secs(60), tries).await.is_ok_and(|tried| tried.is_ok()));
}
