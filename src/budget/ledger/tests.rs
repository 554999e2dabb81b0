//! Limits hold over lifetime and windows, refusals say what is left and when it renews, every field is in the hash.

use proptest::prelude::*;

use super::*;
use crate::budget::accounting::{amount, epsilon_of};

const DAY: i64 = 86_400;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn entry(second: i64, kind: Kind, charge: Charge) -> Entry {
    Entry {
        sequence: 0,
        population: "customers".into(),
        kind,
        at: at(second),
        pipeline: "lending".into(),
        what: Vec::new(),
        reason: None,
        lost: None,
        charge,
        grant: None,
        previous: "0".repeat(64),
        hash: String::new(),
    }
}

fn granted(second: i64, grant: Grant) -> Entry {
    Entry { grant: Some(grant), ..entry(second, Kind::Grant, Charge::FREE) }
}

/// Links entries as the store does.
fn linked(mut entries: Vec<Entry>) -> Vec<Entry> {
    let mut previous = "ab".repeat(32);
    for (sequence, entry) in (1..).zip(&mut entries) {
        (entry.sequence, entry.previous) = (sequence, previous);
        entry.hash = entry.digest();
        previous = entry.hash.clone();
    }
    entries
}

const PURE: Grant = Grant { epsilon: 3 * UNITS, delta: 0, window: None };
const WINDOW: Grant = Grant { window: Some(Window { days: 30, epsilon: UNITS }), ..PURE };

fn admit(entries: &[Entry], asked: Charge, second: i64) -> Result<(), Box<Refusal>> {
    let account = Account::of(entries, "customers");
    account.admit(account.grant.unwrap(), asked, at(second))
}

#[test]
fn pure_charges_add_up_to_the_grant_exactly() {
    let third = Charge::pure(UNITS);
    let mut entries = vec![granted(0, PURE)];
    for second in 1..=3 {
        admit(&entries, third, second).unwrap();
        entries.push(entry(second, Kind::Charge, third));
    }
    let refusal = admit(&entries, Charge::pure(1), 4).unwrap_err();
    assert_eq!((refusal.spent.left.epsilon, refusal.spent.left.rho, refusal.renews), (0, 0, None));
    assert!(refusal.to_string().contains("it does not renew"), "{refusal}");
    // Another population is another account.
    assert!(Account::of(&entries, "staff").grant.is_none());
    // A charge with Gaussian noise needs a delta.
    assert!(admit(&entries[..1], Charge::concentrated(1), 4).is_err());
}

#[test]
fn what_is_said_to_be_left_can_be_spent_and_no_more() {
    for (grant, cost) in [
        (Grant { delta: 1_000_000, ..PURE }, Charge::concentrated(20_000_000_000)),
        (Grant { delta: 1_000_000, ..PURE }, Charge::pure(UNITS)),
        (Grant { delta: 1_000_000, ..PURE }, Charge { delta: 400_000, ..Charge::pure(UNITS) }),
        (PURE, Charge::pure(UNITS)),
    ] {
        let entries = [granted(0, grant), entry(1, Kind::Charge, cost)];
        let left = Account::of(&entries, "customers").balance(grant, at(2)).lifetime.left;
        assert!(left.epsilon > 0 && left.delta == grant.delta - cost.delta);
        admit(&entries, Charge::pure(left.epsilon), 2).unwrap();
        admit(&entries, Charge::pure(left.epsilon + 1), 2).unwrap_err();
        admit(&entries, Charge::concentrated(left.rho), 2).unwrap();
        // The conversion is in floating point: its last digits are worth a few units.
        admit(&entries, Charge::concentrated(left.rho + 20), 2).unwrap_err();
    }
}

