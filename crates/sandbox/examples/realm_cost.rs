//! Puts a realm back, or runs a 20-line Action in it first, so often and in this process, for a profiler to count the
//! instructions: two counts that differ tell what one costs, whatever else the machine does.
//!
//! `valgrind --tool=callgrind target/release/examples/realm_cost run 200`

use std::sync::Arc;

use sandbox::post_login::{Event, HANDLER, Session};
use sandbox::{CacheView, Job, Limits};

fn main() {
    let mut words = std::env::args().skip(1);
    let (what, count) = (words.next().unwrap_or_default(), words.next().and_then(|text| text.parse().ok()));
    let job = Job {
        code: Arc::from(include_str!("count_sign_ins.js")),
        handler: HANDLER.to_owned(),
        event: Event { session: Some(Session::default()), ..Event::default() }.into(),
        limits: Limits::default(),
        action_name: "Count sign-ins".to_owned(),
        cache: CacheView::default(),
        modules: Vec::new(),
    };
    for _ in 0..count.unwrap_or(1_u32) {
        if what == "run" {
            let outcome = sandbox::floor::run(&job);
            assert_eq!((outcome.failure, outcome.commands.len()), (None, 5));
        } else {
            sandbox::floor::untouched_realm();
        }
    }
}
