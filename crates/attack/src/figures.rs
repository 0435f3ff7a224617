//! Prints the results of the attacks as tables.

use crate::bench;
use crate::fakes;
use crate::intervals::{Products, Rests, without_margin};
use crate::join::{self, Scores, Target};
use crate::product;
use crate::random::Random;
use crate::rows::Published;
use crate::scenario::{Rules, Scenario};
use crate::sequence::{self, Habit};
use crate::successive;
use crate::traffic::TABLES;

/// The numbers of live sessions.
const LIVE: [usize; 4] = [300, 1_000, 3_000, 10_000];

/// Runs a function for each case, on all cores. Returns the results in the order of the cases.
fn each<C: Sync, R: Send>(cases: &[C], of: impl Fn(&C) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let mut done: Vec<(usize, R)> = std::thread::scope(|scope| {
        let work = || {
            let mut ours = Vec::new();
            loop {
                let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let Some(case) = cases.get(at) else { return ours };
                ours.push((at, of(case)));
            }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

fn percent(part: u64, of: u64) -> f64 {
    part as f64 / of.max(1) as f64 * 100.0
}

/// Prints the results of attack 2.
pub(crate) fn intervals(seed: u64, _: u64) {
    println!("\n2. intervals: small rests inside star rows, margin 10 (0 disables the rule), k = 50");
    println!(
        "{:>6} {:>6} {:>6} {:>12} {:>12} {:>6} {:>7} {:>7} {:>7} {:>7} {:>7}",
        "live", "margin", "rests", "narrow, row", "by merges", "fewest", "± 1", "± 3", "alone", "± 1", "± 3"
    );
    let cases: Vec<_> =
        LIVE.iter().flat_map(|live| [(*live, Rules::default()), (*live, without_margin())]).collect();
    let found = each(&cases, |(live, rules)| {
        let mut random = Random::new(seed);
        let policy = product::policy(rules, [2; 32]);
        let mut rests = Rests::default();
        for _ in 0..400_000_usize.div_ceil(*live).min(400) {
            let scenario = Scenario::ordinary(*live, *rules, &mut random);
            let published = Published::read(&product::publish(&scenario, &policy));
            rests.attack(&scenario, &published, Rules::default().margin);
        }
        rests
    });
    for ((live, rules), rests) in cases.iter().zip(found) {
        let share = |part| percent(part, rests.beside_rows);
        println!(
            "{live:>6} {:>6} {:>6} {:>12} {:>12} {:>6} {:>6.1}% {:>6.1}% {:>7} {:>6.1}% {:>6.1}%",
            rules.margin,
            rests.beside_rows,
            rests.narrow,
            rests.narrow_by_history,
            rests.fewest.unwrap_or(0),
            share(rests.within_1),
            share(rests.within_3),
            rests.alone,
            percent(rests.alone_within_1, rests.alone),
            percent(rests.alone_within_3, rests.alone),
        );
    }
    println!("groups in a row of one table and a row of another, by linear programming (k = 1: no folding)");
    let open = Rules { k: 1, margin: 0, ..Rules::default() };
    let cases = [(300, Rules::default()), (1_000, Rules::default()), (300, open)];
    let found = each(&cases, |(live, rules)| {
        let mut random = Random::new(seed);
        let mut products = Products::default();
        let pairs: &[(usize, usize)] =
            if rules.k == 1 { &[(2, 4)] } else { &[(0, 4), (1, 2), (1, 4), (2, 3)] };
        for pair in pairs {
            let scenario = Scenario::ordinary(*live, *rules, &mut random);
            let published = Published::read(&bench::publish(&scenario, &mut random));
            products.attack(&scenario, &published, *pair, Rules::default().k);
        }
        products
    });
    for ((live, rules), found) in cases.iter().zip(found) {
        println!(
            "{live:>6} k {:>2}: {} groups below 50, within ± 1 {:.1} %, ± 3 {:.1} %; {} with bounds less than 50 apart",
            rules.k,
            found.small,
            percent(found.within_1, found.small),
            percent(found.within_3, found.small),
            found.narrow
        );
    }
}

/// Prints the results of attack 3.
pub(crate) fn joins(seed: u64, scenarios: u64) {
    println!(
        "\n3. joins in one window: how often the row of a session is found, in points above naming the largest row"
    );
    println!(
        "{:>6} {:<24} {:<16} {:<22} {:>5} {:>7} {:>15} {:>9}",
        "live", "rules", "session", "table", "rows", "named", "points", "expected"
    );
    let off = [
        ("without noise", Rules { noise: 0, ..Rules::default() }, 100),
        ("without budget", Rules { budget: false, ..Rules::default() }, scenarios),
    ];
    let mut cases = Vec::new();
    for live in LIVE {
        for target in Target::ALL {
            cases.push(("as published", Rules::default(), scenarios, live, target));
            if live == 1_000 {
                cases.extend(off.map(|(name, rules, windows)| (name, rules, windows, live, target)));
            }
        }
    }
    let found = each(&cases, |(_, rules, windows, live, target)| {
        let policy = (rules.noise > 0 && rules.budget).then(|| product::policy(rules, [3; 32]));
        let publish = |scenario: &Scenario, random: &mut Random| match &policy {
            Some(policy) => product::publish(scenario, policy),
            None => bench::publish(scenario, random),
        };
        let attack = join::Attack {
            live: *live,
            rules: *rules,
            target: *target,
            windows: *windows,
            publish: &publish,
        };
        attack.run(&mut Random::new(seed))
    });
    for ((name, _, _, live, target), scores) in cases.iter().zip(found) {
        print_scores(*live, name, *target, &scores);
    }
}

fn print_scores(live: usize, name: &str, target: Target, scores: &Scores) {
    let mut all = join::Score::default();
    scores.values().for_each(|score| all.add(score));
    let lines = scores.iter().map(|(table, score)| (TABLES[*table].join("."), *score));
    for (table, score) in lines.chain([("all".into(), all)]) {
        println!(
            "{live:>6} {name:<24} {:<16} {table:<22} {:>5.1} {:>6.1}% {:>+7.2} ± {:<5.2} {:>+9.2}",
            format!("{target:?}"),
            score.rows(),
            score.share(),
            score.points(),
            score.error(),
            score.believed_points(),
        );
    }
}

/// Prints the results of attack 4.
pub(crate) fn marks(seed: u64, _: u64) {
    println!(
        "\n4. marks: a session whose id is known, over several windows, in points above naming the largest row"
    );
    let off = Rules { noise: 1, ..Rules::default() };
    println!("(noise 1 disables the rule)");
    sequences(seed, &[Habit::Marked, Habit::Toggled], &[1, 5, 20], off);
}

/// Prints the results of attack 7.
pub(crate) fn weak(seed: u64, _: u64) {
    println!("\n7. weak devices: a session on a weak device, and an ordinary session, over several windows");
    let off = Rules { noise: 1, ..Rules::default() };
    sequences(seed, &[Habit::Weak, Habit::Ordinary], &[1, 5, 20], off);
}

fn sequences(seed: u64, habits: &[Habit], windows: &[usize], off: Rules) {
    let mut cases = Vec::new();
    for habit in habits {
        for live in LIVE {
            for windows in windows {
                cases.push((*habit, live, *windows, Rules::default()));
            }
        }
        cases.push((*habit, 1_000, 5, off));
    }
    let found = each(&cases, |(habit, live, windows, rules)| {
        let sequences = (60_000 / *live as u64).clamp(10, 60);
        let attack = sequence::Attack {
            habit: *habit,
            live: *live,
            windows: *windows,
            rules: *rules,
            sequences,
            draws: 300 / sequences,
        };
        attack.run(&mut Random::new(seed))
    });
    println!(
        "{:<10} {:>6} {:>8} {:>6} {:>7} {:>8} {:>7}",
        "session", "live", "windows", "noise", "named", "points", "tables"
    );
    for ((habit, live, windows, rules), score) in cases.iter().zip(found) {
        println!(
            "{:<10} {live:>6} {windows:>8} {:>6} {:>6.1}% {:>+8.1} {:>7}",
            format!("{habit:?}"),
            rules.noise,
            score.share(),
            score.points(),
            score.trials
        );
    }
}

/// Prints the results of attack 5.
pub(crate) fn fakes(seed: u64, _: u64) {
    println!("\n5. fakes beside small groups, 1,000 live sessions");
    println!(
        "{:>6} {:>9} {:>12} {:>11} {:>7} {:>7}",
        "fakes", "networks", "min networks", "exact", "± 1", "± 3"
    );
    let mut cases = Vec::new();
    for fakes in [0, 10, 49, 50, 100, 200, 500] {
        cases.push((fakes, 64, None));
    }
    for networks in [1, 5, 10, 19, 20] {
        cases.extend([10, 50, 200].map(|fakes| (fakes, networks, Some(20))));
    }
    let found = each(&cases, |(fakes, networks, guard)| {
        let attack = fakes::Attack {
            live: 1_000,
            rules: Rules::default(),
            fakes: *fakes,
            networks: *networks,
            guard: *guard,
            groups: 400,
        };
        attack.run(&mut Random::new(seed))
    });
    for ((fakes, networks, guard), score) in cases.iter().zip(found) {
        println!(
            "{fakes:>6} {networks:>9} {:>12} {:>10.1}% {:>6.1}% {:>6.1}%",
            guard.unwrap_or(0),
            percent(score.exact, score.groups),
            percent(score.within_1, score.groups),
            percent(score.within_3, score.groups)
        );
    }
}

/// Prints the results of attack 6.
pub(crate) fn successive(seed: u64, _: u64) {
    println!(
        "\n6. successive windows: rows and startup of a new session, for an attacker who knows all other sessions"
    );
    let off = Rules { noise: 0, ..Rules::default() };
    let cases: Vec<_> = LIVE[..3].iter().flat_map(|live| [(*live, Rules::default()), (*live, off)]).collect();
    let found = each(&cases, |(live, rules)| successive::run(*live, *rules, 300, &mut Random::new(seed)));
    for ((live, rules), score) in cases.iter().zip(found) {
        println!(
            "{live:>6} noise {}: row found in {:.1} % of tables; startup failure guessed correctly in {:.1} % of {}",
            rules.noise,
            percent(score.named, score.tables),
            percent(score.right, score.asked),
            score.asked
        );
    }
}