#[test]
fn a_window_renews_when_enough_of_it_has_passed() {
    let cost = |units| Charge::pure(units * UNITS / 10);
    let spending = [(1, 2), (DAY, 3), (2 * DAY, 5)];
    let mut entries = vec![granted(0, WINDOW)];
    entries.extend(spending.map(|(second, tenths)| entry(second, Kind::Charge, cost(tenths))));
    let now = 3 * DAY;
    let renews = |tenths| admit(&entries, cost(tenths), now).unwrap_err().renews;
    assert_eq!(renews(1), Some(at(1 + 30 * DAY)));
    assert_eq!(renews(2), Some(at(1 + 30 * DAY)));
    assert_eq!(renews(3), Some(at(31 * DAY)));
    assert_eq!(renews(6), Some(at(32 * DAY)));
    assert_eq!(renews(11), None);
    // At that moment it is allowed, a second before it is not.
    admit(&entries, cost(3), 31 * DAY - 1).unwrap_err();
    admit(&entries, cost(3), 31 * DAY).unwrap();
    let balance = Account::of(&entries, "customers").balance(WINDOW, at(31 * DAY));
    assert_eq!(balance.window.unwrap().cost.epsilon, Some(UNITS / 2));
    assert_eq!(balance.lifetime.cost.epsilon, Some(UNITS));
    assert_eq!(balance.renews, Some(at(32 * DAY)));
    // The lifetime binds at last, and does not renew.
    let beyond = admit(&entries, cost(21), 400 * DAY).unwrap_err();
    assert_eq!((beyond.days, beyond.renews), (None, None));
    let message = admit(&entries, cost(3), now).unwrap_err().to_string();
    assert!(message.contains("within 30 days") && message.contains(&at(31 * DAY).to_string()), "{message}");
}

#[test]
fn a_later_grant_changes_limits_and_forgets_no_spending() {
    let mut entries = vec![granted(0, PURE), entry(1, Kind::Charge, Charge::pure(2 * UNITS))];
    entries.push(granted(2, Grant { epsilon: UNITS, ..PURE }));
    assert_eq!(admit(&entries, Charge::pure(1), 3).unwrap_err().spent.left.epsilon, 0);
    entries.push(granted(4, Grant { epsilon: 5 * UNITS, ..PURE }));
    admit(&entries, Charge::pure(3 * UNITS), 5).unwrap();
    admit(&entries, Charge::pure(3 * UNITS + 1), 5).unwrap_err();
}

#[test]
fn the_loss_of_a_whole_grant_leaves_nothing_however_it_was_spent() {
    for grant in [PURE, WINDOW, Grant { delta: 1_000_000, ..PURE }] {
        let lost = Missing::Grant.cost(Some(grant)).unwrap();
        let entries = [granted(0, grant), entry(1, Kind::Restore, lost)];
        admit(&entries, Charge::pure(1), 2).unwrap_err();
        admit(&entries, Charge::concentrated(1), 2).unwrap_err();
        // It is at least what any sequence of admitted charges can have cost.
        let empty = Account::of(&entries[..1], "customers").balance(grant, at(2)).lifetime.left;
        assert!(lost.rho >= empty.rho && lost.rho >= Charge::pure(grant.epsilon).rho);
        assert!(lost.rho >= Charge::pure(empty.epsilon).rho);
    }
    assert_eq!(Missing::Grant.cost(None), None);
    assert_eq!(Missing::Nothing.cost(None), Some(Charge::FREE));
}

#[test]
fn sums_beyond_every_integer_are_afforded_by_nothing() {
    let vast = Grant { epsilon: UNITS_MAX, delta: UNITS - 1, window: None };
    let huge = Charge { rho: UNITS_MAX, delta: 0, epsilon: Some(UNITS_MAX) };
    let entries =
        [granted(0, vast), entry(1, Kind::Charge, huge), entry(2, Kind::Charge, huge), entry(3, Kind::Charge, huge)];
    for asked in [huge, Charge::pure(1), Charge::concentrated(1), Charge { delta: u64::MAX, ..Charge::FREE }] {
        let refusal = admit(&entries, asked, 4).unwrap_err();
        assert_eq!((refusal.spent.left.epsilon, refusal.spent.left.rho), (0, 0));
    }
    assert!(Grant { epsilon: UNITS_MAX + 1, ..PURE }.fault().is_some());
    assert!(Grant { epsilon: 0, ..PURE }.fault().is_some());
    assert!(Grant { delta: UNITS, ..PURE }.fault().is_some());
    assert!(Grant { window: Some(Window { days: 0, epsilon: 1 }), ..PURE }.fault().is_some());
    assert_eq!(WINDOW.fault(), None);
}

