#!/usr/bin/env python3
"""Gathers user agents and their labels from public test lists into gathered-user-agents.tsv.

    pip install pyyaml
    python3 crates/airlock/tests/data/gather-user-agents.py --cache target/user-agents

The script downloads each source with git at a fixed commit. The tables below translate the labels of a source to names
of the closed lists of crowdfold. The tables were written by hand, and not from results of crowdfold. If browsers have
frozen the version in a user agent, the expected version is "-" (unknown), regardless of the label. Several values
separated by | are all correct. This is necessary if a source does not distinguish them (a television and a box), or if
no list contains its label.

The selection depends only on the user agents: they are sorted by their SHA-256, and a third of them is held out.
`--all` writes all user agents of the sources, for work on the rules.
"""

import argparse
import collections
import hashlib
import json
import pathlib
import re
import subprocess
import sys

import yaml

SOURCES = {
    "device-detector": (
        "https://github.com/matomo-org/device-detector.git",
        "3856a28692d45317d3f15f6f81ca31a06067182a",
    ),
    "uap-core": ("https://github.com/ua-parser/uap-core.git", "e3c5e634bee0b14f1a129c991483910739ad9f6c"),
    # The last version under the MIT licence.
    "ua-parser-js": ("https://github.com/faisalman/ua-parser-js.git", "90017c98d341788570435b7587ce1f0725022c7a"),
}

# The maximum number of user agents for each expected device and source, and for one manufacturer.
QUOTAS = {
    "device-detector": {
        "tv|stb": 190, "phone": 40, "tablet": 30, "desktop": 40, "console": 20, "other": 40, "bot": 30, "phone|other": 6,
    },
    "ua-parser-js": {"tv|stb": 30, "phone": 12, "tablet": 12, "console": 8, "other": 8, "*": 40},
    "uap-core": {"*": 60, "tv|stb": 20},
}
MOST_OF_ONE_MAKER = 5
# Manufacturers with fewer user agents in a list of device-detector are skipped, because their devices are rare.
LEAST_OF_A_MAKER = 8

DEVICES = {
    "desktop": "desktop", "smartphone": "phone", "phablet": "phone", "feature phone": "phone", "tablet": "tablet",
    "tv": "tv|stb", "console": "console", "car browser": "other", "wearable": "other", "smart display": "other",
    "smart speaker": "other",
    # ua-parser-js
    "mobile": "phone", "smarttv": "tv|stb",
}

LINUX = "Linux"
SYSTEMS = {
    "Windows": "Windows", "Windows RT": "Windows", "Mac": "macOS", "Mac OS": "macOS", "Mac OS X": "macOS",
    "macOS": "macOS", "iOS": "iOS", "iPadOS": "iPadOS", "tvOS": "tvOS", "Chrome OS": "ChromeOS", "Chromium OS": "ChromeOS",
    "Android": "Android", "Android TV": "Android", "Google TV": "Android", "Android-x86": "Android", "Wear OS": "Android",
    "Fire OS": "Fire OS", "Tizen": "Tizen", "webOS": "webOS", "WebOS": "webOS", "web0S": "webOS", "Roku OS": "Roku",
    "Roku": "Roku", "VIDAA": "VIDAA", "PlayStation": "PlayStation", "Xbox": "Xbox", "Nintendo": "Nintendo",
    "PlayStation Portable": "PlayStation", "Nintendo Mobile": "Nintendo",
    "HarmonyOS": "HarmonyOS", "OpenHarmony": "HarmonyOS", "HarmonyOS NEXT": "HarmonyOS", "KaiOS": "KaiOS", "KAIOS": "KaiOS",
    "": "-",
}
for name in (
    "GNU/Linux Linux Ubuntu Kubuntu Xubuntu Lubuntu Debian Fedora CentOS SUSE Gentoo Mandriva Mint Slackware RedHat PureOS "
    "Knoppix Manjaro Sabayon Deepin Raspbian"
).split() + ["Red Hat", "Arch Linux", "Linux Mint", "Arch"]:
    # The closed list does not contain the names of most distributions.
    SYSTEMS[name] = LINUX if name in ("GNU/Linux", "Linux", "Ubuntu", "Debian", "Fedora") else "Linux|other"
for name in (
    "CyanogenMod MocorDroid YunOS HyperOS MIUI MyOS"
).split() + ["Lineage OS", "Smartisan OS", "ClearOS Mobile", "Remix OS", "Resurrection Remix OS", "Meta Horizon", "PICO OS"]:
    SYSTEMS[name] = "Android|Linux|other"
