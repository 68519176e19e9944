use std::collections::{BTreeMap, BTreeSet};

use super::{manifest::DumpFacts, *};
use crate::clock::Timestamp;

fn facts(bytes: u64) -> DumpFacts {
    let text = format!(
        r#"{{"server_version":"17.1","tool_version":"17.1","rows":{{"public.orders":3}},"files":[{{"name":"a.dump","bytes":{bytes},"sha256":"00"}}]}}"#
    );
    serde_json::from_str(&text).unwrap()
}

fn manifest(id: &str, proven: bool) -> Manifest {
    let made = facts(4096).into_manifest(id.into(), Timestamp::default(), None);
    let mut manifest = made.unwrap();
    manifest.proven = proven.then(Timestamp::default);
    manifest
}

#[test]
fn a_dump_of_twenty_bytes_is_no_backup() {
    let refused = facts(20).into_manifest("a".into(), Timestamp::default(), None);
    let problem = refused.unwrap_err().problem();
    assert_eq!(problem.code, "backup_empty");
}

#[test]
fn what_was_restored_must_be_equal_in_rows_and_content() {
    let manifest = manifest("a", false);
    let proof = |rows: &str, sum: &str| -> Proof {
        let files = format!(r#"[{{"name":"a.dump","bytes":4096,"sha256":"{sum}"}}]"#);
        serde_json::from_str(&format!(r#"{{"rows":{rows},"files":{files}}}"#)).unwrap()
    };
    let told = |rows, sum| manifest.differences(&proof(rows, sum));
    assert_eq!(told(r#"{"public.orders":3}"#, "00"), [""; 0]);
    assert_eq!(
        told(r#"{"public.orders":2}"#, "00"),
        ["public.orders: 3 rows then, 2 rows now"]
    );
    assert_eq!(
        told("{}", "00"),
        ["public.orders: 3 rows then, no such table now"]
    );
    assert_eq!(
        told(r#"{"public.orders":3}"#, "01"),
        ["a.dump is not what was written"]
    );
}

#[test]
fn the_newest_are_kept_and_those_that_are_needed() {
    let all: Vec<Manifest> = ["1", "2", "3", "4", "5"]
        .map(|id| manifest(id, id == "2"))
        .into();
    let needed = BTreeSet::from(["1".to_owned()]);
    assert_eq!(doomed(&all, 2, &needed), ["3"]);
    assert_eq!(doomed(&all, 2, &BTreeSet::new()), ["1", "3"]);
    assert_eq!(doomed(&all, 9, &BTreeSet::new()), [""; 0]);
    // Nothing kept at all is nobody's wish.
    assert_eq!(doomed(&all, 0, &needed), ["3", "4"]);
}

#[test]
fn a_restore_is_compared_with_what_is_live() {
    let live = BTreeMap::from([
        ("public.orders".to_owned(), 5),
        ("public.new".to_owned(), 1),
    ]);
    assert_eq!(
        manifest("a", true).compared_with(&live),
        [
            "public.new: no such table then, 1 rows now",
            "public.orders: 3 rows then, 5 rows now"
        ]
    );
}

#[test]
fn what_a_command_says_is_its_last_line() {
    let said: BTreeMap<String, u64> = last_line("noise\n{\"a\":1}\n\n", "x").unwrap();
    assert_eq!(said["a"], 1);
    assert!(last_line::<BTreeMap<String, u64>>("noise\n", "x").is_err());
}
