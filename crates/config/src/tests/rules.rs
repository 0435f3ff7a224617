use super::*;

#[test]
fn time_to_live_that_is_too_short_is_refused() {
    check(
        "[ttl]\nbeacons = \"30m\"\n",
        "x.toml:2: ttl.beacons is 30m, which leaves a retention of at most 24m, less than windows.length 1m + windows.lateness 30s + sessions.idle_timeout 90s + ttl.max_outage 30m; raise ttl.beacons to 47m, or lower one of the others",
    );
    check(
        "[ttl]\nmax_outage = \"5h\"\n",
        "x.toml:2: ttl.beacons is 1h, which leaves a retention of at most 48m, less than windows.length 1m + windows.lateness 30s + sessions.idle_timeout 90s + ttl.max_outage 5h; raise ttl.beacons to 384m, or lower one of the others",
    );
    check(
        "[ttl]\npartials = \"20m\"\n",
        "x.toml:2: ttl.partials is 20m, which leaves a retention of at most 16m, less than windows.length 1m + merge.timeout 15m + ttl.max_outage 30m; raise ttl.partials to 63m, or lower one of the others",
    );
    check(
        "[merge]\ntimeout = \"10h\"\n",
        "x.toml:2: ttl.partials is 6h, which leaves a retention of at most 288m, less than windows.length 1m + merge.timeout 10h + ttl.max_outage 30m; raise ttl.partials to 794m, or lower one of the others",
    );
}

#[test]
fn overlapping_paths_of_fields_are_refused() {
    check(
        "[source.fields]\nts = \"at\"\nsession = \"at.id\"\n",
        "x.toml:2: source.fields.ts overlaps with the path of session; give each field a path of its own",
    );
}

#[test]
fn topic_of_beacons_that_is_invalid_or_written_by_crowdfold_is_refused() {
    check(
        "[source]\ntopic = \"crowdfold.partials\"\n",
        "x.toml:2: source.topic is crowdfold.partials, which crowdfold itself writes; name another topic, or change kafka.prefix",
    );
    check(
        "[source]\ntopic = \"a/b\"\n",
        "x.toml:2: source.topic is \"a/b\", which is not a valid topic name; use letters, digits, `.`, `_` and `-`",
    );
    check(
        "[source]\ntopic = \"events\"\n[ttl]\nerase_counted = true\n",
        "x.toml:4: ttl.erase_counted is true, but source.topic events is not this deployment's own (crowdfold.beacons), and its other readers would lose the erased records; set erase_counted to false, or ttl.erase_shared to true if no other program needs them",
    );
}

#[test]
fn release_settings_that_contradict_other_sections_are_refused() {
    check(
        "[content]\npolicy = \"drop\"\n",
        "x.toml:2: content.policy is \"drop\", but release.breakdowns names content; remove content there, or set content.policy to \"keep\"",
    );
    check(
        "[release]\npolicy = \"differential-privacy\"\n",
        "x.toml:2: release.policy is differential-privacy, which needs a secret for its noise, the same for all workers; create one with `openssl rand -hex 32` and name its file in release.privacy.secret_file, or set threshold",
    );
    check(
        "[release]\nbreakdowns = [[\"network\"]]\n",
        "x.toml:2: release.breakdowns names network, but no network is kept with address.policy = \"strip\"; remove network, or set address.policy to \"truncate\"",
    );
    check(
        "[release]\nmin_networks = 5\n",
        "x.toml:2: release.min_networks needs a secret that all workers share; name its file in release.privacy.secret_file, or set it to 0",
    );
    check(
        "[tenants]\nnames = [\"acme\", \"beta\"]\ndefault = \"acme\"\n[release.tenants.beta]\nbreakdowns = [[\"network\"]]\n",
        "x.toml:5: release.tenants.beta.breakdowns names network, but no network is kept with address.policy = \"strip\"; remove network, or set address.policy to \"truncate\"",
    );
    check(
        "[tenants]\nnames = [\"acme\", \"beta\"]\ndefault = \"acme\"\n[content]\npolicy = \"drop\"\n[release]\nbreakdowns = [[\"os\"]]\n[release.tenants.beta]\nbreakdowns = [[\"content\"]]\n",
        "x.toml:9: content.policy is \"drop\", but release.tenants.beta.breakdowns names content; remove content there, or set content.policy to \"keep\"",
    );
}