# Systems of televisions that are based on Linux and are not in the closed list.
for name in ["Opera TV", "TiVo OS", "ViziOS", "Whale OS", "Orsay", "KreaTV", "Vega OS", "Coolita OS", "BrightSignOS"]:
    SYSTEMS[name] = "Linux|other|-"
# Systems for which any version is correct. A system with the label Linux may be a system that is based on Linux.
OPTIONAL_VERSIONS = {
    "PlayStation", "Xbox", "Nintendo", "Xbox|Windows|other", "Linux", "Linux|other", "Linux|other|-", "other",
    "Android|Linux|other",
}

BROWSERS = {
    "Chrome": "Chrome", "Chrome Mobile": "Chrome", "Chrome Mobile iOS": "Chrome", "Chrome Frame": "Chrome",
    "Mobile Chrome": "Chrome", "Chrome Headless": "Chrome", "Headless Chrome": "Chrome", "HeadlessChrome": "Chrome",
    "Safari": "Safari", "Mobile Safari": "Safari", "Firefox": "Firefox", "Firefox Mobile": "Firefox",
    "Mobile Firefox": "Firefox", "Firefox Mobile iOS": "Firefox", "Firefox iOS": "Firefox", "Firefox Focus": "Firefox",
    "Microsoft Edge": "Edge", "Edge": "Edge", "Edge Mobile": "Edge", "Opera": "Opera", "Opera Mobile": "Opera",
    "Opera Mini": "Opera", "Opera Next": "Opera", "Opera Touch": "Opera", "Opera GX": "Opera", "Opera Neon": "Opera",
    "Opera Mobi": "Opera", "Opera Tablet": "Opera", "Opera Coast": "Opera", "Opera Devices": "Opera",
    "Opera Mini iOS": "Opera",
    "Samsung Browser": "Samsung Internet", "Samsung Internet": "Samsung Internet", "Yandex Browser": "Yandex",
    "Yandex Browser Lite": "Yandex", "Yandex": "Yandex", "UC Browser": "UC Browser", "UCBrowser": "UC Browser",
    "UC Browser HD": "UC Browser", "UC Browser Mini": "UC Browser", "Vivaldi": "Vivaldi", "Brave": "Brave",
    "Mobile Silk": "Silk", "Silk": "Silk", "Amazon Silk": "Silk", "Internet Explorer": "Internet Explorer",
    "IE": "Internet Explorer", "IE Mobile": "Internet Explorer", "IEMobile": "Internet Explorer", "Chromium": "Chromium",
    "Chrome Webview": "WebView", "Chrome WebView": "WebView", "Chrome Mobile WebView": "WebView",
    "Android WebView": "WebView", "Mobile Safari UI/WKWebView": "WebView", "": "-",
}
# Browsers of televisions that are Chromium or Opera under another name. "other" is correct, and so is the engine.
for name in ["Odin", "T-Browser", "LG Browser", "Seraphic Sraf", "QtWebEngine", "Roku Browser", "Whale TV Browser", "TV Bro",
             "Quick Search TV", "BrowseHere", "Espial TV Browser", "NetFront", "Opera Devices"]:
    BROWSERS[name] = "Chrome|Opera|other|WebView"
# The families of uap-core for players and apps.
APPS = {
    "CFNetwork", "okhttp", "ExoPlayer", "AppleCoreMedia", "Dalvik", "VLC", "Kodi", "Electron", "Facebook", "Instagram",
    "Facebook Messenger", "TikTok", "Snapchat", "Pinterest", "LinkedIn", "Twitter", "QuickTime", "WMPlayer", "stagefright",
}


# The beginning of the user agents of native players and apps. The lists have different names for them.
NATIVE = re.compile(
    r"(?:Dalvik|AppleCoreMedia|okhttp|stagefright|VLC|Lavf|ExoPlayer|Roku/|[^(]*CFNetwork/"
    r"|(?!Mozilla|Opera)[\w.]+/[\w.]+ \(Linux; ?(?:U; ?)?Android)"
)
# Browsers on iOS that request the page for desktops.
DESKTOP_PAGE_ON_IOS = re.compile(r"\(Macintosh;.*\b(?:CriOS|EdgiOS|FxiOS|OPiOS|GSA)/")


