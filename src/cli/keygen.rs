//! `evenhand keygen`: a new Ed25519 key as files, for `[sign]`, for openssl and for minisign.

use std::path::PathBuf;

use serde_json::json;

use super::{Output, USAGE, load::unfinished};
use crate::attest::{PrivateKey, write_keys};
use crate::world::Entropy;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to write NAME.key.pem, NAME.pub.pem and NAME.minisign.pub. Nothing is overwritten.
    #[arg(long, value_name = "FOLDER/NAME")]
    pub out: PathBuf,
}

pub fn run(args: &Args, out: &Output) -> u8 {
    let key = match PrivateKey::generate(Entropy::System) {
        Ok(key) => key,
        Err(e) => return unfinished(out, &format!("the operating system gives no randomness: {e}")),
    };
    let files = match write_keys(&args.out, &key) {
        Ok(files) => files,
        Err(e) if matches!(e.kind(), std::io::ErrorKind::AlreadyExists | std::io::ErrorKind::InvalidInput) => {
            out.error(&e.to_string());
            return USAGE;
        }
        Err(e) => return unfinished(out, &e.to_string()),
    };
    let id = key.public().id();
    if out.json() {
        out.result_json(&json!({
            "key_id": id.as_str(),
            "private_key": files.private,
            "public_key": files.public,
            "minisign_public_key": files.minisign,
        }));
        return 0;
    }
    out.result(&format!(
        "key {}\n  private   {}  keep it secret; name it in a pipeline file: [sign] key_file = \"...\"\n  \
         public    {}  give it to whoever verifies, by another way than the reports\n  minisign  {}",
        id.short(),
        files.private.display(),
        files.public.display(),
        files.minisign.display(),
    ));
    0
}
