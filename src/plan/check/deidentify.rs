//! `[deidentify]`: keys that go with a word, columns that are there, and what the declared rules forbid or demand.
//!
//! Sources: 45 CFR 164.514(b)(2) and (c); GDPR Article 4(5); GB/T 37964-2019.

use super::{Checker, Parse, Part, Severity};
use crate::plan::read_as;
use crate::plan::spec::{ColumnRule, ColumnSpec, DatePart, Deidentify, Do, Profile, ReadAs};
use crate::schema::Role;

/// Shortest alphabet and greatest shift.
const ALPHABET_MIN: usize = 2;
const DAYS_MAX: u32 = 3650;

pub(super) fn check(checker: &mut Checker, parse: Parse) {
    let Some(section) = &checker.spec.deidentify else { return };
    output(checker, section);
    super::coarsening::check(checker, section, parse);
    grouped(checker, section);
    if section.columns.values().all(|rule| rule.by == Do::Drop) {
        let message = "no column is left: the file would hold nothing";
        let remedy = "give the columns that stay do = \"keep\", or another word";
        checker.complain(
            Severity::Error,
            "nothing-left",
            &["deidentify", "columns"],
            Part::Key,
            message.into(),
            Some(remedy.into()),
        );
    }
    for (name, rule) in &section.columns {
        let path = ["deidentify", "columns", name];
        let Some(column) = checker.spec.schema.get(name) else {
            checker.unknown_column(&path, Part::Key, name);
            continue;
        };
        if column.roles.contains(&Role::Ignored) && rule.by != Do::Drop {
            let message = format!("{name} has the role ignored: nothing reads it");
            checker.complain(
                Severity::Error,
                "ignored-column",
                &path,
                Part::Key,
                message,
                Some("take the role off, or write do = \"drop\"".into()),
            );
        }
        keys(checker, name, rule);
        numbers(checker, name, rule);
        kind(checker, name, rule, column);
        if let Some(unit) = &rule.unit
            && !checker.knows(unit)
        {
            checker.unknown_column(&["deidentify", "columns", name, "unit"], Part::Value, unit);
        }
        identifier(checker, section, name, rule, column);
        randomised(checker, name, rule, column);
        match section.profile {
            Some(Profile::HipaaSafeHarbor) => hipaa(checker, name, rule, column),
            Some(Profile::GdprPseudonymisation) => gdpr(checker, name, rule),
            Some(Profile::GbT37964) => gb_t(checker, name, rule, column),
            None => {}
        }
    }
}

fn output(checker: &mut Checker, section: &Deidentify) {
    let name = &section.output;
    let plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
    if !plain || !(name.ends_with(".csv") || name.ends_with(".parquet")) {
        let message = "the output is the name of a file in the run folder, and its ending says the format";
        checker.error("bad-output", &["deidentify", "output"], message, "for example \"clinic-deid.csv\"");
    } else if ["codebook.json", "report.json", "run.json"].contains(&name.as_str()) {
        checker.error("bad-output", &["deidentify", "output"], "a run has a file of this name", "choose another");
    }
}

/// The keys of a rule that are written.
fn written(rule: &ColumnRule) -> Vec<&'static str> {
    [
        ("domain", rule.domain.is_some()),
        ("key_env", rule.key_env.is_some()),
        ("key_file", rule.key_file.is_some()),
        ("table_file", rule.table_file.is_some()),
        ("passphrase_env", rule.passphrase_env.is_some()),
        ("keep_first", rule.keep_first.is_some()),
        ("keep_last", rule.keep_last.is_some()),
        ("pattern", rule.pattern.is_some()),
        ("digits", rule.digits.is_some()),
        ("restricted", rule.restricted.is_some()),
        ("date", rule.date.is_some()),
        ("width", rule.width.is_some()),
        ("origin", rule.origin.is_some()),
        ("hierarchy", rule.hierarchy.is_some()),
        ("level", rule.level.is_some()),
        ("widths", rule.widths.is_some()),
        ("prefixes", rule.prefixes.is_some()),
        ("dates", rule.dates.is_some()),
        ("at", rule.at.is_some()),
        ("to", rule.to.is_some()),
        ("k", rule.k.is_some()),
        ("epsilon", rule.epsilon.is_some()),
        ("days_max", rule.days_max.is_some()),
        ("unit", rule.unit.is_some()),
        ("alphabet", rule.alphabet.is_some()),
    ]
    .into_iter()
    .filter_map(|(key, is_written)| is_written.then_some(key))
    .collect()
}

