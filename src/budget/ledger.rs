//! The ledger of privacy: what populations were granted, what was spent on them, and whether a charge can be afforded.
//!
//! Entries form one chain over all populations: each holds the SHA-256 of itself and of the one before, so an entry that was edited, deleted or
//! moved shows. The `previous` of the first entry is the id of the ledger, 32 random bytes. Nothing is ever given back: a later grant changes
//! the limits and forgets no spending.
//!
//! A charge is affordable when the total with it is: every part pure and their sum within the granted epsilon, or its rho within that epsilon at
//! what is left of the granted delta (`Charge::epsilon_within`). The choice between the two may depend on what was released: where rho is
//! beyond its bound every part is pure, so the privacy loss is at most epsilon; elsewhere the bound on rho holds (the filter of zCDP).

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::accounting::{UNITS_MAX, rho_of, rho_of_pure, units_up, written};
use super::{Allocation, Charge, UNITS};

/// What may be spent on a population, in units of 10^-12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Grant {
    pub epsilon: u64,
    pub delta: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
}

/// What may be spent within so many days, at the delta of the grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Window {
    pub days: u32,
    pub epsilon: u64,
}

impl Grant {
    /// What is wrong with it.
    pub fn fault(&self) -> Option<&'static str> {
        let epsilons = [Some(self.epsilon), self.window.map(|window| window.epsilon)];
        match () {
            () if epsilons.iter().flatten().any(|epsilon| *epsilon == 0) => Some("epsilon must be more than 0"),
            () if epsilons.iter().flatten().any(|epsilon| *epsilon > UNITS_MAX) => Some("epsilon is too large to keep"),
            () if self.delta >= UNITS => Some("delta must be less than 1"),
            () if self.window.is_some_and(|window| window.days == 0) => Some("a window has at least 1 day"),
            () => None,
        }
    }
}

/// What an entry records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// New limits of a population.
    Grant,
    /// Paid before anything was drawn.
    Charge,
    /// Spending that the ledger lost.
    Restore,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Kind::Grant => "grant",
            Kind::Charge => "charge",
            Kind::Restore => "restore",
        }
    }
}

/// Where a ledger ends: the number and the hash of its last entry. Written `SEQUENCE:HASH`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Head {
    pub sequence: u64,
    pub hash: String,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}:{}", self.sequence, self.hash)
    }
}

impl FromStr for Head {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Head, &'static str> {
        const FORM: &str = "a head is SEQUENCE:HASH, the hash 64 digits of 0-9 and a-f";
        let (sequence, hash) = text.split_once(':').ok_or(FORM)?;
        let hexadecimal = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        let sequence = sequence.parse().ok().filter(|sequence| *sequence > 0).ok_or(FORM)?;
        if hash.len() != 64 || !hash.bytes().all(hexadecimal) {
            return Err(FORM);
        }
        Ok(Head { sequence, hash: hash.into() })
    }
}

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Entry {
    /// 1, 2, 3.
    pub sequence: u64,
    pub population: String,
    pub kind: Kind,
    pub at: Timestamp,
    /// The pipeline that was charged; empty for other entries.
    pub pipeline: String,
    /// What the charge pays for.
    pub what: Vec<Allocation>,
    /// Why spending was restored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The latest head that is known of the entries that were lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Head>,
    pub charge: Charge,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant>,
    pub previous: String,
    pub hash: String,
}

impl Entry {
    pub fn head(&self) -> Head {
        Head { sequence: self.sequence, hash: self.hash.clone() }
    }

    /// SHA-256 over all fields but the hash itself, in the order of the struct: a text as its length in bytes (8, little-endian) and itself, a
    /// number as 8 bytes, what may be absent after a byte 0 or 1.
    pub fn digest(&self) -> String {
        let mut sha = Sha256::new();
        let text = |sha: &mut Sha256, text: &str| {
            sha.update((text.len() as u64).to_le_bytes());
            sha.update(text);
        };
        let number = |sha: &mut Sha256, number: Option<u64>| {
            sha.update([u8::from(number.is_some())]);
            sha.update(number.unwrap_or(0).to_le_bytes());
        };
        text(&mut sha, "evenhand ledger 1");
        number(&mut sha, Some(self.sequence));
        for field in [&self.population, self.kind.word(), &self.at.to_string(), &self.pipeline, &self.what_json()] {
            text(&mut sha, field);
        }
        for field in [self.reason.clone(), self.lost.as_ref().map(Head::to_string)] {
            number(&mut sha, field.as_ref().map(|_| 0));
            text(&mut sha, &field.unwrap_or_default());
        }
        let window = self.grant.and_then(|grant| grant.window);
        let Charge { rho, delta, epsilon } = self.charge;
        let (grant_epsilon, grant_delta) = (self.grant.map(|grant| grant.epsilon), self.grant.map(|grant| grant.delta));
        let (days, limit) = (window.map(|window| u64::from(window.days)), window.map(|window| window.epsilon));
        for field in [Some(rho), Some(delta), epsilon, grant_epsilon, grant_delta, days, limit] {
            number(&mut sha, field);
        }
        text(&mut sha, &self.previous);
        sha.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The parts as they are kept. A part always has a JSON form.
    pub fn what_json(&self) -> String {
        serde_json::to_string(&self.what).unwrap_or_default()
    }
}

/// The first place where a chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    pub sequence: u64,
    pub why: &'static str,
}

