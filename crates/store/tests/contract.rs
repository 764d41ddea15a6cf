//! One suite for every backend: memory, SQLite and PostgreSQL, each also behind a wrapper that makes commits lose
//! races they did not lose.
//!
//! PostgreSQL is tested when `VESTIBULE_TEST_POSTGRES` holds the URL of a server, on which each test makes a schema of
//! its own and drops it. Without it, those tests say that they did not run.

#![expect(clippy::unwrap_used, reason = "this whole crate is a test, its helpers too")]

#[path = "contract/backends.rs"]
mod backends;
#[path = "contract/concurrency.rs"]
mod concurrency;
#[path = "contract/faults.rs"]
mod faults;
#[path = "contract/lost_answers.rs"]
mod lost_answers;
#[path = "contract/model.rs"]
mod model;
#[path = "contract/outbox.rs"]
mod outbox;
#[path = "contract/pages.rs"]
mod pages;
#[path = "contract/records.rs"]
mod records;
#[path = "contract/units_of_work.rs"]
mod units_of_work;

/// Makes one test per backend of each function `async fn(Store)`.
macro_rules! on_every_backend {
    ($($module:ident :: $test:ident),* $(,)?) => {
        mod memory { on_every_backend!(@tests Memory, $($module::$test)*); }
        mod sqlite { on_every_backend!(@tests Sqlite, $($module::$test)*); }
        mod postgres { on_every_backend!(@tests Postgres, $($module::$test)*); }
        mod memory_with_lost_races { on_every_backend!(@tests MemoryLosingRaces, $($module::$test)*); }
        mod sqlite_with_lost_races { on_every_backend!(@tests SqliteLosingRaces, $($module::$test)*); }
        mod postgres_with_lost_races { on_every_backend!(@tests PostgresLosingRaces, $($module::$test)*); }
    };
    (@tests $backend:ident, $($module:ident :: $test:ident)*) => {
        $(
            #[test]
            fn $test() {
                crate::backends::run(crate::backends::Kind::$backend, stringify!($test), crate::$module::$test);
            }
        )*
    };
}

on_every_backend!(
    units_of_work::what_was_put_is_read_back_and_what_was_deleted_is_gone,
    units_of_work::a_unit_of_work_sees_its_own_writes_and_nobody_else_does,
    units_of_work::an_error_from_the_closure_commits_nothing,
    units_of_work::inserting_a_taken_key_is_already_exists,
    units_of_work::a_closure_that_looks_first_runs_again_instead_of_failing,
    units_of_work::a_unique_entry_is_freed_when_its_record_changes_or_goes,
    units_of_work::two_records_may_swap_unique_entries_in_one_commit,
    units_of_work::a_put_without_a_read_still_clears_the_old_entries,
    units_of_work::an_entry_is_taken_from_an_index_as_from_a_queue,
    units_of_work::a_batch_past_its_bounds_is_refused_whole,
    units_of_work::text_of_every_kind_survives,
    units_of_work::tenants_do_not_see_each_other,
    units_of_work::expired_records_are_swept_with_their_entries_and_others_stay,
    units_of_work::secrets_unseal_only_for_their_purpose_and_key,
    pages::pages_follow_each_other_in_both_orders,
    pages::a_prefix_holds_whole_segments_only,
    pages::an_index_page_lists_the_records_and_follows_changes,
    pages::a_page_over_shards_is_in_the_order_of_time,
    pages::a_forged_cursor_stays_within_the_prefix,
    concurrency::increments_at_once_are_never_lost,
    concurrency::of_many_who_insert_one_unique_entry_exactly_one_wins,
    concurrency::two_who_read_both_and_write_one_each_cannot_both_commit,
    concurrency::a_read_only_unit_of_work_sees_one_moment,
    outbox::work_is_handed_out_when_due_and_to_one_claimant,
    outbox::a_kind_is_claimed_by_itself_however_long_another_waits,
    outbox::a_lease_that_ran_out_is_taken_over_and_the_late_report_is_refused,
    outbox::work_put_off_comes_back_and_dead_work_does_not,
    outbox::claimants_at_once_never_share_an_entry,
    outbox::work_added_by_a_failed_unit_does_not_exist,
    outbox::lanes_take_turns_and_one_without_a_place_holds_up_nobody,
    outbox::lanes_whose_names_begin_alike_are_not_taken_for_each_other,
    outbox::the_rest_of_a_work_is_due_again_and_counts_once,
    model::random_work_does_what_a_plain_map_does,
);