#[test]
fn every_field_is_in_the_hash() {
    let part = Allocation { statistic: "t".into(), charge: Charge::pure(1) };
    let lost = Head { sequence: 7, hash: "c".repeat(64) };
    let whole = Entry {
        what: vec![part.clone()],
        reason: Some("r".into()),
        lost: Some(lost.clone()),
        grant: Some(WINDOW),
        ..entry(0, Kind::Charge, Charge { rho: 1, delta: 2, epsilon: Some(3) })
    };
    let charge = whole.charge;
    let window = |days, epsilon| Some(Grant { window: Some(Window { days, epsilon }), ..PURE });
    let changed = [
        Entry { sequence: 1, ..whole.clone() },
        Entry { population: "customer".into(), pipeline: "slending".into(), ..whole.clone() },
        Entry { population: "customers2".into(), ..whole.clone() },
        Entry { kind: Kind::Restore, ..whole.clone() },
        Entry { at: at(1), ..whole.clone() },
        Entry { pipeline: "".into(), ..whole.clone() },
        Entry { what: vec![part.clone(), part], ..whole.clone() },
        Entry { what: Vec::new(), ..whole.clone() },
        Entry { reason: None, ..whole.clone() },
        Entry { reason: Some("".into()), ..whole.clone() },
        Entry { lost: None, ..whole.clone() },
        Entry { lost: Some(Head { sequence: 8, ..lost }), ..whole.clone() },
        Entry { charge: Charge { rho: 0, ..charge }, ..whole.clone() },
        Entry { charge: Charge { delta: 0, ..charge }, ..whole.clone() },
        Entry { charge: Charge { epsilon: Some(0), ..charge }, ..whole.clone() },
        Entry { charge: Charge { epsilon: None, ..charge }, ..whole.clone() },
        Entry { grant: None, ..whole.clone() },
        Entry { grant: Some(PURE), ..whole.clone() },
        Entry { grant: Some(Grant { epsilon: 1, ..WINDOW }), ..whole.clone() },
        Entry { grant: Some(Grant { delta: 1, ..WINDOW }), ..whole.clone() },
        Entry { grant: window(31, UNITS), ..whole.clone() },
        Entry { grant: window(30, 1), ..whole.clone() },
        Entry { previous: "1".repeat(64), ..whole.clone() },
    ];
    let mut hashes: Vec<String> = changed.iter().map(Entry::digest).chain([whole.digest()]).collect();
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), changed.len() + 1);
}

#[test]
fn a_chain_without_an_entry_or_in_another_order_does_not_hold() {
    let spend = |second| entry(second, Kind::Charge, Charge::pure(1));
    let entries = linked(vec![granted(0, PURE), spend(1), spend(2), spend(3)]);
    assert_eq!(chain(&entries), Ok(()));
    assert_eq!(chain(&[]), Ok(()));
    for gone in 0..3 {
        let mut cut = entries.clone();
        cut.remove(gone);
        assert_eq!(chain(&cut).unwrap_err().sequence, gone as u64 + 1);
        let mut turned = entries.clone();
        turned.swap(gone, gone + 1);
        assert!(chain(&turned).is_err());
        // Renumbered, the links still tell.
        turned.iter_mut().zip(1..).for_each(|(entry, sequence)| entry.sequence = sequence);
        assert!(chain(&turned).is_err());
    }
    for entry in &entries {
        assert!(knows(&entries, &entry.head()));
        assert!(!knows(&entries[..entry.sequence as usize - 1], &entry.head()));
    }
    // Heads that a restore marks as lost: those from the restore on to the last known one.
    let lost = |sequence| Head { sequence, hash: "d".repeat(64) };
    let restored = linked(vec![granted(0, PURE), Entry { lost: Some(lost(9)), ..spend(1) }]);
    assert!(knows(&restored, &lost(9)) && knows(&restored, &lost(2)));
    assert!(!knows(&restored, &lost(10)) && !knows(&restored, &lost(1)));
}

