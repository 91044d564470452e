//! Makes the permissions of the commands.

const COMMANDS: &[&str] = &["begin_page", "commit", "end", "live", "query", "set_document"];

fn main() {
    tauri_plugin::Builder::new(COMMANDS).build();
}
