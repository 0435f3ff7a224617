//! Paths of object keys, and what they lead to.

use std::collections::BTreeMap;

/// A path that is taken already, or lies inside one that is.
pub(crate) struct Taken;

/// The keys of an object, and what they lead to.
pub(crate) struct Tree<T> {
    pub(crate) branches: BTreeMap<String, Branch<T>>,
}

/// What a key leads to.
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
    /// Puts a leaf at the end of a path.
    pub(crate) fn plant(&mut self, path: &[String], leaf: T) -> Result<(), Taken> {
        let Some((key, rest)) = path.split_first() else { return Err(Taken) };
        match self.branches.get_mut(key) {
            None if rest.is_empty() => {
                self.branches.insert(key.clone(), Branch::Leaf(leaf));
                Ok(())
            }
            None => {
                let mut tree = Self::default();
                tree.plant(rest, leaf)?;
                self.branches.insert(key.clone(), Branch::Tree(tree));
                Ok(())
            }
            Some(Branch::Tree(tree)) => tree.plant(rest, leaf),
            Some(Branch::Leaf(_)) => Err(Taken),
        }
    }
}
