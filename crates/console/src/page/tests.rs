use std::collections::BTreeMap;

use super::file;

/// Returns the size of each file that the page loads, by the references in its files.
fn sizes() -> BTreeMap<String, usize> {
    let mut sizes = BTreeMap::new();
    let mut paths = vec!["/".to_owned()];
    while let Some(path) = paths.pop() {
        if sizes.contains_key(&path) {
            continue;
        }
        let content =
            file(&path).unwrap_or_else(|| panic!("the page refers to {path}, which is not served")).content;
        let text = String::from_utf8_lossy(content);
        for before in
            ["<link rel=\"icon\" href=\"", "<link rel=\"stylesheet\" href=\"", "<script src=\"", "from \"./"]
        {
            let names = text.split(before).skip(1).filter_map(|rest| rest.split('"').next());
            paths.extend(names.map(|name| format!("/{name}")));
        }
        sizes.insert(path, content.len());
    }
    sizes
}

#[test]
fn page_has_at_most_150_kilobytes_before_compression() {
    let sizes = sizes();
    assert_eq!(sizes.len(), 9, "{sizes:?}");
    assert!(sizes.values().sum::<usize>() <= 150_000, "{sizes:?}");
}