/// Keys a word needs (one of each list), and keys it may have.
fn belongs(by: Do) -> (&'static [&'static [&'static str]], &'static [&'static str]) {
    const KEY: &[&str] = &["key_env", "key_file"];
    match by {
        Do::Keep | Do::Drop | Do::Redact => (&[], &[]),
        Do::Mask => (&[], &["keep_first", "keep_last", "pattern"]),
        Do::Pseudonym => (&[KEY], &["domain"]),
        Do::Token => (&[&["table_file"], &["passphrase_env"]], &["domain"]),
        Do::FormatPreserving => (&[KEY, &["alphabet"]], &["domain"]),
        Do::Generalise => (&[&["digits", "date", "width", "hierarchy"]], &["restricted", "origin", "level"]),
        Do::TopCode | Do::BottomCode => (&[&["at"]], &[]),
        Do::DateShift => (&[KEY, &["days_max"], &["unit"]], &["domain"]),
        Do::Round => (&[&["to"]], &[]),
        Do::Model => (&[], STEPS),
        Do::Randomise => (&[&["epsilon"]], &["to"]),
        Do::Microaggregate => (&[&["k"]], &[]),
    }
}

/// How a model may coarsen a column; without one of them it keeps the value or hides it.
const STEPS: &[&str] = &["widths", "prefixes", "dates", "hierarchy"];

/// Keys that say something only beside another.
const BESIDE: [(&str, &str); 3] = [("restricted", "digits"), ("origin", "width"), ("level", "hierarchy")];

fn keys(checker: &mut Checker, name: &str, rule: &ColumnRule) {
    let written = written(rule);
    let (needed, allowed) = belongs(rule.by);
    let (by, path) = (rule.by.name(), ["deidentify", "columns", name]);
    let lack = |checker: &mut Checker, keys: &[&str]| {
        let message = format!("{by} needs {}", keys.join(" or "));
        let remedy = format!("write {} = ...", keys[0]);
        checker.complain(Severity::Error, "missing-parameter", &path, Part::Value, message, Some(remedy));
    };
    for one_of in needed {
        let there: Vec<&&str> = one_of.iter().filter(|key| written.contains(*key)).collect();
        match there.as_slice() {
            [] => lack(checker, one_of),
            [_] => {}
            [_, second, ..] => {
                let message = format!("{by} takes one of {}", one_of.join(", "));
                checker.error(
                    "too-many-parameters",
                    &["deidentify", "columns", name, second],
                    message,
                    "take the others out",
                );
            }
        }
    }
    if let (Do::Model, [_, second, ..]) =
        (rule.by, &written.iter().filter(|key| STEPS.contains(key)).collect::<Vec<_>>()[..])
    {
        let message = format!("{by} takes one of {}", STEPS.join(", "));
        checker.error("too-many-parameters", &["deidentify", "columns", name, second], message, "take the others out");
    }
    if rule.hierarchy.is_some() && rule.level.is_none() && rule.by == Do::Generalise {
        lack(checker, &["level"]);
    }
    for key in &written {
        let known = allowed.contains(key) || needed.iter().any(|one_of| one_of.contains(key));
        let beside = BESIDE.iter().find(|(of, _)| of == key).map(|(_, beside)| *beside);
        let alone = beside.is_some_and(|beside| !written.contains(&beside));
        let clash = rule.pattern.is_some() && matches!(*key, "keep_first" | "keep_last");
        if !known || alone || clash {
            let message = match (known, beside) {
                (true, Some(beside)) => format!("{key} says something only beside {beside}"),
                (true, None) => format!("{key} says nothing beside a pattern"),
                (false, _) => format!("{key} says nothing about {by}"),
            };
            checker.error("unused-parameter", &["deidentify", "columns", name, key], message, "take it out");
        }
    }
}

fn numbers(checker: &mut Checker, name: &str, rule: &ColumnRule) {
    let mut wrong = |key: &str, is_wrong: bool, message: &str, remedy: &str| {
        if is_wrong {
            checker.error("bad-parameter", &["deidentify", "columns", name, key], message, remedy);
        }
    };
    let positive = |x: f64| x > 0.0 && x.is_finite();
    wrong("width", rule.width.is_some_and(|x| !positive(x)), "the width is more than 0", "for example width = 10");
    wrong("origin", rule.origin.is_some_and(|x| !x.is_finite()), "the origin is a finite number", "leave it out for 0");
    wrong("to", rule.to.is_some_and(|x| !positive(x)), "numbers are rounded to multiples of more than 0", "to = 1000");
    wrong("at", rule.at.is_some_and(|x| !x.is_finite()), "the limit is a finite number", "for example at = 90");
    let days = |days: u32| !(1..=DAYS_MAX).contains(&days);
    wrong("days_max", rule.days_max.is_some_and(days), "dates move by 1 to 3650 days", "for example days_max = 180");
    wrong("level", rule.level == Some(0), "level 0 is the value itself", "write level = 1, or do = \"keep\"");
    let digits = |digits: u32| !(1..=32).contains(&digits);
    wrong("digits", rule.digits.is_some_and(digits), "1 to 32 digits can be kept", "for example digits = 3");
    let alphabet = |text: &String| {
        let characters: std::collections::BTreeSet<char> = text.chars().collect();
        characters.len() < ALPHABET_MIN || characters.len() < text.chars().count()
    };
    wrong(
        "alphabet",
        rule.alphabet.as_ref().is_some_and(alphabet),
        "an alphabet has two characters or more, none of them twice",
        "for digits write \"0123456789\"",
    );
    let pattern = |text: &String| !text.contains('*');
    wrong("pattern", rule.pattern.as_ref().is_some_and(pattern), "the pattern covers nothing", "* covers a character");
    for (key, empty) in [("domain", &rule.domain), ("key_env", &rule.key_env), ("passphrase_env", &rule.passphrase_env)]
    {
        wrong(key, empty.as_deref() == Some(""), "the name is empty", "write a name");
    }
    if let (Some(restricted), Some(digits)) = (&rule.restricted, rule.digits) {
        let fits = |of: &String| of.len() == digits as usize && of.bytes().all(|byte| byte.is_ascii_digit());
        let message = "a restricted beginning has as many digits as are kept";
        wrong("restricted", !restricted.iter().all(fits), message, "for example digits = 3, restricted = [\"036\"]");
    }
}

/// Numbers and texts are treated differently.
fn kind(checker: &mut Checker, name: &str, rule: &ColumnRule, column: &ColumnSpec) {
    if checker.spec.derive.contains_key(name) {
        return;
    }
    let needed = match rule.by {
        Do::TopCode | Do::BottomCode | Do::Round | Do::Microaggregate => ReadAs::Number,
        Do::Generalise if rule.width.is_some() => ReadAs::Number,
        Do::Model if rule.widths.is_some() => ReadAs::Number,
        Do::Model if rule.prefixes.is_some() || rule.dates.is_some() || rule.hierarchy.is_some() => ReadAs::Text,
        Do::Generalise if rule.digits.is_some() || rule.date.is_some() => ReadAs::Text,
        Do::Mask | Do::FormatPreserving | Do::DateShift => ReadAs::Text,
        _ => return,
    };
    if read_as(column) != needed {
        let (of, write) = match needed {
            ReadAs::Number => ("numbers", "number"),
            _ => ("texts", "text"),
        };
        let message = format!("{} is for {of}, and {name} is read as something else", rule.by.name());
        let remedy = format!("write as = \"{write}\" under [schema.{}]", super::quoted(name));
        checker.error("wrong-kind", &["deidentify", "columns", name, "do"], message, remedy);
    }
}

/// Groups are of one size, and no model leaves rows of them out.
fn grouped(checker: &mut Checker, section: &Deidentify) {
    let of = section.columns.iter().filter(|(_, rule)| rule.by == Do::Microaggregate);
    let of: Vec<(&String, Option<u64>)> = of.map(|(name, rule)| (name, rule.k)).collect();
    let Some((first, least)) = of.first().copied() else { return };
    for (name, k) in of {
        let path = ["deidentify", "columns", name, "k"];
        if k.is_some_and(|k| k < 2) {
            checker.error("bad-parameter", &path, "a group of one row is the row", "for example k = 5");
        } else if k.is_some() && k != least {
            let message = format!("{name} is grouped with {first}, and groups have one least size");
            checker.error("bad-parameter", &path, message, "write the same k for all columns with this word");
        }
    }
    if section.model.is_some() {
        let message = "a model can leave rows out, and groups would be smaller than k";
        let remedy = "use one of the two; for the model, widths make numbers coarser";
        checker.error("grouped-with-model", &["deidentify", "columns", first, "do"], message, remedy);
    }
}

/// Above it a warning is due: a guess from one value is right with a chance of more than 99 %.
const EPSILON_WEAK: f64 = 5.0;
const EPSILON_MAX: f64 = 40.0;

/// The domain of a randomised column is declared, and its epsilon is one.
fn randomised(checker: &mut Checker, name: &str, rule: &ColumnRule, column: &ColumnSpec) {
    if rule.by != Do::Randomise {
        return;
    }
    let path = ["deidentify", "columns", name];
    match rule.epsilon {
        Some(epsilon) if !(epsilon > 0.0 && epsilon <= EPSILON_MAX) => {
            let path = ["deidentify", "columns", name, "epsilon"];
            checker.error("bad-parameter", &path, "epsilon is more than 0 and at most 40", "for example epsilon = 1.0");
        }
        Some(epsilon) if epsilon > EPSILON_WEAK => {
            let path = ["deidentify", "columns", name, "epsilon"];
            let message = format!("at epsilon {epsilon} one written value tells nearly as much as the value itself");
            checker.warning("weak-epsilon", &path, message, "for example epsilon = 1.0");
        }
        _ => {}
    }
    let remedy = format!("write levels or bounds under [schema.{}]", super::quoted(name));
    match (&column.levels, column.bounds, rule.to) {
        _ if checker.spec.derive.contains_key(name) && column.levels.is_none() && column.bounds.is_none() => {
            checker.error("no-domain", &path, "a randomised column has declared levels or bounds", &remedy);
        }
        (None, None, _) => {
            checker.error("no-domain", &path, "a randomised column has declared levels or bounds", &remedy);
        }
        (None, Some([lower, upper]), Some(step))
            if step > 0.0 && !(1.0..=1e9).contains(&((upper - lower) / step).round()) =>
        {
            let message = "between the bounds there are 1 to a thousand million steps";
            checker.error("bad-parameter", &["deidentify", "columns", name, "to"], message, "choose another step");
        }
        (None, Some(_), None) => {
            let message = "a randomised number is moved to a grid, and its step is not given";
            checker.error("missing-parameter", &path, message, "for example to = 1000");
        }
        (Some(_), _, Some(_)) => {
            let path = ["deidentify", "columns", name, "to"];
            checker.error("unused-parameter", &path, "to says nothing about levels", "take it out");
        }
        _ => {}
    }
}

/// True where a part of the value can still be read.
fn shows(rule: &ColumnRule) -> bool {
    match rule.by {
        Do::Keep | Do::Round | Do::TopCode | Do::BottomCode | Do::Generalise | Do::DateShift | Do::Model => true,
        // Whatever epsilon: a value still tells a little.
        Do::Randomise | Do::Microaggregate => true,
        Do::Mask => {
            rule.keep_first.unwrap_or(0) > 0
                || rule.keep_last.unwrap_or(0) > 0
                || rule.pattern.as_ref().is_some_and(|pattern| pattern.contains('#'))
        }
        Do::Drop | Do::Redact | Do::Pseudonym | Do::Token | Do::FormatPreserving => false,
    }
}

/// What singles out a person must not be left as it is, under any rules.
fn identifier(checker: &mut Checker, section: &Deidentify, name: &str, rule: &ColumnRule, column: &ColumnSpec) {
    let singles_out = column.roles.iter().any(|role| matches!(role, Role::Identifier | Role::PrivacyUnit));
    if !singles_out || !shows(rule) {
        return;
    }
    let path = ["deidentify", "columns", name, "do"];
    let message = format!("{name} singles out a person, and {} leaves some of it readable", rule.by.name());
    let remedy = "write do = \"drop\", \"redact\", \"token\" or \"pseudonym\"";
    match (section.profile, rule.by) {
        (None, _) | (Some(Profile::GdprPseudonymisation | Profile::GbT37964), Do::Mask) => {
            checker.warning("identifier-shown", &path, message, remedy)
        }
        (Some(profile), _) => {
            checker.error("identifier-shown", &path, format!("{message}: {} forbids it", profile.name()), remedy)
        }
    }
}

/// The eighteen classes of 45 CFR 164.514(b)(2)(i), and words of headers that speak of them.
pub const SAFE_HARBOR: &[(char, &str, &[&str])] = &[
    ('A', "names", &["name", "firstname", "lastname", "surname", "forename", "fullname"]),
    (
        'B',
        "places smaller than a state",
        &["address", "street", "city", "county", "zip", "postcode", "postal", "geocode"],
    ),
    (
        'C',
        "dates but the year, ages over 89",
        &["date", "birth", "birthday", "dob", "admission", "discharge", "death", "age"],
    ),
    ('D', "telephone numbers", &["phone", "telephone", "mobile"]),
    ('E', "fax numbers", &["fax"]),
    ('F', "e-mail addresses", &["email", "mail"]),
    ('G', "social security numbers", &["ssn"]),
    ('H', "medical record numbers", &["mrn", "record"]),
    ('I', "health plan numbers", &["beneficiary", "plan", "insurance"]),
    ('J', "account numbers", &["account", "iban"]),
    ('K', "certificate and licence numbers", &["licence", "license", "certificate"]),
    ('L', "vehicles and plates", &["vin", "plate", "vehicle"]),
    ('M', "devices and serial numbers", &["device", "serial", "imei"]),
    ('N', "web addresses", &["url", "website"]),
    ('O', "IP addresses", &["ip", "ipaddress"]),
    ('P', "biometric identifiers", &["fingerprint", "voiceprint", "retina", "biometric"]),
    ('Q', "photographs of faces", &["photo", "photograph", "portrait"]),
    ('R', "any other number or code of one person", &["id", "uuid", "passport"]),
];

/// The class a header speaks of.
fn class_of(header: &str) -> Option<(char, &'static str)> {
    let lower = header.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).collect();
    SAFE_HARBOR
        .iter()
        .find(|(_, _, known)| words.iter().any(|word| known.contains(word)))
        .map(|(letter, what, _)| (*letter, *what))
}

fn hipaa(checker: &mut Checker, name: &str, rule: &ColumnRule, column: &ColumnSpec) {
    let path = ["deidentify", "columns", name, "do"];
    match rule.by {
        Do::Pseudonym | Do::FormatPreserving => {
            let message =
                format!("{} derives a code from the person's data, and 45 CFR 164.514(c) forbids that", rule.by.name());
            let remedy = "write do = \"token\": random codes in a table of their own; or do = \"drop\"";
            checker.error("derived-code", &path, message, remedy);
        }
        Do::DateShift => {
            let message = "a shifted date still has a day and a month, and Safe Harbor leaves only the year";
            checker.error("date-below-year", &path, message, "write do = \"generalise\", date = \"year\"");
        }
        Do::Generalise if rule.date.is_some_and(|part| part != DatePart::Year) => {
            let path = ["deidentify", "columns", name, "date"];
            checker.error("date-below-year", &path, "Safe Harbor leaves only the year of a date", "write \"year\"");
        }
        Do::Generalise if rule.digits.is_some_and(|digits| digits > 3) => {
            let path = ["deidentify", "columns", name, "digits"];
            checker.error("place-too-small", &path, "Safe Harbor leaves three digits of a ZIP code", "write 3");
        }
        Do::Generalise if rule.digits.is_some() && rule.restricted.is_none() => {
            let message = "beginnings of ZIP codes with 20,000 inhabitants or fewer must become 000";
            let remedy = "write restricted = [...] with the beginnings of the present census; [] if none is";
            checker.error("restricted-missing", &["deidentify", "columns", name], message, remedy);
        }
        Do::TopCode
            if class_of(name).is_some_and(|(letter, _)| letter == 'C') && rule.at.is_some_and(|at| at > 90.0) =>
        {
            let path = ["deidentify", "columns", name, "at"];
            checker.error("age-too-high", &path, "ages over 89 are one category", "write at = 90");
        }
        // A model may leave a column as fine as its first step.
        Do::Keep | Do::Round | Do::BottomCode | Do::Mask | Do::Model | Do::Randomise | Do::Microaggregate
            if shows(rule) =>
        {
            kept(checker, name, column)
        }
        _ => {}
    }
}

/// A column that stays although its role or header speaks of one of the classes.
fn kept(checker: &mut Checker, name: &str, column: &ColumnSpec) {
    let path = ["deidentify", "columns", name, "do"];
    if column.roles.contains(&Role::Time) {
        let message = format!("{name} is a time, and Safe Harbor leaves only the year");
        return checker.error("date-below-year", &path, message, "write do = \"generalise\", date = \"year\"");
    }
    let singles_out = column.roles.iter().any(|role| matches!(role, Role::Identifier | Role::PrivacyUnit));
    if let Some((letter, what)) = class_of(name).filter(|_| !singles_out) {
        let message =
            format!("the header {name:?} speaks of class {letter} of Safe Harbor ({what}), and the column stays");
        checker.warning("looks-identifying", &path, message, "drop or coarsen it, unless it is none of the kind");
    }
}

fn gdpr(checker: &mut Checker, name: &str, rule: &ColumnRule) {
    let coded = matches!(rule.by, Do::Pseudonym | Do::Token | Do::FormatPreserving);
    if coded && rule.domain.is_none() {
        let message = "pseudonyms are for a stated domain, so that they cannot be joined beyond it";
        let remedy = "write domain = \"...\"; equal values of columns of one domain stay joinable";
        checker.error("domain-missing", &["deidentify", "columns", name], message, remedy);
    }
    let folder = checker.spec.report.folder.as_deref().unwrap_or("../reports");
    for (key, file) in [("key_file", &rule.key_file), ("table_file", &rule.table_file)] {
        if file.as_ref().is_some_and(|file| file.starts_with(folder)) {
            let message = "what tells who is who must be kept apart from the data (GDPR, Article 4(5))";
            let remedy = "keep it outside the folder of the reports";
            checker.error("not-kept-apart", &["deidentify", "columns", name, key], message, remedy);
        }
    }
}

fn gb_t(checker: &mut Checker, name: &str, rule: &ColumnRule, column: &ColumnSpec) {
    if column.roles.contains(&Role::QuasiIdentifier) && rule.by == Do::Keep {
        let message = format!("{name} is a quasi-identifier and stays as it is; GB/T 37964 has it coarsened");
        let remedy = "write do = \"generalise\", or have it coarsened by a model";
        checker.warning("quasi-identifier-kept", &["deidentify", "columns", name, "do"], message, remedy);
    }
}
