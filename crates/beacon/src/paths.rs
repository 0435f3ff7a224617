//! Trees of object keys.

use std::collections::BTreeMap;

/// The error of a path that another path equals or contains.
pub(crate) struct Taken;

/// The keys of an object, and their targets.
pub(crate) struct Tree<T> {
    pub(crate) branches: BTreeMap<String, Branch<T>>,
}

/// The target of a key.
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
    pub(crate) fn insert(&mut self, path: &[String], leaf: T) -> Result<(), Taken> {
        let Some((key, rest)) = path.split_first() else { return Err(Taken) };
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
            Some(Branch::Leaf(_)) => Err(Taken),
        }
    }
}
