//! Writes output files. An output file is replaced only as a whole. An input file is never overwritten.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rustix::fs::{OFlags, fcntl_getfl};
use tempfile::{Builder, NamedTempFile};

use crate::error::CrowdfoldError;

/// The size of the write buffer of a file, in bytes.
const BUFFER: usize = 1 << 18;

/// A new version of an output file. It is written to a temporary file in the same directory. [`Replacement::finish`]
/// renames the temporary file to the name of the output file. If `finish` is not called, the temporary file is removed
/// and the old content remains. A target that is not a regular file, such as `/dev/null` or a pipe, is written to
/// directly.
pub(crate) enum Replacement {
    Temporary { file: BufWriter<NamedTempFile>, path: PathBuf },
    Direct(BufWriter<File>),
}

impl Replacement {
    /// Creates the temporary file for an output file.
    ///
    /// # Errors
    /// Returns an error if the file cannot be created, for example because the directory is not writable.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        Self::open(path).with_context(|| cannot_be_written(path))
    }

    fn open(path: &Path) -> io::Result<Self> {
        let there = fs::metadata(path);
        let is_special = ["/dev", "/proc"].iter().any(|special| path.starts_with(special));
        if is_special || there.as_ref().is_ok_and(|there| !there.is_file()) {
            return Ok(Self::Direct(BufWriter::with_capacity(BUFFER, File::create(path)?)));
        }
        // If the path is a symbolic link, the target of the link is replaced, and the link remains.
        let path = if there.is_ok() { fs::canonicalize(path)? } else { path.to_owned() };
        let directory = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let mut prefix = OsString::from(".");
        prefix.push(path.file_name().unwrap_or_default());
        prefix.push(".");
        let mode = there.map_or(0o666, |there| there.mode() & 0o777);
        let file = Builder::new()
            .prefix(&prefix)
            .suffix(".tmp")
            .permissions(Permissions::from_mode(mode))
            .tempfile_in(directory)?;
        Ok(Self::Temporary { file: BufWriter::with_capacity(BUFFER, file), path })
    }

    /// Writes the buffered data, and renames the temporary file to its final name.
    ///
    /// # Errors
    /// Returns an error if writing or renaming fails. The old content then remains.
    pub(crate) fn finish(self) -> Result<()> {
        match self {
            Self::Direct(mut file) => Ok(file.flush()?),
            Self::Temporary { file, path } => {
                let put = || -> Result<()> {
                    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
                    // The data is written to the disk before the file is renamed, so a full disk does not destroy the
                    // old content.
                    file.as_file().sync_all()?;
                    file.persist(&path)?;
                    Ok(())
                };
                put().with_context(|| cannot_be_written(&path))
            }
        }
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Temporary { file, .. } => file.write(bytes),
            Self::Direct(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Temporary { file, .. } => file.flush(),
            Self::Direct(file) => file.flush(),
        }
    }
}

fn cannot_be_written(path: &Path) -> String {
    format!("{} cannot be written to", path.display())
}

/// Identifies a file independently of its name. A file that does not exist yet is identified by its absolute path.
#[derive(PartialEq, Eq)]
enum FileIdentity {
    There { device: u64, inode: u64 },
    New(PathBuf),
}

impl FileIdentity {
    fn of(path: &Path) -> Option<Self> {
        match fs::metadata(path) {
            Ok(metadata) => Self::from_metadata(&metadata),
            Err(_) => {
                let parent = path.parent().filter(|parent| *parent != Path::new(""));
                let directory = fs::canonicalize(parent.unwrap_or(Path::new("."))).ok()?;
                Some(Self::New(directory.join(path.file_name()?)))
            }
        }
    }

    fn of_stream(stream: impl AsFd) -> Option<Self> {
        Self::from_metadata(&metadata_of(stream)?)
    }

    fn from_metadata(metadata: &Metadata) -> Option<Self> {
        metadata.is_file().then(|| Self::There { device: metadata.dev(), inode: metadata.ino() })
    }
}

fn metadata_of(stream: impl AsFd) -> Option<Metadata> {
    File::from(stream.as_fd().try_clone_to_owned().ok()?).metadata().ok()
}