def fetch(name, cache, paths):
    """Returns the files of a source at its commit, by path."""
    url, commit = SOURCES[name]
    folder = cache / name
    if not folder.exists():
        subprocess.run(["git", "init", "--quiet", "--bare", str(folder)], check=True)
    git = ["git", "--git-dir", str(folder)]
    if subprocess.run([*git, "cat-file", "-e", commit], stderr=subprocess.DEVNULL).returncode:
        subprocess.run([*git, "fetch", "--quiet", "--depth", "1", url, commit], check=True)
    listed = subprocess.run([*git, "ls-tree", "-r", "--name-only", commit], check=True, capture_output=True, text=True)
    for path in listed.stdout.splitlines():
        if re.fullmatch(paths, path):
            text = subprocess.run([*git, "show", f"{commit}:{path}"], check=True, capture_output=True).stdout
            yield path, text.decode()


def major(version):
    found = re.match(r"(\d+)", str(version or ""))
    return found.group(1) if found else "-"


def is_frozen(user_agent, system):
    """Returns true if browsers write the same version of this system regardless of its real version."""
    if system == "Windows":
        return "Windows NT 10.0" in user_agent
    if system == "macOS":
        return bool(re.search(r"Mac OS X 10[._]15(_7)?[;)]", user_agent))
    if system == "Android":
        return bool(re.search(r"Android 10; K\)", user_agent))
    if system == "ChromeOS":
        return "14541.0.0" in user_agent
    if system in ("iOS", "iPadOS"):
        return bool(re.search(r"OS 18_[67]\b.*Version/(2[6-9]|[3-9]\d)", user_agent))
    return False


def system_version(user_agent, system, version):
    """Returns the expected major version."""
    if is_frozen(user_agent, system):
        return "-"
    if system in OPTIONAL_VERSIONS:
        return "?"
    return major(version)


def device_detector(cache):
    """Yields expectations of Matomo's device-detector."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    skipped = ("clienthints", "unknown")
    for path, text in fetch("device-detector", cache, r"Tests/fixtures/[a-z_]+(-\d+)?\.yml"):
        if pathlib.Path(path).name.startswith(skipped):
            continue
        for entry in yaml.load(text, loader):
            user_agent = entry["user_agent"]
            if "headers" in entry:
                continue
            if "bot" in entry:
                yield user_agent, "bot", "?", "?", "?", entry["bot"].get("name", "")
                continue
            device = entry.get("device") or {}
            client = entry.get("client") or {}
            system = entry.get("os") or {}
            expected = DEVICES.get(device.get("type") or "")
            if expected is None:
                continue
            name = system.get("name") or ""
            our_system = SYSTEMS.get(name, "other")
            if "Xbox" in user_agent and our_system in ("Windows", "other"):
                # An Xbox runs a variant of Windows, and has its own name in the closed list.
                our_system = "Xbox|Windows|other"
            if client.get("type") in ("pim", "feed reader", "library"):
                # These clients play no video.
                continue
            if client.get("type") in ("mobile app", "mediaplayer"):
                browser = "?" if client["type"] != "mediaplayer" else "app"
            else:
                browser = BROWSERS.get(client.get("name") or "", "other")
            version = system_version(user_agent, our_system, system.get("version"))
            yield user_agent, expected, our_system, version, browser, device.get("brand") or ""


def ua_parser_js(cache):
    """Yields expectations of ua-parser-js, which tests devices, systems and browsers separately."""
    files = fetch("ua-parser-js", cache, r"test/(device|os|browser|mediaplayer)-test\.json")
    for path, text in files:
        for entry in json.loads(text):
            user_agent, expect = entry.get("ua", ""), entry["expect"]
            known = {key: "" if value == "undefined" else value for key, value in expect.items()}
            if "device" in path:
                device = DEVICES.get(known.get("type") or "", "console" if known.get("type") == "console" else None)
                if device is None and known.get("type") in ("wearable", "embedded", "xr"):
                    device = "other"
                if device:
                    yield user_agent, device, "?", "?", "?", known.get("vendor") or ""
            elif "os-" in path:
                system = SYSTEMS.get(known.get("name") or "", "other")
                version = system_version(user_agent, system, known.get("version"))
                yield user_agent, "?", system, version, "?", known.get("name") or ""
            elif "browser" in path:
                browser = BROWSERS.get(known.get("name") or "", "other")
                if known.get("name") in ("Facebook", "Instagram", "LinkedIn", "Snapchat", "TikTok", "GSA"):
                    browser = "app"
                yield user_agent, "?", "?", "?", browser, known.get("name") or ""
            else:
                yield user_agent, "?", "?", "?", "app", known.get("name") or ""


def uap_core(cache):
    """Yields expectations of uap-core, which tests systems, browsers and devices separately."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for path, text in fetch("uap-core", cache, r"tests/test_(ua|os|device)\.yaml"):
        for entry in yaml.load(text, loader)["test_cases"]:
            user_agent, family = entry["user_agent_string"], entry["family"]
            if "test_ua" in path:
                browser = "app" if family in APPS else BROWSERS.get(family, "other")
                yield user_agent, "?", "?", "?", browser, family
            elif "test_os" in path:
                system = SYSTEMS.get("" if family == "Other" else family, "other")
                version = system_version(user_agent, system, entry.get("major"))
                yield user_agent, "?", system, version, "?", family
            elif family == "Spider":
                yield user_agent, "bot", "?", "?", "?", family
            elif re.match(r"Apple ?TV|Roku|Chromecast|.*Smart ?TV|BRAVIA|.*\bTV\b", family):
                yield user_agent, "tv|stb", "?", "?", "?", entry.get("brand") or ""


