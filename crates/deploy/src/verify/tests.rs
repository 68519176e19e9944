use super::*;

#[test]
fn a_check_is_told_with_its_verdict_and_remedy() {
    let good = Checked::of("chat", Ok("answers".into()));
    assert_eq!(good.text(), "✅ chat: answers");
    let bad = Checked::of("backup", Err(("there is none".into(), "make one")));
    assert_eq!(bad.text(), "❌ backup: there is none\n   → make one");
    let not = Checked::not_asked("disk");
    assert_eq!(not.verdict, Verdict::NotAsked);
    assert!(not.text().starts_with("➖ disk: not asked"));
}