/// Checks every link: numbers without gaps, every hash recomputed.
pub fn chain(entries: &[Entry]) -> Result<(), Broken> {
    let mut previous = entries.first().map(|first| first.previous.as_str());
    for (sequence, entry) in (1..).zip(entries) {
        let why = match () {
            () if entry.sequence != sequence => "an entry is missing before it, or it was moved",
            () if previous != Some(entry.previous.as_str()) => "it does not follow the entry before it",
            () if entry.hash != entry.digest() => "it was changed after it was written",
            () => {
                previous = Some(&entry.hash);
                continue;
            }
        };
        return Err(Broken { sequence, why });
    }
    Ok(())
}

/// Whether a head that is known from elsewhere belongs to the chain: an entry of it, or lost and marked as spent by a later restore.
pub fn knows(entries: &[Entry], head: &Head) -> bool {
    let index = usize::try_from(head.sequence.saturating_sub(1)).unwrap_or(usize::MAX);
    let is_entry = entries.get(index).is_some_and(|entry| entry.head() == *head);
    let marked = |entry: &Entry| {
        entry.lost.as_ref().is_some_and(|lost| lost == head || (entry.sequence..lost.sequence).contains(&head.sequence))
    };
    is_entry || entries.iter().any(marked)
}

/// What is missing from a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Nothing: the ledger was moved.
    Nothing,
    Cost(Charge),
    /// Not known: as much as the whole grant, as it stands in the ledger. Where a larger grant was lost too, the cost must be said.
    Grant,
}

impl Missing {
    /// The cost to be marked as spent. The whole grant stands for every way it may have been spent: its epsilon pure, or all the rho that its
    /// epsilon and delta allow. None when that needs a grant and there is none.
    pub fn cost(self, grant: Option<Grant>) -> Option<Charge> {
        let cost = match self {
            Missing::Nothing => Charge::FREE,
            Missing::Cost(charge) => charge,
            Missing::Grant => {
                let Grant { epsilon, delta, .. } = grant?;
                let pure = Charge::pure(epsilon);
                let (e, d) = (super::accounting::amount(epsilon), super::accounting::amount(delta));
                // Between what is charged and what is granted lie two roundings.
                let rho = units_up(rho_of(e, d).max(rho_of_pure(e)) * (1.0 + 1e-12)).unwrap_or(UNITS_MAX);
                Charge { rho: rho.max(pure.rho).min(UNITS_MAX), delta, epsilon: pure.epsilon.filter(|_| delta == 0) }
            }
        };
        Some(cost)
    }
}

/// What was spent of a limit, and what more it allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Spent {
    pub cost: Charge,
    /// The epsilon of that cost at the granted delta, rounded up. None when it has none.
    pub epsilon: Option<u64>,
    /// The granted epsilon.
    pub limit: u64,
    pub left: Left,
}

/// The largest single charge of each kind that can be afforded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Left {
    /// One with Laplace noise, epsilon in units.
    pub epsilon: u64,
    /// One with Gaussian noise, rho in units.
    pub rho: u64,
    /// What is left of delta.
    pub delta: u64,
}

/// How a population stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Balance {
    pub population: String,
    pub at: Timestamp,
    pub grant: Grant,
    /// Charges and restores.
    pub entries: u64,
    pub lifetime: Spent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Spent>,
    /// When the oldest spending leaves the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renews: Option<Timestamp>,
}

/// A charge that is not made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Refusal {
    pub population: String,
    pub asked: Charge,
    /// The days of the window that is used up; the lifetime is when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    pub spent: Spent,
    /// When the window allows the charge; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renews: Option<Timestamp>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Refusal { population, asked, days, spent, renews } = self;
        let asked = match asked.epsilon {
            Some(epsilon) => format!("epsilon {} (rho {})", written(epsilon), written(asked.rho)),
            None => format!("rho {}", written(asked.rho)),
        };
        let scope = days.map_or("in all".to_string(), |days| format!("within {days} days"));
        let Left { epsilon, rho, delta } = spent.left;
        write!(
            f,
            "the budget of {population} does not allow {asked}: of epsilon {} {scope}, a single release of epsilon {} or of rho {} is left (delta {})",
            written(spent.limit),
            written(epsilon),
            written(rho),
            written(delta)
        )?;
        match (renews, days) {
            (Some(at), _) => write!(f, "; the window allows it from {at} on"),
            (None, Some(_)) => write!(f, "; the window never allows as much: ask for less"),
            (None, None) => write!(f, "; it does not renew: ask for less, or grant more (evenhand budget grant)"),
        }
    }
}

