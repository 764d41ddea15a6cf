//! Random units of work against a plain map: whatever the store does must be what the map does.

use std::collections::BTreeMap;

use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::test_runner::{Config, TestRunner};
use store::{Key, Order, Store, StoreError, Tx};

use crate::records::{Member, member};

#[derive(Debug, Clone)]
enum Step {
    Insert(Member),
    Put(Member),
    Delete(String),
    /// Read by id first, so that what follows is checked against it.
    Get(String),
    FindName(String),
}

type Model = BTreeMap<String, Member>;

/// Few values, so that they meet; among them such as would collide if keys were joined carelessly.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![Just("a"), Just("ab"), Just("a!"), Just("!"), Just(""), Just("\"b"), Just("é")]
        .prop_map(str::to_owned)
}

fn step() -> impl Strategy<Value = Step> {
    let any_member = || (word(), word(), word()).prop_map(|(id, name, group)| member(&id, &name, &group));
    prop_oneof![
        any_member().prop_map(Step::Insert),
        any_member().prop_map(Step::Put),
        word().prop_map(Step::Delete),
        word().prop_map(Step::Get),
        word().prop_map(Step::FindName),
    ]
}

fn units() -> impl Strategy<Value = Vec<Vec<Step>>> {
    proptest::collection::vec(proptest::collection::vec(step(), 1..5), 1..25)
}

/// What the unit of work does to the map; `None` if it must be refused.
///
/// An insert is refused when its key is taken as the unit sees it then; unique names are judged at the end.
fn apply(model: &Model, unit: &[Step]) -> Option<Model> {
    let mut after = model.clone();
    for step in unit {
        match step {
            Step::Insert(new) if after.contains_key(&new.id) => return None,
            Step::Insert(new) | Step::Put(new) => drop(after.insert(new.id.clone(), new.clone())),
            Step::Delete(id) => drop(after.remove(id)),
            Step::Get(_) | Step::FindName(_) => {}
        }
    }
    let names: std::collections::BTreeSet<_> = after.values().map(|member| &member.name).collect();
    (names.len() == after.len()).then_some(after)
}

async fn run_unit(store: &Store, model: &Model, unit: &[Step]) -> Result<(), StoreError> {
    store
        .transact(async |tx: &mut Tx| {
            let mut seen = model.clone();
            for step in unit {
                match step {
                    Step::Insert(new) => {
                        tx.insert(new.clone());
                        seen.insert(new.id.clone(), new.clone());
                    }
                    Step::Put(new) => {
                        tx.put(new.clone());
                        seen.insert(new.id.clone(), new.clone());
                    }
                    Step::Delete(id) => {
                        tx.delete::<Member>(&Key::of(id));
                        seen.remove(id);
                    }
                    Step::Get(id) => {
                        assert_eq!(
                            tx.get::<Member>(&Key::of(id)).await?.as_ref(),
                            seen.get(id),
                            "get {id:?}"
                        );
                    }
                    Step::FindName(name) => {
                        let found = tx.find::<Member>("name", &Key::of(name)).await?;
                        let there = seen.values().any(|member| member.name == *name);
                        assert_eq!(found.is_some(), there, "find {name:?}");
                        assert!(found.is_none_or(|found| seen.get(&found.id) == Some(&found)));
                    }
                }
            }
            Ok(())
        })
        .await
}

async fn compare(store: &Store, model: &Model) {
    let by_key = store.page::<Member>(None, &Key::all(), None, 100, Order::Ascending).await.unwrap();
    assert_eq!(
        by_key.items,
        model.values().cloned().collect::<Vec<_>>(),
        "the order of keys is that of values"
    );
    let by_name = store.page::<Member>(Some("name"), &Key::all(), None, 100, Order::Ascending).await.unwrap();
    let mut expected: Vec<Member> = model.values().cloned().collect();
    expected.sort_by(|left, right| left.name.cmp(&right.name));
    assert_eq!(by_name.items, expected);
    let by_group =
        store.page::<Member>(Some("group"), &Key::all(), None, 100, Order::Descending).await.unwrap();
    expected.sort_by(|left, right| (&right.group, &right.id).cmp(&(&left.group, &left.id)));
    assert_eq!(by_group.items, expected);
}

pub async fn random_work_does_what_a_plain_map_does(store: Store) {
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let handle = tokio::runtime::Handle::current();
    let run = |units: Vec<Vec<Step>>| {
        handle.block_on(async {
            let mut model = Model::new();
            clear(&store).await;
            for unit in &units {
                let answer = run_unit(&store, &model, unit).await;
                match apply(&model, unit) {
                    Some(after) => {
                        answer.unwrap();
                        model = after;
                    }
                    None => assert!(matches!(answer, Err(StoreError::AlreadyExists { .. })), "{answer:?}"),
                }
            }
            compare(&store, &model).await;
        });
        Ok(())
    };
    tokio::task::block_in_place(|| runner.run(&units(), run)).unwrap();
}

async fn clear(store: &Store) {
    let all = store.page::<Member>(None, &Key::all(), None, 100, Order::Ascending).await.unwrap();
    let cleared: Result<(), StoreError> = store
        .transact(async |tx: &mut Tx| {
            all.items.iter().for_each(|member| tx.delete::<Member>(&Key::of(&member.id)));
            Ok(())
        })
        .await;
    cleared.unwrap();
    for index in ["name", "group"] {
        let left = store.page::<Member>(Some(index), &Key::all(), None, 100, Order::Ascending).await.unwrap();
        assert!(left.items.is_empty() && left.next.is_none(), "entries go with their records");
    }
}
