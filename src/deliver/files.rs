//! Messages as files: what would be sent, to be looked at.

use sha2::{Digest, Sha256};

use crate::store::{Letter, Post};

/// Longest part of a name that is taken from a key.
const NAME_MAX: usize = 100;

/// A name and the bytes of each: `.eml` for a mail, `.json` for a webhook call.
pub fn files(letters: &[Letter]) -> Vec<(String, Vec<u8>)> {
    letters.iter().map(|letter| (name(letter), letter.body.clone())).collect()
}

/// The key where it is a file name; else what of it is one, and a digest that tells it from others.
fn name(letter: &Letter) -> String {
    let extension = match letter.post {
        Post::Mail => "eml",
        Post::Webhook => "json",
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@');
    let whole = letter.key.len() <= NAME_MAX && letter.key.chars().all(plain) && !letter.key.starts_with('.');
    if whole && !letter.key.is_empty() {
        return format!("{}.{extension}", letter.key);
    }
    let kept: String = letter.key.chars().take(NAME_MAX).map(|c| if plain(c) { c } else { '_' }).collect();
    let digest = Sha256::digest(letter.key.as_bytes());
    let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{digest}.{extension}", kept.trim_start_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn letter(key: &str, post: Post) -> Letter {
        let (pipeline, run_id, recipient) = ("p".into(), "r".into(), "a@b".into());
        Letter { pipeline, run_id, post, key: key.into(), recipient, secret: None, body: b"x".to_vec() }
    }

    #[test]
    fn a_key_is_the_name_where_it_can_be() {
        assert_eq!(
            name(&letter("20261125T120000Z-a.1@example.test", Post::Mail)),
            "20261125T120000Z-a.1@example.test.eml"
        );
        assert_eq!(name(&letter("call-1", Post::Webhook)), "call-1.json");
        assert_ne!(name(&letter("a/b", Post::Mail)), name(&letter("a_b", Post::Mail)));
    }

    proptest! {
        #[test]
        fn no_key_leaves_the_folder(key in "(\\PC|[./\\\\\0\r\n]){0,300}") {
            let name = name(&letter(&key, Post::Mail));
            let mut parts = std::path::Path::new(&name).components();
            prop_assert!(matches!(parts.next(), Some(std::path::Component::Normal(_))) && parts.next().is_none());
            prop_assert!(name.len() < 150 && !name.starts_with('.') && name.is_ascii() && !name.contains(char::is_control), "{}", name);
        }
    }
}
