//! The key that wraps every lead's key, and its file. Must never print key bytes, nor use a key file
//! that everybody on the machine can read.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

const LEN: usize = 32;
/// Hexadecimal digits, a line end, and one byte more to notice what does not belong there.
const FILE_LEN_MAX: u64 = 2 * LEN as u64 + 3;

/// 32 secret bytes.
#[derive(Clone)]
pub struct RootKey([u8; LEN]);

/// Why a root key could not be loaded or created.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("the root key file {} cannot be used: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// `create` found a file.
    #[error("the root key file {} exists already; it is not overwritten", path.display())]
    Exists {
        /// Which file.
        path: PathBuf,
    },
    /// The file is not what `create` writes.
    #[error("the root key file {} does not hold a key: expected 64 hexadecimal digits", path.display())]
    NotAKey {
        /// Which file.
        path: PathBuf,
    },
    /// Anybody may read or change the file.
    #[error("the root key file {} is open to everybody (mode {mode:04o}): chmod it to 0600", path.display())]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The system gave no random bytes.
    #[error("no randomness for a new root key: {0}")]
    Randomness(String),
}

impl RootKey {
    /// A key from elsewhere.
    #[must_use]
    pub fn from_bytes(bytes: [u8; LEN]) -> Self {
        Self(bytes)
    }

    /// Reads the key in `path`.
    ///
    /// # Errors
    /// When the file is missing, open to everybody, or no key.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let mut text = Vec::with_capacity(2 * LEN + 3);
        let file = File::open(path).map_err(|source| at(path, source))?;
        check_mode(path, &file)?;
        file.take(FILE_LEN_MAX).read_to_end(&mut text).map_err(|source| at(path, source))?;
        decode(text.trim_ascii_end())
            .map(Self)
            .ok_or_else(|| KeyError::NotAKey { path: path.to_path_buf() })
    }

    /// Makes a random key and writes it to `path`, readable by its owner alone.
    ///
    /// # Errors
    /// When `path` exists or cannot be written.
    pub fn create(path: &Path) -> Result<Self, KeyError> {
        let mut key = [0; LEN];
        getrandom::fill(&mut key).map_err(|error| KeyError::Randomness(error.to_string()))?;
        let text: String =
            key.iter().map(|byte| format!("{byte:02x}")).chain(["\n".to_owned()]).collect();
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => KeyError::Exists { path: path.to_path_buf() },
            _ => at(path, source),
        })?;
        // Losing this file later loses every lead, so it is on stable storage before the first one.
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(|source| at(path, source))?;
        sync_parent(path).map_err(|source| at(path, source))?;
        Ok(Self(key))
    }

    pub(crate) fn bytes(&self) -> &[u8; LEN] {
        &self.0
    }

    /// Tells two root keys apart without telling what they are.
    pub(crate) fn check_value(&self) -> blake3::Hash {
        blake3::keyed_hash(&self.0, b"gavel ledger: which root key is this")
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey(redacted)")
    }
}

fn at(path: &Path, source: io::Error) -> KeyError {
    KeyError::File { path: path.to_path_buf(), source }
}

fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => File::open(parent)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

/// A group may read the key (that is how orchestrators mount secrets); the world may not touch it.
#[cfg(unix)]
fn check_mode(path: &Path, file: &File) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata().map_err(|source| at(path, source))?.permissions().mode() & 0o777;
    if mode & 0o007 == 0 {
        Ok(())
    } else {
        Err(KeyError::Exposed { path: path.to_path_buf(), mode })
    }
}

#[cfg(not(unix))]
fn check_mode(_path: &Path, _file: &File) -> Result<(), KeyError> {
    Ok(())
}

fn decode(text: &[u8]) -> Option<[u8; LEN]> {
    let digit =
        |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut key = [0; LEN];
    if text.len() != 2 * LEN {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(text.chunks_exact(2)) {
        *byte = (digit(pair.first()?)? << 4) | digit(pair.last()?)?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_created_key_loads_and_is_not_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("root.key");
        let key = RootKey::create(&path).unwrap();
        assert_eq!(RootKey::load(&path).unwrap().bytes(), key.bytes());
        assert!(matches!(RootKey::create(&path), Err(KeyError::Exists { .. })));
        assert_eq!(format!("{key:?}"), "RootKey(redacted)");
    }

    #[test]
    fn files_that_are_not_keys_are_refused_without_showing_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("root.key");
        assert!(matches!(RootKey::load(&path), Err(KeyError::File { .. })));
        RootKey::create(&path).unwrap();
        for bad in
            ["", "secret", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &"é".repeat(32)]
        {
            std::fs::write(&path, bad).unwrap();
            let error = RootKey::load(&path).unwrap_err();
            assert!(matches!(error, KeyError::NotAKey { .. }), "{bad}");
            assert!(!format!("{error} {error:?}").contains("secret"));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_everybody_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("root.key");
        RootKey::create(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let error = RootKey::load(&path).unwrap_err();
        assert!(error.to_string().contains("0644"), "{error}");
    }
}
