//! A worker and nothing else: what this crate's own tests start. The product starts `vestibule worker`.

fn main() {
    let is_node = std::env::args_os().nth(1).is_some_and(|kind| kind == "node");
    std::process::exit(if is_node { sandbox::node::node_worker_main() } else { sandbox::worker_main() });
}
