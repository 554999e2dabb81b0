//! Keys where they are kept: files, environment variables. No message has anything of a key in it.

use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::key::{KeyError, PrivateKey, PublicKey};
use super::minisign;
use crate::world;

/// The files of a new key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFiles {
    /// The private key, which only this account may read.
    pub private: PathBuf,
    pub public: PathBuf,
    /// The public key for minisign.
    pub minisign: PathBuf,
}

/// Writes a key as `NAME.key.pem`, `NAME.pub.pem` and `NAME.minisign.pub`. Nothing that is there is overwritten.
pub fn write_keys(out: &Path, key: &PrivateKey) -> io::Result<KeyFiles> {
    let Some(name) = out.file_name().map(|name| name.to_os_string()) else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{}: names no file", out.display())));
    };
    let place = |ending: &str| {
        let mut name = name.clone();
        name.push(ending);
        out.with_file_name(name)
    };
    let files = KeyFiles { private: place(".key.pem"), public: place(".pub.pem"), minisign: place(".minisign.pub") };
    let places = [&files.private, &files.public, &files.minisign];
    if let Some(there) = places.iter().find(|path| world::is_there(path)) {
        let why = format!("{}: is there already; a key is never overwritten, choose another name", there.display());
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
    }
    if let Some(folder) = out.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        world::make_private_folder(folder)?;
    }
    world::write_once(&files.private, key.pem().as_bytes(), true)?;
    let public = world::write_once(&files.public, key.public().pem().as_bytes(), false).and_then(|()| {
        world::write_once(&files.minisign, minisign::public_key(&key.public()).as_bytes(), false)
            .inspect_err(|_| drop(world::remove(&files.public)))
    });
    public.inspect_err(|_| drop(world::remove(&files.private)))?;
    Ok(files)
}

/// The private key in a file.
pub fn private_key(path: &Path) -> Result<PrivateKey, String> {
    let text = text(path)?;
    PrivateKey::of_pem(&text).map_err(|e| format!("{}: {e}", path.display()))
}

/// The private key in an environment variable.
pub fn private_key_of(variable: &str) -> Result<PrivateKey, String> {
    let text = world::variable(variable).map(Zeroizing::new);
    let text =
        text.ok_or_else(|| format!("the environment variable {variable} is not set; put the key in PEM into it"))?;
    PrivateKey::of_pem(&text).map_err(|e| format!("the environment variable {variable} {e}"))
}

/// The public key in a file.
pub fn public_key(path: &Path) -> Result<PublicKey, String> {
    let text = text(path)?;
    PublicKey::of_pem(&text).map_err(|e| format!("{}: {e}", path.display()))
}

fn text(path: &Path) -> Result<Zeroizing<String>, String> {
    let bytes = world::read(path).map_err(|e| e.to_string())?.map(Zeroizing::new);
    let bytes = bytes.ok_or_else(|| format!("{}: no such file; make a key with: evenhand keygen", path.display()))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| format!("{}: {}", path.display(), KeyError::NotPem))?;
    Ok(Zeroizing::new(text.to_string()))
}