#[test]
fn heads_are_read_as_they_are_written() {
    let head = Head { sequence: 12, hash: "0f".repeat(32) };
    assert_eq!(head.to_string().parse::<Head>(), Ok(head));
    for wrong in ["", "12", "12:", "x:ff", &format!("0:{}", "f".repeat(64)), &format!("1:{}", "F".repeat(64))] {
        assert!(wrong.parse::<Head>().is_err(), "{wrong}");
    }
}

/// Seconds until the charge, its units, whether it is pure, its delta.
type Asked = (i64, u64, bool, u64);

fn asked() -> impl Strategy<Value = Asked> {
    (0..5 * DAY, 1..UNITS / 4, any::<bool>(), prop_oneof![Just(0u64), 1..300_000u64])
}

/// The privacy of a set of charges, by the formulas alone.
fn claim(entries: &[&Entry], delta: u64) -> f64 {
    let sum = |of: fn(&Entry) -> u64| entries.iter().map(|entry| amount(of(entry))).sum::<f64>();
    let (rho, leaked) = (sum(|entry| entry.charge.rho), sum(|entry| entry.charge.delta));
    let rest = amount(delta) - leaked;
    let pure = match entries.iter().all(|entry| entry.charge.epsilon.is_some()) && rest >= -1e-15 {
        true => sum(|entry| entry.charge.epsilon.unwrap_or(0)),
        false => f64::INFINITY,
    };
    pure.min(epsilon_of(rho, rest))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, rng_seed: proptest::test_runner::RngSeed::Fixed(21), ..ProptestConfig::default() })]

    /// Whatever is asked for in whatever order, what was admitted never exceeds the lifetime, nor any window of so many days.
    #[test]
    fn what_is_admitted_never_exceeds_the_grant(
        charges in prop::collection::vec(asked(), 1..40),
        epsilon in UNITS / 10..4 * UNITS,
        delta in prop_oneof![Just(0u64), 1..2_000_000u64],
        window in prop::option::of((1u32..20, UNITS / 10..2 * UNITS)),
    ) {
        let grant = Grant { epsilon, delta, window: window.map(|(days, epsilon)| Window { days, epsilon }) };
        let (mut entries, mut second) = (vec![granted(0, grant)], 0);
        for (wait, units, pure, leak) in charges {
            second += wait;
            let charge = if pure { Charge::pure(units) } else { Charge::concentrated(units / 8) };
            let charge = Charge { delta: leak, ..charge };
            if admit(&entries, charge, second).is_ok() {
                entries.push(entry(second, Kind::Charge, charge));
            }
        }
        let spending: Vec<&Entry> = entries.iter().skip(1).collect();
        let within = |limit: u64, claim: f64| claim <= amount(limit) * (1.0 + 1e-9);
        prop_assert!(spending.is_empty() || within(epsilon, claim(&spending, delta)));
        if let Some((days, limit)) = window {
            for last in 0..spending.len() {
                let begin = spending[last].at.as_second() - i64::from(days) * DAY;
                let recent: Vec<&Entry> = spending[..=last].iter().filter(|entry| entry.at.as_second() > begin).copied().collect();
                prop_assert!(within(limit, claim(&recent, delta)));
            }
        }
    }
}