def key(user_agent):
    return hashlib.sha256(user_agent.encode()).hexdigest()


def part(user_agent):
    """Returns the part to which a user agent belongs. A third of them is held out from work on the rules."""
    return "held-out" if int(key(user_agent)[-6:], 16) % 3 == 0 else "tuned"


def judged(row):
    """Corrects a row where labels are unreliable: native players are apps, and iPads may have the user agent of a Mac."""
    user_agent, device, system, version, browser, maker = row
    if NATIVE.match(user_agent) and device != "bot":
        browser = "app"
    if DESKTOP_PAGE_ON_IOS.search(user_agent) and system != "?":
        system, version = "iPadOS|iOS", "-"
    if browser == "-":
        browser = "-|other"
    if browser == "Safari" and system not in ("?", "macOS", "iOS", "iPadOS", "tvOS", "Windows"):
        # Safari exists only on systems of Apple and on Windows. Another engine uses its name.
        browser = "Safari|other"
    return user_agent, device, system, version, browser, maker


def usable(user_agent):
    return 8 <= len(user_agent.encode()) <= 500 and not re.search(r"[\t\r\n]", user_agent)


def chosen(source, rows):
    """Selects rows of a source, up to the quota of each device and the maximum of each manufacturer."""
    quotas, counts, makers = QUOTAS[source], {}, {}
    sizes = collections.Counter((row[1], row[5]) for row in rows)
    least = LEAST_OF_A_MAKER if source == "device-detector" else 0
    for row in sorted(rows, key=lambda row: key(row[0])):
        kind = row[1] if row[1] != "?" else "*"
        maker = (kind, row[5])
        if row[1] in ("tv|stb", "phone", "tablet") and sizes[row[1], row[5]] < least:
            continue
        if counts.get(kind, 0) < quotas.get(kind, 0) and makers.get(maker, 0) < MOST_OF_ONE_MAKER:
            counts[kind] = counts.get(kind, 0) + 1
            makers[maker] = makers.get(maker, 0) + 1
            yield row


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--cache", type=pathlib.Path, required=True, help="directory of the downloaded sources")
    arguments.add_argument("--all", action="store_true", help="write all user agents, not only the selected ones")
    arguments.add_argument("--output", type=pathlib.Path, help="output file; the default is gathered-user-agents.tsv in the directory of this script")
    options = arguments.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    output = options.output or pathlib.Path(__file__).with_name("gathered-user-agents.tsv")
    lines, seen = [], set()
    for source, read in (
        ("device-detector", device_detector), ("ua-parser-js", ua_parser_js), ("uap-core", uap_core),
    ):
        rows = {row[0]: judged(row) for row in read(options.cache) if usable(row[0])}
        for row in rows.values() if options.all else chosen(source, rows.values()):
            if row[0] not in seen:
                seen.add(row[0])
                lines.append("\t".join([source, part(row[0]), *row[1:5], row[0]]))
    header = "source\tpart\tdevice\tsystem\tsystem version\tbrowser\tuser agent"
    output.write_text("\n".join([header, *sorted(lines)]) + "\n")
    print(f"{len(lines)} user agents in {output}", file=sys.stderr)


if __name__ == "__main__":
    main()
