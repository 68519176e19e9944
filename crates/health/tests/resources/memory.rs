//! `system.memory`.

use std::{
    fs::{self, File},
    io::Write,
    ops::Range,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use rustix::fs::{MemfdFlags, memfd_create};
use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tria_check::{Check, CheckContext, Outcome, Phase, PublicValue, Status};
use tria_health::{Sampler, resources::MemoryCheck};

use crate::{
    again, assert_found,
    groups::{Group, number_of_our_own},
    number,
    tree::{GIB, Tree},
    verified,
};

const MIB: u64 = 1 << 20;

/// The first version's "no limit" with pages of 4 KiB and of 64 KiB.
const UNLIMITED: [&str; 2] = ["9223372036854771712", "9223372036854710272"];

async fn found(tree: &Tree) -> Outcome {
    verified(&MemoryCheck::new().below(tree.path())).await
}

fn limited_by(outcome: &Outcome) -> String {
    outcome
        .observed_value("memory_limited_by")
        .unwrap()
        .to_string()
}

fn roomy() -> Tree {
    Tree::of_machine(64 * GIB, 60 * GIB)
}

#[tokio::test]
async fn a_group_of_the_second_version_limits() {
    let table = [
        // used, idle of it, status, code, percent
        (GIB / 2, 0, Status::Pass, "ok", 50.0),
        // Pages of files that the kernel gives back are no shortage.
        (GIB, GIB / 2, Status::Pass, "ok", 50.0),
        (869 * MIB, 0, Status::Pass, "ok", 84.9),
        // What is shown is what is judged.
        (870 * MIB, 0, Status::Warn, "memory_high", 85.0),
        (990 * MIB, 0, Status::Fail, "memory_exhausted", 96.7),
        (GIB, 0, Status::Fail, "memory_exhausted", 100.0),
        (GIB + MIB, 0, Status::Fail, "memory_exhausted", 100.0),
        (0, MIB, Status::Pass, "ok", 0.0),
    ];
    for (used, idle, status, code, percent) in table {
        let tree = roomy().in_v2("/");
        let outcome = found(&tree.v2("", &GIB.to_string(), used, idle)).await;
        assert_found(&outcome, status, code);
        assert!((number(&outcome, "memory_used_percent") - percent).abs() < 0.01);
        assert_eq!(limited_by(&outcome), "cgroup_v2");
    }
}

#[tokio::test]
async fn the_first_version_is_read_as_well() {
    let group = "/docker/abc";
    let limit = GIB.to_string();
    let tree = roomy().in_v1(group, "/").v1(group, &limit, GIB, GIB / 10);
    let outcome = found(&tree).await;
    assert_found(&outcome, Status::Warn, "memory_high");
    assert_eq!(limited_by(&outcome), "cgroup_v1");
    // A container that is told its host's path, and has its own group mounted as the root.
    let tree = roomy().in_v1(group, group).v1("", &limit, GIB, GIB / 2);
    assert_found(&found(&tree).await, Status::Pass, "ok");
}

#[tokio::test]
async fn where_nothing_limits_the_machine_does() {
    let mut trees = vec![
        Tree::of_machine(8 * GIB, GIB),
        Tree::of_machine(8 * GIB, GIB)
            .in_v2("/a")
            .v2("/a", "max", GIB, 0),
    ];
    for unlimited in UNLIMITED {
        let tree = Tree::of_machine(8 * GIB, GIB).in_v1("/a", "/");
        trees.push(tree.v1("/a", unlimited, GIB, 0));
    }
    for tree in trees {
        let outcome = found(&tree).await;
        assert_found(&outcome, Status::Warn, "memory_high");
        assert_eq!(
            outcome.text().as_str(),
            "87.5 % of the memory that this process may use is taken, 1 GiB of 8 GiB are left"
        );
        assert_eq!(limited_by(&outcome), "machine");
        let remedy = outcome.decisive().get_remedy().unwrap().as_str();
        assert!(remedy.contains("machine"), "{remedy}");
    }
}

/// What is left is the least that any limit leaves, of the least that any limit allows.
#[tokio::test]
async fn the_tightest_of_nested_limits_counts() {
    let gib = |gib: u64| (gib * GIB).to_string();
    let nested = |inner: (&str, u64), outer: (&str, u64)| {
        let tree = roomy().in_v2("/pod/app");
        let tree = tree.v2("/pod/app", inner.0, inner.1, 0);
        tree.v2("/pod", outer.0, outer.1, 0).v2("", "max", 0, 0)
    };
    let table = [
        // A neighbor in the same pod has taken nearly all.
        ((&*gib(4), GIB), (&*gib(4), 4 * GIB - 100 * MIB), 97.6),
        // The outer limit is nearly reached, and still leaves more than the inner one.
        ((&*gib(1), GIB / 2), (&*gib(100), 95 * GIB), 50.0),
        (("max", GIB), (&*gib(2), GIB), 50.0),
        ((&*gib(2), GIB / 2), ("max", 60 * GIB), 25.0),
        // Larger than the machine is no limit: 4 of 64 GiB are taken there.
        (("max", 0), (&*gib(500), 0), 6.3),
    ];
    for (inner, outer, percent) in table {
        let outcome = found(&nested(inner, outer)).await;
        let used = number(&outcome, "memory_used_percent");
        assert!((used - percent).abs() < 0.01, "{inner:?} {outer:?}: {used}");
    }
}

#[tokio::test]
async fn a_machine_that_is_full_leaves_less_than_the_limit() {
    let tree = Tree::of_machine(64 * GIB, GIB / 10).in_v2("/");
    let outcome = found(&tree.v2("", &(2 * GIB).to_string(), GIB / 4, 0)).await;
    assert_found(&outcome, Status::Fail, "memory_exhausted");
    assert_eq!(limited_by(&outcome), "machine");
}

#[tokio::test]
async fn memory_high_slows_down_and_does_not_kill() {
    let tree = roomy().in_v2("/a").v2("/a", "max", GIB, 0);
    let outcome = found(&tree.file("sys/fs/cgroup/a/memory.high", &GIB.to_string())).await;
    assert_found(&outcome, Status::Warn, "memory_throttled");
    let tree = roomy().in_v2("/a").v2("/a", "max", GIB, GIB / 2);
    let outcome = found(&tree.file("sys/fs/cgroup/a/memory.high", "max\n")).await;
    assert_found(&outcome, Status::Pass, "ok");
}

#[tokio::test]
async fn kills_are_counted() {
    let limit = GIB.to_string();
    let events = "low 0\nhigh 7\nmax 9\noom 3\noom_kill 2\noom_group_kill 0\n";
    let tree = roomy().in_v2("/a").v2("/a", &limit, 0, 0);
    let outcome = found(&tree.file("sys/fs/cgroup/a/memory.events", events)).await;
    assert_eq!(outcome.observed_value("oom_kills"), Some(&2.into()));
    let control = "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n";
    let tree = roomy().in_v1("/a", "/").v1("/a", &limit, 0, 0);
    let outcome = found(&tree.file("sys/fs/cgroup/memory/a/memory.oom_control", control)).await;
    assert_eq!(outcome.observed_value("oom_kills"), Some(&5.into()));
}

#[tokio::test]
async fn the_limits_can_be_set() {
    let tree = Tree::of_machine(10 * GIB, 5 * GIB);
    let check = MemoryCheck::new().below(tree.path()).warn_at(40.0);
    assert_found(&verified(&check).await, Status::Warn, "memory_high");
    let check = check.fail_at(45.0);
    assert_found(&verified(&check).await, Status::Fail, "memory_exhausted");
}

#[tokio::test]
async fn where_the_kernel_tells_nothing_nothing_is_claimed() {
    let empty = tempfile::tempdir().unwrap();
    let outcome = verified(&MemoryCheck::new().below(empty.path())).await;
    assert_found(&outcome, Status::Unknown, "unreadable");
}

#[tokio::test]
async fn this_process_has_memory() {
    let check = MemoryCheck::new();
    assert_eq!(check.meta().name(), "system.memory");
    let outcome = verified(&check).await;
    assert_ne!(outcome.status(), Status::Unknown);
    assert!(number(&outcome, "memory_total_bytes") > 0.0);
}

#[test]
fn a_real_group_limits() {
    let Some(memory) = Group::below_our_own("memory") else {
        return again::skipped("no control group of the first version can be made here");
    };
    assert!(memory.set("memory.limit_in_bytes", 128 * MIB));
    let cpu = Group::below_our_own("cpu").filter(|cpu| {
        cpu.set("cpu.cfs_period_us", 100_000) && cpu.set("cpu.cfs_quota_us", 150_000)
    });
    let enter = match &cpu {
        Some(cpu) => format!("{} && {}", memory.enter(), cpu.enter()),
        None => memory.enter(),
    };
    let place = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    again::run(&[], &enter, "memory::in_a_group_of_128_mib", place.path());
}

#[tokio::test]
#[ignore = "run by a_real_group_limits"]
async fn in_a_group_of_128_mib() {
    let Some(place) = again::place() else { return };
    let check = MemoryCheck::new();
    let outcome = verified(&check).await;
    assert_found(&outcome, Status::Pass, "ok");
    assert_eq!(limited_by(&outcome), "cgroup_v1");
    assert_eq!(
        outcome.observed_value("memory_total_bytes"),
        Some(&PublicValue::from(128 * MIB))
    );

    // Files that were written fill the group, and are given back when somebody needs the memory.
    let files: Vec<PathBuf> = (0..5).map(|nth| place.join(nth.to_string())).collect();
    for file in &files {
        fs::write(file, vec![7; 24 << 20]).unwrap();
    }
    settled(&check, "ok", 0.0..60.0).await;
    // What is not there any more need not be given back on the way.
    for file in files {
        fs::remove_file(file).unwrap();
    }

    // Pages of a file that is in memory only are given back at once when it is closed; an
    // allocator might keep them.
    let mut held = File::from(memfd_create("ballast", MemfdFlags::empty()).unwrap());
    filled(&mut held, 90);
    settled(&check, "memory_high", 87.0..93.0).await;
    assert_found(&verified(&check).await, Status::Warn, "memory_high");
    filled(&mut held, 97);
    settled(&check, "memory_exhausted", 95.0..100.0).await;
    assert_found(&verified(&check).await, Status::Fail, "memory_exhausted");
    drop(held);
    settled(&check, "ok", 0.0..60.0).await;
    assert_found(&verified(&check).await, Status::Pass, "ok");

    sampled(&place).await;
    kills(&check).await;
}

/// Takes memory until `percent` of the group's are used.
fn filled(held: &mut File, percent: u64) {
    let mib = vec![1; 1 << 20];
    let taken = || number_of_our_own("memory", "memory.usage_in_bytes");
    while taken() < 128 * MIB * percent / 100 {
        held.write_all(&mib).unwrap();
    }
}

/// Waits until the check says `code`, and a percentage that is `within`, while nobody takes or
/// gives: a group's `memory.stat` lags behind its usage, and the two do not fit together at once.
async fn settled(check: &MemoryCheck, code: &str, within: Range<f64>) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let cx = CheckContext::new(deadline, CancellationToken::new(), Phase::Ready);
        let outcome = check.check(&cx).await;
        let used = number(&outcome, "memory_used_percent");
        if outcome.code().as_str() == code && within.contains(&used) {
            return;
        }
        assert!(Instant::now() < deadline, "{code} {within:?}: {outcome:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What a container's numbers are.
async fn sampled(place: &Path) {
    let token = CancellationToken::new();
    let sampler = Sampler::start(place, token.clone());
    let machine = loop {
        match sampler.machine() {
            Some(machine) => break serde_json::to_value(machine).unwrap(),
            None => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    assert_eq!(machine["memory"]["total_bytes"], json!(128 * MIB));
    assert_eq!(machine["limits"]["memory_bytes"], json!(128 * MIB));
    let cpu = fs::read_to_string("/proc/self/cgroup").unwrap();
    if cpu
        .lines()
        .any(|line| line.contains(":cpu") && line.contains("tria-health"))
    {
        assert_eq!(machine["limits"]["processors"], json!(1.5));
    }
    token.cancel();
    sampler.stopped().await;
}

/// Somebody else in the group takes too much, and is killed for it.
async fn kills(check: &MemoryCheck) {
    let before = number(&verified(check).await, "oom_kills");
    let killed = Command::new("sh")
        .args(["-c", "head -c 300000000 /dev/zero | tail"])
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(!killed.success());
    let after = number(&verified(check).await, "oom_kills");
    assert!(after > before, "{before} {after}");
}
