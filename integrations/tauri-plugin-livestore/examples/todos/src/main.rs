//! The program with a window.

use tauri::Manager as _;

fn main() {
    let app = tauri::Builder::default().setup(|app| {
        let directory = app.path().app_data_dir()?;
        tauri_todos::start(app.handle(), &directory)
    });
    app.run(tauri_todos::context()).expect("the app can run");
}