#[test]
fn erase_counted_is_accepted_for_the_own_topic_and_for_a_shared_topic_with_erase_shared() {
    for text in [
        "[ttl]\nerase_counted = true\n",
        "[source]\ntopic = \"crowdfold.beacons\"\n[ttl]\nerase_counted = true\n",
        "[source]\ntopic = \"events\"\n[ttl]\nerase_counted = true\nerase_shared = true\n",
    ] {
        assert!(load(text).unwrap().settings.ttl.erase_counted, "{text}");
    }
}

#[test]
fn differential_privacy_defaults_to_hourly_windows_which_need_a_longer_ttl() {
    let text = "[release]\npolicy = \"differential-privacy\"\n[release.privacy]\nsecret_file = \"/s\"\n";
    let message = load(text).err().unwrap().to_string();
    assert!(message.contains("ttl.beacons is 1h, which leaves a retention of"), "{message}");
    assert!(message.contains("windows.length 1h"), "{message}");
    let longer = load(&format!("{text}[ttl]\nbeacons = \"3h\"\n")).unwrap();
    assert_eq!(longer.settings.windows.length.as_secs(), 3_600);
    assert!(!longer.is_given("windows.length"));
    let minutes = load(&format!("{text}[windows]\nlength = \"15m\"\n")).unwrap();
    assert_eq!(minutes.settings.windows.length.as_secs(), 900);
}

#[test]
fn fields_of_a_log_are_refused_unless_the_format_is_capture() {
    let with = |format: &str, line: &str| format!("[source]\nformat = \"{format}\"\n[source.log]\n{line}\n");
    check(
        &with("json", "query = \"q\""),
        "x.toml:4: source.log is used only with source.format = \"capture\"; set that, or remove the section",
    );
    load(&with("capture", "query = \"q\"")).unwrap();
}

#[test]
fn invalid_console_settings_are_refused_with_the_fix() {
    for (text, expect) in [
        (
            "listen = \"0.0.0.0:8090\"",
            "x.toml:2: console.listen is not a loopback address, so requests need tokens; name a token with \
             [console.tokens.NAME] and its file, or set it to 127.0.0.1:8090",
        ),
        (
            "[console.tokens.ops]\ntenants = []",
            "x.toml:2: console.tokens.ops has no file; set file to the path of a file with the token",
        ),
        (
            "[console.tokens.ops]\nfile = \"/t\"\ntenants = [\"acme\"]",
            "x.toml:4: console.tokens.ops.tenants names \"acme\", which is not in tenants.names; add it there",
        ),
        (
            "workers = [\"worker:9464\", \"http://worker:9464\"]",
            "x.toml:2: console.workers contains \"http://worker:9464\"; write host:port, such as 127.0.0.1:9464",
        ),
        (
            "workers = [\"worker\"]",
            "x.toml:2: console.workers contains \"worker\"; write host:port, such as 127.0.0.1:9464",
        ),
        (
            "workers = [\":9464\"]",
            "x.toml:2: console.workers contains \":9464\"; write host:port, such as 127.0.0.1:9464",
        ),
        (
            "detail = \"1m\"",
            "x.toml:2: console.detail is \"1m\"; set it to a duration from 1h to 3650d, such as \"90s\" (units: ms, s, m, h, d, w)",
        ),
    ] {
        check(&format!("[console]\n{text}\n"), expect);
    }
    let text =
        "[console]\nlisten = \"[::]:80\"\n[console.tokens.ops]\nfile = \"/t\"\ntenants = [\"default\"]\n";
    assert_eq!(load(text).unwrap().settings.console.tokens["ops"].tenants, ["default"]);
}

#[test]
fn collector_setting_is_refused_if_a_setting_that_it_requires_is_absent() {
    for (line, expect) in [
        (
            "proxy_protocol = true",
            "proxy_protocol is true, but collect.trusted_proxies is empty; name the proxies there, or set proxy_protocol to false",
        ),
        (
            "tls.certificate = \"/c.pem\"",
            "tls.certificate is set without a key; set collect.tls.key to the path of the key",
        ),
        (
            "tls.key = \"/k.pem\"",
            "tls.key is set without a certificate; set collect.tls.certificate to the path of the certificate",
        ),
    ] {
        check(&format!("[collect]\n{line}\n"), &format!("x.toml:2: collect.{expect}"));
    }
    load("[collect]\ntls = { certificate = \"/c.pem\", key = \"/k.pem\" }\n").unwrap();
}
