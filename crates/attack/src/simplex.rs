//! Solves linear programs. Finds the minimum and the maximum of one unknown if the sums of some unknowns are known. No
//! unknown is negative. It uses the simplex method with Bland's rule, which always terminates. The programs are small,
//! and the numbers are counts.

/// Numbers below this are treated as 0.
const TINY: f64 = 1e-7;

/// The known sums of unknowns.
pub(crate) struct Program {
    unknowns: usize,
    sums: Vec<(Vec<bool>, f64)>,
}

impl Program {
    pub(crate) fn new(unknowns: usize) -> Self {
        Self { unknowns, sums: Vec::new() }
    }

    /// Adds the sum of the marked unknowns.
    pub(crate) fn equals(&mut self, marked: Vec<bool>, sum: u64) {
        self.sums.push((marked, sum as f64));
    }

    /// Returns the minimum and the maximum of one unknown.
    pub(crate) fn bounds(&self, unknown: usize) -> (f64, f64) {
        let mut tableau = Tableau::feasible(self);
        let least = tableau.minimize(unknown, 1.0);
        let most = -tableau.minimize(unknown, -1.0);
        (least, most)
    }
}

struct Tableau {
    /// One row for each known sum: the coefficients of the unknowns, then the right-hand side.
    rows: Vec<Vec<f64>>,
    /// The basic variable of each row.
    basis: Vec<usize>,
    unknowns: usize,
}

impl Tableau {
    /// Finds values that satisfy all sums by minimizing artificial unknowns.
    fn feasible(program: &Program) -> Self {
        let (unknowns, artificial) = (program.unknowns, program.sums.len());
        let width = unknowns + artificial;
        let mut rows = Vec::with_capacity(artificial);
        for (at, (marked, sum)) in program.sums.iter().enumerate() {
            let mut row = vec![0.0; width + 1];
            row.iter_mut().zip(marked).for_each(|(to, marked)| *to = f64::from(u8::from(*marked)));
            row[unknowns + at] = 1.0;
            row[width] = *sum;
            rows.push(row);
        }
        let mut tableau = Self { rows, basis: (unknowns..width).collect(), unknowns: width };
        let costs: Vec<f64> = (0..width).map(|at| f64::from(u8::from(at >= unknowns))).collect();
        tableau.solve(&costs);
        // Artificial unknowns that remain in the basis are 0. Their sums follow from the other sums.
        for at in (0..tableau.rows.len()).rev() {
            if tableau.basis[at] >= unknowns {
                match (0..unknowns).find(|column| tableau.rows[at][*column].abs() > TINY) {
                    Some(column) => tableau.pivot(at, column),
                    None => {
                        tableau.rows.remove(at);
                        tableau.basis.remove(at);
                    }
                }
            }
        }
        for row in &mut tableau.rows {
            row.drain(unknowns..width);
        }
        tableau.unknowns = unknowns;
        tableau
    }

    /// Returns the minimum of `sign` times an unknown.
    fn minimize(&mut self, unknown: usize, sign: f64) -> f64 {
        let mut costs = vec![0.0; self.unknowns];
        costs[unknown] = sign;
        self.solve(&costs);
        let row = self.basis.iter().position(|basic| *basic == unknown);
        row.map_or(0.0, |row| sign * self.rows[row][self.unknowns])
    }

    fn solve(&mut self, costs: &[f64]) {
        loop {
            let reduced = |column: usize| {
                let rows = self.rows.iter().zip(&self.basis);
                costs[column] - rows.map(|(row, basic)| costs[*basic] * row[column]).sum::<f64>()
            };
            let enters = (0..self.unknowns).find(|column| reduced(*column) < -TINY);
            let Some(column) = enters else { return };
            let ratio = |row: &Vec<f64>| row[self.unknowns] / row[column];
            let leaving = (0..self.rows.len()).filter(|at| self.rows[*at][column] > TINY);
            // If ratios are equal, the unknown with the lowest index leaves, so that no basis repeats (Bland's rule).
            let leaves = leaving.min_by(|one, other| {
                let by_ratio = ratio(&self.rows[*one]).total_cmp(&ratio(&self.rows[*other]));
                by_ratio.then(self.basis[*one].cmp(&self.basis[*other]))
            });
            let Some(row) = leaves else { return };
            self.pivot(row, column);
        }
    }

    fn pivot(&mut self, at: usize, column: usize) {
        let by = self.rows[at][column];
        self.rows[at].iter_mut().for_each(|value| *value /= by);
        let pivot = self.rows[at].clone();
        for (other, row) in self.rows.iter_mut().enumerate() {
            let times = row[column];
            if other != at && times != 0.0 {
                row.iter_mut().zip(&pivot).for_each(|(value, pivot)| *value -= times * pivot);
            }
        }
        self.basis[at] = column;
    }
}

#[test]
fn bounds_of_two_tables_equal_the_known_bounds() {
    // The sums of the rows are 60 and 40, and those of the columns are 70 and 30. The minimum is the greater of 0 and
    // row + column − 100. The maximum is the lesser of row and column.
    let mut program = Program::new(4);
    program.equals(vec![true, true, false, false], 60);
    program.equals(vec![false, false, true, true], 40);
    program.equals(vec![true, false, true, false], 70);
    program.equals(vec![false, true, false, true], 30);
    let bounds: Vec<_> = (0..4).map(|group| program.bounds(group)).collect();
    assert_eq!(bounds, [(30.0, 60.0), (0.0, 30.0), (10.0, 40.0), (0.0, 30.0)]);
}

#[test]
fn minimum_and_maximum_of_a_determined_unknown_are_equal() {
    let mut program = Program::new(3);
    program.equals(vec![true, true, true], 100);
    program.equals(vec![true, true, false], 93);
    assert_eq!(program.bounds(2), (7.0, 7.0));
    assert_eq!(program.bounds(0), (0.0, 93.0));
}
