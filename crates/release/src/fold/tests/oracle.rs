//! An independent implementation of folding, as docs/internals/privacy-model.md describes it. It is simple and slow.

use crowdfold_model::Cell;

/// A leaf, a rest or a row: its cell key, its sessions, its network bits, and one bit for each leaf that it contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) cell_key: Vec<String>,
    pub(super) sessions: u64,
    pub(super) networks: u64,
    pub(super) leaves: u64,
}

impl Group {
    fn empty() -> Self {
        Self { cell_key: Vec::new(), sessions: 0, networks: 0, leaves: 0 }
    }

    fn merge(&mut self, other: &Self) {
        self.sessions += other.sessions;
        self.networks |= other.networks;
        self.leaves |= other.leaves;
    }
}

/// The conditions for a crowd, and the margin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crowd {
    pub(super) k: u64,
    pub(super) networks: u32,
    pub(super) margin: u64,
}

impl Crowd {
    fn accepts(self, group: &Group) -> bool {
        group.sessions >= self.k && group.networks.count_ones() >= self.networks
    }

    /// Returns true if a row with `*` leaves at least `margin` possible sizes for its rest. The row has `sessions`
    /// sessions, and `merged` rows were merged with the rest.
    fn leaves_enough(self, sessions: u64, merged: u64, smallest_left: u64) -> bool {
        let possible = |rest: u64| {
            let others = sessions.checked_sub(rest);
            others.is_some_and(|others| (merged * self.k..=merged * smallest_left).contains(&others))
        };
        self.margin == 0 || (1..self.k).filter(|rest| possible(*rest)).count() as u64 >= self.margin
    }

    pub(super) fn accepts_cell(self, cell: &Cell) -> bool {
        cell.sessions >= self.k && cell.networks.count_ones() >= self.networks
    }
}

/// Returns the released rows in the order of cell keys.
pub(super) fn fold(leaves: &[Group], crowd: Crowd) -> Vec<Group> {
    let (mut rows, _) = node(leaves, 0, crowd);
    rows.sort_by(|one, other| one.cell_key.cmp(&other.cell_key));
    rows
}

/// Returns the rows and the rest of the node that contains these leaves. The first `depth` values of all these leaves
/// are equal.
fn node(leaves: &[Group], depth: usize, crowd: Crowd) -> (Vec<Group>, Group) {
    let Some(first) = leaves.first() else { return (Vec::new(), Group::empty()) };
    if depth == first.cell_key.len() {
        assert_eq!(leaves.len(), 1);
        return if crowd.accepts(first) {
            (vec![first.clone()], Group::empty())
        } else {
            (Vec::new(), first.clone())
        };
    }
    let mut children: Vec<&str> = leaves.iter().map(|leaf| leaf.cell_key[depth].as_str()).collect();
    children.sort_unstable();
    children.dedup();
    let (mut rows, mut rest) = (Vec::new(), Group::empty());
    for child in children {
        let below: Vec<Group> = leaves.iter().filter(|leaf| leaf.cell_key[depth] == child).cloned().collect();
        let (its_rows, its_rest) = node(&below, depth + 1, crowd);
        rows.extend(its_rows);
        rest.merge(&its_rest);
    }
    if rest.sessions > 0 && !crowd.accepts(&rest) {
        rows.sort_by(|one, other| (one.sessions, &one.cell_key).cmp(&(other.sessions, &other.cell_key)));
        let mut merged = 0;
        while let Some(smallest) = rows.first() {
            if crowd.accepts(&rest) && crowd.leaves_enough(rest.sessions, merged, smallest.sessions) {
                break;
            }
            rest.merge(&rows.remove(0));
            merged += 1;
        }
    }
    if rest.sessions > 0 && crowd.accepts(&rest) {
        rest.cell_key = first.cell_key[..depth].to_vec();
        rest.cell_key.resize(first.cell_key.len(), "*".into());
        rows.push(rest);
        rest = Group::empty();
    }
    (rows, rest)
}
