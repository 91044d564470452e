//! The issue tracker in a window of the desktop: the components of the browser's app, and a store on this machine.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use dioxus::desktop::tao::dpi::LogicalSize;
use dioxus::desktop::{Config, WindowBuilder};
use dioxus::prelude::LaunchBuilder;
use livestore::store::OpenError;
use livestore::sync::SyncOptions;
use livestore::{ErrorChain, Store};
use livestore_sync::{Http, WebSocket};
use tracker::Sample;
use tracker_schema::App;

/// An issue tracker. Several windows may have one directory: each is a session of it
#[derive(Parser)]
#[command(name = "tracker", version)]
struct Cli {
    /// The directory for stores, one folder each; created if it does not exist
    #[arg(long, default_value = "./data")]
    dir: PathBuf,
    /// The store to use
    #[arg(long, value_name = "ID", default_value = "tracker")]
    store: String,
    /// The sync backend; http:// asks it every few seconds
    #[arg(long, value_name = "URL", default_value = "ws://127.0.0.1:8787")]
    sync: String,
    /// The number of issues that a sample has
    #[arg(long, default_value_t = 10_000)]
    sample: usize,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let sample = Sample(cli.sample);
    let store = match open(cli) {
        Ok(store) => store,
        Err(error) => {
            eprintln!("error: {}", ErrorChain::new(&error));
            return ExitCode::FAILURE;
        }
    };
    let window = WindowBuilder::new()
        .with_title("Tracker")
        .with_inner_size(LogicalSize::new(1_280.0, 840.0));
    let style = concat!("<style>", include_str!("../../app/tracker.css"), "</style>").to_owned();
    let config = Config::new().with_window(window).with_menu(None).with_custom_head(style);
    LaunchBuilder::desktop()
        .with_cfg(config)
        .with_context(store)
        .with_context(sample)
        .launch(tracker::app);
    ExitCode::SUCCESS
}

fn open(cli: Cli) -> Result<Store<App>, OpenError> {
    let sync = match cli.sync.starts_with("http") {
        true => SyncOptions::new(Http::new(cli.sync)),
        false => SyncOptions::new(WebSocket::new(cli.sync)),
    };
    Store::<App>::builder(cli.store).directory(cli.dir).sync(sync).open()
}