/// The entries of one population: the limits in force, and what was spent.
pub struct Account<'a> {
    population: &'a str,
    pub grant: Option<Grant>,
    spending: Vec<&'a Entry>,
}

impl<'a> Account<'a> {
    pub fn of(entries: &'a [Entry], population: &'a str) -> Account<'a> {
        let own = || entries.iter().filter(move |entry| entry.population == population);
        Account {
            population,
            grant: own().filter_map(|entry| entry.grant).next_back(),
            spending: own().filter(|entry| entry.kind != Kind::Grant).collect(),
        }
    }

    /// Whether a charge can be made under a grant; the lifetime is looked at first.
    pub fn admit(&self, grant: Grant, asked: Charge, at: Timestamp) -> Result<(), Box<Refusal>> {
        let refusal = |days, spent, renews| {
            Err(Box::new(Refusal { population: self.population.into(), asked, days, spent, renews }))
        };
        let lifetime = total(&self.spending);
        if !affordable(lifetime.plus(asked), grant.epsilon, grant.delta) {
            return refusal(None, spent(lifetime, grant.epsilon, grant.delta), None);
        }
        let Some(window) = grant.window else { return Ok(()) };
        let recent = self.within(window, at);
        let within = total(&recent);
        if !affordable(within.plus(asked), window.epsilon, grant.delta) {
            let spent = spent(within, window.epsilon, grant.delta);
            return refusal(Some(window.days), spent, renewal(&recent, window, grant, asked));
        }
        Ok(())
    }

    /// How the population stands under a grant.
    pub fn balance(&self, grant: Grant, at: Timestamp) -> Balance {
        let recent = grant.window.map(|window| (window, self.within(window, at)));
        let costs = |entry: &&&Entry| entry.charge != Charge::FREE;
        let oldest = recent.as_ref().and_then(|(window, recent)| Some((window, recent.iter().find(costs)?)));
        Balance {
            population: self.population.into(),
            at,
            grant,
            entries: self.spending.len() as u64,
            lifetime: spent(total(&self.spending), grant.epsilon, grant.delta),
            window: recent.as_ref().map(|(window, recent)| spent(total(recent), window.epsilon, grant.delta)),
            renews: oldest.and_then(|(window, entry)| leaves(entry, *window)),
        }
    }

    /// Spending that is less than the days of a window old.
    fn within(&self, window: Window, at: Timestamp) -> Vec<&'a Entry> {
        let young = |entry: &&&Entry| at.duration_since(entry.at) < span(window);
        self.spending.iter().filter(young).copied().collect()
    }
}

fn span(window: Window) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(window.days))
}

/// When an entry is no longer within the window.
fn leaves(entry: &Entry, window: Window) -> Option<Timestamp> {
    entry.at.checked_add(span(window)).ok()
}

/// When enough has left the window for the charge, if ever.
fn renewal(recent: &[&Entry], window: Window, grant: Grant, asked: Charge) -> Option<Timestamp> {
    (1..=recent.len()).find_map(|gone| {
        let rest = total(&recent[gone..]).plus(asked);
        affordable(rest, window.epsilon, grant.delta).then(|| leaves(recent[gone - 1], window))?
    })
}

fn total(entries: &[&Entry]) -> Charge {
    entries.iter().fold(Charge::FREE, |sum, entry| sum.plus(entry.charge))
}

fn affordable(total: Charge, epsilon: u64, delta: u64) -> bool {
    total.epsilon_within(delta).is_some_and(|cost| cost <= epsilon)
}

fn spent(cost: Charge, limit: u64, delta: u64) -> Spent {
    let most = |charge: fn(u64) -> Charge| {
        let fits = |units| affordable(cost.plus(charge(units)), limit, delta);
        // The first number of units that does not fit.
        let (mut low, mut high) = (0, UNITS_MAX);
        while low < high {
            let middle = low + (high - low) / 2;
            match fits(middle) {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        low.saturating_sub(1)
    };
    let left =
        Left { epsilon: most(Charge::pure), rho: most(Charge::concentrated), delta: delta.saturating_sub(cost.delta) };
    Spent { cost, epsilon: cost.epsilon_within(delta), limit, left }
}

#[cfg(test)]
mod tests;