/// Returns an error if one file is both input and output, or is used for two outputs. The input `-` is standard input.
/// An output consists of its name in messages, such as its flag, and its path. An output without a path is standard
/// output.
///
/// # Errors
/// Returns [`CrowdfoldError::Usage`], with the names of both uses.
pub(crate) fn refuse_same(
    inputs: &[PathBuf],
    outputs: &[(&str, Option<&Path>)],
) -> Result<(), CrowdfoldError> {
    let mut known: Vec<(String, FileIdentity)> = Vec::new();
    for input in inputs {
        let (name, file) = if input == Path::new("-") {
            ("standard input".to_owned(), FileIdentity::of_stream(io::stdin()))
        } else {
            (format!("the input {}", input.display()), FileIdentity::of(input))
        };
        known.extend(file.map(|file| (name, file)));
    }
    for (flag, output) in outputs {
        let file = output.map_or_else(|| FileIdentity::of_stream(io::stdout()), FileIdentity::of);
        let Some(file) = file else { continue };
        if let Some((name, _)) = known.iter().find(|(_, other)| *other == file) {
            return Err(CrowdfoldError::Usage(format!(
                "{flag} is the same file as {name}, which would be overwritten; choose another file"
            )));
        }
        known.push(((*flag).to_owned(), file));
    }
    Ok(())
}

/// Returns an error if the shell closed standard output (`>&-`), because the output would be lost. In this case, Rust's
/// runtime has opened `/dev/null` for reading and writing. For `>/dev/null`, which is permitted, a shell opens it for
/// writing only.
///
/// # Errors
/// Returns [`CrowdfoldError::Usage`] if standard output is closed.
pub(crate) fn refuse_closed() -> Result<(), CrowdfoldError> {
    let stdout = io::stdout();
    let is_null = metadata_of(&stdout).is_some_and(|metadata| {
        metadata.file_type().is_char_device()
            && fs::metadata("/dev/null").is_ok_and(|null| null.rdev() == metadata.rdev())
    });
    let is_read_write = fcntl_getfl(&stdout).is_ok_and(|flags| flags & OFlags::RWMODE == OFlags::RDWR);
    if is_null && is_read_write {
        return Err(CrowdfoldError::Usage(
            "standard output is closed, so the output would be lost; open it, or pass --output FILE".into(),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_file_is_replaced_only_when_finish_is_called() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let mut dropped = Replacement::create(&path).unwrap();
        dropped.write_all(b"half").unwrap();
        dropped.flush().unwrap();
        drop(dropped);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        let mut file = Replacement::create(&path).unwrap();
        file.write_all(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        file.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "a temporary file remains");
    }

    #[test]
    fn symbolic_link_remains_and_its_target_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let (target, link) = (dir.path().join("target"), dir.path().join("link"));
        fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let mut file = Replacement::create(&link).unwrap();
        file.write_all(b"new").unwrap();
        file.finish().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&target).unwrap(), b"new");
    }

    #[test]
    fn device_is_written_to_directly() {
        let mut file = Replacement::create(Path::new("/dev/null")).unwrap();
        file.write_all(b"rows").unwrap();
        file.finish().unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    }

    #[test]
    fn file_is_refused_as_input_and_output_even_under_another_name() {
        let dir = tempfile::tempdir().unwrap();
        let (file, hard, soft) = (dir.path().join("a"), dir.path().join("b"), dir.path().join("c"));
        fs::write(&file, "beacons").unwrap();
        fs::hard_link(&file, &hard).unwrap();
        std::os::unix::fs::symlink(&file, &soft).unwrap();
        let roundabout = dir.path().join(".").join("..").join(dir.path().file_name().unwrap()).join("a");
        for other in [&file, &hard, &soft, &roundabout] {
            let refused = refuse_same(std::slice::from_ref(&file), &[("--output", Some(other))]).unwrap_err();
            assert_eq!(refused.exit_code(), 2);
            assert!(refused.to_string().starts_with("--output is the same file as the input "), "{refused}");
        }
        let new = dir.path().join("new");
        refuse_same(&[file], &[("--output", Some(&new))]).unwrap();
        let twice = refuse_same(&[], &[("--output", Some(&new)), ("--ledger", Some(&new))]).unwrap_err();
        assert!(twice.to_string().starts_with("--ledger is the same file as --output"), "{twice}");
        let null = Path::new("/dev/null");
        refuse_same(&[null.into()], &[("--output", Some(null)), ("--ledger", Some(null))]).unwrap();
    }
}
