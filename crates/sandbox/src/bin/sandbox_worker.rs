//! A worker and nothing else: what this crate's own tests start. The product starts `vestibule worker`.

fn main() {
    std::process::exit(sandbox::worker_main());
}
