//! Trees of object keys, which are created from the paths in the configuration.

use std::collections::BTreeMap;

/// The error for a path that equals another path, contains it, or is contained in it.
pub(crate) struct PathInUse;

/// The keys of one object. Each key has a leaf, or the keys of an inner object.
pub(crate) struct Tree<T> {
    pub(crate) branches: BTreeMap<String, Branch<T>>,
}

/// The value of a key: a leaf, or another object.
pub(crate) enum Branch<T> {
    Leaf(T),
    Tree(Tree<T>),
}

impl<T> Default for Tree<T> {
    fn default() -> Self {
        Self { branches: BTreeMap::new() }
    }
}

impl<T> Tree<T> {
    /// Inserts a leaf at the end of a path.
    ///
    /// # Errors
    /// Returns an error if the path is empty, if it equals another path, or if one of the two paths is the beginning of
    /// the other.
    pub(crate) fn insert(&mut self, path: &[String], leaf: T) -> Result<(), PathInUse> {
        let Some((key, rest)) = path.split_first() else { return Err(PathInUse) };
        match self.branches.get_mut(key) {
            None if rest.is_empty() => {
                self.branches.insert(key.clone(), Branch::Leaf(leaf));
                Ok(())
            }
            None => {
                let mut tree = Self::default();
                tree.insert(rest, leaf)?;
                self.branches.insert(key.clone(), Branch::Tree(tree));
                Ok(())
            }
            Some(Branch::Tree(tree)) => tree.insert(rest, leaf),
            Some(Branch::Leaf(_)) => Err(PathInUse),
        }
    }
}
