//! Real players in a real browser: hls.js, dash.js and Shaka Player in Chromium play streams that stall, fail and are
//! slow, and report to `crowdfold collect`. What comes out of the rollups is held to what their pages saw by themselves.

mod browser;
mod held;
mod scenes;
mod told;

use std::collections::BTreeSet;
use std::fmt::Write;

use crowdfold_testkit::Kafka;
use serde_json::Value;

use crate::worker::support::{Deployment, Worker, now};
use scenes::{Scene, TENANT};

#[test]
fn what_is_told_of_players_is_what_their_pages_saw() {
    let mut way = Deployment::new(Kafka::shared());
    way.rules.tenants = vec![TENANT.into()];
    way.rules.default_tenant = TENANT.into();
    way.rules.window = 10_000;
    way.rules.lateness = 3_000;
    way.rules.idle = 30_000;
    way.rules.k = 1;
    way.rules.drilldowns = [["stream", "format", "content"], ["device", "os", "browser"]]
        .map(|names| names.map(Into::into).to_vec())
        .to_vec();
    way.set("collect.listen", "\"127.0.0.1:0\"");
    let way = way.with_topics();
    let worker = Worker::start(&way, "a");
    worker.await_ready();
    let edge = Worker::collect(&way, "edge");

    let pages = browser::play(&format!("http://{}", edge.edge()), Scene::ALL);
    way.await_settled(now(), 90);
    let rows: Vec<Value> = way.rows("read_committed").into_iter().map(|row| row.json).collect();
    let told = told::by_content(&rows);

    let mut complaints = String::new();
    for scene in Scene::ALL {
        let page = pages.iter().find(|page| page["id"] == scene.id).unwrap();
        let (seen, reports) = (&page["seen"], page["reports"].as_array().unwrap());
        let told = told.get(scene.id).cloned().unwrap_or_default();
        eprintln!("{}", held::line(scene, seen, &told));
        let mut found = held::unplanned(scene, seen);
        found.extend(
            reports
                .iter()
                .filter(|report| report["status"] != 204)
                .map(|report| format!("a report got {}", report["status"])),
        );
        found.extend(held::differences(scene, seen, reports.len(), &told));
        if !found.is_empty() {
            writeln!(complaints, "{}: {}\n  seen {seen}\n  told {told:?}", scene.id, found.join("; "))
                .unwrap();
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
    nobody_is_in(&rows, &pages);
    everybody_watched_with(&rows, ["desktop", "Linux", "Chromium"]);
}

/// No session, address or user agent is in what was published.
fn nobody_is_in(rows: &[Value], pages: &[Value]) {
    let sent: Vec<&Value> = pages.iter().flat_map(|page| page["reports"].as_array().unwrap()).collect();
    let sent = serde_json::to_string(&sent).unwrap().replace("%22", "\"");
    // ids of sessions are UUIDs, in all three players and in ours
    let is_id = |word: &&str| word.len() == 36 && word.bytes().filter(|byte| *byte == b'-').count() == 4;
    let ids: BTreeSet<&str> =
        sent.split(|letter: char| !letter.is_ascii_hexdigit() && letter != '-').filter(is_id).collect();
    assert!(ids.len() >= Scene::ALL.len(), "{} ids of sessions in what was sent", ids.len());
    let published = serde_json::to_string(rows).unwrap();
    for word in ids.into_iter().chain(["127.0.0.1", "Mozilla", "Headless"]) {
        assert!(!published.contains(word), "{word} was published");
    }
}

/// All of them were told to be of one kind of device.
fn everybody_watched_with(rows: &[Value], [device, os, browser]: [&str; 3]) {
    let kinds: BTreeSet<String> = rows
        .iter()
        .filter(|row| row["dimensions"]["device"].is_string())
        .map(|row| row["dimensions"].to_string())
        .collect();
    let expected = serde_json::json!({ "device": device, "os": os, "browser": browser }).to_string();
    assert_eq!(kinds, BTreeSet::from([expected]));
}

#[test]
fn the_readme_shows_what_the_pages_use() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    for player in ["hls.js", "dash.js", "shaka.js"] {
        let file = std::fs::read_to_string(root.join("deploy/players").join(player)).unwrap();
        assert!(readme.contains(&format!("```js\n{file}```\n")), "deploy/players/{player}");
        let page = std::fs::read_to_string(root.join("tests/live/pages").join(player)).unwrap();
        assert!(
            page.contains(&format!("import {{ reporting }} from \"/deploy/players/{player}\"")),
            "{player}"
        );
    }
}
